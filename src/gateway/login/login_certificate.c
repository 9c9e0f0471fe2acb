/* Login by certificate, and what is asked of it for as long as the session lives. TLS has verified
 * chain, dates and key; the name is compared here, and what may end later. Invariant: a certificate
 * that does not prove the agent is as if there were none, and takes as long for every name. */
#include "gateway/login/login.h"

#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "identity/trust.h"

enum { CHAIN_BYTES = 256 * 1024 };

static enum status judge(struct session *session, struct slice ders, struct slice leaf,
                         struct trust_chain *chain, struct credential *credential,
                         struct error *error)
{
    struct trust *trust = session->worker->server->trust;
    /* Whoever has some certificate must not learn from the time it takes who logs in by one. */
    static const struct policy_agent nobody = {.login = "-", .certificate = "urn:nobody"};
    bool is_some = session->agent != NULL && session->agent->certificate != NULL;
    const struct policy_agent *agent = is_some ? session->agent : &nobody;
    TRY(identity_check_certificate(agent, leaf, error));
    if (!is_some)
        return error_set(error, STATUS_DENIED, "28000", NULL, "not an agent's name");
    TRY(credential_of_certificate(leaf, credential, error));
    TRY(trust_chain_read(ders, chain, error));
    if (chain->expires_ns < credential->expires_ns) /* an authority's certificate may end first */
        credential->expires_ns = chain->expires_ns;
    return trust != NULL &&
                   trust_speaks_for(trust, chain, session->partner->name, agent->certificate_issuer)
               ? STATUS_OK
               : error_set(error, STATUS_DENIED, "28000", NULL, "not of this agent's authority");
}

bool login_certificate(struct session *session)
{
    struct error ignored;
    struct buffer ders, leaf;
    struct credential credential;
    bool proven = false;
    if (session->worker->server->trust == NULL)
        return false;
    struct trust_chain *chain = calloc(1, sizeof *chain);
    buffer_init(&ders, CHAIN_BYTES);
    buffer_init(&leaf, CHAIN_BYTES);
    if (chain != NULL && net_stream_peer_chain(session->client, &ders) &&
        net_stream_peer_certificate(session->client, &leaf))
        proven = judge(session, buffer_slice(&ders), buffer_slice(&leaf), chain, &credential,
                       &ignored) == STATUS_OK;
    buffer_free(&ders);
    buffer_free(&leaf);
    if (!proven) {
        free(chain);
        return false;
    }
    free(session->chain);
    session->chain = chain;
    session->credential = credential;
    session->trust_until_ns = INT64_MIN; /* the lists have not been asked */
    return true;
}

enum status session_check_certificate(struct session *session, int64_t now_ns, struct error *error)
{
    struct trust *trust = session->worker->server->trust;
    if (session->chain == NULL)
        return STATUS_OK;
    uint64_t generation = trust_generation(trust);
    if (generation == session->trust_generation && now_ns < session->trust_until_ns)
        return STATUS_OK;
    if (!trust_speaks_for(trust, session->chain, session->partner->name,
                          session->agent->certificate_issuer))
        return error_set(error, STATUS_DENIED, "57P01", "ask the data controller for a new one",
                         "the client certificate's authority is trusted no longer");
    TRY(trust_check_revocation(trust, session->chain, now_ns, &session->trust_until_ns, error));
    session->trust_generation = generation;
    return STATUS_OK;
}
