/* Walks: look-ups of people one after the other by their keys. Each look-up is an interval of keys
 * (one key, mostly). One that goes on near an end of an earlier one makes that a longer run; in one
 * session, so does the same stride again. Several runs are followed at a time, so that interleaved
 * sessions, descents and noise hide nothing. The owner locks. No memory of its own. */
#ifndef COFFERDAM_WATCH_WALK_H
#define COFFERDAM_WATCH_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WALK_RUNS = 16,
    WALK_SESSIONS = 16,
    WALK_LEAST = 10, /* look-ups on end: fewer are chance */
    WALK_IDLE_HOURS = 1,
};

struct walk_step {
    uint64_t family;   /* of keys that can be compared: walk_key */
    int64_t low, high; /* keys */
    uint64_t session;
    int64_t hour;
    uint32_t reach; /* how far behind an end of a run it may begin */
};

struct walk_run {
    uint64_t family;
    int64_t low, high;
    int64_t hour;    /* of its last step */
    uint32_t length; /* steps; 0: the place is free */
    uint64_t used;   /* grows */
};

struct walk_stride { /* of one session */
    uint64_t session, family;
    int64_t last, stride, hour;
    uint32_t length; /* steps at this stride; 0: the place is free */
    uint64_t used;
};

struct walk {
    struct walk_run runs[WALK_RUNS];
    struct walk_stride strides[WALK_SESSIONS];
    uint64_t clock; /* of `used` */
};

/* How many look-ups are known by this one to be part of a walk: none, it alone, or all since the
 * walk's begin. */
uint32_t walk_take(struct walk *walk, const struct walk_step *step);

/* The number in a key, which is its last run of digits (the last 18 of them), and a hash of kind
 * and all the rest. False for a key without one. */
bool walk_key(uint16_t kind, const char *key, uint64_t *family, int64_t *number);

#endif
