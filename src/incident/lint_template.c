/* A template judged in every form it can take: each category alone, all and few of them, confirmed
 * or not, child, printed, replacing an earlier letter, with and without the case's facts. */
#include "incident/lint.h"

#include <stdio.h>
#include <string.h>

#include "incident/document.h"
#include "policy/policy.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, MOST_CATEGORIES = 64 };
enum {
    FORM_CONFIRMED = 1,
    FORM_CHILD = 2,
    FORM_PRINTED = 4,
    FORM_REPLACES = 8,
    FORM_NAMELESS = 16,
    FORM_MASKED = 32,
    FORM_BARE = 64
};

struct trial {
    const struct lint *lint;
    const struct template *template;
    const struct words *words;
    const struct letter_case *about;
    struct arena *arena;
    struct table *findings;
    char opening[2048]; /* as the last letter had it; "": there was none */
};

/* The public page shows a variant's opening to whoever has a reference: it must not depend on the
 * person. */
static enum status check_opening(struct trial *trial, const struct letter_case *about,
                                 const struct letter_person *person, struct error *error)
{
    struct document opening;
    TRY(letter_fill(trial->template, trial->words, about, person, "opening", trial->arena, &opening,
                    error));
    struct buffer text;
    buffer_init(&text, sizeof trial->opening - 1);
    document_text(&opening, &text);
    const char *now = buffer_text(&text);
    if (now != NULL && trial->opening[0] != '\0' && strcmp(now, trial->opening) != 0)
        lint_find(trial->findings, template_name(trial->template),
                  opening.count == 0 ? 1 : opening.blocks[0].line, "opening",
                  "say it in another section", "the opening differs from person to person");
    snprintf(trial->opening, sizeof trial->opening, "%s", now == NULL ? "" : now);
    buffer_free(&text);
    return STATUS_OK;
}

static enum status try_letter(struct trial *trial, const struct letter_case *about,
                              const struct letter_person *person, struct error *error)
{
    struct document body;
    const char *subject = NULL;
    enum status status = letter_line(trial->template, trial->words, about, person, "subject",
                                     trial->arena, &subject, error);
    if (status == STATUS_OK)
        status =
            letter_body(trial->template, trial->words, about, person, trial->arena, &body, error);
    if (status == STATUS_OK)
        lint_letter(trial->lint, template_name(trial->template), subject, &body, about, person,
                    trial->findings);
    if (status == STATUS_OK)
        status = check_opening(trial, about, person, error);
    arena_reset(trial->arena);
    return status;
}

/* One set of categories in one form. The person has no name of a category in its name. */
static enum status try_form(struct trial *trial, const char *const *categories, size_t count,
                            unsigned form, struct error *error)
{
    struct letter_category taken[MOST_CATEGORIES];
    const char *spared[MOST_CATEGORIES];
    size_t spared_count = 0;
    for (size_t i = 0; i < count; i++)
        taken[i] = (struct letter_category){categories[i], (form & FORM_MASKED) != 0};
    for (size_t i = 0; policy_categories[i] != NULL && spared_count < MOST_CATEGORIES; i++) {
        bool is_taken = false;
        for (size_t j = 0; j < count; j++)
            is_taken |= strcmp(policy_categories[i], categories[j]) == 0;
        if (!is_taken)
            spared[spared_count++] = policy_categories[i];
    }
    struct letter_person person = {
        .name = form & FORM_NAMELESS ? NULL : "Alex Example",
        .country = form & FORM_NAMELESS ? NULL : "GB",
        .reference = "0000-0000-0000-0000-0000-0",
        .date = "1",
        .replaces_date = form & FORM_REPLACES ? "1" : NULL,
        .taken = taken,
        .taken_count = count,
        .elsewhere = spared,
        .elsewhere_count = form & FORM_BARE ? 0 : spared_count / 2,
        .not_held = spared + spared_count / 2,
        .not_held_count = form & FORM_BARE ? 0 : spared_count - spared_count / 2,
        .confirmed = (form & FORM_CONFIRMED) != 0,
        .child = (form & FORM_CHILD) != 0,
        .printed = (form & FORM_PRINTED) != 0,
    };
    struct letter_case about = *trial->about;
    if (form & FORM_BARE) {
        about.partner = about.partner_service = about.what_happened = about.measures = NULL;
        about.consequences = about.contained_date = about.reported_date = about.since_date = NULL;
    }
    return try_letter(trial, &about, &person, error);
}

enum status lint_template(const struct lint *lint, const struct template *template,
                          const struct words *words, const struct letter_case *about,
                          struct table *findings, struct error *error)
{
    static const unsigned forms[] = {0,
                                     FORM_CONFIRMED,
                                     FORM_CHILD,
                                     FORM_PRINTED,
                                     FORM_REPLACES | FORM_CONFIRMED,
                                     FORM_NAMELESS | FORM_BARE,
                                     FORM_NAMELESS | FORM_CHILD,
                                     FORM_MASKED,
                                     FORM_BARE | FORM_CONFIRMED | FORM_REPLACES};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    struct trial trial = {lint, template, words, about, &arena, findings, ""};
    size_t all = 0;
    while (policy_categories[all] != NULL)
        all++;
    enum status status = STATUS_OK;
    for (size_t f = 0; f < sizeof forms / sizeof forms[0] && status == STATUS_OK; f++) {
        trial.opening[0] = '\0';
        for (size_t i = 0; i < all && status == STATUS_OK; i++)
            status = try_form(&trial, &policy_categories[i], 1, forms[f], error);
        if (status == STATUS_OK)
            status = try_form(&trial, policy_categories, all, forms[f], error);
    }
    arena_free(&arena);
    return status;
}
