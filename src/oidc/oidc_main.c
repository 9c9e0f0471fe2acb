/* cofferdam-token: judges tokens and key sets that strangers made. Questions come on standard
 * input, verdicts go to standard output (question.h), until the other end closes.
 * A program of its own because rhonabwy brings GnuTLS and libcurl, and because a hole in a parser
 * of strangers' JSON then opens a process that has no files, no network and no secret.
 * Invariant: before the first question is read it has given up everything but memory and the bytes
 * that go in and out. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>
#include <rhonabwy.h>

#include "base/confine.h"
#include "oidc/keys.h"
#include "oidc/token.h"

enum { MEMORY_BYTES = 256 * 1024 * 1024 };

static bool read_all(uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t got = read(STDIN_FILENO, bytes + at, len - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static bool write_all(struct slice bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        ssize_t put = write(STDOUT_FILENO, bytes.data + at, bytes.len - at);
        if (put <= 0)
            return false;
        at += (size_t)put;
    }
    return true;
}

static bool read_question(struct buffer *frame)
{
    uint8_t head[4];
    buffer_clear(frame);
    if (!read_all(head, sizeof head) || load_u32be(head) > QUESTION_BYTES)
        return false;
    size_t len = load_u32be(head);
    uint8_t *room = buffer_reserve(frame, len);
    if (room == NULL || !read_all(room, len))
        return false;
    frame->len = len;
    return true;
}

static bool answer(struct slice frame, struct buffer *out)
{
    struct question question;
    static struct verdict verdict;
    if (question_read(frame, &question) != STATUS_OK)
        return false;
    switch (question.kind) {
    case QUESTION_TOKEN:
        token_judge(&question, &verdict);
        break;
    case QUESTION_KEYS:
        keys_judge(&question, &verdict);
        break;
    case QUESTION_DISCOVERY:
        token_judge_discovery(&question, &verdict);
        break;
    default:
        return false;
    }
    buffer_clear(out);
    verdict_put(&verdict, out);
    return !out->overflowed && write_all(buffer_slice(out));
}

static enum status confine(struct error *error)
{
    static const char *const nothing[] = {NULL};
    const struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
    bool has_landlock;
    json_object_seed(0); /* from /dev/urandom, while there is one */
    r_global_init();
    if (setrlimit(RLIMIT_AS, &memory) != 0)
        return error_set(error, STATUS_IO, "58000", NULL, "cannot bound our own memory");
    TRY(confine_reading(nothing, &has_landlock, error));
    return confine_computing(error); /* also where the kernel has no Landlock */
}

int main(int count, char **arguments)
{
    struct buffer frame, out;
    struct error error = {0};
    if (count != 1 || isatty(STDIN_FILENO)) {
        fprintf(stderr, "%s is a part of cofferdam, which asks it\n", arguments[0]);
        return 2;
    }
    if (confine(&error) != STATUS_OK) {
        fprintf(stderr, "cofferdam-token: %s\n", error.message);
        return 1;
    }
    buffer_init(&frame, QUESTION_BYTES);
    buffer_init(&out, QUESTION_TEXT_ROOM + 64);
    while (read_question(&frame) && answer(buffer_slice(&frame), &out))
        ;
    buffer_free(&out);
    buffer_free(&frame);
    return 0;
}
