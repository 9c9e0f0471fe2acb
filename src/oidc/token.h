/* Is this token good, and whose is it? JWS in compact form (RFC 7515), claims of RFC 7519, with the
 * cautions of RFC 8725. The owner of rhonabwy, which verifies signatures and decides nothing.
 * Invariant: before a key is looked at, the algorithm is one of RS256, ES256, EdDSA; before a claim
 * is believed, the signature is verified. Texts for people hold no value of a token.
 * Private to oidc/, inside cofferdam-token. No I/O. */
#ifndef COFFERDAM_OIDC_TOKEN_H
#define COFFERDAM_OIDC_TOKEN_H

#include "oidc/question.h"

/* Answers QUESTION_TOKEN. */
void token_judge(const struct question *question, struct verdict *verdict);
/* Answers QUESTION_DISCOVERY (OpenID Connect Discovery 1.0, 4.3): text is the jwks_uri. */
void token_judge_discovery(const struct question *question, struct verdict *verdict);

#endif
