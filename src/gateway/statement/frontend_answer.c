/* Answers in their place in the order of replies; where a statement is refused, upstream is made
 * to fail there too, so that transactions and pipelines behave as the protocol says. */
#include "gateway/statement/frontend.h"
#include "gateway/trust/watching.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { REFUSALS_RECORDED = 1000 };

/* A statement that no parser accepts, under a name that is never created: upstream's transaction
 * fails where ours was refused. */
static const char failing_name[] = "cx", failing_sql[] = "refused";

void frontend_push(struct session *session, struct reply reply)
{
    struct error error;
    if (replies_push(&session->replies, reply, &error) != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_ABANDONED, error.sqlstate, error.message, error.hint);
}

void frontend_push_text(struct session *session, enum reply_kind kind, struct buffer *text,
                        uint64_t serial)
{
    if (text->overflowed) {
        buffer_free(text);
        session_end(session, LEDGER_OUTCOME_ABANDONED, "53200", "out of memory", NULL);
        return;
    }
    frontend_push(session, (struct reply){.kind = kind,
                                          .text = (char *)text->data,
                                          .text_len = text->len,
                                          .serial = serial});
}

void frontend_push_empty(struct session *session, uint8_t type, uint64_t serial)
{
    struct buffer text;
    buffer_init(&text, 16);
    wire_put_empty(&text, type);
    frontend_push_text(session, REPLY_FAKE, &text, serial);
}

static void record_refusal(struct session *session, const char *sql, const struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_REFUSAL,
                                 .partner = slice_of_text(session->partner->name),
                                 .agent = slice_of_text(session->agent->name),
                                 .purpose = slice_of_text(session->purpose),
                                 .delivery = slice_of_text(session->delivery),
                                 .session = session->id,
                                 .chunk_count = 1,
                                 .outcome = LEDGER_OUTCOME_REFUSED};
    if (session->refusals++ >= REFUSALS_RECORDED)
        return;
    if (sql != NULL) {
        struct slice text = slice_of_text(sql);
        crypto_sha256(&text, 1, entry.statement_hash);
    }
    memcpy(entry.policy_id, session->snapshot->policy_id, sizeof entry.policy_id);
    memcpy(entry.sqlstate, error->sqlstate, sizeof entry.sqlstate);
    uint64_t sequence;
    struct error failure, held;
    entry.time_ns = clock_now_ns();
    enum status watched =
        watching_take(session->worker->server, session->partner, session->agent, &entry, &held);
    if (ledger_append(session->worker->server->ledger, &entry, slice_of(NULL, 0), &sequence,
                      &failure) != STATUS_OK)
        log_event(LOG_WARNING, "refusal_not_recorded", "session=%llu reason=\"%s\"",
                  (unsigned long long)session->id, failure.message);
    if (watched != STATUS_OK)
        session_end(session, LEDGER_OUTCOME_CONTAINED, held.sqlstate, held.message, held.hint);
}

void frontend_refuse(struct session *session, const char *sql, const struct error *error)
{
    if (session->state != SESSION_READY)
        return;
    record_refusal(session, sql, error);
    log_event(LOG_INFO, "statement_refused", "session=%llu agent=%s sqlstate=%s",
              (unsigned long long)session->id, session->login, error->sqlstate);
    if (session->state != SESSION_READY)
        return;
    struct buffer text;
    buffer_init(&text, 4096);
    wire_put_error(&text, "ERROR", error->sqlstate, error->message, error->hint);
    bool engaged = session->upstream.state != UPSTREAM_NONE &&
                   (session->transaction != 'I' || session->unsynced ||
                    replies_wait_for_upstream(&session->replies));
    if (engaged) {
        wire_put_parse(&session->upstream.out, failing_name, failing_sql, NULL, 0);
        session->unsynced = true;
        frontend_push_text(session, REPLY_REFUSED, &text, 0);
    } else {
        frontend_push_text(session, REPLY_FAKE, &text, 0);
    }
    session->skip_to_sync = true;
}

void frontend_fail_upstream(struct session *session)
{
    struct buffer nothing;
    buffer_init(&nothing, 16);
    wire_put_parse(&session->upstream.out, failing_name, failing_sql, NULL, 0);
    session->unsynced = true;
    frontend_push_text(session, REPLY_REFUSED, &nothing, 0);
}

bool frontend_must_wait(const struct session *session)
{
    return writes_wait(session) || (session->writes.intent_count > 0 && session->replies.count > 0);
}

void frontend_sync(struct session *session)
{
    session->skip_to_sync = false;
    if (!session->unsynced) {
        frontend_push(session, (struct reply){.kind = REPLY_FAKE_READY});
        return;
    }
    session->writes.sync_due = frontend_must_wait(session);
    if (session->writes.sync_due) {
        wire_put_empty(&session->upstream.out, 'H');
        return;
    }
    struct error error;
    if (session->writes.intent_count > 0 && frontend_authorise(session, &error) != STATUS_OK)
        return; /* the intent was made durable meanwhile, and trust may have ended */
    if (session->failed_here && session->writes.intent_count > 0)
        frontend_fail_upstream(session);
    writes_sync_sent(session);
    wire_put_sync(&session->upstream.out);
    session->unsynced = false;
    frontend_push(session, (struct reply){.kind = REPLY_SYNC, .serial = ++session->syncs});
}
