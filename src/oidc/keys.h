/* A provider's key set (JWKS, RFC 7517, 5), and which of its keys may verify a token. What the
 * algorithm of a token says is believed only as far as the key agrees: a key has one use.
 * Private to oidc/, inside cofferdam-token. No I/O. */
#ifndef COFFERDAM_OIDC_KEYS_H
#define COFFERDAM_OIDC_KEYS_H

#include <jansson.h>

#include "base/buffer.h"
#include "oidc/question.h"

enum { KEYS_MAX = 64 };
enum keys_algorithm { KEYS_RS256, KEYS_ES256, KEYS_EDDSA };

/* JSON of one object, nothing behind it, no member twice; NULL otherwise. The caller owns it. */
json_t *keys_parse_object(struct slice text);
const char *keys_algorithm_name(enum keys_algorithm algorithm);

/* The public key, of the members that its type has and no other: {kty, n, e}, {kty, crv, x, y},
 * {kty, crv, x}. kid NULL: the only key of the set that fits. VERDICT_UNKNOWN_KEY where no key has
 * this kid; VERDICT_BAD, with *why, where it does not fit or two have it. On VERDICT_GOOD the
 * caller owns *key. */
enum verdict_kind keys_choose(json_t *set, const char *kid, enum keys_algorithm algorithm,
                              json_t **key, const char **why);

/* Answers QUESTION_KEYS: good if any key of the set can be used. */
void keys_judge(const struct question *question, struct verdict *verdict);

#endif
