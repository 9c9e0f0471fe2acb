/* The small files beside the segments, as verifying reads them: what they prove, and whether each
 * of their bytes is what we write. Private to verify.c. No state. */
#ifndef COFFERDAM_LEDGER_VERIFY_FILES_H
#define COFFERDAM_LEDGER_VERIFY_FILES_H

#include "ledger/checkpoint.h"
#include "ledger/durable.h"
#include "ledger/segment.h"
#include "ledger/verify.h"

/* So many entries were acknowledged, by this witness. */
struct verify_proven {
    uint64_t entries;
    char source[VERIFY_SOURCE_ROOM];
};
void verify_proven_by(struct verify_proven *proven, uint64_t entries, const char *source);

/* log-id, checkpoint, durable. STATUS_NOT_FOUND where there is no log; STATUS_CORRUPT with *damage
 * where one is missing or not as we write it. */
MUST_USE enum status verify_files(const char *folder, uint8_t log_id[static SEGMENT_ID_BYTES],
                                  struct checkpoint *checkpoint, struct verify_proven *proven,
                                  struct verify_damage *damage, struct error *error);
/* Where segment_list found a gap: names the first segment that is not there. */
enum status verify_missing_segment(const char *folder, uint64_t first, struct verify_damage *damage,
                                   struct error *error);
/* A spare holds zeros only, but for the header, which it gets just before it is put to use. */
MUST_USE enum status verify_spare(const char *folder, uint64_t number, struct verify_damage *damage,
                                  struct error *error);
/* Whether by now there is a whole frame of that sequence, or nothing but zeros, at this place. */
MUST_USE enum status verify_tail_settled(const char *folder, uint64_t number, uint64_t offset,
                                         uint64_t sequence, bool *settled, struct error *error);

#endif
