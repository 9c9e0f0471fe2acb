/* See forms.h. */
#include "trace/forms.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "trace/looks.h"

static const struct {
    unsigned form;
    const char *mask;
} masks[] = {
    {FORM_REDACT, "redact"}, {FORM_LAST4, "last4"},   {FORM_INITIAL, "initial"},
    {FORM_YEAR, "year"},     {FORM_MONTH, "month"},   {FORM_POSTCODE_AREA, "postcode_area"},
    {FORM_DOMAIN, "domain"}, {FORM_BUCKET, "bucket"},
};
enum { MASKS = sizeof masks / sizeof masks[0] };

/* ---- looks ---- */

static bool is_one_of(const char *category, const char *a, const char *b, const char *c)
{
    return category == NULL || strcmp(category, a) == 0 || strcmp(category, b) == 0 ||
           strcmp(category, c) == 0;
}

/* What looks like a mask's result is that, where clear values of the category do not look so. */
unsigned forms_by_looks(const char *text, const char *category)
{
    unsigned looks = looks_of(text);
    if ((looks & LOOKS_TOKEN) != 0)
        return FORM_TOKEN;
    if ((looks & LOOKS_STARRED) != 0)
        return strcmp(text, "***") == 0 ? FORM_REDACT | FORM_LAST4 : FORM_LAST4;
    if ((looks & LOOKS_INITIAL) != 0 && is_one_of(category, "name", "address", "vehicle"))
        return FORM_INITIAL;
    if ((looks & LOOKS_YEAR) != 0 && category != NULL && strcmp(category, "date_of_birth") == 0)
        return FORM_YEAR;
    if ((looks & LOOKS_AREA) != 0 && category != NULL && strcmp(category, "address") == 0)
        return FORM_POSTCODE_AREA;
    if ((looks & LOOKS_DOMAIN) != 0 && category != NULL && strcmp(category, "email") == 0)
        return FORM_DOMAIN;
    unsigned forms = FORM_CLEAR | FORM_OTHER;
    if ((looks & LOOKS_MONTH) != 0)
        forms |= FORM_MONTH;
    if ((looks & LOOKS_YEAR) != 0)
        forms |= FORM_YEAR;
    if ((looks & LOOKS_INTEGER) != 0)
        forms |= FORM_BUCKET;
    if ((looks & LOOKS_DOMAIN) != 0)
        forms |= FORM_DOMAIN;
    if ((looks & LOOKS_AREA) != 0)
        forms |= FORM_POSTCODE_AREA;
    return forms;
}

/* ---- values ---- */

/* Bytes of the first character of a UTF-8 text. */
static size_t character(const char *text)
{
    size_t len = text[0] == '\0' ? 0 : 1;
    while (len > 0 && (text[len] & 0xC0) == 0x80)
        len++;
    return len;
}

/* '***' and the last four characters, or '***' alone where there are no more than four. */
static void apply_last4(const char *value, char out[static FORM_TEXT_ROOM])
{
    enum { LAST = 4 };
    size_t characters = 0, skip = 0;
    for (const char *at = value; *at != '\0'; at += character(at))
        characters++;
    for (size_t i = LAST; i < characters; i++)
        skip += character(value + skip);
    snprintf(out, FORM_TEXT_ROOM, "***%s", characters > LAST ? value + skip : "");
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void apply_area(const char *value, char out[static FORM_TEXT_ROOM])
{
    const char *at = value + strspn(value, " ");
    size_t letters = is_letter(at[0]) ? 1 + is_letter(at[1]) : 0;
    if (letters > 0 && at[letters] >= '0' && at[letters] <= '9') {
        snprintf(out, FORM_TEXT_ROOM, "%c%c", upper(at[0]), letters > 1 ? upper(at[1]) : '\0');
        return;
    }
    size_t first = character(at), both = first + character(at + first);
    snprintf(out, FORM_TEXT_ROOM, "%.*s", (int)both, at);
    for (size_t len = strlen(out); len > 0 && out[len - 1] == ' '; len--)
        out[len - 1] = '\0';
}

static bool is_iso_date(const char *value)
{
    return strlen(value) >= 10 && strspn(value, "0123456789") == 4 && value[4] == '-' &&
           strspn(value + 5, "0123456789") == 2 && value[7] == '-' &&
           strspn(value + 8, "0123456789") == 2;
}

bool forms_apply(unsigned form, const char *value, char out[static FORM_TEXT_ROOM])
{
    const char *found;
    if (strlen(value) >= FORM_TEXT_ROOM - 8)
        return false;
    switch (form) {
    case FORM_REDACT:
        snprintf(out, FORM_TEXT_ROOM, "***");
        return true;
    case FORM_LAST4:
        apply_last4(value, out);
        return true;
    case FORM_INITIAL:
        snprintf(out, FORM_TEXT_ROOM, "%.*s.", (int)character(value), value);
        return true;
    case FORM_YEAR:
        if (is_iso_date(value))
            snprintf(out, FORM_TEXT_ROOM, "%.4s", value);
        return is_iso_date(value);
    case FORM_MONTH:
        if (is_iso_date(value))
            snprintf(out, FORM_TEXT_ROOM, "%.8s01", value);
        return is_iso_date(value);
    case FORM_POSTCODE_AREA:
        apply_area(value, out);
        return true;
    case FORM_DOMAIN: /* split_part(…, '@', 2): between the first and the second */
        found = strchr(value, '@');
        if (found != NULL)
            snprintf(out, FORM_TEXT_ROOM, "%.*s", (int)strcspn(found + 1, "@"), found + 1);
        return found != NULL;
    default:
        return false;
    }
}

/* The last nine digits: as many as a number has behind the code of its country. */
static bool same_number(const char *a, const char *b)
{
    enum { COMPARED = 9 };
    size_t i = strlen(a), j = strlen(b), same = 0;
    if ((looks_of(a) & LOOKS_PHONE) == 0 || (looks_of(b) & LOOKS_PHONE) == 0)
        return false;
    while (same < COMPARED) {
        while (i > 0 && (a[i - 1] < '0' || a[i - 1] > '9'))
            i--;
        while (j > 0 && (b[j - 1] < '0' || b[j - 1] > '9'))
            j--;
        if (i == 0 || j == 0 || a[--i] != b[--j])
            return false;
        same++;
    }
    return true;
}

/* 22/11/2026 and 22.11.2026 are 2026-11-22. */
static bool same_day(const char *text, const char *value)
{
    char turned[11];
    if ((looks_of(text) & LOOKS_DATE) == 0 || !is_iso_date(value) || text[4] == '-')
        return false;
    snprintf(turned, sizeof turned, "%.4s-%.2s-%.2s", text + 6, text + 3, text);
    return strncmp(turned, value, 10) == 0;
}

unsigned forms_by_value(const char *text, const char *value)
{
    char masked[FORM_TEXT_ROOM];
    unsigned forms = 0;
    if (strcasecmp(text, value) == 0 || same_number(text, value) || same_day(text, value))
        forms |= FORM_CLEAR;
    for (size_t i = 0; i < MASKS; i++)
        if (forms_apply(masks[i].form, value, masked) && strcmp(masked, text) == 0)
            forms |= masks[i].form;
    return forms;
}

/* ---- grants ---- */

static unsigned form_of_mask(const struct policy *policy, const char *name)
{
    if (policy_find_mask(policy, name) != NULL)
        return FORM_OTHER;
    for (size_t i = 0; i < MASKS; i++)
        if (strcmp(masks[i].mask, name) == 0)
            return masks[i].form;
    return 0; /* null: nothing is left that could leak */
}

static unsigned forms_of_grant(const struct policy *policy, const struct policy_grant *grant,
                               const char *column, bool *found)
{
    const struct policy_dataset *dataset = &policy->datasets[grant->dataset];
    unsigned forms = 0;
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct policy_granted_column *granted = &grant->columns[i];
        if (granted->form != POLICY_FORM_MASKED || granted->mask == NULL ||
            strcmp(dataset->columns[granted->column].name, column) != 0)
            continue;
        *found = true;
        forms |= form_of_mask(policy, granted->mask);
    }
    return forms;
}

unsigned forms_of_grants(const struct policy *policy, const char *partner, const char *dataset,
                         const char *column)
{
    const struct policy_partner *of = policy_find_partner(policy, partner);
    unsigned forms = 0;
    bool found = false;
    for (size_t i = 0; of != NULL && i < of->grant_count; i++)
        if (strcmp(policy->datasets[of->grants[i].dataset].name, dataset) == 0)
            forms |= forms_of_grant(policy, &of->grants[i], column, &found);
    return found ? forms : FORM_MASKS;
}

const char *forms_name(unsigned forms)
{
    if (forms == FORM_CLEAR || forms == (FORM_CLEAR | FORM_OTHER))
        return "clear";
    if (forms == FORM_TOKEN)
        return "token";
    for (size_t i = 0; i < MASKS; i++)
        if (forms == masks[i].form)
            return masks[i].mask;
    return (forms & FORM_CLEAR) != 0 ? "clear or masked" : "masked";
}
