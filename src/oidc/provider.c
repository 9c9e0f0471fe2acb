/* See provider.h. */
#include "oidc/provider.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "http/http.h"
#include "oidc/judge.h"

enum { FETCH_TIMEOUT_MS = 10000, LEAST_AGE_S = 5, RETRY_S = 5, RETRY_MOST_S = 60, URL_ROOM = 2048 };
static const int64_t second_ns = 1000000000;

void provider_open(struct provider *provider, const struct config_oidc *config)
{
    *provider = (struct provider){.config = config};
    buffer_init(&provider->keys, QUESTION_DOCUMENT_BYTES);
}

void provider_close(struct provider *provider)
{
    buffer_free(&provider->keys);
}

/* ---- a fetch ---- */

static enum status get(const struct config_oidc *config, const char *url, const int *stop,
                       struct http_answer *answer, struct error *error)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct http_request request = {.method = HTTP_GET,
                                         .url = url,
                                         .ca = config->ca,
                                         .headers = headers,
                                         .timeout_ms = FETCH_TIMEOUT_MS,
                                         .stop = stop};
    buffer_clear(&answer->body);
    TRY(http_send(&request, answer, error));
    if (answer->code == 200)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "08001", "Is the url right?", "it answers with HTTP %ld",
                     answer->code);
}

static enum status judge_document(const struct config_oidc *config, enum question_kind kind,
                                  struct slice document, struct verdict *verdict,
                                  struct error *error)
{
    struct judge judge;
    const struct question question = {
        .kind = kind, .issuer = slice_of_text(config->issuer), .document = document};
    judge_open(&judge);
    enum status status = judge_ask(&judge, &question, verdict, error);
    judge_close(&judge);
    if (status == STATUS_OK && verdict->kind != VERDICT_GOOD)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "%s", verdict->text);
    return status;
}

/* Where the keys are, by the provider's own description of itself. */
static enum status discover(const struct config_oidc *config, const int *stop,
                            struct http_answer *answer, char url[static QUESTION_TEXT_ROOM],
                            struct error *error)
{
    struct verdict verdict;
    size_t len = strlen(config->issuer);
    while (len > 0 && config->issuer[len - 1] == '/')
        len--;
    if (snprintf(url, URL_ROOM, "%.*s/.well-known/openid-configuration", (int)len,
                 config->issuer) >= URL_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the issuer is too long");
    TRY(get(config, url, stop, answer, error));
    TRY(judge_document(config, QUESTION_DISCOVERY, buffer_slice(&answer->body), &verdict, error));
    snprintf(url, QUESTION_TEXT_ROOM, "%s", verdict.text);
    return STATUS_OK;
}

static enum status fetch_url(const struct config_oidc *config, const int *stop,
                             struct provider_fetched *fetched, struct error *error)
{
    char url[QUESTION_TEXT_ROOM] = "";
    struct http_answer answer = {0};
    enum status status = STATUS_OK;
    buffer_init(&answer.body, QUESTION_DOCUMENT_BYTES);
    if (config->jwks_url == NULL)
        status = discover(config, stop, &answer, url, error);
    if (status == STATUS_OK)
        status =
            get(config, config->jwks_url == NULL ? url : config->jwks_url, stop, &answer, error);
    if (status == STATUS_OK) {
        buffer_append(&fetched->keys, answer.body.data, answer.body.len);
        fetched->max_age_s = answer.max_age_s;
    }
    buffer_free(&answer.body);
    return status;
}

enum status provider_fetch(const struct config_oidc *config, const int *stop,
                           struct provider_fetched *fetched, struct error *error)
{
    struct verdict verdict;
    fetched->max_age_s = -1;
    buffer_init(&fetched->keys, QUESTION_DOCUMENT_BYTES);
    enum status status = config->jwks_file != NULL
                             ? file_read(config->jwks_file, &fetched->keys, error)
                             : fetch_url(config, stop, fetched, error);
    if (status == STATUS_OK)
        status =
            judge_document(config, QUESTION_KEYS, buffer_slice(&fetched->keys), &verdict, error);
    if (status != STATUS_OK)
        error_prefix(error, "the keys of provider %s", config->name);
    return status;
}

/* ---- when ---- */

bool provider_due(const struct provider *provider, int64_t now_ns)
{
    return !provider->fetching && (provider->wanted || now_ns >= provider->next_ns);
}

bool provider_want(struct provider *provider, int64_t now_ns)
{
    if (provider->fetching || provider->wanted || provider->begun_ns == 0)
        return true;
    provider->wanted =
        now_ns - provider->begun_ns >= (int64_t)provider->config->refetch_s * second_ns;
    return provider->wanted;
}

void provider_begin(struct provider *provider, int64_t now_ns)
{
    provider->fetching = true;
    provider->wanted = false;
    provider->begun_ns = now_ns;
}

void provider_end(struct provider *provider, struct provider_fetched *fetched, int64_t now_ns)
{
    const struct config_oidc *config = provider->config;
    int64_t wait_s = config->refresh_s;
    provider->fetching = false;
    if (fetched == NULL) {
        wait_s = (int64_t)RETRY_S << (provider->failures < 4 ? provider->failures : 4);
        provider->failures++;
        if (wait_s > RETRY_MOST_S)
            wait_s = RETRY_MOST_S;
    } else {
        buffer_clear(&provider->keys);
        buffer_append(&provider->keys, fetched->keys.data, fetched->keys.len);
        provider->keys_until_ns = now_ns + (int64_t)config->keep_keys_s * second_ns;
        provider->failures = 0;
        if (fetched->max_age_s >= 0 && fetched->max_age_s < wait_s)
            wait_s = fetched->max_age_s < LEAST_AGE_S ? LEAST_AGE_S : fetched->max_age_s;
    }
    if (wait_s > config->refresh_s)
        wait_s = config->refresh_s;
    provider->next_ns = now_ns + wait_s * second_ns;
}

struct slice provider_keys(const struct provider *provider, int64_t now_ns)
{
    return provider->keys.len == 0 || now_ns >= provider->keys_until_ns
               ? slice_of("", 0)
               : buffer_slice(&provider->keys);
}
