#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rhonabwy.h>

#include "oidc/token.h"

/* Keys made anew, and what the library itself signs with them. */
struct signer {
    jwk_t *private_key, *public_key;
    char *keys;
};

static struct signer make(int type, unsigned bits, const char *member, const char *value)
{
    struct signer made = {0};
    r_jwk_init(&made.private_key);
    r_jwk_init(&made.public_key);
    assert_int_equal(r_jwk_generate_key_pair(made.private_key, made.public_key, type, bits, "k"),
                     RHN_OK);
    if (member != NULL)
        r_jwk_set_property_str(made.public_key, member, value);
    json_t *set = json_pack("{s:[o]}", "keys", r_jwk_export_to_json_t(made.public_key));
    made.keys = json_dumps(set, 0);
    json_decref(set);
    return made;
}

static void drop(struct signer *signer)
{
    r_jwk_free(signer->private_key);
    r_jwk_free(signer->public_key);
    free(signer->keys);
}

static char *sign(const struct signer *signer, jwa_alg alg, const char *name, const char *value)
{
    static const char claims[] = "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1000300,\"sub\":\"x\"}";
    jws_t *jws = NULL;
    r_jws_init(&jws);
    r_jws_set_alg(jws, alg);
    r_jws_set_payload(jws, (const uint8_t *)claims, sizeof claims - 1);
    if (name != NULL)
        r_jws_set_header_str_value(jws, name, value);
    char *token = r_jws_serialize(jws, signer->private_key, 0);
    r_jws_free(jws);
    assert_non_null(token);
    return token;
}

static enum verdict_kind judge(const struct signer *signer, const char *token,
                               struct verdict *verdict)
{
    const struct question question = {.now_s = 1000000,
                                      .max_lifetime_s = 3600,
                                      .issuer = slice_of_text("i"),
                                      .audience = slice_of_text("a"),
                                      .token = slice_of_text(token),
                                      .document = slice_of_text(signer->keys)};
    token_judge(&question, verdict);
    return verdict->kind;
}

static void expect(const struct signer *signer, jwa_alg alg, const char *name, const char *value,
                   enum verdict_kind kind)
{
    struct verdict verdict;
    char *token = sign(signer, alg, name, value);
    if (judge(signer, token, &verdict) != kind)
        fail_msg("%s: %d (%s), not %d", token, verdict.kind, verdict.text, kind);
    free(token);
}

static void takes_three_algorithms_each_with_its_key(void **state)
{
    static const struct {
        int type;
        unsigned bits;
        jwa_alg alg;
        enum verdict_kind kind;
    } cases[] = {
        {R_KEY_TYPE_RSA, 2048, R_JWA_ALG_RS256, VERDICT_GOOD},
        {R_KEY_TYPE_EC, 256, R_JWA_ALG_ES256, VERDICT_GOOD},
        {R_KEY_TYPE_EDDSA, 256, R_JWA_ALG_EDDSA, VERDICT_GOOD},
        {R_KEY_TYPE_RSA, 1024, R_JWA_ALG_RS256, VERDICT_BAD},
        {R_KEY_TYPE_RSA, 2048, R_JWA_ALG_RS512, VERDICT_BAD},
        {R_KEY_TYPE_RSA, 2048, R_JWA_ALG_PS256, VERDICT_BAD},
        {R_KEY_TYPE_EC, 384, R_JWA_ALG_ES384, VERDICT_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct signer signer = make(cases[i].type, cases[i].bits, NULL, NULL);
        expect(&signer, cases[i].alg, NULL, NULL, cases[i].kind);
        drop(&signer);
    }
}

static void a_key_has_one_use(void **state)
{
    static const struct {
        const char *member, *value;
        enum verdict_kind kind;
    } cases[] = {{"use", "sig", VERDICT_GOOD},   {"use", "enc", VERDICT_BAD},
                 {"alg", "ES256", VERDICT_GOOD}, {"alg", "RS256", VERDICT_BAD},
                 {"d", "AAAA", VERDICT_BAD},     {"kid", "other", VERDICT_UNKNOWN_KEY}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct signer signer = make(R_KEY_TYPE_EC, 256, cases[i].member, cases[i].value);
        expect(&signer, R_JWA_ALG_ES256, NULL, NULL, cases[i].kind);
        drop(&signer);
    }
}

static void a_header_brings_nothing_of_its_own(void **state)
{
    static const char *const bad[][2] = {{"jku", "https://e"},  {"x5u", "https://e"},
                                         {"crit", "x"},         {"zip", "DEF"},
                                         {"typ", "logout+jwt"}, {"typ", "dpop+jwt"}};
    struct signer signer = make(R_KEY_TYPE_EC, 256, NULL, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(&signer, R_JWA_ALG_ES256, bad[i][0], bad[i][1], VERDICT_BAD);
    expect(&signer, R_JWA_ALG_ES256, "typ", "application/at+jwt", VERDICT_GOOD);
    expect(&signer, R_JWA_ALG_ES256, "x5t", "hint", VERDICT_GOOD);
    drop(&signer);
}

/* Each byte changed is another token: none of them is taken. */
static void no_byte_can_be_changed(void **state)
{
    struct signer signer = make(R_KEY_TYPE_EDDSA, 256, NULL, NULL);
    struct verdict verdict;
    char *token = sign(&signer, R_JWA_ALG_EDDSA, NULL, NULL);
    assert_int_equal(judge(&signer, token, &verdict), VERDICT_GOOD);
    for (size_t i = 0; token[i] != '\0'; i++) {
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        if (judge(&signer, token, &verdict) == VERDICT_GOOD)
            fail_msg("byte %zu of %s", i, token);
        token[i] = kept;
    }
    free(token);
    drop(&signer);
}

static void expect_keys_at(const char *issuer, const char *url, enum verdict_kind kind)
{
    char text[300];
    struct verdict verdict;
    snprintf(text, sizeof text, "{\"issuer\": \"%s\", \"jwks_uri\": \"%s\"}", issuer, url);
    const struct question question = {.kind = QUESTION_DISCOVERY,
                                      .issuer = slice_of_text(issuer),
                                      .document = slice_of_text(text)};
    token_judge_discovery(&question, &verdict);
    assert_int_equal(verdict.kind, kind);
    if (kind == VERDICT_GOOD)
        assert_string_equal(verdict.text, url);
}

/* Not even by plain HTTP to this machine, which one that runs here may say. */
static void a_provider_sends_us_nowhere(void **state)
{
    expect_keys_at("https://id.example", "https://keys.example/k", VERDICT_GOOD);
    expect_keys_at("http://127.0.0.1:9", "http://127.0.0.1:9/k", VERDICT_GOOD);
    expect_keys_at("https://id.example", "http://127.0.0.1:8500/v1/agent/leave", VERDICT_BAD);
    expect_keys_at("https://id.example", "http://localhost/k", VERDICT_BAD);
    expect_keys_at("https://id.example", "http://id.example/k", VERDICT_BAD);
    expect_keys_at("https://id.example", "file:///etc/passwd", VERDICT_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_three_algorithms_each_with_its_key),
        cmocka_unit_test(a_key_has_one_use), cmocka_unit_test(a_header_brings_nothing_of_its_own),
        cmocka_unit_test(no_byte_can_be_changed), cmocka_unit_test(a_provider_sends_us_nowhere)};
    r_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
