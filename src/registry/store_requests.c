/* See store_requests.h. */
#include "registry/store_requests.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "registry/sqlite.h"

static bool take_text(char *room, size_t size, const char *text)
{
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(room, text, strlen(text) + 1);
    return true;
}

static bool take_mark(uint8_t mark[static REQUEST_MARK_BYTES], const char *text)
{
    return text != NULL && crypto_unhex(slice_of_text(text), mark, REQUEST_MARK_BYTES);
}

#define TAKE(member, column)                                                                       \
    take_text(request->member, sizeof request->member, sqlite_text(row, column))

static bool read_row(sqlite3_stmt *row, struct request *request)
{
    *request = (struct request){.id = (uint64_t)sqlite3_column_int64(row, 0),
                                .asked_ns = sqlite_instant(row, 7),
                                .state = (enum request_state)sqlite3_column_int(row, 9),
                                .approvals = (unsigned)sqlite3_column_int(row, 10),
                                .for_ns = sqlite3_column_int64(row, 13),
                                .approved_ns = sqlite_instant(row, 14),
                                .decided_ns = sqlite_instant(row, 17)};
    return TAKE(partner, 1) && TAKE(agent, 2) && TAKE(dataset, 3) && TAKE(purpose, 4) &&
           TAKE(reason, 5) && take_mark(request->mark, sqlite_text(row, 6)) && TAKE(asked_by, 8) &&
           TAKE(approved_by[0], 11) && TAKE(approved_by[1], 12) && TAKE(decided_by, 15) &&
           TAKE(decision, 16) && request->state <= REQUEST_CLOSED && request->id > 0 &&
           request->approvals <= REQUEST_APPROVALS_MOST;
}

enum status store_read_requests(struct store *store,
                                enum status (*take)(void *context, const struct request *request),
                                void *context, struct error *error)
{
    struct sqlite *file = store_file(store);
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(
        file, &statement, error,
        "SELECT request_id, partner, agent, dataset, purpose, reason, mark, asked_ns,"
        " asked_by, state, approvals, approver_1, approver_2, for_ns, approved_ns,"
        " decided_by, decision, decided_ns FROM request ORDER BY request_id",
        ""));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(file, statement, &row, error)) == STATUS_OK && row) {
        struct request request;
        status = read_row(statement, &request) ? take(context, &request)
                                               : error_set(error, STATUS_CORRUPT, "XX001",
                                                           "restore the registry from a backup",
                                                           "registry: a request is damaged");
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_put_request(struct store *store, const struct request *request,
                              struct error *error)
{
    struct sqlite *file = store_file(store);
    char mark[2 * REQUEST_MARK_BYTES + 1];
    crypto_hex(request->mark, sizeof request->mark, mark);
    TRY(sqlite_begin(file, error));
    enum status status = sqlite_change(
        file, NULL, error,
        "INSERT OR REPLACE INTO request (request_id, partner, agent, dataset, purpose, reason, "
        "mark,"
        " asked_ns, asked_by, state, approvals, approver_1, approver_2, for_ns, approved_ns,"
        " decided_by, decision, decided_ns)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        "nttttttntnnttnitti", (int64_t)request->id, request->partner, request->agent,
        request->dataset, request->purpose, request->reason, mark, request->asked_ns,
        request->asked_by, (int64_t)request->state, (int64_t)request->approvals,
        request->approved_by[0], request->approved_by[1], request->for_ns, request->approved_ns,
        request->decided_by, request->decision, request->decided_ns);
    return sqlite_finish(file, status, error);
}

enum status store_forget_requests(struct store *store, const uint64_t *ids, size_t count,
                                  struct error *error)
{
    struct sqlite *file = store_file(store);
    enum status status = STATUS_OK;
    TRY(sqlite_begin(file, error));
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = sqlite_change(file, NULL, error, "DELETE FROM request WHERE request_id = ?1", "n",
                               (int64_t)ids[i]);
    return sqlite_finish(file, status, error);
}
