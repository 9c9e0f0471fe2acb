/* The file behind the registry: what is contained now, and every act that ever changed it.
 * Only this file sees SQLite. https://sqlite.org/wal.html, /pragma.html#pragma_synchronous */
#include "registry/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 1, BUSY_MS = 5000 };

struct store {
    sqlite3 *database;
};

/* Each brings the schema from its index to the next version; they are never changed, only added
 * to. */
static const char *const migrations[SCHEMA_VERSION] = {
    "CREATE TABLE containment ("
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (partner, agent)) STRICT;"
    "CREATE TABLE act ("
    "  act_id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL,"
    "  verb TEXT NOT NULL CHECK (verb IN ('contain', 'restore')),"
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL) STRICT;",
};

static enum status fail(struct store *store, struct error *error, const char *doing)
{
    int code = sqlite3_errcode(store->database) & 0xff;
    bool corrupt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return error_set(error, corrupt ? STATUS_CORRUPT : STATUS_IO, corrupt ? "XX001" : "58030", NULL,
                     "registry: %s: %s", doing, sqlite3_errmsg(store->database));
}

static enum status execute(struct store *store, const char *sql, struct error *error)
{
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(store, error, "write");
    return STATUS_OK;
}

/* The first value of a statement's first row, as a number or a text; NULL row: empty. */
static enum status read_one(struct store *store, const char *sql, int64_t *number, char text[64],
                            struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(store, error, "read");
    enum status status = STATUS_OK;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const unsigned char *value = sqlite3_column_text(statement, 0);
        *number = sqlite3_column_int64(statement, 0);
        snprintf(text, 64, "%s", value == NULL ? "" : (const char *)value);
    } else {
        status = fail(store, error, "read");
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- opening ---- */

/* SQLite would make it with the umask's mode, and its side files after it. */
static enum status make_private(const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    close(fd);
    return STATUS_OK;
}

static enum status migrate(struct store *store, struct error *error)
{
    int64_t version = 0;
    char text[64];
    TRY(read_one(store, "PRAGMA user_version", &version, text, error));
    if (version > SCHEMA_VERSION || version < 0)
        return error_set(error, STATUS_INVALID, "F0000",
                         "use the version that wrote it, or a newer one",
                         "registry: written by a newer version (schema %lld, known up to %d)",
                         (long long)version, SCHEMA_VERSION);
    for (; version < SCHEMA_VERSION; version++) {
        char finish[64];
        sqlite3_snprintf(sizeof finish, finish, "PRAGMA user_version = %lld; COMMIT",
                         (long long)version + 1);
        TRY(execute(store, "BEGIN IMMEDIATE", error));
        TRY(execute(store, migrations[version], error));
        TRY(execute(store, finish, error));
    }
    return STATUS_OK;
}

static enum status prepare(struct store *store, struct error *error)
{
    int64_t number = 0;
    char text[64];
    sqlite3_busy_timeout(store->database, BUSY_MS);
    sqlite3_extended_result_codes(store->database, 1);
    TRY(read_one(store, "PRAGMA quick_check(1)", &number, text, error));
    if (strcmp(text, "ok") != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "restore it from a backup",
                         "registry: the file fails its check: %s", text);
    TRY(read_one(store, "PRAGMA journal_mode = WAL", &number, text, error));
    if (strcmp(text, "wal") != 0)
        return error_set(error, STATUS_IO, "58030", NULL, "registry: no write-ahead log here (%s)",
                         text);
    TRY(execute(store, "PRAGMA synchronous = FULL", error));
    return migrate(store, error);
}

enum status store_open(const char *path, struct store **store, struct error *error)
{
    TRY(make_private(path, error));
    struct store *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    enum status status;
    if (sqlite3_open_v2(path, &opened->database, flags, NULL) != SQLITE_OK)
        status = fail(opened, error, "open");
    else
        status = prepare(opened, error);
    if (status != STATUS_OK) {
        error_prefix(error, "%s", path);
        store_close(opened);
        return status;
    }
    *store = opened;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    sqlite3_close(store->database);
    free(store);
}

/* ---- reading and writing ---- */

enum status store_read(struct store *store,
                       enum status (*take)(void *context, const struct store_entry *entry),
                       void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    static const char sql[] = "SELECT partner, agent, reason, by, since_ns FROM containment"
                              " ORDER BY since_ns, partner, agent";
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(store, error, "read");
    enum status status = STATUS_OK;
    int step = SQLITE_DONE;
    while (status == STATUS_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct store_entry entry = {
            .partner = (const char *)sqlite3_column_text(statement, 0),
            .agent = (const char *)sqlite3_column_text(statement, 1),
            .reason = (const char *)sqlite3_column_text(statement, 2),
            .by = (const char *)sqlite3_column_text(statement, 3),
            .since_ns = sqlite3_column_int64(statement, 4),
        };
        status = take(context, &entry);
    }
    if (status == STATUS_OK && step != SQLITE_DONE)
        status = fail(store, error, "read");
    sqlite3_finalize(statement);
    return status;
}

/* Runs sql with ?1 partner, ?2 agent, ?3 reason, ?4 by, ?5 time. */
static enum status run(struct store *store, const char *sql, const struct store_entry *entry,
                       struct error *error)
{
    const char *texts[] = {entry->partner, entry->agent, entry->reason, entry->by};
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(store, error, "write");
    int wanted = sqlite3_bind_parameter_count(statement);
    bool bound = true;
    for (int i = 0; i < 4 && i < wanted; i++)
        bound =
            bound && sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC) == SQLITE_OK;
    if (wanted > 4)
        bound = bound && sqlite3_bind_int64(statement, 5, entry->since_ns) == SQLITE_OK;
    enum status status = STATUS_OK;
    if (!bound || sqlite3_step(statement) != SQLITE_DONE)
        status = fail(store, error, "write");
    sqlite3_finalize(statement);
    return status;
}

/* The change and its entry in the history, or neither. */
static enum status act(struct store *store, const char *change, const char *note,
                       const struct store_entry *entry, struct error *error)
{
    TRY(execute(store, "BEGIN IMMEDIATE", error));
    enum status status = run(store, change, entry, error);
    if (status == STATUS_OK)
        status = run(store, note, entry, error);
    if (status == STATUS_OK)
        status = execute(store, "COMMIT", error);
    /* A failed COMMIT may have ended the transaction by itself. */
    if (status != STATUS_OK && !sqlite3_get_autocommit(store->database))
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

enum status store_contain(struct store *store, const struct store_entry *entry, struct error *error)
{
    return act(store,
               "INSERT INTO containment (partner, agent, reason, by, since_ns)"
               " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
               "INSERT INTO act (verb, partner, agent, reason, by, at_ns)"
               " VALUES ('contain', ?1, ?2, ?3, ?4, ?5)",
               entry, error);
}

enum status store_restore(struct store *store, const struct store_entry *entry, struct error *error)
{
    return act(store, "DELETE FROM containment WHERE partner = ?1 AND agent = ?2",
               "INSERT INTO act (verb, partner, agent, reason, by, at_ns)"
               " VALUES ('restore', ?1, ?2, ?3, ?4, ?5)",
               entry, error);
}
