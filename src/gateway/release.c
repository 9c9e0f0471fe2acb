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
};

/* How the members of one hidden column on one row are recorded: in a grade, or not at all (a group
 * that is suppressed; a set that is only a threshold). Influence of so few that it tells something
 * of each is charged as direct is, and told from the other by its k, which is 0. */
enum lot {
    LOT_NONE = 0,
    LOT_DIRECT = PLAN_GRADE_DIRECT,
    LOT_AGGREGATE = PLAN_GRADE_AGGREGATE,
    LOT_WITNESS = PLAN_GRADE_WITNESS,
    LOT_INFLUENCE = PLAN_GRADE_INFLUENCE,
    LOT_PROBE = PLAN_GRADE_PROBE,
    LOT_NARROW, /* influence of fewer than min_subjects */
    LOTS,
};

/* What happens to one row. */
struct row_fate {
    bool suppressed; /* a small group: neither sent nor recorded */
    bool sent;       /* otherwise recorded only (skipped by OFFSET, past a LIMIT of ours) */
    enum plan_grade grade;
};

/* One release, from start to end. Lives in the batch's arena. Place 0 is the statement, whose
 * `once` sets come with its first row; place r + 1 is row r. */
struct work {
    struct batch *batch;
    struct run *run;
    const struct plan *plan;
    struct row_fate *fates;
    size_t rows;       /* rows to look at: cut by limits as we go */
    uint32_t *ids;     /* one a key of the batch */
    uint32_t *scratch; /* as many */
    uint8_t *lots;     /* enum lot, by place and hidden column */
    uint32_t smallest; /* set that is recorded as aggregate or influence */
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

static size_t keys_end(const struct batch *batch, size_t place)
{
    return place == 0 ? batch->once_end : batch->row_ends[place - 1].keys_end;
}

static size_t keys_begin(const struct batch *batch, size_t place)
{
    return place == 0 ? 0 : keys_end(batch, place - 1);
}

/* Appends the ids of one hidden column at a place; returns how many. */
static size_t gather(const struct work *work, size_t place, size_t hidden, uint32_t *ids)
{
    const struct batch *batch = work->batch;
    size_t count = 0, end = keys_end(batch, place);
    for (size_t k = keys_begin(batch, place); k < end; k++)
        if (batch->keys[k].hidden == hidden)
            ids[count++] = work->ids[k];
    return count;
}

/* Members of a set: people, each once, however often the sets that it was made of name them. */
static uint32_t count_members(const struct work *work, size_t place, size_t hidden)
{
    size_t count = gather(work, place, hidden, work->scratch);
    return (uint32_t)subject_ids_unique(work->scratch, count);
}

/* Members of the row's smallest group; UINT32_MAX where it has none. */
static uint32_t smallest_set(const struct work *work, size_t row)
{
    uint32_t smallest = UINT32_MAX;
    for (size_t h = 0; h < work->plan->hidden_count; h++) {
        const struct plan_hidden *hidden = &work->plan->hidden[h];
        bool of_row = hidden->threshold_only || hidden->grade == PLAN_GRADE_DIRECT;
        if (hidden->depth == 0 || hidden->once || !of_row)
            continue;
        uint32_t members = count_members(work, row + 1, h);
        bool shows_nothing = members == 0 && hidden->threshold_only;
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

/* A row's grade is that of its sets; a single key beside them is always about its own person. */
static enum lot lot_of_grade(enum plan_grade grade, bool is_set)
{
    if (is_set)
        return (enum lot)grade;
    if (grade == PLAN_GRADE_AGGREGATE)
        return LOT_DIRECT;
    return grade == PLAN_GRADE_INFLUENCE ? LOT_WITNESS : (enum lot)grade;
}

static enum lot lot_of_influence(struct work *work, size_t place, size_t hidden)
{
    uint32_t members = count_members(work, place, hidden);
    if (members < work->run->partner->min_subjects || members == 0)
        return LOT_NARROW;
    if (members < work->smallest)
        work->smallest = members;
    return LOT_INFLUENCE;
}

static enum lot lot_of(struct work *work, size_t place, size_t h)
{
    const struct plan_hidden *hidden = &work->plan->hidden[h];
    if (hidden->threshold_only || hidden->once != (place == 0))
        return LOT_NONE;
    if (place > 0 && work->fates[place - 1].suppressed)
        return LOT_NONE;
    switch (hidden->grade) {
    case PLAN_GRADE_WITNESS:
        return LOT_WITNESS;
    case PLAN_GRADE_INFLUENCE:
        return lot_of_influence(work, place, h);
    case PLAN_GRADE_PROBE:
        return LOT_PROBE;
    default:
        return place == 0 ? LOT_DIRECT
                          : lot_of_grade(work->fates[place - 1].grade, hidden->depth > 0);
    }
}

static enum lot lot_at(const struct work *work, size_t place, size_t hidden)
{
    return (enum lot)work->lots[place * work->plan->hidden_count + hidden];
}

static enum status judge_rows(struct work *work, struct error *error)
{
    size_t hidden_count = work->plan->hidden_count;
    work->fates = arena_array(&work->batch->arena, struct row_fate, work->rows + 1);
    work->lots = arena_array(&work->batch->arena, uint8_t, (work->rows + 1) * hidden_count + 1);
    if (work->fates == NULL || work->lots == NULL)
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
    for (size_t place = 0; place <= work->rows; place++)
        for (size_t h = 0; h < hidden_count; h++)
            work->lots[place * hidden_count + h] = (uint8_t)lot_of(work, place, h);
    return STATUS_OK;
}

static int compare_slices(const void *a, const void *b)
{
    const struct slice *left = a, *right = b;
    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return left->len == 0 ? 0 : memcmp(left->data, right->data, left->len);
}

/* How many keys the statement pins in one hidden column, each once. */
static uint64_t count_pinned(const struct batch *batch, size_t hidden, struct slice *scratch)
{
    size_t count = 0;
    uint64_t different = 0;
    for (size_t k = 0; k < batch->once_end; k++)
        if (batch->keys[k].hidden == hidden)
            scratch[count++] =
                slice_of(batch->key_bytes.data + batch->keys[k].at, batch->keys[k].len);
    if (count > 0)
        qsort(scratch, count, sizeof scratch[0], compare_slices);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || compare_slices(&scratch[i - 1], &scratch[i]) != 0;
    return different;
}

/* Each key that the statement pins is a look-up, also where it is nobody's. Held against the bound
 * before any gets an id, for the partner chooses them, and ids stay. */
static enum status count_probes(struct work *work, struct error *error)
{
    const struct run *run = work->run;
    uint64_t probes = 0;
    struct slice *scratch = NULL;
    for (size_t h = 0; h < work->plan->hidden_count; h++) {
        if (!work->plan->hidden[h].once || work->plan->hidden[h].grade != PLAN_GRADE_PROBE)
            continue;
        if (scratch == NULL)
            scratch = arena_array(&work->batch->arena, struct slice, work->batch->once_end + 1);
        if (scratch == NULL)
            return no_memory(error);
        probes += count_pinned(work->batch, h, scratch);
    }
    if (probes == 0)
        return STATUS_OK;
    work->charged_ns = clock_now_ns();
    if (exposure_count_probes(run->server->exposure, run->partner, work->charged_ns, probes))
        return STATUS_OK;
    work->rows = work->batch->once_end = 0;
    work->limit = "look-ups by key in a day";
    work->limit_value = run->partner->budget.probes_per_day;
    return STATUS_OK;
}

/* Fills ids for the keys from `first` to `end`, at most MAP_PIECE, for which `keys` has room. */
static enum status map_piece(struct work *work, size_t first, size_t end, struct subject_key *keys,
                             struct error *error)
{
    struct batch *batch = work->batch;
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
    size_t end = keys_end(batch, work->rows);
    size_t piece = end < MAP_PIECE ? end : MAP_PIECE;
    struct subject_key *keys = arena_array(&batch->arena, struct subject_key, piece + 1);
    work->ids = arena_array(&batch->arena, uint32_t, end + 1);
    work->scratch = arena_array(&batch->arena, uint32_t, end + 1);
    if (keys == NULL || work->ids == NULL || work->scratch == NULL)
        return no_memory(error);
    for (size_t first = 0; first < end; first += piece) {
        if (batch->side.len > 0) {
            uint64_t sequence;
            struct ledger_entry carrier = entry_of(work->run);
            TRY(write_entry(work->run, &carrier, buffer_slice(&batch->side), &sequence, error));
            buffer_clear(&batch->side);
        }
        TRY(map_piece(work, first, end - first > piece ? first + piece : end, keys, error));
    }
    return STATUS_OK;
}

static bool is_charged(enum lot lot)
{
    return lot == LOT_DIRECT || lot == LOT_WITNESS || lot == LOT_NARROW;
}

/* Appends the subjects of a place that count against the budget. */
static size_t charged_ids(const struct work *work, size_t place, uint32_t *ids)
{
    const struct batch *batch = work->batch;
    size_t count = 0, end = keys_end(batch, place);
    for (size_t k = keys_begin(batch, place); k < end; k++)
        if (is_charged(lot_at(work, place, batch->keys[k].hidden)))
            ids[count++] = work->ids[k];
    return count;
}

/* Nothing of the statement goes out. What it asked about stays recorded where it was counted. */
static void refuse_statement(struct work *work)
{
    for (size_t h = 0; h < work->plan->hidden_count; h++)
        if (work->lots[h] != LOT_PROBE)
            work->lots[h] = LOT_NONE;
    work->rows = 0;
}

/* Holds statement and rows against the partner's budget of distinct people; cuts work->rows. */
static enum status charge_places(struct work *work, struct error *error)
{
    struct batch *batch = work->batch;
    uint32_t *ids = work->scratch;
    size_t *ends = arena_array(&batch->arena, size_t, work->rows + 1);
    if (ends == NULL)
        return no_memory(error);
    size_t count = 0;
    for (size_t place = 0; place <= work->rows; place++) {
        count += charged_ids(work, place, ids + count);
        ends[place] = count;
    }
    if (count == 0)
        return STATUS_OK;
    struct exposure_charge charge;
    if (work->charged_ns == 0)
        work->charged_ns = clock_now_ns();
    exposure_charge(work->run->server->exposure, work->run->partner, work->charged_ns, ids, ends,
                    work->rows + 1, &charge);
    work->charged = charge.charged;
    if (charge.limit != NULL) {
        work->limit = charge.limit;
        work->limit_value = charge.limit_value;
    }
    if (charge.admitted_rows == 0)
        refuse_statement(work);
    else
        work->rows = charge.admitted_rows - 1;
    return STATUS_OK;
}

static enum status add_item(struct work *work, size_t hidden, enum lot lot, uint32_t *ids,
                            size_t count, struct error *error)
{
    struct batch *batch = work->batch;
    bool has_k = lot == LOT_AGGREGATE || lot == LOT_INFLUENCE;
    if (work->item_count == work->item_capacity)
        return no_memory(error);
    work->set_at[work->item_count] = batch->sets.len;
    subject_set_serialize(ids, count, &batch->sets);
    if (batch->sets.overflowed)
        return no_memory(error);
    work->items[work->item_count++] = (struct ledger_item){
        .kind = (uint16_t)work->plan->hidden[hidden].kind,
        .grade = (uint8_t)(lot == LOT_NARROW ? PLAN_GRADE_INFLUENCE : lot),
        .k = has_k ? work->smallest : 0,
        .column_set = work->run->planned->column_sets[hidden],
        .subjects = {.len = batch->sets.len - work->set_at[work->item_count - 1]}};
    return STATUS_OK;
}

/* The items of one hidden column in one lot: its ids in ascending pieces, nobody in two. */
static enum status collect_items(struct work *work, size_t hidden, enum lot lot,
                                 struct error *error)
{
    uint32_t *ids = work->scratch;
    size_t count = 0;
    for (size_t place = 0; place <= work->rows; place++)
        if (lot_at(work, place, hidden) == lot)
            count += gather(work, place, hidden, ids + count);
    if (count > MAP_PIECE)
        count = subject_ids_unique(ids, count);
    for (size_t first = 0; first < count; first += MAP_PIECE)
        TRY(add_item(work, hidden, lot, ids + first,
                     count - first > MAP_PIECE ? MAP_PIECE : count - first, error));
    return STATUS_OK;
}

static enum status build_items(struct work *work, struct error *error)
{
    struct batch *batch = work->batch;
    size_t end = keys_end(batch, work->rows);
    if (end == 0)
        return STATUS_OK;
    work->item_capacity = work->plan->hidden_count * LOTS + end / MAP_PIECE * 2 + 2;
    work->items = arena_array(&batch->arena, struct ledger_item, work->item_capacity);
    work->set_at = arena_array(&batch->arena, size_t, work->item_capacity);
    if (work->items == NULL || work->set_at == NULL)
        return no_memory(error);
    for (size_t hidden = 0; hidden < work->plan->hidden_count; hidden++) {
        bool present[LOTS] = {false};
        for (size_t place = 0; place <= work->rows; place++)
            present[lot_at(work, place, hidden)] = true;
        for (int lot = LOT_DIRECT; lot < LOTS; lot++)
            if (present[lot])
                TRY(collect_items(work, hidden, (enum lot)lot, error));
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

/* A complete statement without its `once` sets was not what was planned: nobody knows whom its
 * result depends on. */
static enum status check_complete(const struct work *work, enum ledger_outcome closing,
                                  struct error *error)
{
    if (closing != LEDGER_OUTCOME_COMPLETE || !work->plan->has_once || work->run->once_taken)
        return STATUS_OK;
    return error_set(error, STATUS_PEER, "XX000", NULL, "the statement's lineage has not come");
}

/* Names, judges and charges whom the batch is about. */
static enum status settle_subjects(struct work *work, struct error *error)
{
    TRY(count_probes(work, error));
    TRY(map_subjects(work, error));
    TRY(judge_rows(work, error));
    return work->plan->hidden_count == 0 ? STATUS_OK : charge_places(work, error);
}

static enum status release(struct work *work, enum ledger_outcome closing, const char *sqlstate,
                           struct outqueue *out, struct error *error)
{
    const struct plan *plan = work->plan;
    TRY(check_complete(work, closing, error));
    TRY(settle_subjects(work, error));
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
