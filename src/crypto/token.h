/* Tokens: what a partner gets in place of a person's key (docs/decisions/0005). The database makes
 * them from two pads, which the gateway sends as parameters; here they are made from keys that we
 * hold, to recognise in a list what a partner was given. One way: a token leads back to nobody but
 * by comparing. */
#ifndef COFFERDAM_CRYPTO_TOKEN_H
#define COFFERDAM_CRYPTO_TOKEN_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

enum { TOKEN_ROOM = 1 + 32 + 1, TOKEN_PAD_BYTES = 64, TOKEN_SECRET_BYTES = 32, TOKEN_MOST = 2 };

/* Reads a secret of the state folder (token.key); refuses a file that others can read. The caller
 * wipes it. */
MUST_USE enum status token_secret_read(const char *path, uint8_t secret[static TOKEN_SECRET_BYTES],
                                       struct error *error);
/* The key of a partner and a domain ("kind:customer"). */
void token_key(const uint8_t secret[static TOKEN_SECRET_BYTES], const char *partner,
               const char *domain, uint8_t key[static 32]);
/* The padded key of RFC 2104: inner (0x36) or outer (0x5C). */
void token_pad(const uint8_t key[static 32], bool outer, uint8_t pad[static TOKEN_PAD_BYTES]);
/* 't' and 32 hexadecimal digits. value: int8send, uuid_send or the text in UTF-8. */
void token_make(const uint8_t key[static 32], struct slice value, char token[static TOKEN_ROOM]);
/* Those that a subject key, as the dictionary has it, can have: the database made them from the
 * key's bytes, and what these are depends on the column's type, which is not known here. Returns
 * how many, 1 or TOKEN_MOST. */
size_t token_of_subject(const uint8_t key[static 32], const char *subject,
                        char tokens[static TOKEN_MOST][TOKEN_ROOM]);

#endif
