/* Private to identity/: between the files that are the authority. */
#ifndef COFFERDAM_IDENTITY_AUTHORITY_PRIVATE_H
#define COFFERDAM_IDENTITY_AUTHORITY_PRIVATE_H

#include "identity/authority.h"
#include "identity/openssl.h"

enum { AUTHORITY_PATH_ROOM = 4096, AUTHORITY_PEM_BYTES = 64 * 1024 };

struct issued_file {
    int fd;
    char path[AUTHORITY_PATH_ROOM];
};

struct identity_ca {
    char *folder;               /* owned */
    struct issued_file *issued; /* held open; owned; NULL: opened for each */
    X509 *certificate;
    EVP_PKEY *key;
};

/* <folder>/<name>; STATUS_INVALID if that is too long. */
MUST_USE enum status authority_path(const char *folder, const char *name,
                                    char path[static AUTHORITY_PATH_ROOM], struct error *error);

/* ---- leaf.c: the parts that certificates are made of ---- */
EVP_PKEY *leaf_key_make(enum identity_key kind); /* NULL on failure; owned */
/* What this key signs with: NULL for Ed25519, which hashes by itself. */
const EVP_MD *leaf_digest(const EVP_PKEY *key);
/* Is it of a kind that we certify: P-256 by its name, or Ed25519? */
bool leaf_key_allowed(const EVP_PKEY *key);
X509 *leaf_new(EVP_PKEY *key, const X509_NAME *issuer, const char *common_name, int64_t not_before,
               int64_t not_after); /* issuer NULL: itself; NULL on failure; owned */
/* value in the syntax of x509v3_config(5): constants of ours only. */
bool leaf_extend(X509 *certificate, X509 *issuer, int nid, const char *value);
/* A certificate of this key, signed by the CA; NULL on failure; owned. */
X509 *leaf_make(const struct identity_ca *ca, const struct identity_leaf *leaf, EVP_PKEY *key);
/* Appends it as PEM. */
MUST_USE enum status leaf_print(X509 *certificate, struct buffer *pem, struct error *error);
MUST_USE enum status leaf_check(const struct identity_leaf *leaf, const X509 *ca,
                                struct error *error);
MUST_USE enum status leaf_check_common_name(const char *name, struct error *error);

/* ---- request.c ---- */
/* The key of a CSR whose self-signature holds. uri: what it may name; NULL: no URI at all. */
MUST_USE enum status request_key(struct slice request, const char *uri, EVP_PKEY **key,
                                 struct error *error);

/* Whose request it is; owned. NULL for what is none. */
X509_REQ *request_read(struct slice bytes);
/* The same of a request that was read. */
MUST_USE enum status request_check(X509_REQ *request, const char *uri, EVP_PKEY **key,
                                   struct error *error);

/* ---- issued.c ---- */
MUST_USE enum status issued_open(const char *folder, struct issued_file *file, struct error *error);
void issued_close(struct issued_file *file); /* again is fine */
/* Nobody else reads or adds until it is unlocked. STATUS_IO where another file has taken its name.
 */
MUST_USE enum status issued_lock(const struct issued_file *file, struct error *error);
void issued_unlock(const struct issued_file *file);

/* What a renewal is of; texts. */
struct issued_descent {
    const char *renews;  /* the serial of the certificate that it follows */
    const char *origin;  /* of the one that a human issued */
    const char *request; /* SHA-256 of the request (DER), hex */
    const char *answer;  /* the certificate, DER in base64 */
};
enum {
    ISSUED_SERIAL,
    ISSUED_WHO,
    ISSUED_NOT_BEFORE,
    ISSUED_NOT_AFTER,
    ISSUED_FINGERPRINT,
    ISSUED_ISSUED,
    ISSUED_RENEWS,
    ISSUED_ORIGIN,
    ISSUED_REQUEST,
    ISSUED_ANSWER,
    ISSUED_FIELDS
};
/* Durable when it returns; wants the lock. descent NULL: a human issues it. */
MUST_USE enum status issued_add(const struct issued_file *file, const char *who,
                                const struct description *certificate,
                                const struct issued_descent *descent, struct error *error);
/* All columns; oldest first. Wants the lock. The caller frees the table. */
MUST_USE enum status issued_read(const struct issued_file *file, struct table *table,
                                 struct error *error);

#endif
