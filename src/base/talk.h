/* Bytes over a stream socket to and from another process of ours, within a deadline: who does not
 * answer, or takes nothing, must not hold up the one that asks. Non-blocking or not, as the socket
 * may be. No state, any thread. */
#ifndef COFFERDAM_BASE_TALK_H
#define COFFERDAM_BASE_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A deadline is an instant of clock_monotonic_ns(). False: it has passed, or the other end is gone.
 */
bool talk_wait(int fd, short events, int64_t deadline_ns); /* events: poll(2) */
bool talk_send(int fd, struct slice bytes, int64_t deadline_ns);
bool talk_receive(int fd, uint8_t *bytes, size_t len, int64_t deadline_ns);
/* A frame: its length in 4 bytes, big-endian, before it. The content is appended to *frame; false
 * also for one that is longer than most, or does not fit. */
bool talk_receive_frame(int fd, size_t most, struct buffer *frame, int64_t deadline_ns);

#endif
