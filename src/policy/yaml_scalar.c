/* The reader's typed scalars, and what it allocates. */
#include "policy/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void fail_memory(struct yaml *yaml)
{
    if (yaml->status == STATUS_OK)
        yaml->status = error_set(yaml->error, STATUS_LIMIT, "54000", NULL,
                                 "%s: the file describes more than fits into memory", yaml->path);
}

void *yaml_alloc(struct yaml *yaml, size_t count, size_t size)
{
    if (yaml_failed(yaml))
        return NULL;
    void *made = arena_alloc_array(yaml->arena, count == 0 ? 1 : count, size);
    if (made == NULL)
        fail_memory(yaml);
    return made;
}

const char *yaml_printf(struct yaml *yaml, const char *format, ...)
{
    if (yaml_failed(yaml))
        return "";
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(yaml->arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    else
        fail_memory(yaml);
    va_end(again);
    return text == NULL ? "" : text;
}

/* Absolute, so that it means the same to whoever gets it, libpq's socket folders among them. */
const char *yaml_file_path(struct yaml *yaml, const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(yaml->path, '/');
    const char *given =
        slash == NULL ? "." : yaml_printf(yaml, "%.*s/", (int)(slash - yaml->path), yaml->path);
    if (path[0] == '/' || realpath(given, folder) == NULL)
        return path;
    return yaml_printf(yaml, "%s/%s", folder, path);
}

bool yaml_is_empty(struct fy_node *node)
{
    return node == NULL || (fy_node_is_scalar(node) && fy_node_get_scalar_length(node) == 0 &&
                            fy_node_get_style(node) == FYNS_PLAIN);
}

const char *yaml_text(struct yaml *yaml, struct fy_node *node)
{
    if (yaml_failed(yaml))
        return "";
    size_t len = 0;
    const char *text =
        node != NULL && fy_node_is_scalar(node) ? fy_node_get_scalar(node, &len) : NULL;
    if (node == NULL || !fy_node_is_scalar(node))
        yaml_fail(yaml, node, NULL, "a text is expected here");
    else if (text == NULL || len == 0)
        yaml_fail(yaml, node, NULL, "nothing is written here");
    else if (memchr(text, '\0', len) != NULL)
        yaml_fail(yaml, node, NULL, "a text with a zero character");
    return yaml_printf(yaml, "%.*s", (int)len, text == NULL ? "" : text);
}

const char *yaml_text_at(struct yaml *yaml, struct fy_node *map, const char *key,
                         const char *otherwise)
{
    struct fy_node *node = yaml_get(yaml, map, key);
    return node == NULL ? otherwise : yaml_text(yaml, node);
}

const char *yaml_need_text(struct yaml *yaml, struct fy_node *map, const char *key)
{
    return yaml_text(yaml, yaml_need(yaml, map, key));
}

/* Decimal digits only: no sign, no exponent, no 0x, nothing that reads two ways. */
static bool parse_digits(const char *text, uint64_t *number)
{
    uint64_t value = 0;
    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *number = value;
    return true;
}

uint64_t yaml_number(struct yaml *yaml, struct fy_node *node, uint64_t least, uint64_t most)
{
    const char *text = yaml_text(yaml, node);
    if (yaml_failed(yaml))
        return 0;
    uint64_t number = 0;
    if (!parse_digits(text, &number))
        yaml_fail(yaml, node, NULL, "\"%.40s\" is not a whole number", text);
    else if (number < least || number > most)
        yaml_fail(yaml, node, NULL, "%s is out of range: from %llu to %llu", text,
                  (unsigned long long)least, (unsigned long long)most);
    return yaml_failed(yaml) ? 0 : number;
}

uint64_t yaml_number_at(struct yaml *yaml, struct fy_node *map, const char *key, uint64_t least,
                        uint64_t most, uint64_t otherwise)
{
    struct fy_node *node = yaml_get(yaml, map, key);
    return node == NULL ? otherwise : yaml_number(yaml, node, least, most);
}

bool yaml_flag_at(struct yaml *yaml, struct fy_node *map, const char *key, bool otherwise)
{
    struct fy_node *node = yaml_get(yaml, map, key);
    if (node == NULL)
        return otherwise;
    const char *text = yaml_text(yaml, node);
    bool set = strcmp(text, "true") == 0;
    if (!set && strcmp(text, "false") != 0)
        yaml_fail(yaml, node, NULL, "write true or false");
    return set;
}

const char *const *yaml_texts(struct yaml *yaml, struct fy_node *node, size_t *count)
{
    struct yaml_items items = yaml_list_items(yaml, node);
    const char **texts = yaml_array(yaml, const char *, items.count);
    *count = 0;
    if (texts == NULL)
        return NULL;
    while (yaml_next(yaml, &items))
        texts[(*count)++] = yaml_text(yaml, items.value);
    return texts;
}
