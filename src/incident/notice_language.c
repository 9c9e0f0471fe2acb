/* Which languages messages can be written in, and which a person gets. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "incident/notice_private.h"

enum { MOST_LANGUAGES = 16, TAG_BYTES = 4, NAME_BYTES = 160 };

static int compare_tags(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Stems of two or three letters of the files "<tag>.yaml" in the folder, sorted. */
static enum status list_tags(const char *folder, char tags[MOST_LANGUAGES][TAG_BYTES],
                             size_t *count, struct error *error)
{
    DIR *open = opendir(folder);
    if (open == NULL)
        return error_set_errno(error, errno, "%s", folder);
    *count = 0;
    for (struct dirent *entry; (entry = readdir(open)) != NULL && *count < MOST_LANGUAGES;) {
        size_t stem = strspn(entry->d_name, "abcdefghijklmnopqrstuvwxyz");
        if ((stem == 2 || stem == 3) && strcmp(entry->d_name + stem, ".yaml") == 0)
            snprintf(tags[(*count)++], TAG_BYTES, "%.*s", (int)stem, entry->d_name);
    }
    closedir(open);
    qsort(tags, *count, TAG_BYTES, compare_tags);
    return STATUS_OK;
}

/* "notices/<kind>.<tag>.txt" if there is one, else the default's. */
static enum status template_path(const struct casework *casework, const char *kind, const char *tag,
                                 struct arena *arena, const char **path, struct error *error)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "notices/%s.%s.txt", kind, tag);
    TRY(casework_data(casework, name, arena, path, error));
    if (file_exists(*path))
        return STATUS_OK;
    snprintf(name, sizeof name, "notices/default.%s.txt", tag);
    return casework_data(casework, name, arena, path, error);
}

static enum status load_templates(const struct casework *casework, struct arena *arena,
                                  struct notice_language *language, struct error *error)
{
    language->kind_count = casework->policy->kind_count;
    language->templates = arena_array(arena, struct template *, language->kind_count + 1);
    if (language->templates == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the templates");
    for (size_t i = 0; i < language->kind_count; i++) {
        const char *path;
        TRY(template_path(casework, casework->policy->kinds[i].name, language->tag, arena, &path,
                          error));
        for (size_t j = 0; j < i && language->templates[i] == NULL; j++)
            if (strcmp(template_name(language->templates[j]), path) == 0)
                language->templates[i] = language->templates[j];
        if (language->templates[i] == NULL)
            TRY(template_load(path, &letter_schema, &language->templates[i], error));
    }
    return STATUS_OK;
}

static enum status load_language(const struct casework *casework, struct arena *arena,
                                 struct notice_language *language, struct error *error)
{
    char name[NAME_BYTES];
    const char *path;
    snprintf(name, sizeof name, "words/%s.yaml", language->tag);
    TRY(casework_data(casework, name, arena, &path, error));
    TRY(words_load(path, &language->words, error));
    snprintf(name, sizeof name, "notices/lint.%s.yaml", language->tag);
    TRY(casework_data(casework, name, arena, &path, error));
    TRY(lint_load(path, &language->lint, error));
    TRY(letter_zone(language->words, &language->zone, error));
    return load_templates(casework, arena, language, error);
}

enum status notice_languages_load(const struct casework *casework, struct arena *arena,
                                  struct notice_language **languages, size_t *count,
                                  struct error *error)
{
    char tags[MOST_LANGUAGES][TAG_BYTES], name[NAME_BYTES];
    size_t tag_count = 0, loaded = 0;
    const char *path;
    TRY(casework_data(casework, "words", arena, &path, error));
    TRY(list_tags(path, tags, &tag_count, error));
    struct notice_language *made = arena_array(arena, struct notice_language, tag_count + 1);
    enum status status =
        made != NULL ? STATUS_OK
                     : error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the languages");
    for (size_t i = 0; i < tag_count && status == STATUS_OK; i++) {
        snprintf(name, sizeof name, "notices/default.%s.txt", tags[i]);
        status = casework_data(casework, name, arena, &path, error);
        if (status != STATUS_OK || !file_exists(path))
            continue;
        made[loaded].tag = arena_strdup(arena, tags[i]);
        status = made[loaded].tag == NULL
                     ? error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the languages")
                     : load_language(casework, arena, &made[loaded], error);
        loaded++;
    }
    if (status == STATUS_OK && loaded == 0)
        status = error_set(error, STATUS_NOT_FOUND, "58P01",
                           "words/en.yaml with notices/default.en.txt and notices/lint.en.yaml",
                           "the data folder has no language for notices");
    if (status != STATUS_OK) {
        notice_languages_free(made, loaded);
        return status;
    }
    *languages = made;
    *count = loaded;
    return STATUS_OK;
}

void notice_languages_free(struct notice_language *languages, size_t count)
{
    for (size_t i = 0; languages != NULL && i < count; i++) {
        words_free(languages[i].words);
        lint_free(languages[i].lint);
        zone_free(languages[i].zone);
        for (size_t j = 0; languages[i].templates != NULL && j < languages[i].kind_count; j++) {
            bool shared = false;
            for (size_t k = 0; k < j; k++)
                shared |= languages[i].templates[k] == languages[i].templates[j];
            if (!shared)
                template_free(languages[i].templates[j]);
        }
    }
}

/* The primary subtag (RFC 5646), without case: "fr-CA" and "FR" are fr. */
static bool is_language(const char *tag, const char *spoken)
{
    size_t len = strlen(tag);
    return strncasecmp(tag, spoken, len) == 0 &&
           (spoken[len] == '\0' || spoken[len] == '-' || spoken[len] == '_');
}

size_t notice_language_choose(const struct notice_language *languages, size_t count,
                              const char *spoken, const char *country)
{
    size_t english = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_language(languages[i].tag, spoken))
            return i;
        if (strcmp(languages[i].tag, "en") == 0)
            english = i;
    }
    for (size_t i = 0; i < count; i++)
        if (words_get(languages[i].words, "countries", country) != NULL)
            return i;
    return english;
}
