/* Forms: in which form a leaked value stands, and which forms a copy had it in. A form is a bit, so
 * that what cannot be told apart is several bits. No state, any thread. */
#ifndef COFFERDAM_TRACE_FORMS_H
#define COFFERDAM_TRACE_FORMS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* The masks stand in the order of the names in forms.c; bucket and other are told by no name. */
enum {
    FORM_CLEAR = 1 << 0,
    FORM_TOKEN = 1 << 1,
    FORM_REDACT = 1 << 2,
    FORM_LAST4 = 1 << 3,
    FORM_INITIAL = 1 << 4,
    FORM_YEAR = 1 << 5,
    FORM_MONTH = 1 << 6,
    FORM_POSTCODE_AREA = 1 << 7,
    FORM_DOMAIN = 1 << 8,
    FORM_BUCKET = 1 << 9,
    FORM_OTHER = 1 << 10, /* a mask of the policy's own */
    FORM_MASKS = (1 << 11) - FORM_REDACT,
};
/* A mask changes a value of any length into one of at most so many bytes, or is not compared. */
enum { FORM_TEXT_ROOM = 1024 };

/* By looks alone: what a value of this category may be. Never 0. category NULL: not known. */
unsigned forms_by_looks(const char *text, const char *category);
/* Compared with the person's value: FORM_CLEAR and the built-in masks that give the leaked text; 0:
 * none does. Clear is compared as people write: blanks at the ends and case do not count, of what
 * looks like a telephone number only the digits (the last nine). */
unsigned forms_by_value(const char *text, const char *value);
/* A built-in mask of a value, as the database makes it (lineage/mask.c); false where it makes none
 * of this value, or where the result is NULL. */
bool forms_apply(unsigned form, const char *value, char out[static FORM_TEXT_ROOM]);

/* The forms that a column of a dataset has for a partner by this policy, over all of its grants:
 * those of the ledger's "masked", by the masks that make it. All masks where the policy has none:
 * it was another policy then. */
unsigned forms_of_grants(const struct policy *policy, const char *partner, const char *dataset,
                         const char *column);
/* "last4", "clear"; of several bits "masked" or "clear or masked". */
const char *forms_name(unsigned forms);

#endif
