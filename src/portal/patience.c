/* Patience: how long a connection may take over one request. libmicrohttpd's timeout begins anew
 * with every byte; who sends one every few seconds would hold a connection for ever. A socket is
 * closed only after patience_end(), so that no number in the ring is another connection's. */
#include "portal/service.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define REQUEST_NS_MOST INT64_C(15000000000)

void patience_begin(struct service *service, int fd, struct patience **patience)
{
    struct patience *begun = calloc(1, sizeof *begun);
    *patience = begun;
    if (begun == NULL) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    begun->fd = fd;
    begun->since_ns = clock_monotonic_ns();
    pthread_mutex_lock(&service->lock);
    struct patience *head = &service->connections;
    begun->next = head;
    begun->previous = head->previous;
    begun->previous->next = begun;
    head->previous = begun;
    pthread_mutex_unlock(&service->lock);
}

void patience_renew(struct service *service, struct patience *patience)
{
    if (patience == NULL)
        return;
    pthread_mutex_lock(&service->lock);
    patience->since_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&service->lock);
}

void patience_end(struct service *service, struct patience *patience)
{
    if (patience == NULL)
        return;
    pthread_mutex_lock(&service->lock);
    patience->previous->next = patience->next;
    patience->next->previous = patience->previous;
    pthread_mutex_unlock(&service->lock);
    free(patience);
}

void patience_enforce(struct service *service, int64_t now_ns)
{
    pthread_mutex_lock(&service->lock);
    struct patience *head = &service->connections;
    for (struct patience *at = head->next; at != head; at = at->next) {
        if (now_ns - at->since_ns > REQUEST_NS_MOST)
            shutdown(at->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&service->lock);
}
