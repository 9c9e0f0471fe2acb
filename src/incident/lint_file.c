/* Templates checked and shown with what the data folder holds for their language. */
#include "incident/lint_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "incident/document.h"
#include "incident/lint.h"
#include "incident/sample.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, TEXT_BYTES = 1024 * 1024, PATH_BYTES = 4096, TAG_BYTES = 4 };
static const int64_t sample_date_ns = INT64_C(1795359600) * 1000000000; /* 2026-11-22T15:00:00Z */

/* A template with what it takes to fill and judge it; owned. */
struct desk {
    struct arena arena;
    char tag[TAG_BYTES];
    struct template *template;
    struct words *words;
    struct lint *lint;
    struct letter_case about;
};

/* "en" of "default.en.txt". */
static enum status find_language(const char *path, char tag[static TAG_BYTES], struct error *error)
{
    const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
    size_t len = strlen(name), stem = len < 4 ? 0 : len - 4;
    size_t from = stem;
    while (from > 0 && name[from - 1] >= 'a' && name[from - 1] <= 'z')
        from--;
    if (stem == 0 || strcmp(name + stem, ".txt") != 0 || from == 0 || name[from - 1] != '.' ||
        stem - from < 2 || stem - from >= TAG_BYTES)
        return error_set(error, STATUS_INVALID, "22023", "name it NAME.en.txt, NAME.fr.txt",
                         "%s: the name does not tell the template's language", path);
    snprintf(tag, TAG_BYTES, "%.*s", (int)(stem - from), name + from);
    return STATUS_OK;
}

static void clear_desk(struct desk *desk)
{
    template_free(desk->template);
    words_free(desk->words);
    lint_free(desk->lint);
    arena_free(&desk->arena);
}

static enum status load(struct desk *desk, const char *data_folder, const char *path,
                        struct error *error)
{
    char name[PATH_BYTES];
    TRY(find_language(path, desk->tag, error));
    snprintf(name, sizeof name, "%s/words/%s.yaml", data_folder, desk->tag);
    TRY(words_load(name, &desk->words, error));
    snprintf(name, sizeof name, "%s/notices/lint.%s.yaml", data_folder, desk->tag);
    TRY(lint_load(name, &desk->lint, error));
    TRY(template_load(path, &letter_schema, &desk->template, error));
    return sample_case(desk->words, &desk->arena, &desk->about, error);
}

enum status lint_file(const char *data_folder, const char *path, struct table *findings,
                      struct error *error)
{
    struct desk desk = {.template = NULL};
    arena_init(&desk.arena, ARENA_BYTES);
    enum status status = load(&desk, data_folder, path, error);
    if (status == STATUS_OK)
        status = lint_template(desk.lint, desk.template, desk.words, &desk.about, findings, error);
    clear_desk(&desk);
    return status;
}

static enum status write_file(const char *folder, const char *name, const char *language,
                              const char *suffix, struct buffer *text, struct error *error)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/notice-%s.%s.%s", folder, name, language, suffix);
    return text->overflowed ? error_set(error, STATUS_LIMIT, "54000", NULL, "%s: too long", path)
                            : file_replace(path, buffer_slice(text), 0644, error);
}

static enum status write_sample(struct desk *desk, const struct sample *sample, bool as_page,
                                const char *folder, struct error *error)
{
    struct letter_case about = sample_case_for(&desk->about, sample);
    struct letter_person person = sample->person;
    struct document body;
    const char *subject;
    TRY(letter_date(desk->words, sample_date_ns, &desk->arena, &person.date, error));
    if (person.replaces_date != NULL)
        person.replaces_date = about.reported_date;
    TRY(letter_line(desk->template, desk->words, &about, &person, "subject", &desk->arena, &subject,
                    error));
    TRY(letter_body(desk->template, desk->words, &about, &person, &desk->arena, &body, error));
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    buffer_printf(&text, "From: %s <%s>\nSubject: %s\n\n", about.brand, about.sender, subject);
    document_text(&body, &text);
    enum status status = write_file(folder, sample->name, desk->tag, "txt", &text, error);
    buffer_clear(&text);
    document_html(&body, desk->tag, subject, &text);
    if (status == STATUS_OK && as_page)
        status = write_file(folder, sample->name, desk->tag, "html", &text, error);
    buffer_free(&text);
    return status;
}

enum status lint_file_samples(const char *data_folder, const char *path, const char *folder,
                              struct error *error)
{
    struct desk desk = {.template = NULL};
    const struct sample *samples;
    size_t count = sample_people(&samples);
    arena_init(&desk.arena, ARENA_BYTES);
    enum status status = load(&desk, data_folder, path, error);
    if (status == STATUS_OK)
        status = file_make_folder(folder, 0755, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_sample(&desk, &samples[i], i == 0, folder, error);
    clear_desk(&desk);
    return status;
}
