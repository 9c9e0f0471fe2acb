/* Tokens that have opened a session here: each is bound to the address that showed it first, until
 * it ends. Only tokens that were verified get here, so strangers cannot fill it; and once it is
 * full, no new one is taken. Guarded by its owner. Private to oidc/. */
#ifndef COFFERDAM_OIDC_REPLAYS_H
#define COFFERDAM_OIDC_REPLAYS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLAYS_SLOTS = 65536, REPLAYS_ID_BYTES = 16 };

enum replays_found {
    REPLAYS_FINE,
    REPLAYS_ELSEWHERE, /* it was shown from another address */
    REPLAYS_USED,      /* it has opened the one session that it may */
    REPLAYS_FULL,
};

struct replay;
struct replays {
    struct replay *slots; /* an open-addressed table; NULL until the first */
    size_t count;
};

void replays_open(struct replays *replays);
void replays_close(struct replays *replays);
/* Notes the token, and says whether it may open a session now. */
enum replays_found replays_take(struct replays *replays, const uint8_t id[static REPLAYS_ID_BYTES],
                                const struct in6_addr *address, int64_t expires_s, int64_t now_s,
                                bool single_use);

#endif
