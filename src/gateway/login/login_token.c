/* Login by a token of an identity provider, sent as the password (oidc/oidc.h). The worker hands
 * the token to the desk and goes on; the verdict comes back as a message to the worker.
 * Invariant: a name that is not in the policy is asked, judged and answered like one whose token
 * is somebody else's. */
#include "gateway/login/login_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/alarm.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "gateway/login/login.h"
#include "watch/watch.h"

/* Until the verdict has come, the session is found by its number: it may be gone by then. */
struct worker_verdict {
    struct worker_verdict *next;
    struct oidc_answer answer;
};

void login_token_begin(struct session *session, const struct policy_oidc *oidc)
{
    session->oidc = oidc;
    session->state = SESSION_TOKEN;
    wire_put_authentication(&session->out.bytes, LOGIN_AUTH_CLEARTEXT, slice_of(NULL, 0));
}

static void refuse_token(struct session *session)
{
    char message[200];
    login_count_failure(session);
    snprintf(message, sizeof message, "authentication failed for user \"%.130s\"", session->login);
    login_refuse(session, "28P01", message,
                 "send a token of the agent's identity provider as the password");
}

/* PasswordMessage: one text, and nothing behind it. */
static bool read_token(const struct wire_message *message, struct slice *token)
{
    struct wire_reader reader = wire_reader_of(message->body);
    const char *text = wire_read_text(&reader);
    if (message->type != 'p' || !wire_reader_done(&reader))
        return false;
    *token = slice_of_text(text);
    return true;
}

void login_token(struct session *session, const struct wire_message *message)
{
    struct error error;
    struct oidc_login login = {.oidc = session->oidc,
                               .nobody = !session->known,
                               .address = session->address,
                               .worker = session->worker->index,
                               .session = session->id};
    session_touch(session);
    if (!read_token(message, &login.token)) {
        login_refuse(session, "08P01", "a password message was expected", NULL);
        return;
    }
    enum status status = oidc_desk_ask(session->worker->server->oidc, &login, &error);
    crypto_wipe((uint8_t *)(uintptr_t)message->body.data, message->body.len); /* it is ours */
    if (status == STATUS_OK)
        session->state = SESSION_TOKEN_JUDGED;
    else
        login_refuse(session, error.sqlstate, error.message, error.hint);
}

/* ---- the verdict ---- */

void login_token_answer(void *context, const struct oidc_answer *answer)
{
    struct server *server = context;
    struct worker *worker = server->workers[answer->worker];
    struct worker_verdict *verdict = calloc(1, sizeof *verdict);
    if (verdict == NULL) /* the session ends by its login's timeout */
        return;
    verdict->answer = *answer;
    pthread_mutex_lock(&worker->mailbox_lock);
    verdict->next = worker->verdicts;
    worker->verdicts = verdict;
    pthread_mutex_unlock(&worker->mailbox_lock);
    net_loop_wake(worker->loop);
}

/* The provider has signed it for this very agent: no stranger gets here. */
static void tell_replay(struct session *session, const struct oidc_answer *answer)
{
    char text[ALARM_TEXT_BYTES];
    snprintf(text, sizeof text, "token %s was refused: %s", answer->credential.id, answer->why);
    const struct alarm alarm = {.rule = ALARM_TOKEN_REPLAYED,
                                .partner = session->partner->name,
                                .agent = session->agent->name,
                                .about = answer->credential.id,
                                .text = text,
                                .contain =
                                    (enum alarm_contain)session->partner->alarms.token_replayed};
    alarm_raise(session->worker->server->alarms, &alarm);
}

/* Who has shown a token that the provider signed is told that it has expired: that is the same for
 * every name. */
static void settle(struct session *session, const struct oidc_answer *answer)
{
    if (answer->outcome == OIDC_ADMITTED) {
        session->credential = answer->credential;
        login_admit(session);
        return;
    }
    log_event(LOG_INFO, "token_refused", "session=%llu login=\"%s\" reason=\"%s\"",
              (unsigned long long)session->id, session->agent == NULL ? "-" : session->login,
              answer->why);
    if (answer->outcome == OIDC_REPLAYED)
        tell_replay(session, answer);
    if (answer->outcome == OIDC_EXPIRED)
        login_refuse(session, "28P01", "the token has expired",
                     "fetch a new one and connect again");
    else if (answer->outcome == OIDC_AWAY)
        login_refuse(session, "57P03", "tokens cannot be judged now",
                     "try again in a moment; if it lasts, tell the data controller");
    else
        refuse_token(session);
}

static void hand_over(struct worker *worker, const struct oidc_answer *answer)
{
    for (struct session *session = worker->sessions; session != NULL; session = session->next)
        if (session->id == answer->session && session->state == SESSION_TOKEN_JUDGED) {
            settle(session, answer);
            session_touch(session);
            return;
        }
}

void login_token_verdicts(struct worker *worker)
{
    pthread_mutex_lock(&worker->mailbox_lock);
    struct worker_verdict *verdicts = worker->verdicts;
    worker->verdicts = NULL;
    pthread_mutex_unlock(&worker->mailbox_lock);
    while (verdicts != NULL) {
        struct worker_verdict *verdict = verdicts;
        verdicts = verdict->next;
        hand_over(worker, &verdict->answer);
        free(verdict);
    }
}

static bool copy_value(struct slice text, const char *key, char *room, size_t size)
{
    struct slice value = ledger_text_value(text, key);
    if (value.len == 0 || value.len >= size)
        return false;
    memcpy(room, value.data, value.len);
    room[value.len] = '\0';
    return true;
}

void login_token_replay(struct server *server, const struct ledger_entry *entry)
{
    static const char first[] = WATCH_ACT_OPENED "\n";
    const int64_t longest_ns =
        (CONFIG_OIDC_LIFETIME_MOST_S + 2 * CONFIG_OIDC_SKEW_MOST_S) * INT64_C(1000000000);
    struct slice text = entry->text;
    char address_text[INET6_ADDRSTRLEN], end_text[21];
    struct in6_addr address;
    struct error ignored;
    int64_t expires_ns;
    if (server->oidc == NULL || entry->type != LEDGER_ACT ||
        server->started_ns - entry->time_ns > longest_ns || text.len < sizeof first - 1 ||
        memcmp(text.data, first, sizeof first - 1) != 0 ||
        !slice_equal(ledger_text_value(text, "credential"), slice_of_text("token")))
        return;
    if (copy_value(text, "address", address_text, sizeof address_text) &&
        copy_value(text, "expires", end_text, sizeof end_text) &&
        text_to_address(address_text, &address) &&
        clock_parse(end_text, &expires_ns, &ignored) == STATUS_OK)
        oidc_desk_remember(server->oidc, ledger_text_value(text, "id"), &address, expires_ns);
}

void login_token_drop(struct worker *worker)
{
    while (worker->verdicts != NULL) {
        struct worker_verdict *verdict = worker->verdicts;
        worker->verdicts = verdict->next;
        free(verdict);
    }
}
