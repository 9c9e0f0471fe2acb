/* For staff: what a token would be; and whether a policy fits the configuration. See oidc.h. */
#include "oidc/oidc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "oidc/judge.h"
#include "oidc/provider.h"

struct oidc_check {
    const struct config_oidc *config;
    struct provider_fetched fetched;
    struct judge judge;
};

static enum status check_agent(const struct config *config, const struct policy_agent *agent,
                               struct error *error)
{
    for (size_t i = 0; i < config->oidc_count; i++)
        if (strcmp(config->oidc[i].name, agent->oidc->provider) == 0)
            return STATUS_OK;
    return error_set(error, STATUS_INVALID, "F0000",
                     "name it in cofferdam.yaml, oidc: {NAME: {issuer: …, audience: …, …}}",
                     "agent %s has tokens of provider \"%.80s\", which is not configured",
                     agent->login, agent->oidc->provider);
}

enum status oidc_check_policy(const struct config *config, const struct policy *policy,
                              struct error *error)
{
    for (size_t p = 0; p < policy->partner_count; p++)
        for (size_t i = 0; i < policy->partners[p].agent_count; i++)
            if (policy->partners[p].agents[i].oidc != NULL)
                TRY(check_agent(config, &policy->partners[p].agents[i], error));
    return STATUS_OK;
}

enum status oidc_check_open(const struct config_oidc *provider, struct oidc_check **out,
                            struct error *error)
{
    struct oidc_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return error_no_memory(error);
    check->config = provider;
    judge_open(&check->judge);
    enum status status = provider_fetch(provider, NULL, &check->fetched, error);
    if (status == STATUS_OK)
        *out = check;
    else
        oidc_check_close(check);
    return status;
}

void oidc_check_close(struct oidc_check *check)
{
    if (check == NULL)
        return;
    buffer_free(&check->fetched.keys);
    judge_close(&check->judge);
    free(check);
}

enum status oidc_check_ask(struct oidc_check *check, const struct policy_oidc *oidc,
                           struct slice token, struct oidc_finding *finding, struct error *error)
{
    const struct config_oidc *config = check->config;
    struct verdict verdict;
    struct question question = {.kind = QUESTION_TOKEN,
                                .now_s = clock_now_ns() / 1000000000,
                                .skew_s = config->skew_s,
                                .max_lifetime_s = config->max_lifetime_s,
                                .issuer = slice_of_text(config->issuer),
                                .audience = slice_of_text(config->audience),
                                .typ = slice_of_text(config->typ == NULL ? "" : config->typ),
                                .token = token,
                                .document = buffer_slice(&check->fetched.keys),
                                .claim_count = oidc == NULL ? 0 : oidc->claim_count};
    CHECK(question.claim_count <= QUESTION_CLAIMS_MAX);
    if (oidc != NULL)
        memcpy(question.claims, oidc->claims, oidc->claim_count * sizeof question.claims[0]);
    TRY(judge_ask(&check->judge, &question, &verdict, error));
    *finding = (struct oidc_finding){.good = verdict.kind == VERDICT_GOOD,
                                     .of_provider = verdict.kind == VERDICT_OTHER,
                                     .expires_s = verdict.expires_s};
    if (finding->good || finding->of_provider)
        crypto_hex(verdict.id, sizeof verdict.id, finding->id);
    snprintf(finding->why, sizeof finding->why, "%.255s", verdict.text);
    return STATUS_OK;
}
