/* Side sections: new (id, kind, key) pairs that travel in a ledger frame beside the leaf. Ids stand
 * in clear (leaves hold them too), kinds and keys are sealed; docs/SUBJECTS-FORMAT.md. No state. */
#ifndef COFFERDAM_EXPOSURE_SIDE_H
#define COFFERDAM_EXPOSURE_SIDE_H

#include "exposure/exposure.h"
#include "exposure/seal_keys.h"

struct side_pair {
    uint32_t id;
    uint16_t kind;
    struct slice key;
};

struct side_section {
    uint64_t key_number;
    const uint8_t *key_mark; /* 8 bytes */
    uint32_t count;
    const uint8_t *ids; /* count times u32be */
    struct slice clear, sealed;
};

/* Appends one section. STATUS_LIMIT when it does not fit in *side. */
MUST_USE enum status side_seal(const struct seal_key *key, const struct side_pair *pairs,
                               size_t count, struct buffer *side, struct error *error);
/* Takes the next section off *rest; STATUS_CLOSED where there is none. */
MUST_USE enum status side_next(struct slice *rest, struct side_section *section);
/* Opens the sealed part and calls fn for each pair until it fails. */
MUST_USE enum status side_open(const struct side_section *section, const struct seal_key *key,
                               enum status (*fn)(void *context, const struct side_pair *pair,
                                                 struct error *error),
                               void *context, struct error *error);

#endif
