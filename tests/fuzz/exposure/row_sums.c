/* Fuzz target: row sums of an item. What is valid is compared with itself and does not differ. The
 * first two bytes say of how many people it is. */
#include <roaring/roaring.h>

#include "base/check.h"
#include "exposure/row_sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t value;
    (void)row_sums_parse(slice_of(data, size), &value);
    if (size < 2)
        return 0;
    uint32_t people = load_u16be(data);
    struct row_sums sums = {.count = people, .bytes = slice_of(data + 2, size - 2)};
    if (!row_sums_valid(sums.bytes, people))
        return 0;
    roaring_bitmap_t *ids = roaring_bitmap_from_range(0, people, 1), *few = roaring_bitmap_create();
    CHECK(ids != NULL && few != NULL);
    sums.ids = ids;
    row_sums_compare(&sums, &sums, NULL, 5, few);
    row_sums_compare(&sums, &sums, &sums, 5, few);
    roaring_bitmap_free(few);
    roaring_bitmap_free(ids);
    return 0;
}
