/* Tallies for the questions: what a partner holds, gathered from the index by kind of subject and
 * by label, which is a category in a form: "phone", "phone (masked)". One thread, one question. */
#ifndef COFFERDAM_EXPOSURE_TALLY_H
#define COFFERDAM_EXPOSURE_TALLY_H

#include "base/table.h"
#include "exposure/column_line.h"
#include "exposure/exposure.h"
#include "exposure/index.h"

enum { TALLY_LABELS_MAX = 256, TALLY_GRADES = 6, TALLY_TABLE_BYTES = 64 << 20 };

/* The text of a column set, every line of it sound; "" for id 0. STATUS_CORRUPT for a malformed one
 * or an id that the ledger does not know. */
MUST_USE enum status tally_column_set(struct exposure *exposure, uint32_t id, const char **text,
                                      struct error *error);

struct tally_label {
    struct slice category, form;
    roaring_bitmap_t *ids;
};

struct tally_kind {
    uint16_t kind;
    roaring_bitmap_t *everyone;             /* in any grade that was taken but probe */
    roaring_bitmap_t *grades[TALLY_GRADES]; /* of tally_grades: by grade number; 0 declared */
    roaring_bitmap_t *written;              /* of tally_written */
    int64_t first_hour, last_hour;
    struct tally_label labels[TALLY_LABELS_MAX]; /* ascending by category, then form */
    size_t label_count;
};

struct tally {
    struct exposure *exposure;
    struct tally_kind **kinds; /* ascending */
    size_t count;
};

/* Visits of index_each; context is the tally. tally_grades takes every grade, without labels;
 * tally_labels takes direct, witness and declared ones, by label; tally_written who was written,
 * and, as everyone, of whom any column was given, in any grade but probe. */
enum status tally_grades(void *tally, const struct index_view *view, struct error *error);
enum status tally_labels(void *tally, const struct index_view *view, struct error *error);
enum status tally_written(void *tally, const struct index_view *view, struct error *error);
/* Call after the last visit, before any of the sets is read. */
void tally_settle(struct tally *tally);
void tally_clear(struct tally *tally);

/* Since when answers speak: base/since.h. */
int64_t tally_since(struct exposure *exposure);
/* Ends an answer: hands the table over with since when it speaks, or frees it and says why;
 * STATUS_LIMIT, with this hint, where it has overflowed; 55000 where all before to_ns is gone. */
MUST_USE enum status tally_finish(struct exposure *exposure, int64_t to_ns, struct table *made,
                                  enum status status, const char *hint, struct table *table,
                                  struct error *error);

#endif
