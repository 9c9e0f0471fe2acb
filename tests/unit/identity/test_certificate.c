/* Which certificates prove an agent: whole names only, and only one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "identity/credential.h"
#include "identity/identity.h"

static EVP_PKEY *key;

static int setup(void **state)
{
    key = EVP_EC_gen("P-256");
    return key == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    EVP_PKEY_free(key);
    return 0;
}

struct name {
    const char *text;
    size_t len; /* 0: strlen */
};

static int length(struct name name)
{
    return (int)(name.len > 0 ? name.len : strlen(name.text));
}

/* A certificate with these common names and URIs (each list ends with NULL), in DER; owned. */
static struct slice certificate(const struct name *common_names, const struct name *uris,
                                time_t not_after)
{
    X509 *made = X509_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    X509_NAME *subject = X509_get_subject_name(made);
    for (; common_names->text != NULL; common_names++)
        assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                                    (const unsigned char *)common_names->text,
                                                    length(*common_names), -1, 0),
                         1);
    GENERAL_NAME *dns = GENERAL_NAME_new();
    ASN1_STRING *host = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    ASN1_STRING_set(host, "spiffe://clinic/dns", -1);
    GENERAL_NAME_set0_value(dns, GEN_DNS, host);
    sk_GENERAL_NAME_push(names, dns);
    for (; uris->text != NULL; uris++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_STRING *value = ASN1_STRING_type_new(V_ASN1_IA5STRING);
        ASN1_STRING_set(value, uris->text, length(*uris));
        GENERAL_NAME_set0_value(name, GEN_URI, value);
        sk_GENERAL_NAME_push(names, name);
    }
    assert_int_equal(X509_add1_ext_i2d(made, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
    ASN1_TIME_set(X509_getm_notBefore(made), 0);
    ASN1_TIME_set(X509_getm_notAfter(made), not_after);
    X509_set_pubkey(made, key);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    unsigned char *der = NULL;
    int len = i2d_X509(made, &der);
    assert_true(len > 0);
    X509_free(made);
    return slice_of(der, (size_t)len);
}

static void der_free(struct slice der)
{
    OPENSSL_free((void *)(uintptr_t)der.data);
}

static enum status check(const char *identity, const struct name *common_names,
                         const struct name *uris)
{
    struct policy_agent agent = {.login = "clinic.app", .certificate = identity};
    struct slice der = certificate(common_names, uris, 2000000000);
    struct error error = {0};
    enum status status = identity_check_certificate(&agent, der, &error);
    if (status != STATUS_OK)
        assert_string_equal(error.sqlstate, "28000");
    assert_int_equal(ERR_peek_error(), 0);
    der_free(der);
    return status;
}

#define NAMES(...) ((const struct name[]){__VA_ARGS__, {NULL, 0}})
#define NO_NAMES   ((const struct name[]){{NULL, 0}})
#define APP        "spiffe://clinic/app"

static void a_uri_proves_an_identity_with_a_scheme(void **state)
{
    assert_int_equal(check(APP, NO_NAMES, NAMES({APP, 0})), STATUS_OK);
    assert_int_equal(check("urn:clinic:app", NO_NAMES, NAMES({"urn:clinic:app", 0})), STATUS_OK);
    assert_int_equal(check(APP, NAMES({"x", 0}), NAMES({APP, 0})), STATUS_OK);
}

static void nothing_else_does(void **state)
{
    assert_int_equal(check(APP, NAMES({APP, 0}), NO_NAMES), STATUS_DENIED);
    assert_int_equal(check("spiffe://clinic/dns", NO_NAMES, NO_NAMES), STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES({APP "2", 0})), STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES({"spiffe://clinic/ap", 0})), STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES({"SPIFFE://clinic/app", 0})), STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES({"spiffe://clinic/%61pp", 0})), STATUS_DENIED);
    assert_int_equal(check(NULL, NAMES({"x", 0}), NAMES({APP, 0})), STATUS_DENIED);
}

static void a_nul_inside_a_name_proves_nothing(void **state)
{
    struct name with_nul = {APP "\0.evil", sizeof APP + 5}, only_nul = {APP, sizeof APP};
    assert_int_equal(check(APP, NO_NAMES, NAMES(with_nul)), STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES(only_nul)), STATUS_DENIED);
    struct name common_name = {"app\0.evil", 9};
    assert_int_equal(check("app", NAMES(common_name), NO_NAMES), STATUS_DENIED);
}

static void a_second_name_makes_the_first_worthless(void **state)
{
    assert_int_equal(check(APP, NO_NAMES, NAMES({APP, 0}, {"spiffe://clinic/b", 0})),
                     STATUS_DENIED);
    assert_int_equal(check(APP, NO_NAMES, NAMES({"spiffe://clinic/b", 0}, {APP, 0})),
                     STATUS_DENIED);
    assert_int_equal(check("app", NAMES({"app", 0}, {"other", 0}), NO_NAMES), STATUS_DENIED);
    assert_int_equal(check("app", NAMES({"other", 0}, {"app", 0}), NO_NAMES), STATUS_DENIED);
}

static void the_common_name_proves_an_identity_without_scheme(void **state)
{
    assert_int_equal(check("app", NAMES({"app", 0}), NO_NAMES), STATUS_OK);
    assert_int_equal(check("Praxis Müller", NAMES({"Praxis Müller", 0}), NO_NAMES), STATUS_OK);
    assert_int_equal(check("app", NAMES({"App", 0}), NO_NAMES), STATUS_DENIED);
    assert_int_equal(check("app", NAMES({"app ", 0}), NO_NAMES), STATUS_DENIED);
    assert_int_equal(check("app", NO_NAMES, NAMES({"app", 0})), STATUS_DENIED);
    assert_int_equal(check("app", NO_NAMES, NO_NAMES), STATUS_DENIED);
}

static void broken_bytes_prove_nothing(void **state)
{
    struct policy_agent agent = {.login = "clinic.app", .certificate = "app"};
    struct slice der = certificate(NAMES({"app", 0}), NO_NAMES, 2000000000);
    struct credential credential;
    assert_int_equal(identity_check_certificate(&agent, slice_of(NULL, 0), NULL), STATUS_DENIED);
    for (size_t len = 0; len < der.len; len++) {
        struct slice cut = slice_of(der.data, len);
        assert_int_equal(identity_check_certificate(&agent, cut, NULL), STATUS_DENIED);
        assert_int_equal(credential_of_certificate(cut, &credential, NULL), STATUS_INVALID);
        assert_int_equal(credential.kind, CREDENTIAL_NONE);
    }
    uint8_t longer[2000];
    memcpy(longer, der.data, der.len);
    longer[der.len] = 0;
    assert_int_equal(identity_check_certificate(&agent, slice_of(longer, der.len + 1), NULL),
                     STATUS_DENIED);
    assert_int_equal(ERR_peek_error(), 0);
    der_free(der);
}

static void the_end_is_read(void **state)
{
    static const struct {
        time_t not_after;
        int64_t expected_ns;
    } cases[] = {
        {0, 0},
        {1795346328, 1795346328000000000},
        {2524608000, 2524608000000000000}, /* 2050: GeneralizedTime from here on */
        {253402300799, INT64_MAX},         /* 9999-12-31 23:59:59 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice der = certificate(NO_NAMES, NO_NAMES, cases[i].not_after);
        struct credential credential;
        assert_int_equal(credential_of_certificate(der, &credential, NULL), STATUS_OK);
        assert_int_equal(credential.expires_ns, cases[i].expected_ns);
        der_free(der);
    }
}

/* A certificate with this serial number and issuer; owned. */
static struct slice numbered(const char *hex, const char *issuer)
{
    struct slice der = certificate(NAMES({"app", 0}), NO_NAMES, 2000000000);
    const unsigned char *at = der.data;
    X509 *made = d2i_X509(NULL, &at, (long)der.len);
    der_free(der);
    BIGNUM *number = NULL;
    assert_true(BN_hex2bn(&number, hex) > 0);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made));
    BN_free(number);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                               (const unsigned char *)issuer, -1, -1, 0);
    X509_set_issuer_name(made, name);
    X509_NAME_free(name);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    unsigned char *bytes = NULL;
    int len = i2d_X509(made, &bytes);
    X509_free(made);
    return slice_of(bytes, (size_t)len);
}

static void it_is_named_by_issuer_and_serial(void **state)
{
    static const struct {
        const char *hex, *expected; /* NULL: refused */
    } cases[] = {
        {"0", "0"},
        {"7", "7"},
        {"0A0B", "a0b"},
        {"80", "80"},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "ffffffffffffffffffffffffffffffffffffffff"},
        {"010000000000000000000000000000000000000000", NULL},
        {"-7", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice der = numbered(cases[i].hex, "CA");
        struct credential credential;
        enum status status = credential_of_certificate(der, &credential, NULL);
        assert_int_equal(status, cases[i].expected == NULL ? STATUS_INVALID : STATUS_OK);
        if (cases[i].expected != NULL)
            assert_string_equal(credential.id, cases[i].expected);
        der_free(der);
    }
    struct slice one = numbered("7", "CA"), other = numbered("7", "another CA");
    struct credential first, second;
    assert_int_equal(credential_of_certificate(one, &first, NULL), STATUS_OK);
    assert_int_equal(credential_of_certificate(other, &second, NULL), STATUS_OK);
    assert_memory_not_equal(first.issuer, second.issuer, sizeof first.issuer);
    assert_int_equal(ERR_peek_error(), 0);
    der_free(one);
    der_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_proves_an_identity_with_a_scheme),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(a_nul_inside_a_name_proves_nothing),
        cmocka_unit_test(a_second_name_makes_the_first_worthless),
        cmocka_unit_test(the_common_name_proves_an_identity_without_scheme),
        cmocka_unit_test(broken_bytes_prove_nothing),
        cmocka_unit_test(the_end_is_read),
        cmocka_unit_test(it_is_named_by_issuer_and_serial),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
