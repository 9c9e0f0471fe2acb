/* ledger verify --with-data: are the canaries that are stored those of the ledger's deliveries? Fed
 * with each entry by data_check(), then held against deliveries.sqlite. Reads only. One thread. */
#ifndef COFFERDAM_CLI_VERIFY_CANARIES_H
#define COFFERDAM_CLI_VERIFY_CANARIES_H

#include "trace/committed.h"

struct canaries_check {
    struct committed committed;
    struct arena arena;
    uint64_t deliveries; /* with canaries, by the ledger */
    uint64_t unequal;    /* of which other canaries are stored, or none */
    const char *first;   /* of these */
    bool absent;         /* there is no deliveries.sqlite to compare with */
};

void canaries_check_begin(struct canaries_check *check);
void canaries_check_end(struct canaries_check *check);
/* For struct data_watch; context is the check. */
enum status canaries_check_entry(void *context, const struct ledger_entry *entry,
                                 struct error *error);
/* path: of deliveries.sqlite. */
MUST_USE enum status canaries_check_stored(struct canaries_check *check, const char *path,
                                           struct error *error);

#endif
