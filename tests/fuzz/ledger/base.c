/* base_parse: any bytes give a statement that is written back to the same bytes, or an error. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ledger/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_statement statement;
    struct buffer again;
    if (base_parse(slice_of(data, size), &statement, NULL) != STATUS_OK)
        return 0;
    buffer_init(&again, NOTE_BYTES_MAX);
    base_format(&statement, &again);
    if (again.overflowed || !slice_equal(buffer_slice(&again), slice_of(data, size)))
        abort();
    buffer_free(&again);
    return 0;
}
