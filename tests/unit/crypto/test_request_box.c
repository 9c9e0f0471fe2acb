/* Request boxes: what was asked comes out again, a box with nothing in it looks no different, and
 * bytes of strangers are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/request_box.h"
#include "crypto/sealed_box.h"

static const uint8_t secret[32] = {1, 2, 3};
static uint8_t private_key[32], public_key[32];

static int set_up(void **state)
{
    request_box_keys(secret, private_key, public_key);
    return 0;
}

static void returns_what_was_asked(void **state)
{
    struct request asked = {REQUEST_LETTER, 1790000000000000000, "meridian",
                            "fr",           "Zoë Léger",         "BA1 1AA"};
    struct request read;
    uint8_t file[REQUEST_BOX_BYTES];
    assert_int_equal(request_box_seal(public_key, &asked, file), STATUS_OK);
    assert_int_equal(request_box_open(private_key, slice_of(file, sizeof file), &read), STATUS_OK);
    assert_int_equal(read.kind, REQUEST_LETTER);
    assert_int_equal(read.asked_ns, 1790000000000000000);
    assert_string_equal(read.brand, "meridian");
    assert_string_equal(read.language, "fr");
    assert_string_equal(read.value, "Zoë Léger");
    assert_string_equal(read.postcode, "BA1 1AA");
}

static void takes_the_longest_texts(void **state)
{
    struct request asked = {.kind = REQUEST_EMAIL}, read;
    uint8_t file[REQUEST_BOX_BYTES];
    memset(asked.brand, 'b', sizeof asked.brand - 1);
    memset(asked.language, 'l', sizeof asked.language - 1);
    memset(asked.value, 'v', sizeof asked.value - 1);
    memset(asked.postcode, 'p', sizeof asked.postcode - 1);
    assert_int_equal(request_box_seal(public_key, &asked, file), STATUS_OK);
    assert_int_equal(request_box_open(private_key, slice_of(file, sizeof file), &read), STATUS_OK);
    assert_memory_equal(&read.brand, &asked.brand, sizeof asked.brand);
    assert_memory_equal(&read.value, &asked.value, sizeof asked.value);
    assert_memory_equal(&read.postcode, &asked.postcode, sizeof asked.postcode);
}

/* Nothing of the plain text shows: neither a request nor nothing repeats a byte more often than
 * chance has it. */
static void looks_the_same_with_nothing_in_it(void **state)
{
    struct request nothing = {.kind = REQUEST_NOTHING};
    uint8_t file[REQUEST_BOX_BYTES];
    assert_int_equal(request_box_seal(public_key, &nothing, file), STATUS_OK);
    unsigned seen[256] = {0};
    for (size_t i = 8; i < sizeof file; i++)
        seen[file[i]]++;
    for (size_t byte = 0; byte < 256; byte++) {
        if (seen[byte] > 30) /* 4.2 expected of 1,072; 30 has a chance below 1e-14 */
            fail_msg("byte %zu stands %u times in a sealed file", byte, seen[byte]);
    }
}

static void refuses_strangers(void **state)
{
    struct request asked = {.kind = REQUEST_EMAIL, .value = "a@example.org"}, read;
    uint8_t file[REQUEST_BOX_BYTES];
    assert_int_equal(request_box_seal(public_key, &asked, file), STATUS_OK);
    assert_int_equal(request_box_open(private_key, slice_of(file, sizeof file - 1), &read),
                     STATUS_CORRUPT);
    assert_int_equal(request_box_open(private_key, slice_of(file, 0), &read), STATUS_CORRUPT);
    assert_int_equal(request_box_open(public_key, slice_of(file, sizeof file), &read),
                     STATUS_CORRUPT);
    for (size_t i = 0; i < sizeof file; i += 7) {
        file[i] ^= 1;
        enum status status = request_box_open(private_key, slice_of(file, sizeof file), &read);
        if (status != STATUS_CORRUPT)
            fail_msg("byte %zu altered: %s", i, status_name(status));
        file[i] ^= 1;
    }
}

/* Anybody has the public key: what opens may still be nonsense. */
static void refuses_sealed_nonsense(void **state)
{
    static const char magic[] = "CFREQ1\r\n", info[] = "cofferdam request 1";
    uint8_t plain[REQUEST_PLAIN_BYTES], file[REQUEST_BOX_BYTES];
    struct request read;
    for (unsigned kind = 0; kind < 5; kind++) {
        memset(plain, 'x', sizeof plain); /* no text ends */
        plain[0] = (uint8_t)kind;
        memcpy(file, magic, 8);
        assert_int_equal(sealed_box_seal(public_key, slice_of_text(info), slice_of(magic, 8),
                                         slice_of(plain, sizeof plain), file + 8),
                         STATUS_OK);
        assert_int_equal(request_box_open(private_key, slice_of(file, sizeof file), &read),
                         STATUS_CORRUPT);
    }
}

static void refuses_what_no_form_takes(void **state)
{
    static const char *const values[] = {"a\nb", "\xff@mail.example", "\x01", "\xc3"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct request asked = {.kind = REQUEST_EMAIL}, read;
        uint8_t file[REQUEST_BOX_BYTES];
        memcpy(asked.value, values[i], strlen(values[i]));
        assert_int_equal(request_box_seal(public_key, &asked, file), STATUS_OK);
        assert_int_equal(request_box_open(private_key, slice_of(file, sizeof file), &read),
                         STATUS_CORRUPT);
    }
}

static void names_differ(void **state)
{
    char name[REQUEST_NAME_ROOM], other[REQUEST_NAME_ROOM];
    request_box_name(name);
    request_box_name(other);
    assert_int_equal(strlen(name), REQUEST_NAME_ROOM - 1);
    assert_string_equal(name + 32, ".request");
    assert_string_not_equal(name, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_what_was_asked),
        cmocka_unit_test(takes_the_longest_texts),
        cmocka_unit_test(looks_the_same_with_nothing_in_it),
        cmocka_unit_test(refuses_strangers),
        cmocka_unit_test(refuses_sealed_nonsense),
        cmocka_unit_test(refuses_what_no_form_takes),
        cmocka_unit_test(names_differ),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
