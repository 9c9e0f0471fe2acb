/* Passwords: read without showing them, or made. */
#ifndef COFFERDAM_CLI_SECRET_H
#define COFFERDAM_CLI_SECRET_H

#include "base/buffer.h"
#include "base/status.h"

enum {
    SECRET_LEAST = 12,          /* characters of a passphrase */
    SECRET_PASSWORD_LEAST = 16, /* of a password that strangers may guess at, over the network */
    SECRET_PASSWORD_DISTINCT = 8,
    SECRET_MADE_BYTES = 20,
    SECRET_MADE_ROOM = 2 * SECRET_MADE_BYTES + 1
};

/* One line from standard input; asked for twice, without echo, where that is a terminal. Printable
 * ASCII of at least SECRET_LEAST characters. The caller wipes *out. */
MUST_USE enum status secret_read(struct buffer *out, struct error *error);
/* Asked for once, without echo; standard input must be a terminal. The caller wipes *out. */
MUST_USE enum status secret_ask(const char *prompt, struct buffer *out, struct error *error);
/* A random one, in hexadecimal. The caller wipes it. */
void secret_make(char secret[static SECRET_MADE_ROOM]);
/* As secret_read, for the password of this login: see secret_judge_password. */
MUST_USE enum status secret_read_password(const char *login, struct buffer *out,
                                          struct error *error);
/* Fit for a machine account? At least SECRET_PASSWORD_LEAST characters of printable ASCII,
 * SECRET_PASSWORD_DISTINCT of them different; not made of the login's own names. */
MUST_USE enum status secret_judge_password(struct slice secret, const char *login,
                                           struct error *error);
/* Fit to seal a key with? */
MUST_USE enum status secret_judge(struct slice secret, struct error *error);

#endif
