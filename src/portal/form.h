/* Forms as browsers post them: application/x-www-form-urlencoded (WHATWG URL Standard, section 5).
 * Everything here comes from strangers. No state. */
#ifndef COFFERDAM_PORTAL_FORM_H
#define COFFERDAM_PORTAL_FORM_H

#include "base/buffer.h"
#include "base/status.h"

/* The text of the first field of that name, decoded, blanks around it cut off, terminated.
 * STATUS_NOT_FOUND where there is no such field; STATUS_INVALID for broken escapes, for what is not
 * UTF-8, for control characters, and for a text that does not fit. */
MUST_USE enum status form_value(struct slice body, const char *name, char *text, size_t room);

#endif
