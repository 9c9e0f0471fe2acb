/* Our CA: what it makes is what TLS accepts, for its purpose and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca.h"
#include "identity/credential.h"
#include "identity/identity.h"

static const int64_t hour_ns = 3600000000000;
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

static X509 *certificate_of(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

static X509 *ca_certificate(void)
{
    struct buffer pem;
    buffer_init(&pem, 10000);
    assert_int_equal(file_read(folder_path(&folder, "ca.crt"), &pem, &error), STATUS_OK);
    X509 *certificate = certificate_of(buffer_slice(&pem));
    buffer_free(&pem);
    return certificate;
}

static struct identity_leaf leaf_from_now(void)
{
    return (struct identity_leaf){.common_name = "clinic.app",
                                  .not_before_ns = clock_now_ns() - hour_ns,
                                  .not_after_ns = clock_now_ns() + hour_ns};
}

/* libcrypto's verdict, X509_V_OK if the leaf may be used so. */
static int verify(X509 *leaf, int purpose)
{
    X509 *ca = ca_certificate();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(context, store, leaf, NULL);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    X509_verify_cert(context);
    int verdict = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(ca);
    return verdict;
}

static void keys_are_for_their_owner_alone(void **state)
{
    struct stat info;
    assert_int_equal(stat(folder_path(&folder, "ca.key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(folder_path(&folder, "ca.crt"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
}

static void a_ca_is_not_replaced(void **state)
{
    assert_int_equal(ca_create(&folder, "Other", 30, &error), STATUS_INVALID);
    unlink(folder_path(&folder, "ca.crt"));
    assert_int_equal(ca_create(&folder, "Other", 30, &error), STATUS_INVALID);
    unlink(folder_path(&folder, "ca.key"));
    assert_int_equal(ca_create(&folder, "Other", 0, &error), STATUS_INVALID);
    assert_int_equal(ca_create(&folder, "Other", 36501, &error), STATUS_INVALID);
    assert_int_equal(ca_create(&folder, "", 1, &error), STATUS_INVALID);
    assert_int_equal(ca_create(&folder, "Other", 1, &error), STATUS_OK);
}

static void the_ca_is_a_ca(void **state)
{
    X509 *ca = ca_certificate();
    assert_int_equal(X509_check_ca(ca), 1);
    assert_int_equal(X509_get_pathlen(ca), 0);
    assert_int_equal(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_check_issued(ca, ca), X509_V_OK);
    X509_free(ca);
}

static void a_client_leaf_is_for_clients(void **state)
{
    struct identity_leaf leaf = leaf_from_now();
    leaf.san_uri = "spiffe://clinic/app,DNS:evil";
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
    X509 *made = certificate_of(buffer_slice(&certificate_pem));
    assert_int_equal(verify(made, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    assert_int_equal(verify(made, X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
    assert_int_equal(X509_check_ca(made), 0);
    assert_int_equal(X509_get_key_usage(made), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(made), XKU_SSL_CLIENT);
    assert_non_null(X509_get0_subject_key_id(made));
    assert_non_null(X509_get0_authority_key_id(made));
    GENERAL_NAMES *names = X509_get_ext_d2i(made, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1); /* a comma begins no second name */
    GENERAL_NAMES_free(names);

    unsigned char *der = NULL;
    int len = i2d_X509(made, &der);
    struct policy_agent agent = {.login = "clinic.app", .certificate = leaf.san_uri};
    assert_int_equal(identity_check_certificate(&agent, slice_of(der, (size_t)len), &error),
                     STATUS_OK);
    agent.certificate = "clinic.app";
    assert_int_equal(identity_check_certificate(&agent, slice_of(der, (size_t)len), &error),
                     STATUS_OK);
    struct credential credential;
    assert_int_equal(credential_of_certificate(slice_of(der, (size_t)len), &credential, &error),
                     STATUS_OK);
    assert_int_equal(credential.expires_ns, leaf.not_after_ns / 1000000000 * 1000000000);
    OPENSSL_free(der);
    X509_free(made);
}

static void a_server_leaf_names_its_host(void **state)
{
    struct identity_leaf leaf = leaf_from_now();
    leaf.san_dns = "db.example";
    leaf.san_ip = "127.0.0.1";
    leaf.server = true;
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
    X509 *made = certificate_of(buffer_slice(&certificate_pem));
    assert_int_equal(verify(made, X509_PURPOSE_SSL_SERVER), X509_V_OK);
    assert_int_equal(verify(made, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
    assert_int_equal(X509_check_host(made, "db.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(made, "db2.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(made, "127.0.0.1", 0), 1);
    X509_free(made);
}

static void the_key_fits_and_serials_differ(void **state)
{
    struct identity_leaf leaf = leaf_from_now();
    X509 *made[2];
    for (int i = 0; i < 2; i++) {
        buffer_clear(&certificate_pem);
        buffer_clear(&key_pem);
        assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
        made[i] = certificate_of(buffer_slice(&certificate_pem));
    }
    assert_memory_equal(key_pem.data, "-----BEGIN PRIVATE KEY-----", 27);
    BIO *bio = BIO_new_mem_buf(key_pem.data, (int)key_pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(X509_check_private_key(made[1], key), 1);
    assert_int_equal(X509_check_private_key(made[0], key), 0);
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(made[0]), NULL);
    assert_int_equal(BN_num_bits(serial), 128);
    assert_int_not_equal(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(made[0]), X509_get0_serialNumber(made[1])), 0);
    BN_free(serial);
    ERR_clear_error();
    EVP_PKEY_free(key);
    BIO_free(bio);
    X509_free(made[0]);
    X509_free(made[1]);
}

static void wrong_leaves_are_refused(void **state)
{
    struct identity_leaf backwards = leaf_from_now(), outliving = leaf_from_now();
    struct identity_leaf bad_ip = leaf_from_now(), bad_uri = leaf_from_now();
    struct identity_leaf empty = leaf_from_now(), long_name = leaf_from_now();
    backwards.not_after_ns = backwards.not_before_ns;
    outliving.not_after_ns = clock_now_ns() + 31 * 24 * hour_ns;
    bad_ip.san_ip = "127.0.0.256";
    bad_uri.san_uri = "spiffe://clinic/a b";
    empty.san_dns = "";
    long_name.common_name = "sixty-five-characters-are-one-too-many-for-a-common-name-by-rfc52";
    const struct identity_leaf *const leaves[] = {&backwards, &outliving, &bad_ip,
                                                  &bad_uri,   &empty,     &long_name};
    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        if (ca_issue(&folder, leaves[i], &certificate_pem, &key_pem, &error) == STATUS_OK)
            fail_msg("leaf %zu was issued", i);
        assert_int_equal(certificate_pem.len, 0);
        assert_int_equal(key_pem.len, 0);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void a_ca_that_is_not_whole_issues_nothing(void **state)
{
    struct identity_leaf leaf = leaf_from_now();
    assert_int_equal(chmod(folder_path(&folder, "ca.key"), 0640), 0);
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_INVALID);
    struct slice other = slice_of_text("-----BEGIN PRIVATE KEY-----\nAAAA\n");
    assert_int_equal(file_replace(folder_path(&folder, "ca.key"), other, 0600, &error), STATUS_OK);
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_INVALID);
    unlink(folder_path(&folder, "ca.key"));
    assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error),
                     STATUS_NOT_FOUND);
}

static void a_sealed_key_opens_with_its_passphrase_alone(void **state)
{
    static const enum identity_key kinds[] = {IDENTITY_KEY_P256, IDENTITY_KEY_ED25519};
    for (size_t i = 0; i < 2; i++) {
        struct identity_ca_plan plan = {
            .name = "Sealed", .days = 30, .key = kinds[i], .passphrase = slice_of_text(sealing)};
        struct identity_leaf leaf = leaf_from_now();
        struct identity_ca *ca = NULL;
        struct buffer pem;
        buffer_init(&pem, 10000);
        unlink(folder_path(&folder, "ca.key"));
        unlink(folder_path(&folder, "ca.crt"));
        assert_int_equal(identity_ca_create(folder.path, &plan, &error), STATUS_OK);
        assert_int_equal(file_read(folder_path(&folder, "ca.key"), &pem, &error), STATUS_OK);
        assert_true(identity_key_sealed(buffer_slice(&pem)));
        static const char *const wrong[] = {"", "correct horse batterx", "correct horse battery "};
        for (size_t w = 0; w < 3; w++)
            assert_int_equal(identity_ca_open(folder.path, slice_of(NULL, 0),
                                              slice_of_text(wrong[w]), &ca, &error),
                             STATUS_DENIED);
        assert_int_equal(ERR_peek_error(), 0);
        leaf.key = kinds[1 - i];
        buffer_clear(&certificate_pem);
        assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
        X509 *made = certificate_of(buffer_slice(&certificate_pem));
        assert_int_equal(verify(made, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
        X509_free(made);
        buffer_free(&pem);
    }
}

static void what_was_issued_is_written_down(void **state)
{
    struct identity_leaf leaf = leaf_from_now();
    struct description described;
    struct table table;
    assert_int_equal(identity_issued_list(folder.path, &table, &error), STATUS_NOT_FOUND);
    leaf.who = "clinic.app, \"x\"";
    for (int i = 0; i < 2; i++) {
        buffer_clear(&certificate_pem);
        assert_int_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
    }
    assert_int_equal(identity_describe(buffer_slice(&certificate_pem), &described, &error),
                     STATUS_OK);
    assert_int_equal(identity_issued_list(folder.path, &table, &error), STATUS_OK);
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.last->cells[0], described.credential.id);
    assert_string_equal(table.last->cells[1], leaf.who);
    assert_string_equal(table.last->cells[4], described.fingerprint);
    table_free(&table);
    /* What cannot be written down is not handed out. */
    unlink(folder_path(&folder, "issued.csv"));
    assert_int_equal(mkdir(folder_path(&folder, "issued.csv"), 0700), 0);
    buffer_clear(&certificate_pem);
    buffer_clear(&key_pem);
    assert_int_not_equal(ca_issue(&folder, &leaf, &certificate_pem, &key_pem, &error), STATUS_OK);
    assert_int_equal(certificate_pem.len + key_pem.len, 0);
    rmdir(folder_path(&folder, "issued.csv"));
}

static void its_crl_is_what_libcrypto_verifies(void **state)
{
    const struct identity_revoked revoked[] = {{"0a", clock_now_ns()}, {"ff00ff00ff00ff00", 0}};
    struct identity_ca *ca = NULL;
    struct buffer pem;
    buffer_init(&pem, 10000);
    assert_int_equal(
        identity_ca_open(folder.path, slice_of(NULL, 0), slice_of(NULL, 0), &ca, &error),
        STATUS_OK);
    assert_int_equal(identity_ca_crl(ca, revoked, 2, 7, clock_now_ns(), 3600, &pem, &error),
                     STATUS_OK);
    identity_ca_close(ca);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    X509 *issuer = ca_certificate();
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
    X509_REVOKED *found = NULL;
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_INTEGER_set(serial, 10);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &found, serial), 1);
    ASN1_INTEGER_set(serial, 11);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &found, serial), 0);
    ASN1_INTEGER_free(serial);
    X509_free(issuer);
    X509_CRL_free(crl);
    BIO_free(bio);
    buffer_free(&pem);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(keys_are_for_their_owner_alone),
        case_of(a_ca_is_not_replaced),
        case_of(the_ca_is_a_ca),
        case_of(a_client_leaf_is_for_clients),
        case_of(a_server_leaf_names_its_host),
        case_of(the_key_fits_and_serials_differ),
        case_of(wrong_leaves_are_refused),
        case_of(a_ca_that_is_not_whole_issues_nothing),
        case_of(a_sealed_key_opens_with_its_passphrase_alone),
        case_of(what_was_issued_is_written_down),
        case_of(its_crl_is_what_libcrypto_verifies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
