/* Where two files of the exposure index say different things: for whoever must find out why, what a
 * byte's offset does not tell. Both files are sound (index_file_check). No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_INDEX_DIFF_H
#define COFFERDAM_EXPOSURE_INDEX_DIFF_H

#include "exposure/exposure.h"
#include "exposure/index_file.h"

/* The first difference: series by series, cell by cell, id by id; then partners and texts of column
 * sets. found->what stays EXPOSURE_SAME where both say the same (in other bytes). had: the index;
 * fresh: made from the ledger; sets: the file of all time whose texts name column sets.
 * STATUS_CORRUPT where a set cannot be read. */
MUST_USE enum status index_diff_files(struct index_file *had, struct index_file *fresh,
                                      struct index_file *sets, struct name_pool *pool,
                                      struct exposure_difference *found, struct error *error);

#endif
