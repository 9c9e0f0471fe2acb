/* Key sets and descriptions as a provider's server sends them. */
#include "oidc/keys.h"
#include "oidc/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* RFC 8037, A.4: its key verifies it. */
static const char token[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"
                            "9g7sVvpAr_MuM0KAg";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct verdict verdict;
    const struct question question = {.issuer = slice_of_text("https://id.example"),
                                      .token = slice_of_text(token),
                                      .document = slice_of(data, len)};
    keys_judge(&question, &verdict);
    token_judge(&question, &verdict);
    token_judge_discovery(&question, &verdict);
    return 0;
}
