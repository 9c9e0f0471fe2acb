/* What the issuer reads from who may have taken over the gateway. */
#include "base/check.h"
#include "issuer/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct buffer again;
    struct issuer_question question;
    if (letter_read_question(slice_of(data, len), &question) != STATUS_OK)
        return 0;
    buffer_init(&again, LETTER_QUESTION_BYTES + 4);
    CHECK(letter_put_question(&question, &again, NULL) == STATUS_OK);
    CHECK(slice_equal(slice_of(again.data + 4, again.len - 4), slice_of(data, len)));
    buffer_free(&again);
    return 0;
}
