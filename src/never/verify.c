/* Does a certificate hold? From the top down: the checkpoint is signed, the commitment is in that
 * log, the mark is this person's, and between two neighbours there is nothing. Every number that is
 * used comes from the certificate of a stranger. */
#include <string.h>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "ledger/entry.h"
#include "ledger/ledger.h"
#include "never/certificate.h"

static enum status wrong(struct error *error, const char *what)
{
    return error_set(error, STATUS_INVALID, "22023", NULL, "the certificate does not hold: %s",
                     what);
}

bool never_is_certificate(struct slice bytes)
{
    size_t len = strlen(certificate_head);
    return bytes.len >= len && memcmp(bytes.data, certificate_head, len) == 0;
}

/* ---- the log ---- */

static enum status verify_checkpoint(const struct certificate *certificate,
                                     const struct note_key *keys, size_t key_count,
                                     struct checkpoint *checkpoint, struct error *error)
{
    struct note note;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    bool by_the_log = false;
    TRY(note_parse(certificate->checkpoint, &note, error));
    TRY(checkpoint_parse(note.text, origin, checkpoint, error));
    if (strcmp(origin, certificate->origin) != 0)
        return wrong(error, "its checkpoint is of another log");
    for (size_t i = 0; i < key_count; i++) {
        enum note_verdict verdict = note_check(&note, &keys[i]);
        if (verdict == NOTE_BAD)
            return wrong(error, "a signature of a given key is false");
        by_the_log = by_the_log || (verdict == NOTE_GOOD && keys[i].type == NOTE_TYPE_ED25519 &&
                                    strcmp(keys[i].name, origin) == 0);
    }
    return by_the_log ? STATUS_OK
                      : error_set(error, STATUS_INVALID, "22023",
                                  "Give the verifier key of the log that it names.",
                                  "the certificate is not signed by a given key of its log");
}

static enum status verify_entry(const struct certificate *certificate,
                                const struct checkpoint *checkpoint,
                                struct never_commitment *commitment, struct error *error)
{
    static const uint8_t leaf_tag = 0; /* RFC 6962, 2.1 */
    const struct slice parts[] = {slice_of(&leaf_tag, 1), buffer_slice(&certificate->entry)};
    uint8_t leaf[CRYPTO_SHA256_BYTES];
    struct arena arena;
    struct ledger_entry entry;
    crypto_sha256(parts, sizeof parts / sizeof parts[0], leaf);
    if (!proof_inclusion_holds(leaf, certificate->sequence, checkpoint->size,
                               &certificate->inclusion, checkpoint->root))
        return wrong(error, "its commitment is not in the log");
    arena_init(&arena, ENTRY_ARENA_BYTES);
    enum status status =
        ledger_entry_decode(buffer_slice(&certificate->entry), &arena, &entry, error);
    if (status == STATUS_OK && entry.type != LEDGER_COMMITMENT)
        status = wrong(error, "it names an entry that is no commitment");
    if (status == STATUS_OK)
        status = never_commitment_parse(entry.text, commitment, error);
    arena_free(&arena);
    TRY(status);
    if (commitment->base.from != certificate->from ||
        commitment->base.since_ns != certificate->since_ns)
        return wrong(error, "it speaks of another part of the log than its commitment");
    if (commitment->entries != certificate->entries ||
        commitment->as_of_ns != certificate->as_of_ns || commitment->erased != certificate->erased)
        return wrong(error, "it speaks of another index than its commitment");
    if (commitment->entries > certificate->sequence)
        return wrong(error, "its commitment speaks of entries behind itself");
    return STATUS_OK;
}

/* ---- the index ---- */

static bool is_between(const uint8_t *low, const uint8_t *mark, const uint8_t *high)
{
    return memcmp(low, mark, MARK_BYTES) < 0 && memcmp(mark, high, MARK_BYTES) < 0;
}

static enum status verify_place(const struct certificate *certificate,
                                const struct never_commitment *commitment,
                                const uint8_t mark[MARK_BYTES], struct error *error)
{
    uint8_t shown[CERTIFICATE_NEIGHBOURS][SORTED_HASH_BYTES], root[SORTED_HASH_BYTES];
    const struct marks_leaf *leaves = certificate->leaves;
    unsigned count = certificate->present ? 1 : CERTIFICATE_NEIGHBOURS;
    for (unsigned i = 0; i < count; i++)
        marks_leaf_hash(&leaves[i], shown[i]);
    if (!sorted_path_root(commitment->leaves, MARKS_TAG_NODE, certificate->place, count,
                          (const uint8_t(*)[SORTED_HASH_BYTES])shown, &certificate->path, root))
        return wrong(error, "the leaves shown are not in the index");
    marks_root(commitment->base.from, commitment->base.statement, root, root);
    if (memcmp(root, commitment->root, sizeof root) != 0)
        return wrong(error, "the leaves shown are not in the index");
    if (certificate->present ? memcmp(leaves[0].mark, mark, MARK_BYTES) != 0
                             : !is_between(leaves[0].mark, mark, leaves[1].mark))
        return wrong(error, "the leaves shown are another person's place");
    return STATUS_OK;
}

static enum status verify_inner(const struct certificate *certificate,
                                const uint8_t seed[SEED_BYTES], struct error *error)
{
    const uint8_t(*marks)[MARK_BYTES] = certificate->inner_marks;
    uint8_t root[SORTED_HASH_BYTES], mark[MARK_BYTES], inner[MARK_BYTES];
    marks_inner(certificate->inner_leaves, certificate->inner_root, inner);
    marks_question(seed, slice_of_text(certificate->question.partner),
                   slice_of_text(certificate->question.column), mark);
    if (memcmp(inner, certificate->leaves[0].inner, sizeof inner) != 0)
        return wrong(error, "the tree shown is not that of the person's leaf");
    if (!sorted_path_root(certificate->inner_leaves, MARKS_TAG_INNER_NODE, certificate->inner_place,
                          CERTIFICATE_NEIGHBOURS, marks, &certificate->inner_path, root) ||
        memcmp(root, certificate->inner_root, sizeof root) != 0)
        return wrong(error, "the marks shown are not in the person's own tree");
    return is_between(marks[0], mark, marks[1])
               ? STATUS_OK
               : wrong(error, "the marks shown are not around what was asked");
}

/* A person may be in no leaf at all; everybody always has one. */
static enum status verify_index(const struct certificate *certificate,
                                const struct never_commitment *commitment, struct error *error)
{
    const struct never_question *question = &certificate->question;
    bool person = question->subject[0] != '\0';
    bool narrower = question->partner[0] != '\0' || question->column[0] != '\0';
    uint8_t input[MARKS_INPUT_BYTES], output[VRF_OUTPUT_BYTES], seed[SEED_BYTES], mark[MARK_BYTES];
    if (person != (question->kind[0] != '\0') || (!person && !narrower))
        return wrong(error, "it asks nothing");
    if (certificate->present ? !narrower : !person)
        return wrong(error, "what it shows is not what it says");
    size_t len =
        marks_input(slice_of_text(question->kind), slice_of_text(question->subject), input);
    if (!vrf_verify(commitment->vrf_key, slice_of(input, len), certificate->vrf_proof, output))
        return wrong(error, "the proof of the person's place is false");
    marks_seed(output, seed);
    marks_subject(seed, mark);
    TRY(verify_place(certificate, commitment, mark, error));
    return certificate->present ? verify_inner(certificate, seed, error) : STATUS_OK;
}

enum status never_verify(struct slice bytes, const struct note_key *keys, size_t key_count,
                         struct never_claim *claim, struct error *error)
{
    struct certificate certificate;
    struct never_claim read = {0};
    certificate_init(&certificate);
    enum status status = certificate_parse(bytes, &certificate, error);
    if (status == STATUS_OK)
        status = verify_checkpoint(&certificate, keys, key_count, &read.checkpoint, error);
    if (status == STATUS_OK)
        status = verify_entry(&certificate, &read.checkpoint, &read.commitment, error);
    if (status == STATUS_OK)
        status = verify_index(&certificate, &read.commitment, error);
    if (status == STATUS_OK) {
        read.question = certificate.question;
        memcpy(read.origin, certificate.origin, sizeof read.origin);
        read.sequence = certificate.sequence;
        *claim = read;
    } else if (status == STATUS_CORRUPT) {
        status = wrong(error, "its commitment is malformed");
    }
    certificate_free(&certificate);
    return status;
}
