/* Fuzz target: a posted form. What is read is terminated, fits, and holds no control character. */
#include <string.h>

#include "base/check.h"
#include "portal/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[ROOM];
    if (form_value(slice_of(data, size), "email", text, sizeof text) != STATUS_OK)
        return 0;
    size_t len = strnlen(text, sizeof text);
    CHECK(len < sizeof text && len <= size);
    for (size_t i = 0; i < len; i++)
        CHECK((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
    CHECK(len == 0 || (text[0] != ' ' && text[len - 1] != ' '));
    return 0;
}
