/* Fuzz target: certificates of non-exposure. Whatever comes, verifying ends with a yes or a no; a
 * yes is for the very bytes of a seed, since nobody else has the log's key. */
#include <string.h>

#include "base/check.h"
#include "never/never.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const vkeys[] = {
        "cofferdam/log/abf1d82979a1fff8ed9628a9683c1f2e+61d12e75+"
        "AcvUtgbgj/Dbs2sHs7tiM+7tnoAjvO4LpOId18jjKKFX",
        "cofferdam/log/c39ef5049711baf2d83a47720271a35a+9ca00099+"
        "AZHjvwhUV3BxLO+zD522MCoAUNUUIc/wnyYJKj9NHg4y"}; /* of the log that was cut */
    struct note_key keys[2];
    struct never_claim claim;
    struct error error;
    for (size_t i = 0; i < 2; i++)
        CHECK(note_key_parse(slice_of_text(vkeys[i]), &keys[i], &error) == STATUS_OK);
    enum status status = never_verify(slice_of(data, size), keys, 2, &claim, &error);
    CHECK(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK) {
        CHECK(never_is_certificate(slice_of(data, size)));
        bool is_cut = claim.commitment.base.from > 0;
        CHECK(strcmp(claim.origin, keys[is_cut].name) == 0);
        CHECK(!is_cut || claim.commitment.base.from < claim.commitment.entries);
        CHECK(claim.commitment.entries <= claim.sequence && claim.sequence < claim.checkpoint.size);
    }
    return 0;
}
