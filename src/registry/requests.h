/* Requests for just-in-time access: a partner's agent asked for one grant, for one purpose, and
 * staff decide. In memory in front of the registry's file; thread-safe. A request names its grant
 * by the policy's mark of it, so that what is approved is what was shown. */
#ifndef COFFERDAM_REGISTRY_REQUESTS_H
#define COFFERDAM_REGISTRY_REQUESTS_H

#include "registry/registry.h"

enum {
    REQUEST_NAME_ROOM = 132,
    REQUEST_TEXT_ROOM = 501,
    REQUEST_BY_ROOM = 64,
    REQUEST_MARK_BYTES = 32,
    REQUEST_APPROVALS_MOST = 2,
    REQUESTS_A_DAY = 20,            /* made by one agent in 24 hours */
    REQUESTS_OPEN_OF_AGENT = 32,    /* asked, or approved and not over */
    REQUESTS_OPEN_OF_PARTNER = 256, /* all its agents' */
    REQUEST_WAITS_DAYS = 30,        /* for a decision; then it is closed */
    REQUEST_KEPT_DAYS = 30,         /* after it is over; the ledger has it for ever */
};

enum request_state {
    REQUEST_ASKED,
    REQUEST_APPROVED, /* until until_ns; after it, ended */
    REQUEST_DENIED,
    REQUEST_REVOKED,
    REQUEST_CLOSED, /* by containment, or because nobody decided */
};
const char *request_state_name(enum request_state state);

struct request {
    uint64_t id;
    char partner[REQUEST_NAME_ROOM], agent[REQUEST_NAME_ROOM], dataset[REQUEST_NAME_ROOM];
    char purpose[REQUEST_TEXT_ROOM], reason[REQUEST_TEXT_ROOM]; /* reason: the asker's; or "" */
    uint8_t mark[REQUEST_MARK_BYTES];
    int64_t asked_ns;
    char asked_by[REQUEST_BY_ROOM]; /* a member of staff who asked for the partner; or "" */
    enum request_state state;
    unsigned approvals;
    char approved_by[REQUEST_APPROVALS_MOST][REQUEST_BY_ROOM];
    int64_t for_ns;      /* the shortest time that an approval gave */
    int64_t approved_ns; /* of the last approval that it needed; else INT64_MIN */
    char decided_by[REQUEST_BY_ROOM], decision[REQUEST_TEXT_ROOM]; /* denied, revoked, closed */
    int64_t decided_ns;                                            /* else INT64_MIN */
};

/* Finds the request that is open for the same partner, agent, purpose and grant, or was denied in
 * the hour before now; otherwise makes one (*made). *request is filled in. STATUS_LIMIT 53400: the
 * agent has made too many, or too many are open; STATUS_DENIED: it is contained; otherwise the
 * store's failures, and nothing is made. */
MUST_USE enum status requests_ask(struct registry *registry, struct request *request,
                                  int64_t now_ns, bool *made, struct error *error);
/* by approves; `needed` approvals by different users put it in force, for for_ns from now on, and
 * for less where another approval said so. STATUS_DENIED: by has asked for it or approved it
 * already, or it is not open, or its agent is contained. *request: as it is then. */
MUST_USE enum status requests_approve(struct registry *registry, uint64_t id, const char *by,
                                      unsigned needed, int64_t for_ns, int64_t now_ns,
                                      struct request *request, struct error *error);
/* Would requests_approve() do it? Changes nothing. */
MUST_USE enum status requests_may_approve(struct registry *registry, uint64_t id, const char *by,
                                          struct request *request, struct error *error);
/* REQUEST_DENIED for one that is asked, REQUEST_REVOKED for one that is approved: in force in
 * memory at once, whatever the disk says. STATUS_DENIED 55000 in any other state; the store's
 * failures otherwise: then it is in force, and registry_store_late() will store it. */
MUST_USE enum status requests_end(struct registry *registry, uint64_t id, enum request_state state,
                                  const char *by, const char *reason, int64_t now_ns,
                                  struct request *request, struct error *error);
/* Closes all that are asked or approved of the partner, or of one agent of it (NULL: all). Returns
 * how many; in force at once. */
size_t requests_close(struct registry *registry, const char *partner, const char *agent,
                      const char *reason, const char *by, int64_t now_ns);
/* Closes what nobody has decided on, each of which is handed to lapsed (which must not call back
 * into requests), and forgets what is long over. The newest stays, so that no number is given out
 * twice. The store's failures: then what is over is still known. */
MUST_USE enum status requests_prune(struct registry *registry, int64_t now_ns,
                                    void (*lapsed)(void *context, const struct request *request),
                                    void *context, struct error *error);
/* Newest first, until take returns false. The request is borrowed for the call, which must not call
 * back into requests. */
void requests_each(struct registry *registry,
                   bool (*take)(void *context, const struct request *request), void *context);
/* Grows with every change. */
uint64_t requests_generation(const struct registry *registry);

#endif
