/* People by keys that the dictionary has not, and by their e-mail addresses, telephone numbers, and
 * names with postcodes, as the database has them today. What is read of people who have an id is
 * recorded before it is used; others have no number of ours to be recorded by, and nobody was ever
 * given anything of them. */
#include <stdlib.h>
#include <string.h>

#include "trace/looks.h"
#include "trace/private.h"

enum { BATCH = 5000, MOST_IDS = 2 * BATCH, COLUMNS_BYTES = 4096, VALUES_BYTES = 64 * 1024 * 1024 };

static const struct way {
    const char *field;
    enum column_field of; /* FIELD_NONE: a column of keys */
    unsigned looks;       /* what else cannot be one; 0: anything can */
} ways[] = {
    {"key", FIELD_NONE, 0},
    {"email", FIELD_EMAIL, LOOKS_EMAIL},
    {"phone", FIELD_PHONE, LOOKS_PHONE | LOOKS_INTEGER},
    {"name and postcode", FIELD_NAME, 0},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

enum status trace_record(struct tracing *tracing, uint16_t kind, const char *columns, uint32_t *ids,
                         size_t count, struct error *error)
{
    struct admin_client *admin;
    size_t kept = 0;
    if (count == 0)
        return STATUS_OK;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || ids[i] != ids[kept - 1])
            ids[kept++] = ids[i];
    TRY(casework_admin(tracing->casework, &admin, error));
    return admin_client_record_read(admin, tracing->casework->policy->kinds[kind].name, columns,
                                    "trace", ids, kept, error);
}

/* One question: lines that nobody fits yet and that have a value for this way. */
struct question {
    struct tracing *tracing;
    const struct way *way;
    uint16_t kind;
    const char *columns; /* for the record */
    struct arena values;
    const char *texts[BATCH];
    size_t lines[BATCH], places[BATCH]; /* places: of the column */
    size_t count;
    uint32_t ids[MOST_IDS];
    size_t id_count;
};

static enum status record(struct question *question, struct error *error)
{
    size_t count = question->id_count;
    question->id_count = 0;
    return trace_record(question->tracing, question->kind, question->columns, question->ids, count,
                        error);
}

static enum status take(void *context, size_t at, const char *key, struct error *error)
{
    struct question *question = context;
    struct tracing *tracing = question->tracing;
    uint32_t id;
    if (names_find(tracing->world.names, question->kind, slice_of_text(key), &id) == STATUS_OK) {
        if (question->id_count == MOST_IDS)
            TRY(record(question, error));
        question->ids[question->id_count++] = id;
    }
    if (tracing->matches[question->lines[at]].key == NULL)
        tracing->report->columns.all[question->places[at]].matched++;
    return trace_found(tracing, question->lines[at], question->kind, key, BY_CONTACT, error);
}

static enum status ask(struct question *question, struct error *error)
{
    enum status status =
        question->count == 0
            ? STATUS_OK
            : contact_match(question->tracing->reader, question->kind, question->way->field,
                            question->texts, question->count, take, question, error);
    if (status == STATUS_OK)
        status = record(question, error);
    question->count = question->id_count = 0;
    arena_reset(&question->values);
    return status;
}

static bool is_column(const struct column *column, enum column_field field, uint16_t kind)
{
    if (column->how == NULL)
        return false;
    return field == FIELD_NONE
               ? column->is_key && (column->kind == COLUMNS_ANY_KIND || column->kind == kind)
               : column->field == field;
}

/* The first cell of the line in such a column that has the looks. */
static const char *cell_of(const struct question *question, size_t line, enum column_field field,
                           unsigned looks, size_t *place)
{
    const struct tracing *tracing = question->tracing;
    const struct columns *columns = &tracing->report->columns;
    for (size_t c = 0; c < columns->count; c++) {
        const char *cell = leak_cell(&tracing->leak, line, c);
        if (is_column(&columns->all[c], field, question->kind) && cell != NULL &&
            (looks == 0 || (looks_of(cell) & looks) != 0)) {
            *place = c;
            return cell;
        }
    }
    return NULL;
}

static const char *value_of(struct question *question, size_t line, size_t *place)
{
    const struct way *way = question->way;
    const char *value = cell_of(question, line, way->of, way->looks, place);
    if (value == NULL || way->of != FIELD_NAME)
        return value;
    size_t unused;
    const char *postcode = cell_of(question, line, FIELD_POSTCODE, 0, &unused);
    if (postcode == NULL || strchr(value, '\n') != NULL)
        return NULL;
    return arena_printf(&question->values, "%s\n%s", value, postcode);
}

static enum status ask_kind(struct question *question, struct error *error)
{
    struct tracing *tracing = question->tracing;
    for (size_t i = 0; i < tracing->leak.line_count; i++) {
        size_t place = 0;
        const char *value = tracing->matches[i].settled ? NULL : value_of(question, i, &place);
        if (question->values.overflowed)
            return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample",
                             "out of memory");
        if (value == NULL)
            continue;
        question->texts[question->count] = value;
        question->places[question->count] = place;
        question->lines[question->count++] = i;
        if (question->count == BATCH)
            TRY(ask(question, error));
    }
    return ask(question, error);
}

static enum status ask_all(struct question *question, struct buffer *columns, struct error *error)
{
    const struct policy *policy = question->tracing->casework->policy;
    for (size_t w = 0; w < WAYS; w++) {
        question->way = &ways[w];
        for (size_t k = 0; k < policy->kind_count; k++) {
            buffer_clear(columns);
            contact_match_columns(&policy->kinds[k], ways[w].field, columns);
            question->kind = (uint16_t)k;
            question->columns = buffer_text(columns);
            if (question->columns == NULL)
                return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
            if (columns->len > 0)
                TRY(ask_kind(question, error));
        }
        trace_settle(question->tracing);
    }
    return STATUS_OK;
}

enum status trace_by_contact(struct tracing *tracing, struct error *error)
{
    struct buffer columns;
    if (tracing->reader == NULL)
        return STATUS_OK;
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    question->tracing = tracing;
    arena_init(&question->values, VALUES_BYTES);
    buffer_init(&columns, COLUMNS_BYTES);
    enum status status = ask_all(question, &columns, error);
    buffer_free(&columns);
    arena_free(&question->values);
    free(question);
    return status;
}
