/* Between canary_watch.c, which has the set, and canary_sight.c, which looks at executions. */
#ifndef COFFERDAM_GATEWAY_CANARY_WATCH_PRIVATE_H
#define COFFERDAM_GATEWAY_CANARY_WATCH_PRIVATE_H

#include "gateway/trust/canary_watch.h"

bool canary_watch_is_empty(struct canary_watch *watch);
void canary_look_at_key(struct canary_watch *watch, struct canary_look *look, const char *kind,
                        struct slice key);

#endif
