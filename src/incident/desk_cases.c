/* The incidents that people may ask about, with their scopes and approved notices. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "incident/desk_private.h"
#include "ledger/ledger.h"

enum { ARENA_BYTES = 64 * 1024, LIST_BYTES = 1024 * 1024, STATE_BYTES = 256 * 1024 };
/* For so long after a case was closed people still ask about it: publish.c vouches for references
 * as long. */
static const int64_t CLOSED_NS_MOST = 400 * INT64_C(86400000000000);

enum status desk_incidents(struct casework *casework, int64_t since_ns,
                           int64_t numbers[static DESK_CASES], size_t *count, struct error *error)
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
        bool is_closed = status == STATUS_OK && incident.closed_ns != INT64_MIN;
        if (status != STATUS_OK || incident.is_drill ||
            (is_closed && incident.closed_ns < since_ns))
            continue;
        if (*count == DESK_CASES)
            status = error_set(error, STATUS_LIMIT, "54000", "close what is dealt with",
                               "more than %d incidents are open, or were closed not long ago",
                               DESK_CASES);
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

/* Policy and configuration as files, and for each incident its newest phase and notice, and what
 * the partner is called. */
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
    TRY(desk_incidents(casework, clock_now_ns() - CLOSED_NS_MOST, numbers, &count, error));
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        int64_t phase, notice;
        const char *partner = NULL;
        TRY(newest_phase(casework, numbers[i], &phase, error));
        TRY(newest_notice(casework, numbers[i], &notice, error));
        arena_init(&arena, ARENA_BYTES);
        enum status status = incidents_get_fact(casework->incidents, numbers[i],
                                                "partner_public_name", &arena, &partner, error);
        if (status == STATUS_OK)
            buffer_printf(state, "%" PRId64 ":%" PRId64 ":%" PRId64 ":%s;", numbers[i], phase,
                          notice, partner == NULL ? "" : partner);
        arena_free(&arena);
        TRY(status);
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
    if (status == STATUS_OK) /* approved, it has its own grades */
        status =
            notice_open(casework, opened->scope, SCOPE_GRADES_NOTIFIED, &opened->notice, error);
    if (status == STATUS_OK)
        opened->is_as_approved = strcmp(notice_hash(opened->notice), approved.hash) == 0;
    arena_free(&arena);
    TRY(status);
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

const struct desk_notice *desk_find_notice(const struct desk_case *about, uint16_t kind,
                                           const char *key, size_t *at)
{
    for (size_t n = 0; n < about->notice_count; n++) {
        const struct desk_notice *told = &about->notices[n];
        if (scope_find(told->scope, kind, slice_of_text(key), at) == STATUS_OK &&
            told->audience[*at])
            return told;
    }
    return NULL;
}

static enum status open_case(struct desk_cases *cases, int64_t number, struct error *error)
{
    struct casework *casework = cases->casework;
    struct desk_case *opened = &cases->cases[cases->count++];
    int64_t newest;
    opened->number = number;
    TRY(scope_open(casework, number, 0, &opened->scope, error));
    opened->looked_to = opened->scope->phase.cutoff;
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
    TRY(desk_incidents(cases->casework, clock_now_ns() - CLOSED_NS_MOST, numbers, &count, error));
    for (size_t i = 0; i < count; i++)
        TRY(open_case(cases, numbers[i], error));
    return STATUS_OK;
}

/* ---- what came after the scope ---- */

static bool begins_with(struct slice text, const char *word)
{
    return text.len >= strlen(word) && memcmp(text.data, word, strlen(word)) == 0;
}

/* What a partner gets that is let in again, or after the attacker had gone, is not of the case. */
static void take_entry(struct desk_case *about, const struct ledger_entry *entry)
{
    const struct incident *incident = &about->scope->incident;
    bool is_within = incident->to_ns == INT64_MIN || entry->time_ns <= incident->to_ns;
    if (!slice_equal(entry->partner, slice_of_text(incident->partner)))
        return;
    if (entry->type == LEDGER_ACT && begins_with(entry->text, "restore "))
        about->is_served = true;
    else if (entry->type == LEDGER_ACT && begins_with(entry->text, "contain "))
        about->is_served = about->is_served && entry->agent.len > 0;
    else if (entry->type == LEDGER_DECLARED ||
             (entry->type == LEDGER_DISCLOSURE && entry->item_count > 0 && is_within &&
              !about->is_served))
        about->is_behind = true;
}

/* Reads what has been added to the ledger since the last look. */
static enum status look_behind(const char *folder, struct desk_case *about, struct error *error)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status;
    if (about->scope->incident.closed_ns != INT64_MIN)
        return STATUS_OK; /* what comes later is another case's */
    TRY(ledger_reader_open(folder, about->looked_to, &reader, error));
    status = ledger_reader_whole(reader, "what came after an incident's phase", error);
    while (status == STATUS_OK) {
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status != STATUS_OK)
            break;
        take_entry(about, &entry);
        about->looked_to = sequence + 1;
    }
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static enum status look_behind_all(struct desk_cases *cases, struct error *error)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/ledger", cases->casework->config->state_folder);
    for (size_t i = 0; i < cases->count; i++)
        TRY(look_behind(folder, &cases->cases[i], error));
    return STATUS_OK;
}

enum status desk_cases_open(const char *config_path, struct desk_cases **cases, struct error *error)
{
    struct desk_cases *made = calloc(1, sizeof *made);
    struct buffer state;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&made->arena, ARENA_BYTES);
    buffer_init(&state, STATE_BYTES);
    enum status status = casework_open(config_path, "worker", &made->casework, error);
    if (status == STATUS_OK)
        status = describe(made->casework, &state, error);
    const struct slice described = buffer_slice(&state);
    crypto_sha256(&described, 1, hash);
    bool same =
        status == STATUS_OK && *cases != NULL && memcmp((*cases)->state, hash, sizeof hash) == 0;
    if (status == STATUS_OK && !same) {
        memcpy(made->state, hash, sizeof hash);
        desk_cases_close(*cases);
        *cases = NULL;
        status = open_all(made, error);
    }
    buffer_free(&state);
    if (status == STATUS_OK && !same)
        *cases = made;
    else
        desk_cases_close(made);
    return status == STATUS_OK ? look_behind_all(*cases, error) : status;
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
