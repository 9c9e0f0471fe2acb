/* Where people stand over several notices: the newest that has a person decides, and whoever is in
 * an earlier one alone is not forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "incident/standing.h"

static char folder[] = "/tmp/cofferdam-standing-XXXXXX";
static char path[sizeof folder + 32];

#define OK(call)                                                                                   \
    do {                                                                                           \
        enum status ok_ = (call);                                                                  \
        if (ok_ != STATUS_OK)                                                                      \
            fail_msg("%s: %s: %s", #call, status_name(ok_), error.message);                        \
    } while (0)

static int make_folder(void **state)
{
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/outbox.sqlite", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    char name[sizeof path + 8];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    return rmdir(folder);
}

/* One person of a notice, as far as it came. */
static void settle(struct outbox *outbox, int64_t notice, uint32_t id, enum outbox_state state,
                   int64_t now_ns)
{
    struct error error = {0};
    OK(outbox_settle(outbox, notice, id, state, "250", now_ns, 0, &error));
}

static void fill(struct outbox *outbox, int64_t notice, const uint32_t *ids, size_t count)
{
    struct error error = {0};
    struct outbox_person people[8] = {0};
    struct outbox_turn turns[8];
    size_t offered;
    for (size_t i = 0; i < count; i++)
        people[i].id = ids[i];
    OK(outbox_fill(outbox, notice, people, count, &error));
    OK(outbox_offer(outbox, notice, 1, turns, 8, &offered, &error));
    assert_int_equal(offered, count);
}

static void the_newest_notice_decides(void **state)
{
    static const uint32_t all[] = {2, 3, 9000, 5}, again[] = {3, 9001};
    struct error error = {0};
    struct outbox *outbox = NULL;
    struct standing *standing = NULL;
    struct standing_counts counts;
    OK(outbox_open(path, true, &outbox, &error));
    fill(outbox, 1, all, 4);
    settle(outbox, 1, 2, OUTBOX_LETTER, 100);
    settle(outbox, 1, 3, OUTBOX_LETTER, 200);
    settle(outbox, 1, 9000, OUTBOX_PUBLIC, 300);
    settle(outbox, 1, 5, OUTBOX_SILENT, 400);
    fill(outbox, 2, again, 2);
    settle(outbox, 2, 3, OUTBOX_PUBLIC, 500);
    settle(outbox, 2, 9001, OUTBOX_LETTER, 600);
    OK(standing_open(outbox, 2, &standing, &error));
    standing_count(standing, &counts);
    assert_int_equal(counts.total, 5);
    assert_int_equal(counts.states[OUTBOX_LETTER], 2); /* 2 of the first notice, 9001 */
    assert_int_equal(counts.states[OUTBOX_PUBLIC], 2);
    assert_int_equal(counts.states[OUTBOX_SILENT], 1);
    assert_int_equal(counts.newest_ns[OUTBOX_LETTER], 600);
    assert_true(standing_is_newest(standing, 1, 2));
    assert_false(standing_is_newest(standing, 1, 3));
    assert_true(standing_is_newest(standing, 2, 3));
    assert_false(standing_is_newest(standing, 1, 4)); /* in none */
    assert_false(standing_is_newest(standing, 2, 4000000));
    standing_close(standing);
    OK(standing_open(outbox, 1, &standing, &error));
    standing_count(standing, &counts);
    assert_int_equal(counts.total, 4);
    assert_int_equal(counts.states[OUTBOX_LETTER], 2);
    standing_close(standing);
    outbox_close(outbox);
}

/* What staff decided not to send was not sent. */
static void what_is_waived_is_not_done(void **state)
{
    static const char *const columns[] = {"number", "at", "by", "step", "reason", NULL};
    struct standing_counts counts = {
        .total = 7, .states = {[OUTBOX_LETTER] = 4, [OUTBOX_BOUNCED] = 1, [OUTBOX_PUBLIC] = 2}};
    struct standing_open_ends open;
    struct table decisions;
    table_init(&decisions, 1 << 16, columns);
    struct table_row *row = table_add(&decisions);
    table_set(&decisions, row, 1, "2026-11-22T12:00:00Z");
    table_set(&decisions, row, 3, "waive letters");
    standing_open_ends(&counts, &decisions, &open);
    assert_int_equal(open.letters, 0);
    assert_int_equal(open.letters_waived, 5);
    assert_false(open.letters_after_some);
    assert_int_equal(open.public_notices, 2);
    assert_int_equal(open.public_waived, 0);
    row = table_add(&decisions);
    table_set(&decisions, row, 1, "2026-11-22T11:00:00Z");
    table_set(&decisions, row, 3, "letters");
    standing_open_ends(&counts, &decisions, &open); /* the letters had gone out before */
    assert_int_equal(open.letters_waived, 0);
    counts.newest_ns[OUTBOX_BOUNCED] = INT64_C(1795347000) * 1000000000; /* half past eleven */
    standing_open_ends(&counts, &decisions, &open);
    assert_int_equal(open.letters, 0);
    assert_int_equal(open.letters_waived, 5);
    assert_true(open.letters_after_some);
    table_free(&decisions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_notice_decides),
        cmocka_unit_test(what_is_waived_is_not_done),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
