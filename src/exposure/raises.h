/* Raises and warnings: what acts in the ledger say about a partner's limits. A raise is proposed,
 * approved by another member of staff, in force until an instant, and may be revoked; its id is the
 * sequence of the act that proposed it. A warning is given once a limit, window and bound.
 * Acts are texts of a first line and lines key=value (docs/LEDGER-FORMAT.md); live and replay take
 * them by the same function. The owner locks. Memory: 300 bytes a raise; those that ended are
 * dropped when another one comes. */
#ifndef COFFERDAM_EXPOSURE_RAISES_H
#define COFFERDAM_EXPOSURE_RAISES_H

#include "exposure/exposure.h"
#include "exposure/gauge.h"

struct warned {
    char limit[64];
    uint64_t bound;
    int64_t from, at; /* quarters: of the window's begin, of the warning */
};

struct raises {
    struct exposure_raise *all;
    size_t count, capacity;
    struct warned *warned; /* the latest of each limit */
    size_t warned_count;
};

void raises_free(struct raises *raises);
/* An act about budgets, or any other, which is passed over. */
void raises_take(struct raises *raises, uint64_t sequence, int64_t time_ns, struct slice text);
/* The bound in force, which is never less than the policy's; *until_ns: when it falls back. */
uint64_t raises_bound(const struct raises *raises, const char *limit, uint64_t bound,
                      int64_t now_ns, int64_t *until_ns);
bool raises_warned(const struct raises *raises, const struct gauge *gauge, uint64_t bound,
                   int64_t quarter);
void raises_warn(struct raises *raises, const struct gauge *gauge, uint64_t bound, int64_t quarter);

#endif
