/* Fuzz target: the decoder of ledger entries. What it accepts is the one encoding of what it gave,
 * since these bytes are the leaves of a tree that others verify. */
#include "base/check.h"
#include "base/limits.h"
#include "ledger/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer again;
    struct ledger_entry entry;
    struct error error;
    arena_init(&arena, ENTRY_ARENA_BYTES);
    buffer_init(&again, LIMIT_LEDGER_ENTRY_BYTES);
    enum status status = ledger_entry_decode(slice_of(data, size), &arena, &entry, &error);
    CHECK(status == STATUS_OK || status == STATUS_CORRUPT);
    if (status == STATUS_OK) {
        CHECK(ledger_entry_encode(&entry, &again, &error) == STATUS_OK);
        CHECK(slice_equal(buffer_slice(&again), slice_of(data, size)));
    }
    buffer_free(&again);
    arena_free(&arena);
    return 0;
}
