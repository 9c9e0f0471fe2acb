/* Handing messages to one SMTP server over one connection, by libesmtp.
 * Invariants: no byte of a message's content goes out before its begin() has returned; a message
 * that was begun and not answered is UNKNOWN; nothing that is about us and not about the recipient
 * (our sender, our password, a server that closes) becomes an answer for the recipient.
 * libesmtp goes on where it should not (unauthenticated, after a bad certificate's host check, with
 * bytes that came before TLS): each is looked at here. Not thread-safe: one call a thread. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/ssl.h>

#include <auth-client.h>
#include <libesmtp.h>

#include <pthread.h>

#include "crypto/crypto.h"
#include "mail/private.h"

enum { PLAIN_BYTES = 1024, LINE_BYTES = 64, HOST_BYTES = 300, TIMEOUT_MS = 60000 };

struct item {
    struct sending *sending;
    struct mail_envelope envelope;
    smtp_message_t message;
    smtp_recipient_t recipient;
    size_t at;
    bool begun, done, fed;
};

struct sending {
    const struct mail_server *server;
    const struct mail_batch *batch;
    struct item *items;
    size_t count;    /* messages in the session */
    size_t answered; /* of them, by the server */
    struct mail_trust trust;
    char *password;          /* terminated; wiped */
    char plain[PLAIN_BYTES]; /* what came after STARTTLS and before TLS */
    size_t plain_len;
    char line[LINE_BYTES]; /* the server's, as far as it has come; a longer one is cut */
    size_t line_len;
    bool wants_tls, is_safe, is_authenticated, offers_dsn;
    bool *told_dsn;     /* the caller's; or NULL */
    bool is_over;       /* nothing more may begin */
    enum status status; /* why; and in words: */
    struct error error;
};

static void end(struct sending *sending, enum status status)
{
    sending->is_over = true;
    if (sending->status == STATUS_OK)
        sending->status = status;
}

/* ---- answers ---- */

/* One line of printable ASCII with anything that looks like an address taken out. */
static void clean_reply(const smtp_status_t *status, char reply[static 200])
{
    size_t len = 0;
    char word[100];
    size_t word_len = 0;
    bool is_address = false;
    if (status->enh_class != 0)
        len = (size_t)snprintf(reply, 200, "%d.%d.%d ", status->enh_class, status->enh_subject,
                               status->enh_detail);
    for (const char *c = status->text != NULL ? status->text : "";; c++) {
        if (*c != '\0' && !isspace((unsigned char)*c)) {
            is_address |= *c == '@';
            if (word_len < sizeof word - 1)
                word[word_len++] = *c > ' ' && *c < 0x7f ? *c : '?';
            continue;
        }
        word[word_len] = '\0';
        if (word_len > 0 && len < 199)
            len += (size_t)snprintf(reply + len, 200 - len, "%s ", is_address ? "<…>" : word);
        if (len > 199)
            len = 199;
        word_len = 0;
        is_address = false;
        if (*c == '\0')
            break;
    }
    while (len > 0 && (reply[len - 1] == ' ' || (reply[len - 1] & 0x80) != 0))
        len--;
    reply[len] = '\0';
}

/* Codes that are about us, whatever the command: to be authenticated, to come later, to close. */
static bool is_about_us(int code)
{
    return code == 421 || code == 454 || code == 503 || code == 530 || code == 534 || code == 535 ||
           code == 538;
}

static void finish(struct item *item, const struct mail_result *result)
{
    struct sending *sending = item->sending;
    if (item->done)
        return;
    item->done = true;
    if (result->outcome != MAIL_NOT_TRIED)
        sending->answered++;
    enum status status =
        sending->batch->done(sending->batch->context, item->at, result, &sending->error);
    if (status != STATUS_OK)
        end(sending, status);
}

static void settle(struct item *item, const smtp_status_t *status, bool is_begun)
{
    struct mail_result result = {.code = status->code};
    clean_reply(status, result.reply);
    int class = status->code / 100;
    if (!is_begun && item->sending->is_over) {
        result.outcome = MAIL_NOT_TRIED; /* it came when nothing more was to be tried */
    } else if (!is_begun && is_about_us(status->code)) {
        error_set(&item->sending->error, STATUS_IO, "58030", "see mail in cofferdam.yaml(5)",
                  "the mail server refuses us: %d %s", result.code, result.reply);
        end(item->sending, STATUS_IO);
        result.outcome = MAIL_NOT_TRIED;
    } else if (class == 2 && is_begun) {
        result.outcome = MAIL_ACCEPTED;
    } else if (class == 5) {
        result.outcome = MAIL_REFUSED;
    } else if (class == 4) {
        result.outcome = MAIL_DEFERRED;
    } else {
        result.outcome = is_begun ? MAIL_UNKNOWN : MAIL_NOT_TRIED;
    }
    finish(item, &result);
}

static struct item *item_of(struct sending *sending, smtp_message_t message)
{
    for (size_t i = 0; i < sending->count; i++)
        if (sending->items[i].message == message)
            return &sending->items[i];
    return NULL;
}

/* The end of a transaction: the recipient's answer where it was refused, else the message's. */
static void on_sent(struct sending *sending, smtp_message_t message)
{
    struct item *item = item_of(sending, message);
    const smtp_status_t *to = smtp_recipient_status(item->recipient);
    if (to->code / 100 != 2)
        settle(item, to, false);
    else
        settle(item, smtp_message_transfer_status(message), item->begun);
}

/* MAIL FROM is about our sender: no recipient is to suffer for its refusal. */
static void on_sender(struct sending *sending, smtp_message_t message)
{
    const smtp_status_t *status = smtp_reverse_path_status(message);
    char reply[200];
    if (status->code / 100 == 2)
        return;
    clean_reply(status, reply);
    if (!sending->is_over)
        error_set(&sending->error, STATUS_IO, "58030", "see mail in cofferdam.yaml(5)",
                  "the mail server refuses our sender: %d %s", status->code, reply);
    end(sending, STATUS_IO);
}

/* ---- TLS and authentication ---- */

/* Whether a line stands behind the server's answer to STARTTLS, injected before TLS (CVE-2011-0411
 * and its kin): it would be taken for an answer to what we say inside. */
static bool has_injection(const struct sending *sending)
{
    const char *line = sending->plain, *stop = sending->plain + sending->plain_len;
    while (line < stop) {
        const char *newline = memchr(line, '\n', (size_t)(stop - line));
        if (newline == NULL)
            return true;
        bool is_last = newline - line < 4 || line[3] != '-';
        line = newline + 1;
        if (is_last)
            return line != stop;
    }
    return true;
}

/* libesmtp does not tell whether it was authenticated, and of DSN only where it was not. */
static void on_line(struct sending *sending)
{
    const char *line = sending->line;
    if (strncmp(line, "235 ", 4) == 0)
        sending->is_authenticated = true;
    if (strncasecmp(line, "250-DSN", 7) == 0 || strncasecmp(line, "250 DSN", 7) == 0)
        sending->offers_dsn |= line[7] == '\0' || line[7] == ' ';
}

static void on_read(struct sending *sending, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            sending->line[sending->line_len] = '\0';
            on_line(sending);
            sending->line_len = 0;
        } else if (bytes[i] != '\r' && sending->line_len < sizeof sending->line - 1) {
            sending->line[sending->line_len++] = bytes[i];
        }
    }
}

static void on_bytes(const char *bytes, int len, int writing, void *context)
{
    struct sending *sending = context;
    size_t count = (size_t)len;
    if (writing == SMTP_CB_WRITING) {
        if (count >= 8 && memcmp(bytes, "STARTTLS", 8) == 0)
            sending->wants_tls = true;
    } else if (sending->is_safe || sending->server->tls == MAIL_PLAIN) {
        on_read(sending, bytes, count);
    } else if (sending->wants_tls) {
        if (count > sizeof sending->plain - sending->plain_len)
            count = sizeof sending->plain - sending->plain_len;
        memcpy(sending->plain + sending->plain_len, bytes, count);
        sending->plain_len += count;
    }
}

static void on_tls(struct sending *sending, const SSL *ssl)
{
    mail_tls_hurry(ssl);
    sending->is_safe = mail_tls_verified(&sending->trust, ssl) && !has_injection(sending);
    if (sending->is_safe)
        return;
    error_set(&sending->error, STATUS_IO, "08P01", NULL,
              "the mail server's TLS is not to be trusted: it speaks out of turn");
    end(sending, STATUS_IO);
    mail_tls_cut(ssl);
}

static void on_event(smtp_session_t session, int event, void *context, ...)
{
    struct sending *sending = context;
    va_list list;
    va_start(list, context);
    if (event == SMTP_EV_MAILSTATUS) {
        (void)va_arg(list, const char *);
        on_sender(sending, va_arg(list, smtp_message_t));
    } else if (event == SMTP_EV_MESSAGESENT) {
        on_sent(sending, va_arg(list, smtp_message_t));
    } else if (event == SMTP_EV_STARTTLS_OK) {
        on_tls(sending, va_arg(list, const SSL *));
    } else if (event == SMTP_EV_EXTNA_STARTTLS) {
        error_set(&sending->error, STATUS_IO, "08P01", NULL, "the mail server offers no TLS");
        end(sending, STATUS_IO);
    } else if (event == SMTP_EV_WRONG_PEER_CERTIFICATE) {
        /* libesmtp knows no addresses in certificates; our context has checked name or address. */
        int *is_fine = va_arg(list, int *);
        (void)va_arg(list, const char *);
        *is_fine = mail_tls_verified(&sending->trust, va_arg(list, const SSL *));
    }
    va_end(list);
}

static int answer_auth(auth_client_request_t asked, char **answers, int count, void *context)
{
    const struct sending *sending = context;
    if (sending->server->tls != MAIL_PLAIN && !sending->is_safe)
        return 0;
    for (int i = 0; i < count; i++)
        answers[i] = (asked[i].flags & AUTH_PASS) != 0 ? sending->password
                                                       : (char *)(uintptr_t)sending->server->user;
    return 1;
}

/* ---- content ---- */

static enum status begin(struct item *item)
{
    struct sending *sending = item->sending;
    if (sending->is_over)
        return STATUS_CLOSED;
    if (sending->server->user != NULL && !sending->is_authenticated)
        return error_set(&sending->error, STATUS_IO, "28000", "see mail in cofferdam.yaml(5)",
                         "the mail server took neither our user nor our password");
    if (sending->server->tls != MAIL_PLAIN && !sending->is_safe)
        return error_set(&sending->error, STATUS_IO, "08P01", NULL, "the mail server has no TLS");
    if (sending->told_dsn != NULL)
        *sending->told_dsn = sending->offers_dsn;
    return sending->batch->begin(sending->batch->context, item->at, &sending->error);
}

/* libesmtp asks for the content: first with len NULL (from the start), then until there is none.
 * An errno with no content makes it drop the connection without the final dot. */
static const char *feed(void **unused, int *len, void *context)
{
    struct item *item = context;
    if (len == NULL) {
        item->fed = false;
        return NULL;
    }
    *len = 0;
    if (item->fed) {
        errno = 0;
        return NULL;
    }
    enum status status = begin(item);
    if (status != STATUS_OK) {
        end(item->sending, status);
        errno = ECANCELED;
        return NULL;
    }
    item->begun = item->fed = true;
    *len = (int)item->envelope.bytes.len;
    return (const char *)item->envelope.bytes.data;
}

/* ---- the session ---- */

static enum status add_message(struct sending *sending, smtp_session_t session, size_t at)
{
    struct item *item = &sending->items[at];
    *item = (struct item){.sending = sending, .at = at};
    TRY(sending->batch->envelope(sending->batch->context, at, &item->envelope, &sending->error));
    if (!mail_address_usable(item->envelope.from) || !mail_address_usable(item->envelope.to))
        return error_set(&sending->error, STATUS_INVALID, "22023", NULL,
                         "an envelope's sender or recipient is not an address");
    item->message = smtp_add_message(session);
    if (item->message == NULL)
        return error_set(&sending->error, STATUS_NOMEM, "53200", NULL, "no memory for a message");
    item->recipient = smtp_add_recipient(item->message, item->envelope.to);
    if (item->recipient == NULL || !smtp_set_reverse_path(item->message, item->envelope.from) ||
        !smtp_set_messagecb(item->message, feed, item))
        return error_set(&sending->error, STATUS_NOMEM, "53200", NULL, "no memory for a message");
    if (item->envelope.envelope_id != NULL)
        smtp_dsn_set_envid(item->message, item->envelope.envelope_id);
    smtp_dsn_set_ret(item->message, Ret_HDRS);
    smtp_dsn_set_notify(item->recipient, Notify_SUCCESS | Notify_FAILURE | Notify_DELAY);
    sending->count++;
    return STATUS_OK;
}

/* By its address, not by how its name begins: anybody may own 127.mail.example. */
static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcmp(host, "localhost") == 0;
}

static enum status check_server(const struct mail_server *server, struct error *error)
{
    if (server->tls == MAIL_TLS)
        return error_set(error, STATUS_INVALID, "F0000",
                         "use tls: starttls, which mail servers offer on port 587",
                         "TLS from the first byte (port 465) cannot be spoken to a mail server");
    if (server->tls == MAIL_PLAIN && !is_loopback(server->host))
        return error_set(error, STATUS_INVALID, "F0000", "use tls: starttls",
                         "mail without TLS goes to this machine only");
    return STATUS_OK;
}

/* Where to, and how long to wait; the recommended minimums (RFC 5321 4.5.3.2) are the operator's to
 * lower. */
static enum status set_server(struct sending *sending, smtp_session_t session)
{
    const struct mail_server *server = sending->server;
    char host[HOST_BYTES];
    snprintf(host, sizeof host, "%s:%u", server->host, server->port);
    if (!smtp_set_server(session, host) ||
        (server->hello != NULL && !smtp_set_hostname(session, server->hello)))
        return error_set(&sending->error, STATUS_NOMEM, "53200", NULL, "no memory for a session");
    static const int timeouts[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
                                   Timeout_TRANSFER, Timeout_DATA2};
    long wait_ms = server->timeout_ms > 0 ? (long)server->timeout_ms : TIMEOUT_MS;
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
        smtp_set_timeout(session, timeouts[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, wait_ms);
    smtp_set_eventcb(session, on_event, sending);
    smtp_set_monitorcb(session, on_bytes, sending, 0);
    smtp_starttls_enable(session,
                         server->tls == MAIL_PLAIN ? Starttls_DISABLED : Starttls_REQUIRED);
    if (server->tls != MAIL_PLAIN) {
        TRY(mail_tls_open(&sending->trust, server->host, server->ca_file, &sending->error));
        smtp_starttls_set_ctx(session, sending->trust.context);
    }
    return STATUS_OK;
}

static enum status set_user(struct sending *sending, smtp_session_t session, auth_context_t *auth)
{
    const struct mail_server *server = sending->server;
    if (server->user == NULL)
        return STATUS_OK;
    sending->password = malloc(server->password.len + 1);
    *auth = auth_create_context();
    if (sending->password == NULL || *auth == NULL)
        return error_set(&sending->error, STATUS_NOMEM, "53200", NULL, "no memory for a session");
    memcpy(sending->password, server->password.data, server->password.len);
    sending->password[server->password.len] = '\0';
    auth_set_mechanism_flags(*auth, AUTH_PLUGIN_PLAIN, 0);
    auth_set_interact_cb(*auth, answer_auth, sending);
    smtp_auth_set_context(session, *auth);
    return STATUS_OK;
}

/* libesmtp and OpenSSL write to sockets that may be gone. */
static int run_without_sigpipe(smtp_session_t session)
{
    sigset_t pipe_only, before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    int started = smtp_start_session(session);
    const struct timespec at_once = {0};
    while (sigtimedwait(&pipe_only, NULL, &at_once) == SIGPIPE)
        continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Nobody was answered, and nothing has said why. */
static enum status explain(struct sending *sending, int started)
{
    char words[128] = "";
    if (sending->trust.reason != NULL)
        return error_set(&sending->error, STATUS_IO, "08P01", "see mail in cofferdam.yaml(5)",
                         "the mail server's certificate is refused: %s", sending->trust.reason);
    if (sending->wants_tls && !sending->is_safe)
        return error_set(&sending->error, STATUS_IO, "08P01", "see mail in cofferdam.yaml(5)",
                         "no TLS could be agreed with the mail server");
    if (!started)
        smtp_strerror(smtp_errno(), words, sizeof words);
    return error_set(&sending->error, STATUS_IO, "08006", "see mail in cofferdam.yaml(5)",
                     "the mail server at port %u does not serve us%s%s", sending->server->port,
                     words[0] != '\0' ? ": " : "", words);
}

static void run(struct sending *sending, smtp_session_t session)
{
    int started = run_without_sigpipe(session);
    for (size_t i = 0; i < sending->count; i++) {
        struct item *item = &sending->items[i];
        finish(item, &(struct mail_result){.outcome = item->begun ? MAIL_UNKNOWN : MAIL_NOT_TRIED});
    }
    if (sending->status == STATUS_OK && sending->answered == 0)
        sending->status = explain(sending, started);
}

/* All of a session but its memory. */
static enum status send_all(struct sending *sending, smtp_session_t session)
{
    auth_context_t auth = NULL;
    enum status status = set_server(sending, session);
    if (status == STATUS_OK)
        status = set_user(sending, session, &auth);
    for (size_t at = 0; at < sending->batch->count && status == STATUS_OK; at++)
        status = add_message(sending, session, at);
    if (status == STATUS_OK) {
        run(sending, session);
        status = sending->status;
    }
    smtp_destroy_session(session);
    if (auth != NULL)
        auth_destroy_context(auth);
    mail_tls_close(&sending->trust);
    return status;
}

/* libesmtp would look for certificates, keys and authorities of its own in the user's home, and
 * gives up where it may not look. Only it reads this variable. */
static void start_esmtp(void)
{
    setenv("XDG_CONFIG_DIR", "/nonexistent", 1);
    auth_client_init();
}

void mail_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_esmtp);
}

enum status mail_send(const struct mail_server *server, const struct mail_batch *batch,
                      bool *offers_dsn, struct error *error)
{
    TRY(check_server(server, error));
    if (batch->count == 0)
        return STATUS_OK;
    mail_start();
    struct sending sending = {.server = server, .batch = batch, .told_dsn = offers_dsn};
    sending.items = calloc(batch->count, sizeof *sending.items);
    smtp_session_t session = smtp_create_session();
    enum status status = STATUS_NOMEM;
    if (sending.items != NULL && session != NULL)
        status = send_all(&sending, session);
    else
        error_set(&sending.error, STATUS_NOMEM, "53200", NULL, "no memory for a session");
    if (sending.password != NULL)
        crypto_wipe(sending.password, server->password.len);
    free(sending.password);
    free(sending.items);
    if (status != STATUS_OK && error != NULL)
        *error = sending.error;
    return status;
}
