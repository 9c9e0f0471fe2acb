/* See row_sums.h. Two statistics of the same people tell of few by a * first - b * second where a
 * and b are such that nearly everybody's rows cancel out. So the numbers of either are held against
 * each other as fractions: is there one that all have but fewer than `below`? */
#include "exposure/row_sums.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { HEAD_BYTES = 12, NUMBER_BYTES = 8 };

/* ---- the field ---- */

__extension__ typedef unsigned __int128 wide;

static uint64_t multiply(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    uint64_t sum = (uint64_t)(product & ROW_SUMS_PRIME) + (uint64_t)(product >> 61);
    return sum >= ROW_SUMS_PRIME ? sum - ROW_SUMS_PRIME : sum;
}

uint64_t row_sums_add(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum >= ROW_SUMS_PRIME ? sum - ROW_SUMS_PRIME : sum;
}

bool row_sums_parse(struct slice text, uint64_t *out)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t first = negative ? 1 : 0;
    uint64_t value = 0;
    for (size_t i = first; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = row_sums_add(multiply(value, 10), (uint64_t)(text.data[i] - '0'));
    }
    *out = negative && value > 0 ? ROW_SUMS_PRIME - value : value;
    return text.len > first;
}

/* splitmix64's finish. */
static uint64_t mix(uint64_t value)
{
    value = (value + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static size_t slot_of(uint32_t id, size_t slots)
{
    return mix(id) % slots;
}

static uint64_t weighted(uint32_t id, uint64_t value)
{
    return multiply(mix(~(uint64_t)id) % (ROW_SUMS_PRIME - 1) + 1, value);
}

/* ---- bytes ---- */

/* Numbers of one source, a power of two: so that those of fewer follow from those of more. */
static size_t most_numbers(size_t source_count)
{
    size_t numbers = ROW_SUMS_NUMBERS;
    for (size_t sources = 1; sources < source_count; sources *= 2)
        numbers /= 2;
    return numbers;
}

void row_sums_encode(const uint64_t *sources, size_t source_count, const uint32_t *ids,
                     const uint64_t *values, size_t count, struct buffer *out)
{
    uint64_t numbers[ROW_SUMS_NUMBERS];
    CHECK(source_count <= ROW_SUMS_SOURCES);
    size_t most = most_numbers(source_count), length = count <= most ? count : most;
    for (size_t s = 0; s < source_count; s++) {
        memset(numbers, 0, sizeof numbers);
        for (size_t i = 0; i < count; i++) {
            uint64_t value = values[i * source_count + s];
            size_t at = count <= most ? i : slot_of(ids[i], length);
            numbers[at] =
                row_sums_add(numbers[at], count <= most ? value : weighted(ids[i], value));
        }
        buffer_append_u64be(out, sources[s]);
        buffer_append_u32be(out, (uint32_t)length);
        for (size_t i = 0; i < length; i++)
            buffer_append_u64be(out, numbers[i]);
    }
}

/* One source's numbers. */
struct numbers {
    uint64_t source;
    size_t length;
    const uint8_t *data;
};

static uint64_t number(const struct numbers *numbers, size_t index)
{
    return load_u64be(numbers->data + index * NUMBER_BYTES);
}

static bool next_numbers(struct slice *rest, struct numbers *out)
{
    if (rest->len < HEAD_BYTES)
        return false;
    out->source = load_u64be(rest->data);
    out->length = load_u32be(rest->data + 8);
    out->data = rest->data + HEAD_BYTES;
    if (out->length > (rest->len - HEAD_BYTES) / NUMBER_BYTES)
        return false;
    size_t taken = HEAD_BYTES + out->length * NUMBER_BYTES;
    *rest = slice_of(rest->data + taken, rest->len - taken);
    return true;
}

bool row_sums_valid(struct slice bytes, uint64_t people)
{
    struct numbers numbers;
    struct slice rest = bytes;
    size_t sources = 0;
    while (next_numbers(&rest, &numbers))
        sources++;
    if (rest.len > 0 || sources > ROW_SUMS_SOURCES)
        return false;
    size_t most = most_numbers(sources);
    for (rest = bytes; next_numbers(&rest, &numbers);) {
        if (numbers.length != (people <= most ? people : most))
            return false;
        for (size_t i = 0; i < numbers.length; i++)
            if (number(&numbers, i) >= ROW_SUMS_PRIME)
                return false;
    }
    return true;
}

/* ---- comparing ---- */

/* Numbers of both sides that stand for the same people, beside each other. */
struct pairs {
    size_t count;
    uint64_t whole[ROW_SUMS_NUMBERS], parts[ROW_SUMS_NUMBERS];
    uint32_t ids[ROW_SUMS_NUMBERS]; /* whose each is; of slots: nobody's */
    bool left_out[ROW_SUMS_NUMBERS];
    size_t slots; /* 0: one a person */
};

static bool is_exact(const struct row_sums *side, const struct numbers *numbers)
{
    return numbers->length == side->count;
}

static uint32_t *ids_of(const roaring_bitmap_t *set)
{
    size_t count = roaring_bitmap_get_cardinality(set);
    uint32_t *ids = malloc((count + 1) * sizeof *ids);
    CHECK(ids != NULL);
    roaring_bitmap_to_uint32_array(set, ids);
    return ids;
}

/* Adds the numbers of one part, person by person, to those whose the pairs are. */
static void add_people(struct pairs *pairs, const struct row_sums *part,
                       const struct numbers *numbers)
{
    uint32_t *ids = ids_of(part->ids);
    size_t at = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        while (at < part->count && ids[at] < pairs->ids[i])
            at++;
        if (at == part->count || ids[at] != pairs->ids[i])
            continue;
        pairs->parts[i] = row_sums_add(pairs->parts[i], number(numbers, at));
        pairs->left_out[i] = false;
    }
    free(ids);
}

static void pair_people(struct pairs *pairs, const struct row_sums *whole,
                        const struct numbers *numbers)
{
    pairs->slots = 0;
    pairs->count = numbers->length;
    roaring_bitmap_to_uint32_array(whole->ids, pairs->ids);
    for (size_t i = 0; i < pairs->count; i++) {
        pairs->whole[i] = number(numbers, i);
        pairs->parts[i] = 0;
        pairs->left_out[i] = true;
    }
}

static void add_slots(const struct row_sums *side, const struct numbers *numbers, size_t slots,
                      uint64_t *sums)
{
    if (!is_exact(side, numbers)) {
        for (size_t i = 0; i < numbers->length; i++)
            sums[i % slots] = row_sums_add(sums[i % slots], number(numbers, i));
        return;
    }
    uint32_t *ids = ids_of(side->ids);
    for (size_t i = 0; i < numbers->length; i++) {
        size_t slot = slot_of(ids[i], slots);
        sums[slot] = row_sums_add(sums[slot], weighted(ids[i], number(numbers, i)));
    }
    free(ids);
}

static bool leave_out(uint32_t id, void *context)
{
    struct pairs *pairs = context;
    pairs->left_out[slot_of(id, pairs->slots)] = true;
    return true;
}

static roaring_bitmap_t *people_of_parts(const struct row_sums *one, const struct row_sums *other)
{
    roaring_bitmap_t *people =
        other == NULL ? roaring_bitmap_copy(one->ids) : roaring_bitmap_or(one->ids, other->ids);
    CHECK(people != NULL);
    return people;
}

/* One side at a time, since a slot of more is the sum of several of fewer. */
struct side {
    const struct row_sums *statistic; /* NULL: none */
    struct numbers numbers;
};

static void pair_slots(struct pairs *pairs, const struct side sides[static 3])
{
    size_t slots = ROW_SUMS_NUMBERS;
    for (size_t i = 0; i < 3; i++)
        if (sides[i].statistic != NULL && !is_exact(sides[i].statistic, &sides[i].numbers) &&
            sides[i].numbers.length < slots)
            slots = sides[i].numbers.length;
    pairs->slots = pairs->count = slots;
    memset(pairs->whole, 0, sizeof pairs->whole);
    memset(pairs->parts, 0, sizeof pairs->parts);
    memset(pairs->left_out, 0, sizeof pairs->left_out);
    for (size_t i = 0; i < 3; i++)
        if (sides[i].statistic != NULL)
            add_slots(sides[i].statistic, &sides[i].numbers, slots,
                      i == 0 ? pairs->whole : pairs->parts);
    roaring_bitmap_t *not_both = people_of_parts(sides[1].statistic, sides[2].statistic);
    roaring_bitmap_xor_inplace(not_both, sides[0].statistic->ids);
    roaring_iterate(not_both, leave_out, pairs);
    roaring_bitmap_free(not_both);
}

/* How many pairs are not in the proportion of a to b; from `below` on they are not counted. */
static uint64_t count_others(const struct pairs *pairs, uint64_t a, uint64_t b, uint64_t below)
{
    uint64_t count = 0;
    for (size_t i = 0; i < pairs->count && count < below; i++)
        count +=
            !pairs->left_out[i] && multiply(pairs->whole[i], b) != multiply(pairs->parts[i], a);
    return count;
}

/* The proportion that all but fewer than `below` have. As they would, for a and b, stand among any
 * `below` pairs, no more are tried; but where fewer than that have it, it says nothing. */
static bool find_proportion(const struct pairs *pairs, uint64_t below, uint64_t *a, uint64_t *b)
{
    uint64_t full = 0;
    *a = *b = 1;
    if (count_others(pairs, 1, 1, below) < below)
        return true;
    for (size_t i = 0; i < pairs->count; i++)
        full += !pairs->left_out[i] && pairs->whole[i] != 0;
    uint64_t tried = 0;
    for (size_t i = 0; i < pairs->count && tried < below; i++) {
        *a = pairs->whole[i];
        *b = pairs->parts[i];
        if (pairs->left_out[i] || *a == 0 || *b == 0 || *a == *b)
            continue;
        tried++;
        uint64_t others = count_others(pairs, *a, *b, below);
        if (others < below && full >= others + below)
            return true;
    }
    return false;
}

struct slots_context {
    const struct pairs *pairs;
    const bool *differs;
    roaring_bitmap_t *differing;
};

static bool add_of_slot(uint32_t id, void *context)
{
    const struct slots_context *slots = context;
    if (slots->differs[slot_of(id, slots->pairs->slots)])
        roaring_bitmap_add(slots->differing, id);
    return true;
}

static void add_differing(const struct pairs *pairs, const struct side sides[static 3], uint64_t a,
                          uint64_t b, roaring_bitmap_t *differing)
{
    bool differs[ROW_SUMS_NUMBERS] = {false}, any = false;
    for (size_t i = 0; i < pairs->count; i++) {
        differs[i] =
            !pairs->left_out[i] && multiply(pairs->whole[i], b) != multiply(pairs->parts[i], a);
        any = any || differs[i];
        if (differs[i] && pairs->slots == 0)
            roaring_bitmap_add(differing, pairs->ids[i]);
    }
    if (pairs->slots == 0 || !any)
        return;
    struct slots_context context = {pairs, differs, differing};
    roaring_bitmap_t *both = people_of_parts(sides[1].statistic, sides[2].statistic);
    roaring_bitmap_and_inplace(both, sides[0].statistic->ids);
    roaring_iterate(both, add_of_slot, &context);
    roaring_bitmap_free(both);
}

static void compare_sides(const struct side sides[static 3], uint64_t below,
                          roaring_bitmap_t *differing)
{
    bool exact = true;
    uint64_t a, b;
    for (size_t i = 0; i < 3; i++)
        exact = exact &&
                (sides[i].statistic == NULL || is_exact(sides[i].statistic, &sides[i].numbers));
    struct pairs *pairs = malloc(sizeof *pairs);
    CHECK(pairs != NULL);
    if (exact) {
        pair_people(pairs, sides[0].statistic, &sides[0].numbers);
        for (size_t i = 1; i < 3; i++)
            if (sides[i].statistic != NULL)
                add_people(pairs, sides[i].statistic, &sides[i].numbers);
    } else {
        pair_slots(pairs, sides);
    }
    if (find_proportion(pairs, below, &a, &b))
        add_differing(pairs, sides, a, b, differing);
    free(pairs);
}

void row_sums_compare(const struct row_sums *whole, const struct row_sums *one,
                      const struct row_sums *other, uint64_t below, roaring_bitmap_t *differing)
{
    struct side sides[3] = {{.statistic = whole}, {.statistic = one}, {.statistic = other}};
    for (struct slice w = whole->bytes; next_numbers(&w, &sides[0].numbers);)
        for (struct slice o = one->bytes; next_numbers(&o, &sides[1].numbers);) {
            if (sides[1].numbers.source != sides[0].numbers.source)
                continue;
            if (other == NULL)
                compare_sides(sides, below, differing);
            for (struct slice x = other == NULL ? slice_of(NULL, 0) : other->bytes;
                 next_numbers(&x, &sides[2].numbers);)
                if (sides[2].numbers.source == sides[0].numbers.source)
                    compare_sides(sides, below, differing);
        }
}
