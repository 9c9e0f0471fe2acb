/* Takes rights out of a policy's text, and leaves the rest as it was written: comments, order,
 * form. The text is then loaded and compared, so that what comes out is the policy that was asked
 * for, or nothing. No I/O, any thread. */
#ifndef COFFERDAM_POLICY_SHRINK_H
#define COFFERDAM_POLICY_SHRINK_H

#include "base/buffer.h"
#include "policy/policy.h"

/* What goes; each gets indexes into the policy. */
struct shrink_choice {
    void *context;
    bool (*agent)(void *context, size_t partner, size_t agent);
    bool (*column)(void *context, size_t partner, size_t grant, size_t column); /* in the grant */
};

/* Appends the new text to *out. A grant goes with the last of its columns. A column that is to be
 * written goes with what lets it be written. STATUS_DENIED 55000 where the text cannot be changed
 * so that just this is gone (a limit is for that agent, a look-up needs that column). */
MUST_USE enum status policy_shrink(const struct policy *policy, const struct shrink_choice *choice,
                                   struct buffer *out, struct error *error);

#endif
