/* The dictionary: stable dense ids, settled or carried along, safe under threads. */
#include "scene.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/dictionary.h"

static struct dictionary *make(void)
{
    struct dictionary *dictionary;
    assert_status(dictionary_new(&dictionary, NULL), STATUS_OK);
    return dictionary;
}

static uint32_t map_one(struct dictionary *d, uint16_t kind, const char *text, uint64_t durable,
                        bool *unsettled)
{
    struct subject_key key = key_of(kind, text);
    uint32_t id;
    size_t positions, count = 99;
    assert_status(dictionary_map(d, &key, 1, durable, &id, &positions, &count, NULL), STATUS_OK);
    assert_true(count <= 1);
    *unsettled = count == 1;
    return id;
}

static void ids_are_dense_and_stable(void **state)
{
    struct dictionary *d = make();
    bool unsettled;
    char text[32], got[256];
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 50000; i++) {
            snprintf(text, sizeof text, "key-%u", i);
            uint32_t id = map_one(d, (uint16_t)(i % 3), text, 0, &unsettled);
            assert_int_equal(id, i);
        }
    for (uint32_t i = 0; i < 50000; i++) {
        uint16_t kind;
        uint32_t id;
        snprintf(text, sizeof text, "key-%u", i);
        assert_status(dictionary_key(d, i, &kind, got), STATUS_OK);
        assert_string_equal(got, text);
        assert_int_equal(kind, i % 3);
        assert_status(dictionary_find(d, (uint16_t)(i % 3), slice_of_text(text), &id), STATUS_OK);
        assert_status(dictionary_find(d, (uint16_t)(i % 3 + 1), slice_of_text(text), &id),
                      STATUS_NOT_FOUND);
    }
    uint16_t kind;
    assert_status(dictionary_key(d, 50000, &kind, got), STATUS_NOT_FOUND);
    assert_status(dictionary_key(d, UINT32_MAX, &kind, got), STATUS_NOT_FOUND);
    assert_int_equal(dictionary_next_id(d), 50000);
    dictionary_free(d);
}

static void empty_long_and_binary_keys(void **state)
{
    struct dictionary *d = make();
    char text[256], got[256];
    uint16_t kind;
    bool unsettled;
    uint32_t empty = map_one(d, 0, "", 0, &unsettled);
    assert_int_equal(map_one(d, 0, "", 0, &unsettled), empty);
    memset(text, 'k', 255);
    text[255] = '\0';
    uint32_t id = map_one(d, 0, text, 0, &unsettled);
    assert_status(dictionary_key(d, id, &kind, got), STATUS_OK);
    assert_string_equal(got, text);
    char longer[300];
    memset(longer, 'k', sizeof longer);
    struct subject_key keys[2] = {key_of(0, "fine"), {.kind = 0, .key = slice_of(longer, 256)}};
    uint32_t ids[2];
    size_t positions[2], count;
    struct error error;
    assert_status(dictionary_map(d, keys, 2, 0, ids, positions, &count, &error), STATUS_LIMIT);
    assert_status(dictionary_find(d, 0, slice_of_text("fine"), &id), STATUS_NOT_FOUND);
    dictionary_free(d);
}

static void a_pair_is_carried_until_an_entry_with_it_is_durable(void **state)
{
    struct dictionary *d = make();
    bool unsettled;
    uint32_t id = map_one(d, 0, "a", 0, &unsettled);
    assert_true(unsettled);
    map_one(d, 0, "a", 1000, &unsettled);
    assert_true(unsettled); /* whatever is durable, no entry is known to carry it */
    dictionary_carried(d, 7, &id, 1);
    map_one(d, 0, "a", 7, &unsettled);
    assert_true(unsettled); /* all below 7 are durable, 7 is not */
    map_one(d, 0, "a", 8, &unsettled);
    assert_false(unsettled);
    dictionary_carried(d, 3, &id, 1); /* a later note changes nothing */
    map_one(d, 0, "a", 5, &unsettled);
    assert_true(unsettled);
    uint32_t second = map_one(d, 0, "b", 8, &unsettled);
    assert_true(unsettled);
    dictionary_settle_below(d, second);
    map_one(d, 0, "a", 0, &unsettled);
    assert_false(unsettled);
    map_one(d, 0, "b", 1000, &unsettled);
    assert_true(unsettled);
    dictionary_carried(d, 20, &second, 1);
    map_one(d, 0, "b", 21, &unsettled);
    assert_false(unsettled);
    dictionary_free(d);
}

static void stored_pairs_must_not_contradict(void **state)
{
    struct dictionary *d = make();
    struct error error;
    uint32_t id;
    bool unsettled;
    assert_status(dictionary_learn(d, 10, 1, slice_of_text("ten"), &error), STATUS_OK);
    assert_status(dictionary_learn(d, 10, 1, slice_of_text("ten"), &error), STATUS_OK);
    assert_status(dictionary_learn(d, 10, 1, slice_of_text("TEN"), &error), STATUS_CORRUPT);
    assert_status(dictionary_learn(d, 11, 1, slice_of_text("ten"), &error), STATUS_CORRUPT);
    assert_status(dictionary_learn(d, UINT32_MAX, 1, slice_of_text("x"), &error), STATUS_CORRUPT);
    assert_int_equal(map_one(d, 1, "new", 0, &unsettled), 11);
    dictionary_reserve(d, 50);
    assert_int_equal(map_one(d, 1, "newer", 0, &unsettled), 51);
    assert_false(dictionary_knows(d, 40));
    assert_status(dictionary_erase(d, 1, slice_of_text("ten"), &id), STATUS_OK);
    assert_int_equal(id, 10);
    assert_true(dictionary_knows(d, 10));
    char key[256];
    uint16_t kind;
    assert_status(dictionary_key(d, 10, &kind, key), STATUS_NOT_FOUND);
    assert_status(dictionary_find(d, 1, slice_of_text("ten"), &id), STATUS_NOT_FOUND);
    assert_status(dictionary_learn(d, 10, 1, slice_of_text("ten"), &error), STATUS_OK);
    assert_status(dictionary_key(d, 10, &kind, key), STATUS_NOT_FOUND); /* erased stays erased */
    assert_int_equal(map_one(d, 1, "ten", 0, &unsettled), 52);
    dictionary_free(d);
}

enum { THREADS = 4, KEYS = 4000 };

struct mapper {
    struct dictionary *dictionary;
    uint32_t ids[KEYS];
};

static void *map_all(void *context)
{
    struct mapper *mapper = context;
    char texts[20][16];
    struct subject_key keys[20];
    size_t positions[20], count;
    for (uint32_t i = 0; i < KEYS; i += 20) {
        for (uint32_t k = 0; k < 20; k++) {
            snprintf(texts[k], sizeof texts[k], "%u", i + k);
            keys[k] = key_of(0, texts[k]);
        }
        if (dictionary_map(mapper->dictionary, keys, 20, 0, mapper->ids + i, positions, &count,
                           NULL) != STATUS_OK)
            abort();
        dictionary_carried(mapper->dictionary, i, mapper->ids + i, 1);
        if (i % 800 == 0)
            dictionary_next_id(mapper->dictionary);
    }
    return NULL;
}

static void threads_agree_on_new_ids(void **state)
{
    static struct mapper mappers[THREADS];
    struct dictionary *d = make();
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        mappers[t].dictionary = d;
        assert_int_equal(pthread_create(&threads[t], NULL, map_all, &mappers[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(dictionary_next_id(d), KEYS);
    for (size_t t = 1; t < THREADS; t++)
        assert_memory_equal(mappers[t].ids, mappers[0].ids, sizeof mappers[0].ids);
    dictionary_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_dense_and_stable),
        cmocka_unit_test(empty_long_and_binary_keys),
        cmocka_unit_test(a_pair_is_carried_until_an_entry_with_it_is_durable),
        cmocka_unit_test(stored_pairs_must_not_contradict),
        cmocka_unit_test(threads_agree_on_new_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
