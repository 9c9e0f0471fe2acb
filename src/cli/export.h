/* A delivery under way, as the files behind `cofferdam export` share it: the admin database that
 * opens and closes it, the session that its rows come from, the file that they go to. One thread.
 */
#ifndef COFFERDAM_CLI_EXPORT_H
#define COFFERDAM_CLI_EXPORT_H

#include <libpq-fe.h>

#include "admin/admin_client.h"
#include "cli/cli.h"
#include "delivery/id.h"
#include "delivery/invent.h"
#include "delivery/writer.h"
#include "policy/config.h"

enum { EXPORT_PATH_ROOM = 4096, EXPORT_HASH_ROOM = 65, EXPORT_CANARIES = 10000 };

/* ---- export_file.c: a file that appears whole or not at all ---- */
struct export_file {
    int fd; /* -1: none */
    char path[EXPORT_PATH_ROOM];
    char temporary[EXPORT_PATH_ROOM]; /* beside it; "": it has no name yet */
};
/* Nothing is at path yet but, where `force`, a file that is to be replaced. Mode 0600. */
MUST_USE enum status export_file_open(struct export_file *file, const char *path, bool force,
                                      struct error *error);
/* Synced; its SHA-256. */
MUST_USE enum status export_file_settle(struct export_file *file,
                                        char hash[static EXPORT_HASH_ROOM], struct error *error);
/* Gives it its name. STATUS_INVALID where there is one by now, and not `force`. */
MUST_USE enum status export_file_publish(struct export_file *file, bool force, struct error *error);
/* What has no name by now is gone. */
void export_file_close(struct export_file *file);
/* A file without a name beside it, for rows that wait. -1 with *error. */
int export_file_aside(const struct export_file *file, struct error *error);

/* ---- export_fetch.c: the session ---- */
struct export_fetch {
    PGconn *connection;
    PGresult *first; /* a row, or none: what describes the columns; NULL once it is lent */
    PGresult *lent;
    struct delivery_column *columns;
    size_t count;
    const char **cells;
};
/* Connects to the staff's socket for the delivery and sends the statement; waits for its columns.
 */
MUST_USE enum status export_fetch_open(struct export_fetch *fetch, const char *folder,
                                       uint16_t port, const char *id, const char *sql,
                                       struct error *error);
/* The next row, until the next call; STATUS_NOT_FOUND, without a text, when all have come and the
 * statement is complete. STATUS_DENIED with the gateway's words. */
MUST_USE enum status export_fetch_next(struct export_fetch *fetch, const char *const **cells,
                                       struct error *error);
void export_fetch_close(struct export_fetch *fetch);

/* ---- verb_export.c ---- */
struct export
{
    struct cli_call *call;
    struct config *config;
    const char *folder; /* of the admin socket */
    const char *sql;
    enum delivery_format format;
    uint64_t canaries;
    struct invent_library *library; /* where there are canaries */
    struct invent_lists lists;
    struct admin_client *admin;
    struct table readable; /* what `DELIVERY OPEN` answers; opened where id is set */
    char id[DELIVERY_ID_ROOM];
    struct export_file file;
    struct export_fetch fetch;
    struct delivery_writer *writer;
    uint64_t rows;
};

/* ---- export_canaries.c ---- */
/* Of the data folder and the configuration: before anything is asked of the gateway. */
MUST_USE enum status export_read_lists(struct export *export, struct error *error);
/* Reads all rows, invents the canaries, has them stored, and writes everything. */
MUST_USE enum status export_with_canaries(struct export *export, struct error *error);

/* What so many canaries are good for, for people. */
void export_tell_canaries(uint64_t canaries);

#endif
