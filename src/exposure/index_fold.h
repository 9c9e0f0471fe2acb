/* Folding: a shelf's files and a tail make new files, and a manifest that names them. What is
 * written follows from the sets alone, not from the order in which they came or how often the files
 * were folded before. One fold a folder at a time: the caller holds its lock. */
#ifndef COFFERDAM_EXPOSURE_INDEX_FOLD_H
#define COFFERDAM_EXPOSURE_INDEX_FOLD_H

#include "exposure/index_told.h"

/* Writes what the shelf (NULL: nothing yet), the tail (alone) and what statements told (of the same
 * entries; NULL: nothing) say together. next: log id,
 * sequence and root of the result; its generation and files are filled in and owned by the caller.
 * The manifest is replaced last; until then nothing has changed for readers. Files that no manifest
 * names any more are removed afterwards. */
MUST_USE enum status index_fold_write(const char *folder, struct shelf *shelf, struct tail *tail,
                                      const struct told *told, struct index_manifest *next,
                                      struct error *error);

#endif
