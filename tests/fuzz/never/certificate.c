/* Fuzz target: certificates of non-exposure. Whatever comes, verifying ends with a yes or a no; a
 * yes is for the very bytes of a seed, since nobody else has the log's key. */
#include <string.h>

#include "base/check.h"
#include "never/never.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char vkey[] = "cofferdam/log/abf1d82979a1fff8ed9628a9683c1f2e+61d12e75+"
                               "AcvUtgbgj/Dbs2sHs7tiM+7tnoAjvO4LpOId18jjKKFX";
    struct note_key key;
    struct never_claim claim;
    struct error error;
    CHECK(note_key_parse(slice_of_text(vkey), &key, &error) == STATUS_OK);
    enum status status = never_verify(slice_of(data, size), &key, 1, &claim, &error);
    CHECK(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK) {
        CHECK(never_is_certificate(slice_of(data, size)));
        CHECK(strcmp(claim.origin, key.name) == 0);
        CHECK(claim.commitment.entries <= claim.sequence && claim.sequence < claim.checkpoint.size);
    }
    return 0;
}
