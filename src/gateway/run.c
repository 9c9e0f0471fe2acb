/* Run: one execution of a portal. */
#include "gateway/release/probe.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "crypto/crypto.h"

/* Unique, not secret: a random start a thread, then a count. */
static void next_uuid(uint8_t uuid[static 16])
{
    static _Thread_local uint8_t start[8];
    static _Thread_local uint64_t count;
    if (count == 0)
        crypto_random(start, sizeof start);
    for (size_t i = 0; i < sizeof start; i++)
        uuid[i] = start[i];
    store_u64be(uuid + sizeof start, ++count);
}

struct run *run_make(struct server *server, struct planned *planned,
                     const struct policy_partner *partner, const struct policy_agent *agent,
                     const char *purpose, uint64_t session)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    *run = (struct run){.references = 1,
                        .planned = planned_retain(planned),
                        .server = server,
                        .partner = partner,
                        .agent = agent,
                        .purpose = purpose,
                        .session = session,
                        .skip_left = planned->plan->relay_offset,
                        .take_left = planned->plan->relay_limit};
    if (planned->plan->fence_count > 0)
        next_uuid(run->uuid);
    return run;
}

struct run *run_retain(struct run *run)
{
    run->references++;
    return run;
}

void run_release(struct run *run)
{
    if (run == NULL || --run->references > 0)
        return;
    release_abandon(run, LEDGER_OUTCOME_ABANDONED);
    planned_release(run->planned);
    pins_free(run->pins);
    free(run);
}
