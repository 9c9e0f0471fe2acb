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
    /* 3: single credentials are contained, restoring takes two, and acts know whether the ledger
     * has them */
    "CREATE TABLE containment_of ("
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, credential TEXT NOT NULL,"
    "  since_ns INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,"
    "  proposed_reason TEXT, proposed_by TEXT, proposed_ns INTEGER,"
    "  PRIMARY KEY (partner, agent, credential)) STRICT;"
    "INSERT INTO containment_of (partner, agent, credential, since_ns, reason, by)"
    "  SELECT partner, agent, '', since_ns, reason, by FROM containment;"
    "DROP TABLE containment;"
    "ALTER TABLE containment_of RENAME TO containment;"
    "CREATE TABLE act_of ("
    "  act_id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL,"
    "  verb TEXT NOT NULL CHECK (verb IN ('contain', 'propose restore', 'restore')),"
    "  partner TEXT NOT NULL, agent TEXT NOT NULL, credential TEXT NOT NULL,"
    "  reason TEXT NOT NULL, by TEXT NOT NULL, proposed_by TEXT,"
    "  recorded INTEGER NOT NULL CHECK (recorded IN (0, 1))) STRICT;"
    "INSERT INTO act_of (act_id, at_ns, verb, partner, agent, credential, reason, by, recorded)"
    "  SELECT act_id, at_ns, verb, partner, agent, '', reason, by, 1 FROM act;"
    "DROP TABLE act;"
    "ALTER TABLE act_of RENAME TO act;",
    /* 4: requests for just-in-time access (store_requests.c) */
    "CREATE TABLE request ("
    "  request_id INTEGER PRIMARY KEY, partner TEXT NOT NULL, agent TEXT NOT NULL,"
    "  dataset TEXT NOT NULL, purpose TEXT NOT NULL, reason TEXT NOT NULL, mark TEXT NOT NULL,"
    "  asked_ns INTEGER NOT NULL, asked_by TEXT NOT NULL, state INTEGER NOT NULL,"
    "  approvals INTEGER NOT NULL, approver_1 TEXT NOT NULL, approver_2 TEXT NOT NULL,"
    "  for_ns INTEGER NOT NULL, approved_ns INTEGER, decided_by TEXT NOT NULL,"
    "  decision TEXT NOT NULL, decided_ns INTEGER) STRICT;",
    /* 5: the newest CRL that was seen of each authority (store_crls.c) */
    "CREATE TABLE crl_seen ("
    "  authority TEXT PRIMARY KEY, number TEXT NOT NULL, sha256 TEXT NOT NULL,"
    "  this_update_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL, issuer TEXT NOT NULL) STRICT;",
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

static void read_entry(sqlite3_stmt *statement, struct store_entry *entry)
{
    *entry = (struct store_entry){
        .partner = sqlite_text(statement, 0),
        .agent = sqlite_text(statement, 1),
        .credential = sqlite_text(statement, 2),
        .reason = sqlite_text(statement, 3),
        .by = sqlite_text(statement, 4),
        .since_ns = sqlite_instant(statement, 5),
        .proposed_by = sqlite_text(statement, 6),
    };
}

enum status store_read(struct store *store,
                       enum status (*take)(void *context, const struct store_entry *entry),
                       void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&store->file, &statement, error,
                       "SELECT partner, agent, credential, reason, by, since_ns, proposed_by,"
                       " proposed_reason, proposed_ns FROM containment"
                       " ORDER BY since_ns, partner, agent, credential",
                       ""));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(&store->file, statement, &row, error)) == STATUS_OK && row) {
        struct store_entry entry;
        read_entry(statement, &entry);
        entry.proposed_reason = sqlite_text(statement, 7);
        entry.proposed_ns = sqlite_instant(statement, 8);
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
                               "INSERT INTO act (verb, partner, agent, credential, reason, by,"
                               " at_ns, proposed_by, recorded)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                               "ttttttntn", verb, entry->partner, entry->agent, entry->credential,
                               entry->reason, entry->by, entry->since_ns, entry->proposed_by,
                               (int64_t)entry->is_recorded);
    return sqlite_finish(&store->file, status, error);
}

enum status store_contain(struct store *store, const struct store_entry *entry, struct error *error)
{
    TRY(sqlite_begin(&store->file, error));
    enum status status =
        sqlite_change(&store->file, NULL, error,
                      "INSERT INTO containment (partner, agent, credential, reason, by, since_ns)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
                      " proposed_reason = NULL, proposed_by = NULL, proposed_ns = NULL",
                      "tttttn", entry->partner, entry->agent, entry->credential, entry->reason,
                      entry->by, entry->since_ns);
    return note(store, status, "contain", entry, error);
}

enum status store_propose(struct store *store, const struct store_entry *entry, struct error *error)
{
    TRY(sqlite_begin(&store->file, error));
    enum status status = sqlite_change(
        &store->file, NULL, error,
        "UPDATE containment SET proposed_reason = ?4, proposed_by = ?5, proposed_ns = ?6"
        " WHERE partner = ?1 AND agent = ?2 AND credential = ?3",
        "tttttn", entry->partner, entry->agent, entry->credential, entry->reason, entry->by,
        entry->since_ns);
    return note(store, status, "propose restore", entry, error);
}

enum status store_restore(struct store *store, const struct store_entry *entry, struct error *error)
{
    TRY(sqlite_begin(&store->file, error));
    enum status status = sqlite_change(
        &store->file, NULL, error,
        "DELETE FROM containment WHERE partner = ?1 AND agent = ?2 AND credential = ?3", "ttt",
        entry->partner, entry->agent, entry->credential);
    return note(store, status, "restore", entry, error);
}

enum status store_next_unrecorded(struct store *store, int64_t *act_id,
                                  enum status (*take)(void *context, const char *verb,
                                                      const struct store_entry *act),
                                  void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&store->file, &statement, error,
                       "SELECT partner, agent, credential, reason, by, at_ns, proposed_by, verb,"
                       " act_id FROM act WHERE recorded = 0 ORDER BY act_id LIMIT 1",
                       ""));
    enum status status = sqlite_step(&store->file, statement, &row, error);
    *act_id = 0;
    if (status == STATUS_OK && row) {
        struct store_entry act;
        read_entry(statement, &act);
        *act_id = sqlite3_column_int64(statement, 8);
        status = take(context, sqlite_text(statement, 7), &act);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_recorded(struct store *store, int64_t act_id, struct error *error)
{
    return sqlite_change(&store->file, NULL, error, "UPDATE act SET recorded = 1 WHERE act_id = ?1",
                         "n", act_id);
}
