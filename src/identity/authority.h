/* Our own certificate authority: P-256 or Ed25519 keys, PEM files in a folder.
 *   ca.crt      its certificate
 *   ca.key      PKCS#8, sealed with a passphrase unless asked otherwise
 *   issued.csv  every certificate that it has issued (issued.h)
 * A struct identity_ca holds the key in memory: open it late, close it early. One thread each. */
#ifndef COFFERDAM_IDENTITY_AUTHORITY_H
#define COFFERDAM_IDENTITY_AUTHORITY_H

#include "base/table.h"
#include "identity/describe.h"

enum identity_key { IDENTITY_KEY_P256, IDENTITY_KEY_ED25519 };
/* "p256", "ed25519"; STATUS_INVALID for others. */
MUST_USE enum status identity_key_named(const char *name, enum identity_key *key,
                                        struct error *error);

struct identity_ca_plan {
    const char *name; /* its common name */
    int days;
    enum identity_key key;
    struct slice passphrase; /* len 0: the key is not sealed */
};
/* Makes the folder if need be. STATUS_INVALID if there is a CA in it already. */
MUST_USE enum status identity_ca_create(const char *folder, const struct identity_ca_plan *plan,
                                        struct error *error);

struct identity_ca; /* owned */
/* Is this key (PEM) sealed? */
bool identity_key_sealed(struct slice key_pem);
/* key_pem: len 0 is what <folder>/ca.key has. STATUS_DENIED 28P01 if the passphrase does not open
 * it. The passphrase is not looked at where the key is not sealed. */
MUST_USE enum status identity_ca_open(const char *folder, struct slice key_pem,
                                      struct slice passphrase, struct identity_ca **ca,
                                      struct error *error);
void identity_ca_close(struct identity_ca *ca); /* NULL is fine */
/* Keeps issued.csv open, for a process that is about to give up the right to open files. */
MUST_USE enum status identity_ca_hold(struct identity_ca *ca, struct error *error);
/* May who we are now still use what is held? */
MUST_USE enum status identity_ca_check_held(const struct identity_ca *ca, struct error *error);

struct identity_leaf {
    const char *common_name;
    const char *san_uri; /* or NULL */
    const char *san_dns; /* or NULL */
    const char *san_ip;  /* or NULL */
    bool server;         /* extended key usage: serverAuth, else clientAuth */
    enum identity_key key;
    int64_t not_before_ns, not_after_ns;
    struct slice request; /* CSR (PEM or DER): its key is certified, nothing else is taken from it;
                             len 0: a key is made */
    const char *who;      /* as issued.csv names it: "partner.agent"; NULL: the common name */
};
/* Appends the PEM certificate and, unless there is a request, the PKCS#8 key, which the caller
 * wipes. It is in issued.csv before this returns. STATUS_INVALID for names that cannot stand in a
 * certificate, for a leaf that would outlive the CA, and for a request that is not what it should
 * be: self-signed by a P-256 or Ed25519 key, and, where it names a URI, that of the leaf. */
MUST_USE enum status identity_issue(const struct identity_ca *ca, const struct identity_leaf *leaf,
                                    struct buffer *certificate_pem, struct buffer *key_pem,
                                    struct error *error);

/* A CRL over these serials (credential ids), from now for so many seconds, as PEM. number: of the
 * CRL; it must never go back. */
struct identity_revoked {
    const char *id;
    int64_t since_ns;
};
MUST_USE enum status identity_ca_crl(const struct identity_ca *ca,
                                     const struct identity_revoked *revoked, size_t count,
                                     uint64_t number, int64_t now_ns, int64_t lifetime_s,
                                     struct buffer *pem, struct error *error);
/* SHA-256 of its name (DER): what its certificates have as issuer. */
void identity_ca_name(const struct identity_ca *ca, uint8_t digest[static 32]);

/* ---- issued.csv ---- */
/* serial, who, not_before, not_after, fingerprint, issued, renews, origin; oldest first. renews:
 * the serial of the certificate that it follows without a human; origin: of the one that a human
 * issued last in this line; both "" for what a human issued. */
MUST_USE enum status identity_issued_list(const char *folder, struct table *table,
                                          struct error *error);

#endif
