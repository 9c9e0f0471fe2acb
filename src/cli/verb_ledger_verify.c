/* cofferdam ledger verify: is the log what it was? Needs the folder alone. */
#include "cli/json.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"
#include "cli/verify_canaries.h"
#include "cli/verify_never.h"
#include "cli/verify_proof.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "exposure/data_check.h"
#include "ledger/verify.h"

static const struct cli_option options[] = {
    {"key", 'k', "VKEY|FILE", "the log's verifier key, or one that handed over to it"},
    {"since", 0, "FILE", "a checkpoint kept elsewhere: the log must go on from it"},
    {"chain", 0, "FILE",
     "of ledger key chain: for a PROOF or CERTIFICATE by an older or newer key"},
    {"with-data", 0, NULL, "also what entries say of people; needs the folder of keys"},
    {"subjects", 0, "FOLDER", "the folder of keys; default beside the ledger"},
    {"threads", 0, "N", "how many, default one more than there are cores"},
    {NULL, 0, NULL, NULL},
};

struct verdict {
    const char *folder;
    enum status status;
    struct verify_report report;
    struct verify_damage damage;
    struct error error;
    double seconds;
    bool has_key, has_since, has_data;
    struct data_report data;
    struct canaries_check canaries; /* where has_data */
    struct never_check never;       /* commitments is 0: none, or not asked for */
    char not_recomputed[sizeof((struct error *)NULL)->message]; /* why; "" where it was */
};

static void format_span(const struct verify_report *report, char first[static 21],
                        char last[static 21])
{
    first[0] = last[0] = '\0';
    if (report->entries == 0)
        return;
    clock_format_utc(report->first_ns, first);
    clock_format_utc(report->last_ns, last);
}

/* What has been shown, and what has not: a verdict is worth as much as what it was held against. */
static void print_worth(const struct verdict *verdict)
{
    const struct verify_report *report = &verdict->report;
    if (report->keys == 0)
        printf("Nothing is signed: the log agrees with itself.\n");
    else
        printf("signed: %" PRIu64 " of %" PRIu64 " entries, by %zu checkpoints; %zu key%s%s\n",
               report->signed_size, report->entries, report->signatures, report->keys,
               report->keys == 1 ? "" : "s", report->breaks > 0 ? ", not all handed over" : "");
    if (report->keys > 0 && !verdict->has_key)
        printf(
            "The key was taken from the log itself: whoever can rewrite the folder can also sign\n"
            "anew. Give --key with the key that you were given.\n");
    if (!verdict->has_since)
        printf("Whether the newest part was taken off, together with every witness in the folder,\n"
               "only a checkpoint shows that was kept elsewhere: give it with --since.\n");
}

/* Of what was dropped only the statement is left, and what published tiles show. */
static void print_dropped(const struct verify_report *report)
{
    char first[21], last[21];
    clock_format_utc(report->dropped_first_ns, first);
    clock_format_utc(report->dropped_last_ns, last);
    printf("gone:  %" PRIu64 " of the entries below %" PRIu64 " were dropped, of %s to %s: %s\n",
           report->dropped, report->dropped_below, first, last, report->dropped_reason);
    printf("kept:  %" PRIu64 " of them, about nobody, %s\n", report->carried,
           report->carried_proven ? "each with the hash that the published tiles have"
                                  : "by the signature alone: the tiles are not here to prove them");
    if (report->claims_below > 0)
        printf(
            "       %zu checkpoints of smaller logs can be held against nothing here: for that,\n"
            "       verify a folder with the published tiles, or a backup from before\n",
            report->claims_below);
}

static void print_whole(const struct verdict *verdict)
{
    const struct verify_report *report = &verdict->report;
    char first[21], last[21], root[48];
    format_span(report, first, last);
    crypto_base64_encode(report->root, sizeof report->root, root);
    printf("whole: %" PRIu64 " entries in %" PRIu64 " segments%s\n", report->entries,
           report->segments,
           report->live     ? ", and being written"
           : report->closed ? ", closed"
                            : ", in use or not stopped in an orderly way");
    printf("log:   cofferdam/log/%s\nroot:  %s\n", report->log_id, root);
    if (report->entries > 0)
        printf("time:  %s to %s\n", first, last);
    if (report->dropped_below > 0)
        print_dropped(report);
    printf("speed: %.0f entries a second, %.0f MB a second\n",
           (double)report->entries / verdict->seconds,
           (double)report->bytes / verdict->seconds / 1e6);
    if (verdict->has_data)
        printf("data:  %" PRIu64 " items, %" PRIu64 " subject ids, %" PRIu64 " of them erased, all "
               "known; %" PRIu64 " entries cut short by a crash or a full disk\n",
               verdict->data.items, verdict->data.subjects, verdict->data.erased,
               verdict->data.unfinished);
    if (verdict->canaries.deliveries > 0)
        printf("canaries: of %" PRIu64 " deliveries, %s\n", verdict->canaries.deliveries,
               verdict->canaries.absent ? "not compared: deliveries.sqlite is not here"
                                        : "each as it was committed to");
    if (verdict->never.recomputed)
        printf("never: the index of entry %" PRIu64 " follows from the log and the keys\n",
               verdict->never.sequence);
    cli_print_beyond(&verdict->never, "never: ");
    if (verdict->not_recomputed[0] != '\0')
        printf("never: the index of people disclosed was not recomputed: %s\n",
               verdict->not_recomputed);
    printf("\n");
    print_worth(verdict);
}

static json_t *describe(const struct verdict *verdict)
{
    const struct verify_report *report = &verdict->report;
    char first[21], last[21], root[48];
    if (verdict->status == STATUS_CORRUPT)
        return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "verdict", "damaged", "check",
                         verdict->damage.check == NULL ? "" : verdict->damage.check, "file",
                         verdict->damage.file, "byte", (json_int_t)verdict->damage.byte, "sequence",
                         (json_int_t)verdict->damage.sequence, "message",
                         cli_json_text(verdict->error.message));
    format_span(report, first, last);
    crypto_base64_encode(report->root, sizeof report->root, root);
    json_t *told = json_pack(
        "{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, "
        "s:s, s:s, s:f}",
        "verdict", "whole", "log", report->log_id, "entries", (json_int_t)report->entries,
        "acknowledged", (json_int_t)report->acknowledged, "root", root, "segments",
        (json_int_t)report->segments, "frames", (json_int_t)report->frames, "bytes",
        (json_int_t)report->bytes, "checkpoints", (json_int_t)report->claims_met, "signatures",
        (json_int_t)report->signatures, "signed", (json_int_t)report->signed_size, "keys",
        (json_int_t)report->keys, "key_breaks", (json_int_t)report->breaks, "key_given",
        verdict->has_key, "since_given", verdict->has_since, "closed", report->closed, "live",
        report->live, "first", first, "last", last, "seconds", verdict->seconds);
    if (told != NULL && verdict->has_data &&
        json_object_set_new(told, "data",
                            json_pack("{s:I, s:I, s:I, s:I, s:I}", "items",
                                      (json_int_t)verdict->data.items, "subjects",
                                      (json_int_t)verdict->data.subjects, "erased",
                                      (json_int_t)verdict->data.erased, "sections",
                                      (json_int_t)verdict->data.sections, "unfinished",
                                      (json_int_t)verdict->data.unfinished)) != 0)
        return NULL;
    if (told != NULL && verdict->canaries.deliveries > 0 &&
        json_object_set_new(told, "canaries",
                            json_pack("{s:I, s:b}", "deliveries",
                                      (json_int_t)verdict->canaries.deliveries, "compared",
                                      !verdict->canaries.absent)) != 0)
        return NULL;
    if (told != NULL && report->dropped_below > 0 &&
        json_object_set_new(
            told, "dropped",
            json_pack("{s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:b}", "below",
                      (json_int_t)report->dropped_below, "entries", (json_int_t)report->dropped,
                      "first_ns", (json_int_t)report->dropped_first_ns, "last_ns",
                      (json_int_t)report->dropped_last_ns, "reason", report->dropped_reason,
                      "checkpoints_unmet", (json_int_t)report->claims_below, "carried",
                      (json_int_t)report->carried, "carried_proven", report->carried_proven)) != 0)
        return NULL;
    if (told != NULL && verdict->never.recomputed &&
        json_object_set_new(told, "never_follows",
                            json_integer((json_int_t)verdict->never.sequence)) != 0)
        return NULL;
    if (told != NULL && verdict->never.beyond > 0 &&
        json_object_set_new(told, "never_beyond",
                            json_integer((json_int_t)verdict->never.beyond)) != 0)
        return NULL;
    return told;
}

static enum status tell(const struct cli_call *call, const struct verdict *verdict,
                        struct error *error)
{
    if (call->json) {
        json_t *told = describe(verdict);
        CHECK(told != NULL);
        TRY(cli_json_print(told, false, error));
    } else if (verdict->status == STATUS_OK) {
        print_whole(verdict);
    }
    if (verdict->status == STATUS_OK)
        return STATUS_OK;
    *error = verdict->error;
    return verdict->status;
}

/* A second pass over what the first has shown to be the log. */
static void check_data(struct verdict *verdict, const char *subjects)
{
    uint64_t sequence = 0;
    const struct data_watch watch = {canaries_check_entry, &verdict->canaries};
    verdict->status =
        data_check(verdict->folder, subjects, &watch, &verdict->data, &sequence, &verdict->error);
    if (verdict->status != STATUS_CORRUPT)
        return;
    verdict->damage = (struct verify_damage){.check = "data", .sequence = sequence};
    snprintf(verdict->damage.file, sizeof verdict->damage.file, "%.500s", subjects);
}

/* Beside the folder of keys, as in the state folder and in a backup. */
static void check_canaries(struct verdict *verdict, const char *subjects)
{
    char path[CLI_PATH_ROOM];
    const char *slash = strrchr(subjects, '/');
    struct canaries_check *check = &verdict->canaries;
    if (snprintf(path, sizeof path, "%.*sdeliveries.sqlite",
                 slash == NULL ? 0 : (int)(slash - subjects) + 1, subjects) >= (int)sizeof path)
        return;
    verdict->status = canaries_check_stored(check, path, &verdict->error);
    if (verdict->status != STATUS_OK || check->unequal == 0)
        return;
    verdict->status = error_set(
        &verdict->error, STATUS_CORRUPT, "XX001",
        "restore deliveries.sqlite from a backup: until then these canaries accuse nobody",
        "%s, of %" PRIu64 " deliveries: the canaries that are stored are not those of its "
        "closing act",
        check->first, check->unequal);
    verdict->damage = (struct verify_damage){.check = "canaries"};
    snprintf(verdict->damage.file, sizeof verdict->damage.file, "%.500s", path);
}

/* Does what was committed to for proofs of non-exposure follow from the log? */
static void check_never(const struct cli_call *call, struct verdict *verdict)
{
    struct error error = {0};
    enum status status = cli_recompute_never(call, &verdict->never, &error);
    if (status == STATUS_NOT_FOUND) { /* the auditor has not been given the secret */
        snprintf(verdict->not_recomputed, sizeof verdict->not_recomputed, "%s", error.message);
    } else if (status != STATUS_OK) {
        verdict->status = status;
        verdict->error = error;
        verdict->damage = (struct verify_damage){.check = "never"};
        snprintf(verdict->damage.file, sizeof verdict->damage.file, "%.500s", verdict->folder);
    }
}

static enum status verify(struct cli_call *call, const char *folder, const char *subjects,
                          struct error *error)
{
    uint64_t threads;
    struct note_key key;
    const char *given = cli_value(call, "key"), *since = cli_value(call, "since");
    struct verdict verdict = {.folder = folder,
                              .has_key = given != NULL,
                              .has_since = since != NULL,
                              .has_data = cli_value(call, "with-data") != NULL};
    TRY(cli_number(call, "threads", 1, VERIFY_THREADS_MAX, 0, &threads, error));
    if (given != NULL)
        TRY(cli_log_key(call, given, &key, error));
    const struct verify_options wanted = {.folder = folder,
                                          .threads = (unsigned)threads,
                                          .bundles = verdict.has_data,
                                          .key = given == NULL ? NULL : &key,
                                          .checkpoints = &since,
                                          .checkpoint_count = since != NULL};
    int64_t before = clock_monotonic_ns();
    verdict.status = ledger_verify(&wanted, &verdict.report, &verdict.damage, &verdict.error);
    verdict.seconds = (double)(clock_monotonic_ns() - before) / 1e9;
    canaries_check_begin(&verdict.canaries);
    if (verdict.status == STATUS_OK && verdict.has_data)
        check_data(&verdict, subjects);
    if (verdict.status == STATUS_OK && verdict.has_data)
        check_canaries(&verdict, subjects);
    if (verdict.status == STATUS_OK && verdict.has_data && call->argument_count == 0)
        check_never(call, &verdict);
    enum status status = verdict.status;
    if (status == STATUS_OK || status == STATUS_CORRUPT)
        status = tell(call, &verdict, error);
    else
        *error = verdict.error;
    canaries_check_end(&verdict.canaries);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM], beside[CLI_PATH_ROOM];
    const char *subjects = cli_value(call, "subjects");
    const char *given = call->argument_count == 1 ? call->arguments[0] : NULL;
    if (given != NULL && cli_is_never_certificate(given))
        return cli_verify_never(call, given, cli_value(call, "key"), error);
    if (given != NULL && cli_is_proof(given))
        return cli_verify_proof(call, given, error);
    TRY(cli_log_folder(call, given, folder, beside, error));
    return verify(call, folder, subjects == NULL ? beside : subjects, error);
}

const struct cli_command verb_ledger_verify = {
    .arguments = "[FOLDER|PROOF|CERTIFICATE]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Reads a whole ledger and tells whether it is what was written: each segment, frame and\n"
        "entry, the tree over them, and that nothing acknowledged is missing at its end. Names "
        "the\n"
        "first difference: which check, file, byte and entry. Holds it against each checkpoint in\n"
        "the folder and the one of --since, and their signatures against the log's keys; with "
        "--key\n"
        "it must be signed to its end. Changes nothing, needs no configuration where FOLDER is "
        "given, and may run beside the gateway.\n"
        "With --with-data the sets of people are decoded, too, and each is looked for in the\n"
        "folder of keys; the canaries of deliveries are held against what was committed to, where\n"
        "deliveries.sqlite is beside it; without FOLDER the newest ledger commit is recomputed.\n"
        "A proof or a certificate of ledger prove is checked with --key alone; a proof that an\n"
        "older log is the beginning also with that log's checkpoint as --since. Where the log's "
        "key\n"
        "was changed between the two, --chain joins the key that you know to the one that signed.",
    .examples = "ledger verify /var/lib/cofferdam/ledger\n"
                "ledger verify /mnt/copy --key log.vkey --since checkpoint-of-march\n"
                "ledger verify --json\n"
                "ledger verify 4711.tlog-proof --key log.vkey\n"
                "ledger verify never.txt --key log.vkey\n",
    .exits = "the log is damaged, or could not be read",
    .run = run,
};
