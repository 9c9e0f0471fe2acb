/* The index in a running process. Private to index.c (opening, adding, folding) and index_ask.c
 * (questions). Two locks: `gate` is held for reading by each addition, `swap` by each question; a
 * fold takes both for writing, swap first, for as long as it takes to exchange pointers. */
#ifndef COFFERDAM_EXPOSURE_INDEX_LIVE_H
#define COFFERDAM_EXPOSURE_INDEX_LIVE_H

#include <stdatomic.h>

#include "exposure/index.h"
#include "exposure/index_shelf.h"
#include "ledger/ledger.h"

struct index {
    struct name_pool pool;
    pthread_rwlock_t swap, gate;
    struct tail *current, *closing; /* closing: being folded, or NULL */
    struct shelf *shelf;            /* NULL: none yet, or in memory alone */
    struct ledger_since since;      /* of the ledger that the shelf and the tails were read from */
    _Atomic uint64_t base;          /* entries below are on the shelf */
    _Atomic uint64_t lost_end;      /* the tail was full: it lacks entries below this */
    _Atomic bool damaged;           /* a question met it */
    bool has_folder;
    char folder[INDEX_PATH_ROOM], ledger_folder[INDEX_PATH_ROOM];
    char **texts; /* for reading: by id - 1 */
    size_t text_count;
    _Atomic int64_t folded_day;
    _Atomic size_t soft, most; /* INDEX_TAIL_SOFT and _MOST; tests have smaller ones */
    pthread_t thread;
    pthread_mutex_t watch_lock;
    pthread_cond_t wake;
    bool runs, stopping, complained;
};

#endif
