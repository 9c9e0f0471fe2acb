/* A small web server for the ledger's tiles (C2SP tlog-tiles): the checkpoint, tiles and bundles of
 * entries as static files, and nothing else. It reads one folder, writes nothing, knows no key, and
 * confines itself as the portal does; any other web server over the same folder does as well.
 * Two threads: the first waits for a signal, libmicrohttpd's own serves. */
#ifndef COFFERDAM_SERVE_SERVE_H
#define COFFERDAM_SERVE_SERVE_H

#include "base/status.h"

struct serve_options {
    const char *folder;            /* the tiles' */
    const char *listen;            /* "127.0.0.1:8080", "[::]:443" */
    const char *certificate, *key; /* PEM files; both NULL: without TLS, on loopback only */
    const char *user;              /* to become; NULL: stay, unless that is root */
};
/* Runs until SIGTERM or SIGINT. The process is confined for good, even where this fails. */
MUST_USE enum status serve_run(const struct serve_options *options, struct error *error);

#endif
