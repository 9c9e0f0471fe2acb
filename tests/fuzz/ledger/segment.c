/* Fuzz target: a segment's header, behind a checksum that is put right here. What is taken for one
 * says the same when it is written again, wherever its bytes say anything at all. */
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "ledger/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES] = {0}, again[SEGMENT_HEADER_BYTES];
    struct segment_header header, second;
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    store_u32be(bytes + sizeof bytes - 4, crypto_crc32c(0, bytes, sizeof bytes - 4));
    if (!segment_header_decode(bytes, &header))
        return 0;
    segment_header_encode(&header, again);
    CHECK(segment_header_decode(again, &second));
    CHECK(second.number == header.number && second.first_sequence == header.first_sequence);
    CHECK(second.size_bytes == header.size_bytes && second.salt == header.salt);
    CHECK(memcmp(second.previous_root, header.previous_root, sizeof second.previous_root) == 0);
    return 0;
}
