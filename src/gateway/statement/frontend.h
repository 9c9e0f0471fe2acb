/* Private to frontend*.c: the client's messages, from what it asks to what goes upstream.
 * frontend.c sorts messages and has the simple protocol; frontend_extended.c has the other;
 * frontend_send.c puts together what upstream gets, frontend_own.c what the gateway does itself. */
#ifndef COFFERDAM_GATEWAY_FRONTEND_H
#define COFFERDAM_GATEWAY_FRONTEND_H

#include "gateway/session.h"

/* ---- answers in their place, frontend_answer.c ---- */

/* What is owed next; ends the session where too much is. Takes what the reply owns. */
void frontend_push(struct session *session, struct reply reply);
/* Whole messages of ours. Takes the buffer's bytes. serial: of the client's statement that is not
 * there if the answer is skipped, else 0. */
void frontend_push_text(struct session *session, enum reply_kind kind, struct buffer *text,
                        uint64_t serial);
void frontend_push_empty(struct session *session, uint8_t type, uint64_t serial);
/* Answers a message with an error; the client's messages up to Sync are ignored. sql may be NULL.
 */
void frontend_refuse(struct session *session, const char *sql, const struct error *error);
void frontend_sync(struct session *session);

/* ---- what a statement becomes, frontend_send.c ---- */

/* One execution on its way upstream. */
struct errand {
    struct planned *planned;     /* the statement; for EXECUTE the one inside. Owned reference */
    struct run *run;             /* of its rows; owned reference */
    struct statement *statement; /* the client's, where upstream's is found through it; or NULL */
    struct buffer text;          /* what upstream gets, if the session makes it; else empty */
    struct buffer parameters;    /* EXECUTE: its arguments, as Bind has them */
    size_t parameter_count;
    uint64_t cursor; /* DECLARE: its serial */
};

/* Does upstream take part in this plan? */
bool frontend_goes_upstream(const struct plan *plan);
/* Is what upstream gets the plan's own text, so that it can be prepared there? */
bool frontend_is_fixed(const struct plan *plan);
/* Plans for this session as things stand. Ends the session where the agent is no longer admitted:
 * then STATUS_CLOSED, and nothing is to be answered. */
MUST_USE enum status frontend_plan(struct session *session, const char *sql, const uint32_t *types,
                                   size_t type_count, struct planned **planned,
                                   struct error *error);
/* As frontend_plan about the agent. */
MUST_USE enum status frontend_authorise(struct session *session, struct error *error);
/* Data errors are bits about the data: past their bound no statement that reads data is taken. */
MUST_USE enum status frontend_check_errors(struct session *session, const struct plan *plan,
                                           struct error *error);
/* The upstream statement for the plan, retained for the caller; sent there if it must be. serial
 * and silent: of the answer to the client, who asked for it or not. */
MUST_USE enum status frontend_prepare(struct session *session, struct planned *planned, bool named,
                                      uint64_t serial, bool silent, struct prepared **out,
                                      struct error *error);
/* A statement prepared under an older policy is planned anew, if its shape is still the same. */
MUST_USE enum status frontend_renew(struct session *session, struct statement *statement,
                                    struct error *error);
/* What this statement comes to now. statement: the client's, or NULL in the simple protocol. The
 * caller frees it, also on failure. */
MUST_USE enum status errand_make(struct session *session, struct planned *planned,
                                 struct statement *statement, struct errand *errand,
                                 struct error *error);
void errand_free(struct errand *errand);
/* Sees to it that upstream has the statement; *name is how upstream calls it, in `room`. */
MUST_USE enum status errand_prepare(struct session *session, struct errand *errand,
                                    char room[static 24], struct error *error);
/* Reads the subject keys that its parameters name: before anything of Bind goes upstream, which is
 * refused where it names too many. */
MUST_USE enum status errand_pin(const struct errand *errand, const struct wire_bind *bind,
                                struct error *error);
/* Sends Bind. bind has the client's result formats, and its parameters unless it is EXECUTE. */
MUST_USE enum status errand_bind(struct session *session, const struct errand *errand,
                                 const char *portal, const char *statement,
                                 const struct wire_bind *bind, bool silent, struct error *error);
/* Sends Execute of a portal with that statement and does what it means for the session. */
MUST_USE enum status frontend_execute(struct session *session, struct planned *planned,
                                      struct run *run, uint64_t cursor, const char *portal,
                                      uint32_t max_rows, bool silent, struct error *error);
/* The rows of this plan, as the client sees them, are those of that; NULL: it has none. */
struct planned *frontend_rows(struct planned *planned, struct run *run);
void frontend_describe(struct session *session, struct planned *planned, struct planned *rows,
                       uint8_t what, const char *name);
/* Carries out one statement that has no parameters, with all that belongs to it. silent: the
 * client did not ask. */
MUST_USE enum status frontend_run(struct session *session, struct planned *planned, bool silent,
                                  struct error *error);

/* ---- what the gateway does itself, frontend_own.c ---- */

/* Answers an execution that upstream has no part in. */
MUST_USE enum status frontend_answer(struct session *session, struct plan *plan,
                                     struct error *error);
/* What an execution upstream means for the session's own state. */
MUST_USE enum status frontend_follow(struct session *session, const struct plan *plan,
                                     struct error *error);
/* Ends a portal here and upstream; silent: the client did not ask. False where there is none that
 * upstream knows. */
bool frontend_close_portal(struct session *session, const char *name, bool silent);

/* ---- frontend_extended.c ---- */

/* Parse, Bind, Describe, Execute, Close. */
MUST_USE enum status frontend_extended(struct session *session, const struct wire_message *message,
                                       struct error *error);

#endif
