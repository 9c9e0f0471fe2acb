/* The answers that are no notice: "it affects you, your message comes", "our records name you, ask
 * us", and "our records say no". Words are data (share/answers); nothing personal is in them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "incident/document.h"
#include "incident/desk_private.h"

enum { ARENA_BYTES = 256 * 1024, BODY_BYTES = 64 * 1024, MESSAGE_ID_BYTES = 16 };

static const char *const ordered[] = {"subject", "salutation", "answer", "more_information",
                                      "closing", "unnamed",    NULL};
static const char *const texts_known[] = {"brand",        "controller",   "partner",   "since_date",
                                          "dropped_date", "dpo_name",     "dpo_email", "dpo_phone",
                                          "dpo_post",     "privacy_page", "date",      NULL};
static const char *const lists[] = {"incidents", NULL};
static const char *const conditions[] = {"counted", NULL};
static const struct template_schema schema = {ordered, texts_known, lists, conditions};

static const char *const tags[] = {"en", "fr"};
enum { LANGUAGES = sizeof tags / sizeof tags[0] };

struct desk_texts {
    struct {
        struct words *words;
        struct template *affected, *named, *unaffected;
    } languages[LANGUAGES];
};

/* ---- loading ---- */

static enum status load_template(const struct casework *casework, const char *name, const char *tag,
                                 struct template **loaded, struct error *error)
{
    struct arena arena;
    const char *path;
    char file[64];
    snprintf(file, sizeof file, "answers/%s.%s.txt", name, tag);
    arena_init(&arena, ARENA_BYTES);
    enum status status = casework_data(casework, file, &arena, &path, error);
    if (status == STATUS_OK)
        status = template_load(path, &schema, loaded, error);
    arena_free(&arena);
    return status;
}

static enum status load_words(const struct casework *casework, const char *tag,
                              struct words **words, struct error *error)
{
    struct arena arena;
    const char *path;
    char file[64];
    snprintf(file, sizeof file, "words/%s.yaml", tag);
    arena_init(&arena, ARENA_BYTES);
    enum status status = casework_data(casework, file, &arena, &path, error);
    if (status == STATUS_OK)
        status = words_load(path, words, error);
    arena_free(&arena);
    return status;
}

enum status desk_texts_open(const struct casework *casework, struct desk_texts **out,
                            struct error *error)
{
    struct desk_texts *texts = calloc(1, sizeof *texts);
    if (texts == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < LANGUAGES && status == STATUS_OK; i++) {
        status = load_words(casework, tags[i], &texts->languages[i].words, error);
        if (status == STATUS_OK)
            status =
                load_template(casework, "affected", tags[i], &texts->languages[i].affected, error);
        if (status == STATUS_OK)
            status = load_template(casework, "named", tags[i], &texts->languages[i].named, error);
        if (status == STATUS_OK)
            status = load_template(casework, "unaffected", tags[i], &texts->languages[i].unaffected,
                                   error);
    }
    if (status == STATUS_OK)
        *out = texts;
    else
        desk_texts_close(texts);
    return status;
}

void desk_texts_close(struct desk_texts *texts)
{
    if (texts == NULL)
        return;
    for (size_t i = 0; i < LANGUAGES; i++) {
        words_free(texts->languages[i].words);
        template_free(texts->languages[i].affected);
        template_free(texts->languages[i].named);
        template_free(texts->languages[i].unaffected);
    }
    free(texts);
}

/* That of past dealings; else the page's; else the first. */
static size_t choose_language(const struct contact_person *person, const char *asked)
{
    const char *const wishes[] = {person->language, asked};
    for (size_t w = 0; w < 2; w++)
        for (size_t i = 0; wishes[w] != NULL && i < LANGUAGES; i++)
            if (strncasecmp(wishes[w], tags[i], strlen(tags[i])) == 0)
                return i;
    return 0;
}

/* ---- filling ---- */

struct source {
    const struct policy_controller *controller;
    const struct policy_brand *brand;             /* NULL: none that the policy knows */
    const char *partner, *since, *dropped, *date; /* dropped: NULL, or where records begin again */
    const char *items[DESK_CASES];
    size_t item_count;
    bool counted;
};

static const char *text_of(const void *context, const char *name)
{
    const struct source *source = context;
    const struct policy_controller *controller = source->controller;
    const struct policy_brand *brand = source->brand;
    const struct {
        const char *name, *text;
    } known[] = {
        {"brand", brand != NULL && brand->title != NULL ? brand->title : controller->name},
        {"controller", controller->name},
        {"partner", source->partner},
        {"since_date", source->since},
        {"dropped_date", source->dropped},
        {"date", source->date},
        {"dpo_name", controller->dpo_name},
        {"dpo_email", controller->dpo_email},
        {"dpo_phone", controller->dpo_phone},
        {"dpo_post", controller->dpo_post},
        {"privacy_page", brand != NULL && brand->privacy_page != NULL ? brand->privacy_page
                                                                      : controller->privacy_page},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].text;
    return NULL;
}

static bool holds(const void *context, const char *condition)
{
    (void)condition; /* there is one */
    return ((const struct source *)context)->counted;
}

static const char *item_of(const void *context, const char *list, size_t at)
{
    const struct source *source = context;
    (void)list; /* there is one */
    return at < source->item_count ? source->items[at] : NULL;
}

static struct template_values values_of(const struct source *source)
{
    return (struct template_values){text_of, holds, item_of, source};
}

/* A section of one line. */
static enum status fill_line(const struct template *template, const char *section,
                             const struct source *source, struct arena *arena, const char **line,
                             struct error *error)
{
    struct document document;
    struct template_values values = values_of(source);
    TRY(template_fill(template, section, &values, arena, &document, error));
    if (document.count != 1)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "%s: [%s] is one line",
                         template_name(template), section);
    *line = document.blocks[0].text;
    return STATUS_OK;
}

/* The blocks of the body's sections, one after the other. */
static enum status fill_body(const struct template *template, const struct source *source,
                             struct arena *arena, struct document *body, struct error *error)
{
    struct document parts[4];
    static const char *const wanted[] = {"salutation", "answer", "more_information", "closing"};
    struct template_values values = values_of(source);
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        TRY(template_fill(template, wanted[i], &values, arena, &parts[i], error));
        count += parts[i].count;
    }
    *body = (struct document){.blocks = arena_array(arena, struct block, count + 1)};
    if (body->blocks == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < 4; i++)
        for (size_t b = 0; b < parts[i].count; b++)
            body->blocks[body->count++] = parts[i].blocks[b];
    return STATUS_OK;
}

/* "Northmail Ltd (22 November 2026)": what an incident is called, and when we learned of it. */
static enum status name_incident(const struct template *template, const struct words *words,
                                 const struct desk_case *about, const struct source *source,
                                 struct arena *arena, const char **partner, const char **item,
                                 struct error *error)
{
    const char *date;
    TRY(letter_date(words, about->scope->incident.noticed_ns, arena, &date, error));
    *partner = about->partner == NULL ? NULL : document_clean(about->partner, arena);
    if (*partner == NULL)
        TRY(fill_line(template, "unnamed", source, arena, partner, error));
    *item = arena_printf(arena, "%s (%s)", *partner, date);
    return *item != NULL ? STATUS_OK
                         : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* What is told of the incidents: of the one that affects the person, of those that name somebody,
 * or of all. */
static enum status fill_source(const struct template *template, const struct words *words,
                               const struct desk_cases *cases, const struct desk_case *affected,
                               uint64_t named, struct arena *arena, struct source *source,
                               struct error *error)
{
    int64_t since_ns = INT64_MIN;
    bool is_cut = false;
    const char *item;
    TRY(letter_date(words, clock_now_ns(), arena, &source->date, error));
    if (affected != NULL)
        return name_incident(template, words, affected, source, arena, &source->partner, &item,
                             error);
    for (size_t i = 0; i < cases->count; i++) {
        const struct desk_case *about = &cases->cases[i];
        const char *partner;
        if (named != 0 && (named >> i & 1) == 0)
            continue;
        TRY(name_incident(template, words, about, source, arena, &partner, &item, error));
        source->items[source->item_count++] = item;
        if (about->scope->ledger_first_ns > since_ns)
            since_ns = about->scope->ledger_first_ns;
        is_cut = is_cut || about->scope->since_ns != SINCE_EVER;
    }
    if (since_ns == INT64_MIN)
        return STATUS_OK;
    TRY(letter_date(words, since_ns, arena, &source->since, error));
    source->dropped = is_cut ? source->since : NULL;
    return STATUS_OK;
}

/* ---- the message ---- */

static const struct policy_brand *find_brand(const struct policy *policy, const char *name)
{
    for (size_t i = 0; name != NULL && i < policy->controller.brand_count; i++)
        if (strcmp(policy->controller.brands[i].name, name) == 0)
            return &policy->controller.brands[i];
    return NULL;
}

static enum status set_sender(const struct source *source, struct arena *arena,
                              struct mail_message *message, struct error *error)
{
    const struct policy_controller *controller = source->controller;
    uint8_t random[MESSAGE_ID_BYTES];
    char hex[2 * MESSAGE_ID_BYTES + 1];
    message->from_address = source->brand != NULL && source->brand->sender != NULL
                                ? source->brand->sender
                            : controller->sender_count > 0 ? controller->senders[0]
                                                           : NULL;
    const char *domain = message->from_address == NULL ? NULL : strrchr(message->from_address, '@');
    message->from_name = text_of(source, "brand");
    if (domain == NULL || message->from_name == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "controller: {name: …, senders: [privacy@…]} in the policy",
                         "the policy does not say which address answers come from");
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, hex);
    message->message_id = arena_printf(arena, "%s%s", hex, domain);
    return STATUS_OK;
}

static enum status set_body(const struct document *body, struct arena *arena,
                            struct mail_message *message, struct error *error)
{
    struct buffer text, html;
    buffer_init(&text, BODY_BYTES);
    buffer_init(&html, BODY_BYTES);
    document_text(body, &text);
    document_html(body, message->language, message->subject, &html);
    bool fits = !text.overflowed && !html.overflowed;
    if (fits) {
        message->text = arena_copy(arena, (const char *)text.data, text.len);
        message->html = arena_copy(arena, (const char *)html.data, html.len);
    }
    buffer_free(&text);
    buffer_free(&html);
    return fits && !arena->overflowed
               ? STATUS_OK
               : error_set(error, STATUS_LIMIT, "54000", NULL, "an answer is too long");
}

enum status desk_text(const struct desk_texts *texts, const struct desk_cases *cases,
                      const struct desk_case *affected, struct desk_presence presence,
                      const struct contact_person *person, const char *asked, struct arena *arena,
                      struct mail_message *message, struct error *error)
{
    const struct policy *policy = cases->casework->policy;
    size_t language = choose_language(person, asked);
    const struct template *template = affected != NULL      ? texts->languages[language].affected
                                      : presence.named != 0 ? texts->languages[language].named
                                                            : texts->languages[language].unaffected;
    struct source source = {.controller = &policy->controller,
                            .brand = find_brand(policy, person->brand),
                            .counted = presence.counted};
    struct document body;
    TRY(fill_source(template, texts->languages[language].words, cases, affected, presence.named,
                    arena, &source, error));
    *message = (struct mail_message){.to_address = arena_strdup(arena, person->email),
                                     .reply_to = policy->controller.dpo_email,
                                     .language = tags[language],
                                     .date_ns = clock_now_ns()};
    TRY(set_sender(&source, arena, message, error));
    TRY(fill_line(template, "subject", &source, arena, &message->subject, error));
    TRY(fill_body(template, &source, arena, &body, error));
    return set_body(&body, arena, message, error);
}
