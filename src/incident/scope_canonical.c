/* The canonical scope: one text that says all of it, whose SHA-256 every later step is bound to.
 * Subject ids stand for people, so that forgetting a key leaves the evidence whole. Lines:
 *     cofferdam scope 1 / incident … / since … (entries were dropped) / the tables, in their order
 * / a line for each person */
#include <inttypes.h>

#include "crypto/crypto.h"
#include "incident/scope_private.h"

static const size_t TEXT_BYTES = (size_t)4 << 30;

static void append_instant(struct buffer *text, const char *word, int64_t time_ns)
{
    if (time_ns == INT64_MIN)
        buffer_printf(text, "%s -\n", word);
    else
        buffer_printf(text, "%s %" PRId64 "\n", word, time_ns);
}

static void append_head(struct buffer *text, const struct scope *scope)
{
    char root[65];
    crypto_hex(scope->phase.root, sizeof scope->phase.root, root);
    buffer_printf(text,
                  "cofferdam scope 1\nincident %" PRId64 "\npartner %s\nphase %" PRId64
                  "\ncutoff %" PRIu64 "\nroot %s\n",
                  scope->incident.number, scope->incident.partner, scope->phase.number,
                  scope->phase.cutoff, root);
    append_instant(text, "from", scope->incident.from_ns);
    append_instant(text, "to", scope->incident.to_ns);
    if (scope->since_ns != SINCE_EVER)
        append_instant(text, "since", scope->since_ns);
    buffer_printf(text, "suspect %s\n",
                  scope->incident.suspect == NULL ? "-" : scope->incident.suspect);
}

static enum status append_table(struct buffer *text, const struct scope *scope, const char *name,
                                struct error *error)
{
    struct table table;
    TRY(scope_table(scope, name, &table, error));
    buffer_printf(text, "table %s\n", name);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        for (size_t i = 0; i < table.column_count; i++)
            buffer_printf(text, "%s%c", row->cells[i] == NULL ? "-" : row->cells[i],
                          i + 1 < table.column_count ? '\t' : '\n');
    table_free(&table);
    return STATUS_OK;
}

static void append_people(struct buffer *text, const struct scope_private *made)
{
    const struct scope *scope = &made->scope;
    buffer_printf(text, "people %zu\n", scope->person_count);
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        buffer_printf(text, "%u %u %u %u %u %u %u %" PRId64 " %" PRId64 "\n", person->kind,
                      person->id, person->group, person->flags, person->brand, person->language,
                      person->country, made->times[i].first_ns, made->times[i].last_ns);
    }
}

static void append_classes(struct buffer *text, const struct scope *scope)
{
    for (size_t i = 0; i < scope->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[i];
        buffer_printf(text, "fact %s %s %s %s %s\n", fact->dataset == NULL ? "-" : fact->dataset,
                      fact->column == NULL ? "-" : fact->column,
                      fact->category == NULL ? "-" : fact->category,
                      fact->form == NULL ? "-" : fact->form, scope_grade_names[fact->grade]);
    }
    for (size_t i = 0; i < scope->class_count; i++) {
        buffer_append_text(text, "class");
        for (size_t j = 0; j < scope->classes[i].fact_count; j++)
            buffer_printf(text, " %u", scope->classes[i].facts[j]);
        buffer_append_u8(text, '\n');
    }
}

static enum status write_text(struct buffer *text, const struct scope_private *made,
                              struct error *error)
{
    append_head(text, &made->scope);
    for (const char *const *name = scope_tables; *name != NULL; name++)
        TRY(append_table(text, &made->scope, *name, error));
    append_classes(text, &made->scope);
    append_people(text, made);
    if (text->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                         "no memory for the text of the scope");
    return STATUS_OK;
}

enum status scope_hash(struct scope_private *made, struct error *error)
{
    struct buffer text;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    buffer_init(&text, TEXT_BYTES);
    enum status status = write_text(&text, made, error);
    if (status == STATUS_OK) {
        struct slice whole = buffer_slice(&text);
        crypto_sha256(&whole, 1, digest);
        crypto_hex(digest, sizeof digest, made->scope.sha256);
    }
    buffer_free(&text);
    return status;
}
