/* Case files: what is written is there for the next process, and only what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry/incidents.h"

static char parent[] = "/tmp/cofferdam-incidents-XXXXXX";
static char folder[sizeof parent + 32];
static struct arena arena;
static const int64_t noon_ns = 1790000000LL * 1000000000;

static int make_parent(void **state)
{
    arena_init(&arena, 1024 * 1024);
    return mkdtemp(parent) == NULL;
}

static void remove_all(void)
{
    static const char *const names[] = {"incidents.sqlite",
                                        "incidents.sqlite-wal",
                                        "incidents.sqlite-shm",
                                        "reference.key",
                                        "1/report",
                                        "1",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[sizeof folder + 64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static int remove_parent(void **state)
{
    remove_all();
    arena_free(&arena);
    return rmdir(parent);
}

static int fresh(void **state)
{
    snprintf(folder, sizeof folder, "%s/incidents", parent);
    remove_all();
    return 0;
}

static struct incidents *open_incidents(void)
{
    struct incidents *incidents = NULL;
    struct error error = {0};
    if (incidents_open(folder, &incidents, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return incidents;
}

static int64_t create(struct incidents *incidents, const char *partner)
{
    struct incident incident = {.partner = partner,
                                .suspect = "agent:sync",
                                .opened_by = "dpo",
                                .noticed_ns = noon_ns,
                                .opened_ns = noon_ns + 60,
                                .from_ns = INT64_MIN,
                                .to_ns = INT64_MIN,
                                .contained_ns = noon_ns + 61,
                                .closed_ns = INT64_MIN};
    struct incident_phase phase = {.at_ns = noon_ns, .cutoff = 77, .by = "dpo", .reason = "opened"};
    memset(phase.root, 0xab, sizeof phase.root);
    int64_t number = 0;
    struct error error = {0};
    if (incidents_create(incidents, &incident, &phase, &number, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return number;
}

static void keeps_an_incident(void **state)
{
    struct incidents *incidents = open_incidents();
    assert_int_equal(create(incidents, "north-mail"), 1);
    assert_int_equal(create(incidents, "ringway"), 2);
    incidents_close(incidents);
    incidents_close(NULL);
    incidents = open_incidents();
    struct incident incident;
    assert_int_equal(incidents_get(incidents, 1, &arena, &incident, NULL), STATUS_OK);
    assert_string_equal(incident.partner, "north-mail");
    assert_string_equal(incident.suspect, "agent:sync");
    assert_null(incident.report_name);
    assert_true(incident.noticed_ns == noon_ns && incident.contained_ns == noon_ns + 61);
    assert_true(incident.from_ns == INT64_MIN && incident.closed_ns == INT64_MIN);
    assert_int_equal(incidents_set_closed(incidents, 1, noon_ns + 99, NULL), STATUS_OK);
    assert_int_equal(incidents_get(incidents, 1, &arena, &incident, NULL), STATUS_OK);
    assert_true(incident.closed_ns == noon_ns + 99);
    struct table table;
    assert_int_equal(incidents_list(incidents, &table, NULL), STATUS_OK);
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.first->cells[2], "2026-09-21T14:13:20Z");
    assert_null(table.last->cells[5]);
    assert_string_equal(table.last->cells[6], "1");
    table_free(&table);
    incidents_close(incidents);
}

static void tells_which_incidents_there_are(void **state)
{
    struct incidents *incidents = open_incidents();
    struct incident incident;
    struct error error = {0};
    assert_int_equal(incidents_get(incidents, 1, &arena, &incident, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "there are none yet");
    create(incidents, "north-mail");
    create(incidents, "north-mail");
    assert_int_equal(incidents_get(incidents, 7, &arena, &incident, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "there is no incident 7");
    assert_string_equal(error.hint, "there are: 2, 1");
    assert_int_equal(incidents_set_contained(incidents, 7, noon_ns, NULL), STATUS_NOT_FOUND);
    struct incident_phase phase = {.by = "dpo", .reason = "x"};
    assert_int_equal(incidents_add_phase(incidents, 7, &phase, NULL), STATUS_NOT_FOUND);
    incidents_close(incidents);
}

static void phases_follow_each_other(void **state)
{
    struct incidents *incidents = open_incidents();
    create(incidents, "north-mail");
    struct incident_phase phase = {.at_ns = noon_ns, .cutoff = 99, .by = "dpo", .reason = "more"};
    assert_int_equal(incidents_add_phase(incidents, 1, &phase, NULL), STATUS_OK);
    assert_int_equal(phase.number, 2);
    struct incident_phase read;
    assert_int_equal(incidents_get_phase(incidents, 1, 0, &arena, &read, NULL), STATUS_OK);
    assert_int_equal(read.number, 2);
    assert_int_equal(read.cutoff, 99);
    assert_null(read.scope_sha256);
    assert_int_equal(incidents_get_phase(incidents, 1, 1, &arena, &read, NULL), STATUS_OK);
    assert_int_equal(read.cutoff, 77);
    assert_int_equal(read.root[31], 0xab);
    struct error error = {0};
    assert_int_equal(incidents_get_phase(incidents, 1, 3, &arena, &read, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "incident 1 has no phase 3");
    struct table table;
    assert_int_equal(incidents_phases(incidents, 1, &table, NULL), STATUS_OK);
    assert_int_equal(table.row_count, 2);
    assert_int_equal(strlen(table.first->cells[3]), 64);
    assert_int_equal(strncmp(table.first->cells[3], "abab", 4), 0);
    table_free(&table);
    incidents_close(incidents);
}

static void a_scope_is_fixed_once(void **state)
{
    struct incidents *incidents = open_incidents();
    create(incidents, "north-mail");
    assert_int_equal(incidents_set_scope(incidents, 1, 1, "aa", NULL), STATUS_OK);
    assert_int_equal(incidents_set_scope(incidents, 1, 1, "aa", NULL), STATUS_OK);
    assert_int_equal(incidents_set_scope(incidents, 1, 1, "bb", NULL), STATUS_CORRUPT);
    struct incident_phase read;
    assert_int_equal(incidents_get_phase(incidents, 1, 0, &arena, &read, NULL), STATUS_OK);
    assert_string_equal(read.scope_sha256, "aa");
    incidents_close(incidents);
}

static void keeps_what_is_written_down(void **state)
{
    struct incidents *incidents = open_incidents();
    create(incidents, "north-mail");
    const char *value = "";
    assert_int_equal(incidents_get_fact(incidents, 1, "how", &arena, &value, NULL), STATUS_OK);
    assert_null(value);
    assert_int_equal(incidents_set_fact(incidents, 1, "how", "phish", "dpo", 1, NULL), STATUS_OK);
    assert_int_equal(incidents_set_fact(incidents, 1, "how", "VPN", "dpo", 2, NULL), STATUS_OK);
    assert_int_equal(incidents_get_fact(incidents, 1, "how", &arena, &value, NULL), STATUS_OK);
    assert_string_equal(value, "VPN");
    struct incident_decision decision = {
        .at_ns = noon_ns, .by = "dpo", .step = "scope", .why = "new list", .sequence = 12};
    assert_int_equal(incidents_add_decision(incidents, 1, &decision, NULL), STATUS_OK);
    struct incident_filing filing = {
        .authority = "ico", .reference = "IC-1", .by = "dpo", .at_ns = noon_ns, .phase = 1};
    assert_int_equal(incidents_add_filing(incidents, 1, &filing, NULL), STATUS_OK);
    struct incident_evidence evidence = {
        .name = "report", .sha256 = "cc", .by = "dpo", .what = "their notice", .at_ns = noon_ns};
    assert_int_equal(incidents_add_evidence(incidents, 1, &evidence, NULL), STATUS_OK);
    assert_int_equal(incidents_add_evidence(incidents, 1, &evidence, NULL), STATUS_INVALID);
    struct table table;
    assert_int_equal(incidents_facts(incidents, 1, &table, NULL), STATUS_OK);
    assert_int_equal(table.row_count, 1);
    assert_string_equal(table.first->cells[1], "VPN");
    table_free(&table);
    assert_int_equal(incidents_decisions(incidents, 1, &table, NULL), STATUS_OK);
    assert_string_equal(table.first->cells[5], "12");
    table_free(&table);
    assert_int_equal(incidents_filings(incidents, 1, &table, NULL), STATUS_OK);
    assert_string_equal(table.first->cells[1], "IC-1");
    assert_null(table.first->cells[5]);
    table_free(&table);
    assert_int_equal(incidents_evidence(incidents, 1, &table, NULL), STATUS_OK);
    assert_string_equal(table.first->cells[2], "their notice");
    table_free(&table);
    assert_int_not_equal(incidents_set_fact(incidents, 5, "how", "x", "dpo", 1, NULL), STATUS_OK);
    incidents_close(incidents);
}

static enum status add_up(void *context, const struct incident_confirmation *confirmation,
                          struct error *error)
{
    uint64_t *sum = context;
    for (uint64_t i = 0; i < confirmation->matched; i++)
        *sum += confirmation->ids[i];
    *sum += confirmation->unmatched * 1000000;
    return STATUS_OK;
}

static void keeps_confirmations_by_phase(void **state)
{
    struct incidents *incidents = open_incidents();
    create(incidents, "north-mail");
    static const uint32_t ids[] = {3, 70000};
    struct incident_confirmation confirmation = {.source_name = "sample.csv",
                                                 .source_sha256 = "dd",
                                                 .by = "dpo",
                                                 .at_ns = noon_ns,
                                                 .phase = 1,
                                                 .lines = 3,
                                                 .matched = 2,
                                                 .unmatched = 1,
                                                 .ids = ids};
    assert_int_equal(incidents_add_confirmation(incidents, 1, &confirmation, NULL), STATUS_OK);
    confirmation.phase = 2;
    confirmation.matched = 0;
    confirmation.ids = NULL;
    assert_int_equal(incidents_add_confirmation(incidents, 1, &confirmation, NULL), STATUS_OK);
    uint64_t sum = 0;
    assert_int_equal(incidents_each_confirmation(incidents, 1, 1, add_up, &sum, NULL), STATUS_OK);
    assert_int_equal(sum, 1070003);
    sum = 0;
    assert_int_equal(incidents_each_confirmation(incidents, 1, 2, add_up, &sum, NULL), STATUS_OK);
    assert_int_equal(sum, 2070003);
    incidents_close(incidents);
}

static void keeps_notices(void **state)
{
    struct incidents *incidents = open_incidents();
    create(incidents, "north-mail");
    struct incident_notice notice = {.hash = "ee",
                                     .approved_by = "dpo",
                                     .approved_ns = noon_ns,
                                     .finished_ns = INT64_MIN,
                                     .phase = 1,
                                     .settings = "grades=direct"};
    struct incident_notice read;
    assert_int_equal(incidents_get_notice(incidents, 1, 0, &arena, &read, NULL), STATUS_NOT_FOUND);
    assert_int_equal(incidents_add_notice(incidents, 1, &notice, NULL), STATUS_OK);
    /* the same number again: two were approved at the same moment */
    assert_int_equal(incidents_add_notice(incidents, 1, &notice, NULL), STATUS_DENIED);
    notice.number = 0;
    assert_int_equal(incidents_add_notice(incidents, 1, &notice, NULL), STATUS_OK);
    assert_int_equal(notice.number, 2);
    assert_int_equal(incidents_set_notice_finished(incidents, 1, 1, noon_ns + 5, NULL), STATUS_OK);
    assert_int_equal(incidents_set_notice_finished(incidents, 1, 3, 0, NULL), STATUS_NOT_FOUND);
    assert_int_equal(incidents_get_notice(incidents, 1, 1, &arena, &read, NULL), STATUS_OK);
    assert_true(read.finished_ns == noon_ns + 5);
    assert_string_equal(read.settings, "grades=direct");
    assert_int_equal(incidents_get_notice(incidents, 1, 0, &arena, &read, NULL), STATUS_OK);
    assert_int_equal(read.number, 2);
    assert_true(read.finished_ns == INT64_MIN);
    incidents_close(incidents);
}

static unsigned mode_of(const char *name)
{
    char path[sizeof folder + 64];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &info) != 0)
        fail_msg("%s is not there", path);
    return info.st_mode & 0777;
}

static void everything_is_private(void **state)
{
    mode_t before = umask(0);
    struct incidents *incidents = open_incidents();
    const char *path = NULL;
    uint8_t secret[32], again[32];
    assert_int_equal(incidents_path(incidents, 1, "report", &arena, &path, NULL), STATUS_OK);
    assert_int_equal(incidents_secret(incidents, secret, NULL), STATUS_OK);
    assert_int_equal(incidents_secret(incidents, again, NULL), STATUS_OK);
    umask(before);
    assert_memory_equal(secret, again, sizeof secret);
    assert_string_equal(strrchr(path, '/'), "/report");
    assert_int_equal(mode_of(""), 0700);
    assert_int_equal(mode_of("1"), 0700);
    assert_int_equal(mode_of("incidents.sqlite"), 0600);
    assert_int_equal(mode_of("reference.key"), 0600);
    incidents_close(incidents);
}

/* As root: what is made belongs to whom the parent belongs to. Otherwise everything is ours. */
static void what_root_makes_is_the_services(void **state)
{
    uid_t owner = geteuid() == 0 ? 4321 : geteuid();
    assert_int_equal(chown(parent, owner, (gid_t)-1), 0);
    struct incidents *incidents = open_incidents();
    const char *path = NULL;
    uint8_t secret[32];
    create(incidents, "north-mail"); /* so that the log's files are there */
    assert_int_equal(incidents_path(incidents, 1, "report", &arena, &path, NULL), STATUS_OK);
    assert_int_equal(incidents_secret(incidents, secret, NULL), STATUS_OK);
    static const char *const names[] = {"", "1", "incidents.sqlite", "incidents.sqlite-wal",
                                        "reference.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char full[sizeof folder + 64];
        struct stat info;
        snprintf(full, sizeof full, "%s/%s", folder, names[i]);
        assert_int_equal(stat(full, &info), 0);
        if (info.st_uid != owner)
            fail_msg("%s belongs to %u, not %u", full, info.st_uid, owner);
    }
    incidents_close(incidents);
    assert_int_equal(chown(parent, geteuid(), (gid_t)-1), 0);
}

enum { PROCESSES = 4, INCIDENTS = 25 };

/* Each opens a file that is not there yet, and writes. */
static void processes_share_the_file(void **state)
{
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] > 0)
            continue;
        struct incidents *incidents = NULL;
        struct error error = {0};
        struct incident incident = {.partner = "p", .opened_by = "dpo"};
        struct incident_phase phase = {.by = "dpo", .reason = "opened"};
        enum status status = incidents_open(folder, &incidents, &error);
        for (int n = 0; n < INCIDENTS && status == STATUS_OK; n++) {
            int64_t number = 0;
            uint8_t secret[32];
            status = incidents_create(incidents, &incident, &phase, &number, &error);
            if (status == STATUS_OK)
                status = incidents_secret(incidents, secret, &error);
        }
        if (status != STATUS_OK)
            fprintf(stderr, "process %d: %s\n", i, error.message);
        _exit(status == STATUS_OK ? 0 : 1);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int how = -1;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    struct incidents *incidents = open_incidents();
    struct table table;
    assert_int_equal(incidents_list(incidents, &table, NULL), STATUS_OK);
    assert_int_equal(table.row_count, PROCESSES * INCIDENTS);
    table_free(&table);
    incidents_close(incidents);
}

static void interfere(const char *sql)
{
    sqlite3 *database = NULL;
    char path[sizeof folder + 32];
    snprintf(path, sizeof path, "%s/incidents.sqlite", folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void refuses_files_that_are_not_its_own(void **state)
{
    incidents_close(open_incidents());
    interfere("PRAGMA user_version = 99");
    struct incidents *incidents = NULL;
    struct error error = {0};
    assert_int_equal(incidents_open(folder, &incidents, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "written by a newer version (schema 99"));
    char path[sizeof folder + 32];
    snprintf(path, sizeof path, "%s/incidents.sqlite", folder);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "not a database at all", 21, 0), 21);
    close(fd);
    assert_int_equal(incidents_open(folder, &incidents, &error), STATUS_CORRUPT);
    assert_non_null(strstr(error.message, path));
    assert_string_equal(error.hint, "restore it from a backup");
    assert_null(incidents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_an_incident, fresh),
        cmocka_unit_test_setup(tells_which_incidents_there_are, fresh),
        cmocka_unit_test_setup(phases_follow_each_other, fresh),
        cmocka_unit_test_setup(a_scope_is_fixed_once, fresh),
        cmocka_unit_test_setup(keeps_what_is_written_down, fresh),
        cmocka_unit_test_setup(keeps_confirmations_by_phase, fresh),
        cmocka_unit_test_setup(keeps_notices, fresh),
        cmocka_unit_test_setup(everything_is_private, fresh),
        cmocka_unit_test_setup(what_root_makes_is_the_services, fresh),
        cmocka_unit_test_setup(processes_share_the_file, fresh),
        cmocka_unit_test_setup(refuses_files_that_are_not_its_own, fresh),
    };
    return cmocka_run_group_tests(tests, make_parent, remove_parent);
}
