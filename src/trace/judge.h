/* What a judgement says beside its figures. Private to the judging files. */
#ifndef COFFERDAM_TRACE_JUDGE_H
#define COFFERDAM_TRACE_JUDGE_H

#include "trace/evidence.h"

/* The records that set the best source apart from the next, and what does. */
MUST_USE enum status judge_reasons(const struct evidence *evidence, struct error *error);
/* What the reader of the figures must know. */
MUST_USE enum status judge_notes(const struct evidence *evidence, struct error *error);

#endif
