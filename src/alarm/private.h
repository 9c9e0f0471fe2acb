/* What the files of alarm/ share. `lock` guards the queue, what is known and the threads' flags;
 * `file_lock` the file. Nobody holds both, and nobody waits for disk or network under `lock`. */
#ifndef COFFERDAM_ALARM_PRIVATE_H
#define COFFERDAM_ALARM_PRIVATE_H

#include <pthread.h>
#include <stddef.h>

#include "alarm/alarm.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "registry/alarms.h"

enum {
    ALARM_RULE_BYTES = 64,
    ALARM_QUEUE_MOST = 100,
    ALARM_PARTNER_MOST = 50, /* of the queue, of one partner's */
    ALARM_KNOWN_MOST = 512,
};

/* An alarm with texts of its own. */
struct alarm_copy {
    char rule[ALARM_RULE_BYTES + 1];
    char partner[LIMIT_NAME_BYTES + 1], agent[LIMIT_NAME_BYTES + 1];
    char about[ALARM_ABOUT_BYTES + 1], text[ALARM_TEXT_BYTES + 1];
};

struct alarm_raised {
    struct alarm_raised *next;
    struct alarm_copy alarm;
    int64_t raised_ns;
    enum alarm_contain contained; /* that this very one did; ALARM_TELL: nobody */
};

/* One that was raised within the interval: the same again is counted. */
struct alarm_known {
    struct alarm_copy alarm;
    int64_t id; /* 0: not stored yet */
    int64_t since_ns;
    int64_t repeats, stored; /* counted since; of these, in the file */
};

struct alarm_desk;
enum courier_result { COURIER_TAKEN, COURIER_FAILED, COURIER_STOPPED /* it wants no more */ };

/* A receiver, and the thread that brings it what waits. Names and place are constant. */
struct alarm_courier {
    struct alarm_desk *desk;
    const char *name, *place; /* "webhook" and its url; "mail" and its address */
    enum courier_result (*deliver)(struct alarm_desk *desk, const struct alarms_entry *alarm,
                                   char *answer);
    pthread_t thread;
    pthread_cond_t woken; /* with the desk's lock */
    bool is_started;
    bool has_news; /* the desk's lock */
};

enum { ALARM_COURIERS = 2 };

struct alarm_desk {
    struct alarm_options options;
    int64_t interval_ns;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool started, closing;                      /* lock */
    struct alarm_raised *first, *last;          /* lock; the queue */
    size_t queued;                              /* lock */
    int64_t lost;                               /* lock; raised since the last look, without room */
    struct alarm_known known[ALARM_KNOWN_MOST]; /* lock */
    size_t known_count;                         /* lock */
    int stop;                                   /* can be read once the desk closes */
    struct alarm_courier couriers[ALARM_COURIERS];
    const char *receivers[ALARM_COURIERS]; /* their names */
    size_t courier_count;                  /* constant once opened */
    pthread_mutex_t file_lock;
    struct alarms *file; /* file_lock */
};

/* ---- record.c ---- */

/* Stores it, has it durable in the ledger, logs it. Blocks on the disk; any thread. *id 0 where the
 * file did not take it: the ledger and the log have it then. */
void alarm_record(struct alarm_desk *desk, const struct alarm_raised *raised, int64_t *id);
/* What an earlier process stored and did not get into the ledger. */
MUST_USE enum status alarm_record_rest(struct alarm_desk *desk, struct error *error);
/* ---- courier.c ---- */

void alarm_couriers_open(struct alarm_desk *desk, const pthread_condattr_t *attributes);
MUST_USE enum status alarm_couriers_start(struct alarm_desk *desk, struct error *error);
/* Something waits for the receivers. */
void alarm_couriers_wake(struct alarm_desk *desk);
/* Once the desk is closing and `stop` can be read. */
void alarm_couriers_join(struct alarm_desk *desk);

/* ---- advice.c ---- */

/* Commands, a line each. */
void alarm_advise(const struct alarms_entry *alarm, struct buffer *out);

#endif
