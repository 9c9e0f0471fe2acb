/* Canary watch: does a statement name an invented person of a delivery (docs/decisions/0020, 0030)?
 * Holds keyed hashes of the invented values of all deliveries in normal form; constants and
 * parameters are looked up in them when a statement is executed, keys that found nobody when it
 * ends.
 * Invariant: nothing here changes what the partner is answered, unless the policy contains; no
 * value is kept or told, by hash or otherwise, outside of this memory.
 * Threads: any; lookups take a shared lock, loading is the admin thread's. */
#ifndef COFFERDAM_GATEWAY_CANARY_WATCH_H
#define COFFERDAM_GATEWAY_CANARY_WATCH_H

#include "gateway/release/release.h"
#include "registry/deliveries.h"
#include "wire/wire.h"

struct canary_watch; /* owned by the server */

MUST_USE enum status canary_watch_open(struct canary_watch **watch, struct error *error);
void canary_watch_close(struct canary_watch *watch); /* NULL is fine */
/* Adds the canaries of a delivery; delivery NULL: of all. Reads the file: whoever may. */
MUST_USE enum status canary_watch_load(struct canary_watch *watch, struct deliveries *file,
                                       const char *delivery, struct error *error);

/* One execution, before anything of it goes upstream: the plan's constants and what is bound.
 * Raises what is to be raised; STATUS_DENIED 57P01 where that has contained the agent. */
MUST_USE enum status canary_watch_execution(const struct run *run, const struct planned *planned,
                                            const struct wire_bind *bind, struct error *error);
/* A key that the execution named and that found nobody. */
void canary_watch_missing(const struct run *run, uint16_t kind, struct slice key);

/* ---- lookups by themselves ---- */

enum { CANARY_LOOK_PEOPLE = 64, CANARY_LOOK_FEW = 16 };

struct canary_look {
    size_t values;
    struct {
        uint32_t person;
        uint64_t hash;  /* of the first value of theirs */
        bool is_strong; /* one value is enough */
        bool is_weak;   /* a name, a street */
        bool is_twice;  /* two different values */
    } people[CANARY_LOOK_PEOPLE];
    size_t people_count;
};
void canary_look_at(struct canary_watch *watch, struct canary_look *look, struct slice value);
/* The delivery of the at-th person who is named beyond doubt: a name or a date alone is none, nor
 * are two of them among many values. False behind the last. */
enum { CANARY_PARTNER_ROOM = 64 };
struct canary_sighting {
    char delivery[DELIVERY_ID_ROOM], partner[CANARY_PARTNER_ROOM];
};
bool canary_look_result(struct canary_watch *watch, const struct canary_look *look, size_t at,
                        struct canary_sighting *sighting);

#endif
