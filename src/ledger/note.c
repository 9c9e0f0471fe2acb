/* See note.h. Reading is strict: one spelling for each note, so that what two people compare byte
 * by byte is the same exactly where it says the same. */
#include "ledger/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"

enum {
    ID_BYTES = 4,
    KEY_BYTES = 32,
    SIGNATURE_BYTES = 64,
    TIME_BYTES = 8,
    /* The longest that we can judge is id ‖ time ‖ signature: 76 bytes. */
    BASE64_ROOM = 4 * ((ID_BYTES + TIME_BYTES + SIGNATURE_BYTES + 2) / 3) + 1,
    BASE64_KEY = 4 * ((1 + KEY_BYTES + 2) / 3),
    HEX_ID = 2 * ID_BYTES,
    SIGNATURE_LINE_MAX = 8 * 1024, /* signatures of kinds that we do not know are longer */
};

static const char dash[] = "\xe2\x80\x94 "; /* em dash, blank */
static const char private_prefix[] = "PRIVATE+KEY+";

static enum status malformed(struct error *error, const char *what, const char *why)
{
    return error_set(error, STATUS_INVALID, "22P02", NULL, "not a %s: %s", what, why);
}

/* ---- names ---- */

/* Go's unicode.IsSpace, for what text_is_plain lets through. */
static bool has_space(struct slice text)
{
    static const char *const spaces[] = {
        " ", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (memmem(text.data, text.len, spaces[i], strlen(spaces[i])) != NULL)
            return true;
    for (size_t i = 0; i + 2 < text.len; i++) /* U+2000 to U+200A */
        if (text.data[i] == 0xe2 && text.data[i + 1] == 0x80 && text.data[i + 2] >= 0x80 &&
            text.data[i + 2] <= 0x8a)
            return true;
    return false;
}

static bool name_is_valid(struct slice name)
{
    return name.len > 0 && name.len < NOTE_NAME_ROOM && text_is_plain(name) && !has_space(name) &&
           memchr(name.data, '+', name.len) == NULL;
}

/* ---- keys ---- */

static uint32_t key_id(const char *name, uint8_t type, const uint8_t public_key[static KEY_BYTES])
{
    uint8_t digest[32], separator[2] = {'\n', type};
    const struct slice parts[] = {slice_of_text(name), slice_of(separator, sizeof separator),
                                  slice_of(public_key, KEY_BYTES)};
    crypto_sha256(parts, 3, digest);
    return load_u32be(digest);
}

void note_key_make(const char *name, uint8_t type, const uint8_t public_key[static 32],
                   struct note_key *key)
{
    CHECK(name_is_valid(slice_of_text(name)));
    struct note_key made = {.type = type};
    snprintf(made.name, sizeof made.name, "%s", name);
    memcpy(made.public_key, public_key, sizeof made.public_key);
    made.id = key_id(made.name, type, made.public_key);
    *key = made;
}

/* Parts of "name+hex8+base64(type ‖ 32 bytes)"; the id is not yet judged. */
struct key_text {
    char name[NOTE_NAME_ROOM];
    uint32_t id;
    uint8_t bytes[1 + KEY_BYTES];
};

static bool parse_hex_id(const uint8_t *text, uint32_t *id)
{
    uint32_t value = 0;
    for (size_t i = 0; i < HEX_ID; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9', letter = text[i] >= 'a' && text[i] <= 'f';
        if (!digit && !letter)
            return false;
        value = value << 4 | (uint32_t)(digit ? text[i] - '0' : text[i] - 'a' + 10);
    }
    *id = value;
    return true;
}

/* Names have no '+', base64 may. */
static bool parse_key_text(struct slice text, struct key_text *out)
{
    const uint8_t *plus = text.len == 0 ? NULL : memchr(text.data, '+', text.len);
    if (plus == NULL)
        return false;
    size_t name_len = (size_t)(plus - text.data), len;
    uint8_t bytes[BASE64_KEY];
    if (text.len != name_len + 1 + HEX_ID + 1 + BASE64_KEY ||
        !name_is_valid(slice_of(text.data, name_len)) || plus[1 + HEX_ID] != '+' ||
        !parse_hex_id(plus + 1, &out->id) ||
        crypto_base64_decode((const char *)plus + HEX_ID + 2, BASE64_KEY, bytes, &len) !=
            STATUS_OK ||
        len != sizeof out->bytes)
        return false;
    memcpy(out->name, text.data, name_len);
    out->name[name_len] = '\0';
    memcpy(out->bytes, bytes, sizeof out->bytes);
    crypto_wipe(bytes, sizeof bytes);
    return true;
}

enum status note_key_parse(struct slice vkey, struct note_key *key, struct error *error)
{
    struct key_text text;
    struct note_key made;
    if (!parse_key_text(vkey, &text))
        return malformed(error, "verifier key", "it has the form name+hex+base64");
    if (text.bytes[0] != NOTE_TYPE_ED25519 && text.bytes[0] != NOTE_TYPE_COSIGNATURE)
        return malformed(error, "verifier key", "its type is neither Ed25519 nor cosignature/v1");
    note_key_make(text.name, text.bytes[0], text.bytes + 1, &made);
    if (made.id != text.id)
        return malformed(error, "verifier key", "its id is not that of its name and key");
    *key = made;
    return STATUS_OK;
}

static void append_key(const char *name, uint32_t id, uint8_t type, const uint8_t *bytes,
                       struct buffer *out)
{
    uint8_t typed[1 + KEY_BYTES] = {type};
    char base64[BASE64_KEY + 1];
    memcpy(typed + 1, bytes, KEY_BYTES);
    crypto_base64_encode(typed, sizeof typed, base64);
    buffer_printf(out, "%s+%08" PRIx32 "+", name, id);
    buffer_append_text(out, base64);
    crypto_wipe(typed, sizeof typed);
    crypto_wipe(base64, sizeof base64);
}

void note_key_format(const struct note_key *key, struct buffer *out)
{
    append_key(key->name, key->id, key->type, key->public_key, out);
}

bool note_key_equal(const struct note_key *a, const struct note_key *b)
{
    return a->id == b->id && a->type == b->type && strcmp(a->name, b->name) == 0 &&
           memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0;
}

/* ---- signers ---- */

static void signer_make(const char *name, const uint8_t seed[static KEY_BYTES],
                        struct note_signer *signer)
{
    uint8_t public_key[KEY_BYTES];
    crypto_ed25519_public(seed, public_key);
    memcpy(signer->seed, seed, sizeof signer->seed);
    note_key_make(name, NOTE_TYPE_ED25519, public_key, &signer->key);
}

void note_signer_generate(const char *name, struct note_signer *signer)
{
    uint8_t seed[KEY_BYTES];
    crypto_random(seed, sizeof seed);
    signer_make(name, seed, signer);
    crypto_wipe(seed, sizeof seed);
}

void note_signer_format(const struct note_signer *signer, struct buffer *out)
{
    buffer_append_text(out, private_prefix);
    append_key(signer->key.name, signer->key.id, NOTE_TYPE_ED25519, signer->seed, out);
}

enum status note_signer_parse(struct slice text, struct note_signer *signer, struct error *error)
{
    struct key_text key;
    struct note_signer made;
    size_t prefix = sizeof private_prefix - 1;
    if (text.len < prefix || memcmp(text.data, private_prefix, prefix) != 0 ||
        !parse_key_text(slice_of(text.data + prefix, text.len - prefix), &key) ||
        key.bytes[0] != NOTE_TYPE_ED25519)
        return malformed(error, "signing key", "it has the form PRIVATE+KEY+name+hex+base64");
    signer_make(key.name, key.bytes + 1, &made);
    bool same = made.key.id == key.id;
    if (same)
        *signer = made;
    crypto_wipe(&key, sizeof key);
    note_signer_wipe(&made);
    return same ? STATUS_OK
                : malformed(error, "signing key", "its id is not that of its name and key");
}

enum status note_signer_read(const char *path, struct note_signer *signer, struct error *error)
{
    struct buffer text;
    buffer_init(&text, 1024);
    enum status status = file_read_secret(path, &text, error);
    if (status == STATUS_OK) {
        status = note_signer_parse(buffer_slice(&text), signer, error);
        if (status != STATUS_OK)
            error_prefix(error, "%.200s", path);
    }
    if (text.data != NULL)
        crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    return status;
}

void note_signer_wipe(struct note_signer *signer)
{
    crypto_wipe(signer, sizeof *signer);
}

/* ---- notes ---- */

/* Every line is plain and ends in a newline. */
static bool lines_are_plain(struct slice text)
{
    const uint8_t *at = text.data, *end = text.data + text.len;
    while (at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL || !text_is_plain(slice_of(at, (size_t)(newline - at))))
            return false;
        at = newline + 1;
    }
    return true;
}

/* The id is in the first six symbols; the rest must be base64 too, of one byte at least. */
static bool parse_base64(struct slice text, uint32_t *id)
{
    uint8_t bytes[SIGNATURE_LINE_MAX];
    size_t len;
    if (text.len == 0 || text.len > sizeof bytes ||
        crypto_base64_decode((const char *)text.data, text.len, bytes, &len) != STATUS_OK ||
        len < ID_BYTES + 1)
        return false;
    *id = load_u32be(bytes);
    return true;
}

static bool parse_signature(struct slice line, struct note_signature *signature)
{
    size_t prefix = sizeof dash - 1;
    if (line.len < prefix + 1 || memcmp(line.data, dash, prefix) != 0)
        return false;
    struct slice rest = slice_of(line.data + prefix, line.len - prefix - 1);
    const uint8_t *blank = rest.len == 0 ? NULL : memchr(rest.data, ' ', rest.len);
    if (blank == NULL)
        return false;
    size_t name_len = (size_t)(blank - rest.data);
    signature->line = line;
    signature->name = slice_of(rest.data, name_len);
    signature->base64 = slice_of(blank + 1, rest.len - name_len - 1);
    return name_is_valid(signature->name) && parse_base64(signature->base64, &signature->id);
}

enum status note_parse_signatures(struct slice lines, struct note *note, struct error *error)
{
    note->count = 0;
    note->text = slice_of(NULL, 0);
    if (lines.len == 0 || lines.len > NOTE_BYTES_MAX || !lines_are_plain(lines))
        return malformed(error, "signature", "no lines of text");
    const uint8_t *at = lines.data, *end = lines.data + lines.len;
    while (at < end) {
        const uint8_t *next = (const uint8_t *)memchr(at, '\n', (size_t)(end - at)) + 1;
        if (note->count == NOTE_SIGNATURES_MAX)
            return malformed(error, "signed note", "too many signatures");
        if (!parse_signature(slice_of(at, (size_t)(next - at)), &note->signatures[note->count]))
            return malformed(error, "signature", "a line is not \"\xe2\x80\x94 name base64\"");
        note->count++;
        at = next;
    }
    return STATUS_OK;
}

enum status note_parse(struct slice bytes, struct note *note, struct error *error)
{
    if (bytes.len > NOTE_BYTES_MAX)
        return malformed(error, "signed note", "too long");
    if (bytes.len == 0 || !lines_are_plain(bytes))
        return malformed(error, "signed note", "no lines of text");
    size_t split = bytes.len;
    for (size_t at = bytes.len; at-- > 1 && split == bytes.len;)
        if (bytes.data[at] == '\n' && bytes.data[at - 1] == '\n')
            split = at;
    if (split == bytes.len)
        return malformed(error, "signed note", "no blank line before its signatures");
    TRY(note_parse_signatures(slice_of(bytes.data + split + 1, bytes.len - split - 1), note,
                              error));
    note->text = slice_of(bytes.data, split);
    return STATUS_OK;
}

/* cosignature/v1: the time is signed in a header before the text. */
static bool verify_cosignature(const struct note_key *key, struct slice text, const uint8_t *bytes)
{
    struct buffer message;
    buffer_init(&message, NOTE_BYTES_MAX + 64);
    buffer_printf(&message, "cosignature/v1\ntime %" PRIu64 "\n", load_u64be(bytes));
    buffer_append(&message, text.data, text.len);
    bool good = !message.overflowed &&
                crypto_ed25519_verify(key->public_key, buffer_slice(&message), bytes + TIME_BYTES);
    buffer_free(&message);
    return good;
}

/* *time: of a cosignature, otherwise 0. */
static bool verify(const struct note_key *key, struct slice text,
                   const struct note_signature *signature, uint64_t *time)
{
    uint8_t bytes[BASE64_ROOM];
    size_t len;
    if (signature->base64.len >= BASE64_ROOM ||
        crypto_base64_decode((const char *)signature->base64.data, signature->base64.len, bytes,
                             &len) != STATUS_OK)
        return false;
    *time = 0;
    if (key->type == NOTE_TYPE_ED25519)
        return len == ID_BYTES + SIGNATURE_BYTES &&
               crypto_ed25519_verify(key->public_key, text, bytes + ID_BYTES);
    if (key->type != NOTE_TYPE_COSIGNATURE || len != ID_BYTES + TIME_BYTES + SIGNATURE_BYTES)
        return false;
    *time = load_u64be(bytes + ID_BYTES);
    return verify_cosignature(key, text, bytes + ID_BYTES);
}

static enum note_verdict check(const struct note *note, const struct note_key *key, uint64_t *time)
{
    enum note_verdict verdict = NOTE_ABSENT;
    const struct slice name = slice_of_text(key->name);
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *signature = &note->signatures[i];
        if (signature->id != key->id || !slice_equal(signature->name, name))
            continue;
        if (!verify(key, note->text, signature, time))
            return NOTE_BAD;
        verdict = NOTE_GOOD;
    }
    return verdict;
}

enum note_verdict note_check(const struct note *note, const struct note_key *key)
{
    uint64_t time;
    return check(note, key, &time);
}

uint64_t note_cosigned_at(const struct note *note, const struct note_key *witness)
{
    uint64_t time = 0;
    return check(note, witness, &time) == NOTE_GOOD ? time : 0;
}

void note_sign(const struct note_signer *signer, struct slice text, struct buffer *out)
{
    uint8_t bytes[ID_BYTES + SIGNATURE_BYTES];
    char base64[4 * ((sizeof bytes + 2) / 3) + 1];
    CHECK(text.len > 0 && text.data[text.len - 1] == '\n');
    store_u32be(bytes, signer->key.id);
    crypto_ed25519_sign(signer->seed, text, bytes + ID_BYTES);
    crypto_base64_encode(bytes, sizeof bytes, base64);
    buffer_append_text(out, dash);
    buffer_printf(out, "%s %s\n", signer->key.name, base64);
}
