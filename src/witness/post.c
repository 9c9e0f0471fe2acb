/* See post.h. The body goes over in a memory file, which has no end that could block; the answer
 * comes over a pipe, read until the program ends. */
#include "witness/post.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum {
    PROGRAM_ROOM = 4096,
    HEAD_BYTES = POST_TYPE_ROOM + 16, /* "200 text/x…\n" */
    REPLY_BYTES = HEAD_BYTES + POST_ANSWER_BYTES,
};

static const char name[] = "cofferdam-post";

/* Beside our own program, or where it is installed. */
static enum status find_program(char path[static PROGRAM_ROOM], struct error *error)
{
    ssize_t len = readlink("/proc/self/exe", path, PROGRAM_ROOM - sizeof name);
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len > 0) {
        memcpy(path + len, name, sizeof name);
        if (access(path, X_OK) == 0)
            return STATUS_OK;
    }
    snprintf(path, PROGRAM_ROOM, "%s/%s", COFFERDAM_LIBEXEC, name);
    if (access(path, X_OK) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58P01",
                     "it belongs beside cofferdam, or into " COFFERDAM_LIBEXEC,
                     "the program %s, which speaks to witnesses, is missing", name);
}

static enum status put_body(struct slice body, int *fd, struct error *error)
{
    *fd = memfd_create(name, MFD_CLOEXEC);
    if (*fd < 0)
        return error_set_errno(error, errno, "cannot make a memory file");
    return file_write_at(*fd, body.data, body.len, 0, error);
}

static enum status start(const char *url, const char *ca, int input, int output, pid_t *child,
                         struct error *error)
{
    char program[PROGRAM_ROOM];
    char *const arguments[] = {(char *)(uintptr_t)name, (char *)(uintptr_t)url,
                               (char *)(uintptr_t)ca, NULL};
    posix_spawn_file_actions_t actions;
    TRY(find_program(program, error));
    posix_spawn_file_actions_init(&actions);
    int failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn(child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return error_set_errno(error, failed, "cannot run %s", program);
    return STATUS_OK;
}

/* Until the other end is closed; what is over the limit is read and lost. */
static void take_all(int fd, struct buffer *reply)
{
    uint8_t bytes[4096];
    ssize_t len;
    while ((len = read(fd, bytes, sizeof bytes)) > 0 || (len < 0 && errno == EINTR))
        if (len > 0)
            buffer_append(reply, bytes, (size_t)len);
}

static enum status broken(struct error *error)
{
    return error_set(error, STATUS_IO, "58000", NULL, "%s ended in an unforeseen way", name);
}

/* "CODE TYPE\n", body. */
static enum status read_answer(struct slice reply, struct post_answer *answer, struct error *error)
{
    const uint8_t *end = memchr(reply.data, '\n', reply.len);
    size_t len = end == NULL ? 0 : (size_t)(end - reply.data), at = 0;
    answer->code = 0;
    for (; at < len && at < 3 && isdigit(reply.data[at]); at++)
        answer->code = answer->code * 10 + (reply.data[at] - '0');
    if (at != 3 || at == len || reply.data[at] != ' ' || len - at - 1 >= sizeof answer->type)
        return broken(error);
    memcpy(answer->type, reply.data + at + 1, len - at - 1);
    answer->type[len - at - 1] = '\0';
    buffer_append(&answer->body, end + 1, reply.len - len - 1);
    return answer->body.overflowed ? broken(error) : STATUS_OK;
}

static enum status judge(int ended, struct buffer *reply, struct post_answer *answer,
                         struct error *error)
{
    if (!WIFEXITED(ended) || reply->overflowed)
        return broken(error);
    switch (WEXITSTATUS(ended)) {
    case POST_ANSWERED:
        return read_answer(buffer_slice(reply), answer, error);
    case POST_TOO_LONG:
        return error_set(error, STATUS_LIMIT, "54000", NULL, "its answer is longer than %d bytes",
                         POST_ANSWER_BYTES);
    case POST_FAILED:
        return error_set(error, STATUS_IO, "08001", "Is the url right, and is it running?", "%.*s",
                         (int)(reply->len < POST_REASON_BYTES ? reply->len : POST_REASON_BYTES),
                         (const char *)reply->data);
    }
    return broken(error);
}

static enum status exchange(const char *url, const char *ca, int input, struct buffer *reply,
                            struct post_answer *answer, struct error *error)
{
    int pipe_ends[2], ended;
    pid_t child;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    enum status status = start(url, ca, input, pipe_ends[1], &child, error);
    close(pipe_ends[1]);
    if (status == STATUS_OK)
        take_all(pipe_ends[0], reply);
    close(pipe_ends[0]);
    if (status != STATUS_OK)
        return status;
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(error, errno, "cannot wait for %s", name);
    return judge(ended, reply, answer, error);
}

enum status post_send(const char *url, const char *ca, struct slice body,
                      struct post_answer *answer, struct error *error)
{
    int input = -1;
    struct buffer reply;
    buffer_init(&reply, REPLY_BYTES);
    enum status status = put_body(body, &input, error);
    if (status == STATUS_OK)
        status = exchange(url, ca, input, &reply, answer, error);
    if (input >= 0)
        close(input);
    buffer_free(&reply);
    return status;
}
