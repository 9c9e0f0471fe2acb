/* What release.c and release_judge.c share: one release under way. */
#ifndef COFFERDAM_GATEWAY_RELEASE_PRIVATE_H
#define COFFERDAM_GATEWAY_RELEASE_PRIVATE_H

#include "gateway/release/release.h"

/* How the members of one hidden column on one row are recorded: in a grade, or not at all (a group
 * that is suppressed; a set that is only a threshold). Influence of so few that it tells something
 * of each is charged as direct is, and told from the other by its k, which is 0. */
enum lot {
    LOT_NONE = 0,
    LOT_DIRECT = PLAN_GRADE_DIRECT,
    LOT_AGGREGATE = PLAN_GRADE_AGGREGATE,
    LOT_WITNESS = PLAN_GRADE_WITNESS,
    LOT_INFLUENCE = PLAN_GRADE_INFLUENCE,
    LOT_NARROW, /* influence of fewer than min_subjects */
    LOTS,
};

/* What happens to one row. */
struct row_fate {
    bool suppressed;  /* a small group: neither sent nor recorded */
    bool sent;        /* otherwise recorded only (skipped by OFFSET, past a LIMIT of ours) */
    uint32_t members; /* of its smallest set */
    enum plan_grade grade;
};

/* People by whom a statistic differs from earlier ones: charged with its row. */
struct differing {
    struct differing *next;
    size_t place, hidden;
    uint32_t *ids; /* each once, ascending */
    size_t count;
};

/* One release, from start to end. Lives in the batch's arena. Place 0 is the statement, whose
 * `once` sets come with its first row; place r + 1 is row r. */
struct release_work {
    struct batch *batch;
    struct run *run;
    const struct plan *plan;
    struct row_fate *fates;
    size_t rows;       /* rows to look at: cut by limits as we go */
    uint32_t *ids;     /* one a key of the batch */
    uint32_t *scratch; /* as many */
    uint8_t *lots;     /* enum lot, by place and hidden column */
    uint32_t smallest; /* set that is recorded as aggregate or influence */
    uint64_t charged, sent;
    int64_t charged_ns; /* when: the entry must fall into the same day */
    struct ledger_item *items;
    size_t item_count, item_capacity;
    size_t built_count;          /* of them: not for keys that did not come back */
    bool *continues;             /* by item: it goes on with the statistic of the one before */
    struct differing *differing; /* by place */
    size_t differing_count;      /* ids in all of them */
    struct exposure_statistics *statistics; /* open until it is known what leaves; NULL: none */
    struct slice *rows_of;    /* by place and hidden column: row sums, or empty; NULL: of none */
    size_t *statistics_until; /* by place: how many of them are new until its end */
    size_t *set_at;           /* where each item's set begins in batch->sets */
    struct buffer pin_sets;   /* of the items for keys that did not come back */
    bool withheld;            /* by what is known of the agent: no row leaves */
    const char *limit;        /* what was exceeded; NULL: nothing */
    uint64_t limit_value;
    char limit_name[64]; /* of a limit on people; "": another bound */
    struct exposure_warning warnings[EXPOSURE_WARNINGS];
    size_t warning_count;
    int64_t limit_frees_ns; /* when it has room again; INT64_MAX: not by itself */
};

enum status release_no_memory(struct error *error); /* what it returns */

/* Once ids are there: decides the fate of each row and the lot of each hidden column at each place;
 * cuts work->rows where the statement has returned enough. */
MUST_USE enum status release_judge(struct release_work *work, struct error *error);
/* Holds statement and rows against the partner's budget of distinct people; cuts work->rows. */
MUST_USE enum status release_charge(struct release_work *work, struct error *error);

/* release_statistics.c. Holds the sets behind statistics against those of earlier ones: what they
 * differ by is to be charged, or the release is refused (STATUS_DENIED 42501) once it is recorded
 * about whom that tells. A set that cannot be compared becomes direct. */
MUST_USE enum status release_compare(struct release_work *work, struct error *error);
/* Which rows of its people the set at that place is of. */
struct slice release_rows_of(const struct release_work *work, size_t place, size_t hidden);
/* Once the entries are written, or will not be: a statistic that was not sent is not taken for
 * given, or asking again would be free of the charge that it was cut for. */
void release_settle_statistics(struct release_work *work, bool written);
/* release.c. An entry that says that these people are known now, as witnesses, though no row
 * leaves; side bytes of the batch ride with it. */
MUST_USE enum status release_write_alone(struct release_work *work, size_t hidden, uint32_t *ids,
                                         size_t count, struct error *error);

/* release_warn.c. Limits that are nearly used up: into log and ledger, and told the client before
 * the rows, unless it is told that they end here. */
void release_warn(const struct release_work *work, struct outqueue *out);

/* Nothing of the statement goes out, and nobody is recorded but who was asked about. */
void release_refuse(struct release_work *work);

/* probe_release.c. Crosses off the keys of the statement that are recorded now. */
void release_see_pins(const struct release_work *work);
/* Once all is judged and before anything is charged: where more keys than the day's bound allows
 * have not come back at the end, no row is left to look at. */
void release_bound_pins(struct release_work *work, enum ledger_outcome closing);
/* Adds items for the keys that have not come back. */
MUST_USE enum status release_record_pins(struct release_work *work, struct error *error);

size_t release_keys_end(const struct batch *batch, size_t place);
/* Appends the ids of one hidden column at a place; returns how many. */
size_t release_gather(const struct release_work *work, size_t place, size_t hidden, uint32_t *ids);
enum lot release_lot(const struct release_work *work, size_t place, size_t hidden);

#endif
