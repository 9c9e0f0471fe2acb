/* The sealed text is bound to the clear head before it: ids cannot be moved to other keys. */
#include "exposure/side.h"

#include "base/limits.h"
#include "crypto/crypto.h"

enum {
    VERSION = 1,
    HEAD_BYTES = 25, /* version, key number, key mark, count, sealed length */
    PAIR_HEAD_BYTES = 3,
    COUNT_MAX = 1 << 20,
};

static size_t plain_bytes(const struct side_pair *pairs, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += PAIR_HEAD_BYTES + pairs[i].key.len;
    return total;
}

enum status side_seal(const struct seal_key *key, const struct side_pair *pairs, size_t count,
                      struct buffer *side, struct error *error)
{
    size_t start = side->len, len = plain_bytes(pairs, count);
    struct buffer plain;
    if (count > COUNT_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many new subjects at once");
    buffer_append_u8(side, VERSION);
    buffer_append_u64be(side, key->number);
    buffer_append(side, key->mark, sizeof key->mark);
    buffer_append_u32be(side, (uint32_t)count);
    buffer_append_u32be(side, (uint32_t)(len + CRYPTO_AEAD_OVERHEAD_BYTES));
    for (size_t i = 0; i < count; i++)
        buffer_append_u32be(side, pairs[i].id);
    size_t clear_len = side->len - start;
    buffer_init(&plain, len + 1);
    for (size_t i = 0; i < count; i++) {
        buffer_append_u16be(&plain, pairs[i].kind);
        buffer_append_u8(&plain, (uint8_t)pairs[i].key.len);
        buffer_append(&plain, pairs[i].key.data, pairs[i].key.len);
    }
    bool fits = buffer_reserve(side, len + CRYPTO_AEAD_OVERHEAD_BYTES) != NULL;
    if (fits && !plain.overflowed)
        crypto_seal(key->secret, slice_of(side->data + start, clear_len), buffer_slice(&plain),
                    side);
    bool lost = plain.overflowed || side->overflowed;
    if (plain.data != NULL)
        crypto_wipe(plain.data, plain.capacity);
    buffer_free(&plain);
    return lost ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many new subjects at once")
                : STATUS_OK;
}

enum status side_next(struct slice *rest, struct side_section *section)
{
    if (rest->len == 0)
        return STATUS_CLOSED;
    if (rest->len < HEAD_BYTES || rest->data[0] != VERSION)
        return STATUS_CORRUPT;
    const uint8_t *head = rest->data;
    size_t count = load_u32be(head + 17), sealed = load_u32be(head + 21);
    if (count > COUNT_MAX || (rest->len - HEAD_BYTES) / 4 < count ||
        rest->len - HEAD_BYTES - 4 * count < sealed)
        return STATUS_CORRUPT;
    size_t clear = HEAD_BYTES + 4 * count;
    *section = (struct side_section){.key_number = load_u64be(head + 1),
                                     .key_mark = head + 9,
                                     .count = (uint32_t)count,
                                     .ids = head + HEAD_BYTES,
                                     .clear = slice_of(head, clear),
                                     .sealed = slice_of(head + clear, sealed)};
    *rest = slice_of(head + clear + sealed, rest->len - clear - sealed);
    return STATUS_OK;
}

static enum status each_pair(const struct side_section *section, struct slice plain,
                             enum status (*fn)(void *, const struct side_pair *, struct error *),
                             void *context, struct error *error)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (plain.len < PAIR_HEAD_BYTES || plain.len - PAIR_HEAD_BYTES < plain.data[2])
            return STATUS_CORRUPT;
        size_t size = PAIR_HEAD_BYTES + (size_t)plain.data[2];
        struct side_pair pair = {.id = load_u32be(section->ids + 4 * (size_t)i),
                                 .kind = load_u16be(plain.data),
                                 .key = slice_of(plain.data + PAIR_HEAD_BYTES, plain.data[2])};
        TRY(fn(context, &pair, error));
        plain = slice_of(plain.data + size, plain.len - size);
    }
    return plain.len == 0 ? STATUS_OK : STATUS_CORRUPT;
}

enum status side_open(const struct side_section *section, const struct seal_key *key,
                      enum status (*fn)(void *context, const struct side_pair *pair,
                                        struct error *error),
                      void *context, struct error *error)
{
    struct buffer plain;
    buffer_init(&plain, section->sealed.len + 1);
    if (error != NULL)
        error->message[0] = '\0';
    enum status status = crypto_open(key->secret, section->clear, section->sealed, &plain);
    if (status == STATUS_OK)
        status = each_pair(section, buffer_slice(&plain), fn, context, error);
    if (plain.data != NULL)
        crypto_wipe(plain.data, plain.capacity);
    buffer_free(&plain);
    if (status == STATUS_CORRUPT && (error == NULL || error->message[0] == '\0'))
        error_set(error, status, "XX001", NULL, "a side section does not open under its key");
    return status;
}
