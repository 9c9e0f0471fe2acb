/* See revocations.h. A hash table in front of the file.
 * Threads: readers take `lock` shared and never wait for the disk, nor does who adds one, under
 * `lock` alone; the registry's writer lock serialises who stores. `count` lets the common case,
 * nothing revoked, pass without the lock. Invariant: a revocation is in memory before it is
 * written. Entries are never taken out. */
#include "registry/revocations.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "registry/registry_private.h"
#include "registry/store_revocations.h"

enum { BUCKETS = 4096, TABLE_BYTES = 64 * 1024 * 1024 };

struct revocation {
    struct revocation *next;  /* of its bucket */
    struct revocation *later; /* in order of time */
    char issuer[2 * REVOCATION_ISSUER_BYTES + 1];
    char id[REVOCATION_ID_BYTES + 1];
    bool stored;
    int64_t since_ns;
    char *reason, *by; /* owned */
};

struct revocations {
    pthread_rwlock_t lock;
    struct revocation *buckets[BUCKETS];
    struct revocation *first, *last;
    atomic_size_t count, unstored;
};

static bool is_id(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len <= REVOCATION_ID_BYTES && strspn(id, "0123456789abcdef") == len;
}

/* Ids are random where they are good; the rest makes long chains, not wrong answers. */
static struct revocation **bucket_of(struct revocations *revocations, const char *id)
{
    uint32_t hash = crypto_crc32c(0, id, strlen(id));
    return &revocations->buckets[hash % BUCKETS];
}

/* Under either lock. */
static struct revocation *find(struct revocations *revocations, const char *issuer, const char *id)
{
    struct revocation *at = *bucket_of(revocations, id);
    while (at != NULL && (strcmp(at->id, id) != 0 || strcmp(at->issuer, issuer) != 0))
        at = at->next;
    return at;
}

static void revocation_free(struct revocation *revocation)
{
    if (revocation == NULL)
        return;
    free(revocation->reason);
    free(revocation->by);
    free(revocation);
}

static struct revocation *revocation_make(const struct store_revocation *content)
{
    struct revocation *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->reason = strdup(content->reason);
    made->by = strdup(content->by);
    if (made->reason == NULL || made->by == NULL) {
        revocation_free(made);
        return NULL;
    }
    memcpy(made->issuer, content->issuer, sizeof made->issuer - 1);
    memcpy(made->id, content->id, strlen(content->id));
    made->since_ns = content->since_ns;
    return made;
}

/* False if there is one already. */
static bool put(struct revocations *revocations, struct revocation *made)
{
    pthread_rwlock_wrlock(&revocations->lock);
    if (find(revocations, made->issuer, made->id) != NULL) {
        pthread_rwlock_unlock(&revocations->lock);
        return false;
    }
    struct revocation **bucket = bucket_of(revocations, made->id);
    made->next = *bucket;
    *bucket = made;
    if (revocations->last == NULL)
        revocations->first = made;
    else
        revocations->last->later = made;
    revocations->last = made;
    atomic_fetch_add(&revocations->count, 1);
    atomic_fetch_add(&revocations->unstored, made->stored ? 0 : 1);
    pthread_rwlock_unlock(&revocations->lock);
    return true;
}

/* What is stored in a form of nobody's is damage: better no start than a revocation lost. */
static enum status take_stored(void *context, const struct store_revocation *content)
{
    if (content->issuer == NULL || content->id == NULL ||
        strlen(content->issuer) != 2 * REVOCATION_ISSUER_BYTES || !is_id(content->id))
        return STATUS_CORRUPT;
    struct revocation *made = revocation_make(content);
    if (made == NULL)
        return STATUS_NOMEM;
    made->stored = true;
    if (!put(context, made))
        revocation_free(made);
    return STATUS_OK;
}

enum status revocations_open(struct store *store, struct revocations **revocations,
                             struct error *error)
{
    struct revocations *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    enum status status = store_read_revocations(store, take_stored, opened, error);
    if (status == STATUS_NOMEM)
        error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_CORRUPT)
        error_set(error, STATUS_CORRUPT, "XX001", "restore the registry from a backup",
                  "registry: a revocation is damaged");
    if (status == STATUS_OK)
        *revocations = opened;
    else
        revocations_close(opened);
    return status;
}

void revocations_close(struct revocations *revocations)
{
    if (revocations == NULL)
        return;
    for (struct revocation *at = revocations->first, *later; at != NULL; at = later) {
        later = at->later;
        revocation_free(at);
    }
    pthread_rwlock_destroy(&revocations->lock);
    free(revocations);
}

/* In memory, without waiting for anybody who writes: the disk may take its time, or hang. */
static enum status enforce(struct registry *registry, const struct store_revocation *content,
                           struct error *error)
{
    struct revocation *made = revocation_make(content);
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", "Contain the agent.",
                         "out of memory: NOT revoked");
    if (put(registry->revocations, made))
        atomic_fetch_add(&registry->generation, 1);
    else
        revocation_free(made);
    return STATUS_OK;
}

/* Under the registry's writer lock. */
static enum status store_one(struct registry *registry, struct revocation *entry,
                             struct error *error)
{
    struct revocations *revocations = registry->revocations;
    const struct store_revocation content = {.issuer = entry->issuer,
                                             .id = entry->id,
                                             .reason = entry->reason,
                                             .by = entry->by,
                                             .since_ns = entry->since_ns};
    if (entry->stored)
        return STATUS_OK;
    TRY(store_revoke(registry->store, &content, error));
    pthread_rwlock_wrlock(&revocations->lock);
    entry->stored = true;
    pthread_rwlock_unlock(&revocations->lock);
    atomic_fetch_sub(&revocations->unstored, 1);
    return STATUS_OK;
}

enum status revocations_store_late(struct registry *registry, struct error *error)
{
    struct revocations *revocations = registry->revocations;
    if (atomic_load(&revocations->unstored) == 0)
        return STATUS_OK;
    pthread_rwlock_rdlock(&revocations->lock);
    struct revocation *at = revocations->first;
    pthread_rwlock_unlock(&revocations->lock);
    while (at != NULL) {
        TRY(store_one(registry, at, error));
        pthread_rwlock_rdlock(&revocations->lock);
        at = at->later;
        pthread_rwlock_unlock(&revocations->lock);
    }
    return STATUS_OK;
}

enum status registry_revoke(struct registry *registry, const struct credential_name *name,
                            const char *reason, const char *by, int64_t now_ns, struct error *error)
{
    char issuer[2 * REVOCATION_ISSUER_BYTES + 1];
    if (!is_id(name->id))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a credential's id has 1 to %d lower-case hexadecimal digits",
                         REVOCATION_ID_BYTES);
    crypto_hex(name->issuer, REVOCATION_ISSUER_BYTES, issuer);
    struct store_revocation content = {.issuer = issuer,
                                       .id = name->id,
                                       .reason = reason == NULL ? "" : reason,
                                       .by = by == NULL ? "" : by,
                                       .since_ns = now_ns};
    TRY(enforce(registry, &content, error));
    pthread_mutex_lock(&registry->writer);
    pthread_rwlock_rdlock(&registry->revocations->lock);
    struct revocation *entry = find(registry->revocations, issuer, name->id);
    pthread_rwlock_unlock(&registry->revocations->lock);
    enum status status = store_one(registry, entry, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

bool registry_revoked(struct registry *registry, const uint8_t issuer[static 32], const char *id)
{
    struct revocations *revocations = registry->revocations;
    if (atomic_load(&revocations->count) == 0)
        return false;
    char hex[2 * REVOCATION_ISSUER_BYTES + 1];
    crypto_hex(issuer, REVOCATION_ISSUER_BYTES, hex);
    pthread_rwlock_rdlock(&revocations->lock);
    bool revoked = find(revocations, hex, id) != NULL;
    pthread_rwlock_unlock(&revocations->lock);
    return revoked;
}

void registry_list_revoked(struct registry *registry, struct table *table)
{
    static const char *const columns[] = {"issuer", "id", "since", "reason", "by", "stored", NULL};
    struct revocations *revocations = registry->revocations;
    table_init(table, TABLE_BYTES, columns);
    pthread_rwlock_rdlock(&revocations->lock);
    for (const struct revocation *at = revocations->first; at != NULL; at = at->later) {
        char since[21];
        clock_format_utc(at->since_ns, since);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", at->issuer);
        table_set(table, row, 1, "%s", at->id);
        table_set(table, row, 2, "%s", since);
        table_set(table, row, 3, "%s", at->reason);
        table_set(table, row, 4, "%s", at->by);
        table_set(table, row, 5, "%s", at->stored ? "yes" : "no");
    }
    pthread_rwlock_unlock(&revocations->lock);
}
