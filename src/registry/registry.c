/* Containment in memory, in front of its file.
 * Threads: readers take `lock` shared and never wait for the disk; who writes the file holds
 * `writer`, and takes entries away. The list changes under `lock` alone, so that a containment
 * waits for no disk. `count` lets the common case, nobody contained, pass without the lock.
 * Invariant: containment is in memory before it is written; a restoration is written before it is
 * in memory. Whatever the disk does, nobody gets in who should not. */
#include "registry/registry_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "registry/sqlite.h"

enum { TABLE_BYTES = 4 * 1024 * 1024, TEXTS = 5 };

static const int64_t MINUTE_NS = 60LL * 1000000000;

struct entry {
    struct entry *next;
    struct store_entry content;          /* its texts are in `texts`, or those of a proposal */
    char *proposed_by, *proposed_reason; /* owned; NULL: nobody has proposed to restore it */
    bool stored;
    bool is_renewed; /* contained again, and the file has it lifted, or proposed to be */
    bool is_asked;   /* somebody has contained it since a restoration began */
    atomic_uint_fast64_t tries, told; /* of somebody contained to log in; of them told of */
    _Atomic int64_t told_ns;          /* when it was last told; 0: never */
    char texts[];
};

/* ---- entries ---- */

static struct entry *entry_make(const struct store_entry *content)
{
    const char *const texts[TEXTS] = {content->partner, content->agent, content->credential,
                                      content->reason, content->by};
    size_t sizes[TEXTS], total = 0;
    for (int i = 0; i < TEXTS; i++)
        total += sizes[i] = strlen(texts[i]) + 1;
    struct entry *made = calloc(1, sizeof *made + total);
    if (made == NULL)
        return NULL;
    const char *copies[TEXTS];
    char *at = made->texts;
    for (int i = 0; i < TEXTS; i++) {
        copies[i] = memcpy(at, texts[i], sizes[i]);
        at += sizes[i];
    }
    made->content = (struct store_entry){.partner = copies[0],
                                         .agent = copies[1],
                                         .credential = copies[2],
                                         .reason = copies[3],
                                         .by = copies[4],
                                         .since_ns = content->since_ns,
                                         .proposed_ns = INT64_MIN};
    return made;
}

static void drop_proposal(struct entry *entry)
{
    free(entry->proposed_by);
    free(entry->proposed_reason);
    entry->proposed_by = entry->proposed_reason = NULL;
    entry->content.proposed_by = entry->content.proposed_reason = NULL;
    entry->content.proposed_ns = INT64_MIN;
}

/* False when memory is exhausted: there is then no proposal. */
static bool put_proposal(struct entry *entry, const char *reason, const char *by, int64_t at_ns)
{
    char *kept_by = strdup(by), *kept_reason = strdup(reason);
    drop_proposal(entry);
    if (kept_by == NULL || kept_reason == NULL) {
        free(kept_by);
        free(kept_reason);
        return false;
    }
    entry->content.proposed_by = entry->proposed_by = kept_by;
    entry->content.proposed_reason = entry->proposed_reason = kept_reason;
    entry->content.proposed_ns = at_ns;
    return true;
}

static void entry_free(struct entry *entry)
{
    drop_proposal(entry);
    free(entry);
}

static const char *or_any(const char *text)
{
    return text == NULL ? "" : text;
}

/* The link that points to the entry, or to the end of the list. Under either lock. */
static struct entry **find(struct registry *registry, const char *partner, const char *agent,
                           const char *credential)
{
    struct entry **link = &registry->entries;
    while (*link != NULL && (strcmp((*link)->content.partner, partner) != 0 ||
                             strcmp((*link)->content.agent, agent) != 0 ||
                             strcmp((*link)->content.credential, credential) != 0))
        link = &(*link)->next;
    return link;
}

/* The first entry that covers the agent with this credential. Under the lock. */
static struct entry *find_cover(struct registry *registry, const char *partner, const char *agent,
                                const char *credential)
{
    for (struct entry *entry = registry->entries; entry != NULL; entry = entry->next) {
        const struct store_entry *content = &entry->content;
        if (strcmp(content->partner, partner) == 0 &&
            (content->agent[0] == '\0' || strcmp(content->agent, or_any(agent)) == 0) &&
            (content->credential[0] == '\0' ||
             strcmp(content->credential, or_any(credential)) == 0))
            return entry;
    }
    return NULL;
}

/* Contained while it is so already: what others have proposed or begun to lift is not lifted. One
 * that is not stored yet is being carried out: that is the same order. Under the lock. */
static void contain_again(struct entry *entry)
{
    if (!entry->stored)
        return;
    entry->is_asked = true;
    if (entry->proposed_by == NULL)
        return;
    drop_proposal(entry);
    entry->is_renewed = true;
    entry->stored = false;
}

/* Puts made at the end, unless there is one for the same target already: then it is freed. Whoever
 * reads the new generation also sees the entry. */
static void put(struct registry *registry, struct entry *made)
{
    pthread_rwlock_wrlock(&registry->lock);
    struct entry **link =
        find(registry, made->content.partner, made->content.agent, made->content.credential);
    if (*link == NULL) {
        *link = made;
        atomic_fetch_add(&registry->count, 1);
        atomic_fetch_add(&registry->generation, 1);
        made = NULL;
    } else {
        contain_again(*link);
    }
    pthread_rwlock_unlock(&registry->lock);
    if (made != NULL)
        entry_free(made);
}

/* ---- opening ---- */

static enum status take_stored(void *context, const struct store_entry *content)
{
    struct entry *made = entry_make(content);
    if (made == NULL)
        return STATUS_NOMEM;
    if (content->proposed_by != NULL && !put_proposal(made, or_any(content->proposed_reason),
                                                      content->proposed_by, content->proposed_ns)) {
        entry_free(made);
        return STATUS_NOMEM;
    }
    made->stored = true;
    put(context, made);
    return STATUS_OK;
}

enum status registry_open(const char *path, struct registry **registry, struct error *error)
{
    struct registry *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    CHECK(pthread_mutex_init(&opened->writer, NULL) == 0);
    enum status status = store_open(path, &opened->store, error);
    if (status == STATUS_OK)
        status = store_read(opened->store, take_stored, opened, error);
    if (status == STATUS_NOMEM)
        error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_OK)
        status = revocations_open(opened->store, &opened->revocations, error);
    if (status == STATUS_OK)
        status = requests_open(opened->store, &opened->requests, error);
    if (status == STATUS_OK)
        status = crls_open(opened->store, &opened->crls, error);
    if (status == STATUS_OK)
        requests_mend(opened);
    if (status == STATUS_OK)
        *registry = opened;
    else
        registry_close(opened);
    return status;
}

static enum status store_late(struct registry *registry, struct error *error);

void registry_close(struct registry *registry)
{
    struct error unsettled;
    if (registry == NULL)
        return;
    if (registry->store != NULL && registry->requests != NULL &&
        store_late(registry, &unsettled) != STATUS_OK)
        log_event(LOG_ERROR, "acts_not_stored", "reason=\"%s\" hint=\"a restart forgets them\"",
                  unsettled.message);
    store_close(registry->store);
    revocations_close(registry->revocations);
    requests_free(registry->requests);
    crls_free(registry->crls);
    for (struct entry *entry = registry->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        entry_free(entry);
    }
    pthread_rwlock_destroy(&registry->lock);
    pthread_mutex_destroy(&registry->writer);
    free(registry);
}

/* ---- changes ---- */

static struct store_entry content_of(const struct registry_target *target, const char *reason,
                                     const char *by, int64_t now_ns)
{
    return (struct store_entry){.partner = target->partner,
                                .agent = or_any(target->agent),
                                .credential = or_any(target->credential),
                                .reason = or_any(reason),
                                .by = or_any(by),
                                .since_ns = now_ns,
                                .proposed_ns = INT64_MIN};
}

/* Under `writer`. */
static enum status store_entry(struct registry *registry, struct entry *entry,
                               const struct store_entry *content, struct error *error)
{
    TRY(store_contain(registry->store, content, error));
    pthread_rwlock_wrlock(&registry->lock);
    entry->stored = true;
    entry->is_renewed = false;
    pthread_rwlock_unlock(&registry->lock);
    return STATUS_OK;
}

/* Under `writer`. Stores the entry for these contents, if it is not yet; with the new reason where
 * it was contained again. It has been put before, and may have been restored since. */
static enum status store(struct registry *registry, const struct store_entry *content,
                         struct error *error)
{
    struct entry *entry = *find(registry, content->partner, content->agent, content->credential);
    if (entry == NULL || entry->stored)
        return STATUS_OK;
    return store_entry(registry, entry, entry->is_renewed ? content : &entry->content, error);
}

enum status registry_enforce(struct registry *registry, const struct registry_target *target,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(target, reason, by, now_ns);
    struct entry *made = entry_make(&content);
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", "Stop the gateway.",
                         "out of memory: NOT contained");
    put(registry, made);
    return STATUS_OK;
}

/* In memory first, without waiting for anybody who writes: the disk may take its time, or hang. */
enum status registry_contain(struct registry *registry, const struct registry_target *target,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(target, reason, by, now_ns);
    TRY(registry_enforce(registry, target, reason, by, now_ns, error));
    pthread_mutex_lock(&registry->writer);
    enum status status = store(registry, &content, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* Under `writer`: what is to be restored must be contained by itself. */
static enum status check_contained(struct registry *registry, const struct store_entry *content,
                                   struct error *error)
{
    const char *dot = content->agent[0] == '\0' ? "" : ".";
    const char *with = content->credential[0] == '\0' ? "" : " with credential ";
    if (*find(registry, content->partner, content->agent, content->credential) != NULL)
        return STATUS_OK;
    const struct entry *cover =
        find_cover(registry, content->partner, content->agent, content->credential);
    if (cover == NULL)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "cofferdam partner list --contained has what is, and in which words",
                         "%s%s%s%s%.60s is not contained", content->partner, dot, content->agent,
                         with, content->credential);
    bool by_partner = cover->content.agent[0] == '\0' && cover->content.credential[0] == '\0';
    return error_set(
        error, STATUS_NOT_FOUND, "02000",
        by_partner ? "Restore the partner."
                   : "cofferdam partner list --contained has it: restore it in the same words",
        "%s%s%s%s%.60s is not contained by itself: %s is", content->partner, dot, content->agent,
        with, content->credential, by_partner ? "its whole partner" : "something that covers it");
}

static enum status contained_meanwhile(struct error *error)
{
    return error_set(error, STATUS_DENIED, "55000",
                     "cofferdam partner list --contained says by whom",
                     "it has been contained again meanwhile, and stays so");
}

/* What there is to restore, from now on; a copy of who proposed it, since containing it again frees
 * that. Under `writer`. */
static enum status begin_restore(struct registry *registry, struct entry *entry, char **proposed_by,
                                 struct error *error)
{
    pthread_rwlock_wrlock(&registry->lock);
    bool proposed = entry->proposed_by != NULL;
    entry->is_asked = false;
    *proposed_by = proposed ? strdup(entry->proposed_by) : NULL;
    pthread_rwlock_unlock(&registry->lock);
    return proposed && *proposed_by == NULL
               ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
               : STATUS_OK;
}

/* Lifted in the file: in memory, too, unless it was contained again meanwhile. Under `writer`. */
static enum status end_restore(struct registry *registry, struct entry **link, struct error *error)
{
    struct entry *entry = *link;
    pthread_rwlock_wrlock(&registry->lock);
    bool lifted = !entry->is_asked;
    if (lifted) {
        *link = entry->next;
        atomic_fetch_sub(&registry->count, 1);
        atomic_fetch_add(&registry->generation, 1);
    } else {
        entry->stored = false; /* whoever contained it is about to store it */
        entry->is_renewed = true;
    }
    pthread_rwlock_unlock(&registry->lock);
    if (!lifted)
        return contained_meanwhile(error);
    entry_free(entry);
    return STATUS_OK;
}

/* Under `writer`. */
static enum status restore(struct registry *registry, struct store_entry *content,
                           struct error *error)
{
    char *proposed_by = NULL;
    TRY(check_contained(registry, content, error));
    TRY(requests_store_ended(registry, error)); /* no restart then brings an approval back */
    struct entry **link = find(registry, content->partner, content->agent, content->credential);
    enum status status = begin_restore(registry, *link, &proposed_by, error);
    content->proposed_by = proposed_by;
    if (status == STATUS_OK)
        status = store_restore(registry->store, content, error);
    if (status == STATUS_OK)
        status = end_restore(registry, link, error);
    free(proposed_by);
    return status;
}

enum status registry_restore(struct registry *registry, const struct registry_target *target,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(target, reason, by, now_ns);
    pthread_mutex_lock(&registry->writer);
    enum status status = restore(registry, &content, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* In the file: in memory, too, unless it was contained again meanwhile. Under `writer`. */
static enum status end_propose(struct registry *registry, struct entry *entry,
                               const struct store_entry *content, struct error *error)
{
    pthread_rwlock_wrlock(&registry->lock);
    bool asked = entry->is_asked;
    bool put = !asked && put_proposal(entry, content->reason, content->by, content->since_ns);
    if (asked) {
        entry->is_renewed = true;
        entry->stored = false;
    }
    pthread_rwlock_unlock(&registry->lock);
    if (asked)
        return contained_meanwhile(error);
    return put ? STATUS_OK : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Under `writer`. */
static enum status propose(struct registry *registry, const struct store_entry *content,
                           struct error *error)
{
    TRY(check_contained(registry, content, error));
    struct entry *entry = *find(registry, content->partner, content->agent, content->credential);
    pthread_rwlock_wrlock(&registry->lock);
    entry->is_asked = false;
    pthread_rwlock_unlock(&registry->lock);
    TRY(store_propose(registry->store, content, error));
    return end_propose(registry, entry, content, error);
}

enum status registry_propose(struct registry *registry, const struct registry_target *target,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(target, reason, by, now_ns);
    pthread_mutex_lock(&registry->writer);
    enum status status = propose(registry, &content, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* ---- what could not be stored ---- */

void registry_told(struct registry *registry, const struct registry_target *target)
{
    pthread_rwlock_wrlock(&registry->lock);
    struct entry *entry =
        *find(registry, target->partner, or_any(target->agent), or_any(target->credential));
    if (entry != NULL && !entry->stored)
        entry->content.is_recorded = true;
    pthread_rwlock_unlock(&registry->lock);
}

/* Under `writer`, so that none goes; others may be put meanwhile. NULL for the first. */
static struct entry *next_unstored(struct registry *registry, const struct entry *after)
{
    pthread_rwlock_rdlock(&registry->lock);
    struct entry *entry = after == NULL ? registry->entries : after->next;
    while (entry != NULL && entry->stored)
        entry = entry->next;
    pthread_rwlock_unlock(&registry->lock);
    return entry;
}

/* Under `writer`. All that takes something away and is in memory alone: a restart would forget it.
 */
static enum status store_late(struct registry *registry, struct error *error)
{
    enum status status = sqlite_settle(store_file(registry->store), error);
    struct entry *entry = NULL;
    while (status == STATUS_OK && (entry = next_unstored(registry, entry)) != NULL)
        status = store_entry(registry, entry, &entry->content, error);
    if (status == STATUS_OK)
        status = revocations_store_late(registry, error);
    return status == STATUS_OK ? requests_store_ended(registry, error) : status;
}

enum status registry_store_late(struct registry *registry, struct error *error)
{
    pthread_mutex_lock(&registry->writer);
    enum status status = store_late(registry, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* ---- questions ---- */

bool registry_find(struct registry *registry, const struct registry_target *target,
                   struct registry_containment *found)
{
    pthread_rwlock_rdlock(&registry->lock);
    const struct entry *entry =
        *find(registry, target->partner, or_any(target->agent), or_any(target->credential));
    if (entry != NULL) {
        *found = (struct registry_containment){.since_ns = entry->content.since_ns,
                                               .proposed_ns = entry->content.proposed_ns};
        snprintf(found->by, sizeof found->by, "%s", entry->content.by);
        snprintf(found->proposed_by, sizeof found->proposed_by, "%s",
                 or_any(entry->content.proposed_by));
    }
    pthread_rwlock_unlock(&registry->lock);
    return entry != NULL;
}

bool registry_contained(struct registry *registry, const char *partner, const char *agent,
                        const char *credential)
{
    if (atomic_load(&registry->count) == 0)
        return false;
    pthread_rwlock_rdlock(&registry->lock);
    bool contained = find_cover(registry, partner, agent, credential) != NULL;
    pthread_rwlock_unlock(&registry->lock);
    return contained;
}

bool registry_count_try(struct registry *registry, const char *partner, const char *agent,
                        const char *credential, int64_t now_ns, uint64_t *tries)
{
    bool tell = false;
    *tries = 0;
    pthread_rwlock_rdlock(&registry->lock);
    struct entry *entry = find_cover(registry, partner, agent, credential);
    if (entry != NULL) {
        uint64_t count = atomic_fetch_add(&entry->tries, 1) + 1;
        int64_t told_ns = atomic_load(&entry->told_ns);
        /* A clock that was set back must not silence it. */
        bool due = told_ns == 0 || now_ns < told_ns || now_ns - told_ns >= MINUTE_NS;
        tell = due && atomic_compare_exchange_strong(&entry->told_ns, &told_ns, now_ns);
        if (tell)
            *tries = count - atomic_exchange(&entry->told, count);
    }
    pthread_rwlock_unlock(&registry->lock);
    return tell;
}

uint64_t registry_generation(const struct registry *registry)
{
    return atomic_load(&registry->generation);
}

static void list_entry(const struct entry *entry, struct table *table)
{
    const struct store_entry *content = &entry->content;
    char since[21], proposed[21];
    clock_format_utc(content->since_ns, since);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", content->partner);
    if (content->agent[0] != '\0')
        table_set(table, row, 1, "%s", content->agent);
    table_set(table, row, 2, "%s", entry->stored ? "contained" : "contained, not stored");
    table_set(table, row, 3, "%s", since);
    table_set(table, row, 4, "%s", content->reason);
    table_set(table, row, 5, "%s", content->by);
    if (content->credential[0] != '\0')
        table_set(table, row, 6, "%s", content->credential);
    table_set(table, row, 7, "%llu", (unsigned long long)atomic_load(&entry->tries));
    if (content->proposed_by == NULL)
        return;
    clock_format_utc(content->proposed_ns, proposed);
    table_set(table, row, 8, "%s", content->proposed_by);
    table_set(table, row, 9, "%s", proposed);
}

void registry_list(struct registry *registry, struct table *table)
{
    static const char *const columns[] = {"partner",
                                          "agent",
                                          "state",
                                          "since",
                                          "reason",
                                          "by",
                                          "credential",
                                          "tries",
                                          "restore_proposed_by",
                                          "restore_proposed",
                                          NULL};
    table_init(table, TABLE_BYTES, columns);
    pthread_rwlock_rdlock(&registry->lock);
    for (const struct entry *entry = registry->entries; entry != NULL; entry = entry->next)
        list_entry(entry, table);
    pthread_rwlock_unlock(&registry->lock);
}

/* ---- what is not in the ledger yet ---- */

struct settling {
    enum status (*record)(void *context, const struct registry_act *act);
    void *context;
};

static enum status settle_one(void *context, const char *verb, const struct store_entry *act)
{
    const struct settling *settling = context;
    struct registry_act told = {.verb = verb,
                                .partner = act->partner,
                                .agent = act->agent,
                                .credential = act->credential,
                                .reason = act->reason,
                                .by = act->by,
                                .proposed_by = act->proposed_by,
                                .at_ns = act->since_ns};
    return settling->record(settling->context, &told);
}

enum status registry_settle(struct registry *registry,
                            enum status (*record)(void *context, const struct registry_act *act),
                            void *context, struct error *error)
{
    struct settling settling = {.record = record, .context = context};
    enum status status;
    int64_t act_id;
    pthread_mutex_lock(&registry->writer);
    do {
        status = store_next_unrecorded(registry->store, &act_id, settle_one, &settling, error);
        if (status == STATUS_OK && act_id != 0)
            status = store_recorded(registry->store, act_id, error);
    } while (status == STATUS_OK && act_id != 0);
    pthread_mutex_unlock(&registry->writer);
    return status;
}
