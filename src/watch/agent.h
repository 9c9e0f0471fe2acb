/* One agent under watch. Private to watch/. */
#ifndef COFFERDAM_WATCH_AGENT_H
#define COFFERDAM_WATCH_AGENT_H

#include <netinet/in.h>
#include <pthread.h>

#include "exposure/id_seen.h"
#include "watch/history.h"
#include "watch/intake.h"
#include "watch/seen.h"
#include "watch/walk.h"
#include "watch/watch.h"

enum {
    WATCH_NETWORKS = 128,
    WATCH_NEW_ROOM = 200,
    WATCH_STEPS = 32, /* of one entry: look-ups of people who were not asked for before */
    WATCH_NEW_KINDS = POLICY_ANOMALIES - POLICY_ANOMALY_RATES,
};

struct watch_network {
    struct in6_addr prefix; /* /24 of IPv4, else /48 */
    int64_t last_ns;
};

struct watch_agent {
    pthread_mutex_t lock; /* of all that follows */
    struct history history;
    struct walk walk;
    struct seen columns;     /* hashes of dataset, column and form */
    struct seen column_sets; /* all of whose columns are known */
    struct watch_network networks[WATCH_NETWORKS];
    size_t network_count;

    int64_t hour; /* at hand, since 1970; INT64_MIN: none */
    uint64_t counts[POLICY_ANOMALIES];
    struct id_seen *people;                 /* of the hour; NULL: nobody */
    struct id_seen *asked;                  /* in the hour by look-ups; NULL: nobody */
    int64_t alarmed_hour[POLICY_ANOMALIES]; /* INT64_MIN: never */
    /* Live: once it is to be contained, sessions up to this one get nothing any more. */
    uint64_t newest_session, cut_session;
};

/* Of what an entry changed. */
struct watch_change {
    uint64_t before[POLICY_ANOMALIES];               /* counts of the hour, before the entry */
    char first_new[WATCH_NEW_KINDS][WATCH_NEW_ROOM]; /* of columns, hours, networks: the first */
};

/* judge.c: which of its bounds has the agent passed by this change? Locked by the caller. */
void watch_judge(struct watch_agent *state, const struct policy_partner *partner,
                 const struct watch_change *change, struct watch_verdict *verdict);
/* The bound of a rate, on the day of the hour at hand. */
uint64_t watch_bound(struct watch_agent *state, const struct policy_partner *partner,
                     enum policy_anomaly rate, int32_t day);
bool watch_learned(const struct watch_agent *state, const struct policy_anomalies *anomalies,
                   int32_t day);

#endif
