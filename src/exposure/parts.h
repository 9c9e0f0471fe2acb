/* What an exposure is made of. Private to the module. No part calls another while it holds its
 * lock; exposure.c and record.c call them one after the other. */
#ifndef COFFERDAM_EXPOSURE_PARTS_H
#define COFFERDAM_EXPOSURE_PARTS_H

#include <pthread.h>

#include "exposure/accounts.h"
#include "exposure/dictionary.h"
#include "exposure/exposure.h"
#include "exposure/index.h"
#include "exposure/key_file.h"
#include "exposure/seal_keys.h"
#include "exposure/statistics.h"
#include "exposure/trackers.h"

struct exposure {
    char folder[3900];
    int folder_fd; /* locked: one process a folder */
    struct dictionary *dictionary;
    struct seal_keys *seals;
    struct accounts *accounts;
    struct trackers *trackers;
    struct statistics_open *open; /* of the replay at hand: sets that go on in the next item */
    struct index *index;
    struct ledger *ledger;     /* NULL until attached */
    bool must_rewrite;         /* the replay taught pairs that the key file lost */
    pthread_mutex_t file_lock; /* of the key file and of changes to seal keys */
    struct key_file key_file;
    bool must_forget; /* an erasure has not reached the disk; under file_lock */
    pthread_t keeper;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
    bool keeper_runs, stopping;
    bool complained; /* the last background pass failed */
};

/* Everybody into the key file, synced. Any thread. */
MUST_USE enum status exposure_keep_keys(struct exposure *exposure, struct error *error);
/* gauge_text; context is the ledger. */
const char *exposure_column_text(void *ledger, uint32_t column_set);

#endif
