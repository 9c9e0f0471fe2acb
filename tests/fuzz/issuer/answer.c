/* What the gateway reads from the issuer: texts that go on to an agent and into the log. */
#include <string.h>

#include "base/check.h"
#include "issuer/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct issuer_answer answer = {.again = false};
    struct error error = {.status = STATUS_OK};
    enum status decision = STATUS_OK;
    buffer_init(&answer.certificate, ISSUER_PEM_BYTES);
    enum status status = letter_read_answer(slice_of(data, len), &answer, &decision, &error);
    if (status == STATUS_OK && decision != STATUS_OK) {
        CHECK(strlen(error.sqlstate) == 5 && error.status == decision);
        CHECK(strpbrk(error.message, "\r\n\x1b") == NULL);
    }
    CHECK(answer.certificate.len <= ISSUER_PEM_BYTES);
    buffer_free(&answer.certificate);
    return 0;
}
