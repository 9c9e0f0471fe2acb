/* The second half of verifying a ledger: what its entries say of people. ledger_verify has shown
 * that the bytes are those that were written; here every set of people is decoded, every sealed
 * section taken apart, every number of a person looked for in the folder of keys, and the chunks
 * of each entry counted. Reads only; beside a running gateway too. One thread. */
#ifndef COFFERDAM_EXPOSURE_DATA_CHECK_H
#define COFFERDAM_EXPOSURE_DATA_CHECK_H

#include <stdint.h>

#include "base/status.h"
#include "ledger/ledger.h"

struct data_report {
    uint64_t entries, items, subjects; /* subjects: ids in all sets, as often as they stand there */
    uint64_t sections;                 /* entries with sealed sections */
    uint64_t erased;                   /* of the ids, those whose key was erased */
    uint64_t unfinished;               /* entries in several chunks of which the last was never
                                        * written: what a crash or a full disk leaves */
};

/* Is shown each entry that is whole, in order: what else is to be checked needs no further pass. */
struct data_watch {
    enum status (*entry)(void *context, const struct ledger_entry *entry, struct error *error);
    void *context;
};

/* STATUS_CORRUPT with the sequence and the item in *error, and the sequence in *sequence.
 * watch: or NULL. */
MUST_USE enum status data_check(const char *ledger_folder, const char *subjects_folder,
                                const struct data_watch *watch, struct data_report *report,
                                uint64_t *sequence, struct error *error);

#endif
