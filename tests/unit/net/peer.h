/* A pair of ends for stream tests: an echo end on the accepting side, and a sending end that
 * pushes `total` patterned bytes and checks what comes back. All on one loop. */
#ifndef TESTS_UNIT_NET_PEER_H
#define TESTS_UNIT_NET_PEER_H

#include "net/net.h"

enum { PEER_ECHO_LIMIT = 65536 };

/* Returns what it reads; stops reading while PEER_ECHO_LIMIT bytes wait to be written. */
struct echo {
    struct net_stream *stream;
    struct buffer held;
    size_t most_held;
    bool ended;         /* the other end closed or broke */
    enum status reason; /* CLOSED or PEER */
};

extern const struct net_handlers echo_handlers;
void echo_start(struct echo *echo, struct net_stream *stream);
void echo_end(struct echo *echo);

/* Sends total bytes and reads them back; then stops the loop. */
struct sender {
    struct net_loop *loop;
    struct net_stream *stream;
    size_t total, sent, received;
    bool wrong; /* a byte came back that is not the one sent */
    bool ready, failed;
    struct error error; /* of ready */
};

extern const struct net_handlers sender_handlers;
void sender_begin(struct sender *sender); /* connection is up: starts sending */

/* Stops the loop with a failed CHECK when a test hangs. */
struct net_timer *watchdog_start(struct net_loop *loop);

#endif
