/* Fuzz target: the decoder of commit frames, behind checksums that are put right here, because
 * whoever can write the disk can do that too. The input is a frame without padding. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "ledger/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SALT = 7, OFFSET = 4096, HEADER_CRC_AT = 88, CRC_AT = 92 };

static void put_checksums_right(uint8_t *frame, size_t size)
{
    uint8_t place[16];
    store_u64be(place, SALT);
    store_u64be(place + 8, OFFSET);
    store_u32be(frame + 4, (uint32_t)size);
    uint32_t crc = crypto_crc32c(crypto_crc32c(0, place, sizeof place), frame, HEADER_CRC_AT);
    store_u32be(frame + HEADER_CRC_AT, crc);
    crc = crypto_crc32c(0, frame, CRC_AT);
    crc = crypto_crc32c(crc, frame + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES);
    store_u32be(frame + CRC_AT, crc);
}

/* Every byte of the payload lies in exactly one entry or side section. */
static void walk(const struct frame_view *view)
{
    struct frame_cursor cursor;
    struct slice entry, side;
    size_t entries = 0, seen = 0;
    frame_cursor_start(view, &cursor);
    while (frame_cursor_next(&cursor, &entry, &side)) {
        CHECK(entry.data >= view->entries.data && side.len <= view->sides.len);
        entries++;
        seen += 4 + entry.len;
    }
    CHECK(entries == view->count && seen == view->entries.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_view view;
    if (size < FRAME_HEADER_BYTES)
        return 0;
    uint8_t *frame = calloc(frame_pad(size), 1);
    CHECK(frame != NULL);
    memcpy(frame, data, size);
    put_checksums_right(frame, size);
    if (frame_decode(slice_of(frame, frame_pad(size)), SALT, OFFSET, &view))
        walk(&view);
    free(frame);
    return 0;
}
