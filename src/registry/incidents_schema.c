/* The case files' schema. A migration is never changed, only added to. Nothing is ever deleted:
 * a fact that changes is a new row. */
#include "registry/incidents_private.h"

static const char *const migrations[] = {
    "CREATE TABLE incident ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, partner TEXT NOT NULL, suspect TEXT,"
    "  report_name TEXT, report_sha256 TEXT, opened_by TEXT NOT NULL,"
    "  noticed_ns INTEGER NOT NULL, opened_ns INTEGER NOT NULL, from_ns INTEGER, to_ns INTEGER,"
    "  contained_ns INTEGER, closed_ns INTEGER, is_drill INTEGER NOT NULL) STRICT;"
    "CREATE TABLE phase ("
    "  incident INTEGER NOT NULL REFERENCES incident, number INTEGER NOT NULL,"
    "  at_ns INTEGER NOT NULL, cutoff INTEGER NOT NULL, root BLOB NOT NULL, by TEXT NOT NULL,"
    "  reason TEXT NOT NULL, scope_sha256 TEXT, PRIMARY KEY (incident, number)) STRICT;"
    "CREATE TABLE decision ("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident,"
    "  at_ns INTEGER NOT NULL, by TEXT NOT NULL, step TEXT NOT NULL, why TEXT NOT NULL,"
    "  sequence INTEGER NOT NULL) STRICT;"
    "CREATE TABLE fact ("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident,"
    "  name TEXT NOT NULL, value TEXT NOT NULL, by TEXT NOT NULL, at_ns INTEGER NOT NULL) STRICT;"
    "CREATE TABLE filing ("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident,"
    "  authority TEXT NOT NULL, reference TEXT NOT NULL, at_ns INTEGER NOT NULL,"
    "  by TEXT NOT NULL, phase INTEGER NOT NULL, sheet_sha256 TEXT) STRICT;"
    "CREATE TABLE confirmation ("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident,"
    "  phase INTEGER NOT NULL, source_name TEXT NOT NULL, source_sha256 TEXT NOT NULL,"
    "  by TEXT NOT NULL, at_ns INTEGER NOT NULL, lines INTEGER NOT NULL,"
    "  matched INTEGER NOT NULL, unmatched INTEGER NOT NULL, ids BLOB NOT NULL) STRICT;"
    "CREATE TABLE notice ("
    "  incident INTEGER NOT NULL REFERENCES incident, number INTEGER NOT NULL,"
    "  hash TEXT NOT NULL, approved_by TEXT NOT NULL, approved_ns INTEGER NOT NULL,"
    "  finished_ns INTEGER, phase INTEGER NOT NULL, settings TEXT NOT NULL,"
    "  PRIMARY KEY (incident, number)) STRICT;"
    "CREATE TABLE evidence ("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident,"
    "  name TEXT NOT NULL, sha256 TEXT NOT NULL, what TEXT NOT NULL, by TEXT NOT NULL,"
    "  at_ns INTEGER NOT NULL, UNIQUE (incident, name)) STRICT;",
};

const struct sqlite_layout incidents_layout = {
    .what = "incidents",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};
