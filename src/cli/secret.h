/* Passwords: read without showing them, or made. */
#ifndef COFFERDAM_CLI_SECRET_H
#define COFFERDAM_CLI_SECRET_H

#include "base/buffer.h"
#include "base/status.h"

enum { SECRET_LEAST = 12, SECRET_MADE_BYTES = 20, SECRET_MADE_ROOM = 2 * SECRET_MADE_BYTES + 1 };

/* One line from standard input; asked for twice, without echo, where that is a terminal. Printable
 * ASCII of at least SECRET_LEAST characters. The caller wipes *out. */
MUST_USE enum status secret_read(struct buffer *out, struct error *error);
/* Asked for once, without echo; standard input must be a terminal. The caller wipes *out. */
MUST_USE enum status secret_ask(const char *prompt, struct buffer *out, struct error *error);
/* A random one, in hexadecimal. The caller wipes it. */
void secret_make(char secret[static SECRET_MADE_ROOM]);
/* Fit for a machine account? */
MUST_USE enum status secret_judge(struct slice secret, struct error *error);

#endif
