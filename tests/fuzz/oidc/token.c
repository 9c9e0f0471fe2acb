/* Tokens as strangers send them, before the real key set that made one of the seeds. */
#include "oidc/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char keys[] = "{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                           "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct verdict verdict;
    const struct question question = {.kind = QUESTION_TOKEN,
                                      .now_s = 1800000000,
                                      .skew_s = 30,
                                      .max_lifetime_s = 3600,
                                      .issuer = slice_of_text("https://id.example"),
                                      .audience = slice_of_text("cofferdam"),
                                      .token = slice_of(data, len),
                                      .document = slice_of_text(keys)};
    token_judge(&question, &verdict);
    if (verdict.kind == VERDICT_GOOD && verdict.expires_s <= question.now_s)
        __builtin_trap();
    return 0;
}
