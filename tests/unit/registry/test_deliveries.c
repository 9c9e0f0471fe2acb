/* Deliveries and canaries: kept over a restart, found by their values, and committed to as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "registry/deliveries.h"

static char folder[] = "/tmp/cofferdam-deliveries-XXXXXX";
static char path[sizeof folder + 32];
static const int64_t noon_ns = 1790000000LL * 1000000000;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[sizeof path + 8];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static int remove_folder(void **state)
{
    (void)state;
    remove_files();
    return rmdir(folder);
}

static int fresh(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/deliveries.sqlite", folder);
    remove_files();
    return 0;
}

static struct error error;
#define must(call)                                                                                 \
    do {                                                                                           \
        if ((call) != STATUS_OK)                                                                   \
            fail_msg("%s", error.message);                                                         \
    } while (0)

static struct deliveries *open_file(void)
{
    struct deliveries *deliveries = NULL;
    must(deliveries_open(path, &deliveries, &error));
    return deliveries;
}

static const struct delivery first = {.id = "D-2026-11-22-7F3KQ",
                                      .partner = "acme",
                                      .agent = "",
                                      .purpose = "service",
                                      .by = "uid 0",
                                      .file = "/tmp/people.csv",
                                      .format = "csv",
                                      .statement_sha256 = "00",
                                      .opened_ns = noon_ns};

static struct canary canary_of(int64_t row, const char *column, const char *value)
{
    return (struct canary){.delivery = first.id,
                           .partner = "acme",
                           .row = row,
                           .column = column,
                           .source = "person.full_name",
                           .kind = "person",
                           .key = "4711",
                           .form = "clear",
                           .value = value,
                           .is_invented = true};
}

struct seen {
    size_t count;
    char values[8][40], partner[40];
};

static enum status see(void *context, const struct canary *canary, struct error *unused)
{
    struct seen *seen = context;
    (void)unused;
    assert_true(seen->count < 8);
    snprintf(seen->values[seen->count++], 40, "%s", canary->value);
    snprintf(seen->partner, sizeof seen->partner, "%s", canary->partner);
    return STATUS_OK;
}

static void keeps_a_delivery_and_closes_it_once(void **state)
{
    (void)state;
    struct deliveries *deliveries = open_file();
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    must(deliveries_add(deliveries, &first, &error));
    assert_int_equal(deliveries_add(deliveries, &first, &error), STATUS_INVALID);
    assert_string_equal(error.sqlstate, "23505");
    deliveries_close(deliveries);

    deliveries = open_file();
    struct arena arena;
    struct delivery read;
    arena_init(&arena, 64 * 1024);
    must(deliveries_get(deliveries, first.id, &arena, &read, &error));
    assert_string_equal(read.partner, "acme");
    assert_string_equal(read.agent, "");
    assert_true(read.closed_ns == INT64_MIN);
    assert_null(read.outcome);
    struct delivery closed = first;
    closed.closed_ns = noon_ns + 1;
    closed.outcome = "complete";
    closed.sha256 = "ab";
    closed.rows = 12;
    must(deliveries_finish(deliveries, &closed, &error));
    assert_int_equal(deliveries_finish(deliveries, &closed, &error), STATUS_DENIED);
    must(deliveries_get(deliveries, first.id, &arena, &read, &error));
    assert_string_equal(read.outcome, "complete");
    assert_int_equal(read.rows, 12);
    assert_null(read.commitment);
    assert_int_equal(deliveries_get(deliveries, "D-1", &arena, &read, &error), STATUS_NOT_FOUND);
    arena_free(&arena);
    deliveries_close(deliveries);
}

static void lists_the_newest_first(void **state)
{
    (void)state;
    struct deliveries *deliveries = open_file();
    struct delivery second = first;
    second.id = "D-2026-11-23-00000";
    second.partner = "rival";
    second.opened_ns = noon_ns + 5;
    must(deliveries_add(deliveries, &first, &error));
    must(deliveries_add(deliveries, &second, &error));
    struct table table;
    must(deliveries_list(deliveries, NULL, &table, &error));
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.first->cells[0], "D-2026-11-23-00000");
    assert_string_equal(table.first->cells[6], "unfinished");
    assert_null(table.first->cells[7]);
    table_free(&table);
    must(deliveries_list(deliveries, "acme", &table, &error));
    assert_int_equal(table.row_count, 1);
    assert_string_equal(table.first->cells[0], first.id);
    table_free(&table);
    deliveries_close(deliveries);
}

static void finds_canaries_by_value(void **state)
{
    (void)state;
    struct deliveries *deliveries = open_file();
    const struct canary canaries[] = {canary_of(1, "full_name", "Ada Marsh"),
                                      canary_of(1, "phone", "+44 7700 900123"),
                                      canary_of(2, "full_name", "Ada Marsh")};
    must(deliveries_add(deliveries, &first, &error));
    must(deliveries_add_canaries(deliveries, canaries, 3, &error));
    struct seen seen = {0};
    must(deliveries_match_canary(deliveries, "Ada Marsh", see, &seen, &error));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.partner, "acme");
    seen.count = 0;
    must(deliveries_match_canary(deliveries, "Ada", see, &seen, &error));
    assert_int_equal(seen.count, 0);
    must(deliveries_each_canary(deliveries, NULL, see, &seen, &error));
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.values[1], "+44 7700 900123");
    struct canary stray = canaries[0];
    stray.delivery = "D-of-nobody";
    assert_int_not_equal(deliveries_add_canaries(deliveries, &stray, 1, &error), STATUS_OK);
    deliveries_close(deliveries);
}

/* The writer has it open, with changes that are still in the journal. */
static void is_copied_whole_beside_its_writer(void **state)
{
    (void)state;
    char copy[sizeof path + 8];
    struct stat status;
    struct deliveries *deliveries = open_file(), *beside, *copied;
    struct canary canary = canary_of(1, "full_name", "Ada Marsh");
    snprintf(copy, sizeof copy, "%s.copy", path);
    must(deliveries_add(deliveries, &first, &error));
    for (size_t round = 1; round <= 2; round++) { /* the second takes the first one's place */
        canary.row = (int64_t)round;
        must(deliveries_add_canaries(deliveries, &canary, 1, &error));
        must(deliveries_open(path, &beside, &error));
        must(deliveries_copy(beside, copy, &error));
        deliveries_close(beside);
        assert_int_equal(stat(copy, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        struct seen seen = {0};
        must(deliveries_open(copy, &copied, &error));
        must(deliveries_match_canary(copied, "Ada Marsh", see, &seen, &error));
        assert_int_equal(seen.count, round);
        deliveries_close(copied);
    }
    assert_int_equal(unlink(copy), 0);
    assert_int_equal(deliveries_copy(deliveries, "/nowhere/at/all", &error), STATUS_IO);
    deliveries_close(deliveries);
}

static void commits_to_every_value(void **state)
{
    (void)state;
    uint8_t before[32], again[32], after[32];
    int64_t rows;
    struct canary canary = canary_of(1, "full_name", "Ada Marsh");
    struct deliveries *deliveries = open_file();
    must(deliveries_add(deliveries, &first, &error));
    must(deliveries_commitment(deliveries, first.id, before, &rows, &error));
    assert_int_equal(rows, 0);
    must(deliveries_add_canaries(deliveries, &canary, 1, &error));
    must(deliveries_commitment(deliveries, first.id, before, &rows, &error));
    must(deliveries_commitment(deliveries, first.id, again, &rows, &error));
    assert_int_equal(rows, 1);
    assert_memory_equal(before, again, 32);
    canary.row = 2;
    must(deliveries_add_canaries(deliveries, &canary, 1, &error));
    must(deliveries_commitment(deliveries, first.id, after, &rows, &error));
    assert_int_equal(rows, 2);
    assert_memory_not_equal(before, after, 32);
    deliveries_close(deliveries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_a_delivery_and_closes_it_once, fresh),
        cmocka_unit_test_setup(lists_the_newest_first, fresh),
        cmocka_unit_test_setup(finds_canaries_by_value, fresh),
        cmocka_unit_test_setup(is_copied_whole_beside_its_writer, fresh),
        cmocka_unit_test_setup(commits_to_every_value, fresh),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
