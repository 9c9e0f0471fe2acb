/* What a scope is made of, behind scope.h. Private to the module's scope_*.c files. */
#ifndef COFFERDAM_INCIDENT_SCOPE_PRIVATE_H
#define COFFERDAM_INCIDENT_SCOPE_PRIVATE_H

#include "incident/scope.h"
#include "incident/scope_scan.h"

struct scope_times {
    int64_t first_ns, last_ns;
};

/* What follows from a class's facts, computed once. */
struct scope_class_sum {
    scope_grades grades;
    uint32_t records; /* different datasets */
    bool notified;    /* by the default set of grades */
    bool asked_only;  /* no grade but probe */
};

/* The public struct and what it borrows from. */
struct scope_private {
    struct scope scope;
    struct arena arena;
    struct scope_scan scan;
    struct names *names; /* NULL in tests that have none */
    struct scope_person *people;
    struct scope_times *times;    /* beside people */
    struct scope_class_sum *sums; /* beside classes */
    uint32_t *places;             /* by subject id: index in people + 1; 0: not in scope */
    size_t place_count;
    /* ---- kept with the phase ---- */
    const char *const *kinds; /* names by number */
    size_t kind_count;
    const char *const *held; /* categories that the policy's datasets have, ascending */
    size_t held_count;
    const char *const *known; /* those, and all that a policy may use, ascending */
    size_t known_count;
    const char *without; /* why brand, language, country and flags are not there; NULL: they are */
};

/* Classes, people and times from what the scan found. */
MUST_USE enum status scope_settle(struct scope_private *made, struct error *error);
/* scope->never. After the traits: those tell which categories are held. */
MUST_USE enum status scope_settle_never(struct scope_private *made, struct error *error);
/* The canonical text's SHA-256, into scope->sha256. */
MUST_USE enum status scope_hash(struct scope_private *made, struct error *error);

/* ---- counting ---- */
bool scope_class_notified(const struct scope *scope, const struct scope_class *class,
                          scope_grades grades);
size_t scope_class_categories(const struct scope *scope, const struct scope_class *class,
                              scope_grades grades, struct scope_category *categories, size_t room);
/* "name, phone (masked)"; "presence only" where there is none. NULL: no memory. */
const char *scope_class_text(const struct scope *scope, const struct scope_class *class,
                             scope_grades grades, struct arena *arena);
/* Of every class; owned. NULL: no memory. */
struct scope_class_sum *scope_sum_classes(const struct scope *scope);
/* "confirmed", "asked about", "disclosed" or "declared": the strongest that holds of a person. */
const char *scope_tier(const struct scope *scope, const struct scope_person *person);
/* People by kind and class: counts[kind * class_count + class]; owned. NULL: no memory. */
uint64_t *scope_count_classes(const struct scope *scope);
/* One more than the highest number of a kind in scope. */
size_t scope_kinds(const struct scope *scope);

extern const char *const scope_grade_names[SCOPE_GRADES];

/* ---- scope_since.c ---- */
/* STATUS_DENIED 55000 where nobody decided to go on without what is older. */
MUST_USE enum status scope_since_is_accepted(struct casework *casework, int64_t incident,
                                             int64_t since_ns, struct error *error);

#endif
