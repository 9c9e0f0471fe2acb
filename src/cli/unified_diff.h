/* What is different between two texts, as patch(1) takes it: by diff(1). */
#ifndef COFFERDAM_CLI_UNIFIED_DIFF_H
#define COFFERDAM_CLI_UNIFIED_DIFF_H

#include "base/buffer.h"
#include "base/status.h"

/* Appends it to *out; nothing where they are the same. name: of the file, for the heads. */
MUST_USE enum status unified_diff(const char *name, struct slice before, struct slice after,
                                  struct buffer *out, struct error *error);

#endif
