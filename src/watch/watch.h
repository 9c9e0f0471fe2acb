/* Watch: what each agent does in an hour, held against its own history: rates, and what is new.
 * docs/decisions/0031 says how bounds are made. All of it follows from the ledger's entries, by
 * the same function live and in a replay. No I/O; nothing here raises an alarm: the caller does.
 * Thread-safe: a lock for the names, held for a look-up, and one an agent, held while an entry is
 * counted; subject sets and keys are read before.
 * Memory: about 16 KiB an agent, and of the hour at hand 8 KiB for each 65,536 ids met, twice
 * for those met in look-ups of few. */
#ifndef COFFERDAM_WATCH_WATCH_H
#define COFFERDAM_WATCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/ledger.h"
#include "policy/policy.h"

/* The first line of the act that opens a session; LEDGER-FORMAT.md has the others. */
#define WATCH_ACT_OPENED "session-opened"

struct watch; /* owned */

/* What entries name by number. */
struct watch_sources {
    void *context;
    /* Text of a column set that no entry taken has defined; NULL: unknown. */
    const char *(*columns)(void *context, uint32_t column_set);
    /* The subject's key; false where it is erased or unknown. */
    bool (*key)(void *context, uint32_t id, uint16_t *kind, char key[static 256]);
};

MUST_USE enum status watch_new(struct watch **watch, struct error *error);
void watch_free(struct watch *watch); /* NULL is fine */
/* Before the first entry, and again where they change; not while entries are taken. */
void watch_know(struct watch *watch, const struct watch_sources *sources);

enum watch_mode {
    WATCH_REPLAY, /* count: nothing is judged */
    WATCH_TEST,   /* judge, as if nothing were withheld */
    WATCH_LIVE,   /* judge; rows that are withheld do not count */
};

enum { WATCH_TEXT_ROOM = 320 };
struct watch_alarm {
    enum policy_anomaly rule;
    uint64_t figure, bound;
    bool contain;
    char text[WATCH_TEXT_ROOM]; /* which figure passed which bound; no value of the data */
};
struct watch_verdict {
    bool contain; /* withhold what the entry tells of: by an alarm below, or by one before */
    size_t count;
    struct watch_alarm alarms[POLICY_ANOMALIES];
};

/* Takes what an entry says of an agent: DISCLOSURE, PROBE, REFUSAL, and the act of a login; others
 * pass. Live it comes before the entry is written, and an entry that is to be split is taken whole;
 * it then need not be a closing one to have the column set of all that the statement could read.
 * agent: as the policy knows it, of partner; both NULL: it is judged by nothing, and walks are
 * looked for at the default step. */
void watch_take(struct watch *watch, const struct policy_partner *partner,
                const struct policy_agent *agent, enum watch_mode mode,
                const struct ledger_entry *entry, struct watch_verdict *verdict);

/* How one rule stands for an agent. */
struct watch_figure {
    uint64_t now;        /* in this hour; of what is new: how much was */
    uint64_t bound;      /* of a rate */
    uint64_t greatest;   /* hour of the history; of columns and networks: how many are known; of
                            hours:   quarters at work */
    int32_t greatest_on; /* day since 1970 */
    bool alarmed;        /* in this hour */
};
struct watch_standing {
    bool known;           /* it has done something */
    bool learned;         /* its history counts */
    uint32_t worked_days; /* before today */
    int64_t first_ns;     /* of what the ledger still has; INT64_MAX: nothing */
    struct watch_figure figures[POLICY_ANOMALIES];
};
void watch_standing(struct watch *watch, const struct policy_partner *partner,
                    const struct policy_agent *agent, int64_t now_ns,
                    struct watch_standing *standing);

/* The zone in which an agent's hours are: of its own hours, or else of its partner's budget. *name
 * (may be NULL) is for people. NULL: UTC. */
const struct zone *watch_zone(const struct policy_partner *partner,
                              const struct policy_agent *agent, const char **name);
/* The alarm's name: "anomaly-subjects-per-hour". */
const char *watch_rule_name(enum policy_anomaly rule);

#endif
