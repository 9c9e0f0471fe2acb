/* See verify_never.h. */
#include "cli/verify_never.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/since.h"
#include "cli/hand_overs.h"
#include "cli/json.h"
#include "cli/offline.h"
#include "exposure/kinds.h"

enum { KEYS_BYTES = 16 * 1024, HEAD_BYTES = 64, TIME_ROOM = 21 };

bool cli_is_never_certificate(const char *path)
{
    uint8_t head[HEAD_BYTES];
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t len = fread(head, 1, sizeof head, file);
    fclose(file);
    return never_is_certificate(slice_of(head, len));
}

static enum status parse_keys(struct slice text, struct note_key keys[CLI_KEYS_MAX], size_t *count,
                              struct error *error)
{
    *count = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        if (len > 0 && *count == CLI_KEYS_MAX)
            return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d keys", CLI_KEYS_MAX);
        if (len > 0)
            TRY(note_key_parse(slice_of(text.data, len), &keys[(*count)++], error));
        size_t taken = end == NULL ? len : len + 1;
        text = slice_of(text.data + taken, text.len - taken);
    }
    return STATUS_OK;
}

enum status cli_read_keys(const char *key, struct note_key keys[static CLI_KEYS_MAX], size_t *count,
                          struct error *error)
{
    struct buffer text;
    if (!file_exists(key))
        return parse_keys(slice_of_text(key), keys, count, error);
    buffer_init(&text, KEYS_BYTES);
    enum status status = file_read(key, &text, error);
    if (status == STATUS_OK)
        status = parse_keys(buffer_slice(&text), keys, count, error);
    buffer_free(&text);
    return status;
}

enum status cli_trusted_keys(const struct cli_call *call, const char *key,
                             struct note_key keys[static CLI_KEYS_MAX], size_t *count,
                             struct error *error)
{
    const char *chain = cli_value(call, "chain");
    TRY(cli_read_keys(key, keys, count, error));
    return chain == NULL || *count == 0
               ? STATUS_OK
               : cli_hand_overs_follow(chain, keys, CLI_KEYS_MAX, count, error);
}

static void print_extent(const struct never_claim *claim, const char *time, const char *since)
{
    const struct never_commitment *commitment = &claim->commitment;
    char sentence[SINCE_SENTENCE_ROOM];
    if (commitment->base.from == 0) {
        printf("as of: %s, the first %" PRIu64 " entries of %s\n", time, commitment->entries,
               claim->origin);
        return;
    }
    since_sentence(since, sentence);
    printf("as of: %s, entries %" PRIu64 " to %" PRIu64 " of %s\nsince: %s\n", time,
           commitment->base.from, commitment->entries - 1, claim->origin, sentence);
}

static enum status tell(const struct cli_call *call, const struct never_claim *claim,
                        struct error *error)
{
    struct buffer words;
    char time[TIME_ROOM], since[SINCE_TEXT_ROOM] = "";
    enum status status = STATUS_OK;
    if (claim->commitment.base.from > 0)
        since_format(claim->commitment.base.since_ns, since);
    clock_format_utc(claim->commitment.as_of_ns, time);
    buffer_init(&words, NEVER_CERTIFICATE_BYTES);
    never_claim_words(claim, &words);
    const char *sentence = buffer_text(&words);
    CHECK(sentence != NULL);
    if (call->json) {
        const struct never_question *question = &claim->question;
        json_t *told = json_pack(
            "{s:s, s:s, s:I, s:s?, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I}", "verdict",
            "holds", "claim", sentence, "from", (json_int_t)claim->commitment.base.from, "since",
            since[0] == '\0' ? NULL : since, "kind", question->kind, "subject", question->subject,
            "partner", question->partner, "column", question->column, "log", claim->origin,
            "entries", (json_int_t)claim->commitment.entries, "as_of", time, "erased",
            (json_int_t)claim->commitment.erased, "commitment", (json_int_t)claim->sequence,
            "checkpoint", (json_int_t)claim->checkpoint.size);
        CHECK(told != NULL);
        status = cli_json_print(told, false, error);
    } else {
        printf("holds: %s\n", sentence);
        print_extent(claim, time, since);
        printf("proof: ledger entry %" PRIu64 " commits to the index, and a signed checkpoint of "
               "%" PRIu64 " entries holds it\n",
               claim->sequence, claim->checkpoint.size);
        if (claim->commitment.erased > 0 && claim->question.subject[0] != '\0')
            printf("but:   the index lacks %" PRIu64 " people whose keys had been erased before\n",
                   claim->commitment.erased);
        printf("\nIt covers what passed the gateway and what was declared to it. That the index "
               "follows\nfrom the log is for an auditor with the data: ledger commit "
               "--check.\n");
    }
    buffer_free(&words);
    return status;
}

enum status cli_verify_never(struct cli_call *call, const char *path, const char *key,
                             struct error *error)
{
    struct note_key keys[CLI_KEYS_MAX];
    struct never_claim claim;
    struct buffer text;
    size_t count;
    if (key == NULL)
        return cli_usage(call, error,
                         "a certificate is checked with the log's verifier key: --key");
    TRY(cli_trusted_keys(call, key, keys, &count, error));
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = never_verify(buffer_slice(&text), keys, count, &claim, error);
    if (status == STATUS_OK)
        status = tell(call, &claim, error);
    buffer_free(&text);
    return status;
}

void cli_print_beyond(const struct never_check *check, const char *title)
{
    if (check->beyond > 0)
        printf("%s%" PRIu64 " of %" PRIu64 " commitments count entries that were dropped from the "
               "ledger, and cannot be recomputed\n",
               title, check->beyond, check->commitments);
}

enum status cli_recompute_never(const struct cli_call *call, struct never_check *check,
                                struct error *error)
{
    struct cli_offline offline = {0};
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = kinds_check(offline.config->state_folder, offline.policy, error);
    if (status == STATUS_OK) {
        const struct never_place place = {.state_folder = offline.config->state_folder,
                                          .policy = offline.policy};
        status = never_recompute(&place, UINT64_MAX, check, error);
    }
    cli_offline_free(&offline);
    return status;
}
