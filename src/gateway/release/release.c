/* From hidden keys to a durable disclosure. The order is the promise: subjects are named, held
 * against the budget, written; only then are the rows appended behind the entry's gate. */
#include "gateway/release/release_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"
#include "gateway/release/probe.h"
#include "gateway/trust/watching.h"

enum {
    MAP_PIECE = 16000,  /* keys mapped, and ids put into one item, at a time */
    ENTRY_ROOM = 58000, /* of LIMIT_LEDGER_ENTRY_BYTES, for the sets of one entry */
    ITEM_OVERHEAD = 32, /* bytes of an item beside its set, rounded up */
    ITEMS_PER_ENTRY = 256,
    PIN_SETS_BYTES = 1024 * 1024,
    TEXT_BYTES = 2048, /* numbers of at most ITEMS_PER_ENTRY items, datasets counted */
};

enum status release_no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "ask for fewer rows or smaller groups",
                     "out of memory for the lineage of the result");
}

/* Fills ids for the keys from `first` to `end`, at most MAP_PIECE, for which `keys` has room. */
static enum status map_piece(struct release_work *work, size_t first, size_t end,
                             struct subject_key *keys, struct error *error)
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
    return batch->side.overflowed ? release_no_memory(error) : STATUS_OK;
}

static struct ledger_entry entry_of(const struct run *run)
{
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .partner = slice_of_text(run->partner->name),
                                 .agent = slice_of_text(run->agent->name),
                                 .purpose = slice_of_text(run->purpose),
                                 .delivery = slice_of_text(run->delivery),
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
static enum status map_subjects(struct release_work *work, struct error *error)
{
    struct batch *batch = work->batch;
    size_t end = release_keys_end(batch, work->rows);
    size_t piece = end < MAP_PIECE ? end : MAP_PIECE;
    struct subject_key *keys = arena_array(&batch->arena, struct subject_key, piece + 1);
    work->ids = arena_array(&batch->arena, uint32_t, end + 1);
    work->scratch = arena_array(&batch->arena, uint32_t, end + 1);
    if (keys == NULL || work->ids == NULL || work->scratch == NULL)
        return release_no_memory(error);
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

/* Twice as many; the arena keeps what was there. */
static enum status grow_items(struct release_work *work, struct error *error)
{
    struct arena *arena = &work->batch->arena;
    size_t count = work->item_count, capacity = work->item_capacity * 2 + 8;
    struct ledger_item *items = arena_array(arena, struct ledger_item, capacity);
    size_t *set_at = arena_array(arena, size_t, capacity);
    bool *continues = arena_array(arena, bool, capacity);
    if (items == NULL || set_at == NULL || continues == NULL)
        return release_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        items[i] = work->items[i];
        set_at[i] = work->set_at[i];
        continues[i] = work->continues[i];
    }
    work->items = items;
    work->set_at = set_at;
    work->continues = continues;
    work->item_capacity = capacity;
    return STATUS_OK;
}

static enum status add_item(struct release_work *work, size_t hidden, enum lot lot, uint32_t k,
                            uint32_t *ids, size_t count, struct error *error)
{
    struct batch *batch = work->batch;
    if (work->item_count == work->item_capacity)
        TRY(grow_items(work, error));
    work->continues[work->item_count] = false;
    work->set_at[work->item_count] = batch->sets.len;
    subject_set_serialize(ids, count, &batch->sets);
    if (batch->sets.overflowed)
        return release_no_memory(error);
    work->items[work->item_count++] = (struct ledger_item){
        .kind = (uint16_t)work->plan->hidden[hidden].kind,
        .grade = (uint8_t)(lot == LOT_NARROW ? PLAN_GRADE_INFLUENCE : lot),
        .k = k,
        .column_set = work->run->planned->column_sets[hidden],
        .subjects = {.len = batch->sets.len - work->set_at[work->item_count - 1]}};
    return STATUS_OK;
}

static enum status add_pieces(struct release_work *work, size_t hidden, enum lot lot, uint32_t k,
                              uint32_t *ids, size_t count, struct slice rows, struct error *error)
{
    for (size_t first = 0; first < count; first += MAP_PIECE) {
        TRY(add_item(work, hidden, lot, k, ids + first,
                     count - first > MAP_PIECE ? MAP_PIECE : count - first, error));
        work->continues[work->item_count - 1] = lot == LOT_AGGREGATE && first > 0;
        work->items[work->item_count - 1].rows = first == 0 ? rows : slice_of(NULL, 0);
    }
    return STATUS_OK;
}

/* The sets of one hidden column's statistics so far, to find equal ones. Those in pieces are not in
 * it. */
struct known_sets {
    uint64_t key[2];
    uint32_t *items; /* open addressing: place in work->items + 1, 0 empty */
    size_t mask;     /* at most half of mask + 1 are used */
};

static enum status init_known(struct release_work *work, struct known_sets *known,
                              struct error *error)
{
    size_t room = 2;
    while (room < 2 * work->rows)
        room *= 2;
    crypto_random(known->key, sizeof known->key);
    known->items = arena_array(&work->batch->arena, uint32_t, room);
    known->mask = room - 1;
    return known->items != NULL ? STATUS_OK : release_no_memory(error);
}

static struct slice set_of(const struct release_work *work, size_t item)
{
    return slice_of(work->batch->sets.data + work->set_at[item], work->items[item].subjects.len);
}

/* Drops the last item where another has the same people and rows of theirs: a group that several
 * rows have. */
static void drop_repeated(struct release_work *work, const struct known_sets *known)
{
    size_t last = work->item_count - 1;
    struct slice set = set_of(work, last);
    struct slice rows = work->items[last].rows;
    uint64_t at = subject_set_hash(known->key, set);
    if (rows.len > 0)
        at ^= subject_set_hash(known->key, rows);
    at &= known->mask;
    for (; known->items[at] != 0; at = (at + 1) & known->mask) {
        struct ledger_item *item = &work->items[known->items[at] - 1];
        if (!slice_equal(set_of(work, known->items[at] - 1), set) || !slice_equal(item->rows, rows))
            continue;
        item->k = item->k < work->items[last].k ? item->k : work->items[last].k;
        work->item_count--;
        work->batch->sets.len -= set.len;
        return;
    }
    known->items[at] = (uint32_t)last + 1;
}

/* One statistic a row: what may be subtracted from it is known by its own set alone. */
static enum status collect_statistics(struct release_work *work, size_t hidden, struct error *error)
{
    struct known_sets known;
    TRY(init_known(work, &known, error));
    bool own = work->plan->hidden[hidden].grade == PLAN_GRADE_AGGREGATE; /* in a sub-select */
    for (size_t place = 0; place <= work->rows; place++) {
        if (release_lot(work, place, hidden) != LOT_AGGREGATE)
            continue;
        size_t count = release_gather(work, place, hidden, work->scratch),
               before = work->item_count;
        count = subject_ids_unique(work->scratch, count);
        TRY(add_pieces(work, hidden, LOT_AGGREGATE,
                       own ? (uint32_t)count : work->fates[place - 1].members, work->scratch, count,
                       release_rows_of(work, place, hidden), error));
        if (work->item_count == before + 1)
            drop_repeated(work, &known);
    }
    return STATUS_OK;
}

/* The items of one hidden column in one lot: its ids in ascending pieces, nobody in two. */
static enum status collect_items(struct release_work *work, size_t hidden, enum lot lot,
                                 struct error *error)
{
    uint32_t *ids = work->scratch;
    size_t count = 0;
    if (lot == LOT_AGGREGATE)
        return collect_statistics(work, hidden, error);
    for (size_t place = 0; place <= work->rows; place++)
        if (release_lot(work, place, hidden) == lot)
            count += release_gather(work, place, hidden, ids + count);
    if (count > MAP_PIECE)
        count = subject_ids_unique(ids, count);
    return add_pieces(work, hidden, lot, lot == LOT_INFLUENCE ? work->smallest : 0, ids, count,
                      slice_of(NULL, 0), error);
}

/* Whom a statistic tells of by what it differs from others: as direct as a row of theirs. */
static enum status collect_differing(struct release_work *work, struct error *error)
{
    for (const struct differing *few = work->differing; few != NULL; few = few->next)
        if (few->place <= work->rows)
            TRY(add_pieces(work, few->hidden, LOT_DIRECT, 0, few->ids, few->count,
                           slice_of(NULL, 0), error));
    return STATUS_OK;
}

static enum status build_items(struct release_work *work, struct error *error)
{
    struct batch *batch = work->batch;
    if (release_keys_end(batch, work->rows) == 0)
        return STATUS_OK;
    for (size_t hidden = 0; hidden < work->plan->hidden_count; hidden++) {
        bool present[LOTS] = {false};
        for (size_t place = 0; place <= work->rows; place++)
            present[release_lot(work, place, hidden)] = true;
        for (int lot = LOT_DIRECT; lot < LOTS; lot++)
            if (present[lot])
                TRY(collect_items(work, hidden, (enum lot)lot, error));
    }
    TRY(collect_differing(work, error));
    work->built_count = work->item_count;
    for (size_t i = 0; i < work->item_count; i++)
        work->items[i].subjects.data = batch->sets.data + work->set_at[i];
    return STATUS_OK;
}

/* How many items from `first` on fit into one entry. */
static size_t items_that_fit(const struct release_work *work, size_t first)
{
    size_t room = ENTRY_ROOM, count = 0;
    while (first + count < work->item_count && count < ITEMS_PER_ENTRY) {
        const struct ledger_item *item = &work->items[first + count];
        size_t need = item->subjects.len + item->rows.len + ITEM_OVERHEAD;
        if (count > 0 && need > room)
            break;
        room -= need < room ? need : room;
        count++;
    }
    return count;
}

/* Which of an entry's items go on with the one before; see LEDGER-FORMAT.md. */
static void put_continues(const struct release_work *work, size_t first, size_t count,
                          struct buffer *text)
{
    for (size_t i = 0; i < count; i++)
        if (first + i < work->built_count && work->continues[first + i])
            buffer_printf(text, "%s%zu", text->len == 0 ? "continues=" : " ", i);
    if (text->len > 0)
        buffer_append_text(text, "\n");
}

/* Writes the entries; the last one carries row count, charge, and closing. text: scratch. */
static enum status write_all(struct release_work *work, enum ledger_outcome closing,
                             const char *sqlstate, struct buffer *text, uint64_t *sequence,
                             struct error *error)
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
        buffer_clear(text);
        put_continues(work, first, count, text);
        entry.chunk = chunk++;
        entry.chunk_count = last ? chunk : 0;
        if (last) {
            entry.row_count = work->sent;
            entry.charged = work->charged;
            if (closing != LEDGER_OUTCOME_NONE) {
                entry.flags |= LEDGER_FLAG_CLOSING;
                entry.outcome = closing;
                entry.column_set = work->run->planned->all_columns;
                buffer_append_text(text, work->run->planned->counted);
                memcpy(entry.sqlstate, sqlstate, sizeof entry.sqlstate);
            }
        }
        entry.text = buffer_slice(text);
        TRY(write_entry(work->run, &entry, side, sequence, error));
        side = slice_of(NULL, 0);
        first += count;
        if (last)
            return STATUS_OK;
    }
}

static enum status write_entries(struct release_work *work, enum ledger_outcome closing,
                                 const char *sqlstate, uint64_t *sequence, struct error *error)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    enum status status = write_all(work, closing, sqlstate, &text, sequence, error);
    buffer_free(&text);
    return status;
}

enum status release_write_alone(struct release_work *work, size_t hidden, uint32_t *ids,
                                size_t count, struct error *error)
{
    uint64_t sequence;
    struct batch *batch = work->batch;
    buffer_clear(&batch->sets);
    subject_set_serialize(ids, count, &batch->sets);
    if (batch->sets.overflowed)
        return release_no_memory(error);
    const struct ledger_item item = {.kind = (uint16_t)work->plan->hidden[hidden].kind,
                                     .grade = PLAN_GRADE_WITNESS,
                                     .column_set = work->run->planned->column_sets[hidden],
                                     .subjects = buffer_slice(&batch->sets)};
    struct ledger_entry entry = entry_of(work->run);
    entry.items = &item;
    entry.item_count = 1;
    entry.time_ns = clock_now_ns();
    watching_note(work->run->server, work->run->partner, work->run->agent, &entry);
    TRY(write_entry(work->run, &entry, buffer_slice(&batch->side), &sequence, error));
    buffer_clear(&batch->side);
    return STATUS_OK;
}

/* Appends the admitted rows behind the gate that the caller has set. */
static void hand_over(struct release_work *work, struct outqueue *out)
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

static void count_sent(struct release_work *work)
{
    for (size_t row = 0; row < work->rows; row++)
        work->sent += work->fates[row].sent;
}

/* Named limits are told by name, and when they have room again. */
static enum status limit_error(const struct release_work *work, struct error *error)
{
    static const char advice[] =
        "SHOW cofferdam.budget tells what is left; ask the data controller to raise it";
    char hint[200], until[21], name[80] = "";
    snprintf(hint, sizeof hint, "%s", advice);
    if (work->limit_name[0] != '\0' && work->limit_frees_ns != INT64_MAX) {
        clock_format_utc(work->limit_frees_ns, until);
        snprintf(hint, sizeof hint, "it has room again from %s; %s", until, advice);
    }
    if (work->limit_name[0] != '\0' && strcmp(work->limit_name, "per_day") != 0 &&
        strcmp(work->limit_name, "total") != 0)
        snprintf(name, sizeof name, " (limit %s)", work->limit_name);
    return error_set(error, STATUS_LIMIT, "53400", hint,
                     "partner %s has reached its limit of %llu %s%s", work->run->partner->name,
                     (unsigned long long)work->limit_value, work->limit, name);
}

/* A complete statement without its `once` sets was not what was planned: nobody knows whom its
 * result depends on. */
static enum status check_complete(const struct release_work *work, enum ledger_outcome closing,
                                  struct error *error)
{
    if (closing != LEDGER_OUTCOME_COMPLETE || !work->plan->has_once || work->run->once_taken)
        return STATUS_OK;
    return error_set(error, STATUS_PEER, "XX000", NULL, "the statement's lineage has not come");
}

/* Names, judges and charges whom the batch is about. */
static enum status settle_subjects(struct release_work *work, enum ledger_outcome closing,
                                   struct error *error)
{
    TRY(map_subjects(work, error));
    TRY(release_judge(work, error));
    release_bound_pins(work, closing);
    TRY(release_compare(work, error));
    if (work->plan->hidden_count > 0)
        TRY(release_charge(work, error));
    release_see_pins(work); /* after a limit fewer rows are left */
    pins_keep(work->run->pins);
    return STATUS_OK;
}

/* Held against what the agent used to do, batch by batch and before any of it is written. People
 * whose rows are withheld are recorded all the same. *held says why. */
static enum status hold_back(struct release_work *work, enum ledger_outcome *closing,
                             struct error *held, struct error *error)
{
    struct run *run = work->run;
    struct ledger_entry entry = entry_of(run);
    if (work->charged_ns == 0)
        work->charged_ns = clock_now_ns();
    entry.time_ns = work->charged_ns;
    entry.flags = (run->opened ? 0 : LEDGER_FLAG_OPENING) |
                  (*closing == LEDGER_OUTCOME_NONE ? 0 : LEDGER_FLAG_CLOSING);
    entry.items = work->items;
    entry.item_count = work->item_count;
    entry.row_count = work->sent;
    entry.column_set = run->planned->all_columns;
    if (watching_take(run->server, run->partner, run->agent, &entry, held) == STATUS_OK)
        return STATUS_OK;
    work->withheld = true;
    work->sent = 0;
    if (*closing == LEDGER_OUTCOME_NONE)
        TRY(release_record_pins(work, error));
    *closing = LEDGER_OUTCOME_CONTAINED;
    return STATUS_OK;
}

static enum status release(struct release_work *work, enum ledger_outcome closing,
                           const char *sqlstate, struct outqueue *out, struct error *error)
{
    const struct plan *plan = work->plan;
    struct error held;
    TRY(check_complete(work, closing, error));
    TRY(settle_subjects(work, closing, error));
    count_sent(work);
    TRY(build_items(work, error));
    if (work->limit != NULL) {
        closing = LEDGER_OUTCOME_BUDGET;
        sqlstate = "53400";
    }
    if (closing != LEDGER_OUTCOME_NONE)
        TRY(release_record_pins(work, error));
    bool ends = closing != LEDGER_OUTCOME_NONE && plan->fence_count > 0;
    bool counts = work->sent > 0 && plan->fence_count > 0;
    if (work->item_count > 0 || ends || counts || work->batch->side.len > 0) {
        uint64_t sequence;
        TRY(hold_back(work, &closing, &held, error));
        TRY(write_entries(work, closing, work->withheld ? held.sqlstate : sqlstate, &sequence,
                          error));
        release_settle_statistics(work, !work->withheld);
        if (!outqueue_gate(out, sequence))
            return release_no_memory(error);
    }
    if (closing != LEDGER_OUTCOME_NONE)
        work->run->closed = true;
    if (work->withheld)
        return error_set(error, STATUS_DENIED, held.sqlstate, held.hint, "%s", held.message);
    release_warn(work, out);
    hand_over(work, out);
    if (out->bytes.overflowed)
        return release_no_memory(error);
    return work->limit == NULL ? STATUS_OK : limit_error(work, error);
}

enum status release_batch(struct batch *batch, struct run *run, enum ledger_outcome closing,
                          const char *sqlstate, struct outqueue *out, struct error *error)
{
    CHECK(!run->closed);
    struct release_work work = {.batch = batch,
                                .run = run,
                                .plan = run->planned->plan,
                                .rows = batch->row_count,
                                .smallest = UINT32_MAX};
    buffer_init(&work.pin_sets, PIN_SETS_BYTES);
    enum status status = release(&work, closing, sqlstate, out, error);
    release_settle_statistics(&work, false);
    buffer_free(&work.pin_sets);
    batch_clear(batch);
    return status;
}

static struct ledger_entry closing_entry(const struct run *run, enum ledger_outcome outcome)
{
    struct ledger_entry entry = entry_of(run);
    entry.flags = LEDGER_FLAG_CLOSING;
    entry.outcome = outcome;
    entry.column_set = run->planned->all_columns;
    entry.text = slice_of_text(run->planned->counted);
    return entry;
}

/* Without rows: whoever is named and has not come back by now is recorded with it. */
static enum status close_without_rows(struct run *run, struct ledger_entry *entry,
                                      uint64_t *sequence, struct error *error)
{
    struct ledger_item *items = calloc(run->planned->plan->pinned_count + 1, sizeof *items);
    struct buffer sets, side;
    if (items == NULL)
        return release_no_memory(error);
    buffer_init(&sets, PIN_SETS_BYTES);
    buffer_init(&side, LIMIT_ROW_BYTES);
    struct pins_record record = {.items = items, .sets = &sets, .side = &side};
    enum status status = pins_record(run, &record, error);
    if (status == STATUS_OK) {
        entry->items = items;
        entry->item_count = record.item_count;
        entry->time_ns = record.time_ns != 0 ? record.time_ns : clock_now_ns();
        entry->flags |= run->opened ? 0 : LEDGER_FLAG_OPENING;
        /* Nothing but an end is told: whoever is to be contained is, by the alarm. */
        watching_note(run->server, run->partner, run->agent, entry);
        status = write_entry(run, entry, buffer_slice(&side), sequence, error);
    }
    buffer_free(&sets);
    buffer_free(&side);
    free(items);
    return status;
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
    TRY(close_without_rows(run, &entry, &sequence, error));
    return outqueue_gate(out, sequence) ? STATUS_OK : release_no_memory(error);
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
    if (close_without_rows(run, &entry, &sequence, &error) != STATUS_OK)
        log_event(LOG_ERROR, "closing_entry_refused", "session=%llu reason=\"%s\"",
                  (unsigned long long)run->session, error.message);
}
