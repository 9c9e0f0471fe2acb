/* Requests for certificates: of a stranger's bytes only a key is taken, and only with its proof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "ca.h"

static const char own_uri[] = "spiffe://clinic/app";
static struct folder folder;
static struct error error;
static struct buffer certificate_pem, key_pem;

static int setup(void **state)
{
    folder_make(&folder);
    buffer_init(&certificate_pem, 10000);
    buffer_init(&key_pem, 10000);
    return ca_create(&folder, "Test CA", 30, &error) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    folder_remove(&folder);
    buffer_free(&certificate_pem);
    buffer_free(&key_pem);
    return 0;
}

/* A request of this key, signed by signer, naming uri (NULL: none) and asking to be a CA. */
static X509_REQ *request_of(EVP_PKEY *key, EVP_PKEY *signer, const char *uri)
{
    X509_REQ *made = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    char text[200];
    X509_REQ_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(made), "CN", MBSTRING_ASC,
                               (const unsigned char *)"root", -1, -1, 0);
    sk_X509_EXTENSION_push(
        extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE"));
    if (uri != NULL) {
        snprintf(text, sizeof text, "URI:%s,DNS:evil.example", uri);
        sk_X509_EXTENSION_push(extensions,
                               X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text));
    }
    X509_REQ_add_extensions(made, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_sign(made, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256());
    return made;
}

/* Issues for the request; takes it. */
static enum status issue_for(X509_REQ *request, bool as_pem)
{
    unsigned char *der = NULL;
    char *data = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_REQ(bio, request);
    long pem_len = BIO_get_mem_data(bio, &data);
    int der_len = i2d_X509_REQ(request, &der);
    struct identity_leaf leaf = {.common_name = "clinic.app",
                                 .san_uri = own_uri,
                                 .not_before_ns = clock_now_ns(),
                                 .not_after_ns = clock_now_ns() + 3600000000000,
                                 .request = as_pem ? slice_of(data, (size_t)pem_len)
                                                   : slice_of(der, (size_t)der_len)};
    buffer_clear(&certificate_pem);
    buffer_clear(&key_pem);
    enum status status = ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(key_pem.len, 0);
    assert_int_equal(certificate_pem.len > 0, status == STATUS_OK);
    OPENSSL_free(der);
    BIO_free(bio);
    X509_REQ_free(request);
    return status;
}

static void only_the_key_is_taken(void **state)
{
    EVP_PKEY *const keys[] = {EVP_EC_gen("P-256"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(issue_for(request_of(keys[i], keys[i], own_uri), true), STATUS_OK);
        assert_int_equal(issue_for(request_of(keys[i], keys[i], NULL), false), STATUS_OK);
        BIO *bio = BIO_new_mem_buf(certificate_pem.data, (int)certificate_pem.len);
        X509 *made = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        struct description told;
        assert_int_equal(identity_describe(buffer_slice(&certificate_pem), &told, &error),
                         STATUS_OK);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(made), keys[i]), 1);
        assert_int_equal(X509_check_ca(made), 0);
        assert_string_equal(told.subject, "CN=clinic.app");
        assert_string_equal(told.names, "URI:spiffe://clinic/app");
        X509_free(made);
        BIO_free(bio);
        EVP_PKEY_free(keys[i]);
    }
}

static void a_forged_request_is_refused(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    assert_int_equal(issue_for(request_of(key, other, NULL), true), STATUS_INVALID);
    assert_non_null(strstr(error.message, "not signed with its own key"));
    assert_int_equal(issue_for(request_of(key, key, "spiffe://rival/app"), true), STATUS_INVALID);
    assert_int_equal(issue_for(request_of(key, key, "spiffe://clinic/app2"), true), STATUS_INVALID);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void other_kinds_of_keys_are_refused(void **state)
{
    EVP_PKEY *const keys[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"),
                              EVP_EC_gen("P-256")};
    EVP_PKEY_set_utf8_string_param(keys[3], OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(issue_for(request_of(keys[i], keys[i], NULL), true), STATUS_INVALID);
        assert_non_null(strstr(error.message, "neither P-256 nor Ed25519"));
        EVP_PKEY_free(keys[i]);
    }
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const texts[] = {"x", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n",
                                        "\x30\x80", "\x30\x03\x02\x01\x05"};
    struct identity_leaf leaf = {.common_name = "clinic.app",
                                 .not_before_ns = clock_now_ns(),
                                 .not_after_ns = clock_now_ns() + 3600000000000};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        leaf.request = slice_of_text(texts[i]);
        assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error),
                         STATUS_INVALID);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(only_the_key_is_taken),
        case_of(a_forged_request_is_refused),
        case_of(other_kinds_of_keys_are_refused),
        case_of(what_is_no_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
