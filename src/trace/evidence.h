/* Evidence: the records of a leak, and which copies had each. A record is a person with the columns
 * and forms of a line, or a canary; lines that say the same are one record. A copy had it when all
 * of these columns had gone to it, in these forms, before the leak. Private to the judging files.
 */
#ifndef COFFERDAM_TRACE_EVIDENCE_H
#define COFFERDAM_TRACE_EVIDENCE_H

#include "trace/model.h"
#include "trace/private.h"

struct record {
    size_t line; /* place of its first line */
    uint64_t lines;
    uint32_t person, canary; /* TRACE_NOBODY: it is the other */
    uint16_t token_of;       /* WORLD_NO_PARTNER: it has no token of a key */
};
struct evidence {
    struct tracing *tracing;
    struct record *records;
    struct model_record *model; /* beside the records */
    size_t count;
    uint8_t **held;   /* by partner: a bit a record */
    uint8_t *older;   /* a bit a record: a copy that was dropped from the records may have had it */
    uint16_t *series; /* series x column: the forms in which it has the column */
    size_t *first;    /* by person: its holdings in the world; one more at the end */
    struct arena arena;
};

MUST_USE enum status evidence_gather(struct tracing *tracing, struct evidence *evidence,
                                     struct error *error);
void evidence_free(struct evidence *evidence);

/* Which holdings are asked for. */
struct evidence_of {
    size_t partner;
    size_t copy; /* of the world; SIZE_MAX: all of the partner's */
    int64_t before_ns;
};
/* The forms that these holdings have of each column of a person; returns how many holdings. */
size_t evidence_have(const struct evidence *evidence, uint32_t person, struct evidence_of of,
                     uint16_t *have);
/* The last time before the leak at which the partner was given anything of the record's person; for
 * a canary, at which its delivery began. */
int64_t evidence_last(const struct evidence *evidence, const struct record *record, size_t partner);
/* Do these forms (of a partner) cover the record? */
bool evidence_covers(const struct evidence *evidence, const struct record *record, size_t partner,
                     const uint16_t *have);
/* Is it a canary of, or does it hold a token for, one partner alone? That partner; otherwise
 * SIZE_MAX. */
size_t evidence_made_for(const struct evidence *evidence, const struct record *record);

#endif
