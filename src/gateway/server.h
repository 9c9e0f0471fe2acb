/* Server: what all sessions share. Made before the first worker starts, freed after the last has
 * ended. Members are immutable or say how they are guarded. */
#ifndef COFFERDAM_GATEWAY_SERVER_H
#define COFFERDAM_GATEWAY_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "alarm/alarm.h"
#include "exposure/exposure.h"
#include "gateway/login/backoff.h"
#include "gateway/snapshot.h"
#include "identity/credential.h"
#include "ledger/ledger.h"
#include "net/net.h"
#include "policy/config.h"
#include "registry/registry.h"

enum { SERVER_MAX_WORKERS = 8, SERVER_SECRET_BYTES = 32 };

struct watch;
struct worker;
struct canary_watch;
struct contain;
struct oidc_desk;
struct renewal_desk;
struct deliveries_desk;
struct retain;
struct tls_desk;
struct trust;
struct trust_watch;

/* A logged-in session that has not been ended: what containment waits for. */
struct server_live {
    struct server_live *next, **link; /* under live_lock: neighbours change them */
    bool is_listed;                   /* the session's worker */
    char login[130];
    struct credential credential;
};

struct server {
    const struct config *config;
    struct ledger *ledger;
    struct exposure *exposure;
    struct registry *registry;
    struct deliveries_desk *deliveries;
    struct watch *watch;           /* watching.h */
    struct canary_watch *canaries; /* invented people of deliveries, looked for in statements */
    struct alarm_desk *alarms;     /* where anything that staff must know at once is raised */
    struct contain *contain;
    struct oidc_desk *oidc;        /* judges tokens; NULL: no identity provider is configured */
    struct renewal_desk *renewals; /* asks the issuer; NULL: none is configured */
    struct retain *retain;
    struct tls_desk *tls; /* what our listener shows */
    struct trust *trust;  /* NULL: no client certificates are taken */
    struct trust_watch *trust_watch;
    struct backoff *backoff;
    struct net_tls *upstream_tls; /* NULL: plain */
    struct buffer upstream_password;
    uint8_t token_secret[SERVER_SECRET_BYTES]; /* tokens are derived from it */
    uint8_t mock_secret[SERVER_SECRET_BYTES];  /* salts of unknown users */

    pthread_mutex_t snapshot_lock;
    struct snapshot *snapshot;  /* under snapshot_lock */
    atomic_uint_fast64_t epoch; /* of the snapshot in force */

    struct worker *workers[SERVER_MAX_WORKERS];
    size_t worker_count;
    atomic_uint_fast64_t next_session;
    atomic_uint session_count;          /* partners' sessions that are logged in */
    atomic_uint lobby_count;            /* connections that are not */
    atomic_uint_fast64_t lobby_dropped; /* of these, for want of room, since the start */
    atomic_uint upstream_count;         /* upstream connections open or opening */
    pthread_mutex_t live_lock;
    struct server_live *live; /* under live_lock */
    int64_t started_ns;
    int64_t clock_line; /* of the start: what ends is judged by it (clock.h) */
};

/* The snapshot in force, retained for the caller. */
struct snapshot *server_snapshot(struct server *server);

/* Loads the policy and the catalogue again and swaps; on any error nothing changes. Blocks. Any
 * thread; one at a time. */
MUST_USE enum status server_reload(struct server *server, struct error *error);

/* Wakes every worker, so that each looks again at containment, policy and durability. */
void server_wake(struct server *server);

/* Puts a session on the list of live ones, and takes it off (again is fine): its worker does. */
void server_live_add(struct server *server, struct server_live *live, const char *login,
                     const struct credential *credential);
void server_live_remove(struct server *server, struct server_live *live);
/* How many live sessions there are that a containment of the target covers. Any thread. */
size_t server_live_count(struct server *server, const struct registry_target *target);

/* How many live sessions rest on this certificate or token. Any thread. */
size_t server_live_count_credential(struct server *server, const uint8_t issuer[static 32],
                                    const char *id);

/* Records an act of staff or of the gateway itself ("contain partner=… reason=…"). Durable before
 * it returns where wait is set. */
enum status server_record_act(struct server *server, const char *partner, const char *agent,
                              const char *text, bool wait, struct error *error);

/* HMAC pads (64 bytes) of the token key for this partner and domain: see plan_secret. */
void server_token_pad(const struct server *server, const char *partner, const char *domain,
                      bool outer, uint8_t pad[static 64]);

/* ---- login_verdict.c ---- */
/* Writes to the ledger what logins have failed, and raises alarms; all: at the end. One thread at a
 * time. */
void login_report_failures(struct server *server, bool all);

#endif
