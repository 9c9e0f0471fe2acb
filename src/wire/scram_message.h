/* Private to wire/: attributes of SCRAM messages (RFC 5802, section 7) and the steps that both
 * sides compute. */
#ifndef COFFERDAM_WIRE_SCRAM_MESSAGE_H
#define COFFERDAM_WIRE_SCRAM_MESSAGE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "crypto/crypto.h"
#include "wire/scram.h"

enum {
    SCRAM_NONCE_BYTES = 18, /* ours, before base64: 24 characters, no padding */
    SCRAM_NONCE_CHARS = 24,
    SCRAM_MAX_NONCE_CHARS = 256, /* the peer's, or both together */
    SCRAM_MAX_MESSAGE_BYTES = 4096,
    SCRAM_KEY_BASE64_CHARS = 44,
    SCRAM_GS2_ROOM = 32,             /* "p=tls-server-end-point,," */
    SCRAM_BINDING_ROOM = 4 * 32 + 8, /* base64 of a GS2 header and a hash, terminated */
};

#define SCRAM_BINDING_TYPE "tls-server-end-point"

/* A cursor over "a=value,b=value"; sticky failure. */
struct scram_cursor {
    struct slice text;
    size_t at;
    bool failed;
};
struct scram_cursor scram_cursor_of(struct slice text);
/* The next attribute, which must have this name; an empty slice on failure. */
struct slice scram_read(struct scram_cursor *cursor, char name);
/* Steps over attributes (extensions, which we may ignore) until one has this name or the end. */
void scram_skip_extensions(struct scram_cursor *cursor, char until);
bool scram_cursor_done(const struct scram_cursor *cursor);

/* Printable ASCII without commas, 1 to SCRAM_MAX_NONCE_CHARS. */
bool scram_nonce_valid(struct slice nonce);
void scram_nonce_make(char nonce[static SCRAM_NONCE_CHARS + 1]);
/* Decimal without sign or leading zero, 1 to max; false otherwise. */
bool scram_iterations_parse(struct slice text, uint32_t max, uint32_t *iterations);
/* base64 of exactly 32 bytes. */
bool scram_key_decode(struct slice text, uint8_t key[static 32]);

/* The GS2 header of this flag, without authorization identity: "n,,", "y,,", "p=…,,". */
void scram_gs2_header(char flag, char header[static SCRAM_GS2_ROOM]);
/* What stands behind "c=" in the client's final message: base64 of the GS2 header and, with 'p',
 * of the channel's hash. Terminated. */
void scram_binding_encode(char flag, const struct scram_binding *binding,
                          char encoded[static SCRAM_BINDING_ROOM]);

/* HMAC(salted password, "Client Key") and "Server Key". */
void scram_keys_derive(struct slice password, struct slice salt, uint32_t iterations,
                       struct scram_keys *keys);

/* HMAC(key, AuthMessage) where AuthMessage is the three messages joined by commas. */
void scram_signature(const uint8_t key[static 32], struct slice client_first_bare,
                     struct slice server_first, struct slice client_final_bare,
                     uint8_t signature[static 32]);

/* Wipes what the buffer holds and ever held in this memory, and frees it. */
void scram_buffer_wipe(struct buffer *buffer);

#endif
