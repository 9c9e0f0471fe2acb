/* Since when an answer speaks. The oldest records of a ledger can be dropped (retention); whatever
 * answers who, what or never then covers the time from an instant on, and says so in the one
 * sentence that is here. Any thread; no state. */
#ifndef COFFERDAM_BASE_SINCE_H
#define COFFERDAM_BASE_SINCE_H

#include <stdint.h>

#include "base/status.h"

#define SINCE_EVER INT64_MIN /* nothing was dropped */
enum { SINCE_TEXT_ROOM = 21, SINCE_SENTENCE_ROOM = 160 };

/* The first whole second of which nothing was dropped, given the newest record that was. Texts have
 * whole seconds, and must not claim what came before. */
int64_t since_after(int64_t last_dropped_ns);
/* The begin of the first whole day (UTC) from then on, for texts that name days. */
int64_t since_day(int64_t since_ns);
/* RFC 3339, UTC; "" for SINCE_EVER. */
void since_format(int64_t since_ns, char text[static SINCE_TEXT_ROOM]);
/* "Records before … were dropped by retention; this answer does not cover them." since: as
 * since_format gives it; "" for "". */
void since_sentence(const char *since, char sentence[static SINCE_SENTENCE_ROOM]);
/* STATUS_DENIED 55000 for a period that ends before the answer could begin. */
MUST_USE enum status since_refuse(int64_t since_ns, int64_t to_ns, struct error *error);

#endif
