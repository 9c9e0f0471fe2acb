/* cofferdam ledger witness: has others cosign what the ledger says, and tells loudly where what
 * they remember is not in it any more. Beside the gateway, which has no way out to the network. */
#include "cli/json.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/config.h"
#include "witness/witness.h"

enum { PATH_ROOM = 4096, MOST_SECONDS = 86400, TABLE_BYTES = 256 * 1024 };

static const struct cli_option options[] = {
    {"once", 0, NULL, "one round, and end; so it is without --every"},
    {"every", 0, "SECONDS", "go on, a round each so many seconds; what happens is logged"},
    {NULL, 0, NULL, NULL},
};

static enum status take_witnesses(const struct config *config,
                                  struct witness witnesses[static WITNESS_MAX], struct error *error)
{
    if (config->ledger.witness_count == 0)
        return error_set(error, STATUS_INVALID, "F0000",
                         "ledger: {witnesses: [{key: VKEY, url: https://…}]}",
                         "%s names no witnesses", config->path);
    for (size_t i = 0; i < config->ledger.witness_count; i++) {
        const struct config_witness *named = &config->ledger.witnesses[i];
        struct note_key key;
        enum status status = note_key_parse(slice_of_text(named->key), &key, error);
        if (status == STATUS_OK && key.type != NOTE_TYPE_COSIGNATURE)
            status = error_set(error, STATUS_INVALID, "F0000", "its base64 begins with B",
                               "a witness's key is of type cosignature/v1");
        if (status != STATUS_OK) {
            error_prefix(error, "%s: ledger.witnesses: key %zu", config->path, i + 1);
            return status;
        }
        witnesses[i] = (struct witness){.key = key, .url = named->url, .ca = named->ca};
    }
    return STATUS_OK;
}

/* ---- telling ---- */

static void fill(struct table *table, const struct witness_round *round,
                 const struct witness *witnesses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct witness_result *result = &round->results[i];
        char time[21] = "";
        if (result->time > 0 && result->time < INT64_MAX / 1000000000)
            clock_format_utc((int64_t)result->time * 1000000000, time);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", witnesses[i].key.name);
        table_set(table, row, 1, "%s", witness_state_name(result->state));
        table_set(table, row, 2, "%" PRIu64, round->checkpoint.size);
        table_set(table, row, 3, "%s", time);
        table_set(table, row, 4, "%s", result->error.message);
        table_set(table, row, 5, "%s", result->error.hint);
    }
}

static enum status print(const struct cli_call *call, const struct table *table,
                         struct error *error)
{
    static const enum cli_json_kind kinds[] = {CLI_JSON_TEXT, CLI_JSON_TEXT, CLI_JSON_NUMBER,
                                               CLI_JSON_TEXT, CLI_JSON_TEXT, CLI_JSON_TEXT};
    if (call->json)
        return cli_json_print(cli_json_table(table, kinds), false, error);
    cli_print_wrapped(stdout, table);
    return STATUS_OK;
}

static void log_round(const struct witness_round *round, const struct witness *witnesses,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct witness_result *result = &round->results[i];
        if (result->state == WITNESS_COSIGNED)
            log_event(LOG_INFO, "ledger_witnessed", "witness=%s size=%" PRIu64,
                      witnesses[i].key.name, round->checkpoint.size);
        else
            log_event(LOG_ERROR,
                      result->state == WITNESS_FORKED ? "ledger_forked" : "ledger_not_witnessed",
                      "witness=%s size=%" PRIu64 " reason=\"%s\" hint=\"%s\"",
                      witnesses[i].key.name, round->checkpoint.size, result->error.message,
                      result->error.hint);
    }
}

/* ---- rounds ---- */

static enum status judge(struct cli_call *call, const struct witness_round *round,
                         const struct witness *witnesses, const struct config *config,
                         struct error *error)
{
    for (size_t i = 0; i < config->ledger.witness_count; i++) {
        if (round->results[i].state != WITNESS_FORKED)
            continue;
        *error = round->results[i].error;
        error_prefix(error, "THIS LEDGER IS NOT WHAT IT WAS. %s", witnesses[i].key.name);
        call->exit_code = CLI_BROKEN;
        return STATUS_CORRUPT;
    }
    if (round->cosigned >= config->ledger.witness_quorum)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", "Each witness's own reason stands above.",
                     "%zu of %zu witnesses have cosigned, %" PRIu32 " are needed", round->cosigned,
                     config->ledger.witness_count, config->ledger.witness_quorum);
}

static enum status one_round(struct cli_call *call, const struct config *config,
                             struct witness *witnesses, bool logged, struct error *error)
{
    static const char *const columns[] = {"witness", "state",  "entries", "time",
                                          "reason",  "advice", NULL};
    char folder[PATH_ROOM];
    size_t count = config->ledger.witness_count;
    struct witness_round round;
    struct table table;
    snprintf(folder, sizeof folder, "%.4000s/ledger", config->state_folder);
    TRY(witness_round(folder, witnesses, count, &round, error));
    if (logged) {
        log_round(&round, witnesses, count);
        return judge(call, &round, witnesses, config, error);
    }
    table_init(&table, TABLE_BYTES, columns);
    fill(&table, &round, witnesses, count);
    enum status status = print(call, &table, error);
    table_free(&table);
    return status == STATUS_OK ? judge(call, &round, witnesses, config, error) : status;
}

/* Ends at a fork only: everything else may be better the next time. */
static enum status go_on(struct cli_call *call, const struct config *config,
                         struct witness *witnesses, uint64_t seconds, struct error *error)
{
    for (;;) {
        enum status status = one_round(call, config, witnesses, true, error);
        if (status == STATUS_CORRUPT)
            return status;
        if (status != STATUS_OK)
            log_event(LOG_ERROR, "ledger_witness_round", "error=\"%s\"", error->message);
        nanosleep(&(struct timespec){.tv_sec = (time_t)seconds}, NULL);
    }
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct config *config = NULL;
    struct witness witnesses[WITNESS_MAX];
    uint64_t seconds;
    TRY(cli_number(call, "every", 1, MOST_SECONDS, 0, &seconds, error));
    if (seconds > 0 && cli_value(call, "once") != NULL)
        return cli_usage(call, error, "--once and --every exclude each other");
    TRY(config_load(call->config_path, &config, error));
    enum status status = take_witnesses(config, witnesses, error);
    if (status == STATUS_OK)
        status = seconds > 0 ? go_on(call, config, witnesses, seconds, error)
                             : one_round(call, config, witnesses, false, error);
    config_free(config);
    return status;
}

const struct cli_command verb_ledger_witness = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Sends the newest published checkpoint to the witnesses of ledger.witnesses, with a proof\n"
        "that the log which each of them remembers is the beginning of this one, verifies their\n"
        "cosignatures, and puts them into ledger/checkpoints and ledger/tiles/checkpoint. Run it "
        "as\n"
        "the gateway's user, from a timer or with --every.",
    .examples = "ledger witness\n"
                "ledger witness --every 60\n"
                "ledger witness --json\n",
    .exits =
        "1 fewer have cosigned than ledger.witness_quorum, or it failed; 3 a witness remembers\n"
        "a log that this one does not continue: it was rewritten, or put back",
    .run = run,
};
