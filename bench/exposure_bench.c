/* How fast the exposure index is made and answers, and how large it is. Writes a ledger of N
 * disclosures of 20 partners over M subjects, an hour at a time over 90 days, in entries of 250
 * subjects each drawn at random (the worst case for sets), by six column sets, three purposes and
 * two agents a partner; then makes the index from it, as `cofferdam exposure rebuild` does, opens
 * it as another process would, and asks. Usage: exposure_bench FOLDER [disclosures [subjects]].
 * FOLDER must not exist; it is left there. Prints RESULT lines. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "exposure/index_live.h"
#include "exposure/parts.h"
#include "exposure/subject_set.h"

enum {
    STATEMENTS = 50,
    PARTNERS = 20,
    SETS = 6,
    DAYS = 90,
    BATCH = 250,
    ROUNDS = 400,
    FIRST_DAY = 20454
};

static const int64_t HOUR_NS = 3600LL * 1000000000;
static uint64_t random_state = 4711;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((random_state >> 32) * below) >> 32);
}

static void must(enum status status, const struct error *error)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static double seconds_since(int64_t since_ns)
{
    return (double)(clock_monotonic_ns() - since_ns) / 1e9;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- writing ---- */

struct writing {
    struct ledger *ledger;
    uint32_t sets[SETS];
    uint64_t total;
    uint32_t subjects;
    struct buffer set;
};

static void append(struct writing *writing, uint64_t at)
{
    char partner[16], agent[16], purpose[16];
    uint32_t ids[BATCH];
    struct error error = {0};
    uint64_t sequence;
    int64_t hour = (int64_t)(at * DAYS * 24 / (writing->total / BATCH + 1));
    for (size_t i = 0; i < BATCH; i++)
        ids[i] = next_random(writing->subjects);
    buffer_clear(&writing->set);
    subject_set_serialize(ids, BATCH, &writing->set);
    snprintf(partner, sizeof partner, "partner-%02u", next_random(PARTNERS));
    snprintf(agent, sizeof agent, "agent-%u", next_random(2));
    snprintf(purpose, sizeof purpose, "purpose-%u", next_random(3));
    const struct ledger_item item = {.grade = 1,
                                     .column_set = writing->sets[next_random(SETS)],
                                     .subjects = buffer_slice(&writing->set)};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .time_ns = (FIRST_DAY * 24 + hour) * HOUR_NS + 1,
                                 .partner = slice_of_text(partner),
                                 .agent = slice_of_text(agent),
                                 .purpose = slice_of_text(purpose),
                                 .row_count = BATCH,
                                 .items = &item,
                                 .item_count = 1,
                                 .column_set = item.column_set};
    memset(entry.statement_hash, (int)next_random(STATEMENTS), sizeof entry.statement_hash);
    enum status status;
    while ((status = ledger_append(writing->ledger, &entry, slice_of(NULL, 0), &sequence,
                                   &error)) == STATUS_LIMIT)
        usleep(1000); /* the next segment is being made, or the queue is full */
    must(status, &error);
}

static void write_ledger(const char *folder, uint64_t total, uint32_t subjects)
{
    struct writing writing = {.total = total, .subjects = subjects};
    struct error error = {0};
    struct ledger_options options = {.folder = folder, .node = "bench", .pace_us = 2000};
    struct ledger_state state;
    int64_t since = clock_monotonic_ns();
    must(ledger_open(&options, &writing.ledger, &error), &error);
    buffer_init(&writing.set, 1 << 20);
    for (size_t i = 0; i < SETS; i++) {
        char text[64];
        snprintf(text, sizeof text, "crm.customer.c%zu:clear:category-%zu\n", i, i % 4);
        must(ledger_column_set(writing.ledger, text, &writing.sets[i], &error), &error);
    }
    for (uint64_t i = 0; i < total / BATCH; i++)
        append(&writing, i);
    ledger_close(writing.ledger);
    must(ledger_open(&options, &writing.ledger, &error), &error);
    ledger_state(writing.ledger, &state);
    ledger_close(writing.ledger);
    buffer_free(&writing.set);
    printf("ledger: %" PRIu64 " entries, %.1f s, %.2f bytes a disclosure\n", state.entries,
           seconds_since(since), (double)state.bytes / (double)total);
}

/* ---- asking ---- */

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* CPU time, and the time that passed: on a machine that is shared the two differ. */
struct times {
    double cpu[ROUNDS], wall[ROUNDS];
};

struct stopwatch {
    double cpu;
    int64_t wall_ns;
};

static struct stopwatch start(void)
{
    return (struct stopwatch){cpu_seconds(), clock_monotonic_ns()};
}

static void stop(struct stopwatch since, struct times *times, size_t round)
{
    times->cpu[round] = cpu_seconds() - since.cpu;
    times->wall[round] = seconds_since(since.wall_ns);
}

static void print_times(const char *name, struct times *times)
{
    qsort(times->cpu, ROUNDS, sizeof *times->cpu, compare_doubles);
    qsort(times->wall, ROUNDS, sizeof *times->wall, compare_doubles);
    printf("RESULT %s_p50_ms=%.3f %s_p99_ms=%.3f %s_max_ms=%.3f %s_wall_p50_ms=%.3f "
           "%s_wall_p99_ms=%.3f\n",
           name, times->cpu[ROUNDS / 2] * 1e3, name, times->cpu[ROUNDS * 99 / 100] * 1e3, name,
           times->cpu[ROUNDS - 1] * 1e3, name, times->wall[ROUNDS / 2] * 1e3, name,
           times->wall[ROUNDS * 99 / 100] * 1e3);
}

/* By category, as `exposure show` counts, for a partner and a span of hours. */
static void ask_span(struct exposure *exposure, const struct policy *policy, int64_t from_hour,
                     int64_t until_hour, struct times *times, size_t round)
{
    char partner[16];
    struct table table;
    struct error error = {0};
    snprintf(partner, sizeof partner, "partner-%02u", next_random(PARTNERS));
    struct stopwatch since = start();
    must(exposure_by_category(exposure, policy, partner, from_hour * HOUR_NS, until_hour * HOUR_NS,
                              &table, &error),
         &error);
    stop(since, times, round);
    CHECK(table.row_count > 0);
    table_free(&table);
}

/* As `exposure statements` does: opens the files, asks, closes them. */
static void ask_statements(const char *index, const char *ledger, int64_t from_ns, int64_t to_ns,
                           struct times *times, size_t round)
{
    enum { MOST = 20 };
    char partner[16];
    struct table table;
    struct error error = {0};
    snprintf(partner, sizeof partner, "partner-%02u", next_random(PARTNERS));
    struct stopwatch since = start();
    must(exposure_statements(index, ledger, partner, from_ns, to_ns, MOST, &table, &error), &error);
    stop(since, times, round);
    CHECK(table.row_count > 0);
    table_free(&table);
}

static enum status count_view(void *context, const struct index_view *view, struct error *error)
{
    ++*(uint64_t *)context;
    return STATUS_OK;
}

/* All recipients of one subject. */
static void ask_subject(struct exposure *exposure, uint32_t subjects, uint64_t *found,
                        struct times *times, size_t round)
{
    const char **names;
    struct error error = {0};
    uint32_t id = next_random(subjects);
    struct stopwatch since = start();
    must(index_partners(exposure->index, &names, &error), &error);
    for (size_t i = 0; names[i] != NULL; i++)
        must(index_each_of(exposure->index, names[i], id, count_view, found, &error), &error);
    free(names);
    stop(since, times, round);
}

static void ask(struct exposure *exposure, uint32_t subjects)
{
    const struct policy_kind kind = {.name = "customer"};
    const struct policy policy = {.kinds = (struct policy_kind *)(uintptr_t)&kind, .kind_count = 1};
    static struct times times;
    uint64_t found = 0;
    int32_t first_month = index_month_of_day(FIRST_DAY);
    for (size_t i = 0; i < ROUNDS; i++) {
        int32_t month = first_month + (int32_t)next_random(3);
        ask_span(exposure, &policy, (int64_t)index_first_day(month) * 24,
                 (int64_t)index_first_day(month + 1) * 24, &times, i);
    }
    print_times("month", &times);
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t from = FIRST_DAY * 24 + next_random(DAYS * 24 - 31 * 24);
        ask_span(exposure, &policy, from, from + 30 * 24, &times, i);
    }
    print_times("any30days", &times);
    for (size_t i = 0; i < ROUNDS; i++)
        ask_subject(exposure, subjects, &found, &times, i);
    print_times("subject", &times);
    printf("a subject is in %.1f series\n", (double)found / ROUNDS);
}

static void ask_all_statements(const char *index, const char *ledger)
{
    static struct times times;
    for (size_t i = 0; i < ROUNDS; i++)
        ask_statements(index, ledger, INT64_MIN, INT64_MAX, &times, i);
    print_times("statements", &times);
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t from_ns = (FIRST_DAY * 24 + next_random(DAYS * 24 - 31 * 24)) * HOUR_NS + 5;
        ask_statements(index, ledger, from_ns, from_ns + 30 * 24 * HOUR_NS, &times, i);
    }
    print_times("statements30days", &times);
}

/* ---- memory alone ---- */

static void measure_adding(uint32_t subjects)
{
    enum { ENTRIES = 20000 };
    struct index *index;
    struct error error = {0};
    struct index_state state;
    must(index_new(&index, &error), &error);
    int64_t took_ns = 0;
    for (uint64_t e = 0; e < ENTRIES; e++) {
        char partner[16];
        uint32_t ids[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            ids[i] = next_random(subjects);
        size_t count = subject_ids_unique(ids, BATCH);
        snprintf(partner, sizeof partner, "partner-%02u", next_random(PARTNERS));
        struct index_place place = {.partner = slice_of_text(partner),
                                    .agent = slice_of_text("agent-0"),
                                    .purpose = slice_of_text("purpose-0"),
                                    .column_set = 1 + next_random(SETS),
                                    .grade = 1,
                                    .sequence = e};
        int64_t since = clock_monotonic_ns();
        index_add(index, &place, FIRST_DAY * 24 * HOUR_NS, ids, count);
        took_ns += clock_monotonic_ns() - since;
    }
    index_state(index, &state);
    printf("RESULT add_ns=%.1f tail_bytes=%.2f\n", (double)took_ns / ENTRIES / BATCH,
           (double)state.tail_bytes / ENTRIES / BATCH);
    index_free(index);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
    char ledger_folder[512], index_folder[512];
    struct error error = {0};
    struct exposure_rebuilt rebuilt;
    struct exposure *exposure;
    struct rusage usage;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [disclosures [subjects]]\n", argv[0]);
        return 2;
    }
    uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    uint32_t subjects = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : (uint32_t)(total / 10);
    snprintf(ledger_folder, sizeof ledger_folder, "%s/ledger", argv[1]);
    snprintf(index_folder, sizeof index_folder, "%s/exposure", argv[1]);
    must(file_make_folder(argv[1], 0700, &error), &error);
    measure_adding(subjects);
    if (!file_exists(ledger_folder))
        write_ledger(ledger_folder, total, subjects);
    double cpu = cpu_seconds();
    int64_t since = clock_monotonic_ns();
    must(exposure_rebuild(index_folder, ledger_folder, &rebuilt, &error), &error);
    double took = seconds_since(since);
    cpu = cpu_seconds() - cpu;
    getrusage(RUSAGE_SELF, &usage);
    printf("RESULT rebuild_s=%.1f rebuild_cpu_s=%.1f rebuild_per_s=%.0f rebuild_per_cpu_s=%.0f\n",
           took, cpu, (double)rebuilt.disclosures / took, (double)rebuilt.disclosures / cpu);
    printf("RESULT bytes_disk=%.2f files=%zu peak_mb=%ld\n",
           (double)rebuilt.bytes / (double)rebuilt.disclosures, rebuilt.files,
           usage.ru_maxrss / 1024);
    size_t heap = heap_bytes();
    since = clock_monotonic_ns();
    must(exposure_open_reading(index_folder, ledger_folder, &exposure, &error), &error);
    printf("RESULT open_ms=%.1f\n", seconds_since(since) * 1e3);
    ask(exposure, subjects);
    ask_all_statements(index_folder, ledger_folder);
    printf("RESULT heap_bytes=%zu\n", heap_bytes() - heap);
    exposure_close(exposure);
    return 0;
}
