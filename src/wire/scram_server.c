/* The server's side of SCRAM-SHA-256: proves that a client knows the password behind a verifier.
 * Invariant: first, then final, each once; a wrong proof and an unknown user look the same.
 * One exchange, one thread; owns its buffers until scram_server_wipe. */
#include <string.h>

#include "base/check.h"
#include "wire/scram.h"
#include "wire/scram_message.h"

enum { STEP_FIRST, STEP_FINAL, STEP_DONE };

static enum status malformed(struct error *error, const char *what)
{
    return error_set(error, STATUS_PEER, "08P01", NULL, "malformed SCRAM message: %s", what);
}

void scram_server_init(struct scram_server *server, const struct scram_verifier *verifier)
{
    *server = (struct scram_server){.verifier = *verifier, .step = STEP_FIRST};
    buffer_init(&server->client_first_bare, SCRAM_MAX_MESSAGE_BYTES);
    buffer_init(&server->server_first, SCRAM_MAX_MESSAGE_BYTES);
}

void scram_server_wipe(struct scram_server *server)
{
    scram_buffer_wipe(&server->client_first_bare);
    scram_buffer_wipe(&server->server_first);
    crypto_wipe(server, sizeof *server);
}

/* The GS2 header says what the client thinks of channel binding: "n" it cannot, "y" it could but
 * thinks we cannot (which is true), "p" it did, which we have not offered. */
static enum status read_gs2_header(struct slice message, char *flag, struct slice *bare,
                                   struct error *error)
{
    if (message.len < 3)
        return malformed(error, "too short");
    if (message.data[0] == 'p')
        return error_set(error, STATUS_PEER, "08P01",
                         "Connect with channel_binding=prefer or disable.",
                         "channel binding was used, but SCRAM-SHA-256-PLUS was not offered");
    if (message.data[0] != 'n' && message.data[0] != 'y')
        return malformed(error, "unknown channel binding flag");
    if (message.data[1] != ',')
        return malformed(error, "comma expected behind the channel binding flag");
    if (message.data[2] == 'a')
        return error_set(error, STATUS_PEER, "0A000", NULL,
                         "SCRAM authorization identities are not supported");
    if (message.data[2] != ',')
        return malformed(error, "comma expected behind the GS2 header");
    *flag = (char)message.data[0];
    *bare = slice_of(message.data + 3, message.len - 3);
    return STATUS_OK;
}

enum status scram_server_first(struct scram_server *server, struct slice message,
                               struct buffer *reply, struct error *error)
{
    CHECK(server->step == STEP_FIRST);
    if (message.len > SCRAM_MAX_MESSAGE_BYTES)
        return malformed(error, "too long");
    char flag = '\0';
    struct slice bare = {0};
    TRY(read_gs2_header(message, &flag, &bare, error));
    struct scram_cursor cursor = scram_cursor_of(bare);
    scram_read(&cursor, 'n'); /* ignored, as in PostgreSQL: the startup packet names the user */
    struct slice client_nonce = scram_read(&cursor, 'r');
    scram_skip_extensions(&cursor, '\0');
    if (!scram_cursor_done(&cursor))
        return malformed(error, "client-first-message");
    if (!scram_nonce_valid(client_nonce) ||
        client_nonce.len > SCRAM_MAX_NONCE_CHARS - SCRAM_NONCE_CHARS)
        return malformed(error, "nonce");

    char salt[4 * ((SCRAM_MAX_SALT_BYTES + 2) / 3) + 1], our_nonce[SCRAM_NONCE_CHARS + 1];
    crypto_base64_encode(server->verifier.salt, server->verifier.salt_len, salt);
    scram_nonce_make(our_nonce);
    server->binding_flag = flag;
    server->nonce_len = client_nonce.len + SCRAM_NONCE_CHARS;
    buffer_append(&server->client_first_bare, bare.data, bare.len);
    buffer_printf(&server->server_first, "r=%.*s%s,s=%s,i=%u", (int)client_nonce.len,
                  (const char *)client_nonce.data, our_nonce, salt, server->verifier.iterations);
    if (server->client_first_bare.overflowed || server->server_first.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    buffer_append(reply, server->server_first.data, server->server_first.len);
    server->step = STEP_FINAL;
    return STATUS_OK;
}

/* ClientKey = ClientProof XOR ClientSignature must hash to StoredKey. */
static bool proof_matches(const struct scram_server *server, const uint8_t proof[static 32],
                          struct slice client_final_bare)
{
    uint8_t client_key[32], digest[32];
    scram_signature(server->verifier.stored_key, buffer_slice(&server->client_first_bare),
                    buffer_slice(&server->server_first), client_final_bare, client_key);
    for (size_t i = 0; i < sizeof client_key; i++)
        client_key[i] ^= proof[i];
    struct slice key = slice_of(client_key, sizeof client_key);
    crypto_sha256(&key, 1, digest);
    crypto_wipe(client_key, sizeof client_key);
    return crypto_equal(digest, server->verifier.stored_key, sizeof digest);
}

enum status scram_server_final(struct scram_server *server, struct slice message,
                               struct buffer *reply, struct error *error)
{
    CHECK(server->step == STEP_FINAL);
    server->step = STEP_DONE;
    if (message.len > SCRAM_MAX_MESSAGE_BYTES)
        return malformed(error, "too long");
    struct scram_cursor cursor = scram_cursor_of(message);
    struct slice binding = scram_read(&cursor, 'c'), nonce = scram_read(&cursor, 'r');
    scram_skip_extensions(&cursor, 'p');
    struct slice client_final_bare = slice_of(message.data, cursor.at);
    struct slice encoded_proof = scram_read(&cursor, 'p');
    uint8_t proof[32];
    if (!scram_cursor_done(&cursor) || !scram_key_decode(encoded_proof, proof))
        return malformed(error, "client-final-message");
    /* base64 of "n,," and "y,,": an altered flag would hide that PLUS was stripped. */
    if (!slice_equal(binding, slice_of_text(server->binding_flag == 'n' ? "biws" : "eSws")))
        return malformed(error, "channel binding does not match");
    if (!slice_equal(nonce, slice_of(server->server_first.data + 2, server->nonce_len)))
        return malformed(error, "nonce does not match");
    if (!proof_matches(server, proof, client_final_bare))
        return error_set(error, STATUS_DENIED, "28P01", NULL, "password authentication failed");

    uint8_t signature[32];
    char encoded[SCRAM_KEY_BASE64_CHARS + 1];
    scram_signature(server->verifier.server_key, buffer_slice(&server->client_first_bare),
                    buffer_slice(&server->server_first), client_final_bare, signature);
    crypto_base64_encode(signature, sizeof signature, encoded);
    buffer_printf(reply, "v=%s", encoded);
    return STATUS_OK;
}
