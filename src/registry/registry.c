/* Containment in memory, in front of its file.
 * Threads: readers take `lock` shared and never wait for the disk; writers are serialised by
 * `writer`, change the list under `lock`, and write the file outside it. `count` lets the common
 * case, nobody contained, pass without the lock.
 * Invariant: containment is in memory before it is written; a restoration is written before it is
 * in memory. Whatever the disk does, nobody gets in who should not. */
#include "registry/registry_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

enum { TABLE_BYTES = 4 * 1024 * 1024 };

struct entry {
    struct entry *next;
    struct store_entry content; /* its texts are in `texts` */
    bool stored;
    char texts[];
};

static struct entry *entry_make(const struct store_entry *content)
{
    const char *const texts[] = {content->partner, content->agent, content->reason, content->by};
    size_t sizes[4], total = 0;
    for (int i = 0; i < 4; i++)
        total += sizes[i] = strlen(texts[i]) + 1;
    struct entry *made = malloc(sizeof *made + total);
    if (made == NULL)
        return NULL;
    const char *copies[4];
    char *at = made->texts;
    for (int i = 0; i < 4; i++) {
        copies[i] = memcpy(at, texts[i], sizes[i]);
        at += sizes[i];
    }
    made->next = NULL;
    made->stored = false;
    made->content = (struct store_entry){.partner = copies[0],
                                         .agent = copies[1],
                                         .reason = copies[2],
                                         .by = copies[3],
                                         .since_ns = content->since_ns};
    return made;
}

/* The link that points to the entry, or to the end of the list. Under either lock. */
static struct entry **find(struct registry *registry, const char *partner, const char *agent)
{
    struct entry **link = &registry->entries;
    while (*link != NULL && (strcmp((*link)->content.partner, partner) != 0 ||
                             strcmp((*link)->content.agent, agent) != 0))
        link = &(*link)->next;
    return link;
}

/* Puts made at the end. Whoever reads the new generation also sees the entry. */
static void put(struct registry *registry, struct entry *made)
{
    pthread_rwlock_wrlock(&registry->lock);
    struct entry **end = &registry->entries;
    while (*end != NULL)
        end = &(*end)->next;
    *end = made;
    atomic_fetch_add(&registry->count, 1);
    atomic_fetch_add(&registry->generation, 1);
    pthread_rwlock_unlock(&registry->lock);
}

static enum status take_stored(void *context, const struct store_entry *content)
{
    struct entry *made = entry_make(content);
    if (made == NULL)
        return STATUS_NOMEM;
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
        *registry = opened;
    else
        registry_close(opened);
    return status;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    store_close(registry->store);
    revocations_close(registry->revocations);
    for (struct entry *entry = registry->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        free(entry);
    }
    pthread_rwlock_destroy(&registry->lock);
    pthread_mutex_destroy(&registry->writer);
    free(registry);
}

static struct store_entry content_of(const char *partner, const char *agent, const char *reason,
                                     const char *by, int64_t now_ns)
{
    return (struct store_entry){.partner = partner,
                                .agent = agent == NULL ? "" : agent,
                                .reason = reason == NULL ? "" : reason,
                                .by = by == NULL ? "" : by,
                                .since_ns = now_ns};
}

/* Under `writer`. What is already contained stays as it is, but is stored if it was not. */
static enum status contain(struct registry *registry, const struct store_entry *content,
                           struct error *error)
{
    struct entry *entry = *find(registry, content->partner, content->agent);
    if (entry != NULL && entry->stored)
        return STATUS_OK;
    if (entry == NULL) {
        entry = entry_make(content);
        if (entry == NULL)
            return error_set(error, STATUS_NOMEM, "53200", "Stop the gateway.",
                             "out of memory: NOT contained");
        put(registry, entry);
    }
    TRY(store_contain(registry->store, &entry->content, error));
    pthread_rwlock_wrlock(&registry->lock);
    entry->stored = true;
    pthread_rwlock_unlock(&registry->lock);
    return STATUS_OK;
}

enum status registry_contain(struct registry *registry, const char *partner, const char *agent,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(partner, agent, reason, by, now_ns);
    pthread_mutex_lock(&registry->writer);
    enum status status = contain(registry, &content, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* Under `writer`. */
static enum status restore(struct registry *registry, const struct store_entry *content,
                           struct error *error)
{
    struct entry **link = find(registry, content->partner, content->agent), *entry = *link;
    if (entry == NULL && content->agent[0] != '\0' && *find(registry, content->partner, "") != NULL)
        return error_set(error, STATUS_NOT_FOUND, "02000", "Restore the partner.",
                         "%s.%s is not contained by itself: its whole partner is", content->partner,
                         content->agent);
    if (entry == NULL)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL, "%s%s%s is not contained",
                         content->partner, content->agent[0] == '\0' ? "" : ".", content->agent);
    TRY(store_restore(registry->store, content, error));
    pthread_rwlock_wrlock(&registry->lock);
    *link = entry->next;
    atomic_fetch_sub(&registry->count, 1);
    atomic_fetch_add(&registry->generation, 1);
    pthread_rwlock_unlock(&registry->lock);
    free(entry);
    return STATUS_OK;
}

enum status registry_restore(struct registry *registry, const char *partner, const char *agent,
                             const char *reason, const char *by, int64_t now_ns,
                             struct error *error)
{
    struct store_entry content = content_of(partner, agent, reason, by, now_ns);
    pthread_mutex_lock(&registry->writer);
    enum status status = restore(registry, &content, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

bool registry_contained(struct registry *registry, const char *partner, const char *agent)
{
    if (atomic_load(&registry->count) == 0)
        return false;
    pthread_rwlock_rdlock(&registry->lock);
    bool contained = *find(registry, partner, "") != NULL ||
                     (agent != NULL && *find(registry, partner, agent) != NULL);
    pthread_rwlock_unlock(&registry->lock);
    return contained;
}

uint64_t registry_generation(const struct registry *registry)
{
    return atomic_load(&registry->generation);
}

void registry_list(struct registry *registry, struct table *table)
{
    static const char *const columns[] = {"partner", "agent", "state", "since",
                                          "reason",  "by",    NULL};
    table_init(table, TABLE_BYTES, columns);
    pthread_rwlock_rdlock(&registry->lock);
    for (const struct entry *entry = registry->entries; entry != NULL; entry = entry->next) {
        const struct store_entry *content = &entry->content;
        char since[21];
        clock_format_utc(content->since_ns, since);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", content->partner);
        if (content->agent[0] != '\0')
            table_set(table, row, 1, "%s", content->agent);
        table_set(table, row, 2, "%s", entry->stored ? "contained" : "contained, not stored");
        table_set(table, row, 3, "%s", since);
        table_set(table, row, 4, "%s", content->reason);
        table_set(table, row, 5, "%s", content->by);
    }
    pthread_rwlock_unlock(&registry->lock);
}
