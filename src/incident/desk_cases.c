/* The open incidents, with their scopes and approved notices. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "incident/desk_private.h"

enum { ARENA_BYTES = 64 * 1024, LIST_BYTES = 1024 * 1024 };

enum status desk_open_incidents(struct casework *casework, int64_t numbers[], size_t room,
                                size_t *count, struct error *error)
{
    struct table list = {0};
    struct arena arena;
    arena_init(&arena, LIST_BYTES);
    enum status status = incidents_list(casework->incidents, &list, error);
    *count = 0;
    for (const struct table_row *row = list.first; status == STATUS_OK && row != NULL;
         row = row->next) {
        struct incident incident;
        int64_t number = strtoll(row->cells[0], NULL, 10);
        status = incidents_get(casework->incidents, number, &arena, &incident, error);
        if (status != STATUS_OK || incident.closed_ns != INT64_MIN || incident.is_drill)
            continue;
        if (*count == room)
            status = error_set(error, STATUS_LIMIT, "54000", "close what is dealt with",
                               "more than %zu incidents are open", room);
        else
            numbers[(*count)++] = number;
    }
    arena_free(&arena);
    table_free(&list);
    return status;
}

/* ---- what it was made of ---- */

/* The newest approved notice of an incident; 0: none. */
static enum status newest_notice(struct casework *casework, int64_t incident, int64_t *number,
                                 struct error *error)
{
    struct arena arena;
    struct incident_notice notice;
    arena_init(&arena, LIST_BYTES);
    enum status status =
        incidents_get_notice(casework->incidents, incident, 0, &arena, &notice, error);
    *number = status == STATUS_OK ? notice.number : 0;
    arena_free(&arena);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status newest_phase(struct casework *casework, int64_t incident, int64_t *number,
                                struct error *error)
{
    struct arena arena;
    struct incident_phase phase;
    arena_init(&arena, LIST_BYTES);
    enum status status =
        incidents_get_phase(casework->incidents, incident, 0, &arena, &phase, error);
    if (status == STATUS_OK)
        *number = phase.number;
    arena_free(&arena);
    return status;
}

/* Policy and configuration as files, and for each open incident its newest phase and notice. */
static enum status describe(struct casework *casework, struct buffer *state, struct error *error)
{
    int64_t numbers[DESK_CASES];
    size_t count;
    const char *const files[] = {casework->config->path, casework->config->policy};
    for (size_t i = 0; i < 2; i++) {
        struct stat about = {0};
        (void)stat(files[i], &about);
        buffer_printf(state, "%" PRIu64 ".%09ld;", (uint64_t)about.st_mtim.tv_sec,
                      about.st_mtim.tv_nsec);
    }
    TRY(desk_open_incidents(casework, numbers, DESK_CASES, &count, error));
    for (size_t i = 0; i < count; i++) {
        int64_t phase, notice;
        TRY(newest_phase(casework, numbers[i], &phase, error));
        TRY(newest_notice(casework, numbers[i], &notice, error));
        buffer_printf(state, "%" PRId64 ":%" PRId64 ":%" PRId64 ";", numbers[i], phase, notice);
    }
    return buffer_text(state) == NULL
               ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many incidents are open")
               : STATUS_OK;
}

/* ---- opening ---- */

static enum status open_notice(struct casework *casework, int64_t incident, int64_t number,
                               struct desk_notice *opened, struct error *error)
{
    struct arena arena;
    struct incident_notice approved;
    const struct outbox_person *people;
    arena_init(&arena, LIST_BYTES);
    enum status status =
        incidents_get_notice(casework->incidents, incident, number, &arena, &approved, error);
    if (status == STATUS_OK)
        status = scope_open(casework, incident, approved.phase, &opened->scope, error);
    arena_free(&arena);
    TRY(status);
    TRY(notice_open(casework, opened->scope, SCOPE_GRADES_NOTIFIED, &opened->notice, error));
    opened->audience = calloc(opened->scope->person_count + 1, sizeof *opened->audience);
    if (opened->audience == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    size_t count = notice_people(opened->notice, &people);
    for (size_t i = 0; i < count; i++) {
        char key[256];
        size_t at;
        if (scope_key(opened->scope, people[i].id, key) == STATUS_OK &&
            scope_find(opened->scope, people[i].kind, slice_of_text(key), &at) == STATUS_OK)
            opened->audience[at] = true;
    }
    return STATUS_OK;
}

static enum status open_case(struct desk_cases *cases, int64_t number, struct error *error)
{
    struct casework *casework = cases->casework;
    struct desk_case *opened = &cases->cases[cases->count++];
    int64_t newest;
    opened->number = number;
    TRY(scope_open(casework, number, 0, &opened->scope, error));
    TRY(incidents_get_fact(casework->incidents, number, "partner_public_name", &cases->arena,
                           &opened->partner, error));
    TRY(newest_notice(casework, number, &newest, error));
    for (; newest > 0 && opened->notice_count < DESK_NOTICES; newest--)
        TRY(open_notice(casework, number, newest, &opened->notices[opened->notice_count++], error));
    return STATUS_OK;
}

static enum status open_all(struct desk_cases *cases, struct error *error)
{
    int64_t numbers[DESK_CASES];
    size_t count;
    TRY(desk_open_incidents(cases->casework, numbers, DESK_CASES, &count, error));
    for (size_t i = 0; i < count; i++)
        TRY(open_case(cases, numbers[i], error));
    return STATUS_OK;
}

enum status desk_cases_open(const char *config_path, struct desk_cases **cases, struct error *error)
{
    struct desk_cases *made = calloc(1, sizeof *made);
    struct buffer state;
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&made->arena, ARENA_BYTES);
    buffer_init(&state, sizeof made->state);
    enum status status = casework_open(config_path, "worker", &made->casework, error);
    if (status == STATUS_OK)
        status = describe(made->casework, &state, error);
    bool same =
        status == STATUS_OK && *cases != NULL && strcmp((*cases)->state, buffer_text(&state)) == 0;
    if (status == STATUS_OK && !same) {
        memcpy(made->state, state.data, state.len + 1);
        desk_cases_close(*cases);
        *cases = NULL;
        status = open_all(made, error);
    }
    buffer_free(&state);
    if (status == STATUS_OK && !same)
        *cases = made;
    else
        desk_cases_close(made);
    return status;
}

void desk_cases_close(struct desk_cases *cases)
{
    if (cases == NULL)
        return;
    for (size_t c = 0; c < cases->count; c++) {
        struct desk_case *closed = &cases->cases[c];
        for (size_t n = 0; n < closed->notice_count; n++) {
            free(closed->notices[n].audience);
            notice_close(closed->notices[n].notice);
            scope_close(closed->notices[n].scope);
        }
        scope_close(closed->scope);
    }
    casework_close(cases->casework);
    arena_free(&cases->arena);
    free(cases);
}
