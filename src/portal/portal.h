/* The portal: the public page of a company whose data was stolen. It serves what was published in a
 * folder, says of a reference whether we issued it, and takes questions into a queue; it knows of
 * nobody whether he is affected. A process of its own that reaches neither database, ledger nor
 * gateway. docs/decisions/0009-portal.md. */
#ifndef COFFERDAM_PORTAL_PORTAL_H
#define COFFERDAM_PORTAL_PORTAL_H

#include "base/status.h"
#include "web/web.h"

struct portal_options {
    struct web_options web;
    const char *folder, *queue;
    const char *proxy; /* address whose X-Forwarded-For is believed; NULL: none */
};
/* Runs until SIGTERM or SIGINT. The process is confined for good, even where this fails. */
MUST_USE enum status portal_run(const struct portal_options *options, struct error *error);

#endif
