/* From an incident's number to a sheet in its evidence folder. */
#include "incident/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/report_values.h"

enum { SHEET_BYTES = 4 * 1024 * 1024, SHEET_MODE = 0600, SHORT_HASH = 12 };

/* Everything that a sheet is made from and that is this file's to free. */
struct desk {
    struct brief brief;
    struct scope *earlier;
    struct form *form;
    struct jurisdiction *jurisdiction;
    struct words *facts, *words;
    struct report_case of;
};

static enum status load_form(struct casework *casework, const char *authority, struct arena *arena,
                             struct desk *desk, struct error *error)
{
    const char *path;
    if (strspn(authority, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(authority))
        return error_set(error, STATUS_INVALID, "22023", "such as ico or eu",
                         "\"%.60s\" is not the name of an authority's form", authority);
    const char *name = arena_printf(arena, "reports/%s.yaml", authority);
    TRY(casework_data(casework, name, arena, &path, error));
    enum status status = form_load(path, &desk->form, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_NOT_FOUND, "42704",
                         "forms are files in the folder reports/ of the data folder",
                         "there is no form for authority \"%.60s\"", authority);
    return status;
}

static enum status load_data(struct casework *casework, struct arena *arena, struct desk *desk,
                             struct error *error)
{
    const char *path;
    const char *name = arena_printf(arena, "jurisdictions/%s.yaml", desk->form->jurisdiction);
    TRY(casework_data(casework, name, arena, &path, error));
    TRY(jurisdiction_load(path, &desk->jurisdiction, error));
    TRY(casework_data(casework, "reports/facts.yaml", arena, &path, error));
    TRY(words_load(path, &desk->facts, error));
    TRY(casework_data(casework, "words/en.yaml", arena, &path, error));
    return words_load(path, &desk->words, error);
}

/* The scope of the phase that was last filed with this authority, where it is an earlier one. */
static enum status open_earlier(struct casework *casework, struct desk *desk, struct error *error)
{
    const struct table_row *filing = report_filing(&desk->of, true);
    if (filing == NULL)
        return STATUS_OK;
    long phase = strtol(brief_cell(&desk->brief.filings, filing, "phase"), NULL, 10);
    if (phase <= 0 || phase >= desk->brief.phase.number)
        return STATUS_OK;
    TRY(scope_open(casework, desk->brief.incident.number, phase, &desk->earlier, error));
    desk->of.earlier = desk->earlier;
    return STATUS_OK;
}

static enum status fill(struct casework *casework, const struct report_request *request,
                        struct arena *arena, struct desk *desk, struct sheet *sheet,
                        struct error *error)
{
    TRY(load_form(casework, request->authority, arena, desk, error));
    TRY(load_data(casework, arena, desk, error));
    TRY(brief_open(casework, request->incident, request->phase, arena, &desk->brief, error));
    desk->of = (struct report_case){.brief = &desk->brief,
                                    .form = desk->form,
                                    .jurisdiction = desk->jurisdiction,
                                    .facts = desk->facts,
                                    .words = desk->words,
                                    .is_follow_up = request->is_follow_up};
    TRY(open_earlier(casework, desk, error));
    return report_fill(&desk->of, arena, sheet, error);
}

/* Under a name of its own: what was filed stays beside what is made later. */
static enum status save(struct casework *casework, const struct report_request *request,
                        struct arena *arena, struct report *report, struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct slice bytes = buffer_slice(&report->bytes);
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, report->sha256);
    const char *name =
        arena_printf(arena, "report-%s-phase%" PRId64 "-%.*s.%s", request->authority, report->phase,
                     SHORT_HASH, report->sha256, request->html ? "html" : "txt");
    TRY(incidents_path(casework->incidents, request->incident, name, arena, &report->path, error));
    TRY(file_replace(report->path, bytes, SHEET_MODE, error));
    return file_inherit_owner(report->path, error);
}

enum status report_make(struct casework *casework, const struct report_request *request,
                        struct arena *arena, struct report *report, struct error *error)
{
    struct desk desk = {0};
    struct sheet sheet;
    *report = (struct report){0};
    buffer_init(&report->bytes, SHEET_BYTES);
    enum status status = fill(casework, request, arena, &desk, &sheet, error);
    if (status == STATUS_OK) {
        if (request->html)
            sheet_html(&sheet, &report->bytes);
        else
            sheet_text(&sheet, &report->bytes);
        report->phase = desk.brief.phase.number;
        report->missing_count = sheet.missing_count;
        report->is_late = report_is_late(&desk.of, &report->due_ns, &report->filed_ns);
        status = report->bytes.overflowed
                     ? error_set(error, STATUS_LIMIT, "54000", NULL,
                                 "the sheet is longer than %d bytes", SHEET_BYTES)
                     : save(casework, request, arena, report, error);
    }
    scope_close(desk.earlier);
    brief_close(&desk.brief);
    form_free(desk.form);
    jurisdiction_free(desk.jurisdiction);
    words_free(desk.facts);
    words_free(desk.words);
    return status;
}

void report_free(struct report *report)
{
    buffer_free(&report->bytes);
}
