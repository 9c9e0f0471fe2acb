/* What computing, proving and recomputing have in common: the folders of a gateway's state, the key
 * of the function, reading the ledger into holdings. Private to never/. */
#ifndef COFFERDAM_NEVER_WORKSHOP_H
#define COFFERDAM_NEVER_WORKSHOP_H

#include "crypto/vrf.h"
#include "exposure/reading.h"
#include "never/holdings.h"
#include "never/never.h"

enum { WORKSHOP_PATH_ROOM = 4096 };

struct workshop {
    char ledger[WORKSHOP_PATH_ROOM], subjects[WORKSHOP_PATH_ROOM];
    char folder[WORKSHOP_PATH_ROOM]; /* <state>/never */
    char index[WORKSHOP_PATH_ROOM], seeds[WORKSHOP_PATH_ROOM], key[WORKSHOP_PATH_ROOM];
    char origin[CHECKPOINT_ORIGIN_ROOM]; /* of the log */
    struct never_base base;              /* where the log begins now */
};

MUST_USE enum status workshop_open(const struct never_place *place, struct workshop *workshop,
                                   struct error *error);
/* The function's key; the caller wipes it. STATUS_NOT_FOUND where there is none. */
MUST_USE enum status workshop_key(const struct workshop *workshop, struct vrf_key *key,
                                  struct error *error);
MUST_USE enum status workshop_new_key(const struct workshop *workshop, struct vrf_key *key,
                                      struct error *error);

/* Reads entries from holdings->entries to below `until` (UINT64_MAX: all there are), and the keys
 * beside them. From 0 on, of a log that was cut: what is carried, which is about nobody, and then
 * from the base on. STATUS_DENIED 55000 where the log was cut since the workshop was opened. names
 * may be NULL. seen (may be NULL) is called for each entry after it has been taken; false ends the
 * reading.
 */
struct workshop_reading {
    const struct workshop *workshop;
    struct holdings *holdings;
    struct names *names;
    uint64_t until;
    bool (*seen)(void *context, uint64_t sequence, const struct ledger_entry *entry);
    void *context;
};
MUST_USE enum status workshop_read(const struct workshop_reading *reading, struct error *error);

#endif
