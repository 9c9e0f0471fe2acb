/* See renew.h. Invariant: what ends the session's trust while the issuer is asked ends the renewal,
 * too: the agent gets nothing. */
#include "gateway/statement/renew.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/statement/frontend.h"

enum { CERTIFICATE_BYTES = 64 * 1024, COLUMNS = 4 };

/* ---- what is asked with ---- */

/* The n-th parameter (from 1 on); false where it is NULL, or not there. */
static bool find_parameter(const struct wire_bind *bind, size_t n, struct slice *value)
{
    struct wire_reader reader = wire_reader_of(bind->parameters);
    bool is_null = true;
    for (size_t i = 0; i < n; i++) {
        int32_t len = (int32_t)wire_read_u32(&reader);
        is_null = len < 0;
        *value = is_null ? slice_of("", 0) : wire_read_bytes(&reader, (size_t)len);
    }
    return !is_null && !reader.failed;
}

static enum status keep(const struct plan_renewal_text *text, const struct wire_bind *bind,
                        char **out, struct error *error)
{
    struct slice value = text->text != NULL ? slice_of_text(text->text) : slice_of("", 0);
    if (text->text == NULL && !find_parameter(bind, text->parameter, &value))
        return error_set(error, STATUS_DENIED, "22004", "the request in PEM, and its signature",
                         "neither the request nor its signature can be NULL");
    *out = strndup((const char *)value.data, value.len);
    return *out == NULL ? error_no_memory(error) : STATUS_OK;
}

enum status renew_bind(const struct plan *plan, const struct wire_bind *bind, struct portal *portal,
                       struct error *error)
{
    TRY(keep(&plan->renewal.request, bind, &portal->bound[0], error));
    return keep(&plan->renewal.signature, bind, &portal->bound[1], error);
}

/* ---- asking ---- */

static enum status check(const struct session *session, struct error *error)
{
    if (session->transaction == 'E' && session->replies.count == 0)
        return error_set(error, STATUS_DENIED, "25P02", "ROLLBACK first",
                         "the transaction has failed");
    if (session->credential.kind != CREDENTIAL_CERTIFICATE)
        return error_set(error, STATUS_DENIED, "28000",
                         "connect with the certificate to be renewed",
                         "only a session that a certificate has proven can renew one");
    if (session->agent->renewal_ns == 0)
        return error_set(error, STATUS_DENIED, "42501", "ask the data controller for a new one",
                         "agent %s may not renew its certificate by itself", session->login);
    if (session->worker->server->renewals == NULL)
        return error_set(error, STATUS_DENIED, "0A000", "ask the data controller for a new one",
                         "certificates are not renewed here: there is no issuer");
    return STATUS_OK;
}

enum status renew_ask(struct session *session, const char *request, const char *signature,
                      struct error *error)
{
    struct buffer der;
    TRY(check(session, error));
    buffer_init(&der, CERTIFICATE_BYTES);
    struct renewal *renewal = net_stream_peer_certificate(session->client, &der)
                                  ? renewal_make(session, buffer_slice(&der),
                                                 slice_of_text(request), slice_of_text(signature))
                                  : NULL;
    buffer_free(&der);
    if (renewal == NULL)
        return error_set(error, STATUS_LIMIT, "54000",
                         "a request in PEM has less than 2 kB, its signature less than 200 bytes",
                         "the request, or its signature, is too long");
    enum status status = renewal_desk_ask(session->worker->server->renewals, renewal, error);
    if (status != STATUS_OK) {
        renewal_free(renewal);
        return status;
    }
    session->renewal.waits = true;
    session->renewal.simple = false;
    if (session->unsynced) /* the answers to what stands before it */
        wire_put_empty(&session->upstream.out, 'H');
    session_touch(session);
    return STATUS_OK;
}

enum status renew_ask_simple(struct session *session, const struct plan *plan, struct error *error)
{
    TRY(renew_ask(session, plan->renewal.request.text, plan->renewal.signature.text, error));
    session->renewal.simple = true;
    return STATUS_OK;
}

/* ---- the answer ---- */

static void push_row(struct session *session, struct renewal *renewal)
{
    static const char *const names[COLUMNS] = {"serial", "not_after", "renewable_until",
                                               "certificate"};
    char until[2][21];
    struct buffer text;
    clock_format_utc(renewal->made.expires_ns, until[0]);
    clock_format_utc(renewal->answer.until_ns, until[1]);
    const char *const cells[COLUMNS] = {renewal->made.id, until[0], until[1],
                                        buffer_text(&renewal->answer.certificate)};
    buffer_init(&text, 2 * ISSUER_PEM_BYTES);
    if (session->renewal.simple)
        wire_put_text_row_description(&text, names, COLUMNS);
    wire_put_text_row(&text, cells, COLUMNS);
    wire_put_command_complete(&text, "CALL");
    frontend_push_text(session, REPLY_FAKE, &text, 0);
}

/* The policy may have changed meanwhile, and so may trust. */
static void settle(struct session *session, struct renewal *renewal)
{
    struct error error;
    bool simple = session->renewal.simple;
    session->renewal.waits = false;
    if (session->state != SESSION_READY || frontend_authorise(session, &error) != STATUS_OK)
        return;
    enum status status = renewal->decision;
    if (status == STATUS_OK)
        status = check(session, &renewal->error);
    if (status == STATUS_OK)
        push_row(session, renewal);
    else
        frontend_refuse(session, NULL, &renewal->error);
    if (simple && session->several.sql == NULL)
        session->writes.sync_due = true;
}

void renew_answered(struct server *server, struct renewal *renewal)
{
    struct worker *worker = server->workers[renewal->worker];
    pthread_mutex_lock(&worker->mailbox_lock);
    renewal->next = worker->renewals;
    worker->renewals = renewal;
    pthread_mutex_unlock(&worker->mailbox_lock);
    net_loop_wake(worker->loop);
}

static void hand_over(struct worker *worker, struct renewal *renewal)
{
    for (struct session *session = worker->sessions; session != NULL; session = session->next)
        if (session->id == renewal->session && session->renewal.waits) {
            settle(session, renewal);
            session_touch(session);
            return;
        }
}

void renew_answers(struct worker *worker)
{
    pthread_mutex_lock(&worker->mailbox_lock);
    struct renewal *renewals = worker->renewals;
    worker->renewals = NULL;
    pthread_mutex_unlock(&worker->mailbox_lock);
    while (renewals != NULL) {
        struct renewal *renewal = renewals;
        renewals = renewal->next;
        hand_over(worker, renewal);
        renewal_free(renewal);
    }
}

void renew_drop(struct worker *worker)
{
    while (worker->renewals != NULL) {
        struct renewal *renewal = worker->renewals;
        worker->renewals = renewal->next;
        renewal_free(renewal);
    }
}
