/* A thread that looks each second whether the files of authorities and CRLs have changed, reads
 * them, and has the workers look at their sessions again. Private to gateway/. */
#ifndef COFFERDAM_GATEWAY_TRUST_WATCH_H
#define COFFERDAM_GATEWAY_TRUST_WATCH_H

#include <stdint.h>

#include "base/status.h"

struct server;
struct trust_watch; /* owned */

MUST_USE enum status trust_watch_start(struct server *server, struct trust_watch **watch,
                                       struct error *error);
void trust_watch_stop(struct trust_watch *watch); /* NULL is fine */
/* Looks now, and returns when it has: what a reload asks for. Any thread. */
void trust_watch_now(struct trust_watch *watch);
/* As trust_reset(), and has the workers look at their sessions again. Any thread but the workers'.
 */
MUST_USE enum status trust_watch_reset(struct trust_watch *watch,
                                       const uint8_t authority[static 32], struct error *error);

#endif
