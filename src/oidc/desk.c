/* The desk: see oidc.h. A login waits in the queue for the judge, or is parked at its provider
 * until a fetch of the keys has ended; it is parked once at most for a key that is not known. */
#include "oidc/oidc.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "oidc/judge.h"
#include "oidc/provider.h"
#include "oidc/replays.h"

enum { LOGINS_MAX = 256, LOGIN_BYTES = QUESTION_TOKEN_BYTES + 16 * 1024 };
static const int64_t second_ns = 1000000000;

struct login {
    struct login *next;
    struct line *line;
    struct buffer question; /* a frame, without keys and time */
    struct in6_addr address;
    struct oidc_answer answer;
    bool single_use, nobody;
    bool refetched; /* for a key that was not known */
};

struct line { /* one provider's, guarded by the desk's lock but for its thread */
    struct provider provider;
    struct oidc_desk *desk;
    pthread_t thread;
    bool running;
    pthread_cond_t wake;
    struct login *parked;
};

struct oidc_desk {
    oidc_answer_fn *answer;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    bool running, stop;
    int stop_fd; /* can be read once `stop` is set */
    struct login *first, **last;
    size_t login_count; /* waiting, parked or being judged */
    struct line lines[CONFIG_PROVIDERS];
    size_t line_count;
    struct replays replays; /* the judging thread's, as all that follows */
    struct judge judge;
    struct buffer keys;
};

static void login_free(struct login *login)
{
    if (login->question.data != NULL)
        crypto_wipe(login->question.data, login->question.len);
    buffer_free(&login->question);
    free(login);
}

static void logins_free(struct login *login)
{
    while (login != NULL) {
        struct login *next = login->next;
        login_free(login);
        login = next;
    }
}

/* Under the lock. */
static void queue(struct oidc_desk *desk, struct login *login)
{
    login->next = NULL;
    *desk->last = login;
    desk->last = &login->next;
    pthread_cond_signal(&desk->work);
}

/* ---- one login ---- */

static void answer(struct oidc_desk *desk, struct login *login, enum oidc_outcome outcome,
                   const char *why)
{
    login->answer.outcome = outcome;
    snprintf(login->answer.why, sizeof login->answer.why, "%.*s", (int)sizeof login->answer.why - 1,
             why);
    desk->answer(desk->context, &login->answer);
    login_free(login);
    pthread_mutex_lock(&desk->lock);
    desk->login_count--;
    pthread_mutex_unlock(&desk->lock);
}

/* Leaves the login with its provider until its keys have been fetched; false where they are not. */
static bool park(struct oidc_desk *desk, struct login *login)
{
    struct line *line = login->line;
    pthread_mutex_lock(&desk->lock);
    bool wanted = provider_want(&line->provider, clock_monotonic_ns());
    if (wanted) {
        login->next = line->parked;
        line->parked = login;
        pthread_cond_signal(&line->wake);
    }
    pthread_mutex_unlock(&desk->lock);
    return wanted;
}

static bool copy_keys(struct oidc_desk *desk, struct line *line)
{
    buffer_clear(&desk->keys);
    pthread_mutex_lock(&desk->lock);
    struct slice keys = provider_keys(&line->provider, clock_monotonic_ns());
    buffer_append(&desk->keys, keys.data, keys.len);
    pthread_mutex_unlock(&desk->lock);
    return desk->keys.len > 0;
}

static void admit(struct oidc_desk *desk, struct login *login, const struct verdict *verdict)
{
    static const char *const words[] = {
        [REPLAYS_FINE] = "",
        [REPLAYS_ELSEWHERE] = "the token was shown from another address before",
        [REPLAYS_USED] = "the token has opened the one session that it may",
        [REPLAYS_FULL] = "too many tokens are in use",
    };
    struct credential *credential = &login->answer.credential;
    struct slice issuer = slice_of_text(login->line->provider.config->issuer);
    *credential =
        (struct credential){.kind = CREDENTIAL_TOKEN, .expires_ns = verdict->expires_s * second_ns};
    crypto_hex(verdict->id, sizeof verdict->id, credential->id);
    crypto_sha256(&issuer, 1, credential->issuer);
    if (login->nobody) {
        answer(desk, login, OIDC_REFUSED, "there is no such agent");
        return;
    }
    enum replays_found found =
        replays_take(&desk->replays, verdict->id, &login->address, verdict->expires_s,
                     clock_now_ns() / second_ns, login->single_use);
    answer(desk, login,
           found == REPLAYS_FINE   ? OIDC_ADMITTED
           : found == REPLAYS_FULL ? OIDC_AWAY
                                   : OIDC_REPLAYED,
           words[found]);
}

static void judge_login(struct oidc_desk *desk, struct login *login)
{
    const struct config_oidc *config = login->line->provider.config;
    struct question question;
    struct verdict verdict;
    struct error error;
    if (!copy_keys(desk, login->line)) {
        if (!park(desk, login))
            answer(desk, login, OIDC_AWAY, "the provider's keys are not known");
        return;
    }
    CHECK(question_read(slice_of(login->question.data + 4, login->question.len - 4), &question) ==
          STATUS_OK);
    question.now_s = clock_now_ns() / second_ns;
    question.skew_s = config->skew_s;
    question.max_lifetime_s = config->max_lifetime_s;
    question.document = buffer_slice(&desk->keys);
    if (judge_ask(&desk->judge, &question, &verdict, &error) != STATUS_OK) {
        answer(desk, login, OIDC_AWAY, error.message);
        return;
    }
    if (verdict.kind == VERDICT_UNKNOWN_KEY && !login->refetched) {
        login->refetched = true;
        if (park(desk, login))
            return;
    }
    if (verdict.kind == VERDICT_GOOD)
        admit(desk, login, &verdict);
    else
        answer(desk, login, verdict.kind == VERDICT_EXPIRED ? OIDC_EXPIRED : OIDC_REFUSED,
               verdict.text);
}

static void *judge_main(void *context)
{
    struct oidc_desk *desk = context;
    pthread_mutex_lock(&desk->lock);
    while (!desk->stop) {
        struct login *login = desk->first;
        if (login == NULL) {
            pthread_cond_wait(&desk->work, &desk->lock);
            continue;
        }
        desk->first = login->next;
        if (desk->first == NULL)
            desk->last = &desk->first;
        pthread_mutex_unlock(&desk->lock);
        judge_login(desk, login);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* ---- one provider ---- */

static void tell(const struct provider *provider, const struct provider_fetched *fetched,
                 const struct error *error)
{
    if (fetched == NULL)
        log_event(LOG_WARNING, "oidc_keys_failed", "provider=%s reason=\"%s\"",
                  provider->config->name, error->message);
    else if (!slice_equal(buffer_slice(&fetched->keys), buffer_slice(&provider->keys)))
        log_event(LOG_INFO, "oidc_keys", "provider=%s %s", provider->config->name,
                  provider->keys.len == 0 ? "loaded" : "changed");
}

/* Under the lock, which it gives up while it waits for the network. */
static void fetch(struct line *line)
{
    struct oidc_desk *desk = line->desk;
    struct provider *provider = &line->provider;
    struct provider_fetched fetched;
    struct error error;
    provider_begin(provider, clock_monotonic_ns());
    pthread_mutex_unlock(&desk->lock);
    bool fine = provider_fetch(provider->config, &desk->stop_fd, &fetched, &error) == STATUS_OK;
    pthread_mutex_lock(&desk->lock);
    if (!desk->stop)
        tell(provider, fine ? &fetched : NULL, &error);
    provider_end(provider, fine ? &fetched : NULL, clock_monotonic_ns());
    buffer_free(&fetched.keys);
    while (line->parked != NULL) {
        struct login *login = line->parked;
        line->parked = login->next;
        queue(desk, login);
    }
}

static void *provider_main(void *context)
{
    struct line *line = context;
    struct oidc_desk *desk = line->desk;
    pthread_mutex_lock(&desk->lock);
    while (!desk->stop) {
        if (provider_due(&line->provider, clock_monotonic_ns())) {
            fetch(line);
            continue;
        }
        const struct timespec until = {.tv_sec = line->provider.next_ns / second_ns,
                                       .tv_nsec = line->provider.next_ns % second_ns};
        pthread_cond_timedwait(&line->wake, &desk->lock, &until);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* ---- the desk ---- */

static void open_line(struct oidc_desk *desk, const struct config_oidc *config)
{
    struct line *line = &desk->lines[desk->line_count++];
    pthread_condattr_t attributes;
    line->desk = desk;
    provider_open(&line->provider, config);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&line->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static enum status start_threads(struct oidc_desk *desk, struct error *error)
{
    int failed = pthread_create(&desk->thread, NULL, judge_main, desk);
    desk->running = failed == 0;
    for (size_t i = 0; failed == 0 && i < desk->line_count; i++) {
        struct line *line = &desk->lines[i];
        failed = pthread_create(&line->thread, NULL, provider_main, line);
        line->running = failed == 0;
    }
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "pthread_create");
}

enum status oidc_desk_open(const struct config *config, oidc_answer_fn *answer_fn, void *context,
                           struct oidc_desk **out, struct error *error)
{
    struct oidc_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_no_memory(error);
    CHECK(config->oidc_count <= CONFIG_PROVIDERS);
    *desk = (struct oidc_desk){.answer = answer_fn, .context = context, .last = &desk->first};
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->work, NULL);
    replays_open(&desk->replays);
    judge_open(&desk->judge);
    buffer_init(&desk->keys, QUESTION_DOCUMENT_BYTES);
    for (size_t i = 0; i < config->oidc_count; i++)
        open_line(desk, &config->oidc[i]);
    desk->stop_fd = eventfd(0, EFD_CLOEXEC);
    enum status status = desk->stop_fd < 0 ? error_set_errno(error, errno, "cannot make an eventfd")
                                           : start_threads(desk, error);
    if (status == STATUS_OK)
        *out = desk;
    else
        oidc_desk_close(desk);
    return status;
}

static void stop_threads(struct oidc_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->stop = true;
    pthread_cond_signal(&desk->work);
    for (size_t i = 0; i < desk->line_count; i++)
        pthread_cond_signal(&desk->lines[i].wake);
    pthread_mutex_unlock(&desk->lock);
    if (desk->stop_fd >= 0)
        CHECK(eventfd_write(desk->stop_fd, 1) == 0);
    for (size_t i = 0; i < desk->line_count; i++)
        if (desk->lines[i].running)
            pthread_join(desk->lines[i].thread, NULL);
    if (desk->running)
        pthread_join(desk->thread, NULL);
}

void oidc_desk_close(struct oidc_desk *desk)
{
    if (desk == NULL)
        return;
    stop_threads(desk);
    logins_free(desk->first);
    for (size_t i = 0; i < desk->line_count; i++) {
        logins_free(desk->lines[i].parked);
        provider_close(&desk->lines[i].provider);
        pthread_cond_destroy(&desk->lines[i].wake);
    }
    if (desk->stop_fd >= 0)
        close(desk->stop_fd);
    buffer_free(&desk->keys);
    judge_close(&desk->judge);
    replays_close(&desk->replays);
    pthread_cond_destroy(&desk->work);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* ---- asking ---- */

/* The judging thread has nothing to do yet, and sees this behind the lock when it has. The clocks'
 * skew that is allowed may have been less when the token was judged. */
void oidc_desk_remember(struct oidc_desk *desk, struct slice id, const struct in6_addr *address,
                        int64_t expires_ns)
{
    uint8_t bytes[REPLAYS_ID_BYTES];
    int64_t now_s = clock_now_ns() / second_ns;
    int64_t expires_s = expires_ns / second_ns + CONFIG_OIDC_SKEW_MOST_S;
    if (expires_s <= now_s || id.len != 2 * sizeof bytes || !crypto_unhex(id, bytes, sizeof bytes))
        return;
    pthread_mutex_lock(&desk->lock);
    enum replays_found found =
        replays_take(&desk->replays, bytes, address, expires_s, now_s, false);
    pthread_mutex_unlock(&desk->lock);
    if (found == REPLAYS_FULL)
        log_event(LOG_ERROR, "token_forgotten", "reason=\"too many tokens are in use\"");
}

static struct line *find_line(struct oidc_desk *desk, const char *name)
{
    for (size_t i = 0; i < desk->line_count; i++)
        if (strcmp(desk->lines[i].provider.config->name, name) == 0)
            return &desk->lines[i];
    return NULL;
}

static struct login *login_make(struct line *line, const struct oidc_login *asked)
{
    struct login *login = calloc(1, sizeof *login);
    if (login == NULL)
        return NULL;
    const struct config_oidc *config = line->provider.config;
    struct question question = {.kind = QUESTION_TOKEN,
                                .issuer = slice_of_text(config->issuer),
                                .audience = slice_of_text(config->audience),
                                .typ = slice_of_text(config->typ == NULL ? "" : config->typ),
                                .token = asked->token,
                                .claim_count = asked->oidc->claim_count};
    CHECK(question.claim_count <= QUESTION_CLAIMS_MAX);
    memcpy(question.claims, asked->oidc->claims, question.claim_count * sizeof question.claims[0]);
    login->line = line;
    login->address = asked->address;
    login->single_use = asked->oidc->single_use;
    login->nobody = asked->nobody;
    login->answer = (struct oidc_answer){.worker = asked->worker, .session = asked->session};
    buffer_init(&login->question, LOGIN_BYTES);
    question_put(&question, &login->question);
    if (!login->question.overflowed)
        return login;
    login_free(login);
    return NULL;
}

enum status oidc_desk_ask(struct oidc_desk *desk, const struct oidc_login *asked,
                          struct error *error)
{
    struct line *line = find_line(desk, asked->oidc->provider);
    if (line == NULL)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "provider %s is not configured",
                         asked->oidc->provider);
    struct login *login = login_make(line, asked);
    if (login == NULL)
        return error_set(error, STATUS_LIMIT, "53400", NULL, "the token is too long");
    pthread_mutex_lock(&desk->lock);
    bool room = desk->login_count < LOGINS_MAX;
    if (room) {
        desk->login_count++;
        queue(desk, login);
    }
    pthread_mutex_unlock(&desk->lock);
    if (room)
        return STATUS_OK;
    login_free(login);
    return error_set(error, STATUS_LIMIT, "53400", "try again in a moment",
                     "too many tokens are being judged");
}
