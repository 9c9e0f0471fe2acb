/* The texts of tlog-witness: what is asked, and what an answer means. No I/O, any thread. */
#ifndef COFFERDAM_WITNESS_ANSWER_H
#define COFFERDAM_WITNESS_ANSWER_H

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/note.h"
#include "ledger/proof.h"

enum { ANSWER_PROOF_MAX = 63, ANSWER_REQUEST_BYTES = NOTE_BYTES_MAX + 8192 };

/* Appends the body of add-checkpoint: "old N", the proof's lines, a blank line, the note.
 * STATUS_LIMIT for a proof that is longer than the protocol allows. */
MUST_USE enum status answer_request(uint64_t old_size, const struct proof *proof, struct slice note,
                                    struct buffer *out, struct error *error);

struct answer {
    long code;         /* of HTTP */
    const char *type;  /* Content-Type; may be NULL */
    struct slice body; /* borrowed */
};

enum answer_meaning {
    ANSWER_COSIGNED,
    ANSWER_CONFLICT, /* it has seen another size than the one named */
    ANSWER_UNPROVED, /* the proof does not lead from what it has seen to this checkpoint */
};

struct answer_read {
    enum answer_meaning meaning;
    struct slice line; /* COSIGNED: the cosignature, borrowed from the body; it is good */
    uint64_t time;     /* COSIGNED: Unix seconds */
    uint64_t size;     /* CONFLICT: what it has seen */
};

/* key: the witness's; text: of the note that was sent. STATUS_DENIED with what to do for a refusal,
 * STATUS_PEER for an answer that is none. */
MUST_USE enum status answer_read(const struct answer *answer, const struct note_key *key,
                                 struct slice text, struct answer_read *read, struct error *error);

#endif
