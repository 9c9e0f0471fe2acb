/* Texts by section and key, as arrays in the file's order. */
#include "policy/words.h"

#include <stdlib.h>
#include <string.h>

#include "policy/data_file.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 };

struct word {
    const char *key, *text;
};

struct section {
    const char *name;
    const struct word *words;
    size_t count;
};

struct words {
    struct arena arena;
    const struct section *sections;
    size_t count;
    const char *version;
};

static void load_section(struct yaml *yaml, struct fy_node *node, struct section *section)
{
    struct yaml_items items = yaml_map_items(yaml, node);
    struct word *words = yaml_array(yaml, struct word, items.count);
    while (words != NULL && yaml_next(yaml, &items)) {
        struct word *word = &words[section->count++];
        word->key = yaml_printf(yaml, "%s", items.name);
        word->text = yaml_text(yaml, items.value);
    }
    section->words = words;
}

static void load(struct yaml *yaml, void *context)
{
    struct words *words = context;
    struct yaml_items items = yaml_map_items(yaml, yaml_root(yaml));
    struct section *sections = yaml_array(yaml, struct section, items.count);
    while (sections != NULL && yaml_next(yaml, &items)) {
        struct section *section = &sections[words->count++];
        section->name = yaml_printf(yaml, "%s", items.name);
        load_section(yaml, items.value, section);
    }
    words->sections = sections;
}

enum status words_load(const char *path, struct words **words, struct error *error)
{
    struct words *loaded = calloc(1, sizeof *loaded);
    if (loaded == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&loaded->arena, ARENA_BYTES);
    enum status status =
        data_file_load(path, &loaded->arena, load, loaded, &loaded->version, error);
    if (status == STATUS_OK)
        *words = loaded;
    else
        words_free(loaded);
    return status;
}

void words_free(struct words *words)
{
    if (words == NULL)
        return;
    arena_free(&words->arena);
    free(words);
}

static const struct section *find(const struct words *words, const char *name)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->sections[i].name, name) == 0)
            return &words->sections[i];
    }
    return NULL;
}

const char *words_get(const struct words *words, const char *section, const char *key)
{
    const struct section *found = find(words, section);
    for (size_t i = 0; found != NULL && i < found->count; i++) {
        if (strcmp(found->words[i].key, key) == 0)
            return found->words[i].text;
    }
    return NULL;
}

const char *words_key(const struct words *words, const char *section, size_t at)
{
    const struct section *found = find(words, section);
    return found == NULL || at >= found->count ? NULL : found->words[at].key;
}

const char *words_version(const struct words *words)
{
    return words->version;
}
