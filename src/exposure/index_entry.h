/* What an entry of the ledger means for the index: the one place that knows, for the live gateway,
 * for replay and for folds. No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_INDEX_ENTRY_H
#define COFFERDAM_EXPOSURE_INDEX_ENTRY_H

#include "exposure/index_tail.h"
#include "ledger/ledger.h"

/* Whatever an entry has to say is told by these calls, in its order. ids ascend and are never none.
 */
struct entry_sink {
    void *context;
    void (*ids)(void *context, const struct index_place *place, int64_t time_ns,
                const uint32_t *ids, size_t count);
    void (*column_set)(void *context, struct slice partner, uint32_t column_set);
    /* Of everybody; a deletion of listed people comes as ids of grade INDEX_GRADE_DELETED. */
    void (*deletion)(void *context, struct slice partner, int64_t before_ns);
    void (*text)(void *context, uint32_t column_set, struct slice text); /* may be NULL */
};

/* STATUS_CORRUPT for a malformed set of subjects. */
MUST_USE enum status entry_tell(const struct entry_sink *sink, uint64_t sequence,
                                const struct ledger_entry *entry, struct error *error);
/* What is told goes to a tail. */
struct entry_sink entry_sink_of_tail(struct tail *tail);
/* Whether a series of this grade is charged to the partner's budget. */
bool index_grade_is_charged(uint8_t grade);

#endif
