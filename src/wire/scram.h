/* SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it: the arithmetic and the messages of
 * both sides. No I/O. State holds secrets: wipe with the _wipe functions. SCRAM-SHA-256-PLUS binds
 * the exchange to the TLS channel by tls-server-end-point (RFC 5929), the only type here.
 * Passwords are taken as they are: for ASCII SASLprep (RFC 4013) changes nothing; one that is not
 * ASCII must already be in the form NFKC gives it. */
#ifndef COFFERDAM_WIRE_SCRAM_H
#define COFFERDAM_WIRE_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

enum {
    SCRAM_KEY_BYTES = 32,
    SCRAM_MAX_SALT_BYTES = 64,
    SCRAM_DEFAULT_ITERATIONS = 4096, /* RFC 7677's minimum: a verifier has no fewer */
    SCRAM_MAX_VERIFIER_ITERATIONS = 10000000,
    SCRAM_MAX_CLIENT_ITERATIONS = 1000000, /* what an upstream may make us compute */
    SCRAM_MAX_BINDING_BYTES = 64,
};

#define SCRAM_PLAIN "SCRAM-SHA-256"
#define SCRAM_PLUS  "SCRAM-SHA-256-PLUS"

/* The hash of the server's certificate, as both ends of the channel see it; len 0: there is none
 * that both would compute, so PLUS is neither offered nor used. */
struct scram_binding {
    uint8_t data[SCRAM_MAX_BINDING_BYTES];
    size_t len;
};

/* What a server stores: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> (base64). */
struct scram_verifier {
    uint32_t iterations;
    uint8_t salt[SCRAM_MAX_SALT_BYTES];
    size_t salt_len;
    uint8_t stored_key[32], server_key[32];
};
MUST_USE enum status scram_verifier_parse(const char *text, struct scram_verifier *verifier,
                                          struct error *error);
/* Derives from a password with a random salt of 16 bytes. */
void scram_verifier_make(struct slice password, uint32_t iterations,
                         struct scram_verifier *verifier);
void scram_verifier_print(const struct scram_verifier *verifier, struct buffer *out);
/* A verifier that no password matches, stable for this user name under secret, so that unknown
 * users get the same salt every time and cannot be told from known ones, whose iterations and
 * length of the salt (1 to SCRAM_MAX_SALT_BYTES) it has. */
void scram_verifier_mock(struct slice secret, const char *user, uint32_t iterations,
                         size_t salt_len, struct scram_verifier *verifier);

struct scram_server {
    struct scram_verifier verifier;
    struct buffer client_first_bare, server_first;
    size_t nonce_len;  /* of both sides' nonce, which stands behind "r=" in server_first */
    char binding_flag; /* 'n', 'y' or 'p' */
    struct scram_binding binding;
    int step;
};
/* binding: of the client's channel; PLUS has been offered iff its len is not 0. NULL: as len 0. */
void scram_server_init(struct scram_server *server, const struct scram_verifier *verifier,
                       const struct scram_binding *binding);
/* Each of the two steps is called once, in order; after a failure there is only wipe.
 * mechanism: the name that the client chose. client-first-message in, server-first-message appended
 * to *reply. STATUS_PEER 28000: the client did not see that PLUS was offered (a downgrade). */
MUST_USE enum status scram_server_first(struct scram_server *server, const char *mechanism,
                                        struct slice message, struct buffer *reply,
                                        struct error *error);
/* client-final-message in; STATUS_DENIED (28P01) if the proof is wrong; server-final appended. */
MUST_USE enum status scram_server_final(struct scram_server *server, struct slice message,
                                        struct buffer *reply, struct error *error);
void scram_server_wipe(struct scram_server *server);

/* Keys derived for one salt and iteration count, so that the next login with the same password need
 * not derive them again (4,096 rounds are milliseconds). The owner zeroes it at first, uses it for
 * one password only, from one thread, and wipes it. */
struct scram_keys {
    uint8_t client_key[32], stored_key[32], server_key[32];
};
struct scram_memory {
    uint8_t salt[SCRAM_MAX_SALT_BYTES];
    size_t salt_len;
    uint32_t iterations; /* 0: empty */
    struct scram_keys keys;
};

struct scram_client {
    struct scram_memory *memory; /* borrowed; NULL: derive each time */
    struct buffer password, client_first_bare;
    char nonce[64];
    char binding_flag; /* 'n' cannot bind; 'y' could, but was not offered it; 'p' binds */
    struct scram_binding binding;
    bool signed_already; /* server_signature is what to expect */
    uint8_t server_signature[32];
};
/* memory may be NULL; it is borrowed until the client is wiped. binding: of the server's channel;
 * NULL: as len 0. plus: the server offers PLUS; with a binding it is then used, and must be named
 * to the server as scram_client_mechanism says. */
void scram_client_init(struct scram_client *client, struct slice password,
                       struct scram_memory *memory, const struct scram_binding *binding, bool plus);
const char *scram_client_mechanism(const struct scram_client *client);
void scram_client_first(struct scram_client *client, struct buffer *message);
MUST_USE enum status scram_client_final(struct scram_client *client, struct slice server_first,
                                        struct buffer *message, struct error *error);
/* STATUS_PEER if the server's signature is wrong. */
MUST_USE enum status scram_client_verify(struct scram_client *client, struct slice server_final,
                                         struct error *error);
void scram_client_wipe(struct scram_client *client);

#endif
