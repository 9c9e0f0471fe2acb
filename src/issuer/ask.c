/* The gateway's side: a connection a question, and a deadline over all of it. */
#include "issuer/letter.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/listen.h"
#include "base/talk.h"

enum { PATIENCE_MS = 2000 };

static enum status away(struct error *error, const char *why)
{
    return error_set(error, STATUS_IO, "57P03",
                     "try again in a moment; if it lasts, tell the data controller",
                     "certificates cannot be renewed now: %s", why);
}

static enum status converse(int fd, struct buffer *letter, struct issuer_answer *answer,
                            struct error *error)
{
    int64_t deadline_ns = clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);
    enum status decision = STATUS_IO;
    if (!talk_send(fd, buffer_slice(letter), deadline_ns))
        return away(error, "the issuer does not listen");
    buffer_clear(letter);
    if (!talk_receive_frame(fd, LETTER_ANSWER_BYTES, letter, deadline_ns) ||
        letter_read_answer(buffer_slice(letter), answer, &decision, error) != STATUS_OK)
        return away(error, "the issuer gave no answer");
    return decision;
}

enum status issuer_ask(const char *socket, const struct issuer_question *question,
                       struct issuer_answer *answer, struct error *error)
{
    struct buffer letter;
    int fd = -1;
    buffer_init(&letter, LETTER_ANSWER_BYTES + LETTER_QUESTION_BYTES);
    enum status status = letter_put_question(question, &letter, error);
    if (status == STATUS_OK && listen_connect_unix(socket, &fd, error) != STATUS_OK)
        status = away(error, "the issuer is not there");
    if (status == STATUS_OK)
        status = converse(fd, &letter, answer, error);
    if (fd >= 0)
        close(fd);
    buffer_free(&letter);
    return status;
}
