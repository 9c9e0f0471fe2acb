/* Alarms that were raised, and which receivers have taken them. A SQLite file of its own
 * (<state>/alarms.sqlite), written by the gateway. Every change is on disk when it returns.
 * Bounded: the oldest alarms go, as ALARMS_MOST says; the ledger has them for ever.
 * Not thread-safe. */
#ifndef COFFERDAM_REGISTRY_ALARMS_H
#define COFFERDAM_REGISTRY_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

enum { ALARMS_MOST = 10000, ALARMS_EVENT_ROOM = 33 };

struct alarms; /* owned */

/* The file is made (0600) where missing. */
MUST_USE enum status alarms_open(const char *path, struct alarms **alarms, struct error *error);
void alarms_close(struct alarms *alarms); /* NULL is fine */

struct alarms_entry {
    int64_t id;
    const char *event; /* 32 hexadecimal digits: the same wherever it is delivered */
    int64_t raised_ns;
    const char *rule;
    const char *partner, *agent, *about; /* "": none */
    const char *text;
    const char *contained; /* "partner", "agent"; "": nobody */
    int64_t repeats;       /* of the same, counted since */
    int64_t sequence; /* of its act; -1: the ledger did not take it; INT64_MIN: not tried yet */
};

/* Adds the alarm, and that each of the receivers waits for it; writes its id. *lost (may be NULL):
 * deliveries that were given up because the alarm they were of is among those that went. */
MUST_USE enum status alarms_add(struct alarms *alarms, const struct alarms_entry *entry,
                                const char *const *receivers, size_t receiver_count, int64_t *id,
                                int64_t *lost, struct error *error);
MUST_USE enum status alarms_set_sequence(struct alarms *alarms, int64_t id, int64_t sequence,
                                         struct error *error);
MUST_USE enum status alarms_set_repeats(struct alarms *alarms, int64_t id, int64_t repeats,
                                        struct error *error);
/* The oldest that the ledger does not have, with an id above after; STATUS_NOT_FOUND: none. Texts
 * live in the arena. */
MUST_USE enum status alarms_unrecorded(struct alarms *alarms, int64_t after, struct arena *arena,
                                       struct alarms_entry *entry, struct error *error);
/* STATUS_NOT_FOUND 42704; STATUS_DENIED 55000 where it is acknowledged already. */
MUST_USE enum status alarms_acknowledge(struct alarms *alarms, int64_t id, const char *by,
                                        const char *note, int64_t now_ns, struct error *error);

/* ---- receivers ---- */

/* One alarm on its way to one receiver. */
struct alarms_delivery {
    struct alarms_entry entry;
    int64_t attempts;
    int64_t next_ns; /* not before then */
};
/* The oldest that waits for the receiver and that the ledger was told of; STATUS_NOT_FOUND: none.
 * Texts live in the arena. */
MUST_USE enum status alarms_next(struct alarms *alarms, const char *receiver, struct arena *arena,
                                 struct alarms_delivery *delivery, struct error *error);

enum alarms_outcome { ALARMS_WAITING, ALARMS_TAKEN, ALARMS_GIVEN_UP };
/* How one attempt ended. answer: a line for people. */
MUST_USE enum status alarms_attempted(struct alarms *alarms, int64_t id, const char *receiver,
                                      enum alarms_outcome outcome, int64_t next_ns, int64_t now_ns,
                                      const char *answer, struct error *error);
/* All that waits for the receiver. */
MUST_USE enum status alarms_give_up(struct alarms *alarms, const char *receiver, int64_t now_ns,
                                    const char *answer, struct error *error);
/* A receiver that wants no more (HTTP 410), remembered with the place where it is: elsewhere it is
 * not stopped. */
MUST_USE enum status alarms_stop(struct alarms *alarms, const char *receiver, const char *place,
                                 int64_t now_ns, struct error *error);
/* Stopped or not: it gets what waits for it, at once. */
MUST_USE enum status alarms_go_on(struct alarms *alarms, const char *receiver, struct error *error);
MUST_USE enum status alarms_is_stopped(struct alarms *alarms, const char *receiver,
                                       const char *place, bool *stopped, struct error *error);

/* ---- tables for staff: their columns as alarm/alarm.h says ---- */
MUST_USE enum status alarms_list(struct alarms *alarms, bool open_only, struct table *table,
                                 struct error *error);
MUST_USE enum status alarms_show(struct alarms *alarms, int64_t id, struct table *table,
                                 struct error *error);

#endif
