/* Requests: one a wish, approved by others than who asked, kept over restarts, closed at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "registry/requests.h"

static const int64_t noon_ns = 1790000000LL * 1000000000, hour_ns = 3600LL * 1000000000;

static struct request wish(const char *agent, uint8_t mark)
{
    struct request request = {.partner = "acme", .dataset = "purchase", .purpose = "recall"};
    snprintf(request.agent, sizeof request.agent, "%s", agent);
    request.mark[0] = mark;
    return request;
}

static uint64_t asked(struct registry *registry, const char *agent, uint8_t mark, int64_t now_ns,
                      bool new)
{
    struct request request = wish(agent, mark);
    struct error error = {0};
    bool made;
    if (requests_ask(registry, &request, now_ns, &made, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(made, new);
    return request.id;
}

static enum status approve(struct registry *registry, uint64_t id, const char *by, unsigned needed,
                           struct request *request)
{
    struct error error = {0};
    return requests_approve(registry, id, by, needed, hour_ns, noon_ns, request, &error);
}

static void one_a_wish(void **state)
{
    struct registry *registry = fixture_open();
    assert_int_equal(asked(registry, "app", 1, noon_ns, true), 1);
    assert_int_equal(asked(registry, "app", 1, noon_ns + 9, false), 1);
    assert_int_equal(asked(registry, "app", 2, noon_ns, true), 2);
    assert_int_equal(asked(registry, "job", 1, noon_ns, true), 3);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(asked(registry, "app", 1, noon_ns, false), 1);
    assert_int_equal(asked(registry, "job", 2, noon_ns, true), 4);
    registry_close(registry);
}

static void who_may_approve(void **state)
{
    struct registry *registry = fixture_open();
    struct request request = wish("app", 1);
    struct error error = {0};
    bool made;
    snprintf(request.asked_by, sizeof request.asked_by, "uid 5");
    assert_int_equal(requests_ask(registry, &request, noon_ns, &made, &error), STATUS_OK);
    assert_int_equal(approve(registry, 1, "uid 5", 1, &request), STATUS_DENIED);
    uint64_t before = registry_generation(registry);
    assert_int_equal(approve(registry, 1, "uid 6", 2, &request), STATUS_OK);
    assert_int_equal(request.state, REQUEST_ASKED);
    assert_int_equal(approve(registry, 1, "uid 6", 2, &request), STATUS_DENIED);
    assert_int_equal(
        requests_approve(registry, 1, "uid 7", 2, 2 * hour_ns, noon_ns + 1, &request, &error),
        STATUS_OK);
    assert_int_equal(request.state, REQUEST_APPROVED);
    assert_int_equal(request.for_ns, hour_ns); /* the shorter of the two */
    assert_int_equal(request.approved_ns, noon_ns + 1);
    assert_true(registry_generation(registry) > before);
    assert_int_equal(approve(registry, 1, "uid 8", 2, &request), STATUS_DENIED);
    assert_int_equal(approve(registry, 9, "uid 8", 2, &request), STATUS_NOT_FOUND);
    registry_close(registry);
}

static void a_denial_holds_for_an_hour(void **state)
{
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    assert_int_equal(
        requests_end(registry, 1, REQUEST_REVOKED, "uid 6", "no", noon_ns, &request, &error),
        STATUS_DENIED);
    assert_int_equal(
        requests_end(registry, 1, REQUEST_DENIED, "uid 6", "no", noon_ns, &request, &error),
        STATUS_OK);
    assert_int_equal(asked(registry, "app", 1, noon_ns + hour_ns - 1, false), 1);
    assert_int_equal(asked(registry, "app", 1, noon_ns + hour_ns, true), 2);
    registry_close(registry);
}

static void so_many_a_day(void **state)
{
    struct registry *registry = fixture_open();
    struct error error = {0};
    for (int i = 0; i < REQUESTS_A_DAY; i++)
        asked(registry, "app", (uint8_t)i, noon_ns, true);
    struct request request = wish("app", 200);
    bool made;
    assert_int_equal(requests_ask(registry, &request, noon_ns + hour_ns, &made, &error),
                     STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    asked(registry, "job", 200, noon_ns, true);
    asked(registry, "app", 200, noon_ns + 24 * hour_ns, true);
    registry_close(registry);
}

/* What takes away is in force although the disk refuses; what gives is not. */
static void the_disk_fails(void **state)
{
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    asked(registry, "job", 1, noon_ns, true);
    assert_int_equal(approve(registry, 1, "uid 6", 1, &request), STATUS_OK);
    fixture_interfere("ALTER TABLE request RENAME TO gone");
    assert_int_not_equal(approve(registry, 2, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(requests_may_approve(registry, 2, "uid 6", &request, &error), STATUS_OK);
    assert_int_not_equal(
        requests_end(registry, 1, REQUEST_REVOKED, "uid 6", "x", noon_ns, &request, &error),
        STATUS_OK);
    assert_int_equal(requests_may_approve(registry, 1, "uid 6", &request, &error), STATUS_DENIED);
    assert_int_equal(request.state, REQUEST_REVOKED);
    registry_close(registry);
}

static void containment_closes(void **state)
{
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    asked(registry, "job", 1, noon_ns, true);
    assert_int_equal(approve(registry, 1, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(requests_close(registry, "acme", "app", "r", "uid 1", noon_ns), 1);
    assert_int_equal(requests_close(registry, "other", NULL, "r", "uid 1", noon_ns), 0);
    assert_int_equal(requests_close(registry, "acme", NULL, "r", "uid 1", noon_ns), 1);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(requests_may_approve(registry, 2, "uid 6", &request, &error), STATUS_DENIED);
    assert_int_equal(request.state, REQUEST_CLOSED);
    registry_close(registry);
}

static enum request_state state_of(struct registry *registry, uint64_t id)
{
    struct request request = {.id = 0};
    struct error error = {0};
    if (requests_may_approve(registry, id, "uid 99", &request, &error) == STATUS_OK)
        assert_int_equal(request.state, REQUEST_ASKED);
    assert_int_equal(request.id, id);
    return request.state;
}

/* An end that could not be stored is stored later, and before a containment is lifted. */
static void an_end_is_stored_in_the_end(void **state)
{
    static const struct registry_target acme = {.partner = "acme"};
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    asked(registry, "job", 1, noon_ns, true);
    assert_int_equal(approve(registry, 1, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(approve(registry, 2, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(registry_contain(registry, &acme, "r", "uid 1", noon_ns, &error), STATUS_OK);
    fixture_interfere("ALTER TABLE request RENAME TO gone");
    assert_int_equal(requests_close(registry, "acme", "app", "r", "uid 1", noon_ns), 1);
    assert_int_not_equal(
        requests_end(registry, 2, REQUEST_REVOKED, "uid 6", "x", noon_ns, &request, &error),
        STATUS_OK);
    assert_int_not_equal(registry_store_late(registry, &error), STATUS_OK);
    assert_int_not_equal(registry_restore(registry, &acme, "r", "uid 1", noon_ns, &error),
                         STATUS_OK);
    assert_true(registry_contained(registry, "acme", "app", NULL));
    fixture_interfere("ALTER TABLE gone RENAME TO request");
    assert_int_equal(registry_restore(registry, &acme, "r", "uid 1", noon_ns, &error), STATUS_OK);
    fixture_interfere("UPDATE request SET reason = 'no more to be stored'");
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(state_of(registry, 1), REQUEST_CLOSED);
    assert_int_equal(state_of(registry, 2), REQUEST_REVOKED);
    registry_close(registry);
}

/* Nothing is open of whoever is contained, whatever the disk did when it was. */
static void a_start_closes_what_containment_left_open(void **state)
{
    static const struct registry_target app = {.partner = "acme", .agent = "app"};
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    bool made;
    asked(registry, "app", 1, noon_ns, true);
    asked(registry, "app", 2, noon_ns, true);
    asked(registry, "job", 1, noon_ns, true);
    assert_int_equal(approve(registry, 1, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(registry_contain(registry, &app, "r", "uid 1", noon_ns, &error), STATUS_OK);
    assert_int_equal(approve(registry, 2, "uid 6", 1, &request), STATUS_DENIED);
    assert_int_equal(approve(registry, 3, "uid 6", 1, &request), STATUS_OK);
    request = wish("app", 9);
    assert_int_equal(requests_ask(registry, &request, noon_ns, &made, &error), STATUS_DENIED);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(state_of(registry, 1), REQUEST_CLOSED);
    assert_int_equal(state_of(registry, 2), REQUEST_CLOSED);
    assert_int_equal(state_of(registry, 3), REQUEST_APPROVED);
    assert_int_equal(registry_restore(registry, &app, "r", "uid 1", noon_ns, &error), STATUS_OK);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(state_of(registry, 1), REQUEST_CLOSED);
    registry_close(registry);
}

/* It would be in force when nobody expects it any more. */
static void an_approval_of_the_future_is_closed(void **state)
{
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    int64_t tomorrow_ns = clock_now_ns() + 24 * hour_ns;
    asked(registry, "app", 1, tomorrow_ns, true);
    assert_int_equal(
        requests_approve(registry, 1, "uid 6", 1, hour_ns, tomorrow_ns, &request, &error),
        STATUS_OK);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(state_of(registry, 1), REQUEST_CLOSED);
    registry_close(registry);
}

static void a_damaged_request_is_not_passed_over(void **state)
{
    struct registry *registry = fixture_open();
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    registry_close(registry);
    fixture_interfere("UPDATE request SET mark = 'zz'");
    assert_int_equal(registry_open(fixture_path, &registry, &error), STATUS_CORRUPT);
}

struct lapses {
    uint64_t first;
    size_t count;
};

static void note_lapse(void *context, const struct request *request)
{
    struct lapses *lapses = context;
    assert_int_equal(request->state, REQUEST_CLOSED);
    if (lapses->count++ == 0)
        lapses->first = request->id;
}

static size_t pruned(struct registry *registry, int64_t now_ns)
{
    struct lapses lapses = {.count = 0};
    struct error error = {0};
    if (requests_prune(registry, now_ns, note_lapse, &lapses, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return lapses.count;
}

static bool count_request(void *context, const struct request *request)
{
    (*(size_t *)context)++;
    return true;
}

static size_t known(struct registry *registry)
{
    size_t count = 0;
    requests_each(registry, count_request, &count);
    return count;
}

static const int64_t waits_ns = REQUEST_WAITS_DAYS * 24LL * 3600 * 1000000000,
                     kept_ns = REQUEST_KEPT_DAYS * 24LL * 3600 * 1000000000;

/* What nobody decides on is closed; what is over is forgotten some time later, over restarts too,
 * and no number is given out twice. */
static void what_is_long_over_is_forgotten(void **state)
{
    struct registry *registry = fixture_open();
    struct request request;
    struct error error = {0};
    for (uint8_t mark = 1; mark <= 4; mark++)
        asked(registry, "app", mark, noon_ns, true);
    assert_int_equal(approve(registry, 1, "uid 6", 1, &request), STATUS_OK);
    assert_int_equal(
        requests_end(registry, 2, REQUEST_DENIED, "uid 6", "no", noon_ns, &request, &error),
        STATUS_OK);
    assert_int_equal(pruned(registry, noon_ns + kept_ns - 1), 0);
    assert_int_equal(known(registry), 4);
    assert_int_equal(pruned(registry, noon_ns + waits_ns), 2); /* 3 and 4; and 2 is forgotten */
    assert_int_equal(known(registry), 3);
    assert_int_equal(state_of(registry, 1), REQUEST_APPROVED);
    assert_int_equal(state_of(registry, 3), REQUEST_CLOSED);
    assert_int_equal(pruned(registry, noon_ns + hour_ns + kept_ns - 1), 0);
    assert_int_equal(state_of(registry, 1), REQUEST_APPROVED);
    assert_int_equal(pruned(registry, noon_ns + hour_ns + kept_ns), 0);
    assert_int_equal(known(registry), 2);
    assert_int_equal(pruned(registry, noon_ns + waits_ns + kept_ns), 0);
    assert_int_equal(known(registry), 1); /* the newest, for its number */
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(known(registry), 1);
    assert_int_equal(asked(registry, "app", 9, noon_ns + 2 * waits_ns, true), 5);
    registry_close(registry);
}

static void what_cannot_be_forgotten_on_disk_is_known_on(void **state)
{
    struct registry *registry = fixture_open();
    struct lapses lapses = {.count = 0};
    struct error error = {0};
    asked(registry, "app", 1, noon_ns, true);
    asked(registry, "app", 2, noon_ns, true);
    assert_int_equal(pruned(registry, noon_ns + waits_ns), 2);
    fixture_interfere("ALTER TABLE request RENAME TO gone");
    assert_int_not_equal(
        requests_prune(registry, noon_ns + waits_ns + kept_ns, note_lapse, &lapses, &error),
        STATUS_OK);
    assert_int_equal(known(registry), 2);
    fixture_interfere("ALTER TABLE gone RENAME TO request");
    assert_int_equal(pruned(registry, noon_ns + waits_ns + kept_ns), 0);
    assert_int_equal(known(registry), 1);
    registry_close(registry);
}

/* Days apart, so that it is not the bound of a day that refuses; what is over makes room. */
static void so_many_are_open(void **state)
{
    struct registry *registry = fixture_open();
    struct request request = wish("app", 0), other;
    struct error error = {0};
    bool made;
    char agent[20];
    int64_t now_ns = noon_ns + 2 * 24 * hour_ns;
    for (uint8_t mark = 1; mark <= REQUESTS_OPEN_OF_AGENT; mark++)
        asked(registry, "app", mark, noon_ns + mark / 17 * 24 * hour_ns, true);
    assert_int_equal(requests_ask(registry, &request, now_ns, &made, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "53400");
    assert_non_null(strstr(error.message, "this agent has 32 requests open"));
    assert_int_equal(requests_approve(registry, 1, "uid 6", 1, hour_ns, now_ns, &other, &error),
                     STATUS_OK);
    assert_int_equal(requests_ask(registry, &request, now_ns + hour_ns - 1, &made, &error),
                     STATUS_LIMIT);
    assert_int_equal(requests_ask(registry, &request, now_ns + hour_ns, &made, &error), STATUS_OK);
    for (unsigned i = REQUESTS_OPEN_OF_AGENT; i < REQUESTS_OPEN_OF_PARTNER; i++) {
        snprintf(agent, sizeof agent, "agent%u", i / 16);
        asked(registry, agent, (uint8_t)i, now_ns + hour_ns, true);
    }
    request = wish("new", 1);
    assert_int_equal(requests_ask(registry, &request, now_ns + hour_ns, &made, &error),
                     STATUS_LIMIT);
    assert_non_null(strstr(error.message, "the agents of this partner have 256 requests open"));
    snprintf(request.partner, sizeof request.partner, "rival");
    assert_int_equal(requests_ask(registry, &request, now_ns + hour_ns, &made, &error), STATUS_OK);
    registry_close(registry);
}

#define case_of(name) cmocka_unit_test_setup(name, fixture_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(one_a_wish),
        case_of(who_may_approve),
        case_of(a_denial_holds_for_an_hour),
        case_of(so_many_a_day),
        case_of(the_disk_fails),
        case_of(containment_closes),
        case_of(an_end_is_stored_in_the_end),
        case_of(a_start_closes_what_containment_left_open),
        case_of(an_approval_of_the_future_is_closed),
        case_of(what_is_long_over_is_forgotten),
        case_of(what_cannot_be_forgotten_on_disk_is_known_on),
        case_of(so_many_are_open),
        case_of(a_damaged_request_is_not_passed_over),
    };
    return cmocka_run_group_tests(tests, fixture_make_folder, fixture_remove_folder);
}
