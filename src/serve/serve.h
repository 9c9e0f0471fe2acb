/* A small web server for the ledger's tiles (C2SP tlog-tiles): the checkpoint, tiles and bundles of
 * entries as static files, and nothing else. It reads one folder, writes nothing, knows no key, and
 * confines itself as the portal does; any other web server over the same folder does as well. */
#ifndef COFFERDAM_SERVE_SERVE_H
#define COFFERDAM_SERVE_SERVE_H

#include "base/status.h"
#include "web/web.h"

struct serve_options {
    struct web_options web;
    const char *folder; /* the tiles' */
};
/* Runs until SIGTERM or SIGINT. The process is confined for good, even where this fails. */
MUST_USE enum status serve_run(const struct serve_options *options, struct error *error);

#endif
