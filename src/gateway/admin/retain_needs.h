/* What still needs the ledger's oldest entries: windows of limits, sets of statistics that partners
 * were given, incidents, deliveries, witnesses. Private to gateway/. No state, any thread. */
#ifndef COFFERDAM_GATEWAY_RETAIN_NEEDS_H
#define COFFERDAM_GATEWAY_RETAIN_NEEDS_H

#include "ledger/retention.h"
#include "policy/config.h"
#include "policy/policy.h"

/* A file that was made less than so many days ago is one that trace must be able to tell from. */
enum { RETAIN_TRACE_DAYS = 400 };

/* STATUS_DENIED 55000, with who needs what until when. *deliveries: of how many files the entries
 * would go. */
MUST_USE enum status retain_check_needs(const struct config *config, const struct policy *policy,
                                        const struct retention_plan *plan, int64_t now_ns,
                                        uint64_t *deliveries, struct error *error);
/* Of incidents alone: cheap, to be asked again before anything goes. */
MUST_USE enum status retain_check_incidents(const struct config *config, struct error *error);
/* The size of the tree that witnesses vouch for; UINT64_MAX where there are none. */
MUST_USE enum status retain_vouched(const struct config *config, const char *ledger_folder,
                                    uint64_t *size, struct error *error);

#endif
