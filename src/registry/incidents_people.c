/* Who was confirmed as taken, and which notices to people were approved. */
#include <stdlib.h>

#include "base/buffer.h"
#include "registry/incidents_private.h"

enum { MOST_IDS_BYTES = 1024 * 1024 * 1024 };

/* ---- confirmations; ids are kept big-endian ---- */

enum status incidents_add_confirmation(struct incidents *incidents, int64_t number,
                                       const struct incident_confirmation *confirmation,
                                       struct error *error)
{
    struct buffer ids;
    buffer_init(&ids, MOST_IDS_BYTES);
    for (uint64_t i = 0; i < confirmation->matched; i++)
        buffer_append_u32be(&ids, confirmation->ids[i]);
    enum status status =
        ids.overflowed
            ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many people in one confirmation")
            : sqlite_change(&incidents->file, NULL, error,
                            "INSERT INTO confirmation (incident, phase, source_name, "
                            "source_sha256, by, at_ns,"
                            " lines, matched, unmatched, ids)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                            "nntttnnnnb", number, confirmation->phase, confirmation->source_name,
                            confirmation->source_sha256, confirmation->by, confirmation->at_ns,
                            (int64_t)confirmation->lines, (int64_t)confirmation->matched,
                            (int64_t)confirmation->unmatched,
                            ids.len == 0 ? (const void *)"" : (const void *)ids.data, ids.len);
    buffer_free(&ids);
    return status;
}

typedef enum status take_confirmation(void *context,
                                      const struct incident_confirmation *confirmation,
                                      struct error *error);

static enum status give_confirmation(sqlite3_stmt *statement, take_confirmation *fn, void *context,
                                     struct error *error)
{
    struct incident_confirmation read = {
        .phase = sqlite3_column_int64(statement, 0),
        .source_name = sqlite_text(statement, 1),
        .source_sha256 = sqlite_text(statement, 2),
        .by = sqlite_text(statement, 3),
        .at_ns = sqlite_instant(statement, 4),
        .lines = (uint64_t)sqlite3_column_int64(statement, 5),
        .matched = (uint64_t)sqlite3_column_int64(statement, 6),
        .unmatched = (uint64_t)sqlite3_column_int64(statement, 7),
    };
    const uint8_t *bytes = sqlite3_column_blob(statement, 8);
    size_t count = (size_t)sqlite3_column_bytes(statement, 8) / sizeof(uint32_t);
    if (count != read.matched)
        return error_set(error, STATUS_CORRUPT, "XX001", "restore it from a backup",
                         "incidents: a confirmation of %llu people has %zu",
                         (unsigned long long)read.matched, count);
    uint32_t *ids = calloc(count == 0 ? 1 : count, sizeof *ids);
    if (ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < count; i++)
        ids[i] = load_u32be(bytes + sizeof(uint32_t) * i);
    read.ids = ids;
    enum status status = fn(context, &read, error);
    free(ids);
    return status;
}

enum status incidents_each_confirmation(
    struct incidents *incidents, int64_t number, int64_t phase,
    enum status (*fn)(void *context, const struct incident_confirmation *confirmation,
                      struct error *error),
    void *context, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT phase, source_name, source_sha256, by, at_ns, lines, matched,"
                       " unmatched, ids FROM confirmation WHERE incident = ?1 AND phase <= ?2"
                       " ORDER BY id",
                       "nn", number, phase));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(&incidents->file, statement, &row, error)) == STATUS_OK && row) {
        status = give_confirmation(statement, fn, context, error);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- notices ---- */

enum status incidents_add_notice(struct incidents *incidents, int64_t number,
                                 struct incident_notice *notice, struct error *error)
{
    int64_t next = 0;
    TRY(sqlite_begin(&incidents->file, error));
    enum status status = sqlite_number(
        &incidents->file, &next, NULL, error,
        "SELECT coalesce(max(number), 0) + 1 FROM notice WHERE incident = ?1", "n", number);
    if (status == STATUS_OK && notice->number != 0 && notice->number != next)
        status = error_set(error, STATUS_DENIED, "55000", "go on with --resume",
                           "another notice was approved at the same moment");
    if (status == STATUS_OK)
        status = sqlite_change(&incidents->file, NULL, error,
                               "INSERT INTO notice (incident, number, hash, approved_by,"
                               " approved_ns, finished_ns, phase, settings)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                               "nnttnint", number, next, notice->hash, notice->approved_by,
                               notice->approved_ns, notice->finished_ns, notice->phase,
                               notice->settings);
    status = sqlite_finish(&incidents->file, status, error);
    if (status == STATUS_OK)
        notice->number = next;
    return status;
}

enum status incidents_get_notice(struct incidents *incidents, int64_t number, int64_t which,
                                 struct arena *arena, struct incident_notice *notice,
                                 struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT number, hash, approved_by, approved_ns, finished_ns, phase, settings"
                       " FROM notice WHERE incident = ?1 AND (?2 = 0 OR number = ?2)"
                       " ORDER BY number DESC LIMIT 1",
                       "nn", number, which));
    enum status status = sqlite_step(&incidents->file, statement, &row, error);
    if (status == STATUS_OK && row) {
        struct incident_notice read = {
            .number = sqlite3_column_int64(statement, 0),
            .hash = sqlite_copy(statement, 1, arena),
            .approved_by = sqlite_copy(statement, 2, arena),
            .approved_ns = sqlite_instant(statement, 3),
            .finished_ns = sqlite_instant(statement, 4),
            .phase = sqlite3_column_int64(statement, 5),
            .settings = sqlite_copy(statement, 6, arena),
        };
        status = incidents_copied(arena, error);
        if (status == STATUS_OK)
            *notice = read;
    }
    sqlite3_finalize(statement);
    if (status == STATUS_OK && !row)
        status = which == 0
                     ? error_set(error, STATUS_NOT_FOUND, "02000",
                                 "approve one: cofferdam incident notify",
                                 "no notice of incident %lld has been approved", (long long)number)
                     : error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                                 "incident %lld has no notice %lld", (long long)number,
                                 (long long)which);
    return status;
}

enum status incidents_set_notice_finished(struct incidents *incidents, int64_t number,
                                          int64_t notice, int64_t finished_ns, struct error *error)
{
    int64_t changed = 0;
    TRY(sqlite_change(&incidents->file, &changed, error,
                      "UPDATE notice SET finished_ns = ?3 WHERE incident = ?1 AND number = ?2",
                      "nni", number, notice, finished_ns));
    return changed == 1 ? STATUS_OK
                        : error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                                    "incident %lld has no notice %lld", (long long)number,
                                    (long long)notice);
}
