/* Login: what was judged is told, when back-off lets it. Invariant: until then nothing that leaves,
 * and no time that it takes, hangs on whether the proof was right, or the name an agent's. */
#include "gateway/login/login.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

static struct backoff_from who(const struct session *session)
{
    return (struct backoff_from){
        .login = session->login, .address = session->address, .known = session->agent != NULL};
}

static void tell(struct session *session)
{
    char message[200];
    if (!session->proven) {
        snprintf(message, sizeof message, "authentication failed for user \"%.130s\"",
                 session->login);
        login_refuse(session, "28P01", message,
                     "present the agent's client certificate, or its SCRAM password");
        return;
    }
    struct backoff_from from = who(session);
    backoff_passed(session->worker->server->backoff, &from, clock_monotonic_ns());
    if (session->scram_final[0] != '\0')
        wire_put_authentication(&session->out.bytes, LOGIN_AUTH_SASL_FINAL,
                                slice_of_text(session->scram_final));
    if (session->credential.kind == CREDENTIAL_NONE)
        credential_of_password(
            slice_of(session->scram.verifier.salt, session->scram.verifier.salt_len),
            &session->credential);
    login_admit(session);
}

static void on_waited(void *context)
{
    struct session *session = context;
    if (session->state == SESSION_VERDICT)
        tell(session);
    session_touch(session);
}

void login_verdict(struct session *session, bool right)
{
    struct backoff_from from = who(session);
    struct backoff_verdict verdict;
    backoff_judge(session->worker->server->backoff, &from, right, clock_monotonic_ns(), &verdict);
    session->proven = right;
    if (verdict.too_many) {
        login_refuse(session, "28000", "too many failed logins of this user or from this address",
                     "wait a minute, then try again");
        return;
    }
    if (verdict.wait_ms == 0) {
        tell(session);
        return;
    }
    session->state = SESSION_VERDICT;
    if (net_timer_open(session->worker->loop, on_waited, session, &session->verdict_timer) !=
        STATUS_OK) {
        login_refuse(session, "53200", "out of memory", NULL);
        return;
    }
    net_timer_start(session->verdict_timer, verdict.wait_ms, 0);
}

void login_count_failure(struct session *session)
{
    struct backoff_from from = who(session);
    struct backoff_verdict ignored;
    backoff_judge(session->worker->server->backoff, &from, false, clock_monotonic_ns(), &ignored);
}

/* ---- what staff learn of it ---- */

/* Names that are no agents' are not written down: people type passwords there. */
static void record(struct server *server, const struct policy *policy,
                   const struct backoff_report *report)
{
    static const struct in6_addr many = IN6ADDR_ANY_INIT;
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = policy_find_agent(policy, report->login, &partner);
    char text[200], address[INET6_ADDRSTRLEN] = "many";
    if (memcmp(&report->address, &many, sizeof many) != 0)
        text_of_address(&report->address, address);
    snprintf(text, sizeof text, "login-failures\naddress=%s\nfailures=%llu\n", address,
             (unsigned long long)report->failures);
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(agent == NULL ? "" : partner->name),
                                 .agent = slice_of_text(agent == NULL ? "" : agent->name),
                                 .outcome = LEDGER_OUTCOME_REFUSED,
                                 .text = slice_of_text(text)};
    uint64_t sequence;
    struct error error;
    if (ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
        log_event(LOG_WARNING, "login_failures_not_recorded", "failures=%llu reason=\"%s\"",
                  (unsigned long long)report->failures, error.message);
}

static void raise_alarm(struct server *server, const struct policy *policy, const char *login)
{
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = policy_find_agent(policy, login, &partner);
    char text[200];
    if (agent == NULL)
        return;
    snprintf(text, sizeof text, "%d logins failed within an hour; the bound is %d",
             BACKOFF_ALARM_FAILURES, BACKOFF_ALARM_FAILURES);
    /* It contains nobody: whoever knows the agent's name could have it cut off. */
    const struct alarm alarm = {.rule = ALARM_LOGIN_FAILURES,
                                .partner = partner->name,
                                .agent = agent->name,
                                .text = text,
                                .contain = ALARM_TELL};
    alarm_raise(server->alarms, &alarm);
}

void login_report_failures(struct server *server, bool all)
{
    enum { AT_ONCE = 16 };
    struct backoff_report reports[AT_ONCE];
    char logins[AT_ONCE][BACKOFF_LOGIN_ROOM];
    struct snapshot *snapshot = server_snapshot(server);
    size_t count;
    do {
        count = backoff_reports(server->backoff, clock_monotonic_ns(), all, reports, AT_ONCE);
        for (size_t i = 0; i < count; i++)
            record(server, snapshot->policy, &reports[i]);
    } while (count == AT_ONCE);
    do {
        count = backoff_alarms(server->backoff, logins, AT_ONCE);
        for (size_t i = 0; i < count; i++)
            raise_alarm(server, snapshot->policy, logins[i]);
    } while (count == AT_ONCE);
    snapshot_release(snapshot);
}
