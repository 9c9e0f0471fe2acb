/* See trust.h. */
#include "gateway/trust/trust.h"

#include <string.h>

#include "base/clock.h"
#include "gateway/trust/contain.h"
#include "identity/trust.h"
#include "registry/revocations.h"

int64_t trust_now_ns(const struct session *session)
{
    return clock_by_line_ns(session->clock_line);
}

/* ---- who ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *find_purpose(const struct policy_partner *partner, const char *purpose)
{
    for (size_t i = 0; i < partner->purpose_count; i++)
        if (strcmp(partner->purposes[i], purpose) == 0)
            return partner->purposes[i];
    return NULL;
}

/* The purpose is the one that the session was opened for, or it ends. */
static enum status renew_purpose(const struct session *session,
                                 const struct policy_partner *partner, const char **purpose,
                                 struct error *error)
{
    *purpose = NULL;
    if (session->purpose == NULL)
        return STATUS_OK; /* it is being opened */
    *purpose = find_purpose(partner, session->purpose);
    if (*purpose == NULL)
        return error_set(
            error, STATUS_DENIED, "57P01", "connect again for a purpose that is agreed now",
            "the purpose of this session is no longer agreed with partner %s", partner->name);
    return STATUS_OK;
}

/* Finds partner and agent in the worker's snapshot, which may be new. Who has proven an identity
 * that the agent no longer has is a stranger. */
static enum status renew_identity(struct session *session, struct error *error)
{
    struct worker *worker = session->worker;
    const struct policy_partner *partner;
    const struct policy_agent *agent =
        policy_find_agent(worker->snapshot->policy, session->login, &partner);
    if (agent == NULL && session->is_staff)
        agent = policy_find_nobody(worker->snapshot->policy, session->login, &partner);
    const char *purpose;
    if (agent == NULL)
        return error_set(error, STATUS_DENIED, "57P01", "ask the data controller",
                         "agent %s is no longer in the policy", session->login);
    if (!same_text(agent->certificate, session->agent->certificate) ||
        !same_text(agent->certificate_issuer, session->agent->certificate_issuer) ||
        !same_text(agent->scram_file, session->agent->scram_file) ||
        !policy_same_oidc(agent->oidc, session->agent->oidc))
        return error_set(error, STATUS_DENIED, "57P01", "connect again",
                         "agent %s has another identity now", session->login);
    TRY(renew_purpose(session, partner, &purpose, error));
    struct snapshot *old = session->snapshot;
    session->snapshot = snapshot_retain(worker->snapshot);
    snapshot_release(old);
    session->partner = partner;
    session->agent = agent;
    session->purpose = purpose;
    session->plan_epoch = worker->plan_epoch;
    return STATUS_OK;
}

static bool is_revoked_here(const struct session *session)
{
    const struct credential *credential = &session->credential;
    return credential_is_named(credential) &&
           registry_revoked(session->worker->server->registry, credential->issuer, credential->id);
}

bool trust_is_revoked(const struct session *session)
{
    return is_revoked_here(session) ||
           (session->chain != NULL &&
            trust_is_listed(session->worker->server->trust, session->chain));
}

/* A password lasts as long as the verifier that it was proven against. */
static enum status check_password(const struct session *session, struct error *error)
{
    if (session->credential.kind != CREDENTIAL_PASSWORD)
        return STATUS_OK;
    switch (roster_password_now(session->snapshot->roster, session->login, session->password)) {
    case ROSTER_SAME:
        return STATUS_OK;
    case ROSTER_CHANGED:
        return error_set(error, STATUS_DENIED, "57P01", "connect again with the new one",
                         "the password of agent %s has been changed", session->login);
    case ROSTER_GONE:
        break;
    }
    return error_set(error, STATUS_DENIED, "57P01", "ask the data controller for a new one",
                     "the password of agent %s has been withdrawn", session->login);
}

static enum status check_credential(struct session *session, int64_t now_ns, struct error *error)
{
    const struct credential *credential = &session->credential;
    if (is_revoked_here(session))
        return error_set(error, STATUS_DENIED, "57P01", "ask the data controller for a new one",
                         "the client %s has been revoked", credential_kind_name(credential->kind));
    if (now_ns >= credential->expires_ns)
        return error_set(error, STATUS_DENIED, "57P01",
                         credential->kind == CREDENTIAL_TOKEN ? "fetch a new one and connect again"
                                                              : "renew it and connect again",
                         "the client %s has expired", credential_kind_name(credential->kind));
    TRY(check_password(session, error));
    return session_check_certificate(session, now_ns, error);
}

enum status trust_admits(struct session *session, struct error *error)
{
    struct server *server = session->worker->server;
    if (session->plan_epoch != session->worker->plan_epoch)
        TRY(renew_identity(session, error));
    session->is_contained = registry_contained(server->registry, session->partner->name,
                                               session->agent->name, session->credential.id);
    if (session->is_contained)
        return contain_refusal(session, error);
    int64_t now_ns = trust_now_ns(session);
    TRY(check_credential(session, now_ns, error));
    approvals_renew(session, now_ns);
    if (!session->is_staff)
        return policy_admit(session->partner, session->agent, now_ns,
                            session->has_address ? &session->address : NULL, error);
    struct policy_agent here = *session->agent; /* staff connect from here, not from its networks */
    here.network_count = 0;
    return policy_admit(session->partner, &here, now_ns, NULL, error);
}

/* ---- what ---- */

static bool plan_is_granted(const struct session *session, const struct plan *plan)
{
    const struct plan_request now = {.model = session->snapshot->model,
                                     .partner = session->partner,
                                     .agent = session->agent,
                                     .purpose = session->purpose,
                                     .now_ns = trust_now_ns(session),
                                     .approvals = session->approvals.list,
                                     .approval_count = session->approvals.count};
    return plan_stands(plan, &now);
}

bool trust_holds(const struct session *session, const struct planned *planned)
{
    return !planned_stale(planned, session->plan_epoch) &&
           (planned->approvals == session->approvals.mark ||
            plan_is_granted(session, planned->plan));
}

static bool run_is_granted(const struct session *session, const struct run *run)
{
    return run == NULL || plan_is_granted(session, run->planned->plan);
}

static bool replies_are_granted(const struct session *session)
{
    const struct replies *replies = &session->replies;
    for (size_t i = 0; i < replies->count; i++)
        if (!run_is_granted(session, replies->ring[(replies->first + i) % replies->capacity].run))
            return false;
    return true;
}

static bool writes_are_granted(const struct session *session)
{
    const struct writes *writes = &session->writes;
    for (size_t i = 0; i < writes->intent_count; i++)
        if (!plan_is_granted(session, writes->intents[i].plan))
            return false;
    return run_is_granted(session, writes->run);
}

enum status trust_stands(const struct session *session, struct error *error)
{
    if (replies_are_granted(session) && run_is_granted(session, session->batch_run) &&
        writes_are_granted(session))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57P01",
                     "connect again; SHOW cofferdam.datasets tells what is granted now",
                     "a grant that was in use has ended or changed");
}
