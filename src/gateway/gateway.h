/* The gateway: sessions, upstream connections, relay, cancel, admin database.
 * Invariant: no byte of a result is written to a partner's socket before the ledger has said that
 * its disclosure is durable; every path to the socket goes through gateway/outqueue. */
#ifndef COFFERDAM_GATEWAY_GATEWAY_H
#define COFFERDAM_GATEWAY_GATEWAY_H

#include <stdint.h>

#include "base/status.h"
#include "base/table.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "sql/catalog.h"

/* Runs the gateway until SIGTERM or SIGINT; SIGHUP reloads the policy. Takes config. */
MUST_USE enum status gateway_run(struct config *config, struct error *error);

/* Reads from the upstream database what binding the policy needs: the tables it names, their
 * columns, types and unique indexes. Blocks (libpq). Returns owned. */
MUST_USE enum status gateway_catalog_load(const struct config *config, const struct policy *policy,
                                          struct catalog **catalog, struct error *error);

/* Fills an unopened table (role, table, why): login roles other than the service role that can
 * read a fenced table. Each is a side door that voids "never disclosed". Blocks (libpq). */
MUST_USE enum status gateway_side_doors(const struct config *config, const struct policy *policy,
                                        struct table *table, struct error *error);

/* Fills an unopened table (setting, value, wanted, fine): what the service role's own session has
 * for read-only, time-outs and parameter logging, against what `grants` asks for. */
MUST_USE enum status gateway_role_settings(const struct config *config, struct table *table,
                                           struct error *error);

/* ---- how many people a grant reaches; blocks (libpq) ---- */
struct gateway_counter; /* a connection; owned */
MUST_USE enum status gateway_counter_open(const struct config *config,
                                          struct gateway_counter **counter, struct error *error);
void gateway_counter_close(struct gateway_counter *counter); /* NULL is fine */

struct gateway_reach {
    const struct policy *policy;
    const struct policy_grant *grant; /* of the policy; NULL: reaches nobody */
};
struct gateway_people {
    uint64_t before, after, gained, lost;
};
/* Distinct people of that kind, by name, in the rows of the grants. STATUS_IO with the database's
 * SQLSTATE where the role may not read what it takes. */
MUST_USE enum status gateway_count_people(struct gateway_counter *counter,
                                          const struct gateway_reach *before,
                                          const struct gateway_reach *after, const char *kind,
                                          struct gateway_people *people, struct error *error);

#endif
