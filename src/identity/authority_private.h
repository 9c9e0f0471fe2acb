/* Private to identity/: between the files that are the authority. */
#ifndef COFFERDAM_IDENTITY_AUTHORITY_PRIVATE_H
#define COFFERDAM_IDENTITY_AUTHORITY_PRIVATE_H

#include "identity/authority.h"
#include "identity/openssl.h"

enum { AUTHORITY_PATH_ROOM = 4096, AUTHORITY_PEM_BYTES = 64 * 1024 };

struct identity_ca {
    char *folder; /* owned */
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
MUST_USE enum status leaf_check_common_name(const char *name, struct error *error);

/* ---- request.c ---- */
/* The key of a CSR whose self-signature holds. uri: what it may name; NULL: no URI at all. */
MUST_USE enum status request_key(struct slice request, const char *uri, EVP_PKEY **key,
                                 struct error *error);

/* ---- issued.c ---- */
/* Durable when it returns. */
MUST_USE enum status issued_add(const char *folder, const char *who,
                                const struct description *certificate, struct error *error);

#endif
