/* See requests.h.
 * Threads: readers take `lock` shared and never wait for the disk; the registry's writer lock
 * serialises changes. Invariant: what gives access is stored before it is in memory, what takes it
 * away is in memory before it is stored, and is stored before a containment is lifted. Nothing is
 * open of whoever is contained. Ids are never used again: each that was told is stored, and the
 * newest is never forgotten. */
#include "registry/requests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "registry/registry_private.h"
#include "registry/store_requests.h"

static const int64_t HOUR_NS = 3600LL * 1000000000, DAY_NS = 24 * HOUR_NS;

struct kept_request {
    struct kept_request *older;
    struct request content;
    bool unstored; /* writer: it has ended, and the file does not know */
};

struct requests {
    pthread_rwlock_t lock;
    struct kept_request *newest; /* lock */
    size_t unstored;             /* writer: how many are */
    _Atomic uint64_t generation;
};

const char *request_state_name(enum request_state state)
{
    static const char *const names[] = {"asked", "approved", "denied", "revoked", "closed"};
    return names[state];
}

static enum status take_stored(void *context, const struct request *request)
{
    struct requests *requests = context;
    struct kept_request *made = calloc(1, sizeof *made);
    if (made == NULL)
        return STATUS_NOMEM;
    made->content = *request;
    made->older = requests->newest;
    requests->newest = made;
    return STATUS_OK;
}

enum status requests_open(struct store *store, struct requests **requests, struct error *error)
{
    struct requests *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    enum status status = store_read_requests(store, take_stored, opened, error);
    if (status == STATUS_NOMEM)
        error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_OK)
        *requests = opened;
    else
        requests_free(opened);
    return status;
}

void requests_free(struct requests *requests)
{
    if (requests == NULL)
        return;
    for (struct kept_request *at = requests->newest, *older; at != NULL; at = older) {
        older = at->older;
        free(at);
    }
    pthread_rwlock_destroy(&requests->lock);
    free(requests);
}

uint64_t requests_generation(const struct registry *registry)
{
    return atomic_load(&registry->requests->generation);
}

/* Sessions are looked at again: an approval may have ended. */
static void changed(struct registry *registry)
{
    atomic_fetch_add(&registry->requests->generation, 1);
    atomic_fetch_add(&registry->generation, 1);
}

static void put_content(struct registry *registry, struct kept_request *kept,
                        const struct request *content)
{
    pthread_rwlock_wrlock(&registry->requests->lock);
    kept->content = *content;
    pthread_rwlock_unlock(&registry->requests->lock);
    changed(registry);
}

/* What has ended: in memory, and in the file now or later. */
static enum status put_end(struct registry *registry, struct kept_request *kept,
                           const struct request *content, struct error *error)
{
    put_content(registry, kept, content);
    enum status status = store_put_request(registry->store, content, error);
    registry->requests->unstored += status != STATUS_OK && !kept->unstored;
    kept->unstored = kept->unstored || status != STATUS_OK;
    return status;
}

/* Under the writer lock, as all that follows. */
static enum status find(struct registry *registry, uint64_t id, struct kept_request **kept,
                        struct error *error)
{
    *kept = registry->requests->newest;
    while (*kept != NULL && (*kept)->content.id != id)
        *kept = (*kept)->older;
    return *kept != NULL
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam request list has them",
                           "there is no request %" PRIu64, id);
}

static enum status check_free(struct registry *registry, const struct request *request,
                              struct error *error)
{
    if (!registry_contained(registry, request->partner, request->agent, NULL))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", "restore it first",
                     "%s.%s, or the whole partner, is contained", request->partner, request->agent);
}

static bool same_wish(const struct request *a, const struct request *b)
{
    return strcmp(a->partner, b->partner) == 0 && strcmp(a->agent, b->agent) == 0 &&
           strcmp(a->purpose, b->purpose) == 0 && memcmp(a->mark, b->mark, sizeof a->mark) == 0;
}

static bool is_open(const struct request *request)
{
    return request->state == REQUEST_ASKED || request->state == REQUEST_APPROVED;
}

/* When it was over; of an approval, when it is by the longest time that it has. INT64_MAX: open. */
static int64_t over_ns(const struct request *request)
{
    if (request->state == REQUEST_APPROVED)
        return request->approved_ns + request->for_ns;
    return request->state == REQUEST_ASKED ? INT64_MAX : request->decided_ns;
}

/* What is open already: under the writer lock. */
static enum status check_room(const struct requests *requests, const struct request *request,
                              int64_t now_ns, struct error *error)
{
    static const char hint[] = "run this again once the data controller has decided on some";
    unsigned of_partner = 0, of_agent = 0;
    for (struct kept_request *at = requests->newest; at != NULL; at = at->older) {
        const struct request *old = &at->content;
        if (now_ns >= over_ns(old) || strcmp(old->partner, request->partner) != 0)
            continue;
        of_partner++;
        of_agent += strcmp(old->agent, request->agent) == 0;
    }
    if (of_agent >= REQUESTS_OPEN_OF_AGENT)
        return error_set(error, STATUS_LIMIT, "53400", hint,
                         "this agent has %u requests open, and may have %d", of_agent,
                         REQUESTS_OPEN_OF_AGENT);
    if (of_partner >= REQUESTS_OPEN_OF_PARTNER)
        return error_set(error, STATUS_LIMIT, "53400", hint,
                         "the agents of this partner have %u requests open, and may have %d",
                         of_partner, REQUESTS_OPEN_OF_PARTNER);
    return STATUS_OK;
}

static enum status ask(struct registry *registry, struct request *request, int64_t now_ns,
                       bool *made, struct error *error)
{
    struct requests *requests = registry->requests;
    unsigned today = 0;
    TRY(check_free(registry, request, error));
    for (struct kept_request *at = requests->newest; at != NULL; at = at->older) {
        const struct request *old = &at->content;
        bool recent = old->decided_ns != INT64_MIN && now_ns - old->decided_ns < HOUR_NS;
        if (same_wish(old, request) &&
            (old->state == REQUEST_ASKED || (old->state == REQUEST_DENIED && recent))) {
            *request = *old;
            return STATUS_OK;
        }
        today += strcmp(old->partner, request->partner) == 0 &&
                 strcmp(old->agent, request->agent) == 0 && now_ns - old->asked_ns < DAY_NS;
    }
    if (today >= REQUESTS_A_DAY)
        return error_set(error, STATUS_LIMIT, "53400", "ask the data controller's contact",
                         "this agent has made %d requests within a day", REQUESTS_A_DAY);
    TRY(check_room(requests, request, now_ns, error));
    struct kept_request *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    request->id = requests->newest == NULL ? 1 : requests->newest->content.id + 1;
    request->asked_ns = now_ns;
    request->state = REQUEST_ASKED;
    request->approved_ns = request->decided_ns = INT64_MIN;
    kept->content = *request;
    enum status status = store_put_request(registry->store, request, error);
    if (status != STATUS_OK) {
        free(kept);
        return status;
    }
    pthread_rwlock_wrlock(&requests->lock);
    kept->older = requests->newest;
    requests->newest = kept;
    pthread_rwlock_unlock(&requests->lock);
    atomic_fetch_add(&requests->generation, 1);
    *made = true;
    return STATUS_OK;
}

enum status requests_ask(struct registry *registry, struct request *request, int64_t now_ns,
                         bool *made, struct error *error)
{
    *made = false;
    pthread_mutex_lock(&registry->writer);
    enum status status = ask(registry, request, now_ns, made, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

static enum status may_approve(struct registry *registry, const struct request *request,
                               const char *by, struct error *error)
{
    TRY(check_free(registry, request, error));
    if (request->state != REQUEST_ASKED)
        return error_set(error, STATUS_DENIED, "55000",
                         "cofferdam request show tells by whom; the partner can ask again",
                         "request %" PRIu64 " is %s", request->id,
                         request_state_name(request->state));
    if (strcmp(request->asked_by, by) == 0)
        return error_set(error, STATUS_DENIED, "42501", "another user must approve it",
                         "request %" PRIu64 " was made by the same user", request->id);
    for (unsigned i = 0; i < request->approvals; i++)
        if (strcmp(request->approved_by[i], by) == 0)
            return error_set(error, STATUS_DENIED, "42501", "another user must approve it, too",
                             "this user has approved request %" PRIu64 " already", request->id);
    return STATUS_OK;
}

enum status requests_may_approve(struct registry *registry, uint64_t id, const char *by,
                                 struct request *request, struct error *error)
{
    struct kept_request *kept;
    pthread_mutex_lock(&registry->writer);
    enum status status = find(registry, id, &kept, error);
    if (status == STATUS_OK) {
        *request = kept->content;
        status = may_approve(registry, request, by, error);
    }
    pthread_mutex_unlock(&registry->writer);
    return status;
}

enum status requests_approve(struct registry *registry, uint64_t id, const char *by,
                             unsigned needed, int64_t for_ns, int64_t now_ns,
                             struct request *request, struct error *error)
{
    struct kept_request *kept;
    pthread_mutex_lock(&registry->writer);
    enum status status = find(registry, id, &kept, error);
    if (status == STATUS_OK)
        status = may_approve(registry, &kept->content, by, error);
    if (status == STATUS_OK) {
        *request = kept->content;
        CHECK(request->approvals < REQUEST_APPROVALS_MOST);
        if (request->approvals == 0 || for_ns < request->for_ns)
            request->for_ns = for_ns;
        snprintf(request->approved_by[request->approvals++], REQUEST_BY_ROOM, "%s", by);
        if (request->approvals >= needed) {
            request->state = REQUEST_APPROVED;
            request->approved_ns = now_ns;
        }
        status = store_put_request(registry->store, request, error);
    }
    if (status == STATUS_OK)
        put_content(registry, kept, request);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

static void end_content(struct request *request, enum request_state state, const char *by,
                        const char *reason, int64_t now_ns)
{
    request->state = state;
    request->decided_ns = now_ns;
    snprintf(request->decided_by, sizeof request->decided_by, "%s", by);
    snprintf(request->decision, sizeof request->decision, "%s", reason);
}

enum status requests_end(struct registry *registry, uint64_t id, enum request_state state,
                         const char *by, const char *reason, int64_t now_ns,
                         struct request *request, struct error *error)
{
    enum request_state from = state == REQUEST_DENIED ? REQUEST_ASKED : REQUEST_APPROVED;
    struct kept_request *kept;
    pthread_mutex_lock(&registry->writer);
    enum status status = find(registry, id, &kept, error);
    if (status == STATUS_OK) {
        *request = kept->content;
        if (request->state != from)
            status = error_set(error, STATUS_DENIED, "55000",
                               request->state == REQUEST_APPROVED
                                   ? "cofferdam request revoke takes an approval back"
                               : request->state == REQUEST_ASKED
                                   ? "cofferdam request deny refuses what nobody has approved"
                                   : "cofferdam request show tells by whom",
                               "request %" PRIu64 " is %s", id, request_state_name(request->state));
        else
            end_content(request, state, by, reason, now_ns);
    }
    if (status == STATUS_OK)
        status = put_end(registry, kept, request, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

static void close_one(struct registry *registry, struct kept_request *kept, const char *reason,
                      const char *by, int64_t now_ns)
{
    struct request request = kept->content;
    struct error error;
    end_content(&request, REQUEST_CLOSED, by, reason, now_ns);
    if (put_end(registry, kept, &request, &error) != STATUS_OK)
        log_event(LOG_ERROR, "request_not_stored", "id=%" PRIu64 " reason=\"%s\"", request.id,
                  error.message);
}

size_t requests_close(struct registry *registry, const char *partner, const char *agent,
                      const char *reason, const char *by, int64_t now_ns)
{
    size_t closed = 0;
    pthread_mutex_lock(&registry->writer);
    for (struct kept_request *at = registry->requests->newest; at != NULL; at = at->older) {
        const struct request *request = &at->content;
        if (!is_open(request) || strcmp(request->partner, partner) != 0 ||
            (agent != NULL && strcmp(request->agent, agent) != 0))
            continue;
        close_one(registry, at, reason, by, now_ns);
        closed++;
    }
    pthread_mutex_unlock(&registry->writer);
    return closed;
}

void requests_mend(struct registry *registry)
{
    int64_t now_ns = clock_now_ns();
    for (struct kept_request *at = registry->requests->newest; at != NULL; at = at->older) {
        const struct request *request = &at->content;
        if (!is_open(request))
            continue;
        if (registry_contained(registry, request->partner, request->agent, NULL))
            close_one(registry, at, "contained", "the gateway's start", now_ns);
        else if (request->state == REQUEST_APPROVED && request->approved_ns > now_ns)
            close_one(registry, at, "the clock was set back", "the gateway's start", now_ns);
    }
}

enum status requests_store_ended(struct registry *registry, struct error *error)
{
    struct requests *requests = registry->requests;
    if (requests == NULL || requests->unstored == 0)
        return STATUS_OK;
    for (struct kept_request *at = requests->newest; at != NULL; at = at->older) {
        if (!at->unstored)
            continue;
        TRY(store_put_request(registry->store, &at->content, error));
        at->unstored = false;
        requests->unstored--;
    }
    return STATUS_OK;
}

/* ---- what is long over ---- */

static bool is_forgettable(const struct requests *requests, const struct kept_request *kept,
                           int64_t now_ns)
{
    int64_t end_ns = over_ns(&kept->content);
    return kept != requests->newest && !kept->unstored && end_ns < now_ns &&
           now_ns - end_ns >= REQUEST_KEPT_DAYS * DAY_NS;
}

/* Takes those that the file has forgotten out of memory: `ids` are in the list's order. */
static void drop(struct requests *requests, const uint64_t *ids, size_t count)
{
    size_t dropped = 0;
    pthread_rwlock_wrlock(&requests->lock);
    for (struct kept_request **link = &requests->newest; *link != NULL && dropped < count;) {
        struct kept_request *at = *link;
        if (at->content.id != ids[dropped]) {
            link = &at->older;
            continue;
        }
        *link = at->older;
        free(at);
        dropped++;
    }
    pthread_rwlock_unlock(&requests->lock);
    CHECK(dropped == count);
}

/* So many at once, that a session which asks does not wait long: the rest has time. */
static enum status forget(struct registry *registry, int64_t now_ns, struct error *error)
{
    enum { AT_ONCE = 1000 };
    uint64_t ids[AT_ONCE];
    size_t count = 0;
    for (struct kept_request *at = registry->requests->newest; at != NULL && count < AT_ONCE;
         at = at->older)
        if (is_forgettable(registry->requests, at, now_ns))
            ids[count++] = at->content.id;
    if (count == 0)
        return STATUS_OK;
    TRY(store_forget_requests(registry->store, ids, count, error));
    drop(registry->requests, ids, count);
    return STATUS_OK;
}

enum status requests_prune(struct registry *registry, int64_t now_ns,
                           void (*lapsed)(void *context, const struct request *request),
                           void *context, struct error *error)
{
    pthread_mutex_lock(&registry->writer);
    for (struct kept_request *at = registry->requests->newest; at != NULL; at = at->older) {
        if (at->content.state != REQUEST_ASKED ||
            now_ns - at->content.asked_ns < REQUEST_WAITS_DAYS * DAY_NS)
            continue;
        close_one(registry, at, "nobody decided on it", "the gateway", now_ns);
        lapsed(context, &at->content);
    }
    enum status status = forget(registry, now_ns, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

void requests_each(struct registry *registry,
                   bool (*take)(void *context, const struct request *request), void *context)
{
    struct requests *requests = registry->requests;
    pthread_rwlock_rdlock(&requests->lock);
    for (struct kept_request *at = requests->newest; at != NULL; at = at->older)
        if (!take(context, &at->content))
            break;
    pthread_rwlock_unlock(&requests->lock);
}
