/* Text: what strangers typed, judged before anybody believes it. */
#ifndef COFFERDAM_BASE_TEXT_H
#define COFFERDAM_BASE_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* Is it UTF-8 (RFC 3629) on one line, without control characters? */
bool text_is_plain(struct slice text);

/* How many of its first bytes are UTF-8; text.len if all are. */
size_t text_utf8_len(struct slice text);

#endif
