/* SHA-256, HMAC and PBKDF2 against the vectors of their standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

static void assert_hex(const uint8_t digest[static 32], const char *expected)
{
    char hex[65];
    crypto_hex(digest, 32, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 examples. */
static void sha256_known_answers(void **state)
{
    uint8_t digest[32];
    crypto_sha256(NULL, 0, digest);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct slice abc = slice_of_text("abc");
    crypto_sha256(&abc, 1, digest);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct slice parts[] = {slice_of_text("abcdbcdecdefdefgefghfghig"), slice_of(NULL, 0),
                            slice_of_text("hijhijkijkljklmklmnlmnomnopnopq")};
    crypto_sha256(parts, 3, digest);
    assert_hex(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *a = malloc(1000000);
    assert_non_null(a);
    memset(a, 'a', 1000000);
    struct slice million = slice_of(a, 1000000);
    crypto_sha256(&million, 1, digest);
    free(a);
    assert_hex(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, cases 1, 2 and 6; the last has a key longer than a block. */
static void hmac_known_answers(void **state)
{
    uint8_t mac[32], key[131];
    memset(key, 0x0b, 20);
    struct slice text[] = {slice_of_text("Hi "), slice_of_text("There")};
    crypto_hmac_sha256(slice_of(key, 20), text, 2, mac);
    assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    text[0] = slice_of_text("what do ya want for nothing?");
    crypto_hmac_sha256(slice_of_text("Jefe"), text, 1, mac);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    text[0] = slice_of_text("Test Using Larger Than Block-Size Key - Hash Key First");
    crypto_hmac_sha256(slice_of(key, sizeof key), text, 1, mac);
    assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_of_nothing(void **state)
{
    uint8_t mac[32];
    crypto_hmac_sha256(slice_of(NULL, 0), NULL, 0, mac);
    assert_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 7914, section 11 (its first 32 bytes are what 32 bytes of output are). */
static void pbkdf2_known_answers(void **state)
{
    uint8_t out[32];
    crypto_pbkdf2_sha256(slice_of_text("passwd"), slice_of_text("salt"), 1, out);
    assert_hex(out, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    crypto_pbkdf2_sha256(slice_of_text("Password"), slice_of_text("NaCl"), 80000, out);
    assert_hex(out, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

static void *hash_in_thread(void *digest)
{
    struct slice abc = slice_of_text("abc");
    for (int i = 0; i < 100; i++)
        crypto_sha256(&abc, 1, digest);
    return NULL;
}

static void threads_have_contexts_of_their_own(void **state)
{
    pthread_t threads[4];
    uint8_t digests[4][32];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, digests[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_hex(digests[i], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(hmac_known_answers),
        cmocka_unit_test(hmac_of_nothing),
        cmocka_unit_test(pbkdf2_known_answers),
        cmocka_unit_test(threads_have_contexts_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
