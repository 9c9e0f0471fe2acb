/* Opening, appending, waiting, closing and reopening; segments; column sets; two owners. */
#include "folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "ledger/frame.h"
#include "ledger/segment.h"

struct replayed {
    uint64_t count, recovered, last_segment, side_bytes, policy_bytes;
    char last_text[64], last_side[64];
};

static enum status note(void *context, uint64_t sequence, const struct ledger_entry *entry,
                        struct slice side, uint64_t segment, struct error *error)
{
    struct replayed *replayed = context;
    assert_int_equal(sequence, replayed->count);
    assert_true(segment >= replayed->last_segment);
    assert_int_equal(entry->node.len, 6);
    replayed->count++;
    replayed->last_segment = segment;
    replayed->recovered += entry->type == LEDGER_RECOVERED;
    replayed->side_bytes += side.len;
    replayed->policy_bytes += entry->type == LEDGER_POLICY ? entry->text.len : 0;
    snprintf(replayed->last_text, sizeof replayed->last_text, "%.*s", (int)entry->text.len,
             (const char *)entry->text.data);
    if (side.len > 0)
        snprintf(replayed->last_side, sizeof replayed->last_side, "%.*s:%.*s", (int)entry->text.len,
                 (const char *)entry->text.data, (int)side.len, (const char *)side.data);
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

/* Stopping and starting without entries leaves the log as it is. */
static void idle_restarts_write_nothing(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct ledger_state before, after;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    append_text(ledger, "one");
    ledger_close(ledger);
    ledger = reopen(&folder, &replayed);
    ledger_state(ledger, &before);
    ledger_close(ledger);
    for (int i = 0; i < 5; i++)
        ledger_close(reopen(&folder, &replayed));
    ledger = reopen(&folder, &replayed);
    ledger_state(ledger, &after);
    ledger_close(ledger);
    assert_int_equal(before.bytes, after.bytes);
    assert_int_equal(replayed.count, 1);
    folder_remove(&folder);
}

static void fill(struct ledger *ledger, size_t entries, size_t bytes)
{
    static char text[50000];
    struct ledger_entry entry = {.type = LEDGER_POLICY};
    memset(text, 'p', sizeof text);
    entry.text = slice_of(text, bytes);
    for (size_t i = 0; i < entries; i++) {
        uint64_t sequence;
        struct error error = {0};
        int tries = 0; /* the keeper may still be at the spare */
        while (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK) {
            if (++tries == 10000)
                fail_msg("append %zu: %s", i, error.message);
            usleep(1000);
        }
        ledger_wait(ledger, sequence);
    }
}

static void a_log_goes_on_over_many_segments(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct ledger_state ledger_now, again;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    fill(ledger, 20, 50000);
    fill(ledger, 3, 100);
    ledger_state(ledger, &ledger_now);
    assert_int_equal(ledger_now.entries, 23);
    assert_true(ledger_now.segments >= 10);
    assert_int_equal(ledger_now.current_segment, ledger_now.segments);
    assert_false(ledger_now.full);
    ledger_close(ledger);
    ledger = reopen(&folder, &replayed);
    assert_int_equal(replayed.count, 23);
    assert_int_equal(replayed.policy_bytes, 20 * 50000 + 300);
    assert_int_equal(replayed.last_segment, ledger_now.segments);
    ledger_state(ledger, &again);
    assert_int_equal(again.segments, ledger_now.segments);
    assert_memory_equal(again.root, ledger_now.root, sizeof again.root);
    ledger_close(ledger);
    folder_remove(&folder);
}

static void side_sections_come_back_with_their_entry(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct error error = {0};
    uint64_t sequence;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    append_text(ledger, "a");
    struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text("b")};
    assert_status(ledger_append(ledger, &entry, slice_of_text("sealed keys"), &sequence, &error),
                  STATUS_OK);
    append_text(ledger, "c");
    ledger_close(ledger);
    ledger_close(reopen(&folder, &replayed));
    assert_int_equal(replayed.count, 3);
    assert_int_equal(replayed.side_bytes, 11);
    assert_string_equal(replayed.last_side, "b:sealed keys");
    folder_remove(&folder);
}

static void what_cannot_fit_is_refused_and_not_queued(void **state)
{
    static uint8_t bytes[FRAME_SIDE_BYTES + 1];
    struct test_folder folder;
    struct replayed replayed;
    struct error error = {0};
    uint64_t sequence = 77;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    struct ledger_entry entry = {.type = LEDGER_ACT};
    assert_status(ledger_append(ledger, &entry, slice_of(bytes, sizeof bytes), &sequence, &error),
                  STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    assert_status(
        ledger_append(ledger, &entry, slice_of(bytes, TEST_SEGMENT_BYTES), &sequence, &error),
        STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    entry.text = slice_of(bytes, LIMIT_LEDGER_ENTRY_BYTES);
    assert_status(ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error),
                  STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    assert_int_equal(sequence, 77);
    assert_int_equal(append_text(ledger, "first"), 0);
    ledger_close(ledger);
    folder_remove(&folder);
}

static void column_sets_keep_their_ids_over_restarts(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct error error = {0};
    uint32_t id;
    char text[64];
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 1; i <= 300; i++) {
            snprintf(text, sizeof text, "customer.column_%u:clear:name\n", i);
            assert_status(ledger_column_set(ledger, text, &id, &error), STATUS_OK);
            assert_int_equal(id, i);
            assert_string_equal(ledger_column_set_text(ledger, id), text);
        }
        assert_null(ledger_column_set_text(ledger, 0));
        assert_null(ledger_column_set_text(ledger, 301));
        ledger_close(ledger);
        ledger = reopen(&folder, &replayed);
        assert_int_equal(replayed.count, 300);
    }
    ledger_close(ledger);
    folder_remove(&folder);
}

static void a_second_owner_is_refused(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    pid_t child = fork();
    if (child == 0) {
        struct ledger_options options = test_options(&folder);
        struct ledger *second;
        struct error error = {0};
        enum status status = ledger_open(&options, &second, &error);
        _exit(status == STATUS_DENIED && strcmp(error.sqlstate, "55006") == 0 ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    append_text(ledger, "still ours");
    ledger_close(ledger);
    ledger_close(reopen(&folder, &replayed));
    assert_int_equal(replayed.count, 1);
    folder_remove(&folder);
}

static void wrong_options_are_told(void **state)
{
    struct test_folder folder;
    struct ledger *ledger;
    struct error error = {0};
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    options.segment_bytes = TEST_SEGMENT_BYTES + 1;
    assert_status(ledger_open(&options, &ledger, &error), STATUS_INVALID);
    options.segment_bytes = TEST_SEGMENT_BYTES - 4096;
    assert_status(ledger_open(&options, &ledger, &error), STATUS_INVALID);
    options = test_options(&folder);
    options.node = "a-node-whose-name-is-much-longer-than-the-sixty-three-bytes-allowed";
    assert_status(ledger_open(&options, &ledger, &error), STATUS_INVALID);
    folder_remove(&folder);
}

static enum status refuse_third(void *context, uint64_t sequence, const struct ledger_entry *entry,
                                struct slice side, uint64_t segment, struct error *error)
{
    return sequence < 2 ? STATUS_OK
                        : error_set(error, STATUS_IO, "58030", NULL, "the replay's own reason");
}

static void a_failing_replay_fails_the_opening(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct error error = {0};
    folder_make(&folder);
    struct ledger *ledger = reopen(&folder, &replayed);
    append_text(ledger, "a");
    append_text(ledger, "b");
    append_text(ledger, "c");
    ledger_close(ledger);
    struct ledger_options options = test_options(&folder);
    options.replay = refuse_third;
    assert_status(ledger_open(&options, &ledger, &error), STATUS_IO);
    assert_string_equal(error.message, "the replay's own reason");
    ledger_close(reopen(&folder, &replayed));
    assert_int_equal(replayed.count, 3);
    folder_remove(&folder);
}

enum { THREADS = 8, PER_THREAD = 500 };

struct crowd {
    struct ledger *ledger;
    _Atomic uint64_t seen; /* highest durable sequence told to the subscriber */
    _Atomic int calls;
};

static void *append_many(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < PER_THREAD; i++) {
        uint64_t sequence = append_text(crowd->ledger, "crowd");
        if (i % 50 == 0) {
            ledger_wait(crowd->ledger, sequence);
            assert_true(ledger_durable(crowd->ledger) > sequence);
        }
    }
    return NULL;
}

static void hear(void *context)
{
    struct crowd *crowd = context;
    uint64_t durable = ledger_durable(crowd->ledger);
    assert_true(durable > atomic_load(&crowd->seen));
    atomic_store(&crowd->seen, durable);
    atomic_fetch_add(&crowd->calls, 1);
}

static void many_threads_share_the_syncs(void **state)
{
    struct test_folder folder;
    struct replayed replayed;
    struct ledger_state now;
    pthread_t threads[THREADS];
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    options.segment_bytes = 4 << 20;
    options.pace_us = 1000;
    struct crowd crowd = {.ledger = open_ok(&options)};
    ledger_subscribe(crowd.ledger, hear, &crowd);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ledger_wait(crowd.ledger, THREADS * PER_THREAD - 1);
    ledger_state(crowd.ledger, &now);
    ledger_close(crowd.ledger);
    assert_int_equal(now.entries, THREADS * PER_THREAD);
    assert_int_equal(atomic_load(&crowd.seen), THREADS * PER_THREAD);
    assert_int_equal(atomic_load(&crowd.calls), now.syncs);
    assert_true(now.syncs < THREADS * PER_THREAD / 4);
    ledger_close(reopen(&folder, &replayed));
    assert_int_equal(replayed.count, THREADS * PER_THREAD);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_entries_come_back_in_order),
        cmocka_unit_test(idle_restarts_write_nothing),
        cmocka_unit_test(a_log_goes_on_over_many_segments),
        cmocka_unit_test(side_sections_come_back_with_their_entry),
        cmocka_unit_test(what_cannot_fit_is_refused_and_not_queued),
        cmocka_unit_test(column_sets_keep_their_ids_over_restarts),
        cmocka_unit_test(a_second_owner_is_refused),
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(a_failing_replay_fails_the_opening),
        cmocka_unit_test(many_threads_share_the_syncs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
