/* Answered: who has had an answer today, so that nobody can have a mailbox filled by asking again
 * and again, and how many answers went out in all. A file of marks: HMACs of people under a key
 * that is random, of that day, and replaced with the file on the next: yesterday's marks tell
 * nothing. File: "CFDANSW1" ‖ day u64 ‖ key[32] ‖ mark[16]…, written through before an answer
 * counts. One process, one thread. */
#ifndef COFFERDAM_INCIDENT_ANSWERED_H
#define COFFERDAM_INCIDENT_ANSWERED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { ANSWERED_A_DAY = 5000 };

struct answered; /* owned */

/* path: made where missing. */
MUST_USE enum status answered_open(const char *path, struct answered **answered,
                                   struct error *error);
void answered_close(struct answered *answered); /* NULL is fine */
/* Begins a new day where one has begun (UTC). */
MUST_USE enum status answered_turn(struct answered *answered, int64_t now_ns, struct error *error);
/* No more today, to anybody. */
bool answered_full(const struct answered *answered);
/* channel: "mail", "letter". */
bool answered_has(const struct answered *answered, const char *channel, const char *kind,
                  const char *key);
MUST_USE enum status answered_add(struct answered *answered, const char *channel, const char *kind,
                                  const char *key, struct error *error);

#endif
