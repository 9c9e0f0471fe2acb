/* Login: the proof of who is calling, by certificate or by SCRAM. Invariant: an agent that is not
 * there is asked and answered like one whose password is wrong. */
#include "gateway/login/login.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "identity/identity.h"

static void begin_scram(struct session *session, const struct scram_verifier *verifier)
{
    struct scram_binding binding = {.len = 0};
    binding.len = net_stream_end_point(session->client, binding.data);
    scram_server_init(&session->scram, verifier, &binding);
    session->scram_begun = true;
    session->state = SESSION_SCRAM_FIRST;
    /* A list of names that ends in an empty one, the best first. */
    static const char mechanisms[] = SCRAM_PLUS "\0" SCRAM_PLAIN "\0";
    size_t skipped = binding.len > 0 ? 0 : sizeof SCRAM_PLUS;
    wire_put_authentication(&session->out.bytes, LOGIN_AUTH_SASL,
                            slice_of(mechanisms + skipped, sizeof mechanisms - skipped));
}

void login_prove(struct session *session)
{
    struct roster_found found;
    roster_find(session->snapshot->roster, session->login, &found);
    session->agent = found.agent;
    session->partner = found.partner;
    session->known = found.known;
    memcpy(session->password, found.password, sizeof session->password);
    if (login_certificate(session))
        login_admit(session);
    else if (found.method == ROSTER_TOKEN)
        login_token_begin(session, found.oidc);
    else
        begin_scram(session, &found.verifier);
    crypto_wipe(&found.verifier, sizeof found.verifier);
}

/* SASLInitialResponse: mechanism, then length and client-first-message. */
static enum status scram_first(struct session *session, struct slice body, struct buffer *reply,
                               struct error *error)
{
    struct wire_reader reader = wire_reader_of(body);
    const char *mechanism = wire_read_text(&reader);
    uint32_t len = wire_read_u32(&reader);
    struct slice first = wire_read_bytes(&reader, len);
    if (!wire_reader_done(&reader))
        return error_set(error, STATUS_PEER, "08P01", NULL, "malformed SASL response");
    return scram_server_first(&session->scram, mechanism, first, reply, error);
}

void login_password(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct buffer reply;
    buffer_init(&reply, 4096);
    bool first = session->state == SESSION_SCRAM_FIRST;
    enum status status;
    if (message->type != 'p')
        status = error_set(&error, STATUS_PEER, "08P01", NULL, "a password message was expected");
    else if (first)
        status = scram_first(session, message->body, &reply, &error);
    else
        status = scram_server_final(&session->scram, message->body, &reply, &error);
    if (status == STATUS_OK && first) {
        wire_put_authentication(&session->out.bytes, LOGIN_AUTH_SASL_CONTINUE,
                                buffer_slice(&reply));
        session->state = SESSION_SCRAM_FINAL;
    } else if (status == STATUS_OK) {
        snprintf(session->scram_final, sizeof session->scram_final, "%s", buffer_text(&reply));
        login_verdict(session, session->known);
    } else if (status == STATUS_DENIED) {
        login_verdict(session, false);
    } else {
        login_refuse(session, error.sqlstate, error.message, error.hint);
    }
    buffer_free(&reply);
    session_touch(session);
}
