/* See deliveries.h. */
#include "registry/deliveries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "registry/sqlite.h"

enum { COMMITTED_BYTES = 256 * 1024 * 1024, PATH_ROOM = 4096 };

struct deliveries {
    struct sqlite file;
};

static const char *const migrations[] = {
    "CREATE TABLE delivery ("
    "  id TEXT PRIMARY KEY, partner TEXT NOT NULL, agent TEXT NOT NULL, purpose TEXT NOT NULL,"
    "  by TEXT NOT NULL, file TEXT NOT NULL, format TEXT NOT NULL, statement_sha256 TEXT NOT NULL,"
    "  opened_ns INTEGER NOT NULL, opened_at INTEGER NOT NULL, closed_ns INTEGER,"
    "  closed_at INTEGER, outcome TEXT, sha256 TEXT, rows INTEGER, canaries INTEGER,"
    "  commitment TEXT) STRICT;"
    "CREATE TABLE canary ("
    "  canary_id INTEGER PRIMARY KEY, delivery TEXT NOT NULL REFERENCES delivery,"
    "  row INTEGER NOT NULL, column TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,"
    "  key TEXT NOT NULL, form TEXT NOT NULL, value TEXT NOT NULL, invented INTEGER NOT NULL)"
    "  STRICT;"
    "CREATE INDEX canary_value ON canary (value);"
    "CREATE INDEX canary_delivery ON canary (delivery, row);",
};
static const struct sqlite_layout layout = {
    .what = "deliveries",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

enum status deliveries_open(const char *path, struct deliveries **deliveries, struct error *error)
{
    struct deliveries *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = sqlite_open(path, &layout, &opened->file, error);
    if (status == STATUS_OK)
        *deliveries = opened;
    else
        free(opened);
    return status;
}

void deliveries_close(struct deliveries *deliveries)
{
    if (deliveries == NULL)
        return;
    sqlite_close(&deliveries->file);
    free(deliveries);
}

/* An empty file of ours first, so that what is copied is never seen by others.
 * https://sqlite.org/lang_vacuum.html#vacuuminto: it may be there if it is empty. */
static enum status make_empty(const char *path, int *fd, struct error *error)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(error, errno, "%.300s", path);
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *fd < 0 ? error_set_errno(error, errno, "%.300s", path) : STATUS_OK;
}

enum status deliveries_copy(struct deliveries *deliveries, const char *to, struct error *error)
{
    char partial[PATH_ROOM];
    int fd = -1;
    if (snprintf(partial, sizeof partial, "%s.new", to) >= (int)sizeof partial)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the file's name is too long");
    TRY(make_empty(partial, &fd, error));
    enum status status =
        sqlite_change(&deliveries->file, NULL, error, "VACUUM INTO ?1", "t", partial);
    if (status == STATUS_OK && (fsync(fd) != 0 || rename(partial, to) != 0))
        status = error_set_errno(error, errno, "%.300s", to);
    close(fd);
    if (status != STATUS_OK)
        unlink(partial);
    return status;
}

/* ---- deliveries ---- */

enum status deliveries_add(struct deliveries *deliveries, const struct delivery *delivery,
                           struct error *error)
{
    int64_t changed;
    TRY(sqlite_change(&deliveries->file, &changed, error,
                      "INSERT INTO delivery (id, partner, agent, purpose, by, file, format,"
                      " statement_sha256, opened_ns, opened_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                      " ON CONFLICT DO NOTHING",
                      "ttttttttnn", delivery->id, delivery->partner, delivery->agent,
                      delivery->purpose, delivery->by, delivery->file, delivery->format,
                      delivery->statement_sha256, delivery->opened_ns, delivery->opened_at));
    return changed == 1 ? STATUS_OK
                        : error_set(error, STATUS_INVALID, "23505", NULL,
                                    "delivery %s is there already", delivery->id);
}

enum status deliveries_finish(struct deliveries *deliveries, const struct delivery *delivery,
                              struct error *error)
{
    int64_t changed;
    TRY(sqlite_change(
        &deliveries->file, &changed, error,
        "UPDATE delivery SET closed_ns = ?2, outcome = ?3, sha256 = ?4, rows = ?5,"
        " canaries = ?6, commitment = ?7, closed_at = ?8 WHERE id = ?1 AND closed_ns IS NULL",
        "tnttnntn", delivery->id, delivery->closed_ns, delivery->outcome, delivery->sha256,
        delivery->rows, delivery->canaries, delivery->commitment, delivery->closed_at));
    return changed == 1
               ? STATUS_OK
               : error_set(error, STATUS_DENIED, "55000", NULL,
                           "delivery %s is closed, or there is none of that id", delivery->id);
}

#define DELIVERY_COLUMNS                                                                           \
    "id, partner, agent, purpose, by, file, format, statement_sha256, opened_ns, closed_ns, "      \
    "outcome, sha256, rows, canaries, commitment, opened_at, closed_at"

static struct delivery take_delivery(sqlite3_stmt *statement, struct arena *arena)
{
    return (struct delivery){
        .id = sqlite_copy(statement, 0, arena),
        .partner = sqlite_copy(statement, 1, arena),
        .agent = sqlite_copy(statement, 2, arena),
        .purpose = sqlite_copy(statement, 3, arena),
        .by = sqlite_copy(statement, 4, arena),
        .file = sqlite_copy(statement, 5, arena),
        .format = sqlite_copy(statement, 6, arena),
        .statement_sha256 = sqlite_copy(statement, 7, arena),
        .opened_ns = sqlite_instant(statement, 8),
        .closed_ns = sqlite_instant(statement, 9),
        .outcome = sqlite_copy(statement, 10, arena),
        .sha256 = sqlite_copy(statement, 11, arena),
        .rows = sqlite3_column_int64(statement, 12),
        .canaries = sqlite3_column_int64(statement, 13),
        .commitment = sqlite_copy(statement, 14, arena),
        .opened_at = sqlite3_column_int64(statement, 15),
        .closed_at = sqlite3_column_int64(statement, 16),
    };
}

enum status deliveries_get(struct deliveries *deliveries, const char *id, struct arena *arena,
                           struct delivery *delivery, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&deliveries->file, &statement, error,
                       "SELECT " DELIVERY_COLUMNS " FROM delivery WHERE id = ?1", "t", id));
    enum status status = sqlite_step(&deliveries->file, statement, &row, error);
    if (status == STATUS_OK && !row)
        status = error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam export --list shows them",
                           "there is no delivery %.60s", id);
    if (status == STATUS_OK)
        *delivery = take_delivery(statement, arena);
    sqlite3_finalize(statement);
    if (status == STATUS_OK && arena->overflowed)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return status;
}

enum status deliveries_list(struct deliveries *deliveries, const char *partner, struct table *table,
                            struct error *error)
{
    static const char *const columns[] = {"delivery", "partner", "agent",  "purpose",  "opened",
                                          "closed",   "outcome", "rows",   "canaries", "file",
                                          "sha256",   "by",      "format", NULL};
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&deliveries->file, &statement, error,
                       "SELECT id, partner, agent, purpose, opened_ns, closed_ns,"
                       " coalesce(outcome, 'unfinished'), rows, canaries, file, sha256, by, format"
                       " FROM delivery WHERE ?1 IS NULL OR partner = ?1"
                       " ORDER BY opened_ns DESC, id",
                       "t", partner));
    enum status status =
        sqlite_table(&deliveries->file, statement, "ttttiitnntttt", columns, table, error);
    if (status == STATUS_LIMIT)
        return error_set(error, STATUS_LIMIT, "54000", "Ask for a partner.",
                         "too many deliveries to list");
    return status;
}

/* ---- canaries ---- */

enum status deliveries_add_canaries(struct deliveries *deliveries, const struct canary *canaries,
                                    size_t count, struct error *error)
{
    TRY(sqlite_begin(&deliveries->file, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct canary *canary = &canaries[i];
        status = sqlite_change(
            &deliveries->file, NULL, error,
            "INSERT INTO canary (delivery, row, column, source, kind, key, form, value, invented)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            "tnttttttn", canary->delivery, canary->row, canary->column, canary->source,
            canary->kind, canary->key, canary->form, canary->value, (int64_t)canary->is_invented);
    }
    return sqlite_finish(&deliveries->file, status, error);
}

#define CANARY_COLUMNS                                                                             \
    "canary.delivery, delivery.partner, row, column, source, kind, key, form, value, invented"     \
    " FROM canary JOIN delivery ON delivery.id = canary.delivery"

static enum status give_canaries(struct deliveries *deliveries, sqlite3_stmt *statement,
                                 deliveries_canary *take, void *context, struct error *error)
{
    enum status status;
    bool row = false;
    while ((status = sqlite_step(&deliveries->file, statement, &row, error)) == STATUS_OK && row) {
        const struct canary canary = {
            .delivery = sqlite_text(statement, 0),
            .partner = sqlite_text(statement, 1),
            .row = sqlite3_column_int64(statement, 2),
            .column = sqlite_text(statement, 3),
            .source = sqlite_text(statement, 4),
            .kind = sqlite_text(statement, 5),
            .key = sqlite_text(statement, 6),
            .form = sqlite_text(statement, 7),
            .value = sqlite_text(statement, 8),
            .is_invented = sqlite3_column_int64(statement, 9) != 0,
        };
        status = take(context, &canary, error);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

enum status deliveries_each_canary(struct deliveries *deliveries, const char *delivery,
                                   deliveries_canary *take, void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&deliveries->file, &statement, error,
                       "SELECT " CANARY_COLUMNS " WHERE ?1 IS NULL OR canary.delivery = ?1"
                       " ORDER BY canary.delivery, row, canary_id",
                       "t", delivery));
    return give_canaries(deliveries, statement, take, context, error);
}

enum status deliveries_match_canary(struct deliveries *deliveries, const char *value,
                                    deliveries_canary *take, void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&deliveries->file, &statement, error,
                       "SELECT " CANARY_COLUMNS " WHERE value = ?1"
                       " ORDER BY canary.delivery, row, canary_id",
                       "t", value));
    return give_canaries(deliveries, statement, take, context, error);
}

/* ---- the commitment ---- */

struct committed {
    struct buffer bytes;
    int64_t rows;
};

static void put_text(struct buffer *out, const char *text)
{
    buffer_append_u32be(out, (uint32_t)strlen(text));
    buffer_append_text(out, text);
}

static enum status commit_value(void *context, const struct canary *canary, struct error *error)
{
    struct committed *committed = context;
    struct buffer *out = &committed->bytes;
    buffer_append_u64be(out, (uint64_t)canary->row);
    put_text(out, canary->column);
    put_text(out, canary->source);
    put_text(out, canary->kind);
    put_text(out, canary->key);
    put_text(out, canary->form);
    put_text(out, canary->value);
    buffer_append_u8(out, canary->is_invented ? 1 : 0);
    committed->rows += canary->row > committed->rows ? canary->row - committed->rows : 0;
    return out->overflowed ? error_set(error, STATUS_LIMIT, "54000", "Ask for fewer canaries.",
                                       "the canaries' values are too long")
                           : STATUS_OK;
}

enum status deliveries_commitment(struct deliveries *deliveries, const char *delivery,
                                  uint8_t digest[static 32], int64_t *rows, struct error *error)
{
    static const char label[] = "cofferdam canaries v1\n";
    struct committed committed = {.rows = 0};
    buffer_init(&committed.bytes, COMMITTED_BYTES);
    buffer_append_text(&committed.bytes, label);
    put_text(&committed.bytes, delivery);
    enum status status =
        deliveries_each_canary(deliveries, delivery, commit_value, &committed, error);
    if (status == STATUS_OK) {
        const struct slice bytes = buffer_slice(&committed.bytes);
        crypto_sha256(&bytes, 1, digest);
        *rows = committed.rows;
    }
    buffer_free(&committed.bytes);
    return status;
}
