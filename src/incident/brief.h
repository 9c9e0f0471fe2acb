/* Brief: all that is known of an incident at one time, for the documents about it: the report to
 * an authority and the public statement. What stands in a document comes from here and has its
 * evidence here. One thread; borrows the casework. */
#ifndef COFFERDAM_INCIDENT_BRIEF_H
#define COFFERDAM_INCIDENT_BRIEF_H

#include <stdbool.h>

#include "incident/scope.h"
#include "incident/standing.h"

/* What the ledger says of the partner up to now, beyond the phase's cut-off too. */
struct brief_ledger {
    uint64_t entries;         /* read and verified */
    int64_t first_ns;         /* of the first entry of all; INT64_MIN: an empty ledger; where older
                               * ones were dropped, the first whole day */
    int64_t since_ns;         /* base/since.h */
    uint64_t contained_entry; /* the newest containment of the whole partner */
    int64_t contained_ns;     /* INT64_MIN: never */
    uint64_t restored_entry;  /* of the partner or one of its agents, after that */
    int64_t restored_ns;      /* INT64_MIN: it is contained still */
    uint64_t declared;        /* exports declared, up to the cut-off */
    uint64_t declared_later;  /* and behind it: no phase counts them yet */
    int64_t declared_last_ns; /* when the newest of both left, as staff told; INT64_MIN: none */
    uint64_t disclosures_later; /* batches of rows behind the cut-off */
};

struct brief {
    const struct policy *policy;
    const struct policy_partner *partner; /* NULL: no longer in the policy */
    struct incident incident;
    struct incident_phase phase;
    const struct scope *scope;
    struct scope *opened;        /* the same, where brief_open made it */
    struct table facts, filings; /* as incidents_facts and incidents_filings fill them */
    bool has_notice;
    struct incident_notice notice;   /* the newest */
    struct standing_counts messages; /* of all notices; total 0: no outbox is there */
    struct standing_open_ends open;  /* letters and public notices that nobody has decided */
    struct brief_ledger ledger;
    int64_t now_ns;
};

/* phase 0: the newest. Reads the ledger to its end. Owned by the caller, even after a failure. */
MUST_USE enum status brief_open(struct casework *casework, int64_t incident, int64_t phase,
                                struct arena *arena, struct brief *brief, struct error *error);
void brief_close(struct brief *brief);

/* The text of a fact; NULL where staff have not given it. Borrowed. */
const char *brief_fact(const struct brief *brief, const char *name);
/* The cell of a row by its column's name; "" for NULL and for columns that are not there. */
const char *brief_cell(const struct table *table, const struct table_row *row, const char *column);
/* Reads the ledger in folder to its end for what it says of a partner. cutoff: the phase's. */
MUST_USE enum status brief_read_ledger(const char *folder, const char *partner, uint64_t cutoff,
                                       struct brief_ledger *ledger, struct error *error);

/* ---- counting, over all people or those of one brand ---- */
/* Members of statistics alone are counted apart: a statistic of many tells nothing of one. So are
 * keys that were asked about alone, which may be nobody's. */
struct brief_count {
    uint64_t people;          /* of whom anything but statistics was disclosed or declared */
    uint64_t statistics_only; /* and those only counted in statistics, */
    uint64_t asked_only;      /* and those only asked about */
    uint64_t records;         /* pairs of person and dataset, of those people alone */
    uint64_t declared_only, confirmed, children, deleted, erased;
};
/* brand: index in scope->brands; BRIEF_ALL for everybody. */
enum { BRIEF_ALL = -1 };
void brief_count(const struct scope *scope, int brand, struct brief_count *count);

/* Forms in which a category was disclosed; statistics left out. */
enum { BRIEF_CLEAR = 1, BRIEF_MASKED = 2, BRIEF_TOKEN = 4 };
struct brief_category {
    const char *name;
    unsigned forms;  /* BRIEF_… bits */
    uint64_t people; /* with it in clear or masked */
};
/* In the order of policy_categories, then the policy's own; in the arena. */
size_t brief_categories(const struct scope *scope, int brand, struct arena *arena,
                        const struct brief_category **categories);
/* "Some or all of": which categories people have together, in clear or masked, most people first;
 * categories as "name\naddress". In the arena. */
struct brief_combination {
    const char *categories;
    uint64_t people;
};
size_t brief_combinations(const struct scope *scope, int brand, struct arena *arena,
                          const struct brief_combination **combinations);
/* People of a kind that brief_count would count. */
uint64_t brief_kind(const struct scope *scope, int brand, uint16_t kind);
/* The people of brief_count by country: people has a place for each of scope->countries. */
void brief_countries(const struct scope *scope, int brand, uint64_t *people);

#endif
