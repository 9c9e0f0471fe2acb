/* The server's side of SCRAM-SHA-256 and -PLUS: proves that a client knows the password behind a
 * verifier. Invariant: first, then final, each once; a wrong proof and an unknown user look the
 * same. One exchange, one thread; owns its buffers until scram_server_wipe. */
#include <string.h>

#include "base/check.h"
#include "wire/scram.h"
#include "wire/scram_message.h"

enum { STEP_FIRST, STEP_FINAL, STEP_DONE };

static enum status malformed(struct error *error, const char *what)
{
    return error_set(error, STATUS_PEER, "08P01", NULL, "malformed SCRAM message: %s", what);
}

void scram_server_init(struct scram_server *server, const struct scram_verifier *verifier,
                       const struct scram_binding *binding)
{
    *server = (struct scram_server){.verifier = *verifier, .step = STEP_FIRST};
    if (binding != NULL)
        server->binding = *binding;
    buffer_init(&server->client_first_bare, SCRAM_MAX_MESSAGE_BYTES);
    buffer_init(&server->server_first, SCRAM_MAX_MESSAGE_BYTES);
}

void scram_server_wipe(struct scram_server *server)
{
    scram_buffer_wipe(&server->client_first_bare);
    scram_buffer_wipe(&server->server_first);
    crypto_wipe(server, sizeof *server);
}

/* "p=" with the one type there is, which PLUS is about; *rest is what stands behind the type. */
static enum status read_binding_type(struct slice message, bool plus, struct slice *rest,
                                     struct error *error)
{
    static const char type[] = "=" SCRAM_BINDING_TYPE;
    size_t len = sizeof type - 1;
    if (!plus)
        return error_set(error, STATUS_PEER, "08P01",
                         "Connect with channel_binding=prefer or disable.",
                         "channel binding was used, but SCRAM-SHA-256-PLUS was not chosen");
    if (message.len < 1 + len || memcmp(message.data + 1, type, len) != 0)
        return error_set(error, STATUS_PEER, "08P01", NULL,
                         "only channel binding of type " SCRAM_BINDING_TYPE " is supported");
    *rest = slice_of(message.data + 1 + len, message.len - 1 - len);
    return STATUS_OK;
}

/* Without 'p'. A client that could bind says so, and that it thinks we cannot: if we have offered
 * it, somebody between has taken the offer out (RFC 5802, section 6). */
static enum status judge_unbound(char flag, bool plus, bool offered, struct error *error)
{
    if (flag != 'n' && flag != 'y')
        return malformed(error, "unknown channel binding flag");
    if (plus)
        return malformed(error, "SCRAM-SHA-256-PLUS without channel binding");
    if (flag == 'y' && offered)
        return error_set(error, STATUS_PEER, "28000",
                         "Somebody between client and gateway may have altered the login; "
                         "connect with sslmode=verify-full and channel_binding=require.",
                         "the client can bind the channel and was not shown that we offer it");
    return STATUS_OK;
}

/* The GS2 header says what the client thinks of channel binding: "n" it cannot, "y" it could but
 * thinks we cannot, "p" it does. */
static enum status read_gs2_header(const struct scram_server *server, bool plus,
                                   struct slice message, char *flag, struct slice *bare,
                                   struct error *error)
{
    if (message.len < 3)
        return malformed(error, "too short");
    struct slice rest = slice_of(message.data + 1, message.len - 1);
    *flag = (char)message.data[0];
    if (*flag == 'p')
        TRY(read_binding_type(message, plus, &rest, error));
    else
        TRY(judge_unbound(*flag, plus, server->binding.len > 0, error));
    if (rest.len < 2 || rest.data[0] != ',')
        return malformed(error, "comma expected behind the channel binding flag");
    if (rest.data[1] == 'a')
        return error_set(error, STATUS_PEER, "0A000", NULL,
                         "SCRAM authorization identities are not supported");
    if (rest.data[1] != ',')
        return malformed(error, "comma expected behind the GS2 header");
    *bare = slice_of(rest.data + 2, rest.len - 2);
    return STATUS_OK;
}

/* PLUS may only be chosen where it was offered. */
static enum status read_mechanism(const struct scram_server *server, const char *mechanism,
                                  bool *plus, struct error *error)
{
    *plus = strcmp(mechanism, SCRAM_PLUS) == 0 && server->binding.len > 0;
    if (!*plus && strcmp(mechanism, SCRAM_PLAIN) != 0)
        return error_set(error, STATUS_PEER, "08P01", "use one of the mechanisms offered",
                         "the client chose a SASL mechanism that was not offered");
    return STATUS_OK;
}

enum status scram_server_first(struct scram_server *server, const char *mechanism,
                               struct slice message, struct buffer *reply, struct error *error)
{
    CHECK(server->step == STEP_FIRST);
    if (message.len > SCRAM_MAX_MESSAGE_BYTES)
        return malformed(error, "too long");
    bool plus = false;
    char flag = '\0';
    struct slice bare = {0};
    TRY(read_mechanism(server, mechanism, &plus, error));
    TRY(read_gs2_header(server, plus, message, &flag, &bare, error));
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
    /* An altered flag would hide that PLUS was stripped; another hash is another channel. */
    char expected[SCRAM_BINDING_ROOM];
    scram_binding_encode(server->binding_flag, &server->binding, expected);
    if (!slice_equal(binding, slice_of_text(expected)))
        return error_set(error, STATUS_PEER, server->binding_flag == 'p' ? "28000" : "08P01", NULL,
                         "malformed SCRAM message: channel binding does not match");
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
