/* cofferdam.yaml: where the service listens, what it protects, where it keeps its state.
 * Paths in the file are relative to the file's folder. Immutable once loaded; owned by the caller.
 */
#ifndef COFFERDAM_POLICY_CONFIG_H
#define COFFERDAM_POLICY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum config_mail_tls { CONFIG_MAIL_STARTTLS, CONFIG_MAIL_TLS, CONFIG_MAIL_OFF /* loopback */ };

enum { CONFIG_MAIL_CONNECTIONS = 16, CONFIG_WITNESSES = 16, CONFIG_PROVIDERS = 16 }; /* at most */

/* Somebody who holds the ledger to its word: C2SP tlog-witness. */
struct config_witness {
    const char *key; /* its verifier key, as text; judged where it is used */
    const char *url; /* https, or http to this machine; "/add-checkpoint" comes behind it */
    const char *ca;  /* PEM; NULL: the system's */
};

/* Whether the login at the database is bound to the TLS channel (SCRAM-SHA-256-PLUS). */
enum config_binding { CONFIG_BINDING_PREFER, CONFIG_BINDING_REQUIRE, CONFIG_BINDING_DISABLE };

enum { CONFIG_OIDC_SKEW_MOST_S = 60, CONFIG_OIDC_LIFETIME_MOST_S = 86400 };

/* An identity provider whose tokens are taken (OpenID Connect, RFC 7519). */
struct config_oidc {
    const char *name; /* what policies call it */
    const char *issuer, *audience;
    const char *jwks_url, *jwks_file; /* neither: found by discovery, beneath the issuer */
    const char *ca;                   /* PEM; NULL: the system's */
    const char *typ;                  /* the token's type; NULL: JWT, at+jwt or none */
    uint32_t skew_s;                  /* of clocks, default 30 */
    uint32_t max_lifetime_s;          /* of a token, default 3600 */
    uint32_t refresh_s;               /* between fetches of its keys, default 600 */
    uint32_t refetch_s;   /* least between two that an unknown key asks for, default 30 */
    uint32_t keep_keys_s; /* after the last fetch that succeeded, default a day */
};

/* A CA of somebody else's, or a second one of ours. */
struct config_authority {
    const char *name;            /* as the policy's `issuer` calls it */
    const char *certificates;    /* PEM file of one or more */
    const char *const *partners; /* that it may speak for; "*": all */
    size_t partner_count;        /* at least one */
};

struct config {
    const char *path;          /* of this file */
    const char *policy;        /* policy.yaml */
    const char *state_folder;  /* ledger/, subjects/, registry.sqlite, token.key */
    const char *issuer_socket; /* of who renews certificates; NULL: nobody does */
    const char *run_folder;    /* the admin socket .s.PGSQL.<admin_port> is made here */
    struct {
        const char *address;                        /* default 0.0.0.0 */
        uint16_t port;                              /* default 7432; 0: any free one, logged */
        const char *certificate, *key, *client_ca;  /* PEM files; client_ca may be NULL */
        const struct config_authority *authorities; /* beside client_ca, which binds to nobody */
        size_t authority_count;
        const char *const *crls; /* files, or folders of .crl, .pem and .der */
        size_t crl_count;
        uint32_t crl_grace_s;         /* a CRL stays in force beyond its end; default 0 */
        bool crl_required;            /* refuse certificates of CAs without one; default false */
        uint16_t max_sessions;        /* logged in; default 1000 */
        uint16_t max_unauthenticated; /* connections that are not; default 2000 */
        uint16_t max_unauthenticated_per_address; /* default 500 */
        uint32_t login_timeout_ms;                /* default 15000 */
        uint32_t idle_timeout_ms;                 /* default 0: none */
        uint32_t write_timeout_ms;                /* slow client's deadline, default 60000 */
    } listen;
    struct {
        uint16_t port;         /* names the socket, default 5432 */
        const uint32_t *users; /* uids allowed; root and our own always are */
        size_t user_count;
    } admin;
    struct {
        const char *host; /* a folder: unix socket; otherwise a name or address */
        uint16_t port;
        const char *database, *user, *password_file; /* password_file may be NULL */
        const char *tls_ca;                  /* PEM; required unless host is a folder or tls_off */
        bool tls_off;                        /* loopback only */
        enum config_binding channel_binding; /* of SCRAM to the TLS channel, default prefer */
        uint32_t connect_timeout_ms;         /* default 5000 */
        uint32_t statement_timeout_ms;       /* default 600000 */
        uint16_t max_connections;            /* default 200 */
    } upstream;
    struct {
        uint32_t pace_us;            /* between group syncs under load, default 1000 */
        uint64_t segment_bytes;      /* default 64 MiB */
        const char *node;            /* name of this node, default "node1" */
        const char *signing_key;     /* file; default <state_folder>/ledger.key */
        uint32_t checkpoint_every_s; /* between checkpoints that are kept, default 3600 */
        const struct config_witness *witnesses;
        size_t witness_count;
        uint32_t witness_quorum;   /* cosignatures needed; default: of all witnesses */
        bool tiles;                /* publish the log as tiles, default true */
        uint32_t publish_every_ms; /* default 10000 */
    } ledger;
    struct {
        uint32_t statement_bytes;   /* default LIMIT_STATEMENT_BYTES */
        uint32_t statement_depth;   /* default LIMIT_STATEMENT_DEPTH */
        uint32_t relations;         /* datasets in one statement, default LIMIT_RELATIONS */
        uint32_t targets;           /* columns of a result, default LIMIT_TARGETS */
        uint32_t cursors;           /* a session, default LIMIT_CURSORS */
        uint32_t max_lineage_bytes; /* hidden keys of one row, default LIMIT_ROW_BYTES */
    } limits;
    struct {
        uint16_t approvals; /* people it takes to raise a budget: 2, the default, or 1 */
    } budget;
    /* ---- the breach path; the gateway uses none of it ---- */
    const char *data_folder;      /* jurisdictions, words, templates; default: as installed */
    const char *incidents_folder; /* case files; default <state_folder>/incidents */
    struct {
        const char *user, *password_file; /* a role of its own in upstream's database; NULL: none */
    } contact;
    struct {
        const char *host; /* NULL: no mail server is configured */
        uint16_t port;    /* default 587 */
        enum config_mail_tls tls;
        const char *ca, *user, *password_file; /* each may be NULL */
        const char *hello;                     /* our name; NULL: this machine's */
        const char *bounces;       /* address that delivery notices come to; VERP adds to it */
        const char *bounce_folder; /* Maildir in which they arrive; NULL: none */
        uint32_t per_minute;       /* most messages handed over; 0: no bound */
        uint16_t connections;      /* default 2 */
        bool sink;                 /* it sends nothing on: for exercises, and for them alone */
        uint32_t doubt_s;          /* wait for a delivery notice of one in doubt, default 3600 */
    } mail;
    struct {
        const char *folder; /* what is published, read by the portal; both NULL: no portal */
        const char *queue;  /* where the portal leaves requests */
    } portal;
    struct {                        /* invented rows in deliveries */
        const char *mailbox_domain; /* mail to it arrives with us; NULL: none */
        const char *mailbox_folder; /* Maildir in which it arrives, for the worker; NULL: none */
        const char *const *phones;  /* patterns, # is any digit; none: <data_folder>/canaries */
        size_t phone_count;
        const char *const *streets; /* likewise */
        size_t street_count;
    } canaries;
    struct {                 /* what must reach staff at once, and where it goes */
        uint32_t interval_s; /* the same within it is counted, not repeated; default 3600 */
        uint32_t retry_ms;   /* before the second attempt, then twice as long; default 1000 */
        struct {
            const char *url;         /* as a witness's; NULL: no webhook */
            const char *secret_file; /* signs what is posted */
            const char *ca;          /* PEM; NULL: the system's */
        } webhook;
        struct {
            const char *to, *from; /* to NULL: no mail */
        } mail;
    } alarms;
    const struct config_oidc *oidc;
    size_t oidc_count;
    uint16_t workers; /* event loops, default: the cores, at most 8 */
};

extern const char config_installed_data[]; /* the data folder, as installed */

MUST_USE enum status config_load(const char *path, struct config **config, struct error *error);
void config_free(struct config *config);

#endif
