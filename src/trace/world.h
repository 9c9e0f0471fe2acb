/* The world as the ledger has it: which partners there are, who is in the dictionary, and, of
 * people who were recognised, which copies had which of their columns since when. Two readings of
 * the whole log, each hashed on the way; no gateway is needed, nothing is written. One thread.
 * Memory: the dictionary, and 24 bytes for each person x series recognised. */
#ifndef COFFERDAM_TRACE_WORLD_H
#define COFFERDAM_TRACE_WORLD_H

#include "base/arena.h"
#include "exposure/reading.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "trace/committed.h"
#include "trace/deleted.h"
#include "trace/pairs.h"

struct world_partner {
    const char *name;
    bool has_tokens;           /* it was given columns in the form of tokens */
    int64_t deleted_before_ns; /* all of everybody, as it attested; INT64_MIN: never */
    int64_t attested_ns;
    const char *request; /* the controller's reference of that */
};
/* What left together: by queries of an agent, in a delivery, or told by staff. */
struct world_copy {
    size_t partner;
    const char *agent, *delivery; /* "" where there is none */
    bool declared;
};
/* A copy's sets of people with the same columns. */
struct world_series {
    size_t copy;
    uint32_t column_set;
    bool by_this_policy; /* that we have now: its masks are those of then */
};
struct world_holding {
    uint32_t person, series; /* places */
    int64_t first_ns;
    int64_t last_ns;    /* before the leak; INT64_MIN: only later */
    uint64_t statement; /* the first bytes of its uuid */
};

struct world {
    const char *ledger_folder;
    uint8_t policy_id[32]; /* of the policy that we have */
    struct arena arena;    /* texts */
    struct names *names;
    struct world_partner *partners;
    size_t partner_count, partner_capacity;
    const char **sets; /* texts of column sets, by id */
    size_t set_capacity;
    struct committed deliveries;
    uint64_t entries; /* of the ledger */
    uint64_t next;    /* the first sequence that was not there yet */
    int64_t first_ns, last_ns;
    /* What partners were given before this may have been dropped by retention, and is then not
     * here; SINCE_EVER: nothing was. Acts, so deliveries and their commitments, are all here. */
    int64_t since_ns;
    /* ---- the second reading ---- */
    struct world_copy *copies;
    size_t copy_count, copy_capacity;
    struct world_series *series;
    size_t series_capacity;
    struct world_holding *holdings; /* ascending by person, then first_ns */
    size_t holding_capacity;
    struct pairs series_pairs, holding_pairs; /* their counts are those of the arrays */
    struct deleted deleted;                   /* attested before the leak */
};

enum { WORLD_NO_PARTNER = UINT16_MAX };

/* The first reading. Free *world in any case. STATUS_NOT_FOUND where there is no ledger. */
MUST_USE enum status world_read(const struct config *config, const struct policy *policy,
                                struct world *world, struct error *error);
/* The second: people[id] is the person's place + 1, 0 for those who are not asked about; ids from
 * id_count on are not. before_ns: of the leak. */
MUST_USE enum status world_hold(struct world *world, const uint32_t *people, size_t id_count,
                                int64_t before_ns, struct error *error);
void world_free(struct world *world);
/* SIZE_MAX where there is none. */
size_t world_find_partner(const struct world *world, const char *name);
/* The copy of a delivery, added where no entry that is kept tells of it. */
MUST_USE enum status world_delivery(struct world *world, const char *partner, const char *agent,
                                    const char *delivery, struct error *error);
/* Adds it where it is new. */
MUST_USE enum status world_partner(struct world *world, struct slice name, size_t *at,
                                   struct error *error);

#endif
