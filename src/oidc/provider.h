/* A provider's keys, and when to fetch them: from a file, a URL, or where discovery says. What is
 * kept is what cofferdam-token found usable. Guarded by its owner, but for provider_fetch, which
 * waits and reads nothing that changes. Private to oidc/. */
#ifndef COFFERDAM_OIDC_PROVIDER_H
#define COFFERDAM_OIDC_PROVIDER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"
#include "policy/config.h"

struct provider {
    const struct config_oidc *config;
    struct buffer keys;    /* the key set, as it came; empty: none was ever fetched */
    int64_t keys_until_ns; /* monotonic, as all instants here; no key counts after it */
    int64_t begun_ns;      /* the last fetch; 0: none */
    int64_t next_ns;       /* when the next is due by itself */
    unsigned failures;     /* in a row */
    bool fetching, wanted; /* wanted: somebody has asked, and none is under way */
};

struct provider_fetched {
    struct buffer keys;
    int64_t max_age_s; /* -1: it was not said */
};

void provider_open(struct provider *provider, const struct config_oidc *config);
void provider_close(struct provider *provider);

/* Fetches and judges. stop: see http_request. The caller frees fetched->keys, also on failure. */
MUST_USE enum status provider_fetch(const struct config_oidc *config, const int *stop,
                                    struct provider_fetched *fetched, struct error *error);

bool provider_due(const struct provider *provider, int64_t now_ns);
/* An unknown key, or none at all: may a fetch be asked for? Sets `wanted` where it may be; true
 * also where one is under way. */
bool provider_want(struct provider *provider, int64_t now_ns);
void provider_begin(struct provider *provider, int64_t now_ns);
/* Takes the keys over where the fetch succeeded (fetched not NULL), and plans the next. */
void provider_end(struct provider *provider, struct provider_fetched *fetched, int64_t now_ns);
/* The keys in force; empty where there are none (any more). */
struct slice provider_keys(const struct provider *provider, int64_t now_ns);

#endif
