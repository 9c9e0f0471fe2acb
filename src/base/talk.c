/* See talk.h. */
#include "base/talk.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

bool talk_wait(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd waiting = {.fd = fd, .events = events};
        int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
        if (left_ms <= 0)
            return false;
        int ready = poll(&waiting, 1, (int)left_ms);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

bool talk_send(int fd, struct slice bytes, int64_t deadline_ns)
{
    for (size_t at = 0; at < bytes.len;) {
        ssize_t put = send(fd, bytes.data + at, bytes.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0)
            at += (size_t)put;
        else if (errno != EINTR && errno != EAGAIN)
            return false;
        else if (!talk_wait(fd, POLLOUT, deadline_ns))
            return false;
    }
    return true;
}

bool talk_receive(int fd, uint8_t *bytes, size_t len, int64_t deadline_ns)
{
    for (size_t at = 0; at < len;) {
        if (!talk_wait(fd, POLLIN, deadline_ns))
            return false;
        ssize_t got = recv(fd, bytes + at, len - at, MSG_DONTWAIT);
        if (got > 0)
            at += (size_t)got;
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return false;
    }
    return true;
}

bool talk_receive_frame(int fd, size_t most, struct buffer *frame, int64_t deadline_ns)
{
    uint8_t head[4];
    if (!talk_receive(fd, head, sizeof head, deadline_ns) || load_u32be(head) > most)
        return false;
    size_t len = load_u32be(head);
    uint8_t *room = buffer_reserve(frame, len);
    if (room == NULL || !talk_receive(fd, room, len, deadline_ns))
        return false;
    frame->len += len;
    return true;
}
