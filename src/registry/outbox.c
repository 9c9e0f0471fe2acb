/* The outbox: a SQLite file of messages and their attempts. See outbox.h for what is promised.
 * An offer is committed with synchronous FULL and so carries everything before it to the disk; what
 * follows is committed with NORMAL: in the write-ahead log, and so in the system's hands, when the
 * call returns. https://sqlite.org/pragma.html#pragma_synchronous */
#include "registry/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "registry/sqlite.h"

enum { BOOT_BYTES = 64, PATH_BYTES = 4096 };

struct outbox {
    struct sqlite file;
    int lock; /* -1: not for sending */
    char boot[BOOT_BYTES];
};

/* An attempt outlives its message's next one: a late notice about it must not be taken for mail
 * that is none of ours. */
static const char *const migrations[] = {
    "CREATE TABLE message ("
    "  notice INTEGER NOT NULL, id INTEGER NOT NULL, kind INTEGER NOT NULL, tier INTEGER NOT NULL,"
    "  variant INTEGER NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    "  boot TEXT, offered_ns INTEGER, begun_ns INTEGER, settled_ns INTEGER, retry_ns INTEGER,"
    "  rendered BLOB, envelope_id TEXT, reply TEXT, report TEXT,"
    "  PRIMARY KEY (notice, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX message_turn ON message (notice, state, tier, id);"
    "CREATE INDEX message_retry ON message (notice, retry_ns) WHERE state = 5;"
    "CREATE TABLE attempt ("
    "  envelope_id TEXT PRIMARY KEY, notice INTEGER NOT NULL, id INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    /* offered_up_ns: since the machine's start, of the offer and then of the begin; promised: by
       the server that it was begun with */
    "ALTER TABLE message ADD COLUMN offered_up_ns INTEGER;"
    "ALTER TABLE message ADD COLUMN promised INTEGER;",
};
static const struct sqlite_layout layout = {
    .what = "outbox",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

const char *outbox_state_name(enum outbox_state state)
{
    static const char *const names[OUTBOX_STATES] = {
        "ready",    "offered", "begun",  "accepted",      "refused", "deferred",
        "in doubt", "bounced", "letter", "public notice", "silent",  "erased"};
    CHECK((unsigned)state < OUTBOX_STATES);
    return names[state];
}

/* ---- opening ---- */

/* A number of its own for each start of the machine. */
static enum status read_boot(char boot[static BOOT_BYTES], struct error *error)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(boot, BOOT_BYTES, file) != NULL;
    if (file != NULL)
        fclose(file);
    if (!is_read)
        return error_set(error, STATUS_IO, "58030", NULL, "%s cannot be read", path);
    boot[strcspn(boot, "\n")] = '\0';
    return STATUS_OK;
}

static enum status take_lock(struct outbox *outbox, const char *path, struct error *error)
{
    char name[PATH_BYTES];
    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
        return error_set(error, STATUS_INVALID, "22023", NULL, "outbox: the path is too long");
    outbox->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (outbox->lock < 0)
        return error_set_errno(error, errno, "%s", name);
    TRY(file_inherit_owner(name, error));
    if (flock(outbox->lock, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno != EWOULDBLOCK)
        return error_set_errno(error, errno, "%s", name);
    return error_set(error, STATUS_DENIED, "55006", "wait for it, or stop it with --pause",
                     "another process is sending this incident's notices");
}

/* What a notice has said already of a message that no attempt is under way of. */
#define AS_REPORTED " WHEN report GLOB 'failed*' THEN 7 WHEN report IS NOT NULL THEN 3"
#define NOT_BEGUN   " state = CASE" AS_REPORTED " ELSE 0 END, attempts = attempts - 1"

/* What an earlier sender left. */
static enum status settle_leftovers(struct outbox *outbox, struct error *error)
{
    enum status status = sqlite_begin(&outbox->file, error);
    if (status != STATUS_OK)
        return status;
    status = sqlite_change(&outbox->file, NULL, error,
                           "UPDATE message SET state = CASE" AS_REPORTED
                           " ELSE 6 END, promised = coalesce(promised,"
                           " (SELECT value FROM setting WHERE name = 'dsn'))"
                           " WHERE state = 2 OR (state = 1 AND boot <> ?1)",
                           "t", outbox->boot);
    if (status == STATUS_OK)
        status = sqlite_change(&outbox->file, NULL, error,
                               "UPDATE message SET" NOT_BEGUN " WHERE state = 1", "");
    return sqlite_finish(&outbox->file, status, error);
}

enum status outbox_open(const char *path, bool for_sending, struct outbox **outbox,
                        struct error *error)
{
    struct outbox *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    opened->lock = -1;
    enum status status = read_boot(opened->boot, error);
    if (status == STATUS_OK && for_sending)
        status = take_lock(opened, path, error);
    if (status == STATUS_OK)
        status = sqlite_open(path, &layout, &opened->file, error);
    if (status == STATUS_OK && for_sending)
        status = settle_leftovers(opened, error);
    if (status == STATUS_OK)
        *outbox = opened;
    else
        outbox_close(opened);
    return status;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox == NULL)
        return;
    if (outbox->file.database != NULL)
        sqlite_close(&outbox->file);
    if (outbox->lock >= 0)
        close(outbox->lock);
    free(outbox);
}

/* ---- filling and offering ---- */

static enum status fill(struct outbox *outbox, int64_t notice, const struct outbox_person *people,
                        size_t count, struct error *error)
{
    int64_t present = 0;
    TRY(sqlite_number(&outbox->file, &present, NULL, error,
                      "SELECT EXISTS (SELECT 1 FROM message WHERE notice = ?1)", "n", notice));
    if (present)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++)
        TRY(sqlite_change(&outbox->file, NULL, error,
                          "INSERT INTO message (notice, id, kind, tier, variant, state)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                          "nnnnn", notice, (int64_t)people[i].id, (int64_t)people[i].kind,
                          (int64_t)people[i].tier, (int64_t)people[i].variant));
    return STATUS_OK;
}

static enum status durably(struct outbox *outbox, bool is_synced, struct error *error)
{
    return sqlite_execute(&outbox->file,
                          is_synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                          error);
}

enum status outbox_fill(struct outbox *outbox, int64_t notice, const struct outbox_person *people,
                        size_t count, struct error *error)
{
    TRY(durably(outbox, true, error));
    TRY(sqlite_begin(&outbox->file, error));
    return sqlite_finish(&outbox->file, fill(outbox, notice, people, count, error), error);
}

/* People by a statement whose rows are id, kind, tier, variant, attempts. */
static enum status find_turns(struct outbox *outbox, struct outbox_turn *turns, size_t room,
                              size_t *count, struct error *error, const char *sql, int64_t notice,
                              int64_t now_ns)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&outbox->file, &statement, error, sql, "nnn", notice, now_ns,
                       (int64_t)(room - *count)));
    bool row = false;
    enum status status = STATUS_OK;
    while (*count < room &&
           (status = sqlite_step(&outbox->file, statement, &row, error)) == STATUS_OK && row) {
        struct outbox_turn *turn = &turns[(*count)++];
        *turn = (struct outbox_turn){
            .person = {.id = (uint32_t)sqlite3_column_int64(statement, 0),
                       .kind = (uint16_t)sqlite3_column_int64(statement, 1),
                       .tier = (uint16_t)sqlite3_column_int64(statement, 2),
                       .variant = (uint32_t)sqlite3_column_int64(statement, 3)},
            .attempts = (uint32_t)sqlite3_column_int64(statement, 4) + 1,
        };
    }
    sqlite3_finalize(statement);
    return status;
}

static enum status offer_one(struct outbox *outbox, int64_t notice, struct outbox_turn *turn,
                             int64_t now_ns, struct error *error)
{
    uint8_t random[OUTBOX_ENVELOPE_CHARS / 2];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, turn->envelope_id);
    TRY(sqlite_change(&outbox->file, NULL, error, "INSERT INTO attempt VALUES (?1, ?2, ?3)", "tnn",
                      turn->envelope_id, notice, (int64_t)turn->person.id));
    return sqlite_change(&outbox->file, NULL, error,
                         "UPDATE message SET state = 1, attempts = ?3, boot = ?4, offered_ns = ?5,"
                         " envelope_id = ?6, begun_ns = NULL, settled_ns = NULL, retry_ns = NULL,"
                         " rendered = NULL, reply = NULL, report = NULL, offered_up_ns = ?7,"
                         " promised = NULL WHERE notice = ?1 AND id = ?2",
                         "nnntntn", notice, (int64_t)turn->person.id, (int64_t)turn->attempts,
                         outbox->boot, now_ns, turn->envelope_id, clock_monotonic_ns());
}

static enum status offer(struct outbox *outbox, int64_t notice, int64_t now_ns,
                         struct outbox_turn *turns, size_t room, size_t *count, struct error *error)
{
    *count = 0;
    TRY(find_turns(outbox, turns, room, count, error,
                   "SELECT id, kind, tier, variant, attempts FROM message"
                   " WHERE notice = ?1 AND state = 5 AND retry_ns <= ?2"
                   " ORDER BY retry_ns LIMIT ?3",
                   notice, now_ns));
    TRY(find_turns(outbox, turns, room, count, error,
                   "SELECT id, kind, tier, variant, attempts FROM message"
                   " WHERE notice = ?1 AND state = 0 AND ?2 = ?2 ORDER BY tier, id LIMIT ?3",
                   notice, now_ns));
    for (size_t i = 0; i < *count; i++)
        TRY(offer_one(outbox, notice, &turns[i], now_ns, error));
    return STATUS_OK;
}

enum status outbox_offer(struct outbox *outbox, int64_t notice, int64_t now_ns,
                         struct outbox_turn *turns, size_t room, size_t *count, struct error *error)
{
    size_t offered = 0;
    TRY(durably(outbox, true, error));
    TRY(sqlite_begin(&outbox->file, error));
    TRY(sqlite_finish(&outbox->file, offer(outbox, notice, now_ns, turns, room, &offered, error),
                      error));
    TRY(durably(outbox, false, error));
    *count = offered;
    return STATUS_OK;
}

/* ---- what becomes of a message ---- */

/* A change of one message that must be in a certain state. */
static enum status must_change(enum status status, int64_t changed, struct error *error)
{
    if (status == STATUS_OK && changed != 1)
        return error_set(error, STATUS_CORRUPT, "XX000", NULL,
                         "outbox: a message is not in the state that it must be in");
    return status;
}

enum status outbox_return(struct outbox *outbox, int64_t notice, uint32_t id, struct error *error)
{
    int64_t changed = 0;
    enum status status =
        sqlite_change(&outbox->file, &changed, error,
                      "UPDATE message SET" NOT_BEGUN " WHERE notice = ?1 AND id = ?2 AND state = 1",
                      "nn", notice, (int64_t)id);
    return must_change(status, changed, error);
}

enum status outbox_begin(struct outbox *outbox, int64_t notice, uint32_t id,
                         const uint8_t rendered[static 32], int64_t now_ns, struct error *error)
{
    int64_t changed = 0;
    enum status status = sqlite_change(&outbox->file, &changed, error,
                                       "UPDATE message SET state = 2, begun_ns = ?3, rendered = ?4,"
                                       " offered_up_ns = ?5,"
                                       " promised = (SELECT value FROM setting WHERE name = 'dsn')"
                                       " WHERE notice = ?1 AND id = ?2 AND state = 1"
                                       " AND report IS NULL",
                                       "nnnbn", notice, (int64_t)id, now_ns, rendered, (size_t)32,
                                       clock_monotonic_ns());
    int64_t is_reported = 0;
    if (status == STATUS_OK && changed == 0)
        status = sqlite_number(&outbox->file, &is_reported, NULL, error,
                               "SELECT EXISTS (SELECT 1 FROM message WHERE notice = ?1 AND id = ?2"
                               " AND state = 1 AND report IS NOT NULL)",
                               "nn", notice, (int64_t)id);
    if (status == STATUS_OK && is_reported != 0)
        return error_set(error, STATUS_CLOSED, "55000", NULL,
                         "outbox: a delivery notice has told of an earlier attempt meanwhile");
    return must_change(status, changed, error);
}

enum status outbox_settle(struct outbox *outbox, int64_t notice, uint32_t id,
                          enum outbox_state state, const char *reply, int64_t now_ns,
                          int64_t retry_ns, struct error *error)
{
    int64_t changed = 0;
    CHECK(state == OUTBOX_ACCEPTED || state == OUTBOX_REFUSED || state == OUTBOX_DEFERRED ||
          state >= OUTBOX_IN_DOUBT);
    enum status status = sqlite_change(&outbox->file, &changed, error,
                                       "UPDATE message SET state = CASE"
                                       " WHEN ?3 IN (3, 6) AND report GLOB 'failed*' THEN 7"
                                       " WHEN ?3 IN (5, 6, 8) AND NOT report GLOB 'failed*' THEN 3"
                                       " ELSE ?3 END,"
                                       " reply = ?4, settled_ns = ?5, retry_ns = ?6"
                                       " WHERE notice = ?1 AND id = ?2 AND state IN (1, 2)",
                                       "nnntni", notice, (int64_t)id, (int64_t)state, reply, now_ns,
                                       state == OUTBOX_DEFERRED ? retry_ns : INT64_MIN);
    return must_change(status, changed, error);
}

enum status outbox_make_public(struct outbox *outbox, int64_t notice, uint32_t id,
                               const char *reply, int64_t now_ns, struct error *error)
{
    TRY(durably(outbox, true, error));
    return sqlite_change(&outbox->file, NULL, error,
                         "UPDATE message SET state = 9, reply = ?3, settled_ns = ?4"
                         " WHERE notice = ?1 AND id = ?2 AND state IN (4, 7, 8)",
                         "nntn", notice, (int64_t)id, reply, now_ns);
}

enum status outbox_take_report(struct outbox *outbox, const char *envelope_id, const char *action,
                               const char *status_code, int64_t now_ns, struct error *error)
{
    int64_t changed = 0, id = 0;
    bool is_ours = false;
    char report[64];
    snprintf(report, sizeof report, "%s %s", action, status_code);
    TRY(sqlite_number(&outbox->file, &id, &is_ours, error,
                      "SELECT id FROM attempt WHERE envelope_id = ?1", "t", envelope_id));
    if (!is_ours)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "no message has the notice's envelope id");
    TRY(durably(outbox, false, error));
    return sqlite_change(&outbox->file, &changed, error,
                         "UPDATE message SET report = ?2,"
                         " settled_ns = CASE WHEN state = 2 THEN settled_ns ELSE ?3 END,"
                         " envelope_id = ?1, state = CASE"
                         " WHEN state IN (0, 3, 6) AND ?2 GLOB 'failed*' THEN 7"
                         " WHEN state IN (0, 5, 6, 8) AND NOT ?2 GLOB 'failed*' THEN 3"
                         " ELSE state END"
                         " WHERE (envelope_id = ?1 AND state IN (0, 1, 2, 3, 5, 6, 8)"
                         " OR state IN (0, 1, 2, 5, 6, 8) AND NOT ?2 GLOB 'failed*')"
                         " AND (notice, id) IN"
                         " (SELECT notice, id FROM attempt WHERE envelope_id = ?1)",
                         "ttn", envelope_id, report, now_ns);
}

enum status outbox_sync(struct outbox *outbox, struct error *error)
{
    TRY(durably(outbox, true, error));
    return sqlite_change(&outbox->file, NULL, error,
                         "INSERT INTO setting VALUES ('synced', 1)"
                         " ON CONFLICT (name) DO UPDATE SET value = value + 1",
                         "");
}

enum status outbox_resolve_doubt(struct outbox *outbox, int64_t notice, enum outbox_state state,
                                 uint64_t *count, struct error *error)
{
    int64_t changed = 0;
    CHECK(state == OUTBOX_READY || state == OUTBOX_LETTER);
    TRY(durably(outbox, true, error));
    TRY(sqlite_change(&outbox->file, &changed, error,
                      "UPDATE message SET state = ?2 WHERE notice = ?1 AND state = 6", "nn", notice,
                      (int64_t)state));
    *count = (uint64_t)changed;
    return STATUS_OK;
}

enum status outbox_expire_doubt(struct outbox *outbox, int64_t notice, int64_t wait_ns,
                                int64_t now_ns, uint64_t *count, struct error *error)
{
    int64_t changed = 0;
    TRY(durably(outbox, true, error));
    TRY(sqlite_change(&outbox->file, &changed, error,
                      "UPDATE message SET state = 0"
                      " WHERE notice = ?1 AND state = 6 AND promised = 1 AND CASE"
                      " WHEN boot = ?2 AND offered_up_ns IS NOT NULL THEN offered_up_ns <= ?3"
                      " ELSE max(offered_ns, ifnull(begun_ns, offered_ns)) <= ?4 END",
                      "ntnn", notice, outbox->boot, clock_monotonic_ns() - wait_ns,
                      now_ns - wait_ns));
    *count = (uint64_t)changed;
    return STATUS_OK;
}

/* ---- pausing and counting ---- */

static enum status write_setting(struct outbox *outbox, const char *name, bool value,
                                 struct error *error)
{
    TRY(durably(outbox, true, error));
    TRY(sqlite_change(&outbox->file, NULL, error,
                      "INSERT INTO setting VALUES (?1, ?2)"
                      " ON CONFLICT (name) DO UPDATE SET value = ?2",
                      "tn", name, (int64_t)value));
    return durably(outbox, false, error);
}

static enum status read_setting(struct outbox *outbox, const char *name, bool *value,
                                struct error *error)
{
    int64_t number = 0;
    bool found = false;
    TRY(sqlite_number(&outbox->file, &number, &found, error,
                      "SELECT value FROM setting WHERE name = ?1", "t", name));
    *value = found && number != 0;
    return STATUS_OK;
}

enum status outbox_set_paused(struct outbox *outbox, bool paused, struct error *error)
{
    return write_setting(outbox, "paused", paused, error);
}

enum status outbox_paused(struct outbox *outbox, bool *paused, struct error *error)
{
    return read_setting(outbox, "paused", paused, error);
}

enum status outbox_set_dsn(struct outbox *outbox, bool offered, struct error *error)
{
    return write_setting(outbox, "dsn", offered, error);
}

enum status outbox_dsn(struct outbox *outbox, bool *offered, struct error *error)
{
    return read_setting(outbox, "dsn", offered, error);
}

enum status outbox_count(struct outbox *outbox, int64_t notice, struct outbox_counts *counts,
                         struct error *error)
{
    struct outbox_counts found = {
        .first_accepted_ns = INT64_MIN, .last_accepted_ns = INT64_MIN, .next_retry_ns = INT64_MAX};
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&outbox->file, &statement, error,
                       "SELECT state, count(*), min(begun_ns), max(begun_ns), min(retry_ns),"
                       " count(*) FILTER (WHERE promised = 1)"
                       " FROM message WHERE notice = ?1 GROUP BY state",
                       "n", notice));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(&outbox->file, statement, &row, error)) == STATUS_OK && row) {
        int64_t state = sqlite3_column_int64(statement, 0);
        if (state < 0 || state >= OUTBOX_STATES) {
            status = error_set(error, STATUS_CORRUPT, "XX001", NULL, "outbox: an unknown state");
            break;
        }
        found.states[state] = (uint64_t)sqlite3_column_int64(statement, 1);
        found.total += found.states[state];
        if (state == OUTBOX_ACCEPTED) {
            found.first_accepted_ns = sqlite_instant(statement, 2);
            found.last_accepted_ns = sqlite_instant(statement, 3);
        }
        if (state == OUTBOX_IN_DOUBT)
            found.promised = (uint64_t)sqlite3_column_int64(statement, 5);
        if (state == OUTBOX_DEFERRED)
            found.next_retry_ns = sqlite3_column_int64(statement, 4);
    }
    sqlite3_finalize(statement);
    if (status == STATUS_OK)
        *counts = found;
    return status;
}

static struct outbox_proof proof_of(sqlite3_stmt *statement)
{
    return (struct outbox_proof){
        .id = (uint32_t)sqlite3_column_int64(statement, 0),
        .kind = (uint16_t)sqlite3_column_int64(statement, 1),
        .variant = (uint32_t)sqlite3_column_int64(statement, 2),
        .state = (enum outbox_state)sqlite3_column_int64(statement, 3),
        .attempts = (uint32_t)sqlite3_column_int64(statement, 4),
        .begun_ns = sqlite_instant(statement, 5),
        .settled_ns = sqlite_instant(statement, 6),
        .rendered =
            sqlite3_column_bytes(statement, 7) == 32 ? sqlite3_column_blob(statement, 7) : NULL,
        .envelope_id = sqlite_text(statement, 8),
        .reply = sqlite_text(statement, 9),
        .report = sqlite_text(statement, 10),
    };
}

enum status outbox_each(struct outbox *outbox, int64_t notice,
                        enum status (*fn)(void *context, const struct outbox_proof *proof,
                                          struct error *error),
                        void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&outbox->file, &statement, error,
                       "SELECT id, kind, variant, state, attempts, begun_ns, settled_ns, rendered,"
                       " envelope_id, reply, report FROM message WHERE notice = ?1 ORDER BY id",
                       "n", notice));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(&outbox->file, statement, &row, error)) == STATUS_OK && row) {
        struct outbox_proof proof = proof_of(statement);
        if ((unsigned)proof.state >= OUTBOX_STATES)
            status = error_set(error, STATUS_CORRUPT, "XX001", NULL, "outbox: an unknown state");
        else
            status = fn(context, &proof, error);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}
