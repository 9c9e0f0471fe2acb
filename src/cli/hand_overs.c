/* See hand_overs.h. */
#include "cli/hand_overs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/key_change.h"
#include "ledger/ledger.h"

enum { NOTE_BYTES = 4096, LINE_BYTES = 4 * ((NOTE_BYTES + 2) / 3), FILE_BYTES = 4 * 1024 * 1024 };

/* ---- writing ---- */

static enum status print_entry(struct slice text, struct error *error)
{
    char line[LINE_BYTES + 1];
    if (text.len > NOTE_BYTES)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "an entry of a key is too long");
    crypto_base64_encode(text.data, text.len, line);
    return puts(line) < 0 ? error_set_errno(error, errno, "cannot write the result") : STATUS_OK;
}

enum status cli_hand_overs_print(const char *folder, struct error *error)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    TRY(ledger_reader_open(folder, 0, &reader, error));
    enum status status;
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, error)) == STATUS_OK) {
        if (entry.type == LEDGER_KEY)
            status = print_entry(entry.text, error);
        if (status != STATUS_OK)
            break;
    }
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

/* ---- following ---- */

static bool holds(const struct note_key *keys, size_t count, const struct note_key *key)
{
    for (size_t i = 0; i < count; i++) {
        if (note_key_equal(&keys[i], key))
            return true;
    }
    return false;
}

static enum status add(struct note_key *keys, size_t room, size_t *count,
                       const struct note_key *key, struct error *error)
{
    if (*count == room)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %zu keys", room);
    keys[(*count)++] = *key;
    return STATUS_OK;
}

/* Whichever of the two is known vouches for the other. */
static enum status join(const struct key_change *change, struct note_key *keys, size_t room,
                        size_t *count, struct error *error)
{
    if (change->kind != KEY_CHANGE_HAND_OVER)
        return STATUS_OK;
    bool has_old = holds(keys, *count, &change->old_key);
    bool has_new = holds(keys, *count, &change->new_key);
    if (has_old == has_new)
        return STATUS_OK;
    return add(keys, room, count, has_old ? &change->new_key : &change->old_key, error);
}

static enum status read_line(struct slice line, const char *origin, struct key_change *change,
                             struct error *error)
{
    uint8_t bytes[LINE_BYTES];
    size_t len;
    if (line.len == 0 || line.len > LINE_BYTES ||
        crypto_base64_decode((const char *)line.data, line.len, bytes, &len) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "22P02",
                         "cofferdam ledger key chain writes it, on the ledger's machine.",
                         "not a file of hand-overs: a line is not base64");
    return key_change_read(slice_of(bytes, len), origin, change, error);
}

/* Once over the file. */
static enum status pass(struct slice text, struct note_key *keys, size_t room, size_t *count,
                        struct error *error)
{
    struct key_change change;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        TRY(read_line(slice_of(text.data, len), keys[0].name, &change, error));
        TRY(join(&change, keys, room, count, error));
        size_t taken = end == NULL ? len : len + 1;
        text = slice_of(text.data + taken, text.len - taken);
    }
    return STATUS_OK;
}

enum status cli_hand_overs_follow(const char *path, struct note_key *keys, size_t room,
                                  size_t *count, struct error *error)
{
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read(path, &text, error);
    for (size_t before = 0; status == STATUS_OK && before != *count;) {
        before = *count;
        status = pass(buffer_slice(&text), keys, room, count, error);
    }
    if (status == STATUS_INVALID || status == STATUS_CORRUPT)
        error_prefix(error, "%.200s", path);
    buffer_free(&text);
    return status;
}
