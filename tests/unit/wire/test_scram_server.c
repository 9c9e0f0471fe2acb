/* The server's side of SCRAM: the published exchange, our own client, and clients that cheat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "exact.h"
#include "rfc7677.h"
#include "wire/scram.h"

static struct scram_server server;
static struct buffer reply;
static struct error error;

static int setup(void **state)
{
    struct scram_verifier verifier;
    assert_int_equal(scram_verifier_parse(RFC_VERIFIER, &verifier, NULL), STATUS_OK);
    scram_server_init(&server, &verifier, NULL);
    buffer_init(&reply, 5000);
    return 0;
}

static int teardown(void **state)
{
    scram_server_wipe(&server);
    buffer_free(&reply);
    return 0;
}

static enum status first(const char *message)
{
    struct slice copy = exact_copy(message, strlen(message));
    enum status status = scram_server_first(&server, SCRAM_PLAIN, copy, &reply, &error);
    exact_free(copy);
    return status;
}

static enum status final(const char *message)
{
    struct slice copy = exact_copy(message, strlen(message));
    buffer_clear(&reply);
    enum status status = scram_server_final(&server, copy, &reply, &error);
    exact_free(copy);
    return status;
}

/* As if server-first-message of the RFC had just been sent. */
static void say_what_the_rfc_says(void)
{
    assert_int_equal(first("n,," RFC_FIRST_BARE), STATUS_OK);
    buffer_clear(&server.server_first);
    buffer_append_text(&server.server_first, RFC_SERVER_FIRST);
    server.nonce_len = strlen(RFC_NONCE);
}

static void the_published_exchange(void **state)
{
    say_what_the_rfc_says();
    assert_int_equal(final(RFC_FINAL_BARE ",p=" RFC_PROOF), STATUS_OK);
    assert_string_equal(buffer_text(&reply), RFC_SERVER_FINAL);
}

static void extensions_are_signed_and_ignored(void **state)
{
    say_what_the_rfc_says();
    assert_int_equal(final(RFC_FINAL_BARE ",x=y,p=" RFC_PROOF), STATUS_DENIED);
    assert_int_equal(reply.len, 0);
}

static void the_challenge_has_both_nonces(void **state)
{
    assert_int_equal(first("n,,n=,r=abc"), STATUS_OK);
    const char *text = buffer_text(&reply);
    assert_int_equal(strncmp(text, "r=abc", 5), 0);
    assert_string_equal(text + 5 + 24, ",s=" RFC_SALT ",i=4096");
    struct buffer earlier = reply;
    buffer_init(&reply, 5000);
    scram_server_wipe(&server);
    scram_server_init(&server, &(struct scram_verifier){.iterations = 4096, .salt_len = 16}, NULL);
    assert_int_equal(first("y,,n=,r=abc"), STATUS_OK);
    assert_memory_not_equal(reply.data + 5, earlier.data + 5, 24);
    buffer_free(&earlier);
}

static void first_messages_that_are_refused(void **state)
{
    static const struct {
        const char *message, *sqlstate;
    } cases[] = {
        {"", "08P01"},
        {"n", "08P01"},
        {"n,", "08P01"},
        {"n,,", "08P01"},
        {"n,,n=", "08P01"},
        {"n,,n=,", "08P01"},
        {"n,,n=,r", "08P01"},
        {"n,,n=,r=", "08P01"},
        {"n,,r=abc", "08P01"},
        {"n,,n=,r=abc,", "08P01"},
        {"n,,n=,r=abc,x", "08P01"},
        {"n,,n=,r=abc,1=2", "08P01"},
        {"n,,n=,r=abc,m=x", "08P01"},
        {"n,,m=x,n=,r=abc", "08P01"},
        {"n,,n=,r=a c", "08P01"},
        {"n,,n=,r=a\x7f", "08P01"},
        {"n,,n=,r=\xc3\xa9", "08P01"},
        {"x,,n=,r=abc", "08P01"},
        {"n;,n=,r=abc", "08P01"},
        {"n,x,n=,r=abc", "08P01"},
        {"n,a=root,n=,r=abc", "0A000"},
        {"p=tls-server-end-point,,n=,r=abc", "08P01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        teardown(NULL);
        setup(NULL);
        if (first(cases[i].message) != STATUS_PEER)
            fail_msg("accepted: %s", cases[i].message);
        assert_string_equal(error.sqlstate, cases[i].sqlstate);
        assert_int_equal(reply.len, 0);
    }
    assert_non_null(strstr(error.message, "channel binding")); /* the last one says why */
}

static void nonces_are_bounded(void **state)
{
    char message[400];
    for (size_t len = 231; len <= 233; len++) {
        teardown(NULL);
        setup(NULL);
        memset(message, 'x', sizeof message);
        memcpy(message, "n,,n=,r=", 8);
        message[8 + len] = '\0';
        assert_int_equal(first(message), len <= 232 ? STATUS_OK : STATUS_PEER);
    }
}

static void messages_are_bounded(void **state)
{
    static char message[6000];
    memset(message, 'x', sizeof message - 1);
    memcpy(message, "n,,n=,r=abc,x=", 14);
    assert_int_equal(first(message), STATUS_PEER);
}

static void final_messages_that_are_refused(void **state)
{
    static const struct {
        const char *message;
        enum status status;
    } cases[] = {
        {"", STATUS_PEER},
        {"c=biws", STATUS_PEER},
        {RFC_FINAL_BARE, STATUS_PEER},
        {RFC_FINAL_BARE ",p=", STATUS_PEER},
        {RFC_FINAL_BARE ",p=" RFC_PROOF ",", STATUS_PEER},
        {RFC_FINAL_BARE ",p=" RFC_PROOF ",x=y", STATUS_PEER},
        {RFC_FINAL_BARE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndV==", STATUS_PEER},
        {RFC_FINAL_BARE ",p=AAAA", STATUS_PEER},
        {"r=" RFC_NONCE ",c=biws,p=" RFC_PROOF, STATUS_PEER},
        {"c=eSws,r=" RFC_NONCE ",p=" RFC_PROOF, STATUS_PEER},
        {"c=,r=" RFC_NONCE ",p=" RFC_PROOF, STATUS_PEER},
        {"c=cD10bHMtc2VydmVyLWVuZC1wb2ludCws,r=" RFC_NONCE ",p=" RFC_PROOF, STATUS_PEER},
        {"c=biws,r=" RFC_CLIENT_NONCE ",p=" RFC_PROOF, STATUS_PEER},
        {"c=biws,r=" RFC_NONCE "x,p=" RFC_PROOF, STATUS_PEER},
        {"c=biws,r=,p=" RFC_PROOF, STATUS_PEER},
        {RFC_FINAL_BARE ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", STATUS_DENIED},
        {RFC_FINAL_BARE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", STATUS_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        teardown(NULL);
        setup(NULL);
        say_what_the_rfc_says();
        enum status status = final(cases[i].message);
        if (status != cases[i].status)
            fail_msg("%s: %s, expected %s", cases[i].message, status_name(status),
                     status_name(cases[i].status));
        assert_string_equal(error.sqlstate, status == STATUS_DENIED ? "28P01" : "08P01");
        assert_int_equal(reply.len, 0);
    }
}

/* A whole exchange with our own client; each side has its own idea of the channel. */
static enum status exchange(const struct scram_verifier *verifier, const char *password,
                            const struct scram_binding *servers,
                            const struct scram_binding *clients, bool plus)
{
    struct scram_server other;
    struct scram_client client;
    struct buffer sent, answered;
    buffer_init(&sent, 5000);
    buffer_init(&answered, 5000);
    scram_server_init(&other, verifier, servers);
    scram_client_init(&client, slice_of_text(password), NULL, clients, plus);
    scram_client_first(&client, &sent);
    enum status status = scram_server_first(&other, scram_client_mechanism(&client),
                                            buffer_slice(&sent), &answered, &error);
    if (status == STATUS_OK) {
        buffer_clear(&sent);
        assert_int_equal(scram_client_final(&client, buffer_slice(&answered), &sent, &error),
                         STATUS_OK);
        buffer_clear(&answered);
        status = scram_server_final(&other, buffer_slice(&sent), &answered, &error);
    }
    if (status == STATUS_OK)
        status = scram_client_verify(&client, buffer_slice(&answered), &error);
    scram_client_wipe(&client);
    scram_server_wipe(&other);
    buffer_free(&sent);
    buffer_free(&answered);
    return status;
}

static void our_client_and_server_agree(void **state)
{
    static const char *const passwords[] = {"pencil", "", "p,=,\\n=x",
                                            "pass wörd \xf0\x9f\x94\x91"};
    struct scram_verifier verifier;
    for (size_t i = 0; i < 4; i++) {
        scram_verifier_make(slice_of_text(passwords[i]), 4096, &verifier);
        assert_int_equal(exchange(&verifier, passwords[i], NULL, NULL, false), STATUS_OK);
        assert_int_equal(exchange(&verifier, "other", NULL, NULL, false), STATUS_DENIED);
    }
    scram_verifier_mock(slice_of_text("secret"), "nobody", 4096, 16, &verifier);
    assert_int_equal(exchange(&verifier, "pencil", NULL, NULL, false), STATUS_DENIED);
    assert_int_equal(exchange(&verifier, "", NULL, NULL, false), STATUS_DENIED);
}

/* ---- channel binding ---- */

/* Hashes of SHA-256, SHA-384 and SHA-512 certificates. */
static void bound_channels_agree(void **state)
{
    struct scram_verifier verifier;
    scram_verifier_make(slice_of_text("pencil"), 4096, &verifier);
    for (size_t len = 32; len <= 64; len += 16) {
        struct scram_binding binding = {.len = len};
        memset(binding.data, 0xfe, len);
        assert_int_equal(exchange(&verifier, "pencil", &binding, &binding, true), STATUS_OK);
        assert_int_equal(exchange(&verifier, "pencils", &binding, &binding, true), STATUS_DENIED);
        assert_int_equal(exchange(&verifier, "pencil", &binding, NULL, true), STATUS_OK);
        assert_int_equal(exchange(&verifier, "pencil", NULL, &binding, false), STATUS_OK);
    }
}

/* Somebody between them has a certificate of his own and knows everything that passes. */
static void another_channel_is_refused(void **state)
{
    struct scram_verifier verifier;
    struct scram_binding ours = {.len = 32}, his = {.len = 32}, longer = {.len = 48};
    his.data[31] = 1;
    scram_verifier_make(slice_of_text("pencil"), 4096, &verifier);
    assert_int_equal(exchange(&verifier, "pencil", &ours, &his, true), STATUS_PEER);
    assert_string_equal(error.sqlstate, "28000");
    assert_int_equal(exchange(&verifier, "pencil", &ours, &longer, true), STATUS_PEER);
}

static void a_stripped_offer_is_a_downgrade(void **state)
{
    struct scram_verifier verifier;
    struct scram_binding binding = {.len = 32};
    scram_verifier_make(slice_of_text("pencil"), 4096, &verifier);
    assert_int_equal(exchange(&verifier, "pencil", &binding, &binding, false), STATUS_PEER);
    assert_string_equal(error.sqlstate, "28000");
    assert_int_equal(exchange(&verifier, "pencil", NULL, &binding, true), STATUS_PEER);
    assert_string_equal(error.sqlstate, "08P01"); /* chosen, and never offered */
}

static void first_messages_of_plus_that_are_refused(void **state)
{
    static const struct {
        const char *mechanism, *message, *sqlstate;
    } cases[] = {
        {SCRAM_PLUS, "n,,n=,r=abc", "08P01"},
        {SCRAM_PLUS, "y,,n=,r=abc", "08P01"},
        {SCRAM_PLAIN, "y,,n=,r=abc", "28000"},
        {SCRAM_PLAIN, "p=tls-server-end-point,,n=,r=abc", "08P01"},
        {SCRAM_PLUS, "p=tls-unique,,n=,r=abc", "08P01"},
        {SCRAM_PLUS, "p=tls-exporter,,n=,r=abc", "08P01"},
        {SCRAM_PLUS, "p=tls-server-end-points,,n=,r=abc", "08P01"},
        {SCRAM_PLUS, "p=tls-server-end-point", "08P01"},
        {SCRAM_PLUS, "p=tls-server-end-point,", "08P01"},
        {SCRAM_PLUS, "p=tls-server-end-point,a=x,n=,r=abc", "0A000"},
        {SCRAM_PLUS, "p,,n=,r=abc", "08P01"},
        {"SCRAM-SHA-1", "n,,n=,r=abc", "08P01"},
        {"", "n,,n=,r=abc", "08P01"},
    };
    struct scram_verifier verifier;
    struct scram_binding binding = {.len = 32};
    assert_int_equal(scram_verifier_parse(RFC_VERIFIER, &verifier, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scram_server_wipe(&server);
        scram_server_init(&server, &verifier, &binding);
        struct slice copy = exact_copy(cases[i].message, strlen(cases[i].message));
        if (scram_server_first(&server, cases[i].mechanism, copy, &reply, &error) != STATUS_PEER)
            fail_msg("accepted: %s %s", cases[i].mechanism, cases[i].message);
        exact_free(copy);
        assert_string_equal(error.sqlstate, cases[i].sqlstate);
        assert_int_equal(reply.len, 0);
    }
}

/* "p" in the first message, and something else in the last. */
static void the_last_message_keeps_to_the_first(void **state)
{
    static const char *const bindings[] = {"biws", "eSws", "cD10bHMtc2VydmVyLWVuZC1wb2ludCws", ""};
    struct scram_verifier verifier;
    struct scram_binding binding = {.len = 32};
    assert_int_equal(scram_verifier_parse(RFC_VERIFIER, &verifier, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        char message[300];
        buffer_clear(&reply);
        scram_server_wipe(&server);
        scram_server_init(&server, &verifier, &binding);
        assert_int_equal(scram_server_first(&server, SCRAM_PLUS,
                                            slice_of_text("p=tls-server-end-point,,n=,r=abc"),
                                            &reply, &error),
                         STATUS_OK);
        snprintf(message, sizeof message, "c=%s,r=%.27s,p=" RFC_PROOF, bindings[i],
                 (const char *)reply.data + 2);
        assert_int_equal(final(message), STATUS_PEER);
        assert_string_equal(error.sqlstate, "28000");
    }
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(the_published_exchange),
        case_of(extensions_are_signed_and_ignored),
        case_of(the_challenge_has_both_nonces),
        case_of(first_messages_that_are_refused),
        case_of(nonces_are_bounded),
        case_of(messages_are_bounded),
        case_of(final_messages_that_are_refused),
        case_of(our_client_and_server_agree),
        case_of(bound_channels_agree),
        case_of(another_channel_is_refused),
        case_of(a_stripped_offer_is_a_downgrade),
        case_of(first_messages_of_plus_that_are_refused),
        case_of(the_last_message_keeps_to_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
