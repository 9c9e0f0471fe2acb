/* The dossier holds the proof of each message, its manifest is right, and it replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "incident/dossier.h"

static char folder[] = "/tmp/cofferdam-dossier-XXXXXX";
static const int64_t noon_ns = 1790000000LL * 1000000000; /* 2026-09-21T14:13:20Z */
static struct incidents *incidents;
static struct arena arena;
static const struct policy policy;
static struct config config = {
    .run_folder = "/nonexistent", .state_folder = "/nonexistent", .data_folder = SHARE};
static struct casework casework;

static const char *below(const char *name)
{
    const char *path = arena_printf(&arena, "%s/%s", folder, name);
    assert_non_null(path);
    return path;
}

static int set_up(void **state)
{
    arena_init(&arena, 1024 * 1024);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(incidents_open(below("incidents"), &incidents, NULL), STATUS_OK);
    casework = (struct casework){
        .config = &config, .policy = &policy, .incidents = incidents, .by = "dpo"};
    struct incident incident = {.partner = "acme",
                                .opened_by = "dpo",
                                .noticed_ns = noon_ns,
                                .opened_ns = noon_ns,
                                .from_ns = INT64_MIN,
                                .to_ns = INT64_MIN,
                                .contained_ns = INT64_MIN,
                                .closed_ns = noon_ns + 9000000000};
    struct incident_phase phase = {.at_ns = noon_ns, .cutoff = 3, .by = "dpo", .reason = "opened"};
    struct incident_notice notice = {.hash = "ab",
                                     .approved_by = "dpo",
                                     .approved_ns = noon_ns,
                                     .finished_ns = noon_ns,
                                     .phase = 1,
                                     .settings = ""};
    int64_t number = 0;
    assert_int_equal(incidents_create(incidents, &incident, &phase, &number, NULL), STATUS_OK);
    assert_int_equal(incidents_add_notice(incidents, number, &notice, NULL), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    incidents_close(incidents);
    arena_free(&arena);
    pid_t child = fork();
    if (child == 0)
        _exit(execlp("rm", "rm", "-rf", folder, (char *)NULL));
    int how = -1;
    return waitpid(child, &how, 0) != child || how != 0;
}

/* Two people: one message is taken, of the other the server wants none. */
static void send_two(void)
{
    static const struct outbox_person people[] = {{.id = 5, .variant = 1}, {.id = 9, .variant = 1}};
    struct outbox_turn offered[2];
    uint8_t rendered[32];
    size_t count = 0;
    const char *path = NULL;
    struct outbox *outbox = NULL;
    memset(rendered, 0xcd, sizeof rendered);
    assert_int_equal(incidents_path(incidents, 1, CASEWORK_OUTBOX, &arena, &path, NULL), STATUS_OK);
    assert_int_equal(outbox_open(path, true, &outbox, NULL), STATUS_OK);
    assert_int_equal(outbox_fill(outbox, 1, people, 2, NULL), STATUS_OK);
    assert_int_equal(outbox_offer(outbox, 1, noon_ns, offered, 2, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(outbox_begin(outbox, 1, 5, rendered, noon_ns, NULL), STATUS_OK);
    assert_int_equal(
        outbox_settle(outbox, 1, 5, OUTBOX_ACCEPTED, "250 queued, as \"77\"", noon_ns, 0, NULL),
        STATUS_OK);
    assert_int_equal(outbox_begin(outbox, 1, 9, rendered, noon_ns, NULL), STATUS_OK);
    assert_int_equal(outbox_settle(outbox, 1, 9, OUTBOX_REFUSED, "550 =no", noon_ns, 0, NULL),
                     STATUS_OK);
    outbox_close(outbox);
}

static const char *content(const char *name)
{
    struct buffer bytes;
    buffer_init(&bytes, 1024 * 1024);
    struct error error = {0};
    if (file_read(below(name), &bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const char *copy = arena_copy(&arena, (const char *)bytes.data, bytes.len);
    buffer_free(&bytes);
    assert_non_null(copy);
    return copy;
}

static void write_dossier(const char *name)
{
    struct casefile casefile;
    struct error error = {0};
    assert_int_equal(casefile_open(&casework, 1, &casefile, &error), STATUS_OK);
    assert_int_equal(casefile.contained, CASEFILE_UNKNOWN);
    if (dossier_write(&casework, &casefile, below(name), &error) != STATUS_OK)
        fail_msg("%s", error.message);
    casefile_close(&casefile);
}

/* As anybody can check it, with coreutils. */
static int check_manifest(const char *name)
{
    pid_t child = fork();
    if (child == 0) {
        if (chdir(below(name)) != 0)
            _exit(9);
        _exit(execlp("sha256sum", "sha256sum", "--quiet", "--strict", "-c", "MANIFEST",
                     (char *)NULL));
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

static void holds_proofs_and_replays(void **state)
{
    send_two();
    write_dossier("one");
    const char *proofs = content("one/dispatch-1.csv");
    const char *expected = "5,0,1,accepted,1,2026-09-21T14:13:20Z,2026-09-21T14:13:20Z,cdcd";
    if (strstr(proofs, expected) == NULL)
        fail_msg("no \"%s\" in\n%s", expected, proofs);
    assert_non_null(strstr(proofs, "\"250 queued, as \"\"77\"\"\""));
    assert_non_null(strstr(proofs, "9,0,1,refused,1,"));
    assert_non_null(strstr(content("one/dossier.txt"), "accepted: 1\nrefused: 1\n"));
    assert_non_null(strstr(content("one/dossier.txt"), "Incident 1: acme"));
    assert_int_equal(check_manifest("one"), 0);
    write_dossier("two");
    static const char *const names[] = {"MANIFEST", "index.html", "dossier.txt", "dispatch-1.csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char one[64], two[64];
        snprintf(one, sizeof one, "one/%s", names[i]);
        snprintf(two, sizeof two, "two/%s", names[i]);
        assert_string_equal(content(one), content(two));
    }
    struct slice forged = slice_of_text("forged");
    assert_int_equal(file_replace(below("one/dossier.txt"), forged, 0600, NULL), STATUS_OK);
    assert_int_not_equal(check_manifest("one"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds_proofs_and_replays)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
