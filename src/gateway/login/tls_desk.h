/* TLS desk: the certificate that the listener shows, and the authorities it believes, loaded again
 * when their files change (docs/decisions/0027). A new set is taken whole or not at all; sessions
 * keep the context they began with. Any thread. */
#ifndef COFFERDAM_GATEWAY_TLS_DESK_H
#define COFFERDAM_GATEWAY_TLS_DESK_H

#include "base/table.h"
#include "net/net.h"
#include "policy/config.h"

/* First word of the ledger's act when another set is in force. */
#define TLS_DESK_ACT "listener-certificate"

struct server;
struct tls_desk; /* owned by the server */
struct tls_set;  /* loaded and not taken yet; owned */

MUST_USE enum status tls_desk_open(const struct config *config, struct tls_desk **desk,
                                   struct error *error);
void tls_desk_close(struct tls_desk *desk); /* NULL is fine */

/* The context for a handshake that begins now; the caller releases it. */
struct net_tls *tls_desk_context(struct tls_desk *desk);

/* Loads the files; refuses a certificate that has ended, has not begun, or does not fit its key.
 * What is refused is told by SHOW TLS. */
MUST_USE enum status tls_desk_load(struct tls_desk *desk, struct tls_set **set,
                                   struct error *error);
/* Puts it in force, and on record where it is another than before. Takes the set. */
void tls_desk_take(struct server *server, struct tls_set *set);
void tls_desk_drop(struct tls_set *set); /* NULL is fine */

/* Each second or so: loads what has changed, warns of what ends soon. Blocks on the files. */
void tls_desk_look(struct server *server);

/* SHOW TLS: properties and values. */
void tls_desk_tell(struct tls_desk *desk, struct table *table);

#endif
