/* Acts of staff on single certificates and tokens: issued, revoked, and what has been revoked.
 * A revocation is enforced first, recorded second: also when neither registry nor ledger can take
 * it. */
#include "gateway/admin/admin_recording.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "registry/revocations.h"

static enum status parse_issuer(const char *text, uint8_t issuer[static 32], struct error *error)
{
    if (text != NULL && crypto_unhex(slice_of_text(text), issuer, REVOCATION_ISSUER_BYTES))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "22023", "cofferdam cert show FILE prints it",
                     "ISSUER is not 64 lower-case hexadecimal digits: SHA-256 of its name");
}

/* Ends the sessions that rest on it; returns how many there were once they are gone, or after a
 * second. */
static size_t cut(struct server *server, const struct credential_name *name)
{
    enum { WAIT_STEPS = 500 };
    size_t sessions = server_live_count_credential(server, name->issuer, name->id);
    server_wake(server);
    for (int i = 0;
         i < WAIT_STEPS && server_live_count_credential(server, name->issuer, name->id) > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return sessions;
}

static void record(struct asking *asking, const char *issuer, const char *id, const char *reason)
{
    char text[1400];
    struct error error;
    snprintf(text, sizeof text, "revoke-credential id=%s issuer=%s by=%s reason=%.1000s", id,
             issuer, asking->by, reason);
    if (server_record_act(asking->server, NULL, NULL, text, true, &error) != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=revoke-credential reason=\"%s\"",
                  error.message);
}

enum status admin_revoke_credential(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"credential_id", "state",   "sessions", "cut_ms",
                                          "stored",        "already", NULL};
    const char *id = admin_option(asking, "CREDENTIAL"), *reason;
    const char *issuer_text = admin_option(asking, "ISSUER");
    uint8_t issuer[REVOCATION_ISSUER_BYTES];
    if (id == NULL)
        return admin_syntax(error, "write REVOKE CREDENTIAL 'id' ISSUER 'hex' REASON 'why'");
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(parse_issuer(issuer_text, issuer, error));
    struct credential_name name = {.issuer = issuer, .id = id};
    struct error stored;
    int64_t begun = clock_monotonic_ns();
    bool already = registry_revoked(asking->server->registry, issuer, id);
    enum status status = registry_revoke(asking->server->registry, &name, reason, asking->by,
                                         clock_now_ns(), &stored);
    if (status != STATUS_OK && !registry_revoked(asking->server->registry, issuer, id)) {
        *error = stored; /* nothing has been done: the id is none, or memory is gone */
        return status;
    }
    size_t sessions = cut(asking->server, &name);
    double cut_ms = (double)(clock_monotonic_ns() - begun) / 1e6;
    record(asking, issuer_text, id, reason);
    log_event(LOG_WARNING, "revoked", "credential=%s sessions=%zu cut_ms=%.1f", id, sessions,
              cut_ms);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", id);
    table_set(table, row, 1, "revoked");
    table_set(table, row, 2, "%zu", sessions);
    table_set(table, row, 3, "%.1f", cut_ms);
    table_set(table, row, 4, "%s", status == STATUS_OK ? "yes" : stored.message);
    table_set(table, row, 5, "%s", already ? "yes" : "no");
    return STATUS_OK;
}

/* Who issues certificates tells; the ledger says who told. A hand-over, so it names the partner. */
enum status admin_record_issued(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"state", NULL};
    static const char *const names[] = {"CREDENTIAL", "ISSUER", "UNTIL", "FINGERPRINT"};
    static const char *const keys[] = {"id", "issuer", "until", "fingerprint"};
    const char *login = admin_option(asking, "AGENT");
    const struct policy_partner *partner = NULL;
    char text[1024];
    int len = snprintf(text, sizeof text, "certificate-issued by=%s", asking->by);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = admin_option(asking, names[i]);
        if (value == NULL || value[0] == '\0' || strlen(value) > 64 ||
            strspn(value, "0123456789abcdefTZ:-") != strlen(value))
            return error_set(error, STATUS_DENIED, "22023", "cofferdam cert issue writes it",
                             "%s is missing, or is none", names[i]);
        len += snprintf(text + len, sizeof text - (size_t)len, " %s=%s", keys[i], value);
    }
    struct snapshot *snapshot = server_snapshot(asking->server);
    const struct policy_agent *agent =
        login == NULL ? NULL : policy_find_agent(snapshot->policy, login, &partner);
    enum status status =
        agent == NULL
            ? error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam partner show lists agents",
                        "the policy has no agent \"%.130s\"", login == NULL ? "" : login)
            : server_record_act(asking->server, partner->name, agent->name, text, true, error);
    snapshot_release(snapshot);
    TRY(status);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    table_set(table, table_add(table), 0, "recorded");
    return STATUS_OK;
}

enum status admin_show_revoked(struct asking *asking, struct table *table, struct error *error)
{
    (void)error;
    registry_list_revoked(asking->server->registry, table);
    return STATUS_OK;
}
