/* The reader's entry, its failures and its walks; typed scalars are in yaml_scalar.c.
 * Only these two and yaml_span.c see libfyaml. */
#include "policy/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/suggest.h"

/* ---- failures ---- */

/* The end of a long path says more than its beginning. */
static const char *shown_path(const char *path)
{
    size_t len = strlen(path);
    return len > 120 ? path + len - 120 : path;
}

static const struct fy_mark *mark_of(struct fy_node *node);

/* A flow collection without items has no token of its own in the API: its key's place will do. */
static const struct fy_mark *mark_of_key(struct fy_node *node)
{
    struct fy_node *parent = fy_node_get_parent(node);
    if (parent == NULL || !fy_node_is_mapping(parent))
        return NULL;
    void *state = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(parent, &state)) != NULL)
        if (fy_node_pair_value(pair) == node)
            return mark_of(fy_node_pair_key(pair));
    return NULL;
}

static const struct fy_mark *mark_of(struct fy_node *node)
{
    if (node == NULL)
        return NULL;
    void *state = NULL;
    const struct fy_mark *mark = NULL;
    if (fy_node_is_scalar(node)) {
        struct fy_token *token = fy_node_get_scalar_token(node);
        mark = token == NULL ? NULL : fy_token_start_mark(token);
    } else if (fy_node_is_sequence(node)) {
        mark = mark_of(fy_node_sequence_iterate(node, &state));
    } else {
        struct fy_node_pair *pair = fy_node_mapping_iterate(node, &state);
        mark = pair == NULL ? NULL : mark_of(fy_node_pair_key(pair));
    }
    return mark != NULL ? mark : mark_of_key(node);
}

int yaml_line(struct fy_node *node)
{
    const struct fy_mark *mark = mark_of(node);
    return mark == NULL ? 0 : mark->line + 1;
}

void yaml_fail(struct yaml *yaml, struct fy_node *node, const char *hint, const char *format, ...)
{
    if (yaml->status != STATUS_OK)
        return;
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct fy_mark *mark = mark_of(node);
    char *where = node == NULL ? NULL : fy_node_get_path(node);
    char *key = where == NULL ? NULL : strstr(where, "/.key(");
    if (key != NULL)
        key[key == where] = '\0'; /* a key's place is its mapping's */
    bool root = where == NULL || strcmp(where, "/") == 0;
    yaml->status = error_set(yaml->error, STATUS_INVALID, "F0000", hint, "%s:%d:%d: %.140s%s%s",
                             shown_path(yaml->path), mark == NULL ? 1 : mark->line + 1,
                             mark == NULL ? 1 : mark->column + 1, root ? "" : where + 1,
                             root ? "" : ": ", text);
    free(where);
}

void yaml_fail_word(struct yaml *yaml, struct fy_node *node, const char *what, const char *word,
                    const char *const *words)
{
    char list[320], hint[360];
    suggest_list(words, list, sizeof list);
    snprintf(hint, sizeof hint, "%s: %s", list[0] == '\0' ? "there are none here" : "one of", list);
    const char *nearest = suggest_nearest(word, words);
    yaml_fail(yaml, node, hint, "%s \"%.80s\" is not known%s%s%s", what, word,
              nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
              nearest == NULL ? "" : "\"?");
}

bool yaml_failed(const struct yaml *yaml)
{
    return yaml->status != STATUS_OK;
}

enum status yaml_finish(const struct yaml *yaml)
{
    return yaml->status;
}

/* ---- opening ---- */

static void discard_output(struct fy_diag *diag, void *user, const char *text, size_t len)
{
}

static bool start_parser(struct yaml *yaml, struct slice text)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = discard_output;
    yaml->diag = fy_diag_create(&diag_cfg);
    if (yaml->diag == NULL)
        return false;
    fy_diag_set_collect_errors(yaml->diag, true);
    struct fy_parse_cfg cfg = {.flags =
                                   FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
                               .diag = yaml->diag};
    yaml->parser = fy_parser_create(&cfg);
    return yaml->parser != NULL &&
           fy_parser_set_string(yaml->parser, (const char *)text.data, text.len) == 0;
}

/* The parser's own first complaint. */
static void fail_syntax(struct yaml *yaml)
{
    if (yaml->status != STATUS_OK)
        return;
    void *state = NULL;
    const struct fy_diag_error *first =
        yaml->diag == NULL ? NULL : fy_diag_errors_iterate(yaml->diag, &state);
    yaml->status = error_set(yaml->error, STATUS_INVALID, "F0000", NULL, "%s:%d:%d: %s",
                             shown_path(yaml->path), first == NULL ? 1 : first->line,
                             first == NULL ? 1 : first->column,
                             first == NULL ? "not readable as YAML" : first->msg);
}

/* Texts that are not plain text: fail before the parser sees them. libfyaml 0.7.12 does not end on
 * a directive with a byte that is not UTF-8. */
static void check_bytes(struct yaml *yaml, struct slice text)
{
    const uint8_t *nul = text.len == 0 ? NULL : memchr(text.data, '\0', text.len);
    size_t good = text_utf8_len(text), end = nul == NULL ? text.len : (size_t)(nul - text.data);
    if (nul == NULL && good == text.len)
        return;
    int line = 1;
    for (size_t at = 0; at < good && at < end; at++)
        line += text.data[at] == '\n';
    yaml->status =
        good < end
            ? error_set(yaml->error, STATUS_INVALID, "F0000", "save it as UTF-8",
                        "%s:%d: a byte that is not UTF-8", shown_path(yaml->path), line)
            : error_set(yaml->error, STATUS_INVALID, "F0000", NULL,
                        "%s:%d: a zero byte: this is no text file", shown_path(yaml->path), line);
}

static void check_tree(struct yaml *yaml, struct fy_node *node, int depth);

static void check_map(struct yaml *yaml, struct fy_node *map, int depth)
{
    void *state = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(map, &state)) != NULL && !yaml_failed(yaml)) {
        struct fy_node *key = fy_node_pair_key(pair);
        if (key == NULL || !fy_node_is_scalar(key))
            yaml_fail(yaml, map, NULL, "a key must be a plain word");
        check_tree(yaml, key, depth);
        check_tree(yaml, fy_node_pair_value(pair), depth);
    }
}

static void check_tree(struct yaml *yaml, struct fy_node *node, int depth)
{
    if (node == NULL || yaml_failed(yaml))
        return;
    if (depth > YAML_DEPTH)
        yaml_fail(yaml, node, NULL, "nested deeper than %d levels", YAML_DEPTH);
    else if (fy_node_is_alias(node))
        yaml_fail(yaml, node, "write it out where it is meant", "aliases (*name) are not accepted");
    else if (fy_node_get_tag_token(node) != NULL)
        yaml_fail(yaml, node, "leave the tag out", "tags (!name) are not accepted");
    else if (fy_node_is_mapping(node))
        check_map(yaml, node, depth + 1);
    else if (fy_node_is_sequence(node)) {
        void *state = NULL;
        struct fy_node *item;
        while ((item = fy_node_sequence_iterate(node, &state)) != NULL)
            check_tree(yaml, item, depth + 1);
    }
}

static void check_anchors(struct yaml *yaml)
{
    void *state = NULL;
    struct fy_anchor *anchor = fy_document_anchor_iterate(yaml->document, &state);
    if (anchor != NULL)
        yaml_fail(yaml, fy_anchor_node(anchor), "write it out where it is meant",
                  "anchors (&name) are not accepted");
}

static void check_single(struct yaml *yaml)
{
    struct fy_document *second = fy_parse_load_document(yaml->parser);
    if (second != NULL) {
        yaml_fail(yaml, fy_document_root(second), "remove the line ---",
                  "a second document: only the first would count");
        fy_parse_document_destroy(yaml->parser, second);
    } else if (fy_parser_get_stream_error(yaml->parser)) {
        fail_syntax(yaml);
    }
}

void yaml_open(struct yaml *yaml, const char *path, struct slice text, struct arena *arena,
               struct error *error)
{
    *yaml = (struct yaml){.path = path, .arena = arena, .error = error, .status = STATUS_OK};
    check_bytes(yaml, text);
    if (yaml_failed(yaml))
        return;
    if (start_parser(yaml, text))
        yaml->document = fy_parse_load_document(yaml->parser);
    if (yaml->document == NULL) {
        bool empty = yaml->parser != NULL && !fy_parser_get_stream_error(yaml->parser);
        if (empty)
            yaml_fail(yaml, NULL, NULL, "the file is empty");
        fail_syntax(yaml);
        return;
    }
    check_anchors(yaml);
    check_tree(yaml, fy_document_root(yaml->document), 0);
    if (!yaml_failed(yaml))
        check_single(yaml);
}

void yaml_close(struct yaml *yaml)
{
    if (yaml->document != NULL)
        fy_parse_document_destroy(yaml->parser, yaml->document);
    if (yaml->parser != NULL)
        fy_parser_destroy(yaml->parser);
    if (yaml->diag != NULL)
        fy_diag_destroy(yaml->diag);
    yaml->document = NULL;
    yaml->parser = NULL;
    yaml->diag = NULL;
}

struct fy_node *yaml_root(struct yaml *yaml)
{
    return yaml_failed(yaml) ? NULL : fy_document_root(yaml->document);
}

/* ---- mappings and lists ---- */

bool yaml_is_map(struct fy_node *node)
{
    return node != NULL && fy_node_is_mapping(node);
}

bool yaml_is_list(struct fy_node *node)
{
    return node != NULL && fy_node_is_sequence(node);
}

static bool need_map(struct yaml *yaml, struct fy_node *node)
{
    if (!yaml_failed(yaml) && !yaml_is_map(node))
        yaml_fail(yaml, node, "write {key: value} or indented lines of key: value",
                  "a mapping is expected here");
    return !yaml_failed(yaml);
}

void yaml_keys(struct yaml *yaml, struct fy_node *map, const char *const *allowed)
{
    if (!need_map(yaml, map))
        return;
    struct yaml_items items = yaml_map_items(yaml, map);
    while (yaml_next(yaml, &items)) {
        size_t i = 0;
        while (allowed[i] != NULL && strcmp(allowed[i], items.name) != 0)
            i++;
        if (allowed[i] == NULL)
            yaml_fail_word(yaml, items.key, "key", items.name, allowed);
    }
}

struct fy_node *yaml_get(struct yaml *yaml, struct fy_node *map, const char *key)
{
    if (yaml_failed(yaml) || !yaml_is_map(map))
        return NULL;
    struct yaml_items items = yaml_map_items(yaml, map);
    while (yaml_next(yaml, &items))
        if (strcmp(items.name, key) == 0)
            return items.value;
    return NULL;
}

struct fy_node *yaml_need(struct yaml *yaml, struct fy_node *map, const char *key)
{
    if (!need_map(yaml, map))
        return NULL;
    struct fy_node *value = yaml_get(yaml, map, key);
    if (value == NULL)
        yaml_fail(yaml, map, NULL, "key \"%s\" is missing", key);
    return value;
}

struct yaml_items yaml_map_items(struct yaml *yaml, struct fy_node *node)
{
    struct yaml_items items = {.node = node};
    if (node == NULL || !need_map(yaml, node))
        items.node = NULL;
    else
        items.count = (size_t)fy_node_mapping_item_count(node);
    return items;
}

struct yaml_items yaml_list_items(struct yaml *yaml, struct fy_node *node)
{
    struct yaml_items items = {.node = node};
    if (node != NULL && !yaml_failed(yaml) && !yaml_is_list(node))
        yaml_fail(yaml, node, "write [item, item] or indented lines of - item",
                  "a list is expected here");
    if (node == NULL || yaml_failed(yaml))
        items.node = NULL;
    else
        items.count = (size_t)fy_node_sequence_item_count(node);
    return items;
}

struct yaml_items yaml_one_or_more(struct yaml *yaml, struct fy_node *node)
{
    if (node == NULL || yaml_is_list(node))
        return yaml_list_items(yaml, node);
    return (struct yaml_items){.node = node, .count = 1, .single = true};
}

static const char *key_text(struct yaml *yaml, struct fy_node *key)
{
    size_t len = 0;
    const char *text = fy_node_get_scalar(key, &len);
    if (text == NULL || len == 0 || memchr(text, '\0', len) != NULL) {
        yaml_fail(yaml, key, NULL, "an empty key");
        return "";
    }
    return yaml_printf(yaml, "%.*s", (int)len, text);
}

bool yaml_next(struct yaml *yaml, struct yaml_items *items)
{
    if (yaml_failed(yaml) || items->node == NULL)
        return false;
    if (items->single) {
        items->value = items->node;
        items->node = NULL;
        return true;
    }
    if (fy_node_is_sequence(items->node)) {
        items->value = fy_node_sequence_iterate(items->node, &items->state);
        return items->value != NULL;
    }
    struct fy_node_pair *pair = fy_node_mapping_iterate(items->node, &items->state);
    if (pair == NULL)
        return false;
    items->key = fy_node_pair_key(pair);
    items->value = fy_node_pair_value(pair);
    items->name = key_text(yaml, items->key);
    return !yaml_failed(yaml);
}
