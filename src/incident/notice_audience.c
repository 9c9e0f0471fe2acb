/* Who gets a message, in which variant, and who first.
 * The order: tiers, and within a tier the order of the scope. */
#include <stdlib.h>
#include <string.h>

#include "incident/notice_private.h"

/* The most endangered first: seen in what was stolen; categories that open doors or that the law
 * sets apart; many categories; the others. */
enum { TIER_CONFIRMED, TIER_SENSITIVE, TIER_MANY, TIER_OTHERS, TIERS };
enum { MANY_CATEGORIES = 5 };

static uint16_t tier_of(const struct scope_person *person, const struct notice_class *class)
{
    if ((person->flags & SCOPE_CONFIRMED) != 0)
        return TIER_CONFIRMED;
    if (class->sensitive)
        return TIER_SENSITIVE;
    return class->taken_count >= MANY_CATEGORIES ? TIER_MANY : TIER_OTHERS;
}

static size_t language_of(const struct notice *notice, const struct scope_person *person)
{
    return notice->language_of[person->language * notice->scope->country_count + person->country];
}

uint32_t *notice_variant_slot(const struct notice *notice, const struct scope_person *person)
{
    size_t brand = person->kind * notice->scope->brand_count + person->brand;
    return &notice->variant_of[brand * notice->language_count + language_of(notice, person)];
}

static bool is_audience(const struct notice *notice, size_t person, const bool *skip)
{
    const struct scope *scope = notice->scope;
    return !skip[person] && scope_notified(scope, &scope->people[person], notice->grades);
}

/* ---- variants ---- */

static const struct policy_brand *find_brand(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->controller.brand_count; i++)
        if (strcmp(policy->controller.brands[i].name, name) == 0)
            return &policy->controller.brands[i];
    return NULL;
}

/* Who a message of a brand comes from. */
static enum status settle_sender(const struct notice *notice, struct notice_variant *variant,
                                 struct error *error)
{
    const struct policy_controller *controller = &notice->casework->policy->controller;
    const struct policy_brand *brand = find_brand(notice->casework->policy, variant->brand);
    variant->sender = brand != NULL && brand->sender != NULL ? brand->sender
                      : controller->sender_count > 0         ? controller->senders[0]
                                                             : NULL;
    variant->sender_name = brand != NULL && brand->title != NULL ? brand->title : controller->name;
    if (variant->sender == NULL || variant->sender_name == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "controller: {name: …, senders: [privacy@…]} in the policy",
                         "the policy does not say which address notices come from");
    if (!mail_address_usable(variant->sender))
        return error_set(error, STATUS_INVALID, "F0000", "write privacy@example.org",
                         "the policy's sender \"%.80s\" is no mail address", variant->sender);
    return STATUS_OK;
}

static enum status add_variant(struct notice *notice, const struct scope_person *person,
                               uint32_t *slot, struct error *error)
{
    const struct scope *scope = notice->scope;
    size_t language = language_of(notice, person);
    struct notice_variant *variant = &notice->variants[notice->variant_count];
    struct notice_text *text = &notice->texts[notice->variant_count];
    *variant = (struct notice_variant){
        .kind = notice->casework->policy->kinds[person->kind].name,
        .brand = scope->brands[person->brand],
        .language = notice->languages[language].tag,
    };
    text->language = &notice->languages[language];
    text->template = text->language->templates[person->kind];
    TRY(settle_sender(notice, variant, error));
    TRY(notice_tell(notice, variant, text->language, &notice->arena, &text->about, error));
    *slot = (uint32_t)notice->variant_count++;
    return STATUS_OK;
}

/* The languages by what scope and country say. */
static enum status settle_languages(struct notice *notice, struct error *error)
{
    const struct scope *scope = notice->scope;
    notice->language_of =
        arena_array(&notice->arena, size_t, scope->language_count * scope->country_count + 1);
    if (notice->language_of == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the languages");
    for (size_t i = 0; i < scope->language_count; i++)
        for (size_t j = 0; j < scope->country_count; j++)
            notice->language_of[i * scope->country_count + j] =
                notice_language_choose(notice->languages, notice->language_count,
                                       scope->languages[i], scope->countries[j]);
    return STATUS_OK;
}

/* Numbers the variants that somebody of the audience has, in order of kind, brand, language. */
static enum status settle_variants(struct notice *notice, const bool *skip, struct error *error)
{
    const struct scope *scope = notice->scope;
    size_t slots =
        notice->casework->policy->kind_count * scope->brand_count * notice->language_count;
    notice->variant_of = arena_array(&notice->arena, uint32_t, slots + 1);
    notice->variants = arena_array(&notice->arena, struct notice_variant, slots + 1);
    notice->texts = arena_array(&notice->arena, struct notice_text, slots + 1);
    const struct scope_person **first =
        arena_array(&notice->arena, const struct scope_person *, slots + 1);
    if (notice->variant_of == NULL || notice->variants == NULL || notice->texts == NULL ||
        first == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the variants");
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        uint32_t *slot = notice_variant_slot(notice, person);
        if (!is_audience(notice, i, skip))
            continue;
        if (first[slot - notice->variant_of] == NULL)
            first[slot - notice->variant_of] = person;
        TRY(notice_class_make(notice, scope, person, notice_class_of(notice, person), error));
    }
    for (size_t i = 0; i < slots; i++) {
        notice->variant_of[i] = UINT32_MAX;
        if (first[i] != NULL)
            TRY(add_variant(notice, first[i], &notice->variant_of[i], error));
    }
    return STATUS_OK;
}

/* ---- people ---- */

static void add_person(struct notice *notice, size_t at, uint16_t tier)
{
    const struct scope_person *person = &notice->scope->people[at];
    uint32_t variant = *notice_variant_slot(notice, person);
    notice->places[notice->person_count] = (uint32_t)at;
    notice->people[notice->person_count++] = (struct outbox_person){
        .id = person->id, .kind = person->kind, .tier = tier, .variant = variant};
    notice->variants[variant].people++;
}

static enum status settle_people(struct notice *notice, const bool *skip, struct error *error)
{
    const struct scope *scope = notice->scope;
    notice->people = calloc(scope->person_count + 1, sizeof *notice->people);
    notice->places = calloc(scope->person_count + 1, sizeof *notice->places);
    if (notice->people == NULL || notice->places == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (uint16_t tier = 0; tier < TIERS; tier++)
        for (size_t i = 0; i < scope->person_count; i++)
            if (is_audience(notice, i, skip) &&
                tier_of(&scope->people[i], notice_class_of(notice, &scope->people[i])) == tier)
                add_person(notice, i, tier);
    return STATUS_OK;
}

/* Of the full class one who is confirmed as taken, if there is one: approvers see both texts. */
static void settle_models(struct notice *notice, const bool *skip)
{
    const struct scope *scope = notice->scope;
    for (size_t v = 0; v < notice->variant_count; v++)
        notice->texts[v].common_model = notice->texts[v].full_model = SIZE_MAX;
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        if (!is_audience(notice, i, skip))
            continue;
        struct notice_text *text = &notice->texts[*notice_variant_slot(notice, person)];
        size_t class = (size_t)(notice_class_of(notice, person) - notice->classes);
        if (class == text->common && text->common_model == SIZE_MAX)
            text->common_model = i;
        if (class == text->full &&
            (text->full_model == SIZE_MAX ||
             ((person->flags & SCOPE_CONFIRMED) != 0 &&
              (scope->people[text->full_model].flags & SCOPE_CONFIRMED) == 0)))
            text->full_model = i;
    }
}

/* The classes that stand for a variant when it is looked at: the most frequent, and the one that is
 * told most. */
static enum status settle_samples(struct notice *notice, const bool *skip, struct error *error)
{
    const struct scope *scope = notice->scope;
    size_t classes = notice->casework->policy->kind_count * scope->class_count;
    uint32_t *counts = calloc(notice->variant_count * classes + 1, sizeof *counts);
    if (counts == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        if (!is_audience(notice, i, skip))
            continue;
        size_t variant = *notice_variant_slot(notice, person);
        counts[variant * classes + (size_t)(notice_class_of(notice, person) - notice->classes)]++;
    }
    for (size_t v = 0; v < notice->variant_count; v++) {
        const uint32_t *count = &counts[v * classes];
        struct notice_text *text = &notice->texts[v];
        text->common = text->full = SIZE_MAX;
        for (size_t i = 0; i < classes; i++) {
            if (count[i] == 0)
                continue;
            if (text->common == SIZE_MAX || count[i] > count[text->common])
                text->common = i;
            if (text->full == SIZE_MAX ||
                notice->classes[i].taken_count > notice->classes[text->full].taken_count)
                text->full = i;
        }
    }
    free(counts);
    settle_models(notice, skip);
    return STATUS_OK;
}

enum status notice_audience_settle(struct notice *notice, const bool *skip, struct error *error)
{
    TRY(settle_languages(notice, error));
    TRY(settle_variants(notice, skip, error));
    TRY(settle_people(notice, skip, error));
    return settle_samples(notice, skip, error);
}
