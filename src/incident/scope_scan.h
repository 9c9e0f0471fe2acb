/* The scan: one reading of a ledger up to a cut-off, for one partner. The log is hashed on the way
 * and its root must be the cut-off's. One thread. Memory: 24 bytes for each subject id that was
 * ever given out (36 for each person in scope later), and bits for the people of each day. */
#ifndef COFFERDAM_INCIDENT_SCOPE_SCAN_H
#define COFFERDAM_INCIDENT_SCOPE_SCAN_H

#include "exposure/reading.h"
#include "incident/scope_classes.h"
#include "incident/scope_ids.h"

struct scope_query {
    const char *ledger_folder, *partner;
    uint64_t cutoff; /* entries below it are read */
    uint8_t root[32];
    int64_t from_ns, to_ns; /* the attacker's time; INT64_MIN: not known */
    /* Narrow the activity inside it to one agent, to one delivery; NULL: all of it. */
    const char *agent, *delivery;
};

/* What is known of one subject id. class 0: nothing of it is in scope. */
struct scope_mark {
    int64_t first_ns, last_ns;
    uint32_t class;
    uint16_t kind, flags;
};
struct scope_day {
    int32_t day; /* since 1970-01-01, UTC */
    uint16_t kind;
    struct scope_ids people;
};
/* What one agent did inside the attacker's time, or was given after it (not in scope). */
struct scope_actor {
    const char *agent;
    bool after;
    uint64_t statements, refused, rows;
    int64_t first_ns, last_ns;
    struct scope_ids people;
};
/* A partner, or with an agent one of its agents, as acts of staff left it. */
struct scope_state {
    const char *partner, *agent; /* agent "": the partner itself */
    bool contained;
    int64_t since_ns; /* of the last act; INT64_MIN: none */
    int64_t last_ns;  /* of its disclosures; INT64_MIN: none */
};
/* A deletion that the partner attested. */
struct scope_deletion {
    int64_t before_ns, at_ns;
    const char *request;
    bool everybody;
    uint64_t people; /* named; 0 for everybody */
};
/* Changes of one kind by one agent: how many statements ended in which way. */
struct scope_change {
    const char *agent, *change, *dataset;
    uint32_t column_set;
    uint64_t rows, committed, rolled_back, in_doubt;
    int64_t first_ns, last_ns;
    struct scope_ids people;
};
struct scope_open_change { /* its end has not been read */
    uint8_t uuid[16];
    size_t change;
};

struct scope_scan {
    struct arena arena; /* texts */
    struct scope_classes classes;
    struct scope_mark *marks; /* by id */
    size_t mark_count;
    int64_t *deleted_before; /* by id, of deletions that named people */
    size_t deleted_count;
    int64_t all_deleted_before;
    struct scope_day *days; /* ascending by day, then kind */
    size_t day_count, day_capacity;
    struct scope_actor *actors;
    size_t actor_count, actor_capacity;
    struct scope_state *states; /* ascending by partner, then agent */
    size_t state_count, state_capacity;
    struct scope_deletion *deletions;
    size_t deletion_count, deletion_capacity;
    struct scope_change *changes;
    size_t change_count, change_capacity;
    struct scope_open_change *open_changes;
    size_t open_change_count, open_change_capacity;
    bool *named; /* by column set: an entry of the partner names it */
    size_t named_count;
    uint64_t rows;
    int64_t first_ns, last_ns;
    int64_t
        ledger_first_ns; /* the first entry; where older ones were dropped, the first whole day */
    int64_t since_ns;    /* base/since.h */
};

/* names (NULL: none) learn every pair on the way. STATUS_DENIED 55000 where entries were dropped
 * that are as new as the cut-off. STATUS_CORRUPT where the log is not the one that the cut-off was
 * taken of. Free *scan in any case. */
MUST_USE enum status scope_scan_run(const struct scope_query *query, struct names *names,
                                    struct scope_scan *scan, struct error *error);
void scope_scan_free(struct scope_scan *scan);

/* ---- scope_acts.c: what the scan knows beside people ---- */
/* Acts, and that a partner was seen at all. */
MUST_USE enum status scope_take_act(struct scope_scan *scan, const struct ledger_entry *entry,
                                    struct error *error);
MUST_USE enum status scope_take_deletion(struct scope_scan *scan, const struct ledger_entry *entry,
                                         struct error *error);
/* ---- scope_changes.c ---- */
MUST_USE enum status scope_take_change(struct scope_scan *scan, const struct ledger_entry *entry,
                                       struct error *error);
void scope_free_changes(struct scope_scan *scan);
/* The value of a line "key=value" of an act's text; len 0 where there is none. */
struct slice scope_text_value(struct slice text, const char *key);
bool scope_text_instant(struct slice text, const char *key, int64_t *time_ns);
/* Was all that a marked subject was given given before a deletion that covers it? */
bool scope_scan_deleted(const struct scope_scan *scan, uint32_t id);

#endif
