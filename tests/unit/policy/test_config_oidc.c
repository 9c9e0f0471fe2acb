/* Identity providers in cofferdam.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/config.h"

#define REST                                                                                       \
    "listen: {certificate: server.crt, key: server.key}\n"                                         \
    "upstream: {database: crm, user: gate, host: /run/postgresql}\n"
#define PROVIDER(more)                                                                             \
    REST "oidc: {corp: {issuer: \"https://id.example\", audience: us, " more "}}\n"

static void refuse(const char *text, const char *message)
{
    struct config *config = NULL;
    struct error error = {0};
    enum status status = config_load(fixture_write(text), &config, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: says \"%s\", not \"%s\"", status_name(status), error.message, message);
}

static void has_defaults(void **state)
{
    struct config *config = NULL;
    struct error error = {0};
    if (config_load(fixture_write(PROVIDER("discovery: true")), &config, &error) != STATUS_OK)
        fail_msg("refused: %s", error.message);
    assert_int_equal(config->oidc_count, 1);
    const struct config_oidc *oidc = &config->oidc[0];
    assert_string_equal(oidc->name, "corp");
    assert_null(oidc->jwks_url);
    assert_null(oidc->jwks_file);
    assert_null(oidc->typ);
    assert_int_equal(oidc->skew_s, 30);
    assert_int_equal(oidc->max_lifetime_s, 3600);
    assert_int_equal(oidc->refresh_s, 600);
    assert_int_equal(oidc->refetch_s, 30);
    assert_int_equal(oidc->keep_keys_s, 86400);
    config_free(config);
}

static void keys_come_from_one_place_that_is_safe(void **state)
{
    refuse(PROVIDER("skew_s: 1"), "where the keys");
    refuse(PROVIDER("discovery: true, jwks_file: a"), "where the keys");
    refuse(PROVIDER("jwks_url: \"http://id.example/keys\""), "not one of https");
    refuse(PROVIDER("jwks_url: \"http://127.0.0.1:80@id.example/keys\""), "not one of https");
    refuse(PROVIDER("jwks_file: a, skew_s: 61"), "61");
    refuse(REST "oidc: {corp: {issuer: \"http://id.example\", audience: us, discovery: true}}\n",
           "not one of https");
    refuse(REST "oidc: {corp: {issuer: \"https://id.example\", jwks_file: a}}\n", "audience");
    refuse(REST "oidc: {a: {issuer: \"https://id.example\", audience: us, discovery: true},\n"
                "  b: {issuer: \"https://id.example\", audience: us, jwks_file: k}}\n",
           "\"a\" and \"b\" are one issuer with one audience");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(has_defaults),
                                       cmocka_unit_test(keys_come_from_one_place_that_is_safe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
