/* cofferdam ledger commit: the index that proofs of non-exposure are made from, and its root in the
 * ledger. Computed here, beside the gateway, which only records it. */
#include "cli/admin.h"
#include "cli/offline.h"
#include "cli/verbs.h"
#include "cli/verify_never.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/since.h"
#include "crypto/crypto.h"
#include "exposure/kinds.h"
#include "ledger/tiles.h"
#include "never/never.h"

enum {
    COMMAND_BYTES = 4096,
    HEX_ROOM = 2 * NEVER_HASH_BYTES + 1,
    TIME_ROOM = 21,
    DECIMAL = 10,
    PATH_ROOM = 4096
};

static const int64_t second_ns = 1000000000;

static const struct cli_option options[] = {
    {"afresh", 0, NULL, "use nothing of what an earlier commit has kept"},
    {"new-key", 0, NULL, "make another secret key: everybody's marks change"},
    {"check", 0, NULL, "only hold the newest commitment against the ledger and the keys"},
    {"by", 0, "WHO", "who commits, beside the user's number"},
    {NULL, 0, NULL, NULL},
};

/* What the index is to count: all that is acknowledged now. */
static enum status ask_cutoff(struct cli_admin *admin, uint64_t *entries, int64_t *as_of_ns,
                              struct error *error)
{
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW CUTOFF");
    enum status status = cli_admin_ask(admin, &command, &result, error);
    buffer_free(&command);
    TRY(status);
    *entries = strtoull(cli_cell(&result.table, result.table.first, "entries"), NULL, DECIMAL);
    int64_t now_ns = strtoll(cli_cell(&result.table, result.table.first, "time_ns"), NULL, DECIMAL);
    *as_of_ns = now_ns - now_ns % second_ns;
    table_free(&result.table);
    return STATUS_OK;
}

static void add_base(const struct never_base *base, struct buffer *command)
{
    char number[24], since[TIME_ROOM], statement[HEX_ROOM];
    if (base->from == 0)
        return;
    snprintf(number, sizeof number, "%" PRIu64, base->from);
    clock_format_utc(base->since_ns, since);
    crypto_hex(base->statement, sizeof base->statement, statement);
    cli_admin_clause(command, "FROM", number);
    cli_admin_clause(command, "SINCE", since);
    cli_admin_clause(command, "BASE", statement);
}

static enum status record(const struct cli_call *call, struct cli_admin *admin,
                          const struct never_commitment *commitment, uint64_t *sequence,
                          struct error *error)
{
    char number[24], root[HEX_ROOM], vrf_key[HEX_ROOM], time[TIME_ROOM];
    struct cli_result result = {0};
    struct buffer command;
    crypto_hex(commitment->root, sizeof commitment->root, root);
    crypto_hex(commitment->vrf_key, sizeof commitment->vrf_key, vrf_key);
    clock_format_utc(commitment->as_of_ns, time);
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "COMMIT NEVER");
    add_base(&commitment->base, &command);
    snprintf(number, sizeof number, "%" PRIu64, commitment->entries);
    cli_admin_clause(&command, "ENTRIES", number);
    cli_admin_clause(&command, "AT", time);
    snprintf(number, sizeof number, "%" PRIu64, commitment->leaves);
    cli_admin_clause(&command, "LEAVES", number);
    cli_admin_clause(&command, "ROOT", root);
    cli_admin_clause(&command, "VRF", vrf_key);
    snprintf(number, sizeof number, "%" PRIu64, commitment->erased);
    cli_admin_clause(&command, "ERASED", number);
    cli_admin_clause(&command, "BY", cli_value(call, "by"));
    enum status status = cli_admin_ask(admin, &command, &result, error);
    buffer_free(&command);
    TRY(status);
    *sequence = strtoull(cli_cell(&result.table, result.table.first, "sequence"), NULL, DECIMAL);
    table_free(&result.table);
    return STATUS_OK;
}

static void print_base(const struct never_work *work)
{
    const struct never_commitment *commitment = &work->commitment;
    char since[TIME_ROOM];
    if (commitment->base.from == 0)
        return;
    clock_format_utc(commitment->base.since_ns, since);
    printf("since:     %s, from entry %" PRIu64 " on: earlier ones were dropped\n", since,
           commitment->base.from);
    if (work->gone > 0)
        printf("gone:      %" PRIu64 " people of whom only dropped entries told, and their marks\n",
               work->gone);
}

static enum status print(const struct cli_call *call, const struct never_work *work,
                         uint64_t sequence, double seconds, struct error *error)
{
    const struct never_commitment *commitment = &work->commitment;
    char root[HEX_ROOM], vrf_key[HEX_ROOM], time[TIME_ROOM], since[SINCE_TEXT_ROOM] = "";
    if (commitment->base.from > 0)
        since_format(commitment->base.since_ns, since);
    crypto_hex(commitment->root, sizeof commitment->root, root);
    crypto_hex(commitment->vrf_key, sizeof commitment->vrf_key, vrf_key);
    clock_format_utc(commitment->as_of_ns, time);
    uint64_t people = commitment->leaves - 3; /* without the two ends, and everybody */
    if (call->json) {
        json_t *told = json_pack(
            "{s:I, s:I, s:s?, s:I, s:I, s:s, s:I, s:I, s:s, s:s, s:I, s:b, s:f}", "sequence",
            (json_int_t)sequence, "from", (json_int_t)commitment->base.from, "since",
            since[0] == '\0' ? NULL : since, "gone", (json_int_t)work->gone, "entries",
            (json_int_t)commitment->entries, "as_of", time, "people", (json_int_t)people, "erased",
            (json_int_t)commitment->erased, "root", root, "vrf", vrf_key, "computed",
            (json_int_t)work->computed, "new_key", work->new_key, "seconds", seconds);
        CHECK(told != NULL);
        return cli_json_print(told, false, error);
    }
    printf("committed: %" PRIu64 " people in %" PRIu64 " entries, as of %s (ledger entry %" PRIu64
           ")\n",
           people, commitment->entries, time, sequence);
    print_base(work);
    printf("root:      %s\n", root);
    printf("%" PRIu64 " entries read, marks of %" PRIu64 " people made, %.1f s\n", work->read,
           work->computed, seconds);
    if (work->new_key)
        printf("a new key was made: back up never.key and never/ together\n");
    if (commitment->erased > 0)
        printf("%" PRIu64 " people are in no leaf, since their keys were erased before they were "
               "first indexed;\nevery certificate about a person says so\n",
               commitment->erased);
    return STATUS_OK;
}

static bool is_published(const char *folder, uint64_t sequence)
{
    struct tiles *tiles;
    if (tiles_open(folder, &tiles, NULL) != STATUS_OK)
        return false;
    bool published = tiles_checkpoint(tiles)->size > sequence;
    tiles_close(tiles);
    return published;
}

/* A certificate takes a published checkpoint that holds the commitment: what is said to be done can
 * be proved at once. */
static void await_publication(const struct config *config, uint64_t sequence)
{
    static const int64_t millisecond_ns = 1000000, grace_ns = 5000000000, step_ns = 50000000;
    char folder[PATH_ROOM];
    int64_t until_ns =
        clock_monotonic_ns() + config->ledger.publish_every_ms * millisecond_ns + grace_ns;
    snprintf(folder, sizeof folder, "%s/ledger", config->state_folder);
    while (config->ledger.tiles && !is_published(folder, sequence)) {
        if (clock_monotonic_ns() > until_ns) {
            fprintf(stderr, "the commitment is not published yet: wait before ledger prove\n");
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = step_ns}, NULL);
    }
}

static enum status commit(const struct cli_call *call, const struct cli_offline *offline,
                          struct cli_admin *admin, struct error *error)
{
    const struct never_place place = {.state_folder = offline->config->state_folder,
                                      .policy = offline->policy};
    struct never_work work;
    uint64_t entries, sequence;
    int64_t as_of_ns, before = clock_monotonic_ns();
    TRY(kinds_check(place.state_folder, place.policy, error));
    TRY(ask_cutoff(admin, &entries, &as_of_ns, error));
    TRY(never_compute(&place, entries, as_of_ns, cli_value(call, "afresh") != NULL,
                      cli_value(call, "new-key") != NULL, &work, error));
    TRY(record(call, admin, &work.commitment, &sequence, error));
    double seconds = (double)(clock_monotonic_ns() - before) / (double)second_ns;
    await_publication(offline->config, sequence);
    return print(call, &work, sequence, seconds, error);
}

/* For an auditor who holds the data: does the index follow from the log? */
static enum status check(const struct cli_call *call, struct error *error)
{
    struct never_check check;
    char time[TIME_ROOM];
    TRY(cli_recompute_never(call, &check, error));
    if (check.commitments > 0 && !check.recomputed)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "cofferdam ledger commit makes one of what is left",
                         "the newest commitment, entry %" PRIu64 ", is to an index of entries that "
                         "were dropped from the ledger: it cannot be recomputed",
                         check.sequence);
    if (check.commitments == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", "cofferdam ledger commit makes one",
                         "the ledger has no commitment");
    clock_format_utc(check.commitment.as_of_ns, time);
    if (call->json) {
        json_t *told = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "verdict", "follows",
                                 "sequence", (json_int_t)check.sequence, "commitments",
                                 (json_int_t)check.commitments, "beyond", (json_int_t)check.beyond,
                                 "from", (json_int_t)check.commitment.base.from, "entries",
                                 (json_int_t)check.commitment.entries, "as_of", time);
        CHECK(told != NULL);
        return cli_json_print(told, false, error);
    }
    if (check.commitment.base.from == 0)
        printf("the index of ledger entry %" PRIu64 " follows from the first %" PRIu64
               " entries and their keys, as of %s\n",
               check.sequence, check.commitment.entries, time);
    else
        printf("the index of ledger entry %" PRIu64 " follows from the entries %" PRIu64
               " to %" PRIu64 " and their keys, as of %s\n",
               check.sequence, check.commitment.base.from, check.commitment.entries - 1, time);
    cli_print_beyond(&check, "");
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct cli_admin *admin = NULL;
    bool only_check = cli_value(call, "check") != NULL;
    if (only_check && (cli_value(call, "afresh") != NULL || cli_value(call, "new-key") != NULL))
        return cli_usage(call, error, "--check goes with neither --afresh nor --new-key");
    if (only_check)
        return check(call, error);
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_admin_open(call, &admin, error);
    if (status == STATUS_OK)
        status = commit(call, &offline, admin, error);
    cli_admin_close(admin);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_ledger_commit = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Indexes everybody of whom anything was ever disclosed, and writes the index's root into\n"
        "the ledger. From then on ledger prove --never gives certificates as of now. Run it by a\n"
        "timer, and once before the first erase: who was erased before there was an index is\n"
        "missing in it, and certificates say so. Run it after ledger retain: the index is then\n"
        "made afresh of what is left, and the marks of whom only dropped entries told go. The "
        "first run takes a tenth of a millisecond a "
        "person\n"
        "and core. Its secret key is never.key in the state folder, what it keeps is in never/.",
    .examples = "ledger commit\n"
                "ledger commit --afresh --json\n"
                "ledger commit --check\n",
    .run = run,
};
