/* The tables of a scope: what each counts is said above the function that fills it. People are
 * counted, each once a row, but not those who were only asked about; "notified" are those with a
 * category in clear or masked, of grade direct or declared. Columns:
 *   kind         kind, people, notified, records
 *   tier         tier, kind, people
 *   category     kind, category, form, people, notified, records, then a column a grade
 *   grade        kind, grade, people
 *   dataset      kind, dataset, people, notified
 *   brand, language, country     kind, and that, people, notified
 *   combination  kind, categories, people
 *   never        category, held, statement */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "incident/scope_tables.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a table of the scope");
}

/* ---- kind, tier, grade ---- */

enum status scope_table_kind(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind", "people", "notified", "records", NULL};
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t at = 0; at < scope->person_count;) {
        uint16_t kind = scope->people[at].kind;
        uint64_t people = 0, notified = 0, records = 0;
        for (; at < scope->person_count && scope->people[at].kind == kind; at++) {
            const struct scope_class_sum *sum = &scope->private->sums[scope->people[at].group];
            people += !sum->asked_only;
            notified += sum->notified;
            records += sum->records;
        }
        if (people == 0)
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", scope_kind(scope, kind));
        table_set(table, row, 1, "%" PRIu64, people);
        table_set(table, row, 2, "%" PRIu64, notified);
        table_set(table, row, 3, "%" PRIu64, records);
    }
    return STATUS_OK;
}

/* Each person in the strongest tier only: the rows add up to the people in scope, and beside them
 * those who were only asked about. */
enum status scope_table_tier(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"tier", "kind", "people", NULL};
    static const char *const tiers[] = {"confirmed", "disclosed", "declared", "asked about"};
    enum { TIERS = sizeof tiers / sizeof tiers[0] };
    size_t kinds = scope_kinds(scope);
    uint64_t *counts = calloc(kinds * TIERS + 1, sizeof *counts);
    if (counts == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < scope->person_count; i++)
        for (size_t tier = 0; tier < TIERS; tier++)
            counts[scope->people[i].kind * TIERS + tier] +=
                strcmp(scope_tier(scope, &scope->people[i]), tiers[tier]) == 0;
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t tier = 0; tier < TIERS; tier++)
        for (size_t kind = 0; kind < kinds; kind++) {
            if (counts[kind * TIERS + tier] == 0)
                continue;
            struct table_row *row = table_add(table);
            table_set(table, row, 0, "%s", tiers[tier]);
            table_set(table, row, 1, "%s", scope_kind(scope, (uint16_t)kind));
            table_set(table, row, 2, "%" PRIu64, counts[kind * TIERS + tier]);
        }
    free(counts);
    return STATUS_OK;
}

/* Someone who was given in several grades stands in each. */
enum status scope_table_grade(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind", "grade", "people", NULL};
    uint64_t *counts = scope_count_classes(scope);
    if (counts == NULL)
        return out_of_memory(error);
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t kind = 0; kind < scope_kinds(scope); kind++)
        for (unsigned grade = 0; grade < SCOPE_GRADES; grade++) {
            uint64_t people = 0;
            for (size_t i = 0; i < scope->class_count; i++)
                if ((scope->private->sums[i].grades >> grade & 1) != 0)
                    people += counts[kind * scope->class_count + i];
            if (people == 0)
                continue;
            struct table_row *row = table_add(table);
            table_set(table, row, 0, "%s", scope_kind(scope, (uint16_t)kind));
            table_set(table, row, 1, "%s", scope_grade_names[grade]);
            table_set(table, row, 2, "%" PRIu64, people);
        }
    free(counts);
    return STATUS_OK;
}

/* ---- traits ---- */

/* The index of a person in the list that a table is about. */
static uint16_t trait_of(const struct scope_person *person, enum scope_trait trait)
{
    return trait == SCOPE_TRAIT_BRAND      ? person->brand
           : trait == SCOPE_TRAIT_LANGUAGE ? person->language
                                           : person->country;
}

struct trait_count {
    const char *name;
    uint64_t people, notified;
};

/* Most people first; what is not known comes last. */
static int compare_traits(const void *a, const void *b)
{
    const struct trait_count *left = a, *right = b;
    if ((left->name[0] == '\0') != (right->name[0] == '\0'))
        return left->name[0] == '\0' ? 1 : -1;
    if (left->people != right->people)
        return left->people > right->people ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void add_traits(const struct scope *scope, struct trait_count *counts, size_t name_count,
                       struct table *table)
{
    for (size_t kind = 0; kind < scope_kinds(scope); kind++) {
        struct trait_count *own = counts + kind * name_count;
        qsort(own, name_count, sizeof *own, compare_traits);
        for (size_t i = 0; i < name_count; i++) {
            if (own[i].people == 0)
                continue;
            struct table_row *row = table_add(table);
            table_set(table, row, 0, "%s", scope_kind(scope, (uint16_t)kind));
            table_set(table, row, 1, "%s", own[i].name[0] == '\0' ? "not known" : own[i].name);
            table_set(table, row, 2, "%" PRIu64, own[i].people);
            table_set(table, row, 3, "%" PRIu64, own[i].notified);
        }
    }
}

enum status scope_table_trait(const struct scope *scope, enum scope_trait trait,
                              struct table *table, struct error *error)
{
    static const char *const words[] = {"brand", "language", "country"};
    const char *columns[] = {"kind", words[trait], "people", "notified", NULL};
    const char *const *const lists[] = {scope->brands, scope->languages, scope->countries};
    const size_t sizes[] = {scope->brand_count, scope->language_count, scope->country_count};
    size_t name_count = sizes[trait];
    struct trait_count *counts = calloc(scope_kinds(scope) * name_count + 1, sizeof *counts);
    if (counts == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < scope_kinds(scope) * name_count; i++)
        counts[i].name = lists[trait][i % name_count];
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        if (scope_asked_only(scope, person))
            continue;
        struct trait_count *count = &counts[person->kind * name_count + trait_of(person, trait)];
        count->people++;
        count->notified += scope->private->sums[person->group].notified;
    }
    table_init(table, SCOPE_TABLE_BYTES, columns);
    add_traits(scope, counts, name_count, table);
    free(counts);
    return STATUS_OK;
}

/* ---- dataset ---- */

/* A class's people are counted in each dataset that one of its facts is of; facts, and so the
 * datasets, are in order. */
enum status scope_table_dataset(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind", "dataset", "people", "notified", NULL};
    uint64_t *counts = scope_count_classes(scope);
    if (counts == NULL)
        return out_of_memory(error);
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t kind = 0; kind < scope_kinds(scope); kind++) {
        const char *last = NULL;
        for (size_t fact = 0; fact < scope->fact_count; fact++) {
            const char *dataset = scope->facts[fact].dataset;
            if (dataset == NULL || (last != NULL && strcmp(dataset, last) == 0))
                continue;
            last = dataset;
            uint64_t people = 0, notified = 0;
            for (size_t i = 0; i < scope->class_count; i++) {
                uint64_t here = counts[kind * scope->class_count + i];
                if (here == 0 || !scope_class_has_dataset(scope, &scope->classes[i], dataset))
                    continue;
                people += here;
                notified += scope->private->sums[i].notified ? here : 0;
            }
            if (people == 0)
                continue;
            struct table_row *row = table_add(table);
            table_set(table, row, 0, "%s", scope_kind(scope, (uint16_t)kind));
            table_set(table, row, 1, "%s", dataset);
            table_set(table, row, 2, "%" PRIu64, people);
            table_set(table, row, 3, "%" PRIu64, notified);
        }
    }
    free(counts);
    return STATUS_OK;
}

/* ---- never ---- */

static bool is_held(const struct scope *scope, const char *category)
{
    for (size_t i = 0; i < scope->private->held_count; i++)
        if (strcmp(scope->private->held[i], category) == 0)
            return true;
    return false;
}

enum status scope_table_never(const struct scope *scope, struct table *table, struct error *error)
{
    static const char *const columns[] = {"category", "held", "statement", NULL};
    char since[21] = "the first entry";
    if (scope->ledger_first_ns != INT64_MIN)
        clock_format_utc(scope->ledger_first_ns, since);
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t i = 0; i < scope->never_count; i++) {
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", scope->never[i]);
        table_set(table, row, 1, "%s", is_held(scope, scope->never[i]) ? "yes" : "no");
        table_set(table, row, 2, "never, %s %.10s, except what was declared",
                  scope->since_ns == SINCE_EVER ? "since the ledger's first entry on"
                                                : "in the records that retention has left, since",
                  since);
    }
    return STATUS_OK;
}

/* ---- all ---- */

static enum status brand(const struct scope *scope, struct table *table, struct error *error)
{
    return scope_table_trait(scope, SCOPE_TRAIT_BRAND, table, error);
}

static enum status language(const struct scope *scope, struct table *table, struct error *error)
{
    return scope_table_trait(scope, SCOPE_TRAIT_LANGUAGE, table, error);
}

static enum status country(const struct scope *scope, struct table *table, struct error *error)
{
    return scope_table_trait(scope, SCOPE_TRAIT_COUNTRY, table, error);
}

const char *const scope_tables[] = {"kind",     "tier",   "category", "combination", "grade",
                                    "dataset",  "day",    "brand",    "language",    "country",
                                    "never",    "window", "change",   "net",         "deletion",
                                    "partners", NULL};

enum status scope_table(const struct scope *scope, const char *what, struct table *table,
                        struct error *error)
{
    static enum status (*const fill[])(const struct scope *, struct table *,
                                       struct error *) = {scope_table_kind,
                                                          scope_table_tier,
                                                          scope_table_category,
                                                          scope_table_combination,
                                                          scope_table_grade,
                                                          scope_table_dataset,
                                                          scope_table_day,
                                                          brand,
                                                          language,
                                                          country,
                                                          scope_table_never,
                                                          scope_table_window,
                                                          scope_table_change,
                                                          scope_table_net,
                                                          scope_table_deletion,
                                                          scope_table_partners};
    for (size_t i = 0; scope_tables[i] != NULL; i++) {
        if (strcmp(scope_tables[i], what) != 0)
            continue;
        TRY(fill[i](scope, table, error));
        if (!table_overflowed(table))
            return STATUS_OK;
        table_free(table);
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the table \"%s\" is too long", what);
    }
    return error_set(error, STATUS_INVALID, "22023", "see cofferdam-incident(1)",
                     "a scope has no table \"%.60s\"", what);
}
