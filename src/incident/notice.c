/* Opening a notice: facts, languages, audience, lint, hash; and what --dry-run shows of it. */
#include "incident/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/document.h"
#include "incident/notice_private.h"
#include "policy/jurisdiction.h"

enum { ARENA_BYTES = 256 * 1024 * 1024, SUMMARY_BYTES = 4 * 1024 * 1024, NAME_BYTES = 160 };
enum { NOTE = 5 }; /* column of the summary */

/* ---- facts ---- */

/* The number and, where it has been approved, the facts of the phase's notice. */
static enum status find_approved(struct casework *casework, struct notice *notice,
                                 bool *is_approved, struct error *error)
{
    struct incident_notice found;
    const struct scope *scope = notice->scope;
    int64_t incident = scope->incident.number;
    enum status status =
        incidents_get_notice(casework->incidents, incident, 0, &notice->arena, &found, error);
    *is_approved = false;
    notice->number = status == STATUS_OK ? found.number + 1 : 1;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    while (status == STATUS_OK && found.phase != scope->phase.number && found.number > 1)
        status = incidents_get_notice(casework->incidents, incident, found.number - 1,
                                      &notice->arena, &found, error);
    if (status != STATUS_OK || found.phase != scope->phase.number)
        return status;
    *is_approved = true;
    notice->number = found.number;
    TRY(notice_facts_parse(found.settings, &notice->arena, &notice->facts, error));
    notice->grades = (scope_grades)notice_fact_time(&notice->facts, "grades");
    return STATUS_OK;
}

static enum status settle_facts(struct casework *casework, struct notice *notice,
                                struct error *error)
{
    bool is_approved;
    TRY(find_approved(casework, notice, &is_approved, error));
    if (!is_approved) {
        const char **tags = arena_array(&notice->arena, const char *, notice->language_count + 1);
        if (tags == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the notice's facts");
        for (size_t i = 0; i < notice->language_count; i++)
            tags[i] = notice->languages[i].tag;
        TRY(notice_facts_read(casework, notice->scope, tags, notice->language_count, notice->grades,
                              &notice->arena, &notice->facts, error));
    }
    notice->settings = notice_facts_write(&notice->facts, &notice->arena);
    return notice->settings != NULL
               ? STATUS_OK
               : error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the notice's settings");
}

static enum status tell_date(const struct notice *notice, const char *fact,
                             const struct words *words, struct arena *arena, const char **date,
                             struct error *error)
{
    int64_t time_ns = notice_fact_time(&notice->facts, fact);
    return time_ns == INT64_MIN ? STATUS_OK : letter_date(words, time_ns, arena, date, error);
}

/* A fact without the full stop that staff put behind it: the template has one. */
static const char *without_stop(const char *text, struct arena *arena)
{
    size_t len = text == NULL ? 0 : strlen(text);
    while (len > 0 && strchr(". \n", text[len - 1]) != NULL)
        len--;
    return len == 0 ? NULL : arena_copy(arena, text, len);
}

enum status notice_tell(const struct notice *notice, const struct notice_variant *variant,
                        const struct notice_language *language, struct arena *arena,
                        struct letter_case *about, struct error *error)
{
    const struct policy_controller *controller = &notice->casework->policy->controller;
    const struct notice_facts *facts = &notice->facts;
    const struct words *words = language->words;
    const char *tag = language->tag;
    struct letter_case told = {
        .kind = variant->kind,
        .brand = variant->sender_name,
        .controller = controller->name,
        .privacy_page = controller->privacy_page,
        .sender = variant->sender,
        .dpo_name = controller->dpo_name,
        .dpo_email = controller->dpo_email,
        .dpo_phone = controller->dpo_phone,
        .dpo_post = controller->dpo_post,
        .partner = notice_fact(facts, "partner_public_name", NULL),
        .partner_service = without_stop(notice_fact(facts, "partner_service", tag), arena),
        .what_happened = notice_fact(facts, "notice_what_happened", tag),
        .consequences = notice_fact(facts, "notice_consequences", tag),
        .measures = notice_fact(facts, "notice_measures", tag),
        .reported_to = notice_fact(facts, "reported_to", NULL),
    };
    for (size_t i = 0; i < controller->brand_count; i++)
        if (strcmp(controller->brands[i].name, variant->brand) == 0 &&
            controller->brands[i].privacy_page != NULL)
            told.privacy_page = controller->brands[i].privacy_page;
    TRY(tell_date(notice, "noticed", words, arena, &told.noticed_date, error));
    TRY(tell_date(notice, "contained", words, arena, &told.contained_date, error));
    TRY(tell_date(notice, "reported", words, arena, &told.reported_date, error));
    TRY(tell_date(notice, "since", words, arena, &told.since_date, error));
    *about = told;
    return STATUS_OK;
}

/* ---- opening ---- */

static enum status find_child_age(struct notice *notice, struct error *error)
{
    const struct policy_controller *controller = &notice->casework->policy->controller;
    for (size_t i = 0; i < controller->jurisdiction_count; i++) {
        char name[NAME_BYTES];
        const char *path;
        struct jurisdiction *law = NULL;
        snprintf(name, sizeof name, "jurisdictions/%s.yaml", controller->jurisdictions[i]);
        TRY(casework_data(notice->casework, name, &notice->arena, &path, error));
        TRY(jurisdiction_load(path, &law, error));
        if (law->child_below_years > notice->child_below_years)
            notice->child_below_years = law->child_below_years;
        jurisdiction_free(law);
    }
    return STATUS_OK;
}

static enum status lint_variant(const struct notice *notice, size_t at, struct error *error)
{
    const struct notice_text *text = &notice->texts[at];
    struct table findings;
    lint_table(&findings);
    enum status status = lint_template(text->language->lint, text->template, text->language->words,
                                       &text->about, &findings, error);
    const struct table_row *first = findings.first;
    if (status == STATUS_OK && first != NULL)
        status = error_set(error, STATUS_INVALID, "22023", first->cells[4],
                           "%s:%s: %s: %s (%zu findings; cofferdam incident lint shows them all)",
                           first->cells[0], first->cells[1], first->cells[2], first->cells[3],
                           findings.row_count);
    table_free(&findings);
    return status;
}

/* Brands differ in names alone: of variants with one template and kind the first is judged. */
static bool is_judged(const struct notice *notice, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (notice->texts[i].template == notice->texts[at].template &&
            strcmp(notice->variants[i].kind, notice->variants[at].kind) == 0)
            return true;
    return false;
}

/* Each category that somebody of the variant's kind is told has its phrase in its language. */
static enum status check_phrases(const struct notice *notice, size_t at, struct error *error)
{
    const struct policy *policy = notice->casework->policy;
    size_t kind = (size_t)(policy_find_kind(policy, notice->variants[at].kind) - policy->kinds);
    const struct notice_class *classes = &notice->classes[kind * notice->scope->class_count];
    for (size_t i = 0; i < notice->scope->class_count; i++)
        TRY(letter_check(notice->texts[at].language->words, classes[i].taken,
                         classes[i].taken_count, error));
    return STATUS_OK;
}

/* Subject and opening, which are the same for all of a variant. */
static enum status settle_texts(struct notice *notice, struct error *error)
{
    for (size_t i = 0; i < notice->variant_count; i++) {
        const struct notice_text *text = &notice->texts[i];
        struct notice_variant *variant = &notice->variants[i];
        struct letter_person nobody = {.name = NULL};
        struct document opening;
        TRY(check_phrases(notice, i, error));
        if (!is_judged(notice, i))
            TRY(lint_variant(notice, i, error));
        TRY(letter_line(text->template, text->language->words, &text->about, &nobody, "subject",
                        &notice->arena, &variant->subject, error));
        TRY(letter_fill(text->template, text->language->words, &text->about, &nobody, "opening",
                        &notice->arena, &opening, error));
        struct buffer out;
        buffer_init(&out, BUFSIZ);
        document_text(&opening, &out);
        const char *whole = buffer_text(&out);
        variant->opening = whole == NULL ? NULL : arena_strdup(&notice->arena, whole);
        buffer_free(&out);
        if (variant->opening == NULL)
            return error_set(error, STATUS_LIMIT, "54000", NULL, "%s: the opening is too long",
                             template_name(text->template));
    }
    return STATUS_OK;
}

static enum status settle(struct casework *casework, struct notice *notice, struct error *error)
{
    const struct scope *scope = notice->scope;
    size_t kinds = casework->policy->kind_count;
    if (scope->person_count > 0 && scope->people[scope->person_count - 1].kind >= kinds)
        return error_set(error, STATUS_INVALID, "F0000", "add the kind to the policy again",
                         "the policy no longer names a kind of people that is in the scope");
    TRY(incidents_secret(casework->incidents, notice->secret, error));
    TRY(find_child_age(notice, error));
    TRY(notice_languages_load(casework, &notice->arena, &notice->languages, &notice->language_count,
                              error));
    TRY(settle_facts(casework, notice, error));
    TRY(notice_categories_settle(notice, error));
    notice->classes = calloc(kinds * scope->class_count + 1, sizeof *notice->classes);
    bool *skip = calloc(scope->person_count + 1, sizeof *skip);
    enum status status = notice->classes != NULL && skip != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_OK)
        status = notice_earlier_read(casework, notice, skip, error);
    if (status == STATUS_OK)
        status = notice_audience_settle(notice, skip, error);
    free(skip);
    if (status == STATUS_OK)
        status = settle_texts(notice, error);
    return status == STATUS_OK ? notice_hash_settle(notice, error) : status;
}

enum status notice_open(struct casework *casework, const struct scope *scope, scope_grades grades,
                        struct notice **notice, struct error *error)
{
    struct notice *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&opened->arena, ARENA_BYTES);
    opened->casework = casework;
    opened->scope = scope;
    opened->grades = grades;
    enum status status = settle(casework, opened, error);
    if (status == STATUS_OK)
        *notice = opened;
    else
        notice_close(opened);
    return status;
}

void notice_close(struct notice *notice)
{
    if (notice == NULL)
        return;
    notice_languages_free(notice->languages, notice->language_count);
    free(notice->classes);
    free(notice->people);
    free(notice->places);
    free(notice->told);
    crypto_wipe(notice->secret, sizeof notice->secret);
    arena_free(&notice->arena);
    free(notice);
}

const char *notice_hash(const struct notice *notice)
{
    return notice->hash;
}

const char *notice_settings(const struct notice *notice)
{
    return notice->settings;
}

int64_t notice_number(const struct notice *notice)
{
    return notice->number;
}

size_t notice_variants(const struct notice *notice, const struct notice_variant **variants)
{
    *variants = notice->variants;
    return notice->variant_count;
}

size_t notice_people(const struct notice *notice, const struct outbox_person **people)
{
    *people = notice->people;
    return notice->person_count;
}

/* ---- what --dry-run shows ---- */

static void summarise(struct table *table, const char *item, const char *kind, const char *brand,
                      const char *language, uint64_t people)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", item);
    if (kind != NULL)
        table_set(table, row, 1, "%s", kind);
    if (brand != NULL)
        table_set(table, row, 2, "%s", brand);
    if (language != NULL)
        table_set(table, row, 3, "%s", language);
    table_set(table, row, 4, "%" PRIu64, people);
}

/* People of the audience by flag. */
static void summarise_flags(const struct notice *notice, struct table *table)
{
    static const struct {
        uint16_t flag;
        bool set;
        const char *item;
    } rows[] = {
        {SCOPE_CONFIRMED, true, "confirmed as taken"},
        {SCOPE_CHILD, true, "children: to a parent or guardian"},
        {SCOPE_DECEASED, true, "deceased: not written to"},
        {SCOPE_GONE_AWAY, true, "gone away: no letter"},
        {SCOPE_SAFE_CONTACT, true, "safe contact: no letter"},
        {SCOPE_HAS_EMAIL, false, "without an email address"},
        {SCOPE_GONE, true, "no longer in the database"},
        {SCOPE_ERASED, true, "erased: cannot be written to"},
    };
    const struct scope *scope = notice->scope;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        uint64_t count = 0;
        for (size_t i = 0; i < notice->person_count; i++)
            count += ((scope->people[notice->places[i]].flags & rows[r].flag) != 0) == rows[r].set;
        summarise(table, rows[r].item, NULL, NULL, NULL, count);
    }
}

/* Is a category named by letters in one of the languages, where it was not lost? */
static bool is_named(const struct notice *notice, const char *category)
{
    size_t len = strlen(category);
    for (size_t i = 0; i < notice->language_count; i++) {
        const char *at = words_get(notice->languages[i].words, "spared", "order");
        while (at != NULL && *at != '\0') {
            at += strspn(at, " ");
            size_t word = strcspn(at, " ");
            if (word == len && memcmp(at, category, len) == 0)
                return true;
            at += word;
        }
    }
    return false;
}

/* A third line that every letter of a kind has: it rests on the policy alone. */
static void summarise_claims(const struct notice *notice, struct table *table)
{
    for (size_t kind = 0; kind < notice->casework->policy->kind_count; kind++) {
        char names[512] = "";
        size_t used = 0;
        for (size_t i = 0; i < notice->category_count && used < sizeof names; i++)
            if ((notice->held[kind] >> i & 1) == 0 && is_named(notice, notice->categories[i]))
                used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                         used == 0 ? "" : " ", notice->categories[i]);
        uint64_t people = 0;
        for (size_t i = 0; i < notice->person_count; i++)
            people += notice->people[i].kind == kind;
        if (people == 0 || used == 0)
            continue;
        const char *name = notice->casework->policy->kinds[kind].name;
        summarise(table, "told what we do not keep", name, NULL, NULL, people);
        table_set(
            table, table->last, NOTE,
            "people of the kind %s are told that you do not keep: %s. No dataset of the policy "
            "has that. If you keep it elsewhere: cofferdam incident fact %" PRId64
            " notice_held_elsewhere CATEGORY",
            name, names, notice->scope->incident.number);
    }
}

/* Who reads the template's own sentence, since staff gave none in their language. */
static void summarise_gaps(const struct notice *notice, struct table *table)
{
    for (size_t i = 0; i < notice->language_count; i++) {
        uint64_t count = 0;
        const char *tag = notice->languages[i].tag;
        for (size_t v = 0; v < notice->variant_count; v++)
            if (notice->texts[v].language == &notice->languages[i] &&
                notice->texts[v].about.what_happened == NULL)
                count += notice->variants[v].people;
        if (count == 0)
            continue;
        bool is_english = strcmp(tag, "en") == 0;
        summarise(table, "told what happened by the template alone", NULL, NULL, tag, count);
        table_set(
            table, table->last, NOTE,
            "no fact tells what happened in language %s, so the template's own sentence does. "
            "Better: cofferdam incident fact %" PRId64 " notice_what_happened%s%s TEXT",
            tag, notice->scope->incident.number, is_english ? "" : "_", is_english ? "" : tag);
    }
}

enum status notice_summary(const struct notice *notice, struct table *table, struct error *error)
{
    static const char *const columns[] = {"item",   "kind", "brand", "language",
                                          "people", "note", NULL};
    table_init(table, SUMMARY_BYTES, columns);
    for (size_t i = 0; i < notice->variant_count; i++) {
        const struct notice_variant *variant = &notice->variants[i];
        summarise(table, "messages", variant->kind, variant->brand, variant->language,
                  variant->people);
    }
    summarise(table, "messages in all", NULL, NULL, NULL, notice->person_count);
    if (notice->number > 1)
        summarise(table, "told already, nothing new", NULL, NULL, NULL, notice->told_already);
    summarise_flags(notice, table);
    summarise_claims(notice, table);
    summarise_gaps(notice, table);
    if (!table_overflowed(table))
        return STATUS_OK;
    table_free(table);
    return error_set(error, STATUS_LIMIT, "54000", NULL, "the summary is too long");
}
