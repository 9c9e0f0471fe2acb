/* SQLite as the registry uses it. See sqlite.h. */
#include "registry/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "base/log.h"

enum { BUSY_MS = 10000, RETRY_MS = 20, TABLE_BYTES = 64 * 1024 * 1024 };

enum status sqlite_fail(struct sqlite *sqlite, struct error *error, const char *doing)
{
    int code = sqlite3_errcode(sqlite->database) & 0xff;
    bool corrupt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return error_set(error, corrupt ? STATUS_CORRUPT : STATUS_IO, corrupt ? "XX001" : "58030",
                     corrupt ? "restore it from a backup" : NULL, "%s: %s: %s",
                     sqlite->layout->what, doing, sqlite3_errmsg(sqlite->database));
}

enum status sqlite_execute(struct sqlite *sqlite, const char *sql, struct error *error)
{
    if (sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, error, "write");
    return STATUS_OK;
}

enum status sqlite_begin(struct sqlite *sqlite, struct error *error)
{
    return sqlite_execute(sqlite, "BEGIN IMMEDIATE", error);
}

/* A failed COMMIT may have ended the transaction by itself. */
static void roll_back(struct sqlite *sqlite)
{
    if (!sqlite3_get_autocommit(sqlite->database))
        sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL);
}

/* A transaction whose sync failed may stand whole in the log's file, where the next start would
 * find it, and do what was told to have failed. A change of nothing takes its place there: what
 * stood behind then no longer fits the chain of checksums (https://sqlite.org/fileformat2.html,
 * 4.1). */
static enum status outdo(struct sqlite *sqlite, struct error *error)
{
    char sql[80];
    int64_t version = 0;
    enum status status = sqlite_number(sqlite, &version, NULL, error, "PRAGMA user_version", "");
    snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; PRAGMA user_version = %lld; COMMIT",
             (long long)version);
    if (status == STATUS_OK)
        status = sqlite_execute(sqlite, sql, error);
    roll_back(sqlite);
    sqlite->is_doubtful = status != STATUS_OK;
    return status;
}

static void undo_failed(struct sqlite *sqlite)
{
    struct error error;
    if (outdo(sqlite, &error) != STATUS_OK)
        log_event(LOG_ERROR, "failed_change_may_return", "file=\"%s\" reason=\"%s\"",
                  sqlite->layout->what, error.message);
}

enum status sqlite_finish(struct sqlite *sqlite, enum status status, struct error *error)
{
    bool commits = status == STATUS_OK;
    if (commits)
        status = sqlite_execute(sqlite, "COMMIT", error);
    if (commits && status == STATUS_OK)
        sqlite->is_doubtful = false;
    if (status != STATUS_OK)
        roll_back(sqlite);
    if (commits && status != STATUS_OK)
        undo_failed(sqlite);
    return status;
}

enum status sqlite_settle(struct sqlite *sqlite, struct error *error)
{
    return sqlite->is_doubtful ? outdo(sqlite, error) : STATUS_OK;
}

/* ---- opening ---- */

/* SQLite would make it with the umask's mode, and its side files after it. */
static enum status make_private(const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return STATUS_OK;
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    close(fd);
    return file_inherit_owner(path, error);
}

/* Another process may have migrated it since: the version counts that is read inside. */
static enum status migrate_one(struct sqlite *sqlite, int64_t *version, struct error *error)
{
    const struct sqlite_layout *layout = sqlite->layout;
    char finish[64];
    TRY(sqlite_begin(sqlite, error));
    enum status status = sqlite_number(sqlite, version, NULL, error, "PRAGMA user_version", "");
    if (status == STATUS_OK && *version < layout->version) {
        status = sqlite_execute(sqlite, layout->migrations[*version], error);
        snprintf(finish, sizeof finish, "PRAGMA user_version = %lld", (long long)*version + 1);
        if (status == STATUS_OK)
            status = sqlite_execute(sqlite, finish, error);
        *version += 1;
    }
    return sqlite_finish(sqlite, status, error);
}

static enum status migrate(struct sqlite *sqlite, struct error *error)
{
    const struct sqlite_layout *layout = sqlite->layout;
    int64_t version = 0;
    TRY(sqlite_number(sqlite, &version, NULL, error, "PRAGMA user_version", ""));
    while (version >= 0 && version < layout->version)
        TRY(migrate_one(sqlite, &version, error));
    if (version != layout->version)
        return error_set(error, STATUS_INVALID, "F0000",
                         "use the version that wrote it, or a newer one",
                         "%s: written by a newer version (schema %lld, known up to %d)",
                         layout->what, (long long)version, layout->version);
    return STATUS_OK;
}

/* The first value of a statement's first row, as a text; "" where there is none. */
static enum status read_text(struct sqlite *sqlite, const char *sql, char text[static 64],
                             struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(sqlite, &statement, error, sql, ""));
    enum status status = sqlite_step(sqlite, statement, &row, error);
    const char *value = row ? sqlite_text(statement, 0) : NULL;
    snprintf(text, 64, "%s", value == NULL ? "" : value);
    sqlite3_finalize(statement);
    return status;
}

/* The change of mode wants the file for itself and does not wait for it as others do. */
static enum status use_log(struct sqlite *sqlite, struct error *error)
{
    char mode[64];
    enum status status = STATUS_OK;
    for (int waited_ms = 0; waited_ms <= BUSY_MS; waited_ms += RETRY_MS) {
        status = read_text(sqlite, "PRAGMA journal_mode = WAL", mode, error);
        if (status == STATUS_OK || sqlite3_errcode(sqlite->database) % 256 != SQLITE_BUSY)
            break;
        sqlite3_sleep(RETRY_MS);
    }
    if (status == STATUS_OK && strcmp(mode, "wal") != 0)
        return error_set(error, STATUS_IO, "58030", NULL, "%s: no write-ahead log here (%s)",
                         sqlite->layout->what, mode);
    return status;
}

static enum status set_up(struct sqlite *sqlite, struct error *error)
{
    char text[64];
    sqlite3_busy_timeout(sqlite->database, BUSY_MS);
    sqlite3_extended_result_codes(sqlite->database, 1);
    TRY(read_text(sqlite, "PRAGMA quick_check(1)", text, error));
    if (strcmp(text, "ok") != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "restore it from a backup",
                         "%s: the file fails its check: %s", sqlite->layout->what, text);
    TRY(use_log(sqlite, error));
    TRY(sqlite_execute(sqlite, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", error));
    return migrate(sqlite, error);
}

enum status sqlite_open(const char *path, const struct sqlite_layout *layout, struct sqlite *sqlite,
                        struct error *error)
{
    struct sqlite opened = {.layout = layout};
    TRY(make_private(path, error));
    if (access(path, R_OK | W_OK) != 0)
        return error_set_errno(error, errno, "%s", path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    enum status status;
    if (sqlite3_open_v2(path, &opened.database, flags, NULL) != SQLITE_OK)
        status = sqlite_fail(&opened, error, "open");
    else
        status = set_up(&opened, error);
    if (status == STATUS_OK) {
        *sqlite = opened;
        return STATUS_OK;
    }
    error_prefix(error, "%s", path);
    sqlite_close(&opened);
    return status;
}

void sqlite_close(struct sqlite *sqlite)
{
    int code = sqlite3_close(sqlite->database);
    CHECK(code == SQLITE_OK); /* every statement has been finalized */
    sqlite->database = NULL;
}

/* ---- statements ---- */

static int bind_one(sqlite3_stmt *statement, int at, char type, va_list *args)
{
    if (type == 't')
        return sqlite3_bind_text(statement, at, va_arg(*args, const char *), -1, SQLITE_STATIC);
    if (type == 'n')
        return sqlite3_bind_int64(statement, at, va_arg(*args, int64_t));
    if (type == 'i') {
        int64_t instant = va_arg(*args, int64_t);
        return instant == INT64_MIN ? sqlite3_bind_null(statement, at)
                                    : sqlite3_bind_int64(statement, at, instant);
    }
    CHECK(type == 'b');
    const void *bytes = va_arg(*args, const void *);
    size_t len = va_arg(*args, size_t);
    return sqlite3_bind_blob64(statement, at, bytes, len, SQLITE_STATIC);
}

static enum status prepare_with(struct sqlite *sqlite, sqlite3_stmt **statement,
                                struct error *error, const char *sql, const char *types,
                                va_list *args)
{
    sqlite3_stmt *made = NULL;
    if (sqlite3_prepare_v2(sqlite->database, sql, -1, &made, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, error, "prepare");
    CHECK((size_t)sqlite3_bind_parameter_count(made) == strlen(types));
    for (int i = 0; types[i] != '\0'; i++) {
        if (bind_one(made, i + 1, types[i], args) != SQLITE_OK) {
            sqlite3_finalize(made);
            return sqlite_fail(sqlite, error, "bind");
        }
    }
    *statement = made;
    return STATUS_OK;
}

enum status sqlite_prepare(struct sqlite *sqlite, sqlite3_stmt **statement, struct error *error,
                           const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    enum status status = prepare_with(sqlite, statement, error, sql, types, &args);
    va_end(args);
    return status;
}

enum status sqlite_step(struct sqlite *sqlite, sqlite3_stmt *statement, bool *row,
                        struct error *error)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sqlite_fail(sqlite, error, sqlite3_stmt_readonly(statement) ? "read" : "write");
    *row = code == SQLITE_ROW;
    return STATUS_OK;
}

enum status sqlite_change(struct sqlite *sqlite, int64_t *changed, struct error *error,
                          const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list args;
    va_start(args, types);
    enum status status = prepare_with(sqlite, &statement, error, sql, types, &args);
    va_end(args);
    TRY(status);
    bool row = false, alone = sqlite3_get_autocommit(sqlite->database) != 0;
    status = sqlite_step(sqlite, statement, &row, error);
    bool disk = (sqlite3_errcode(sqlite->database) & 0xff) == SQLITE_IOERR;
    if (status == STATUS_OK && changed != NULL)
        *changed = sqlite3_changes64(sqlite->database);
    sqlite3_finalize(statement);
    if (status != STATUS_OK && alone && disk)
        undo_failed(sqlite);
    return status;
}

enum status sqlite_number(struct sqlite *sqlite, int64_t *number, bool *found, struct error *error,
                          const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list args;
    va_start(args, types);
    enum status status = prepare_with(sqlite, &statement, error, sql, types, &args);
    va_end(args);
    TRY(status);
    bool row = false;
    status = sqlite_step(sqlite, statement, &row, error);
    bool has = row && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    if (status == STATUS_OK && !has && found == NULL)
        status = error_set(error, STATUS_CORRUPT, "XX001", NULL, "%s: a value is missing",
                           sqlite->layout->what);
    if (status == STATUS_OK && has)
        *number = sqlite3_column_int64(statement, 0);
    if (status == STATUS_OK && found != NULL)
        *found = has;
    sqlite3_finalize(statement);
    return status;
}

const char *sqlite_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

int64_t sqlite_instant(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? INT64_MIN
               : sqlite3_column_int64(statement, column);
}

const char *sqlite_copy(sqlite3_stmt *statement, int column, struct arena *arena)
{
    const char *text = sqlite_text(statement, column);
    return text == NULL ? NULL : arena_strdup(arena, text);
}

/* ---- tables for staff ---- */

static void set_cell(struct table *table, struct table_row *row, int column, char type,
                     sqlite3_stmt *statement)
{
    char hex[2 * CRYPTO_SHA256_BYTES + 1];
    size_t at = (size_t)column;
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return;
    if (type == 'i') {
        table_set_instant(table, row, at, sqlite_instant(statement, column));
    } else if (type == 'b') {
        size_t len = (size_t)sqlite3_column_bytes(statement, column);
        crypto_hex(sqlite3_column_blob(statement, column),
                   len > CRYPTO_SHA256_BYTES ? CRYPTO_SHA256_BYTES : len, hex);
        table_set(table, row, at, "%s", hex);
    } else {
        CHECK(type == 't' || type == 'n');
        table_set(table, row, at, "%s", sqlite_text(statement, column));
    }
}

enum status sqlite_table(struct sqlite *sqlite, sqlite3_stmt *statement, const char *types,
                         const char *const *columns, struct table *table, struct error *error)
{
    bool found = false;
    enum status status;
    CHECK((size_t)sqlite3_column_count(statement) == strlen(types));
    table_init(table, TABLE_BYTES, columns);
    while ((status = sqlite_step(sqlite, statement, &found, error)) == STATUS_OK && found) {
        struct table_row *row = table_add(table);
        for (int i = 0; types[i] != '\0'; i++)
            set_cell(table, row, i, types[i], statement);
    }
    sqlite3_finalize(statement);
    if (status == STATUS_OK && table_overflowed(table))
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "%s: too much to show",
                           sqlite->layout->what);
    if (status != STATUS_OK)
        table_free(table);
    return status;
}
