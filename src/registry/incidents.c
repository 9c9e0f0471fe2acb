/* Case files: opening, the incidents themselves and their phases.
 * incidents_log.c has what is written down on the way, incidents_people.c who was taken and told.
 */
#include "registry/incidents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "registry/incidents_private.h"

enum { PATH_ROOM = 4096, SECRET_BYTES = 32 };
enum { SECRET_TEXT_BYTES = 4 * ((SECRET_BYTES + 2) / 3) + 1 };

/* ---- opening ---- */

/* Ours alone; root makes it for the owner of the folder around it. */
static enum status make_folder(const char *path, struct error *error)
{
    if (file_exists(path))
        return STATUS_OK;
    TRY(file_make_folder(path, 0700, error));
    return file_inherit_owner(path, error);
}

enum status incidents_open(const char *folder, struct incidents **incidents, struct error *error)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/incidents.sqlite", folder) >= (int)sizeof path)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the folder's path is too long");
    TRY(make_folder(folder, error));
    struct incidents *opened = calloc(1, sizeof *opened);
    if (opened != NULL)
        opened->folder = strdup(folder);
    enum status status = opened == NULL || opened->folder == NULL
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                             : sqlite_open(path, &incidents_layout, &opened->file, error);
    if (status == STATUS_OK)
        *incidents = opened;
    else
        incidents_close(opened);
    return status;
}

void incidents_close(struct incidents *incidents)
{
    if (incidents == NULL)
        return;
    sqlite_close(&incidents->file);
    free(incidents->folder);
    free(incidents);
}

enum status incidents_path(struct incidents *incidents, int64_t number, const char *name,
                           struct arena *arena, const char **path, struct error *error)
{
    const char *folder = arena_printf(arena, "%s/%lld", incidents->folder, (long long)number);
    const char *made = folder == NULL ? NULL : arena_printf(arena, "%s/%s", folder, name);
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    TRY(make_folder(folder, error));
    *path = made;
    return STATUS_OK;
}

/* Another process may make it at the same time: the first to link its own wins. */
static enum status make_secret(const char *path, struct error *error)
{
    uint8_t secret[SECRET_BYTES];
    char text[SECRET_TEXT_BYTES], own[PATH_ROOM + 16];
    crypto_random(secret, sizeof secret);
    crypto_base64_encode(secret, sizeof secret, text);
    snprintf(own, sizeof own, "%s.%ld", path, (long)getpid());
    enum status status = file_replace(own, slice_of_text(text), 0600, error);
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(text, sizeof text);
    if (status == STATUS_OK)
        status = file_inherit_owner(own, error);
    if (status == STATUS_OK && link(own, path) != 0 && errno != EEXIST)
        status = error_set_errno(error, errno, "%s", path);
    unlink(own);
    return status;
}

enum status incidents_secret(struct incidents *incidents, uint8_t secret[static 32],
                             struct error *error)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/reference.key", incidents->folder) >= (int)sizeof path)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the folder's path is too long");
    if (!file_exists(path))
        TRY(make_secret(path, error));
    struct buffer text;
    buffer_init(&text, SECRET_TEXT_BYTES);
    enum status status = file_read_secret(path, &text, error);
    uint8_t decoded[3 * (SECRET_TEXT_BYTES / 4) + 3];
    size_t len = 0;
    if (status == STATUS_OK &&
        (crypto_base64_decode((const char *)text.data, text.len, decoded, &len) != STATUS_OK ||
         len != SECRET_BYTES))
        status = error_set(error, STATUS_CORRUPT, "XX001", "restore it from a backup",
                           "%s: is not %d bytes in base64", path, SECRET_BYTES);
    if (status == STATUS_OK)
        memcpy(secret, decoded, SECRET_BYTES);
    crypto_wipe(decoded, sizeof decoded);
    if (text.data != NULL)
        crypto_wipe(text.data, text.len);
    buffer_free(&text);
    return status;
}

/* ---- what the other files use ---- */

enum status incidents_copied(const struct arena *arena, struct error *error)
{
    return arena->overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                             : STATUS_OK;
}

enum status incidents_fill(struct incidents *incidents, struct table *table,
                           const char *const *columns, const char *types, struct error *error,
                           const char *sql, int64_t number)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(&incidents->file, &statement, error, sql, number == 0 ? "" : "n", number));
    return sqlite_table(&incidents->file, statement, types, columns, table, error);
}

/* ---- incidents ---- */

static enum status insert_phase(struct incidents *incidents, int64_t incident, int64_t number,
                                const struct incident_phase *phase, struct error *error)
{
    return sqlite_change(&incidents->file, NULL, error,
                         "INSERT INTO phase (incident, number, at_ns, cutoff, root, by, reason)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         "nnnnbtt", incident, number, phase->at_ns, (int64_t)phase->cutoff,
                         (const void *)phase->root, sizeof phase->root, phase->by, phase->reason);
}

enum status incidents_create(struct incidents *incidents, const struct incident *incident,
                             const struct incident_phase *phase, int64_t *number,
                             struct error *error)
{
    TRY(sqlite_begin(&incidents->file, error));
    enum status status = sqlite_change(
        &incidents->file, NULL, error,
        "INSERT INTO incident (partner, suspect, report_name, report_sha256, opened_by, noticed_ns,"
        " opened_ns, from_ns, to_ns, contained_ns, closed_ns, is_drill)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        "tttttnniiiin", incident->partner, incident->suspect, incident->report_name,
        incident->report_sha256, incident->opened_by, incident->noticed_ns, incident->opened_ns,
        incident->from_ns, incident->to_ns, incident->contained_ns, incident->closed_ns,
        (int64_t)incident->is_drill);
    int64_t made = sqlite3_last_insert_rowid(incidents->file.database);
    if (status == STATUS_OK)
        status = insert_phase(incidents, made, 1, phase, error);
    status = sqlite_finish(&incidents->file, status, error);
    if (status == STATUS_OK)
        *number = made;
    return status;
}

/* "there is no incident 7", with those that are. */
static enum status no_incident(struct incidents *incidents, int64_t number, struct error *error)
{
    char hint[200] = "there are none yet";
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT 'there are: ' || group_concat(number, ', ') FROM (SELECT number"
                       " FROM incident ORDER BY number DESC LIMIT 20)",
                       ""));
    enum status status = sqlite_step(&incidents->file, statement, &row, error);
    if (status == STATUS_OK && row && sqlite_text(statement, 0) != NULL)
        snprintf(hint, sizeof hint, "%s", sqlite_text(statement, 0));
    sqlite3_finalize(statement);
    TRY(status);
    return error_set(error, STATUS_NOT_FOUND, "02000", hint, "there is no incident %lld",
                     (long long)number);
}

enum status incidents_get(struct incidents *incidents, int64_t number, struct arena *arena,
                          struct incident *incident, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT partner, suspect, report_name, report_sha256, opened_by, noticed_ns,"
                       " opened_ns, from_ns, to_ns, contained_ns, closed_ns, is_drill"
                       " FROM incident WHERE number = ?1",
                       "n", number));
    enum status status = sqlite_step(&incidents->file, statement, &row, error);
    if (status == STATUS_OK && row) {
        struct incident read = {
            .number = number,
            .partner = sqlite_copy(statement, 0, arena),
            .suspect = sqlite_copy(statement, 1, arena),
            .report_name = sqlite_copy(statement, 2, arena),
            .report_sha256 = sqlite_copy(statement, 3, arena),
            .opened_by = sqlite_copy(statement, 4, arena),
            .noticed_ns = sqlite_instant(statement, 5),
            .opened_ns = sqlite_instant(statement, 6),
            .from_ns = sqlite_instant(statement, 7),
            .to_ns = sqlite_instant(statement, 8),
            .contained_ns = sqlite_instant(statement, 9),
            .closed_ns = sqlite_instant(statement, 10),
            .is_drill = sqlite3_column_int(statement, 11) != 0,
        };
        status = incidents_copied(arena, error);
        if (status == STATUS_OK)
            *incident = read;
    }
    sqlite3_finalize(statement);
    return status == STATUS_OK && !row ? no_incident(incidents, number, error) : status;
}

enum status incidents_list(struct incidents *incidents, struct table *table, struct error *error)
{
    static const char *const columns[] = {"number",    "partner", "noticed", "opened",
                                          "contained", "closed",  "phases",  NULL};
    return incidents_fill(incidents, table, columns, "ntiiiin", error,
                          "SELECT number, partner, noticed_ns, opened_ns, contained_ns, closed_ns,"
                          " (SELECT count(*) FROM phase WHERE incident = incident.number)"
                          " FROM incident ORDER BY number",
                          0);
}

static enum status set_instant(struct incidents *incidents, int64_t number, const char *sql,
                               int64_t instant, struct error *error)
{
    int64_t changed = 0;
    TRY(sqlite_change(&incidents->file, &changed, error, sql, "ni", number, instant));
    return changed == 0 ? no_incident(incidents, number, error) : STATUS_OK;
}

enum status incidents_set_contained(struct incidents *incidents, int64_t number,
                                    int64_t contained_ns, struct error *error)
{
    return set_instant(incidents, number, "UPDATE incident SET contained_ns = ?2 WHERE number = ?1",
                       contained_ns, error);
}

enum status incidents_set_closed(struct incidents *incidents, int64_t number, int64_t closed_ns,
                                 struct error *error)
{
    return set_instant(incidents, number, "UPDATE incident SET closed_ns = ?2 WHERE number = ?1",
                       closed_ns, error);
}

/* ---- phases ---- */

enum status incidents_add_confirmed_phase(struct incidents *incidents, int64_t number,
                                          struct incident_phase *phase,
                                          const struct incident_confirmation *confirmation,
                                          struct error *error)
{
    int64_t last = 0;
    bool found = false;
    TRY(sqlite_begin(&incidents->file, error));
    enum status status =
        sqlite_number(&incidents->file, &last, &found, error,
                      "SELECT max(number) FROM phase WHERE incident = ?1", "n", number);
    if (status == STATUS_OK)
        status = found ? insert_phase(incidents, number, last + 1, phase, error)
                       : no_incident(incidents, number, error);
    if (status == STATUS_OK && confirmation != NULL) {
        struct incident_confirmation added = *confirmation;
        added.phase = last + 1;
        status = incidents_add_confirmation(incidents, number, &added, error);
    }
    status = sqlite_finish(&incidents->file, status, error);
    if (status == STATUS_OK)
        phase->number = last + 1;
    return status;
}

enum status incidents_add_phase(struct incidents *incidents, int64_t number,
                                struct incident_phase *phase, struct error *error)
{
    return incidents_add_confirmed_phase(incidents, number, phase, NULL, error);
}

static enum status take_phase(struct arena *arena, sqlite3_stmt *statement,
                              struct incident_phase *phase, struct error *error)
{
    struct incident_phase read = {
        .number = sqlite3_column_int64(statement, 0),
        .at_ns = sqlite_instant(statement, 1),
        .cutoff = (uint64_t)sqlite3_column_int64(statement, 2),
        .by = sqlite_copy(statement, 4, arena),
        .reason = sqlite_copy(statement, 5, arena),
        .scope_sha256 = sqlite_copy(statement, 6, arena),
    };
    const void *root = sqlite3_column_blob(statement, 3);
    if (sqlite3_column_bytes(statement, 3) != sizeof read.root)
        return error_set(error, STATUS_CORRUPT, "XX001", "restore it from a backup",
                         "incidents: a phase's root is not a hash");
    memcpy(read.root, root, sizeof read.root);
    TRY(incidents_copied(arena, error));
    *phase = read;
    return STATUS_OK;
}

enum status incidents_get_phase(struct incidents *incidents, int64_t number, int64_t which,
                                struct arena *arena, struct incident_phase *phase,
                                struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(sqlite_prepare(&incidents->file, &statement, error,
                       "SELECT number, at_ns, cutoff, root, by, reason, scope_sha256 FROM phase"
                       " WHERE incident = ?1 AND (?2 = 0 OR number = ?2)"
                       " ORDER BY number DESC LIMIT 1",
                       "nn", number, which));
    enum status status = sqlite_step(&incidents->file, statement, &row, error);
    if (status == STATUS_OK && row)
        status = take_phase(arena, statement, phase, error);
    sqlite3_finalize(statement);
    if (status != STATUS_OK || row)
        return status;
    struct incident incident;
    TRY(incidents_get(incidents, number, arena, &incident, error));
    return error_set(error, STATUS_NOT_FOUND, "02000", NULL, "incident %lld has no phase %lld",
                     (long long)number, (long long)which);
}

enum status incidents_phases(struct incidents *incidents, int64_t number, struct table *table,
                             struct error *error)
{
    static const char *const columns[] = {"number", "at",     "cutoff",       "root",
                                          "by",     "reason", "scope_sha256", NULL};
    return incidents_fill(incidents, table, columns, "ninbttt", error,
                          "SELECT number, at_ns, cutoff, root, by, reason, scope_sha256 FROM phase"
                          " WHERE incident = ?1 ORDER BY number",
                          number);
}

enum status incidents_set_scope(struct incidents *incidents, int64_t number, int64_t phase,
                                const char *scope_sha256, struct error *error)
{
    int64_t changed = 0;
    TRY(sqlite_change(&incidents->file, &changed, error,
                      "UPDATE phase SET scope_sha256 = ?3 WHERE incident = ?1 AND number = ?2"
                      " AND (scope_sha256 IS NULL OR scope_sha256 = ?3)",
                      "nnt", number, phase, scope_sha256));
    if (changed == 0)
        return error_set(error, STATUS_CORRUPT, "XX001",
                         "the case file, the ledger or the program changed since then",
                         "incident %lld has no phase %lld with this scope", (long long)number,
                         (long long)phase);
    return STATUS_OK;
}
