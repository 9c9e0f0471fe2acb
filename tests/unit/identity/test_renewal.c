/* Renewals: nothing without the old key, once a certificate, and never beyond what a human allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca.h"
#include "identity/renewal.h"

static const char own_uri[] = "spiffe://clinic/app";
static const int64_t second_ns = 1000000000, hour_ns = 3600 * INT64_C(1000000000);
static const struct identity_renewal_bounds any_time = {
    .last_percent = 100, .lifetime_most_ns = INT64_MAX, .human_most_ns = INT64_MAX};

static struct folder folder;
static struct error error;
static struct identity_ca *ca;
static struct buffer pem, key_pem, request_pem;
static struct identity_renewed renewed;

/* One end of a line: a certificate and its key. */
struct holder {
    X509 *certificate;
    EVP_PKEY *key;
    unsigned char *der;
    int der_len;
};

static int setup(void **state)
{
    folder_make(&folder);
    buffer_init(&pem, 65536);
    buffer_init(&key_pem, 65536);
    buffer_init(&request_pem, 65536);
    if (ca_create(&folder, "Test CA", 30, &error) != STATUS_OK)
        return -1;
    return identity_ca_open(folder.path, slice_of(NULL, 0), slice_of_text(sealing), &ca, &error) ==
                   STATUS_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    identity_ca_close(ca);
    folder_remove(&folder);
    buffer_free(&pem);
    buffer_free(&key_pem);
    buffer_free(&request_pem);
    return 0;
}

static void take(struct holder *holder, EVP_PKEY *key)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    *holder = (struct holder){.certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL), .key = key};
    holder->der_len = i2d_X509(holder->certificate, &holder->der);
    assert_int_equal(X509_check_private_key(holder->certificate, key), 1);
    BIO_free(bio);
}

static void let_go(struct holder *holder)
{
    X509_free(holder->certificate);
    EVP_PKEY_free(holder->key);
    OPENSSL_free(holder->der);
}

static EVP_PKEY *read_key(void)
{
    BIO *bio = BIO_new_mem_buf(key_pem.data, (int)key_pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

/* By a human, for so long from now on. */
static void issue(struct holder *holder, enum identity_key kind, int64_t life_ns, bool server)
{
    const struct identity_leaf leaf = {.common_name = "clinic.app",
                                       .san_uri = server ? NULL : own_uri,
                                       .san_dns = server ? "gateway.example" : NULL,
                                       .server = server,
                                       .key = kind,
                                       .not_before_ns = clock_now_ns() - 300 * second_ns,
                                       .not_after_ns = clock_now_ns() + life_ns,
                                       .who = "clinic.app"};
    buffer_clear(&pem);
    buffer_clear(&key_pem);
    assert_int_equal(identity_issue(ca, &leaf, &pem, &key_pem, &error), STATUS_OK);
    take(holder, read_key());
}

/* The request's PEM into request_pem; its signature by signer. Returns the signature's length. */
static size_t ask(EVP_PKEY *key, EVP_PKEY *signer, const char *uri, uint8_t signature[static 256])
{
    X509_REQ *made = X509_REQ_new();
    unsigned char *der = NULL;
    char name[200], *text;
    size_t len = 256;
    X509_REQ_set_pubkey(made, key);
    if (uri != NULL) {
        STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
        snprintf(name, sizeof name, "URI:%s", uri);
        sk_X509_EXTENSION_push(extensions,
                               X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name));
        X509_REQ_add_extensions(made, extensions);
        sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    }
    X509_REQ_sign(made, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256());
    int der_len = i2d_X509_REQ(made, &der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL,
                                        EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256(),
                                        NULL, signer),
                     1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, der, (size_t)der_len), 1);
    EVP_MD_CTX_free(context);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_REQ(bio, made);
    long text_len = BIO_get_mem_data(bio, &text);
    buffer_clear(&request_pem);
    buffer_append(&request_pem, text, (size_t)text_len);
    BIO_free(bio);
    OPENSSL_free(der);
    X509_REQ_free(made);
    return len;
}

static enum status renew_with(const struct holder *old, const uint8_t *signature, size_t len,
                              const struct identity_renewal_bounds *bounds)
{
    const struct identity_renewal asked = {.certificate = slice_of(old->der, (size_t)old->der_len),
                                           .request = buffer_slice(&request_pem),
                                           .signature = slice_of(signature, len),
                                           .human_most_ns = INT64_MAX};
    buffer_clear(&pem);
    enum status status = identity_renew(ca, &asked, bounds, &renewed, &pem, &error);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(pem.len > 0, status == STATUS_OK);
    return status;
}

/* As an agent does it; on STATUS_OK *next is the new holder, otherwise key is freed. */
static enum status renew(const struct holder *old, EVP_PKEY *key, struct holder *next,
                         const struct identity_renewal_bounds *bounds)
{
    uint8_t signature[256];
    size_t len = ask(key, old->key, NULL, signature);
    enum status status = renew_with(old, signature, len, bounds);
    if (status == STATUS_OK)
        take(next, key);
    else
        EVP_PKEY_free(key);
    return status;
}

static EVP_PKEY *p256(void)
{
    return EVP_EC_gen("P-256");
}

/* As if it had been issued so many seconds ago, by a line of before renewals were made. */
static void issued_before(const struct holder *old, int64_t seconds)
{
    struct description told;
    struct buffer text;
    char times[2][21], path[300];
    assert_int_equal(identity_describe(slice_of(old->der, (size_t)old->der_len), &told, &error),
                     STATUS_OK);
    buffer_init(&text, 4096);
    clock_format_utc(clock_now_ns() - seconds * second_ns, times[0]);
    clock_format_utc(told.credential.expires_ns, times[1]);
    buffer_printf(&text,
                  "serial,who,not_before,not_after,fingerprint,issued\n%s,clinic.app,%s,%s,%s,%s\n",
                  told.credential.id, times[0], times[1], told.fingerprint, times[0]);
    snprintf(path, sizeof path, "%s", folder_path(&folder, "issued.csv"));
    assert_int_equal(file_replace(path, buffer_slice(&text), 0600, &error), STATUS_OK);
    buffer_free(&text);
}

static void a_new_key_gets_the_old_ones_names(void **state)
{
    static const enum identity_key kinds[] = {IDENTITY_KEY_P256, IDENTITY_KEY_ED25519};
    for (size_t i = 0; i < 2; i++) {
        struct holder old, next;
        struct description told;
        issue(&old, kinds[i], hour_ns, false);
        issued_before(&old, 60);
        EVP_PKEY *key = i == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : p256();
        assert_int_equal(renew(&old, key, &next, &any_time), STATUS_OK);
        assert_false(renewed.again);
        assert_int_equal(identity_describe(buffer_slice(&pem), &told, &error), STATUS_OK);
        assert_string_equal(told.names, "URI:spiffe://clinic/app");
        assert_string_equal(told.subject, "CN=clinic.app");
        assert_int_equal(X509_check_ca(next.certificate), 0);
        assert_string_equal(renewed.origin, renewed.renews);
        let_go(&old), let_go(&next);
    }
}

static void a_line_keeps_its_origin(void **state)
{
    struct holder old, next, last;
    char origin[CREDENTIAL_ID_ROOM], second[CREDENTIAL_ID_ROOM];
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_OK);
    snprintf(origin, sizeof origin, "%s", renewed.renews);
    snprintf(second, sizeof second, "%s", renewed.made.credential.id);
    int64_t begun_ns = clock_now_ns();
    enum status status = renew(&next, p256(), &last, &any_time);
    if (status != STATUS_OK) { /* a certificate's end is a whole second */
        assert_non_null(strstr(error.message, "not end later"));
        while (clock_now_ns() / second_ns == begun_ns / second_ns)
            continue;
        assert_int_equal(renew(&next, p256(), &last, &any_time), STATUS_OK);
    }
    assert_string_equal(renewed.origin, origin);
    assert_string_equal(renewed.renews, second);
    let_go(&old), let_go(&next), let_go(&last);
}

static void without_the_old_key_there_is_nothing(void **state)
{
    struct holder old, next = {0};
    uint8_t signature[256];
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    EVP_PKEY *key = p256();
    size_t len = ask(key, key, NULL, signature); /* by the new key: whoever has the certificate */
    assert_int_equal(renew_with(&old, signature, len, &any_time), STATUS_DENIED);
    assert_non_null(strstr(error.message, "has not signed this request"));
    len = ask(key, old.key, NULL, signature);
    uint8_t ignored[256];
    EVP_PKEY *other = p256();
    (void)ask(other, other, NULL, ignored); /* another request under this signature */
    assert_int_equal(renew_with(&old, signature, len, &any_time), STATUS_DENIED);
    assert_int_equal(renew_with(&old, signature, 0, &any_time), STATUS_DENIED);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    /* the old key itself does not live on */
    EVP_PKEY_up_ref(old.key);
    assert_int_equal(renew(&old, old.key, &next, &any_time), STATUS_DENIED);
    assert_non_null(strstr(error.message, "has the old key"));
    let_go(&old);
}

static void names_and_kinds_of_keys_are_judged(void **state)
{
    struct holder old, next;
    uint8_t signature[256];
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    EVP_PKEY *key = p256();
    size_t len = ask(key, old.key, "spiffe://rival/app", signature);
    assert_int_equal(renew_with(&old, signature, len, &any_time), STATUS_INVALID);
    EVP_PKEY_free(key);
    assert_int_equal(renew(&old, EVP_EC_gen("P-384"), &next, &any_time), STATUS_INVALID);
    assert_int_equal(renew(&old, EVP_RSA_gen(2048), &next, &any_time), STATUS_INVALID);
    let_go(&old);
}

static void only_what_stands_in_the_index_is_renewed(void **state)
{
    struct holder old, server, next;
    char path[300];
    issue(&server, IDENTITY_KEY_P256, hour_ns, true);
    assert_int_equal(renew(&server, p256(), &next, &any_time), STATUS_DENIED);
    assert_non_null(strstr(error.message, "not for a client"));
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    snprintf(path, sizeof path, "%s", folder_path(&folder, "issued.csv"));
    assert_int_equal(file_replace(path, slice_of_text("serial,who\n"), 0600, &error), STATUS_OK);
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_DENIED);
    assert_non_null(strstr(error.message, "issued.csv does not have it"));
    let_go(&old), let_go(&server);
}

/* The same CA's name and another key: a certificate that looks ours. */
static void another_authority_is_not_ours(void **state)
{
    struct folder elsewhere;
    struct identity_ca *ours = ca;
    struct holder old, next;
    folder_make(&elsewhere);
    assert_int_equal(ca_create(&elsewhere, "Test CA", 30, &error), STATUS_OK);
    assert_int_equal(
        identity_ca_open(elsewhere.path, slice_of(NULL, 0), slice_of_text(sealing), &ca, &error),
        STATUS_OK);
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    identity_ca_close(ca);
    ca = ours;
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_DENIED);
    assert_non_null(strstr(error.message, "this CA has not issued it"));
    let_go(&old);
    folder_remove(&elsewhere);
}

static void a_second_request_tells_of_two_holders(void **state)
{
    struct holder old, next, stolen;
    uint8_t signature[256];
    char serial[CREDENTIAL_ID_ROOM];
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    EVP_PKEY *key = p256();
    size_t len = ask(key, old.key, NULL, signature);
    assert_int_equal(renew_with(&old, signature, len, &any_time), STATUS_OK);
    take(&next, key);
    snprintf(serial, sizeof serial, "%s", renewed.made.credential.id);
    struct buffer first = pem;
    buffer_init(&pem, 65536);
    assert_int_equal(renew_with(&old, signature, len, &any_time), STATUS_OK); /* it was lost */
    assert_true(renewed.again);
    assert_string_equal(renewed.made.credential.id, serial);
    assert_true(slice_equal(buffer_slice(&pem), buffer_slice(&first)));
    assert_int_equal(renew(&old, p256(), &stolen, &any_time), STATUS_DENIED);
    assert_string_equal(error.sqlstate, RENEWAL_TWO_HOLDERS);
    struct table table;
    assert_int_equal(identity_issued_list(folder.path, &table, &error), STATUS_OK);
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.first->cells[6], "");
    assert_string_equal(table.last->cells[6], table.first->cells[0]);
    assert_string_equal(table.last->cells[7], table.first->cells[0]);
    assert_int_equal(table.column_count, 8);
    table_free(&table);
    buffer_free(&first);
    let_go(&old), let_go(&next);
}

static void bounds_hold(void **state)
{
    struct identity_renewal_bounds bounds = any_time;
    struct holder old, next;
    issue(&old, IDENTITY_KEY_P256, hour_ns, false); /* of two hours, the first of which is over */
    issued_before(&old, 3595);
    bounds.last_percent = 50;
    assert_int_equal(renew(&old, p256(), &next, &bounds), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "55000");
    assert_non_null(strstr(error.message, "not renewed before 20"));
    bounds.last_percent = 51;
    bounds.human_most_ns = hour_ns; /* ago */
    assert_int_equal(renew(&old, p256(), &next, &bounds), STATUS_DENIED);
    assert_non_null(strstr(error.message, "since a human issued"));
    bounds.human_most_ns = 2 * hour_ns + 5 * second_ns;
    assert_int_equal(renew(&old, p256(), &next, &bounds), STATUS_OK);
    assert_in_range(renewed.made.credential.expires_ns, renewed.until_ns - second_ns,
                    renewed.until_ns);
    let_go(&next);
    issued_before(&old, 3600);
    bounds.human_most_ns = INT64_MAX;
    bounds.lifetime_most_ns = hour_ns + 60 * second_ns;
    assert_int_equal(renew(&old, p256(), &next, &bounds), STATUS_OK);
    assert_in_range(renewed.made.credential.expires_ns, clock_now_ns() + hour_ns + 50 * second_ns,
                    clock_now_ns() + hour_ns + 60 * second_ns);
    let_go(&next);
    issued_before(&old, 60);
    bounds.lifetime_most_ns = INT64_MAX;
    bounds.last_percent = 100;
    assert_int_equal(renew(&old, p256(), &next, &bounds), STATUS_OK); /* as long as the old one's */
    assert_in_range(renewed.made.credential.expires_ns, clock_now_ns() + hour_ns + 50 * second_ns,
                    clock_now_ns() + hour_ns + 62 * second_ns);
    let_go(&next);
    let_go(&old);
}

static void a_line_that_was_cut_off_is_passed_over(void **state)
{
    struct holder old, next;
    char path[300];
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    snprintf(path, sizeof path, "%s", folder_path(&folder, "issued.csv"));
    FILE *file = fopen(path, "a");
    fputs("5f3a90c1,clinic.a", file);
    fclose(file);
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_OK);
    struct table table;
    assert_int_equal(identity_issued_list(folder.path, &table, &error), STATUS_OK);
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.last->cells[0], renewed.made.credential.id);
    table_free(&table);
    let_go(&old), let_go(&next);
}

/* However much of its line had been written: nobody got what was being made. */
static void a_renewal_that_was_cut_off_has_not_been(void **state)
{
    static const size_t missing[] = {2, 5, 300, 700, 760, 830, 900};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        struct holder old, lost, next;
        struct buffer text;
        struct table table;
        const char *path = folder_path(&folder, "issued.csv");
        issue(&old, IDENTITY_KEY_P256, hour_ns, false);
        issued_before(&old, 60);
        assert_int_equal(renew(&old, p256(), &lost, &any_time), STATUS_OK);
        buffer_init(&text, 65536);
        assert_int_equal(file_read(path, &text, &error), STATUS_OK);
        assert_true(text.len > missing[i]);
        assert_int_equal(truncate(path, (off_t)(text.len - missing[i])), 0);
        assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_OK);
        assert_false(renewed.again);
        assert_int_equal(identity_issued_list(folder.path, &table, &error), STATUS_OK);
        assert_int_equal(table.row_count, 2);
        assert_string_equal(table.last->cells[0], renewed.made.credential.id);
        table_free(&table);
        buffer_free(&text);
        let_go(&old), let_go(&lost), let_go(&next);
    }
}

/* A disk that is full, as the limit of a file's size has it: the next try is no second holder. */
static void what_cannot_be_written_has_not_been(void **state)
{
    struct holder old, next;
    struct rlimit before, full;
    struct stat info;
    const char *path = folder_path(&folder, "issued.csv");
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){(rlim_t)info.st_size + 300, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    enum status status = renew(&old, p256(), &next, &any_time);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    off_t size = info.st_size;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, size);
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_OK);
    assert_false(renewed.again);
    let_go(&old), let_go(&next);
}

/* A request that says that it is sealed: libcrypto would ask for the passphrase where it can. */
static void nobody_is_asked_for_a_passphrase(void **state)
{
    static const char sealed[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
                                 "Proc-Type: 4,ENCRYPTED\n"
                                 "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                 "-----END CERTIFICATE REQUEST-----\n";
    struct holder old;
    int ends[2], left = 0;
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    buffer_clear(&request_pem);
    buffer_append(&request_pem, sealed, sizeof sealed - 1);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "secret\n", 7), 7);
    close(ends[1]);
    pid_t child = fork(); /* without a terminal, it would be standard input */
    if (child == 0) {
        setsid();
        dup2(ends[0], 0);
        _exit(renew_with(&old, (const uint8_t *)"x", 1, &any_time) == STATUS_INVALID ? 0 : 1);
    }
    int told = -1;
    assert_int_equal(waitpid(child, &told, 0), child);
    assert_int_equal(told, 0);
    assert_int_equal(ioctl(ends[0], FIONREAD, &left), 0);
    assert_int_equal(left, 7);
    close(ends[0]);
    let_go(&old);
}

static void a_held_index_must_stay_in_its_place(void **state)
{
    struct holder old, next;
    issue(&old, IDENTITY_KEY_P256, hour_ns, false);
    issued_before(&old, 60);
    assert_int_equal(identity_ca_hold(ca, &error), STATUS_OK);
    assert_int_equal(identity_ca_check_held(ca, &error), STATUS_OK);
    issued_before(&old, 60); /* another file */
    assert_int_equal(renew(&old, p256(), &next, &any_time), STATUS_IO);
    assert_non_null(strstr(error.message, "another file than was opened"));
    let_go(&old);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(a_new_key_gets_the_old_ones_names),
        case_of(a_line_keeps_its_origin),
        case_of(without_the_old_key_there_is_nothing),
        case_of(names_and_kinds_of_keys_are_judged),
        case_of(only_what_stands_in_the_index_is_renewed),
        case_of(another_authority_is_not_ours),
        case_of(a_second_request_tells_of_two_holders),
        case_of(bounds_hold),
        case_of(a_line_that_was_cut_off_is_passed_over),
        case_of(a_renewal_that_was_cut_off_has_not_been),
        case_of(what_cannot_be_written_has_not_been),
        case_of(nobody_is_asked_for_a_passphrase),
        case_of(a_held_index_must_stay_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
