/* Opening, appending, waiting, closing and reopening; column sets; two owners; a full disk. */
#include "folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct replayed {
    uint64_t count, recovered, last_segment, sides;
    char last_text[64];
};

static enum status note(void *context, uint64_t sequence, const struct ledger_entry *entry,
                        struct slice side, uint64_t segment, struct error *error)
{
    struct replayed *replayed = context;
    assert_int_equal(sequence, replayed->count);
    assert_true(segment >= replayed->last_segment);
    replayed->count++;
    replayed->last_segment = segment;
    replayed->recovered += entry->type == LEDGER_RECOVERED;
    replayed->sides += side.len;
    snprintf(replayed->last_text, sizeof replayed->last_text, "%.*s", (int)entry->text.len,
             (const char *)entry->text.data);
    return STATUS_OK;
}

static struct ledger *reopen(const struct test_folder *folder, struct replayed *replayed)
{
    struct ledger_options options = test_options(folder);
    *replayed = (struct replayed){0};
    options.replay = note;
    options.replay_context = replayed;
    return open_ok(&options);
}

static void appended_entries_come_back_in_order(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    assert_int_equal(replayed.count, 0);
    assert_int_equal(ledger_durable(ledger), 0);
    for (uint64_t i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof text, "entry %d", (int)i);
        assert_int_equal(append_text(ledger, text), i);
    }
    ledger_wait(ledger, 9);
    assert_int_equal(ledger_durable(ledger), 10);
    ledger_close(ledger);
    ledger = reopen(&folder, &replayed);
    assert_int_equal(replayed.count, 10);
    assert_int_equal(replayed.recovered, 0);
    assert_string_equal(replayed.last_text, "entry 9");
    assert_int_equal(append_text(ledger, "later"), 10);
    ledger_close(ledger);
    ledger_close(reopen(&folder, &replayed));
    assert_int_equal(replayed.count, 11);
    assert_int_equal(replayed.recovered, 0);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_entries_come_back_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
