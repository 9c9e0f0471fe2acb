/* What is asked of a witness, and what its answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "witness/answer.h"

static const char text[] = "cofferdam/log/1\n7\nroot\n";

struct witness_key {
    struct note_signer signer;
    struct note_key key;
};

static struct witness_key make_key(const char *name)
{
    struct witness_key made;
    note_signer_generate(name, &made.signer);
    note_key_make(name, NOTE_TYPE_COSIGNATURE, made.signer.key.public_key, &made.key);
    return made;
}

static void cosign(const struct witness_key *witness, const char *signed_text, struct buffer *out)
{
    uint8_t bytes[4 + 8 + 64];
    char message[256], base64[128];
    snprintf(message, sizeof message, "cosignature/v1\ntime 42\n%s", signed_text);
    store_u32be(bytes, witness->key.id);
    store_u64be(bytes + 4, 42);
    crypto_ed25519_sign(witness->signer.seed, slice_of_text(message), bytes + 12);
    crypto_base64_encode(bytes, sizeof bytes, base64);
    buffer_printf(out, "\xe2\x80\x94 %s %s\n", witness->key.name, base64);
}

static enum status take(long code, const char *type, struct slice body, const struct note_key *key,
                        struct answer_read *got, struct error *error)
{
    const struct answer answer = {.code = code, .type = type, .body = body};
    return answer_read(&answer, key, slice_of_text(text), got, error);
}

static void a_request_has_its_four_parts(void **state)
{
    struct proof proof = {.count = 2};
    struct buffer out;
    buffer_init(&out, ANSWER_REQUEST_BYTES);
    proof.hashes[1][0] = 0xff;
    assert_int_equal(answer_request(5, &proof, slice_of_text("note\n"), &out, NULL), STATUS_OK);
    assert_string_equal(buffer_text(&out), "old 5\n"
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                           "/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                           "\n"
                                           "note\n");
    buffer_clear(&out);
    proof.count = ANSWER_PROOF_MAX + 1;
    assert_int_equal(answer_request(5, &proof, slice_of_text("note\n"), &out, NULL), STATUS_LIMIT);
    buffer_free(&out);
}

static void a_cosignature_is_verified(void **state)
{
    struct witness_key witness = make_key("w.example"), other = make_key("other.example");
    struct answer_read got;
    struct error error = {0};
    struct buffer body;
    buffer_init(&body, 4096);
    cosign(&other, text, &body);
    size_t begin = body.len;
    cosign(&witness, text, &body);
    assert_int_equal(take(200, NULL, buffer_slice(&body), &witness.key, &got, &error), STATUS_OK);
    assert_int_equal(got.meaning, ANSWER_COSIGNED);
    assert_int_equal(got.time, 42);
    assert_ptr_equal(got.line.data, body.data + begin);
    assert_int_equal(got.line.len, body.len - begin);
    body.len = begin;
    assert_int_equal(take(200, NULL, buffer_slice(&body), &witness.key, &got, &error),
                     STATUS_DENIED);
    assert_non_null(strstr(error.message, "another key"));
    buffer_clear(&body);
    cosign(&witness, "cofferdam/log/1\n8\nroot\n", &body); /* of what we did not say */
    assert_int_equal(take(200, NULL, buffer_slice(&body), &witness.key, &got, &error),
                     STATUS_DENIED);
    assert_non_null(strstr(error.message, "does not verify"));
    buffer_free(&body);
}

static void a_conflict_names_a_size(void **state)
{
    static const char *const bad[] = {"",      "\n",   "7",    "07\n",
                                      "7\n\n", "-1\n", "7 \n", "99999999999999999999\n"};
    struct witness_key witness = make_key("w.example");
    struct answer_read got;
    const char *type = "text/x.tlog.size";
    assert_int_equal(take(409, type, slice_of_text("4711\n"), &witness.key, &got, NULL), STATUS_OK);
    assert_int_equal(got.meaning, ANSWER_CONFLICT);
    assert_int_equal(got.size, 4711);
    assert_int_equal(take(409, type, slice_of_text("0\n"), &witness.key, &got, NULL), STATUS_OK);
    assert_int_equal(got.size, 0);
    assert_int_equal(take(409, "text/html", slice_of_text("7\n"), &witness.key, &got, NULL),
                     STATUS_PEER);
    assert_int_equal(take(409, NULL, slice_of_text("7\n"), &witness.key, &got, NULL), STATUS_PEER);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (take(409, type, slice_of_text(bad[i]), &witness.key, &got, NULL) != STATUS_PEER)
            fail_msg("taken for a size: \"%s\"", bad[i]);
}

static void each_refusal_says_what_to_do(void **state)
{
    static const struct {
        long code;
        enum status status;
        const char *says;
    } cases[] = {{404, STATUS_DENIED, "does not know this log"},
                 {403, STATUS_DENIED, "does not take this log's signature"},
                 {400, STATUS_PEER, "did not understand"},
                 {301, STATUS_PEER, "HTTP 301"},
                 {500, STATUS_PEER, "HTTP 500"},
                 {200, STATUS_PEER, "no lines of signatures"}};
    struct witness_key witness = make_key("w.example");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer_read got;
        struct error error = {0};
        enum status status =
            take(cases[i].code, NULL, slice_of_text("<b>\n"), &witness.key, &got, &error);
        if (status != cases[i].status || strstr(error.message, cases[i].says) == NULL ||
            error.hint[0] == '\0' || strstr(error.message, "<b>") != NULL)
            fail_msg("%ld: %s: %s", cases[i].code, status_name(status), error.message);
    }
    struct answer_read got;
    assert_int_equal(take(422, NULL, slice_of(NULL, 0), &witness.key, &got, NULL), STATUS_OK);
    assert_int_equal(got.meaning, ANSWER_UNPROVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_four_parts),
        cmocka_unit_test(a_cosignature_is_verified),
        cmocka_unit_test(a_conflict_names_a_size),
        cmocka_unit_test(each_refusal_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
