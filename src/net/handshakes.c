/* Handshakes that wait for their turn: stochastic fairness queueing (McKenney, "Stochastic Fairness
 * Queueing", 1990). A handshake costs us most of a millisecond and a stranger next to nothing, so
 * a thousand that arrive together must neither hold up the sessions of this loop nor each other.
 * Each waits in the bucket of its peer's address; the buckets that have any take turns, one
 * handshake each. A turn of the loop spends BUDGET_NS on them, then looks at its sockets again.
 * Invariant: a stream in a bucket is not watched, and a bucket is on the ring iff it has streams.
 */
#include "net/private.h"

#include <openssl/rand.h>

#include "base/check.h"
#include "base/clock.h"

enum { BUDGET_NS = 1000000 };

void handshakes_open(struct handshakes *handshakes)
{
    TAILQ_INIT(&handshakes->ring);
    for (size_t i = 0; i < HANDSHAKE_BUCKETS; i++)
        TAILQ_INIT(&handshakes->buckets[i].streams);
    int made = RAND_bytes((unsigned char *)&handshakes->seed, sizeof handshakes->seed);
    CHECK(made == 1);
}

/* Mixed with a seed, so that nobody can choose addresses that fall onto another's bucket (the
 * finalizer of SplitMix64: Steele, Lea, Flood, 2014). */
static struct handshake_bucket *bucket_of(struct handshakes *handshakes,
                                          const struct net_stream *stream)
{
    uint64_t mixed = handshakes->seed ^ net_address_block(&stream->peer_address);
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return &handshakes->buckets[(mixed ^ mixed >> 31) % HANDSHAKE_BUCKETS];
}

void handshakes_queue(struct net_stream *stream)
{
    struct handshakes *handshakes = &stream->loop->handshakes;
    CHECK(stream->bucket == NULL);
    stream_watch(stream, 0);
    stream->bucket = bucket_of(handshakes, stream);
    if (TAILQ_EMPTY(&stream->bucket->streams))
        TAILQ_INSERT_TAIL(&handshakes->ring, stream->bucket, link);
    TAILQ_INSERT_TAIL(&stream->bucket->streams, stream, link);
}

void handshakes_forget(struct net_stream *stream)
{
    struct handshake_bucket *bucket = stream->bucket;
    if (bucket == NULL)
        return;
    TAILQ_REMOVE(&bucket->streams, stream, link);
    if (TAILQ_EMPTY(&bucket->streams))
        TAILQ_REMOVE(&stream->loop->handshakes.ring, bucket, link);
    stream->bucket = NULL;
}

void handshakes_run(struct net_loop *loop)
{
    struct handshakes *handshakes = &loop->handshakes;
    if (TAILQ_EMPTY(&handshakes->ring))
        return;
    int64_t end_ns = clock_monotonic_ns() + BUDGET_NS;
    do {
        struct handshake_bucket *bucket = TAILQ_FIRST(&handshakes->ring);
        struct net_stream *stream = TAILQ_FIRST(&bucket->streams);
        handshakes_forget(stream);
        if (!TAILQ_EMPTY(&bucket->streams)) { /* behind the others */
            TAILQ_REMOVE(&handshakes->ring, bucket, link);
            TAILQ_INSERT_TAIL(&handshakes->ring, bucket, link);
        }
        tls_handshake(stream);
    } while (!TAILQ_EMPTY(&handshakes->ring) && clock_monotonic_ns() < end_ns);
}

bool handshakes_wait(const struct net_loop *loop)
{
    return !TAILQ_EMPTY(&loop->handshakes.ring);
}
