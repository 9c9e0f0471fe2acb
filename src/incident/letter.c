/* What each placeholder, list and condition of a notice means. */
#include "incident/letter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/policy.h"

static const char *const sections[] = {
    "subject",    "salutation",      "opening",          "what_happened", "what_information",
    "what_we_do", "what_you_can_do", "more_information", "closing",       NULL};
static const char *const texts[] = {"name",          "reference",
                                    "date",          "replaces_date",
                                    "brand",         "controller",
                                    "privacy_page",  "sender",
                                    "dpo_name",      "dpo_email",
                                    "dpo_phone",     "dpo_post",
                                    "partner",       "partner_service",
                                    "what_happened", "consequences",
                                    "measures",      "since_date",
                                    "noticed_date",  "contained_date",
                                    "reported_date", "reported_to",
                                    "authority",     "authority_contact",
                                    "why",           NULL};
static const char *const lists[] = {"taken",     "elsewhere", "not_held", "advice",
                                    "never_ask", "help",      NULL};
static const char *const conditions[] = {"confirmed", "child", "printed", NULL};

const struct template_schema letter_schema = {sections, texts, lists, conditions};

/* What a template is filled from: the context of its values. */
struct source {
    const struct words *words;
    const struct letter_case *about;
    const struct letter_person *person;
    const char *help; /* the section of words for the person's country */
};

static const struct letter_category *taken(const struct letter_person *person, const char *name)
{
    for (size_t i = 0; i < person->taken_count; i++)
        if (strcmp(person->taken[i].name, name) == 0)
            return &person->taken[i];
    return NULL;
}

/* ---- texts ---- */

static const char *country_text(const struct source *source, const char *section)
{
    const char *country = source->person->country;
    return country == NULL ? NULL : words_get(source->words, section, country);
}

static const char *reported_to(const struct source *source)
{
    const char *named = source->about->reported_to == NULL
                            ? NULL
                            : words_get(source->words, "authorities", source->about->reported_to);
    return named != NULL ? named : words_get(source->words, "authorities", "other");
}

static const char *text_of(const void *context, const char *name)
{
    const struct source *source = context;
    const struct letter_case *about = source->about;
    const struct letter_person *person = source->person;
    const struct {
        const char *name, *text;
    } known[] = {
        {"name", person->name},
        {"reference", person->reference},
        {"date", person->date},
        {"replaces_date", person->replaces_date},
        {"brand", about->brand},
        {"controller", about->controller},
        {"privacy_page", about->privacy_page},
        {"sender", about->sender},
        {"dpo_name", about->dpo_name},
        {"dpo_email", about->dpo_email},
        {"dpo_phone", about->dpo_phone},
        {"dpo_post", about->dpo_post},
        {"partner", about->partner},
        {"partner_service", about->partner_service},
        {"what_happened", about->what_happened},
        {"consequences", about->consequences},
        {"measures", about->measures},
        {"since_date", about->since_date},
        {"noticed_date", about->noticed_date},
        {"contained_date", about->contained_date},
        {"reported_date", about->reported_date},
        {"reported_to", reported_to(source)},
        {"authority", country_text(source, "authority_name")},
        {"authority_contact", country_text(source, "authority_contact")},
        {"why", words_get(source->words, "kinds_why", about->kind)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].text;
    return NULL;
}

static bool holds(const void *context, const char *condition)
{
    const struct letter_person *person = ((const struct source *)context)->person;
    if (strcmp(condition, "confirmed") == 0)
        return person->confirmed;
    if (strcmp(condition, "child") == 0)
        return person->child;
    if (strcmp(condition, "printed") == 0)
        return person->printed;
    return taken(person, condition) != NULL;
}

/* ---- lists ---- */

/* The at-th category's phrase of a list of names, in the order of words' section "spared". */
static const char *spared_item(const struct source *source, const char *const *names, size_t count,
                               size_t at)
{
    const char *order = words_get(source->words, "spared", "order");
    while (order != NULL && *order != '\0') {
        size_t len = strcspn(order, " ");
        for (size_t i = 0; i < count; i++)
            if (strlen(names[i]) == len && memcmp(names[i], order, len) == 0 && at-- == 0)
                return words_get(source->words, "categories", names[i]);
        order += len + strspn(order + len, " ");
    }
    return NULL;
}

/* The at-th piece of advice for what was taken: in the order of the words, each text once. */
static const char *advice_item(const struct source *source, size_t at)
{
    const char *category;
    for (size_t i = 0; (category = words_key(source->words, "advice", i)) != NULL; i++) {
        const char *text = words_get(source->words, "advice", category);
        bool said = taken(source->person, category) == NULL;
        const char *earlier;
        for (size_t j = 0; j < i && !said; j++) {
            earlier = words_key(source->words, "advice", j);
            said = taken(source->person, earlier) != NULL &&
                   strcmp(words_get(source->words, "advice", earlier), text) == 0;
        }
        if (!said && at-- == 0)
            return text;
    }
    return NULL;
}

/* The at-th text of a section of words. */
static const char *section_item(const struct words *words, const char *section, size_t at)
{
    const char *key = words_key(words, section, at);
    return key == NULL ? NULL : words_get(words, section, key);
}

static const char *item_of(const void *context, const char *list, size_t at)
{
    const struct source *source = context;
    const struct letter_person *person = source->person;
    if (strcmp(list, "taken") == 0)
        return at >= person->taken_count
                   ? NULL
                   : words_get(source->words, person->taken[at].masked ? "masked" : "categories",
                               person->taken[at].name);
    if (strcmp(list, "elsewhere") == 0)
        return spared_item(source, person->elsewhere, person->elsewhere_count, at);
    if (strcmp(list, "not_held") == 0)
        return spared_item(source, person->not_held, person->not_held_count, at);
    if (strcmp(list, "advice") == 0)
        return advice_item(source, at);
    return section_item(source->words, strcmp(list, "help") == 0 ? source->help : list, at);
}

/* ---- filling ---- */

enum status letter_check(const struct words *words, const struct letter_category *taken,
                         size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *section = taken[i].masked ? "masked" : "categories";
        if (words_get(words, section, taken[i].name) == NULL)
            return error_set(
                error, STATUS_INVALID, "22023",
                "add it to the words of that language in the data folder",
                "there is no phrase for category \"%s\" in section \"%s\" of the words",
                taken[i].name, section);
    }
    return STATUS_OK;
}

enum status letter_fill(const struct template *template, const struct words *words,
                        const struct letter_case *about, const struct letter_person *person,
                        const char *section, struct arena *arena, struct document *document,
                        struct error *error)
{
    TRY(letter_check(words, person->taken, person->taken_count, error));
    char help[16] = "help";
    if (person->country != NULL && person->country[0] != '\0')
        snprintf(help, sizeof help, "help_%.2s", person->country);
    struct source source = {words, about, person,
                            words_key(words, help, 0) == NULL ? "help" : help};
    struct template_values values = {text_of, holds, item_of, &source};
    return template_fill(template, section, &values, arena, document, error);
}

enum status letter_line(const struct template *template, const struct words *words,
                        const struct letter_case *about, const struct letter_person *person,
                        const char *section, struct arena *arena, const char **line,
                        struct error *error)
{
    struct document document;
    TRY(letter_fill(template, words, about, person, section, arena, &document, error));
    if (document.count != 1)
        return error_set(error, STATUS_INVALID, "22023", "one line of words",
                         "%s: section [%s] has %zu paragraphs instead of one",
                         template_name(template), section, document.count);
    *line = document.blocks[0].text;
    return STATUS_OK;
}

enum status letter_body(const struct template *template, const struct words *words,
                        const struct letter_case *about, const struct letter_person *person,
                        struct arena *arena, struct document *document, struct error *error)
{
    struct document whole;
    TRY(letter_fill(template, words, about, person, NULL, arena, &whole, error));
    size_t subject = 0;
    while (subject < whole.count && strcmp(whole.blocks[subject].section, "subject") == 0)
        subject++;
    *document = (struct document){whole.blocks + subject, whole.count - subject};
    return STATUS_OK;
}

enum status letter_zone(const struct words *words, struct zone **zone, struct error *error)
{
    const char *name = words_get(words, "dates", "zone");
    *zone = NULL;
    return name == NULL ? STATUS_OK : zone_open(name, zone, error);
}

enum status letter_date(const struct words *words, int64_t time_ns, struct arena *arena,
                        const char **date, struct error *error)
{
    struct zone *zone;
    TRY(letter_zone(words, &zone, error));
    enum status status = letter_date_in(words, zone, time_ns, arena, date, error);
    zone_free(zone);
    return status;
}

/* The form with {day}, {month} and {year} filled. */
static void write_date(const char *form, const struct zone_time *local, const char *month,
                       const char *first, struct buffer *out)
{
    for (const char *at = form; *at != '\0';) {
        if (strncmp(at, "{day}", 5) == 0 && local->day == 1 && first != NULL)
            buffer_append_text(out, first), at += 5;
        else if (strncmp(at, "{day}", 5) == 0)
            buffer_printf(out, "%d", local->day), at += 5;
        else if (strncmp(at, "{month}", 7) == 0)
            buffer_append_text(out, month), at += 7;
        else if (strncmp(at, "{year}", 6) == 0)
            buffer_printf(out, "%d", local->year), at += 6;
        else
            buffer_append_u8(out, (uint8_t)*at++);
    }
}

enum status letter_date_in(const struct words *words, const struct zone *zone, int64_t time_ns,
                           struct arena *arena, const char **date, struct error *error)
{
    struct zone_time local = zone_local(zone, time_ns);
    char month_key[12];
    snprintf(month_key, sizeof month_key, "%d", local.month);
    const char *month = words_get(words, "months", month_key);
    const char *form = words_get(words, "dates", "form");
    if (month == NULL || form == NULL)
        return error_set(error, STATUS_INVALID, "22023", "sections dates and months",
                         "the words do not say how a date is written");
    struct buffer text;
    buffer_init(&text, 256);
    write_date(form, &local, month, words_get(words, "dates", "first"), &text);
    const char *raw = buffer_text(&text);
    const char *copy = raw == NULL ? NULL : arena_strdup(arena, raw);
    buffer_free(&text);
    if (copy == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a date");
    *date = copy;
    return STATUS_OK;
}
