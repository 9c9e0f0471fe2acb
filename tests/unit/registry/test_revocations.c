/* Revocations: one credential of one issuer, at once, over restarts, and whatever the disk does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "registry/revocations.h"

static const int64_t noon_ns = 1790000000LL * 1000000000;
static const uint8_t ours[32] = {1, 2, 3}, theirs[32] = {1, 2, 4};

static enum status revoke_one(struct registry *registry, const uint8_t *issuer, const char *id,
                              struct error *error)
{
    struct credential_name name = {.issuer = issuer, .id = id};
    return registry_revoke(registry, &name, "lost", "dpo", noon_ns, error);
}

static void one_credential_of_one_issuer(void **state)
{
    struct error error = {0};
    struct registry *registry = fixture_open();
    uint64_t before = registry_generation(registry);
    assert_false(registry_revoked(registry, ours, "0a"));
    assert_int_equal(revoke_one(registry, ours, "0a", &error), STATUS_OK);
    assert_true(registry_revoked(registry, ours, "0a"));
    assert_false(registry_revoked(registry, ours, "0b"));
    assert_false(registry_revoked(registry, ours, "a"));
    assert_false(registry_revoked(registry, theirs, "0a"));
    assert_true(registry_generation(registry) > before);
    registry_close(registry);
}

static void it_outlives_a_restart_and_is_final(void **state)
{
    struct error error = {0};
    struct registry *registry = fixture_open();
    for (int i = 0; i < 500; i++) {
        char id[20];
        snprintf(id, sizeof id, "%x", i);
        assert_int_equal(revoke_one(registry, ours, id, &error), STATUS_OK);
    }
    registry_close(registry);
    registry = fixture_open();
    assert_true(registry_revoked(registry, ours, "0") && registry_revoked(registry, ours, "1f3"));
    assert_false(registry_revoked(registry, ours, "1f4"));
    struct credential_name again = {.issuer = ours, .id = "1f3"};
    assert_int_equal(registry_revoke(registry, &again, "another", "x", noon_ns + 5, &error),
                     STATUS_OK);
    struct table table;
    registry_list_revoked(registry, &table);
    assert_int_equal(table.row_count, 500);
    assert_string_equal(table.last->cells[3], "lost");
    assert_string_equal(table.last->cells[5], "yes");
    table_free(&table);
    registry_close(registry);
}

static void ids_that_are_none_are_refused(void **state)
{
    char long_id[REVOCATION_ID_BYTES + 2];
    memset(long_id, 'a', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    const char *const ids[] = {"", "0A", "xyz", "0a ", long_id};
    struct registry *registry = fixture_open();
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct error error = {0};
        assert_int_equal(revoke_one(registry, ours, ids[i], &error), STATUS_INVALID);
    }
    struct error error = {0};
    assert_int_equal(revoke_one(registry, ours, long_id + 1, &error), STATUS_OK);
    registry_close(registry);
}

/* The disk refuses: in force all the same, told, and stored by the next try. */
static void it_is_in_force_though_the_disk_fails(void **state)
{
    struct error error = {0};
    struct registry *registry = fixture_open();
    fixture_interfere("ALTER TABLE revocation RENAME TO gone");
    assert_int_not_equal(revoke_one(registry, ours, "77", &error), STATUS_OK);
    assert_true(registry_revoked(registry, ours, "77"));
    assert_int_not_equal(revoke_one(registry, ours, "78", &error), STATUS_OK);
    assert_int_not_equal(registry_store_late(registry, &error), STATUS_OK);
    fixture_interfere("ALTER TABLE gone RENAME TO revocation");
    assert_int_equal(revoke_one(registry, ours, "77", &error), STATUS_OK);
    assert_int_equal(registry_store_late(registry, &error), STATUS_OK);
    fixture_interfere("UPDATE revocation SET reason = 'no more to be stored'");
    registry_close(registry);
    registry = fixture_open();
    assert_true(registry_revoked(registry, ours, "77"));
    assert_true(registry_revoked(registry, ours, "78"));
    registry_close(registry);
}

static void *revoke_slowly(void *registry)
{
    struct error error = {0};
    return (void *)(intptr_t)revoke_one(registry, ours, "79", &error);
}

static void *revoke_another(void *registry)
{
    struct error error = {0};
    return (void *)(intptr_t)revoke_one(registry, ours, "80", &error);
}

/* Somebody holds the file: it is in force at once, and stored when it can be. */
static void it_waits_for_no_disk(void **state)
{
    struct registry *registry = fixture_open();
    sqlite3 *holder = NULL;
    pthread_t thread;
    void *status;
    assert_int_equal(sqlite3_open(fixture_path, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(pthread_create(&thread, NULL, revoke_slowly, registry), 0);
    for (int i = 0; i < 500 && !registry_revoked(registry, ours, "79"); i++)
        usleep(1000);
    assert_true(registry_revoked(registry, ours, "79"));
    pthread_t second; /* and a second one does not wait for the first to be stored */
    assert_int_equal(pthread_create(&second, NULL, revoke_another, registry), 0);
    for (int i = 0; i < 500 && !registry_revoked(registry, ours, "80"); i++)
        usleep(1000);
    assert_true(registry_revoked(registry, ours, "80"));
    assert_int_equal(sqlite3_exec(holder, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(holder);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((intptr_t)status, STATUS_OK);
    assert_int_equal(pthread_join(second, &status), 0);
    assert_int_equal((intptr_t)status, STATUS_OK);
    registry_close(registry);
}

static void a_damaged_revocation_is_not_passed_over(void **state)
{
    registry_close(fixture_open());
    fixture_interfere("INSERT INTO revocation VALUES ('00', '77', 1, 'r', 'b')");
    struct registry *registry = NULL;
    struct error error = {0};
    assert_int_equal(registry_open(fixture_path, &registry, &error), STATUS_CORRUPT);
}

/* A file of the version that knew of containment alone. */
static void an_older_file_is_migrated(void **state)
{
    struct error error = {0};
    fixture_interfere(
        "CREATE TABLE containment (partner TEXT NOT NULL, agent TEXT NOT NULL, since_ns "
        "INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (partner, "
        "agent)) STRICT; CREATE TABLE act (act_id INTEGER PRIMARY KEY, at_ns INTEGER NOT "
        "NULL, verb TEXT NOT NULL CHECK (verb IN ('contain', 'restore')), partner TEXT NOT "
        "NULL, agent TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL) STRICT;"
        "INSERT INTO containment VALUES ('clinic', '', 1, 'drill', 'dpo');"
        "PRAGMA user_version = 1");
    chmod(fixture_path, 0600);
    struct registry *registry = fixture_open();
    assert_true(registry_contained(registry, "clinic", "app", NULL));
    assert_int_equal(revoke_one(registry, ours, "0a", &error), STATUS_OK);
    registry_close(registry);
}

#define case_of(name) cmocka_unit_test_setup(name, fixture_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(one_credential_of_one_issuer),  case_of(it_outlives_a_restart_and_is_final),
        case_of(ids_that_are_none_are_refused), case_of(it_is_in_force_though_the_disk_fails),
        case_of(it_waits_for_no_disk),          case_of(a_damaged_revocation_is_not_passed_over),
        case_of(an_older_file_is_migrated),
    };
    return cmocka_run_group_tests(tests, fixture_make_folder, fixture_remove_folder);
}
