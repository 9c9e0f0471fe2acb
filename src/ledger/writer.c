/* Group commit. See writer.h for who owns which field. */
#include "ledger/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "ledger/durable.h"

/* After a failed write or flush the page cache may call pages clean that never reached the disk,
 * and the next fdatasync succeeds: only a new process that reads the disk again can know. */
_Noreturn static void give_up(const char *doing, const struct error *error)
{
    log_event(LOG_ERROR, "ledger_write_failed", "doing=\"%s\" error=\"%s\"", doing, error->message);
    abort();
}

/* ---- appenders' side; all under the mutex ---- */

/* Closes the open frame and begins the next behind it; false when the ring is full. */
static bool next_frame(struct writer *writer)
{
    const struct frame *frame = &writer->frames[writer->open];
    size_t next = (writer->open + 1) % WRITER_FRAMES;
    if (next == writer->oldest)
        return false;
    frame_begin(&writer->frames[next], frame->segment,
                frame->offset + frame_padded_size(frame, 0, 0), frame->first + frame->count);
    writer->open = next;
    return true;
}

static enum status no_room(struct writer *writer, struct error *error)
{
    writer->full = true;
    return error_set(error, STATUS_LIMIT, "53100", "Free space on the ledger's disk.",
                     "the disclosure ledger has no prepared room left");
}

/* The empty open frame moves to the start of the next segment. */
static void roll_over(struct writer *writer)
{
    struct frame *frame = &writer->frames[writer->open];
    frame_begin(frame, frame->segment + 1, SEGMENT_HEADER_BYTES, frame->first);
    frame->rolls = true;
    writer->open_limit = writer->segment_bytes;
    writer->spare_ready = false;
    pthread_cond_signal(&writer->chores);
}

/* Makes the open frame one that has room for this entry. */
static enum status place(struct writer *writer, size_t entry_len, size_t side_len, uint64_t reserve,
                         struct error *error)
{
    for (;;) {
        const struct frame *frame = &writer->frames[writer->open];
        size_t size = frame_padded_size(frame, entry_len, side_len);
        bool fits = frame->offset + size + reserve <= writer->open_limit;
        if (fits && (frame->count == 0 || size <= FRAME_TARGET_BYTES))
            return STATUS_OK;
        if (frame->count > 0) {
            if (!next_frame(writer))
                return error_set(error, STATUS_LIMIT, "53000", "The disk is too slow.",
                                 "the disclosure ledger's queue is full");
            pthread_cond_signal(&writer->work);
        } else if (writer->spare_ready) {
            roll_over(writer);
        } else {
            return no_room(writer, error);
        }
    }
}

static enum status check_size(const struct writer *writer, size_t entry_len, size_t side_len,
                              struct error *error)
{
    const struct frame empty = {0};
    uint64_t most = writer->segment_bytes - SEGMENT_HEADER_BYTES - WRITER_RESERVE_BYTES;
    if (side_len > FRAME_SIDE_BYTES || frame_padded_size(&empty, entry_len, side_len) > most)
        return error_set(error, STATUS_LIMIT, "54000", "Split the batch.",
                         "a ledger entry with a side section of %zu bytes is too large", side_len);
    return STATUS_OK;
}

enum status writer_submit(struct writer *writer, struct slice entry, struct slice side,
                          const uint8_t leaf[static MERKLE_HASH_BYTES], bool reserved,
                          uint64_t *sequence, struct error *error)
{
    TRY(check_size(writer, entry.len, side.len, error));
    uint64_t reserve = reserved ? FRAME_ALIGN_BYTES : WRITER_RESERVE_BYTES;
    pthread_mutex_lock(&writer->mutex);
    CHECK(!writer->closing);
    enum status status = place(writer, entry.len, side.len, reserve, error);
    struct frame *frame = &writer->frames[writer->open];
    if (status == STATUS_OK && !frame_add(frame, entry, side, leaf))
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the ledger's queue");
    bool wake = false;
    if (status == STATUS_OK) {
        *sequence = frame->first + frame->count - 1;
        wake = writer->thread_idle || frame->count >= writer->wake_at;
    }
    pthread_mutex_unlock(&writer->mutex);
    if (wake) /* who is woken needs the mutex at once */
        pthread_cond_signal(&writer->work);
    return status;
}

void writer_wait(struct writer *writer, uint64_t sequence)
{
    pthread_mutex_lock(&writer->mutex);
    writer->waiters++;
    while (atomic_load_explicit(&writer->durable, memory_order_acquire) <= sequence)
        pthread_cond_wait(&writer->grown, &writer->mutex);
    writer->waiters--;
    pthread_mutex_unlock(&writer->mutex);
}

void writer_subscribe(struct writer *writer, void (*fn)(void *context), void *context)
{
    pthread_mutex_lock(&writer->mutex);
    size_t count = atomic_load(&writer->subscriber_count);
    CHECK(count < WRITER_SUBSCRIBERS);
    writer->subscribers[count].fn = fn;
    writer->subscribers[count].context = context;
    atomic_store_explicit(&writer->subscriber_count, count + 1, memory_order_release);
    pthread_mutex_unlock(&writer->mutex);
}

/* ---- the thread ---- */

static void sync_segment(struct writer *writer)
{
    struct error error = {0};
    if (fdatasync(writer->fd) == 0)
        return;
    error_set_errno(&error, errno, "fdatasync of segment %" PRIu64, writer->current.number);
    give_up("sync", &error);
}

/* Everything in the old segment is durable before the new one's header says so. */
static void change_segment(struct writer *writer, const struct frame *frame)
{
    struct error error = {0};
    struct segment_header next = writer->current;
    sync_segment(writer);
    next.number = frame->segment;
    next.first_sequence = frame->first;
    next.size_bytes = writer->segment_bytes;
    next.epoch = writer->epoch;
    crypto_random(&next.salt, sizeof next.salt);
    merkle_root(&writer->tree, next.previous_root);
    int fd = -1;
    if (segment_activate(writer->folder, &next, &fd, &error) != STATUS_OK)
        give_up("segment change", &error);
    close(writer->fd);
    writer->fd = fd;
    writer->current = next;
    pthread_mutex_lock(&writer->mutex);
    writer->segments++;
    writer->bytes += SEGMENT_HEADER_BYTES;
    pthread_cond_signal(&writer->chores);
    pthread_mutex_unlock(&writer->mutex);
}

/* Seals and writes one frame, not yet synced; returns its size on disk. */
static size_t write_frame(struct writer *writer, struct frame *frame, uint32_t flags)
{
    struct error error = {0};
    struct slice bytes;
    const struct frame_seal seal = {.flags = flags,
                                    .epoch = writer->epoch,
                                    .durable = atomic_load(&writer->durable),
                                    .salt = writer->current.salt};
    CHECK(frame->segment == writer->current.number);
    CHECK(frame->first == writer->tree.size);
    CHECK(frame_seal(frame, &seal, &writer->tree, &bytes));
    if (file_write_at(writer->fd, bytes.data, bytes.len, frame->offset, &error) != STATUS_OK)
        give_up("write", &error);
    return bytes.len;
}

static void notify(struct writer *writer)
{
    size_t count = atomic_load_explicit(&writer->subscriber_count, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        writer->subscribers[i].fn(writer->subscribers[i].context);
}

/* What has been synced becomes what may be released. */
static void publish(struct writer *writer, size_t stop, uint64_t bytes)
{
    struct error error = {0};
    struct checkpoint progress = {.size = writer->tree.size};
    merkle_root(&writer->tree, progress.root);
    if (durable_store(writer->durable_fd, progress.size, &error) != STATUS_OK)
        give_up("durable", &error);
    pthread_mutex_lock(&writer->mutex);
    writer->last_batch = progress.size - writer->progress.size;
    writer->progress = progress;
    writer->syncs++;
    writer->bytes += bytes;
    writer->oldest = stop;
    atomic_store_explicit(&writer->durable, progress.size, memory_order_release);
    if (writer->waiters > 0)
        pthread_cond_broadcast(&writer->grown);
    pthread_mutex_unlock(&writer->mutex);
    notify(writer);
}

/* The frames [oldest, stop) of the ring, under one sync. */
static void commit(struct writer *writer, size_t first, size_t stop)
{
    uint64_t bytes = 0;
    writer->last_sync_ns = clock_monotonic_ns();
    writer->stopped_clean = false;
    for (size_t at = first; at != stop; at = (at + 1) % WRITER_FRAMES) {
        struct frame *frame = &writer->frames[at];
        if (frame->rolls)
            change_segment(writer, frame);
        bytes += write_frame(writer, frame, 0);
    }
    sync_segment(writer);
    publish(writer, stop, bytes);
}

static bool has_work(const struct writer *writer)
{
    return writer->open != writer->oldest || writer->frames[writer->open].count > 0;
}

/* Under load a sync waits for as many entries as the last ones took: appenders wait for their own
 * entry before they bring the next, so nobody else is likely to come. It waits at most pace_ns
 * after the last sync, and not for a frame that is full already. */
static void keep_pace(struct writer *writer)
{
    int64_t until = writer->last_sync_ns + writer->pace_ns;
    struct timespec deadline = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    writer->expected -= writer->expected / 4;
    if (writer->last_batch > writer->expected)
        writer->expected = writer->last_batch;
    if (writer->pace_ns == 0 || writer->last_batch < WRITER_PACE_ENTRIES)
        return;
    writer->wake_at = writer->expected;
    while (!writer->closing && writer->open == writer->oldest &&
           writer->frames[writer->open].count < writer->wake_at && clock_monotonic_ns() < until)
        pthread_cond_timedwait(&writer->work, &writer->mutex, &deadline);
    writer->wake_at = SIZE_MAX;
}

/* Waits for frames and closes the open one; false when closing and all is written. */
static bool take(struct writer *writer, size_t *first, size_t *stop)
{
    pthread_mutex_lock(&writer->mutex);
    while (!has_work(writer) && !writer->closing) {
        writer->thread_idle = true;
        pthread_cond_wait(&writer->work, &writer->mutex);
        writer->thread_idle = false;
    }
    bool some = has_work(writer);
    if (some) {
        keep_pace(writer);
        if (writer->frames[writer->open].count > 0)
            (void)next_frame(writer); /* a full ring keeps its open frame for the next round */
        *first = writer->oldest;
        *stop = writer->open;
    }
    pthread_mutex_unlock(&writer->mutex);
    return some;
}

static void *run(void *context)
{
    struct writer *writer = context;
    size_t first, stop;
    while (take(writer, &first, &stop))
        commit(writer, first, stop);
    return NULL;
}

/* ---- start and stop ---- */

enum status writer_thread(pthread_t *thread, void *(*run_thread)(void *), void *context,
                          struct error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run_thread, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "pthread_create");
}

static void init_locks(struct writer *writer)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->work, &monotonic);
    pthread_cond_init(&writer->grown, NULL);
    pthread_cond_init(&writer->chores, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_all(struct writer *writer)
{
    for (size_t i = 0; i < WRITER_FRAMES; i++)
        frame_free(&writer->frames[i]);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->grown);
    pthread_cond_destroy(&writer->chores);
    pthread_mutex_destroy(&writer->mutex);
    close(writer->durable_fd);
}

enum status writer_start(struct writer *writer, const char *folder,
                         const struct ledger_options *options, const struct recovered *recovered,
                         struct error *error)
{
    *writer = (struct writer){.folder = folder,
                              .segment_bytes = options->segment_bytes,
                              .epoch = options->epoch,
                              .pace_ns = (int64_t)options->pace_us * 1000,
                              .wake_at = SIZE_MAX,
                              .open_limit = recovered->tail.size_bytes,
                              .spare_ready = recovered->spare_ready,
                              .bytes = recovered->bytes,
                              .segments = recovered->tail.number,
                              .fd = recovered->fd,
                              .current = recovered->tail,
                              .tree = recovered->tree,
                              .stopped_clean = !recovered->unclean && recovered->tree.size > 0};
    memcpy(writer->log_id, recovered->log_id, sizeof writer->log_id);
    writer->progress.size = writer->tree.size;
    merkle_root(&writer->tree, writer->progress.root);
    atomic_init(&writer->durable, writer->tree.size);
    TRY(durable_open(folder, &writer->durable_fd, error));
    init_locks(writer);
    for (size_t i = 0; i < WRITER_FRAMES; i++)
        frame_init(&writer->frames[i]);
    frame_begin(&writer->frames[0], recovered->tail.number, recovered->offset, writer->tree.size);
    enum status status = durable_store(writer->durable_fd, writer->tree.size, error);
    if (status == STATUS_OK)
        status = writer_thread(&writer->thread, run, writer, error);
    if (status != STATUS_OK)
        free_all(writer);
    return status;
}

/* An empty frame that says so; without room the next start just takes this stop for unclean. */
static void mark_clean_stop(struct writer *writer)
{
    struct frame *frame = &writer->frames[writer->open];
    if (writer->stopped_clean || frame->offset + FRAME_ALIGN_BYTES > writer->open_limit)
        return;
    write_frame(writer, frame, FRAME_FLAG_CLEAN);
    sync_segment(writer);
}

void writer_stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    mark_clean_stop(writer);
    close(writer->fd);
    free_all(writer);
}
