/* Replies: what upstream still owes, in order, and what the client gets in its place.
 * One entry for each message sent upstream, or answered by ourselves (REPLY_FAKE) behind those.
 * After an ErrorResponse upstream skips to Sync, so the entries before the next REPLY_SYNC are
 * dropped unanswered. One thread; a ring that grows to LIMIT_PENDING_REPLIES. */
#ifndef COFFERDAM_GATEWAY_REPLIES_H
#define COFFERDAM_GATEWAY_REPLIES_H

#include "gateway/statement/prepared.h"
#include "gateway/release/release.h"

enum reply_kind {
    REPLY_PARSE,              /* ParseComplete */
    REPLY_BIND,               /* BindComplete */
    REPLY_DESCRIBE_STATEMENT, /* ParameterDescription, then as REPLY_DESCRIBE_PORTAL */
    REPLY_DESCRIBE_PORTAL,    /* RowDescription or NoData */
    REPLY_EXECUTE,            /* DataRow*, then CommandComplete, PortalSuspended, EmptyQuery */
    REPLY_CLOSE,              /* CloseComplete */
    REPLY_SYNC,               /* ReadyForQuery */
    REPLY_REFUSED,    /* a statement that upstream is made to fail on: `text` is our error */
    REPLY_FAKE,       /* nothing from upstream: `text` goes to the client */
    REPLY_FAKE_READY, /* nothing from upstream: ReadyForQuery as things stand */
};

struct reply {
    enum reply_kind kind;
    bool silent;               /* the client did not ask: swallow what succeeds */
    struct planned *planned;   /* BIND, DESCRIBE_*, EXECUTE: owned reference */
    struct planned *rows;      /* DESCRIBE_*: whose rows are described; NULL: there are none */
    struct prepared *prepared; /* PARSE: owned reference */
    struct run *run;           /* EXECUTE: owned reference */
    char *text;                /* REFUSED, FAKE: whole messages, owned */
    size_t text_len;
    uint64_t serial; /* PARSE, FAKE: of the client's statement that is not there if this is skipped
                        (0: none); EXECUTE of DECLARE: of the cursor, likewise; SYNC: count */
};

struct replies {
    struct reply *ring;
    size_t first, count, capacity;
    size_t bytes;    /* of the texts held */
    uint64_t popped; /* ever */
};

void replies_free(struct replies *replies);
/* Takes what the reply owns, also on failure. STATUS_LIMIT past the bound. */
MUST_USE enum status replies_push(struct replies *replies, struct reply reply, struct error *error);
/* Oldest; NULL if there is none. Borrowed until the next push or pop. */
struct reply *replies_head(struct replies *replies);
void replies_pop(struct replies *replies); /* releases what the head owns */
/* Is anything owed by upstream, or only answers of our own? */
bool replies_wait_for_upstream(const struct replies *replies);
/* Does upstream owe anything before its next ReadyForQuery? */
bool replies_wait_before_sync(const struct replies *replies);
/* Does upstream owe anything behind its next ReadyForQuery? */
bool replies_wait_beyond_sync(const struct replies *replies);

#endif
