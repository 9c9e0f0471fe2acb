/* See deadline.h. */
#include "web/deadline.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

static const int64_t second_ns = 1000000000;

/* Under the lock. What is shut down, libmicrohttpd closes. */
static void enforce(struct deadline_ring *ring, int64_t now_ns)
{
    struct deadline *head = &ring->head;
    for (struct deadline *at = head->next; at != head; at = at->next) {
        if (now_ns - at->since_ns > ring->most_ns)
            shutdown(at->fd, SHUT_RDWR);
    }
}

static void *run(void *context)
{
    struct deadline_ring *ring = context;
    const int64_t look_ns = ring->most_ns / 4 < second_ns ? ring->most_ns / 4 : second_ns;
    pthread_mutex_lock(&ring->lock);
    while (!ring->stopping) {
        int64_t until = clock_monotonic_ns() + look_ns;
        const struct timespec next = {.tv_sec = until / second_ns, .tv_nsec = until % second_ns};
        pthread_cond_timedwait(&ring->ends, &ring->lock, &next);
        enforce(ring, clock_monotonic_ns());
    }
    pthread_mutex_unlock(&ring->lock);
    return NULL;
}

bool deadline_start(struct deadline_ring *ring, int64_t most_ns)
{
    pthread_condattr_t monotonic;
    *ring = (struct deadline_ring){.most_ns = most_ns};
    ring->head.next = ring->head.previous = &ring->head;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&ring->thread, NULL, run, ring) == 0)
        return true;
    pthread_cond_destroy(&ring->ends);
    pthread_mutex_destroy(&ring->lock);
    return false;
}

void deadline_stop(struct deadline_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->stopping = true;
    pthread_cond_signal(&ring->ends);
    pthread_mutex_unlock(&ring->lock);
    pthread_join(ring->thread, NULL);
    pthread_cond_destroy(&ring->ends);
    pthread_mutex_destroy(&ring->lock);
}

struct deadline *deadline_begin(struct deadline_ring *ring, int fd)
{
    struct deadline *begun = calloc(1, sizeof *begun);
    if (begun == NULL) {
        shutdown(fd, SHUT_RDWR);
        return NULL;
    }
    begun->fd = fd;
    begun->since_ns = clock_monotonic_ns();
    pthread_mutex_lock(&ring->lock);
    struct deadline *head = &ring->head;
    begun->next = head;
    begun->previous = head->previous;
    begun->previous->next = begun;
    head->previous = begun;
    pthread_mutex_unlock(&ring->lock);
    return begun;
}

void deadline_renew(struct deadline_ring *ring, struct deadline *deadline)
{
    if (deadline == NULL)
        return;
    pthread_mutex_lock(&ring->lock);
    deadline->since_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&ring->lock);
}

void deadline_end(struct deadline_ring *ring, struct deadline *deadline)
{
    if (deadline == NULL)
        return;
    pthread_mutex_lock(&ring->lock);
    deadline->previous->next = deadline->next;
    deadline->next->previous = deadline->previous;
    pthread_mutex_unlock(&ring->lock);
    free(deadline);
}
