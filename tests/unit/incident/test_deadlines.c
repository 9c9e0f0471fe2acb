/* Clocks count from the notice, stop with what discharges the duty, and say how late it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "incident/deadlines.h"

static const int64_t second_ns = 1000000000;
static const int64_t hour_ns = 3600 * 1000000000LL;
static const int64_t noticed_ns = 1790000000LL * 1000000000; /* 2026-09-21T14:13:20Z */

static void a_limit_is_added(void **state)
{
    assert_true(deadline_due(noticed_ns, 72 * hour_ns) == noticed_ns + 259200 * second_ns);
    assert_true(deadline_due(noticed_ns, INT64_MAX) == INT64_MAX);
    assert_true(deadline_due(INT64_MAX - 5, 6) == INT64_MAX);
}

static void durations_read_well(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{0, "0 s"},          {59, "59 s"},         {60, "1 min 00 s"},
                 {-61, "1 min 01 s"}, {3600, "1 h 00 min"}, {259199, "71 h 59 min"},
                 {345600, "4 d 0 h"}, {-349200, "4 d 1 h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DEADLINE_ROOM];
        deadline_duration(cases[i].seconds * second_ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void tells(int64_t due_ns, int64_t stopped_ns, int64_t now_ns, const char *expected)
{
    char text[DEADLINE_ROOM];
    struct deadline deadline = {.due_ns = due_ns, .stopped_ns = stopped_ns};
    deadline_tell(&deadline, noticed_ns, now_ns, text);
    assert_string_equal(text, expected);
}

static void tells_how_a_clock_stands(void **state)
{
    int64_t due_ns = noticed_ns + 72 * hour_ns;
    tells(due_ns, INT64_MIN, noticed_ns + 12 * hour_ns, "60 h 00 min left");
    tells(due_ns, INT64_MIN, due_ns, "0 s left");
    tells(due_ns, INT64_MIN, due_ns + second_ns, "OVERDUE by 1 s");
    tells(due_ns, due_ns - hour_ns, due_ns + hour_ns, "done, 1 h 00 min before it was due");
    tells(due_ns, due_ns, due_ns + hour_ns, "done, 0 s before it was due");
    tells(due_ns, due_ns + 90 * second_ns, due_ns + hour_ns, "done 1 min 30 s late");
    tells(INT64_MAX, INT64_MIN, noticed_ns + hour_ns, "open for 1 h 00 min");
    tells(INT64_MAX, noticed_ns + 2 * hour_ns, noticed_ns, "done after 2 h 00 min");
}

static void tells_of_containment(void **state)
{
    char text[DEADLINE_ROOM];
    struct incident incident = {.noticed_ns = noticed_ns, .contained_ns = INT64_MIN};
    deadline_containment(&incident, text);
    assert_string_equal(text, "NOT CONTAINED");
    incident.contained_ns = noticed_ns + 190 * second_ns;
    deadline_containment(&incident, text);
    assert_string_equal(text, "contained 3 min 10 s after the notice");
    incident.contained_ns = noticed_ns - 58 * hour_ns;
    deadline_containment(&incident, text);
    assert_string_equal(text, "contained 58 h 00 min BEFORE the notice");
}

/* A case with the two installed laws: 8 clocks. */
static void open_deadlines(const struct deadline_stops *stops, struct deadlines *deadlines)
{
    static const char *const names[] = {"uk-gdpr", "eu-gdpr"};
    struct policy policy = {.controller = {.jurisdictions = names, .jurisdiction_count = 2}};
    struct config config = {.data_folder = SHARE};
    struct casework casework = {.config = &config, .policy = &policy};
    struct incident incident = {.noticed_ns = noticed_ns};
    struct error error = {0};
    if (deadlines_open(&casework, &incident, stops, deadlines, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(deadlines->count, 8);
}

static const struct deadline *find(const struct deadlines *deadlines, const char *law,
                                   const char *name)
{
    for (size_t i = 0; i < deadlines->count; i++) {
        if (strcmp(deadlines->list[i].law->name, law) == 0 &&
            strcmp(deadlines->list[i].clock->name, name) == 0)
            return &deadlines->list[i];
    }
    fail_msg("no clock %s of %s", name, law);
    return NULL;
}

static void only_its_own_authority_stops_a_clock(void **state)
{
    static const char *const columns[] = {"authority", "reference", "at", NULL};
    struct table filings;
    struct deadlines deadlines = {0};
    table_init(&filings, 4096, columns);
    static const char *const instants[] = {"2026-09-22T10:00:00Z", "2026-09-21T18:00:00Z"};
    for (size_t i = 0; i < 2; i++) {
        struct table_row *row = table_add(&filings);
        table_set(&filings, row, 0, "ico");
        table_set(&filings, row, 2, "%s", instants[i]);
    }
    struct deadline_stops stops = {
        .filings = &filings, .notices_ns = INT64_MIN, .dossier_ns = noticed_ns + 7};
    open_deadlines(&stops, &deadlines);
    const struct deadline *ico = find(&deadlines, "uk-gdpr", "authority-notice");
    assert_true(ico->due_ns == noticed_ns + 72 * hour_ns);
    assert_true(ico->stopped_ns == 1790013600LL * second_ns); /* the earlier one */
    assert_true(find(&deadlines, "eu-gdpr", "authority-notice")->stopped_ns == INT64_MIN);
    assert_true(find(&deadlines, "eu-gdpr", "people-notice")->stopped_ns == INT64_MIN);
    assert_true(find(&deadlines, "eu-gdpr", "documentation")->stopped_ns == noticed_ns + 7);
    assert_true(find(&deadlines, "uk-gdpr", "processor-notice")->stopped_ns == noticed_ns);
    deadlines_free(&deadlines);
    table_free(&filings);
}

static void an_unknown_law_is_told(void **state)
{
    static const char *const names[] = {"uk-gdpr", "mars"};
    struct policy policy = {.controller = {.jurisdictions = names, .jurisdiction_count = 2}};
    struct config config = {.data_folder = SHARE};
    struct casework casework = {.config = &config, .policy = &policy};
    struct incident incident = {.noticed_ns = noticed_ns};
    struct deadlines deadlines = {0};
    struct deadline_stops stops = {0};
    struct error error = {0};
    assert_int_equal(deadlines_open(&casework, &incident, &stops, &deadlines, &error),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "jurisdictions/mars.yaml"));
    deadlines_free(&deadlines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_added),
        cmocka_unit_test(durations_read_well),
        cmocka_unit_test(tells_how_a_clock_stands),
        cmocka_unit_test(tells_of_containment),
        cmocka_unit_test(only_its_own_authority_stops_a_clock),
        cmocka_unit_test(an_unknown_law_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
