/* Subject sets: the bytes are roaring's own, and bytes that are not roaring's are refused. */
#include "scene.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 20261122;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static roaring_bitmap_t *bitmap_of(const uint32_t *ids, size_t count)
{
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    for (size_t i = 0; i < count; i++)
        roaring_bitmap_add(bitmap, ids[i]);
    roaring_bitmap_run_optimize(bitmap);
    return bitmap;
}

struct walk {
    const uint32_t *expected;
    size_t at, stop_after;
};

static bool check_id(void *context, uint32_t id)
{
    struct walk *walk = context;
    assert_int_equal(id, walk->expected[walk->at]);
    walk->at++;
    return walk->at != walk->stop_after;
}

/* Our bytes are roaring's, and reading them gives the ids in ascending order. */
static void assert_same_as_roaring(uint32_t *ids, size_t count)
{
    struct buffer ours;
    buffer_init(&ours, 64 << 20);
    roaring_bitmap_t *bitmap = bitmap_of(ids, count);
    size_t size = roaring_bitmap_portable_size_in_bytes(bitmap);
    char *theirs = malloc(size);
    assert_int_equal(roaring_bitmap_portable_serialize(bitmap, theirs), size);
    size_t distinct = subject_set_serialize(ids, count, &ours);
    assert_int_equal(distinct, roaring_bitmap_get_cardinality(bitmap));
    assert_int_equal(ours.len, size);
    assert_memory_equal(ours.data, theirs, size);
    uint64_t counted;
    assert_status(subject_set_count(buffer_slice(&ours), &counted), STATUS_OK);
    assert_int_equal(counted, distinct);
    struct walk walk = {.expected = ids};
    assert_status(subject_set_each(buffer_slice(&ours), check_id, &walk), STATUS_OK);
    assert_int_equal(walk.at, distinct);
    roaring_bitmap_free(bitmap);
    free(theirs);
    buffer_free(&ours);
}

static void single_ids_are_roarings(void **state)
{
    static const uint32_t ids[] = {0, 1, 255, 65535, 65536, 0x12345678, UINT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        uint32_t id = ids[i];
        assert_same_as_roaring(&id, 1);
    }
    uint32_t twice[2] = {70000, 70000};
    assert_same_as_roaring(twice, 2);
    assert_same_as_roaring(twice, 0);
}

static void every_form_of_container_is_roarings(void **state)
{
    static const size_t counts[] = {2, 3, 4, 5, 200, 201, 4095, 4096, 4097, 10000, 65536};
    static const uint32_t strides[] = {1, 2, 3, 7, 100, 70000};
    uint32_t *ids = malloc(65536 * sizeof *ids);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
        for (size_t s = 0; s < sizeof strides / sizeof strides[0]; s++) {
            for (size_t i = 0; i < counts[c]; i++)
                ids[i] = 65000 + (uint32_t)i * strides[s];
            assert_same_as_roaring(ids, counts[c]);
        }
    free(ids);
}

static void random_sets_are_roarings(void **state)
{
    uint32_t *ids = malloc(20000 * sizeof *ids);
    for (int round = 0; round < 300; round++) {
        size_t count = 1 + next_random() % (round % 10 == 0 ? 20000 : 500);
        uint32_t range = 1u << (4 + next_random() % 27), base = next_random() % 100000;
        for (size_t i = 0; i < count; i++) /* runs now and then */
            ids[i] =
                i > 0 && next_random() % 4 == 0 ? ids[i - 1] + 1 : base + next_random() % range;
        assert_same_as_roaring(ids, count);
    }
    free(ids);
}

static void walking_stops_when_told(void **state)
{
    uint32_t ids[5] = {9, 7, 5, 3, 1};
    const uint32_t sorted[] = {1, 3, 5, 7, 9};
    struct buffer set;
    buffer_init(&set, 1000);
    subject_set_serialize(ids, 5, &set);
    struct walk walk = {.expected = sorted, .stop_after = 2};
    assert_status(subject_set_each(buffer_slice(&set), check_id, &walk), STATUS_OK);
    assert_int_equal(walk.at, 2);
    buffer_free(&set);
}

struct ascent {
    int64_t last;
    uint64_t count;
};

static bool check_ascent(void *context, uint32_t id)
{
    struct ascent *ascent = context;
    assert_true((int64_t)id > ascent->last);
    ascent->last = id;
    ascent->count++;
    return true;
}

/* Whatever the bytes, reading stays inside them; what is accepted is a set, and roaring agrees. */
static void read_hostile(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len + 1); /* so that the sanitizer sees a step beyond */
    memcpy(exact, bytes, len);
    exact = realloc(exact, len == 0 ? 1 : len);
    uint64_t count = 0;
    struct ascent ascent = {.last = -1};
    enum status counted = subject_set_count(slice_of(exact, len), &count);
    enum status walked = subject_set_each(slice_of(exact, len), check_ascent, &ascent);
    assert_int_equal(counted, walked);
    if (counted == STATUS_OK) {
        assert_int_equal(ascent.count, count);
        roaring_bitmap_t *theirs =
            roaring_bitmap_portable_deserialize_safe((const char *)exact, len);
        assert_non_null(theirs);
        assert_int_equal(roaring_bitmap_get_cardinality(theirs), count);
        roaring_bitmap_free(theirs);
    } else {
        assert_int_equal(counted, STATUS_CORRUPT);
        assert_int_equal(ascent.count, 0);
    }
    free(exact);
}

static void hostile_bytes_are_refused_or_read_safely(void **state)
{
    uint32_t ids[6000];
    struct buffer set;
    buffer_init(&set, 1 << 20);
    for (int shape = 0; shape < 4; shape++) {
        size_t count = shape == 0 ? 3 : shape == 1 ? 40 : shape == 2 ? 6000 : 60;
        for (size_t i = 0; i < count; i++)
            ids[i] = (uint32_t)i * (shape == 1 ? 1 : shape == 3 ? 30000 : 3);
        buffer_clear(&set);
        subject_set_serialize(ids, count, &set);
        for (size_t len = 0; len <= set.len && len < 400; len++)
            read_hostile(set.data, len);
        for (int flip = 0; flip < 3000; flip++) {
            size_t at = next_random() % (set.len < 200 || flip % 2 == 0 ? set.len : 64);
            uint8_t saved = set.data[at];
            set.data[at] = (uint8_t)next_random();
            read_hostile(set.data, set.len);
            set.data[at] = saved;
        }
    }
    buffer_free(&set);
}

static void known_malformations_are_refused(void **state)
{
    static const uint8_t unsorted[] = {0x3A, 0x30, 0,  0, 1, 0, 0, 0, 0, 0,
                                       1,    0,    16, 0, 0, 0, 9, 0, 5, 0};
    static const uint8_t twice[] = {0x3A, 0x30, 0,  0, 1, 0, 0, 0, 0, 0,
                                    1,    0,    16, 0, 0, 0, 5, 0, 5, 0};
    static const uint8_t overlapping[] = {0x3B, 0x30, 0, 0, 1, 0, 0, 5, 0, 2,
                                          0,    1,    0, 3, 0, 3, 0, 1, 0};
    static const uint8_t past_end[] = {0x3B, 0x30, 0, 0, 1, 0, 0, 3, 0, 1, 0, 0xFE, 0xFF, 3, 0};
    static const uint8_t trailing[] = {0x3A, 0x30, 0,  0, 1, 0, 0, 0, 0, 0,
                                       0,    0,    16, 0, 0, 0, 5, 0, 0};
    uint64_t count;
    assert_status(subject_set_count(slice_of(unsorted, sizeof unsorted), &count), STATUS_CORRUPT);
    assert_status(subject_set_count(slice_of(twice, sizeof twice), &count), STATUS_CORRUPT);
    assert_status(subject_set_count(slice_of(overlapping, sizeof overlapping), &count),
                  STATUS_CORRUPT);
    assert_status(subject_set_count(slice_of(past_end, sizeof past_end), &count), STATUS_CORRUPT);
    assert_status(subject_set_count(slice_of(trailing, sizeof trailing), &count), STATUS_CORRUPT);
    assert_status(subject_set_count(slice_of(trailing, sizeof trailing - 1), &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_status(subject_set_count(slice_of(NULL, 0), &count), STATUS_CORRUPT);
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* However many ids and however high: each way of sorting gives the same. */
static void test_sorting(void **state)
{
    enum { MOST = 20000 };
    static const size_t counts[] = {2, 200, 201, 4095, 4096, MOST};
    static uint32_t ids[MOST], want[MOST];
    for (unsigned width = 1; width <= 32; width++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            size_t kept = 0;
            for (size_t i = 0; i < counts[c]; i++)
                ids[i] = want[i] = (next_random() << 1 | (next_random() & 1)) >> (32 - width);
            qsort(want, counts[c], sizeof *want, compare_ids);
            for (size_t i = 0; i < counts[c]; i++)
                if (kept == 0 || want[i] != want[kept - 1])
                    want[kept++] = want[i];
            assert_int_equal(subject_ids_unique(ids, counts[c]), kept);
            assert_memory_equal(ids, want, kept * sizeof *ids);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ids_are_roarings),
        cmocka_unit_test(every_form_of_container_is_roarings),
        cmocka_unit_test(random_sets_are_roarings),
        cmocka_unit_test(walking_stops_when_told),
        cmocka_unit_test(hostile_bytes_are_refused_or_read_safely),
        cmocka_unit_test(test_sorting),
        cmocka_unit_test(known_malformations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
