/* Pins: the subject keys that one execution names (struct plan_pin), and which of them came back.
 * When it closes, those that did not are recorded in grade probe: who looks somebody up learns of
 * their absence, too. Those that did are recorded in what they came back with.
 * Invariant: they are recorded in an entry on which the end of the statement waits, like rows.
 * Lives and dies with its run, in one thread. */
#ifndef COFFERDAM_GATEWAY_PROBE_H
#define COFFERDAM_GATEWAY_PROBE_H

#include "gateway/release/release.h"
#include "wire/wire.h"

enum { PINS_MOST = 10000 }; /* keys that one statement may name */

struct pins; /* owned by its run; functions take NULL for none */

/* Reads what is bound. STATUS_LIMIT: too many keys (54000), or the partner has no look-ups left for
 * today that may find nobody (53400); STATUS_DENIED: a key in a form that cannot be read. Nothing
 * may go upstream then. */
MUST_USE enum status pins_take(struct run *run, const struct wire_bind *bind, struct error *error);
void pins_free(struct pins *pins);

/* The subject is among those that are being recorded; it stays found once pins_keep says so. */
void pins_see(struct pins *pins, size_t kind, struct slice key);
void pins_keep(struct pins *pins);
/* Forgets what was seen since the last pins_keep. */
void pins_forget(struct pins *pins);
size_t pins_missing(const struct pins *pins);

struct pins_record {
    struct ledger_item *items; /* room for plan->pinned_count */
    size_t item_count;
    struct buffer *sets; /* of the items: lives as long as they do */
    struct buffer *side; /* gets the new keys, sealed */
    int64_t time_ns;     /* of the entry; 0: now, which is written here */
};
/* Items for the keys that have not been found, one a kind. They count against the partner's day. */
MUST_USE enum status pins_record(const struct run *run, struct pins_record *out,
                                 struct error *error);

/* ---- probe_values.c ---- */

/* A value in the form in which it is given. type: 0 where only the key's is known. */
struct probe_value {
    struct slice bytes;
    bool binary;
    uint32_t type, key_type;
    uint32_t cast; /* what it is cast to: 7.6::int is 8; 0: nothing */
};
/* Appends the text that the key has in the database. *is_key false: no key can be equal to it.
 * STATUS_DENIED: a form that is not understood. */
MUST_USE enum status probe_key(const struct probe_value *value, struct buffer *out, bool *is_key,
                               struct error *error);
/* Calls `each` for every element of an array that is not NULL, however many dimensions it has. What
 * is no array has none: upstream refuses it. */
typedef enum status probe_each(void *context, const struct probe_value *element,
                               struct error *error);
MUST_USE enum status probe_elements(const struct probe_value *array, struct buffer *scratch,
                                    probe_each *each, void *context, struct error *error);

#endif
