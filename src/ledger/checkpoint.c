/* See checkpoint.h. A text is taken apart, written anew, and must be the same: there is one
 * spelling, so that nobody can be shown two texts that say the same. */
#include "ledger/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/segment.h"

enum { SIZE_DIGITS = 20, ROOT_BASE64 = 44, PATH_ROOM = 4096 };

void checkpoint_origin(const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                       char origin[static CHECKPOINT_ORIGIN_ROOM])
{
    char hex[2 * CHECKPOINT_LOG_ID_BYTES + 1];
    crypto_hex(log_id, CHECKPOINT_LOG_ID_BYTES, hex);
    snprintf(origin, CHECKPOINT_ORIGIN_ROOM, "cofferdam/log/%s", hex);
}

void checkpoint_format(const char *origin, const struct checkpoint *checkpoint, struct buffer *out)
{
    char root[ROOT_BASE64 + 1];
    crypto_base64_encode(checkpoint->root, sizeof checkpoint->root, root);
    buffer_printf(out, "%s\n%" PRIu64 "\n%s\n", origin, checkpoint->size, root);
}

/* The next line without its newline; false at the end. */
static bool next_line(struct slice *text, struct slice *line)
{
    const uint8_t *newline = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    if (newline == NULL)
        return false;
    *line = slice_of(text->data, (size_t)(newline - text->data));
    *text = slice_of(newline + 1, text->len - line->len - 1);
    return true;
}

static bool parse_size(struct slice digits, uint64_t *size)
{
    uint64_t value = 0;
    if (digits.len == 0 || digits.len > SIZE_DIGITS || (digits.len > 1 && digits.data[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digits.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *size = value;
    return true;
}

static bool parse_root(struct slice text, uint8_t root[static CHECKPOINT_HASH_BYTES])
{
    uint8_t bytes[ROOT_BASE64];
    size_t len;
    if (text.len != ROOT_BASE64 ||
        crypto_base64_decode((const char *)text.data, text.len, bytes, &len) != STATUS_OK ||
        len != CHECKPOINT_HASH_BYTES)
        return false;
    memcpy(root, bytes, CHECKPOINT_HASH_BYTES);
    return true;
}

enum status checkpoint_parse(struct slice text, char origin[static CHECKPOINT_ORIGIN_ROOM],
                             struct checkpoint *checkpoint, struct error *error)
{
    struct slice name, size, root;
    struct checkpoint read;
    bool good = next_line(&text, &name) && next_line(&text, &size) && next_line(&text, &root) &&
                text.len == 0 && name.len > 0 && name.len < CHECKPOINT_ORIGIN_ROOM &&
                memchr(name.data, '\0', name.len) == NULL && parse_size(size, &read.size) &&
                parse_root(root, read.root);
    if (!good)
        return error_set(error, STATUS_INVALID, "22P02", NULL,
                         "not a checkpoint: three lines, origin, size and root");
    memcpy(origin, name.data, name.len);
    origin[name.len] = '\0';
    *checkpoint = read;
    return STATUS_OK;
}

enum status checkpoint_read_note(const char *path, struct buffer *bytes, struct note *note,
                                 char origin[static CHECKPOINT_ORIGIN_ROOM],
                                 struct checkpoint *checkpoint, struct error *error)
{
    TRY(file_read(path, bytes, error));
    enum status status = note_parse(buffer_slice(bytes), note, error);
    if (status == STATUS_OK)
        status = checkpoint_parse(note->text, origin, checkpoint, error);
    if (status != STATUS_OK)
        error_prefix(error, "%.300s", path);
    return status;
}

/* The text of a note; of what is not signed, all. */
static struct slice body_of(const struct buffer *bytes)
{
    struct note note;
    return note_parse(buffer_slice(bytes), &note, NULL) == STATUS_OK ? note.text
                                                                     : buffer_slice(bytes);
}

enum status checkpoint_read(const char *folder,
                            const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                            struct checkpoint *checkpoint, struct error *error)
{
    char path[PATH_ROOM], ours[CHECKPOINT_ORIGIN_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint read;
    struct buffer bytes;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    checkpoint_origin(log_id, ours);
    snprintf(path, sizeof path, "%.4000s/checkpoint", folder);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK &&
        (checkpoint_parse(body_of(&bytes), origin, &read, NULL) != STATUS_OK ||
         strcmp(origin, ours) != 0))
        status = error_set(error, STATUS_CORRUPT, "XX001", NULL,
                           "%.300s: damaged, or another log's", path);
    if (status == STATUS_OK)
        *checkpoint = read;
    buffer_free(&bytes);
    return status;
}

enum status checkpoint_write(const char *folder,
                             const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES],
                             const struct checkpoint *checkpoint, struct error *error)
{
    char path[PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct buffer text;
    buffer_init(&text, NOTE_BYTES_MAX);
    checkpoint_origin(log_id, origin);
    checkpoint_format(origin, checkpoint, &text);
    snprintf(path, sizeof path, "%.4000s/checkpoint", folder);
    enum status status = text.overflowed
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "no memory")
                             : file_replace(path, buffer_slice(&text), SEGMENT_FILE_MODE, error);
    buffer_free(&text);
    return status;
}
