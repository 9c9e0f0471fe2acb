/* From hidden keys to a durable disclosure. The order is the promise: subjects are named, held
 * against the budget, written; only then are the rows appended behind the entry's gate. */
#include "gateway/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "exposure/subject_set.h"

enum {
    MAP_PIECE = 16000,  /* keys mapped, and ids put into one item, at a time */
    ENTRY_ROOM = 58000, /* of LIMIT_LEDGER_ENTRY_BYTES, for the sets of one entry */
    ITEM_OVERHEAD = 32, /* bytes of an item beside its set, rounded up */
    ITEMS_PER_ENTRY = 256,
    GRADES = PLAN_GRADE_PROBE + 1,
};

/* What happens to one row. */
struct row_fate {
    bool suppressed; /* a small group: neither sent nor recorded */
    bool sent;       /* otherwise recorded only (skipped by OFFSET, past a LIMIT of ours) */
    enum plan_grade grade;
};

/* One release, from start to end. Lives in the batch's arena. */
struct work {
    struct batch *batch;
    struct run *run;
    const struct plan *plan;
    struct row_fate *fates;
    size_t rows;       /* rows to look at: cut by limits as we go */
    uint32_t *ids;     /* one a key of the batch; 0 where the row is suppressed */
    uint32_t smallest; /* group that is recorded as an aggregate */
    uint64_t charged, sent;
    int64_t charged_ns; /* when: the entry must fall into the same day */
    struct ledger_item *items;
    size_t item_count, item_capacity;
    size_t *set_at;    /* where each item's set begins in batch->sets */
    const char *limit; /* what was exceeded; NULL: nothing */
    uint64_t limit_value;
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "ask for fewer rows or smaller groups",
                     "out of memory for the lineage of the result");
}

static size_t keys_begin(const struct batch *batch, size_t row)
{
    return row == 0 ? 0 : batch->row_ends[row - 1].keys_end;
}

/* Members of the row's smallest set; UINT32_MAX where it has none. */
static uint32_t smallest_set(const struct work *work, size_t row)
{
    uint32_t smallest = UINT32_MAX;
    const struct batch *batch = work->batch;
    for (size_t h = 0; h < work->plan->hidden_count; h++) {
        if (work->plan->hidden[h].depth == 0)
            continue;
        uint32_t members = 0;
        for (size_t k = keys_begin(batch, row); k < batch->row_ends[row].keys_end; k++)
            members += batch->keys[k].hidden == h;
        bool shows_nothing = members == 0 && work->plan->hidden[h].threshold_only;
        if (members < smallest && !shows_nothing)
            smallest = members;
    }
    return smallest;
}

/* Which grade a row has, and whether it is suppressed; see plan.h on `statistic`. */
static void judge_group(struct work *work, size_t row)
{
    struct row_fate *fate = &work->fates[row];
    fate->grade = PLAN_GRADE_DIRECT;
    if (!work->plan->statistic || work->plan->hidden_count == 0)
        return;
    uint32_t members = smallest_set(work, row);
    if (members >= work->plan->min_subjects) {
        fate->grade = PLAN_GRADE_AGGREGATE;
        if (members < work->smallest)
            work->smallest = members;
    } else {
        fate->suppressed = work->plan->suppress_small;
    }
}

/* OFFSET and LIMIT of ours. A row that is passed over still contributes: it decided which rows
 * were next. Its subjects are recorded as witnesses, or as influence where it is a statistic. */
static void judge_position(struct run *run, struct row_fate *fate)
{
    if (fate->suppressed)
        return;
    if (run->skip_left > 0)
        run->skip_left--;
    else if (run->take_left < 0)
        fate->sent = true;
    else if (run->take_left > 0) {
        fate->sent = true;
        run->take_left--;
    }
    if (!fate->sent)
        fate->grade =
            fate->grade == PLAN_GRADE_AGGREGATE ? PLAN_GRADE_INFLUENCE : PLAN_GRADE_WITNESS;
}

static enum status judge_rows(struct work *work, struct error *error)
{
    work->fates = arena_array(&work->batch->arena, struct row_fate, work->rows + 1);
    if (work->fates == NULL)
        return no_memory(error);
    uint64_t bound = work->run->partner->budget.rows_per_statement;
    uint64_t before = work->run->rows;
    for (size_t row = 0; row < work->rows; row++) {
        judge_group(work, row);
        judge_position(work->run, &work->fates[row]);
        if (work->fates[row].sent && bound > 0 && ++before > bound) {
            work->rows = row;
            work->limit = "rows in one statement";
            work->limit_value = bound;
        }
    }
    return STATUS_OK;
}

/* Fills ids for the keys from `first` on of at most MAP_PIECE keys; *next: where to go on. */
static enum status map_piece(struct work *work, size_t first, size_t end, struct error *error)
{
    struct batch *batch = work->batch;
    struct subject_key *keys = arena_array(&batch->arena, struct subject_key, end - first);
    if (keys == NULL)
        return no_memory(error);
    for (size_t k = first; k < end; k++) {
        const struct batch_key *key = &batch->keys[k];
        keys[k - first] =
            (struct subject_key){.kind = (uint16_t)work->plan->hidden[key->hidden].kind,
                                 .key = slice_of(batch->key_bytes.data + key->at, key->len)};
    }
    TRY(exposure_map(work->run->server->exposure, keys, end - first, work->ids + first,
                     &batch->side, error));
    return batch->side.overflowed ? no_memory(error) : STATUS_OK;
}

static struct ledger_entry entry_of(const struct run *run)
{
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .partner = slice_of_text(run->partner->name),
                                 .agent = slice_of_text(run->agent->name),
                                 .purpose = slice_of_text(run->purpose),
                                 .session = run->session,
                                 .chunk_count = 1};
    memcpy(entry.uuid, run->uuid, sizeof entry.uuid);
    memcpy(entry.statement_hash, run->planned->statement_hash, sizeof entry.statement_hash);
    memcpy(entry.policy_id, run->planned->policy_id, sizeof entry.policy_id);
    return entry;
}

/* Appends one entry, takes it into the index, and lets *sequence grow. */
static enum status write_entry(struct run *run, struct ledger_entry *entry, struct slice side,
                               uint64_t *sequence, struct error *error)
{
    if (!run->opened)
        entry->flags |= LEDGER_FLAG_OPENING;
    if (entry->time_ns == 0)
        entry->time_ns = clock_now_ns();
    TRY(ledger_append(run->server->ledger, entry, side, sequence, error));
    exposure_record(run->server->exposure, *sequence, entry);
    run->opened = true;
    return STATUS_OK;
}

/* Names all subjects. More than MAP_PIECE keys ride in entries of their own, before any entry that
 * uses their ids; the last piece's side section is left for the caller's first entry. */
static enum status map_subjects(struct work *work, struct error *error)
{
    struct batch *batch = work->batch;
    size_t end = work->rows == 0 ? 0 : batch->row_ends[work->rows - 1].keys_end;
    work->ids = arena_array(&batch->arena, uint32_t, end + 1);
    if (work->ids == NULL)
        return no_memory(error);
    for (size_t first = 0; first < end; first += MAP_PIECE) {
        if (batch->side.len > 0) {
            uint64_t sequence;
            struct ledger_entry carrier = entry_of(work->run);
            TRY(write_entry(work->run, &carrier, buffer_slice(&batch->side), &sequence, error));
            buffer_clear(&batch->side);
        }
        TRY(map_piece(work, first, end - first > MAP_PIECE ? first + MAP_PIECE : end, error));
    }
    return STATUS_OK;
}

/* A row's grade is that of its sets; a single key beside them is always about its own person. */
static enum plan_grade grade_of(const struct work *work, size_t row, size_t hidden)
{
    enum plan_grade grade = work->fates[row].grade;
    if (work->plan->hidden[hidden].depth > 0)
        return grade;
    if (grade == PLAN_GRADE_AGGREGATE)
        return PLAN_GRADE_DIRECT;
    return grade == PLAN_GRADE_INFLUENCE ? PLAN_GRADE_WITNESS : grade;
}

static bool charged_grade(enum plan_grade grade)
{
    return grade == PLAN_GRADE_DIRECT || grade == PLAN_GRADE_WITNESS;
}

/* Appends the row's subjects that count against the budget. */
static size_t charged_ids(const struct work *work, size_t row, uint32_t *ids)
{
    const struct batch *batch = work->batch;
    size_t count = 0;
    if (work->fates[row].suppressed)
        return 0;
    for (size_t k = keys_begin(batch, row); k < batch->row_ends[row].keys_end; k++)
        if (!work->plan->hidden[batch->keys[k].hidden].threshold_only &&
            charged_grade(grade_of(work, row, batch->keys[k].hidden)))
            ids[count++] = work->ids[k];
    return count;
}

/* Holds the rows against the partner's budget of distinct people; cuts work->rows. */
static enum status charge_rows(struct work *work, struct error *error)
{
    struct batch *batch = work->batch;
    size_t end = work->rows == 0 ? 0 : batch->row_ends[work->rows - 1].keys_end;
    uint32_t *ids = arena_array(&batch->arena, uint32_t, end + 1);
    size_t *ends = arena_array(&batch->arena, size_t, work->rows + 1);
    if (ids == NULL || ends == NULL)
        return no_memory(error);
    size_t count = 0;
    for (size_t row = 0; row < work->rows; row++) {
        count += charged_ids(work, row, ids + count);
        ends[row] = count;
    }
    if (count == 0)
        return STATUS_OK;
    struct exposure_charge charge;
    work->charged_ns = clock_now_ns();
    exposure_charge(work->run->server->exposure, work->run->partner, work->charged_ns, ids, ends,
                    work->rows, &charge);
    work->charged = charge.charged;
    if (charge.admitted_rows < work->rows) {
        work->rows = charge.admitted_rows;
        work->limit = charge.limit;
        work->limit_value = charge.limit_value;
    }
    return STATUS_OK;
}

static enum status add_item(struct work *work, size_t hidden, enum plan_grade grade, uint32_t *ids,
                            size_t count, struct error *error)
{
    struct batch *batch = work->batch;
    if (work->item_count == work->item_capacity)
        return no_memory(error);
    work->set_at[work->item_count] = batch->sets.len;
    subject_set_serialize(ids, count, &batch->sets);
    if (batch->sets.overflowed)
        return no_memory(error);
    work->items[work->item_count++] = (struct ledger_item){
        .kind = (uint16_t)work->plan->hidden[hidden].kind,
        .grade = (uint8_t)grade,
        .k = grade == PLAN_GRADE_AGGREGATE || grade == PLAN_GRADE_INFLUENCE ? work->smallest : 0,
        .column_set = work->run->planned->column_sets[hidden],
        .subjects = {.len = batch->sets.len - work->set_at[work->item_count - 1]}};
    return STATUS_OK;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The items of one hidden column in one grade: its ids in ascending pieces. */
static enum status collect_items(struct work *work, size_t hidden, enum plan_grade grade,
                                 uint32_t *scratch, struct error *error)
{
    const struct batch *batch = work->batch;
    size_t count = 0;
    for (size_t row = 0; row < work->rows; row++) {
        if (work->fates[row].suppressed || grade_of(work, row, hidden) != grade)
            continue;
        for (size_t k = keys_begin(batch, row); k < batch->row_ends[row].keys_end; k++)
            if (batch->keys[k].hidden == hidden)
                scratch[count++] = work->ids[k];
    }
    if (count > MAP_PIECE)
        qsort(scratch, count, sizeof scratch[0], compare_ids);
    for (size_t first = 0; first < count; first += MAP_PIECE)
        TRY(add_item(work, hidden, grade, scratch + first,
                     count - first > MAP_PIECE ? MAP_PIECE : count - first, error));
    return STATUS_OK;
}

static enum status build_items(struct work *work, struct error *error)
{
    struct batch *batch = work->batch;
    size_t end = work->rows == 0 ? 0 : batch->row_ends[work->rows - 1].keys_end;
    if (end == 0)
        return STATUS_OK;
    work->item_capacity = work->plan->hidden_count * GRADES + end / MAP_PIECE * 2 + 2;
    work->items = arena_array(&batch->arena, struct ledger_item, work->item_capacity);
    work->set_at = arena_array(&batch->arena, size_t, work->item_capacity);
    uint32_t *scratch = arena_array(&batch->arena, uint32_t, end);
    if (work->items == NULL || work->set_at == NULL || scratch == NULL)
        return no_memory(error);
    for (size_t hidden = 0; hidden < work->plan->hidden_count; hidden++) {
        if (work->plan->hidden[hidden].threshold_only)
            continue; /* its members are those of the set before it */
        bool present[GRADES] = {false};
        for (size_t row = 0; row < work->rows; row++)
            present[grade_of(work, row, hidden)] = true;
        for (int grade = PLAN_GRADE_DIRECT; grade < GRADES; grade++)
            if (present[grade])
                TRY(collect_items(work, hidden, (enum plan_grade)grade, scratch, error));
    }
    for (size_t i = 0; i < work->item_count; i++)
        work->items[i].subjects.data = batch->sets.data + work->set_at[i];
    return STATUS_OK;
}

/* How many items from `first` on fit into one entry. */
static size_t items_that_fit(const struct work *work, size_t first)
{
    size_t room = ENTRY_ROOM, count = 0;
    while (first + count < work->item_count && count < ITEMS_PER_ENTRY) {
        size_t need = work->items[first + count].subjects.len + ITEM_OVERHEAD;
        if (count > 0 && need > room)
            break;
        room -= need < room ? need : room;
        count++;
    }
    return count;
}

/* Writes the entries; the last one carries row count, charge, and closing. */
static enum status write_entries(struct work *work, enum ledger_outcome closing,
                                 const char *sqlstate, uint64_t *sequence, struct error *error)
{
    size_t first = 0;
    uint32_t chunk = 0;
    struct slice side = buffer_slice(&work->batch->side);
    for (;;) {
        size_t count = items_that_fit(work, first);
        bool last = first + count == work->item_count;
        struct ledger_entry entry = entry_of(work->run);
        entry.time_ns = work->charged_ns;
        entry.items = work->items + first;
        entry.item_count = count;
        entry.chunk = chunk++;
        entry.chunk_count = last ? chunk : 0;
        if (last) {
            entry.row_count = work->sent;
            entry.charged = work->charged;
            if (closing != LEDGER_OUTCOME_NONE) {
                entry.flags |= LEDGER_FLAG_CLOSING;
                entry.outcome = closing;
                entry.column_set = work->run->planned->all_columns;
                memcpy(entry.sqlstate, sqlstate, sizeof entry.sqlstate);
            }
        }
        TRY(write_entry(work->run, &entry, side, sequence, error));
        side = slice_of(NULL, 0);
        first += count;
        if (last)
            return STATUS_OK;
    }
}

/* Appends the admitted rows behind the gate that the caller has set. */
static void hand_over(struct work *work, struct outqueue *out)
{
    const struct batch *batch = work->batch;
    size_t begin = 0;
    for (size_t row = 0; row < work->rows; row++) {
        size_t end = batch->row_ends[row].bytes_end;
        if (work->fates[row].sent)
            buffer_append(&out->bytes, batch->rows.data + begin, end - begin);
        begin = end;
    }
    work->run->rows += work->sent;
    work->run->rows_now += work->sent;
}

static void count_sent(struct work *work)
{
    for (size_t row = 0; row < work->rows; row++)
        work->sent += work->fates[row].sent;
}

static enum status limit_error(const struct work *work, struct error *error)
{
    return error_set(
        error, STATUS_LIMIT, "53400",
        "SHOW cofferdam.budget tells what is left; ask the data controller to raise it",
        "partner %s has reached its limit of %llu %s", work->run->partner->name,
        (unsigned long long)work->limit_value, work->limit);
}

static enum status release(struct work *work, enum ledger_outcome closing, const char *sqlstate,
                           struct outqueue *out, struct error *error)
{
    const struct plan *plan = work->plan;
    TRY(judge_rows(work, error));
    if (plan->hidden_count > 0) {
        TRY(map_subjects(work, error));
        TRY(charge_rows(work, error));
    }
    count_sent(work);
    TRY(build_items(work, error));
    if (work->limit != NULL) {
        closing = LEDGER_OUTCOME_BUDGET;
        sqlstate = "53400";
    }
    bool ends = closing != LEDGER_OUTCOME_NONE && plan->fence_count > 0;
    bool counts = work->sent > 0 && plan->fence_count > 0;
    if (work->item_count > 0 || ends || counts || work->batch->side.len > 0) {
        uint64_t sequence;
        TRY(write_entries(work, closing, sqlstate, &sequence, error));
        if (!outqueue_gate(out, sequence))
            return no_memory(error);
    }
    if (closing != LEDGER_OUTCOME_NONE)
        work->run->closed = true;
    hand_over(work, out);
    if (out->bytes.overflowed)
        return no_memory(error);
    return work->limit == NULL ? STATUS_OK : limit_error(work, error);
}

enum status release_batch(struct batch *batch, struct run *run, enum ledger_outcome closing,
                          const char *sqlstate, struct outqueue *out, struct error *error)
{
    CHECK(!run->closed);
    struct work work = {.batch = batch,
                        .run = run,
                        .plan = run->planned->plan,
                        .rows = batch->row_count,
                        .smallest = UINT32_MAX};
    enum status status = release(&work, closing, sqlstate, out, error);
    batch_clear(batch);
    return status;
}

static struct ledger_entry closing_entry(const struct run *run, enum ledger_outcome outcome)
{
    struct ledger_entry entry = entry_of(run);
    entry.flags = LEDGER_FLAG_CLOSING;
    entry.outcome = outcome;
    entry.column_set = run->planned->all_columns;
    return entry;
}

enum status release_fail(struct run *run, const char sqlstate[static 6], struct outqueue *out,
                         struct error *error)
{
    uint64_t sequence;
    CHECK(!run->closed);
    run->closed = true;
    if (run->planned->plan->fence_count == 0)
        return STATUS_OK;
    struct ledger_entry entry = closing_entry(run, LEDGER_OUTCOME_ERROR);
    memcpy(entry.sqlstate, sqlstate, sizeof entry.sqlstate);
    TRY(write_entry(run, &entry, slice_of(NULL, 0), &sequence, error));
    return outqueue_gate(out, sequence) ? STATUS_OK : no_memory(error);
}

void release_abandon(struct run *run, enum ledger_outcome outcome)
{
    if (run->closed)
        return;
    run->closed = true;
    if (!run->opened && (run->executed == 0 || run->planned->plan->fence_count == 0))
        return; /* nothing was read, or it reads no fence */
    struct ledger_entry entry = closing_entry(run, outcome);
    uint64_t sequence;
    struct error error;
    if (write_entry(run, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
        log_event(LOG_ERROR, "closing_entry_refused", "session=%llu reason=\"%s\"",
                  (unsigned long long)run->session, error.message);
}
