/* Pages of a generation: first the parts of the incident at hand, then every page around the parts
 * of all incidents. One thread. */
#include "incident/publication_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "incident/document.h"
#include "incident/letter.h"
#include "incident/page.h"

/* The pages and which of the navigation's they belong to. */
static const struct {
    const char *name, *here;
} pages[] = {
    {"index", "index"},    {"genuine", "genuine"}, {"unknown", "genuine"}, {"affected", "affected"},
    {"taken", "affected"}, {"busy", ""},           {"missing", ""},        {"refused", ""},
};

/* ---- templates ---- */

static const char *template_path(struct writing *writing, size_t language, const char *name)
{
    return arena_printf(&writing->arena, "%s/portal/%s/%s.html", writing->about->data_folder,
                        writing->about->languages[language], name);
}

/* Fills a template of the language; title may be NULL. */
static enum status fill(struct writing *writing, size_t language, const char *name,
                        const struct page_value *values, const char **title, struct buffer *out,
                        struct error *error)
{
    struct buffer bytes;
    struct slice body;
    const char *first_line = NULL, *path = template_path(writing, language, name);
    if (path == NULL)
        return STATUS_NOMEM;
    buffer_init(&bytes, PUBLICATION_FILE_BYTES);
    enum status status = page_load(path, &bytes, &first_line, &body, error);
    if (status == STATUS_OK)
        status = page_fill(path, body, values, out, error);
    if (status == STATUS_OK && title != NULL) {
        *title = arena_strdup(&writing->arena, first_line);
        status = *title == NULL ? STATUS_NOMEM : STATUS_OK;
    }
    buffer_free(&bytes);
    return status;
}

static const char *or_nothing(const char *text)
{
    return text == NULL ? "" : text;
}

/* Links to the same page in the other languages, each in its own. */
static void put_languages(const struct writing *writing, size_t language, const char *page,
                          struct buffer *out)
{
    for (size_t i = 0; i < writing->about->language_count; i++) {
        const char *tag = writing->about->languages[i];
        const char *name = words_get(writing->words[i], "language", "name");
        if (i == language)
            continue;
        buffer_printf(out, "<li><a href=\"../%s/%s\" hreflang=\"%s\" lang=\"%s\">", tag, page, tag,
                      tag);
        document_escape(name == NULL ? tag : name, out);
        buffer_append_text(out, "</a></li>");
    }
}

/* A whole page around a body. here: the page of the navigation that it belongs to. */
static enum status put_page(struct writing *writing, const struct look *look, size_t language,
                            const char *file, const char *here, const char *title, const char *body,
                            struct error *error)
{
    static const char current[] = " aria-current=\"page\"";
    const struct policy_controller *controller = writing->about->controller;
    const char *path =
        arena_printf(&writing->arena, "%s/portal/%s/layout.html", writing->about->data_folder,
                     writing->about->languages[language]);
    const char *name = arena_printf(&writing->arena, "%s/%s/%s.html", look->name,
                                    writing->about->languages[language], file);
    if (path == NULL || name == NULL)
        return STATUS_NOMEM;
    struct buffer layout, whole, languages;
    buffer_init(&layout, PUBLICATION_FILE_BYTES);
    buffer_init(&whole, PUBLICATION_FILE_BYTES);
    buffer_init(&languages, PUBLICATION_FILE_BYTES);
    put_languages(writing, language, strcmp(here, "index") == 0 ? "" : here, &languages);
    const struct page_value values[] = {
        {"language", writing->about->languages[language], false},
        {"title", title, false},
        {"brand", look->title, false},
        {"body", body, true},
        {"here_index", strcmp(here, "index") == 0 ? current : "", true},
        {"here_genuine", strcmp(here, "genuine") == 0 ? current : "", true},
        {"here_affected", strcmp(here, "affected") == 0 ? current : "", true},
        {"languages", or_nothing(buffer_text(&languages)), true},
        {"controller", controller->name, false},
        {"dpo", controller->dpo_name, false},
        {"dpo_email", controller->dpo_email, false},
        {"dpo_phone", controller->dpo_phone, false},
        {"dpo_post", controller->dpo_post, false},
        {NULL, NULL, false},
    };
    enum status status = file_read(path, &layout, error);
    if (status == STATUS_OK)
        status = page_fill(path, buffer_slice(&layout), values, &whole, error);
    if (status == STATUS_OK)
        status = generation_put(&writing->generation, name, buffer_slice(&whole), error);
    buffer_free(&layout);
    buffer_free(&whole);
    buffer_free(&languages);
    return status;
}

/* ---- the parts of the incident at hand ---- */

static enum status put_part(struct writing *writing, const struct look *look, size_t language,
                            const char *what, const struct buffer *body, struct error *error)
{
    const char *name =
        arena_printf(&writing->arena, "parts/%" PRIu32 "-%s.%s.%s", writing->about->incident, what,
                     look->name, writing->about->languages[language]);
    if (name == NULL || body->overflowed)
        return STATUS_NOMEM;
    return generation_put(&writing->generation, name, buffer_slice(body), error);
}

static const char *title_of_brand(const struct writing *writing, const char *brand)
{
    for (size_t i = 0; i < writing->look_count; i++) {
        if (strcmp(writing->looks[i].name, brand) == 0)
            return writing->looks[i].title;
    }
    return brand;
}

static enum status put_issue_part(struct writing *writing, const struct look *look, size_t language,
                                  size_t at, struct error *error)
{
    const struct publication_issue *issue = &writing->about->issues[at];
    const char *date = NULL;
    TRY(letter_date(writing->words[language], writing->about->issued_ns, &writing->arena, &date,
                    error));
    const char *what =
        arena_printf(&writing->arena, "issue-%" PRIu32, writing->about->first_issue + (uint32_t)at);
    struct buffer opening, body;
    buffer_init(&opening, PUBLICATION_FILE_BYTES);
    buffer_init(&body, PUBLICATION_FILE_BYTES);
    page_paragraphs(issue->opening, &opening);
    const struct page_value values[] = {
        {"date", date, false},
        {"sender", issue->sender, false},
        {"sender_name", issue->sender_name, false},
        {"brand_of_message", title_of_brand(writing, issue->brand), false},
        {"message_language", issue->language, false},
        {"subject", issue->subject, false},
        {"opening", or_nothing(buffer_text(&opening)), true},
        {NULL, NULL, false},
    };
    enum status status = what == NULL ? STATUS_NOMEM : STATUS_OK;
    if (status == STATUS_OK)
        status = fill(writing, language, "issue", values, NULL, &body, error);
    if (status == STATUS_OK)
        status = put_part(writing, look, language, what, &body, error);
    buffer_free(&opening);
    buffer_free(&body);
    return status;
}

static bool same_look(const struct publication_issue *a, const struct publication_issue *b)
{
    return strcmp(a->brand, b->brand) == 0 && strcmp(a->language, b->language) == 0 &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->sender, b->sender) == 0;
}

/* What a brand's messages look like: sender and subject, each pair once. */
static enum status put_messages(struct writing *writing, const struct look *look, size_t language,
                                struct buffer *out, struct error *error)
{
    const struct publication_issue *issues = writing->about->issues;
    for (size_t i = 0; i < writing->about->issue_count; i++) {
        bool is_new = strcmp(issues[i].brand, look->name) == 0 || writing->look_count == 1;
        for (size_t j = 0; j < i && is_new; j++)
            is_new = !same_look(&issues[i], &issues[j]);
        const struct page_value values[] = {
            {"sender", issues[i].sender, false},
            {"sender_name", issues[i].sender_name, false},
            {"message_language", issues[i].language, false},
            {"subject", issues[i].subject, false},
            {NULL, NULL, false},
        };
        if (is_new)
            TRY(fill(writing, language, "message", values, NULL, out, error));
    }
    return STATUS_OK;
}

static enum status put_index_part(struct writing *writing, const struct look *look, size_t language,
                                  struct error *error)
{
    const struct publication *about = writing->about;
    const struct words *words = writing->words[language];
    const char *noticed = NULL, *first_sent = NULL;
    size_t brand = (size_t)(look - writing->looks);
    const struct document *happened =
        about->happened == NULL ? NULL : about->happened[brand * about->language_count + language];
    TRY(letter_date(words, about->noticed_ns, &writing->arena, &noticed, error));
    TRY(letter_date(words, about->issued_ns, &writing->arena, &first_sent, error));
    struct buffer paragraphs, messages, body;
    buffer_init(&paragraphs, PUBLICATION_FILE_BYTES);
    buffer_init(&messages, PUBLICATION_FILE_BYTES);
    buffer_init(&body, PUBLICATION_FILE_BYTES);
    if (happened != NULL)
        page_blocks(happened, &paragraphs);
    enum status status = put_messages(writing, look, language, &messages, error);
    const struct page_value values[] = {
        {"noticed", noticed, false},
        {"first_sent", first_sent, false},
        {"what_happened", or_nothing(buffer_text(&paragraphs)), true},
        {"messages", or_nothing(buffer_text(&messages)), true},
        {NULL, NULL, false},
    };
    if (status == STATUS_OK)
        status = fill(writing, language, "incident", values, NULL, &body, error);
    if (status == STATUS_OK)
        status = put_part(writing, look, language, "index", &body, error);
    buffer_free(&paragraphs);
    buffer_free(&messages);
    buffer_free(&body);
    return status;
}

enum status publication_put_parts(struct writing *writing, struct error *error)
{
    for (size_t b = 0; b < writing->look_count; b++) {
        for (size_t l = 0; l < writing->about->language_count; l++) {
            TRY(put_index_part(writing, &writing->looks[b], l, error));
            for (size_t i = 0; i < writing->about->issue_count; i++)
                TRY(put_issue_part(writing, &writing->looks[b], l, i, error));
        }
    }
    return STATUS_OK;
}

/* ---- pages from parts ---- */

/* Appends a part. */
static enum status read_part(struct writing *writing, const struct look *look, size_t language,
                             const char *what, struct buffer *out, struct error *error)
{
    const char *language_name = writing->about->languages[language];
    const char *path = arena_printf(&writing->arena, "%s/parts/%s.%s.%s", writing->generation.path,
                                    what, look->name, language_name);
    if (path == NULL)
        return STATUS_NOMEM;
    if (file_exists(path))
        return file_read(path, out, error);
    return error_set(error, STATUS_NOT_FOUND, "42704", "publish that incident again first",
                     "\"%s\" was not published for brand %s in language %s", what, look->name,
                     language_name);
}

static enum status put_issue_pages(struct writing *writing, const struct look *look,
                                   size_t language, const char *title, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < writing->published_count && status == STATUS_OK; i++) {
        const struct published_issue *issue = &writing->issues[i];
        struct buffer body;
        buffer_init(&body, PUBLICATION_FILE_BYTES);
        const char *part = arena_printf(&writing->arena, "%" PRIu32 "-issue-%" PRIu32,
                                        issue->incident, issue->issue);
        const char *file = arena_printf(&writing->arena, "issue-%" PRIu32 "-%" PRIu32,
                                        issue->incident, issue->issue);
        status = part == NULL || file == NULL
                     ? STATUS_NOMEM
                     : read_part(writing, look, language, part, &body, error);
        if (status == STATUS_OK)
            status = put_page(writing, look, language, file, "genuine", title,
                              or_nothing(buffer_text(&body)), error);
        buffer_free(&body);
    }
    return status;
}

/* What happened, incident by incident. */
static enum status gather_incidents(struct writing *writing, const struct look *look,
                                    size_t language, struct buffer *out, struct error *error)
{
    for (size_t i = 0; i < writing->incident_count; i++) {
        const char *part =
            arena_printf(&writing->arena, "%" PRIu32 "-index", writing->incidents[i]);
        if (part == NULL)
            return STATUS_NOMEM;
        TRY(read_part(writing, look, language, part, out, error));
    }
    return STATUS_OK;
}

static enum status put_fixed_pages(struct writing *writing, const struct look *look,
                                   size_t language, const char *incidents, struct error *error)
{
    const struct page_value values[] = {{"incidents", incidents, true}, {NULL, NULL, false}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof pages / sizeof *pages && status == STATUS_OK; i++) {
        const char *title = NULL;
        struct buffer body;
        buffer_init(&body, PUBLICATION_FILE_BYTES);
        status = fill(writing, language, pages[i].name, values, &title, &body, error);
        if (status == STATUS_OK)
            status = put_page(writing, look, language, pages[i].name, pages[i].here, title,
                              or_nothing(buffer_text(&body)), error);
        buffer_free(&body);
    }
    return status;
}

static enum status put_pages(struct writing *writing, const struct look *look, size_t language,
                             struct error *error)
{
    struct buffer bytes, incidents;
    struct slice body;
    const char *title = NULL, *path = template_path(writing, language, "issue");
    buffer_init(&bytes, PUBLICATION_FILE_BYTES);
    buffer_init(&incidents, PUBLICATION_FILE_BYTES);
    enum status status =
        path == NULL ? STATUS_NOMEM : page_load(path, &bytes, &title, &body, error);
    if (status == STATUS_OK)
        status = put_issue_pages(writing, look, language, title, error);
    if (status == STATUS_OK)
        status = gather_incidents(writing, look, language, &incidents, error);
    if (status == STATUS_OK)
        status =
            put_fixed_pages(writing, look, language, or_nothing(buffer_text(&incidents)), error);
    buffer_free(&bytes);
    buffer_free(&incidents);
    return status;
}

/* The common style, and what the brand adds. */
static enum status put_style(struct writing *writing, const struct look *look, struct error *error)
{
    const char *data = writing->about->data_folder;
    const char *common = arena_printf(&writing->arena, "%s/portal/style.css", data);
    const char *own = arena_printf(&writing->arena, "%s/portal/%s.css", data, look->name);
    const char *name = arena_printf(&writing->arena, "%s/style.css", look->name);
    struct buffer style;
    if (writing->arena.overflowed)
        return STATUS_NOMEM;
    buffer_init(&style, PUBLICATION_FILE_BYTES);
    enum status status = file_read(common, &style, error);
    if (status == STATUS_OK && file_exists(own))
        status = file_read(own, &style, error);
    if (status == STATUS_OK)
        status = generation_put(&writing->generation, name, buffer_slice(&style), error);
    buffer_free(&style);
    return status;
}

enum status publication_put_pages(struct writing *writing, struct error *error)
{
    for (size_t b = 0; b < writing->look_count; b++) {
        TRY(put_style(writing, &writing->looks[b], error));
        for (size_t l = 0; l < writing->about->language_count; l++)
            TRY(put_pages(writing, &writing->looks[b], l, error));
    }
    return STATUS_OK;
}
