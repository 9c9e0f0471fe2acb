/* Allow-lists, private to sql/: the functions, operators and types of pg_catalog that a partner,
 * a mask or a row filter may name, each with the reason why it is safe. What is not here is
 * refused. All overloads of an allowed name in pg_catalog are reachable, so all must be safe: a
 * test asks a live server for each entry's volatility, language and side effects.
 * TOTAL holds for the exact argument types given in a signature: no value of the types makes it
 * raise an error, as long as text is valid UTF-8 under a deterministic collation and no value is
 * longer than 100 MB. IMMUTABLE: no setting and no clock changes its result.
 * VOLATILE (random(), gen_random_uuid()): two evaluations differ, so a set of keys that is computed
 * beside the query, over a copy of its conditions, would hold other people than the result shows.
 * They may stand only where nothing is copied from: the outermost target list and ORDER BY. */
#ifndef COFFERDAM_SQL_ALLOW_H
#define COFFERDAM_SQL_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum allow_flags {
    ALLOW_TOTAL = 1,
    ALLOW_IMMUTABLE = 2,
    ALLOW_AGGREGATE = 4,
    ALLOW_STATISTIC = 8, /* count, sum, avg, stddev…, variance…: may be aggregate(k) */
    ALLOW_WINDOW = 16,   /* needs OVER; any aggregate may have it too */
    ALLOW_SET = 32,      /* returns a set of rows, or a row with a column definition list. Strict,
                            or total: a NULL argument makes it return nothing */
    ALLOW_ORDERED_SET = 64,   /* an aggregate that needs WITHIN GROUP */
    ALLOW_SHOWS_OTHERS = 128, /* a window function whose value is another row's. An aggregate that
                                 stands as a window function shows others as well */
    ALLOW_VOLATILE = 256,
    ALLOW_LENGTH = 512, /* an argument says how long the result gets: it must be a small literal */
};

/* One signature. Types are base type OIDs; 0 in an argument stands for "any type", in the result
 * for "not derived". text, varchar and bpchar count as text (25) for matching; unknown literals
 * match any type. ANYARRAY (2277) and ANYELEMENT (2283) stand for an array that we know and for
 * its very element, in the arguments and in the result. */
struct allow_signature {
    const char *name; /* function or operator, in pg_catalog */
    uint32_t arguments[4];
    uint8_t argument_count; /* 255: any number */
    uint32_t result;
    unsigned flags;
    const char *reason; /* why it is on the list */
};

/* Is the name on the list at all, with any signature? */
bool allow_function(const char *name);
bool allow_operator(const char *name);
/* The first signature that matches; NULL if the name is allowed but these types are not known to
 * have one (then: not total, not immutable, result unknown) or if it is not allowed. */
const struct allow_signature *allow_find_function(const char *name, const uint32_t *types,
                                                  size_t count);
/* As argument count: arguments that are named or VARIADIC, whose types say nothing by position.
 * Only signatures with any number of arguments match. */
enum { ALLOW_LOOSE = 255 };
/* What the signature, that matched these types, returns; 0: not derived. */
uint32_t allow_result(const struct allow_signature *signature, const uint32_t *types, size_t count);
/* The flags of all signatures of the name, together: 0 if it is not on the list. rank() is both a
 * window function and an ordered-set aggregate. */
unsigned allow_function_flags(const char *name);
/* Why a function is refused for good, as a hint; NULL if no reason is on record. */
const char *allow_refusal(const char *name);
/* left 0 and prefix true: prefix operator. */
const struct allow_signature *allow_find_operator(const char *name, bool prefix, uint32_t left,
                                                  uint32_t right);
/* A type that a cast may name ("int4", "numeric", "date"; pg_catalog names or SQL spellings as the
 * grammar delivers them): its OID, else 0. */
uint32_t allow_type(const char *name);
const char *allow_type_name(uint32_t type); /* its name in pg_catalog; NULL for any other type */
/* May a client declare a parameter to be of this type? Those that a cast may name, and arrays. */
bool allow_parameter_type(uint32_t type);
/* The array over a type that a cast may name; 0 for any other type. */
uint32_t allow_array_type(uint32_t element);
/* The element of such an array; 0 for any other type. */
uint32_t allow_element_type(uint32_t array);
/* A collation that COLLATE may name: any of pg_catalog, whose collations are all deterministic. */
bool allow_collation(const char *name);
/* A type modifier takes TOTAL away from a cast (9.99::numeric(1) overflows), but for the text
 * family, where it cuts.
 * May a value of type `from` be cast to type `to` without any error / without settings? */
unsigned allow_cast_flags(uint32_t from, uint32_t to); /* ALLOW_TOTAL | ALLOW_IMMUTABLE bits */
/* LIKE is total with a literal pattern that has no dangling escape at its end. escape: "" for none,
 * else one character. */
bool allow_like_pattern_total(const char *pattern, const char *escape);
/* For tests and `cofferdam explain`: entries in order until NULL. */
const struct allow_signature *allow_function_at(size_t index);
const struct allow_signature *allow_operator_at(size_t index);
/* The nearest allowed function or NULL, for hints. */
const char *allow_suggestion(const char *name);
/* The candidate if it is nearer to the name than the best so far (NULL: none), which it is else. */
const char *allow_nearer(const char *name, const char *candidate, const char *best);

#endif
