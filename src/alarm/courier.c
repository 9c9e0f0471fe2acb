/* See courier.h. What waits is in the file, so that it goes on after a restart. */
#include "alarm/courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { ARENA_BYTES = 16 * 1024, MOST_DOUBLINGS = 22, TROUBLE_S = 10 };

static const int64_t SECOND_NS = INT64_C(1000000000), HOUR_NS = INT64_C(3600000000000),
                     GIVE_UP_NS = INT64_C(72) * 3600000000000;

int64_t courier_wait_ns(uint32_t retry_ms, int64_t failed, uint32_t random)
{
    int64_t wait_ns = (int64_t)retry_ms * 1000000;
    for (int64_t i = 1; i < failed && i < MOST_DOUBLINGS && wait_ns < HOUR_NS; i++)
        wait_ns *= 2;
    if (wait_ns > HOUR_NS)
        wait_ns = HOUR_NS;
    return wait_ns / 2 + (int64_t)((double)(wait_ns / 2) * (random / 4294967296.0));
}

/* ---- one that waits ---- */

static void log_trouble(const struct alarm_courier *courier, const struct error *error)
{
    log_event(LOG_ERROR, "alarm_delivery_trouble", "receiver=%s reason=\"%s\"", courier->name,
              error->message);
}

static void log_failure(const struct alarm_courier *courier, const struct alarms_delivery *delivery,
                        const char *answer, bool is_over)
{
    log_event(
        is_over ? LOG_ERROR : LOG_WARNING, is_over ? "alarm_given_up" : "alarm_delivery_failed",
        "alarm=%" PRId64 " rule=%s receiver=%s attempts=%" PRId64 " answer=\"%s\"",
        delivery->entry.id, delivery->entry.rule, courier->name, delivery->attempts + 1, answer);
}

/* Writes down how the attempt ended. */
static enum status settle(const struct alarm_courier *courier,
                          const struct alarms_delivery *delivery, enum courier_result result,
                          const char *answer, struct error *error)
{
    struct alarm_desk *desk = courier->desk;
    uint32_t random;
    int64_t now_ns = clock_now_ns();
    bool is_over = result == COURIER_STOPPED || now_ns - delivery->entry.raised_ns > GIVE_UP_NS;
    enum alarms_outcome outcome = result == COURIER_TAKEN ? ALARMS_TAKEN
                                  : is_over               ? ALARMS_GIVEN_UP
                                                          : ALARMS_WAITING;
    crypto_random(&random, sizeof random);
    int64_t next_ns = now_ns + courier_wait_ns(desk->options.config->alarms.retry_ms,
                                               delivery->attempts + 1, random);
    if (outcome != ALARMS_TAKEN)
        log_failure(courier, delivery, answer, is_over);
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_attempted(desk->file, delivery->entry.id, courier->name, outcome,
                                          next_ns, now_ns, answer, error);
    if (status == STATUS_OK && result == COURIER_STOPPED)
        status = alarms_stop(desk->file, courier->name, courier->place, now_ns, error);
    pthread_mutex_unlock(&desk->file_lock);
    return status;
}

/* How long until it may be tried; a clock that was set back makes nobody wait. */
static int64_t wait_of(const struct alarms_delivery *delivery)
{
    int64_t left_ns = delivery->next_ns - clock_now_ns();
    return left_ns > HOUR_NS ? 0 : left_ns;
}

/* The oldest that waits, if the receiver wants any. */
static enum status next(const struct alarm_courier *courier, struct arena *arena,
                        struct alarms_delivery *delivery, struct error *error)
{
    struct alarm_desk *desk = courier->desk;
    bool is_stopped = false;
    pthread_mutex_lock(&desk->file_lock);
    enum status status =
        alarms_is_stopped(desk->file, courier->name, courier->place, &is_stopped, error);
    if (status == STATUS_OK && is_stopped) {
        status = alarms_give_up(desk->file, courier->name, clock_now_ns(),
                                "it wants no more (HTTP 410); cofferdam alarm test asks it again",
                                error);
        if (status == STATUS_OK)
            status = STATUS_NOT_FOUND;
    } else if (status == STATUS_OK) {
        status = alarms_next(desk->file, courier->name, arena, delivery, error);
    }
    pthread_mutex_unlock(&desk->file_lock);
    return status;
}

/* Delivers the next one if it is due. *wait_ns: until there may be something to do; INT64_MAX:
 * until something is raised. */
static enum status deliver_next(const struct alarm_courier *courier, int64_t *wait_ns,
                                struct error *error)
{
    char answer[COURIER_ANSWER_ROOM];
    struct alarms_delivery delivery;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum status status = next(courier, &arena, &delivery, error);
    *wait_ns = status == STATUS_NOT_FOUND ? INT64_MAX : 0;
    if (status == STATUS_OK)
        *wait_ns = wait_of(&delivery);
    if (status == STATUS_OK && *wait_ns <= 0) {
        enum courier_result result = courier->deliver(courier->desk, &delivery.entry, answer);
        status = settle(courier, &delivery, result, answer, error);
    }
    arena_free(&arena);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- threads ---- */

/* Under `lock`. */
static void rest(struct alarm_courier *courier, int64_t wait_ns)
{
    struct timespec until;
    if (wait_ns == INT64_MAX) {
        pthread_cond_wait(&courier->woken, &courier->desk->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ns / SECOND_NS;
    until.tv_nsec += wait_ns % SECOND_NS;
    if (until.tv_nsec >= SECOND_NS) {
        until.tv_nsec -= SECOND_NS;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&courier->woken, &courier->desk->lock, &until);
}

static void *courier_main(void *context)
{
    struct alarm_courier *courier = context;
    struct alarm_desk *desk = courier->desk;
    pthread_mutex_lock(&desk->lock);
    while (!desk->closing) {
        struct error error;
        int64_t wait_ns;
        courier->has_news = false;
        pthread_mutex_unlock(&desk->lock);
        if (deliver_next(courier, &wait_ns, &error) != STATUS_OK) {
            log_trouble(courier, &error);
            wait_ns = TROUBLE_S * SECOND_NS;
        }
        pthread_mutex_lock(&desk->lock);
        /* A minute at most: the clock may be set. */
        if (wait_ns != INT64_MAX && wait_ns > 60 * SECOND_NS)
            wait_ns = 60 * SECOND_NS;
        if (!courier->has_news && !desk->closing && wait_ns > 0)
            rest(courier, wait_ns);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

void alarm_couriers_wake(struct alarm_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->courier_count; i++) {
        desk->couriers[i].has_news = true;
        pthread_cond_signal(&desk->couriers[i].woken);
    }
    pthread_mutex_unlock(&desk->lock);
}

static void add(struct alarm_desk *desk, const char *name, const char *place,
                courier_deliver *deliver, const pthread_condattr_t *attributes)
{
    struct alarm_courier *courier = &desk->couriers[desk->courier_count];
    *courier =
        (struct alarm_courier){.desk = desk, .name = name, .place = place, .deliver = deliver};
    CHECK(pthread_cond_init(&courier->woken, attributes) == 0);
    desk->receivers[desk->courier_count++] = name;
}

void alarm_couriers_open(struct alarm_desk *desk, const pthread_condattr_t *attributes)
{
    const struct config *config = desk->options.config;
    if (config->alarms.webhook.url != NULL)
        add(desk, "webhook", config->alarms.webhook.url, webhook_deliver, attributes);
    if (config->alarms.mail.to != NULL)
        add(desk, "mail", config->alarms.mail.to, letter_deliver, attributes);
}

enum status alarm_couriers_start(struct alarm_desk *desk, struct error *error)
{
    for (size_t i = 0; i < desk->courier_count; i++) {
        struct alarm_courier *courier = &desk->couriers[i];
        if (pthread_create(&courier->thread, NULL, courier_main, courier) != 0)
            return error_set(error, STATUS_IO, "58030", NULL, "an alarm thread did not start");
        courier->is_started = true;
    }
    return STATUS_OK;
}

void alarm_couriers_join(struct alarm_desk *desk)
{
    for (size_t i = 0; i < desk->courier_count; i++) {
        if (desk->couriers[i].is_started)
            pthread_join(desk->couriers[i].thread, NULL);
        pthread_cond_destroy(&desk->couriers[i].woken);
    }
}
