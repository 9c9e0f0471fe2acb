/* Upstream's answers to a statement with `once` sets, and what the client gets of them: rows that
 * are rows, and an end that says how many. */
#include "scene.h"

#include <string.h>

#include "gateway/session.h"

/* A session in the middle of its answers; upstream's words are put into its buffer by hand. */
struct talk {
    struct scene scene;
    struct worker worker;
    struct session session;
};

/* A set of the statement, then a key of the row, then what says that the row is one. */
static void talk_open(struct talk *talk)
{
    struct scene *scene = &talk->scene;
    *talk = (struct talk){0};
    scene_open(scene, 2);
    scene->plan.has_once = scene->hidden[0].once = true;
    scene->hidden[0].depth = 1;
    scene->hidden[0].grade = PLAN_GRADE_INFLUENCE;
    scene->partner.min_subjects = 3;
    scene_run(scene);
    talk->worker.server = &scene->server;
    talk->session = (struct session){.worker = &talk->worker,
                                     .state = SESSION_READY,
                                     .upstream = {.state = UPSTREAM_READY},
                                     .partner = &scene->partner,
                                     .agent = &scene->agent,
                                     .transaction = 'I'};
    batch_init(&talk->session.batch);
    outqueue_init(&talk->session.out, 1024 * 1024);
    buffer_init(&talk->session.upstream.in, 1024 * 1024);
}

static void talk_close(struct talk *talk)
{
    replies_free(&talk->session.replies);
    run_release(talk->session.batch_run);
    batch_free(&talk->session.batch);
    outqueue_free(&talk->session.out);
    buffer_free(&talk->session.upstream.in);
    scene_close(&talk->scene);
}

static void expect_reply(struct talk *talk, enum reply_kind kind)
{
    struct error error;
    struct reply reply = {.kind = kind};
    if (kind != REPLY_SYNC) {
        reply.planned = planned_retain(&talk->scene.planned);
        talk->scene.run->executed++;
    }
    if (kind == REPLY_DESCRIBE_STATEMENT || kind == REPLY_DESCRIBE_PORTAL)
        reply.rows = planned_retain(&talk->scene.planned);
    if (kind == REPLY_EXECUTE)
        reply.run = run_retain(talk->scene.run);
    assert_status(replies_push(&talk->session.replies, reply, &error), STATUS_OK);
}

static void says_row(struct talk *talk, const char *visible, const char *set, const char *key,
                     const char *present)
{
    struct buffer *in = &talk->session.upstream.in;
    const char *const hidden[] = {set, key, present};
    size_t start = wire_begin(in, 'D');
    scene_put_row(&talk->scene, in, visible, hidden);
    wire_end(in, start);
}

static void says_complete(struct talk *talk, const char *tag)
{
    wire_put_command_complete(&talk->session.upstream.in, tag);
}

static void says_suspended(struct talk *talk)
{
    wire_put_empty(&talk->session.upstream.in, 's');
}

static void says_error(struct talk *talk, const char *sqlstate)
{
    wire_put_error(&talk->session.upstream.in, "ERROR", sqlstate, "a name", "");
}

static void says_ready(struct talk *talk)
{
    wire_put_ready(&talk->session.upstream.in, 'I');
}

static void tell_message(const struct wire_message *message, char *text, size_t room)
{
    struct error error;
    struct wire_fields fields;
    struct wire_reader reader = wire_reader_of(message->body);
    if (message->type == 'D') {
        (void)wire_read_u16(&reader);
        struct slice value = wire_read_bytes(&reader, wire_read_u32(&reader));
        assert_true(wire_reader_done(&reader));
        snprintf(text, room, "%.*s", (int)value.len, (const char *)value.data);
    } else if (message->type == 'C') {
        snprintf(text, room, "%s", wire_read_text(&reader));
    } else if (message->type == 'E') {
        assert_status(wire_parse_fields(message->body, &fields, &error), STATUS_OK);
        snprintf(text, room, "%s", fields.sqlstate);
    } else if (message->type == 'T') {
        snprintf(text, room, "%u columns", wire_read_u16(&reader));
    } else {
        snprintf(text, room, "%c", message->type);
    }
}

/* All that the client has got since the last time, once everything is durable. */
static void expect_client(struct talk *talk, const char *expected)
{
    char text[400] = "";
    struct session *session = &talk->session;
    relay_pump(session);
    assert_int_equal(session->state, SESSION_READY);
    struct slice bytes = outqueue_sendable(&session->out, UINT64_MAX);
    outqueue_sent(&session->out, bytes.len);
    while (bytes.len > 0) {
        struct wire_message message;
        struct error error;
        size_t needed, used = strlen(text);
        assert_status(wire_next_message(bytes, 1 << 20, &message, &needed, &error), STATUS_OK);
        bytes = slice_of(bytes.data + message.size, bytes.len - message.size);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", used == 0 ? "" : ", ");
        tell_message(&message, text + used, sizeof text - used);
    }
    assert_string_equal(text, expected);
}

static void expect_ledger(struct talk *talk, const char *told)
{
    scene_restart(&talk->scene); /* all of it is durable then */
    assert_string_equal(scene_ledger(&talk->scene), told);
}

static void test_rows(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    says_row(&talk, "a", "{7,8,9}", "1", "t");
    says_row(&talk, "b", NULL, "2", "t");
    says_complete(&talk, "SELECT 2");
    expect_client(&talk, "a, b, SELECT 2");
    expect_ledger(&talk, "OC 2 complete: influence(3){7 8 9} direct{1 2}\n");
    talk_close(&talk);
}

static void test_no_rows(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    says_row(&talk, NULL, "{7,8,9}", NULL, NULL);
    says_complete(&talk, "SELECT 1");
    expect_client(&talk, "SELECT 0");
    expect_ledger(&talk, "OC 0 complete: influence(3){7 8 9}\n");
    talk_close(&talk);
}

/* Asked for one row, upstream stops behind the one that is none. There is nothing to go on with. */
static void test_one_row_asked_for_and_none_there(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    says_row(&talk, NULL, "{7,8,9}", NULL, NULL);
    says_suspended(&talk);
    expect_client(&talk, "SELECT 0");
    assert_true(talk.scene.run->closed);
    expect_reply(&talk, REPLY_EXECUTE); /* a client that asks again */
    says_complete(&talk, "SELECT 0");
    expect_client(&talk, "SELECT 0");
    assert_null(replies_head(&talk.session.replies));
    expect_ledger(&talk, "OC 0 complete: influence(3){7 8 9}\n");
    talk_close(&talk);
}

/* The sets are with the portal's first row, not with each Execute's. */
static void test_a_portal_in_pieces(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    says_row(&talk, "a", "{7,8,9}", "1", "t");
    says_suspended(&talk);
    expect_client(&talk, "a, s");
    expect_reply(&talk, REPLY_EXECUTE);
    says_row(&talk, "b", NULL, "2", "t");
    says_suspended(&talk);
    expect_client(&talk, "b, s");
    expect_reply(&talk, REPLY_EXECUTE);
    says_complete(&talk, "SELECT 0");
    expect_client(&talk, "SELECT 0");
    expect_ledger(&talk, "O- 1 none: influence(3){7 8 9} direct{1}\n- 1 none: direct{2}\n"
                         "C 0 complete:\n");
    talk_close(&talk);
}

static void test_sets_that_did_not_come(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    expect_reply(&talk, REPLY_SYNC);
    says_complete(&talk, "SELECT 0");
    says_ready(&talk);
    expect_client(&talk, "XX000, Z");
    expect_ledger(&talk, "OC 0 error:\n");
    talk_close(&talk);
}

static void test_sets_that_came_again(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_EXECUTE);
    expect_reply(&talk, REPLY_SYNC);
    says_row(&talk, "a", "{7,8,9}", "1", "t");
    says_row(&talk, "b", "{6}", "2", "t");
    says_row(&talk, "c", NULL, "3", "t");
    says_complete(&talk, "SELECT 3");
    says_ready(&talk);
    expect_client(&talk, "a, XX000, Z");
    expect_ledger(&talk, "O- 1 none: influence(3){7 8 9} direct{1}\nC 0 error:\n");
    talk_close(&talk);
}

/* What has been read before is recorded, and goes out; what has not been begun tells nothing. */
static void test_cancelled(void **state)
{
    (void)state;
    for (int begun = 0; begun <= 1; begun++) {
        struct talk talk;
        talk_open(&talk);
        talk.session.cancel_asked = true;
        expect_reply(&talk, REPLY_EXECUTE);
        expect_reply(&talk, REPLY_SYNC);
        if (begun)
            says_row(&talk, "a", "{7,8,9}", "1", "t");
        says_error(&talk, "57014");
        says_ready(&talk);
        expect_client(&talk, begun ? "a, 57014, Z" : "57014, Z");
        expect_ledger(&talk,
                      begun ? "OC 1 error: influence(3){7 8 9} direct{1}\n" : "OC 0 error:\n");
        talk_close(&talk);
    }
}

static void test_a_description(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk);
    expect_reply(&talk, REPLY_DESCRIBE_PORTAL);
    const char *const names[] = {"a", "h1", "h2", "present"};
    wire_put_text_row_description(&talk.session.upstream.in, names, 4);
    expect_client(&talk, "1 columns");
    talk_close(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_one_row_asked_for_and_none_there),
        cmocka_unit_test(test_a_portal_in_pieces),
        cmocka_unit_test(test_sets_that_did_not_come),
        cmocka_unit_test(test_sets_that_came_again),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_a_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
