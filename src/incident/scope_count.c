/* Counting in a scope: everything follows from classes and flags. */
#include <stdlib.h>
#include <string.h>

#include "incident/scope_private.h"

enum { CATEGORIES_MAX = 256, TEXT_BYTES = 8192 };

const char *const scope_grade_names[SCOPE_GRADES] = {"declared", "direct",    "aggregate",
                                                     "witness",  "influence", "probe"};

const char *scope_kind(const struct scope *scope, uint16_t kind)
{
    const struct scope_private *made = scope->private;
    return kind < made->kind_count ? made->kinds[kind] : "unknown";
}

size_t scope_kinds(const struct scope *scope)
{
    size_t count = scope->person_count;
    return count == 0 ? 0 : scope->people[count - 1].kind + (size_t)1;
}

uint64_t *scope_count_classes(const struct scope *scope)
{
    uint64_t *counts = calloc(scope_kinds(scope) * scope->class_count + 1, sizeof *counts);
    for (size_t i = 0; counts != NULL && i < scope->person_count; i++)
        counts[scope->people[i].kind * scope->class_count + scope->people[i].group]++;
    return counts;
}

/* ---- a class ---- */

/* A key that was asked about, of whom nothing came back: nothing was disclosed, and it may be
 * nobody's. */
static bool is_question(const struct scope_fact *fact)
{
    return fact->grade == SCOPE_PROBE;
}

static bool counts_as_told(const struct scope_fact *fact, scope_grades grades)
{
    return (grades >> fact->grade & 1) != 0 && !is_question(fact) && fact->category != NULL &&
           (strcmp(fact->form, "clear") == 0 || strcmp(fact->form, "masked") == 0);
}

bool scope_class_notified(const struct scope *scope, const struct scope_class *class,
                          scope_grades grades)
{
    for (size_t i = 0; i < class->fact_count; i++)
        if (counts_as_told(&scope->facts[class->facts[i]], grades))
            return true;
    return false;
}

static int compare_category(const struct scope_category *category, const struct scope_fact *fact)
{
    int order = strcmp(category->category, fact->category);
    return order != 0 ? order : strcmp(category->form, fact->form);
}

size_t scope_class_categories(const struct scope *scope, const struct scope_class *class,
                              scope_grades grades, struct scope_category *categories, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < class->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[class->facts[i]];
        size_t at = 0;
        if (fact->category == NULL || (grades >> fact->grade & 1) == 0 || is_question(fact))
            continue;
        while (at < count && compare_category(&categories[at], fact) < 0)
            at++;
        if ((at < count && compare_category(&categories[at], fact) == 0) || count == room)
            continue;
        memmove(categories + at + 1, categories + at, (count - at) * sizeof *categories);
        categories[at] = (struct scope_category){fact->category, fact->form};
        count++;
    }
    return count;
}

const char *scope_class_text(const struct scope *scope, const struct scope_class *class,
                             scope_grades grades, struct arena *arena)
{
    struct scope_category categories[CATEGORIES_MAX];
    size_t count = scope_class_categories(scope, class, grades, categories, CATEGORIES_MAX);
    struct buffer text;
    if (count == 0)
        return arena_strdup(arena, "presence only");
    buffer_init(&text, TEXT_BYTES * 4);
    for (size_t i = 0; i < count; i++) {
        bool clear = strcmp(categories[i].form, "clear") == 0;
        buffer_printf(&text, clear ? "%s%s" : "%s%s (%s)", i == 0 ? "" : ", ",
                      categories[i].category, categories[i].form);
    }
    const char *whole = buffer_text(&text);
    const char *copy = whole == NULL ? NULL : arena_strdup(arena, whole);
    buffer_free(&text);
    return copy;
}

/* Facts are in order of their datasets. */
static struct scope_class_sum sum_class(const struct scope *scope, const struct scope_class *class)
{
    struct scope_class_sum sum = {.notified =
                                      scope_class_notified(scope, class, SCOPE_GRADES_NOTIFIED)};
    const char *last = NULL;
    for (size_t i = 0; i < class->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[class->facts[i]];
        sum.grades |= 1U << fact->grade;
        if (is_question(fact))
            continue;
        if (fact->dataset != NULL && (last == NULL || strcmp(fact->dataset, last) != 0))
            sum.records++;
        last = fact->dataset;
    }
    sum.asked_only = sum.grades == 1U << SCOPE_PROBE;
    return sum;
}

struct scope_class_sum *scope_sum_classes(const struct scope *scope)
{
    struct scope_class_sum *sums = calloc(scope->class_count + 1, sizeof *sums);
    for (size_t i = 0; sums != NULL && i < scope->class_count; i++)
        sums[i] = sum_class(scope, &scope->classes[i]);
    return sums;
}

/* ---- a person ---- */

bool scope_asked_only(const struct scope *scope, const struct scope_person *person)
{
    return scope->private->sums[person->group].asked_only;
}

bool scope_notified(const struct scope *scope, const struct scope_person *person,
                    scope_grades grades)
{
    return scope_class_notified(scope, &scope->classes[person->group], grades);
}

size_t scope_categories(const struct scope *scope, const struct scope_person *person,
                        scope_grades grades, struct scope_category *categories, size_t room)
{
    return scope_class_categories(scope, &scope->classes[person->group], grades, categories, room);
}

const char *scope_tier(const struct scope *scope, const struct scope_person *person)
{
    if ((person->flags & SCOPE_CONFIRMED) != 0)
        return "confirmed";
    if (scope->private->sums[person->group].asked_only)
        return "asked about";
    bool declared = scope->private->sums[person->group].grades == 1U << SCOPE_DECLARED;
    return declared ? "declared" : "disclosed";
}

/* ---- all of it ---- */

static void add_flags(struct scope_totals *totals, const struct scope_person *person)
{
    totals->confirmed += (person->flags & SCOPE_CONFIRMED) != 0;
    totals->in_window += (person->flags & SCOPE_IN_WINDOW) != 0;
    totals->deleted += (person->flags & SCOPE_DELETED) != 0;
    totals->erased += (person->flags & SCOPE_ERASED) != 0;
    totals->gone += (person->flags & SCOPE_GONE) != 0;
    totals->children += (person->flags & SCOPE_CHILD) != 0;
}

void scope_total(const struct scope *scope, struct scope_totals *totals)
{
    *totals = (struct scope_totals){0};
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_class_sum *sum = &scope->private->sums[scope->people[i].group];
        for (unsigned grade = 0; grade < SCOPE_GRADES; grade++)
            totals->grades[grade] += sum->grades >> grade & 1;
        totals->asked += sum->asked_only;
        if (sum->asked_only)
            continue;
        totals->people++;
        totals->notified += sum->notified;
        totals->records += sum->records;
        add_flags(totals, &scope->people[i]);
    }
}
