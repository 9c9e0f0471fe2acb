/* The queue into the ledger and the one thread that empties it to disk.
 * Appenders place entries, under the mutex, into the open frame of a small ring; where a frame will
 * stand on disk is decided there, so a lack of prepared room is told before anything is queued.
 * The thread takes all frames, seals and writes them, syncs once, and publishes the durable
 * sequence. A failed write or sync ends the process (LEDGER-FORMAT.md, "Failures"). */
#ifndef COFFERDAM_LEDGER_WRITER_H
#define COFFERDAM_LEDGER_WRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/checkpoint.h"
#include "ledger/frame.h"
#include "ledger/merkle.h"
#include "ledger/recovery.h"
#include "ledger/segment.h"

enum {
    WRITER_FRAMES = 8,
    WRITER_SUBSCRIBERS = 64,
    WRITER_RESERVE_BYTES = 2048, /* kept at a segment's end for RECOVERED and the clean stop */
    WRITER_PACE_ENTRIES = 3,     /* a sync that took fewer is not "under load" */
};

struct writer {
    /* Fixed once started. */
    const char *folder;
    uint8_t log_id[SEGMENT_ID_BYTES];
    uint64_t segment_bytes, epoch;
    int64_t pace_ns;
    int durable_fd;

    /* Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t work;                /* to the thread: something queued, or closing */
    pthread_cond_t grown;               /* to ledger_wait */
    pthread_cond_t chores;              /* to the keeper: spare used up, or closing */
    struct frame frames[WRITER_FRAMES]; /* ring: [oldest, open) closed, open takes entries */
    size_t oldest, open;
    uint64_t open_limit; /* size of the segment that the open frame will stand in */
    bool spare_ready;    /* there is a spare for the segment after the open frame's */
    bool full;           /* an append was refused since the last spare */
    bool thread_idle, closing;
    size_t wake_at; /* entries in the open frame at which the thread, keeping pace, goes on */
    size_t waiters;
    struct checkpoint progress; /* durable size and its root */
    uint64_t syncs, bytes, segments;

    _Atomic uint64_t durable;
    struct {
        void (*fn)(void *context);
        void *context;
    } subscribers[WRITER_SUBSCRIBERS];
    _Atomic size_t subscriber_count;

    /* The thread's own. */
    pthread_t thread;
    int fd;
    struct segment_header current;
    struct merkle tree;
    int64_t last_sync_ns;
    uint64_t last_batch; /* entries under the last sync */
    uint64_t expected;   /* entries that a round of the present appenders brings, about */
    bool stopped_clean;  /* nothing was written since the last clean stop */
};

/* Takes over recovered->fd. folder is borrowed. */
MUST_USE enum status writer_start(struct writer *writer, const char *folder,
                                  const struct ledger_options *options,
                                  const struct recovered *recovered, struct error *error);
/* Drains the queue, marks the clean stop, frees. No appends may come any more. */
void writer_stop(struct writer *writer);

/* leaf is the hash of entry. reserved: may use the room kept for recovery. */
MUST_USE enum status writer_submit(struct writer *writer, struct slice entry, struct slice side,
                                   const uint8_t leaf[static MERKLE_HASH_BYTES], bool reserved,
                                   uint64_t *sequence, struct error *error);
void writer_wait(struct writer *writer, uint64_t sequence);
void writer_subscribe(struct writer *writer, void (*fn)(void *context), void *context);

/* pthread_create with all signals blocked: they belong to the program's main thread. */
MUST_USE enum status writer_thread(pthread_t *thread, void *(*run)(void *), void *context,
                                   struct error *error);

#endif
