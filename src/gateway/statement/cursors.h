/* Cursors of a session. Upstream has each under a name that is never used again, so that what is
 * fetched from it are rows of the plan that it was declared with, or nothing. Its run goes on from
 * the first FETCH to the last. One thread. */
#ifndef COFFERDAM_GATEWAY_CURSORS_H
#define COFFERDAM_GATEWAY_CURSORS_H

#include "gateway/session.h"

struct cursor {
    struct cursor *next;
    char *name;
    uint64_t serial; /* upstream calls it k<serial> */
    struct run *run; /* of its rows */
    bool hold;
    /* It may be gone upstream: its transaction, or a part of that, has been rolled back. Upstream
     * tells when it is fetched from; the name may be declared again. */
    bool doubtful;
    uint64_t declared_before_sync; /* number of the Sync that ends its implicit transaction */
};

/* NULL: there is none. */
struct cursor *cursors_find(struct session *session, const char *name);
/* How upstream calls it. */
void cursors_name(const struct cursor *cursor, char name[static 24]);
/* Retains run. STATUS_DENIED where the name is taken, STATUS_LIMIT past the bound. */
MUST_USE enum status cursors_put(struct session *session, const struct plan *plan, uint64_t serial,
                                 struct run *run, struct error *error);
/* name NULL: all. */
void cursors_drop(struct session *session, const char *name);
/* Its DECLARE has failed, or has been skipped. */
void cursors_forget(struct session *session, uint64_t serial);
/* Something has been rolled back. */
void cursors_doubt(struct session *session);
/* A COMMIT or ROLLBACK has been sent: those without hold end with it. */
void cursors_end_transaction(struct session *session);
/* ReadyForQuery says that no transaction is open any more. */
void cursors_transaction_ended(struct session *session, uint64_t sync);
/* Is there one whose query may run at COMMIT? */
bool cursors_held(const struct session *session);

/* What goes upstream for DECLARE (with this serial), FETCH, MOVE and CLOSE; *run is what the rows
 * belong to, retained; NULL: there are no rows. */
MUST_USE enum status cursors_text(struct session *session, struct planned *planned, uint64_t serial,
                                  struct buffer *text, struct run **run, struct error *error);

#endif
