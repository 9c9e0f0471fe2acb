/* A series is one (partner, column set, kind, grade, purpose); a partner has few purposes, so that
 * a person is seldom in more series for them, and finding one costs a comparison. Its frozen hours
 * lie one behind the other in one allocation: a head (hour, count, bytes), then plain ids or, above
 * 16, a portable bitmap. Hours need not ascend (clocks step back) and may repeat: readers take the
 * union. */
#include "exposure/index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/name_map.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { PLAIN_MAX = 16 };

struct frozen_head {
    int32_t hour;
    uint32_t count, bytes;
};

struct series {
    uint64_t key;        /* column set, kind, grade */
    const char *purpose; /* one of the partner's texts: equal ones are the same pointer */
    roaring_bitmap_t *all, *open;
    int32_t open_hour, first_hour, last_hour;
    uint8_t *frozen;
    size_t frozen_len, frozen_capacity;
};

struct partner {
    pthread_mutex_t lock;
    struct series **series; /* ascending by key; each lives as long as the index */
    size_t count, capacity;
    char **purposes; /* as they came; each lives as long as the index */
    size_t purpose_count;
    roaring_bitmap_t *column_sets;
    int64_t deleted_before_ns;
};

struct index {
    pthread_rwlock_t lock; /* of the map */
    struct name_map map;
};

enum status index_new(struct index **out, struct error *error)
{
    struct index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_rwlock_init(&index->lock, NULL);
    *out = index;
    return STATUS_OK;
}

static void partner_free(struct partner *partner)
{
    for (size_t i = 0; i < partner->count; i++) {
        roaring_bitmap_free(partner->series[i]->all);
        roaring_bitmap_free(partner->series[i]->open);
        free(partner->series[i]->frozen);
        free(partner->series[i]);
    }
    for (size_t i = 0; i < partner->purpose_count; i++)
        free(partner->purposes[i]);
    free(partner->purposes);
    free(partner->series);
    roaring_bitmap_free(partner->column_sets);
    pthread_mutex_destroy(&partner->lock);
    free(partner);
}

void index_free(struct index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->map.count; i++)
        partner_free(index->map.entries[i].value);
    name_map_free(&index->map);
    pthread_rwlock_destroy(&index->lock);
    free(index);
}

static roaring_bitmap_t *new_set(void)
{
    roaring_bitmap_t *set = roaring_bitmap_create();
    CHECK(set != NULL);
    return set;
}

static struct partner *find_partner(struct index *index, struct slice name)
{
    pthread_rwlock_rdlock(&index->lock);
    struct partner *partner = name_map_get(&index->map, name);
    pthread_rwlock_unlock(&index->lock);
    return partner;
}

static struct partner *get_partner(struct index *index, struct slice name)
{
    struct partner *partner = find_partner(index, name);
    if (partner != NULL)
        return partner;
    pthread_rwlock_wrlock(&index->lock);
    partner = name_map_get(&index->map, name);
    if (partner == NULL) {
        partner = calloc(1, sizeof *partner);
        CHECK(partner != NULL);
        pthread_mutex_init(&partner->lock, NULL);
        partner->column_sets = new_set();
        partner->deleted_before_ns = INT64_MIN;
        name_map_put(&index->map, name, partner);
    }
    pthread_rwlock_unlock(&index->lock);
    return partner;
}

/* ---- adding ---- */

static int64_t floor_hour(int64_t time_ns)
{
    int64_t hour = time_ns / HOUR_NS;
    return time_ns % HOUR_NS < 0 ? hour - 1 : hour;
}

static uint64_t key_of(const struct index_place *place)
{
    return (uint64_t)place->column_set << 24 | (uint64_t)place->kind << 8 | place->grade;
}

/* The partner's own copy of the text. The partner is locked. */
static const char *get_purpose(struct partner *partner, struct slice purpose)
{
    for (size_t i = 0; i < partner->purpose_count; i++)
        if (slice_equal(slice_of_text(partner->purposes[i]), purpose))
            return partner->purposes[i];
    partner->purposes =
        realloc(partner->purposes, (partner->purpose_count + 1) * sizeof *partner->purposes);
    char *copy = malloc(purpose.len + 1);
    CHECK(partner->purposes != NULL && copy != NULL);
    if (purpose.len > 0)
        memcpy(copy, purpose.data, purpose.len);
    copy[purpose.len] = '\0';
    partner->purposes[partner->purpose_count++] = copy;
    return copy;
}

static struct series *get_series(struct partner *partner, uint64_t key, const char *purpose,
                                 int32_t hour)
{
    size_t low = 0, high = partner->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partner->series[middle]->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < partner->count && partner->series[low]->key == key; low++)
        if (partner->series[low]->purpose == purpose)
            return partner->series[low];
    if (partner->count == partner->capacity) {
        partner->capacity = partner->capacity == 0 ? 16 : partner->capacity * 2;
        partner->series = realloc(partner->series, partner->capacity * sizeof *partner->series);
        CHECK(partner->series != NULL);
    }
    struct series *series = calloc(1, sizeof *series);
    CHECK(series != NULL);
    *series = (struct series){.key = key,
                              .purpose = purpose,
                              .all = new_set(),
                              .open = new_set(),
                              .open_hour = hour,
                              .first_hour = hour,
                              .last_hour = hour};
    memmove(partner->series + low + 1, partner->series + low,
            (partner->count - low) * sizeof *partner->series);
    partner->series[low] = series;
    partner->count++;
    return series;
}

static uint8_t *frozen_room(struct series *series, size_t bytes)
{
    if (series->frozen_capacity - series->frozen_len < bytes) {
        size_t capacity = series->frozen_len + bytes;
        capacity += capacity / 2;
        series->frozen = realloc(series->frozen, capacity);
        CHECK(series->frozen != NULL);
        series->frozen_capacity = capacity;
    }
    return series->frozen + series->frozen_len;
}

/* Moves the open hour to the frozen ones. */
static void freeze(struct series *series)
{
    uint32_t plain[PLAIN_MAX];
    uint64_t count = roaring_bitmap_get_cardinality(series->open);
    struct frozen_head head = {.hour = series->open_hour, .count = (uint32_t)count};
    if (count == 0)
        return;
    if (count > PLAIN_MAX)
        roaring_bitmap_run_optimize(series->open);
    head.bytes =
        (uint32_t)(count <= PLAIN_MAX ? count * sizeof plain[0]
                                      : roaring_bitmap_portable_size_in_bytes(series->open));
    uint8_t *room = frozen_room(series, sizeof head + head.bytes);
    memcpy(room, &head, sizeof head);
    if (count <= PLAIN_MAX) {
        roaring_bitmap_to_uint32_array(series->open, plain);
        memcpy(room + sizeof head, plain, head.bytes);
    } else {
        roaring_bitmap_portable_serialize(series->open, (char *)room + sizeof head);
    }
    series->frozen_len += sizeof head + head.bytes;
    roaring_bitmap_free(series->open);
    series->open = new_set();
}

void index_add(struct index *index, const struct index_place *place, int64_t time_ns,
               const uint32_t *ids, size_t count)
{
    int32_t hour = (int32_t)floor_hour(time_ns);
    if (count == 0)
        return;
    struct partner *partner = get_partner(index, place->partner);
    pthread_mutex_lock(&partner->lock);
    const char *purpose = get_purpose(partner, place->purpose);
    struct series *series = get_series(partner, key_of(place), purpose, hour);
    if (series->open_hour != hour) {
        freeze(series);
        series->open_hour = hour;
    }
    if (hour < series->first_hour)
        series->first_hour = hour;
    if (hour > series->last_hour)
        series->last_hour = hour;
    roaring_bitmap_add_many(series->open, count, ids);
    roaring_bitmap_add_many(series->all, count, ids);
    pthread_mutex_unlock(&partner->lock);
}

void index_add_column_set(struct index *index, struct slice name, uint32_t column_set)
{
    struct partner *partner = get_partner(index, name);
    pthread_mutex_lock(&partner->lock);
    roaring_bitmap_add(partner->column_sets, column_set);
    pthread_mutex_unlock(&partner->lock);
}

void index_add_deletion(struct index *index, struct slice name, int64_t before_ns)
{
    struct partner *partner = get_partner(index, name);
    pthread_mutex_lock(&partner->lock);
    if (before_ns > partner->deleted_before_ns)
        partner->deleted_before_ns = before_ns;
    pthread_mutex_unlock(&partner->lock);
}

/* ---- asking ---- */

bool index_has_partner(struct index *index, const char *name)
{
    return find_partner(index, slice_of_text(name)) != NULL;
}

int64_t index_deleted_before(struct index *index, const char *name)
{
    struct partner *partner = find_partner(index, slice_of_text(name));
    if (partner == NULL)
        return INT64_MIN;
    pthread_mutex_lock(&partner->lock);
    int64_t before_ns = partner->deleted_before_ns;
    pthread_mutex_unlock(&partner->lock);
    return before_ns;
}

struct index_range index_range(int64_t from_ns, int64_t until_ns)
{
    struct index_range range = {.from_hour = from_ns, .until_hour = until_ns};
    if (from_ns != INT64_MIN)
        range.from_hour = floor_hour(from_ns);
    if (until_ns != INT64_MAX)
        range.until_hour = floor_hour(until_ns) + (floor_hour(until_ns) * HOUR_NS != until_ns);
    return range;
}

/* What an hour holds, as a bitmap of its own. */
static roaring_bitmap_t *thaw(const struct frozen_head *head, const uint8_t *bytes)
{
    uint32_t plain[PLAIN_MAX];
    roaring_bitmap_t *set;
    if (head->count <= PLAIN_MAX) {
        memcpy(plain, bytes, head->bytes);
        set = roaring_bitmap_of_ptr(head->count, plain);
    } else {
        set = roaring_bitmap_portable_deserialize_safe((const char *)bytes, head->bytes);
    }
    CHECK(set != NULL);
    return set;
}

static bool holds(const struct frozen_head *head, const uint8_t *bytes, uint32_t id)
{
    if (head->count > PLAIN_MAX) {
        roaring_bitmap_t *set = thaw(head, bytes);
        bool found = roaring_bitmap_contains(set, id);
        roaring_bitmap_free(set);
        return found;
    }
    for (uint32_t i = 0; i < head->count; i++) {
        uint32_t held;
        memcpy(&held, bytes + i * sizeof held, sizeof held);
        if (held == id)
            return true;
    }
    return false;
}

static bool in_range(int64_t hour, struct index_range range)
{
    return hour >= range.from_hour && hour < range.until_hour;
}

static void widen(struct index_view *view, int64_t hour)
{
    if (hour < view->first_hour)
        view->first_hour = hour;
    if (hour > view->last_hour)
        view->last_hour = hour;
}

/* The ids of a series in the range, and the hours they span. The partner is locked. */
static roaring_bitmap_t *collect(const struct series *series, struct index_range range,
                                 struct index_view *view)
{
    if (range.from_hour <= series->first_hour && range.until_hour > series->last_hour) {
        view->first_hour = series->first_hour;
        view->last_hour = series->last_hour;
        return roaring_bitmap_copy(series->all);
    }
    roaring_bitmap_t *ids = new_set();
    struct frozen_head head;
    for (size_t at = 0; at < series->frozen_len; at += sizeof head + head.bytes) {
        memcpy(&head, series->frozen + at, sizeof head);
        if (!in_range(head.hour, range))
            continue;
        roaring_bitmap_t *hour = thaw(&head, series->frozen + at + sizeof head);
        roaring_bitmap_or_inplace(ids, hour);
        roaring_bitmap_free(hour);
        widen(view, head.hour);
    }
    if (in_range(series->open_hour, range) && !roaring_bitmap_is_empty(series->open)) {
        roaring_bitmap_or_inplace(ids, series->open);
        widen(view, series->open_hour);
    }
    return ids;
}

/* Whether the series holds the id, and the hours in which it does. The partner is locked. */
static bool collect_one(const struct series *series, uint32_t id, struct index_view *view)
{
    struct frozen_head head;
    if (!roaring_bitmap_contains(series->all, id))
        return false;
    for (size_t at = 0; at < series->frozen_len; at += sizeof head + head.bytes) {
        memcpy(&head, series->frozen + at, sizeof head);
        if (head.hour >= view->first_hour && head.hour <= view->last_hour)
            continue; /* would widen nothing */
        if (holds(&head, series->frozen + at + sizeof head, id))
            widen(view, head.hour);
    }
    if (roaring_bitmap_contains(series->open, id))
        widen(view, series->open_hour);
    return true;
}

static struct index_view view_of(const char *name, const struct series *series)
{
    return (struct index_view){.partner = name,
                               .column_set = (uint32_t)(series->key >> 24),
                               .kind = (uint16_t)(series->key >> 8),
                               .grade = (uint8_t)series->key,
                               .purpose = series->purpose,
                               .first_hour = INT64_MAX,
                               .last_hour = INT64_MIN};
}

/* The partner's series as they are now: the array is copied, since it may move. */
static enum status list_series(struct partner *partner, struct series ***series, size_t *count,
                               struct error *error)
{
    pthread_mutex_lock(&partner->lock);
    struct series **copy = malloc((partner->count + 1) * sizeof *copy);
    if (copy != NULL && partner->count > 0)
        memcpy(copy, partner->series, partner->count * sizeof *copy);
    *count = partner->count;
    pthread_mutex_unlock(&partner->lock);
    if (copy == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *series = copy;
    return STATUS_OK;
}

enum status index_each(struct index *index, const char *name, struct index_range range,
                       index_visit visit, void *context, struct error *error)
{
    struct partner *partner = find_partner(index, slice_of_text(name));
    struct series **series = NULL;
    size_t count = 0;
    if (partner == NULL)
        return STATUS_OK;
    TRY(list_series(partner, &series, &count, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct index_view view = view_of(name, series[i]);
        pthread_mutex_lock(&partner->lock);
        roaring_bitmap_t *ids = collect(series[i], range, &view);
        pthread_mutex_unlock(&partner->lock);
        view.ids = ids;
        if (ids == NULL)
            status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        else if (!roaring_bitmap_is_empty(ids))
            status = visit(context, &view, error);
        if (ids != NULL)
            roaring_bitmap_free(ids);
    }
    free(series);
    return status;
}

enum status index_each_of(struct index *index, const char *name, uint32_t id, index_visit visit,
                          void *context, struct error *error)
{
    struct partner *partner = find_partner(index, slice_of_text(name));
    struct series **series = NULL;
    size_t count = 0;
    if (partner == NULL)
        return STATUS_OK;
    TRY(list_series(partner, &series, &count, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct index_view view = view_of(name, series[i]);
        pthread_mutex_lock(&partner->lock);
        bool held = collect_one(series[i], id, &view);
        pthread_mutex_unlock(&partner->lock);
        if (held)
            status = visit(context, &view, error);
    }
    free(series);
    return status;
}

enum status index_partners(struct index *index, const char ***names, struct error *error)
{
    pthread_rwlock_rdlock(&index->lock);
    const char **list = calloc(index->map.count + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < index->map.count; i++)
        list[i] = index->map.entries[i].name;
    pthread_rwlock_unlock(&index->lock);
    if (list == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *names = list;
    return STATUS_OK;
}

roaring_bitmap_t *index_column_sets(struct index *index, const char *name)
{
    struct partner *partner = find_partner(index, slice_of_text(name));
    if (partner == NULL)
        return NULL;
    pthread_mutex_lock(&partner->lock);
    roaring_bitmap_t *sets = roaring_bitmap_copy(partner->column_sets);
    pthread_mutex_unlock(&partner->lock);
    return sets;
}
