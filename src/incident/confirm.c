/* See confirm.h. The file is read whole, in batches of lines; between batches only numbers of
 * lines and a mark for each person in scope are kept. */
#include "incident/confirm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/confirm_private.h"

enum {
    FILE_BYTES = 512 * 1024 * 1024,
    BATCH_BYTES = 256 * 1024 * 1024,
    WHY_ROOM = 400,
};

/* One confirmation while it is made. */
struct confirming {
    struct confirm_matcher matcher;
    struct buffer bytes; /* of the file */
    struct csv csv;
    struct confirm_header header;
    struct scope *scope;
    bool *people; /* beside the scope's people: recognised */
    struct confirm_report report;
};

/* ---- counting ---- */

static void note(struct confirm_lines *lines, size_t number)
{
    if (lines->count < CONFIRM_SHOWN)
        lines->shown[lines->count] = number;
    lines->count++;
}

static void count_line(struct confirming *confirming, const struct confirm_line *line)
{
    struct confirm_report *report = &confirming->report;
    report->lines++;
    if (!line->found)
        note(&report->unmatched, line->number);
    else if (line->several)
        note(&report->ambiguous, line->number);
    else if (line->found_at == CONFIRM_OUTSIDE)
        note(&report->outside, line->number);
    else if (!confirming->people[line->found_at]) {
        confirming->people[line->found_at] = true;
        report->people++;
    }
}

/* ---- the file ---- */

static enum status match_batch(struct confirming *confirming, struct error *error)
{
    struct confirm_matcher *matcher = &confirming->matcher;
    TRY(confirm_match(matcher, error));
    for (size_t i = 0; i < matcher->count; i++)
        count_line(confirming, &matcher->lines[i]);
    matcher->count = 0;
    arena_reset(&matcher->arena);
    return STATUS_OK;
}

static enum status take_row(struct confirming *confirming, const struct csv_row *row,
                            struct error *error)
{
    struct confirm_matcher *matcher = &confirming->matcher;
    TRY(confirm_read_line(matcher->casework->policy, &confirming->header, row, &matcher->arena,
                          &matcher->lines[matcher->count], error));
    matcher->count++;
    return matcher->count < CONFIRM_BATCH ? STATUS_OK : match_batch(confirming, error);
}

static enum status read_rows(struct confirming *confirming, struct error *error)
{
    struct csv_row row;
    enum status status = csv_next(&confirming->csv, &row, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_INVALID, "22P04", NULL, "the file is empty");
    if (status == STATUS_OK)
        status = confirm_read_header(confirming->matcher.casework->policy, &row,
                                     &confirming->header, error);
    if (status == STATUS_OK && confirming->header.is_data)
        status = take_row(confirming, &row, error);
    while (status == STATUS_OK && (status = csv_next(&confirming->csv, &row, error)) == STATUS_OK)
        status = take_row(confirming, &row, error);
    return status == STATUS_NOT_FOUND ? match_batch(confirming, error) : status;
}

static enum status read_file(struct confirming *confirming, const char *path, struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    TRY(file_read(path, &confirming->bytes, error));
    struct slice content = buffer_slice(&confirming->bytes);
    crypto_sha256(&content, 1, digest);
    crypto_hex(digest, sizeof digest, confirming->report.sha256);
    return csv_open(&confirming->csv, content, error);
}

/* Without the database keys and tokens of people in scope can still be recognised. */
static void open_reader(struct confirming *confirming)
{
    const struct casework *casework = confirming->matcher.casework;
    struct error error = {0};
    if (contact_open(casework->config, casework->policy, &confirming->matcher.reader, &error) !=
        STATUS_OK) {
        confirming->matcher.reader = NULL;
        snprintf(confirming->report.without_database, sizeof confirming->report.without_database,
                 "%s", error.message);
    }
}

/* ---- what is kept ---- */

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static enum status keep_ids(struct confirming *confirming, const char *path, const char *why,
                            const uint32_t *ids, struct error *error)
{
    struct casework *casework = confirming->matcher.casework;
    struct confirm_report *report = &confirming->report;
    const char *slash = strrchr(path, '/');
    const struct incident_confirmation confirmation = {
        .source_name = slash == NULL ? path : slash + 1,
        .source_sha256 = report->sha256,
        .by = casework->by,
        .at_ns = clock_now_ns(),
        .lines = report->lines,
        .matched = report->people,
        .unmatched = report->unmatched.count + report->ambiguous.count + report->outside.count,
        .ids = ids};
    return scope_confirmed_phase(casework, confirming->scope->incident.number, why, &confirmation,
                                 &report->phase, error);
}

static enum status keep(struct confirming *confirming, const char *path, struct error *error)
{
    const struct confirm_report *report = &confirming->report;
    const struct scope *scope = confirming->scope;
    char why[WHY_ROOM];
    uint32_t *ids = calloc(report->people + 1, sizeof *ids);
    if (ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    size_t count = 0;
    for (size_t i = 0; i < scope->person_count; i++)
        if (confirming->people[i])
            ids[count++] = scope->people[i].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    snprintf(why, sizeof why,
             "compared with a list of what was taken, sha256=%s: %" PRIu64
             " lines against phase %" PRId64 ": %" PRIu64 " people confirmed, %" PRIu64
             " lines of people who are not in scope, %" PRIu64 " ambiguous, %" PRIu64 " unmatched",
             report->sha256, report->lines, report->scope_phase, report->people,
             report->outside.count, report->ambiguous.count, report->unmatched.count);
    enum status status = keep_ids(confirming, path, why, ids, error);
    free(ids);
    return status;
}

/* ---- the whole ---- */

/* Who came into scope since the newest phase must be there to be recognised. */
static enum status count_later(struct casework *casework, int64_t incident, struct arena *arena,
                               struct error *error)
{
    struct incident found;
    struct incident_phase phase;
    struct scope_later later;
    TRY(incidents_get(casework->incidents, incident, arena, &found, error));
    TRY(incidents_get_phase(casework->incidents, incident, 0, arena, &phase, error));
    TRY(scope_read_later(casework, found.partner, &phase, &later, error));
    if (later.declared + later.disclosures == 0)
        return STATUS_OK;
    return scope_new_phase(casework, incident,
                           "what came since, before a list of what was taken is compared",
                           &phase.number, error);
}

static enum status open_all(struct confirming *confirming, int64_t incident, const char *path,
                            struct error *error)
{
    struct confirm_matcher *matcher = &confirming->matcher;
    TRY(read_file(confirming, path, error));
    TRY(count_later(matcher->casework, incident, &matcher->arena, error));
    TRY(scope_open(matcher->casework, incident, 0, &confirming->scope, error));
    matcher->scope = confirming->scope;
    confirming->report.scope_phase = confirming->scope->phase.number;
    matcher->lines = calloc(CONFIRM_BATCH, sizeof *matcher->lines);
    confirming->people = calloc(confirming->scope->person_count + 1, sizeof *confirming->people);
    if (matcher->lines == NULL || confirming->people == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    open_reader(confirming);
    return STATUS_OK;
}

static void close_all(struct confirming *confirming)
{
    struct confirm_matcher *matcher = &confirming->matcher;
    confirm_tokens_close(matcher->tokens);
    contact_close(matcher->reader);
    arena_free(&matcher->arena);
    free(matcher->lines);
    free(confirming->people);
    scope_close(confirming->scope);
    csv_close(&confirming->csv);
    buffer_free(&confirming->bytes);
}

enum status confirm_file(struct casework *casework, int64_t incident, const char *path,
                         struct confirm_report *report, struct error *error)
{
    struct confirming confirming = {.matcher.casework = casework};
    arena_init(&confirming.matcher.arena, BATCH_BYTES);
    buffer_init(&confirming.bytes, FILE_BYTES);
    buffer_init(&confirming.csv.values, 1);
    enum status status = open_all(&confirming, incident, path, error);
    if (status == STATUS_OK)
        status = read_rows(&confirming, error);
    if (status == STATUS_OK)
        status = keep(&confirming, path, error);
    if (status == STATUS_OK)
        *report = confirming.report;
    close_all(&confirming);
    return status;
}
