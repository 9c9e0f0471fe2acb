/* What an index of everybody ever disclosed costs: COUNT people, each disclosed to three partners
 * with ten columns; the first index, then one after a hundredth of them was disclosed to a fourth
 * partner; then certificates under it, of strangers that nothing was ever disclosed of, and of
 * people that nothing was disclosed of to the fourth. Usage: never_bench FOLDER COUNT. FOLDER must
 * not exist; it is left for reading. Prints one RESULT line: seconds by the wall and by CPU time,
 * milliseconds of CPU time a certificate, memory, bytes on disk. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "exposure/exposure.h"
#include "exposure/subject_set.h"
#include "never/never.h"

enum { BATCH = 4096, KEY_ROOM = 32, PATH_ROOM = 512, COLUMNS_ROOM = 1024, SIDE_BYTES = 1 << 20 };

static const struct policy_kind kinds[] = {{.name = "customer"}};
static struct policy_partner partners_of[] = {{.name = "west"}};
static const struct policy policy = {
    .kinds = kinds, .kind_count = 1, .partners = partners_of, .partner_count = 1};

static struct scene {
    struct exposure *exposure;
    struct ledger *ledger;
    uint32_t column_set;
} scene;

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void must(enum status status, const struct error *error)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void open_scene(const char *state)
{
    static char signing_key[PATH_ROOM];
    char ledger[PATH_ROOM], subjects[PATH_ROOM], columns[COLUMNS_ROOM] = "";
    struct error error = {0};
    snprintf(ledger, sizeof ledger, "%s/ledger", state);
    snprintf(subjects, sizeof subjects, "%s/subjects", state);
    snprintf(signing_key, sizeof signing_key, "%s/checkpoint.key", state);
    must(file_make_folder(subjects, 0700, &error), &error);
    must(exposure_open(subjects, &scene.exposure, &error), &error);
    const struct ledger_options options = {.folder = ledger,
                                           .node = "bench",
                                           .pace_us = 1000,
                                           .signing_key = signing_key,
                                           .publish_ms = 200,
                                           .replay = exposure_replay,
                                           .replay_context = scene.exposure};
    must(ledger_open(&options, &scene.ledger, &error), &error);
    must(exposure_attach(scene.exposure, scene.ledger, &error), &error);
    for (size_t i = 0, len = 0; i < 10; i++)
        len += (size_t)snprintf(columns + len, sizeof columns - len,
                                "customer.column_%zu:clear:name\n", i);
    must(ledger_column_set(scene.ledger, columns, &scene.column_set, &error), &error);
}

static uint64_t disclose(const char *partner, size_t first, size_t count)
{
    static char texts[BATCH][KEY_ROOM];
    struct subject_key keys[BATCH];
    uint32_t ids[BATCH];
    uint64_t sequence;
    struct buffer side, set;
    struct error error = {0};
    buffer_init(&side, SIDE_BYTES);
    buffer_init(&set, SIDE_BYTES);
    for (size_t i = 0; i < count; i++) {
        int len = snprintf(texts[i], KEY_ROOM, "C-%012zu", first + i);
        keys[i] = (struct subject_key){.kind = 0, .key = slice_of(texts[i], (size_t)len)};
    }
    must(exposure_map(scene.exposure, keys, count, ids, &side, &error), &error);
    subject_set_serialize(ids, count, &set);
    const struct ledger_item item = {
        .grade = 1, .column_set = scene.column_set, .subjects = buffer_slice(&set)};
    const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                       .partner = slice_of_text(partner),
                                       .items = &item,
                                       .item_count = 1,
                                       .chunk_count = 1};
    must(ledger_append(scene.ledger, &entry, buffer_slice(&side), &sequence, &error), &error);
    exposure_record(scene.exposure, sequence, &entry);
    ledger_wait(scene.ledger, sequence);
    buffer_free(&side);
    buffer_free(&set);
    return sequence;
}

static uint64_t disclose_all(const char *partner, size_t count)
{
    uint64_t sequence = 0;
    for (size_t first = 0; first < count; first += BATCH)
        sequence = disclose(partner, first, count - first < BATCH ? count - first : BATCH);
    return sequence;
}

static long bytes_of(const char *state, const char *name)
{
    char path[PATH_ROOM];
    struct stat found;
    snprintf(path, sizeof path, "%s/never/%s", state, name);
    return stat(path, &found) == 0 ? (long)found.st_size : 0;
}

struct cost {
    double wall, cpu;
};

static struct cost compute(const char *state, uint64_t entries, struct never_work *work)
{
    const struct never_place place = {.state_folder = state, .policy = &policy};
    struct error error = {0};
    int64_t begun = clock_monotonic_ns();
    double cpu = cpu_seconds();
    must(never_compute(&place, entries, begun, false, false, work, &error), &error);
    return (struct cost){(double)(clock_monotonic_ns() - begun) / 1e9, cpu_seconds() - cpu};
}

/* The commitment goes into the ledger, and with it into a published checkpoint. */
static void publish(const char *state, const struct never_commitment *commitment)
{
    char path[PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct error error = {0};
    struct buffer text;
    uint64_t sequence;
    buffer_init(&text, NEVER_COMMITMENT_BYTES);
    never_commitment_format(commitment, &text);
    const struct ledger_entry entry = {
        .type = LEDGER_COMMITMENT, .text = buffer_slice(&text), .chunk_count = 1};
    must(ledger_append(scene.ledger, &entry, slice_of(NULL, 0), &sequence, &error), &error);
    ledger_wait(scene.ledger, sequence);
    disclose("north", 0, 1); /* a checkpoint is of what stands before its last entry, too */
    buffer_free(&text);
    snprintf(path, sizeof path, "%s/ledger/tiles/checkpoint", state);
    for (int waited = 0; waited < 600; waited++) {
        struct checkpoint checkpoint = {0};
        struct note note;
        struct buffer bytes;
        buffer_init(&bytes, SIDE_BYTES);
        enum status status = checkpoint_read_note(path, &bytes, &note, origin, &checkpoint, &error);
        buffer_free(&bytes);
        if (status == STATUS_OK && checkpoint.size > sequence)
            return;
        usleep(100000);
    }
    fprintf(stderr, "nothing is published\n");
    exit(1);
}

/* Milliseconds of CPU time a certificate. */
static double prove(const char *state, const char *format, size_t first, const char *partner)
{
    enum { CERTIFICATES = 20 };
    const struct never_place place = {.state_folder = state, .policy = &policy};
    double cpu = cpu_seconds();
    for (size_t i = 0; i < CERTIFICATES; i++) {
        struct never_question question = {.kind = "customer"};
        struct error error = {0};
        struct buffer out;
        snprintf(question.subject, sizeof question.subject, format, first + i * 97);
        snprintf(question.partner, sizeof question.partner, "%s", partner);
        buffer_init(&out, NEVER_CERTIFICATE_BYTES);
        must(never_prove(&place, &question, &out, &error), &error);
        buffer_free(&out);
    }
    return (cpu_seconds() - cpu) / CERTIFICATES * 1e3;
}

int main(int argc, char **argv)
{
    static const char *const partners[] = {"north", "south", "east"};
    if (argc != 3) {
        fprintf(stderr, "usage: never_bench FOLDER COUNT\n");
        return 2;
    }
    size_t count = strtoull(argv[2], NULL, 10);
    struct never_work work;
    struct rusage usage;
    uint64_t last = 0;
    open_scene(argv[1]);
    for (size_t i = 0; i < sizeof partners / sizeof partners[0]; i++)
        last = disclose_all(partners[i], count);
    struct cost first = compute(argv[1], last + 1, &work);
    struct cost next = compute(argv[1], disclose_all("west", count / 100) + 1, &work);
    getrusage(RUSAGE_SELF, &usage);
    publish(argv[1], &work.commitment);
    double absent = prove(argv[1], "X-%zu", 0, "");
    double present = prove(argv[1], "C-%012zu", count / 2, "west");
    printf("RESULT people=%zu first_s=%.2f first_cpu_s=%.2f next_s=%.2f next_cpu_s=%.2f "
           "absent_cpu_ms=%.2f present_cpu_ms=%.2f rss_mib=%ld index_bytes=%ld seeds_bytes=%ld\n",
           count, first.wall, first.cpu, next.wall, next.cpu, absent, present,
           usage.ru_maxrss / 1024, bytes_of(argv[1], "index"), bytes_of(argv[1], "seeds"));
    exposure_close(scene.exposure);
    ledger_close(scene.ledger);
    return 0;
}
