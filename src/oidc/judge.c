/* See judge.h. */
#include "oidc/judge.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/talk.h"
#include "crypto/crypto.h"

enum { PATIENCE_MS = 3000, VERDICT_BYTES = QUESTION_TEXT_ROOM + 64 };

static const char name[] = "cofferdam-token";

void judge_open(struct judge *judge)
{
    *judge = (struct judge){.fd = -1};
    buffer_init(&judge->question, QUESTION_BYTES);
    buffer_init(&judge->answer, VERDICT_BYTES);
}

static void stop(struct judge *judge)
{
    int ended;
    if (judge->child == 0)
        return;
    close(judge->fd);
    kill(judge->child, SIGKILL);
    (void)!program_wait(judge->child, name, &ended, NULL);
    judge->child = 0;
    judge->fd = -1;
}

void judge_close(struct judge *judge)
{
    stop(judge);
    buffer_free(&judge->question);
    buffer_free(&judge->answer);
}

static enum status start(struct judge *judge, struct error *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(error, errno, "cannot make a socket pair");
    enum status status =
        program_start(name, "which judges tokens", ends[1], ends[1], &judge->child, error);
    close(ends[1]);
    if (status == STATUS_OK)
        judge->fd = ends[0];
    else
        close(ends[0]);
    return status;
}

/* Nothing may lie there before a question is asked: it would be taken for its answer, and who could
 * make the program say more than it was asked would be let in by the next one's question. */
static bool is_silent(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    return poll(&waiting, 1, 0) == 0;
}

static bool converse(struct judge *judge, struct verdict *verdict)
{
    int64_t deadline_ns = clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);
    return is_silent(judge->fd) &&
           talk_send(judge->fd, buffer_slice(&judge->question), deadline_ns) &&
           talk_receive_frame(judge->fd, VERDICT_BYTES, &judge->answer, deadline_ns) &&
           verdict_read(buffer_slice(&judge->answer), verdict) == STATUS_OK;
}

/* A program that has ended since the last question is found by asking: once more with a new one. */
enum status judge_ask(struct judge *judge, const struct question *question, struct verdict *verdict,
                      struct error *error)
{
    enum status status = STATUS_OK;
    bool answered = false;
    buffer_clear(&judge->question);
    question_put(question, &judge->question);
    if (judge->question.overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too long to be judged");
    for (int attempt = 0; attempt < 2 && !answered && status == STATUS_OK; attempt++) {
        bool fresh = judge->child == 0;
        buffer_clear(&judge->answer);
        if (fresh)
            status = start(judge, error);
        answered = status == STATUS_OK && converse(judge, verdict);
        if (!answered)
            stop(judge);
        if (fresh)
            break;
    }
    crypto_wipe(judge->question.data, judge->question.len); /* it holds a token */
    if (status == STATUS_OK && !answered)
        return error_set(error, STATUS_IO, "58000", NULL, "%s gave no answer", name);
    return status;
}
