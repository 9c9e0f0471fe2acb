/* How fast the ledger makes entries durable: appends a second and the time from append to durable,
 * for 1 to 1024 submitters that each wait for one entry before the next.
 * Submitters share two threads, as sessions share event loops; the writer wakes them by an eventfd.
 * Usage: ledger_bench FOLDER [seconds [pace_us [publish_ms]]]. FOLDER must not exist; it is left
 * for reading. publish_ms: publish as tiles meanwhile, default 0, not at all. Prints one RESULT
 * line a number of submitters. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ledger.h"

enum { WORKERS = 2, SUBMITTERS_MAX = 1024, SAMPLES_MAX = 4000000 };

struct submitter {
    uint64_t sequence;
    int64_t since_ns; /* 0: nothing under way */
};

struct worker {
    struct ledger *ledger;
    pthread_t thread;
    int wake;
    int64_t until_ns;
    size_t submitter_count;
    struct submitter submitters[SUBMITTERS_MAX];
    uint32_t *samples_us;
    size_t sample_count;
    uint64_t done, refused;
};

static void wake(void *context)
{
    struct worker *worker = context;
    uint64_t one = 1;
    ssize_t put = write(worker->wake, &one, sizeof one);
    (void)put;
}

/* An entry of the size of a usual disclosure: about 300 bytes. */
static enum status append(struct ledger *ledger, uint64_t *sequence)
{
    static const uint8_t subjects[60];
    const struct ledger_item item = {
        .kind = 1, .grade = 1, .column_set = 1, .subjects = {subjects, sizeof subjects}};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .partner = slice_of_text("north-mail"),
                                 .agent = slice_of_text("sync"),
                                 .purpose = slice_of_text("recall mailing"),
                                 .row_count = 25,
                                 .items = &item,
                                 .item_count = 1};
    return ledger_append(ledger, &entry, slice_of(NULL, 0), sequence, NULL);
}

static void finish(struct worker *worker, struct submitter *submitter, int64_t now_ns)
{
    if (worker->sample_count < SAMPLES_MAX)
        worker->samples_us[worker->sample_count++] =
            (uint32_t)((now_ns - submitter->since_ns) / 1000);
    worker->done++;
    submitter->since_ns = 0;
}

/* Finishes what has become durable and starts the next. True if anything is under way. */
static bool serve(struct worker *worker)
{
    bool busy = false;
    uint64_t durable = ledger_durable(worker->ledger);
    int64_t now = clock_monotonic_ns();
    for (size_t i = 0; i < worker->submitter_count; i++) {
        struct submitter *submitter = &worker->submitters[i];
        if (submitter->since_ns != 0 && submitter->sequence < durable)
            finish(worker, submitter, now);
        if (submitter->since_ns == 0 && now < worker->until_ns) {
            submitter->since_ns = clock_monotonic_ns();
            if (append(worker->ledger, &submitter->sequence) != STATUS_OK) {
                worker->refused++;
                submitter->since_ns = 0;
            }
        }
        busy = busy || submitter->since_ns != 0;
    }
    return busy || now < worker->until_ns;
}

static void *run(void *context)
{
    struct worker *worker = context;
    while (serve(worker)) {
        struct pollfd ready = {.fd = worker->wake, .events = POLLIN};
        uint64_t count;
        if (poll(&ready, 1, 10) == 1 && read(worker->wake, &count, sizeof count) < 0)
            abort();
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Of the whole process: a figure that other load on the machine changes little. */
static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(struct worker workers[static WORKERS], size_t submitters, double seconds,
                   double cpu, uint64_t syncs, uint32_t pace_us)
{
    uint64_t done = 0, refused = 0;
    size_t count = 0;
    uint32_t *all = calloc((size_t)WORKERS * SAMPLES_MAX, sizeof *all);
    if (all == NULL)
        abort();
    for (size_t i = 0; i < WORKERS; i++) {
        memcpy(all + count, workers[i].samples_us, workers[i].sample_count * sizeof *all);
        count += workers[i].sample_count;
        done += workers[i].done;
        refused += workers[i].refused;
    }
    qsort(all, count, sizeof *all, compare);
    printf("RESULT submitters=%zu pace_us=%u appends_per_s=%.0f p50_us=%u p99_us=%u "
           "syncs_per_s=%.0f cpu_us_per_append=%.2f refused=%" PRIu64 "\n",
           submitters, pace_us, (double)done / seconds, count > 0 ? all[count / 2] : 0,
           count > 0 ? all[count * 99 / 100] : 0, (double)syncs / seconds,
           done > 0 ? cpu * 1e6 / (double)done : 0, refused);
    fflush(stdout);
    free(all);
}

static void measure(struct ledger *ledger, struct worker workers[static WORKERS], size_t submitters,
                    double seconds, uint32_t pace_us)
{
    struct ledger_state before, after;
    int64_t start = clock_monotonic_ns();
    double cpu = cpu_seconds();
    ledger_state(ledger, &before);
    for (size_t i = 0; i < WORKERS; i++) {
        struct worker *worker = &workers[i];
        worker->submitter_count = submitters / WORKERS + (i < submitters % WORKERS ? 1 : 0);
        worker->sample_count = worker->done = worker->refused = 0;
        worker->until_ns = start + (int64_t)(seconds * 1e9);
        if (worker->submitter_count > 0 && pthread_create(&worker->thread, NULL, run, worker) != 0)
            abort();
    }
    for (size_t i = 0; i < WORKERS; i++)
        if (workers[i].submitter_count > 0)
            pthread_join(workers[i].thread, NULL);
    ledger_state(ledger, &after);
    report(workers, submitters, (double)(clock_monotonic_ns() - start) / 1e9, cpu_seconds() - cpu,
           after.syncs - before.syncs, pace_us);
}

int main(int argc, char **argv)
{
    static struct worker workers[WORKERS];
    static const size_t submitters[] = {1, 16, 64, 256, 1024};
    struct error error = {0};
    struct ledger *ledger;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [seconds [pace_us [publish_ms]]]\n", argv[0]);
        return 2;
    }
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
    uint32_t pace_us = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1000;
    uint32_t publish_ms = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
    struct ledger_options options = {
        .folder = argv[1], .node = "bench", .pace_us = pace_us, .publish_ms = publish_ms};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].ledger = ledger;
        workers[i].wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        workers[i].samples_us = calloc(SAMPLES_MAX, sizeof *workers[i].samples_us);
        if (workers[i].samples_us == NULL || workers[i].wake < 0)
            return 1;
        ledger_subscribe(ledger, wake, &workers[i]);
    }
    for (size_t i = 0; i < sizeof submitters / sizeof submitters[0]; i++)
        measure(ledger, workers, submitters[i], seconds, pace_us);
    ledger_close(ledger);
    for (size_t i = 0; i < WORKERS; i++) {
        close(workers[i].wake);
        free(workers[i].samples_us);
    }
    return 0;
}
