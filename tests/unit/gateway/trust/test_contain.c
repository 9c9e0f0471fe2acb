/* Containment without its network: whose sessions it waits for and how long, whom the database is
 * asked to cancel, what it closes, and that the ledger has it. What clients see of it, and how fast
 * it is, tests/integration/test_containment.py and tests/long/ show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/trust/contain_private.h"
#include "gateway/deliveries.h"
#include "gateway/session.h"
#include "registry/requests.h"
#include "scene.h"
#include "wire/wire.h"

enum { SESSIONS = 4, BACKENDS = 5 };

static struct scene scene;
static struct worker worker;
static struct session
    *sessions[SESSIONS]; /* acme.job by one key, by another; acme.kim; acmetric.x */

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static void list_session(size_t at, const char *login, const char *credential)
{
    struct credential made = {.kind = CREDENTIAL_CERTIFICATE};
    snprintf(made.id, sizeof made.id, "%s", credential);
    sessions[at] = calloc(1, sizeof *sessions[at]);
    assert_non_null(sessions[at]);
    sessions[at]->worker = &worker;
    server_live_add(&scene.server, &sessions[at]->live, login, &made);
}

static int open_scene(void **state)
{
    struct error error = {0};
    struct server *server = &scene.server;
    char path[96];
    scene_open(&scene, 0);
    pthread_mutex_init(&server->live_lock, NULL);
    snprintf(path, sizeof path, "%s/registry.sqlite", scene.root);
    must(registry_open(path, &server->registry, &error), &error);
    must(deliveries_desk_open(scene.root, &server->deliveries, &error), &error);
    must(contain_open(server, &server->contain, &error), &error);
    scene.config.upstream.host = scene.root;
    scene.config.upstream.port = 5432;
    worker.server = server;
    list_session(0, "acme.job", "aa");
    list_session(1, "acme.job", "bb");
    list_session(2, "acme.kim", "cc");
    list_session(3, "acmetric.job", "aa");
    return 0;
}

static int close_scene(void **state)
{
    struct server *server = &scene.server;
    for (size_t i = 0; i < SESSIONS; i++) {
        server_live_remove(server, &sessions[i]->live);
        free(sessions[i]);
    }
    contain_close(server->contain);
    deliveries_desk_close(server->deliveries);
    registry_close(server->registry);
    pthread_mutex_destroy(&server->live_lock);
    scene_close(&scene);
    return 0;
}

/* Acts in the ledger with this text, about this partner and agent. */
static int count_acts(const char *partner, const char *agent, const char *text)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    char folder[96];
    uint64_t sequence;
    int count = 0;
    snprintf(folder, sizeof folder, "%s/ledger", scene.root);
    must(ledger_reader_open(folder, 0, &reader, &error), &error);
    while (ledger_reader_next(reader, &sequence, &entry, &side, &error) == STATUS_OK)
        count += slice_equal(entry.text, slice_of_text(text)) &&
                 slice_equal(entry.partner, slice_of_text(partner)) &&
                 slice_equal(entry.agent, slice_of_text(agent));
    ledger_reader_close(reader);
    return count;
}

/* ---- workers: as soon as somebody is contained, their sessions have nothing left to write ---- */

struct cutter {
    pthread_t thread;
    struct registry_target target;
    size_t sessions[SESSIONS], count;
    long delay_ms;
};

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void *cut(void *context)
{
    struct cutter *cutter = context;
    while (!registry_contained(scene.server.registry, cutter->target.partner, cutter->target.agent,
                               cutter->target.credential))
        sleep_ms(1);
    sleep_ms(cutter->delay_ms);
    for (size_t i = 0; i < cutter->count; i++)
        contain_gone(sessions[cutter->sessions[i]]);
    return NULL;
}

static void contain_and_cut(struct cutter *cutter, struct contain_outcome *outcome)
{
    const struct contain_order order = {.targets = &cutter->target,
                                        .count = 1,
                                        .reason = "laptop lost",
                                        .by = "uid 7",
                                        .arrived_ns = clock_monotonic_ns()};
    assert_int_equal(pthread_create(&cutter->thread, NULL, cut, cutter), 0);
    contain_now(&scene.server, &order, outcome);
    pthread_join(cutter->thread, NULL);
}

static void one_agents_sessions_are_waited_for_and_it_is_recorded(void **state)
{
    struct contain_outcome outcome;
    struct cutter cutter = {.target = {.partner = "acme", .agent = "job"},
                            .sessions = {0, 1},
                            .count = 2,
                            .delay_ms = 30};
    contain_and_cut(&cutter, &outcome);
    assert_int_equal(outcome.sessions, 2);
    assert_true(outcome.is_cut && outcome.is_stored && outcome.recorded);
    assert_true(outcome.cut_ms >= 30 && outcome.cut_ms < 1000);
    assert_true(outcome.upstream_ms >= outcome.cut_ms);
    assert_int_equal(outcome.backends, 0);
    assert_true(sessions[2]->live.is_listed && sessions[3]->live.is_listed);
    assert_false(registry_contained(scene.server.registry, "acme", "kim", NULL));
    assert_int_equal(count_acts("acme", "job", "contain by=uid 7 reason=laptop lost"), 1);
}

/* A name that begins like another's is another's. */
static void all_of_a_partner_and_nobody_elses(void **state)
{
    struct contain_outcome outcome;
    struct cutter cutter = {
        .target = {.partner = "acme"}, .sessions = {0, 1, 2}, .count = 3, .delay_ms = 0};
    contain_and_cut(&cutter, &outcome);
    assert_int_equal(outcome.sessions, 3);
    assert_true(outcome.is_cut);
    assert_true(sessions[3]->live.is_listed);
    assert_false(registry_contained(scene.server.registry, "acmetric", "job", NULL));
}

static void one_certificate_alone(void **state)
{
    struct contain_outcome outcome;
    struct cutter cutter = {.target = {.partner = "acme", .agent = "job", .credential = "bb"},
                            .sessions = {1},
                            .count = 1,
                            .delay_ms = 0};
    contain_and_cut(&cutter, &outcome);
    assert_int_equal(outcome.sessions, 1);
    assert_true(outcome.is_cut && sessions[0]->live.is_listed);
    assert_false(registry_contained(scene.server.registry, "acme", "job", "aa"));
    assert_int_equal(
        count_acts("acme", "job", "contain-credential id=bb by=uid 7 reason=laptop lost"), 1);
}

/* It does not wait for ever, says so, and is in force and recorded all the same. */
static void a_session_that_does_not_go_is_told_of(void **state)
{
    struct contain_outcome outcome;
    struct cutter cutter = {.target = {.partner = "acme", .agent = "kim"}};
    contain_and_cut(&cutter, &outcome);
    assert_int_equal(outcome.sessions, 1);
    assert_false(outcome.is_cut);
    assert_true(outcome.cut_ms >= 1000 && outcome.cut_ms < 3000);
    assert_true(outcome.recorded && outcome.is_stored);
    assert_true(registry_contained(scene.server.registry, "acme", "kim", NULL));
}

/* ---- what waited ---- */

static void expect_delivery(const char *id, const char *login)
{
    struct error error = {0};
    struct deliveries_ticket ticket = {.purpose = "p", .by = "uid 7"};
    snprintf(ticket.id, sizeof ticket.id, "%s", id);
    snprintf(ticket.login, sizeof ticket.login, "%s", login);
    ticket.opened_ns = clock_now_ns();
    must(deliveries_expect(scene.server.deliveries, &ticket, &error), &error);
}

static bool waits(const char *id)
{
    struct deliveries_ticket ticket = {.id = ""};
    snprintf(ticket.id, sizeof ticket.id, "%s", id);
    return deliveries_claim(scene.server.deliveries, 7, &ticket);
}

static void ask(const char *agent, struct request *request)
{
    struct error error = {0};
    bool made = false;
    *request = (struct request){.partner = "acme", .dataset = "person", .purpose = "p"};
    snprintf(request->agent, sizeof request->agent, "%s", agent);
    request->mark[0] = 1;
    must(requests_ask(scene.server.registry, request, clock_now_ns(), &made, &error), &error);
    assert_true(made);
}

static bool is_open(const struct request *request)
{
    struct error error;
    struct request found;
    return requests_may_approve(scene.server.registry, request->id, "uid 8", &found, &error) ==
           STATUS_OK;
}

static void what_waited_for_whom_is_contained_is_closed(void **state)
{
    struct contain_outcome outcome;
    struct request jobs, kims;
    struct cutter by_key = {.target = {.partner = "acme", .agent = "job", .credential = "bb"},
                            .sessions = {1},
                            .count = 1};
    struct cutter by_name = {
        .target = {.partner = "acme", .agent = "job"}, .sessions = {0}, .count = 1};
    expect_delivery("D-1", "acme.job");
    expect_delivery("D-2", "acme.kim");
    ask("job", &jobs);
    ask("kim", &kims);
    contain_and_cut(&by_key, &outcome); /* whoever else proves to be job may go on with it */
    assert_int_equal(outcome.closed, 0);
    assert_true(is_open(&jobs));
    contain_and_cut(&by_name, &outcome);
    assert_int_equal(outcome.closed, 2);
    assert_false(is_open(&jobs));
    assert_true(is_open(&kims));
    assert_false(waits("D-1"));
    assert_true(waits("D-2"));
}

/* ---- upstream ---- */

struct database {
    pthread_t thread;
    int fd;
    uint32_t pids[BACKENDS], secrets[BACKENDS];
    size_t count, wanted;
};

/* Takes CancelRequests as the database does: one a connection, which it then closes. */
static void *take_requests(void *context)
{
    enum { REQUEST_BYTES = 16 };
    struct database *database = context;
    while (database->count < database->wanted) {
        uint8_t bytes[REQUEST_BYTES];
        int client = accept(database->fd, NULL, NULL);
        if (client < 0 || recv(client, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes)
            break;
        if (load_u32be(bytes) == REQUEST_BYTES && load_u32be(bytes + 4) == WIRE_CANCEL_REQUEST) {
            database->pids[database->count] = load_u32be(bytes + 8);
            database->secrets[database->count] = load_u32be(bytes + 12);
        }
        database->count++;
        close(client);
    }
    return NULL;
}

static void listen_as_database(struct database *database, size_t wanted)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    *database = (struct database){.wanted = wanted};
    snprintf(place.sun_path, sizeof place.sun_path, "%s/.s.PGSQL.5432", scene.root);
    database->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(database->fd, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(database->fd, BACKENDS), 0);
    assert_int_equal(pthread_create(&database->thread, NULL, take_requests, database), 0);
}

static void each_statement_is_cancelled_by_its_own_secret(void **state)
{
    struct contain_backend backends[BACKENDS];
    struct database database;
    for (uint32_t i = 0; i < BACKENDS; i++)
        backends[i] = (struct contain_backend){.pid = 1000 + i, .secret = 0x80000000u + i};
    listen_as_database(&database, BACKENDS);
    assert_int_equal(contain_cancel(&scene.config, backends, BACKENDS), BACKENDS);
    pthread_join(database.thread, NULL);
    close(database.fd);
    for (uint32_t i = 0; i < BACKENDS; i++) {
        assert_int_equal(database.pids[i], 1000 + i);
        assert_int_equal(database.secrets[i], 0x80000000u + i);
    }
}

static void a_database_that_is_away_holds_nobody_up(void **state)
{
    const struct contain_backend backends[BACKENDS] = {{.pid = 1, .secret = 2}};
    int64_t began_ns = clock_monotonic_ns();
    assert_int_equal(contain_cancel(&scene.config, backends, BACKENDS), 0);
    assert_int_equal(contain_cancel(&scene.config, backends, 0), 0);
    assert_true(clock_monotonic_ns() - began_ns < INT64_C(1000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_agents_sessions_are_waited_for_and_it_is_recorded,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(all_of_a_partner_and_nobody_elses, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(one_certificate_alone, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_session_that_does_not_go_is_told_of, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(what_waited_for_whom_is_contained_is_closed, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(each_statement_is_cancelled_by_its_own_secret, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_database_that_is_away_holds_nobody_up, open_scene,
                                        close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
