/* Containment: in force at once, kept over restarts and crashes, and whatever the disk does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static const struct registry_target north_mail = {.partner = "north-mail"};
static const int64_t noon_ns = 1790000000LL * 1000000000;

static void contain(struct registry *registry, const char *partner, const char *agent)
{
    struct error error = {0};
    const struct registry_target target = {.partner = partner, .agent = agent};
    if (registry_contain(registry, &target, "drill", "dpo", noon_ns, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static enum status restore(struct registry *registry, const char *partner, const char *agent,
                           struct error *error)
{
    const struct registry_target target = {.partner = partner, .agent = agent};
    return registry_restore(registry, &target, "done", "dpo", noon_ns + 1, error);
}

static enum status count_act(void *context, const struct registry_act *act)
{
    ++*(int *)context;
    return STATUS_OK;
}

/* In the C library's place, for SQLite too: so many of the next fail, and nothing else does. */
static int syncs_to_fail;

int fdatasync(int fd)
{
    if (syncs_to_fail > 0) {
        syncs_to_fail--;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* What another program does to the file behind our back. */
static int count_acts(void)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(fixture_path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, "SELECT count(*) FROM act", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return count;
}

static void contains_partners_and_agents(void **state)
{
    struct registry *registry = fixture_open();
    assert_false(registry_contained(registry, "north-mail", "sync", NULL));
    contain(registry, "north-mail", "sync");
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_false(registry_contained(registry, "north-mail", "job", NULL));
    assert_false(registry_contained(registry, "north-mail", NULL, NULL));
    assert_false(registry_contained(registry, "ringway", "sync", NULL));
    contain(registry, "north-mail", NULL);
    assert_true(registry_contained(registry, "north-mail", "job", NULL));
    assert_true(registry_contained(registry, "north-mail", NULL, NULL));
    assert_false(registry_contained(registry, "ringway", "job", NULL));
    registry_close(registry);
    registry_close(NULL);
}

static void restores_only_what_is_contained(void **state)
{
    struct registry *registry = fixture_open();
    struct error error = {0};
    assert_int_equal(restore(registry, "north-mail", NULL, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "north-mail is not contained");
    contain(registry, "north-mail", NULL);
    assert_int_equal(restore(registry, "north-mail", "sync", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "Restore the partner.");
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_int_equal(restore(registry, "north-mail", NULL, &error), STATUS_OK);
    assert_false(registry_contained(registry, "north-mail", "sync", NULL));
    registry_close(registry);
}

static void an_agents_own_containment_outlives_its_partners(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", "sync");
    contain(registry, "north-mail", NULL);
    assert_int_equal(restore(registry, "north-mail", NULL, NULL), STATUS_OK);
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_false(registry_contained(registry, "north-mail", "job", NULL));
    registry_close(registry);
}

static void survives_a_restart(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", NULL);
    contain(registry, "ringway", "desk");
    contain(registry, "statlab", NULL);
    assert_int_equal(restore(registry, "statlab", NULL, NULL), STATUS_OK);
    registry_close(registry);
    registry = fixture_open();
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_true(registry_contained(registry, "ringway", "desk", NULL));
    assert_false(registry_contained(registry, "ringway", "other", NULL));
    assert_false(registry_contained(registry, "statlab", "notebook", NULL));
    registry_close(registry);
    assert_int_equal(count_acts(), 4);
}

static void survives_a_crash(void **state)
{
    pid_t child = fork();
    if (child == 0) {
        struct registry *registry = NULL;
        int bad = registry_open(fixture_path, &registry, NULL) != STATUS_OK ||
                  registry_contain(registry, &north_mail, "", "", noon_ns, NULL) != STATUS_OK;
        _exit(bad); /* without closing: the log stays behind */
    }
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    struct registry *registry = fixture_open();
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    registry_close(registry);
}

static void containing_twice_keeps_the_first(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", NULL);
    uint64_t generation = registry_generation(registry);
    assert_int_equal(registry_contain(registry, &north_mail, "later", "other", noon_ns + 5, NULL),
                     STATUS_OK);
    assert_int_equal(registry_generation(registry), generation);
    struct table table;
    registry_list(registry, &table);
    assert_int_equal(table.row_count, 1);
    assert_string_equal(table.first->cells[4], "drill");
    table_free(&table);
    registry_close(registry);
    assert_int_equal(count_acts(), 1);
}

static void containing_again_withdraws_a_proposal(void **state)
{
    struct registry *registry = fixture_open();
    struct registry_containment found = {.proposed_by = ""};
    struct error error = {0};
    contain(registry, "north-mail", NULL);
    assert_int_equal(registry_propose(registry, &north_mail, "a mistake", "ann", noon_ns, &error),
                     STATUS_OK);
    assert_true(registry_find(registry, &north_mail, &found));
    assert_string_equal(found.proposed_by, "ann");
    assert_int_equal(registry_contain(registry, &north_mail, "none", "bob", noon_ns + 5, &error),
                     STATUS_OK);
    assert_true(registry_find(registry, &north_mail, &found));
    assert_string_equal(found.proposed_by, "");
    assert_string_equal(found.by, "dpo");
    registry_close(registry);
    assert_int_equal(count_acts(), 3);
    registry = fixture_open();
    assert_true(registry_find(registry, &north_mail, &found));
    assert_string_equal(found.proposed_by, "");
    registry_close(registry);
}

static void *restore_slowly(void *context)
{
    struct error error = {0};
    enum status status = restore(context, "north-mail", NULL, &error);
    return (void *)(intptr_t)status;
}

/* A restoration waits for the disk; somebody contains before it has been carried out. */
static void containing_beats_a_restoration_under_way(void **state)
{
    struct registry *registry = fixture_open();
    pthread_t thread;
    void *status = NULL;
    sqlite3 *holder = NULL;
    contain(registry, "north-mail", NULL);
    assert_int_equal(sqlite3_open(fixture_path, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(pthread_create(&thread, NULL, restore_slowly, registry), 0);
    usleep(300000);
    assert_int_equal(registry_enforce(registry, &north_mail, "again", "bob", noon_ns, NULL),
                     STATUS_OK);
    assert_int_equal(sqlite3_exec(holder, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(holder);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, STATUS_DENIED);
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_int_equal(registry_contain(registry, &north_mail, "again", "bob", noon_ns, NULL),
                     STATUS_OK);
    registry_close(registry);
    registry = fixture_open();
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    registry_close(registry);
}

static void the_generation_tells_of_changes(void **state)
{
    struct registry *registry = fixture_open();
    uint64_t before = registry_generation(registry);
    contain(registry, "north-mail", NULL);
    uint64_t contained = registry_generation(registry);
    assert_true(contained > before);
    assert_int_equal(restore(registry, "ringway", NULL, NULL), STATUS_NOT_FOUND);
    assert_int_equal(registry_generation(registry), contained);
    assert_int_equal(restore(registry, "north-mail", NULL, NULL), STATUS_OK);
    assert_true(registry_generation(registry) > contained);
    registry_close(registry);
}

static void lists_what_is_contained(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", NULL);
    contain(registry, "ringway", "desk");
    struct table table;
    registry_list(registry, &table);
    static const char *const columns[] = {"partner",         "agent",  "state",
                                          "since",           "reason", "by",
                                          "credential",      "tries",  "restore_proposed_by",
                                          "restore_proposed"};
    assert_int_equal(table.column_count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_string_equal(table.columns[i], columns[i]);
    assert_int_equal(table.row_count, 2);
    const struct table_row *row = table.first;
    assert_string_equal(row->cells[0], "north-mail");
    assert_null(row->cells[1]);
    assert_string_equal(row->cells[2], "contained");
    assert_string_equal(row->cells[3], "2026-09-21T14:13:20Z");
    assert_string_equal(row->cells[5], "dpo");
    assert_string_equal(row->next->cells[1], "desk");
    table_free(&table);
    registry_close(registry);
}

static void contains_even_if_it_cannot_be_stored(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "ringway", NULL);
    fixture_interfere("ALTER TABLE act RENAME TO elsewhere");
    struct error error = {0};
    assert_int_equal(registry_contain(registry, &north_mail, "drill", "dpo", noon_ns, &error),
                     STATUS_IO);
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    struct table table;
    registry_list(registry, &table);
    assert_string_equal(table.first->next->cells[2], "contained, not stored");
    table_free(&table);
    /* Nobody is let in again by an act that left no trace. */
    assert_int_equal(restore(registry, "ringway", NULL, &error), STATUS_IO);
    assert_true(registry_contained(registry, "ringway", "desk", NULL));

    fixture_interfere("ALTER TABLE elsewhere RENAME TO act");
    contain(registry, "north-mail", NULL); /* once more: now it is stored */
    registry_close(registry);
    registry = fixture_open();
    assert_true(registry_contained(registry, "north-mail", "sync", NULL));
    assert_true(registry_contained(registry, "ringway", "desk", NULL));
    registry_close(registry);
}

/* Nobody need contain again: what waits is stored as soon as it can, and at the end. */
static void what_could_not_be_stored_is_stored_late(void **state)
{
    static const struct registry_target ringway = {.partner = "ringway"};
    struct registry *registry = fixture_open();
    struct error error = {0};
    for (int at_end = 0; at_end < 2; at_end++) {
        const struct registry_target *target = at_end ? &ringway : &north_mail;
        fixture_interfere("ALTER TABLE containment RENAME TO elsewhere");
        assert_int_equal(registry_contain(registry, target, "drill", "dpo", noon_ns, &error),
                         STATUS_IO);
        registry_told(registry, target);
        assert_int_equal(registry_store_late(registry, &error), STATUS_IO);
        fixture_interfere("ALTER TABLE elsewhere RENAME TO containment");
        if (!at_end)
            assert_int_equal(registry_store_late(registry, &error), STATUS_OK);
        registry_close(registry);
        registry = fixture_open();
        assert_true(registry_contained(registry, target->partner, "sync", NULL));
    }
    /* What the ledger had been told of directly is not told again. */
    int handed_over = 0;
    assert_int_equal(registry_settle(registry, count_act, &handed_over, &error), STATUS_OK);
    assert_int_equal(handed_over, 0);
    registry_close(registry);
    assert_int_equal(count_acts(), 2);
}

/* The disk takes the writes and fails the sync. The process then dies before anything else. */
static void what_was_told_to_have_failed_does_not_come_back(void **state)
{
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", NULL);
    registry_close(registry);
    for (int failing = 1; failing <= 2; failing++) {
        pid_t child = fork();
        if (child == 0) {
            struct error error = {0};
            registry = fixture_open();
            contain(registry, "ringway", failing == 1 ? "one" : "two"); /* the log is begun */
            syncs_to_fail = failing;
            bool refused = restore(registry, "north-mail", NULL, &error) == STATUS_IO;
            if (failing == 2) /* the one that was to take its place, too: the next look does it */
                refused = refused && registry_store_late(registry, &error) == STATUS_OK;
            _exit(refused && registry_contained(registry, "north-mail", NULL, NULL) ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        registry = fixture_open();
        assert_true(registry_contained(registry, "north-mail", "sync", NULL));
        registry_close(registry);
    }
}

static void files_are_private(void **state)
{
    mode_t before = umask(0);
    struct registry *registry = fixture_open();
    contain(registry, "north-mail", NULL);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[sizeof fixture_path + 8];
        struct stat info;
        snprintf(name, sizeof name, "%s%s", fixture_path, suffixes[i]);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    umask(before);
    registry_close(registry);
}

static void refuses_files_that_are_not_its_own(void **state)
{
    struct registry *registry = NULL;
    struct error error = {0};
    FILE *file = fopen(fixture_path, "w");
    assert_non_null(file);
    for (int i = 0; i < 300; i++)
        fputs("this is no database. ", file);
    fclose(file);
    assert_int_equal(registry_open(fixture_path, &registry, &error), STATUS_CORRUPT);
    assert_null(registry);
    assert_non_null(strstr(error.message, "registry.sqlite"));

    fixture_fresh(NULL);
    registry_close(fixture_open());
    fixture_interfere("PRAGMA user_version = 999");
    assert_int_equal(registry_open(fixture_path, &registry, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "written by a newer version"));
    assert_int_equal(registry_open("/nonexistent/registry.sqlite", &registry, &error), STATUS_IO);
}

struct readers {
    struct registry *registry;
    atomic_bool stop;
    atomic_int wrong;
};

static void *read_all_the_time(void *context)
{
    struct readers *readers = context;
    while (!atomic_load(&readers->stop)) {
        if (!registry_contained(readers->registry, "always", "agent", NULL) ||
            registry_contained(readers->registry, "never", "agent", NULL))
            atomic_fetch_add(&readers->wrong, 1);
        registry_contained(readers->registry, "sometimes", "agent", NULL);
    }
    return NULL;
}

static void readers_see_whole_states(void **state)
{
    struct readers readers = {.registry = fixture_open()};
    contain(readers.registry, "always", NULL);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all_the_time, &readers), 0);
    for (int i = 0; i < 50; i++) {
        contain(readers.registry, "sometimes", NULL);
        assert_int_equal(restore(readers.registry, "sometimes", NULL, NULL), STATUS_OK);
    }
    atomic_store(&readers.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&readers.wrong), 0);
    registry_close(readers.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(contains_partners_and_agents, fixture_fresh),
        cmocka_unit_test_setup(restores_only_what_is_contained, fixture_fresh),
        cmocka_unit_test_setup(an_agents_own_containment_outlives_its_partners, fixture_fresh),
        cmocka_unit_test_setup(survives_a_restart, fixture_fresh),
        cmocka_unit_test_setup(survives_a_crash, fixture_fresh),
        cmocka_unit_test_setup(containing_twice_keeps_the_first, fixture_fresh),
        cmocka_unit_test_setup(containing_again_withdraws_a_proposal, fixture_fresh),
        cmocka_unit_test_setup(containing_beats_a_restoration_under_way, fixture_fresh),
        cmocka_unit_test_setup(the_generation_tells_of_changes, fixture_fresh),
        cmocka_unit_test_setup(lists_what_is_contained, fixture_fresh),
        cmocka_unit_test_setup(contains_even_if_it_cannot_be_stored, fixture_fresh),
        cmocka_unit_test_setup(what_could_not_be_stored_is_stored_late, fixture_fresh),
        cmocka_unit_test_setup(what_was_told_to_have_failed_does_not_come_back, fixture_fresh),
        cmocka_unit_test_setup(files_are_private, fixture_fresh),
        cmocka_unit_test_setup(refuses_files_that_are_not_its_own, fixture_fresh),
        cmocka_unit_test_setup(readers_see_whole_states, fixture_fresh),
    };
    return cmocka_run_group_tests(tests, fixture_make_folder, fixture_remove_folder);
}
