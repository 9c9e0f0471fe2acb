/* What the claims of a verified token say (RFC 7519, 4.1), held against what is asked for.
 * Private to oidc/, inside cofferdam-token. No I/O. */
#ifndef COFFERDAM_OIDC_CLAIMS_H
#define COFFERDAM_OIDC_CLAIMS_H

#include <jansson.h>

#include "oidc/question.h"

/* Issuer, audience, times, then the agent's own claims. Fills all of *verdict but its id. */
void claims_judge(json_t *claims, const struct question *question, struct verdict *verdict);

#endif
