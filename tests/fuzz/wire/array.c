/* Fuzz target: array literals in hidden columns. Each step must move on, and nothing that was
 * accepted may be longer than what it was read from. */
#include "base/check.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size), element;
    struct buffer scratch;
    size_t at = 0, before = 0, bytes = 0;
    bool is_null;
    enum status status;
    buffer_init(&scratch, size);
    while ((status = wire_array_next(text, &at, &scratch, &is_null, &element)) == STATUS_OK) {
        CHECK(at > before && at < size);
        before = at;
        bytes += is_null ? 4 : element.len;
        CHECK(bytes < size);
        CHECK(is_null == (element.data == NULL));
    }
    CHECK(status == STATUS_PEER || (status == STATUS_NOT_FOUND && data[size - 1] == '}'));
    buffer_free(&scratch);
    return 0;
}
