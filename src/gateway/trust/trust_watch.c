/* See trust_watch.h. Threads: `turn` is held while the files are read, so that a reload and the
 * watch take turns; `lock` guards stop. */
#include "gateway/trust/trust_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/server.h"
#include "identity/trust.h"

struct trust_watch {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t turn, lock;
    pthread_cond_t wake;
    bool stop; /* lock */
};

void trust_watch_now(struct trust_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->turn);
    bool changed = trust_refresh(watch->server->trust);
    pthread_mutex_unlock(&watch->turn);
    if (changed)
        server_wake(watch->server);
}

enum status trust_watch_reset(struct trust_watch *watch, const uint8_t authority[static 32],
                              struct error *error)
{
    pthread_mutex_lock(&watch->turn);
    enum status status = trust_reset(watch->server->trust, authority, error);
    pthread_mutex_unlock(&watch->turn);
    if (status == STATUS_OK)
        server_wake(watch->server);
    return status;
}

static void *watch_main(void *context)
{
    struct trust_watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
        if (watch->stop)
            break;
        pthread_mutex_unlock(&watch->lock);
        trust_watch_now(watch);
        pthread_mutex_lock(&watch->lock);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

enum status trust_watch_start(struct server *server, struct trust_watch **watch,
                              struct error *error)
{
    pthread_condattr_t monotonic;
    struct trust_watch *started = calloc(1, sizeof *started);
    if (started == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    started->server = server;
    pthread_mutex_init(&started->turn, NULL);
    pthread_mutex_init(&started->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&started->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&started->thread, NULL, watch_main, started) != 0) {
        free(started);
        return error_set(error, STATUS_IO, "58030", NULL,
                         "the thread that watches authorities did not start");
    }
    *watch = started;
    return STATUS_OK;
}

void trust_watch_stop(struct trust_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    pthread_mutex_destroy(&watch->turn);
    free(watch);
}
