/* See crls.h. A list: there are as many as authorities.
 * Threads: readers take `lock` shared and never wait for the disk; the registry's writer lock
 * serialises changes. Invariant: what refuses older lists is in memory before it is stored; what
 * lets them count again is stored before it is in memory. */
#include "registry/crls.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "registry/registry_private.h"
#include "registry/store_crls.h"

struct kept_crl {
    struct kept_crl *next;
    struct crl_seen content;
    bool stored; /* writer */
};

struct crls {
    pthread_rwlock_t lock;
    struct kept_crl *first; /* lock */
    size_t count;
};

static struct kept_crl **find(struct crls *crls, const uint8_t *authority)
{
    struct kept_crl **link = &crls->first;
    while (*link != NULL && memcmp((*link)->content.authority, authority, CRLS_KEY_BYTES) != 0)
        link = &(*link)->next;
    return link;
}

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Under the writer lock, or while nobody else knows of it. */
static enum status put(struct crls *crls, const struct crl_seen *seen, struct kept_crl **kept,
                       struct error *error)
{
    *kept = *find(crls, seen->authority);
    if (*kept == NULL && crls->count == CRLS_MOST)
        return error_set(error, STATUS_LIMIT, "54000",
                         "cofferdam cert reset-crl forgets one that is not used any more",
                         "revocation lists of more than %d authorities were seen", CRLS_MOST);
    struct kept_crl *made = *kept == NULL ? calloc(1, sizeof *made) : NULL;
    if (*kept == NULL && made == NULL)
        return out_of_memory(error);
    pthread_rwlock_wrlock(&crls->lock);
    if (made != NULL) {
        made->next = crls->first;
        crls->first = *kept = made;
        crls->count++;
    }
    (*kept)->content = *seen;
    pthread_rwlock_unlock(&crls->lock);
    return STATUS_OK;
}

static enum status take_stored(void *context, const struct crl_seen *seen, struct error *error)
{
    struct kept_crl *kept;
    TRY(put(context, seen, &kept, error));
    kept->stored = true;
    return STATUS_OK;
}

enum status crls_open(struct store *store, struct crls **crls, struct error *error)
{
    struct crls *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return out_of_memory(error);
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    enum status status = store_read_crls(store, take_stored, opened, error);
    if (status == STATUS_OK)
        *crls = opened;
    else
        crls_free(opened);
    return status;
}

void crls_free(struct crls *crls)
{
    if (crls == NULL)
        return;
    for (struct kept_crl *at = crls->first, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    pthread_rwlock_destroy(&crls->lock);
    free(crls);
}

bool crls_find(struct registry *registry, const uint8_t authority[static CRLS_KEY_BYTES],
               struct crl_seen *seen)
{
    pthread_rwlock_rdlock(&registry->crls->lock);
    const struct kept_crl *kept = *find(registry->crls, authority);
    if (kept != NULL)
        *seen = kept->content;
    pthread_rwlock_unlock(&registry->crls->lock);
    return kept != NULL;
}

enum status crls_note(struct registry *registry, const struct crl_seen *seen, struct error *error)
{
    struct kept_crl *kept;
    pthread_mutex_lock(&registry->writer);
    enum status status = put(registry->crls, seen, &kept, error);
    if (status == STATUS_OK) {
        kept->stored = false;
        status = store_put_crl(registry->store, seen, error);
        kept->stored = status == STATUS_OK;
    }
    pthread_mutex_unlock(&registry->writer);
    return status;
}

enum status crls_settle(struct registry *registry, struct error *error)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&registry->writer);
    for (struct kept_crl *at = registry->crls->first; at != NULL && status == STATUS_OK;
         at = at->next) {
        if (at->stored)
            continue;
        status = store_put_crl(registry->store, &at->content, error);
        at->stored = status == STATUS_OK;
    }
    pthread_mutex_unlock(&registry->writer);
    return status;
}

/* Under the writer lock. */
static enum status forget(struct registry *registry, const uint8_t *authority, struct error *error)
{
    struct crls *crls = registry->crls;
    struct kept_crl **link = find(crls, authority), *kept = *link;
    if (kept == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "SHOW CRLS lists them",
                         "no revocation list of this authority has been seen");
    TRY(store_forget_crl(registry->store, authority, error));
    pthread_rwlock_wrlock(&crls->lock);
    *link = kept->next;
    crls->count--;
    pthread_rwlock_unlock(&crls->lock);
    free(kept);
    return STATUS_OK;
}

enum status crls_forget(struct registry *registry, const uint8_t authority[static CRLS_KEY_BYTES],
                        struct error *error)
{
    pthread_mutex_lock(&registry->writer);
    enum status status = forget(registry, authority, error);
    pthread_mutex_unlock(&registry->writer);
    return status;
}

void crls_each(struct registry *registry, bool (*take)(void *context, const struct crl_seen *seen),
               void *context)
{
    pthread_rwlock_rdlock(&registry->crls->lock);
    for (struct kept_crl *at = registry->crls->first; at != NULL; at = at->next)
        if (!take(context, &at->content))
            break;
    pthread_rwlock_unlock(&registry->crls->lock);
}
