/* From what the scan found to what a scope says: people in order, classes renumbered, and the
 * categories that were never given. */
#include <stdlib.h>
#include <string.h>

#include "exposure/column_line.h"
#include "incident/scope_private.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for the people of the scope");
}

/* ---- people ---- */

/* The number of each used class, and how many people there are of each kind. */
static size_t use_classes(const struct scope_scan *scan, uint32_t *used, size_t *kinds)
{
    size_t count = 0;
    for (size_t id = 0; id < scan->mark_count; id++) {
        const struct scope_mark *mark = &scan->marks[id];
        if (mark->class == 0)
            continue;
        used[mark->class] = 1;
        kinds[mark->kind]++;
        count++;
    }
    return count;
}

static void place_person(struct scope_private *made, uint32_t id, const uint32_t *used, size_t at)
{
    const struct scope_mark *mark = &made->scan.marks[id];
    made->people[at] = (struct scope_person){
        .id = id, .kind = mark->kind, .flags = mark->flags, .group = used[mark->class]};
    if (scope_scan_deleted(&made->scan, id))
        made->people[at].flags |= SCOPE_DELETED;
    made->times[at] = (struct scope_times){mark->first_ns, mark->last_ns};
    made->places[id] = (uint32_t)at + 1;
}

static enum status reserve(struct scope_private *made, size_t people, struct error *error)
{
    made->people = calloc(people + 1, sizeof *made->people);
    made->times = calloc(people + 1, sizeof *made->times);
    made->places = calloc(made->scan.mark_count + 1, sizeof *made->places);
    if (made->people == NULL || made->times == NULL || made->places == NULL)
        return out_of_memory(error);
    made->place_count = made->scan.mark_count;
    return STATUS_OK;
}

static enum status describe(struct scope_private *made, size_t people, struct error *error)
{
    const struct scope_scan *scan = &made->scan;
    struct scope *scope = &made->scope;
    scope->facts = scan->classes.facts;
    scope->fact_count = scan->classes.fact_count;
    scope->classes = scan->classes.classes;
    scope->class_count = scan->classes.class_count;
    scope->people = made->people;
    scope->person_count = people;
    scope->rows = scan->rows;
    scope->first_ns = scan->first_ns;
    scope->last_ns = scan->last_ns;
    scope->ledger_first_ns = scan->ledger_first_ns;
    scope->since_ns = scan->since_ns;
    made->sums = scope_sum_classes(scope);
    return made->sums == NULL ? out_of_memory(error) : STATUS_OK;
}

enum status scope_settle(struct scope_private *made, struct error *error)
{
    struct scope_scan *scan = &made->scan;
    uint32_t *used = calloc(scan->classes.class_count + 1, sizeof *used);
    size_t *next = calloc(UINT16_MAX + 2, sizeof *next), people = 0, below = 0;
    enum status status = used == NULL || next == NULL ? out_of_memory(error) : STATUS_OK;
    if (status == STATUS_OK) {
        people = use_classes(scan, used, next);
        status = reserve(made, people, error);
    }
    if (status == STATUS_OK)
        status = scope_classes_settle(&scan->classes, used, error);
    for (size_t kind = 0; status == STATUS_OK && kind <= UINT16_MAX; kind++) {
        size_t here = next[kind];
        next[kind] = below;
        below += here;
    }
    for (size_t id = 0; status == STATUS_OK && id < scan->mark_count; id++)
        if (scan->marks[id].class != 0)
            place_person(made, (uint32_t)id, used, next[scan->marks[id].kind]++);
    if (status == STATUS_OK) {
        free(scan->marks);
        scan->marks = NULL;
        scan->mark_count = 0;
        status = describe(made, people, error);
    }
    free(used);
    free(next);
    return status;
}

/* ---- categories that were never given ---- */

static bool names_category(const struct scope_scan *scan, const char *category)
{
    size_t len = strlen(category);
    for (size_t id = 1; id < scan->named_count; id++) {
        const char *text = scan->named[id] ? scope_classes_set(&scan->classes, (uint32_t)id) : NULL;
        struct column_line line;
        while (text != NULL && column_line_next(&text, &line))
            if (line.category.len == len && memcmp(line.category.data, category, len) == 0)
                return true;
    }
    return false;
}

enum status scope_settle_never(struct scope_private *made, struct error *error)
{
    size_t count = 0;
    const char **never = arena_array(&made->arena, const char *, made->known_count + 1);
    if (never == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < made->known_count; i++)
        if (!names_category(&made->scan, made->known[i]))
            never[count++] = made->known[i];
    made->scope.never = never;
    made->scope.never_count = count;
    return STATUS_OK;
}
