/* What published tiles still show of entries that were dropped from the segments: that the carried
 * ones are the log's, and that checkpoints of smaller trees were. Private to verify.c. No state. */
#ifndef COFFERDAM_LEDGER_VERIFY_BASE_H
#define COFFERDAM_LEDGER_VERIFY_BASE_H

#include "ledger/base.h"
#include "ledger/verify.h"

/* The tiles have been held against the segments' tree. claims: those of trees smaller than the
 * base's. STATUS_CORRUPT with *damage filled. */
MUST_USE enum status verify_base(const char *folder, struct base *base,
                                 const struct verify_claim *claims, size_t count,
                                 struct verify_damage *damage, struct error *error);

#endif
