/* Pins, private to sql/: the values that a statement compares subject keys with, so that the
 * gateway can record who was asked about where nobody came back. See docs/decisions/0014. */
#ifndef COFFERDAM_SQL_PLAN_PROBE_H
#define COFFERDAM_SQL_PLAN_PROBE_H

#include "sql/plan/plan_build.h"

/* What the level's conditions pin, once FROM and WHERE stand. */
MUST_USE enum status probe_note(struct level *level);
/* The columns that each kind's pins ask about, once the whole statement is known. */
MUST_USE enum status probe_finish(struct build *build);

/* lineage.c: what these fences read, and those that are about the same people. */
MUST_USE enum status lineage_columns(struct build *build, uint64_t fences,
                                     const struct plan_column **columns, size_t *count);

#endif
