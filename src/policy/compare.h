/* Two policies, compared by what they mean: who gains or loses which columns. And everything else
 * in the files, compared leaf by leaf, so that nothing is passed over. No I/O, any thread. */
#ifndef COFFERDAM_POLICY_COMPARE_H
#define COFFERDAM_POLICY_COMPARE_H

#include "base/table.h"
#include "policy/policy.h"

enum { COMPARE_ACCESS_ROOM = 600 };

enum compare_what { COMPARE_GAINS, COMPARE_LOSES, COMPARE_OTHERWISE };

/* A column that an agent reaches in one policy and not, or otherwise, in the other. */
struct compare_change {
    const char *partner, *agent; /* agent "": deliveries that staff make for the partner alone */
    const char *purpose;         /* NULL: any of the partner's */
    const char *dataset, *column;
    enum compare_what what;
    const struct policy_grant *before, *after;               /* the one that is not there is NULL */
    char was[COMPARE_ACCESS_ROOM], now[COMPARE_ACCESS_ROOM]; /* "clear, where …"; "" */
};
typedef enum status (*compare_fn)(void *context, const struct compare_change *change,
                                  struct error *error);

/* Each change once, in the order of the policies. Grants that have ended at now_ns are none, those
 * that are yet to begin are. Stops at fn's first failure. */
MUST_USE enum status policy_compare(const struct policy *before, const struct policy *after,
                                    int64_t now_ns, compare_fn fn, void *context,
                                    struct error *error);

/* Fills an unopened table (where, was, now) with what is different beside the grants; a cell is
 * NULL where there is nothing. where: a path such as partners/north-mail/agents/sync/hours. */
MUST_USE enum status policy_compare_leaves(const struct policy *before, const struct policy *after,
                                           struct table *table, struct error *error);

#endif
