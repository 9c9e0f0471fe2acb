/* Making a certificate from the kept index and the published tiles. What is made is verified as a
 * stranger would before it is handed out: nothing read from our own files is believed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/entry.h"
#include "ledger/ledger.h"
#include "ledger/tiles.h"
#include "never/certificate.h"
#include "never/index.h"
#include "never/spelling.h"
#include "never/workshop.h"

enum { VKEYS_BYTES = 16 * 1024, VKEYS_MAX = 16, TIME_ROOM = 21 };

struct proving {
    struct workshop workshop;
    struct never_index index;
    const struct never_question *question;
    uint8_t seed[SEED_BYTES], mark[MARK_BYTES];
    uint32_t *ids; /* of the person: several, where they were erased and came back */
    size_t id_count;
    uint32_t set; /* what was disclosed of them */
};

static bool is_person(const struct never_question *question)
{
    return question->subject[0] != '\0';
}

static enum status check_question(const struct never_question *question, struct error *error)
{
    struct slice kind = slice_of_text(question->kind), subject = slice_of_text(question->subject);
    struct slice partner = slice_of_text(question->partner);
    struct slice column = slice_of_text(question->column);
    if (subject.len > 0 && !spelling_key(subject))
        return error_set(error, STATUS_DENIED, "22023", NULL,
                         "a certificate names keys that are one line of plain text, without "
                         "characters that are not seen");
    if ((kind.len > 0 && !spelling_name(kind)) || (partner.len > 0 && !spelling_name(partner)) ||
        (column.len > 0 && !spelling_column(column)))
        return error_set(error, STATUS_DENIED, "22023",
                         "names are those of the policy; columns are written dataset.column",
                         "that is no name of a kind, a partner or a column");
    if (!is_person(question) && question->partner[0] == '\0' && question->column[0] == '\0')
        return error_set(error, STATUS_DENIED, "22023", "name a subject, a partner or a column",
                         "what was never disclosed is not said");
    return STATUS_OK;
}

/* A name that nobody ever had was never disclosed to, or of, and to certify that would mislead. */
static bool is_column(const struct policy *policy, const char *column)
{
    char dataset_name[LIMIT_NAME_BYTES + 1];
    const char *dot = strchr(column, '.');
    if (dot == NULL || (size_t)(dot - column) > LIMIT_NAME_BYTES)
        return false;
    snprintf(dataset_name, sizeof dataset_name, "%.*s", (int)(dot - column), column);
    const struct policy_dataset *dataset = policy_find_dataset(policy, dataset_name);
    for (size_t i = 0; dataset != NULL && i < dataset->column_count; i++)
        if (strcmp(dataset->columns[i].name, dot + 1) == 0)
            return true;
    return false;
}

static enum status check_names(const struct proving *proving, const struct policy *policy,
                               struct error *error)
{
    const struct never_question *question = proving->question;
    const struct holdings *holdings = &proving->index.holdings;
    const struct slice any = slice_of(NULL, 0);
    if (is_person(question) && policy_find_kind(policy, question->kind) == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                         "\"%s\" is no kind of subject in the policy", question->kind);
    if (question->partner[0] != '\0' && policy_find_partner(policy, question->partner) == NULL &&
        !holdings_has(holdings, holdings->everybody, slice_of_text(question->partner), any))
        return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam partner list",
                         "partner \"%s\" is not in the policy, and nothing was disclosed to it",
                         question->partner);
    if (question->column[0] != '\0' && !is_column(policy, question->column) &&
        !holdings_has(holdings, holdings->everybody, any, slice_of_text(question->column)))
        return error_set(
            error, STATUS_NOT_FOUND, "42703", "cofferdam check lists datasets and columns",
            "\"%s\" is no column of the policy: write dataset.column", question->column);
    return STATUS_OK;
}

/* ---- the person ---- */

/* Under which numbers the person is known: all are looked through, but only for a claim that is
 * false. */
static enum status find_ids(struct proving *proving, struct error *error)
{
    struct vrf_key key = {0};
    struct seeds seeds;
    if (!is_person(proving->question))
        return STATUS_OK;
    TRY(workshop_key(&proving->workshop, &key, error));
    enum status status = seeds_read(proving->workshop.seeds, key.public_key, &seeds, error);
    crypto_wipe(&key, sizeof key);
    TRY(status);
    proving->ids = malloc((seeds.count + 1) * sizeof *proving->ids);
    for (uint32_t id = 0; id < seeds.count && proving->ids != NULL; id++)
        if (memcmp(seeds.of[id], proving->seed, SEED_BYTES) == 0)
            proving->ids[proving->id_count++] = id;
    seeds_free(&seeds);
    return proving->ids != NULL ? STATUS_OK
                                : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* What a reading of the ledger has taken of them so far. */
static enum status find_set(struct proving *proving, struct holdings *holdings, uint32_t *set,
                            struct error *error)
{
    *set = is_person(proving->question) ? HOLDINGS_NOTHING : holdings->everybody;
    for (size_t i = 0; i < proving->id_count; i++)
        TRY(holdings_union(holdings, *set, holdings_of(holdings, proving->ids[i]), set, error));
    return STATUS_OK;
}

static bool is_disclosed(const struct proving *proving, const struct holdings *holdings,
                         uint32_t set)
{
    const struct never_question *question = proving->question;
    if (question->partner[0] == '\0' && question->column[0] == '\0')
        return set != HOLDINGS_NOTHING;
    return holdings_has(holdings, set, slice_of_text(question->partner),
                        slice_of_text(question->column));
}

/* ---- a claim that is false ---- */

struct first {
    struct proving *proving;
    struct holdings *holdings;
    bool found;
    int64_t time_ns;
};

static bool look_for_first(void *context, uint64_t sequence, const struct ledger_entry *entry)
{
    (void)sequence;
    struct first *first = context;
    uint32_t set;
    if (find_set(first->proving, first->holdings, &set, NULL) != STATUS_OK)
        return false;
    first->found = is_disclosed(first->proving, first->holdings, set);
    first->time_ns = entry->time_ns;
    return !first->found;
}

/* Says since when, as far as the ledger still tells. */
static enum status refuse(struct proving *proving, struct error *error)
{
    char since[TIME_ROOM] = "", hint[sizeof error->hint];
    struct holdings holdings = {0};
    struct first first = {.proving = proving, .holdings = &holdings};
    const struct never_question *question = proving->question;
    if (find_ids(proving, NULL) == STATUS_OK && holdings_init(&holdings, NULL) == STATUS_OK) {
        const struct workshop_reading reading = {.workshop = &proving->workshop,
                                                 .holdings = &holdings,
                                                 .until = proving->index.commitment.entries,
                                                 .seen = look_for_first,
                                                 .context = &first};
        if (workshop_read(&reading, NULL) == STATUS_OK && first.found)
            clock_format_utc(first.time_ns, since);
    }
    holdings_free(&holdings);
    if (is_person(question))
        snprintf(hint, sizeof hint,
                 "cofferdam subject %s KEY tells what was disclosed, and to whom", question->kind);
    else
        snprintf(hint, sizeof hint, "cofferdam exposure show%s%s tells of whom",
                 question->partner[0] == '\0' ? "" : " --partner ", question->partner);
    return error_set(error, STATUS_DENIED, "22000", hint,
                     "that would be false: it was disclosed%s%s", since[0] == '\0' ? "" : " on ",
                     since);
}

/* ---- the index's part ---- */

static enum status prove_inner(struct proving *proving, struct certificate *certificate,
                               struct error *error)
{
    uint8_t mark[MARK_BYTES], (*marks)[MARK_BYTES];
    size_t count, at = 0;
    marks_question(proving->seed, slice_of_text(proving->question->partner),
                   slice_of_text(proving->question->column), mark);
    TRY(never_index_inner(&proving->index.holdings, proving->set, proving->seed, &marks, &count,
                          error));
    while (at + 2 < count && memcmp(marks[at + 1], mark, MARK_BYTES) < 0)
        at++;
    struct sorted_tree tree = never_index_inner_tree(marks, count);
    certificate->inner_place = at;
    certificate->inner_leaves = count;
    sorted_tree_root(&tree, certificate->inner_root);
    memcpy(certificate->inner_marks, marks[at], sizeof certificate->inner_marks);
    sorted_tree_path(&tree, at, CERTIFICATE_NEIGHBOURS, &certificate->inner_path);
    free(marks);
    return STATUS_OK;
}

static enum status prove_place(struct proving *proving, struct certificate *certificate,
                               struct error *error)
{
    struct sorted_tree tree = never_index_tree(&proving->index);
    uint64_t place = never_index_place(&proving->index, proving->mark);
    const struct marks_leaf *leaves = &proving->index.leaves[place];
    certificate->place = place;
    certificate->present = memcmp(leaves->mark, proving->mark, MARK_BYTES) == 0;
    if (certificate->present)
        proving->set = never_index_set(&proving->index, place);
    if (proving->set >= proving->index.holdings.sets.count)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger commit --afresh",
                         "never/index is damaged");
    if (is_disclosed(proving, &proving->index.holdings, proving->set))
        return refuse(proving, error);
    unsigned count = certificate->present ? 1 : CERTIFICATE_NEIGHBOURS;
    memcpy(certificate->leaves, leaves, count * sizeof *leaves);
    sorted_tree_path(&tree, place, count, &certificate->path);
    return certificate->present ? prove_inner(proving, certificate, error) : STATUS_OK;
}

static enum status prove_index(struct proving *proving, struct certificate *certificate,
                               struct error *error)
{
    struct vrf_key key = {0};
    uint8_t input[MARKS_INPUT_BYTES], output[VRF_OUTPUT_BYTES];
    size_t len = marks_input(slice_of_text(proving->question->kind),
                             slice_of_text(proving->question->subject), input);
    TRY(workshop_key(&proving->workshop, &key, error));
    vrf_prove(&key, slice_of(input, len), certificate->vrf_proof, output);
    marks_seed(output, proving->seed);
    marks_subject(proving->seed, proving->mark);
    crypto_wipe(&key, sizeof key);
    return prove_place(proving, certificate, error);
}

/* ---- the log's part ---- */

static bool is_same(const struct never_commitment *a, const struct never_commitment *b)
{
    return never_base_equal(&a->base, &b->base) && a->entries == b->entries &&
           a->as_of_ns == b->as_of_ns && a->leaves == b->leaves && a->erased == b->erased &&
           memcmp(a->root, b->root, NEVER_HASH_BYTES) == 0 &&
           memcmp(a->vrf_key, b->vrf_key, NEVER_HASH_BYTES) == 0;
}

static enum status is_commitment(struct slice bytes, const struct never_commitment *wanted,
                                 struct arena *arena, bool *found, struct error *error)
{
    struct ledger_entry entry;
    struct never_commitment read;
    arena_reset(arena);
    TRY(ledger_entry_decode(bytes, arena, &entry, error));
    *found = entry.type == LEDGER_COMMITMENT &&
             never_commitment_parse(entry.text, &read, NULL) == STATUS_OK && is_same(&read, wanted);
    return STATUS_OK;
}

/* The entry that commits to the kept index: it stands soon behind what the index counts. */
static enum status find_commitment(const struct proving *proving, struct tiles *tiles,
                                   uint64_t *sequence, struct error *error)
{
    const struct never_commitment *wanted = &proving->index.commitment;
    const uint64_t size = tiles_checkpoint(tiles)->size;
    enum status status = STATUS_OK;
    bool found = false;
    struct arena arena;
    arena_init(&arena, ENTRY_ARENA_BYTES);
    for (uint64_t at = wanted->entries; status == STATUS_OK && !found && at < size; at++) {
        struct slice entry;
        status = tiles_entry(tiles, at, &entry, error);
        if (status == STATUS_OK)
            status = is_commitment(entry, wanted, &arena, &found, error);
        *sequence = at;
    }
    arena_free(&arena);
    if (status != STATUS_OK || found)
        return status;
    return error_set(error, STATUS_NOT_FOUND, "02000",
                     "Try again in some seconds, when more of the log is published; if that "
                     "does not help: cofferdam ledger commit",
                     "no published checkpoint of the log holds the index's commitment yet");
}

static enum status prove_commitment(const struct proving *proving, struct tiles *tiles,
                                    struct certificate *certificate, struct error *error)
{
    struct slice entry;
    uint64_t size = tiles_checkpoint(tiles)->size;
    if (tiles_note(tiles).len == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", "Try again in some seconds.",
                         "the log's published checkpoint has no signature yet");
    TRY(find_commitment(proving, tiles, &certificate->sequence, error));
    TRY(proof_inclusion(certificate->sequence, size, tiles_source, tiles, &certificate->inclusion,
                        error));
    TRY(tiles_entry(tiles, certificate->sequence, &entry, error));
    buffer_append(&certificate->entry, entry.data, entry.len);
    certificate->checkpoint = tiles_note(tiles);
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status read_vkeys(const struct proving *proving, struct note_key keys[VKEYS_MAX],
                              size_t *count, struct error *error)
{
    char path[WORKSHOP_PATH_ROOM + 16];
    struct buffer text;
    snprintf(path, sizeof path, "%s/log.vkey", proving->workshop.ledger);
    buffer_init(&text, VKEYS_BYTES);
    enum status status = file_read(path, &text, error);
    *count = 0;
    for (size_t at = 0; status == STATUS_OK && at < text.len && *count < VKEYS_MAX;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end == NULL ? text.len - at : (size_t)(end - (text.data + at));
        if (len > 0)
            status = note_key_parse(slice_of(text.data + at, len), &keys[(*count)++], error);
        at += len + 1;
    }
    buffer_free(&text);
    return status;
}

static enum status check_own(const struct proving *proving, struct slice text, struct error *error)
{
    struct note_key keys[VKEYS_MAX];
    struct never_claim claim;
    size_t count;
    TRY(read_vkeys(proving, keys, &count, error));
    enum status status = never_verify(text, keys, count, &claim, error);
    if (status == STATUS_OK)
        return STATUS_OK;
    error_prefix(error, "what was made does not hold (cofferdam ledger commit --afresh)");
    return STATUS_CORRUPT;
}

static enum status prove(struct proving *proving, struct certificate *certificate,
                         struct tiles *tiles, struct buffer *out, struct error *error)
{
    const struct never_commitment *commitment = &proving->index.commitment;
    memcpy(certificate->origin, proving->workshop.origin, sizeof certificate->origin);
    certificate->question = *proving->question;
    certificate->from = commitment->base.from;
    certificate->since_ns = commitment->base.since_ns;
    certificate->entries = commitment->entries;
    certificate->as_of_ns = commitment->as_of_ns;
    certificate->erased = commitment->erased;
    TRY(prove_index(proving, certificate, error));
    TRY(prove_commitment(proving, tiles, certificate, error));
    size_t from = out->len;
    certificate_format(certificate, out);
    if (out->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the certificate is too long");
    return check_own(proving, slice_of(out->data + from, out->len - from), error);
}

static enum status open_index(struct proving *proving, struct error *error)
{
    enum status status = never_index_open(proving->workshop.index, &proving->index, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, status, "02000", "cofferdam ledger commit makes one",
                         "there is no index of disclosures yet");
    TRY(status);
    if (strcmp(proving->index.origin, proving->workshop.origin) != 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", "cofferdam ledger commit",
                         "the index that is kept is of another log");
    if (!never_base_equal(&proving->index.commitment.base, &proving->workshop.base))
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "cofferdam ledger commit makes one of what is left. Certificates made "
                         "earlier stay good.",
                         "the index that is kept is of before entries were dropped from the "
                         "ledger");
    return STATUS_OK;
}

enum status never_prove(const struct never_place *place, const struct never_question *question,
                        struct buffer *out, struct error *error)
{
    struct proving proving = {.question = question};
    struct certificate certificate;
    struct tiles *tiles = NULL;
    TRY(check_question(question, error));
    TRY(workshop_open(place, &proving.workshop, error));
    certificate_init(&certificate);
    enum status status = open_index(&proving, error);
    if (status == STATUS_OK)
        status = check_names(&proving, place->policy, error);
    if (status == STATUS_OK)
        status = tiles_open(proving.workshop.ledger, &tiles, error);
    if (status == STATUS_OK)
        status = prove(&proving, &certificate, tiles, out, error);
    tiles_close(tiles);
    certificate_free(&certificate);
    never_index_free(&proving.index);
    free(proving.ids);
    crypto_wipe(proving.seed, sizeof proving.seed);
    return status;
}
