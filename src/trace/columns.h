/* What the columns of a leak are: guessed by their names, by what names mean, and by what values
 * look like; or as somebody said. A column leads to columns of the policy's datasets (a partner had
 * the value if it had it in any of these), to the key of a kind of person, and to what is known of
 * how people are reached. Texts borrow the policy and the arena. */
#ifndef COFFERDAM_TRACE_COLUMNS_H
#define COFFERDAM_TRACE_COLUMNS_H

#include "policy/policy.h"
#include "trace/leak.h"

enum { COLUMNS_ANY_KIND = UINT16_MAX };

/* What a person's contact data has to compare with (contact/contact.h). */
enum column_field {
    FIELD_NONE,
    FIELD_NAME,
    FIELD_EMAIL,
    FIELD_PHONE,
    FIELD_POSTCODE, /* a line of the address, and used with the name to find somebody */
    FIELD_POST,     /* a line of the address */
    FIELD_BIRTH,
    FIELD_LANGUAGE,
    FIELD_BRAND,
    FIELD_COUNTRY,
};

/* A column of the policy. category may be NULL. */
struct column_target {
    const char *dataset, *column, *category;
};
struct column {
    const char *name;
    const char *how; /* "given", "name", "meaning", "looks"; NULL: it is not compared */
    bool is_key;     /* of a kind, or a token in its place */
    uint16_t kind;   /* with is_key; COLUMNS_ANY_KIND */
    enum column_field field;
    const char *category; /* of the targets; NULL: none, or several */
    struct column_target *targets;
    size_t target_count;
    unsigned looks;          /* of most values; 0: none */
    uint64_t filled, looked; /* cells with something in them; those that have these looks */
    uint64_t matched;        /* cells that fit somebody, or their value in the database */
};
struct columns {
    struct column *all; /* beside the leak's columns */
    size_t count;
};

/* A choice of the user: "mail=customer.email"; target "": do not compare. */
struct column_choice {
    const char *name, *target;
};

/* STATUS_INVALID with what would do, where a choice names a column that is not there, or where no
 * column leads to a person. */
MUST_USE enum status columns_guess(const struct policy *policy, const struct leak *leak,
                                   const struct column_choice *choices, size_t choice_count,
                                   struct arena *arena, struct columns *columns,
                                   struct error *error);

#endif
