/* cofferdam portal: the public page. */
#include "cli/verbs.h"
#include "cli/web_options.h"

#include "portal/portal.h"

static const struct cli_option options[] = {
    {"folder", 0, "DIR", "what was published, as by incident publish (needed)"},
    {"queue", 0, "DIR", "where questions are left for the worker (needed)"},
    {"listen", 0, "ADDR:PORT", "where to serve (needed); without TLS on loopback only"},
    {"certificate", 0, "FILE", "certificate chain, PEM"},
    {"key", 0, "FILE", "its key, PEM"},
    {"proxy", 0, "ADDRESS", "a proxy whose X-Forwarded-For is believed"},
    {"user", 0, "NAME", "become this user; needed where root starts it"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    struct portal_options portal = {.proxy = cli_value(call, "proxy")};
    TRY(cli_require(call, "folder", &portal.folder, error));
    TRY(cli_require(call, "queue", &portal.queue, error));
    TRY(cli_web_options(call, &portal.web, error));
    return portal_run(&portal, error);
}

const struct cli_command verb_portal = {
    .arguments = "",
    .options = options,
    .description =
        "Serves the public page after a breach: what happened, \"Is this message genuine?\" and\n"
        "\"Was I affected?\". Runs in the foreground until SIGTERM or SIGINT, as a user of its "
        "own,\n"
        "confined to the two folders. What is published anew is served within seconds.",
    .examples =
        "portal --folder site --queue queue --listen 127.0.0.1:8080 --proxy 127.0.0.1\n"
        "portal --folder site --queue queue --listen [::]:443 --certificate portal.crt --key "
        "portal.key --user portal\n",
    .exits = "the portal could not start",
    .run = run,
};
