/* Attributes of SCRAM messages and the arithmetic of RFC 5802, section 3. No state, any thread. */
#include "wire/scram_message.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

struct scram_cursor scram_cursor_of(struct slice text)
{
    return (struct scram_cursor){.text = text};
}

bool scram_cursor_done(const struct scram_cursor *cursor)
{
    return !cursor->failed && cursor->at == cursor->text.len;
}

/* Any attribute; *name is its letter, 0 on failure. */
static struct slice read_attribute(struct scram_cursor *cursor, char *name)
{
    struct slice text = cursor->text;
    size_t at = cursor->at;
    *name = '\0';
    if (at > 0 && at < text.len && text.data[at] == ',')
        at++;
    else if (at > 0)
        cursor->failed = true;
    if (cursor->failed || text.len - at < 2 || text.data[at + 1] != '=') {
        cursor->failed = true;
        return slice_of(NULL, 0);
    }
    size_t start = at + 2, end = start;
    while (end < text.len && text.data[end] != ',')
        end++;
    *name = (char)text.data[at];
    cursor->at = end;
    return slice_of(text.data + start, end - start);
}

struct slice scram_read(struct scram_cursor *cursor, char name)
{
    char found;
    struct slice value = read_attribute(cursor, &found);
    if (found != name)
        cursor->failed = true;
    return cursor->failed ? slice_of(NULL, 0) : value;
}

void scram_skip_extensions(struct scram_cursor *cursor, char until)
{
    while (!cursor->failed && cursor->at < cursor->text.len) {
        struct scram_cursor ahead = *cursor;
        char name;
        read_attribute(&ahead, &name);
        if (!ahead.failed && name == until)
            return;
        /* "m" is the extension that says: do not go on if you do not understand me. */
        bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
        if (!letter || name == 'm')
            ahead.failed = true;
        *cursor = ahead;
    }
}

bool scram_nonce_valid(struct slice nonce)
{
    if (nonce.len < 1 || nonce.len > SCRAM_MAX_NONCE_CHARS)
        return false;
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.data[i] < 0x21 || nonce.data[i] > 0x7e || nonce.data[i] == ',')
            return false;
    return true;
}

void scram_nonce_make(char nonce[static SCRAM_NONCE_CHARS + 1])
{
    uint8_t bytes[SCRAM_NONCE_BYTES];
    crypto_random(bytes, sizeof bytes);
    crypto_base64_encode(bytes, sizeof bytes, nonce);
}

bool scram_iterations_parse(struct slice text, uint32_t max, uint32_t *iterations)
{
    uint64_t value = 0;
    if (text.len < 1 || text.len > 10 || text.data[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = 10 * value + (uint64_t)(text.data[i] - '0');
    }
    if (value > max)
        return false;
    *iterations = (uint32_t)value;
    return true;
}

bool scram_key_decode(struct slice text, uint8_t key[static 32])
{
    uint8_t bytes[3 * (SCRAM_KEY_BASE64_CHARS / 4)];
    size_t len;
    if (text.len != SCRAM_KEY_BASE64_CHARS ||
        crypto_base64_decode((const char *)text.data, text.len, bytes, &len) != STATUS_OK ||
        len != 32)
        return false;
    memcpy(key, bytes, 32);
    crypto_wipe(bytes, sizeof bytes);
    return true;
}

void scram_gs2_header(char flag, char header[static SCRAM_GS2_ROOM])
{
    snprintf(header, SCRAM_GS2_ROOM, flag == 'p' ? "%c=" SCRAM_BINDING_TYPE ",," : "%c,,", flag);
}

void scram_binding_encode(char flag, const struct scram_binding *binding,
                          char encoded[static SCRAM_BINDING_ROOM])
{
    char plain[SCRAM_GS2_ROOM + SCRAM_MAX_BINDING_BYTES];
    static_assert(4 * ((sizeof plain + 2) / 3) < SCRAM_BINDING_ROOM, "base64 has room");
    scram_gs2_header(flag, plain);
    size_t len = strlen(plain);
    if (flag == 'p') {
        CHECK(binding->len > 0 && binding->len <= sizeof binding->data);
        memcpy(plain + len, binding->data, binding->len);
        len += binding->len;
    }
    crypto_base64_encode((const uint8_t *)plain, len, encoded);
}

void scram_keys_derive(struct slice password, struct slice salt, uint32_t iterations,
                       struct scram_keys *keys)
{
    uint8_t salted[32];
    crypto_pbkdf2_sha256(password, salt, iterations, salted);
    struct slice salted_password = slice_of(salted, sizeof salted);
    struct slice client = slice_of_text("Client Key"), server = slice_of_text("Server Key");
    crypto_hmac_sha256(salted_password, &client, 1, keys->client_key);
    crypto_hmac_sha256(salted_password, &server, 1, keys->server_key);
    struct slice client_key = slice_of(keys->client_key, sizeof keys->client_key);
    crypto_sha256(&client_key, 1, keys->stored_key);
    crypto_wipe(salted, sizeof salted);
}

void scram_signature(const uint8_t key[static 32], struct slice client_first_bare,
                     struct slice server_first, struct slice client_final_bare,
                     uint8_t signature[static 32])
{
    const struct slice auth_message[] = {client_first_bare, slice_of_text(","), server_first,
                                         slice_of_text(","), client_final_bare};
    crypto_hmac_sha256(slice_of(key, 32), auth_message, 5, signature);
}

void scram_buffer_wipe(struct buffer *buffer)
{
    crypto_wipe(buffer->data, buffer->capacity);
    buffer_free(buffer);
}
