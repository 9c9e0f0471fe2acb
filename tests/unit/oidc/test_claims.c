#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oidc/claims.h"
#include "oidc/keys.h"

static enum verdict_kind judge(const char *json, struct verdict *verdict)
{
    const struct question question = {.now_s = 1000000,
                                      .skew_s = 30,
                                      .max_lifetime_s = 3600,
                                      .issuer = slice_of_text("i"),
                                      .audience = slice_of_text("a"),
                                      .claims = {{"sub", "7", false}, {"r", "true", true}},
                                      .claim_count = 2};
    json_t *claims = keys_parse_object(slice_of_text(json));
    assert_non_null(claims);
    claims_judge(claims, &question, verdict);
    json_decref(claims);
    return verdict->kind;
}

static void each_claim_is_judged(void **state)
{
    static const struct {
        enum verdict_kind kind;
        const char *json;
    } cases[] = {
        {VERDICT_GOOD, "{'iss':'i','aud':'a','exp':1000600,'sub':'7','r':['x','true']}"},
        {VERDICT_GOOD, "{'iss':'i','aud':['a'],'exp':1000600.5,'sub':7,'r':[true]}"},
        {VERDICT_GOOD,
         "{'iss':'i','aud':['b','a'],'azp':'a','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_GOOD,
         "{'iss':'i','aud':'a','iat':1000030,'nbf':1000030,'exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_GOOD, "{'iss':'i','aud':'a','exp':999971,'sub':'7','r':['true']}"},
        {VERDICT_EXPIRED, "{'iss':'i','aud':'a','exp':999970,'sub':'7','r':['true']}"},
        {VERDICT_EXPIRED, "{'iss':'i','aud':'a','exp':0,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'j','aud':'a','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':['i'],'aud':'a','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'aud':'a','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':[['a']],'exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':['a','b'],'exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':['a','b'],'azp':'b','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','exp':1e300,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','exp':-1,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','iat':1000031,'exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','nbf':'x','exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','iat':996000,'exp':1000600,'sub':'7','r':['true']}"},
        {VERDICT_BAD, "{'iss':'i','aud':'a','exp':1003631,'sub':'7','r':['true']}"},
        {VERDICT_OTHER, "{'iss':'i','aud':'a','exp':1000600,'sub':'8','r':['true']}"},
        {VERDICT_OTHER, "{'iss':'i','aud':'a','exp':1000600,'sub':7.0,'r':['true']}"},
        {VERDICT_OTHER, "{'iss':'i','aud':'a','exp':1000600,'sub':'7','r':'true'}"},
        {VERDICT_OTHER, "{'iss':'i','aud':'a','exp':1000600,'sub':'7','r':[null,'False']}"},
        {VERDICT_OTHER, "{'iss':'i','aud':'a','exp':1000600,'sub':'7'}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict;
        char json[256];
        snprintf(json, sizeof json, "%s", cases[i].json);
        for (char *c = json; *c != '\0'; c++)
            *c = *c == '\'' ? '"' : *c;
        if (judge(json, &verdict) != cases[i].kind)
            fail_msg("%s: %d (%s), not %d", json, verdict.kind, verdict.text, cases[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_claim_is_judged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
