/* The file of alarms.h. An alarm and its deliveries are added in one transaction. */
#include "registry/alarms.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "registry/sqlite.h"

struct alarms {
    struct sqlite file;
};

static const char *const migrations[] = {
    "CREATE TABLE alarm ("
    "  alarm_id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, raised_ns INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, partner TEXT NOT NULL, agent TEXT NOT NULL, about TEXT NOT NULL,"
    "  text TEXT NOT NULL, contained TEXT NOT NULL, repeats INTEGER NOT NULL, sequence INTEGER,"
    "  acknowledged_ns INTEGER, acknowledged_by TEXT, note TEXT) STRICT;"
    "CREATE TABLE delivery ("
    "  alarm_id INTEGER NOT NULL REFERENCES alarm, receiver TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'given up')),"
    "  attempts INTEGER NOT NULL, next_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL,"
    "  answer TEXT NOT NULL, PRIMARY KEY (alarm_id, receiver)) STRICT;"
    "CREATE INDEX delivery_waiting ON delivery (receiver, alarm_id) WHERE state = 'waiting';"
    "CREATE TABLE stopped ("
    "  receiver TEXT PRIMARY KEY, place TEXT NOT NULL, since_ns INTEGER NOT NULL) STRICT;",
};
static const struct sqlite_layout layout = {
    .what = "alarms",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

enum status alarms_open(const char *path, struct alarms **alarms, struct error *error)
{
    struct alarms *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_no_memory(error);
    enum status status = sqlite_open(path, &layout, &opened->file, error);
    if (status == STATUS_OK)
        *alarms = opened;
    else
        free(opened);
    return status;
}

void alarms_close(struct alarms *alarms)
{
    if (alarms == NULL)
        return;
    sqlite_close(&alarms->file);
    free(alarms);
}

/* ---- adding ---- */

/* What is older than the newest ALARMS_MOST goes, whether it was delivered or not. */
static enum status prune(struct alarms *alarms, int64_t newest, int64_t *lost, struct error *error)
{
    struct sqlite *file = &alarms->file;
    const int64_t oldest = newest - ALARMS_MOST;
    if (oldest <= 0)
        return STATUS_OK;
    TRY(sqlite_number(file, lost, NULL, error,
                      "SELECT count(*) FROM delivery WHERE alarm_id <= ?1 AND state = 'waiting'",
                      "n", oldest));
    TRY(sqlite_change(file, NULL, error, "DELETE FROM delivery WHERE alarm_id <= ?1", "n", oldest));
    return sqlite_change(file, NULL, error, "DELETE FROM alarm WHERE alarm_id <= ?1", "n", oldest);
}

static enum status add(struct alarms *alarms, const struct alarms_entry *entry,
                       const char *const *receivers, size_t receiver_count, int64_t *id,
                       int64_t *lost, struct error *error)
{
    struct sqlite *file = &alarms->file;
    TRY(sqlite_change(file, NULL, error,
                      "INSERT INTO alarm (event, raised_ns, rule, partner, agent, about, text,"
                      " contained, repeats) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                      "tnttttttn", entry->event, entry->raised_ns, entry->rule, entry->partner,
                      entry->agent, entry->about, entry->text, entry->contained, entry->repeats));
    TRY(sqlite_number(file, id, NULL, error, "SELECT last_insert_rowid()", ""));
    for (size_t i = 0; i < receiver_count; i++)
        TRY(sqlite_change(file, NULL, error,
                          "INSERT INTO delivery (alarm_id, receiver, state, attempts, next_ns,"
                          " changed_ns, answer) VALUES (?1, ?2, 'waiting', 0, ?3, ?3, '')",
                          "ntn", *id, receivers[i], entry->raised_ns));
    return prune(alarms, *id, lost, error);
}

enum status alarms_add(struct alarms *alarms, const struct alarms_entry *entry,
                       const char *const *receivers, size_t receiver_count, int64_t *id,
                       int64_t *lost, struct error *error)
{
    int64_t gone = 0;
    TRY(sqlite_begin(&alarms->file, error));
    enum status status = add(alarms, entry, receivers, receiver_count, id, &gone, error);
    status = sqlite_finish(&alarms->file, status, error);
    if (status == STATUS_OK)
        *lost = gone;
    return status;
}

enum status alarms_set_sequence(struct alarms *alarms, int64_t id, int64_t sequence,
                                struct error *error)
{
    return sqlite_change(&alarms->file, NULL, error,
                         "UPDATE alarm SET sequence = ?2 WHERE alarm_id = ?1", "nn", id, sequence);
}

enum status alarms_set_repeats(struct alarms *alarms, int64_t id, int64_t repeats,
                               struct error *error)
{
    return sqlite_change(&alarms->file, NULL, error,
                         "UPDATE alarm SET repeats = ?2 WHERE alarm_id = ?1", "nn", id, repeats);
}

static enum status not_there(struct error *error, int64_t id)
{
    return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam alarm list shows them",
                     "there is no alarm %lld", (long long)id);
}

enum status alarms_acknowledge(struct alarms *alarms, int64_t id, const char *by, const char *note,
                               int64_t now_ns, struct error *error)
{
    int64_t changed, there;
    TRY(sqlite_number(&alarms->file, &there, NULL, error,
                      "SELECT count(*) FROM alarm WHERE alarm_id = ?1", "n", id));
    if (there == 0)
        return not_there(error, id);
    TRY(sqlite_change(&alarms->file, &changed, error,
                      "UPDATE alarm SET acknowledged_ns = ?2, acknowledged_by = ?3, note = ?4"
                      " WHERE alarm_id = ?1 AND acknowledged_ns IS NULL",
                      "nntt", id, now_ns, by, note));
    return changed == 1 ? STATUS_OK
                        : error_set(error, STATUS_DENIED, "55000", "cofferdam alarm show tells who",
                                    "alarm %lld has been acknowledged already", (long long)id);
}

/* ---- reading ---- */

#define ENTRY_COLUMNS                                                                              \
    "alarm.alarm_id, event, raised_ns, rule, partner, agent, about, text, contained, repeats, "    \
    "sequence"

static struct alarms_entry take_entry(sqlite3_stmt *statement, struct arena *arena)
{
    return (struct alarms_entry){
        .id = sqlite3_column_int64(statement, 0),
        .event = sqlite_copy(statement, 1, arena),
        .raised_ns = sqlite3_column_int64(statement, 2),
        .rule = sqlite_copy(statement, 3, arena),
        .partner = sqlite_copy(statement, 4, arena),
        .agent = sqlite_copy(statement, 5, arena),
        .about = sqlite_copy(statement, 6, arena),
        .text = sqlite_copy(statement, 7, arena),
        .contained = sqlite_copy(statement, 8, arena),
        .repeats = sqlite3_column_int64(statement, 9),
        .sequence = sqlite_instant(statement, 10),
    };
}

/* One row, or STATUS_NOT_FOUND without a text. Ends the statement. */
static enum status take_one(struct alarms *alarms, sqlite3_stmt *statement, struct arena *arena,
                            struct alarms_delivery *delivery, struct error *error)
{
    bool row = false;
    enum status status = sqlite_step(&alarms->file, statement, &row, error);
    if (status == STATUS_OK && row) {
        delivery->entry = take_entry(statement, arena);
        delivery->attempts = sqlite3_column_int64(statement, 11);
        delivery->next_ns = sqlite3_column_int64(statement, 12);
    }
    sqlite3_finalize(statement);
    if (status != STATUS_OK)
        return status;
    if (arena->overflowed)
        return error_no_memory(error);
    return row ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status alarms_unrecorded(struct alarms *alarms, int64_t after, struct arena *arena,
                              struct alarms_entry *entry, struct error *error)
{
    struct alarms_delivery found;
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&alarms->file, &statement, error,
                       "SELECT " ENTRY_COLUMNS ", 0, 0 FROM alarm"
                       " WHERE alarm_id > ?1 AND coalesce(sequence, -1) < 0"
                       " ORDER BY alarm_id LIMIT 1",
                       "n", after));
    TRY(take_one(alarms, statement, arena, &found, error));
    *entry = found.entry;
    return STATUS_OK;
}

enum status alarms_next(struct alarms *alarms, const char *receiver, struct arena *arena,
                        struct alarms_delivery *delivery, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&alarms->file, &statement, error,
                       "SELECT " ENTRY_COLUMNS ", attempts, next_ns"
                       " FROM delivery JOIN alarm ON alarm.alarm_id = delivery.alarm_id"
                       " WHERE receiver = ?1 AND state = 'waiting' AND sequence IS NOT NULL"
                       " ORDER BY delivery.alarm_id LIMIT 1",
                       "t", receiver));
    return take_one(alarms, statement, arena, delivery, error);
}

/* ---- receivers ---- */

enum status alarms_attempted(struct alarms *alarms, int64_t id, const char *receiver,
                             enum alarms_outcome outcome, int64_t next_ns, int64_t now_ns,
                             const char *answer, struct error *error)
{
    static const char *const states[] = {"waiting", "taken", "given up"};
    return sqlite_change(&alarms->file, NULL, error,
                         "UPDATE delivery SET state = ?3, attempts = attempts + 1, next_ns = ?4,"
                         " changed_ns = ?5, answer = ?6"
                         " WHERE alarm_id = ?1 AND receiver = ?2 AND state = 'waiting'",
                         "nttnnt", id, receiver, states[outcome], next_ns, now_ns, answer);
}

enum status alarms_give_up(struct alarms *alarms, const char *receiver, int64_t now_ns,
                           const char *answer, struct error *error)
{
    return sqlite_change(&alarms->file, NULL, error,
                         "UPDATE delivery SET state = 'given up', changed_ns = ?2, answer = ?3"
                         " WHERE receiver = ?1 AND state = 'waiting'",
                         "tnt", receiver, now_ns, answer);
}

enum status alarms_stop(struct alarms *alarms, const char *receiver, const char *place,
                        int64_t now_ns, struct error *error)
{
    return sqlite_change(&alarms->file, NULL, error,
                         "INSERT OR REPLACE INTO stopped (receiver, place, since_ns)"
                         " VALUES (?1, ?2, ?3)",
                         "ttn", receiver, place, now_ns);
}

enum status alarms_go_on(struct alarms *alarms, const char *receiver, struct error *error)
{
    TRY(sqlite_change(&alarms->file, NULL, error, "DELETE FROM stopped WHERE receiver = ?1", "t",
                      receiver));
    return sqlite_change(&alarms->file, NULL, error,
                         "UPDATE delivery SET next_ns = 0"
                         " WHERE receiver = ?1 AND state = 'waiting'",
                         "t", receiver);
}

enum status alarms_is_stopped(struct alarms *alarms, const char *receiver, const char *place,
                              bool *stopped, struct error *error)
{
    int64_t count;
    TRY(sqlite_number(&alarms->file, &count, NULL, error,
                      "SELECT count(*) FROM stopped WHERE receiver = ?1 AND place = ?2", "tt",
                      receiver, place));
    *stopped = count > 0;
    return STATUS_OK;
}

/* ---- tables ---- */

/* What an alarm is about, as staff see it: what is not known is NULL. */
#define SHOWN_COLUMNS                                                                              \
    "rule, nullif(partner, ''), nullif(agent, ''), nullif(about, ''), text, "                      \
    "nullif(contained, ''), repeats"

enum status alarms_list(struct alarms *alarms, bool open_only, struct table *table,
                        struct error *error)
{
    static const char *const columns[] = {
        "alarm",   "raised",    "rule",         "partner", "agent", "about",    "text", "contained",
        "repeats", "receivers", "acknowledged", "by",      "note",  "sequence", NULL};
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(
        &alarms->file, &statement, error,
        "SELECT alarm_id, raised_ns, " SHOWN_COLUMNS ","
        " (SELECT group_concat(receiver || ': ' || state ||"
        "    CASE WHEN state = 'waiting' AND attempts > 0 THEN ', ' || answer ELSE '' END, '; ')"
        "  FROM (SELECT * FROM delivery WHERE delivery.alarm_id = alarm.alarm_id"
        "        ORDER BY receiver)),"
        " acknowledged_ns, acknowledged_by, note, iif(sequence < 0, NULL, sequence) FROM alarm"
        " WHERE ?1 = 0 OR acknowledged_ns IS NULL ORDER BY alarm_id DESC",
        "n", (int64_t)open_only));
    return sqlite_table(&alarms->file, statement, "nittttttntittn", columns, table, error);
}

enum status alarms_show(struct alarms *alarms, int64_t id, struct table *table, struct error *error)
{
    static const char *const columns[] = {"alarm", "raised", "rule",      "partner", "agent",
                                          "about", "text",   "contained", "repeats", "acknowledged",
                                          "by",    "note",   "receiver",  "state",   "attempts",
                                          "next",  "answer", "commands",  NULL};
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&alarms->file, &statement, error,
                       "SELECT alarm.alarm_id, raised_ns, " SHOWN_COLUMNS ","
                       " acknowledged_ns, acknowledged_by, note, receiver, state, attempts,"
                       " iif(state = 'waiting', next_ns, NULL), nullif(answer, '') FROM alarm"
                       " LEFT JOIN delivery ON delivery.alarm_id = alarm.alarm_id"
                       " WHERE alarm.alarm_id = ?1 ORDER BY receiver",
                       "n", id));
    TRY(sqlite_table(&alarms->file, statement, "nittttttnittttnit", columns, table, error));
    if (table->row_count > 0)
        return STATUS_OK;
    table_free(table);
    return not_there(error, id);
}
