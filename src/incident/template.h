/* Template: a plain text in named sections, with placeholders, conditions and lists, from which a
 * message or page is made. Strict: what is unknown, missing or unbalanced is an error with file and
 * line when the template is loaded, not when a message is due. The format is in
 * cofferdam-notice(5). What a template gives is a row of blocks; document.h makes text and HTML of
 * them. A value can become words in a block, never a heading, an item or markup. Immutable once
 * loaded, owned by the caller; any thread. */
#ifndef COFFERDAM_INCIDENT_TEMPLATE_H
#define COFFERDAM_INCIDENT_TEMPLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

/* What templates of one sort may say; NULL-terminated lists. A condition may also name a text or a
 * list (is there one?) and a category of data. */
struct template_schema {
    const char *const *sections; /* each must be there, once, in this order */
    const char *const *texts;    /* {name} */
    const char *const *lists;    /* {each name} … {item} … {end} */
    const char *const *conditions;
};

struct template; /* owned */

MUST_USE enum status template_load(const char *path, const struct template_schema *schema,
                                   struct template **loaded, struct error *error);
/* As template_load, from memory; name stands for the file in errors. */
MUST_USE enum status template_parse(const char *name, struct slice text,
                                    const struct template_schema *schema, struct template **parsed,
                                    struct error *error);
void template_free(struct template *freed);              /* NULL is fine */
const char *template_name(const struct template *of);    /* the path it was loaded from */
const char *template_version(const struct template *of); /* hex SHA-256 of its bytes */

/* What a template is filled with. */
struct template_values {
    /* NULL or "": there is none. A newline begins a new line, an empty line a new paragraph. */
    const char *(*text)(const void *context, const char *name);
    bool (*holds)(const void *context, const char *condition);
    /* The at-th of a list; NULL behind the last. */
    const char *(*item)(const void *context, const char *list, size_t at);
    const void *context;
};

enum block_kind { BLOCK_HEADING, BLOCK_PARAGRAPH, BLOCK_ITEM };
struct block {
    enum block_kind kind;
    const char *text;    /* one line, UTF-8, spaces single, no control characters */
    const char *section; /* borrowed from the schema */
    const char *list;    /* whose item is in it; NULL: none */
    int line;            /* in the template */
};
struct document {
    struct block *blocks;
    size_t count;
};

/* Fills one section, or all in their order (section NULL). A placeholder without a value is
 * STATUS_INVALID and names the line: the template should ask {if name} first. */
MUST_USE enum status template_fill(const struct template *filled, const char *section,
                                   const struct template_values *values, struct arena *arena,
                                   struct document *document, struct error *error);

#endif
