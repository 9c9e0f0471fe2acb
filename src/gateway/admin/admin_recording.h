/* Recording: what the admin database writes into the ledger on behalf of staff. Texts, columns,
 * numbers and keys of a command, each bounded and checked before anything is written; then entries
 * of one uuid, as many as the people need, durable when they are answered. Private to gateway/; the
 * admin thread alone. */
#ifndef COFFERDAM_GATEWAY_ADMIN_RECORDING_H
#define COFFERDAM_GATEWAY_ADMIN_RECORDING_H

#include "gateway/admin/admin_asking.h"

enum {
    RECORDING_TEXT_BYTES = 1000, /* of any one text of a command */
    RECORDING_BY_BYTES = 200,
    RECORDING_COLUMNS = 500,
};

/* ---- what a command says ---- */

/* The value of a text option: STATUS_DENIED 22023 where it is missing (if it must be there), empty,
 * over RECORDING_TEXT_BYTES or holds control characters, which could pass for lines of their own.
 * NULL where it is not given and need not be. */
MUST_USE enum status recording_text(const struct asking *asking, const char *name, bool required,
                                    const char **text, struct error *error);
/* An instant that has passed, as the ledger's texts have it. "" where it is not given and need not
 * be. */
MUST_USE enum status recording_instant(const struct asking *asking, const char *name, bool required,
                                       char text[static 21], struct error *error);
/* "uid 0", or "uid 0 (who)" where BY 'who' is given. */
enum { RECORDING_WHO_ROOM = 64 + RECORDING_BY_BYTES + 8 };
MUST_USE enum status recording_who(const struct asking *asking, char who[static RECORDING_WHO_ROOM],
                                   struct error *error);
/* PARTNER: one of the policy, or one that the ledger knows of before. */
MUST_USE enum status recording_partner(const struct asking *asking, const struct policy *policy,
                                       const char **partner, struct error *error);
MUST_USE enum status recording_kind(const struct asking *asking, const struct policy *policy,
                                    uint16_t *kind, struct error *error);
/* "customer.full_name,customer.phone:masked": appends the canonical lines of the column set. Each
 * column is one of the policy's, of a dataset about this kind; clear_only: no form but clear. */
MUST_USE enum status recording_columns(const struct policy *policy, uint16_t kind, const char *text,
                                       bool clear_only, struct buffer *canonical,
                                       struct error *error);
/* Takes the next range off "1-500 502"; STATUS_CLOSED at the end, STATUS_DENIED for what is none.
 */
MUST_USE enum status recording_range(const char **text, uint32_t *first, uint32_t *last,
                                     struct error *error);
/* Cuts KEYS, one a line, into keys of a kind: returns owned, free(). STATUS_DENIED with the line's
 * number for an empty or over-long key; *count may be 0. */
MUST_USE enum status recording_keys(uint16_t kind, const char *text, struct subject_key **keys,
                                    size_t *count, struct error *error);

/* ---- entries ---- */

struct recording {
    struct server *server;
    struct ledger_entry entry; /* what all entries have in common; its texts are borrowed */
    uint16_t kind;
    uint32_t column_set; /* of the items */
    uint32_t chunk;
    uint64_t sequence; /* of the newest entry */
};

/* A recording with a new uuid, under the policy in force. */
struct recording recording_begin(struct server *server, const struct snapshot *snapshot,
                                 enum ledger_type type);
/* Appends entries with these people (sorted in place), as many as they need; side rides with the
 * first. last: the recording ends with them. None: one entry with an empty set. */
MUST_USE enum status recording_people(struct recording *recording, uint32_t *ids, size_t count,
                                      struct slice side, bool last, struct error *error);
/* Maps keys to subjects, making new ones, and appends them all; ends the recording. *subjects:
 * distinct ones. */
MUST_USE enum status recording_subjects(struct recording *recording, const struct subject_key *keys,
                                        size_t count, size_t *subjects, struct error *error);
/* One entry about nobody; ends the recording. */
MUST_USE enum status recording_alone(struct recording *recording, struct error *error);
/* Waits until all of it is durable. */
void recording_wait(const struct recording *recording);

#endif
