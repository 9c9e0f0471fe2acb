/* See canary_watch.h: the set of hashes, and lookups in it. */
#include "gateway/trust/canary_watch.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/trust/canary_watch_private.h"

enum {
    MARKS_MOST = 2000000, /* 48 MB */
    DELIVERIES_MOST = 65536,
    STRONG_LEAST = 6,
    WEAK_LEAST = 4,
    CODE_LEAST = 12, /* letters and digits without a blank: a chassis number, an account, a uuid */
    PHONE_DIGITS = 9,
};

/* What a hash is of: its first byte. */
enum mark_class { MARK_VALUE = 'v', MARK_PHONE = 'p', MARK_KEY = 'k' };

/* What a value of a canary's is worth. */
enum worth {
    WORTH_SUPPORT, /* a date that others have too: with a weak one */
    WORTH_WEAK,    /* a name, a street: with another of the same person */
    WORTH_STRONG,  /* alone */
};

struct mark {
    uint64_t hash;
    uint32_t person;
    enum worth worth;
};

struct canary_watch {
    uint8_t key[CRYPTO_SHORT_HASH_KEY_BYTES]; /* constant */
    atomic_size_t count;                      /* of marks: without any, nobody waits for the lock */
    pthread_rwlock_t lock;
    struct mark *marks;                 /* lock; by hash */
    uint32_t *people;                   /* lock; index of the delivery of each */
    struct canary_sighting *deliveries; /* lock */
    size_t people_count, delivery_count;
};

enum status canary_watch_open(struct canary_watch **watch, struct error *error)
{
    struct canary_watch *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_no_memory(error);
    CHECK(pthread_rwlock_init(&opened->lock, NULL) == 0);
    crypto_random(opened->key, sizeof opened->key);
    *watch = opened;
    return STATUS_OK;
}

void canary_watch_close(struct canary_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_rwlock_destroy(&watch->lock);
    free(watch->marks);
    free(watch->people);
    free(watch->deliveries);
    free(watch);
}

bool canary_watch_is_empty(struct canary_watch *watch)
{
    return watch == NULL || atomic_load(&watch->count) == 0;
}

/* ---- normal forms ---- */

/* A value in its normal form: letters and digits in lower case, bytes of other scripts as they
 * are. */
struct normal {
    uint8_t bytes[1 + PLAN_CONSTANT_BYTES]; /* the first: what it is of */
    size_t len;                             /* without the first */
    size_t digits, letters;
    bool has_at, has_blank, has_other; /* has_other: what no telephone number has */
};

static bool is_phone_mark(uint8_t c)
{
    return c == '+' || c == '-' || c == '(' || c == ')' || c == '.' || c == '/' || c == ' ';
}

static bool normalise(struct slice value, struct normal *normal)
{
    *normal = (struct normal){.len = 0};
    if (value.len > PLAN_CONSTANT_BYTES)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        normal->has_at = normal->has_at || c == '@';
        normal->has_blank = normal->has_blank || c == ' ';
        normal->digits += isdigit(c) != 0;
        normal->letters += isalpha(c) != 0 || c >= 0x80;
        normal->has_other = normal->has_other || !(isdigit(c) || is_phone_mark(c));
        if (isalnum(c) || c >= 0x80)
            normal->bytes[1 + normal->len++] = (uint8_t)tolower(c);
    }
    return normal->len >= WEAK_LEAST;
}

static uint64_t hash_normal(const struct canary_watch *watch, struct normal *normal,
                            enum mark_class class, size_t skip)
{
    normal->bytes[skip] = (uint8_t) class;
    return crypto_short_hash(watch->key, normal->bytes + skip, 1 + normal->len - skip);
}

/* By its last digits, since 07700 900123 and +44 7700 900123 are one. Dates have fewer. */
static bool is_phone(const struct normal *normal)
{
    return !normal->has_other && normal->digits >= PHONE_DIGITS;
}

static uint64_t hash_phone(const struct canary_watch *watch, struct normal *normal)
{
    return hash_normal(watch, normal, MARK_PHONE, normal->len - PHONE_DIGITS);
}

static uint64_t hash_key(const struct canary_watch *watch, const char *kind, struct slice key)
{
    uint8_t bytes[2 + LIMIT_NAME_BYTES + LIMIT_SUBJECT_KEY_BYTES];
    size_t len = strnlen(kind, LIMIT_NAME_BYTES);
    bytes[0] = MARK_KEY;
    memcpy(bytes + 1, kind, len);
    bytes[1 + len] = 0;
    size_t key_len = key.len > LIMIT_SUBJECT_KEY_BYTES ? LIMIT_SUBJECT_KEY_BYTES : key.len;
    memcpy(bytes + 2 + len, key.data, key_len);
    return crypto_short_hash(watch->key, bytes, 2 + len + key_len);
}

/* ---- loading ---- */

struct loading {
    struct canary_watch *watch;
    struct mark *marks;
    uint32_t *people;
    struct canary_sighting *deliveries;
    size_t mark_count, mark_room, people_count, people_room, delivery_count, delivery_room;
    int64_t row; /* of the last person */
    bool is_full;
};

/* Room for one more of an array that grows. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? 64 : 2 * *room;
    void *bigger = realloc(*array, wanted * size);
    if (bigger == NULL)
        return false;
    *array = bigger;
    *room = wanted;
    return true;
}

static bool add_mark(struct loading *loading, uint64_t hash, enum worth worth)
{
    if (loading->mark_count >= MARKS_MOST) {
        loading->is_full = true;
        return true;
    }
    if (!grow((void **)&loading->marks, loading->mark_count, &loading->mark_room,
              sizeof loading->marks[0]))
        return false;
    loading->marks[loading->mark_count++] = (struct mark){
        .hash = hash, .person = (uint32_t)(loading->people_count - 1), .worth = worth};
    return true;
}

/* Of a new person, its key, too. */
static bool add_person(struct loading *loading, const struct canary *canary)
{
    struct canary_sighting *last =
        loading->delivery_count == 0 ? NULL : &loading->deliveries[loading->delivery_count - 1];
    bool is_new = last == NULL || strcmp(last->delivery, canary->delivery) != 0;
    if (!is_new && loading->row == canary->row)
        return true;
    if (is_new) {
        if (!grow((void **)&loading->deliveries, loading->delivery_count, &loading->delivery_room,
                  sizeof loading->deliveries[0]))
            return false;
        last = &loading->deliveries[loading->delivery_count++];
        snprintf(last->delivery, sizeof last->delivery, "%s", canary->delivery);
        snprintf(last->partner, sizeof last->partner, "%s", canary->partner);
    }
    if (!grow((void **)&loading->people, loading->people_count, &loading->people_room,
              sizeof loading->people[0]))
        return false;
    loading->people[loading->people_count++] = (uint32_t)(loading->delivery_count - 1);
    loading->row = canary->row;
    return canary->key[0] == '\0' ||
           add_mark(loading, hash_key(loading->watch, canary->kind, slice_of_text(canary->key)),
                    WORTH_STRONG);
}

/* By what it looks like, since a category may have been another. */
static enum worth judge(const struct canary *canary, const struct normal *normal)
{
    bool is_code = normal->letters > 0 && normal->digits > 0 && !normal->has_blank &&
                   normal->len >= CODE_LEAST;
    if (!canary->is_invented)
        return WORTH_SUPPORT;
    return normal->len >= STRONG_LEAST &&
                   (normal->has_at || is_code || strcmp(canary->form, "token") == 0)
               ? WORTH_STRONG
               : WORTH_WEAK;
}

static bool add_value(struct loading *loading, const struct canary *canary)
{
    struct normal normal;
    if (strcmp(canary->form, "masked") == 0 || !normalise(slice_of_text(canary->value), &normal))
        return true;
    /* Of what was taken from a row of the file, dates alone: a town says nothing. */
    if (!canary->is_invented && (normal.letters > 0 || normal.digits < STRONG_LEAST))
        return true;
    /* A number that is a key is looked for among keys that found nobody: see above. */
    if (normal.letters == 0 && strcmp(canary->value, canary->key) == 0)
        return true;
    if (is_phone(&normal))
        return !canary->is_invented ||
               add_mark(loading, hash_phone(loading->watch, &normal), WORTH_STRONG);
    return add_mark(loading, hash_normal(loading->watch, &normal, MARK_VALUE, 0),
                    judge(canary, &normal));
}

static enum status take_canary(void *context, const struct canary *canary, struct error *error)
{
    struct loading *loading = context;
    if (loading->is_full || loading->delivery_count >= DELIVERIES_MOST) {
        loading->is_full = true;
        return STATUS_OK;
    }
    return add_person(loading, canary) && add_value(loading, canary) ? STATUS_OK
                                                                     : error_no_memory(error);
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *left = a, *right = b;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static bool copy_array(void **to, size_t *room, const void *from, size_t count, size_t size)
{
    *to = NULL;
    *room = 0;
    if (count == 0)
        return true;
    *to = malloc(count * size);
    if (*to == NULL)
        return false;
    memcpy(*to, from, count * size);
    *room = count;
    return true;
}

/* What there is already. Loading is one thread's: it may read without the lock. */
static enum status begin(struct canary_watch *watch, struct loading *loading, struct error *error)
{
    *loading = (struct loading){.watch = watch,
                                .mark_count = atomic_load(&watch->count),
                                .people_count = watch->people_count,
                                .delivery_count = watch->delivery_count,
                                .row = INT64_MIN};
    bool copied =
        copy_array((void **)&loading->marks, &loading->mark_room, watch->marks, loading->mark_count,
                   sizeof watch->marks[0]) &&
        copy_array((void **)&loading->people, &loading->people_room, watch->people,
                   loading->people_count, sizeof watch->people[0]) &&
        copy_array((void **)&loading->deliveries, &loading->delivery_room, watch->deliveries,
                   loading->delivery_count, sizeof watch->deliveries[0]);
    return copied ? STATUS_OK : error_no_memory(error);
}

static void swap_in(struct canary_watch *watch, struct loading *loading)
{
    pthread_rwlock_wrlock(&watch->lock);
    struct canary_watch old = {
        .marks = watch->marks, .people = watch->people, .deliveries = watch->deliveries};
    watch->marks = loading->marks;
    watch->people = loading->people;
    watch->deliveries = loading->deliveries;
    watch->people_count = loading->people_count;
    watch->delivery_count = loading->delivery_count;
    atomic_store(&watch->count, loading->mark_count);
    pthread_rwlock_unlock(&watch->lock);
    loading->marks = old.marks;
    loading->people = old.people;
    loading->deliveries = old.deliveries;
}

enum status canary_watch_load(struct canary_watch *watch, struct deliveries *file,
                              const char *delivery, struct error *error)
{
    struct loading loading;
    enum status status = begin(watch, &loading, error);
    if (status == STATUS_OK)
        status = deliveries_each_canary(file, delivery, take_canary, &loading, error);
    if (status == STATUS_OK) {
        if (loading.is_full)
            log_event(LOG_WARNING, "canaries_not_watched",
                      "reason=\"more than %d values of invented people\"", MARKS_MOST);
        if (loading.mark_count > 0)
            qsort(loading.marks, loading.mark_count, sizeof loading.marks[0], compare_marks);
        swap_in(watch, &loading);
    }
    free(loading.marks);
    free(loading.people);
    free(loading.deliveries);
    return status;
}

/* ---- looking ---- */

/* The first mark of this hash, or where it would stand. Under `lock`. */
static size_t find_mark(const struct canary_watch *watch, size_t count, uint64_t hash)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (watch->marks[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of somebody new: where all are taken, and the value is evidence by itself, that of
 * somebody against whom there is none, so that names hide nobody. CANARY_LOOK_PEOPLE: none. */
static size_t place_of_new(struct canary_look *look, enum worth worth)
{
    size_t at = 0;
    if (look->people_count < CANARY_LOOK_PEOPLE)
        return look->people_count++;
    while (at < CANARY_LOOK_PEOPLE && (worth != WORTH_STRONG || look->people[at].is_strong))
        at++;
    return at;
}

static void note_person(struct canary_look *look, const struct mark *mark)
{
    size_t at = 0;
    while (at < look->people_count && look->people[at].person != mark->person)
        at++;
    if (at == look->people_count) {
        at = place_of_new(look, mark->worth);
        if (at == CANARY_LOOK_PEOPLE)
            return;
        look->people[at].person = mark->person;
        look->people[at].hash = mark->hash;
        look->people[at].is_strong = look->people[at].is_twice = look->people[at].is_weak = false;
    }
    look->people[at].is_twice = look->people[at].is_twice || look->people[at].hash != mark->hash;
    look->people[at].is_weak = look->people[at].is_weak || mark->worth == WORTH_WEAK;
    look->people[at].is_strong = look->people[at].is_strong || mark->worth == WORTH_STRONG;
}

/* Many may have one name: CANARY_LOOK_PEOPLE of them are noted. */
static void look_up(struct canary_watch *watch, struct canary_look *look, uint64_t hash)
{
    pthread_rwlock_rdlock(&watch->lock);
    size_t count = atomic_load(&watch->count);
    size_t first = find_mark(watch, count, hash);
    for (size_t at = first;
         at < count && watch->marks[at].hash == hash && at - first < CANARY_LOOK_PEOPLE; at++)
        note_person(look, &watch->marks[at]);
    pthread_rwlock_unlock(&watch->lock);
}

void canary_look_at(struct canary_watch *watch, struct canary_look *look, struct slice value)
{
    struct normal normal;
    look->values++;
    if (!normalise(value, &normal))
        return;
    look_up(watch, look, hash_normal(watch, &normal, MARK_VALUE, 0));
    if (is_phone(&normal)) /* last: it writes into the normal form */
        look_up(watch, look, hash_phone(watch, &normal));
}

void canary_look_at_key(struct canary_watch *watch, struct canary_look *look, const char *kind,
                        struct slice key)
{
    look_up(watch, look, hash_key(watch, kind, key));
}

bool canary_look_result(struct canary_watch *watch, const struct canary_look *look, size_t at,
                        struct canary_sighting *sighting)
{
    bool found = false;
    pthread_rwlock_rdlock(&watch->lock);
    for (size_t i = 0; i < look->people_count && !found; i++) {
        bool counts =
            look->people[i].is_strong || (look->people[i].is_twice && look->people[i].is_weak &&
                                          look->values <= CANARY_LOOK_FEW);
        if (!counts || look->people[i].person >= watch->people_count || at-- > 0)
            continue;
        *sighting = watch->deliveries[watch->people[look->people[i].person]];
        found = true;
    }
    pthread_rwlock_unlock(&watch->lock);
    return found;
}
