/* Admin database: the operators' door, PostgreSQL's protocol on a unix socket, authorised by the
 * peer's user. One thread with its own loop; commands may block it, never the workers. */
#ifndef COFFERDAM_GATEWAY_ADMIN_H
#define COFFERDAM_GATEWAY_ADMIN_H

#include "gateway/server.h"

struct admin;

MUST_USE enum status admin_start(struct server *server, struct admin **admin, struct error *error);
void admin_stop(struct admin *admin); /* NULL is fine */

/* server_reload, one at a time, recorded as an act. Any thread. */
MUST_USE enum status admin_reload(struct server *server, struct error *error);

/* Runs one command; fills an unopened table on STATUS_OK, with the tag for CommandComplete. by: who
 * asks ("uid 0"), for the records. */
MUST_USE enum status admin_command(struct server *server, const char *text, const char *by,
                                   struct table *table, const char **tag, struct error *error);

#endif
