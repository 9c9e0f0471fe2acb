/* The client's side of SCRAM-SHA-256, towards the upstream; it proves the password and then
 * wants the server's proof. The password is wiped as soon as the keys are derived.
 * One exchange, one thread; owns its buffers until scram_client_wipe. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "wire/scram.h"
#include "wire/scram_message.h"

static enum status malformed(struct error *error, const char *what)
{
    return error_set(error, STATUS_PEER, "08P01", NULL, "malformed SCRAM message: %s", what);
}

void scram_client_init(struct scram_client *client, struct slice password,
                       struct scram_memory *memory, const struct scram_binding *binding, bool plus)
{
    bool can_bind = binding != NULL && binding->len > 0;
    *client = (struct scram_client){.memory = memory, .binding_flag = 'n'};
    if (can_bind) {
        client->binding = *binding;
        client->binding_flag = plus ? 'p' : 'y';
    }
    buffer_init(&client->password, password.len + 1);
    buffer_init(&client->client_first_bare, SCRAM_MAX_MESSAGE_BYTES);
    buffer_append(&client->password, password.data, password.len);
}

void scram_client_wipe(struct scram_client *client)
{
    scram_buffer_wipe(&client->password);
    scram_buffer_wipe(&client->client_first_bare);
    crypto_wipe(client, sizeof *client);
}

const char *scram_client_mechanism(const struct scram_client *client)
{
    return client->binding_flag == 'p' ? SCRAM_PLUS : SCRAM_PLAIN;
}

void scram_client_first(struct scram_client *client, struct buffer *message)
{
    char header[SCRAM_GS2_ROOM];
    scram_gs2_header(client->binding_flag, header);
    scram_nonce_make(client->nonce);
    buffer_clear(&client->client_first_bare);
    buffer_printf(&client->client_first_bare, "n=,r=%s", client->nonce);
    buffer_append_text(message, header);
    buffer_append(message, client->client_first_bare.data, client->client_first_bare.len);
}

struct challenge {
    struct slice nonce;
    uint8_t salt[SCRAM_MAX_SALT_BYTES + 2];
    size_t salt_len;
    uint32_t iterations;
};

static enum status parse_challenge(const struct scram_client *client, struct slice server_first,
                                   struct challenge *challenge, struct error *error)
{
    struct scram_cursor cursor = scram_cursor_of(server_first);
    struct slice nonce = scram_read(&cursor, 'r'), salt = scram_read(&cursor, 's');
    struct slice iterations = scram_read(&cursor, 'i');
    scram_skip_extensions(&cursor, '\0');
    if (server_first.len > SCRAM_MAX_MESSAGE_BYTES || !scram_cursor_done(&cursor))
        return malformed(error, "server-first-message");
    size_t ours = strlen(client->nonce);
    if (!scram_nonce_valid(nonce) || nonce.len <= ours ||
        memcmp(nonce.data, client->nonce, ours) != 0)
        return malformed(error, "nonce does not match");
    if (salt.len > 4 * ((SCRAM_MAX_SALT_BYTES + 2) / 3) ||
        crypto_base64_decode((const char *)salt.data, salt.len, challenge->salt,
                             &challenge->salt_len) != STATUS_OK ||
        challenge->salt_len < 1 || challenge->salt_len > SCRAM_MAX_SALT_BYTES)
        return malformed(error, "salt");
    if (!scram_iterations_parse(iterations, SCRAM_MAX_CLIENT_ITERATIONS, &challenge->iterations))
        return malformed(error, "iteration count");
    challenge->nonce = nonce;
    return STATUS_OK;
}

static bool remembers(const struct scram_memory *memory, const struct challenge *challenge)
{
    return memory != NULL && memory->iterations == challenge->iterations &&
           memory->salt_len == challenge->salt_len &&
           memcmp(memory->salt, challenge->salt, challenge->salt_len) == 0;
}

/* Derives the keys, or takes them from memory; the password is not needed after. */
static void derive_keys(struct scram_client *client, const struct challenge *challenge,
                        struct scram_keys *keys)
{
    struct scram_memory *memory = client->memory;
    if (remembers(memory, challenge)) {
        *keys = memory->keys;
    } else {
        scram_keys_derive(buffer_slice(&client->password),
                          slice_of(challenge->salt, challenge->salt_len), challenge->iterations,
                          keys);
        if (memory != NULL) {
            memcpy(memory->salt, challenge->salt, challenge->salt_len);
            memory->salt_len = challenge->salt_len;
            memory->iterations = challenge->iterations;
            memory->keys = *keys;
        }
    }
    scram_buffer_wipe(&client->password);
}

enum status scram_client_final(struct scram_client *client, struct slice server_first,
                               struct buffer *message, struct error *error)
{
    CHECK(client->nonce[0] != '\0');
    if (client->password.overflowed || client->client_first_bare.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    struct challenge challenge;
    TRY(parse_challenge(client, server_first, &challenge, error));

    char binding[SCRAM_BINDING_ROOM];
    char final_bare[sizeof "c=,r=" + SCRAM_BINDING_ROOM + SCRAM_MAX_NONCE_CHARS];
    scram_binding_encode(client->binding_flag, &client->binding, binding);
    size_t bare_len = (size_t)snprintf(final_bare, sizeof final_bare, "c=%s,r=%.*s", binding,
                                       (int)challenge.nonce.len, challenge.nonce.data);
    struct slice bare = slice_of(final_bare, bare_len);

    struct scram_keys keys;
    uint8_t proof[32];
    char encoded[SCRAM_KEY_BASE64_CHARS + 1];
    struct slice first_bare = buffer_slice(&client->client_first_bare);
    derive_keys(client, &challenge, &keys);
    scram_signature(keys.stored_key, first_bare, server_first, bare, proof);
    for (size_t i = 0; i < sizeof proof; i++)
        proof[i] ^= keys.client_key[i];
    scram_signature(keys.server_key, first_bare, server_first, bare, client->server_signature);
    crypto_wipe(&keys, sizeof keys);
    client->signed_already = true;

    crypto_base64_encode(proof, sizeof proof, encoded);
    buffer_append(message, bare.data, bare.len);
    buffer_printf(message, ",p=%s", encoded);
    return STATUS_OK;
}

enum status scram_client_verify(struct scram_client *client, struct slice server_final,
                                struct error *error)
{
    if (!client->signed_already)
        return malformed(error, "server-final-message before its time");
    struct scram_cursor cursor = scram_cursor_of(server_final);
    struct slice encoded = scram_read(&cursor, 'v');
    scram_skip_extensions(&cursor, '\0');
    uint8_t signature[32];
    if (!scram_cursor_done(&cursor) || !scram_key_decode(encoded, signature))
        return malformed(error, "server-final-message");
    if (!crypto_equal(signature, client->server_signature, sizeof signature))
        return error_set(error, STATUS_PEER, "28000", NULL,
                         "the server did not prove that it knows the password's verifier");
    return STATUS_OK;
}
