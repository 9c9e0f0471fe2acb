/* The ledger's housekeeper: a thread off the commit path that keeps one spare segment ready and
 * signs the checkpoint, at segment changes and each second in which the log has grown; those at
 * segment changes and at a set interval are kept for good. */
#ifndef COFFERDAM_LEDGER_KEEPER_H
#define COFFERDAM_LEDGER_KEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/segment.h"
#include "ledger/signing.h"
#include "ledger/writer.h"

struct keeper {
    struct writer *writer;   /* borrowed; its mutex guards `stopping` */
    struct signing *signing; /* borrowed */
    int64_t keep_every_ns;
    bool stopping;
    pthread_t thread;
    /* The thread's own. */
    struct segment_maker maker;
    int64_t next_spare_ns; /* after a failure: not before */
    int64_t next_checkpoint_ns;
    int64_t next_keep_ns;  /* when the next checkpoint is kept */
    uint64_t checkpointed; /* size in the last checkpoint */
    uint64_t kept;         /* in the last that was kept for good */
    bool keep;             /* the next one is to be kept */
    uint64_t segments;     /* at the last checkpoint */
    bool spare_failed;     /* logged once, until one succeeds */
};

MUST_USE enum status keeper_start(struct keeper *keeper, struct writer *writer,
                                  struct signing *signing, uint32_t keep_every_s,
                                  struct error *error);
/* Before writer_stop. */
void keeper_stop(struct keeper *keeper);

#endif
