/* The answer to somebody who asks who has had their data (GDPR Art. 15(1)(c); CJEU C-154/21: the
 * recipients themselves, not kinds of them), as plain text in the person's language. It says what
 * the ledger says, in words for people. One thread. */
#ifndef COFFERDAM_CLI_ACCESS_LETTER_H
#define COFFERDAM_CLI_ACCESS_LETTER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "base/table.h"
#include "policy/policy.h"
#include "policy/words.h"

struct access_letter {
    const struct policy *policy;
    const struct words *words;   /* words/<language>.yaml */
    const struct words *phrases; /* letters/access.<language>.yaml */
    const char *kind, *key;
    const struct table *facts; /* as SHOW SUBJECT gives them, by partner; may have no rows */
    int64_t since_ns;          /* of the ledger's first entry, or of the first that is left */
    bool is_cut;               /* there were records from before */
};

/* Appends the letter, wrapped. */
MUST_USE enum status access_letter_write(const struct access_letter *letter, struct buffer *out,
                                         struct error *error);

#endif
