/* Portable roaring bitmaps: a writer from sorted ids and a reader that trusts no byte.
 * Layout (RoaringFormatSpec, little endian): cookie; with runs a bit per container; then per
 * container its high 16 bits and cardinality - 1; then (without runs, or from 4 containers on)
 * per container the offset of its data; then the data: an ascending array of u16 up to 4,096
 * ids, a bitset of 8 KiB above, or runs of (start, length - 1). No state, any thread. */
#include "exposure/subject_set.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/siphash.h"

enum {
    COOKIE_NO_RUNS = 12346,
    COOKIE_RUNS = 12347, /* low half; the high half is the number of containers - 1 */
    OFFSETS_FROM = 4,    /* with runs, offsets are written from this many containers on */
    ARRAY_MAX = 4096,
    BITSET_BYTES = 8192,
    CONTAINERS_MAX = 65536,
};

enum form { FORM_ARRAY, FORM_BITSET, FORM_RUN };

struct container {
    enum form form;
    uint32_t base;        /* high 16 bits of its ids, in place */
    uint32_t cardinality; /* 1 … 65,536 */
    uint32_t runs;
    const uint8_t *data; /* reading */
    size_t bytes;
};

static uint16_t load_u16le(const uint8_t *b)
{
    return (uint16_t)(b[0] | b[1] << 8);
}

static uint32_t load_u32le(const uint8_t *b)
{
    return load_u16le(b) | (uint32_t)load_u16le(b + 2) << 16;
}

static uint8_t *put_u16le(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
    return out + 2;
}

static uint8_t *put_u32le(uint8_t *out, uint32_t value)
{
    return put_u16le(put_u16le(out, value & 0xFFFF), value >> 16);
}

static bool bit_is_set(const uint8_t *bits, uint32_t at)
{
    return (bits[at / 8] >> at % 8 & 1) != 0;
}

/* ---- writing ---- */

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

enum { DIGITS_MAX = 4096, WIDE_FROM = 4096 };

/* By the bits from `shift` on; digits is a power of two. */
static void sort_pass(const uint32_t *ids, size_t count, unsigned shift, size_t digits,
                      uint32_t *sorted)
{
    uint32_t starts[DIGITS_MAX], sum = 0;
    memset(starts, 0, digits * sizeof *starts);
    for (size_t i = 0; i < count; i++)
        starts[ids[i] >> shift & (digits - 1)]++;
    for (size_t digit = 0; digit < digits; digit++) {
        uint32_t here = starts[digit];
        starts[digit] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        sorted[starts[ids[i] >> shift & (digits - 1)]++] = ids[i];
}

/* As few passes as the highest id asks for, of 12 bits at most, of 8 where there are few ids; ten
 * times as fast as qsort on a batch of 16,384. */
static void radix_sort(uint32_t *ids, size_t count, uint32_t *scratch)
{
    uint32_t all = 1, *from = ids, *to = scratch;
    for (size_t i = 0; i < count; i++)
        all |= ids[i];
    unsigned width = 32 - (unsigned)__builtin_clz(all), most = count < WIDE_FROM ? 8 : 12;
    unsigned passes = (width + most - 1) / most, bits = (width + passes - 1) / passes;
    for (unsigned pass = 0; pass < passes; pass++) {
        sort_pass(from, count, pass * bits, (size_t)1 << bits, to);
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != ids)
        memcpy(ids, from, count * sizeof *ids);
}

static void sort_ids(uint32_t *ids, size_t count)
{
    uint32_t *scratch = count > 200 && count <= UINT32_MAX ? malloc(count * sizeof *scratch) : NULL;
    if (scratch == NULL)
        qsort(ids, count, sizeof *ids, compare_ids);
    else
        radix_sort(ids, count, scratch);
    free(scratch);
}

size_t subject_ids_unique(uint32_t *ids, size_t count)
{
    bool ascending = true;
    for (size_t i = 1; i < count && ascending; i++)
        ascending = ids[i - 1] < ids[i];
    if (ascending)
        return count;
    sort_ids(ids, count);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (ids[i] != ids[kept - 1])
            ids[kept++] = ids[i];
    return kept;
}

/* The container that begins at ids[0]; how many ids it takes is its cardinality. */
static struct container measure(const uint32_t *ids, size_t count)
{
    struct container c = {.base = ids[0] & 0xFFFF0000, .cardinality = 1, .runs = 1};
    while (c.cardinality < count && (ids[c.cardinality] & 0xFFFF0000) == c.base) {
        c.runs += ids[c.cardinality] != ids[c.cardinality - 1] + 1;
        c.cardinality++;
    }
    c.form = c.cardinality <= ARRAY_MAX ? FORM_ARRAY : FORM_BITSET;
    c.bytes = c.form == FORM_ARRAY ? 2 * (size_t)c.cardinality : BITSET_BYTES;
    /* CRoaring counts two bytes of header with an array and with runs, none with a bitset. */
    size_t rival = c.form == FORM_ARRAY ? c.bytes + 2 : c.bytes;
    if (2 + 4 * (size_t)c.runs < rival) {
        c.form = FORM_RUN;
        c.bytes = 2 + 4 * (size_t)c.runs;
    }
    return c;
}

static uint8_t *put_runs(uint8_t *out, const struct container *c, const uint32_t *ids)
{
    out = put_u16le(out, c->runs);
    for (uint32_t i = 0; i < c->cardinality;) {
        uint32_t start = i++;
        while (i < c->cardinality && ids[i] == ids[i - 1] + 1)
            i++;
        out = put_u16le(out, ids[start] & 0xFFFF);
        out = put_u16le(out, i - start - 1);
    }
    return out;
}

static uint8_t *put_bitset(uint8_t *out, const struct container *c, const uint32_t *ids)
{
    memset(out, 0, BITSET_BYTES);
    for (uint32_t i = 0; i < c->cardinality; i++)
        out[(ids[i] & 0xFFFF) / 8] |= (uint8_t)(1U << ids[i] % 8);
    return out + BITSET_BYTES;
}

static uint8_t *put_content(uint8_t *out, const struct container *c, const uint32_t *ids)
{
    if (c->form == FORM_RUN)
        return put_runs(out, c, ids);
    if (c->form == FORM_BITSET)
        return put_bitset(out, c, ids);
    for (uint32_t i = 0; i < c->cardinality; i++)
        out = put_u16le(out, ids[i] & 0xFFFF);
    return out;
}

/* What a set will be, found in a first pass over its ids. */
struct shape {
    uint32_t containers;
    bool has_runs, has_offsets;
    size_t flags, head, bytes; /* head: all before the containers' data */
};

static struct shape shape_of(const uint32_t *ids, size_t count)
{
    struct shape shape = {0};
    for (size_t i = 0; i < count; shape.containers++) {
        struct container c = measure(ids + i, count - i);
        shape.has_runs = shape.has_runs || c.form == FORM_RUN;
        shape.bytes += c.bytes;
        i += c.cardinality;
    }
    shape.has_offsets = !shape.has_runs || shape.containers >= OFFSETS_FROM;
    shape.flags = shape.has_runs ? (shape.containers + 7) / 8 : 0;
    shape.head = (shape.has_runs ? 4 : 8) + shape.flags +
                 (shape.has_offsets ? 8 : 4) * (size_t)shape.containers;
    shape.bytes += shape.head;
    return shape;
}

/* The second pass: a container's flag, description, offset and data. */
static void put_all(uint8_t *out, const struct shape *shape, const uint32_t *ids, size_t count)
{
    uint32_t cookie = COOKIE_RUNS | (shape->containers - 1) << 16;
    uint8_t *flags = put_u32le(out, shape->has_runs ? cookie : COOKIE_NO_RUNS);
    uint8_t *description = flags + shape->flags, *data = out + shape->head;
    if (shape->has_runs)
        memset(flags, 0, shape->flags);
    else
        description = put_u32le(flags, shape->containers);
    uint8_t *offset = description + 4 * (size_t)shape->containers;
    for (uint32_t i = 0; i < shape->containers; i++) {
        struct container c = measure(ids, count);
        if (c.form == FORM_RUN)
            flags[i / 8] |= (uint8_t)(1U << i % 8);
        description = put_u16le(description, c.base >> 16);
        description = put_u16le(description, c.cardinality - 1);
        if (shape->has_offsets)
            offset = put_u32le(offset, (uint32_t)(data - out));
        data = put_content(data, &c, ids);
        ids += c.cardinality;
        count -= c.cardinality;
    }
}

/* One id: the look-up by key, which most statements are. */
static size_t serialize_one(uint32_t id, struct buffer *out)
{
    const uint8_t bytes[18] = {COOKIE_NO_RUNS & 0xFF,
                               COOKIE_NO_RUNS >> 8,
                               0,
                               0, /* cookie */
                               1,
                               0,
                               0,
                               0, /* containers */
                               (uint8_t)(id >> 16),
                               (uint8_t)(id >> 24),
                               0,
                               0, /* key, card-1 */
                               16,
                               0,
                               0,
                               0, /* offset */
                               (uint8_t)id,
                               (uint8_t)(id >> 8)};
    buffer_append(out, bytes, sizeof bytes);
    return 1;
}

size_t subject_set_serialize(uint32_t *ids, size_t count, struct buffer *out)
{
    if (count == 1)
        return serialize_one(ids[0], out);
    count = subject_ids_unique(ids, count);
    struct shape shape = shape_of(ids, count);
    uint8_t *room = buffer_reserve(out, shape.bytes);
    if (room != NULL) {
        put_all(room, &shape, ids, count);
        out->len += shape.bytes;
    }
    return count;
}

/* ---- reading ---- */

struct cursor {
    struct slice set;
    uint32_t containers, next;
    const uint8_t *run_flags;    /* NULL: no runs */
    const uint8_t *descriptions; /* 4 bytes each */
    const uint8_t *offsets;      /* 4 bytes each; NULL: none */
    size_t at;                   /* of the next container's data */
};

static enum status cursor_open(struct cursor *cursor, struct slice set)
{
    if (set.len < 4)
        return STATUS_CORRUPT;
    uint32_t cookie = load_u32le(set.data);
    struct cursor c = {.set = set, .at = 4};
    size_t flags = 0;
    if ((cookie & 0xFFFF) == COOKIE_RUNS) {
        c.containers = (cookie >> 16) + 1;
        c.run_flags = set.data + 4;
        flags = (c.containers + 7) / 8;
    } else if (cookie == COOKIE_NO_RUNS && set.len >= 8) {
        c.containers = load_u32le(set.data + 4);
        c.at = 8;
    } else {
        return STATUS_CORRUPT;
    }
    bool has_offsets = c.run_flags == NULL || c.containers >= OFFSETS_FROM;
    size_t head = flags + (has_offsets ? 8 : 4) * (size_t)c.containers;
    if (c.containers > CONTAINERS_MAX || set.len - c.at < head)
        return STATUS_CORRUPT;
    c.descriptions = set.data + c.at + flags;
    c.offsets = has_offsets ? c.descriptions + 4 * (size_t)c.containers : NULL;
    c.at += head;
    *cursor = c;
    return STATUS_OK;
}

static bool runs_are_sound(const struct container *c)
{
    uint32_t total = 0, free_from = 0;
    for (uint32_t run = 0; run < c->runs; run++) {
        uint32_t start = load_u16le(c->data + 2 + 4 * (size_t)run);
        uint32_t length = load_u16le(c->data + 4 + 4 * (size_t)run) + 1U;
        if (start < free_from || start + length > 65536)
            return false;
        free_from = start + length;
        total += length;
    }
    return total == c->cardinality;
}

static bool content_is_sound(const struct container *c)
{
    uint32_t total = 0;
    switch (c->form) {
    case FORM_RUN:
        return runs_are_sound(c);
    case FORM_BITSET:
        for (size_t i = 0; i < BITSET_BYTES; i += sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, c->data + i, sizeof word);
            total += (uint32_t)__builtin_popcountll(word);
        }
        return total == c->cardinality;
    case FORM_ARRAY:
        for (size_t i = 1; i < c->cardinality; i++)
            if (load_u16le(c->data + 2 * i - 2) >= load_u16le(c->data + 2 * i))
                return false;
    }
    return true;
}

/* The container of this index, whose data starts at `at`; its content is not judged. */
static enum status container_at(const struct cursor *cursor, uint32_t index, size_t at,
                                struct container *container)
{
    const uint8_t *description = cursor->descriptions + 4 * (size_t)index;
    if (at > cursor->set.len)
        return STATUS_CORRUPT;
    size_t left = cursor->set.len - at;
    struct container c = {.base = (uint32_t)load_u16le(description) << 16,
                          .cardinality = load_u16le(description + 2) + 1U,
                          .data = cursor->set.data + at};
    if (cursor->run_flags != NULL && bit_is_set(cursor->run_flags, index)) {
        if (left < 2)
            return STATUS_CORRUPT;
        c.form = FORM_RUN;
        c.runs = load_u16le(c.data);
        c.bytes = 2 + 4 * (size_t)c.runs;
    } else {
        c.form = c.cardinality <= ARRAY_MAX ? FORM_ARRAY : FORM_BITSET;
        c.bytes = c.form == FORM_ARRAY ? 2 * (size_t)c.cardinality : BITSET_BYTES;
    }
    if (left < c.bytes)
        return STATUS_CORRUPT;
    *container = c;
    return STATUS_OK;
}

/* STATUS_CLOSED behind the last container, if the set ends there. */
static enum status cursor_next(struct cursor *cursor, struct container *container)
{
    if (cursor->next == cursor->containers)
        return cursor->at == cursor->set.len ? STATUS_CLOSED : STATUS_CORRUPT;
    uint32_t index = cursor->next++;
    const uint8_t *description = cursor->descriptions + 4 * (size_t)index;
    struct container c;
    if (index > 0 && load_u16le(description - 4) >= load_u16le(description))
        return STATUS_CORRUPT;
    if (cursor->offsets != NULL && load_u32le(cursor->offsets + 4 * (size_t)index) != cursor->at)
        return STATUS_CORRUPT;
    TRY(container_at(cursor, index, cursor->at, &c));
    if (!content_is_sound(&c))
        return STATUS_CORRUPT;
    cursor->at += c.bytes;
    *container = c;
    return STATUS_OK;
}

enum status subject_set_count(struct slice set, uint64_t *count)
{
    struct cursor cursor;
    struct container c;
    uint64_t total = 0;
    enum status status;
    TRY(cursor_open(&cursor, set));
    while ((status = cursor_next(&cursor, &c)) == STATUS_OK)
        total += c.cardinality;
    if (status != STATUS_CLOSED)
        return status;
    *count = total;
    return STATUS_OK;
}

static bool each_in_runs(const struct container *c, bool (*fn)(void *, uint32_t), void *context)
{
    for (uint32_t run = 0; run < c->runs; run++) {
        uint32_t start = load_u16le(c->data + 2 + 4 * (size_t)run);
        uint32_t more = load_u16le(c->data + 4 + 4 * (size_t)run);
        for (uint32_t i = 0; i <= more; i++)
            if (!fn(context, c->base | (start + i)))
                return false;
    }
    return true;
}

static bool each_in_container(const struct container *c, bool (*fn)(void *, uint32_t),
                              void *context)
{
    if (c->form == FORM_RUN)
        return each_in_runs(c, fn, context);
    if (c->form == FORM_ARRAY) {
        for (size_t i = 0; i < c->cardinality; i++)
            if (!fn(context, c->base | load_u16le(c->data + 2 * i)))
                return false;
        return true;
    }
    for (uint32_t low = 0; low < 65536; low++)
        if (bit_is_set(c->data, low) && !fn(context, c->base | low))
            return false;
    return true;
}

enum status subject_set_each(struct slice set, bool (*fn)(void *context, uint32_t id),
                             void *context)
{
    struct cursor cursor;
    struct container c;
    uint64_t count;
    TRY(subject_set_count(set, &count));
    TRY(cursor_open(&cursor, set));
    while (cursor_next(&cursor, &c) == STATUS_OK)
        if (!each_in_container(&c, fn, context))
            break;
    return STATUS_OK;
}

/* ---- all ids ---- */

enum status subject_set_claims(struct slice set, uint64_t *count)
{
    struct cursor cursor;
    uint64_t total = 0;
    TRY(cursor_open(&cursor, set));
    for (uint32_t i = 0; i < cursor.containers; i++)
        total += load_u16le(cursor.descriptions + 4 * (size_t)i + 2) + 1U;
    *count = total;
    return STATUS_OK;
}

static uint32_t *put_container(const struct container *c, uint32_t *out)
{
    if (c->form == FORM_ARRAY) {
        for (uint32_t i = 0; i < c->cardinality; i++)
            *out++ = c->base | load_u16le(c->data + 2 * (size_t)i);
        return out;
    }
    if (c->form == FORM_BITSET) {
        for (uint32_t low = 0; low < 65536; low++)
            if (bit_is_set(c->data, low))
                *out++ = c->base | low;
        return out;
    }
    for (uint32_t run = 0; run < c->runs; run++) {
        uint32_t start = load_u16le(c->data + 2 + 4 * (size_t)run);
        uint32_t more = load_u16le(c->data + 4 + 4 * (size_t)run);
        for (uint32_t i = 0; i <= more; i++)
            *out++ = c->base | (start + i);
    }
    return out;
}

enum status subject_set_read(struct slice set, uint32_t *ids, uint64_t room, uint64_t *count)
{
    struct cursor cursor;
    struct container c;
    uint64_t total = 0;
    enum status status;
    TRY(cursor_open(&cursor, set));
    while ((status = cursor_next(&cursor, &c)) == STATUS_OK) {
        if (c.cardinality > room - total)
            return STATUS_LIMIT;
        put_container(&c, ids + total);
        total += c.cardinality;
    }
    if (status != STATUS_CLOSED)
        return status;
    *count = total;
    return STATUS_OK;
}

/* ---- uniting ---- */

static void set_bit(uint64_t *bits, uint32_t low)
{
    bits[low / 64] |= 1ULL << low % 64;
}

static void set_run(uint64_t *bits, uint32_t start, uint32_t last)
{
    uint32_t from = start / 64, until = last / 64;
    uint64_t head = ~0ULL << start % 64, tail = ~0ULL >> (63 - last % 64);
    if (from == until) {
        bits[from] |= head & tail;
        return;
    }
    bits[from] |= head;
    for (uint32_t word = from + 1; word < until; word++)
        bits[word] = ~0ULL;
    bits[until] |= tail;
}

static void unite_container(const struct container *c, uint64_t *bits)
{
    if (c->form == FORM_ARRAY) {
        for (uint32_t i = 0; i < c->cardinality; i++)
            set_bit(bits, load_u16le(c->data + 2 * (size_t)i));
        return;
    }
    if (c->form == FORM_BITSET) {
        for (size_t i = 0; i < BITSET_BYTES / sizeof *bits; i++) {
            const uint8_t *word = c->data + i * sizeof *bits;
            bits[i] |= load_u32le(word) | (uint64_t)load_u32le(word + 4) << 32;
        }
        return;
    }
    for (uint32_t run = 0; run < c->runs; run++) {
        uint32_t start = load_u16le(c->data + 2 + 4 * (size_t)run);
        uint32_t last = start + load_u16le(c->data + 4 + 4 * (size_t)run);
        set_run(bits, start, last < 65536 ? last : 65535);
    }
}

enum status subject_set_unite(struct slice set, uint64_t *(*bits_of)(void *context, uint32_t high),
                              void *context)
{
    struct cursor cursor;
    struct container c;
    TRY(cursor_open(&cursor, set));
    for (uint32_t i = 0; i < cursor.containers; i++, cursor.at += c.bytes) {
        TRY(container_at(&cursor, i, cursor.at, &c));
        uint64_t *bits = bits_of(context, c.base >> 16);
        if (bits == NULL)
            return STATUS_NOMEM;
        unite_container(&c, bits);
    }
    return STATUS_OK;
}

/* ---- one id ---- */

enum { HALVED = 64 }; /* a range of this many values lies in few cache lines: halving will do */

/* Memory that is far away costs more than steps: in a long array the place is guessed, as ids are
 * drawn evenly more often than not, and the range around it doubled until it has the value. */
static void narrow(const uint8_t *values, uint32_t low, uint32_t *from, uint32_t *until)
{
    uint32_t count = *until, guess = (uint32_t)((uint64_t)low * count >> 16), step = HALVED / 4;
    if (load_u16le(values + 2 * (size_t)guess) <= low) {
        *from = guess;
        while (guess + step < count && load_u16le(values + 2 * (size_t)(guess + step)) <= low) {
            *from = guess + step;
            step *= 2;
        }
        if (guess + step < count)
            *until = guess + step;
        return;
    }
    *until = guess;
    while (step < guess && load_u16le(values + 2 * (size_t)(guess - step)) > low) {
        *until = guess - step;
        step *= 2;
    }
    if (step < guess)
        *from = guess - step;
}

static bool array_holds(const struct container *c, uint32_t low)
{
    uint32_t from = 0, until = c->cardinality;
    if (until > HALVED)
        narrow(c->data, low, &from, &until);
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        uint32_t held = load_u16le(c->data + 2 * (size_t)middle);
        if (held == low)
            return true;
        if (held < low)
            from = middle + 1;
        else
            until = middle;
    }
    return false;
}

static bool runs_hold(const struct container *c, uint32_t low)
{
    uint32_t from = 0, until = c->runs; /* the last run that does not start behind low */
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        if (load_u16le(c->data + 2 + 4 * (size_t)middle) <= low)
            from = middle + 1;
        else
            until = middle;
    }
    if (from == 0)
        return false;
    const uint8_t *run = c->data + 2 + 4 * (size_t)(from - 1);
    return low - load_u16le(run) <= load_u16le(run + 2);
}

/* The index of the container of these high bits; the number of containers where there is none.
 * High bits ascend, so that a container is at most at the place of its number, and near it in a set
 * that has nearly all of them. */
static uint32_t find_container(const struct cursor *cursor, uint32_t high)
{
    uint32_t from = 0, until = cursor->containers;
    if (until > high)
        until = high + 1;
    for (uint32_t step = 1; step < until; step *= 2)
        if (load_u16le(cursor->descriptions + 4 * (size_t)(until - step)) < high) {
            from = until - step;
            break;
        }
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        uint32_t base = load_u16le(cursor->descriptions + 4 * (size_t)middle);
        if (base == high)
            return middle;
        if (base < high)
            from = middle + 1;
        else
            until = middle;
    }
    return cursor->containers;
}

enum status subject_set_contains(struct slice set, uint32_t id, bool *found)
{
    struct cursor cursor;
    struct container c;
    TRY(cursor_open(&cursor, set));
    uint32_t index = find_container(&cursor, id >> 16);
    *found = false;
    if (index == cursor.containers)
        return STATUS_OK;
    size_t at = cursor.at;
    if (cursor.offsets != NULL) {
        at = load_u32le(cursor.offsets + 4 * (size_t)index);
    } else {
        for (uint32_t i = 0; i < index; i++, at += c.bytes)
            TRY(container_at(&cursor, i, at, &c));
    }
    TRY(container_at(&cursor, index, at, &c));
    uint32_t low = id & 0xFFFF;
    *found = c.form == FORM_ARRAY    ? array_holds(&c, low)
             : c.form == FORM_BITSET ? bit_is_set(c.data, low)
                                     : runs_hold(&c, low);
    return STATUS_OK;
}

void subject_set_fetch(struct slice set, uint32_t id)
{
    struct cursor cursor;
    struct container c;
    if (cursor_open(&cursor, set) != STATUS_OK || cursor.offsets == NULL)
        return;
    uint32_t index = find_container(&cursor, id >> 16), low = id & 0xFFFF;
    if (index == cursor.containers ||
        container_at(&cursor, index, load_u32le(cursor.offsets + 4 * (size_t)index), &c) !=
            STATUS_OK)
        return;
    if (c.form == FORM_ARRAY) /* where array_holds looks first */
        __builtin_prefetch(c.data + 2 * (size_t)((uint64_t)low * c.cardinality >> 16));
    else
        __builtin_prefetch(c.form == FORM_BITSET ? c.data + low / 8 : c.data + c.bytes / 2);
}

uint64_t subject_set_hash(const uint64_t key[static 2], struct slice set)
{
    return siphash13(key, 0, set.data, set.len);
}
