/* Layout: numbers, dates and lines of the documents for authorities and the press. UTF-8 in and
 * out; a character counts as one column. */
#ifndef COFFERDAM_INCIDENT_LAYOUT_H
#define COFFERDAM_INCIDENT_LAYOUT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Appends the text in lines of at most columns characters where words allow it, each after indent
 * spaces and ended by \n; line breaks in the text stay. */
void layout_wrap(const char *text, size_t indent, size_t columns, struct buffer *out);
/* "240,000"; the separator may be any text. In the arena, as is all that follows. */
const char *layout_number(uint64_t number, const char *separator, struct arena *arena);
/* "22 November 2026, 09:14 UTC"; "not known" for INT64_MIN. */
const char *layout_instant(int64_t time_ns, struct arena *arena);
/* "2 hours 5 minutes", the two largest units; "less than a second". */
const char *layout_duration(int64_t duration_ns, struct arena *arena);
/* Characters of a text. */
size_t layout_characters(const char *text);

#endif
