/* Writes the dossier's files. See dossier.h. Nothing here depends on the time of writing. */
#include "incident/dossier.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/document.h"
#include "incident/dossier_checkpoint.h"
#include "incident/evidence.h"
#include "incident/scope.h"
#include "incident/scope_csv.h"
#include "ledger/note.h"

enum { FILE_BYTES = 1024 * 1024 * 1024, MANIFEST_BYTES = 1024 * 1024, PATH_BYTES = 1024 * 1024 };
enum { PRIVATE_FILE = 0600, PRIVATE_FOLDER = 0700, HEX_ROOM = 65 };

/* A dossier being written. */
struct dossier {
    struct casework *casework;
    const struct casefile *casefile;
    const char *folder;
    struct buffer manifest, text, html;
    struct arena arena; /* paths */
};

/* ---- files ---- */

static enum status make_folder(const char *path, struct error *error)
{
    if (file_exists(path))
        return STATUS_OK;
    TRY(file_make_folder(path, PRIVATE_FOLDER, error));
    return file_inherit_owner(path, error);
}

static void hash(struct slice bytes, char hex[static HEX_ROOM])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, hex);
}

/* A file of the dossier, and its line of the manifest, as sha256sum -c reads it. */
static enum status put_file(struct dossier *dossier, const char *name, struct slice bytes,
                            struct error *error)
{
    char hex[HEX_ROOM];
    const char *path = arena_printf(&dossier->arena, "%s/%s", dossier->folder, name);
    if (path == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    TRY(file_replace(path, bytes, PRIVATE_FILE, error));
    TRY(file_inherit_owner(path, error));
    hash(bytes, hex);
    buffer_printf(&dossier->manifest, "%s  %s\n", hex, name);
    return STATUS_OK;
}

/* What write() prints, as a file; name NULL: only its hash into hex. */
static enum status put_printed(struct dossier *dossier, const char *name,
                               enum status (*write)(FILE *out, const void *context,
                                                    struct error *error),
                               const void *context, char hex[static HEX_ROOM], struct error *error)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    if (out == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = write(out, context, error);
    if (fclose(out) != 0 && status == STATUS_OK)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_OK) {
        hash(slice_of(bytes, len), hex);
        if (name != NULL)
            status = put_file(dossier, name, slice_of(bytes, len), error);
    }
    free(bytes);
    return status;
}

/* ---- the two pages ---- */

static void put_heading(struct dossier *dossier, const char *heading)
{
    buffer_printf(&dossier->text, "\n%s\n", heading);
    for (size_t i = 0; i < strlen(heading); i++)
        buffer_append_text(&dossier->text, "-");
    buffer_append_text(&dossier->text, "\n");
    buffer_append_text(&dossier->html, "<h2>");
    document_escape(heading, &dossier->html);
    buffer_append_text(&dossier->html, "</h2>\n");
}

static void put_line(struct dossier *dossier, const char *line)
{
    buffer_printf(&dossier->text, "%s\n", line);
    buffer_append_text(&dossier->html, "<p>");
    document_escape(line, &dossier->html);
    buffer_append_text(&dossier->html, "</p>\n");
}

/* A pair is a line; of wider tables each row is a record, since reasons are long. */
static void put_record(struct buffer *text, const struct table *table, const struct table_row *row)
{
    if (table->column_count == 2) {
        buffer_printf(text, "%s: %s\n", row->cells[0] == NULL ? "" : row->cells[0],
                      row->cells[1] == NULL ? "" : row->cells[1]);
        return;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (row->cells[i] != NULL && row->cells[i][0] != '\0')
            buffer_printf(text, "%s: %s\n", table->columns[i], row->cells[i]);
    }
    buffer_append_text(text, row->next == NULL ? "" : "\n");
}

static void put_cells(struct buffer *html, const char *tag, const char *const *cells, size_t count)
{
    buffer_append_text(html, "<tr>");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(html, "<%s>", tag);
        document_escape(cells[i] == NULL ? "" : cells[i], html);
    }
    buffer_append_text(html, "\n");
}

static void put_table(struct dossier *dossier, const char *heading, const struct table *table)
{
    put_heading(dossier, heading);
    if (table->row_count == 0) {
        put_line(dossier, "None.");
        return;
    }
    buffer_append_text(&dossier->html, "<table>\n");
    put_cells(&dossier->html, "th scope=\"col\"", table->columns, table->column_count);
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        put_record(&dossier->text, table, row);
        put_cells(&dossier->html, "td", row->cells, table->column_count);
    }
    buffer_append_text(&dossier->html, "</table>\n");
}

static void put_title(struct dossier *dossier)
{
    const struct incident *incident = &dossier->casefile->incident;
    char title[200];
    snprintf(title, sizeof title, "Incident %lld: %.100s%s", (long long)incident->number,
             incident->partner, incident->is_drill ? " (an exercise)" : "");
    buffer_printf(&dossier->text, "%s\n", title);
    buffer_append_text(&dossier->html,
                       "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<style>"
                       "body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
                       "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2em "
                       ".5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style>\n"
                       "<title>");
    document_escape(title, &dossier->html);
    buffer_append_text(&dossier->html, "</title>\n<h1>");
    document_escape(title, &dossier->html);
    buffer_append_text(&dossier->html, "</h1>\n");
}

static enum status put_sections(struct dossier *dossier, struct error *error)
{
    for (size_t i = 0; i < casefile_section_count; i++) {
        const struct casefile_section *section = &casefile_sections[i];
        struct table table;
        if (section->fill == casefile_duties)
            continue; /* none is open */
        TRY(section->fill(dossier->casefile, &table, error));
        put_table(dossier, section->heading, &table);
        table_free(&table);
    }
    return STATUS_OK;
}

/* ---- effects: the scope ---- */

static enum status print_table(FILE *out, const void *context, struct error *error)
{
    scope_csv_table(out, context);
    return STATUS_OK;
}

static enum status print_list(FILE *out, const void *context, struct error *error)
{
    return scope_write_list(context, out, error);
}

static enum status put_scope_tables(struct dossier *dossier, const struct scope *scope,
                                    struct error *error)
{
    for (const char *const *what = scope_tables; *what != NULL; what++) {
        struct table table;
        char name[80], heading[80], hex[HEX_ROOM];
        TRY(scope_table(scope, *what, &table, error));
        snprintf(name, sizeof name, "scope-%.60s.csv", *what);
        snprintf(heading, sizeof heading, "Effects: by %.60s", *what);
        enum status status = put_printed(dossier, name, print_table, &table, hex, error);
        put_table(dossier, heading, &table);
        table_free(&table);
        TRY(status);
    }
    return STATUS_OK;
}

/* The list itself names people, and stays out: the same phase gives it again, byte for byte. */
static enum status put_scope(struct dossier *dossier, struct error *error)
{
    char hex[HEX_ROOM], line[200];
    struct scope *scope = NULL;
    if (dossier->casefile->phase.scope_sha256 == NULL) {
        put_heading(dossier, "Effects");
        put_line(dossier, "The scope was never computed; the decisions say why.");
        return STATUS_OK;
    }
    TRY(scope_open(dossier->casework, dossier->casefile->incident.number,
                   dossier->casefile->phase.number, &scope, error));
    enum status status = put_scope_tables(dossier, scope, error);
    if (status == STATUS_OK)
        status = put_printed(dossier, NULL, print_list, scope, hex, error);
    if (status == STATUS_OK) {
        put_heading(dossier, "Effects: the list of people");
        snprintf(line, sizeof line, "%zu people; SHA-256 of the list as CSV: %s",
                 scope->person_count, hex);
        put_line(dossier, line);
        snprintf(line, sizeof line, "SHA-256 of the scope: %s", scope->sha256);
        put_line(dossier, line);
    }
    scope_close(scope);
    return status;
}

/* ---- what the ledger had signed ---- */

static enum status put_checkpoints(struct dossier *dossier, struct error *error)
{
    enum { NUMBER = 0, CUTOFF = 2, ROOT = 3 };
    const struct table_row *row = dossier->casefile->phases.first;
    const char *ledger =
        arena_printf(&dossier->arena, "%s/ledger", dossier->casework->config->state_folder);
    if (ledger == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (; row != NULL; row = row->next) {
        struct buffer note;
        char name[64];
        snprintf(name, sizeof name, "checkpoint-%.20s.txt", row->cells[NUMBER]);
        buffer_init(&note, NOTE_BYTES_MAX);
        enum status status = dossier_checkpoint(ledger, strtoull(row->cells[CUTOFF], NULL, 10),
                                                row->cells[ROOT], &note, error);
        if (status == STATUS_OK)
            status = put_file(dossier, name, buffer_slice(&note), error);
        buffer_free(&note);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return STATUS_OK;
}

/* ---- measures: proofs of dispatch ---- */

static void print_instant(FILE *out, int64_t instant_ns)
{
    char text[21] = "";
    if (instant_ns > 0)
        clock_format_utc(instant_ns, text);
    scope_csv_cell(out, text, false);
}

static enum status print_proof(void *context, const struct outbox_proof *proof, struct error *error)
{
    FILE *out = context;
    char text[HEX_ROOM];
    fprintf(out, "%u,%u,%u,", proof->id, proof->kind, proof->variant);
    scope_csv_cell(out, outbox_state_name(proof->state), false);
    fprintf(out, "%u,", proof->attempts);
    print_instant(out, proof->begun_ns);
    print_instant(out, proof->settled_ns);
    text[0] = '\0';
    if (proof->rendered != NULL)
        crypto_hex(proof->rendered, CRYPTO_SHA256_BYTES, text);
    scope_csv_cell(out, text, false);
    scope_csv_cell(out, proof->envelope_id, false);
    scope_csv_cell(out, proof->reply, false);
    scope_csv_cell(out, proof->report, true);
    return STATUS_OK;
}

struct proofs {
    struct outbox *outbox;
    int64_t notice;
};

static enum status print_proofs(FILE *out, const void *context, struct error *error)
{
    const struct proofs *proofs = context;
    fputs("subject_id,kind,variant,state,attempts,begun,settled,rendered_sha256,envelope_id,reply,"
          "report\n",
          out);
    return outbox_each(proofs->outbox, proofs->notice, print_proof, out, error);
}

static enum status put_proofs(struct dossier *dossier, struct error *error)
{
    const struct casefile *casefile = dossier->casefile;
    const char *path = NULL;
    struct proofs proofs = {0};
    if (!casefile->has_outbox)
        return STATUS_OK;
    TRY(incidents_path(dossier->casework->incidents, casefile->incident.number, CASEWORK_OUTBOX,
                       &dossier->arena, &path, error));
    TRY(outbox_open(path, false, &proofs.outbox, error));
    enum status status = STATUS_OK;
    for (proofs.notice = 1; proofs.notice <= casefile->notice.number && status == STATUS_OK;
         proofs.notice++) {
        char name[64], hex[HEX_ROOM];
        snprintf(name, sizeof name, "dispatch-%lld.csv", (long long)proofs.notice);
        status = put_printed(dossier, name, print_proofs, &proofs, hex, error);
    }
    outbox_close(proofs.outbox);
    return status;
}

/* ---- evidence ---- */

static enum status put_evidence(struct dossier *dossier, const char *name, const char *sha256,
                                struct error *error)
{
    const char *path = NULL;
    char hex[HEX_ROOM], target[EVIDENCE_NAME_ROOM + 16];
    struct buffer bytes;
    TRY(incidents_path(dossier->casework->incidents, dossier->casefile->incident.number, name,
                       &dossier->arena, &path, error));
    snprintf(target, sizeof target, "evidence/%s", name);
    buffer_init(&bytes, EVIDENCE_BYTES);
    enum status status = evidence_read(path, &bytes, hex, error);
    if (status == STATUS_OK && strcmp(hex, sha256) != 0)
        status = error_set(error, STATUS_CORRUPT, "XX001", "cofferdam incident verify",
                           "%s: is not what was kept as evidence", path);
    if (status == STATUS_OK)
        status = put_file(dossier, target, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    return status;
}

static enum status put_all_evidence(struct dossier *dossier, struct error *error)
{
    enum { NAME = 0, SHA256 = 1 };
    const char *folder = arena_printf(&dossier->arena, "%s/evidence", dossier->folder);
    if (folder == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    TRY(make_folder(folder, error));
    for (const struct table_row *row = dossier->casefile->evidence.first; row != NULL;
         row = row->next)
        TRY(put_evidence(dossier, row->cells[NAME], row->cells[SHA256], error));
    return STATUS_OK;
}

/* ---- all of it ---- */

static enum status write_all(struct dossier *dossier, struct error *error)
{
    TRY(make_folder(dossier->folder, error));
    put_title(dossier);
    TRY(put_sections(dossier, error));
    TRY(put_scope(dossier, error));
    TRY(put_checkpoints(dossier, error));
    TRY(put_proofs(dossier, error));
    TRY(put_all_evidence(dossier, error));
    buffer_append_text(&dossier->html, "</html>\n");
    if (dossier->text.overflowed || dossier->html.overflowed || dossier->manifest.overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the dossier is too large");
    TRY(put_file(dossier, "dossier.txt", buffer_slice(&dossier->text), error));
    TRY(put_file(dossier, "index.html", buffer_slice(&dossier->html), error));
    const char *path = arena_printf(&dossier->arena, "%s/MANIFEST", dossier->folder);
    if (path == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    TRY(file_replace(path, buffer_slice(&dossier->manifest), PRIVATE_FILE, error));
    return file_inherit_owner(path, error);
}

enum status dossier_write(struct casework *casework, const struct casefile *casefile,
                          const char *folder, struct error *error)
{
    struct dossier dossier = {.casework = casework, .casefile = casefile, .folder = folder};
    buffer_init(&dossier.manifest, MANIFEST_BYTES);
    buffer_init(&dossier.text, FILE_BYTES);
    buffer_init(&dossier.html, FILE_BYTES);
    arena_init(&dossier.arena, PATH_BYTES);
    enum status status = write_all(&dossier, error);
    buffer_free(&dossier.manifest);
    buffer_free(&dossier.text);
    buffer_free(&dossier.html);
    arena_free(&dossier.arena);
    return status;
}
