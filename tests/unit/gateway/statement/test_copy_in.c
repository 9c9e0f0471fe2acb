/* COPY FROM STDIN: when the client's data is wanted, what ends it, and that what it may hold is
 * bounded. What becomes of the rows is in the integration tests, with a database that takes them.
 */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/session.h"

enum { MEGABYTE = 1024 * 1024 };

struct copying {
    struct scene scene;
    struct worker worker;
    struct session session;
    struct snapshot snapshot;
    struct wire_copy copy;
};

static const char *const names[] = {"id", "name"};

/* A COPY under way; the client has been asked for data. */
static void copying_open(struct copying *copying)
{
    struct scene *scene = &copying->scene;
    struct error error;
    *copying =
        (struct copying){.copy = {.format = WIRE_COPY_TEXT, .delimiter = '\t', .null = "\\N"}};
    scene_open(scene, 0);
    scene->config.limits.statement_bytes = 16 * 1024;
    scene->plan.kind = PLAN_COPY_IN;
    scene->plan.copy = &copying->copy;
    scene->plan.visible_count = 2;
    scene->plan.visible_names = names;
    scene->plan.preparation.sql = "INSERT INTO person (id, name) VALUES ";
    copying->worker.server = &scene->server;
    copying->session = (struct session){.worker = &copying->worker,
                                        .state = SESSION_READY,
                                        .snapshot = &copying->snapshot,
                                        .partner = &scene->partner,
                                        .agent = &scene->agent,
                                        .purpose = "delivery",
                                        .transaction = 'I'};
    outqueue_init(&copying->session.out, MEGABYTE);
    buffer_init(&copying->session.upstream.out, MEGABYTE);
    writes_init(&copying->session.writes);
    assert_status(copy_in_begin(&copying->session, &scene->plan, &error), STATUS_OK);
    assert_true(copy_in_active(&copying->session));
}

static void copying_close(struct copying *copying)
{
    copy_in_drop(&copying->session);
    replies_free(&copying->session.replies);
    writes_end(&copying->session);
    outqueue_free(&copying->session.out);
    buffer_free(&copying->session.upstream.out);
    scene_close(&copying->scene);
}

/* What the client gets, "G C E 22P04" and so on: types, SQLSTATEs, tags; static. */
static const char *answers(struct copying *copying)
{
    static char text[400];
    size_t used = 0;
    struct reply *head;
    text[0] = '\0';
    while ((head = replies_head(&copying->session.replies)) != NULL) {
        struct slice bytes = slice_of(head->text, head->text_len);
        while (bytes.len > 0) {
            struct wire_message message;
            struct wire_fields fields;
            struct error error;
            size_t needed;
            assert_status(wire_next_message(bytes, MEGABYTE, &message, &needed, &error), STATUS_OK);
            bytes = slice_of(bytes.data + message.size, bytes.len - message.size);
            struct wire_reader reader = wire_reader_of(message.body);
            const char *more = "";
            if (message.type == 'E') {
                assert_status(wire_parse_fields(message.body, &fields, &error), STATUS_OK);
                more = fields.sqlstate;
            } else if (message.type == 'C') {
                more = wire_read_text(&reader);
            }
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%c%s%s", used > 0 ? ", " : "",
                                 message.type, *more == '\0' ? "" : " ", more);
        }
        replies_pop(&copying->session.replies);
    }
    return text;
}

static void say(struct copying *copying, uint8_t type, const void *data, size_t len)
{
    struct wire_message message = {.type = type, .body = slice_of(data, len)};
    copy_in_message(&copying->session, &message);
}

static void data(struct copying *copying, const char *text)
{
    say(copying, 'd', text, strlen(text));
}

/* It has been asked for data, and nothing is owed. */
static void copying_ready(struct copying *copying)
{
    copying_open(copying);
    copy_in_continue(&copying->session);
    assert_false(copy_in_hungry(&copying->session)); /* the question has not gone out */
    assert_string_equal(answers(copying), "G");
    copy_in_continue(&copying->session);
    assert_true(copy_in_hungry(&copying->session));
}

static void test_no_rows(void **state)
{
    (void)state;
    struct copying copying;
    copying_ready(&copying);
    say(&copying, 'H', NULL, 0); /* a client that sends these all the time */
    say(&copying, 'S', NULL, 0);
    assert_true(copy_in_active(&copying.session));
    say(&copying, 'c', NULL, 0);
    assert_string_equal(answers(&copying), "C COPY 0");
    assert_false(copy_in_active(&copying.session));
    copying_close(&copying);
}

static void test_an_end_marker_ends_it(void **state)
{
    (void)state;
    struct copying copying;
    copying_ready(&copying);
    data(&copying, "\\.\nno rows, whatever stands here\n");
    assert_true(copy_in_active(&copying.session));
    data(&copying, "nor here");
    assert_true(copy_in_hungry(&copying.session));
    say(&copying, 'c', NULL, 0);
    assert_string_equal(answers(&copying), "C COPY 0");
    copying_close(&copying);
}

static void test_what_fails(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *body, *told;
    } cases[] = {{'d', "1\n", "E 22P04"},      {'d', "1\ta\tb\n", "E 22P04"},
                 {'d', "1\t\\0\n", "E 22021"}, {'f', "I give up", "E 57014"},
                 {'Q', "SELECT 1", "E 08P01"}, {'X', "", "E 08P01"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct copying copying;
        copying_ready(&copying);
        say(&copying, cases[i].type, cases[i].body, strlen(cases[i].body));
        assert_string_equal(answers(&copying), cases[i].told);
        assert_false(copy_in_active(&copying.session));
        assert_true(copying.session.skip_to_sync);
        assert_false(copying.session.writes.sync_due);
        copying_close(&copying);
    }
}

static void test_a_simple_query_ends_in_a_sync_of_ours(void **state)
{
    (void)state;
    struct copying copying;
    copying_ready(&copying);
    copy_in_simple(&copying.session);
    data(&copying, "1\n");
    assert_string_equal(answers(&copying), "E 22P04");
    assert_true(copying.session.writes.sync_due);
    copying_close(&copying);
}

static void test_it_waits_for_what_is_owed(void **state)
{
    (void)state;
    struct copying copying;
    struct error error;
    copying_ready(&copying);
    assert_status(
        replies_push(&copying.session.replies, (struct reply){.kind = REPLY_SYNC}, &error),
        STATUS_OK);
    data(&copying, "1\n"); /* an error, were it read */
    assert_false(copy_in_hungry(&copying.session));
    assert_true(copy_in_active(&copying.session));
    replies_pop(&copying.session.replies);
    copying.session.writes.intended = true; /* an intent that is not durable */
    copying.session.writes.sequence = 1000;
    copy_in_continue(&copying.session);
    assert_true(copy_in_active(&copying.session));
    copying.session.writes.intended = false;
    copy_in_continue(&copying.session);
    assert_string_equal(answers(&copying), "E 22P04");
    copying_close(&copying);
}

static void test_a_transaction_that_has_failed_takes_none(void **state)
{
    (void)state;
    struct copying copying;
    struct error error;
    copying_open(&copying);
    copy_in_drop(&copying.session);
    replies_free(&copying.session.replies);
    copying.session.transaction = 'E';
    assert_status(copy_in_begin(&copying.session, &copying.scene.plan, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "25P02");
    assert_false(copy_in_active(&copying.session));
    copying_close(&copying);
}

static void test_a_row_without_an_end_is_bounded(void **state)
{
    (void)state;
    struct copying copying;
    char *piece = malloc(65536);
    assert_non_null(piece);
    memset(piece, 'a', 65536);
    copying_ready(&copying);
    size_t sent = 0, most = 0;
    while (copy_in_active(&copying.session)) {
        assert_in_range(sent, 0, 2 * LIMIT_MESSAGE_BYTES + 2 * 65536);
        say(&copying, 'd', piece, 65536);
        sent += 65536;
        if (copying.session.copy_in.data.capacity > most)
            most = copying.session.copy_in.data.capacity;
    }
    assert_string_equal(answers(&copying), "E 54000");
    assert_in_range(most, 1, 2 * LIMIT_MESSAGE_BYTES + 64);
    free(piece);
    copying_close(&copying);
}

/* Rows that nobody is given time to read: the client is heard again only once they are gone. */
static void test_data_in_all_is_bounded(void **state)
{
    (void)state;
    struct copying copying;
    char *piece = malloc(MEGABYTE);
    assert_non_null(piece);
    memset(piece, 'a', MEGABYTE);
    memcpy(piece, "\\.\n", 3);
    copying_ready(&copying);
    say(&copying, 'd', piece, MEGABYTE);
    memset(piece, 'a', 3);
    for (int i = 1; i < 64; i++) {
        say(&copying, 'd', piece, MEGABYTE);
        assert_true(copy_in_active(&copying.session));
        assert_in_range(copying.session.copy_in.data.capacity, 0, 2 * LIMIT_MESSAGE_BYTES + 64);
    }
    say(&copying, 'd', "a", 1);
    assert_string_equal(answers(&copying), "E 54000");
    free(piece);
    copying_close(&copying);
}

static void test_rows_in_all_are_bounded(void **state)
{
    (void)state;
    struct copying copying;
    copying_ready(&copying);
    copying.scene.partner.budget.rows_per_statement = 10;
    copying.session.copy_in.given = 10;
    data(&copying, "1\ta\n");
    assert_string_equal(answers(&copying), "E 53400");
    copying_close(&copying);
    copying_ready(&copying);
    copying.session.copy_in.given = 100000;
    data(&copying, "1\ta\n");
    assert_string_equal(answers(&copying), "E 54000");
    copying_close(&copying);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_an_end_marker_ends_it),
        cmocka_unit_test(test_what_fails),
        cmocka_unit_test(test_a_simple_query_ends_in_a_sync_of_ours),
        cmocka_unit_test(test_it_waits_for_what_is_owed),
        cmocka_unit_test(test_a_transaction_that_has_failed_takes_none),
        cmocka_unit_test(test_a_row_without_an_end_is_bounded),
        cmocka_unit_test(test_data_in_all_is_bounded),
        cmocka_unit_test(test_rows_in_all_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
