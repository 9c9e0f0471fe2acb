/* Kinds: the ledger numbers kinds of subject as the policy lists them, so a number must keep its
 * meaning for the ledger's life. The list as first used stands in the file "kinds" of the state
 * folder, a name a line; a policy may only add to its end. */
#ifndef COFFERDAM_EXPOSURE_KINDS_H
#define COFFERDAM_EXPOSURE_KINDS_H

#include "base/status.h"
#include "policy/policy.h"

/* Compares the policy with the file in folder and adds new kinds to it, durably. STATUS_INVALID
 * F0000 where a kind has gone or moved: the policy must not come into force. */
MUST_USE enum status kinds_settle(const char *folder, const struct policy *policy,
                                  struct error *error);
/* Only compares: for those who read the ledger with a policy that the gateway may not have taken.
 */
MUST_USE enum status kinds_check(const char *folder, const struct policy *policy,
                                 struct error *error);

#endif
