/* Mail: building messages (GMime), handing them to an SMTP server over TLS (libesmtp), reading
 * delivery notices and where mail has come to. The owner of both libraries. No address or text is
 * ever logged. RFC 5322, 2045-2049, 2047, 3461 (DSN), 3464 (delivery status), 3834
 * (Auto-Submitted), 5321. */
#ifndef COFFERDAM_MAIL_MAIL_H
#define COFFERDAM_MAIL_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* One message to one person. All UTF-8. CR, LF or NUL in any one-line field, or an address that is
 * none, is STATUS_INVALID (22023) and says which field, not what was in it. */
struct mail_message {
    const char *from_name, *from_address;
    const char *to_name; /* may be NULL */
    const char *to_address;
    const char *reply_to; /* may be NULL */
    const char *subject;
    const char *language;   /* Content-Language: en, fr */
    const char *message_id; /* without angle brackets */
    int64_t date_ns;
    const char *text; /* lines end in \n */
    const char *html; /* may be NULL: then text/plain alone */
};
/* Appends the whole message, CRLF lines of at most 998 bytes (quoted-printable, at most 76), with
 * Date, Message-ID, MIME-Version, Content-Language, Auto-Submitted: auto-generated. The same input
 * gives the same bytes. No List-Unsubscribe: it is a notice by law. */
MUST_USE enum status mail_build(const struct mail_message *message, struct buffer *out,
                                struct error *error);
/* True for an address that we would send to: one @, printable ASCII, no spaces, a dotted domain or
 * "localhost", at most 254 bytes (RFC 5321 4.5.3.1). */
bool mail_address_usable(const char *address);

/* MAIL_TLS (from the first byte, port 465) is refused: libesmtp cannot speak it. MAIL_PLAIN is for
 * loopback only. */
enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };

struct mail_server {
    const char *host;
    uint16_t port;
    enum mail_tls tls;
    const char *ca_file; /* NULL: the system's authorities */
    const char *user;    /* NULL: no authentication */
    struct slice password;
    const char *hello; /* our name in EHLO; NULL: this machine's */
    uint32_t timeout_ms;
};

/* What goes on the wire beside the bytes. */
struct mail_envelope {
    const char *from; /* the bounce address, one a message (VERP) */
    const char *to;
    const char *envelope_id; /* ENVID; NULL: none */
    struct slice bytes;      /* of mail_build */
};
enum mail_outcome { MAIL_ACCEPTED, MAIL_REFUSED, MAIL_DEFERRED, MAIL_NOT_TRIED, MAIL_UNKNOWN };
struct mail_result {
    enum mail_outcome
        outcome;     /* UNKNOWN: the connection broke after the dot was or may have been sent */
    int code;        /* 250, 550 …; 0: none */
    char reply[200]; /* the server's words, one line; addresses in it replaced by <…> */
};

/* Calls back for each message of a batch, in order; all from the thread that sends. */
struct mail_batch {
    size_t count;
    /* Fills the envelope of the at-th, for all before the first goes out; what it points to stays
     * until mail_send() returns. A failure ends the batch. */
    enum status (*envelope)(void *context, size_t at, struct mail_envelope *envelope,
                            struct error *error);
    /* Before any byte of its content goes out. A failure ends the batch; the rest is NOT_TRIED. */
    enum status (*begin)(void *context, size_t at, struct error *error);
    /* The server's answer; for NOT_TRIED too. */
    enum status (*done)(void *context, size_t at, const struct mail_result *result,
                        struct error *error);
    void *context;
};
/* Before the first mail_send(), best before other threads start: it writes to the environment. Any
 * number of times. */
void mail_start(void);
/* One connection, TLS, authentication, all messages of the batch. STATUS_IO where the server cannot
 * be reached or trusted, or refuses us (our sender, our password) rather than a recipient: then no
 * message has that for an answer. A connection that breaks after some answers is STATUS_OK, the
 * rest UNKNOWN or NOT_TRIED. *offers_dsn may be NULL; written before the first begin(). */
MUST_USE enum status mail_send(const struct mail_server *server, const struct mail_batch *batch,
                               bool *offers_dsn, struct error *error);

/* A delivery notice (RFC 3464), or STATUS_NOT_FOUND for any other message. */
struct mail_report {
    char envelope_id[128]; /* Original-Envelope-Id; "" where none is given */
    char recipient[256];   /* the VERP address it came to, from the message's own headers; or "" */
    char action[16];       /* failed, delayed, delivered, relayed, expanded */
    char status[16];       /* 5.1.1 */
};
MUST_USE enum status mail_parse_report(struct slice message, struct mail_report *report,
                                       struct error *error);

/* Where a mail has come to, as far as that is the given domain: what our own server wrote first
 * (Delivered-To, X-Original-To, Envelope-To), then To and Cc. Anybody may write any of it. */
enum { MAIL_RECIPIENTS = 64, MAIL_HEADER_BYTES = 128 * 1024 /* enough of a mail to give */ };
struct mail_arrival {
    char recipients[MAIL_RECIPIENTS + 1]
                   [256]; /* lower case, each once; further ones are left out */
    size_t count;
    char sender_domain[101]; /* of From, in lower case; "" where odd or not given */
    char id_hash[33];        /* hex, the first half of SHA-256 of the Message-ID; "" without one */
};
/* STATUS_NOT_FOUND where no recipient is of the domain. */
MUST_USE enum status mail_parse_arrival(struct slice message, const char *domain,
                                        struct mail_arrival *arrival, struct error *error);

#endif
