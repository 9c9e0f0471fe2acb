/* Certificates over a small log that is made here: honest ones hold, and whoever bends one, with
 * all of the company's secrets but the log's key, is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "exposure/subject_set.h"
#include "ledger/entry.h"
#include "never/certificate.h"
#include "never/index.h"

enum { PEOPLE = 30, LOG_ENTRIES = 9, COMMITMENT_AT = 6, ENTRY_ROOM = 4096, DIRECT = 1 };

static struct world {
    struct vrf_key vrf;
    struct note_signer signer, stranger;
    struct seeds seeds;
    struct never_index index;
    struct buffer entry;
    uint8_t leaves[LOG_ENTRIES][32];
    struct checkpoint checkpoint;
    struct buffer note;
} world;

static struct slice text_slice(const char *text)
{
    return slice_of_text(text);
}

/* ---- a world ---- */

static void disclose(const char *partner, uint32_t column_set, uint32_t first, uint32_t last)
{
    uint32_t ids[PEOPLE];
    size_t count = 0;
    struct buffer set;
    for (uint32_t id = first; id <= last; id++)
        ids[count++] = id;
    buffer_init(&set, 4096);
    subject_set_serialize(ids, count, &set);
    const struct ledger_item item = {
        .grade = DIRECT, .column_set = column_set, .subjects = buffer_slice(&set)};
    const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                       .partner = slice_of_text(partner),
                                       .items = &item,
                                       .item_count = 1};
    assert_int_equal(holdings_take(&world.index.holdings, &entry, NULL), STATUS_OK);
    buffer_free(&set);
}

static void key_of(uint32_t id, char key[16])
{
    snprintf(key, 16, "C-%04u", id);
}

static void make_index(void)
{
    struct holdings *holdings = &world.index.holdings;
    static const char *const sets[] = {"customer.email:clear:email\ncustomer.name:clear:name\n",
                                       "customer.vin:token:vehicle"};
    assert_int_equal(holdings_init(holdings, NULL), STATUS_OK);
    for (uint32_t i = 0; i < 2; i++) {
        const struct ledger_entry entry = {
            .type = LEDGER_COLUMN_SET, .column_set = i + 1, .text = slice_of_text(sets[i])};
        assert_int_equal(holdings_take(holdings, &entry, NULL), STATUS_OK);
    }
    disclose("ringway", 1, 1, PEOPLE);
    disclose("harbour", 2, 1, PEOPLE / 2);
    world.seeds.count = PEOPLE + 1;
    world.seeds.of = calloc(PEOPLE + 1, SEED_BYTES);
    for (uint32_t id = 1; id <= PEOPLE; id++) {
        char key[16];
        key_of(id, key);
        seeds_compute(&world.vrf, text_slice("customer"), text_slice(key), world.seeds.of[id]);
    }
    world.index.commitment.entries = holdings->entries;
    world.index.commitment.as_of_ns = INT64_C(1795000000) * 1000000000;
    memcpy(world.index.commitment.vrf_key, world.vrf.public_key, VRF_PUBLIC_BYTES);
    assert_int_equal(never_index_build(&world.index, &world.seeds, &world.vrf, NULL), STATUS_OK);
    assert_int_equal(world.index.commitment.leaves, PEOPLE + 3);
}

static void hash_entry(struct slice entry, uint8_t leaf[32])
{
    static const uint8_t tag = 0;
    const struct slice parts[] = {slice_of(&tag, 1), entry};
    crypto_sha256(parts, 2, leaf);
}

static enum status source(void *context, unsigned level, uint64_t index, uint8_t hash[static 32],
                          struct error *error)
{
    (void)context;
    if (level == 0) {
        memcpy(hash, world.leaves[index], 32);
        return STATUS_OK;
    }
    uint8_t node[65] = {1};
    const struct slice part = slice_of(node, sizeof node);
    TRY(source(context, level - 1, 2 * index, node + 1, error));
    TRY(source(context, level - 1, 2 * index + 1, node + 33, error));
    crypto_sha256(&part, 1, hash);
    return STATUS_OK;
}

static void sign(const struct note_signer *signer, const char *origin)
{
    struct buffer text;
    buffer_init(&text, NOTE_BYTES_MAX);
    checkpoint_format(origin, &world.checkpoint, &text);
    buffer_clear(&world.note);
    buffer_append(&world.note, text.data, text.len);
    buffer_append_text(&world.note, "\n");
    note_sign(signer, buffer_slice(&text), &world.note);
    buffer_free(&text);
}

/* The log, with the commitment's entry in it; whatever the entry, all of it is signed. */
static void publish(enum ledger_type type)
{
    struct buffer lines;
    buffer_init(&lines, NEVER_COMMITMENT_BYTES);
    never_commitment_format(&world.index.commitment, &lines);
    const struct ledger_entry entry = {.type = type,
                                       .time_ns = 5,
                                       .node = slice_of_text("node1"),
                                       .text = buffer_slice(&lines),
                                       .chunk_count = 1};
    buffer_clear(&world.entry);
    assert_int_equal(ledger_entry_encode(&entry, &world.entry, NULL), STATUS_OK);
    for (uint8_t i = 0; i < LOG_ENTRIES; i++)
        hash_entry(slice_of(&i, 1), world.leaves[i]);
    hash_entry(buffer_slice(&world.entry), world.leaves[COMMITMENT_AT]);
    world.checkpoint.size = LOG_ENTRIES;
    assert_int_equal(proof_root(LOG_ENTRIES, source, NULL, world.checkpoint.root, NULL), STATUS_OK);
    sign(&world.signer, world.index.origin);
    buffer_free(&lines);
}

static int set_up(void **state)
{
    (void)state;
    vrf_key_derive((const uint8_t[VRF_SEED_BYTES]){42}, &world.vrf);
    checkpoint_origin((const uint8_t[CHECKPOINT_LOG_ID_BYTES]){7}, world.index.origin);
    note_signer_generate(world.index.origin, &world.signer);
    note_signer_generate(world.index.origin, &world.stranger);
    buffer_init(&world.entry, ENTRY_ROOM);
    buffer_init(&world.note, NOTE_BYTES_MAX);
    make_index();
    publish(LEDGER_COMMITMENT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    never_index_free(&world.index);
    seeds_free(&world.seeds);
    buffer_free(&world.entry);
    buffer_free(&world.note);
    return 0;
}

/* ---- certificates ---- */

static struct never_question question_of(const char *subject, const char *partner,
                                         const char *column)
{
    struct never_question question = {0};
    if (subject[0] != '\0')
        snprintf(question.kind, sizeof question.kind, "customer");
    snprintf(question.subject, sizeof question.subject, "%s", subject);
    snprintf(question.partner, sizeof question.partner, "%s", partner);
    snprintf(question.column, sizeof question.column, "%s", column);
    return question;
}

/* The set that a key's person holds; everybody's for "". */
static uint32_t set_of(const char *subject)
{
    for (uint32_t id = 1; id <= PEOPLE; id++) {
        char key[16];
        key_of(id, key);
        if (strcmp(key, subject) == 0)
            return holdings_of(&world.index.holdings, id);
    }
    return subject[0] == '\0' ? world.index.holdings.everybody : HOLDINGS_NOTHING;
}

/* Shows two neighbours in a person's tree, around the mark or (where it is there) beside it. */
static void show_inner(struct certificate *certificate, const uint8_t seed[SEED_BYTES],
                       const uint8_t mark[MARK_BYTES], uint32_t set)
{
    uint8_t(*marks)[MARK_BYTES];
    size_t count, at = 0;
    assert_int_equal(never_index_inner(&world.index.holdings, set, seed, &marks, &count, NULL),
                     STATUS_OK);
    while (at + 2 < count && memcmp(marks[at + 1], mark, MARK_BYTES) < 0)
        at++;
    struct sorted_tree tree = never_index_inner_tree(marks, count);
    certificate->inner_place = at;
    certificate->inner_leaves = count;
    sorted_tree_root(&tree, certificate->inner_root);
    memcpy(certificate->inner_marks, marks[at], sizeof certificate->inner_marks);
    sorted_tree_path(&tree, at, 2, &certificate->inner_path);
    free(marks);
}

static void show_place(struct certificate *certificate, uint64_t place, bool present)
{
    struct sorted_tree tree = never_index_tree(&world.index);
    unsigned count = present ? 1 : 2;
    certificate->place = place;
    certificate->present = present;
    memcpy(certificate->leaves, &world.index.leaves[place], count * sizeof *world.index.leaves);
    sorted_tree_path(&tree, place, count, &certificate->path);
}

/* As good a certificate as can be made for a question, be it true or false. */
static void make(struct certificate *certificate, const struct never_question *question)
{
    uint8_t input[MARKS_INPUT_BYTES], output[VRF_OUTPUT_BYTES], seed[SEED_BYTES], mark[MARK_BYTES];
    certificate_init(certificate);
    memcpy(certificate->origin, world.index.origin, sizeof certificate->origin);
    certificate->from = world.index.commitment.base.from;
    certificate->since_ns = world.index.commitment.base.since_ns;
    certificate->entries = world.index.commitment.entries;
    certificate->erased = world.index.commitment.erased;
    certificate->as_of_ns = world.index.commitment.as_of_ns;
    certificate->question = *question;
    size_t len = marks_input(text_slice(question->kind), text_slice(question->subject), input);
    vrf_prove(&world.vrf, slice_of(input, len), certificate->vrf_proof, output);
    marks_seed(output, seed);
    marks_subject(seed, mark);
    uint64_t place = never_index_place(&world.index, mark);
    bool present = memcmp(world.index.leaves[place].mark, mark, MARK_BYTES) == 0;
    show_place(certificate, place, present);
    if (present) {
        marks_question(seed, text_slice(question->partner), text_slice(question->column), mark);
        show_inner(certificate, seed, mark, set_of(question->subject));
    }
    certificate->sequence = COMMITMENT_AT;
    buffer_append(&certificate->entry, world.entry.data, world.entry.len);
    assert_int_equal(
        proof_inclusion(COMMITMENT_AT, LOG_ENTRIES, source, NULL, &certificate->inclusion, NULL),
        STATUS_OK);
    certificate->checkpoint = buffer_slice(&world.note);
}

static enum status verify_text(struct slice text, struct never_claim *claim, struct error *error)
{
    return never_verify(text, &world.signer.key, 1, claim, error);
}

static void expect(struct certificate *certificate, const char *wrong)
{
    struct buffer text;
    struct never_claim claim;
    struct error error = {0};
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    certificate_format(certificate, &text);
    enum status status = verify_text(buffer_slice(&text), &claim, &error);
    if (wrong == NULL ? status != STATUS_OK
                      : status != STATUS_INVALID || strstr(error.message, wrong) == NULL)
        fail_msg("wanted %s, got %s \"%s\" of\n%.*s", wrong == NULL ? "it to hold" : wrong,
                 status_name(status), error.message, (int)text.len, (const char *)text.data);
    buffer_free(&text);
}

static void expect_question(const char *subject, const char *partner, const char *column,
                            const char *wrong)
{
    struct certificate certificate;
    struct never_question question = question_of(subject, partner, column);
    make(&certificate, &question);
    expect(&certificate, wrong);
    certificate_free(&certificate);
}

static void what_is_true_holds(void **state)
{
    (void)state;
    expect_question("C-0777", "", "", NULL);
    expect_question("C-0777", "ringway", "", NULL);
    expect_question("C-0777", "", "customer.email", NULL);
    expect_question("C-0020", "harbour", "", NULL);
    expect_question("C-0020", "", "customer.vin", NULL);
    expect_question("C-0003", "harbour", "customer.email", NULL);
    expect_question("C-0003", "ringway", "customer.vin", NULL);
    expect_question("", "nobody", "", NULL);
    expect_question("", "ringway", "customer.vin", NULL);
    expect_question("", "", "customer.iban", NULL);
}

static void what_is_false_cannot_be_shown(void **state)
{
    (void)state;
    expect_question("C-0003", "", "", "what it shows is not what it says");
    expect_question("C-0003", "harbour", "", "not around what was asked");
    expect_question("C-0003", "", "customer.vin", "not around what was asked");
    expect_question("C-0020", "ringway", "customer.email", "not around what was asked");
    expect_question("", "ringway", "", "not around what was asked");
    expect_question("", "", "customer.email", "not around what was asked");
    expect_question("", "", "", "asks nothing");
}

/* Each is true by its bytes, and would be read as another, false claim. */
static void a_claim_cannot_be_worded_into_another(void **state)
{
    static const char *const partners[] = {"harbour or any other partner",
                                           "Harbour",
                                           "harbour ",
                                           "har\"bour",
                                           "7bour",
                                           "-",
                                           "h\xc3\xa5rbour"};
    static const char *const columns[] = {"customer.vin or any other",
                                          "customer",
                                          ".vin",
                                          "customer.",
                                          "customer.v in",
                                          "a.b.c",
                                          "customer.v\"in"};
    static const char *const keys[] = {"C-0003\xe2\x80\x8b",
                                       "\xe2\x80\xae"
                                       "3000-C",
                                       "C-\xc2\xad"
                                       "0003",
                                       "C-0003\xf3\xa0\x80\xa0",
                                       "C-0003\xc2\x85",
                                       "C-0003\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof partners / sizeof partners[0]; i++)
        expect_question("C-0003", partners[i], "", "statement is malformed");
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        expect_question("C-0003", "", columns[i], "statement is malformed");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        expect_question(keys[i], "", "", "statement is malformed");
    struct never_question question = question_of("C-0777", "", "");
    struct certificate certificate;
    snprintf(question.kind, sizeof question.kind, "customer \"C-0003\" or the customer");
    make(&certificate, &question);
    expect(&certificate, "statement is malformed");
    certificate_free(&certificate);
}

static void expect_words(const char *subject, const char *words)
{
    struct never_claim claim = {.question = question_of(subject, "", ""),
                                .commitment = world.index.commitment};
    struct buffer text;
    snprintf(claim.origin, sizeof claim.origin, "%s", world.index.origin);
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    never_claim_words(&claim, &text);
    assert_string_equal(buffer_text(&text), words);
    buffer_free(&text);
    expect_question(subject, "", "", NULL);
}

static void a_key_stays_within_its_quotation_marks(void **state)
{
    (void)state;
    expect_words("9\" or \"C-0003",
                 "Nothing about the customer \"9\"\" or \"\"C-0003\" was ever disclosed to any "
                 "partner.");
    expect_words("\xd0\xa1-0003", "Nothing about the customer \"\xd0\xa1-0003\" (bytes d0 a1 2d 30 "
                                  "30 30 33) was ever disclosed to any partner.");
}

static void another_persons_place_is_refused(void **state)
{
    (void)state;
    struct certificate certificate;
    struct never_question question = question_of("C-0003", "", "");
    make(&certificate, &question);
    for (uint64_t place = 0; place + 1 < world.index.commitment.leaves; place++) {
        show_place(&certificate, place,
                   false); /* all true neighbours, none of them around C-0003 */
        expect(&certificate, "another person's place");
    }
    struct never_question other = question_of("C-0777", "", "");
    struct certificate true_one;
    make(&true_one, &other);
    memcpy(certificate.vrf_proof, true_one.vrf_proof, VRF_PROOF_BYTES);
    certificate.leaves[0] = true_one.leaves[0];
    certificate.leaves[1] = true_one.leaves[1];
    certificate.path = true_one.path;
    certificate.place = true_one.place;
    expect(&certificate, "person's place is false");
    certificate_free(&certificate);
    certificate_free(&true_one);
}

static void neighbours_that_are_none_are_refused(void **state)
{
    (void)state;
    struct certificate certificate;
    struct never_question question = question_of("C-0003", "", "");
    make(&certificate, &question);
    uint64_t own = certificate.place;
    show_place(&certificate, own - 1, false);
    certificate.leaves[1] = world.index.leaves[own + 1]; /* passes over C-0003 */
    expect(&certificate, "not in the index");
    question = question_of("C-0003", "harbour", "");
    certificate_free(&certificate);
    make(&certificate, &question);
    memset(certificate.inner_marks[1], 0xFE, MARK_BYTES);
    expect(&certificate, "not in the person's own tree");
    certificate.inner_leaves = 2;
    memcpy(certificate.inner_marks[0], marks_lowest, MARK_BYTES); /* an empty tree, well made */
    memcpy(certificate.inner_marks[1], marks_highest, MARK_BYTES);
    certificate.inner_place = certificate.inner_path.count = 0;
    const struct sorted_tree empty = never_index_inner_tree(certificate.inner_marks, 2);
    sorted_tree_root(&empty, certificate.inner_root);
    expect(&certificate, "not that of the person's leaf");
    marks_inner(2, certificate.inner_root, certificate.leaves[0].inner);
    expect(&certificate, "not in the index");
    certificate_free(&certificate);
}

static void another_log_or_index_is_refused(void **state)
{
    (void)state;
    struct certificate certificate;
    struct never_question question = question_of("C-0777", "", "");
    make(&certificate, &question);
    certificate.entries--;
    expect(&certificate, "another index than its commitment");
    certificate.entries++;
    certificate.erased++;
    expect(&certificate, "another index than its commitment");
    certificate.erased--;
    certificate.sequence--;
    expect(&certificate, "not in the log");
    certificate.sequence++;
    snprintf(certificate.origin, sizeof certificate.origin, "cofferdam/log/other");
    expect(&certificate, "of another log");
    memcpy(certificate.origin, world.index.origin, sizeof certificate.origin);
    sign(&world.stranger, world.index.origin);
    certificate.checkpoint = buffer_slice(&world.note);
    expect(&certificate, "not signed by a given key");
    world.checkpoint.size--;
    sign(&world.signer, world.index.origin);
    certificate.checkpoint = buffer_slice(&world.note);
    expect(&certificate, "not in the log");
    publish(LEDGER_ACT); /* the same words, told by staff */
    certificate_free(&certificate);
    make(&certificate, &question);
    expect(&certificate, "no commitment");
    world.index.commitment.entries = COMMITMENT_AT + 1;
    publish(LEDGER_COMMITMENT);
    certificate_free(&certificate);
    make(&certificate, &question);
    expect(&certificate, "behind itself");
    world.index.commitment.entries = world.index.holdings.entries;
    publish(LEDGER_COMMITMENT);
    certificate_free(&certificate);
}

static void a_function_of_another_key_is_refused(void **state)
{
    (void)state;
    struct certificate certificate;
    struct never_question question = question_of("C-0003", "", "");
    struct vrf_key own = world.vrf;
    vrf_key_derive((const uint8_t[VRF_SEED_BYTES]){43}, &world.vrf);
    make(&certificate, &question); /* under it C-0003 has no leaf */
    assert_false(certificate.present);
    expect(&certificate, "person's place is false");
    world.vrf = own;
    certificate_free(&certificate);
}

static void flip(const char *subject, const char *partner, const char *column)
{
    struct certificate certificate;
    struct buffer text;
    struct never_claim claim;
    struct never_question question = question_of(subject, partner, column);
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    make(&certificate, &question);
    certificate_format(&certificate, &text);
    assert_int_equal(verify_text(buffer_slice(&text), &claim, NULL), STATUS_OK);
    assert_string_equal(claim.question.subject, subject);
    for (size_t i = 0; i < text.len; i++) {
        static const uint8_t masks[] = {0x01, 0x02, 0x20, 0x80};
        for (size_t j = 0; j < sizeof masks; j++) {
            text.data[i] ^= masks[j];
            if (verify_text(buffer_slice(&text), &claim, NULL) == STATUS_OK)
                fail_msg("byte %zu of %zu makes no difference", i, text.len);
            text.data[i] ^= masks[j];
        }
    }
    for (size_t len = 0; len < text.len; len++)
        assert_int_not_equal(verify_text(slice_of(text.data, len), &claim, NULL), STATUS_OK);
    buffer_append_text(&text, "\n");
    assert_int_not_equal(verify_text(buffer_slice(&text), &claim, NULL), STATUS_OK);
    certificate_free(&certificate);
    buffer_free(&text);
}

static void every_flipped_byte_is_refused(void **state)
{
    (void)state;
    flip("C-0777", "", "");
    flip("C-0020", "harbour", "customer.vin");
}

static void people_erased_before_are_told_of(void **state)
{
    (void)state;
    struct certificate certificate;
    struct buffer text;
    struct never_question question = question_of("C-0777", "", "");
    world.index.commitment.erased = 3;
    publish(LEDGER_COMMITMENT);
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    make(&certificate, &question);
    certificate_format(&certificate, &text);
    assert_non_null(strstr(buffer_text(&text), "lacks 3 people"));
    expect(&certificate, NULL);
    world.index.commitment.erased = 0;
    publish(LEDGER_COMMITMENT);
    certificate_free(&certificate);
    buffer_free(&text);
}

/* ---- a log that was cut ---- */

/* The log begins with entry 3, or (0) is whole: the index is bound to that, and committed to. */
static void cut(uint64_t from)
{
    world.index.commitment.base = (struct never_base){0};
    if (from > 0)
        world.index.commitment.base = (struct never_base){
            .from = from, .since_ns = INT64_C(1794000000) * 1000000000, .statement = {from, 9}};
    assert_int_equal(never_index_build(&world.index, &world.seeds, &world.vrf, NULL), STATUS_OK);
    publish(LEDGER_COMMITMENT);
}

static void of_a_cut_log_it_says_of_which_entries(void **state)
{
    (void)state;
    cut(3);
    what_is_true_holds(NULL);
    what_is_false_cannot_be_shown(NULL);
    expect_words("C-0777",
                 "In entries 3 to 3 of the log cofferdam/log/07000000000000000000000000000000, "
                 "since 2026-11-06T21:20:00Z: nothing about the customer \"C-0777\" was ever "
                 "disclosed to any partner.");
    flip("", "ringway", "customer.vin");
    cut(0);
}

/* With a true commitment of one part of the log, a claim about another. */
static void expect_part(uint64_t from, int64_t since_ns, const char *wrong)
{
    struct certificate certificate;
    struct never_question question = question_of("C-0777", "", "");
    make(&certificate, &question);
    certificate.from = from;
    certificate.since_ns = since_ns;
    expect(&certificate, wrong);
    certificate_free(&certificate);
}

static void a_claim_about_more_than_is_left_is_refused(void **state)
{
    static const char part[] = "another part of the log";
    (void)state;
    cut(3);
    const int64_t since_ns = world.index.commitment.base.since_ns;
    expect_part(3, since_ns, NULL);
    expect_part(0, 0, part);
    expect_part(1, since_ns, part);
    expect_part(2, since_ns, part);
    expect_part(3, since_ns - 1000000000, part);
    cut(2);
    expect_part(3, since_ns, part); /* a commitment of another base */
    cut(0);
    expect_part(3, since_ns, part); /* and of before the cut */
    expect_part(0, 0, NULL);
}

/* The company signs it, but the index is not that of the part of the log that it claims. */
static void an_index_is_bound_to_where_it_begins(void **state)
{
    (void)state;
    cut(3);
    const struct never_base base = world.index.commitment.base;
    world.index.commitment.base.statement[0] ^= 1;
    publish(LEDGER_COMMITMENT);
    expect_part(3, base.since_ns, "not in the index");
    world.index.commitment.base = base;
    world.index.commitment.base.from = 2;
    publish(LEDGER_COMMITMENT);
    expect_part(2, base.since_ns, "not in the index");
    world.index.commitment.base = (struct never_base){0};
    publish(LEDGER_COMMITMENT);
    expect_part(0, 0, "not in the index");
    cut(0);
    world.index.commitment.base = base;
    publish(LEDGER_COMMITMENT);
    expect_part(3, base.since_ns, "not in the index");
    cut(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_holds),
        cmocka_unit_test(what_is_false_cannot_be_shown),
        cmocka_unit_test(a_claim_cannot_be_worded_into_another),
        cmocka_unit_test(a_key_stays_within_its_quotation_marks),
        cmocka_unit_test(another_persons_place_is_refused),
        cmocka_unit_test(neighbours_that_are_none_are_refused),
        cmocka_unit_test(another_log_or_index_is_refused),
        cmocka_unit_test(a_function_of_another_key_is_refused),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(people_erased_before_are_told_of),
        cmocka_unit_test(of_a_cut_log_it_says_of_which_entries),
        cmocka_unit_test(a_claim_about_more_than_is_left_is_refused),
        cmocka_unit_test(an_index_is_bound_to_where_it_begins),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
