/* Records (id, kind, key) lie in 1 MiB chunks; ids and the slots of 1,024 small hash tables point
 * at them. A table doubles on its own, so that no insertion waits for more than a thousandth.
 * Per subject: a slot of 8 bytes (load 3/8 to 3/4), a position of 4, and the key + 7, rounded up
 * to 4: about 42 bytes for a key of 16. Positions count units of 4 bytes.
 * A slot holds a position and 32 bits of the keyed hash; nothing is ever taken out of a table: an
 * erased pair loses its text, and its slot then matches nobody. */
#include "exposure/dictionary.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "exposure/siphash.h"

enum {
    TABLE_BITS = 10,
    TABLES = 1 << TABLE_BITS,
    FIRST_SLOTS = 8,
    CHUNK_UNITS = 1 << 18, /* of 4 bytes */
    CHUNKS = 1 << 14,
    PAGE_IDS = 1 << 16,
    PAGES = 1 << 15,
    HEAD_BYTES = 7, /* id, kind, key length */
};

/* Above this no id is given out: the pages end there. */
static const uint32_t IDS_MAX = (uint32_t)PAGES * PAGE_IDS - 1;

struct slot {
    uint32_t hash, unit; /* unit 0: empty */
};

struct slots {
    struct slot *slots;
    uint32_t count, used; /* count is a power of two or 0 */
};

struct dictionary {
    pthread_rwlock_t lock;
    uint64_t hash_key[2];
    struct slots tables[TABLES];
    uint8_t **chunks;   /* CHUNKS of them, NULL until needed */
    uint32_t next_unit; /* where the next key goes; 0 is nobody's */
    uint32_t **pages;   /* id -> unit of its key; 0: unknown */
    uint32_t next_id;
    uint32_t settled_below;
    /* For ids from settled_below on: 1 + sequence of an entry that carries the pair; 0: none. */
    uint64_t *carriers;
    size_t carrier_capacity;
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for another subject");
}

enum status dictionary_new(struct dictionary **dictionary, struct error *error)
{
    struct dictionary *d = calloc(1, sizeof *d);
    if (d == NULL)
        return out_of_memory(error);
    d->chunks = calloc(CHUNKS, sizeof *d->chunks);
    d->pages = calloc(PAGES, sizeof *d->pages);
    if (d->chunks == NULL || d->pages == NULL) {
        free(d->chunks);
        free(d->pages);
        free(d);
        return out_of_memory(error);
    }
    d->next_unit = 1;
    crypto_random(d->hash_key, sizeof d->hash_key);
    /* glibc's default lets readers starve a writer. */
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&d->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    *dictionary = d;
    return STATUS_OK;
}

void dictionary_free(struct dictionary *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < TABLES; i++)
        free(d->tables[i].slots);
    for (size_t i = 0; i < CHUNKS && d->chunks[i] != NULL; i++) {
        crypto_wipe(d->chunks[i], (size_t)CHUNK_UNITS * 4);
        free(d->chunks[i]);
    }
    for (size_t i = 0; i < PAGES; i++)
        free(d->pages[i]);
    free(d->chunks);
    free(d->pages);
    free(d->carriers);
    pthread_rwlock_destroy(&d->lock);
    free(d);
}

/* ---- keys by id ---- */

static uint32_t unit_of(const struct dictionary *d, uint32_t id)
{
    const uint32_t *page = id <= IDS_MAX ? d->pages[id / PAGE_IDS] : NULL;
    return page == NULL ? 0 : page[id % PAGE_IDS];
}

static uint8_t *record_at(const struct dictionary *d, uint32_t unit)
{
    return d->chunks[unit / CHUNK_UNITS] + (size_t)(unit % CHUNK_UNITS) * 4;
}

static uint32_t record_id(const uint8_t *record)
{
    return load_u32be(record);
}

static uint16_t record_kind(const uint8_t *record)
{
    return load_u16be(record + 4);
}

static struct slice record_key(const uint8_t *record)
{
    return slice_of(record + HEAD_BYTES, record[6]);
}

/* Stores the pair under its id. False without memory. */
static bool store_record(struct dictionary *d, uint32_t id, uint16_t kind, struct slice key)
{
    uint32_t units = (uint32_t)(HEAD_BYTES + key.len + 3) / 4;
    uint32_t unit = d->next_unit;
    if (unit % CHUNK_UNITS + units > CHUNK_UNITS)
        unit = (unit / CHUNK_UNITS + 1) * CHUNK_UNITS;
    uint32_t **page = &d->pages[id / PAGE_IDS];
    if (unit / CHUNK_UNITS >= CHUNKS)
        return false;
    uint8_t **chunk = &d->chunks[unit / CHUNK_UNITS];
    if (*chunk == NULL && (*chunk = malloc((size_t)CHUNK_UNITS * 4)) == NULL)
        return false;
    if (*page == NULL && (*page = calloc(PAGE_IDS, sizeof **page)) == NULL)
        return false;
    uint8_t *record = record_at(d, unit);
    store_u32be(record, id);
    store_u16be(record + 4, kind);
    record[6] = (uint8_t)key.len;
    if (key.len > 0)
        memcpy(record + HEAD_BYTES, key.data, key.len);
    (*page)[id % PAGE_IDS] = unit;
    d->next_unit = unit + units;
    return true;
}

/* ---- ids by key ---- */

/* The low bits choose the table, the high half is what a slot keeps. */
static uint64_t hash_of(const struct dictionary *d, uint16_t kind, struct slice key)
{
    return siphash13(d->hash_key, kind, key.data, key.len);
}

static bool record_matches(const uint8_t *record, uint16_t kind, struct slice key)
{
    return record_kind(record) == kind && slice_equal(record_key(record), key);
}

static bool lookup(const struct dictionary *d, uint64_t hash, uint16_t kind, struct slice key,
                   uint32_t *id)
{
    const struct slots *table = &d->tables[hash % TABLES];
    uint32_t tag = (uint32_t)(hash >> 32), mask = table->count - 1;
    if (table->count == 0)
        return false;
    for (uint32_t i = tag & mask; table->slots[i].unit != 0; i = (i + 1) & mask) {
        if (table->slots[i].hash != tag)
            continue;
        const uint8_t *record = record_at(d, table->slots[i].unit);
        if (record_matches(record, kind, key)) {
            *id = record_id(record);
            return true;
        }
    }
    return false;
}

static void put_slot(struct slots *table, struct slot slot)
{
    uint32_t mask = table->count - 1, i = slot.hash & mask;
    while (table->slots[i].unit != 0)
        i = (i + 1) & mask;
    table->slots[i] = slot;
}

/* Room for one more, at a load of at most 3/4. */
static bool make_room(struct slots *table)
{
    if (table->count != 0 && table->used < table->count / 4 * 3)
        return true;
    struct slots grown = {.count = table->count == 0 ? FIRST_SLOTS : table->count * 2,
                          .used = table->used};
    grown.slots = calloc(grown.count, sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (uint32_t i = 0; i < table->count; i++)
        if (table->slots[i].unit != 0)
            put_slot(&grown, table->slots[i]);
    free(table->slots);
    *table = grown;
    return true;
}

static bool insert(struct dictionary *d, uint64_t hash, uint32_t id, uint16_t kind,
                   struct slice key)
{
    struct slots *table = &d->tables[hash % TABLES];
    if (!make_room(table) || !store_record(d, id, kind, key))
        return false;
    put_slot(table, (struct slot){.hash = (uint32_t)(hash >> 32), .unit = unit_of(d, id)});
    table->used++;
    return true;
}

/* ---- settled or not ---- */

static bool is_settled(const struct dictionary *d, uint32_t id, uint64_t durable)
{
    if (id < d->settled_below)
        return true;
    size_t at = id - d->settled_below;
    return at < d->carrier_capacity && d->carriers[at] != 0 && d->carriers[at] <= durable;
}

/* Without memory the ids behind the end stay unsettled, which is safe. */
static void make_carrier_room(struct dictionary *d)
{
    size_t need = d->next_id > d->settled_below ? d->next_id - d->settled_below : 0;
    if (need <= d->carrier_capacity)
        return;
    size_t capacity = need < 1024 ? 1024 : need * 2;
    uint64_t *carriers = realloc(d->carriers, capacity * sizeof *carriers);
    if (carriers == NULL)
        return;
    memset(carriers + d->carrier_capacity, 0, (capacity - d->carrier_capacity) * sizeof *carriers);
    d->carriers = carriers;
    d->carrier_capacity = capacity;
}

void dictionary_carried(struct dictionary *d, uint64_t sequence, const uint32_t *ids, size_t count)
{
    pthread_rwlock_rdlock(&d->lock);
    bool all_settled = count == 0 || ids[count - 1] < d->settled_below;
    pthread_rwlock_unlock(&d->lock);
    if (all_settled) /* nearly always: the key file is never more than seconds behind */
        return;
    pthread_rwlock_wrlock(&d->lock);
    make_carrier_room(d);
    for (size_t i = count; i > 0 && ids[i - 1] >= d->settled_below; i--) {
        size_t at = ids[i - 1] - d->settled_below;
        if (at < d->carrier_capacity && d->carriers[at] == 0)
            d->carriers[at] = sequence + 1;
    }
    pthread_rwlock_unlock(&d->lock);
}

void dictionary_settle_below(struct dictionary *d, uint32_t id)
{
    pthread_rwlock_wrlock(&d->lock);
    CHECK(id >= d->settled_below);
    size_t gone = id - d->settled_below;
    size_t kept = gone < d->carrier_capacity ? d->carrier_capacity - gone : 0;
    if (kept > 0)
        memmove(d->carriers, d->carriers + gone, kept * sizeof *d->carriers);
    if (d->carrier_capacity > 0)
        memset(d->carriers + kept, 0, (d->carrier_capacity - kept) * sizeof *d->carriers);
    d->settled_below = id;
    pthread_rwlock_unlock(&d->lock);
}

/* ---- the interface ---- */

static void took_id(struct dictionary *d, uint32_t id)
{
    if (id >= d->next_id)
        d->next_id = id + 1;
}

static enum status add_missing(struct dictionary *d, const struct subject_key *key, uint32_t *id,
                               struct error *error)
{
    uint64_t hash = hash_of(d, key->kind, key->key);
    if (lookup(d, hash, key->kind, key->key, id)) /* another thread, or twice in this batch */
        return STATUS_OK;
    uint32_t made = d->next_id;
    if (made > IDS_MAX)
        return error_set(error, STATUS_LIMIT, "53000", NULL, "no subject ids are left");
    if (!insert(d, hash, made, key->kind, key->key))
        return out_of_memory(error);
    took_id(d, made);
    *id = made;
    return STATUS_OK;
}

/* Looks all keys up; those not found get *missing counted and their position in unsettled. */
static size_t find_all(const struct dictionary *d, const struct subject_key *keys, size_t count,
                       uint32_t *ids, size_t *missing)
{
    size_t found_missing = 0;
    for (size_t i = 0; i < count; i++)
        if (!lookup(d, hash_of(d, keys[i].kind, keys[i].key), keys[i].kind, keys[i].key, &ids[i]))
            missing[found_missing++] = i;
    return found_missing;
}

static size_t list_unsettled(const struct dictionary *d, const uint32_t *ids, size_t count,
                             uint64_t durable, size_t *unsettled)
{
    size_t listed = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_settled(d, ids[i], durable))
            unsettled[listed++] = i;
    return listed;
}

enum status dictionary_map(struct dictionary *d, const struct subject_key *keys, size_t count,
                           uint64_t durable, uint32_t *ids, size_t *unsettled,
                           size_t *unsettled_count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].key.len > LIMIT_SUBJECT_KEY_BYTES || keys[i].kind == DICTIONARY_KIND_ERASED)
            return error_set(error, STATUS_LIMIT, "54000", NULL,
                             "a subject key is longer than %d bytes", LIMIT_SUBJECT_KEY_BYTES);
    pthread_rwlock_rdlock(&d->lock);
    size_t missing = find_all(d, keys, count, ids, unsettled);
    if (missing == 0)
        *unsettled_count = list_unsettled(d, ids, count, durable, unsettled);
    pthread_rwlock_unlock(&d->lock);
    if (missing == 0)
        return STATUS_OK;
    enum status status = STATUS_OK;
    pthread_rwlock_wrlock(&d->lock);
    for (size_t i = 0; i < missing && status == STATUS_OK; i++)
        status = add_missing(d, &keys[unsettled[i]], &ids[unsettled[i]], error);
    if (status == STATUS_OK)
        *unsettled_count = list_unsettled(d, ids, count, durable, unsettled);
    pthread_rwlock_unlock(&d->lock);
    return status;
}

enum status dictionary_find(struct dictionary *d, uint16_t kind, struct slice key, uint32_t *id)
{
    pthread_rwlock_rdlock(&d->lock);
    bool found = lookup(d, hash_of(d, kind, key), kind, key, id);
    pthread_rwlock_unlock(&d->lock);
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status dictionary_key(struct dictionary *d, uint32_t id, uint16_t *kind, char key[256])
{
    enum status status = STATUS_NOT_FOUND;
    pthread_rwlock_rdlock(&d->lock);
    uint32_t unit = unit_of(d, id);
    const uint8_t *record = unit == 0 ? NULL : record_at(d, unit);
    if (record != NULL && record_kind(record) != DICTIONARY_KIND_ERASED) {
        struct slice text = record_key(record);
        memcpy(key, text.data, text.len);
        key[text.len] = '\0';
        *kind = record_kind(record);
        status = STATUS_OK;
    }
    pthread_rwlock_unlock(&d->lock);
    return status;
}

bool dictionary_knows(struct dictionary *d, uint32_t id)
{
    pthread_rwlock_rdlock(&d->lock);
    bool known = unit_of(d, id) != 0;
    pthread_rwlock_unlock(&d->lock);
    return known;
}

static enum status learn_locked(struct dictionary *d, uint32_t id, uint16_t kind, struct slice key,
                                struct error *error)
{
    uint32_t unit = unit_of(d, id), other;
    if (unit != 0 && record_kind(record_at(d, unit)) == DICTIONARY_KIND_ERASED)
        return STATUS_OK; /* a side section from before the erasure */
    if (unit != 0 && record_matches(record_at(d, unit), kind, key))
        return STATUS_OK;
    uint64_t hash = hash_of(d, kind, key);
    bool erased = kind == DICTIONARY_KIND_ERASED;
    if (unit != 0 || id > IDS_MAX || (!erased && lookup(d, hash, kind, key, &other)))
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "subject id %u stands for two different subjects", id);
    if (erased ? !store_record(d, id, kind, slice_of(NULL, 0)) : !insert(d, hash, id, kind, key))
        return out_of_memory(error);
    took_id(d, id);
    return STATUS_OK;
}

enum status dictionary_learn(struct dictionary *d, uint32_t id, uint16_t kind, struct slice key,
                             struct error *error)
{
    if (key.len > LIMIT_SUBJECT_KEY_BYTES)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a subject key is too long");
    pthread_rwlock_wrlock(&d->lock);
    enum status status = learn_locked(d, id, kind, key, error);
    pthread_rwlock_unlock(&d->lock);
    return status;
}

void dictionary_reserve(struct dictionary *d, uint32_t highest_id)
{
    pthread_rwlock_wrlock(&d->lock);
    if (highest_id <= IDS_MAX)
        took_id(d, highest_id);
    pthread_rwlock_unlock(&d->lock);
}

enum status dictionary_erase(struct dictionary *d, uint16_t kind, struct slice key, uint32_t *id)
{
    uint32_t found;
    pthread_rwlock_wrlock(&d->lock);
    bool known = lookup(d, hash_of(d, kind, key), kind, key, &found);
    if (known) {
        uint8_t *record = record_at(d, unit_of(d, found));
        crypto_wipe(record + HEAD_BYTES, record[6]);
        store_u16be(record + 4, DICTIONARY_KIND_ERASED);
        record[6] = 0;
        *id = found;
    }
    pthread_rwlock_unlock(&d->lock);
    return known ? STATUS_OK : STATUS_NOT_FOUND;
}

uint32_t dictionary_next_id(struct dictionary *d)
{
    pthread_rwlock_rdlock(&d->lock);
    uint32_t next = d->next_id;
    pthread_rwlock_unlock(&d->lock);
    return next;
}

uint32_t dictionary_each(struct dictionary *d, uint32_t from, uint32_t until,
                         bool (*fn)(void *context, uint32_t id, uint16_t kind, struct slice key),
                         void *context)
{
    uint32_t id = from;
    pthread_rwlock_rdlock(&d->lock);
    for (; id < until; id++) {
        uint32_t unit = unit_of(d, id);
        if (unit == 0)
            continue;
        const uint8_t *record = record_at(d, unit);
        if (!fn(context, id, record_kind(record), record_key(record)))
            break;
    }
    pthread_rwlock_unlock(&d->lock);
    return id;
}
