/* The queue to a client: nothing passes a gate, and a cut leaves whole messages. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/release/outqueue.h"
#include "wire/wire.h"

static void put(struct outqueue *queue, size_t body_len)
{
    size_t start = wire_begin(&queue->bytes, 'D');
    for (size_t i = 0; i < body_len; i++)
        buffer_append_u8(&queue->bytes, (uint8_t)i);
    wire_end(&queue->bytes, start);
}

static size_t sendable(struct outqueue *queue, uint64_t durable)
{
    outqueue_check(queue);
    return outqueue_sendable(queue, durable).len;
}

static void test_gates(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 20);
    put(&queue, 5);
    assert_true(outqueue_gate(&queue, 7));
    put(&queue, 15);
    assert_true(outqueue_gate(&queue, 8));
    put(&queue, 25);
    assert_int_equal(sendable(&queue, 0), 10);
    assert_int_equal(sendable(&queue, 7), 10); /* below 7 is durable, 7 itself is not */
    assert_false(outqueue_opens(&queue, 7));
    assert_true(outqueue_opens(&queue, 8));
    assert_int_equal(sendable(&queue, 8), 30);
    outqueue_sent(&queue, 12);
    assert_int_equal(sendable(&queue, 8), 18);
    assert_false(outqueue_opens(&queue, 8));
    assert_int_equal(sendable(&queue, 9), 48);
    assert_false(outqueue_opens(&queue, 10)); /* there is no gate any more */
    assert_int_equal(outqueue_pending(&queue), 48);
    outqueue_sent(&queue, 48);
    assert_int_equal(outqueue_pending(&queue), 0);
    put(&queue, 0);
    assert_int_equal(sendable(&queue, 0), 5);
    outqueue_free(&queue);
}

static void test_gate_on_an_empty_queue(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 20);
    assert_true(outqueue_gate(&queue, 3));
    assert_true(outqueue_gate(&queue, 5)); /* the same place: the later one counts */
    assert_int_equal(queue.gate_count, 1);
    put(&queue, 0);
    assert_int_equal(sendable(&queue, 5), 0);
    assert_int_equal(sendable(&queue, 6), 5);
    outqueue_free(&queue);
}

static void test_many_gates(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 24);
    uint64_t sequence = 0, durable = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 20; i++) {
            assert_true(outqueue_gate(&queue, sequence++));
            put(&queue, (size_t)(round + i) * 37 % 900);
        }
        durable += 13;
        size_t len = sendable(&queue, durable);
        if (len > 0)
            outqueue_sent(&queue, len);
        assert_int_equal(queue.gate_count, sequence - durable);
    }
    outqueue_free(&queue);
}

/* Three messages of 10 bytes, the last behind a gate; `sent` bytes have left. */
static void three(struct outqueue *queue, size_t sent)
{
    outqueue_init(queue, 1 << 20);
    put(queue, 5);
    put(queue, 5);
    assert_true(outqueue_gate(queue, 9));
    put(queue, 5);
    if (sent > 0)
        outqueue_sent(queue, sent);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t sent = 0; sent <= 20; sent++) {
        struct outqueue queue;
        three(&queue, sent);
        outqueue_cut(&queue);
        outqueue_check(&queue);
        size_t rest = (10 - sent % 10) % 10; /* of the message that is under way */
        assert_int_equal(outqueue_pending(&queue), rest);
        put(&queue, 1);
        assert_int_equal(sendable(&queue, 0), rest + 6);
        const uint8_t *last = outqueue_sendable(&queue, 0).data + rest;
        assert_int_equal(last[0], 'D');
        assert_int_equal(load_u32be(last + 1), 5);
        outqueue_free(&queue);
    }
}

/* TLS may have made a record of bytes that it has not taken yet: they must stay. */
static void test_cut_keeps_what_was_begun(void **state)
{
    (void)state;
    for (size_t sent = 0; sent < 20; sent++) {
        for (size_t begun = 1; sent + begun <= 20; begun++) {
            struct outqueue queue;
            three(&queue, sent);
            outqueue_blocked(&queue, begun);
            outqueue_cut(&queue);
            size_t end = (sent + begun + 9) / 10 * 10;
            assert_int_equal(outqueue_pending(&queue), end - sent);
            put(&queue, 1);
            assert_int_equal(sendable(&queue, 0), end - sent + 6);
            outqueue_free(&queue);
        }
    }
}

static void test_a_record_is_not_larger_than_tls_allows(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 20);
    for (int i = 0; i < 40; i++)
        put(&queue, 995);
    outqueue_blocked(&queue, 40000);
    outqueue_cut(&queue);
    assert_int_equal(outqueue_pending(&queue), 17000);
    outqueue_free(&queue);
}

static void test_compaction(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 24);
    for (size_t sent = 300000; sent < 302000; sent += 7) {
        for (int i = 0; i < 4000; i++)
            put(&queue, 95);
        outqueue_sent(&queue, sent);
        outqueue_check(&queue);
        assert_true(queue.head < 100);
        outqueue_cut(&queue);
        size_t rest = outqueue_pending(&queue);
        assert_int_equal((rest + sent) % 100, 0);
        assert_true(rest < 100);
        if (rest > 0)
            outqueue_sent(&queue, rest);
        assert_int_equal(outqueue_pending(&queue), 0);
    }
    outqueue_free(&queue);
}

static void test_a_huge_message_is_given_back(void **state)
{
    (void)state;
    struct outqueue queue;
    outqueue_init(&queue, 1 << 25);
    put(&queue, 5 << 20);
    outqueue_sent(&queue, outqueue_pending(&queue));
    assert_int_equal(queue.bytes.capacity, 0);
    put(&queue, 1);
    assert_int_equal(sendable(&queue, 0), 6);
    outqueue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gates),
        cmocka_unit_test(test_gate_on_an_empty_queue),
        cmocka_unit_test(test_many_gates),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_cut_keeps_what_was_begun),
        cmocka_unit_test(test_a_record_is_not_larger_than_tls_allows),
        cmocka_unit_test(test_compaction),
        cmocka_unit_test(test_a_huge_message_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
