/* The sets behind statistics, taken from the ledger's entries in a replay: an item of grade
 * aggregate is one set, or goes on with the set of the one before (LEDGER-FORMAT.md, `continues`).
 * One thread: the replay's. */
#ifndef COFFERDAM_EXPOSURE_STATISTICS_H
#define COFFERDAM_EXPOSURE_STATISTICS_H

#include "base/status.h"
#include "ledger/ledger.h"

struct statistics_open; /* sets whose end has not come; owned */
struct trackers;

MUST_USE enum status statistics_take(struct statistics_open **open, struct trackers *trackers,
                                     const struct ledger_entry *entry, struct error *error);
void statistics_forget(struct statistics_open **open);
/* Does the text of an entry say that this item goes on with the one before? */
bool statistics_continues(struct slice text, size_t item);

#endif
