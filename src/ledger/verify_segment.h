/* What verifying learns of one segment by itself: its leaves, the roots that its frames claim, and
 * how it ends. Private to verify.c, whose workers own one each and use it again and again. */
#ifndef COFFERDAM_LEDGER_VERIFY_SEGMENT_H
#define COFFERDAM_LEDGER_VERIFY_SEGMENT_H

#include "base/arena.h"
#include "ledger/segment.h"
#include "ledger/verify.h"

struct verify_frame {
    uint64_t offset, tree_size;
    uint8_t root[MERKLE_HASH_BYTES];
};

/* An entry that must be looked at in the order of the log; its bytes are in `notable`. */
struct verify_notable {
    uint64_t sequence, offset; /* of the entry in the segment's file */
    size_t at, len;
};

enum verify_end {
    VERIFY_END_ZEROS,   /* nothing but zeros follow */
    VERIFY_END_BYTES,   /* what follows is no frame, or behind zeros there is something */
    VERIFY_END_SEQUENCE /* a whole frame follows, of another sequence: end_sequence */
};

struct verify_segment {
    const char *folder;
    uint64_t number;
    struct segment_header header;
    uint64_t first;         /* sequence of the first entry */
    struct buffer leaves;   /* MERKLE_HASH_BYTES each */
    struct buffer frames;   /* struct verify_frame each */
    struct buffer notables; /* struct verify_notable each */
    struct buffer notable;  /* their bytes */
    struct arena items;
    uint64_t epoch, durable; /* the last; the highest in any frame */
    bool clean;              /* the last frame is the mark of an orderly stop */
    int64_t first_ns, last_ns;
    /* The use of a column set that needs most of the segments before: so many ids. */
    uint32_t defined, wanted;
    uint64_t wanted_by, wanted_at;
    enum verify_end end;
    uint64_t end_offset, end_sequence;
    struct verify_damage damage;
};

void verify_segment_init(struct verify_segment *segment, const char *folder);
void verify_segment_free(struct verify_segment *segment);
uint64_t verify_segment_count(const struct verify_segment *segment); /* of its entries */

/* Reads all of segment `number`. STATUS_CORRUPT with segment->damage filled. */
MUST_USE enum status verify_segment_scan(struct verify_segment *segment, uint64_t number,
                                         struct error *error);
/* Fills in *damage and *error; returns STATUS_CORRUPT. byte is in segment `number`. */
enum status verify_damaged(struct verify_damage *damage, const char *folder, uint64_t number,
                           uint64_t byte, uint64_t sequence, const char *check, const char *what,
                           struct error *error);

#endif
