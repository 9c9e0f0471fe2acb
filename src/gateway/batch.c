/* Batch: rows without their hidden columns, and the keys that stood in those. */
#include "gateway/release.h"

#include <stdlib.h>

#include "wire/wire.h"

enum { KEEP_BYTES = 256 * 1024, KEEP_KEYS = 4 * LIMIT_BATCH_SUBJECTS };

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
    buffer_init(&batch->rows, LIMIT_ROW_BYTES + LIMIT_BATCH_BYTES);
    buffer_init(&batch->key_bytes, LIMIT_ROW_BYTES + LIMIT_BATCH_BYTES);
    buffer_init(&batch->scratch, LIMIT_SUBJECT_KEY_BYTES * 4);
    buffer_init(&batch->sets, LIMIT_ROW_BYTES);
    buffer_init(&batch->side, LIMIT_ROW_BYTES);
    arena_init(&batch->arena, (size_t)LIMIT_ROW_BYTES * 4);
}

void batch_free(struct batch *batch)
{
    buffer_free(&batch->rows);
    buffer_free(&batch->key_bytes);
    buffer_free(&batch->scratch);
    buffer_free(&batch->sets);
    buffer_free(&batch->side);
    arena_free(&batch->arena);
    free(batch->keys);
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
    arena_reset(&batch->arena);
    batch->key_count = batch->row_count = 0;
    if (batch->key_capacity > KEEP_KEYS) {
        free(batch->keys);
        batch->keys = NULL;
        batch->key_capacity = 0;
    }
}

bool batch_empty(const struct batch *batch)
{
    return batch->row_count == 0;
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
    batch->keys[batch->key_count++] = (struct batch_key){
        .at = (uint32_t)batch->key_bytes.len, .len = (uint32_t)key.len, .hidden = (uint16_t)hidden};
    buffer_append(&batch->key_bytes, key.data, key.len);
    return batch->key_bytes.overflowed ? out_of_memory(error) : STATUS_OK;
}

/* A key that is NULL: fine where such rows are about nobody, a refusal where policy says so. Where
 * they are hidden the fence has no such row, so one here means that the fence is broken. */
static enum status judge_null(const struct plan_hidden *hidden, struct error *error)
{
    if (hidden->when_null == POLICY_NULL_NONE)
        return STATUS_OK;
    if (hidden->when_null == POLICY_NULL_REFUSE)
        return error_set(error, STATUS_DENIED, "42501", "leave out rows without a subject",
                         "a row of the result has no subject");
    return error_set(error, STATUS_PEER, "XX000", NULL, "a fence let a row without subject pass");
}

static enum status add_set(struct batch *batch, const struct plan_hidden *hidden, size_t index,
                           struct slice literal, struct error *error)
{
    size_t at = 0;
    for (;;) {
        bool is_null;
        struct slice element;
        enum status status = wire_array_next(literal, &at, &batch->scratch, &is_null, &element);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        if (status != STATUS_OK)
            return error_set(error, STATUS_PEER, "08P01", NULL, "upstream sent a malformed set");
        if (is_null)
            TRY(judge_null(hidden, error));
        else
            TRY(add_key(batch, index, element, error));
    }
}

enum status batch_add(struct batch *batch, const struct run *run, struct slice row,
                      struct error *error)
{
    const struct plan *plan = run->planned->plan;
    struct slice hidden[LIMIT_RELATIONS * 4];
    size_t visible_bytes;
    if (plan->hidden_count > sizeof hidden / sizeof hidden[0])
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many datasets in one statement");
    TRY(wire_split_row(row, plan->visible_count, plan->hidden_count, &visible_bytes, hidden,
                       error));
    for (size_t i = 0; i < plan->hidden_count; i++) {
        const struct plan_hidden *column = &plan->hidden[i];
        if (column->depth > 0) {
            if (hidden[i].data != NULL) /* no member at all: array_agg of nothing is NULL */
                TRY(add_set(batch, column, i, hidden[i], error));
        } else if (hidden[i].data == NULL) {
            TRY(judge_null(column, error));
        } else {
            TRY(add_key(batch, i, hidden[i], error));
        }
    }
    void *ends = batch->row_ends;
    if (!grow(&ends, &batch->row_capacity, batch->row_count, sizeof batch->row_ends[0]))
        return out_of_memory(error);
    batch->row_ends = ends;
    wire_put_visible_row(&batch->rows, row, plan->visible_count, visible_bytes);
    if (batch->rows.overflowed)
        return out_of_memory(error);
    batch->row_ends[batch->row_count++] =
        (struct batch_row){.bytes_end = batch->rows.len, .keys_end = batch->key_count};
    return STATUS_OK;
}
