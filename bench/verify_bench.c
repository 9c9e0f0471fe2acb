/* How fast a log is verified: writes COUNT entries of about 300 bytes, PER of them between two
 * syncs, closes the log and verifies it.
 * Usage: verify_bench FOLDER COUNT PER [threads]. FOLDER must not exist; it is left for reading.
 * Prints one RESULT line: entries a second by the wall and by CPU time, bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

_Noreturn static void fail(const struct error *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

/* Waits where there is no room: the spare is being made. */
static uint64_t append(struct ledger *ledger, const struct ledger_entry *entry)
{
    struct error error = {0};
    uint64_t sequence;
    enum status status;
    while ((status = ledger_append(ledger, entry, slice_of(NULL, 0), &sequence, &error)) ==
           STATUS_LIMIT)
        usleep(1000);
    if (status != STATUS_OK)
        fail(&error);
    return sequence;
}

static void write_log(const char *folder, uint64_t count, uint64_t per)
{
    static const uint8_t subjects[60];
    const struct ledger_item item = {
        .kind = 1, .grade = 1, .column_set = 1, .subjects = {subjects, sizeof subjects}};
    const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                       .partner = slice_of_text("north-mail"),
                                       .agent = slice_of_text("sync"),
                                       .purpose = slice_of_text("recall mailing"),
                                       .row_count = 25,
                                       .items = &item,
                                       .item_count = 1};
    const struct ledger_options options = {.folder = folder, .node = "bench"};
    struct ledger *ledger;
    struct error error = {0};
    uint32_t id;
    if (ledger_open(&options, &ledger, &error) != STATUS_OK ||
        ledger_column_set(ledger, "person.name:clear:name\n", &id, &error) != STATUS_OK)
        fail(&error);
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t sequence = append(ledger, &entry);
        if (i % per == 0)
            ledger_wait(ledger, sequence);
    }
    ledger_close(ledger);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: verify_bench FOLDER COUNT PER [threads]\n");
        return 2;
    }
    struct verify_report report;
    struct verify_damage damage;
    struct error error = {0};
    const struct verify_options options = {
        .folder = argv[1], .threads = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0};
    if (access(argv[1], F_OK) != 0)
        write_log(argv[1], strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    int64_t before = clock_monotonic_ns();
    double cpu = cpu_seconds();
    if (ledger_verify(&options, &report, &damage, &error) != STATUS_OK)
        fail(&error);
    double wall = (double)(clock_monotonic_ns() - before) / 1e9;
    cpu = cpu_seconds() - cpu;
    printf("RESULT entries=%" PRIu64 " frames=%" PRIu64 " bytes=%" PRIu64
           " verify_per_s=%.0f verify_per_cpu_s=%.0f MB_per_s=%.0f\n",
           report.entries, report.frames, report.bytes, (double)report.entries / wall,
           (double)report.entries / cpu, (double)report.bytes / wall / 1e6);
    return 0;
}
