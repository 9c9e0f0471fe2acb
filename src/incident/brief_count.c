/* Counting for documents: classes first, then the people in them. */
#include "incident/brief.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const struct scope_fact *fact_at(const struct scope *scope, const struct scope_class *group,
                                        size_t at)
{
    return &scope->facts[group->facts[at]];
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* A statistic of many tells nothing of one; of whom one only asked nothing was told. */
static bool tells(const struct scope_fact *fact)
{
    return fact->grade != SCOPE_AGGREGATE && fact->grade != SCOPE_PROBE;
}

/* What each member of a class counts for. */
struct weight {
    bool counted;   /* has a fact that tells of them */
    bool statistic; /* has only statistics, questions beside them or not */
    bool declared_only;
    uint32_t records;
};

static struct weight weigh(const struct scope *scope, const struct scope_class *group)
{
    struct weight weight = {.declared_only = true};
    for (size_t i = 0; i < group->fact_count; i++) {
        const struct scope_fact *fact = fact_at(scope, group, i);
        weight.statistic |= fact->grade == SCOPE_AGGREGATE;
        if (!tells(fact))
            continue;
        weight.counted = true;
        weight.declared_only &= fact->grade == SCOPE_DECLARED;
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = tells(fact_at(scope, group, j)) &&
                   same_text(fact_at(scope, group, j)->dataset, fact->dataset);
        weight.records += !seen;
    }
    weight.declared_only &= weight.counted;
    weight.statistic &= !weight.counted;
    return weight;
}

static bool is_of_brand(const struct scope_person *person, int brand)
{
    return brand == BRIEF_ALL || person->brand == brand;
}

static struct weight *weigh_classes(const struct scope *scope)
{
    struct weight *weights = calloc(scope->class_count + 1, sizeof *weights);
    CHECK(weights != NULL);
    for (size_t i = 0; i < scope->class_count; i++)
        weights[i] = weigh(scope, &scope->classes[i]);
    return weights;
}

void brief_count(const struct scope *scope, int brand, struct brief_count *count)
{
    *count = (struct brief_count){0};
    struct weight *weights = weigh_classes(scope);
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        if (!is_of_brand(person, brand))
            continue;
        const struct weight *weight = &weights[person->group];
        count->statistics_only += weight->statistic;
        count->asked_only += !weight->counted && !weight->statistic;
        if (!weight->counted)
            continue;
        count->people++;
        count->records += weight->records;
        count->declared_only += weight->declared_only;
        count->confirmed += (person->flags & SCOPE_CONFIRMED) != 0;
        count->children += (person->flags & SCOPE_CHILD) != 0;
        count->deleted += (person->flags & SCOPE_DELETED) != 0;
        count->erased += (person->flags & SCOPE_ERASED) != 0;
    }
    free(weights);
}

uint64_t brief_kind(const struct scope *scope, int brand, uint16_t kind)
{
    uint64_t people = 0;
    struct weight *weights = weigh_classes(scope);
    for (size_t i = 0; i < scope->person_count; i++)
        people += scope->people[i].kind == kind && is_of_brand(&scope->people[i], brand) &&
                  weights[scope->people[i].group].counted;
    free(weights);
    return people;
}

void brief_countries(const struct scope *scope, int brand, uint64_t *people)
{
    struct weight *weights = weigh_classes(scope);
    memset(people, 0, scope->country_count * sizeof *people);
    for (size_t i = 0; i < scope->person_count; i++)
        people[scope->people[i].country] +=
            is_of_brand(&scope->people[i], brand) && weights[scope->people[i].group].counted;
    free(weights);
}

static unsigned form_bit(const char *form)
{
    if (form != NULL && strcmp(form, "masked") == 0)
        return BRIEF_MASKED;
    return form != NULL && strcmp(form, "token") == 0 ? BRIEF_TOKEN : BRIEF_CLEAR;
}

static size_t category_rank(const char *name)
{
    size_t rank = 0;
    while (policy_categories[rank] != NULL && strcmp(policy_categories[rank], name) != 0)
        rank++;
    return rank;
}

static int compare_categories(const void *a, const void *b)
{
    const struct brief_category *left = a, *right = b;
    size_t left_rank = category_rank(left->name), right_rank = category_rank(right->name);
    if (left_rank != right_rank)
        return left_rank < right_rank ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Categories found so far, with the newest class that was counted for each. */
struct finding {
    struct brief_category *categories;
    size_t *counted_for; /* number of the class, from 1 */
    size_t count;
};

/* The index of a category's name; a new one is added. */
static size_t intern(struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->count; i++)
        if (strcmp(finding->categories[i].name, name) == 0)
            return i;
    finding->categories[finding->count] = (struct brief_category){.name = name};
    return finding->count++;
}

static void add_class(const struct scope *scope, size_t group, uint64_t members,
                      struct finding *finding)
{
    for (size_t i = 0; i < scope->classes[group].fact_count; i++) {
        const struct scope_fact *fact = fact_at(scope, &scope->classes[group], i);
        if (fact->category == NULL || !tells(fact))
            continue;
        size_t at = intern(finding, fact->category);
        unsigned form = form_bit(fact->form);
        finding->categories[at].forms |= form;
        if (form != BRIEF_TOKEN && finding->counted_for[at] != group + 1) {
            finding->counted_for[at] = group + 1;
            finding->categories[at].people += members;
        }
    }
}

size_t brief_categories(const struct scope *scope, int brand, struct arena *arena,
                        const struct brief_category **categories)
{
    struct finding finding = {.categories =
                                  arena_array(arena, struct brief_category, scope->fact_count + 1),
                              .counted_for = arena_array(arena, size_t, scope->fact_count + 1)};
    uint64_t *members = arena_array(arena, uint64_t, scope->class_count + 1);
    CHECK(finding.categories != NULL && finding.counted_for != NULL && members != NULL);
    for (size_t i = 0; i < scope->person_count; i++)
        members[scope->people[i].group] += is_of_brand(&scope->people[i], brand);
    for (size_t i = 0; i < scope->class_count; i++)
        if (members[i] > 0)
            add_class(scope, i, members[i], &finding);
    qsort(finding.categories, finding.count, sizeof *finding.categories, compare_categories);
    *categories = finding.categories;
    return finding.count;
}

/* ---- combinations ---- */

/* The categories of a class in clear or masked, in the policy's order, a line each. */
static const char *join_categories(const struct scope *scope, const struct scope_class *group,
                                   struct arena *arena)
{
    struct brief_category *own = arena_array(arena, struct brief_category, group->fact_count + 1);
    CHECK(own != NULL);
    struct finding finding = {.categories = own};
    for (size_t i = 0; i < group->fact_count; i++) {
        const struct scope_fact *fact = fact_at(scope, group, i);
        if (fact->category != NULL && tells(fact) && form_bit(fact->form) != BRIEF_TOKEN)
            intern(&finding, fact->category);
    }
    qsort(own, finding.count, sizeof *own, compare_categories);
    const char *text = "";
    for (size_t i = 0; i < finding.count && text != NULL; i++)
        text = arena_printf(arena, "%s%s%s", text, i == 0 ? "" : "\n", own[i].name);
    return text;
}

static int compare_combinations(const void *a, const void *b)
{
    const struct brief_combination *left = a, *right = b;
    if (left->people != right->people)
        return left->people > right->people ? -1 : 1;
    return strcmp(left->categories, right->categories);
}

size_t brief_combinations(const struct scope *scope, int brand, struct arena *arena,
                          const struct brief_combination **combinations)
{
    struct brief_combination *found =
        arena_array(arena, struct brief_combination, scope->class_count + 1);
    uint64_t *members = arena_array(arena, uint64_t, scope->class_count + 1);
    CHECK(found != NULL && members != NULL);
    for (size_t i = 0; i < scope->person_count; i++)
        members[scope->people[i].group] += is_of_brand(&scope->people[i], brand);
    size_t count = 0;
    for (size_t i = 0; i < scope->class_count; i++) {
        const char *categories = join_categories(scope, &scope->classes[i], arena);
        CHECK(categories != NULL);
        if (members[i] == 0 || categories[0] == '\0')
            continue;
        size_t at = 0;
        while (at < count && strcmp(found[at].categories, categories) != 0)
            at++;
        count += at == count;
        found[at].categories = categories;
        found[at].people += members[i];
    }
    qsort(found, count, sizeof *found, compare_combinations);
    *combinations = found;
    return count;
}
