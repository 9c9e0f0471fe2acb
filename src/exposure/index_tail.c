/* See index_tail.h. */
#include "exposure/index_tail.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/subject_set.h"

enum { UNSORTED_LEAST = 1024, BLOCK_OVERHEAD = 16 };

struct partner {
    pthread_mutex_t lock;
    const char *name; /* the pool's */
    struct tail_series **series;
    size_t count, capacity;
    struct tail_series *last; /* added to last */
    roaring_bitmap_t *column_sets;
    int64_t deleted_before_ns;
};

struct tail {
    struct name_pool *pool;
    pthread_rwlock_t lock; /* of the map */
    struct name_map map;
    _Atomic size_t bytes;
    _Atomic uint64_t end;
    struct slice *texts; /* copies */
    size_t text_count;
    uint32_t first_text;
};

enum status tail_new(struct name_pool *pool, struct tail **out, struct error *error)
{
    struct tail *tail = calloc(1, sizeof *tail);
    if (tail == NULL)
        return error_no_memory(error);
    tail->pool = pool;
    pthread_rwlock_init(&tail->lock, NULL);
    *out = tail;
    return STATUS_OK;
}

static void series_free(struct tail_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        free(series->buckets[i].ids);
    free(series->buckets);
    free(series);
}

static void partner_free(struct partner *partner)
{
    for (size_t i = 0; i < partner->count; i++)
        series_free(partner->series[i]);
    free(partner->series);
    roaring_bitmap_free(partner->column_sets);
    pthread_mutex_destroy(&partner->lock);
    free(partner);
}

void tail_free(struct tail *tail)
{
    union {
        const uint8_t *bytes;
        void *block;
    } text;
    if (tail == NULL)
        return;
    for (size_t i = 0; i < tail->map.count; i++)
        partner_free(tail->map.entries[i].value);
    name_map_free(&tail->map);
    for (size_t i = 0; i < tail->text_count; i++) {
        text.bytes = tail->texts[i].data;
        free(text.block);
    }
    free(tail->texts);
    pthread_rwlock_destroy(&tail->lock);
    free(tail);
}

static void count_bytes(struct tail *tail, size_t bytes)
{
    atomic_fetch_add_explicit(&tail->bytes, bytes, memory_order_relaxed);
}

static struct partner *find_partner(struct tail *tail, struct slice name)
{
    pthread_rwlock_rdlock(&tail->lock);
    struct partner *partner = name_map_get(&tail->map, name);
    pthread_rwlock_unlock(&tail->lock);
    return partner;
}

static struct partner *get_partner(struct tail *tail, struct slice name)
{
    struct partner *partner = find_partner(tail, name);
    if (partner != NULL)
        return partner;
    pthread_rwlock_wrlock(&tail->lock);
    partner = name_map_get(&tail->map, name);
    if (partner == NULL) {
        partner = calloc(1, sizeof *partner);
        CHECK(partner != NULL);
        pthread_mutex_init(&partner->lock, NULL);
        partner->name = name_pool_get(tail->pool, name);
        partner->column_sets = roaring_bitmap_create();
        CHECK(partner->column_sets != NULL);
        partner->deleted_before_ns = INT64_MIN;
        name_map_put(&tail->map, name, partner);
        count_bytes(tail, sizeof *partner + BLOCK_OVERHEAD);
    }
    pthread_rwlock_unlock(&tail->lock);
    return partner;
}

/* ---- buckets ---- */

/* Merges the unsorted part into the sorted one. */
static void settle(struct tail_bucket *bucket)
{
    uint32_t *fresh = bucket->ids + bucket->sorted;
    size_t added = bucket->count - bucket->sorted;
    if (added == 0)
        return;
    added = subject_ids_unique(fresh, added);
    if (bucket->sorted == 0) {
        bucket->sorted = bucket->count = (uint32_t)added;
        return;
    }
    uint32_t *copy = malloc(added * sizeof *copy);
    CHECK(copy != NULL);
    memcpy(copy, fresh, added * sizeof *copy);
    /* From the back; what is in both is written twice and dropped below. */
    size_t left = bucket->sorted, right = added, at = left + right;
    while (right > 0) {
        bool from_left = left > 0 && bucket->ids[left - 1] > copy[right - 1];
        bucket->ids[--at] = from_left ? bucket->ids[--left] : copy[--right];
    }
    size_t kept = 0, total = bucket->sorted + added;
    for (size_t i = 0; i < total; i++)
        if (kept == 0 || bucket->ids[i] != bucket->ids[kept - 1])
            bucket->ids[kept++] = bucket->ids[i];
    free(copy);
    bucket->sorted = bucket->count = (uint32_t)kept;
}

static void make_room(struct tail *tail, struct tail_bucket *bucket, size_t count)
{
    size_t need = bucket->count + count;
    if (need <= bucket->capacity)
        return;
    size_t capacity = need + need / 2;
    bucket->ids = realloc(bucket->ids, capacity * sizeof *bucket->ids);
    CHECK(bucket->ids != NULL && capacity <= UINT32_MAX);
    count_bytes(tail, (capacity - bucket->capacity) * sizeof *bucket->ids);
    bucket->capacity = (uint32_t)capacity;
}

static void bucket_add(struct tail *tail, struct tail_bucket *bucket, const uint32_t *ids,
                       size_t count)
{
    make_room(tail, bucket, count);
    bool follows = bucket->sorted == bucket->count &&
                   (bucket->count == 0 || bucket->ids[bucket->count - 1] < ids[0]);
    memcpy(bucket->ids + bucket->count, ids, count * sizeof *ids);
    bucket->count += (uint32_t)count;
    if (follows)
        bucket->sorted = bucket->count;
    uint32_t unsorted = bucket->count - bucket->sorted, allowed = bucket->sorted / 8;
    if (unsorted > (allowed > UNSORTED_LEAST ? allowed : UNSORTED_LEAST))
        settle(bucket);
}

static bool bucket_holds(const struct tail_bucket *bucket, uint32_t id)
{
    size_t from = 0, until = bucket->sorted;
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        if (bucket->ids[middle] < id)
            from = middle + 1;
        else
            until = middle;
    }
    if (from < bucket->sorted && bucket->ids[from] == id)
        return true;
    for (size_t i = bucket->sorted; i < bucket->count; i++)
        if (bucket->ids[i] == id)
            return true;
    return false;
}

static struct tail_bucket *get_bucket(struct tail *tail, struct tail_series *series, int32_t hour)
{
    size_t at = series->count;
    while (at > 0 && series->buckets[at - 1].hour > hour)
        at--;
    if (at > 0 && series->buckets[at - 1].hour == hour)
        return &series->buckets[at - 1];
    if (series->count == series->capacity) {
        size_t capacity = series->capacity == 0 ? 2 : series->capacity * 2;
        series->buckets = realloc(series->buckets, capacity * sizeof *series->buckets);
        CHECK(series->buckets != NULL);
        count_bytes(tail, (capacity - series->capacity) * sizeof *series->buckets);
        series->capacity = capacity;
    }
    memmove(series->buckets + at + 1, series->buckets + at,
            (series->count - at) * sizeof *series->buckets);
    series->buckets[at] = (struct tail_bucket){.hour = hour};
    series->count++;
    count_bytes(tail, BLOCK_OVERHEAD);
    return &series->buckets[at];
}

/* ---- series ---- */

/* The first series that is not before the key. */
static size_t position(const struct partner *partner, const struct index_key *key)
{
    size_t low = 0, high = partner->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index_key_compare(&partner->series[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct tail_series *find_series(const struct partner *partner, const struct index_key *key)
{
    size_t at = position(partner, key);
    return at < partner->count && index_key_compare(&partner->series[at]->key, key) == 0
               ? partner->series[at]
               : NULL;
}

static struct tail_series *get_series(struct tail *tail, struct partner *partner,
                                      const struct index_key *key)
{
    if (partner->last != NULL && index_key_compare(&partner->last->key, key) == 0)
        return partner->last;
    size_t at = position(partner, key);
    if (at < partner->count && index_key_compare(&partner->series[at]->key, key) == 0)
        return partner->series[at];
    if (partner->count == partner->capacity) {
        partner->capacity = partner->capacity == 0 ? 16 : partner->capacity * 2;
        partner->series = realloc(partner->series, partner->capacity * sizeof *partner->series);
        CHECK(partner->series != NULL);
    }
    struct tail_series *series = calloc(1, sizeof *series);
    CHECK(series != NULL);
    series->key = *key;
    memmove(partner->series + at + 1, partner->series + at,
            (partner->count - at) * sizeof *partner->series);
    partner->series[at] = series;
    partner->count++;
    count_bytes(tail, sizeof *series + sizeof(void *) + BLOCK_OVERHEAD);
    return series;
}

void tail_reach(struct tail *tail, uint64_t sequence)
{
    uint64_t end = sequence + 1;
    uint64_t now = atomic_load_explicit(&tail->end, memory_order_relaxed);
    while (now < end && !atomic_compare_exchange_weak(&tail->end, &now, end))
        ;
}

void tail_add(struct tail *tail, const struct index_place *place, int32_t hour, const uint32_t *ids,
              size_t count)
{
    if (count == 0)
        return;
    struct partner *partner = get_partner(tail, place->partner);
    struct index_key key = {.partner = partner->name,
                            .agent = name_pool_get(tail->pool, place->agent),
                            .purpose = name_pool_get(tail->pool, place->purpose),
                            .column_set = place->column_set,
                            .kind = place->kind,
                            .grade = place->grade};
    tail_reach(tail, place->sequence);
    pthread_mutex_lock(&partner->lock);
    struct tail_series *series = get_series(tail, partner, &key);
    partner->last = series;
    bucket_add(tail, get_bucket(tail, series, hour), ids, count);
    pthread_mutex_unlock(&partner->lock);
}

void tail_add_column_set(struct tail *tail, struct slice name, uint32_t column_set)
{
    struct partner *partner = get_partner(tail, name);
    pthread_mutex_lock(&partner->lock);
    roaring_bitmap_add(partner->column_sets, column_set);
    pthread_mutex_unlock(&partner->lock);
}

void tail_add_deletion(struct tail *tail, struct slice name, int64_t before_ns)
{
    struct partner *partner = get_partner(tail, name);
    pthread_mutex_lock(&partner->lock);
    if (before_ns > partner->deleted_before_ns)
        partner->deleted_before_ns = before_ns;
    pthread_mutex_unlock(&partner->lock);
}

void tail_add_text(struct tail *tail, uint32_t id, struct slice text)
{
    if (tail->text_count == 0)
        tail->first_text = id;
    CHECK(id == tail->first_text + tail->text_count);
    tail->texts = realloc(tail->texts, (tail->text_count + 1) * sizeof *tail->texts);
    uint8_t *copy = malloc(text.len + 1);
    CHECK(tail->texts != NULL && copy != NULL);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    tail->texts[tail->text_count++] = slice_of(copy, text.len);
    count_bytes(tail, text.len + sizeof *tail->texts + BLOCK_OVERHEAD);
}

size_t tail_bytes(const struct tail *tail)
{
    return atomic_load_explicit(&tail->bytes, memory_order_relaxed);
}

uint64_t tail_end(const struct tail *tail)
{
    return atomic_load_explicit(&tail->end, memory_order_relaxed);
}

/* ---- asking ---- */

enum status tail_keys(struct tail *tail, const char *name, struct index_key **keys, size_t *count,
                      struct error *error)
{
    struct partner *partner = find_partner(tail, slice_of_text(name));
    if (partner == NULL)
        return STATUS_OK;
    pthread_mutex_lock(&partner->lock);
    struct index_key *grown = realloc(*keys, (*count + partner->count + 1) * sizeof *grown);
    if (grown != NULL)
        *keys = grown;
    for (size_t i = 0; grown != NULL && i < partner->count; i++)
        grown[(*count)++] = partner->series[i]->key;
    pthread_mutex_unlock(&partner->lock);
    return grown == NULL ? error_no_memory(error) : STATUS_OK;
}

static void widen(int64_t hour, int64_t *first_hour, int64_t *last_hour)
{
    if (hour < *first_hour)
        *first_hour = hour;
    if (hour > *last_hour)
        *last_hour = hour;
}

void tail_collect(struct tail *tail, const struct index_key *key, struct index_range range,
                  roaring_bitmap_t *ids, int64_t *first_hour, int64_t *last_hour)
{
    struct partner *partner = find_partner(tail, slice_of_text(key->partner));
    if (partner == NULL)
        return;
    pthread_mutex_lock(&partner->lock);
    const struct tail_series *series = find_series(partner, key);
    for (size_t i = 0; series != NULL && i < series->count; i++) {
        struct tail_bucket *bucket = &series->buckets[i];
        if (bucket->hour < range.from_hour || bucket->hour >= range.until_hour)
            continue;
        settle(bucket);
        roaring_bitmap_add_many(ids, bucket->count, bucket->ids);
        widen(bucket->hour, first_hour, last_hour);
    }
    pthread_mutex_unlock(&partner->lock);
}

bool tail_holds(struct tail *tail, const struct index_key *key, uint32_t id, int64_t *first_hour,
                int64_t *last_hour)
{
    struct partner *partner = find_partner(tail, slice_of_text(key->partner));
    bool found = false;
    if (partner == NULL)
        return false;
    pthread_mutex_lock(&partner->lock);
    const struct tail_series *series = find_series(partner, key);
    for (size_t i = 0; series != NULL && i < series->count; i++) {
        if (!bucket_holds(&series->buckets[i], id))
            continue;
        found = true;
        widen(series->buckets[i].hour, first_hour, last_hour);
    }
    pthread_mutex_unlock(&partner->lock);
    return found;
}

bool tail_facts(struct tail *tail, const char *name, struct tail_facts *facts)
{
    struct partner *partner = find_partner(tail, slice_of_text(name));
    if (partner == NULL)
        return false;
    pthread_mutex_lock(&partner->lock);
    if (partner->deleted_before_ns > facts->deleted_before_ns)
        facts->deleted_before_ns = partner->deleted_before_ns;
    if (facts->column_sets != NULL)
        roaring_bitmap_or_inplace(facts->column_sets, partner->column_sets);
    pthread_mutex_unlock(&partner->lock);
    return true;
}

/* ---- alone ---- */

enum status tail_all(struct tail *tail, struct tail_series ***out, size_t *out_count,
                     struct error *error)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < tail->map.count; i++)
        count += ((const struct partner *)tail->map.entries[i].value)->count;
    struct tail_series **all = malloc((count + 1) * sizeof *all);
    if (all == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < tail->map.count; i++) {
        const struct partner *partner = tail->map.entries[i].value;
        for (size_t s = 0; s < partner->count; s++) {
            all[at++] = partner->series[s];
            for (size_t b = 0; b < partner->series[s]->count; b++)
                settle(&partner->series[s]->buckets[b]);
        }
    }
    *out = all;
    *out_count = count;
    return STATUS_OK;
}

enum status tail_partners(struct tail *tail, const char ***out, size_t *count, struct error *error)
{
    pthread_rwlock_rdlock(&tail->lock);
    const char **names = calloc(tail->map.count + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < tail->map.count; i++)
        names[i] = ((const struct partner *)tail->map.entries[i].value)->name;
    *count = tail->map.count;
    pthread_rwlock_unlock(&tail->lock);
    if (names == NULL)
        return error_no_memory(error);
    *out = names;
    return STATUS_OK;
}

size_t tail_texts(const struct tail *tail, uint32_t *first_id)
{
    *first_id = tail->first_text;
    return tail->text_count;
}

struct slice tail_text(const struct tail *tail, size_t at)
{
    return tail->texts[at];
}
