/* PKCS#12: opens with its passphrase only, and holds key, certificate and CA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca.h"
#include "identity/identity.h"

static struct folder folder;
static struct error error;
static struct buffer certificate_pem, key_pem, ca_pem, out;

static int setup(void **state)
{
    struct identity_leaf leaf = {.common_name = "clinic.app",
                                 .not_before_ns = clock_now_ns(),
                                 .not_after_ns = clock_now_ns() + 3600000000000};
    folder_make(&folder);
    buffer_init(&certificate_pem, 10000);
    buffer_init(&key_pem, 10000);
    buffer_init(&ca_pem, 10000);
    buffer_init(&out, 10000);
    assert_int_equal(ca_create(&folder, "Test CA", 30, &error), STATUS_OK);
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
    assert_int_equal(file_read(folder_path(&folder, "ca.crt"), &ca_pem, &error), STATUS_OK);
    return 0;
}

static int teardown(void **state)
{
    folder_remove(&folder);
    buffer_free(&certificate_pem);
    buffer_free(&key_pem);
    buffer_free(&ca_pem);
    buffer_free(&out);
    return 0;
}

static enum status make(struct slice passphrase)
{
    return identity_pkcs12(buffer_slice(&certificate_pem), buffer_slice(&key_pem),
                           buffer_slice(&ca_pem), passphrase, "clinic.app", &out, &error);
}

static PKCS12 *made(void)
{
    const unsigned char *at = out.data;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)out.len);
    assert_non_null(pkcs12);
    assert_ptr_equal(at, out.data + out.len);
    return pkcs12;
}

static void it_holds_key_certificate_and_ca(void **state)
{
    assert_int_equal(make(slice_of_text("pässphrase")), STATUS_OK);
    PKCS12 *pkcs12 = made();
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) *chain = NULL;
    assert_int_equal(PKCS12_parse(pkcs12, "pässphrase", &key, &certificate, &chain), 1);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_equal(sk_X509_num(chain), 1);
    assert_int_equal(X509_check_issued(sk_X509_value(chain, 0), certificate), X509_V_OK);
    EVP_PKEY_free(key);
    X509_free(certificate);
    sk_X509_pop_free(chain, X509_free);
    PKCS12_free(pkcs12);
}

static void another_passphrase_does_not_open_it(void **state)
{
    assert_int_equal(make(slice_of_text("passphrase")), STATUS_OK);
    PKCS12 *pkcs12 = made();
    assert_int_equal(PKCS12_verify_mac(pkcs12, "passphrase", -1), 1);
    assert_int_equal(PKCS12_verify_mac(pkcs12, "passphras", -1), 0);
    assert_int_equal(PKCS12_verify_mac(pkcs12, "", -1), 0);
    PKCS12_free(pkcs12);
}

static void its_algorithms_are_current(void **state)
{
    assert_int_equal(make(slice_of_text("passphrase")), STATUS_OK);
    PKCS12 *pkcs12 = made();
    const X509_ALGOR *mac;
    const ASN1_OBJECT *object;
    PKCS12_get0_mac(NULL, &mac, NULL, NULL, pkcs12);
    X509_ALGOR_get0(&object, NULL, NULL, mac);
    assert_int_equal(OBJ_obj2nid(object), NID_sha256);
    /* OIDs of AES-256-CBC and hmacWithSHA256 inside PBES2, and none of RC2, 3DES or SHA-1. */
    static const uint8_t aes[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
    static const uint8_t hmac[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
    static const uint8_t old[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01};
    assert_non_null(memmem(out.data, out.len, aes, sizeof aes));
    assert_non_null(memmem(out.data, out.len, hmac, sizeof hmac));
    assert_null(memmem(out.data, out.len, old, sizeof old));
    PKCS12_free(pkcs12);
}

static void passphrases_are_not_empty_nor_cut(void **state)
{
    static char text[1025];
    memset(text, 'x', sizeof text);
    assert_int_equal(make(slice_of(NULL, 0)), STATUS_INVALID);
    assert_int_equal(make(slice_of("a\0b", 3)), STATUS_INVALID);
    assert_int_equal(make(slice_of(text, 1025)), STATUS_INVALID);
    assert_int_equal(out.len, 0);
    assert_int_equal(make(slice_of(text, 1024)), STATUS_OK);
}

static void parts_must_fit(void **state)
{
    struct slice passphrase = slice_of_text("passphrase");
    assert_int_equal(identity_pkcs12(buffer_slice(&ca_pem), buffer_slice(&key_pem),
                                     buffer_slice(&ca_pem), passphrase, "x", &out, &error),
                     STATUS_INVALID);
    assert_int_equal(identity_pkcs12(buffer_slice(&certificate_pem), buffer_slice(&ca_pem),
                                     buffer_slice(&ca_pem), passphrase, "x", &out, &error),
                     STATUS_INVALID);
    assert_int_equal(identity_pkcs12(buffer_slice(&certificate_pem), buffer_slice(&key_pem),
                                     slice_of(NULL, 0), passphrase, "x", &out, &error),
                     STATUS_INVALID);
    assert_int_equal(out.len, 0);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(it_holds_key_certificate_and_ca),
        case_of(another_passphrase_does_not_open_it),
        case_of(its_algorithms_are_current),
        case_of(passphrases_are_not_empty_nor_cut),
        case_of(parts_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
