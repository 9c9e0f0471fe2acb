/* A typed reader over libfyaml's document tree, for files of ours that people write by hand.
 * The first failure is kept with file, line, column and path, and everything after it does
 * nothing: read every field, then look at yaml_finish() once. On failure a text is "" and a number
 * 0, so that callers need no branch; an array is NULL and must be looked at.
 * Texts are copied into the arena and outlive the tree. One thread. Private to policy/. */
#ifndef COFFERDAM_POLICY_YAML_H
#define COFFERDAM_POLICY_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

struct fy_diag;
struct fy_document;
struct fy_node;
struct fy_parser;

enum { YAML_FILE_BYTES = 1024 * 1024, YAML_DEPTH = 24 };

struct yaml {
    const char *path;    /* borrowed, of the file */
    struct arena *arena; /* borrowed */
    struct error *error; /* borrowed, may be NULL */
    enum status status;  /* sticky */
    struct fy_diag *diag;
    struct fy_parser *parser;
    struct fy_document *document;
};

/* Parses exactly one document; refuses anchors, aliases, tags, duplicate keys and deep nesting, so
 * that what stands in the file is what is meant. text must outlive the reader. Call yaml_close
 * after a failure too. */
void yaml_open(struct yaml *yaml, const char *path, struct slice text, struct arena *arena,
               struct error *error);
void yaml_close(struct yaml *yaml);
bool yaml_failed(const struct yaml *yaml);
/* The status to return: the first failure, or STATUS_OK. */
MUST_USE enum status yaml_finish(const struct yaml *yaml);

struct fy_node *yaml_root(struct yaml *yaml);
int yaml_line(struct fy_node *node); /* counted from 1 */
/* Records a failure at node unless there is one already. */
void yaml_fail(struct yaml *yaml, struct fy_node *node, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* As yaml_fail: word is not one of the NULL-terminated words. Names the nearest and lists all. */
void yaml_fail_word(struct yaml *yaml, struct fy_node *node, const char *what, const char *word,
                    const char *const *words);

/* count zeroed elements (at least one is allocated); NULL after a failure. */
#define yaml_array(yaml, type, count) ((type *)yaml_alloc((yaml), (count), sizeof(type)))
void *yaml_alloc(struct yaml *yaml, size_t count, size_t size);
/* In the arena; "" after a failure. */
const char *yaml_printf(struct yaml *yaml, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* path as it is if absolute, otherwise relative to the file's folder. */
const char *yaml_file_path(struct yaml *yaml, const char *path);

/* ---- mappings and lists ---- */
bool yaml_is_map(struct fy_node *node);
bool yaml_is_list(struct fy_node *node);
/* Fails unless node is a mapping with no other keys than these (NULL-terminated). */
void yaml_keys(struct yaml *yaml, struct fy_node *map, const char *const *allowed);
/* The value at key; NULL where there is none (or no map, or a failure). */
struct fy_node *yaml_get(struct yaml *yaml, struct fy_node *map, const char *key);
/* As yaml_get, but a missing key is a failure. */
struct fy_node *yaml_need(struct yaml *yaml, struct fy_node *map, const char *key);

/* Walks a mapping (name and value are set) or a list (value only). */
struct yaml_items {
    struct fy_node *node, *key, *value;
    const char *name;
    size_t count; /* of items in all */
    void *state;
    bool single; /* node is its own only item */
};
struct yaml_items yaml_map_items(struct yaml *yaml, struct fy_node *node);
struct yaml_items yaml_list_items(struct yaml *yaml, struct fy_node *node);
/* A list, or one item written without the brackets. */
struct yaml_items yaml_one_or_more(struct yaml *yaml, struct fy_node *node);
bool yaml_next(struct yaml *yaml, struct yaml_items *items); /* false at the end and on failure */

/* ---- yaml_span.c: where it stands ---- */
struct yaml_span {
    size_t start, end; /* bytes of the text, half open; with quotes and brackets */
};
/* False where that cannot be told: a node that is empty, a comment behind an opening bracket. */
bool yaml_span_of(struct slice text, struct fy_node *node, struct yaml_span *span);
bool yaml_is_flow(struct fy_node *node); /* written with brackets */

/* ---- scalars; a node of NULL gives the default ---- */
const char *yaml_text(struct yaml *yaml, struct fy_node *node); /* not empty; no default */
const char *yaml_text_at(struct yaml *yaml, struct fy_node *map, const char *key,
                         const char *otherwise);
const char *yaml_need_text(struct yaml *yaml, struct fy_node *map, const char *key);
uint64_t yaml_number(struct yaml *yaml, struct fy_node *node, uint64_t least, uint64_t most);
uint64_t yaml_number_at(struct yaml *yaml, struct fy_node *map, const char *key, uint64_t least,
                        uint64_t most, uint64_t otherwise);
bool yaml_flag_at(struct yaml *yaml, struct fy_node *map, const char *key, bool otherwise);
/* The texts of a list; *count 0 and a non-NULL array where node is NULL. */
const char *const *yaml_texts(struct yaml *yaml, struct fy_node *node, size_t *count);
/* The node is absent, or written with nothing behind its key. */
bool yaml_is_empty(struct fy_node *node);

#endif
