/* Alarms: what must reach a person at once. A desk contains first where the policy says so, then
 * has the ledger and the log hold the alarm, then tells those who are configured to be told
 * (docs/decisions/0030). Any thread may raise one.
 * Invariant: where an alarm contains, that is in force when alarm_raise() returns, whatever disk
 * and network do. No text of an alarm holds a value of the data, nor a secret. */
#ifndef COFFERDAM_ALARM_ALARM_H
#define COFFERDAM_ALARM_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/table.h"
#include "ledger/ledger.h"
#include "policy/config.h"
#include "registry/registry.h"

/* First word of the ledger's act of an alarm, and of a note that somebody has seen to one. */
#define ALARM_ACT              "alarm"
#define ALARM_ACT_ACKNOWLEDGED "alarm-acknowledged"

/* ---- rules ---- */
#define ALARM_CANARY_LOOKED_UP   "canary-looked-up"
#define ALARM_CANARY_CROSSED     "canary-crossed" /* by a partner who was never given it */
#define ALARM_CANARY_MAILED      "canary-mailed"  /* anybody may send mail: it contains nobody */
#define ALARM_BUDGET_WARNING     "budget-warning"
#define ALARM_LOGIN_FAILURES     "login-failures"
#define ALARM_REVOKED_CREDENTIAL "revoked-credential"
#define ALARM_TWO_HOLDERS        "certificate-two-holders" /* a key has signed two requests */
#define ALARM_TOKEN_REPLAYED     "token-replayed"
#define ALARM_LOST               "alarms-lost" /* more were raised at once than there is room for */
#define ALARM_TEST               "test"

enum alarm_contain {
    ALARM_TELL,
    ALARM_CONTAIN_AGENT, /* its whole partner where it names no agent */
    ALARM_CONTAIN_PARTNER,
};

enum { ALARM_TEXT_BYTES = 400, ALARM_ABOUT_BYTES = 80 }; /* what is longer is cut */

/* Borrowed for the call. */
struct alarm {
    const char *rule;            /* one of the above, "anomaly-subjects-per-hour", … */
    const char *partner, *agent; /* agent without its partner's name; each NULL where none */
    const char *about; /* what else tells it from others of its rule ("D-2026-11-22-7F3KQ", a
                          limit's name); NULL: nothing */
    const char *text;  /* one line: which figure passed which bound; no value of the data */
    enum alarm_contain contain;
};

struct alarm_desk; /* owned */

/* Borrowed for the desk's life. */
struct alarm_options {
    const struct config *config;
    struct ledger *ledger;
    struct registry *registry;
    /* Called when something has been contained, by whoever raised; must not wait. */
    void (*wake)(void *context);
    /* Called by the desk's thread for what is in force already: stores it, waits until it is
     * carried out, records it. NULL: it is stored, and nothing else. */
    void (*contain)(void *context, const struct registry_target *target, const char *reason);
    void *context;
};
/* Opens <state folder>/alarms.sqlite and starts the desk's threads. What an earlier process left
 * undelivered goes on. */
MUST_USE enum status alarm_desk_open(const struct alarm_options *options, struct alarm_desk **desk,
                                     struct error *error);
/* All that was raised is in the ledger when it returns; deliveries wait for the next start. NULL is
 * fine. Nobody may raise any more. */
void alarm_desk_close(struct alarm_desk *desk);

/* Any thread; desk NULL: nothing. Never waits for disk or network. The same alarm (rule,
 * partner, agent, about) within the interval is counted, not repeated. */
void alarm_raise(struct alarm_desk *desk, const struct alarm *alarm);

/* As alarm_raise(), for one that only tells: it is stored, or counted as one that is, when this
 * returns. Waits for the disk; any thread but a worker's. *id 0 where it was counted. STATUS_IO
 * where it could not be stored: raise it again. */
MUST_USE enum status alarm_raise_stored(struct alarm_desk *desk, const struct alarm *alarm,
                                        int64_t *id, struct error *error);

/* ---- for staff; any thread, bounded in time by the disk alone ---- */

/* alarm, raised, rule, partner, agent, about, text, contained, repeats, receivers, acknowledged,
 * by, note, sequence — newest first. open_only: without those that somebody has acknowledged. */
MUST_USE enum status alarm_list(struct alarm_desk *desk, bool open_only, struct table *table,
                                struct error *error);
/* alarm, raised, rule, partner, agent, about, text, contained, repeats, acknowledged, by, note,
 * receiver, state, attempts, next, answer, commands (a line each; NULL once somebody has seen to
 * it): one alarm's, a row a receiver; without receivers one row. STATUS_NOT_FOUND 42704. */
MUST_USE enum status alarm_show(struct alarm_desk *desk, int64_t id, struct table *table,
                                struct error *error);
/* Durable in the ledger when it returns. STATUS_NOT_FOUND 42704; STATUS_DENIED 55000 where somebody
 * has done so already. */
MUST_USE enum status alarm_acknowledge(struct alarm_desk *desk, int64_t id, const char *by,
                                       const char *note, struct error *error);
/* Raises an alarm of rule "test", never merely counted; *id to ask alarm_show() about. Receivers
 * that had said 410 are tried again. */
MUST_USE enum status alarm_test(struct alarm_desk *desk, const char *by, int64_t *id,
                                struct error *error);

#endif
