/* Allowances: how often somebody may ask. A token bucket an address and one for all together.
 * An address is an IPv4 address or the /64 of an IPv6 one: what one household gets. The table of
 * addresses is bounded; where it is full, those that asked longest ago are forgotten. One thread.
 */
#ifndef COFFERDAM_PORTAL_ALLOWANCE_H
#define COFFERDAM_PORTAL_ALLOWANCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct allowance_rate {
    uint32_t most;        /* may be asked at once */
    uint32_t interval_ms; /* then one more in each interval */
};
struct allowance; /* owned */

MUST_USE enum status allowance_new(struct allowance_rate one, struct allowance_rate all,
                                   struct allowance **allowance);
void allowance_free(struct allowance *allowance); /* NULL is fine */
/* Takes one of the address's tokens and one of all's; false, and takes neither, where one is
 * missing. IPv4 addresses are mapped (::ffff:a.b.c.d). */
bool allowance_take(struct allowance *allowance, const struct in6_addr *address, int64_t now_ns);

#endif
