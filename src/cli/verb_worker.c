/* cofferdam worker: answers what people ask on the public page, and reads mail that has come. */
#include "cli/verbs.h"

#include <signal.h>

#include "incident/desk.h"

static const struct cli_option options[] = {
    {"once", 0, NULL, "do what there is to do, and end"},
    {NULL, 0, NULL, NULL},
};

static atomic_bool stop; /* lock-free: set by a signal's handler */

static void ask_to_stop(int number)
{
    (void)number;
    stop = true;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const struct sigaction action = {.sa_handler = ask_to_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    const struct desk_order order = {
        .config_path = call->config_path, .stop = &stop, .once = cli_value(call, "once") != NULL};
    return desk_run(&order, error);
}

const struct cli_command verb_worker = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Runs in the foreground until it is stopped. Answers who asks on the public page if a\n"
        "breach affects them: to the address on file, never to the asker, once a day; who asks\n"
        "by name and postcode is listed for a letter. Reads delivery notices into the outboxes.\n"
        "Has the gateway raise an alarm for mail to an invented person of a delivery.\n"
        "While database, gateway or mail server fail, it keeps what there is and tries again.",
    .examples = "worker\n"
                "worker --once\n",
    .run = run,
};
