/* What is open in a case: each duty is there until it is done or waived, and for no other reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "incident/casefile.h"
#include "incident/letter_requests.h"

static const struct jurisdiction law = {.name = "uk-gdpr"};
static const struct jurisdiction_clock filing = {.name = "authority-notice",
                                                 .duty = "Notify the ICO",
                                                 .stop = JURISDICTION_STOP_FILING,
                                                 .authority = "ico"};
static struct deadline deadline;
static struct casefile casefile;

static void decide_at(const char *step, const char *at)
{
    struct table_row *row = table_add(&casefile.decisions);
    table_set(&casefile.decisions, row, 1, "%s", at);
    table_set(&casefile.decisions, row, 3, "%s", step);
}
static void decide(const char *step)
{
    decide_at(step, "2026-11-22T12:00:00Z");
}

/* A case in which everything has been done. */
static int finished(void **state)
{
    static const char *const columns[] = {"number", "at", "by", "step", "why", "sequence", NULL};
    deadline = (struct deadline){.law = &law, .clock = &filing, .due_ns = 100, .stopped_ns = 50};
    casefile = (struct casefile){
        .incident = {.number = 7, .partner = "acme", .closed_ns = INT64_MIN},
        .phase = {.number = 1, .scope_sha256 = "ab"},
        .deadlines = {.list = &deadline, .count = 1},
        .contained = CASEFILE_CONTAINED,
        .has_notice = true,
        .has_outbox = true,
        .notice = {.number = 1, .phase = 1, .finished_ns = 60},
    };
    table_init(&casefile.decisions, 65536, columns);
    decide("statement");
    return 0;
}

static int forget(void **state)
{
    table_free(&casefile.decisions);
    return 0;
}

/* The names of what is open, with blanks between them. */
static void opens(const char *expected)
{
    struct table table;
    char names[300] = "";
    size_t len = 0;
    assert_int_equal(casefile_duties(&casefile, &table, NULL), STATUS_OK);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
                                row == table.first ? "" : " ", row->cells[0]);
    table_free(&table);
    assert_string_equal(names, expected);
}

static void nothing_is_open_when_all_is_done(void **state)
{
    opens("");
}

static void a_page_is_no_older_than_the_phase(void **state)
{
    casefile.phase.at_ns = 1795348800 * INT64_C(1000000000); /* 2026-11-22T12:00:00Z */
    decide_at("publish", "2026-11-22T11:59:59Z");
    opens("public-page");
    decide("waive public-page");
    opens("");
    decide_at("publish", "2026-11-22T12:00:00Z");
    opens("");
}

static void a_page_published_anew_says_what_is_known(void **state)
{
    casefile.phase.at_ns = 1795348800 * INT64_C(1000000000);
    opens(""); /* never published */
    decide_at("publish", "2026-11-22T11:00:00Z");
    decide_at("publish", "2026-11-22T12:00:01Z");
    opens("");
}

static void each_duty_by_itself(void **state)
{
    casefile.contained = CASEFILE_OPEN;
    opens("containment");
    casefile.contained = CASEFILE_UNKNOWN;
    opens("containment");
    casefile.contained = CASEFILE_CONTAINED;
    casefile.phase.scope_sha256 = NULL;
    opens("scope");
    casefile.phase.scope_sha256 = "ab";
    casefile.later_unknown = true;
    opens("scope");
    casefile.later_unknown = false;
    casefile.later.declared = 1;
    opens("scope");
    casefile.later = (struct scope_later){.disclosures = 1};
    opens("scope");
    casefile.later.disclosures = 0;
    deadline.stopped_ns = INT64_MIN;
    opens("file-ico");
    deadline.stopped_ns = 50;
    casefile.notice.finished_ns = INT64_MIN;
    opens("notices");
    casefile.notice.finished_ns = 60;
    casefile.phase.number = 2;
    opens("notices");
    casefile.has_notice = false;
    opens("notices");
}

static void messages_keep_the_notices_open(void **state)
{
    static const enum outbox_state waiting[] = {OUTBOX_READY, OUTBOX_OFFERED, OUTBOX_BEGUN,
                                                OUTBOX_DEFERRED, OUTBOX_IN_DOUBT};
    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
        casefile.messages.states[waiting[i]] = 1;
        opens("notices");
        casefile.messages.states[waiting[i]] = 0;
    }
    static const enum outbox_state settled[] = {OUTBOX_ACCEPTED, OUTBOX_SILENT, OUTBOX_ERASED};
    for (size_t i = 0; i < sizeof settled / sizeof settled[0]; i++)
        casefile.messages.states[settled[i]] = 1;
    opens("");
    casefile.paused = true;
    opens("notices");
}

static void letters_and_public_notices_are_decided(void **state)
{
    static const enum outbox_state letters[] = {OUTBOX_LETTER, OUTBOX_REFUSED, OUTBOX_BOUNCED};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        casefile.messages.states[letters[i]] = 1;
        opens("letters");
        casefile.messages.states[letters[i]] = 0;
    }
    casefile.messages.states[OUTBOX_LETTER] = 1;
    casefile.messages.states[OUTBOX_PUBLIC] = 1;
    opens("letters public-notice");
    decide("letters");
    opens("public-notice");
    decide("public notice");
    opens("");
}

/* A message that comes back, or a notice of a later phase, after the letters had been decided. */
static void letters_that_came_up_later_are_open(void **state)
{
    static const int64_t noon_ns = INT64_C(1795348800) * 1000000000; /* 2026-11-22T12:00:00Z */
    static const int64_t second_ns = 1000000000;
    casefile.messages.states[OUTBOX_BOUNCED] = 1;
    casefile.messages.newest_ns[OUTBOX_BOUNCED] = noon_ns - second_ns;
    casefile.messages.states[OUTBOX_PUBLIC] = 1;
    casefile.messages.newest_ns[OUTBOX_PUBLIC] = noon_ns;
    decide("letters");
    decide("public notice");
    opens("");
    casefile.messages.newest_ns[OUTBOX_BOUNCED] = noon_ns + 2 * second_ns;
    opens("letters");
    casefile.messages.newest_ns[OUTBOX_PUBLIC] = noon_ns + 2 * second_ns;
    opens("letters public-notice");
    decide_at("waive letters", "2026-11-22T12:00:03Z");
    opens("public-notice");
    decide_at("public notice", "2026-11-22T12:00:03Z");
    opens("");
    casefile.messages.newest_ns[OUTBOX_BOUNCED] = noon_ns + 9 * second_ns;
    opens("letters");
}

static void who_asked_for_a_letter_waits_for_one(void **state)
{
    struct table table;
    casefile.letter_requests = 2;
    casefile.letter_requests_file = "/var/lib/x/letter-requests.csv";
    opens("letter-requests");
    assert_int_equal(casefile_duties(&casefile, &table, NULL), STATUS_OK);
    assert_string_equal(table.first->cells[1],
                        "2 people asked on the public page for an answer by letter");
    assert_non_null(strstr(table.first->cells[2], "/var/lib/x/letter-requests.csv"));
    table_free(&table);
    decide("waive letter-requests"); /* these were listed after it */
    opens("letter-requests");
}

static uint64_t listed(const char *folder, int64_t incident, int64_t after_ns)
{
    uint64_t count;
    struct error error = {0};
    if (letter_requests_count(folder, incident, after_ns, &count, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return count;
}

static void letter_requests_count_for_their_own_case(void **state)
{
    char folder[] = "/tmp/cofferdam-letters-XXXXXX", path[100];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(listed(folder, 1, 0), 0);
    const int64_t before_ns = clock_now_ns() - INT64_C(2000000000);
    const char *const answers[] = {"affected by incident 1", "affected by incident 11",
                                   "not affected", "named in connection with incident 1 11"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct letter_request request = {0, "customer", "a,\"b", answers[i]};
        assert_int_equal(letter_requests_add(folder, &request, NULL), STATUS_OK);
    }
    assert_int_equal(listed(folder, 1, before_ns), 3);
    assert_int_equal(listed(folder, 11, before_ns), 3);
    assert_int_equal(listed(folder, 2, before_ns), 2);
    assert_int_equal(listed(folder, 1, clock_now_ns()), 0);
    snprintf(path, sizeof path, "%s/" LETTER_REQUESTS_FILE, folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_waiver_is_for_one_duty(void **state)
{
    casefile.contained = CASEFILE_OPEN;
    deadline.stopped_ns = INT64_MIN;
    opens("containment file-ico");
    decide("waive file-ico");
    opens("containment");
    decide("restore");
    opens("");
    assert_true(casefile_waived(&casefile, "file-ico"));
    assert_false(casefile_waived(&casefile, "file-eu"));
}

static void a_waiver_is_for_one_phase(void **state)
{
    static const int64_t noon_ns = INT64_C(1795348800) * 1000000000; /* 2026-11-22T12:00:00Z */
    static const int64_t half_second_ns = 500000000;
    casefile.phase = (struct incident_phase){.number = 2, .at_ns = noon_ns + half_second_ns};
    decide_at("publish", "2026-11-22T11:00:00Z");
    decide_at("waive scope", "2026-11-22T11:59:59Z");
    decide_at("waive notices", "2026-11-22T11:59:59Z");
    decide_at("waive public-page", "2026-11-22T11:59:59Z");
    opens("scope notices public-page");
    assert_false(casefile_waived(&casefile, "notices"));
    decide("waive scope");
    decide("waive notices");
    decide("waive public-page");
    opens("");
    assert_true(casefile_waived(&casefile, "notices"));
    decide("new phase"); /* of the same second, and after them */
    opens("scope notices public-page");
}

static void a_filing_stays_waived_in_a_later_phase(void **state)
{
    deadline.stopped_ns = INT64_MIN;
    decide_at("waive file-ico", "2026-11-22T11:00:00Z");
    casefile.phase.at_ns = INT64_C(1795348800) * 1000000000;
    casefile.notice.phase = casefile.phase.number = 2;
    decide("new phase");
    opens("");
}

static void a_reopened_case_asks_everything_again(void **state)
{
    casefile.contained = CASEFILE_OPEN;
    deadline.stopped_ns = INT64_MIN;
    casefile.has_notice = false;
    decide("restore");
    decide("waive file-ico");
    decide("waive notices");
    opens("");
    decide("reopen");
    opens("containment file-ico notices statement");
    decide("waive containment");
    decide("waive file-ico");
    decide("waive notices");
    decide("statement");
    opens("");
}

static void a_partner_contained_after_its_release_is_released_anew(void **state)
{
    casefile.contained = CASEFILE_OPEN;
    casefile.incident.contained_ns = INT64_C(1795348800) * 1000000000; /* 2026-11-22T12:00:00Z */
    decide_at("restore", "2026-11-22T11:59:59Z");
    decide_at("waive containment", "2026-11-22T11:59:59Z");
    opens("containment");
    decide("restore");
    opens("");
}

static void only_open_duties_can_be_waived(void **state)
{
    struct error error = {0};
    assert_int_equal(casefile_check_duty(&casefile, "scope", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "none is open");
    casefile.phase.scope_sha256 = NULL;
    casefile.has_notice = false;
    assert_int_equal(casefile_check_duty(&casefile, "scope", &error), STATUS_OK);
    assert_int_equal(casefile_check_duty(&casefile, "letters", &error), STATUS_NOT_FOUND);
    assert_string_equal(error.hint, "open are: scope, notices");
}

static void a_closed_case_has_none(void **state)
{
    casefile.phase.scope_sha256 = NULL;
    casefile.incident.closed_ns = 99;
    opens("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_open_when_all_is_done, finished, forget),
        cmocka_unit_test_setup_teardown(each_duty_by_itself, finished, forget),
        cmocka_unit_test_setup_teardown(a_page_is_no_older_than_the_phase, finished, forget),
        cmocka_unit_test_setup_teardown(a_page_published_anew_says_what_is_known, finished, forget),
        cmocka_unit_test_setup_teardown(messages_keep_the_notices_open, finished, forget),
        cmocka_unit_test_setup_teardown(letters_and_public_notices_are_decided, finished, forget),
        cmocka_unit_test_setup_teardown(letters_that_came_up_later_are_open, finished, forget),
        cmocka_unit_test_setup_teardown(who_asked_for_a_letter_waits_for_one, finished, forget),
        cmocka_unit_test_setup_teardown(letter_requests_count_for_their_own_case, finished, forget),
        cmocka_unit_test_setup_teardown(a_waiver_is_for_one_duty, finished, forget),
        cmocka_unit_test_setup_teardown(a_waiver_is_for_one_phase, finished, forget),
        cmocka_unit_test_setup_teardown(a_filing_stays_waived_in_a_later_phase, finished, forget),
        cmocka_unit_test_setup_teardown(a_reopened_case_asks_everything_again, finished, forget),
        cmocka_unit_test_setup_teardown(a_partner_contained_after_its_release_is_released_anew,
                                        finished, forget),
        cmocka_unit_test_setup_teardown(only_open_duties_can_be_waived, finished, forget),
        cmocka_unit_test_setup_teardown(a_closed_case_has_none, finished, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
