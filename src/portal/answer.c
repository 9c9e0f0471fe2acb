/* The answering thread. Every question of a kind costs the same work, whoever asks about whom; and
 * answers leave together, at the next of a fixed row of instants after that work, so that what is
 * left of a difference cannot be timed.
 * - Genuine: one reference is made canonical, marked and looked for, be it one or not.
 * - Affected: one file of one size is sealed, written and synced, be there a request in it or not.
 *   Nothing is looked up: who is affected is not known here. */
#include "portal/service.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "portal/form.h"

enum {
    QUEUE_FREE_SHARE = 10, /* of the file system, a tenth is left to others */
    REFERENCE_TYPED_ROOM = 100,
    QUEUED_FILE_MODE = 0444, /* sealed: readable by its opener, changed by nobody */
    SECONDS_A_DAY = 86400,
};
#define NANOSECONDS   INT64_C(1000000000)
#define TICK_NS       INT64_C(50000000)
#define LOOK_AGAIN_NS NANOSECONDS /* for a new generation */

/* What is marked and looked for in place of a reference that is none. */
static const char no_reference[REFERENCE_ROOM] = "0000-0000-0000-0000-0000-0";

/* ---- the work ---- */

static size_t brand_of(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->brand_count; i++) {
        if (strcmp(site->brands[i].name, name) == 0)
            return i;
    }
    return 0; /* gone with a new generation */
}

static size_t language_of(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->language_count; i++) {
        if (strcmp(site->languages[i], name) == 0)
            return i;
    }
    return 0;
}

static void give(struct ask *ask, struct MHD_Response *answer, unsigned code)
{
    ask->answer = answer;
    ask->code = code;
    ask->is_answered = true;
}

static void answer_genuine(const struct site *site, struct ask *ask)
{
    char typed[REFERENCE_TYPED_ROOM], reference[REFERENCE_ROOM];
    struct slice body = slice_of(ask->body, ask->body_len);
    bool is_one = form_value(body, "reference", typed, sizeof typed) == STATUS_OK &&
                  reference_parse(slice_of_text(typed), reference) == STATUS_OK;
    if (!is_one)
        memcpy(reference, no_reference, sizeof reference);
    uint8_t mark[REFERENCE_MARK_BYTES];
    struct mark_record record;
    reference_mark(site->mark_key, reference, mark);
    bool is_known = mark_file_find(&site->marks, mark, &record) && is_one &&
                    clock_now_ns() / NANOSECONDS / SECONDS_A_DAY <= record.last_day;
    size_t brand = brand_of(site, ask->brand), language = language_of(site, ask->language);
    const struct site_issue *issue =
        is_known ? site_find_issue(site, record.incident, record.issue) : NULL;
    give(ask,
         issue != NULL ? issue->pages[brand][language] : site->pages[brand][language][PAGE_UNKNOWN],
         MHD_HTTP_OK);
    crypto_wipe(typed, sizeof typed);
    crypto_wipe(reference, sizeof reference);
}

/* What was asked; REQUEST_NOTHING where it is nothing that could be answered. */
static void read_request(const struct ask *ask, struct request *request)
{
    *request = (struct request){.asked_ns = clock_now_ns()};
    memcpy(request->brand, ask->brand, sizeof request->brand);
    memcpy(request->language, ask->language, sizeof request->language);
    struct slice body = slice_of(ask->body, ask->body_len);
    char name[sizeof request->value] = "";
    enum status email = form_value(body, "email", request->value, sizeof request->value);
    enum status named = form_value(body, "name", name, sizeof name);
    enum status coded = form_value(body, "postcode", request->postcode, sizeof request->postcode);
    if (email == STATUS_OK && strchr(request->value, '@') != NULL) {
        request->kind = REQUEST_EMAIL;
        request->postcode[0] = '\0';
    } else if (named == STATUS_OK && coded == STATUS_OK && name[0] != '\0' &&
               request->postcode[0] != '\0') {
        request->kind = REQUEST_LETTER;
        memcpy(request->value, name, sizeof name);
    } else {
        request->value[0] = request->postcode[0] = '\0';
    }
    crypto_wipe(name, sizeof name);
}

static bool queue_has_room(int queue)
{
    struct statvfs about;
    return fstatvfs(queue, &about) == 0 && about.f_bavail >= about.f_blocks / QUEUE_FREE_SHARE &&
           (about.f_files == 0 || about.f_favail >= about.f_files / QUEUE_FREE_SHARE);
}

/* The folder cannot be opened for reading, so its entry is not synced by itself: what a loss of
 * power takes away can be asked again. */
static bool write_file(int queue, const uint8_t file[static REQUEST_BOX_BYTES])
{
    char name[REQUEST_NAME_ROOM];
    request_box_name(name);
    int fd =
        openat(queue, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, QUEUED_FILE_MODE);
    if (fd < 0)
        return false;
    bool is_written = write(fd, file, REQUEST_BOX_BYTES) == REQUEST_BOX_BYTES && fsync(fd) == 0;
    close(fd);
    if (!is_written)
        unlinkat(queue, name, 0);
    return is_written;
}

static void answer_affected(const struct service *service, const struct site *site, struct ask *ask)
{
    struct request request;
    uint8_t file[REQUEST_BOX_BYTES];
    read_request(ask, &request);
    bool is_kept = queue_has_room(service->queue) &&
                   request_box_seal(site->queue_key, &request, file) == STATUS_OK &&
                   write_file(service->queue, file);
    crypto_wipe(&request, sizeof request);
    size_t brand = brand_of(site, ask->brand), language = language_of(site, ask->language);
    if (!is_kept)
        log_event(LOG_ERROR, "portal_queue_refuses", "errno=%d", errno);
    give(ask, site->pages[brand][language][is_kept ? PAGE_TAKEN : PAGE_BUSY],
         is_kept ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE);
}

/* ---- the thread ---- */

bool service_ask(struct service *service, struct ask *ask)
{
    pthread_mutex_lock(&service->lock);
    bool is_taken = !service->is_stopping;
    if (is_taken) {
        MHD_suspend_connection(ask->connection);
        ask->next = NULL;
        *service->last = ask;
        service->last = &ask->next;
        pthread_cond_signal(&service->asked);
    }
    pthread_mutex_unlock(&service->lock);
    return is_taken;
}

static struct timespec instant(int64_t time_ns)
{
    return (struct timespec){time_ns / NANOSECONDS, time_ns % NANOSECONDS};
}

static void wait_for_tick(void)
{
    struct timespec tick = instant((clock_monotonic_ns() / TICK_NS + 1) * TICK_NS);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL) == EINTR)
        continue;
}

/* All that has been asked, up to a tick after the first; NULL after a second without any. */
static struct ask *collect(struct service *service)
{
    struct timespec until = instant(clock_monotonic_ns() + LOOK_AGAIN_NS);
    pthread_mutex_lock(&service->lock);
    while (service->first == NULL && !service->is_stopping &&
           pthread_cond_timedwait(&service->asked, &service->lock, &until) == 0)
        continue;
    bool is_any = service->first != NULL;
    pthread_mutex_unlock(&service->lock);
    if (!is_any)
        return NULL;
    wait_for_tick();
    pthread_mutex_lock(&service->lock);
    struct ask *asks = service->first;
    service->first = NULL;
    service->last = &service->first;
    pthread_mutex_unlock(&service->lock);
    return asks;
}

/* Only this thread changes service->site, so that it may read it without the lock. */
static void answer_all(struct service *service, struct ask *asks)
{
    unsigned count = 0;
    for (struct ask *ask = asks; ask != NULL; ask = ask->next, count++) {
        if (ask->kind == ASK_GENUINE)
            answer_genuine(service->site, ask);
        else
            answer_affected(service, service->site, ask);
        crypto_wipe(ask->body, sizeof ask->body);
    }
    pthread_mutex_lock(&service->lock);
    service->unsent += count;
    pthread_mutex_unlock(&service->lock);
    wait_for_tick();
    for (struct ask *ask = asks, *next; ask != NULL; ask = next) {
        next = ask->next; /* resumed, it is the other thread's */
        MHD_resume_connection(ask->connection);
    }
}

static void take_new_generation(struct service *service)
{
    char current[NAME_MAX + 1];
    struct site *site = NULL;
    struct error error = {0};
    if (service->retired != NULL || site_current(service->folder, current, NULL) != STATUS_OK ||
        strcmp(current, service->site->generation) == 0)
        return;
    if (site_load(service->folder, current, service->is_secure, &site, &error) != STATUS_OK) {
        log_event(LOG_ERROR, "portal_generation_refused", "generation=%s reason=\"%s\"", current,
                  error.message);
        return;
    }
    pthread_mutex_lock(&service->lock);
    service->retired = service->site;
    service->site = site;
    pthread_mutex_unlock(&service->lock);
    log_event(LOG_INFO, "portal_generation", "generation=%s marks=%zu issues=%zu", current,
              site->marks.count, site->issue_count);
}

static void free_retired(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct site *retired = service->unsent == 0 ? service->retired : NULL;
    if (retired != NULL)
        service->retired = NULL;
    pthread_mutex_unlock(&service->lock);
    site_free(retired);
}

void *answer_run(void *context)
{
    struct service *service = context;
    int64_t looked_ns = clock_monotonic_ns();
    for (bool is_stopping = false; !is_stopping;) {
        struct ask *asks = collect(service);
        if (asks != NULL)
            answer_all(service, asks);
        int64_t now_ns = clock_monotonic_ns();
        if (now_ns - looked_ns >= LOOK_AGAIN_NS) {
            free_retired(service);
            take_new_generation(service);
            looked_ns = now_ns;
        }
        pthread_mutex_lock(&service->lock);
        is_stopping = service->is_stopping && service->first == NULL;
        pthread_mutex_unlock(&service->lock);
    }
    return NULL;
}
