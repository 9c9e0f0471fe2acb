/* What a partner changed, or meant to: the entries of changes below the cut-off, and the table made
 * of them. A change is told apart from what was read for it, which stands in disclosures. One that
 * has no end, or whose end is in doubt, may have taken place. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/subject_set.h"
#include "incident/scope_tables.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

static bool is_text(const char *known, struct slice text)
{
    return slice_equal(slice_of_text(known), text);
}

static enum status find_change(struct scope_scan *scan, const struct ledger_entry *entry,
                               size_t *index, struct error *error)
{
    struct slice kind = scope_text_value(entry->text, "change");
    struct slice dataset = scope_text_value(entry->text, "dataset");
    for (size_t i = 0; i < scan->change_count; i++) {
        const struct scope_change *known = &scan->changes[i];
        if (known->column_set == entry->column_set && is_text(known->agent, entry->agent) &&
            is_text(known->change, kind) && is_text(known->dataset, dataset)) {
            *index = i;
            return STATUS_OK;
        }
    }
    TRY(scope_grow(&scan->changes, scan->change_count, &scan->change_capacity,
                   sizeof *scan->changes, error));
    struct scope_change *change = &scan->changes[scan->change_count];
    struct arena *arena = &scan->arena;
    *change = (struct scope_change){
        .column_set = entry->column_set,
        .agent = arena_copy(arena, (const char *)entry->agent.data, entry->agent.len),
        .change = arena_copy(arena, (const char *)kind.data, kind.len),
        .dataset = arena_copy(arena, (const char *)dataset.data, dataset.len),
        .first_ns = entry->time_ns,
        .last_ns = entry->time_ns};
    if (change->agent == NULL || change->change == NULL || change->dataset == NULL)
        return out_of_memory(error);
    *index = scan->change_count++;
    return STATUS_OK;
}

struct adding {
    struct scope_ids *people;
    struct error *error;
    enum status status;
};

static bool add_person(void *context, uint32_t id)
{
    struct adding *adding = context;
    bool added;
    adding->status = scope_ids_add(adding->people, id, &added, adding->error);
    return adding->status == STATUS_OK;
}

static enum status add_people(struct scope_change *change, const struct ledger_entry *entry,
                              struct error *error)
{
    struct adding adding = {.people = &change->people, .error = error, .status = STATUS_OK};
    for (size_t i = 0; i < entry->item_count && adding.status == STATUS_OK; i++)
        if (subject_set_each(entry->items[i].subjects, add_person, &adding) != STATUS_OK)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "a set of subjects in the ledger is malformed");
    return adding.status;
}

/* An intent. The last of its chunks says how many rows it was about. */
static enum status take_intent(struct scope_scan *scan, const struct ledger_entry *entry,
                               struct error *error)
{
    size_t index = 0;
    TRY(find_change(scan, entry, &index, error));
    struct scope_change *change = &scan->changes[index];
    TRY(add_people(change, entry, error));
    change->rows += entry->row_count;
    if (entry->time_ns < change->first_ns)
        change->first_ns = entry->time_ns;
    if (entry->time_ns > change->last_ns)
        change->last_ns = entry->time_ns;
    if (entry->chunk > 0)
        return STATUS_OK;
    TRY(scope_grow(&scan->open_changes, scan->open_change_count, &scan->open_change_capacity,
                   sizeof *scan->open_changes, error));
    struct scope_open_change *open = &scan->open_changes[scan->open_change_count++];
    memcpy(open->uuid, entry->uuid, sizeof open->uuid);
    open->change = index;
    change->in_doubt++;
    return STATUS_OK;
}

static void take_end(struct scope_scan *scan, const struct ledger_entry *entry)
{
    for (size_t i = scan->open_change_count; i-- > 0;) {
        const struct scope_open_change *open = &scan->open_changes[i];
        if (memcmp(open->uuid, entry->uuid, sizeof open->uuid) != 0)
            continue;
        struct scope_change *change = &scan->changes[open->change];
        bool known = entry->outcome == LEDGER_OUTCOME_COMMITTED ||
                     entry->outcome == LEDGER_OUTCOME_ROLLED_BACK;
        change->in_doubt -= known;
        change->committed += entry->outcome == LEDGER_OUTCOME_COMMITTED;
        change->rolled_back += entry->outcome == LEDGER_OUTCOME_ROLLED_BACK;
        scan->open_changes[i] = scan->open_changes[--scan->open_change_count];
        return;
    }
}

enum status scope_take_change(struct scope_scan *scan, const struct ledger_entry *entry,
                              struct error *error)
{
    if (entry->type == LEDGER_CHANGE)
        return take_intent(scan, entry, error);
    take_end(scan, entry);
    return STATUS_OK;
}

void scope_free_changes(struct scope_scan *scan)
{
    for (size_t i = 0; i < scan->change_count; i++)
        scope_ids_free(&scan->changes[i].people);
    free(scan->changes);
    free(scan->open_changes);
}

/* ---- the table ---- */

/* "phone, email" of "dataset.phone:clear:phone" and so on. */
static void set_columns(struct table *table, struct table_row *row, size_t column, const char *text)
{
    struct buffer names;
    buffer_init(&names, SCOPE_TABLE_BYTES);
    while (text != NULL && *text != '\0') {
        const char *end = text + strcspn(text, "\n");
        const char *name = memchr(text, '.', (size_t)(end - text));
        if (name != NULL) {
            if (names.len > 0)
                buffer_append_text(&names, ", ");
            buffer_append(&names, name + 1, strcspn(name + 1, ":\n"));
        }
        text = *end == '\0' ? end : end + 1;
    }
    if (names.len > 0)
        table_set(table, row, column, "%s", buffer_text(&names));
    buffer_free(&names);
}

/* Each kind of change, by each agent. People and rows are of all its statements, also of those that
 * were rolled back. */
enum status scope_table_change(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"change",   "dataset", "columns",   "agent",
                                          "people",   "rows",    "committed", "rolled_back",
                                          "in_doubt", "first",   "last",      NULL};
    const struct scope_scan *scan = &scope->private->scan;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scan->change_count; i++) {
        const struct scope_change *change = &scan->changes[i];
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", change->change);
        table_set(table, row, 1, "%s", change->dataset);
        set_columns(table, row, 2, scope_classes_set(&scan->classes, change->column_set));
        table_set(table, row, 3, "%s", change->agent);
        table_set(table, row, 4, "%" PRIu64, change->people.count);
        table_set(table, row, 5, "%" PRIu64, change->rows);
        table_set(table, row, 6, "%" PRIu64, change->committed);
        table_set(table, row, 7, "%" PRIu64, change->rolled_back);
        table_set(table, row, 8, "%" PRIu64, change->in_doubt);
        table_set_instant(table, row, 9, change->first_ns);
        table_set_instant(table, row, 10, change->last_ns);
    }
    return STATUS_OK;
}
