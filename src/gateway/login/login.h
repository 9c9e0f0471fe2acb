/* Login, between its files: login.c reads what the client wants, login_prove.c judges the proof of
 * who it is, login_verdict.c says so in time. Private to them. */
#ifndef COFFERDAM_GATEWAY_LOGIN_H
#define COFFERDAM_GATEWAY_LOGIN_H

#include "gateway/session.h"

/* Codes of the Authentication messages (PostgreSQL manual, "Message Formats"). */
enum {
    LOGIN_AUTH_OK = 0,
    LOGIN_AUTH_CLEARTEXT = 3,
    LOGIN_AUTH_SASL = 10,
    LOGIN_AUTH_SASL_CONTINUE = 11,
    LOGIN_AUTH_SASL_FINAL = 12
};

/* ---- login.c ---- */
void login_refuse(struct session *session, const char *sqlstate, const char *message,
                  const char *hint);
/* The identity is proven (session->credential): is the agent admitted, and with which purpose and
 * settings? */
void login_admit(struct session *session);

/* ---- login_certificate.c ---- */
/* Does the certificate that TLS has verified prove the agent? Sets what the session keeps of it. */
bool login_certificate(struct session *session);

/* ---- login_prove.c ---- */
/* Admits who has proven an identity by now, and asks the others for a proof. */
void login_prove(struct session *session);

/* ---- login_token.c ---- */
/* Asks for a token; oidc: what it must be, and of whom for a name that nobody has. It belongs to
 * the session's snapshot. */
void login_token_begin(struct session *session, const struct policy_oidc *oidc);

/* ---- login_verdict.c ---- */
/* A secret that somebody may guess has been judged: the session is admitted or refused, after the
 * wait that back-off holds for either. session->scram_final is set before, and session->credential
 * where it is not a password. */
void login_verdict(struct session *session, bool right);
/* A proof that nobody can guess (a token) was refused: it counts, and nothing waits. */
void login_count_failure(struct session *session);

#endif
