/* Registry: what staff change at run time and what must survive a restart: containment here,
 * beside it revocations.h. SQLite behind an in-memory snapshot: reads are
 * lock-light and never touch the disk. Thread-safe. */
#ifndef COFFERDAM_REGISTRY_REGISTRY_H
#define COFFERDAM_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/table.h"

struct registry; /* owned */

MUST_USE enum status registry_open(const char *path, struct registry **registry,
                                   struct error *error);
void registry_close(struct registry *registry);

/* In force in memory the moment it returns, whatever the disk says; the status tells whether it was
 * also stored. agent NULL: the whole partner. Containing twice keeps the first. */
MUST_USE enum status registry_contain(struct registry *registry, const char *partner,
                                      const char *agent, const char *reason, const char *by,
                                      int64_t now_ns, struct error *error);
/* STATUS_NOT_FOUND if not contained. Lifted only once that is stored. */
MUST_USE enum status registry_restore(struct registry *registry, const char *partner,
                                      const char *agent, const char *reason, const char *by,
                                      int64_t now_ns, struct error *error);
/* Is this agent contained, by itself or with its partner? */
bool registry_contained(struct registry *registry, const char *partner, const char *agent);
/* Grows with every change: a cheap check for "has anything changed?" */
uint64_t registry_generation(const struct registry *registry);
/* partner, agent, state, since, reason, by */
void registry_list(struct registry *registry, struct table *table);

#endif
