/* Out-queue: bytes on their way to a client, with gates.
 *
 *      bytes:   [ sent … | head … sendable | gate … not durable yet … | len )
 *
 * A gate says: bytes from here on wait until the ledger is durable past a sequence. Gates and
 * sequences only grow, so the first unopened gate bounds what may be sent. Nothing else in the
 * gateway writes to a client's socket. One thread. */
#ifndef COFFERDAM_GATEWAY_OUTQUEUE_H
#define COFFERDAM_GATEWAY_OUTQUEUE_H

#include "base/buffer.h"

struct outqueue_gate {
    uint64_t offset;   /* in the stream since the session began */
    uint64_t sequence; /* opens when ledger_durable() is greater */
};

struct outqueue {
    struct buffer bytes; /* append messages here with the wire_put_ functions */
    size_t head;         /* sent and not yet compacted */
    uint64_t sent;       /* stream offset of head */
    uint64_t boundary;   /* stream offset, <= sent, at which a message begins */
    size_t begun;        /* bytes behind head that TLS may have put into a record already */
    struct outqueue_gate *gates;
    size_t gate_first, gate_count, gate_capacity;
};

void outqueue_init(struct outqueue *queue, size_t limit_bytes);
void outqueue_free(struct outqueue *queue);
/* What is appended from now on waits for sequence. False when memory is exhausted. */
bool outqueue_gate(struct outqueue *queue, uint64_t sequence);
/* Bytes that may go out, given that everything below `durable` is on disk. */
struct slice outqueue_sendable(struct outqueue *queue, uint64_t durable);
/* Would more be sendable than its gates have let through so far? */
bool outqueue_opens(const struct outqueue *queue, uint64_t durable);
void outqueue_sent(struct outqueue *queue, size_t len);
/* The stream has not taken len bytes that were sendable, but may have begun with them. */
void outqueue_blocked(struct outqueue *queue, size_t len);
/* All bytes not yet sent, gated ones included. */
size_t outqueue_pending(const struct outqueue *queue);
/* Drops every message whose first byte has not been sent or begun, and all gates: what is appended
 * next follows the message that is under way, or comes at once. */
void outqueue_cut(struct outqueue *queue);
void outqueue_check(const struct outqueue *queue);

#endif
