/* Reading is strict, so that there is one file for one proof: numbers without leading zeros, hashes
 * of 44 characters, no other lines. */
#include "ledger/proof_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "ledger/merkle.h"

enum { HASH_TEXT_BYTES = 44, NUMBER_DIGITS_MAX = 19 };

static const char first_line[] = "c2sp.org/tlog-proof@v1";

struct lines {
    struct slice rest;
    unsigned number; /* of the line taken last */
};

static enum status bad_line(const struct lines *lines, const char *want, struct error *error)
{
    return error_set(error, STATUS_INVALID, "22023",
                     "is it a proof that cofferdam ledger prove, or another log's tool, wrote?",
                     "the proof's line %u is not %s", lines->number, want);
}

/* The next line without its newline; false at the end, and for a last line that is not ended. */
static bool next_line(struct lines *lines, struct slice *line)
{
    const uint8_t *end =
        lines->rest.len == 0 ? NULL : memchr(lines->rest.data, '\n', lines->rest.len);
    lines->number++;
    if (end == NULL)
        return false;
    *line = slice_of(lines->rest.data, (size_t)(end - lines->rest.data));
    lines->rest = slice_of(end + 1, lines->rest.len - line->len - 1);
    return true;
}

/* What stands behind the word and one blank. */
static bool take_word(struct slice line, const char *word, struct slice *value)
{
    size_t len = strlen(word);
    if (line.len <= len || memcmp(line.data, word, len) != 0 || line.data[len] != ' ')
        return false;
    *value = slice_of(line.data + len + 1, line.len - len - 1);
    return true;
}

static bool parse_number(struct slice text, uint64_t *number)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > NUMBER_DIGITS_MAX || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    if (value > INT64_MAX)
        return false;
    *number = value;
    return true;
}

static bool is_base64(struct slice text)
{
    size_t len = 0;
    uint8_t *bytes = malloc(text.len + 3);
    bool is = bytes != NULL &&
              crypto_base64_decode((const char *)text.data, text.len, bytes, &len) == STATUS_OK;
    free(bytes);
    return is && text.len > 0;
}

static enum status parse_head(struct lines *lines, struct proof_file *file, struct error *error)
{
    struct slice line = {0}, value = {0};
    if (!next_line(lines, &line))
        return bad_line(lines, "the beginning of a proof", error);
    file->kind = PROOF_FILE_BEGINNING;
    if (take_word(line, "old", &value))
        return parse_number(value, &file->index) ? STATUS_OK
                                                 : bad_line(lines, "\"old\" and a size", error);
    file->kind = PROOF_FILE_ENTRY;
    if (!slice_equal(line, slice_of_text(first_line)))
        return bad_line(lines, "the beginning of a proof", error);
    if (next_line(lines, &line) && take_word(line, "extra", &file->extra)) {
        if (!is_base64(file->extra))
            return bad_line(lines, "\"extra\" and base64", error);
        if (!next_line(lines, &line))
            line = slice_of(NULL, 0);
    }
    if (!take_word(line, "index", &value) || !parse_number(value, &file->index))
        return bad_line(lines, "\"index\" and a number", error);
    return STATUS_OK;
}

static enum status parse_hashes(struct lines *lines, struct proof *proof, struct error *error)
{
    struct slice line;
    uint8_t hash[HASH_TEXT_BYTES];
    size_t len;
    for (;;) {
        if (!next_line(lines, &line))
            return bad_line(lines, "a hash or the blank line before the checkpoint", error);
        if (line.len == 0)
            return STATUS_OK;
        if (proof->count == PROOF_FILE_LINES_MAX || line.len != HASH_TEXT_BYTES ||
            crypto_base64_decode((const char *)line.data, line.len, hash, &len) != STATUS_OK ||
            len != MERKLE_HASH_BYTES)
            return bad_line(lines, "a hash or the blank line before the checkpoint", error);
        memcpy(proof->hashes[proof->count++], hash, MERKLE_HASH_BYTES);
    }
}

enum status proof_file_parse(struct slice bytes, struct proof_file *file, struct error *error)
{
    struct lines lines = {.rest = bytes};
    struct proof_file read = {.index = 0};
    if (bytes.len > PROOF_FILE_BYTES_MAX)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a proof has at most %d bytes, this file has more", PROOF_FILE_BYTES_MAX);
    TRY(parse_head(&lines, &read, error));
    TRY(parse_hashes(&lines, &read.proof, error));
    read.checkpoint = lines.rest;
    if (read.checkpoint.len == 0) {
        lines.number++;
        return bad_line(&lines, "the beginning of a checkpoint", error);
    }
    *file = read;
    return STATUS_OK;
}

static void append_base64(struct slice bytes, struct buffer *out)
{
    size_t len = 4 * ((bytes.len + 2) / 3);
    char *room = (char *)buffer_reserve(out, len + 1);
    if (room == NULL)
        return;
    crypto_base64_encode(bytes.data, bytes.len, room);
    out->len += len;
}

void proof_file_format(const struct proof_file *file, struct slice entry, struct buffer *out)
{
    CHECK(file->proof.count <= PROOF_FILE_LINES_MAX);
    if (file->kind == PROOF_FILE_ENTRY) {
        buffer_printf(out, "%s\n", first_line);
        if (entry.len > 0) {
            buffer_append_text(out, "extra ");
            append_base64(entry, out);
            buffer_append_text(out, "\n");
        }
        buffer_printf(out, "index %" PRIu64 "\n", file->index);
    } else {
        buffer_printf(out, "old %" PRIu64 "\n", file->index);
    }
    for (size_t i = 0; i < file->proof.count; i++) {
        append_base64(slice_of(file->proof.hashes[i], MERKLE_HASH_BYTES), out);
        buffer_append_text(out, "\n");
    }
    buffer_append_text(out, "\n");
    buffer_append(out, file->checkpoint.data, file->checkpoint.len);
}

enum status proof_file_entry(const struct proof_file *file, struct buffer *entry,
                             struct error *error)
{
    size_t len = 0;
    if (file->extra.len == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "the proof does not bring its entry along");
    uint8_t *room = buffer_reserve(entry, file->extra.len);
    if (room == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the proof's entry");
    if (crypto_base64_decode((const char *)file->extra.data, file->extra.len, room, &len) !=
        STATUS_OK)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the proof's entry is not base64");
    entry->len += len;
    return STATUS_OK;
}

bool proof_file_proves_entry(const struct proof_file *file, struct slice entry, uint64_t size,
                             const uint8_t root[static 32])
{
    uint8_t leaf[MERKLE_HASH_BYTES];
    merkle_leaf(entry, leaf);
    return file->kind == PROOF_FILE_ENTRY &&
           proof_inclusion_holds(leaf, file->index, size, &file->proof, root);
}

bool proof_file_proves_beginning(const struct proof_file *file, uint64_t old_size,
                                 const uint8_t old_root[static 32], uint64_t size,
                                 const uint8_t root[static 32])
{
    return file->kind == PROOF_FILE_BEGINNING && file->index == old_size &&
           proof_consistency_holds(old_size, old_root, size, root, &file->proof);
}
