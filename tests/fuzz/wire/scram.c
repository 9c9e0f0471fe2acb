/* Fuzz target: SCRAM messages of both sides, and stored verifiers. The first byte says which.
 * Nobody who does not know the password may get through, whatever he sends. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_REPLY_BYTES = 10000 };

/* The input up to a zero byte is the first message, the rest the final one. bound: the channel can
 * be bound, so that PLUS is offered; plus: the client chooses it. */
static void run_server(struct slice input, bool bound, bool plus)
{
    struct scram_binding binding = {.len = bound ? 32 : 0};
    const uint8_t *zero = input.len == 0 ? NULL : memchr(input.data, '\0', input.len);
    size_t first_len = zero == NULL ? input.len : (size_t)(zero - input.data);
    size_t final_at = zero == NULL ? input.len : first_len + 1;
    struct scram_verifier verifier = {.iterations = 4096, .salt_len = 16};
    struct scram_server server;
    struct buffer reply;
    struct error error;
    memset(verifier.stored_key, 0x5a, sizeof verifier.stored_key);
    buffer_init(&reply, MAX_REPLY_BYTES);
    scram_server_init(&server, &verifier, &binding);
    if (scram_server_first(&server, plus ? SCRAM_PLUS : SCRAM_PLAIN,
                           slice_of(input.data, first_len), &reply, &error) == STATUS_OK) {
        CHECK((server.binding_flag == 'p') == plus && !(bound && server.binding_flag == 'y'));
        /* A fixed nonce, so that an input can name it. */
        memset(server.server_first.data + 2, 'x', server.nonce_len);
        CHECK(scram_server_final(&server, slice_of(input.data + final_at, input.len - final_at),
                                 &reply, &error) != STATUS_OK);
    }
    scram_server_wipe(&server);
    buffer_free(&reply);
}

/* Four digits or more behind an "i=": only slow, and a unit test's to bound. */
static bool asks_for_much_work(struct slice input)
{
    size_t digits = 0;
    bool counting = false;
    for (size_t i = 0; i < input.len && digits < 4; i++) {
        bool digit = input.data[i] >= '0' && input.data[i] <= '9';
        counting = digit ? counting : input.data[i] == '=' && i > 0 && input.data[i - 1] == 'i';
        digits = counting && digit ? digits + 1 : 0;
    }
    return digits == 4;
}

static void run_client(struct slice input, bool verify)
{
    struct scram_client client;
    struct buffer message;
    struct error error;
    static const char challenge[] = "r=0123456789abcdef0123456789,s=AAAA,i=1";
    buffer_init(&message, MAX_REPLY_BYTES);
    scram_client_init(&client, slice_of_text("pencil"), NULL, NULL, false);
    scram_client_first(&client, &message);
    memcpy(client.nonce, "0123456789abcdef01234567", 24);
    if (verify) {
        CHECK(scram_client_final(&client, slice_of_text(challenge), &message, &error) == STATUS_OK);
        memset(client.server_signature, 0x5a, sizeof client.server_signature);
        CHECK(scram_client_verify(&client, input, &error) != STATUS_OK ||
              memmem(input.data, input.len, "WlpaWlpa", 8) != NULL);
    } else if (!asks_for_much_work(input)) {
        enum status status = scram_client_final(&client, input, &message, &error);
        CHECK(status == STATUS_OK || status == STATUS_PEER);
    }
    scram_client_wipe(&client);
    buffer_free(&message);
}

static void run_verifier(struct slice input)
{
    char *text = calloc(input.len + 1, 1);
    struct scram_verifier verifier;
    struct error error;
    struct buffer printed;
    CHECK(text != NULL);
    if (input.len > 0)
        memcpy(text, input.data, input.len);
    buffer_init(&printed, MAX_REPLY_BYTES);
    if (scram_verifier_parse(text, &verifier, &error) == STATUS_OK) {
        scram_verifier_print(&verifier, &printed);
        CHECK(slice_equal(buffer_slice(&printed), slice_of_text(text)));
    }
    buffer_free(&printed);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        run_server(input, (data[0] & 4) != 0, (data[0] & 8) != 0);
        break;
    case 1:
        run_client(input, false);
        break;
    case 2:
        run_client(input, true);
        break;
    case 3:
        run_verifier(input);
        break;
    }
    return 0;
}
