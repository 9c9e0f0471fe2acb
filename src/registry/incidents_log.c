/* What is written down on the way: decisions, facts, filings, evidence. Only ever added to. */
#include "registry/incidents_private.h"

enum status incidents_add_decision(struct incidents *incidents, int64_t number,
                                   const struct incident_decision *decision, struct error *error)
{
    return sqlite_change(&incidents->file, NULL, error,
                         "INSERT INTO decision (incident, at_ns, by, step, why, sequence)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         "nntttn", number, decision->at_ns, decision->by, decision->step,
                         decision->why, (int64_t)decision->sequence);
}

enum status incidents_decisions(struct incidents *incidents, int64_t number, struct table *table,
                                struct error *error)
{
    static const char *const columns[] = {"number", "at", "by", "step", "why", "sequence", NULL};
    return incidents_fill(incidents, table, columns, "nitttn", error,
                          "SELECT row_number() OVER (ORDER BY id), at_ns, by, step, why, sequence"
                          " FROM decision WHERE incident = ?1 ORDER BY id",
                          number);
}

enum status incidents_set_fact(struct incidents *incidents, int64_t number, const char *name,
                               const char *value, const char *by, int64_t at_ns,
                               struct error *error)
{
    return sqlite_change(&incidents->file, NULL, error,
                         "INSERT INTO fact (incident, name, value, by, at_ns)"
                         " VALUES (?1, ?2, ?3, ?4, ?5)",
                         "ntttn", number, name, value, by, at_ns);
}

enum status incidents_get_fact(struct incidents *incidents, int64_t number, const char *name,
                               struct arena *arena, const char **value, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT value FROM fact WHERE incident = ?1 AND name = ?2"
                       " ORDER BY id DESC LIMIT 1",
                       "nt", number, name));
    enum status status = sqlite_step(&incidents->file, statement, &row, error);
    const char *copy = row ? sqlite_copy(statement, 0, arena) : NULL;
    sqlite3_finalize(statement);
    TRY(status);
    TRY(incidents_copied(arena, error));
    *value = copy;
    return STATUS_OK;
}

enum status incidents_facts(struct incidents *incidents, int64_t number, struct table *table,
                            struct error *error)
{
    static const char *const columns[] = {"name", "value", "by", "at", NULL};
    return incidents_fill(incidents, table, columns, "ttti", error,
                          "SELECT name, value, by, at_ns FROM fact WHERE id IN"
                          " (SELECT max(id) FROM fact WHERE incident = ?1 GROUP BY name)"
                          " ORDER BY name",
                          number);
}

enum status incidents_add_filing(struct incidents *incidents, int64_t number,
                                 const struct incident_filing *filing, struct error *error)
{
    return sqlite_change(&incidents->file, NULL, error,
                         "INSERT INTO filing (incident, authority, reference, at_ns, by, phase,"
                         " sheet_sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         "nttntnt", number, filing->authority, filing->reference, filing->at_ns,
                         filing->by, filing->phase, filing->sheet_sha256);
}

enum status incidents_filings(struct incidents *incidents, int64_t number, struct table *table,
                              struct error *error)
{
    static const char *const columns[] = {"authority", "reference",    "at", "by",
                                          "phase",     "sheet_sha256", NULL};
    return incidents_fill(incidents, table, columns, "ttitnt", error,
                          "SELECT authority, reference, at_ns, by, phase, sheet_sha256 FROM filing"
                          " WHERE incident = ?1 ORDER BY id",
                          number);
}

enum status incidents_add_evidence(struct incidents *incidents, int64_t number,
                                   const struct incident_evidence *evidence, struct error *error)
{
    int64_t added = 0;
    TRY(sqlite_change(&incidents->file, &added, error,
                      "INSERT INTO evidence (incident, name, sha256, what, by, at_ns)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (incident, name) DO NOTHING",
                      "nttttn", number, evidence->name, evidence->sha256, evidence->what,
                      evidence->by, evidence->at_ns));
    if (added == 0)
        return error_set(error, STATUS_INVALID, "42710", "give it another name",
                         "incident %lld has evidence of this name already", (long long)number);
    return STATUS_OK;
}

enum status incidents_evidence(struct incidents *incidents, int64_t number, struct table *table,
                               struct error *error)
{
    static const char *const columns[] = {"name", "sha256", "what", "by", "at", NULL};
    return incidents_fill(incidents, table, columns, "tttti", error,
                          "SELECT name, sha256, what, by, at_ns FROM evidence WHERE incident = ?1"
                          " ORDER BY id",
                          number);
}
