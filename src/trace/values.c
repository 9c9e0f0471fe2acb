/* Values: in which form each cell of a recognised person's lines stands. By looks first; then,
 * where the contact role can read the person's value, by what each mask makes of it. Only people of
 * whom something was disclosed are read, and each reading stands in the ledger before it is made.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/forms.h"
#include "trace/private.h"

enum { BATCH = 5000, DATE_ROOM = 24 };
static const int64_t DAY_NS = INT64_C(86400000000000);

/* ---- people ---- */

static int compare_lines(const void *a, const void *b, void *matches)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    const struct match *all = matches, *x = &all[left], *y = &all[right];
    int order = (x->kind > y->kind) - (x->kind < y->kind);
    if (order == 0)
        order = strcmp(x->key, y->key);
    return order != 0 ? order : (left > right) - (left < right);
}

enum status trace_people(struct tracing *tracing, struct error *error)
{
    size_t lines = 0, count = tracing->leak.line_count;
    tracing->order = arena_array(&tracing->arena, size_t, count + 1);
    tracing->people = arena_array(&tracing->arena, struct person, count + 1);
    if (tracing->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
    for (size_t i = 0; i < count; i++)
        if (tracing->matches[i].key != NULL && !tracing->matches[i].several)
            tracing->order[lines++] = i;
    qsort_r(tracing->order, lines, sizeof tracing->order[0], compare_lines, tracing->matches);
    for (size_t i = 0; i < lines; i++) {
        struct match *match = &tracing->matches[tracing->order[i]];
        struct person *last =
            tracing->person_count == 0 ? NULL : &tracing->people[tracing->person_count - 1];
        if (last == NULL || last->kind != match->kind || strcmp(last->key, match->key) != 0) {
            last = &tracing->people[tracing->person_count++];
            *last = (struct person){.kind = match->kind, .key = match->key, .first = i};
            last->disclosed = names_find(tracing->world.names, last->kind, slice_of_text(last->key),
                                         &last->id) == STATUS_OK;
        }
        last->lines++;
        match->person = (uint32_t)(tracing->person_count - 1);
    }
    return STATUS_OK;
}

/* ---- looks ---- */

static void take_looks(struct tracing *tracing, size_t line)
{
    const struct columns *columns = &tracing->report->columns;
    for (size_t c = 0; c < columns->count; c++) {
        const char *cell = leak_cell(&tracing->leak, line, c);
        if (cell == NULL || columns->all[c].how == NULL)
            continue;
        uint16_t forms = (uint16_t)forms_by_looks(cell, columns->all[c].category);
        bool is_key = columns->all[c].is_key;
        trace_forms(tracing, line)[c] = is_key && forms != FORM_TOKEN ? FORM_CLEAR : forms;
    }
}

/* ---- values ---- */

struct reading {
    struct tracing *tracing;
    uint16_t kind;
    size_t people[BATCH]; /* places */
    const char *keys[BATCH];
    uint32_t ids[BATCH];
    size_t count;
};

/* The forms of a cell by one of the person's values; 0: it is none. */
static unsigned by_values(const char *cell, enum column_field field,
                          const struct contact_person *person)
{
    char date[DATE_ROOM];
    const char *value = NULL;
    unsigned forms = 0;
    switch (field) {
    case FIELD_NAME:
        value = person->name;
        break;
    case FIELD_EMAIL:
        value = person->email;
        break;
    case FIELD_PHONE:
        value = person->phone;
        break;
    case FIELD_LANGUAGE:
        value = person->language;
        break;
    case FIELD_BRAND:
        value = person->brand;
        break;
    case FIELD_COUNTRY:
        value = person->country;
        break;
    case FIELD_BIRTH:
        if (person->birth_day == INT32_MIN)
            break;
        clock_format_utc(person->birth_day * DAY_NS, date);
        date[10] = '\0';
        value = date;
        break;
    case FIELD_POSTCODE:
    case FIELD_POST:
        for (size_t i = 0; i < person->post_count; i++)
            forms |= forms_by_value(cell, person->post[i]);
        return forms;
    case FIELD_NONE:
        break;
    }
    return value == NULL ? 0 : forms_by_value(cell, value);
}

static enum status take_person(void *context, const struct contact_person *contact,
                               struct error *error)
{
    struct reading *reading = context;
    struct tracing *tracing = reading->tracing;
    const struct person *person = &tracing->people[reading->people[contact->at]];
    struct columns *columns = &tracing->report->columns;
    for (size_t i = 0; i < person->lines; i++) {
        size_t line = tracing->order[person->first + i];
        for (size_t c = 0; c < columns->count; c++) {
            uint16_t *forms = &trace_forms(tracing, line)[c];
            const char *cell = leak_cell(&tracing->leak, line, c);
            if (*forms == 0 || *forms == FORM_TOKEN || columns->all[c].is_key)
                continue;
            unsigned found = by_values(cell, columns->all[c].field, contact);
            if (found != 0)
                *forms = (uint16_t)found;
            /* An address or a number that led to the person is counted already. */
            bool counted =
                tracing->matches[line].way == BY_CONTACT &&
                (columns->all[c].field == FIELD_EMAIL || columns->all[c].field == FIELD_PHONE ||
                 columns->all[c].field == FIELD_NAME);
            columns->all[c].matched += found != 0 && !counted;
        }
    }
    return STATUS_OK;
}

static enum status read_batch(struct reading *reading, struct error *error)
{
    struct tracing *tracing = reading->tracing;
    const char *columns = contact_columns(tracing->reader, reading->kind, false);
    size_t count = reading->count;
    reading->count = 0;
    if (count == 0)
        return STATUS_OK;
    TRY(trace_record(tracing, reading->kind, columns, reading->ids, count, error));
    return contact_read(tracing->reader, reading->kind, reading->keys, count, take_person, reading,
                        error);
}

static bool has_values(const struct columns *columns)
{
    for (size_t c = 0; c < columns->count; c++)
        if (columns->all[c].how != NULL && columns->all[c].field != FIELD_NONE)
            return true;
    return false;
}

static enum status read_all(struct reading *reading, struct error *error)
{
    struct tracing *tracing = reading->tracing;
    for (size_t p = 0; p < tracing->person_count; p++) {
        const struct person *person = &tracing->people[p];
        if (person->kind != reading->kind || reading->count == BATCH) {
            TRY(read_batch(reading, error));
            reading->kind = person->kind;
        }
        if (!person->disclosed || contact_columns(tracing->reader, person->kind, false)[0] == '\0')
            continue;
        reading->people[reading->count] = p;
        reading->keys[reading->count] = person->key;
        reading->ids[reading->count++] = person->id;
    }
    return read_batch(reading, error);
}

enum status trace_values(struct tracing *tracing, struct error *error)
{
    size_t cells = tracing->leak.line_count * tracing->leak.column_count;
    tracing->forms = arena_array(&tracing->arena, uint16_t, cells + 1);
    if (tracing->forms == NULL)
        return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
    for (size_t i = 0; i < tracing->leak.line_count; i++)
        if (tracing->matches[i].person != TRACE_NOBODY)
            take_looks(tracing, i);
    if (tracing->reader == NULL || !has_values(&tracing->report->columns))
        return STATUS_OK;
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    reading->tracing = tracing;
    enum status status = read_all(reading, error);
    free(reading);
    return status;
}
