/* Fuzz target: a checkpoint's text. What is read has one spelling: written anew it is the same. */
#include "base/check.h"
#include "ledger/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint read;
    struct buffer again;
    if (checkpoint_parse(slice_of(data, size), origin, &read, NULL) != STATUS_OK)
        return 0;
    buffer_init(&again, NOTE_BYTES_MAX);
    checkpoint_format(origin, &read, &again);
    CHECK(!again.overflowed && slice_equal(buffer_slice(&again), slice_of(data, size)));
    buffer_free(&again);
    return 0;
}
