/* Building and checking commit frames. The checksum covers the segment's salt and the offset too
 * (after SQLite's WAL), so that a frame is valid in one place of one segment only: neither bytes
 * moved within a file nor a frame planted inside an entry's text are taken for one. */
#include "ledger/frame.h"

#include <string.h>

#include "base/limits.h"
#include "crypto/crypto.h"

enum { MAGIC = 0x43464631, HEADER_CRC_AT = 88, CRC_AT = 92, SIDE_HEADER_BYTES = 8 };
enum { BUFFER_LIMIT = FRAME_TARGET_BYTES + FRAME_SIDE_BYTES + 4 * LIMIT_LEDGER_ENTRY_BYTES };

void frame_init(struct frame *frame)
{
    *frame = (struct frame){0};
    buffer_init(&frame->bytes, BUFFER_LIMIT);
    buffer_init(&frame->sides, BUFFER_LIMIT);
    buffer_init(&frame->leaves, BUFFER_LIMIT);
}

void frame_free(struct frame *frame)
{
    buffer_free(&frame->bytes);
    buffer_free(&frame->sides);
    buffer_free(&frame->leaves);
}

void frame_begin(struct frame *frame, uint64_t segment, uint64_t offset, uint64_t first)
{
    frame->segment = segment;
    frame->offset = offset;
    frame->rolls = false;
    frame->first = first;
    frame->count = 0;
    buffer_clear(&frame->bytes);
    buffer_clear(&frame->sides);
    buffer_clear(&frame->leaves);
}

size_t frame_pad(size_t len)
{
    return (len + FRAME_ALIGN_BYTES - 1) / FRAME_ALIGN_BYTES * FRAME_ALIGN_BYTES;
}

size_t frame_padded_size(const struct frame *frame, size_t entry_len, size_t side_len)
{
    size_t len = frame->count == 0 ? FRAME_HEADER_BYTES : frame->bytes.len;
    len += frame->sides.len;
    if (entry_len > 0)
        len += 4 + entry_len;
    if (side_len > 0)
        len += SIDE_HEADER_BYTES + side_len;
    return frame_pad(len);
}

static bool reserve(struct buffer *buffer, size_t len)
{
    if (buffer_reserve(buffer, len) != NULL)
        return true;
    buffer->overflowed = false; /* nothing was lost: the frame goes on with what it has */
    return false;
}

static bool begin_bytes(struct frame *frame)
{
    static const uint8_t zeros[FRAME_HEADER_BYTES];
    if (frame->bytes.len > 0)
        return true;
    if (!reserve(&frame->bytes, sizeof zeros))
        return false;
    buffer_append(&frame->bytes, zeros, sizeof zeros);
    return true;
}

bool frame_add(struct frame *frame, struct slice entry, struct slice side,
               const uint8_t leaf[static MERKLE_HASH_BYTES])
{
    size_t sides_len = frame->sides.len + SIDE_HEADER_BYTES + side.len;
    if (!begin_bytes(frame) ||
        !reserve(&frame->bytes, 4 + entry.len + sides_len + FRAME_ALIGN_BYTES) ||
        !reserve(&frame->sides, SIDE_HEADER_BYTES + side.len) ||
        !reserve(&frame->leaves, MERKLE_HASH_BYTES))
        return false; /* sealing will need no more memory than this */
    buffer_append_u32be(&frame->bytes, (uint32_t)entry.len);
    buffer_append(&frame->bytes, entry.data, entry.len);
    if (side.len > 0) {
        buffer_append_u32be(&frame->sides, frame->count);
        buffer_append_u32be(&frame->sides, (uint32_t)side.len);
        buffer_append(&frame->sides, side.data, side.len);
    }
    buffer_append(&frame->leaves, leaf, MERKLE_HASH_BYTES);
    frame->count++;
    return true;
}

/* Of the place and the header: a length is believed only behind it. */
static uint32_t header_crc(const uint8_t *header, uint64_t salt, uint64_t offset)
{
    uint8_t place[16];
    store_u64be(place, salt);
    store_u64be(place + 8, offset);
    return crypto_crc32c(crypto_crc32c(0, place, sizeof place), header, HEADER_CRC_AT);
}

/* Of all bytes but itself; the place comes in with the header's. */
static uint32_t frame_crc(const uint8_t *bytes, size_t len)
{
    uint32_t crc = crypto_crc32c(0, bytes, CRC_AT);
    return crypto_crc32c(crc, bytes + FRAME_HEADER_BYTES, len - FRAME_HEADER_BYTES);
}

bool frame_seal(struct frame *frame, const struct frame_seal *seal, struct merkle *tree,
                struct slice *bytes)
{
    static const uint8_t zeros[FRAME_ALIGN_BYTES];
    if (!begin_bytes(frame))
        return false;
    size_t entries_len = frame->bytes.len - FRAME_HEADER_BYTES;
    size_t len = frame->bytes.len + frame->sides.len;
    if (!reserve(&frame->bytes, frame_pad(len) - frame->bytes.len))
        return false;
    buffer_append(&frame->bytes, frame->sides.data, frame->sides.len);
    buffer_append(&frame->bytes, zeros, frame_pad(len) - len);
    for (uint32_t i = 0; i < frame->count; i++)
        merkle_add(tree, frame->leaves.data + (size_t)i * MERKLE_HASH_BYTES);
    uint8_t *header = frame->bytes.data;
    store_u32be(header, MAGIC);
    store_u32be(header + 4, (uint32_t)len);
    store_u64be(header + 8, frame->first);
    store_u32be(header + 16, frame->count);
    store_u32be(header + 20, seal->flags);
    store_u64be(header + 24, seal->epoch);
    store_u64be(header + 32, seal->durable);
    store_u64be(header + 40, tree->size);
    merkle_root(tree, header + 48);
    store_u32be(header + 80, (uint32_t)entries_len);
    store_u32be(header + 84, (uint32_t)frame->sides.len);
    store_u32be(header + HEADER_CRC_AT, header_crc(header, seal->salt, frame->offset));
    store_u32be(header + CRC_AT, frame_crc(header, len));
    *bytes = buffer_slice(&frame->bytes);
    return true;
}

size_t frame_claimed_length(const uint8_t header[static FRAME_HEADER_BYTES], uint64_t salt,
                            uint64_t offset)
{
    size_t len = load_u32be(header + 4);
    size_t payload = (size_t)load_u32be(header + 80) + load_u32be(header + 84);
    if (load_u32be(header) != MAGIC || len > BUFFER_LIMIT || payload > BUFFER_LIMIT ||
        len != FRAME_HEADER_BYTES + payload ||
        load_u32be(header + HEADER_CRC_AT) != header_crc(header, salt, offset))
        return 0;
    return len;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Every length inside agrees with the section's own. */
static bool sections_agree(const struct frame_view *view)
{
    struct frame_cursor cursor;
    struct slice entry, side;
    uint32_t seen = 0;
    frame_cursor_start(view, &cursor);
    while (frame_cursor_next(&cursor, &entry, &side))
        seen++;
    return seen == view->count && cursor.entries.len == 0 && cursor.sides.len == 0;
}

static bool fields_agree(const struct frame_view *view)
{
    bool clean = (view->flags & FRAME_FLAG_CLEAN) != 0;
    return (view->flags & ~(uint32_t)FRAME_FLAG_CLEAN) == 0 && clean == (view->count == 0) &&
           view->durable <= view->first && view->first <= UINT64_MAX - view->count &&
           view->tree_size == view->first + view->count;
}

bool frame_decode(struct slice bytes, uint64_t salt, uint64_t offset, struct frame_view *view)
{
    const uint8_t *header = bytes.data;
    size_t len = bytes.len < FRAME_HEADER_BYTES ? 0 : frame_claimed_length(header, salt, offset);
    if (len == 0 || bytes.len != frame_pad(len) ||
        load_u32be(header + CRC_AT) != frame_crc(header, len) ||
        !all_zero(header + len, bytes.len - len))
        return false;
    size_t entries_len = load_u32be(header + 80);
    struct frame_view read = {
        .first = load_u64be(header + 8),
        .count = load_u32be(header + 16),
        .flags = load_u32be(header + 20),
        .epoch = load_u64be(header + 24),
        .durable = load_u64be(header + 32),
        .tree_size = load_u64be(header + 40),
        .entries = slice_of(header + FRAME_HEADER_BYTES, entries_len),
        .sides = slice_of(header + FRAME_HEADER_BYTES + entries_len, load_u32be(header + 84)),
    };
    memcpy(read.root, header + 48, sizeof read.root);
    if (!fields_agree(&read) || !sections_agree(&read))
        return false;
    *view = read;
    return true;
}

void frame_cursor_start(const struct frame_view *view, struct frame_cursor *cursor)
{
    *cursor = (struct frame_cursor){.entries = view->entries, .sides = view->sides};
}

static struct slice cut(struct slice *from, size_t header_len, size_t len)
{
    struct slice part = slice_of(from->data + header_len, len);
    *from = slice_of(part.data + len, from->len - header_len - len);
    return part;
}

bool frame_cursor_next(struct frame_cursor *cursor, struct slice *entry, struct slice *side)
{
    struct slice *entries = &cursor->entries, *sides = &cursor->sides;
    if (entries->len < 4 || load_u32be(entries->data) > entries->len - 4)
        return false;
    *entry = cut(entries, 4, load_u32be(entries->data));
    *side = slice_of(NULL, 0);
    if (sides->len >= SIDE_HEADER_BYTES && load_u32be(sides->data) == cursor->index &&
        load_u32be(sides->data + 4) <= sides->len - SIDE_HEADER_BYTES)
        *side = cut(sides, SIDE_HEADER_BYTES, load_u32be(sides->data + 4));
    cursor->index++;
    return true;
}
