/* The service role's own connection to the database, for what is asked beside partners' sessions.
 * libpq, blocking: never on a worker's thread. Private to gateway/. */
#ifndef COFFERDAM_GATEWAY_SERVICE_H
#define COFFERDAM_GATEWAY_SERVICE_H

#include <libpq-fe.h>

#include "base/status.h"
#include "policy/config.h"

/* *connection is PQfinish()ed by the caller. */
MUST_USE enum status service_connect(const struct config *config, PGconn **connection,
                                     struct error *error);

#endif
