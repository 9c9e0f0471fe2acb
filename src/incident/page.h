/* Page: HTML from a template whose first line is its title. Placeholders are {name}; {if name} …
 * {else} … {end} asks whether there is a value, without nesting. Every value is escaped unless it
 * is markup that we made. Unknown names are errors with file and line. Any thread. */
#ifndef COFFERDAM_INCIDENT_PAGE_H
#define COFFERDAM_INCIDENT_PAGE_H

#include <stdbool.h>

#include "incident/template.h"

struct page_value {
    const char *name; /* NULL ends a list of them */
    const char *text; /* NULL or "": there is none */
    bool is_markup;
};
/* path stands for the template in errors. Appends to *out. */
MUST_USE enum status page_fill(const char *path, struct slice template,
                               const struct page_value *values, struct buffer *out,
                               struct error *error);
/* Reads a template: its title (borrowed from *bytes) and the rest behind the empty line. */
MUST_USE enum status page_load(const char *path, struct buffer *bytes, const char **title,
                               struct slice *body, struct error *error);
/* A document's blocks, headings as <h3>. Appends. */
void page_blocks(const struct document *document, struct buffer *out);
/* A text of several lines as paragraphs: an empty line ends one. Appends. */
void page_paragraphs(const char *text, struct buffer *out);

#endif
