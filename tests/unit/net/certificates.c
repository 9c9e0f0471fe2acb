/* Test certificates with libcrypto: P-256, valid for an hour around now. */
#include "certificates.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"

struct issuer {
    X509 *certificate;
    EVP_PKEY *key;
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL);
    CHECK(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* issuer NULL: signs itself and is a CA. */
static struct issuer issue(const char *name, const struct issuer *issuer, const char *san)
{
    static long serial;
    struct issuer made = {X509_new(), EVP_EC_gen("P-256")};
    CHECK(made.certificate != NULL && made.key != NULL);
    X509 *signer = issuer == NULL ? made.certificate : issuer->certificate;
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -1800);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 1800);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(signer));
    add_extension(made.certificate, signer, NID_basic_constraints,
                  issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (san != NULL)
        add_extension(made.certificate, signer, NID_subject_alt_name, san);
    CHECK(X509_sign(made.certificate, issuer == NULL ? made.key : issuer->key, EVP_sha256()) > 0);
    return made;
}

static FILE *open_pem(const char *folder, const char *name, char path[static 96])
{
    snprintf(path, 96, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    FILE *file = fdopen(fd, "w");
    CHECK(file != NULL);
    return file;
}

static void write_certificate(const char *folder, const char *name, X509 *certificate,
                              char path[static 96])
{
    FILE *file = open_pem(folder, name, path);
    CHECK(PEM_write_X509(file, certificate) == 1);
    fclose(file);
}

static void write_key(const char *folder, const char *name, EVP_PKEY *key, char path[static 96])
{
    FILE *file = open_pem(folder, name, path);
    CHECK(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
}

static void drop(struct issuer *issuer)
{
    X509_free(issuer->certificate);
    EVP_PKEY_free(issuer->key);
}

void certificates_make(struct certificates *certificates)
{
    snprintf(certificates->folder, sizeof certificates->folder, "/tmp/cofferdam-net-XXXXXX");
    const char *folder = mkdtemp(certificates->folder);
    CHECK(folder != NULL);
    struct issuer ca = issue("Test CA", NULL, NULL);
    struct issuer wrong_ca = issue("Wrong CA", NULL, NULL);
    struct issuer server = issue("server", &ca, "DNS:localhost,IP:127.0.0.1");
    struct issuer client = issue("north-mail.sync", &ca, "URI:spiffe://north-mail/sync");
    struct issuer stranger = issue("stranger", &wrong_ca, NULL);
    write_certificate(folder, "ca.crt", ca.certificate, certificates->ca);
    write_certificate(folder, "wrong.crt", wrong_ca.certificate, certificates->wrong_ca);
    write_certificate(folder, "server.crt", server.certificate, certificates->server_certificate);
    write_key(folder, "server.key", server.key, certificates->server_key);
    write_certificate(folder, "client.crt", client.certificate, certificates->client_certificate);
    write_key(folder, "client.key", client.key, certificates->client_key);
    write_certificate(folder, "stranger.crt", stranger.certificate,
                      certificates->stranger_certificate);
    write_key(folder, "stranger.key", stranger.key, certificates->stranger_key);
    drop(&ca);
    drop(&wrong_ca);
    drop(&server);
    drop(&client);
    drop(&stranger);
}

void certificates_remove(struct certificates *certificates)
{
    const char *const paths[] = {
        certificates->ca,
        certificates->wrong_ca,
        certificates->server_certificate,
        certificates->server_key,
        certificates->client_certificate,
        certificates->client_key,
        certificates->stranger_certificate,
        certificates->stranger_key,
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        unlink(paths[i]);
    rmdir(certificates->folder);
}
