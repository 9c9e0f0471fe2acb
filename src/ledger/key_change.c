/* See key_change.h. As with checkpoints, a text is read, written anew and compared: there is one
 * spelling. */
#include "ledger/key_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

enum { TEXT_BYTES = 4096, LINES_MAX = 7 };

static const char *const headers[] = {
    [KEY_CHANGE_FIRST] = "cofferdam/key-first/v1",
    [KEY_CHANGE_HAND_OVER] = "cofferdam/key-change/v1",
    [KEY_CHANGE_BREAK] = "cofferdam/key-break/v1",
};
/* header, origin, [old key,] new key, size, root[, reason] */
static const size_t line_counts[] = {5, 6, 7};

enum { KIND_COUNT = sizeof headers / sizeof headers[0] };

static void format_text(const struct key_change *change, struct buffer *out)
{
    buffer_printf(out, "%s\n%s\n", headers[change->kind], change->new_key.name);
    if (change->kind != KEY_CHANGE_FIRST) {
        note_key_format(&change->old_key, out);
        buffer_append_text(out, "\n");
    }
    note_key_format(&change->new_key, out);
    buffer_append_text(out, "\n");
    /* A checkpoint's text without its first line. */
    struct buffer before;
    buffer_init(&before, TEXT_BYTES);
    checkpoint_format("", &change->before, &before);
    if (!before.overflowed)
        buffer_append(out, before.data + 1, before.len - 1);
    buffer_free(&before);
    if (change->kind == KEY_CHANGE_BREAK)
        buffer_printf(out, "%s\n", change->reason);
}

void key_change_format(const struct key_change *change, const struct note_signer *old,
                       const struct note_signer *fresh, struct buffer *out)
{
    struct buffer text;
    CHECK((old != NULL) == (change->kind == KEY_CHANGE_HAND_OVER));
    CHECK(note_key_equal(&fresh->key, &change->new_key));
    CHECK(old == NULL || note_key_equal(&old->key, &change->old_key));
    buffer_init(&text, TEXT_BYTES);
    format_text(change, &text);
    CHECK(!text.overflowed);
    buffer_append(out, text.data, text.len);
    buffer_append_text(out, "\n");
    if (old != NULL)
        note_sign(old, buffer_slice(&text), out);
    note_sign(fresh, buffer_slice(&text), out);
    buffer_free(&text);
}

/* ---- reading ---- */

static enum status corrupt(struct error *error, const char *why)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the log's entry about its signing key %s", why);
}

static size_t cut_lines(struct slice text, struct slice lines[static LINES_MAX])
{
    size_t count = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        if (end == NULL || count == LINES_MAX)
            return 0;
        lines[count++] = slice_of(text.data, (size_t)(end - text.data));
        text = slice_of(end + 1, text.len - lines[count - 1].len - 1);
    }
    return count;
}

/* size and root are two lines, as in a checkpoint. */
static bool parse_before(struct slice size, struct slice root, struct checkpoint *before)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    buffer_append_text(&text, "-\n");
    buffer_append(&text, size.data, size.len);
    buffer_append_text(&text, "\n");
    buffer_append(&text, root.data, root.len);
    buffer_append_text(&text, "\n");
    bool good = !text.overflowed &&
                checkpoint_parse(buffer_slice(&text), origin, before, NULL) == STATUS_OK;
    buffer_free(&text);
    return good;
}

static bool parse_key(struct slice line, const char *origin, struct note_key *key)
{
    return note_key_parse(line, key, NULL) == STATUS_OK && key->type == NOTE_TYPE_ED25519 &&
           strcmp(key->name, origin) == 0;
}

static bool parse_reason(struct slice line, char reason[static KEY_CHANGE_REASON_BYTES + 1])
{
    if (line.len == 0 || line.len > KEY_CHANGE_REASON_BYTES || !text_is_plain(line))
        return false;
    memcpy(reason, line.data, line.len);
    reason[line.len] = '\0';
    return true;
}

static bool parse_text(struct slice text, const char *origin, struct key_change *change)
{
    struct slice lines[LINES_MAX];
    size_t count = cut_lines(text, lines), kind = 0;
    while (kind < KIND_COUNT &&
           (count == 0 || !slice_equal(lines[0], slice_of_text(headers[kind]))))
        kind++;
    if (kind == KIND_COUNT || count != line_counts[kind] ||
        !slice_equal(lines[1], slice_of_text(origin)))
        return false;
    *change = (struct key_change){.kind = (enum key_change_kind)kind};
    size_t at = 2;
    if (kind != KEY_CHANGE_FIRST && !parse_key(lines[at++], origin, &change->old_key))
        return false;
    if (!parse_key(lines[at], origin, &change->new_key) ||
        !parse_before(lines[at + 1], lines[at + 2], &change->before))
        return false;
    return kind != KEY_CHANGE_BREAK || parse_reason(lines[at + 3], change->reason);
}

enum status key_change_read(struct slice text, const char *origin, struct key_change *change,
                            struct error *error)
{
    struct note note;
    struct key_change read;
    if (note_parse(text, &note, NULL) != STATUS_OK || !parse_text(note.text, origin, &read))
        return corrupt(error, "is not well-formed, or another log's");
    if (note_check(&note, &read.new_key) != NOTE_GOOD)
        return corrupt(error, "is not signed by the new key");
    if (read.kind == KEY_CHANGE_HAND_OVER && note_check(&note, &read.old_key) != NOTE_GOOD)
        return corrupt(error, "is not signed by the old key");
    *change = read;
    return STATUS_OK;
}

/* ---- the chain ---- */

void key_chain_start(struct key_chain *chain, const char *origin)
{
    chain->count = 0;
    snprintf(chain->origin, sizeof chain->origin, "%s", origin);
}

enum status key_chain_add(struct key_chain *chain, uint64_t sequence, int64_t time_ns,
                          struct slice text, struct error *error)
{
    struct key_change change;
    TRY(key_change_read(text, chain->origin, &change, error));
    bool first = change.kind == KEY_CHANGE_FIRST;
    if (first != (chain->count == 0))
        return corrupt(error,
                       first ? "names a first key for the second time" : "follows no first key");
    if (!first && !note_key_equal(&change.old_key, &chain->links[chain->count - 1].key))
        return corrupt(error, "replaces a key that was not in force");
    if (change.before.size > sequence)
        return corrupt(error, "tells of a tree that would hold the entry itself");
    if (chain->count == KEY_CHAIN_MAX)
        return corrupt(error, "is one more than there can be");
    chain->links[chain->count++] = (struct key_chain_link){.key = change.new_key,
                                                           .sequence = sequence,
                                                           .time_ns = time_ns,
                                                           .kind = change.kind,
                                                           .before = change.before};
    return STATUS_OK;
}

enum status key_chain_follow(const struct key_chain *chain, const struct note_key *pinned,
                             size_t *first, size_t *stop, struct error *error)
{
    size_t at = 0;
    while (at < chain->count && !note_key_equal(&chain->links[at].key, pinned))
        at++;
    if (at == chain->count)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "Ask the log's keeper for a key of this log, over a channel you trust.",
                         "the key %.120s+%08" PRIx32 " never signed this log", pinned->name,
                         pinned->id);
    size_t begin = at, end = at + 1;
    while (begin > 0 && chain->links[begin].kind == KEY_CHANGE_HAND_OVER)
        begin--;
    while (end < chain->count && chain->links[end].kind == KEY_CHANGE_HAND_OVER)
        end++;
    *first = begin;
    *stop = end;
    return STATUS_OK;
}

const struct key_chain_link *key_chain_at(const struct key_chain *chain, uint64_t size)
{
    size_t at = chain->count;
    while (at > 0 && chain->links[at - 1].sequence >= size)
        at--;
    return at == 0 ? NULL : &chain->links[at - 1];
}
