/* The list of people as CSV (RFC 4180), and the rules for its cells. A cell that a spreadsheet
 * would take for a formula (it begins with = + - @, a tab or a carriage return, and is no plain
 * number) gets an apostrophe in front: the list will be opened in one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "incident/scope_csv.h"
#include "incident/scope_private.h"

static const size_t TEXTS_BYTES = (size_t)1 << 30;

/* ---- cells ---- */

static bool is_number(const char *text)
{
    size_t sign = text[0] == '-' || text[0] == '+';
    size_t digits = strspn(text + sign, "0123456789.");
    return digits > 0 && text[sign + digits] == '\0';
}

static bool is_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL && !is_number(text);
}

void scope_csv_cell(FILE *out, const char *text, bool last)
{
    const char *shown = text == NULL ? "" : text;
    bool quoted = strpbrk(shown, ",\"\r\n") != NULL;
    if (quoted)
        putc('"', out);
    if (is_formula(shown))
        putc('\'', out);
    for (const char *at = shown; *at != '\0'; at++) {
        if (*at == '"')
            putc('"', out);
        putc(*at, out);
    }
    if (quoted)
        putc('"', out);
    fputs(last ? "\r\n" : ",", out);
}

void scope_csv_table(FILE *out, const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        scope_csv_cell(out, table->columns[i], i + 1 == table->column_count);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        for (size_t i = 0; i < table->column_count; i++)
            scope_csv_cell(out, row->cells[i], i + 1 == table->column_count);
}

/* ---- people ---- */

/* What all people of a class have in common. */
struct class_cells {
    const char *grades, *categories;
};

static const char *grades_text(scope_grades grades, struct arena *arena)
{
    char text[128] = "";
    size_t len = 0;
    for (unsigned grade = 0; grade < SCOPE_GRADES; grade++)
        if ((grades >> grade & 1) != 0)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len == 0 ? "" : " ",
                                    scope_grade_names[grade]);
    return arena_strdup(arena, text);
}

static enum status make_cells(const struct scope *scope, struct arena *arena,
                              struct class_cells **cells, struct error *error)
{
    struct class_cells *made = arena_array(arena, struct class_cells, scope->class_count + 1);
    for (size_t i = 0; made != NULL && i < scope->class_count; i++) {
        made[i].grades = grades_text(scope->private->sums[i].grades, arena);
        made[i].categories =
            scope_class_text(scope, &scope->classes[i], SCOPE_GRADES_NOTIFIED, arena);
    }
    if (made == NULL || arena->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the list of people");
    *cells = made;
    return STATUS_OK;
}

/* Who was forgotten stands in the list without a key. */
static void write_person(FILE *out, const struct scope *scope, size_t at,
                         const struct class_cells *cells)
{
    const struct scope_person *person = &scope->people[at];
    const struct scope_times *times = &scope->private->times[at];
    char key[256], first[21], last[21];
    if (scope_key(scope, person->id, key) != STATUS_OK)
        key[0] = '\0';
    clock_format_utc(times->first_ns, first);
    clock_format_utc(times->last_ns, last);
    const char *const row[] = {scope_kind(scope, person->kind),
                               key,
                               scope_tier(scope, person),
                               cells->grades,
                               cells->categories,
                               scope->brands[person->brand],
                               scope->languages[person->language],
                               scope->countries[person->country],
                               first,
                               last};
    enum { CELLS = sizeof row / sizeof row[0] };
    for (size_t i = 0; i < CELLS; i++)
        scope_csv_cell(out, row[i], i + 1 == CELLS);
}

enum status scope_write_list(const struct scope *scope, FILE *out, struct error *error)
{
    struct arena arena;
    struct class_cells *cells = NULL;
    arena_init(&arena, TEXTS_BYTES);
    enum status status = make_cells(scope, &arena, &cells, error);
    if (status == STATUS_OK)
        fputs("kind,key,tier,grades,categories,brand,language,country,first,last\r\n", out);
    for (size_t i = 0; status == STATUS_OK && i < scope->person_count; i++)
        write_person(out, scope, i, &cells[scope->people[i].group]);
    arena_free(&arena);
    if (status == STATUS_OK && (fflush(out) != 0 || ferror(out) != 0))
        status = error_set(error, STATUS_IO, "58030", NULL, "the list could not be written whole");
    return status;
}
