/* Claims of a token that was signed: a provider may sign whatever its users write. */
#include "oidc/claims.h"
#include "oidc/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct verdict verdict;
    const struct question question = {
        .now_s = 1800000000,
        .skew_s = 30,
        .max_lifetime_s = 3600,
        .issuer = slice_of_text("https://id.example"),
        .audience = slice_of_text("cofferdam"),
        .claims = {{"sub", "someone", false}, {"roles", "reader", true}},
        .claim_count = 2};
    json_t *claims = keys_parse_object(slice_of(data, len));
    if (claims == NULL)
        return 0;
    claims_judge(claims, &question, &verdict);
    if (verdict.kind == VERDICT_GOOD && verdict.expires_s <= question.now_s)
        __builtin_trap();
    json_decref(claims);
    return 0;
}
