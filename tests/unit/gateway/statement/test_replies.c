/* The ring of expected replies: order, growth around its end, bound, bytes held. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "gateway/statement/replies.h"

static void push(struct replies *replies, enum reply_kind kind, uint64_t serial)
{
    struct error error;
    struct reply reply = {.kind = kind, .serial = serial};
    if (kind == REPLY_FAKE) {
        reply.text = strdup("text");
        reply.text_len = 4;
    }
    assert_int_equal(replies_push(replies, reply, &error), STATUS_OK);
}

static void test_order_while_the_ring_turns_and_grows(void **state)
{
    (void)state;
    struct replies replies = {0};
    uint64_t in = 0, out = 0;
    for (int round = 1; round < 60; round++) {
        for (int i = 0; i < round; i++)
            push(&replies, REPLY_FAKE, in++);
        for (int i = 0; i < round / 2; i++) {
            assert_int_equal(replies_head(&replies)->serial, out++);
            replies_pop(&replies);
        }
        assert_int_equal(replies.count, in - out);
        assert_int_equal(replies.bytes, 4 * (in - out));
    }
    while (replies.count > 0) {
        assert_int_equal(replies_head(&replies)->serial, out++);
        replies_pop(&replies);
    }
    assert_int_equal(out, in);
    assert_int_equal(replies.bytes, 0);
    assert_null(replies_head(&replies));
    replies_free(&replies);
}

static void test_bound(void **state)
{
    (void)state;
    struct error error;
    struct replies replies = {0};
    for (int i = 0; i < LIMIT_PENDING_REPLIES; i++)
        push(&replies, REPLY_SYNC, 0);
    struct reply one_more = {.kind = REPLY_FAKE, .text = strdup("freed"), .text_len = 5};
    assert_int_equal(replies_push(&replies, one_more, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    assert_int_equal(replies.count, LIMIT_PENDING_REPLIES);
    replies_free(&replies);
    assert_int_equal(replies.count, 0);
}

static void test_what_upstream_owes(void **state)
{
    (void)state;
    struct replies replies = {0};
    assert_false(replies_wait_for_upstream(&replies));
    assert_false(replies_wait_beyond_sync(&replies));
    push(&replies, REPLY_FAKE, 0);
    push(&replies, REPLY_FAKE_READY, 0);
    assert_false(replies_wait_for_upstream(&replies));
    push(&replies, REPLY_EXECUTE, 0);
    assert_true(replies_wait_for_upstream(&replies));
    assert_false(replies_wait_beyond_sync(&replies));
    push(&replies, REPLY_SYNC, 1);
    push(&replies, REPLY_FAKE, 0);
    assert_false(replies_wait_beyond_sync(&replies));
    push(&replies, REPLY_BIND, 0);
    assert_true(replies_wait_beyond_sync(&replies));
    assert_true(replies_wait_before_sync(&replies));
    for (int i = 0; i < 3; i++) /* the answers up to EXECUTE */
        replies_pop(&replies);
    assert_false(replies_wait_before_sync(&replies));
    assert_true(replies_wait_for_upstream(&replies));
    replies_free(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_while_the_ring_turns_and_grows),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_what_upstream_owes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
