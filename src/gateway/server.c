/* Server: opens what all sessions share, in an order in which each part finds what it stands on,
 * and closes it in the opposite one. */
#include "gateway/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/token.h"
#include "gateway/admin/admin.h"
#include "gateway/trust/canary_watch.h"
#include "gateway/trust/contain.h"
#include "gateway/deliveries.h"
#include "gateway/login/login_token.h"
#include "gateway/descriptors.h"
#include "gateway/gateway.h"
#include "gateway/statement/renew.h"
#include "gateway/login/renewal_desk.h"
#include "gateway/admin/retain.h"
#include "gateway/login/tls_desk.h"
#include "gateway/trust/trust_watch.h"
#include "identity/trust.h"
#include "exposure/kinds.h"
#include "gateway/trust/watching.h"
#include "gateway/worker.h"
#include "watch/watch.h"

struct snapshot *server_snapshot(struct server *server)
{
    pthread_mutex_lock(&server->snapshot_lock);
    struct snapshot *snapshot = snapshot_retain(server->snapshot);
    pthread_mutex_unlock(&server->snapshot_lock);
    return snapshot;
}

void server_wake(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        net_loop_wake(server->workers[i]->loop);
}

void server_live_add(struct server *server, struct server_live *live, const char *login,
                     const struct credential *credential)
{
    live->credential = *credential;
    snprintf(live->login, sizeof live->login, "%s", login);
    pthread_mutex_lock(&server->live_lock);
    live->next = server->live;
    live->link = &server->live;
    if (live->next != NULL)
        live->next->link = &live->next;
    server->live = live;
    live->is_listed = true;
    pthread_mutex_unlock(&server->live_lock);
}

void server_live_remove(struct server *server, struct server_live *live)
{
    if (!live->is_listed)
        return;
    pthread_mutex_lock(&server->live_lock);
    *live->link = live->next;
    if (live->next != NULL)
        live->next->link = live->link;
    live->is_listed = false;
    pthread_mutex_unlock(&server->live_lock);
}

size_t server_live_count(struct server *server, const struct registry_target *target)
{
    const char *partner = target->partner, *agent = target->agent;
    char login[140];
    size_t count = 0;
    int len = snprintf(login, sizeof login, "%s.%s", partner, agent == NULL ? "" : agent);
    pthread_mutex_lock(&server->live_lock);
    for (struct server_live *live = server->live; live != NULL; live = live->next)
        if ((agent == NULL ? strncmp(live->login, login, (size_t)len) == 0
                           : strcmp(live->login, login) == 0) &&
            (target->credential == NULL || strcmp(live->credential.id, target->credential) == 0))
            count++;
    pthread_mutex_unlock(&server->live_lock);
    return count;
}

size_t server_live_count_credential(struct server *server, const uint8_t issuer[static 32],
                                    const char *id)
{
    size_t count = 0;
    pthread_mutex_lock(&server->live_lock);
    for (struct server_live *live = server->live; live != NULL; live = live->next)
        count += strcmp(live->credential.id, id) == 0 &&
                 memcmp(live->credential.issuer, issuer, sizeof live->credential.issuer) == 0;
    pthread_mutex_unlock(&server->live_lock);
    return count;
}

enum status server_record_act(struct server *server, const char *partner, const char *agent,
                              const char *text, bool wait, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(partner == NULL ? "" : partner),
                                 .agent = slice_of_text(agent == NULL ? "" : agent),
                                 .text = slice_of_text(text)};
    uint64_t sequence;
    TRY(ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, error));
    if (wait)
        ledger_wait(server->ledger, sequence);
    return STATUS_OK;
}

void server_token_pad(const struct server *server, const char *partner, const char *domain,
                      bool outer, uint8_t pad[static 64])
{
    uint8_t key[CRYPTO_SHA256_BYTES];
    token_key(server->token_secret, partner, domain, key);
    token_pad(key, outer, pad);
    crypto_wipe(key, sizeof key);
}

/* ---- policy ---- */

static enum status load_snapshot(const struct server *server, uint64_t epoch, struct snapshot **out,
                                 struct error *error)
{
    const struct config *config = server->config;
    const struct policy *policy;
    struct catalog *catalog;
    struct model *model;
    TRY(policy_load(config->policy, &policy, error));
    enum status status = oidc_check_policy(config, policy, error);
    if (status == STATUS_OK)
        status = gateway_catalog_load(config, policy, &catalog, error);
    if (status == STATUS_OK)
        status = model_bind(policy, catalog, &model, error);
    policy_release(policy);
    if (status != STATUS_OK)
        return status;
    struct snapshot *snapshot = snapshot_make(model, epoch);
    if (snapshot == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    status =
        roster_open(snapshot->policy, slice_of(server->mock_secret, sizeof server->mock_secret),
                    &snapshot->roster, error);
    if (status != STATUS_OK) {
        snapshot_release(snapshot);
        return status;
    }
    *out = snapshot;
    return STATUS_OK;
}

/* The policy's text goes into the ledger, in pieces, before it is in force. */
static enum status record_policy(struct server *server, const struct snapshot *snapshot,
                                 struct error *error)
{
    enum { PIECE = 32 * 1024 };
    const struct policy *policy = snapshot->policy;
    uint32_t pieces = (uint32_t)((policy->text_len + PIECE - 1) / PIECE);
    uint64_t sequence = 0;
    for (uint32_t i = 0; i < pieces; i++) {
        size_t at = (size_t)i * PIECE;
        size_t len = policy->text_len - at < PIECE ? policy->text_len - at : PIECE;
        struct ledger_entry entry = {.type = LEDGER_POLICY,
                                     .chunk = i,
                                     .chunk_count = pieces,
                                     .text = slice_of(policy->text + at, len)};
        memcpy(entry.policy_id, snapshot->policy_id, sizeof entry.policy_id);
        TRY(ledger_append(server->ledger, &entry, slice_of(NULL, 0), &sequence, error));
    }
    ledger_wait(server->ledger, sequence);
    return STATUS_OK;
}

enum status server_reload(struct server *server, struct error *error)
{
    struct snapshot *fresh = NULL;
    uint64_t epoch = atomic_load(&server->epoch) + 1;
    TRY(load_snapshot(server, epoch, &fresh, error));
    /* One reload at a time: the snapshot in force stays while we look at it. */
    enum status status = kinds_settle(server->config->state_folder, fresh->policy, error);
    if (status == STATUS_OK)
        status = record_policy(server, fresh, error);
    if (status != STATUS_OK) {
        snapshot_release(fresh);
        return status;
    }
    pthread_mutex_lock(&server->snapshot_lock);
    struct snapshot *old = server->snapshot;
    server->snapshot = fresh;
    atomic_store(&server->epoch, epoch);
    pthread_mutex_unlock(&server->snapshot_lock);
    snapshot_release(old);
    server_wake(server);
    log_event(LOG_INFO, "policy_in_force", "id=%s", fresh->policy->id);
    return STATUS_OK;
}

/* ---- opening ---- */

/* A random secret that stays the same for the life of the state folder. */
static enum status open_secret(const char *folder, const char *name, uint8_t secret[static 32],
                               struct error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!file_exists(path)) {
        char hex[2 * SERVER_SECRET_BYTES + 1];
        uint8_t made[SERVER_SECRET_BYTES];
        crypto_random(made, sizeof made);
        crypto_hex(made, sizeof made, hex);
        enum status status = file_replace(path, slice_of(hex, sizeof hex - 1), 0600, error);
        crypto_wipe(made, sizeof made);
        crypto_wipe(hex, sizeof hex);
        TRY(status);
    }
    return token_secret_read(path, secret, error);
}

static enum status open_tls(struct server *server, struct error *error)
{
    const struct config *config = server->config;
    TRY(tls_desk_open(config, &server->tls, error));
    if (config->listen.client_ca != NULL || config->listen.authority_count > 0)
        TRY(trust_open(config, server->registry, &server->trust, error));
    if (config->upstream.host[0] == '/' || config->upstream.tls_off)
        return STATUS_OK;
    return net_tls_client_open(config->upstream.tls_ca, &server->upstream_tls, error);
}

static enum status replay(void *context, uint64_t sequence, const struct ledger_entry *entry,
                          struct slice side, uint64_t segment, struct error *error)
{
    struct server *server = context;
    TRY(exposure_replay(server->exposure, sequence, entry, side, segment, error));
    watching_replay(server, entry);
    login_token_replay(server, entry);
    return STATUS_OK;
}

static enum status open_ledger(struct server *server, struct error *error)
{
    const struct config *config = server->config;
    char folder[4096], subjects[4096], index[4096];
    snprintf(index, sizeof index, "%s/exposure", config->state_folder);
    snprintf(folder, sizeof folder, "%s/ledger", config->state_folder);
    snprintf(subjects, sizeof subjects, "%s/subjects", config->state_folder);
    TRY(file_make_folder(folder, 0700, error));
    TRY(file_make_folder(subjects, 0700, error));
    TRY(exposure_open(subjects, &server->exposure, error));
    TRY(exposure_use_index(server->exposure, index, folder, error));
    struct ledger_options options = {.folder = folder,
                                     .node = config->ledger.node,
                                     .segment_bytes = config->ledger.segment_bytes,
                                     .pace_us = config->ledger.pace_us,
                                     .signing_key = config->ledger.signing_key,
                                     .checkpoint_every_s = config->ledger.checkpoint_every_s,
                                     .publish_ms =
                                         config->ledger.tiles ? config->ledger.publish_every_ms : 0,
                                     .replay = replay,
                                     .replay_context = server};
    TRY(watching_open(server, error));
    TRY(ledger_open(&options, &server->ledger, error));
    return exposure_attach(server->exposure, server->ledger, error);
}

static void wake_all(void *server)
{
    server_wake(server);
}

/* The alarms' thread: it may wait until sessions and statements have ended. */
static void contain_for_alarm(void *context, const struct registry_target *target,
                              const char *reason)
{
    const struct contain_order order = {.targets = target,
                                        .count = 1,
                                        .reason = reason,
                                        .by = "alarm",
                                        .arrived_ns = clock_monotonic_ns()};
    struct contain_outcome outcome;
    contain_now(context, &order, &outcome);
    if (!outcome.is_stored)
        log_event(LOG_ERROR, "containment_not_stored", "partner=%s reason=\"%s\"", target->partner,
                  outcome.stored.message);
}

static enum status open_alarms(struct server *server, struct error *error)
{
    const struct alarm_options options = {.config = server->config,
                                          .ledger = server->ledger,
                                          .registry = server->registry,
                                          .wake = wake_all,
                                          .contain = contain_for_alarm,
                                          .context = server};
    return alarm_desk_open(&options, &server->alarms, error);
}

static enum status open_state(struct server *server, struct error *error)
{
    const struct config *config = server->config;
    char registry[4096];
    TRY(file_make_folder(config->state_folder, 0700, error));
    TRY(file_make_folder(config->run_folder, 0755, error));
    TRY(open_secret(config->state_folder, "token.key", server->token_secret, error));
    TRY(open_secret(config->state_folder, "login.key", server->mock_secret, error));
    buffer_init(&server->upstream_password, 4096);
    if (config->upstream.password_file != NULL)
        TRY(file_read_secret(config->upstream.password_file, &server->upstream_password, error));
    snprintf(registry, sizeof registry, "%s/registry.sqlite", config->state_folder);
    TRY(registry_open(registry, &server->registry, error));
    TRY(deliveries_desk_open(config->state_folder, &server->deliveries, error));
    TRY(canary_watch_open(&server->canaries, error));
    TRY(canary_watch_load(server->canaries, deliveries_desk_file(server->deliveries), NULL, error));
    TRY(contain_open(server, &server->contain, error));
    TRY(open_tls(server, error));
    TRY(load_snapshot(server, 1, &server->snapshot, error));
    TRY(kinds_settle(config->state_folder, server->snapshot->policy, error));
    atomic_store(&server->epoch, 1);
    if (config->oidc_count > 0) /* the ledger tells it which tokens have been used */
        TRY(oidc_desk_open(config, login_token_answer, server, &server->oidc, error));
    TRY(open_ledger(server, error));
    TRY(open_alarms(server, error));
    TRY(backoff_open(&server->backoff, error));
    TRY(retain_open(server, &server->retain, error));
    return record_policy(server, server->snapshot, error);
}

static enum status start_workers(struct server *server, uint16_t *bound_port, struct error *error)
{
    uint16_t port = server->config->listen.port;
    size_t count = server->config->workers;
    if (count > SERVER_MAX_WORKERS)
        count = SERVER_MAX_WORKERS;
    for (size_t i = 0; i < count; i++) {
        TRY(worker_open(server, (unsigned)i, port, &port, &server->workers[i], error));
        server->worker_count = i + 1;
    }
    if (server->config->issuer_socket != NULL) /* its answers go to workers */
        TRY(renewal_desk_open(server, renew_answered, &server->renewals, error));
    for (size_t i = 0; i < count; i++)
        TRY(worker_run(server->workers[i], error));
    *bound_port = port;
    return STATUS_OK;
}

static void close_server(struct server *server, struct admin *admin)
{
    admin_stop(admin);
    trust_watch_stop(server->trust_watch);
    retain_close(server->retain);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_stop(server->workers[i]);
    oidc_desk_close(server->oidc);
    renewal_desk_close(server->renewals);
    if (server->worker_count > 0)
        login_report_failures(server, true);
    alarm_desk_close(server->alarms);
    struct error ignored;
    if (server->ledger != NULL) {
        if (server->worker_count > 0 &&
            server_record_act(server, NULL, NULL, "stop", true, &ignored) != STATUS_OK)
            log_event(LOG_WARNING, "stop_not_recorded", "reason=\"%s\"", ignored.message);
        exposure_close(server->exposure);
        ledger_close(server->ledger);
    }
    for (size_t i = 0; i < server->worker_count; i++)
        worker_free(server->workers[i]);
    if (server->registry != NULL)
        registry_close(server->registry);
    deliveries_desk_close(server->deliveries);
    canary_watch_close(server->canaries);
    contain_close(server->contain);
    tls_desk_close(server->tls);
    watch_free(server->watch);
    trust_close(server->trust);
    net_tls_release(server->upstream_tls);
    snapshot_release(server->snapshot);
    backoff_close(server->backoff);
    crypto_wipe(server->token_secret, sizeof server->token_secret);
    if (server->upstream_password.data != NULL)
        crypto_wipe(server->upstream_password.data, server->upstream_password.len);
    buffer_free(&server->upstream_password);
}

static void wait_for_signals(struct server *server, const sigset_t *signals)
{
    for (;;) {
        int signal_number = 0;
        if (sigwait(signals, &signal_number) != 0)
            continue;
        if (signal_number != SIGHUP) {
            log_event(LOG_INFO, "stopping", "signal=%d", signal_number);
            return;
        }
        struct error error;
        if (admin_reload(server, &error) != STATUS_OK)
            log_event(LOG_ERROR, "reload_refused", "reason=\"%s\" hint=\"%s\"", error.message,
                      error.hint);
    }
}

enum status gateway_run(struct config *config, struct error *error)
{
    struct server *server = calloc(1, sizeof *server);
    struct admin *admin = NULL;
    uint16_t port = 0;
    if (server == NULL) {
        config_free(config);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    server->config = config;
    server->started_ns = clock_now_ns();
    server->clock_line = clock_line(INT64_MIN);
    pthread_mutex_init(&server->snapshot_lock, NULL);
    pthread_mutex_init(&server->live_lock, NULL);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: all inherit it */
    signal(SIGPIPE, SIG_IGN);
    enum status status = descriptors_raise(config, error);
    if (status == STATUS_OK)
        status = open_state(server, error);
    if (status == STATUS_OK)
        status = server_record_act(server, NULL, NULL, "start", true, error);
    struct error unsettled; /* what was contained meanwhile is in force, whatever the ledger says */
    if (status == STATUS_OK && contain_settle(server, &unsettled) != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=containment: it is written later");
    if (status == STATUS_OK)
        status = start_workers(server, &port, error);
    if (status == STATUS_OK && server->trust != NULL)
        status = trust_watch_start(server, &server->trust_watch, error);
    if (status == STATUS_OK)
        status = admin_start(server, &admin, error);
    if (status == STATUS_OK) {
        log_event(LOG_INFO, "listening", "address=%s port=%u workers=%zu", config->listen.address,
                  port, server->worker_count);
        wait_for_signals(server, &signals);
    }
    close_server(server, admin);
    free(server);
    config_free(config);
    return status;
}
