/* The ledger's housekeeper: a thread off the commit path that keeps one spare segment ready and
 * writes the checkpoint, at segment changes and each second in which the log has grown. */
#ifndef COFFERDAM_LEDGER_KEEPER_H
#define COFFERDAM_LEDGER_KEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/segment.h"
#include "ledger/writer.h"

struct keeper {
    struct writer *writer; /* borrowed; its mutex guards `stopping` */
    bool stopping;
    pthread_t thread;
    /* The thread's own. */
    struct segment_maker maker;
    int64_t next_spare_ns; /* after a failure: not before */
    int64_t next_checkpoint_ns;
    uint64_t checkpointed; /* size in the last checkpoint */
    uint64_t segments;     /* at the last checkpoint */
    bool spare_failed;     /* logged once, until one succeeds */
};

MUST_USE enum status keeper_start(struct keeper *keeper, struct writer *writer,
                                  struct error *error);
/* Before writer_stop. */
void keeper_stop(struct keeper *keeper);

#endif
