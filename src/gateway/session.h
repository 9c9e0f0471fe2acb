/* Session: one client's connection, from its first byte to its last, with the upstream connection
 * that serves it alone. Lives on one worker. The life of a statement, in the order of the files:
 * login.c, login_prove.c (who is calling) → frontend.c (messages in, plans) → upstream.c (the other
 * connection) → relay.c (replies back) → release.c (ledger) → session_flush (out, once durable). */
#ifndef COFFERDAM_GATEWAY_SESSION_H
#define COFFERDAM_GATEWAY_SESSION_H

#include "delivery/id.h"
#include "gateway/trust/approvals.h"
#include "gateway/statement/copy_in.h"
#include "gateway/login/lobby.h"
#include "gateway/release/outqueue.h"
#include "gateway/statement/plans.h"
#include "gateway/statement/prepared.h"
#include "gateway/release/release.h"
#include "gateway/statement/replies.h"
#include "gateway/worker.h"
#include "gateway/release/write.h"
#include "identity/credential.h"
#include "identity/roster.h"
#include "wire/scram.h"
#include "wire/wire.h"

enum session_state {
    SESSION_STARTUP,   /* waiting for SSLRequest or a startup packet */
    SESSION_HANDSHAKE, /* TLS */
    SESSION_SCRAM_FIRST,
    SESSION_SCRAM_FINAL,
    SESSION_TOKEN,        /* waiting for it */
    SESSION_TOKEN_JUDGED, /* waiting for what the desk says of it */
    SESSION_VERDICT,      /* the proof has been judged, and back-off holds the verdict */
    SESSION_READY,
    SESSION_CLOSING, /* last message is queued; closes when it is out */
};

struct cancel;
struct cursor;

struct statement { /* a client's prepared statement; the unnamed one has name "" */
    struct statement *next;
    char *name;
    struct planned *planned;
    struct prepared *prepared; /* where upstream has it; NULL, or not certain: to be sent again */
    uint64_t serial;
};

struct portal {
    struct portal *next;
    char *name;
    char upstream_name[24];  /* a new one each Bind: a Bind that is skipped leaves no portal */
    struct planned *planned; /* of its statement; for FETCH not that of its rows */
    struct run *run;
    uint64_t cursor;            /* DECLARE: serial of the cursor that it makes */
    char *bound[2];             /* PLAN_RENEW: the request, the signature; owned; else NULL */
    uint64_t bound_before_sync; /* number of the Sync that ends its implicit transaction */
};

enum upstream_state {
    UPSTREAM_NONE,
    UPSTREAM_CONNECTING,
    UPSTREAM_TLS_ANSWER, /* waiting for the byte that answers SSLRequest */
    UPSTREAM_TLS,
    UPSTREAM_LOGIN,
    UPSTREAM_SETTINGS, /* applying the session's settings */
    UPSTREAM_READY,
    UPSTREAM_LOST,
};

struct upstream {
    enum upstream_state state;
    struct net_stream *stream;
    struct buffer in, out;   /* out waits until UPSTREAM_READY */
    size_t in_at, out_at;    /* consumed / sent */
    struct buffer handshake; /* bytes of startup, login, settings */
    struct scram_client scram;
    bool scram_begun, scram_verified;
    uint32_t pid, secret;
    bool counted; /* in server->upstream_count */
    bool paused;  /* reading stopped: the client's queue is full */
    bool held;    /* messages wait in `in` until the client has taken some */
};

/* The statements of a simple query that has several; all zero between queries. */
struct several {
    char *sql;               /* owned */
    struct plan_part *parts; /* owned */
    size_t count, next;
    bool asked; /* the next one waits, and upstream has been asked for its answers */
};

enum { STATEMENT_BUCKETS = 64, SETTINGS_MAX = 32 };

struct trust_chain;

struct session {
    struct worker *worker;
    struct session *next, *previous; /* worker->sessions */
    struct session *next_dirty;
    bool dirty, dead;
    enum session_state state;
    struct net_stream *client;
    struct buffer in;
    size_t in_at;
    struct outqueue out;
    uint64_t id;
    uint32_t cancel_pid, cancel_secret;
    int64_t clock_line; /* of the connection's begin: see trust_now_ns() */
    int64_t started_ns, active_ns, blocked_since_ns; /* monotonic; blocked 0: not */
    /* How far the ledger was durable when this turn began. What waits for more keeps its gate, by
     * which the session is found when there is more: so all that a turn does goes by one figure. */
    uint64_t durable;
    bool read_paused, write_blocked, input_ended;
    bool heard, gss_declined; /* at login: its first byte has been looked at; GSS was asked for */
    bool input_held; /* a whole message waits in `in` until there is room, or its turn comes */

    /* identity: names are ours, pointers belong to the snapshot */
    struct snapshot *snapshot;
    uint64_t plan_epoch;
    char login[130];
    char *database; /* as the client called it; owned; NULL: it named none */
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *purpose;
    char *stated_purpose; /* owned; NULL if none */
    bool is_staff;        /* it came in by the door for staff: it can be nothing but a delivery */
    char delivery[DELIVERY_ID_ROOM]; /* "": it is none; set once it has been claimed */
    struct in6_addr address;
    bool has_address;
    struct trust_chain *chain;    /* behind a certificate; owned; or NULL */
    uint64_t trust_generation;    /* at which the chain was judged last */
    int64_t trust_until_ns;       /* until when that holds */
    struct credential credential; /* what proved who it is */
    struct approvals approvals;
    char reason[PLAN_REASON_BYTES + 1]; /* for requests, as the client stated it; "" */
    struct scram_server scram;
    bool scram_begun, known;
    uint8_t password[ROSTER_PASSWORD_BYTES]; /* by which it may have logged in */
    const struct policy_oidc *oidc;          /* what its token must be, during login */
    bool proven;                             /* what the verdict will be */
    char scram_final[64];                    /* what goes before it if it is; "": nothing */
    struct net_timer *verdict_timer;         /* NULL but in SESSION_VERDICT, and then to the end */
    struct server_live live;
    struct lobby_guest guest; /* until its identity is proven */
    bool counted;             /* in server->session_count: it has been */

    /* statements */
    struct statement *statements[STATEMENT_BUCKETS];
    size_t statement_count;
    struct portal *portals;
    size_t portal_count;
    struct cursor *cursors; /* cursors.h; newest first */
    size_t cursor_count;
    struct prepared *prepared; /* those with a name, newest first; owned references */
    size_t prepared_count;
    struct prepared *unnamed; /* what upstream's unnamed statement is; owned reference */
    uint64_t serials;
    char transaction;  /* 'I', 'T', 'E' as upstream last said */
    bool skip_to_sync; /* client's messages are ignored until Sync */
    bool unsynced;     /* something went upstream since the last Sync */
    struct several several;
    struct copy_in copy_in;
    struct {
        bool waits;  /* for the issuer; nothing of the client is looked at meanwhile */
        bool simple; /* asked in the simple protocol */
    } renewal;
    bool query_waits; /* a Query is held until the messages before it have ended */
    uint64_t syncs;   /* Syncs sent upstream */

    /* replies */
    struct replies replies;
    struct batch batch;
    struct run *batch_run; /* whose rows are in the batch; owned reference */
    bool failed_here;  /* by an error of ours in the middle of a result: upstream knows of none */
    bool discard;      /* we have answered with an error: swallow until ReadyForQuery */
    bool cancelling;   /* a CancelRequest of ours is under way */
    bool cancel_asked; /* the client has asked for it, since the last ReadyForQuery */
    struct cancel *cancel; /* it, or that may be sent again; NULL if none */
    unsigned refusals;     /* written to the ledger by this session */

    /* containment */
    bool is_contained;  /* as last asked: it ends by being cut, not just closed */
    bool is_adopted;    /* who contains cancels what runs upstream */
    bool is_unfinished; /* it is cut, and what it did upstream has not been ended yet */
    int64_t cut_ns;     /* monotonic; 0: it is not cut */
    uint64_t tail_end;  /* stream offset behind the last byte of a result that may leave */

    struct writes writes;
    struct upstream upstream;
    char *settings[SETTINGS_MAX]; /* SET statements to apply upstream; owned */
    size_t setting_count;
    uint64_t statements_done;
};

/* ---- arrival.c: before the identity is proven ---- */
void session_accept(void *worker, struct net_stream *stream);
/* By the door for staff: see deliveries.h. */
void session_accept_staff(void *worker, struct net_stream *stream);
/* The identity is proven: out of the lobby, and one of max_sessions. STATUS_LIMIT, 53300. */
MUST_USE enum status session_enter(struct session *session, struct error *error);
/* It ends: from the lobby, or from the count. */
void session_leave(struct session *session);
/* This worker's share of what the configuration allows; NULL when memory is exhausted. */
struct lobby *arrival_lobby(const struct config *config);
/* Each tick: logs what was not logged. */
void arrival_tell(struct worker *worker);
/* May a line about it be logged? Of those in the lobby only so many a second. */
bool session_may_log(const struct session *session);

/* ---- session.c ---- */
/* A new one on the worker's list, which takes the stream; NULL when memory is exhausted. */
struct session *session_make(struct worker *worker, struct net_stream *stream, bool is_staff);
/* Puts it before those in the lobby. */
void session_list_first(struct session *session);
/* Puts the session on its worker's list of those to flush at the end of this turn. */
void session_touch(struct session *session);
/* Sends what may be sent, then goes on reading where it had stopped. May end the session. */
void session_flush(struct session *session);
/* Says FATAL, drops what has not begun to leave, closes. Executions end with `outcome`. */
void session_end(struct session *session, enum ledger_outcome outcome, const char *sqlstate,
                 const char *message, const char *hint);
/* The rest of the end of a session that is cut; nothing for others. */
void session_finish_end(struct session *session);
/* Frees now. The session is gone when it returns. */
void session_destroy(struct session *session);
/* Looks again at everything that may end a session: containment, policy, deadlines. Each second,
 * and when something has changed. */
void session_review(struct session *session);
/* Upstream data may be read again if there is room. */
void session_resume_upstream(struct session *session);

/* ---- login.c ---- */
/* Handles one startup-phase message. Ends the session itself on failure. */
void login_startup(struct session *session, const struct wire_message *message);
/* ---- login_prove.c ---- */
/* Direct TLS: is what the client begins with a handshake? Then that has been started. */
bool login_begins_with_tls(struct session *session);
void login_password(struct session *session, const struct wire_message *message);
/* ---- login_token.c ---- */
void login_token(struct session *session, const struct wire_message *message);

/* ---- login_certificate.c ---- */
/* May the certificate behind the session still prove its agent? OK where there is none. */
MUST_USE enum status session_check_certificate(struct session *session, int64_t now_ns,
                                               struct error *error);

/* ---- cursors.c ---- */
/* Their executions end with this outcome. */
void cursors_abandon(struct session *session, enum ledger_outcome outcome);

/* ---- frontend.c ---- */
void frontend_message(struct session *session, const struct wire_message *message);
/* Makes upstream's transaction fail, where an answer of ours has ended it for the client. */
void frontend_fail_upstream(struct session *session);
/* What waited for the ledger goes on, if it may: a Sync, the rest of a query's statements. */
void frontend_continue(struct session *session);
/* Must what may commit wait for what is under way? It does where something is being written, or has
 * been and does not stand yet: an error of ours must be able to prevent it. */
bool frontend_must_wait(const struct session *session);
void frontend_drop_several(struct session *session);
/* Statements and portals of a session that ends. */
void frontend_clear(struct session *session);
void frontend_forget_statement(struct session *session, uint64_t serial);
/* Portals whose implicit transaction ended with this Sync. */
void frontend_portals_ended(struct session *session, uint64_t sync);

/* ---- local.c: statements that the gateway answers itself ---- */
void local_description(const struct plan *plan, struct buffer *out);
void local_rows(struct session *session, const struct plan *plan, struct buffer *out);

/* ---- upstream.c ---- */
/* Opens the connection if there is none; what is queued goes out once it is ready. */
MUST_USE enum status upstream_open(struct session *session, struct error *error);
void upstream_flush(struct session *session);
void upstream_close(struct session *session);
/* Settles what the upstream connection's login needs; called by relay for messages before READY. */
void upstream_login_message(struct session *session, const struct wire_message *message);

/* ---- relay.c ---- */
/* Handles what has arrived from upstream and what is due of our own answers. */
void relay_pump(struct session *session);
/* May the next message of upstream be handled now? */
bool relay_has_room(const struct session *session);
/* Takes the gathered rows to the ledger; the execution goes on. */
void relay_release_open(struct session *session);
/* Passes a ParameterStatus on if it is of a setting that clients follow. */
void relay_parameter_status(struct session *session, struct slice body);

#endif
