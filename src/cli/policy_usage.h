/* Which rights of a policy were used, as the ledger tells: for each column of each grant, and each
 * agent, when it was last used, and since when it has been granted without a break. One thread. */
#ifndef COFFERDAM_CLI_POLICY_USAGE_H
#define COFFERDAM_CLI_POLICY_USAGE_H

#include "policy/policy.h"

struct usage_times {
    int64_t granted_ns; /* INT64_MAX: not by the policy in force */
    int64_t used_ns;    /* INT64_MIN: never, as far as the ledger goes back */
};

struct policy_usage { /* owned */
    const struct policy *policy;
    struct usage_times *columns; /* of all grants of all partners, one after the other */
    int64_t *counted_ns;        /* of all grants of all partners: when rows of the dataset were last
                                   read without any column; INT64_MIN: never */
    struct usage_times *agents; /* of all partners, one after the other */
    int64_t since_ns;           /* from when on no entry is missing; SINCE_EVER */
};

MUST_USE enum status policy_usage_read(const char *ledger, const struct policy *policy,
                                       struct policy_usage *usage, struct error *error);
void policy_usage_free(struct policy_usage *usage);

/* By indexes into the policy. */
const struct usage_times *policy_usage_column(const struct policy_usage *usage, size_t partner,
                                              size_t grant, size_t column);
int64_t policy_usage_counted_ns(const struct policy_usage *usage, size_t partner, size_t grant);
const struct usage_times *policy_usage_agent(const struct policy_usage *usage, size_t partner,
                                             size_t agent);

#endif
