/* Batch: rows without their hidden columns, and the keys that stood in those. Keys of `once` sets
 * come first, with the first row of an execution; then those of each row. */
#include "gateway/release/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/row_sums.h"
#include "wire/wire.h"

enum { KEEP_BYTES = 256 * 1024, KEEP_KEYS = 4 * LIMIT_BATCH_SUBJECTS };

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
    buffer_init(&batch->rows, LIMIT_ROW_BYTES + LIMIT_BATCH_BYTES);
    buffer_init(&batch->key_bytes, LIMIT_ROW_BYTES + LIMIT_BATCH_BYTES);
    for (size_t i = 0; i < BATCH_SET_DEPTH; i++)
        buffer_init(&batch->scratch[i], LIMIT_ROW_BYTES);
    buffer_init(&batch->sets, LIMIT_ROW_BYTES);
    buffer_init(&batch->side, LIMIT_ROW_BYTES);
    arena_init(&batch->arena, (size_t)LIMIT_ROW_BYTES * 4);
}

void batch_free(struct batch *batch)
{
    buffer_free(&batch->rows);
    buffer_free(&batch->key_bytes);
    for (size_t i = 0; i < BATCH_SET_DEPTH; i++)
        buffer_free(&batch->scratch[i]);
    buffer_free(&batch->sets);
    buffer_free(&batch->side);
    arena_free(&batch->arena);
    free(batch->keys);
    free(batch->sums);
    free(batch->row_ends);
}

/* Empties a buffer, and gives back what one huge row has made it hold. */
static void clear_buffer(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_BYTES)
        buffer_free(buffer);
    buffer_clear(buffer);
}

void batch_clear(struct batch *batch)
{
    clear_buffer(&batch->rows);
    clear_buffer(&batch->key_bytes);
    clear_buffer(&batch->sets);
    clear_buffer(&batch->side);
    for (size_t i = 0; i < BATCH_SET_DEPTH; i++)
        clear_buffer(&batch->scratch[i]);
    arena_reset(&batch->arena);
    batch->key_count = batch->once_end = batch->row_count = batch->sum_count = 0;
    if (batch->sum_capacity > KEEP_KEYS) {
        free(batch->sums);
        batch->sums = NULL;
        batch->sum_capacity = 0;
    }
    if (batch->key_capacity > KEEP_KEYS) {
        free(batch->keys);
        batch->keys = NULL;
        batch->key_capacity = 0;
    }
}

void batch_silence(struct batch *batch)
{
    clear_buffer(&batch->rows);
    for (size_t row = 0; row < batch->row_count; row++)
        batch->row_ends[row].bytes_end = 0;
}

bool batch_empty(const struct batch *batch)
{
    return batch->row_count == 0 && batch->once_end == 0;
}

bool batch_full(const struct batch *batch)
{
    return batch->rows.len >= LIMIT_BATCH_BYTES || batch->key_count >= LIMIT_BATCH_SUBJECTS;
}

/* Doubles an array until it holds one more than count. */
static bool grow(void **array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *bigger = realloc(*array, wanted * size);
    if (bigger == NULL)
        return false;
    *array = bigger;
    *capacity = wanted;
    return true;
}

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "ask for fewer rows or smaller groups",
                     "out of memory for the lineage of the result");
}

static enum status add_key(struct batch *batch, size_t hidden, struct slice key,
                           struct error *error)
{
    if (key.len > LIMIT_SUBJECT_KEY_BYTES)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "a subject key is longer than %d bytes", LIMIT_SUBJECT_KEY_BYTES);
    void *keys = batch->keys;
    if (!grow(&keys, &batch->key_capacity, batch->key_count, sizeof batch->keys[0]))
        return out_of_memory(error);
    batch->keys = keys;
    batch->keys[batch->key_count++] = (struct batch_key){.at = (uint32_t)batch->key_bytes.len,
                                                         .len = (uint32_t)key.len,
                                                         .hidden = (uint16_t)hidden,
                                                         .sums_at = (uint32_t)batch->sum_count};
    buffer_append(&batch->key_bytes, key.data, key.len);
    return batch->key_bytes.overflowed ? out_of_memory(error) : STATUS_OK;
}

/* One hidden column of the row at hand. */
struct reading {
    struct batch *batch;
    const struct plan *plan;
    size_t index;
};

static enum status refuse_null(struct error *error)
{
    return error_set(error, STATUS_DENIED, "42501", "leave out rows without a subject",
                     "a row of the result has no subject");
}

/* A key that is NULL: fine where such rows are about nobody, or where there need not be a row; a
 * refusal where policy says so. Where they are hidden the fence has no such row, so one here means
 * that the fence is broken. */
static enum status judge_null(const struct plan_hidden *hidden, struct error *error)
{
    if (hidden->extended || hidden->when_null == POLICY_NULL_NONE)
        return STATUS_OK;
    if (hidden->when_null == POLICY_NULL_REFUSE)
        return refuse_null(error);
    return error_set(error, STATUS_PEER, "XX000", NULL, "a fence let a row without subject pass");
}

static enum status take_key(const struct reading *reading, struct slice key, struct error *error)
{
    const char *null_key = reading->plan->null_key;
    if (key.data == NULL)
        return judge_null(&reading->plan->hidden[reading->index], error);
    if (null_key != NULL && slice_equal(key, slice_of_text(null_key)))
        return refuse_null(error);
    return add_key(reading->batch, reading->index, key, error);
}

static enum status malformed_set(struct error *error)
{
    return error_set(error, STATUS_PEER, "08P01", NULL, "upstream sent a malformed set");
}

/* One number at *element, and what ends it, which are taken off it. */
static bool take_sum(struct slice *element, char end, uint64_t *sum)
{
    const uint8_t *at = memchr(element->data, end, element->len);
    if (at == NULL)
        return false;
    size_t len = (size_t)(at - element->data);
    bool good = row_sums_parse(slice_of(element->data, len), sum);
    *element = slice_of(at + 1, element->len - len - 1);
    return good;
}

/* The sums of the marks of a person's rows stand before the key. */
static enum status take_marked(const struct reading *reading, struct slice element,
                               struct error *error)
{
    struct batch *batch = reading->batch;
    size_t count = reading->plan->source_count, before = batch->key_count, at = batch->sum_count;
    if (element.data == NULL)
        return take_key(reading, element, error);
    for (size_t i = 0; i < count; i++) {
        void *sums = batch->sums;
        if (!grow(&sums, &batch->sum_capacity, at + i, sizeof batch->sums[0]))
            return out_of_memory(error);
        batch->sums = sums;
        if (!take_sum(&element, i + 1 < count ? ' ' : ':', &batch->sums[at + i]))
            return malformed_set(error);
    }
    TRY(take_key(reading, element, error));
    if (batch->key_count > before)
        batch->sum_count = at + count;
    return STATUS_OK;
}

static enum status take_element(const struct reading *reading, struct slice element,
                                struct error *error)
{
    return reading->plan->hidden[reading->index].marked ? take_marked(reading, element, error)
                                                        : take_key(reading, element, error);
}

/* Sets of sets are unpacked to their keys: whoever is in one of them is in the row's lineage. An
 * inner set that is NULL is array_agg of no rows. */
static enum status take_set(const struct reading *reading, size_t depth, struct slice literal,
                            struct error *error)
{
    struct buffer *scratch = &reading->batch->scratch[depth - 1];
    size_t at = 0;
    for (;;) {
        bool is_null;
        struct slice element;
        enum status status = wire_array_next(literal, &at, scratch, &is_null, &element);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        if (status == STATUS_NOMEM)
            return out_of_memory(error);
        if (status != STATUS_OK)
            return malformed_set(error);
        if (depth == 1)
            TRY(take_element(reading, element, error));
        else if (!is_null)
            TRY(take_set(reading, depth - 1, element, error));
    }
}

static enum status unplanned(const char *what, struct error *error)
{
    return error_set(error, STATUS_PEER, "XX000", NULL, "%s", what);
}

static bool is_same(struct slice a, struct slice b)
{
    return a.data == NULL || b.data == NULL ? a.data == b.data : slice_equal(a, b);
}

/* A value that repeats the one before it says nothing new, if it does. */
static enum status check_repeated(const struct plan *plan, size_t index, const struct slice *hidden,
                                  struct error *error)
{
    const struct plan_hidden *column = &plan->hidden[index];
    if (index == 0 || column->once || column->depth != 0 ||
        !is_same(hidden[index - 1], hidden[index]))
        return unplanned("a group that is one person's is several people's", error);
    return STATUS_OK;
}

static enum status take_value(struct batch *batch, const struct plan *plan, size_t index,
                              struct slice value, struct error *error)
{
    struct reading reading = {.batch = batch, .plan = plan, .index = index};
    size_t depth = plan->hidden[index].depth;
    if (depth > BATCH_SET_DEPTH)
        return error_set(error, STATUS_LIMIT, "54000", "nest fewer aggregates",
                         "the lineage of the result is nested deeper than %d", BATCH_SET_DEPTH);
    if (depth == 0)
        return take_key(&reading, value, error);
    return value.data == NULL ? STATUS_OK : take_set(&reading, depth, value, error);
}

/* Sets of the statement stand in the first row and in no other. */
static enum status take_once(struct batch *batch, struct run *run, const struct slice *hidden,
                             struct error *error)
{
    const struct plan *plan = run->planned->plan;
    bool first = plan->has_once && !run->once_taken;
    CHECK(!first || batch_empty(batch));
    for (size_t i = 0; i < plan->hidden_count; i++) {
        if (!plan->hidden[i].once)
            continue;
        if (first != (hidden[i].data != NULL))
            return unplanned(first ? "the statement's lineage has not come with its first row"
                                   : "the statement's lineage has come again",
                             error);
        if (first)
            TRY(take_value(batch, plan, i, hidden[i], error));
    }
    if (first) {
        run->once_taken = true;
        batch->once_end = batch->key_count;
    }
    return STATUS_OK;
}

/* The row that says that there are none: it stands alone, and is about nobody. */
static enum status take_marker(struct run *run, bool first, const struct slice *hidden,
                               struct error *error)
{
    const struct plan *plan = run->planned->plan;
    bool empty = first;
    for (size_t i = 0; i < plan->hidden_count; i++)
        empty = empty && (plan->hidden[i].once || hidden[i].data == NULL);
    if (!empty)
        return unplanned("upstream sent a row that is none beside rows that are", error);
    run->no_rows = true;
    return STATUS_OK;
}

/* The row as the client gets it. */
static void put_row(struct batch *batch, const struct run *run, struct slice row,
                    size_t visible_bytes)
{
    enum { COUNT_BYTES = 2 };
    const struct plan *plan = run->planned->plan;
    if (run->moving || (plan->write != NULL && !plan->write->returning))
        return;
    if (plan->copy != NULL)
        wire_put_copy_row(&batch->rows, plan->copy, slice_of(row.data + COUNT_BYTES, visible_bytes),
                          plan->visible_count);
    else
        wire_put_visible_row(&batch->rows, row, plan->visible_count, visible_bytes);
}

/* The rows of a write wait here for the last of them; those of a query leave long before. */
static enum status no_room(const struct batch *batch, size_t visible_bytes, struct error *error)
{
    if (batch->rows.limit - batch->rows.len > visible_bytes)
        return out_of_memory(error);
    return error_set(error, STATUS_LIMIT, "54000", "write fewer rows at once, or return less",
                     "rows that leave together take more than %d bytes", LIMIT_ROW_BYTES);
}

static enum status add_row(struct batch *batch, const struct run *run, struct slice row,
                           size_t visible_bytes, struct error *error)
{
    void *ends = batch->row_ends;
    if (!grow(&ends, &batch->row_capacity, batch->row_count, sizeof batch->row_ends[0]))
        return out_of_memory(error);
    batch->row_ends = ends;
    put_row(batch, run, row, visible_bytes);
    if (batch->rows.overflowed)
        return no_room(batch, visible_bytes, error);
    batch->row_ends[batch->row_count++] =
        (struct batch_row){.bytes_end = batch->rows.len, .keys_end = batch->key_count};
    return STATUS_OK;
}

static enum status check_bytes(const struct run *run, const struct slice *hidden,
                               struct error *error)
{
    size_t bytes = 0, most = run->server->config->limits.max_lineage_bytes;
    for (size_t i = 0; i < run->planned->plan->hidden_count; i++)
        bytes += hidden[i].len;
    if (bytes <= most)
        return STATUS_OK;
    return error_set(error, STATUS_LIMIT, "54000",
                     "ask about fewer people at once, in smaller groups or with a narrower WHERE; "
                     "the data controller can raise limits.max_lineage_bytes",
                     "the lineage of the result is larger than %zu bytes", most);
}

enum status batch_add(struct batch *batch, struct run *run, struct slice row, struct error *error)
{
    const struct plan *plan = run->planned->plan;
    struct slice hidden[LIMIT_TARGETS + 1];
    size_t visible_bytes, hidden_count = run_hidden_columns(plan);
    bool first = !run->once_taken;
    if (hidden_count > sizeof hidden / sizeof hidden[0])
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many datasets in one statement");
    TRY(wire_split_row(row, plan->visible_count, hidden_count, &visible_bytes, hidden, error));
    if (run->no_rows)
        return unplanned("upstream sent a row behind the one that says that there is none", error);
    TRY(check_bytes(run, hidden, error));
    TRY(take_once(batch, run, hidden, error));
    if (plan->has_once && hidden[plan->hidden_count].data == NULL)
        return take_marker(run, first, hidden, error);
    for (size_t i = 0; i < plan->hidden_count; i++) {
        if (plan->hidden[i].equals_previous)
            TRY(check_repeated(plan, i, hidden, error));
        else if (!plan->hidden[i].once)
            TRY(take_value(batch, plan, i, hidden[i], error));
    }
    TRY(add_row(batch, run, row, visible_bytes, error));
    size_t last = plan->hidden_count + (plan->has_once ? 1 : 0);
    batch->row_ends[batch->row_count - 1].left_out =
        plan->keeps_left_out && hidden[last].data == NULL;
    return STATUS_OK;
}
