/* Tables about categories: each alone, and "some or all of" as counts of each combination. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/scope_tables.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a table of the scope");
}

bool scope_class_has_dataset(const struct scope *scope, const struct scope_class *class,
                             const char *dataset)
{
    for (size_t i = 0; i < class->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[class->facts[i]];
        const char *name = fact->grade == SCOPE_PROBE ? NULL : fact->dataset;
        if (name != NULL && strcmp(name, dataset) == 0)
            return true;
    }
    return false;
}

/* ---- category ---- */

/* A category in a form, and the people of one kind who have it. */
struct label {
    const char *category, *form;
    uint64_t people, notified, records;
    uint64_t grades[SCOPE_GRADES];
};

static bool is_label(const struct scope_fact *fact, const struct label *label)
{
    return fact->category != NULL && strcmp(fact->category, label->category) == 0 &&
           strcmp(fact->form, label->form) == 0;
}

/* Adds people who share a class. Facts are in order of their datasets. */
static void count_label(const struct scope *scope, const struct scope_class *class, uint64_t people,
                        struct label *label)
{
    scope_grades grades = 0;
    const char *last = NULL;
    for (size_t i = 0; i < class->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[class->facts[i]];
        if (!is_label(fact, label))
            continue;
        grades |= 1U << fact->grade;
        if (fact->grade == SCOPE_PROBE)
            continue;
        if (last == NULL || strcmp(fact->dataset, last) != 0)
            label->records += people;
        last = fact->dataset;
    }
    label->people += (grades & ~(1U << SCOPE_PROBE)) != 0 ? people : 0;
    label->notified += (grades & SCOPE_GRADES_NOTIFIED) != 0 ? people : 0;
    for (unsigned grade = 0; grade < SCOPE_GRADES; grade++)
        label->grades[grade] += (grades >> grade & 1) != 0 ? people : 0;
}

static int compare_labels(const void *a, const void *b)
{
    const struct label *left = a, *right = b;
    int order = strcmp(left->category, right->category);
    return order != 0 ? order : strcmp(left->form, right->form);
}

/* The labels of all facts, sorted, each once; owned. */
static struct label *list_labels(const struct scope *scope, size_t *count)
{
    size_t found = 0, kept = 0;
    struct label *labels = calloc(scope->fact_count + 1, sizeof *labels);
    for (size_t i = 0; labels != NULL && i < scope->fact_count; i++)
        if (scope->facts[i].category != NULL)
            labels[found++] =
                (struct label){.category = scope->facts[i].category, .form = scope->facts[i].form};
    if (labels != NULL && found > 0)
        qsort(labels, found, sizeof *labels, compare_labels);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || compare_labels(&labels[i], &labels[kept - 1]) != 0)
            labels[kept++] = labels[i];
    *count = kept;
    return labels;
}

static void add_label(const struct scope *scope, uint16_t kind, const struct label *label,
                      struct table *table)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", scope_kind(scope, kind));
    table_set(table, row, 1, "%s", label->category);
    table_set(table, row, 2, "%s", label->form);
    table_set(table, row, 3, "%" PRIu64, label->people);
    table_set(table, row, 4, "%" PRIu64, label->notified);
    table_set(table, row, 5, "%" PRIu64, label->records);
    for (unsigned grade = 0; grade < SCOPE_GRADES; grade++)
        table_set(table, row, 6 + grade, "%" PRIu64, label->grades[grade]);
}

/* notified: in grade direct or declared, whatever the form. records: pairs of a person and a
 * dataset in which the category was given. */
enum status scope_table_category(const struct scope *scope, struct table *table,
                                 struct error *error)
{
    const char *columns[7 + SCOPE_GRADES] = {"kind",   "category", "form",
                                             "people", "notified", "records"};
    size_t label_count;
    uint64_t *counts = scope_count_classes(scope);
    struct label *labels = list_labels(scope, &label_count);
    if (counts == NULL || labels == NULL) {
        free(counts);
        free(labels);
        return out_of_memory(error);
    }
    for (unsigned grade = 0; grade < SCOPE_GRADES; grade++)
        columns[6 + grade] = scope_grade_names[grade];
    table_init(table, SCOPE_TABLE_BYTES, columns);
    for (size_t kind = 0; kind < scope_kinds(scope); kind++)
        for (size_t at = 0; at < label_count; at++) {
            struct label label = {.category = labels[at].category, .form = labels[at].form};
            for (size_t i = 0; i < scope->class_count; i++)
                if (counts[kind * scope->class_count + i] != 0)
                    count_label(scope, &scope->classes[i], counts[kind * scope->class_count + i],
                                &label);
            if (label.people > 0)
                add_label(scope, (uint16_t)kind, &label, table);
        }
    free(counts);
    free(labels);
    return STATUS_OK;
}

/* ---- combination ---- */

struct combination {
    size_t kind;
    const char *categories;
    uint64_t people;
};

static int by_text(const void *a, const void *b)
{
    const struct combination *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return strcmp(left->categories, right->categories);
}

static int by_people(const void *a, const void *b)
{
    const struct combination *left = a, *right = b;
    if (left->kind == right->kind && left->people != right->people)
        return left->people > right->people ? -1 : 1;
    return by_text(a, b);
}

/* One for each kind and class that has people and facts of these grades. */
static enum status list_combinations(const struct scope *scope, scope_grades grades,
                                     const uint64_t *counts, struct arena *texts,
                                     struct combination *all, size_t *count, struct error *error)
{
    for (size_t i = 0; i < scope->class_count; i++) {
        const char *text = NULL;
        if ((scope->private->sums[i].grades & grades) == 0)
            continue;
        text = scope_class_text(scope, &scope->classes[i], grades, texts);
        if (text == NULL)
            return out_of_memory(error);
        for (size_t kind = 0; kind < scope_kinds(scope); kind++)
            if (counts[kind * scope->class_count + i] > 0)
                all[(*count)++] =
                    (struct combination){kind, text, counts[kind * scope->class_count + i]};
    }
    return STATUS_OK;
}

static size_t merge(struct combination *all, size_t count)
{
    size_t kept = 0;
    qsort(all, count, sizeof *all, by_text);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && by_text(&all[i], &all[kept - 1]) == 0)
            all[kept - 1].people += all[i].people;
        else
            all[kept++] = all[i];
    }
    qsort(all, kept, sizeof *all, by_people);
    return kept;
}

/* Direct and declared only: a statistic tells nobody a category of one person. Forms other than
 * clear are named. Most frequent first. */
enum status scope_table_combination(const struct scope *scope, struct table *table,
                                    struct error *error)
{
    static const char *const columns[] = {"kind", "categories", "people", NULL};
    struct arena texts;
    size_t count = 0;
    uint64_t *counts = scope_count_classes(scope);
    struct combination *all = calloc(scope_kinds(scope) * scope->class_count + 1, sizeof *all);
    arena_init(&texts, SCOPE_TABLE_BYTES);
    enum status status =
        counts == NULL || all == NULL
            ? out_of_memory(error)
            : list_combinations(scope, SCOPE_GRADES_NOTIFIED, counts, &texts, all, &count, error);
    if (status == STATUS_OK) {
        count = merge(all, count);
        table_init(table, SCOPE_TABLE_BYTES, columns);
        for (size_t i = 0; i < count; i++) {
            struct table_row *row = table_add(table);
            table_set(table, row, 0, "%s", scope_kind(scope, (uint16_t)all[i].kind));
            table_set(table, row, 1, "%s", all[i].categories);
            table_set(table, row, 2, "%" PRIu64, all[i].people);
        }
    }
    arena_free(&texts);
    free(counts);
    free(all);
    return status;
}
