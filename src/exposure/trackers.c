/* Sets stand in the order of their sizes: two that differ by fewer than m differ in size by less.
 * Each has a sketch of 32 sums over its ids, by a hash: an id in one set and not in the other
 * changes one sum, so where m or more sums differ, m or more ids do. Sketches of disjoint sets add
 * up to that of their union. What passes both is compared itself, so no answer rests on a hash. */
#include "exposure/trackers.h"

#include <pthread.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "exposure/name_map.h"
#include "exposure/row_sums.h"

enum { SUMS = 32, SET_OVERHEAD = 256 };

struct sketch {
    uint32_t sums[SUMS];
};

struct tracked {
    struct tracked *earlier, *later; /* by when they were last given */
    int64_t given_ns;
    uint64_t count;
    struct sketch sketch;
    roaring_bitmap_t *ids;
    uint8_t *rows; /* row_sums.h */
    size_t rows_len, bytes;
};

struct tracker {
    pthread_mutex_t lock;
    struct tracked **sets; /* by size */
    size_t count, capacity, bytes;
    struct tracked *first, *last; /* by when they were last given */
    bool full; /* one that came found no room, and none has been forgotten since */
};

struct trackers {
    pthread_rwlock_t lock; /* of the map */
    struct name_map map;
};

/* One release under way: it holds the partner's lock. */
struct exposure_statistics {
    struct tracker *tracker;
    const char *partner;
    int64_t now_ns;
    struct tracked **staged; /* in the tracker already; taken out if they are not released */
    size_t staged_count, staged_capacity;
    size_t pairs_left;
};

enum status trackers_new(struct trackers **out, struct error *error)
{
    struct trackers *trackers = calloc(1, sizeof *trackers);
    if (trackers == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_rwlock_init(&trackers->lock, NULL);
    *out = trackers;
    return STATUS_OK;
}

static void tracked_free(struct tracked *set)
{
    roaring_bitmap_free(set->ids);
    free(set->rows);
    free(set);
}

void trackers_free(struct trackers *trackers)
{
    if (trackers == NULL)
        return;
    for (size_t i = 0; i < trackers->map.count; i++) {
        struct tracker *tracker = trackers->map.entries[i].value;
        for (size_t s = 0; s < tracker->count; s++)
            tracked_free(tracker->sets[s]);
        pthread_mutex_destroy(&tracker->lock);
        free(tracker->sets);
        free(tracker);
    }
    name_map_free(&trackers->map);
    pthread_rwlock_destroy(&trackers->lock);
    free(trackers);
}

static struct tracker *add_tracker(struct trackers *trackers, struct slice partner)
{
    pthread_rwlock_wrlock(&trackers->lock);
    struct tracker *tracker = name_map_get(&trackers->map, partner);
    if (tracker == NULL) {
        tracker = calloc(1, sizeof *tracker);
        CHECK(tracker != NULL);
        pthread_mutex_init(&tracker->lock, NULL);
        name_map_put(&trackers->map, partner, tracker);
    }
    pthread_rwlock_unlock(&trackers->lock);
    return tracker;
}

static struct tracker *lock_tracker(struct trackers *trackers, struct slice partner)
{
    pthread_rwlock_rdlock(&trackers->lock);
    struct tracker *tracker = name_map_get(&trackers->map, partner);
    pthread_rwlock_unlock(&trackers->lock);
    if (tracker == NULL)
        tracker = add_tracker(trackers, partner);
    pthread_mutex_lock(&tracker->lock);
    return tracker;
}

/* ---- sets ---- */

/* splitmix64's finish. */
static uint64_t mix(uint64_t value)
{
    value = (value + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static bool copy_rows(struct tracked *set, struct slice rows)
{
    set->rows_len = rows.len;
    set->rows = malloc(rows.len + 1);
    if (set->rows != NULL && rows.len > 0)
        memcpy(set->rows, rows.data, rows.len);
    return set->rows != NULL;
}

static struct tracked *tracked_of(const uint32_t *ids, size_t count, struct slice rows)
{
    struct tracked *set = calloc(1, sizeof *set);
    if (set == NULL || !copy_rows(set, rows) ||
        (set->ids = roaring_bitmap_of_ptr(count, ids)) == NULL) {
        free(set == NULL ? NULL : set->rows);
        free(set);
        return NULL;
    }
    roaring_bitmap_run_optimize(set->ids);
    roaring_bitmap_shrink_to_fit(set->ids);
    set->count = roaring_bitmap_get_cardinality(set->ids);
    set->bytes = roaring_bitmap_size_in_bytes(set->ids) + rows.len + SET_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = mix(ids[i]);
        set->sketch.sums[hash % SUMS] += (uint32_t)(hash >> 32) | 1;
    }
    return set;
}

/* The first set of at least that size. */
static size_t position(const struct tracker *tracker, uint64_t count)
{
    size_t low = 0, high = tracker->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tracker->sets[middle]->count < count)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sets of one size stand in the order of their sketches and row sums, so that an equal one is found
 * at once. */
static int order(const struct tracked *a, const struct tracked *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    int sketches = memcmp(&a->sketch, &b->sketch, sizeof a->sketch);
    if (sketches != 0 || a->rows_len != b->rows_len)
        return sketches != 0 ? sketches : a->rows_len < b->rows_len ? -1 : 1;
    return memcmp(a->rows, b->rows, a->rows_len);
}

/* The first set that is not before this one. */
static size_t place_of(const struct tracker *tracker, const struct tracked *set)
{
    size_t low = 0, high = tracker->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(tracker->sets[middle], set) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct tracked *find_equal(const struct tracker *tracker, const struct tracked *set)
{
    size_t at = place_of(tracker, set);
    for (; at < tracker->count && order(tracker->sets[at], set) == 0; at++)
        if (roaring_bitmap_equals(tracker->sets[at]->ids, set->ids))
            return tracker->sets[at];
    return NULL;
}

static void unlink_set(struct tracker *tracker, struct tracked *set)
{
    *(set->earlier == NULL ? &tracker->first : &set->earlier->later) = set->later;
    *(set->later == NULL ? &tracker->last : &set->later->earlier) = set->earlier;
}

/* Times hardly ever go back, so that it is at the end already. */
static void link_set(struct tracker *tracker, struct tracked *set, int64_t given_ns)
{
    struct tracked *earlier = tracker->last;
    while (earlier != NULL && earlier->given_ns > given_ns)
        earlier = earlier->earlier;
    set->given_ns = given_ns;
    set->earlier = earlier;
    set->later = earlier == NULL ? tracker->first : earlier->later;
    *(earlier == NULL ? &tracker->first : &earlier->later) = set;
    *(set->later == NULL ? &tracker->last : &set->later->earlier) = set;
}

/* Has it been given before? Then it is remembered from now on anew. */
static bool is_known(struct tracker *tracker, const struct tracked *set, int64_t now_ns)
{
    struct tracked *equal = find_equal(tracker, set);
    if (equal != NULL && equal->given_ns < now_ns) {
        unlink_set(tracker, equal);
        link_set(tracker, equal, now_ns);
    }
    return equal != NULL;
}

static bool has_room(const struct tracker *tracker, const struct tracked *set)
{
    return tracker->count < TRACKER_SETS && tracker->bytes + set->bytes <= TRACKER_BYTES;
}

static void insert(struct tracker *tracker, struct tracked *set, int64_t given_ns)
{
    if (tracker->count == tracker->capacity) {
        tracker->capacity = tracker->capacity == 0 ? 64 : tracker->capacity * 2;
        tracker->sets = realloc(tracker->sets, tracker->capacity * sizeof(struct tracked *));
        CHECK(tracker->sets != NULL);
    }
    size_t at = place_of(tracker, set);
    memmove(tracker->sets + at + 1, tracker->sets + at,
            (tracker->count - at) * sizeof(struct tracked *));
    tracker->sets[at] = set;
    tracker->count++;
    tracker->bytes += set->bytes;
    link_set(tracker, set, given_ns);
}

static void take_out(struct tracker *tracker, struct tracked *set)
{
    size_t at = place_of(tracker, set);
    while (tracker->sets[at] != set)
        at++;
    tracker->count--;
    tracker->bytes -= set->bytes;
    unlink_set(tracker, set);
    memmove(tracker->sets + at, tracker->sets + at + 1,
            (tracker->count - at) * sizeof(struct tracked *));
    tracked_free(set);
}

/* Those last given before that instant. */
static void forget(struct tracker *tracker, int64_t before_ns)
{
    while (tracker->first != NULL && tracker->first->given_ns < before_ns) {
        take_out(tracker, tracker->first);
        tracker->full = false;
    }
}

void trackers_take(struct trackers *trackers, struct slice partner, int64_t time_ns,
                   const uint32_t *ids, size_t count, struct slice rows)
{
    struct tracker *tracker = lock_tracker(trackers, partner);
    struct tracked *set = tracked_of(ids, count, rows);
    CHECK(set != NULL);
    bool known = is_known(tracker, set, time_ns);
    while (!known && set->bytes <= TRACKER_BYTES && !has_room(tracker, set))
        take_out(tracker, tracker->first);
    if (!known && has_room(tracker, set))
        insert(tracker, set, time_ns);
    else
        tracked_free(set);
    pthread_mutex_unlock(&tracker->lock);
}

/* ---- comparing ---- */

static bool sketches_near(const struct sketch *a, const struct sketch *b, const struct sketch *c,
                          uint64_t below)
{
    uint64_t different = 0;
    for (size_t i = 0; i < SUMS && different < below; i++)
        different += a->sums[i] != b->sums[i] + (c == NULL ? 0 : c->sums[i]);
    return different < below;
}

static struct row_sums sums_of(const struct tracked *set)
{
    return (struct row_sums){
        .ids = set->ids, .count = set->count, .bytes = slice_of(set->rows, set->rows_len)};
}

/* Adds who is in one of the two and not in both, and whose rows differ, where they are fewer than
 * `below`. */
static void add_difference(const struct tracked *a, const struct tracked *b, uint64_t below,
                           roaring_bitmap_t *differing)
{
    uint64_t people = roaring_bitmap_xor_cardinality(a->ids, b->ids);
    if (people >= below)
        return;
    if (people > 0) {
        roaring_bitmap_t *few = roaring_bitmap_xor(a->ids, b->ids);
        CHECK(few != NULL);
        roaring_bitmap_or_inplace(differing, few);
        roaring_bitmap_free(few);
    }
    struct row_sums first = sums_of(a), second = sums_of(b);
    row_sums_compare(&first, &second, NULL, below - people, differing);
}

/* One set against two: who is in both of the two counts as differing as well. */
static void add_difference_of_sum(const struct tracked *whole, const struct tracked *one,
                                  const struct tracked *other, uint64_t below,
                                  roaring_bitmap_t *differing)
{
    uint64_t both = roaring_bitmap_and_cardinality(one->ids, other->ids);
    if (both >= below)
        return;
    roaring_bitmap_t *sum = roaring_bitmap_or(one->ids, other->ids);
    CHECK(sum != NULL);
    uint64_t people = roaring_bitmap_xor_cardinality(whole->ids, sum) + both;
    if (people < below) {
        roaring_bitmap_xor_inplace(sum, whole->ids);
        roaring_bitmap_or_inplace(differing, sum);
        roaring_bitmap_t *common = roaring_bitmap_and(one->ids, other->ids);
        CHECK(common != NULL);
        roaring_bitmap_or_inplace(differing, common);
        roaring_bitmap_free(common);
        struct row_sums all = sums_of(whole), first = sums_of(one), second = sums_of(other);
        row_sums_compare(&all, &first, &second, below - people, differing);
    }
    roaring_bitmap_free(sum);
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void compare_singly(const struct tracker *tracker, const struct tracked *set, uint64_t below,
                           roaring_bitmap_t *differing)
{
    size_t at = position(tracker, less(set->count + 1, below));
    for (; at < tracker->count && tracker->sets[at]->count < set->count + below; at++)
        if (sketches_near(&set->sketch, &tracker->sets[at]->sketch, NULL, below))
            add_difference(set, tracker->sets[at], below, differing);
}

/* Whether the set is nearly the union of two earlier ones. Each pair once: the smaller first. */
static void compare_with_sums(struct exposure_statistics *statistics, const struct tracked *set,
                              uint64_t below, roaring_bitmap_t *differing)
{
    const struct tracker *tracker = statistics->tracker;
    for (size_t i = 0; i < tracker->count && statistics->pairs_left > 0; i++) {
        const struct tracked *one = tracker->sets[i];
        if (one->count * 2 >= set->count + below)
            return;
        size_t j = position(tracker, less(set->count + 1, below + one->count));
        j = j > i ? j : i + 1;
        if (j == tracker->count || tracker->sets[j]->count + one->count >= set->count + below)
            i = position(tracker, one->count + 1) - 1; /* nor has another of this size a pair */
        for (; j < tracker->count && tracker->sets[j]->count + one->count < set->count + below &&
               statistics->pairs_left > 0;
             j++, statistics->pairs_left--)
            if (sketches_near(&set->sketch, &one->sketch, &tracker->sets[j]->sketch, below))
                add_difference_of_sum(set, one, tracker->sets[j], below, differing);
    }
}

/* Whether the set and an earlier one together are nearly another earlier one. */
static void compare_as_part(struct exposure_statistics *statistics, const struct tracked *set,
                            uint64_t below, roaring_bitmap_t *differing)
{
    const struct tracker *tracker = statistics->tracker;
    for (size_t i = position(tracker, set->count); i < tracker->count; i++) {
        const struct tracked *whole = tracker->sets[i];
        size_t j = position(tracker, less(whole->count + 1, below + set->count));
        if (j == tracker->count || tracker->sets[j]->count + set->count >= whole->count + below)
            i = position(tracker, whole->count + 1) - 1; /* nor has another of this size */
        for (; j < tracker->count && tracker->sets[j]->count + set->count < whole->count + below;
             j++, statistics->pairs_left--) {
            if (statistics->pairs_left == 0)
                return;
            if (j != i &&
                sketches_near(&whole->sketch, &set->sketch, &tracker->sets[j]->sketch, below))
                add_difference_of_sum(whole, set, tracker->sets[j], below, differing);
        }
    }
}

/* ---- one release ---- */

struct exposure_statistics *trackers_begin(struct trackers *trackers, const char *partner,
                                           int64_t now_ns, uint32_t remember_days)
{
    static const int64_t DAY_NS = 24LL * 3600 * 1000000000;
    struct exposure_statistics *statistics = calloc(1, sizeof *statistics);
    CHECK(statistics != NULL);
    statistics->tracker = lock_tracker(trackers, slice_of_text(partner));
    statistics->partner = partner;
    statistics->now_ns = now_ns;
    statistics->pairs_left = TRACKER_PAIRS;
    forget(statistics->tracker, now_ns - (int64_t)remember_days * DAY_NS);
    return statistics;
}

static void stage(struct exposure_statistics *statistics, struct tracked *set)
{
    if (statistics->staged_count == statistics->staged_capacity) {
        size_t capacity = statistics->staged_capacity == 0 ? 16 : statistics->staged_capacity * 2;
        statistics->staged = realloc(statistics->staged, capacity * sizeof(struct tracked *));
        CHECK(statistics->staged != NULL);
        statistics->staged_capacity = capacity;
    }
    statistics->staged[statistics->staged_count++] = set;
    insert(statistics->tracker, set, statistics->now_ns);
}

static void hand_out(const roaring_bitmap_t *set, struct exposure_people *people)
{
    size_t count = roaring_bitmap_get_cardinality(set);
    people->ids = realloc(people->ids, (people->count + count + 1) * sizeof *people->ids);
    CHECK(people->ids != NULL);
    roaring_bitmap_to_uint32_array(set, people->ids + people->count);
    people->count += count;
}

/* Told once: until some are forgotten the partner's new statistics are charged as rows are. */
static enum exposure_verdict untold(struct exposure_statistics *statistics)
{
    if (!statistics->tracker->full)
        log_event(LOG_WARNING, "statistics_full", "partner=%s sets=%zu", statistics->partner,
                  statistics->tracker->count);
    statistics->tracker->full = true;
    return EXPOSURE_STATISTIC_UNTOLD;
}

enum exposure_verdict exposure_statistic(struct exposure_statistics *statistics, uint32_t below,
                                         const uint32_t *ids, size_t count, struct slice rows,
                                         struct exposure_people *differing)
{
    struct tracked *set = tracked_of(ids, count, rows);
    if (set == NULL)
        return untold(statistics);
    if (is_known(statistics->tracker, set, statistics->now_ns)) {
        tracked_free(set);
        return EXPOSURE_STATISTIC_KNOWN;
    }
    if (statistics->tracker->full || !has_room(statistics->tracker, set)) {
        tracked_free(set);
        return untold(statistics);
    }
    roaring_bitmap_t *few = roaring_bitmap_create();
    CHECK(few != NULL);
    compare_singly(statistics->tracker, set, below, few);
    compare_with_sums(statistics, set, below, few);
    compare_as_part(statistics, set, below, few);
    bool differs = !roaring_bitmap_is_empty(few);
    if (differs)
        hand_out(few, differing);
    roaring_bitmap_free(few);
    stage(statistics, set);
    return differs ? EXPOSURE_STATISTIC_DIFFERS : EXPOSURE_STATISTIC_NEW;
}

size_t exposure_statistics_count(const struct exposure_statistics *statistics)
{
    return statistics->staged_count;
}

void exposure_statistics_end(struct exposure_statistics *statistics, size_t kept)
{
    for (size_t i = kept; i < statistics->staged_count; i++)
        take_out(statistics->tracker, statistics->staged[i]);
    pthread_mutex_unlock(&statistics->tracker->lock);
    free(statistics->staged);
    free(statistics);
}
