/* Accounts: what each partner has used of its budgets. Sets of subjects charged, in all and by
 * quarter of an hour (of the last 26 hours), from which "today" follows in whatever zone the
 * policy names: a replay knows no policy, and a reload may change the zone.
 * Thread-safe: a lock for the list, one for each account; nothing is locked inside them. */
#ifndef COFFERDAM_EXPOSURE_ACCOUNTS_H
#define COFFERDAM_EXPOSURE_ACCOUNTS_H

#include "exposure/exposure.h"

struct accounts; /* owned */

MUST_USE enum status accounts_new(struct accounts **accounts, struct error *error);
void accounts_free(struct accounts *accounts);

void accounts_charge(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, const uint32_t *ids, const size_t *row_ends, size_t row_count,
                     struct exposure_charge *charge);
/* Would so many more probes be within the day's bound? */
bool accounts_probes_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns, uint64_t count);
/* Counts an error, which is a probe as well; false once a bound is passed. */
bool accounts_count_error(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns);
bool accounts_errors_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns);
void accounts_budget(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, struct exposure_budget *budget);

/* What an entry says was charged (ids ascending); again and again makes no difference. */
void accounts_take(struct accounts *accounts, struct slice partner, int64_t time_ns,
                   const uint32_t *ids, size_t count);
/* Counts, whatever the bound: what has been recorded, now or in an entry of a replay. */
void accounts_recount(struct accounts *accounts, struct slice partner, int64_t time_ns,
                      uint64_t probes, uint64_t errors);

#endif
