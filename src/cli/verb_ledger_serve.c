/* cofferdam ledger serve: the published tiles over HTTP. */
#include "cli/log_folder.h"
#include "cli/verbs.h"
#include "cli/web_options.h"

#include "serve/serve.h"

static const struct cli_option options[] = {
    {"listen", 0, "ADDR:PORT", "where to serve (needed); without TLS on loopback only"},
    {"certificate", 0, "FILE", "certificate chain, PEM"},
    {"key", 0, "FILE", "its key, PEM"},
    {"user", 0, "NAME", "become this user; needed where root starts it"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM], tiles[CLI_PATH_ROOM + 8];
    const char *given = call->argument_count == 1 ? call->arguments[0] : NULL;
    struct serve_options serve = {.folder = tiles};
    TRY(cli_web_options(call, &serve.web, error));
    TRY(cli_log_folder(call, given, folder, NULL, error));
    snprintf(tiles, sizeof tiles, "%s/tiles", folder);
    return serve_run(&serve, error);
}

const struct cli_command verb_ledger_serve = {
    .arguments = "[FOLDER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Serves the published log by C2SP tlog-tiles: /checkpoint, /tile/... and "
        "/tile/entries/...\n"
        "from the ledger's folder tiles, read-only, for verifiers and mirrors. Runs in the\n"
        "foreground until SIGTERM or SIGINT, as a user of its own that may read the folder, and\n"
        "confined to it. Any web server over the same folder does as well. Whoever can reach it\n"
        "reads which partner was told of how many people, though no names and no values.",
    .examples = "ledger serve --listen 127.0.0.1:8080 --user cofferdam\n"
                "ledger serve /var/lib/cofferdam/ledger --listen [::]:443 --certificate log.crt "
                "--key log.key --user cofferdam\n",
    .exits = "it could not start",
    .run = run,
};
