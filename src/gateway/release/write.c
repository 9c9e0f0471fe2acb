/* Writes: judged row by row, written down before COMMIT and after. See write.h. */
#include "gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "exposure/subject_set.h"
#include "gateway/release/probe.h"

enum {
    MAP_PIECE = 16000,  /* keys of one entry */
    ROWS_MOST = 100000, /* of one write */
    SAVEPOINTS_MOST = 1000,
    KEY_BYTES = 16 * 1024 * 1024,
    SET_BYTES = 1024 * 1024,
    GRADE_CHANGED = 6, /* docs/LEDGER-FORMAT.md */
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "write fewer rows at once", "out of memory");
}

void writes_init(struct writes *writes)
{
    *writes = (struct writes){0};
    buffer_init(&writes->key_bytes, KEY_BYTES);
}

/* ---- one write ---- */

void writes_done(struct session *session)
{
    struct writes *writes = &session->writes;
    run_release(writes->run);
    writes->run = NULL;
    writes->written = writes->given = 0;
    writes->problem = 0;
    writes->key_count = 0;
    buffer_free(&writes->key_bytes);
    free(writes->keys);
    writes->keys = NULL;
    writes->key_capacity = 0;
}

void writes_begin(struct session *session, struct run *run)
{
    writes_done(session);
    session->writes.run = run_retain(run);
}

bool writes_wait(const struct session *session)
{
    const struct writes *writes = &session->writes;
    return writes->run != NULL || (writes->intended && session->durable <= writes->sequence);
}

static enum status add_key(struct writes *writes, size_t subject, struct slice key,
                           struct error *error)
{
    if (key.len > LIMIT_SUBJECT_KEY_BYTES)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "a subject key is longer than %d bytes", LIMIT_SUBJECT_KEY_BYTES);
    if (writes->key_count == writes->key_capacity) {
        size_t wanted = writes->key_capacity == 0 ? 64 : writes->key_capacity * 2;
        struct write_key *keys = realloc(writes->keys, wanted * sizeof keys[0]);
        if (keys == NULL)
            return no_memory(error);
        writes->keys = keys;
        writes->key_capacity = wanted;
    }
    writes->keys[writes->key_count++] = (struct write_key){.at = (uint32_t)writes->key_bytes.len,
                                                           .len = (uint32_t)key.len,
                                                           .subject = (uint16_t)subject};
    buffer_append(&writes->key_bytes, key.data, key.len);
    return writes->key_bytes.overflowed ? no_memory(error) : STATUS_OK;
}

static enum status unplanned(struct error *error)
{
    return error_set(error, STATUS_PEER, "XX000", NULL,
                     "upstream did not say what became of a row that was to be written");
}

static enum status take_written(struct writes *writes, const struct plan_write *write,
                                const struct slice *keys, struct error *error)
{
    if (++writes->written > ROWS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", "write fewer rows at once",
                         "one statement may write at most %d rows", ROWS_MOST);
    for (size_t i = 0; i < write->kind_count; i++) {
        if (keys[i].data != NULL)
            TRY(add_key(writes, i, keys[i], error));
        else if (write->when_null[i] == POLICY_NULL_REFUSE)
            return error_set(error, STATUS_DENIED, "44000", "give the row a subject",
                             "a row that was written has no subject");
    }
    return STATUS_OK;
}

enum status writes_take_row(struct session *session, const struct run *run, struct slice row,
                            bool *pass, struct error *error)
{
    struct writes *writes = &session->writes;
    const struct plan *plan = run->planned->plan;
    const struct plan_write *write = plan->write;
    struct slice columns[LIMIT_TARGETS + 1];
    size_t bytes, count = run_hidden_columns(plan);
    if (writes->run != run || count > sizeof columns / sizeof columns[0])
        return unplanned(error);
    TRY(wire_split_row(row, plan->visible_count, count, &bytes, columns, error));
    const struct slice mark = columns[count - 1];
    if (mark.len != 1)
        return unplanned(error);
    *pass = false;
    switch ((enum plan_mark)mark.data[0]) {
    case PLAN_MARK_WRITTEN:
        *pass = !write->lineage_of_given;
        return take_written(writes, write, &columns[count - 1 - write->kind_count], error);
    case PLAN_MARK_GIVEN:
        *pass = write->lineage_of_given;
        writes->given++;
        return STATUS_OK;
    case PLAN_MARK_NONE:
        *pass = true;
        return STATUS_OK;
    case PLAN_MARK_OUTSIDE:
    case PLAN_MARK_STALE:
    case PLAN_MARK_AGAIN:
        /* The worst is told: what it says of the data counts most. It was read all the same. */
        if (writes->problem != PLAN_MARK_OUTSIDE)
            writes->problem = (enum plan_mark)mark.data[0];
        *pass = !write->lineage_of_given && write->change != PLAN_CHANGE_INSERT;
        return STATUS_OK;
    default:
        return unplanned(error);
    }
}

enum status writes_judge(const struct session *session, const struct run *run, uint64_t *probes,
                         struct error *error)
{
    const struct writes *writes = &session->writes;
    const struct plan_write *write = run->planned->plan->write;
    bool skipped = write->may_skip && writes->given > writes->written;
    *probes = skipped && !write->skip_fails ? writes->given - writes->written : skipped;
    if (writes->problem == PLAN_MARK_OUTSIDE)
        *probes = 1;
    switch (writes->problem) {
    case PLAN_MARK_OUTSIDE:
        return error_set(error, STATUS_DENIED, "44000",
                         "the row filter of the grant holds for what is written too",
                         "a row would no longer be among those that are granted");
    case PLAN_MARK_STALE:
        return error_set(error, STATUS_DENIED, "40001", "run the transaction again",
                         "a row was changed by somebody else at the same time");
    case PLAN_MARK_AGAIN:
        return error_set(error, STATUS_DENIED, "21000",
                         "see to it that each row is met by one row of FROM or USING",
                         "a row would be written more than once");
    default:
        break;
    }
    if (skipped && write->skip_fails)
        return error_set(error, STATUS_DENIED, "23505", "",
                         "a row that is not granted stands in the way of one to be inserted");
    return STATUS_OK;
}

void writes_found(const struct session *session, const struct run *run)
{
    const struct writes *writes = &session->writes;
    for (size_t i = 0; i < writes->key_count; i++) {
        const struct write_key *key = &writes->keys[i];
        pins_see(run->pins, run->planned->plan->write->kinds[key->subject],
                 slice_of(writes->key_bytes.data + key->at, key->len));
    }
    pins_keep(run->pins);
}

void writes_tag(const struct session *session, const struct plan *plan, char *tag, size_t room)
{
    snprintf(tag, room, "%s %llu",
             plan->write->change == PLAN_CHANGE_INSERT ? "INSERT 0" : plan->command,
             (unsigned long long)session->writes.written);
}

/* ---- the intent ---- */

static struct ledger_entry entry_of(const struct session *session, enum ledger_type type)
{
    return (struct ledger_entry){.type = type,
                                 .partner = slice_of_text(session->partner->name),
                                 .agent = slice_of_text(session->agent->name),
                                 .purpose = slice_of_text(session->purpose),
                                 .delivery = slice_of_text(session->delivery),
                                 .session = session->id,
                                 .time_ns = clock_now_ns(),
                                 .chunk_count = 1};
}

/* One piece of the keys, and what it becomes. */
struct piece {
    const struct write_key *keys;
    size_t count;
    struct subject_key *named;
    uint32_t *ids, *scratch;
    struct buffer sets, side;
    struct ledger_item *items;
    size_t item_count;
};

static void piece_free(struct piece *piece)
{
    free(piece->named);
    free(piece->ids);
    free(piece->scratch);
    free(piece->items);
    buffer_free(&piece->sets);
    buffer_free(&piece->side);
}

static enum status piece_make(struct piece *piece, size_t kinds, struct error *error)
{
    buffer_init(&piece->sets, SET_BYTES);
    buffer_init(&piece->side, LIMIT_ROW_BYTES);
    piece->named = calloc(MAP_PIECE, sizeof piece->named[0]);
    piece->ids = calloc(MAP_PIECE, sizeof piece->ids[0]);
    piece->scratch = calloc(MAP_PIECE, sizeof piece->scratch[0]);
    piece->items = calloc(kinds + 1, sizeof piece->items[0]);
    bool made = piece->named != NULL && piece->ids != NULL && piece->scratch != NULL &&
                piece->items != NULL;
    return made ? STATUS_OK : no_memory(error);
}

static enum status name_people(struct session *session, const struct plan_write *write,
                               struct piece *piece, struct error *error)
{
    const uint8_t *bytes = session->writes.key_bytes.data;
    for (size_t i = 0; i < piece->count; i++)
        piece->named[i] =
            (struct subject_key){.kind = (uint16_t)write->kinds[piece->keys[i].subject],
                                 .key = slice_of(bytes + piece->keys[i].at, piece->keys[i].len)};
    buffer_clear(&piece->side);
    if (piece->count > 0)
        TRY(exposure_map(session->worker->server->exposure, piece->named, piece->count, piece->ids,
                         &piece->side, error));
    return piece->side.overflowed ? no_memory(error) : STATUS_OK;
}

static enum status make_items(const struct plan_write *write, uint32_t column_set,
                              struct piece *piece, struct error *error)
{
    buffer_clear(&piece->sets);
    piece->item_count = 0;
    size_t begins[LIMIT_RELATIONS + 1];
    for (size_t s = 0; s < write->kind_count && s < LIMIT_RELATIONS; s++) {
        size_t count = 0;
        for (size_t i = 0; i < piece->count; i++)
            if (piece->keys[i].subject == s)
                piece->scratch[count++] = piece->ids[i];
        if (count == 0)
            continue;
        begins[piece->item_count] = piece->sets.len;
        subject_set_serialize(piece->scratch, count, &piece->sets);
        piece->items[piece->item_count] =
            (struct ledger_item){.kind = (uint16_t)write->kinds[s],
                                 .grade = GRADE_CHANGED,
                                 .column_set = column_set,
                                 .subjects = {.len = piece->sets.len - begins[piece->item_count]}};
        piece->item_count++;
    }
    if (piece->sets.overflowed)
        return no_memory(error);
    for (size_t i = 0; i < piece->item_count; i++)
        piece->items[i].subjects.data = piece->sets.data + begins[i];
    return STATUS_OK;
}

static enum status write_piece(struct session *session, struct run *run, struct piece *piece,
                               uint32_t chunk, bool last, struct error *error)
{
    static const char *const changes[] = {[PLAN_CHANGE_INSERT] = "insert",
                                          [PLAN_CHANGE_UPDATE] = "update",
                                          [PLAN_CHANGE_DELETE] = "delete"};
    const struct planned *planned = run->planned;
    const struct plan_write *write = planned->plan->write;
    struct writes *writes = &session->writes;
    struct ledger_entry entry = entry_of(session, LEDGER_CHANGE);
    char text[LIMIT_NAME_BYTES + 64];
    int len = snprintf(text, sizeof text, "change=%s\ndataset=%s", changes[write->change],
                       write->dataset);
    entry.text = slice_of(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    entry.column_set = planned->written_columns;
    entry.items = piece->items;
    entry.item_count = piece->item_count;
    entry.chunk = chunk;
    entry.chunk_count = last ? chunk + 1 : 0;
    entry.row_count = last ? writes->written : 0;
    memcpy(entry.uuid, run->uuid, sizeof entry.uuid);
    memcpy(entry.statement_hash, planned->statement_hash, sizeof entry.statement_hash);
    memcpy(entry.policy_id, planned->policy_id, sizeof entry.policy_id);
    TRY(ledger_append(session->worker->server->ledger, &entry, buffer_slice(&piece->side),
                      &writes->sequence, error));
    writes->intended = true;
    exposure_record(session->worker->server->exposure, writes->sequence, &entry);
    return STATUS_OK;
}

static enum status write_pieces(struct session *session, struct run *run, struct piece *piece,
                                struct error *error)
{
    const struct writes *writes = &session->writes;
    const struct plan_write *write = run->planned->plan->write;
    uint32_t chunk = 0;
    for (size_t first = 0; first == 0 || first < writes->key_count; first += MAP_PIECE) {
        size_t left = writes->key_count - first;
        piece->keys = writes->keys + first;
        piece->count = left > MAP_PIECE ? MAP_PIECE : left;
        TRY(name_people(session, write, piece, error));
        TRY(make_items(write, run->planned->written_columns, piece, error));
        TRY(write_piece(session, run, piece, chunk++, left <= MAP_PIECE, error));
    }
    return STATUS_OK;
}

/* Room for one more intent, before it is written: what is written can then be ended. */
static enum status make_room(struct writes *writes, struct error *error)
{
    if (writes->intent_count == LIMIT_CHANGES)
        return error_set(error, STATUS_LIMIT, "54000", "Commit, and go on in another transaction.",
                         "more than %d statements have changed rows in this transaction",
                         LIMIT_CHANGES);
    if (writes->intent_count < writes->intent_capacity)
        return STATUS_OK;
    size_t wanted = writes->intent_capacity == 0 ? 8 : writes->intent_capacity * 2;
    struct write_intent *intents = realloc(writes->intents, wanted * sizeof intents[0]);
    if (intents == NULL)
        return no_memory(error);
    writes->intents = intents;
    writes->intent_capacity = wanted;
    return STATUS_OK;
}

static void remember(struct writes *writes, const struct run *run)
{
    struct write_intent *intent = &writes->intents[writes->intent_count++];
    *intent = (struct write_intent){.plan = plan_retain(run->planned->plan)};
    memcpy(intent->uuid, run->uuid, sizeof intent->uuid);
    memcpy(intent->statement_hash, run->planned->statement_hash, sizeof intent->statement_hash);
    memcpy(intent->policy_id, run->planned->policy_id, sizeof intent->policy_id);
    uint32_t table = run->planned->plan->write->table;
    for (size_t i = 0; i < writes->table_count; i++)
        if (writes->tables[i] == table)
            return;
    if (writes->table_count < WRITE_TABLES)
        writes->tables[writes->table_count++] = table;
    else
        writes->all_tables = true;
}

/* A write that met no row changes nothing. */
enum status writes_intend(struct session *session, struct run *run, struct error *error)
{
    struct writes *writes = &session->writes;
    struct piece piece = {0};
    if (writes->written == 0)
        return STATUS_OK;
    TRY(make_room(writes, error));
    enum status status = piece_make(&piece, run->planned->plan->write->kind_count, error);
    bool before = writes->intended;
    uint64_t sequence = writes->sequence;
    if (status == STATUS_OK)
        status = write_pieces(session, run, &piece, error);
    piece_free(&piece);
    if (!writes->intended || (before && writes->sequence == sequence))
        return status;
    /* Also where only a part of it could be written: what waits for that is woken by the gate. */
    remember(writes, run);
    if (!outqueue_gate(&session->out, writes->sequence))
        return no_memory(error);
    return status;
}

/* ---- the outcome ---- */

static void write_outcome(struct session *session, const struct write_intent *intent,
                          enum ledger_outcome outcome)
{
    struct ledger_entry entry = entry_of(session, LEDGER_CHANGE_END);
    struct error error;
    uint64_t sequence;
    bool doubt = intent->in_doubt && outcome == LEDGER_OUTCOME_COMMITTED;
    entry.outcome = doubt ? LEDGER_OUTCOME_IN_DOUBT : outcome;
    entry.flags = LEDGER_FLAG_CLOSING;
    memcpy(entry.uuid, intent->uuid, sizeof entry.uuid);
    memcpy(entry.statement_hash, intent->statement_hash, sizeof entry.statement_hash);
    memcpy(entry.policy_id, intent->policy_id, sizeof entry.policy_id);
    /* Where it cannot be written the change stays without an end, which says: in doubt. */
    if (ledger_append(session->worker->server->ledger, &entry, slice_of(NULL, 0), &sequence,
                      &error) != STATUS_OK)
        log_event(LOG_ERROR, "change_end_refused", "session=%llu reason=\"%s\"",
                  (unsigned long long)session->id, error.message);
    else if (session->state == SESSION_READY && !outqueue_gate(&session->out, sequence))
        session->dead = true;
}

/* Those from `first` on are settled. */
static void drop_intents(struct writes *writes, size_t first)
{
    while (writes->intent_count > first)
        plan_release(writes->intents[--writes->intent_count].plan);
}

/* Those from `first` on are no more. */
static void drop_savepoints(struct writes *writes, size_t first)
{
    while (writes->savepoint_count > first)
        free(writes->savepoints[--writes->savepoint_count].name);
}

static void write_outcomes(struct session *session, enum ledger_outcome outcome)
{
    struct writes *writes = &session->writes;
    for (size_t i = 0; i < writes->intent_count; i++)
        write_outcome(session, &writes->intents[i], outcome);
    drop_intents(writes, 0);
    writes->table_count = 0;
    drop_savepoints(writes, 0);
    writes->failed = writes->commit_sent = writes->all_tables = false;
}

void writes_ended(struct session *session, bool committed)
{
    write_outcomes(session, committed ? LEDGER_OUTCOME_COMMITTED : LEDGER_OUTCOME_ROLLED_BACK);
}

/* The newest of that name; the count if there is none. */
static size_t find_savepoint(const struct writes *writes, const char *name)
{
    for (size_t i = writes->savepoint_count; i-- > 0;)
        if (strcmp(writes->savepoints[i].name, name) == 0)
            return i;
    return writes->savepoint_count;
}

/* One that finds no room is not known: going back to it leaves all in doubt. */
static void make_savepoint(struct writes *writes, const char *name)
{
    if (writes->savepoint_count == SAVEPOINTS_MOST)
        return;
    struct write_savepoint *savepoints =
        reallocarray(writes->savepoints, writes->savepoint_count + 1, sizeof savepoints[0]);
    if (savepoints == NULL)
        return;
    writes->savepoints = savepoints;
    char *copy = strdup(name);
    if (copy != NULL)
        savepoints[writes->savepoint_count++] =
            (struct write_savepoint){.name = copy, .intents = writes->intent_count};
}

static void go_back_to(struct session *session, size_t savepoint)
{
    struct writes *writes = &session->writes;
    bool known = savepoint < writes->savepoint_count;
    size_t stands = known ? writes->savepoints[savepoint].intents : 0;
    for (size_t i = stands; i < writes->intent_count; i++) {
        if (known)
            write_outcome(session, &writes->intents[i], LEDGER_OUTCOME_ROLLED_BACK);
        else
            writes->intents[i].in_doubt = true;
    }
    if (known)
        drop_intents(writes, stands);
    drop_savepoints(writes, savepoint + known);
    writes->failed = false;
}

void writes_savepoint(struct session *session, const struct plan *plan)
{
    struct writes *writes = &session->writes;
    size_t found = find_savepoint(writes, plan->savepoint);
    if (strcmp(plan->command, "SAVEPOINT") == 0)
        make_savepoint(writes, plan->savepoint);
    else if (strcmp(plan->command, "RELEASE") == 0)
        drop_savepoints(writes, found);
    else
        go_back_to(session, found);
}

void writes_failed(struct session *session)
{
    session->writes.failed = true;
}

void writes_skipped(struct session *session)
{
    const struct replies *replies = &session->replies;
    for (size_t i = 0; i < replies->count; i++) {
        const struct reply *reply = &replies->ring[(replies->first + i) % replies->capacity];
        if (reply->kind == REPLY_EXECUTE && reply->run == session->writes.run)
            return;
    }
    writes_done(session);
}

/* Outside a transaction block Sync commits, unless something failed before it. */
void writes_ready(struct session *session, char transaction)
{
    struct writes *writes = &session->writes;
    if (transaction == 'I')
        writes_ended(session, !writes->failed);
    writes->commit_sent = false;
    if (transaction != 'E')
        writes->failed = false;
}

void writes_commit_sent(struct session *session)
{
    session->writes.commit_sent = session->writes.intent_count > 0;
}

void writes_sync_sent(struct session *session)
{
    if (session->transaction == 'I')
        writes_commit_sent(session);
}

void writes_end(struct session *session)
{
    bool doubt = session->writes.commit_sent && !session->writes.failed;
    write_outcomes(session, doubt ? LEDGER_OUTCOME_IN_DOUBT : LEDGER_OUTCOME_ROLLED_BACK);
    writes_done(session);
    free(session->writes.savepoints);
    session->writes.savepoints = NULL;
    free(session->writes.intents);
    session->writes.intents = NULL;
    session->writes.intent_capacity = 0;
}

/* ---- what may not be computed ---- */

static bool reads_written(const struct writes *writes, const struct plan *plan)
{
    for (size_t t = 0; t < plan->table_count; t++)
        for (size_t i = 0; i < writes->table_count; i++)
            if (plan->tables[t] == writes->tables[i])
                return true;
    return writes->all_tables && plan->table_count > 0;
}

enum status writes_check(const struct session *session, const struct plan *plan,
                         struct error *error)
{
    const struct writes *writes = &session->writes;
    if (writes->intent_count == 0 || !plan_aggregates(plan) || !reads_written(writes, plan))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "25000", "COMMIT first",
                     "a transaction cannot compute over a dataset that it has written to");
}
