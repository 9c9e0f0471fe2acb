/* See certificate.h. */
#include "never/certificate.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/since.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "never/spelling.h"

enum {
    TIME_ROOM = 21,
    BASE64_ROOM = (VRF_PROOF_BYTES + 2) / 3 * 4 + 1,
    ENTRY_TEXT_BYTES = (LIMIT_LEDGER_ENTRY_BYTES + 2) / 3 * 4,
};

const char certificate_head[] = "cofferdam/never@v1\n";

static const char coverage[] =
    "This covers what passed the gateway, and exports made elsewhere that were declared to it. It\n"
    "does not cover a disclosure made elsewhere that nobody declared. Partners and columns are\n"
    "named as the gateway's policy names them, a person by the key in the database. That somebody\n"
    "asked for a key and found nobody is not counted.\n";

void certificate_init(struct certificate *certificate)
{
    *certificate = (struct certificate){0};
    buffer_init(&certificate->entry, LIMIT_LEDGER_ENTRY_BYTES + 3);
}

void certificate_free(struct certificate *certificate)
{
    buffer_free(&certificate->entry);
}

/* ---- writing ---- */

/* A quotation mark within is doubled, as in SQL: a key cannot end its own quotation and go on. What
 * is not ASCII may look like another key: its bytes say which it is. */
static void put_key_words(const char *key, struct buffer *out)
{
    bool ascii = true;
    buffer_append_u8(out, '"');
    for (const char *at = key; *at != '\0'; at++) {
        if (*at == '"')
            buffer_append_u8(out, '"');
        buffer_append_u8(out, (uint8_t)*at);
        ascii = ascii && (uint8_t)*at < 0x80;
    }
    buffer_append_u8(out, '"');
    if (ascii)
        return;
    buffer_append_text(out, " (bytes");
    for (const char *at = key; *at != '\0'; at++)
        buffer_printf(out, " %02x", (uint8_t)*at);
    buffer_append_text(out, ")");
}

static void put_question(const struct never_question *question, bool begins, struct buffer *out)
{
    bool person = question->subject[0] != '\0';
    if (question->column[0] != '\0')
        buffer_printf(out, "%s column %s", begins ? "The" : "the", question->column);
    else
        buffer_append_text(out, begins ? "Nothing" : "nothing");
    if (person) {
        buffer_printf(out, "%s the %s ", question->column[0] != '\0' ? " of" : " about",
                      question->kind);
        put_key_words(question->subject, out);
    } else {
        buffer_printf(out, "%s anybody", question->column[0] != '\0' ? " of" : " about");
    }
    buffer_append_text(out, question->column[0] != '\0' ? " was never disclosed to "
                                                        : " was ever disclosed to ");
    if (question->partner[0] != '\0')
        buffer_printf(out, "the partner %s.", question->partner);
    else
        buffer_append_text(out, "any partner.");
}

/* The limits stand before the claim, in its sentence: it cannot be quoted without them. */
static void put_claim(const struct certificate *certificate, struct buffer *out)
{
    char since[TIME_ROOM];
    if (certificate->from > 0) {
        clock_format_utc(certificate->since_ns, since);
        buffer_printf(out, "In entries %" PRIu64 " to %" PRIu64 " of the log %s, since %s: ",
                      certificate->from, certificate->entries - 1, certificate->origin, since);
    }
    put_question(&certificate->question, certificate->from == 0, out);
}

void never_claim_words(const struct never_claim *claim, struct buffer *out)
{
    struct certificate certificate = {.from = claim->commitment.base.from,
                                      .since_ns = claim->commitment.base.since_ns,
                                      .entries = claim->commitment.entries,
                                      .question = claim->question};
    memcpy(certificate.origin, claim->origin, sizeof certificate.origin);
    put_claim(&certificate, out);
}

static void put_extent(const struct certificate *certificate, const char *time, struct buffer *out)
{
    char since[SINCE_TEXT_ROOM], sentence[SINCE_SENTENCE_ROOM];
    if (certificate->from == 0) {
        buffer_printf(out, "So says the index over the first %" PRIu64 " entries of the log, ",
                      certificate->entries);
    } else {
        since_format(certificate->since_ns, since);
        since_sentence(since, sentence);
        buffer_printf(out, "%s\nSo says the index over these entries, ", sentence);
    }
    buffer_printf(out, "as of %s.\n", time);
}

static void put_words(const struct certificate *certificate, const char *time, struct buffer *out)
{
    put_claim(certificate, out);
    buffer_append_text(out, "\n");
    put_extent(certificate, time, out);
    buffer_append_text(out, coverage);
    if (certificate->erased > 0 && certificate->question.subject[0] != '\0')
        buffer_printf(out,
                      "The index lacks %" PRIu64
                      " people whose keys had been erased before they were first indexed: whether\n"
                      "this person is one of them is not known.\n",
                      certificate->erased);
}

static void put_text(struct buffer *out, const char *name, const char *text)
{
    if (text[0] != '\0')
        buffer_printf(out, "%s %s\n", name, text);
}

/* At most VRF_PROOF_BYTES. */
static void put_bytes(struct buffer *out, const char *name, const void *bytes, size_t len)
{
    char text[BASE64_ROOM];
    crypto_base64_encode(bytes, len, text);
    buffer_printf(out, "%s %s\n", name, text);
}

static void put_path(struct buffer *out, const struct sorted_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        put_bytes(out, "hash", path->hashes[i], SORTED_HASH_BYTES);
}

static void put_leaf(struct buffer *out, const struct marks_leaf *leaf)
{
    char mark[BASE64_ROOM], inner[BASE64_ROOM];
    crypto_base64_encode(leaf->mark, MARK_BYTES, mark);
    crypto_base64_encode(leaf->inner, MARK_BYTES, inner);
    buffer_printf(out, "leaf %s %s\n", mark, inner);
}

static void put_proof(const struct certificate *certificate, struct buffer *out)
{
    put_bytes(out, "vrf", certificate->vrf_proof, VRF_PROOF_BYTES);
    buffer_printf(out, "%s %" PRIu64 "\n", certificate->present ? "present" : "absent",
                  certificate->place);
    put_leaf(out, &certificate->leaves[0]);
    if (!certificate->present)
        put_leaf(out, &certificate->leaves[1]);
    put_path(out, &certificate->path);
    if (!certificate->present)
        return;
    buffer_printf(out, "inner %" PRIu64 " %" PRIu64 "\n", certificate->inner_leaves,
                  certificate->inner_place);
    put_bytes(out, "root", certificate->inner_root, SORTED_HASH_BYTES);
    put_bytes(out, "mark", certificate->inner_marks[0], MARK_BYTES);
    put_bytes(out, "mark", certificate->inner_marks[1], MARK_BYTES);
    put_path(out, &certificate->inner_path);
}

static void put_commitment(const struct certificate *certificate, struct buffer *out)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char text[ENTRY_TEXT_BYTES + 1];
    if (certificate->entry.len > LIMIT_LEDGER_ENTRY_BYTES)
        return; /* an entry of another size is none, and what lacks it differs */
    crypto_base64_encode(certificate->entry.data, certificate->entry.len, text);
    buffer_printf(out, "commitment %" PRIu64 " %s\n", certificate->sequence, text);
    for (size_t i = 0; i < certificate->inclusion.count; i++)
        put_bytes(out, "hash", certificate->inclusion.hashes[i], CRYPTO_SHA256_BYTES);
    crypto_sha256(&certificate->checkpoint, 1, digest);
    put_bytes(out, "checkpoint", digest, sizeof digest);
}

void certificate_format(const struct certificate *certificate, struct buffer *out)
{
    char time[TIME_ROOM], since[TIME_ROOM];
    clock_format_utc(certificate->as_of_ns, time);
    buffer_append_text(out, certificate_head);
    put_text(out, "log", certificate->origin);
    if (certificate->from > 0) {
        clock_format_utc(certificate->since_ns, since);
        buffer_printf(out, "from %" PRIu64 "\nsince %s\n", certificate->from, since);
    }
    buffer_printf(out, "entries %" PRIu64 "\nas-of %s\nerased %" PRIu64 "\n", certificate->entries,
                  time, certificate->erased);
    put_text(out, "kind", certificate->question.kind);
    put_text(out, "subject", certificate->question.subject);
    put_text(out, "partner", certificate->question.partner);
    put_text(out, "column", certificate->question.column);
    buffer_append_text(out, "\n");
    put_words(certificate, time, out);
    buffer_append_text(out, "\n");
    put_proof(certificate, out);
    put_commitment(certificate, out);
    buffer_append_text(out, "\n");
    buffer_append(out, certificate->checkpoint.data, certificate->checkpoint.len);
}

/* ---- reading ---- */

struct cursor {
    struct slice rest;
};

/* The next line, without its newline; not taken. */
static bool peek(const struct cursor *cursor, struct slice *line)
{
    const uint8_t *end =
        cursor->rest.len == 0 ? NULL : memchr(cursor->rest.data, '\n', cursor->rest.len);
    if (end == NULL)
        return false;
    *line = slice_of(cursor->rest.data, (size_t)(end - cursor->rest.data));
    return true;
}

static void drop(struct cursor *cursor, size_t len)
{
    cursor->rest = slice_of(cursor->rest.data + len, cursor->rest.len - len);
}

/* Takes "name value"; false, with nothing taken, where another line stands there. */
static bool field(struct cursor *cursor, const char *name, struct slice *value)
{
    struct slice line;
    size_t len = strlen(name);
    if (!peek(cursor, &line) || line.len <= len || memcmp(line.data, name, len) != 0 ||
        line.data[len] != ' ')
        return false;
    *value = slice_of(line.data + len + 1, line.len - len - 1);
    drop(cursor, line.len + 1);
    return true;
}

static bool number_field(struct cursor *cursor, const char *name, uint64_t *number)
{
    struct slice value;
    return field(cursor, name, &value) && spelling_number(value, number);
}

static bool bytes_field(struct cursor *cursor, const char *name, uint8_t *bytes, size_t len)
{
    struct slice value;
    return field(cursor, name, &value) && spelling_base64(value, bytes, len);
}

/* A line that is spelt so into room for it; a text that is not there stays "". */
static bool text_field(struct cursor *cursor, const char *name, bool (*is_spelt)(struct slice),
                       char *text, size_t room)
{
    struct slice value;
    if (!field(cursor, name, &value))
        return true;
    if (value.len == 0 || value.len >= room || !is_spelt(value))
        return false;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    return true;
}

static bool blank(struct cursor *cursor)
{
    struct slice line;
    if (!peek(cursor, &line) || line.len != 0)
        return false;
    drop(cursor, 1);
    return true;
}

/* Of a log whose oldest entries were dropped. */
static bool read_base(struct cursor *cursor, struct certificate *certificate)
{
    struct slice since;
    if (!number_field(cursor, "from", &certificate->from))
        return true; /* where it is malformed, the next field is not found */
    return certificate->from > 0 && field(cursor, "since", &since) &&
           spelling_instant(since, &certificate->since_ns);
}

static bool read_statement(struct cursor *cursor, struct certificate *certificate)
{
    struct never_question *question = &certificate->question;
    struct slice time, line;
    size_t head = strlen(certificate_head);
    if (cursor->rest.len < head || memcmp(cursor->rest.data, certificate_head, head) != 0)
        return false;
    drop(cursor, head);
    if (!text_field(cursor, "log", text_is_plain, certificate->origin,
                    sizeof certificate->origin) ||
        !read_base(cursor, certificate) ||
        !number_field(cursor, "entries", &certificate->entries) || !field(cursor, "as-of", &time) ||
        !spelling_instant(time, &certificate->as_of_ns) ||
        !number_field(cursor, "erased", &certificate->erased) ||
        !text_field(cursor, "kind", spelling_name, question->kind, sizeof question->kind) ||
        !text_field(cursor, "subject", spelling_key, question->subject, sizeof question->subject) ||
        !text_field(cursor, "partner", spelling_name, question->partner,
                    sizeof question->partner) ||
        !text_field(cursor, "column", spelling_column, question->column, sizeof question->column) ||
        !blank(cursor))
        return false;
    while (peek(cursor, &line) && line.len > 0) /* the words are compared with our own */
        drop(cursor, line.len + 1);
    return blank(cursor);
}

static bool read_hashes(struct cursor *cursor, uint8_t (*hashes)[SORTED_HASH_BYTES], size_t most,
                        size_t *count)
{
    struct slice value;
    for (*count = 0; field(cursor, "hash", &value); (*count)++)
        if (*count == most || !spelling_base64(value, hashes[*count], SORTED_HASH_BYTES))
            return false;
    return true;
}

/* Cuts "left right" at its first blank. */
static bool cut(struct slice value, struct slice *left, struct slice *right)
{
    const uint8_t *gap = memchr(value.data, ' ', value.len);
    if (gap == NULL)
        return false;
    *left = slice_of(value.data, (size_t)(gap - value.data));
    *right = slice_of(gap + 1, value.len - left->len - 1);
    return true;
}

static bool read_leaf(struct cursor *cursor, struct marks_leaf *leaf)
{
    struct slice value, mark, inner;
    return field(cursor, "leaf", &value) && cut(value, &mark, &inner) &&
           spelling_base64(mark, leaf->mark, MARK_BYTES) &&
           spelling_base64(inner, leaf->inner, MARK_BYTES);
}

static bool read_inner(struct cursor *cursor, struct certificate *certificate)
{
    struct slice value, leaves, place;
    return field(cursor, "inner", &value) && cut(value, &leaves, &place) &&
           spelling_number(leaves, &certificate->inner_leaves) &&
           spelling_number(place, &certificate->inner_place) &&
           bytes_field(cursor, "root", certificate->inner_root, SORTED_HASH_BYTES) &&
           bytes_field(cursor, "mark", certificate->inner_marks[0], MARK_BYTES) &&
           bytes_field(cursor, "mark", certificate->inner_marks[1], MARK_BYTES) &&
           read_hashes(cursor, certificate->inner_path.hashes, SORTED_PATH_MAX,
                       &certificate->inner_path.count);
}

static bool read_proof(struct cursor *cursor, struct certificate *certificate)
{
    if (!bytes_field(cursor, "vrf", certificate->vrf_proof, VRF_PROOF_BYTES))
        return false;
    certificate->present = number_field(cursor, "present", &certificate->place);
    if (!certificate->present && !number_field(cursor, "absent", &certificate->place))
        return false;
    if (!read_leaf(cursor, &certificate->leaves[0]) ||
        (!certificate->present && !read_leaf(cursor, &certificate->leaves[1])) ||
        !read_hashes(cursor, certificate->path.hashes, SORTED_PATH_MAX, &certificate->path.count))
        return false;
    return !certificate->present || read_inner(cursor, certificate);
}

static bool read_entry(struct slice text, struct buffer *entry)
{
    size_t len;
    uint8_t *room = text.len > ENTRY_TEXT_BYTES ? NULL : buffer_reserve(entry, text.len / 4 * 3);
    if (room == NULL ||
        crypto_base64_decode((const char *)text.data, text.len, room, &len) != STATUS_OK)
        return false;
    entry->len += len;
    return len <= LIMIT_LEDGER_ENTRY_BYTES;
}

static bool read_commitment(struct cursor *cursor, struct certificate *certificate)
{
    struct slice value, sequence, entry, digest;
    if (!field(cursor, "commitment", &value) || !cut(value, &sequence, &entry) ||
        !spelling_number(sequence, &certificate->sequence) ||
        !read_entry(entry, &certificate->entry) ||
        !read_hashes(cursor, certificate->inclusion.hashes, PROOF_HASHES_MAX,
                     &certificate->inclusion.count) ||
        !field(cursor, "checkpoint", &digest) || !blank(cursor))
        return false;
    certificate->checkpoint = cursor->rest;
    return true;
}

enum status certificate_parse(struct slice bytes, struct certificate *certificate,
                              struct error *error)
{
    struct cursor cursor = {.rest = bytes};
    if (bytes.len > NEVER_CERTIFICATE_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL, "it is too long for a certificate");
    if (!read_statement(&cursor, certificate))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the certificate's statement is malformed");
    if (!read_proof(&cursor, certificate) || !read_commitment(&cursor, certificate))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the certificate's proof is malformed");
    struct buffer again;
    buffer_init(&again, NEVER_CERTIFICATE_BYTES);
    certificate_format(certificate, &again);
    bool same = !again.overflowed && slice_equal(buffer_slice(&again), bytes);
    buffer_free(&again);
    return same ? STATUS_OK
                : error_set(error, STATUS_INVALID, "22023", "Ask for the certificate again.",
                            "the certificate was changed: it is not spelt as one is");
}
