/* Fuzz target: a witness's answer. The first byte chooses the code of HTTP, the rest is the body.
 */
#include "base/check.h"
#include "witness/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long codes[] = {200, 409, 422, 404, 403, 400, 500};
    static const char vkey[] =
        "witness.example+5e3ffbc9+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct note_key key;
    struct answer_read read = {0};
    if (size == 0)
        return 0;
    CHECK(note_key_parse(slice_of_text(vkey), &key, NULL) == STATUS_OK);
    const struct answer answer = {.code = codes[data[0] % (sizeof codes / sizeof codes[0])],
                                  .type = "text/x.tlog.size",
                                  .body = slice_of(data + 1, size - 1)};
    if (answer_read(&answer, &key, slice_of_text("a\n1\nb\n"), &read, NULL) != STATUS_OK)
        return 0;
    if (read.meaning == ANSWER_COSIGNED)
        CHECK(read.line.data > data && read.line.data + read.line.len <= data + size);
    return 0;
}
