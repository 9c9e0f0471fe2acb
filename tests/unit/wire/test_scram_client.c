/* The client's side of SCRAM: the published exchange, and servers that cheat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "exact.h"
#include "rfc7677.h"
#include "wire/scram.h"

static struct scram_client client;
static struct buffer message;
static struct error error;

/* As if client-first-message of the RFC had just been sent. */
static int setup(void **state)
{
    scram_client_init(&client, slice_of_text("pencil"), NULL, NULL, false);
    buffer_init(&message, 5000);
    scram_client_first(&client, &message);
    buffer_clear(&message);
    memcpy(client.nonce, RFC_CLIENT_NONCE, sizeof RFC_CLIENT_NONCE);
    buffer_clear(&client.client_first_bare);
    buffer_append_text(&client.client_first_bare, RFC_FIRST_BARE);
    return 0;
}

static int teardown(void **state)
{
    scram_client_wipe(&client);
    buffer_free(&message);
    return 0;
}

static enum status final(const char *server_first)
{
    struct slice copy = exact_copy(server_first, strlen(server_first));
    enum status status = scram_client_final(&client, copy, &message, &error);
    exact_free(copy);
    return status;
}

static enum status verify(const char *server_final)
{
    struct slice copy = exact_copy(server_final, strlen(server_final));
    enum status status = scram_client_verify(&client, copy, &error);
    exact_free(copy);
    return status;
}

static void the_published_exchange(void **state)
{
    assert_int_equal(final(RFC_SERVER_FIRST), STATUS_OK);
    assert_string_equal(buffer_text(&message), RFC_FINAL_BARE ",p=" RFC_PROOF);
    assert_null(client.password.data);
    assert_int_equal(verify(RFC_SERVER_FINAL), STATUS_OK);
}

static void it_begins_without_name_and_with_a_fresh_nonce(void **state)
{
    struct buffer other;
    buffer_init(&other, 100);
    scram_client_first(&client, &message);
    scram_client_first(&client, &other);
    assert_int_equal(message.len, 8 + 24);
    assert_memory_equal(message.data, "n,,n=,r=", 8);
    assert_memory_not_equal(message.data + 8, other.data + 8, 24);
    buffer_free(&other);
}

static void challenges_that_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "e=other-error",
        "r=" RFC_NONCE,
        "r=" RFC_NONCE ",s=" RFC_SALT,
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=0",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=-1",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=04096",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=1000001",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=4294967297",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=99999999999999999999",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=4096,",
        "r=" RFC_NONCE ",s=" RFC_SALT ",i=4096x",
        "r=" RFC_NONCE ",s=,i=4096",
        "r=" RFC_NONCE ",s=W22,i=4096",
        "s=" RFC_SALT ",r=" RFC_NONCE ",i=4096",
        "r=" RFC_CLIENT_NONCE ",s=" RFC_SALT ",i=4096",
        "r=rOprNGfwEbeRWgbNEkqP%hv,s=" RFC_SALT ",i=4096",
        "r=%hvYDpWUa2RaTCAfuxFIlj,s=" RFC_SALT ",i=4096",
        "r=" RFC_NONCE "\x01,s=" RFC_SALT ",i=4096",
        "m=x,r=" RFC_NONCE ",s=" RFC_SALT ",i=4096",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (final(bad[i]) != STATUS_PEER)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(message.len, 0);
    }
    assert_int_equal(final(RFC_SERVER_FIRST), STATUS_OK);
}

static void salts_and_nonces_are_bounded(void **state)
{
    for (size_t len = 64; len <= 66; len++) {
        uint8_t salt[66] = {0};
        char encoded[100], text[300];
        teardown(NULL);
        setup(NULL);
        crypto_base64_encode(salt, len, encoded);
        snprintf(text, sizeof text, "r=%s,s=%s,i=1", RFC_NONCE, encoded);
        assert_int_equal(final(text), len <= 64 ? STATUS_OK : STATUS_PEER);
    }
    for (size_t len = 256; len <= 257; len++) {
        char nonce[258], text[400];
        teardown(NULL);
        setup(NULL);
        memset(nonce, 'x', sizeof nonce);
        memcpy(nonce, RFC_CLIENT_NONCE, 20);
        nonce[len] = '\0';
        snprintf(text, sizeof text, "r=%s,s=%s,i=1", nonce, RFC_SALT);
        assert_int_equal(final(text), len <= 256 ? STATUS_OK : STATUS_PEER);
    }
}

static void servers_must_prove_themselves(void **state)
{
    assert_int_equal(verify(RFC_SERVER_FINAL), STATUS_PEER); /* before its time */
    assert_int_equal(verify("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), STATUS_PEER);
    assert_int_equal(final(RFC_SERVER_FIRST), STATUS_OK);
    static const char *const bad[] = {"",
                                      "v=",
                                      "e=invalid-proof",
                                      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4==",
                                      "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
                                      (RFC_SERVER_FINAL ","),
                                      ("x" RFC_SERVER_FINAL),
                                      "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (verify(bad[i]) != STATUS_PEER)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(verify(RFC_SERVER_FINAL), STATUS_OK);
}

/* The second login of one password: the keys come from memory, and not for another salt. */
static void keys_are_remembered_for_their_salt(void **state)
{
    struct scram_memory memory = {.iterations = 0};
    client.memory = &memory;
    assert_int_equal(final(RFC_SERVER_FIRST), STATUS_OK);
    assert_int_equal(memory.iterations, 4096);

    scram_client_wipe(&client);
    setup(NULL);
    client.memory = &memory;
    buffer_clear(&client.password); /* nothing to derive from: memory must serve */
    assert_int_equal(final(RFC_SERVER_FIRST), STATUS_OK);
    assert_string_equal(buffer_text(&message), RFC_FINAL_BARE ",p=" RFC_PROOF);
    assert_int_equal(verify(RFC_SERVER_FINAL), STATUS_OK);

    scram_client_wipe(&client);
    setup(NULL);
    client.memory = &memory;
    assert_int_equal(final("r=" RFC_NONCE ",s=AAAA,i=4096"), STATUS_OK);
    assert_int_equal(memory.salt_len, 3);
    assert_int_equal(verify(RFC_SERVER_FINAL), STATUS_PEER);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(the_published_exchange),
        case_of(it_begins_without_name_and_with_a_fresh_nonce),
        case_of(challenges_that_are_refused),
        case_of(salts_and_nonces_are_bounded),
        case_of(servers_must_prove_themselves),
        case_of(keys_are_remembered_for_their_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
