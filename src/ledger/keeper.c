/* A full disk is met here and nowhere else: a spare cannot be made, which is told once and tried
 * again each second, and appends are refused once the current segment is full too. */
#include "ledger/keeper.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/checkpoint.h"

static const int64_t period_ns = 1000000000;

static void spare_failed(struct keeper *keeper, const struct error *error)
{
    if (!keeper->spare_failed)
        log_event(LOG_ERROR, "ledger_no_spare", "error=\"%s\"", error->message);
    keeper->spare_failed = true;
    keeper->next_spare_ns = clock_monotonic_ns() + period_ns;
}

static void spare_made(struct keeper *keeper)
{
    struct writer *writer = keeper->writer;
    if (keeper->spare_failed)
        log_event(LOG_INFO, "ledger_spare", "segment=%" PRIu64, keeper->maker.number);
    keeper->spare_failed = false;
    pthread_mutex_lock(&writer->mutex);
    writer->spare_ready = true;
    writer->full = false;
    pthread_mutex_unlock(&writer->mutex);
}

/* One step of making the spare for the segment after the open frame's. */
static void work_on_spare(struct keeper *keeper, uint64_t number)
{
    struct writer *writer = keeper->writer;
    struct error error = {0};
    bool done = false;
    enum status status = STATUS_OK;
    if (keeper->maker.fd < 0)
        status = segment_maker_start(&keeper->maker, writer->folder, number, writer->segment_bytes,
                                     &error);
    if (status == STATUS_OK)
        status = segment_maker_step(&keeper->maker, writer->folder, &done, &error);
    if (status != STATUS_OK)
        spare_failed(keeper, &error);
    else if (done)
        spare_made(keeper);
}

static void write_checkpoint(struct keeper *keeper, uint64_t segments)
{
    struct error error = {0};
    struct checkpoint written;
    int64_t now = clock_monotonic_ns();
    keeper->keep = keeper->keep || now >= keeper->next_keep_ns || segments != keeper->segments;
    const struct signing_order order = {.keep = keeper->keep, .checkpoint = &written};
    keeper->next_checkpoint_ns = now + period_ns;
    keeper->segments = segments;
    if (signing_publish(keeper->signing, &order, &error) != STATUS_OK) {
        log_event(LOG_ERROR, "ledger_checkpoint_failed", "error=\"%s\"", error.message);
        return;
    }
    keeper->checkpointed = written.size;
    if (!keeper->keep)
        return;
    keeper->keep = false;
    keeper->kept = written.size;
    keeper->next_keep_ns = now + keeper->keep_every_ns;
}

/* Under the writer's mutex. */
static bool wants_checkpoint(const struct keeper *keeper, int64_t now)
{
    const struct writer *writer = keeper->writer;
    bool rested = now >= keeper->next_checkpoint_ns;
    bool grown = writer->progress.size != keeper->checkpointed;
    bool unkept = writer->progress.size != keeper->kept && now >= keeper->next_keep_ns;
    return (grown && (rested || writer->segments != keeper->segments)) || (unkept && rested);
}

static void rest(struct writer *writer)
{
    int64_t until = clock_monotonic_ns() + period_ns;
    struct timespec deadline = {.tv_sec = until / period_ns, .tv_nsec = until % period_ns};
    pthread_cond_timedwait(&writer->chores, &writer->mutex, &deadline);
}

static void *run(void *context)
{
    struct keeper *keeper = context;
    struct writer *writer = keeper->writer;
    pthread_mutex_lock(&writer->mutex);
    while (!keeper->stopping) {
        int64_t now = clock_monotonic_ns();
        uint64_t segments = writer->segments;
        bool wants_write = wants_checkpoint(keeper, now);
        bool wants_spare = !writer->spare_ready && now >= keeper->next_spare_ns;
        uint64_t number = writer->frames[writer->open].segment + 1;
        if (!wants_write && !wants_spare) {
            rest(writer);
            continue;
        }
        pthread_mutex_unlock(&writer->mutex);
        if (wants_write)
            write_checkpoint(keeper, segments);
        if (wants_spare)
            work_on_spare(keeper, number);
        pthread_mutex_lock(&writer->mutex);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

enum status keeper_start(struct keeper *keeper, struct writer *writer, struct signing *signing,
                         uint32_t keep_every_s, struct error *error)
{
    int64_t keep_every_ns = (int64_t)keep_every_s * period_ns;
    *keeper = (struct keeper){.writer = writer,
                              .signing = signing,
                              .keep_every_ns = keep_every_ns,
                              .next_keep_ns = clock_monotonic_ns() + keep_every_ns,
                              .maker = {.fd = -1},
                              .checkpointed = UINT64_MAX, /* the first one follows at once */
                              .segments = writer->segments};
    return writer_thread(&keeper->thread, run, keeper, error);
}

void keeper_stop(struct keeper *keeper)
{
    struct writer *writer = keeper->writer;
    pthread_mutex_lock(&writer->mutex);
    keeper->stopping = true;
    pthread_cond_signal(&writer->chores);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(keeper->thread, NULL);
    segment_maker_cancel(&keeper->maker, writer->folder);
}
