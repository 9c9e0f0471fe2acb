/* The index on disk: docs/NEVER-FORMAT.md, "Index file". Replaced whole; a digest at its end finds
 * accidents, and the root in the ledger whatever else would matter. Looked at in place: a proof
 * needs few of its pages. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "never/index.h"

enum { MAGIC_BYTES = 8, LENGTH_BYTES = 2, SET_BYTES = 4 };

static const char magic[] = "CFNINDX2", magic_before[] = "CFNINDX1";
static const size_t file_bytes = (size_t)64 << 30;

static_assert(sizeof(struct marks_leaf) == 2 * MARK_BYTES, "a leaf in memory is a leaf on disk");

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
    const uint64_t leaves = index->commitment.leaves;
    buffer_append(out, index->leaves, leaves * sizeof *index->leaves);
    buffer_append(out, index->sets, leaves * SET_BYTES);
    buffer_append(out, index->nodes, never_index_nodes(leaves) * SORTED_HASH_BYTES);
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

/* As many as the commitment says; in the file they are where index points. */
static bool take_tree(struct slice *rest, struct never_index *index)
{
    struct slice leaves, sets, nodes;
    uint64_t count = index->commitment.leaves;
    if (count < 2 || count > rest->len / sizeof *index->leaves ||
        !take(rest, count * sizeof *index->leaves, &leaves) ||
        !take(rest, count * SET_BYTES, &sets) ||
        !take(rest, never_index_nodes(count) * SORTED_HASH_BYTES, &nodes))
        return false;
    uint8_t *bytes = index->map;
    index->leaves = (void *)(bytes + (leaves.data - bytes));
    index->sets = (void *)(bytes + (sets.data - bytes));
    index->nodes = (void *)(bytes + (nodes.data - bytes));
    return memcmp(index->leaves[0].mark, marks_lowest, MARK_BYTES) == 0 &&
           memcmp(index->leaves[count - 1].mark, marks_highest, MARK_BYTES) == 0;
}

static bool is_rising(const struct never_index *index)
{
    for (uint64_t i = 1; i < index->commitment.leaves; i++)
        if (memcmp(index->leaves[i - 1].mark, index->leaves[i].mark, MARK_BYTES) >= 0)
            return false;
    return true;
}

static bool is_whole(struct slice file)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct slice content = slice_of(file.data, file.len - sizeof digest);
    crypto_sha256(&content, 1, digest);
    return memcmp(digest, file.data + content.len, sizeof digest) == 0;
}

static enum status take_file(struct never_index *index, bool all, struct error *error)
{
    struct slice file = slice_of(index->map, index->map_len);
    if (file.len >= MAGIC_BYTES && memcmp(file.data, magic_before, MAGIC_BYTES) == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", "cofferdam ledger commit",
                         "never/index is of an earlier version");
    if (file.len >= CRYPTO_SHA256_BYTES && (!all || is_whole(file))) {
        struct slice rest = slice_of(file.data, file.len - CRYPTO_SHA256_BYTES);
        if (take_head(&rest, index) && take_tree(&rest, index) && (!all || is_rising(index))) {
            TRY(all ? holdings_read(rest, &index->holdings, error)
                    : holdings_read_sets(rest, &index->holdings, error));
            if (index->holdings.entries == index->commitment.entries)
                return STATUS_OK;
        }
    }
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger commit --afresh",
                     "never/index is damaged");
}

static enum status map_file(const char *path, struct never_index *index, struct error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT
                   ? error_set(error, STATUS_NOT_FOUND, "58P01", NULL, "%.300s: not there", path)
                   : error_set_errno(error, errno, "%.300s", path);
    void *map = MAP_FAILED;
    int failure = EINVAL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        (uint64_t)info.st_size <= file_bytes) {
        map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        failure = errno;
    }
    close(fd);
    if (map == MAP_FAILED)
        return error_set_errno(error, failure, "%.300s", path);
    index->map = map;
    index->map_len = (size_t)info.st_size;
    return STATUS_OK;
}

static enum status read_file(const char *path, bool all, struct never_index *index,
                             struct error *error)
{
    *index = (struct never_index){0};
    TRY(map_file(path, index, error));
    enum status status = take_file(index, all, error);
    if (status != STATUS_OK)
        never_index_free(index);
    return status;
}

enum status never_index_read(const char *path, struct never_index *index, struct error *error)
{
    return read_file(path, true, index, error);
}

enum status never_index_open(const char *path, struct never_index *index, struct error *error)
{
    return read_file(path, false, index, error);
}
