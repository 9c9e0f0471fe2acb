/* Gated bytes for a client. */
#include "gateway/release/outqueue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
    COMPACT_BYTES = 256 * 1024,
    KEEP_BYTES = 2 * 1024 * 1024,
    RECORD_BYTES = 16384, /* of TLS at most: RFC 8446, 5.1 */
};

void outqueue_init(struct outqueue *queue, size_t limit_bytes)
{
    *queue = (struct outqueue){0};
    buffer_init(&queue->bytes, limit_bytes);
}

void outqueue_free(struct outqueue *queue)
{
    buffer_free(&queue->bytes);
    free(queue->gates);
    *queue = (struct outqueue){0};
}

void outqueue_check(const struct outqueue *queue)
{
    CHECK(queue->head <= queue->bytes.len);
    CHECK(queue->boundary <= queue->sent);
    CHECK(queue->begun <= queue->bytes.len - queue->head);
    CHECK(queue->gate_first + queue->gate_count <= queue->gate_capacity);
}

size_t outqueue_pending(const struct outqueue *queue)
{
    return queue->bytes.len - queue->head;
}

static uint64_t end_offset(const struct outqueue *queue)
{
    return queue->sent + outqueue_pending(queue);
}

static bool make_room(struct outqueue *queue)
{
    if (queue->gate_first > 0) {
        memmove(queue->gates, queue->gates + queue->gate_first,
                queue->gate_count * sizeof queue->gates[0]);
        queue->gate_first = 0;
    }
    if (queue->gate_count < queue->gate_capacity)
        return true;
    size_t capacity = queue->gate_capacity == 0 ? 8 : queue->gate_capacity * 2;
    struct outqueue_gate *gates = realloc(queue->gates, capacity * sizeof gates[0]);
    if (gates == NULL)
        return false;
    queue->gates = gates;
    queue->gate_capacity = capacity;
    return true;
}

bool outqueue_gate(struct outqueue *queue, uint64_t sequence)
{
    uint64_t offset = end_offset(queue);
    if (queue->gate_count > 0) {
        struct outqueue_gate *last = &queue->gates[queue->gate_first + queue->gate_count - 1];
        CHECK(sequence >= last->sequence);
        if (last->offset == offset) {
            last->sequence = sequence;
            return true;
        }
    }
    if (queue->gate_first + queue->gate_count == queue->gate_capacity && !make_room(queue))
        return false;
    queue->gates[queue->gate_first + queue->gate_count++] =
        (struct outqueue_gate){.offset = offset, .sequence = sequence};
    return true;
}

struct slice outqueue_sendable(struct outqueue *queue, uint64_t durable)
{
    while (queue->gate_count > 0 && queue->gates[queue->gate_first].sequence < durable) {
        queue->gate_first++;
        queue->gate_count--;
    }
    if (queue->gate_count == 0)
        queue->gate_first = 0;
    uint64_t end =
        queue->gate_count > 0 ? queue->gates[queue->gate_first].offset : end_offset(queue);
    CHECK(end >= queue->sent);
    return slice_of(queue->bytes.data + queue->head, (size_t)(end - queue->sent));
}

bool outqueue_opens(const struct outqueue *queue, uint64_t durable)
{
    return queue->gate_count > 0 && queue->gates[queue->gate_first].sequence < durable;
}

/* Length of the message that begins at `at` in the buffer: type and the length that counts itself.
 */
static size_t message_size(const struct outqueue *queue, size_t at)
{
    CHECK(queue->bytes.len - at >= 5);
    return 1 + (size_t)load_u32be(queue->bytes.data + at + 1);
}

/* Forgets whole messages that have been sent. */
static void compact(struct outqueue *queue)
{
    size_t at = queue->head - (size_t)(queue->sent - queue->boundary);
    while (at < queue->head && at + message_size(queue, at) <= queue->head)
        at += message_size(queue, at);
    queue->boundary = queue->sent - (queue->head - at);
    buffer_consume(&queue->bytes, at);
    queue->head -= at;
}

void outqueue_sent(struct outqueue *queue, size_t len)
{
    CHECK(len <= outqueue_pending(queue));
    queue->head += len;
    queue->sent += len;
    queue->begun = 0;
    if (queue->head == queue->bytes.len) {
        queue->boundary = queue->sent;
        queue->head = 0;
        queue->bytes.len = 0;
        if (queue->bytes.capacity > KEEP_BYTES) /* what one huge row has made it hold */
            buffer_free(&queue->bytes);
    } else if (queue->head >= COMPACT_BYTES) {
        compact(queue);
    }
}

void outqueue_blocked(struct outqueue *queue, size_t len)
{
    CHECK(len <= outqueue_pending(queue));
    queue->begun = len < RECORD_BYTES ? len : RECORD_BYTES;
}

void outqueue_cut(struct outqueue *queue)
{
    queue->gate_first = queue->gate_count = 0;
    if (outqueue_pending(queue) == 0)
        return;
    CHECK(queue->sent - queue->boundary <= queue->head);
    size_t at = queue->head - (size_t)(queue->sent - queue->boundary);
    while (at < queue->head + queue->begun)
        at += message_size(queue, at);
    CHECK(at <= queue->bytes.len);
    queue->bytes.len = at;
}
