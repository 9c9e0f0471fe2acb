/* A copy of the key file for a backup of the ledger: who the numbers are, kept apart from them.
 * Beside a running gateway: it appends within two seconds what the ledger's side sections hold, so
 * the copy is made anew until it has everybody whom the copy of the ledger names. Seal keys are
 * never copied: what they open must be able to be destroyed. */
#ifndef COFFERDAM_EXPOSURE_KEY_COPY_H
#define COFFERDAM_EXPOSURE_KEY_COPY_H

#include "base/status.h"

/* subjects/keys to to/keys (0600, in a folder 0700), such that every pair which a side section in
 * the ledger's copy tells of is in it, as a key or as erased. STATUS_AGAIN 55006 where that is not
 * so after ten seconds. */
MUST_USE enum status key_copy_make(const char *subjects, const char *to, const char *ledger_copy,
                                   struct error *error);

#endif
