/* See store_revocations.h. */
#include "registry/store_revocations.h"

#include "registry/sqlite.h"

enum status store_read_revocations(struct store *store,
                                   enum status (*take)(void *context,
                                                       const struct store_revocation *entry),
                                   void *context, struct error *error)
{
    struct sqlite *file = store_file(store);
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(file, &statement, error,
                       "SELECT issuer, id, reason, by, since_ns FROM revocation"
                       " ORDER BY since_ns, issuer, id",
                       ""));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(file, statement, &row, error)) == STATUS_OK && row) {
        struct store_revocation entry = {
            .issuer = sqlite_text(statement, 0),
            .id = sqlite_text(statement, 1),
            .reason = sqlite_text(statement, 2),
            .by = sqlite_text(statement, 3),
            .since_ns = sqlite_instant(statement, 4),
        };
        status = take(context, &entry);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_revoke(struct store *store, const struct store_revocation *entry,
                         struct error *error)
{
    struct sqlite *file = store_file(store);
    TRY(sqlite_begin(file, error));
    enum status status =
        sqlite_change(file, NULL, error,
                      "INSERT INTO revocation (issuer, id, reason, by, since_ns)"
                      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                      "ttttn", entry->issuer, entry->id, entry->reason, entry->by, entry->since_ns);
    return sqlite_finish(file, status, error);
}
