/* The process: what it needs is opened first, then it gives up user, files and system calls, and
 * answers one connection after the other, each within a deadline. */
#include "issuer/letter.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/talk.h"
#include "crypto/crypto.h"

enum { PATIENCE_MS = 1000, BACKLOG = 64 };
#define MEMORY_BYTES (UINT64_C(512) * 1024 * 1024)

struct issuer {
    const struct issuer_options *options;
    uid_t gateway;
    int listener, ends; /* ends: can be read once it is to end */
    struct buffer question, answer;
    struct issuer_answer made;
};

/* ---- one question ---- */

static enum status decode_signature(struct slice text, uint8_t *bytes, struct slice *signature,
                                    struct error *error)
{
    char plain[ISSUER_SIGNATURE_BYTES];
    size_t len = 0, got = 0;
    for (size_t i = 0; i < text.len && len < sizeof plain; i++) /* openssl base64 breaks lines */
        if (text.data[i] != '\n' && text.data[i] != '\r')
            plain[len++] = (char)text.data[i];
    if (crypto_base64_decode(plain, len, bytes, &got) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "22023", "openssl base64 -A",
                         "the signature is not in base64");
    *signature = slice_of(bytes, got);
    return STATUS_OK;
}

static enum status decide(struct issuer *issuer, const struct issuer_question *question,
                          struct error *error)
{
    uint8_t bytes[ISSUER_SIGNATURE_BYTES];
    struct identity_renewed renewed;
    struct identity_renewal asked = {.certificate = question->certificate,
                                     .request = question->request,
                                     .human_most_ns = question->human_most_ns};
    TRY(decode_signature(question->signature, bytes, &asked.signature, error));
    TRY(identity_renew(issuer->options->ca, &asked, &issuer->options->bounds, &renewed,
                       &issuer->made.certificate, error));
    snprintf(issuer->made.renews, sizeof issuer->made.renews, "%s", renewed.renews);
    snprintf(issuer->made.origin, sizeof issuer->made.origin, "%s", renewed.origin);
    issuer->made.until_ns = renewed.until_ns;
    issuer->made.again = renewed.again;
    log_event(LOG_INFO, "certificate_renewed", "renews=%s serial=%s origin=%s again=%s",
              renewed.renews, renewed.made.credential.id, renewed.origin,
              renewed.again ? "yes" : "no");
    return STATUS_OK;
}

static void converse(struct issuer *issuer, int fd)
{
    int64_t deadline_ns = clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);
    struct issuer_question question;
    struct error error;
    buffer_clear(&issuer->question);
    buffer_clear(&issuer->answer);
    buffer_clear(&issuer->made.certificate);
    if (!talk_receive_frame(fd, LETTER_QUESTION_BYTES, &issuer->question, deadline_ns) ||
        letter_read_question(buffer_slice(&issuer->question), &question) != STATUS_OK) {
        log_event(LOG_WARNING, "issuer_question_malformed", "bytes=%zu", issuer->question.len);
        return;
    }
    enum status status = decide(issuer, &question, &error);
    if (status != STATUS_OK)
        log_event(LOG_WARNING, "certificate_not_renewed", "sqlstate=%s reason=\"%s\"",
                  error.sqlstate, error.message);
    letter_put_answer(&issuer->made, status == STATUS_OK ? NULL : &error, &issuer->answer);
    if (!issuer->answer.overflowed)
        (void)!talk_send(fd, buffer_slice(&issuer->answer), deadline_ns);
}

/* The mode of the socket keeps others away; who it is is looked at all the same. */
static bool is_gateway(const struct issuer *issuer, int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == issuer->gateway)
        return true;
    log_event(LOG_WARNING, "issuer_stranger", "uid=%ld", (long)peer.uid);
    return false;
}

static void serve(struct issuer *issuer)
{
    struct pollfd waiting[2] = {{.fd = issuer->listener, .events = POLLIN},
                                {.fd = issuer->ends, .events = POLLIN}};
    for (;;) {
        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            return;
        if (waiting[1].revents != 0)
            return;
        int fd = accept4(issuer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            continue;
        if (is_gateway(issuer, fd))
            converse(issuer, fd);
        close(fd);
    }
}

/* ---- life ---- */

/* Only the gateway's user may open it: it owns it where we may give things away, else its group is
 * let in. */
static enum status hand_over(const char *path, const struct passwd *gateway, struct error *error)
{
    if (geteuid() == 0 ? chown(path, gateway->pw_uid, gateway->pw_gid) == 0
                       : chown(path, (uid_t)-1, gateway->pw_gid) == 0 && chmod(path, 0660) == 0)
        return STATUS_OK;
    enum status status =
        error_set_errno(error, errno, "cannot give %s to the gateway's user", path);
    snprintf(error->hint, sizeof error->hint,
             "start it as root with --user NAME, or as a user in group %ld of the gateway's user",
             (long)gateway->pw_gid);
    return status;
}

static enum status open_socket(struct issuer *issuer, struct error *error)
{
    const struct issuer_options *options = issuer->options;
    const struct passwd *gateway = getpwnam(options->gateway_user);
    if (gateway == NULL)
        return error_set(error, STATUS_INVALID, "22023", NULL, "there is no user %s",
                         options->gateway_user);
    issuer->gateway = gateway->pw_uid;
    TRY(listen_bind_unix(options->socket, 0600, "Is another issuer running with the same socket?",
                         &issuer->listener, error));
    TRY(hand_over(options->socket, gateway, error));
    if (listen(issuer->listener, BACKLOG) != 0)
        return error_set_errno(error, errno, "cannot listen on %s", options->socket);
    return STATUS_OK;
}

/* Whoever takes the gateway over must not be able to trace us, or read what we may. */
static enum status check_user(const struct issuer *issuer, struct error *error)
{
    if (geteuid() != issuer->gateway)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "42501", "--user NAME: one of its own",
                     "the issuer does not run as the gateway's user");
}

static enum status confine(const struct issuer *issuer, struct error *error)
{
    static const char *const nothing[] = {NULL};
    const struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
    bool has_landlock = false;
    TRY(confine_user("the issuer", issuer->options->user, error));
    TRY(check_user(issuer, error));
    TRY(identity_ca_check_held(issuer->options->ca, error));
    if (setrlimit(RLIMIT_AS, &memory) != 0)
        return error_set_errno(error, errno, "cannot bound our own memory");
    TRY(confine_reading(nothing, &has_landlock, error));
    if (!has_landlock)
        log_event(LOG_WARNING, "issuer_confinement",
                  "landlock=none only=\"the rights of the user\"");
    return confine_calls(error);
}

static enum status open_ends(struct issuer *issuer, struct error *error)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    issuer->ends = sigprocmask(SIG_BLOCK, &ends, NULL) == 0
                       ? signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)
                       : -1;
    return issuer->ends >= 0 ? STATUS_OK : error_set_errno(error, errno, "cannot wait for signals");
}

enum status issuer_serve(const struct issuer_options *options, struct error *error)
{
    struct issuer issuer = {.options = options, .listener = -1, .ends = -1};
    buffer_init(&issuer.question, LETTER_QUESTION_BYTES);
    buffer_init(&issuer.answer, LETTER_ANSWER_BYTES);
    buffer_init(&issuer.made.certificate, ISSUER_PEM_BYTES);
    signal(SIGPIPE, SIG_IGN);
    enum status status = identity_ca_hold(options->ca, error);
    if (status == STATUS_OK)
        status = open_socket(&issuer, error);
    if (status == STATUS_OK)
        status = open_ends(&issuer, error);
    if (status == STATUS_OK)
        status = confine(&issuer, error);
    if (status == STATUS_OK) {
        log_event(LOG_INFO, "issuer_ready", "socket=%s", options->socket);
        serve(&issuer);
        log_event(LOG_INFO, "issuer_ends", "by=signal");
    }
    if (issuer.listener >= 0)
        close(issuer.listener);
    if (issuer.ends >= 0)
        close(issuer.ends);
    buffer_free(&issuer.question);
    buffer_free(&issuer.answer);
    buffer_free(&issuer.made.certificate);
    return status;
}
