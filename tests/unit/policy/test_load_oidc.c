/* What a policy may ask of a token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#define WITH(oidc)         PARTNER "    agents:\n      - {name: a, identity: {oidc: {" oidc "}}}\n"
#define SECOND(name, oidc) "      - {name: " name ", identity: {oidc: {" oidc "}}}\n"

static void reads_claims(void **state)
{
    const struct policy *policy = fixture_load(WITH(
        "provider: corp, single_use: true, claims: {sub: a, roles: {contains: reader}, ok: true}")
                                                   SECOND("b", "provider: corp, claims: {sub: b}"));
    const struct policy_oidc *oidc = policy->partners[0].agents[0].oidc;
    assert_string_equal(oidc->provider, "corp");
    assert_true(oidc->single_use);
    assert_int_equal(oidc->claim_count, 3);
    assert_string_equal(oidc->claims[1].name, "roles");
    assert_string_equal(oidc->claims[1].value, "reader");
    assert_true(oidc->claims[1].contains && !oidc->claims[0].contains);
    assert_string_equal(oidc->claims[2].value, "true");
    assert_false(policy->partners[0].agents[1].oidc->single_use);
    assert_false(policy_same_oidc(oidc, policy->partners[0].agents[1].oidc));
    assert_true(policy_same_oidc(oidc, oidc));
    policy_release(policy);
}

static void no_agent_is_any_token(void **state)
{
    fixture_refuse(WITH("provider: corp, claims: {}"), "any token would do", NULL);
    fixture_refuse(WITH("provider: corp"), "claims", NULL);
    fixture_refuse(WITH("claims: {sub: a}"), "provider", NULL);
    fixture_refuse(WITH("provider: corp, claims: {sub: \"\"}"), "", NULL);
    fixture_refuse(WITH("provider: corp, claims: {aud: a}"), "judged for every token", "provider");
    fixture_refuse(WITH("provider: corp, claims: {roles: {has: a}}"), "has", NULL);
}

static void one_token_is_one_agents(void **state)
{
    fixture_refuse(WITH("provider: corp, claims: {sub: a, r: b}")
                       SECOND("b", "provider: corp, single_use: true, claims: {r: b, sub: a}"),
                   "the same token would be agent", "claims of its own");
    /* Who is the one of two agents is the other as well, whichever comes first. */
    fixture_refuse(WITH("provider: corp, claims: {sub: a, r: b}")
                       SECOND("b", "provider: corp, claims: {r: b}"),
                   "the same token would be agent", "claims of its own");
    fixture_refuse(WITH("provider: corp, claims: {r: {contains: b}}")
                       SECOND("b", "provider: corp, claims: {sub: b, r: {contains: b}}"),
                   "the same token would be agent", "claims of its own");
    fixture_refuse(PARTNER "    agents:\n      - {name: a, identity: {scram: s, oidc: {provider: "
                           "corp, claims: {sub: a}}}}\n",
                   "not for either", "two agents");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_claims),
                                       cmocka_unit_test(no_agent_is_any_token),
                                       cmocka_unit_test(one_token_is_one_agents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
