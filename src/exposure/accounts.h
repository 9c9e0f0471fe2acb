/* Accounts: what each partner has used of its budgets. When each subject was last charged, by
 * agent, purpose and column set (series.h), from which the window of any limit in any zone follows:
 * a replay knows no policy, and a reload may change limits and zone.
 * Thread-safe: a lock for the list, one for each account; nothing is locked inside them. */
#ifndef COFFERDAM_EXPOSURE_ACCOUNTS_H
#define COFFERDAM_EXPOSURE_ACCOUNTS_H

#include "exposure/exposure.h"
#include "exposure/gauge.h"

struct accounts; /* owned */

MUST_USE enum status accounts_new(struct accounts **accounts, struct error *error);
void accounts_free(struct accounts *accounts);

/* Where the texts of column sets are; before the first charge. Without it a limit on a category
 * counts every column set. */
void accounts_know_texts(struct accounts *accounts, const struct gauge_texts *texts);

void accounts_charge(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, const struct exposure_subjects *subjects,
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

struct account_place {
    struct slice partner, agent, purpose;
    uint32_t column_set;
};
/* What an entry says was charged (ids ascending); again and again makes no difference. */
void accounts_take(struct accounts *accounts, const struct account_place *place, int64_t time_ns,
                   const uint32_t *ids, size_t count);
/* An act of the partner's in the ledger: raises and warnings; any other is passed over. */
void accounts_take_act(struct accounts *accounts, uint64_t sequence, struct slice partner,
                       int64_t time_ns, struct slice text);
size_t accounts_limits(struct accounts *accounts, const struct policy_partner *partner,
                       int64_t now_ns, struct exposure_limit limits[static EXPOSURE_LIMITS]);
void accounts_raises(struct accounts *accounts, const char *partner, int64_t now_ns,
                     bool (*visit)(void *context, const struct exposure_raise *raise),
                     void *context);
/* Names of all partners that have an account, ascending; of the visit only. */
void accounts_each(struct accounts *accounts, void (*visit)(void *context, const char *partner),
                   void *context);
/* Forgets whom `kept`, reckoned from the entries that stay, does not have. Those charged within
 * FORGETTING_WINDOW_DAYS are in it, or not recorded yet: nobody of theirs is forgotten. */
void accounts_keep(struct accounts *accounts, struct accounts *kept, int64_t now_ns);
/* Counts, whatever the bound: what has been recorded, now or in an entry of a replay. */
void accounts_recount(struct accounts *accounts, struct slice partner, int64_t time_ns,
                      uint64_t probes, uint64_t errors);

#endif
