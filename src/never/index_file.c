/* The index on disk: docs/NEVER-FORMAT.md, "Index file". Replaced whole; a digest at its end finds
 * accidents, and the root in the ledger whatever else would matter. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "never/index.h"

enum { MAGIC_BYTES = 8, LENGTH_BYTES = 2, LEAF_BYTES = MARK_BYTES + MARK_BYTES };

static const char magic[] = "CFNINDX1";
static const size_t file_bytes = (size_t)64 << 30;

static void put_text(struct buffer *out, struct slice text)
{
    buffer_append_u16be(out, (uint16_t)text.len);
    buffer_append(out, text.data, text.len);
}

static void put_index(const struct never_index *index, struct buffer *out)
{
    struct buffer lines;
    buffer_init(&lines, NEVER_COMMITMENT_BYTES);
    never_commitment_format(&index->commitment, &lines);
    buffer_append(out, magic, MAGIC_BYTES);
    put_text(out, slice_of_text(index->origin));
    put_text(out, buffer_slice(&lines));
    buffer_free(&lines);
    for (uint64_t i = 0; i < index->commitment.leaves; i++) {
        buffer_append(out, index->leaves[i].mark, MARK_BYTES);
        buffer_append(out, index->leaves[i].inner, MARK_BYTES);
    }
    holdings_write(&index->holdings, out);
}

enum status never_index_write(const struct never_index *index, const char *path,
                              struct error *error)
{
    struct buffer file;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    buffer_init(&file, file_bytes);
    put_index(index, &file);
    const struct slice content = buffer_slice(&file);
    crypto_sha256(&content, 1, digest);
    buffer_append(&file, digest, sizeof digest);
    enum status status = file.overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL,
                                                     "no memory to write the index")
                                         : file_replace(path, buffer_slice(&file), 0600, error);
    buffer_free(&file);
    return status;
}

/* Takes len bytes off *rest. */
static bool take(struct slice *rest, size_t len, struct slice *taken)
{
    if (len > rest->len)
        return false;
    *taken = slice_of(rest->data, len);
    *rest = slice_of(rest->data + len, rest->len - len);
    return true;
}

static bool take_text(struct slice *rest, struct slice *text)
{
    struct slice length;
    return take(rest, LENGTH_BYTES, &length) && take(rest, load_u16be(length.data), text);
}

static bool take_head(struct slice *rest, struct never_index *index)
{
    struct slice head, origin, lines;
    if (!take(rest, MAGIC_BYTES, &head) || memcmp(head.data, magic, MAGIC_BYTES) != 0 ||
        !take_text(rest, &origin) || origin.len >= sizeof index->origin ||
        !take_text(rest, &lines) ||
        never_commitment_parse(lines, &index->commitment, NULL) != STATUS_OK)
        return false;
    memcpy(index->origin, origin.data, origin.len);
    index->origin[origin.len] = '\0';
    return true;
}

/* Rising, and as many as the commitment says. */
static bool take_leaves(struct slice *rest, struct never_index *index)
{
    struct slice bytes;
    uint64_t count = index->commitment.leaves;
    if (count < 2 || count > rest->len / LEAF_BYTES || !take(rest, count * LEAF_BYTES, &bytes))
        return false;
    index->leaves = calloc(count, sizeof *index->leaves);
    if (index->leaves == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = bytes.data + i * LEAF_BYTES;
        struct marks_leaf *leaf = &index->leaves[i];
        memcpy(leaf->mark, at, MARK_BYTES);
        memcpy(leaf->inner, at + MARK_BYTES, MARK_BYTES);
        if (i > 0 && memcmp(leaf[-1].mark, leaf->mark, MARK_BYTES) >= 0)
            return false;
    }
    return memcmp(index->leaves[0].mark, marks_lowest, MARK_BYTES) == 0 &&
           memcmp(index->leaves[count - 1].mark, marks_highest, MARK_BYTES) == 0;
}

static enum status take_file(struct slice file, struct never_index *index, struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    bool good = file.len >= sizeof digest;
    if (good) {
        struct slice rest = slice_of(file.data, file.len - sizeof digest);
        crypto_sha256(&rest, 1, digest);
        good = memcmp(digest, file.data + rest.len, sizeof digest) == 0 &&
               take_head(&rest, index) && take_leaves(&rest, index);
        if (good)
            TRY(holdings_read(rest, &index->holdings, error));
    }
    if (good && index->holdings.entries == index->commitment.entries)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger commit --afresh",
                     "never/index is damaged");
}

enum status never_index_read(const char *path, struct never_index *index, struct error *error)
{
    struct buffer file;
    *index = (struct never_index){0};
    buffer_init(&file, file_bytes);
    enum status status = file_read(path, &file, error);
    if (status == STATUS_OK)
        status = take_file(buffer_slice(&file), index, error);
    buffer_free(&file);
    if (status != STATUS_OK)
        never_index_free(index);
    return status;
}
