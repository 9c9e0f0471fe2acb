/* What changed between two phases, and who needs a corrected notice: those who were in scope and of
 * whom more was told. People are in the same order in both. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/scope_tables.h"

enum { CATEGORIES_MAX = 256, REMEMBERED = 4096 };

/* ---- one person ---- */

static bool is_told(const char *form)
{
    return strcmp(form, "clear") == 0 || strcmp(form, "masked") == 0;
}

/* Does a list tell of the category as much as this one does? Clear covers masked. */
static bool covers(const struct scope_category *list, size_t count,
                   const struct scope_category *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].category, wanted->category) == 0 &&
            (strcmp(list[i].form, wanted->form) == 0 || strcmp(list[i].form, "clear") == 0))
            return true;
    return false;
}

static bool class_grew(const struct scope *before, uint32_t old, const struct scope *after,
                       uint32_t new)
{
    struct scope_category had[CATEGORIES_MAX], has[CATEGORIES_MAX];
    size_t had_count = scope_class_categories(before, &before->classes[old], SCOPE_GRADES_NOTIFIED,
                                              had, CATEGORIES_MAX);
    size_t count = scope_class_categories(after, &after->classes[new], SCOPE_GRADES_NOTIFIED, has,
                                          CATEGORIES_MAX);
    for (size_t i = 0; i < count; i++)
        if (is_told(has[i].form) && !covers(had, had_count, &has[i]))
            return true;
    return false;
}

/* Who was only asked about is in no number of people. */
static const struct scope_person *person_by_id(const struct scope *scope, uint32_t id)
{
    const struct scope_private *made = scope->private;
    if (id >= made->place_count || made->places[id] == 0)
        return NULL;
    const struct scope_person *person = &scope->people[made->places[id] - 1];
    return scope_asked_only(scope, person) ? NULL : person;
}

bool scope_grew(const struct scope *before, const struct scope *after, size_t at)
{
    const struct scope_person *old = person_by_id(before, after->people[at].id);
    return old != NULL && class_grew(before, old->group, after, after->people[at].group);
}

/* ---- all people ---- */

/* Most people who share a class before share one after. */
struct memory {
    struct {
        uint32_t old, new;
        bool known, grew;
    } pairs[REMEMBERED];
};

static bool grew(struct memory *memory, const struct scope *before, uint32_t old,
                 const struct scope *after, uint32_t new)
{
    size_t at = (old * 31 + new) % REMEMBERED;
    if (!memory->pairs[at].known || memory->pairs[at].old != old || memory->pairs[at].new != new) {
        memory->pairs[at].known = true;
        memory->pairs[at].old = old;
        memory->pairs[at].new = new;
        memory->pairs[at].grew = class_grew(before, old, after, new);
    }
    return memory->pairs[at].grew;
}

struct change {
    uint64_t before, after, added, removed, grown, confirmed_before, confirmed_after;
};

static void count_changes(const struct scope *before, const struct scope *after,
                          struct memory *memory, struct change *changes)
{
    for (size_t i = 0; i < before->person_count; i++) {
        const struct scope_person *person = &before->people[i];
        if (scope_asked_only(before, person))
            continue;
        changes[person->kind].before++;
        changes[person->kind].confirmed_before += (person->flags & SCOPE_CONFIRMED) != 0;
        changes[person->kind].removed += person_by_id(after, person->id) == NULL;
    }
    for (size_t i = 0; i < after->person_count; i++) {
        const struct scope_person *person = &after->people[i];
        if (scope_asked_only(after, person))
            continue;
        const struct scope_person *old = person_by_id(before, person->id);
        changes[person->kind].after++;
        changes[person->kind].confirmed_after += (person->flags & SCOPE_CONFIRMED) != 0;
        changes[person->kind].added += old == NULL;
        changes[person->kind].grown +=
            old != NULL && grew(memory, before, old->group, after, person->group);
    }
}

/* ---- the table ---- */

static void add(struct table *table, const char *what, const char *kind, const char *detail,
                const uint64_t *before, const uint64_t *after)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", what);
    table_set(table, row, 1, "%s", kind);
    if (detail != NULL)
        table_set(table, row, 2, "%s", detail);
    if (before != NULL)
        table_set(table, row, 3, "%" PRIu64, *before);
    if (after != NULL)
        table_set(table, row, 4, "%" PRIu64, *after);
}

static void add_people(struct table *table, const struct scope *after, size_t kinds,
                       const struct change *changes)
{
    for (size_t kind = 0; kind < kinds; kind++) {
        const struct change *change = &changes[kind];
        const char *name = scope_kind(after, (uint16_t)kind);
        if (change->before == 0 && change->after == 0)
            continue;
        add(table, "people", name, NULL, &change->before, &change->after);
        if (change->added > 0)
            add(table, "people added", name, NULL, NULL, &change->added);
        if (change->removed > 0)
            add(table, "people removed", name, NULL, &change->removed, NULL);
        if (change->confirmed_before != change->confirmed_after)
            add(table, "confirmed", name, NULL, &change->confirmed_before,
                &change->confirmed_after);
        if (change->grown > 0)
            add(table, "corrected notice", name, "more was told of them than before", NULL,
                &change->grown);
    }
}

enum { LABEL_CELLS = 3, PEOPLE_CELL = 3 }; /* kind, category, form; people */

static int compare_rows(const struct table_row *a, const struct table_row *b)
{
    for (size_t i = 0; i < LABEL_CELLS; i++) {
        int order = strcmp(a->cells[i], b->cells[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static void add_category(struct table *table, const struct table_row *before,
                         const struct table_row *after)
{
    const struct table_row *either = before == NULL ? after : before;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "category");
    table_set(table, row, 1, "%s", either->cells[0]);
    table_set(table, row, 2, "%s (%s)", either->cells[1], either->cells[2]);
    table_set(table, row, 3, "%s", before == NULL ? "0" : before->cells[PEOPLE_CELL]);
    table_set(table, row, 4, "%s", after == NULL ? "0" : after->cells[PEOPLE_CELL]);
}

static const struct table_row *find_row(const struct table *table, const struct table_row *wanted)
{
    const struct table_row *row = table->first;
    while (row != NULL && compare_rows(row, wanted) != 0)
        row = row->next;
    return row;
}

/* Categories whose number of people is another one now. */
static enum status add_categories(struct table *table, const struct scope *before,
                                  const struct scope *after, struct error *error)
{
    struct table old, new;
    TRY(scope_table(before, "category", &old, error));
    enum status status = scope_table(after, "category", &new, error);
    if (status != STATUS_OK) {
        table_free(&old);
        return status;
    }
    for (const struct table_row *row = new.first; row != NULL; row = row->next) {
        const struct table_row *had = find_row(&old, row);
        if (had == NULL || strcmp(had->cells[PEOPLE_CELL], row->cells[PEOPLE_CELL]) != 0)
            add_category(table, had, row);
    }
    for (const struct table_row *row = old.first; row != NULL; row = row->next)
        if (find_row(&new, row) == NULL)
            add_category(table, row, NULL);
    table_free(&old);
    table_free(&new);
    return STATUS_OK;
}

enum status scope_diff(const struct scope *before, const struct scope *after, struct table *table,
                       struct error *error)
{
    static const char *const columns[] = {"what", "kind", "detail", "before", "after", NULL};
    size_t kinds =
        scope_kinds(before) > scope_kinds(after) ? scope_kinds(before) : scope_kinds(after);
    struct change *changes = calloc(kinds + 1, sizeof *changes);
    struct memory *memory = calloc(1, sizeof *memory);
    enum status status = STATUS_OK;
    if (changes == NULL || memory == NULL) {
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to compare two phases");
    } else {
        count_changes(before, after, memory, changes);
        table_init(table, SCOPE_TABLE_BYTES, columns);
        add_people(table, after, kinds, changes);
        status = add_categories(table, before, after, error);
        if (status != STATUS_OK)
            table_free(table);
    }
    free(changes);
    free(memory);
    return status;
}
