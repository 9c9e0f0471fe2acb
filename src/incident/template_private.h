/* Lines of a template, as reading made them and filling uses them. Private to template*.c. */
#ifndef COFFERDAM_INCIDENT_TEMPLATE_PRIVATE_H
#define COFFERDAM_INCIDENT_TEMPLATE_PRIVATE_H

#include "incident/template.h"

enum { TEMPLATE_TERMS = 8 };

enum line_kind {
    LINE_TEXT,
    LINE_ITEM,
    LINE_BLANK,
    LINE_HEADING,
    LINE_IF,
    LINE_ELSE,
    LINE_EACH,
    LINE_END
};

struct term {
    const char *name;
    bool negated;
};
struct line {
    enum line_kind kind;
    int number;
    const char *text;    /* words; of an {if} or {each}: what stands behind it */
    const char *section; /* the schema's */
    size_t other, end;   /* of an {if}: its {else} (or {end}) and {end}; of an {each}: its {end} */
    struct term terms[TEMPLATE_TERMS];
    size_t term_count;
    bool any; /* the terms are joined by "or" */
};

struct template
{
    struct arena arena;
    const char *name;
    const struct template_schema *schema;
    char version[65];
    struct line *lines;
    size_t line_count;
};

/* The list's own copy of the name, or NULL. */
const char *template_among(const char *const *names, const char *name, size_t len);

#endif
