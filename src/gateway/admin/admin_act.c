/* Acts of staff: contain, restore, reload. Each goes into the ledger. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/admin/admin_recording.h"
#include "gateway/trust/contain.h"
#include "gateway/login/tls_desk.h"
#include "gateway/trust/trust_watch.h"

enum { MOST_HEX = CREDENTIAL_ID_ROOM - 1, REASON_ROOM = RECORDING_TEXT_BYTES + 1 };

/* Nobody is kept from containing by how it is written: a line more, which could pass for one of
 * ours in the ledger, becomes a blank. */
static enum status take_reason(const struct asking *asking, char reason[static REASON_ROOM],
                               struct error *error)
{
    const char *given = admin_option(asking, "REASON");
    if (given == NULL || given[0] == '\0')
        return error_set(error, STATUS_DENIED, "22023", "add REASON 'why'",
                         "a reason is required: it goes into the ledger");
    snprintf(reason, REASON_ROOM, "%s", given);
    text_make_plain(reason);
    return STATUS_OK;
}

static enum status check_credential(const char *id, struct error *error)
{
    size_t len = id == NULL ? 1 : strlen(id);
    if (id == NULL || (len >= 1 && len <= MOST_HEX && strspn(id, "0123456789abcdef") == len))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "22023", "cofferdam sessions has it",
                     "CREDENTIAL is a serial number or a token's id, in lower-case hexadecimal");
}

/* What is contained may have left the policy: its agent can still be restored. */
static enum status check_agent(struct asking *asking, const struct policy_partner *partner,
                               const struct registry_target *target, struct error *error)
{
    struct registry_containment contained;
    const struct policy_agent *found;
    if (target->agent == NULL || registry_find(asking->server->registry, target, &contained))
        return STATUS_OK;
    return policy_need_agent(partner, target->agent, &found, error);
}

static enum status read_target(struct asking *asking, struct registry_target *target,
                               uint16_t *approvals, struct error *error)
{
    const struct policy_partner *found;
    *target = (struct registry_target){.partner = admin_option(asking, "PARTNER"),
                                       .agent = admin_option(asking, "AGENT"),
                                       .credential = admin_option(asking, "CREDENTIAL")};
    TRY(check_credential(target->credential, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = policy_need_partner(snapshot->policy, target->partner, &found, error);
    if (status == STATUS_OK)
        status = check_agent(asking, found, target, error);
    if (status == STATUS_OK)
        *approvals = found->restore_approvals;
    snapshot_release(snapshot);
    return status;
}

/* ---- contain ---- */

static void put_yes(struct table *table, struct table_row *row, size_t column, bool yes)
{
    table_set(table, row, column, "%s", yes ? "yes" : "no");
}

static void tell(struct server *server, const struct registry_target *target,
                 const struct contain_outcome *outcome, struct table *table)
{
    static const char *const columns[] = {"partner",
                                          "agent",
                                          "state",
                                          "sessions",
                                          "cut_ms",
                                          "stored",
                                          "credential",
                                          "cut",
                                          "backends",
                                          "upstream_ms",
                                          "closed_waiting",
                                          "recorded",
                                          "since",
                                          "by",
                                          "undelivered_bytes",
                                          NULL};
    struct registry_containment found;
    char since[21];
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", target == NULL ? "*" : target->partner);
    table_set(table, row, 1, "%s", target == NULL || target->agent == NULL ? "*" : target->agent);
    table_set(table, row, 2, "contained");
    table_set(table, row, 3, "%zu", outcome->sessions);
    table_set(table, row, 4, "%.1f", outcome->cut_ms);
    table_set(table, row, 5, "%s", outcome->is_stored ? "yes" : outcome->stored.message);
    if (target != NULL && target->credential != NULL)
        table_set(table, row, 6, "%s", target->credential);
    put_yes(table, row, 7, outcome->is_cut);
    table_set(table, row, 8, "%zu", outcome->backends);
    table_set(table, row, 9, "%.1f", outcome->upstream_ms);
    table_set(table, row, 10, "%zu", outcome->closed);
    put_yes(table, row, 11, outcome->recorded);
    table_set(table, row, 14, "%llu", (unsigned long long)outcome->undelivered);
    if (target == NULL || !registry_find(server->registry, target, &found))
        return;
    clock_format_utc(found.since_ns, since);
    table_set(table, row, 12, "%s", since);
    table_set(table, row, 13, "%s", found.by);
}

enum status admin_contain(struct asking *asking, struct table *table, struct error *error)
{
    char reason[REASON_ROOM];
    struct contain_order order = {
        .count = 1, .by = asking->by, .reason = reason, .arrived_ns = asking->arrived_ns};
    struct contain_outcome outcome;
    struct registry_target target;
    uint16_t approvals;
    TRY(take_reason(asking, reason, error));
    TRY(read_target(asking, &target, &approvals, error));
    order.targets = &target;
    contain_now(asking->server, &order, &outcome);
    tell(asking->server, &target, &outcome, table);
    return STATUS_OK;
}

enum status admin_contain_all(struct asking *asking, struct table *table, struct error *error)
{
    char reason[REASON_ROOM];
    struct contain_order order = {
        .by = asking->by, .reason = reason, .arrived_ns = asking->arrived_ns};
    struct contain_outcome outcome;
    TRY(take_reason(asking, reason, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    const struct policy *policy = snapshot->policy;
    struct registry_target *targets = calloc(policy->partner_count + 1, sizeof *targets);
    if (targets == NULL || policy->partner_count == 0) {
        snapshot_release(snapshot);
        free(targets);
        return targets == NULL ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                               : error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                                           "the policy has no partners");
    }
    for (size_t i = 0; i < policy->partner_count; i++)
        targets[i].partner = policy->partners[i].name;
    order.targets = targets;
    order.count = policy->partner_count;
    contain_now(asking->server, &order, &outcome);
    snapshot_release(snapshot);
    free(targets);
    tell(asking->server, NULL, &outcome, table);
    return STATUS_OK;
}

/* ---- restore ---- */

/* Has another user proposed it, and not too long ago? */
static bool is_proposed(const struct registry_containment *found, const char *by)
{
    static const int64_t DAY_NS = 24LL * 3600 * 1000000000;
    int64_t age_ns = clock_now_ns() - found->proposed_ns;
    return found->proposed_by[0] != '\0' && strcmp(found->proposed_by, by) != 0 && age_ns >= 0 &&
           age_ns <= REGISTRY_PROPOSAL_DAYS * DAY_NS;
}

enum status admin_restore(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner",    "agent",       "state",
                                          "credential", "proposed_by", NULL};
    struct server *server = asking->server;
    struct registry_containment found = {.proposed_by = ""};
    struct registry_target target;
    const char *reason;
    uint16_t approvals;
    struct error ignored;
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(read_target(asking, &target, &approvals, error));
    bool contained = registry_find(server->registry, &target, &found);
    bool proposes = contained && approvals > 1 && !is_proposed(&found, asking->by);
    TRY((proposes ? registry_propose : registry_restore)(server->registry, &target, reason,
                                                         asking->by, clock_now_ns(), error));
    server_wake(server);
    if (contain_settle(server, &ignored) != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=restore: it is written later");
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", target.partner);
    table_set(table, row, 1, "%s", target.agent == NULL ? "*" : target.agent);
    table_set(table, row, 2, proposes ? "proposed" : "active");
    if (target.credential != NULL)
        table_set(table, row, 3, "%s", target.credential);
    if (proposes || found.proposed_by[0] != '\0')
        table_set(table, row, 4, "%s", proposes ? asking->by : found.proposed_by);
    return STATUS_OK;
}

/* ---- reload ---- */

static pthread_mutex_t reload_lock = PTHREAD_MUTEX_INITIALIZER;

enum status admin_reload(struct server *server, struct error *error)
{
    struct tls_set *set = NULL;
    pthread_mutex_lock(&reload_lock);
    trust_watch_now(server->trust_watch);
    enum status status = tls_desk_load(server->tls, &set, error);
    if (status == STATUS_OK)
        status = server_reload(server, error);
    if (status == STATUS_OK) {
        tls_desk_take(server, set); /* certificate and policy, or neither */
        set = NULL;
        status = server_record_act(server, NULL, NULL, "reload", false, error);
    }
    tls_desk_drop(set);
    pthread_mutex_unlock(&reload_lock);
    return status;
}

enum status admin_reload_policy(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"policy", "partners", "datasets", NULL};
    TRY(admin_reload(asking->server, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", snapshot->policy->id);
    table_set(table, row, 1, "%zu", snapshot->policy->partner_count);
    table_set(table, row, 2, "%zu", snapshot->policy->dataset_count);
    snapshot_release(snapshot);
    return STATUS_OK;
}
