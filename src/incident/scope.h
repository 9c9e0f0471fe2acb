/* Scope: who and what one partner had, computed from the ledger's entries below a phase's cut-off:
 * all that it was ever given, or until the attacker had gone (--to); what came later stands apart.
 * The whole log is read and hashed on the way, and its root must be the one that the incident
 * fixed: what stands here is what the ledger said then. The same phase gives the same bytes. What
 * is not in the ledger (brand, language, country of each person; what was confirmed) is read once
 * for a phase, kept with the incident and read from there ever after. One thread; owned by the
 * caller. */
#ifndef COFFERDAM_INCIDENT_SCOPE_H
#define COFFERDAM_INCIDENT_SCOPE_H

#include "incident/casework.h"

/* Grades as the ledger numbers them; a declared export has none. */
enum scope_grade {
    SCOPE_DECLARED = 0,
    SCOPE_DIRECT = 1,
    SCOPE_AGGREGATE = 2,
    SCOPE_WITNESS = 3,
    SCOPE_INFLUENCE = 4,
    SCOPE_PROBE = 5,
};
enum { SCOPE_GRADES = 6 };

/* One thing that can have been disclosed of a person. */
struct scope_fact {
    const char *dataset, *column; /* both NULL: nothing but that the person is there */
    const char *category;         /* NULL: a column about nobody */
    const char *form;             /* clear, masked, token */
    enum scope_grade grade;
};
/* People share classes: all that have the very same facts. */
struct scope_class {
    const uint32_t *facts; /* indices, ascending */
    size_t fact_count;
};
/* flags */
enum {
    SCOPE_IN_WINDOW =
        1, /* disclosed while the attacker was inside, to the suspect if there is one */
    SCOPE_CONFIRMED = 2, /* matched a sample of what was stolen */
    SCOPE_DELETED = 4,   /* everything disclosed before a deletion that the partner attested */
    SCOPE_ERASED = 8,    /* the key is forgotten here: nobody can be written to */
    SCOPE_GONE = 16,     /* no longer in the database */
    SCOPE_CHILD = 32,
    SCOPE_GONE_AWAY = 64,
    SCOPE_DECEASED = 128,
    SCOPE_SAFE_CONTACT = 256,
    SCOPE_HAS_EMAIL = 512,
};
struct scope_person {
    uint32_t id;
    uint16_t kind;
    uint16_t flags;
    uint32_t group;                    /* index in classes */
    uint16_t brand, language, country; /* indices in their lists; 0: not known */
};

struct scope {
    struct incident incident;
    struct incident_phase phase;
    const struct scope_fact *facts;
    size_t fact_count;
    const struct scope_class *classes;
    size_t class_count;
    const struct scope_person *people; /* ascending by kind, then id */
    size_t person_count;
    const char *const *brands, *const *languages, *const *countries; /* index 0: "" */
    size_t brand_count, language_count, country_count;
    const char *const *never; /* categories that no entry of the partner names, ascending */
    size_t never_count;
    uint64_t rows;             /* released to the partner, before the cut-off */
    int64_t first_ns, last_ns; /* of its disclosures; INT64_MIN: none */
    int64_t ledger_first_ns;   /* of the first entry of all: "since" */
    int64_t since_ns;          /* what was dropped is older; SINCE_EVER: nothing (base/since.h) */
    char sha256[65];           /* of the canonical scope: what every later step is bound to */
    struct scope_private *private;
};

/* Where retention has dropped entries that the scope would count, somebody must have decided to go
 * on without them: the step of that decision, whose why begins with since when the ledger is whole.
 * Otherwise 55000. */
#define SCOPE_ACCEPT_SINCE "accept since"
/* Decides so, with a reason, as of now. STATUS_NOT_FOUND where nothing was dropped. */
MUST_USE enum status scope_accept_since(struct casework *casework, int64_t incident,
                                        const char *reason, struct error *error);
/* phase 0: the newest. Reads the traits of people through the contact role the first time, records
 * that, and keeps them; fixes the phase's scope hash, or (STATUS_CORRUPT) finds that it differs. */
MUST_USE enum status scope_open(struct casework *casework, int64_t incident, int64_t phase,
                                struct scope **scope, struct error *error);
void scope_close(struct scope *scope); /* NULL is fine */
/* Why brand, language, country and the flags of people are not known in this phase; NULL: they are.
 * A scope is there without database, gateway or contact role: a new phase can add them. */
const char *scope_without_traits(const struct scope *scope);
/* The name of a kind, as the policy had it when the phase was first opened. */
const char *scope_kind(const struct scope *scope, uint16_t kind);
/* The key of a person, terminated; STATUS_NOT_FOUND where it was erased. */
MUST_USE enum status scope_key(const struct scope *scope, uint32_t id, char key[256]);
/* The index in people; STATUS_NOT_FOUND for somebody who is not in scope. */
MUST_USE enum status scope_find(const struct scope *scope, uint16_t kind, struct slice key,
                                size_t *at);

/* ---- counting ---- */
/* Bit set of grades: 1 << SCOPE_DIRECT | 1 << SCOPE_DECLARED. */
typedef unsigned scope_grades;
enum { SCOPE_GRADES_NOTIFIED = 1 << SCOPE_DECLARED | 1 << SCOPE_DIRECT };
/* Is all that is known of the person that somebody asked about them, and got nothing? They stand
 * in the scope, as "asked about", and in no number of people; it may be a key of nobody. */
bool scope_asked_only(const struct scope *scope, const struct scope_person *person);
/* Does the person have a fact of these grades, in clear or masked, with a category? */
bool scope_notified(const struct scope *scope, const struct scope_person *person,
                    scope_grades grades);
/* The person's categories of these grades: names with form, sorted, each once, at most room. */
struct scope_category {
    const char *category, *form;
};
size_t scope_categories(const struct scope *scope, const struct scope_person *person,
                        scope_grades grades, struct scope_category *categories, size_t room);

/* Numbers that statement and report rest on. */
struct scope_totals {
    uint64_t people;               /* in any grade but probe */
    uint64_t asked;                /* and those that were only asked about */
    uint64_t grades[SCOPE_GRADES]; /* distinct people in each */
    uint64_t notified;             /* by the default set */
    uint64_t confirmed, in_window, deleted, erased, gone, children;
    uint64_t records; /* pairs of person and dataset, any grade but probe */
};
void scope_total(const struct scope *scope, struct scope_totals *totals);

/* Tables for people and machines; each fills an unopened table.
 * what: "kind", "category", "brand", "language", "country", "dataset", "day", "tier", "grade",
 * "combination", "never", "window", "change", "net", "deletion", "partners" (the others' state).
 * The columns of each are in scope_tables*.c and the manual. */
MUST_USE enum status scope_table(const struct scope *scope, const char *what, struct table *table,
                                 struct error *error);
/* NULL-terminated: what scope_table can be asked for. */
extern const char *const scope_tables[];
/* One line a person, CSV (scope_csv.h) with a line of names: kind, key, tier, grades, categories,
 * brand, language, country, first, last. The same phase gives the same bytes, but for the keys of
 * people erased since. */
MUST_USE enum status scope_write_list(const struct scope *scope, FILE *out, struct error *error);

/* ---- phases ---- */
/* Fixes the ledger's state now as the incident's next phase, with a decision in its log. The new
 * phase's scope is computed when it is first opened. */
MUST_USE enum status scope_new_phase(struct casework *casework, int64_t incident,
                                     const char *reason, int64_t *number, struct error *error);
/* As scope_new_phase, with a confirmation that belongs to the new phase and to none before. */
MUST_USE enum status scope_confirmed_phase(struct casework *casework, int64_t incident,
                                           const char *reason,
                                           const struct incident_confirmation *confirmation,
                                           int64_t *number, struct error *error);
/* What the ledger has of the partner behind a phase's cut-off, and no phase counts yet. */
struct scope_later {
    uint64_t declared;    /* exports that staff declared */
    uint64_t disclosures; /* batches that it was given, but for when it had been restored */
};
MUST_USE enum status scope_read_later(const struct casework *casework, const char *partner,
                                      const struct incident_phase *phase, struct scope_later *later,
                                      struct error *error);
/* what ("people", "people added", "people removed", "confirmed", "corrected notice", "category"),
 * kind, detail, before, after — of two phases of an incident */
MUST_USE enum status scope_diff(const struct scope *before, const struct scope *after,
                                struct table *table, struct error *error);
/* Was the person at this index of after in scope before, and is more told of it now? Then its
 * notice has to be corrected. */
bool scope_grew(const struct scope *before, const struct scope *after, size_t at);

#endif
