/* Back-off: how long the verdict of a login waits, after failures of the same name and address, of
 * the address, and of the name; and how many wrong keys of cancel requests an address may try.
 * Decision 0026. Invariants: a pair's guesses are answered no faster than its own waits let it,
 * right or wrong; a wrong one waits as long whoever has logged in before; a right one of a pair
 * that has waits for its own failures alone; memory does not grow; the counts that are reported add
 * up to all failures. Times are monotonic. Thread-safe; no I/O. */
#ifndef COFFERDAM_GATEWAY_BACKOFF_H
#define COFFERDAM_GATEWAY_BACKOFF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    BACKOFF_LOGIN_ROOM = 130,
    BACKOFF_MOST_S = 60,         /* a longer wait is refused at once */
    BACKOFF_ALARM_FAILURES = 20, /* of one name within an hour */
    BACKOFF_REPORTS_A_MINUTE = 60,
};

struct backoff; /* owned */
MUST_USE enum status backoff_open(struct backoff **backoff, struct error *error);
void backoff_close(struct backoff *backoff); /* NULL is fine */

/* Who logs in. */
struct backoff_from {
    const char *login;
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d; of IPv6 the first 64 bits count */
    bool known;              /* an agent of the policy is called so */
};

/* Failures that the ledger has not heard of yet. */
struct backoff_report {
    char login[BACKOFF_LOGIN_ROOM]; /* ""; or the agent's, where it is one of the policy */
    struct in6_addr address;        /* zeros: of many */
    uint64_t failures;
};

struct backoff_verdict {
    bool too_many;    /* it is not to be told: there were too many failures */
    uint32_t wait_ms; /* before it is told */
};
/* A proof has been judged. Takes the same steps for all names and both verdicts' failures; what is
 * written about them is written elsewhere and later, so that it does not show in the time. */
void backoff_judge(struct backoff *backoff, const struct backoff_from *from, bool right,
                   int64_t now_ns, struct backoff_verdict *verdict);
/* The verdict was told, and was that the proof is right: the pair begins anew, and is one that has
 * logged in. */
void backoff_passed(struct backoff *backoff, const struct backoff_from *from, int64_t now_ns);
/* What is to be reported by now; all: at the end, whatever has been reported lately. Returns how
 * many reports there are, at most capacity: call again while it is that. */
size_t backoff_reports(struct backoff *backoff, int64_t now_ns, bool all,
                       struct backoff_report *reports, size_t capacity);

/* Logins of agents that have failed BACKOFF_ALARM_FAILURES times within an hour, each once. */
size_t backoff_alarms(struct backoff *backoff, char (*logins)[BACKOFF_LOGIN_ROOM], size_t capacity);

/* ---- cancel requests ---- */
/* May a key from this address be looked at? */
bool backoff_cancel_allowed(struct backoff *backoff, const struct in6_addr *address,
                            int64_t now_ns);
void backoff_cancel_wrong(struct backoff *backoff, const struct in6_addr *address, int64_t now_ns);

/* ---- for staff ---- */
enum backoff_kind { BACKOFF_PAIR, BACKOFF_ADDRESS, BACKOFF_NAME, BACKOFF_CANCEL };
struct backoff_line {
    enum backoff_kind kind;
    char login[BACKOFF_LOGIN_ROOM]; /* as typed; "" where it does not count */
    struct in6_addr address;        /* zeros where it does not count */
    bool known;
    uint32_t failures; /* not forgotten yet */
    uint32_t wait_ms;  /* that the next verdict will wait at least */
};
/* Those with failures, in no order. Returns how many there are. */
size_t backoff_list(struct backoff *backoff, int64_t now_ns, struct backoff_line *lines,
                    size_t capacity);

#endif
