/* People of a kind who have the same facts are told the same categories. */
#include <string.h>

#include "incident/notice_private.h"

enum { CATEGORIES_ROOM = 256 };
enum { ALL_GRADES = (1 << SCOPE_GRADES) - 1 };

/* The number of a category's bit; a new one is added. */
static enum status number_category(struct notice *notice, const char *name, size_t len,
                                   size_t *number, struct error *error)
{
    for (size_t i = 0; i < notice->category_count; i++) {
        if (strlen(notice->categories[i]) == len && memcmp(notice->categories[i], name, len) == 0) {
            *number = i;
            return STATUS_OK;
        }
    }
    if (notice->category_count == NOTICE_CATEGORIES)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d categories of data",
                         NOTICE_CATEGORIES);
    const char *copy = arena_copy(&notice->arena, name, len);
    if (copy == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a category");
    notice->categories[notice->category_count] = copy;
    *number = notice->category_count++;
    return STATUS_OK;
}

static enum status hold(struct notice *notice, uint64_t *held, const char *name, size_t len,
                        struct error *error)
{
    size_t number;
    TRY(number_category(notice, name, len, &number, error));
    *held |= UINT64_C(1) << number;
    return STATUS_OK;
}

static bool is_about(const struct policy_dataset *dataset, size_t kind)
{
    for (size_t i = 0; i < dataset->subject_count; i++)
        if (dataset->subjects[i].kind == kind)
            return true;
    return false;
}

/* What the policy's datasets and the case's fact say that we hold of people of a kind. */
static enum status settle_held(struct notice *notice, size_t kind, struct error *error)
{
    const struct policy *policy = notice->casework->policy;
    for (size_t i = 0; i < policy->dataset_count; i++) {
        const struct policy_dataset *dataset = &policy->datasets[i];
        for (size_t j = 0; j < dataset->column_count && is_about(dataset, kind); j++) {
            const char *category = dataset->columns[j].category;
            if (category != NULL)
                TRY(hold(notice, &notice->held[kind], category, strlen(category), error));
        }
    }
    const char *more = notice_fact(&notice->facts, "notice_held_elsewhere", NULL);
    while (more != NULL && *more != '\0') {
        size_t len = strcspn(more, " ,");
        if (len > 0)
            TRY(hold(notice, &notice->held[kind], more, len, error));
        more += len + strspn(more + len, " ,");
    }
    return STATUS_OK;
}

enum status notice_categories_settle(struct notice *notice, struct error *error)
{
    size_t number;
    for (int sensitive = 1; sensitive >= 0; sensitive--)
        for (size_t i = 0; policy_categories[i] != NULL; i++)
            if (policy_category_sensitive(policy_categories[i]) == sensitive)
                TRY(number_category(notice, policy_categories[i], strlen(policy_categories[i]),
                                    &number, error));
    size_t kinds = notice->casework->policy->kind_count;
    notice->held = arena_array(&notice->arena, uint64_t, kinds + 1);
    if (notice->held == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the categories");
    for (size_t kind = 0; kind < kinds; kind++)
        TRY(settle_held(notice, kind, error));
    return STATUS_OK;
}

/* The names of the bits, in their order. */
static const char *const *list_names(struct notice *notice, uint64_t bits, size_t *count)
{
    const char **names = arena_array(&notice->arena, const char *, NOTICE_CATEGORIES);
    *count = 0;
    for (size_t i = 0; i < notice->category_count && names != NULL; i++)
        if ((bits >> i & 1) != 0)
            names[(*count)++] = notice->categories[i];
    return names;
}

static enum status collect(struct notice *notice, const struct scope *scope,
                           const struct scope_person *person, struct notice_class *made,
                           uint64_t *any, struct error *error)
{
    struct scope_category found[CATEGORIES_ROOM];
    size_t number;
    size_t count = scope_categories(scope, person, ALL_GRADES, found, CATEGORIES_ROOM);
    *any = 0;
    for (size_t i = 0; i < count; i++)
        TRY(hold(notice, any, found[i].category, strlen(found[i].category), error));
    count = scope_categories(scope, person, notice->grades, found, CATEGORIES_ROOM);
    for (size_t i = 0; i < count; i++) {
        TRY(number_category(notice, found[i].category, strlen(found[i].category), &number, error));
        if (strcmp(found[i].form, "clear") == 0)
            made->clear |= UINT64_C(1) << number;
        else if (strcmp(found[i].form, "masked") == 0)
            made->masked |= UINT64_C(1) << number;
    }
    made->masked &= ~made->clear;
    return STATUS_OK;
}

enum status notice_class_make(struct notice *notice, const struct scope *scope,
                              const struct scope_person *person, struct notice_class *made,
                              struct error *error)
{
    if (made->used)
        return STATUS_OK;
    struct notice_class fresh = {.used = true};
    uint64_t any, told = 0, known = 0;
    TRY(collect(notice, scope, person, &fresh, &any, error));
    told = fresh.clear | fresh.masked;
    struct letter_category *taken =
        arena_array(&notice->arena, struct letter_category, NOTICE_CATEGORIES);
    for (size_t i = 0; i < notice->category_count && taken != NULL; i++) {
        if ((told >> i & 1) == 0)
            continue;
        taken[fresh.taken_count++] =
            (struct letter_category){notice->categories[i], (fresh.masked >> i & 1) != 0};
        fresh.sensitive |= policy_category_sensitive(notice->categories[i]);
    }
    for (size_t i = 0; policy_categories[i] != NULL; i++)
        known |= UINT64_C(1) << i; /* notice_categories_settle numbered them first */
    fresh.taken = taken;
    uint64_t held = notice->held[person->kind];
    fresh.elsewhere = list_names(notice, held & ~any, &fresh.elsewhere_count);
    fresh.not_held = list_names(notice, known & ~held & ~any, &fresh.not_held_count);
    if (taken == NULL || fresh.elsewhere == NULL || fresh.not_held == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for what people are told");
    *made = fresh;
    return STATUS_OK;
}

struct notice_class *notice_class_of(const struct notice *notice, const struct scope_person *person)
{
    return &notice->classes[person->kind * notice->scope->class_count + person->group];
}
