/* Writing of a generation: first the parts of the incident at hand, then every page from the parts
 * of all incidents, marks and description last. One thread. */
#include "incident/publication.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/request_box.h"
#include "incident/document.h"
#include "incident/generation.h"
#include "incident/letter.h"
#include "incident/page.h"
#include "policy/words.h"

enum {
    ARENA_BYTES = 64 * 1024 * 1024,
    FILE_BYTES = 1024 * 1024,
    BRANDS_MOST = 32, /* as the portal's */
    LANGUAGES_MOST = 8,
    INCIDENTS_MOST = 1000,
};

/* A brand as the pages show it. */
struct look {
    const char *name, *title, *host;
};
struct writing {
    const struct publication *about;
    struct arena arena;
    struct generation generation;
    struct words *words[LANGUAGES_MOST];
    struct look looks[BRANDS_MOST];
    size_t look_count;
    uint32_t incidents[INCIDENTS_MOST]; /* with parts, newest first */
    size_t incident_count;
};

/* The pages and which of the navigation's they belong to. */
static const struct {
    const char *name, *here;
} pages[] = {
    {"index", "index"},    {"genuine", "genuine"}, {"unknown", "genuine"}, {"affected", "affected"},
    {"taken", "affected"}, {"busy", ""},           {"missing", ""},        {"refused", ""},
};

void publication_mark_key(const uint8_t secret[static 32], uint8_t key[static 32])
{
    struct slice label = slice_of_text("cofferdam mark key 1");
    crypto_hmac_sha256(slice_of(secret, 32), &label, 1, key);
}

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
    buffer_init(&bytes, FILE_BYTES);
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
    buffer_init(&layout, FILE_BYTES);
    buffer_init(&whole, FILE_BYTES);
    buffer_init(&languages, FILE_BYTES);
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
    const char *what = arena_printf(&writing->arena, "issue-%zu", at);
    struct buffer opening, body;
    buffer_init(&opening, FILE_BYTES);
    buffer_init(&body, FILE_BYTES);
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
    const char *happened = about->what_happened == NULL ? NULL : about->what_happened[language];
    TRY(letter_date(words, about->noticed_ns, &writing->arena, &noticed, error));
    TRY(letter_date(words, about->issued_ns, &writing->arena, &first_sent, error));
    struct buffer paragraphs, messages, body;
    buffer_init(&paragraphs, FILE_BYTES);
    buffer_init(&messages, FILE_BYTES);
    buffer_init(&body, FILE_BYTES);
    page_paragraphs(or_nothing(happened), &paragraphs);
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

static enum status put_parts(struct writing *writing, struct error *error)
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

/* ---- what other incidents published ---- */

static enum status copy_part(struct writing *writing, const char *name, struct error *error)
{
    const char *from =
        arena_printf(&writing->arena, "%s/parts/%s", writing->generation.previous, name);
    const char *to = arena_printf(&writing->arena, "parts/%s", name);
    struct buffer bytes;
    if (from == NULL || to == NULL)
        return STATUS_NOMEM;
    buffer_init(&bytes, FILE_BYTES);
    enum status status = file_read(from, &bytes, error);
    if (status == STATUS_OK)
        status = generation_put(&writing->generation, to, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    return status;
}

static enum status add_incident(struct writing *writing, uint32_t incident, struct error *error)
{
    size_t at = 0;
    while (at < writing->incident_count && writing->incidents[at] > incident)
        at++;
    if (at < writing->incident_count && writing->incidents[at] == incident)
        return STATUS_OK;
    if (writing->incident_count == INCIDENTS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "at most %d incidents are published",
                         INCIDENTS_MOST);
    memmove(writing->incidents + at + 1, writing->incidents + at,
            (writing->incident_count - at) * sizeof *writing->incidents);
    writing->incidents[at] = incident;
    writing->incident_count++;
    return STATUS_OK;
}

static enum status keep_others(struct writing *writing, struct error *error)
{
    TRY(add_incident(writing, writing->about->incident, error));
    if (writing->generation.previous == NULL)
        return STATUS_OK;
    const char *path = arena_printf(&writing->arena, "%s/parts", writing->generation.previous);
    DIR *folder = path == NULL ? NULL : opendir(path);
    if (folder == NULL)
        return error_set_errno(error, errno, "cannot read what was published before");
    enum status status = STATUS_OK;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder)) != NULL;) {
        char *end;
        unsigned long incident = strtoul(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '-' || incident == writing->about->incident)
            continue;
        status = add_incident(writing, (uint32_t)incident, error);
        if (status == STATUS_OK)
            status = copy_part(writing, entry->d_name, error);
    }
    closedir(folder);
    return status;
}

/* ---- pages from parts ---- */

/* Appends a part; STATUS_NOT_FOUND where there is none. */
static enum status read_part(struct writing *writing, const struct look *look, size_t language,
                             const char *what, struct buffer *out, struct error *error)
{
    const char *path = arena_printf(&writing->arena, "%s/parts/%s.%s.%s", writing->generation.path,
                                    what, look->name, writing->about->languages[language]);
    if (path == NULL)
        return STATUS_NOMEM;
    return file_exists(path) ? file_read(path, out, error) : STATUS_NOT_FOUND;
}

static enum status put_issue_pages(struct writing *writing, const struct look *look,
                                   size_t language, uint32_t incident, const char *title,
                                   struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t issue = 0; status == STATUS_OK; issue++) {
        struct buffer body;
        buffer_init(&body, FILE_BYTES);
        const char *part = arena_printf(&writing->arena, "%" PRIu32 "-issue-%zu", incident, issue);
        const char *file = arena_printf(&writing->arena, "issue-%" PRIu32 "-%zu", incident, issue);
        status = part == NULL || file == NULL
                     ? STATUS_NOMEM
                     : read_part(writing, look, language, part, &body, error);
        if (status == STATUS_OK)
            status = put_page(writing, look, language, file, "genuine", title,
                              or_nothing(buffer_text(&body)), error);
        buffer_free(&body);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What happened, incident by incident. */
static enum status gather_incidents(struct writing *writing, const struct look *look,
                                    size_t language, struct buffer *out, struct error *error)
{
    for (size_t i = 0; i < writing->incident_count; i++) {
        const char *part =
            arena_printf(&writing->arena, "%" PRIu32 "-index", writing->incidents[i]);
        enum status status =
            part == NULL ? STATUS_NOMEM : read_part(writing, look, language, part, out, error);
        if (status == STATUS_NOT_FOUND)
            return error_set(error, STATUS_NOT_FOUND, "42704", "publish that incident first",
                             "what incident %" PRIu32 " published is not for brand %s in %s",
                             writing->incidents[i], look->name,
                             writing->about->languages[language]);
        TRY(status);
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
        buffer_init(&body, FILE_BYTES);
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
    buffer_init(&bytes, FILE_BYTES);
    buffer_init(&incidents, FILE_BYTES);
    enum status status =
        path == NULL ? STATUS_NOMEM : page_load(path, &bytes, &title, &body, error);
    for (size_t i = 0; i < writing->incident_count && status == STATUS_OK; i++)
        status = put_issue_pages(writing, look, language, writing->incidents[i], title, error);
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
    buffer_init(&style, FILE_BYTES);
    enum status status = file_read(common, &style, error);
    if (status == STATUS_OK && file_exists(own))
        status = file_read(own, &style, error);
    if (status == STATUS_OK)
        status = generation_put(&writing->generation, name, buffer_slice(&style), error);
    buffer_free(&style);
    return status;
}

/* ---- marks and description ---- */

/* The marks of other incidents behind those of this one; *records is allocated. */
static enum status gather_marks(struct writing *writing, struct mark_record **records,
                                size_t *count, struct error *error)
{
    const struct publication *about = writing->about;
    struct mark_file before = {0};
    if (writing->generation.previous != NULL) {
        int folder = open(writing->generation.previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            return error_set_errno(error, errno, "cannot read what was published before");
        enum status status = mark_file_open(folder, "marks", &before, error);
        close(folder);
        TRY(status);
    }
    struct mark_record *all = calloc(about->mark_count + before.count + 1, sizeof *all);
    enum status status = all == NULL ? STATUS_NOMEM : STATUS_OK;
    if (status == STATUS_OK) {
        size_t filled = about->mark_count;
        if (filled > 0)
            memcpy(all, about->marks, filled * sizeof *all);
        for (size_t i = 0; i < before.count; i++) {
            mark_file_get(&before, i, &all[filled]);
            filled += all[filled].incident != about->incident;
        }
        *records = all;
        *count = filled;
    }
    mark_file_close(&before);
    return status;
}

static enum status put_marks(struct writing *writing, struct error *error)
{
    struct mark_record *records = NULL;
    size_t count = 0;
    TRY(gather_marks(writing, &records, &count, error));
    struct buffer bytes;
    buffer_init(&bytes, MARK_FILE_HEADER_BYTES + MARK_FILE_RECORD_BYTES * count);
    mark_file_build(records, count, &bytes);
    enum status status = bytes.overflowed ? STATUS_NOMEM
                                          : generation_put(&writing->generation, "marks",
                                                           buffer_slice(&bytes), error);
    buffer_free(&bytes);
    free(records);
    return status;
}

static enum status put_description(struct writing *writing, struct error *error)
{
    uint8_t private_key[32], public_key[32], mark_key[32];
    char hex[65];
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    request_box_keys(writing->about->secret, private_key, public_key);
    crypto_wipe(private_key, sizeof private_key);
    publication_mark_key(writing->about->secret, mark_key);
    crypto_hex(public_key, sizeof public_key, hex);
    buffer_printf(&text, "cofferdam-site 1\nqueue-key %s\n", hex);
    crypto_hex(mark_key, sizeof mark_key, hex);
    buffer_printf(&text, "mark-key %s\n", hex);
    for (size_t i = 0; i < writing->look_count; i++)
        buffer_printf(&text, "brand %s %s\n", writing->looks[i].name, writing->looks[i].host);
    for (size_t i = 0; i < writing->about->language_count; i++)
        buffer_printf(&text, "language %s\n", writing->about->languages[i]);
    enum status status = generation_put(&writing->generation, "site", buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

/* ---- all of it ---- */

/* The host of "https://meridian.example/privacy"; "-" where none is known. */
static const char *host_of(struct arena *arena, const char *page)
{
    static const char scheme[] = "https://";
    if (page == NULL)
        return "-";
    if (strncmp(page, scheme, sizeof scheme - 1) == 0)
        page += sizeof scheme - 1;
    size_t len = strcspn(page, ":/ ");
    return len == 0 ? "-" : arena_copy(arena, page, len);
}

static enum status find_looks(struct writing *writing, struct error *error)
{
    const struct policy_controller *controller = writing->about->controller;
    if (controller->brand_count > BRANDS_MOST || writing->about->language_count > LANGUAGES_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "the portal has at most %d brands and %d languages", BRANDS_MOST,
                         LANGUAGES_MOST);
    for (size_t i = 0; i < controller->brand_count; i++) {
        const struct policy_brand *brand = &controller->brands[i];
        const char *page =
            brand->privacy_page != NULL ? brand->privacy_page : controller->privacy_page;
        writing->looks[i] =
            (struct look){brand->name, brand->title != NULL ? brand->title : brand->name,
                          host_of(&writing->arena, page)};
    }
    writing->look_count = controller->brand_count;
    if (writing->look_count == 0)
        writing->looks[writing->look_count++] =
            (struct look){"default", or_nothing(controller->name),
                          host_of(&writing->arena, controller->privacy_page)};
    return writing->arena.overflowed ? STATUS_NOMEM : STATUS_OK;
}

static enum status load_words(struct writing *writing, struct error *error)
{
    for (size_t i = 0; i < writing->about->language_count; i++) {
        const char *path = arena_printf(&writing->arena, "%s/words/%s.yaml",
                                        writing->about->data_folder, writing->about->languages[i]);
        if (path == NULL)
            return STATUS_NOMEM;
        TRY(words_load(path, &writing->words[i], error));
    }
    return STATUS_OK;
}

static enum status write_all(struct writing *writing, struct error *error)
{
    TRY(find_looks(writing, error));
    TRY(load_words(writing, error));
    TRY(generation_begin(writing->about->folder, writing->about->now_ns, &writing->arena,
                         &writing->generation, error));
    TRY(put_parts(writing, error));
    TRY(keep_others(writing, error));
    for (size_t b = 0; b < writing->look_count; b++) {
        TRY(put_style(writing, &writing->looks[b], error));
        for (size_t l = 0; l < writing->about->language_count; l++)
            TRY(put_pages(writing, &writing->looks[b], l, error));
    }
    TRY(put_marks(writing, error));
    TRY(put_description(writing, error));
    return generation_finish(&writing->generation, error);
}

enum status publication_write(const struct publication *publication, struct error *error)
{
    CHECK(publication->language_count > 0);
    struct writing *writing = calloc(1, sizeof *writing);
    if (writing == NULL)
        return STATUS_NOMEM;
    writing->about = publication;
    arena_init(&writing->arena, ARENA_BYTES);
    enum status status = write_all(writing, error);
    if (status != STATUS_OK)
        generation_abandon(&writing->generation);
    for (size_t i = 0; i < LANGUAGES_MOST; i++)
        words_free(writing->words[i]);
    arena_free(&writing->arena);
    free(writing);
    return status;
}
