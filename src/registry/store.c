/* The file behind the registry: what is contained now, and every act that ever changed it. */
#include "registry/store.h"

#include <stdlib.h>

#include "registry/sqlite.h"

struct store {
    struct sqlite file;
};

static const char *const migrations[] = {
    "CREATE TABLE containment ("
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (partner, agent)) STRICT;"
    "CREATE TABLE act ("
    "  act_id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL,"
    "  verb TEXT NOT NULL CHECK (verb IN ('contain', 'restore')),"
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL) STRICT;",
    /* 2: certificates and tokens that are never accepted again (store_revocations.c) */
    "CREATE TABLE revocation ("
    "  issuer TEXT NOT NULL, id TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (issuer, id)) STRICT;",
};
static const struct sqlite_layout layout = {
    .what = "registry",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

enum status store_open(const char *path, struct store **store, struct error *error)
{
    struct store *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = sqlite_open(path, &layout, &opened->file, error);
    if (status == STATUS_OK)
        *store = opened;
    else
        free(opened);
    return status;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    sqlite_close(&store->file);
    free(store);
}

struct sqlite *store_file(struct store *store)
{
    return &store->file;
}

enum status store_read(struct store *store,
                       enum status (*take)(void *context, const struct store_entry *entry),
                       void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&store->file, &statement, error,
                       "SELECT partner, agent, reason, by, since_ns FROM containment"
                       " ORDER BY since_ns, partner, agent",
                       ""));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(&store->file, statement, &row, error)) == STATUS_OK && row) {
        struct store_entry entry = {
            .partner = sqlite_text(statement, 0),
            .agent = sqlite_text(statement, 1),
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

/* Notes the act in the history, in the transaction of the change that went so far. */
static enum status note(struct store *store, enum status status, const char *verb,
                        const struct store_entry *entry, struct error *error)
{
    if (status == STATUS_OK)
        status = sqlite_change(&store->file, NULL, error,
                               "INSERT INTO act (verb, partner, agent, reason, by, at_ns)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                               "tttttn", verb, entry->partner, entry->agent, entry->reason,
                               entry->by, entry->since_ns);
    return sqlite_finish(&store->file, status, error);
}

enum status store_contain(struct store *store, const struct store_entry *entry, struct error *error)
{
    TRY(sqlite_begin(&store->file, error));
    enum status status = sqlite_change(
        &store->file, NULL, error,
        "INSERT INTO containment (partner, agent, reason, by, since_ns)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        "ttttn", entry->partner, entry->agent, entry->reason, entry->by, entry->since_ns);
    return note(store, status, "contain", entry, error);
}

enum status store_restore(struct store *store, const struct store_entry *entry, struct error *error)
{
    TRY(sqlite_begin(&store->file, error));
    enum status status = sqlite_change(&store->file, NULL, error,
                                       "DELETE FROM containment WHERE partner = ?1 AND agent = ?2",
                                       "tt", entry->partner, entry->agent);
    return note(store, status, "restore", entry, error);
}
