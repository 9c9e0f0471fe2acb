/* Forms: what an authority asks about a breach, in its own order, from data files
 * (share/reports/NAME.yaml). A question names what answers it: facts that staff give
 * (share/reports/facts.yaml) and values that the case itself has; which names there are is for
 * the caller to judge. Immutable once loaded; owned by the caller. */
#ifndef COFFERDAM_POLICY_FORM_H
#define COFFERDAM_POLICY_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A box to tick, as the form words it. */
struct form_box {
    const char *label;
    const char *const *of; /* ticked when the answer has one of these words */
    size_t of_count;
    enum {
        FORM_BOX_OF,
        FORM_BOX_REST,   /* "*": the answer has a word that no other box is for */
        FORM_BOX_UNKNOWN /* "?": there is no answer yet */
    } kind;
};

struct form_question {
    const char *ask;
    const char *help; /* or NULL */
    const char *only; /* when it is asked: a condition's name; NULL: always */
    const char *const *say;
    size_t say_count; /* each of these is wanted in the answer */
    const char *const *also;
    size_t also_count; /* said where there is something; wanted only if nothing else answers */
    const char *tick;  /* whose words tick the boxes; NULL: no boxes */
    const struct form_box *boxes;
    size_t box_count;
    uint32_t most_characters; /* that the form's field takes; 0: not known */
    int line;
};

struct form_section {
    const char *title;
    const char *only; /* as a question's */
    const struct form_question *questions;
    size_t question_count;
};

struct form {
    const char *title;
    const char *authority;      /* as in the jurisdictions: ico */
    const char *jurisdiction;   /* whose clock it is filed under: uk-gdpr */
    const char *where;          /* how it is filed */
    const char *compared;       /* when, and with what, this file was last compared; or NULL */
    const char *case_reference; /* the fact that holds the authority's own reference */
    const struct form_section *sections;
    size_t section_count;
    const char *path;
    const char *version; /* hex SHA-256 of the file */
};

/* Errors name file, line and column. */
MUST_USE enum status form_load(const char *path, struct form **form, struct error *error);
void form_free(struct form *form); /* NULL is fine */

#endif
