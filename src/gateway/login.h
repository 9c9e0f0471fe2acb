/* Login, between its files: login.c reads what the client wants, login_prove.c judges the proof of
 * who it is. Private to the two. */
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

#endif
