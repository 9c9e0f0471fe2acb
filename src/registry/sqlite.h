/* What the registry's SQLite files have in common: made private, checked, migrated, and on disk
 * when a change returns (WAL with synchronous FULL); several processes may use one at once.
 * https://sqlite.org/wal.html, /pragma.html#pragma_synchronous
 * A failure has SQLite's words, "<what>: " before them, and STATUS_CORRUPT or STATUS_IO.
 * Not thread-safe. Private to registry/. */
#ifndef COFFERDAM_REGISTRY_SQLITE_H
#define COFFERDAM_REGISTRY_SQLITE_H

#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

/* One kind of file. Each migration brings the schema from its index to the next version; they are
 * never changed, only added to. */
struct sqlite_layout {
    const char *what; /* "registry": begins every message */
    const char *const *migrations;
    int version; /* the count of migrations */
};

struct sqlite {
    sqlite3 *database;
    const struct sqlite_layout *layout;
    bool is_doubtful; /* a failed change may come back at the next start */
};

/* Makes the file (mode 0600) where there is none, migrates an older one, refuses a newer one
 * (STATUS_INVALID) and one that fails its own check (STATUS_CORRUPT). On failure *sqlite is closed.
 */
MUST_USE enum status sqlite_open(const char *path, const struct sqlite_layout *layout,
                                 struct sqlite *sqlite, struct error *error);
void sqlite_close(struct sqlite *sqlite); /* a zeroed one is fine */

/* Turns the database's last failure into a status. doing: "read" or "write". */
enum status sqlite_fail(struct sqlite *sqlite, struct error *error, const char *doing);
/* Statements without values and rows. */
MUST_USE enum status sqlite_execute(struct sqlite *sqlite, const char *sql, struct error *error);

/* ---- transactions: begin, some changes, then finish with how they went ---- */
MUST_USE enum status sqlite_begin(struct sqlite *sqlite, struct error *error);
/* Commits if status is OK, otherwise rolls back; returns status, or the commit's failure. What was
 * told to have failed does not come back at the next start, unless the disk goes on failing. */
MUST_USE enum status sqlite_finish(struct sqlite *sqlite, enum status status, struct error *error);
/* Where the disk went on failing: sees to it now. Outside of a transaction. */
MUST_USE enum status sqlite_settle(struct sqlite *sqlite, struct error *error);

/* ---- statements with values ----
 * types has a letter a value, ?1 first: t a text or NULL, n an int64_t, i an instant (INT64_MIN is
 * NULL), b bytes (const void * or NULL, size_t). Values are borrowed until the statement's end. */
MUST_USE enum status sqlite_prepare(struct sqlite *sqlite, sqlite3_stmt **statement,
                                    struct error *error, const char *sql, const char *types, ...);
/* *row is false behind the last row. */
MUST_USE enum status sqlite_step(struct sqlite *sqlite, sqlite3_stmt *statement, bool *row,
                                 struct error *error);
/* A change: prepared, run and done with. *changed (NULL is fine) is the count of rows. */
MUST_USE enum status sqlite_change(struct sqlite *sqlite, int64_t *changed, struct error *error,
                                   const char *sql, const char *types, ...);
/* The first value of the first row as a number; *found false, and number unset, where there is no
 * row or it is NULL. found NULL: there must be one. */
MUST_USE enum status sqlite_number(struct sqlite *sqlite, int64_t *number, bool *found,
                                   struct error *error, const char *sql, const char *types, ...);

/* ---- values of a row ---- */
const char *sqlite_text(sqlite3_stmt *statement,
                        int column);                         /* NULL is NULL; until the next step */
int64_t sqlite_instant(sqlite3_stmt *statement, int column); /* NULL is INT64_MIN */
/* A copy in the arena; NULL is NULL. */
const char *sqlite_copy(sqlite3_stmt *statement, int column, struct arena *arena);

/* ---- tables for staff ---- */

/* A row for each row of the statement, which it ends. types has a letter a value: t text, n number,
 * i instant, b bytes in hex; columns without one stay NULL. *table is unopened; STATUS_LIMIT 54000
 * where it would pass 64 MiB. */
MUST_USE enum status sqlite_table(struct sqlite *sqlite, sqlite3_stmt *statement, const char *types,
                                  const char *const *columns, struct table *table,
                                  struct error *error);

#endif
