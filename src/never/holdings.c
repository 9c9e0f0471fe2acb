/* See holdings.h. Most entries add the same columns to people who have the same ones already: so
 * what a set and a group give is worked out once, and looked up from then on. */
#include "never/holdings.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "exposure/column_line.h"
#include "exposure/subject_set.h"
#include "never/marks.h"

enum {
    GRADE_PROBE = 5, /* asked about and not found: nothing of the person was given away */
    SET_QUESTIONS = 1 << 16,
    QUESTION_BYTES = 1 + LIMIT_NAME_BYTES + MARKS_COLUMN_BYTES,
    GROUP_BYTES = 4 + LIMIT_NAME_BYTES,
    IDS_FIRST = 1 << 16,
    GROWTH_FIRST = 256,
};

static const size_t table_bytes = (size_t)4 << 30; /* of each table: a bound, not a reserve */

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the index of disclosures");
}

static enum status malformed(struct error *error, const char *what)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "%s is malformed", what);
}

enum status holdings_init(struct holdings *holdings, struct error *error)
{
    uint32_t nothing;
    *holdings = (struct holdings){0};
    struct interned *tables[] = {&holdings->questions, &holdings->sets, &holdings->groups,
                                 &holdings->steps, &holdings->column_sets};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        interned_init(tables[i], table_bytes);
    if (!interned_add(&holdings->sets, slice_of("", 0), &nothing))
        return no_memory(error);
    CHECK(nothing == HOLDINGS_NOTHING);
    return STATUS_OK;
}

void holdings_free(struct holdings *holdings)
{
    interned_free(&holdings->questions);
    interned_free(&holdings->sets);
    interned_free(&holdings->groups);
    interned_free(&holdings->steps);
    interned_free(&holdings->column_sets);
    free(holdings->group_sets);
    free(holdings->step_sets);
    free(holdings->ids);
    *holdings = (struct holdings){0};
}

/* Room for the number in an array of 32-bit numbers, new ones 0. */
static bool make_room(uint32_t **array, size_t *capacity, size_t number, size_t first)
{
    if (number < *capacity)
        return true;
    size_t grown = *capacity == 0 ? first : *capacity;
    while (grown <= number)
        grown *= 2;
    uint32_t *larger = realloc(*array, grown * sizeof **array);
    if (larger == NULL)
        return false;
    memset(larger + *capacity, 0, (grown - *capacity) * sizeof *larger);
    *array = larger;
    *capacity = grown;
    return true;
}

/* ---- sets ---- */

const uint32_t *holdings_set(const struct holdings *holdings, uint32_t set, size_t *count)
{
    struct slice bytes = interned_get(&holdings->sets, set);
    *count = bytes.len / sizeof(uint32_t);
    return (const uint32_t *)(const void *)bytes.data; /* the arena aligns */
}

static size_t merge(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count,
                    uint32_t *out)
{
    size_t i = 0, j = 0, count = 0;
    while (i < a_count || j < b_count) {
        bool from_a = j == b_count || (i < a_count && a[i] <= b[j]);
        bool from_b = i == a_count || (j < b_count && b[j] <= a[i]);
        out[count++] = from_a ? a[i] : b[j];
        i += from_a;
        j += from_b;
    }
    return count;
}

enum status holdings_union(struct holdings *holdings, uint32_t a, uint32_t b, uint32_t *sum,
                           struct error *error)
{
    size_t a_count, b_count;
    const uint32_t *first = holdings_set(holdings, a, &a_count);
    const uint32_t *second = holdings_set(holdings, b, &b_count);
    uint32_t *both = malloc((a_count + b_count + 1) * sizeof *both);
    if (both == NULL)
        return no_memory(error);
    size_t count = merge(first, a_count, second, b_count, both);
    bool added = interned_add(&holdings->sets, slice_of(both, count * sizeof *both), sum);
    free(both);
    return added ? STATUS_OK : no_memory(error);
}

static size_t question_bytes(struct slice partner, struct slice column,
                             uint8_t bytes[QUESTION_BYTES])
{
    bytes[0] = (uint8_t)partner.len;
    if (partner.len > 0)
        memcpy(bytes + 1, partner.data, partner.len);
    if (column.len > 0)
        memcpy(bytes + 1 + partner.len, column.data, column.len);
    return 1 + partner.len + column.len;
}

void holdings_question(const struct holdings *holdings, uint32_t question, struct slice *partner,
                       struct slice *column)
{
    struct slice bytes = interned_get(&holdings->questions, question);
    *partner = slice_of(bytes.data + 1, bytes.data[0]);
    *column = slice_of(bytes.data + 1 + bytes.data[0], bytes.len - 1 - bytes.data[0]);
}

bool holdings_has(const struct holdings *holdings, uint32_t set, struct slice partner,
                  struct slice column)
{
    uint8_t bytes[QUESTION_BYTES];
    size_t count;
    if (partner.len > LIMIT_NAME_BYTES || column.len > MARKS_COLUMN_BYTES)
        return false;
    int64_t wanted = interned_find(&holdings->questions,
                                   slice_of(bytes, question_bytes(partner, column, bytes)));
    const uint32_t *questions = holdings_set(holdings, set, &count);
    for (size_t i = 0; i < count; i++)
        if (questions[i] == wanted)
            return true;
    return false;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* ---- groups: what an item of a partner and a column set adds ---- */

struct gathering {
    struct holdings *holdings;
    uint32_t *questions;
    size_t count;
};

static bool gather(struct gathering *gathering, struct slice partner, struct slice column)
{
    uint8_t bytes[QUESTION_BYTES];
    uint32_t number;
    if (gathering->count == SET_QUESTIONS ||
        !interned_add(&gathering->holdings->questions,
                      slice_of(bytes, question_bytes(partner, column, bytes)), &number))
        return false;
    gathering->questions[gathering->count++] = number;
    return true;
}

/* In whatever form, about whomever: a column is asked for by its name. */
static enum status gather_columns(struct gathering *gathering, struct slice partner,
                                  const char *text, struct error *error)
{
    const struct slice any = slice_of(NULL, 0);
    struct column_line line;
    while (column_line_next(&text, &line)) {
        uint8_t name[MARKS_COLUMN_BYTES];
        size_t len = line.dataset.len + 1 + line.column.len;
        if (len > sizeof name)
            return malformed(error, "a column's name");
        memcpy(name, line.dataset.data, line.dataset.len);
        name[line.dataset.len] = '.';
        memcpy(name + line.dataset.len + 1, line.column.data, line.column.len);
        if (!gather(gathering, partner, slice_of(name, len)) ||
            !gather(gathering, any, slice_of(name, len)))
            return no_memory(error);
    }
    return *text == '\0' ? STATUS_OK : malformed(error, "a column set");
}

static enum status make_group(struct holdings *holdings, struct slice partner, const char *text,
                              uint32_t *set, struct error *error)
{
    struct gathering gathering = {.holdings = holdings,
                                  .questions = malloc(SET_QUESTIONS * sizeof(uint32_t))};
    if (gathering.questions == NULL)
        return no_memory(error);
    enum status status =
        gather(&gathering, partner, slice_of(NULL, 0)) ? STATUS_OK : no_memory(error);
    if (status == STATUS_OK)
        status = gather_columns(&gathering, partner, text, error);
    if (status == STATUS_OK) {
        size_t unique = 0;
        qsort(gathering.questions, gathering.count, sizeof(uint32_t), compare_numbers);
        for (size_t i = 0; i < gathering.count; i++)
            if (i == 0 || gathering.questions[i] != gathering.questions[i - 1])
                gathering.questions[unique++] = gathering.questions[i];
        if (!interned_add(&holdings->sets, slice_of(gathering.questions, unique * sizeof(uint32_t)),
                          set))
            status = no_memory(error);
    }
    free(gathering.questions);
    return status;
}

/* The text of a column set that an entry names; ids are dense from 1. */
static enum status column_text(const struct holdings *holdings, uint32_t column_set,
                               const char **text, struct error *error)
{
    if (column_set > holdings->column_sets.count)
        return malformed(error, "a column set's number");
    *text = "";
    if (column_set > 0) /* terminated by the table */
        *text = (const char *)interned_get(&holdings->column_sets, column_set - 1).data + 4;
    return STATUS_OK;
}

static enum status find_group(struct holdings *holdings, struct slice partner, uint32_t column_set,
                              uint32_t *group, struct error *error)
{
    uint8_t bytes[GROUP_BYTES];
    uint32_t set;
    const char *text = "";
    if (partner.len > LIMIT_NAME_BYTES)
        return malformed(error, "a partner's name");
    store_u32be(bytes, column_set);
    memcpy(bytes + 4, partner.data, partner.len);
    struct slice name = slice_of(bytes, 4 + partner.len);
    int64_t known = interned_find(&holdings->groups, name);
    if (known != INTERNED_NONE) {
        *group = (uint32_t)known;
        return STATUS_OK;
    }
    TRY(column_text(holdings, column_set, &text, error));
    TRY(make_group(holdings, partner, text, &set, error));
    if (!make_room(&holdings->group_sets, &holdings->group_capacity, holdings->groups.count,
                   GROWTH_FIRST) ||
        !interned_add(&holdings->groups, name, group))
        return no_memory(error);
    holdings->group_sets[*group] = set;
    return STATUS_OK;
}

/* What a set becomes when a group is added. */
static enum status step(struct holdings *holdings, uint32_t set, uint32_t group, uint32_t *sum,
                        struct error *error)
{
    const uint32_t pair[] = {set, group};
    const struct slice name = slice_of(pair, sizeof pair);
    int64_t known = interned_find(&holdings->steps, name);
    if (known != INTERNED_NONE) {
        *sum = holdings->step_sets[known];
        return STATUS_OK;
    }
    uint32_t number, made;
    TRY(holdings_union(holdings, set, holdings->group_sets[group], &made, error));
    if (!make_room(&holdings->step_sets, &holdings->step_capacity, holdings->steps.count,
                   GROWTH_FIRST) ||
        !interned_add(&holdings->steps, name, &number))
        return no_memory(error);
    holdings->step_sets[number] = made;
    *sum = made;
    return STATUS_OK;
}

/* ---- entries ---- */

struct adding {
    struct holdings *holdings;
    struct error *error;
    enum status status;
    uint32_t group, before, after; /* the last step: neighbours often have the same */
    size_t count;
};

static bool add_id(void *context, uint32_t id)
{
    struct adding *adding = context;
    struct holdings *holdings = adding->holdings;
    if (!make_room(&holdings->ids, &holdings->id_count, id, IDS_FIRST)) {
        adding->status = no_memory(adding->error);
        return false;
    }
    if (adding->count == 0 || holdings->ids[id] != adding->before) {
        adding->before = holdings->ids[id];
        adding->status =
            step(holdings, adding->before, adding->group, &adding->after, adding->error);
        if (adding->status != STATUS_OK)
            return false;
    }
    holdings->ids[id] = adding->after;
    adding->count++;
    return true;
}

/* Of anybody: also where no row came back. */
static enum status add_everybody(struct holdings *holdings, struct slice partner,
                                 uint32_t column_set, struct error *error)
{
    uint32_t group;
    TRY(find_group(holdings, partner, column_set, &group, error));
    return step(holdings, holdings->everybody, group, &holdings->everybody, error);
}

static enum status take_item(struct holdings *holdings, const struct ledger_entry *entry,
                             const struct ledger_item *item, struct error *error)
{
    struct adding adding = {.holdings = holdings, .error = error};
    if (item->grade != GRADE_PROBE) {
        TRY(find_group(holdings, entry->partner, item->column_set, &adding.group, error));
        if (subject_set_each(item->subjects, add_id, &adding) != STATUS_OK)
            return malformed(error, "a set of subjects");
        TRY(adding.status);
    }
    if (adding.count > 0 || item->column_set != 0)
        return add_everybody(holdings, entry->partner, item->column_set, error);
    return STATUS_OK;
}

static enum status take_disclosure(struct holdings *holdings, const struct ledger_entry *entry,
                                   struct error *error)
{
    for (size_t i = 0; i < entry->item_count; i++)
        TRY(take_item(holdings, entry, &entry->items[i], error));
    if (entry->column_set != 0 || entry->type == LEDGER_PROBE)
        return add_everybody(holdings, entry->partner, entry->column_set, error);
    return STATUS_OK;
}

static enum status take_column_set(struct holdings *holdings, const struct ledger_entry *entry,
                                   struct error *error)
{
    uint8_t *bytes = malloc(4 + entry->text.len);
    uint32_t number;
    if (bytes == NULL)
        return no_memory(error);
    store_u32be(bytes, entry->column_set); /* makes each one new */
    if (entry->text.len > 0)
        memcpy(bytes + 4, entry->text.data, entry->text.len);
    bool added =
        interned_add(&holdings->column_sets, slice_of(bytes, 4 + entry->text.len), &number);
    free(bytes);
    if (!added)
        return no_memory(error);
    return number + 1 == entry->column_set ? STATUS_OK
                                           : malformed(error, "the order of column sets");
}

/* A reading without a partner is the company's own. */
bool holdings_counts(const struct ledger_entry *entry)
{
    return entry->partner.len > 0 &&
           (entry->type == LEDGER_DISCLOSURE || entry->type == LEDGER_PROBE ||
            entry->type == LEDGER_DECLARED || entry->type == LEDGER_CHANGE);
}

enum status holdings_take(struct holdings *holdings, const struct ledger_entry *entry,
                          struct error *error)
{
    enum status status = STATUS_OK;
    if (entry->type == LEDGER_COLUMN_SET)
        status = take_column_set(holdings, entry, error);
    else if (holdings_counts(entry))
        status = take_disclosure(holdings, entry, error);
    if (status == STATUS_OK)
        holdings->entries++;
    else
        error_prefix(error, "ledger entry %llu", (unsigned long long)holdings->entries);
    return status;
}

uint32_t holdings_of(const struct holdings *holdings, uint32_t id)
{
    return id < holdings->id_count ? holdings->ids[id] : HOLDINGS_NOTHING;
}
