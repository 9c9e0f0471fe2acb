/* Identity: who is calling. Certificates, SCRAM verifiers, our own CA and the partner's kit.
 * Needs crypto/ for the arithmetic; no sockets. Thread-safe. */
#ifndef COFFERDAM_IDENTITY_IDENTITY_H
#define COFFERDAM_IDENTITY_IDENTITY_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"
#include "identity/credential.h"
#include "policy/policy.h"
#include "wire/scram.h"

/* Does the verified peer certificate (DER) prove this agent? A SAN URI equal to agent->certificate
 * if that has a scheme ("spiffe://…", "urn:…"), otherwise the subject's CN. The URI or CN must be
 * the certificate's only one. STATUS_DENIED 28000 if not. */
MUST_USE enum status identity_check_certificate(const struct policy_agent *agent, struct slice der,
                                                struct error *error);
/* A partner's signature over a document: detached CMS (RFC 5652), DER or PEM, of one signer, with
 * SHA-256 and signed attributes. Its certificate must be what would let an agent of the partner in
 * now: from an authority that may speak for it, and on no revocation list. What our own registry
 * says of signature->credential is the caller's to ask. digest: SHA-256 of the document.
 * STATUS_DENIED 28000 with what is wrong. agent is borrowed from the partner. */
enum { IDENTITY_SIGNATURE_BYTES = 64 * 1024 };
struct identity_signature {
    const struct policy_agent *agent;
    struct credential credential;
    char certificate_sha256[65]; /* hex */
    int64_t signed_ns;           /* as the signer says; INT64_MIN: it does not */
};
struct trust;
MUST_USE enum status identity_check_signature(struct slice bytes, const uint8_t digest[static 32],
                                              struct trust *trust,
                                              const struct policy_partner *partner,
                                              struct identity_signature *signature,
                                              struct error *error);

/* PKCS#12 with key, certificate and CA, under a passphrase (AES-256, SHA-256 MAC: what Java and
 * Windows read). */
MUST_USE enum status identity_pkcs12(struct slice certificate_pem, struct slice key_pem,
                                     struct slice ca_pem, struct slice passphrase, const char *name,
                                     struct buffer *out, struct error *error);

#endif
