/* See http.h. The request goes over in a memory file, which has no end that could block; the answer
 * comes over a pipe, read until the program ends or the caller must stop. */
#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/program.h"
#include "http/message.h"

enum { REPLY_HEAD_BYTES = 256, REASON_BYTES = 256, GRACE_MS = 5000 };

static const char name[] = "cofferdam-http";

static enum status put_request(const struct http_request *request, int *fd, struct error *error)
{
    struct buffer text;
    int made = -1;
    buffer_init(&text, MESSAGE_HEAD_BYTES + HTTP_BODY_BYTES);
    enum status status = message_put_request(request, &text, error);
    if (status != STATUS_OK)
        goto done;
    made = memfd_create(name, MFD_CLOEXEC);
    status = made < 0 ? error_set_errno(error, errno, "cannot make a memory file")
                      : file_write_at(made, text.data, text.len, 0, error);
done:
    buffer_free(&text);
    if (status == STATUS_OK)
        *fd = made;
    else if (made >= 0)
        close(made);
    return status;
}

/* Until the other end is closed; what is over the limit is read and lost. False: we were to stop,
 * or it goes on after its own timeout. */
static bool take_all(int fd, const int *stop, int64_t end_ns, struct buffer *reply)
{
    uint8_t bytes[4096];
    struct pollfd waiting[] = {{.fd = fd, .events = POLLIN},
                               {.fd = stop == NULL ? -1 : *stop, .events = POLLIN}};
    for (;;) {
        int64_t left_ms = (end_ns - clock_monotonic_ns()) / 1000000;
        if (left_ms <= 0 || (poll(waiting, 2, (int)left_ms) < 0 && errno != EINTR))
            return false;
        if (waiting[1].revents != 0)
            return false;
        if (waiting[0].revents == 0)
            continue;
        ssize_t len = read(fd, bytes, sizeof bytes);
        if (len == 0 || (len < 0 && errno != EINTR))
            return true;
        if (len > 0)
            buffer_append(reply, bytes, (size_t)len);
    }
}

static enum status broken(struct error *error)
{
    return error_set(error, STATUS_IO, "58000", NULL, "%s ended in an unforeseen way", name);
}

static enum status too_long(const struct http_answer *answer, struct error *error)
{
    return error_set(error, STATUS_LIMIT, "54000", NULL, "its answer is longer than %zu bytes",
                     answer->body.limit < HTTP_ANSWER_BYTES ? answer->body.limit
                                                            : (size_t)HTTP_ANSWER_BYTES);
}

static enum status judge(int ended, struct buffer *reply, struct http_answer *answer,
                         struct error *error)
{
    if (!WIFEXITED(ended) || reply->overflowed)
        return broken(error);
    switch (WEXITSTATUS(ended)) {
    case MESSAGE_ANSWERED:
        if (message_read_answer((char *)reply->data, reply->len, answer) != STATUS_OK)
            return broken(error);
        return answer->body.overflowed ? too_long(answer, error) : STATUS_OK;
    case MESSAGE_TOO_LONG:
        return too_long(answer, error);
    case MESSAGE_FAILED:
        return error_set(error, STATUS_IO, "08001", "Is the url right, and is it running?", "%.*s",
                         (int)(reply->len < REASON_BYTES ? reply->len : REASON_BYTES),
                         (const char *)reply->data);
    }
    return broken(error);
}

static enum status exchange(int input, const struct http_request *request, struct buffer *reply,
                            struct http_answer *answer, struct error *error)
{
    int64_t patience_ms =
        (request->timeout_ms == 0 ? HTTP_TIMEOUT_MS : (int64_t)request->timeout_ms) + GRACE_MS;
    int64_t end_ns = clock_monotonic_ns() + patience_ms * 1000000;
    int pipe_ends[2], ended;
    pid_t child;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    enum status status =
        program_start(name, "which speaks HTTP", input, pipe_ends[1], &child, error);
    close(pipe_ends[1]);
    bool whole = status == STATUS_OK && take_all(pipe_ends[0], request->stop, end_ns, reply);
    close(pipe_ends[0]);
    if (status != STATUS_OK)
        return status;
    if (!whole)
        kill(child, SIGKILL);
    TRY(program_wait(child, name, &ended, error));
    if (!whole)
        return error_set(error, STATUS_IO, "57014", NULL, "it was given up");
    return judge(ended, reply, answer, error);
}

enum status http_send(const struct http_request *request, struct http_answer *answer,
                      struct error *error)
{
    int input = -1;
    struct buffer reply;
    TRY(put_request(request, &input, error));
    buffer_init(&reply, REPLY_HEAD_BYTES + HTTP_ANSWER_BYTES);
    enum status status = exchange(input, request, &reply, answer, error);
    close(input);
    buffer_free(&reply);
    return status;
}
