/* Intake: what an entry says of an agent's doings, read before anything is locked. One thread, one
 * entry. Private to watch/. */
#ifndef COFFERDAM_WATCH_INTAKE_H
#define COFFERDAM_WATCH_INTAKE_H

#include <netinet/in.h>

#include "watch/walk.h"
#include "watch/watch.h"

enum { INTAKE_STEPS = 400, INTAKE_ASKED = 1024, INTAKE_IDS = 64, INTAKE_ITEMS = 8 };

struct intake {
    int64_t time_ns;
    uint64_t rows, probes, errors, statements;
    /* People whose data it is: run r is ids[ends[r-1] .. ends[r]), ascending, each once. */
    uint32_t *ids;
    size_t *ends;
    size_t run_count;
    struct walk_step steps[INTAKE_STEPS];
    size_t asked_ends[INTAKE_STEPS]; /* whom step s is about: asked[asked_ends[s-1] ..] */
    size_t step_count;
    uint32_t asked[INTAKE_ASKED];
    uint32_t few_ids[INTAKE_IDS]; /* room of ids and ends, while that is enough */
    size_t few_ends[INTAKE_ITEMS];
    bool has_network;
    struct in6_addr network;
};

/* False for an entry that says nothing of an agent. Ends the process when there is no memory. */
bool intake_read(struct intake *intake, const struct watch_sources *sources, uint32_t reach,
                 const struct ledger_entry *entry);
void intake_free(struct intake *intake);
/* The network of an address: /24 of IPv4, /48 of IPv6. */
struct in6_addr intake_network(const struct in6_addr *address);

#endif
