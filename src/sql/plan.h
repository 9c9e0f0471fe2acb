/* Plan: what the gateway does with one statement of a partner. Made here, carried out by gateway/.
 * The text of a plan has been emitted from a rewritten tree, parsed again and compared with it.
 * Invariant: every table of the customer's in a plan's text stands inside a fence, or is the one
 * that a write changes; every fence over people carries its hidden keys to the output; what cannot
 * be proved safe has no plan. No I/O in this module.
 * Threads: any, but each call must run on a thread with at least 64 MiB of stack (the parser
 * recurses); a plan is immutable and owns its arena. */
#ifndef COFFERDAM_SQL_PLAN_H
#define COFFERDAM_SQL_PLAN_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "sql/model.h"
#include "wire/copy.h"

enum plan_kind {
    PLAN_EMPTY,   /* no statement: EmptyQueryResponse */
    PLAN_QUERY,   /* rows come back; hidden columns may be among them */
    PLAN_UTILITY, /* sent as it is in `sql`: BEGIN, COMMIT, SET, DISCARD …; no rows, no disclosure.
                     Where sql is NULL the gateway answers CommandComplete itself: SET search_path
                     TO public; DEALLOCATE (`name` says which prepared statement) and DEALLOCATE
                     ALL */
    PLAN_SHOW,    /* SHOW of an upstream setting: one row of text, no disclosure */
    PLAN_LOCAL,   /* the gateway answers one row of text: SHOW cofferdam.* and what upstream would
                     answer with its own names. `setting` is the column's name; `setting_value`
                     the answer, NULL where only the gateway knows it (cofferdam.budget) */
    /* Cursors and prepared statements of SQL: `name` says which. What goes upstream depends on the
     * session and is made by the gateway. */
    PLAN_DECLARE, /* `sql` and all that follows is of the query: as PLAN_QUERY has it */
    PLAN_FETCH,   /* and MOVE: rows of the cursor's plan */
    PLAN_CLOSE,   /* name NULL: all */
    PLAN_PREPARE,
    PLAN_EXECUTE,
    PLAN_COPY_IN, /* COPY FROM STDIN: the gateway reads rows of visible_count values as `copy` says
                     and inserts them; preparation.sql is the INSERT up to the rows of VALUES */
    PLAN_RENEW, /* CALL cofferdam.renew_certificate(request, signature): the gateway has the issuer
                   renew the client's certificate; one row of texts */
};

/* What the statement does to the session's transaction, so that the gateway can follow. */
enum plan_transaction {
    PLAN_TRANSACTION_NONE,
    PLAN_TRANSACTION_BEGIN,
    PLAN_TRANSACTION_END, /* COMMIT, ROLLBACK, PREPARE … */
    PLAN_TRANSACTION_SAVEPOINT,
};

/* How a subject contributes to a row (LINEAGE: the grades of the ledger). */
enum plan_grade {
    PLAN_GRADE_DIRECT = 1,
    PLAN_GRADE_AGGREGATE = 2,
    PLAN_GRADE_WITNESS = 3,
    PLAN_GRADE_INFLUENCE = 4,
    PLAN_GRADE_PROBE = 5,
};

/* A column of a dataset, in the form in which this partner's statement can read it. */
struct plan_column {
    const char *dataset, *column;
    const char *category; /* NULL: about nobody */
    enum policy_form form;
};

/* What a visible column of a query is. */
struct plan_visible {
    struct plan_column of; /* the column of a dataset that it is, unchanged; dataset NULL: none */
    bool constant;         /* none, and nothing of the database decides it */
};

/* One hidden output column. Ordinal in the result: plan->visible_count + its index. Always sent
 * by upstream in text format. Where plan->has_once, one more column comes behind all of these: it
 * is NULL in the one row that is no row of the result and only brings `once` sets. */
struct plan_hidden {
    size_t kind; /* index of the subject kind in the policy */
    /* 0: a key. 1: a set, an array literal of keys. 2: an array literal of such literals, and so
     * on. An element that is NULL is a key that was NULL, or above depth 1 an empty set. */
    uint8_t depth;
    /* Of the statement, not of a row: stands in the first row of the execution and is NULL in all
     * others. Recorded before anything of the result is released, in its own grade. */
    bool once;
    /* The key's row may not be there at all (outer joins, arms of a UNION): NULL says nothing. */
    bool extended;
    /* A part of the set before it, the members for which an aggregate's argument is not NULL: it
     * must reach min_subjects too (an empty one is fine, it shows nothing). Where they are not all,
     * they are a statistic of their own: recorded, and held against others. */
    bool threshold_only;
    /* Just what the hidden column before it is, and no disclosure of its own: otherwise a group
     * that was proved to be one person's is not, and the statement ends. */
    bool equals_previous;
    /* Of depth 1: each element is the sums of the marks of its person's rows, one for each of
     * plan->sources, parted by blanks; a colon; the key. */
    bool marked;
    /* POLICY_NULL_REFUSE: a NULL key comes as plan->null_key. */
    enum policy_when_null when_null;
    /* DIRECT: of the rows. Where plan->statistic, sets of min_subjects or more members are
     * AGGREGATE, smaller ones DIRECT (or suppressed, see suppress_small). AGGREGATE: of a statistic
     * in a sub-select, judged likewise whatever stands around it. WITNESS is charged as
     * DIRECT is; INFLUENCE is charged where the set has fewer than min_subjects members. Never
     * PROBE: keys that are pinned and do not come back are no column (struct plan_pin). */
    enum plan_grade grade;
    const struct plan_column *columns; /* of its people, that the statement could read; sorted */
    size_t column_count;
};

/* DECLARE, FETCH, MOVE. */
struct plan_cursor {
    bool hold;     /* DECLARE: outlives its transaction */
    bool binary;   /* DECLARE: FETCH in a simple query answers in binary format */
    bool moves;    /* MOVE: the rows are fetched and recorded, but not sent */
    int64_t count; /* FETCH, MOVE: rows; -1: all */
};

/* PREPARE. */
struct plan_preparation {
    const char *sql; /* of the statement inside, to be planned like any other */
    const uint32_t *types;
    size_t type_count;
};

/* An argument of EXECUTE: a constant, as text. */
struct plan_argument {
    const char *text; /* NULL: SQL NULL */
    uint32_t type;    /* that it is cast to: the parameter must be of that type; 0: not cast */
};

/* PLAN_RENEW: written, or bound as $parameter, from 1 on; text NULL: bound. */
struct plan_renewal_text {
    const char *text;
    size_t parameter;
};

/* A value, or an array of values, that the statement compares a subject key with. Each value that
 * no row of the result is about is a question that was answered with "nobody". */
struct plan_pin {
    const struct plan_pin *next;
    size_t pinned;      /* index of plan->pinned */
    uint32_t type;      /* of the key: int2, int4, int8, uuid, text or varchar */
    const char *text;   /* a constant; where `parameter` is set: NULL */
    uint32_t parameter; /* $n */
    uint32_t cast;      /* what the value, or each element, is cast to; 0: nothing */
    bool array;         /* `text` or the parameter is an array */
};

/* A text or a large number that stands in the partner's statement, 4 to PLAN_CONSTANT_BYTES long;
 * the first 4096 of 256 KiB. */
enum { PLAN_CONSTANT_BYTES = 256 };
struct plan_constant {
    const struct plan_constant *next;
    const char *text;
};

/* A kind of subject whose keys are pinned. */
struct plan_pinned {
    size_t kind;
    uint64_t fences;                   /* that pin them; while the plan is made */
    const struct plan_column *columns; /* of these, that the statement could read; sorted */
    size_t column_count;
};

/* A parameter that the gateway adds behind the client's own: always of type bytea (OID 17). */
struct plan_secret {
    const char *domain; /* token domain: key = gateway's HMAC pads for (partner, domain) */
    bool outer;         /* false: inner pad (ipad) block, true: outer pad (opad) block; 64 bytes */
};

enum plan_change { PLAN_CHANGE_INSERT = 1, PLAN_CHANGE_UPDATE, PLAN_CHANGE_DELETE };

/* The last column of each row of a statement that changes data: what has become of the row. */
enum plan_mark {
    PLAN_MARK_WRITTEN = 'w',
    PLAN_MARK_OUTSIDE = 'o', /* it no longer meets the row filter: nothing may be committed */
    PLAN_MARK_STALE = 's',   /* another transaction has changed it meanwhile: likewise */
    PLAN_MARK_AGAIN = 'a',   /* two rows of FROM or USING, or of RETURNING, met it: likewise */
    PLAN_MARK_GIVEN = 'g',   /* a row that was to be inserted, as it was read; beside the others */
    PLAN_MARK_NONE = 'n',    /* no row: it brings `once` sets only */
};

/* Of a statement that changes rows (its kind is PLAN_QUERY). Behind all other columns come the
 * subject keys of the row as it was written or deleted, one for each of `kinds`, as text; then the
 * mark. Rows go to the client only where `returning` is set. */
struct plan_write {
    enum plan_change change;
    const char *dataset;
    uint32_t table;                    /* its OID */
    const struct plan_column *columns; /* written; sorted; none for DELETE */
    size_t column_count;
    const size_t *kinds;
    const enum policy_when_null *when_null; /* of each of the keys */
    size_t kind_count;
    bool returning;
    /* The hidden columns stand on PLAN_MARK_GIVEN rows; otherwise on those that were written. */
    bool lineage_of_given;
    /* ON CONFLICT: fewer rows may be written than given. */
    bool may_skip;
    bool skip_fails; /* DO UPDATE: the row in the way is none that the partner may see */
};

struct plan_explanation {
    const char *topic; /* "fence", "hidden column", "guard", "limit", "constant", "change of the
                          policy", "near miss" … */
    const char *text;  /* of one line or several */
    const struct plan_explanation *next;
};

/* What `cofferdam explain` asks of a planning, and is told: of a refused one too. It is for staff,
 * and holds what the partner must not know: what exists without being granted. */
struct plan_inquiry {
    struct arena arena;
    const struct plan_explanation *first, **end;
    const char *rule; /* that refused, a stable name such as "column-not-granted"; or NULL */
};
void plan_inquire(struct plan_inquiry *inquiry); /* before plan_make() */
void plan_inquiry_free(struct plan_inquiry *inquiry);

struct plan {
    atomic_uint references;
    struct arena arena;
    struct model *model; /* retained: borrowed texts live as long as the plan */
    enum plan_kind kind;
    enum plan_transaction transaction;
    const char *command;       /* "SELECT", "SET", "BEGIN" … upper case */
    const char *sql;           /* what goes upstream; NULL for EMPTY and LOCAL */
    const char *setting;       /* PLAN_LOCAL: "cofferdam.budget", …; PLAN_SHOW: column name */
    const char *setting_value; /* PLAN_UTILITY of SET: the value, for ParameterStatus, or of
                                  cofferdam.reason, which the gateway keeps; or NULL */
    bool resets; /* PLAN_UTILITY: back to what the session began with: `setting`, or NULL: all */
    const char *name;       /* of the cursor or prepared statement; see plan_kind */
    int64_t valid_until_ns; /* a grant of this partner begins or ends then: plan anew */

    const struct wire_copy *copy; /* PLAN_QUERY: rows go out as COPY TO STDOUT; NULL: as they are.
                                     PLAN_COPY_IN: how they come */
    struct plan_cursor cursor;
    struct plan_preparation preparation;
    const struct plan_argument *arguments; /* EXECUTE */
    size_t argument_count;
    struct {
        struct plan_renewal_text request, signature;
    } renewal;

    size_t visible_count; /* columns the client gets */
    const char *const *visible_names;
    const struct plan_visible *visible; /* of a query over datasets; otherwise NULL */
    const struct plan_hidden *hidden;
    size_t hidden_count;
    bool has_once;        /* see plan_hidden */
    const char *null_key; /* stands for a NULL key under POLICY_NULL_REFUSE */
    /* The grants that it stands on, each once; borrowed from the model's policy. */
    const struct policy_partner *partner;
    const struct policy_grant *const *grants;
    size_t grant_count;
    size_t fence_count;                /* datasets read; 0: no disclosure, no closing entry */
    const struct plan_column *columns; /* every column the statement could read, all fences */
    size_t column_count;
    const char *counted;    /* datasets read of which no column is: "article purchase"; or "*": so
                               many that they are not named */
    const uint32_t *tables; /* OIDs of what the fences read */
    size_t table_count;
    const char *savepoint; /* that PLAN_TRANSACTION_SAVEPOINT makes, releases or goes back to */
    const struct plan_constant *constants;
    const struct plan_pin *pins;
    struct plan_pinned *pinned;
    size_t pinned_count;
    const struct plan_write *write; /* NULL: nothing is changed */

    size_t client_parameter_count; /* $n the client must bind: the larger of used and declared */
    const struct plan_secret *secrets; /* appended parameters, $client_parameter_count+1 … */
    size_t secret_count;

    /* The tables, by a hash of their names, whose rows the marked sets tell apart. */
    const uint64_t *sources;
    size_t source_count;

    bool statistic;      /* sets of min_subjects or more are aggregate(k): not charged */
    bool suppress_small; /* rows with fewer members are not released (mode: aggregates) */
    uint32_t min_subjects;
    /* Applied by the gateway after suppression, because every row's lineage counts (a LIMIT over
     * groups depends on all of them): release `relay_limit` rows after `relay_offset`; rows not
     * released are recorded as influence. -1: no limit. */
    int64_t relay_limit, relay_offset;
    /* The last column of upstream's rows is NULL on those that HAVING leaves out: they are recorded
     * and held against other statistics like the rest, and are not sent. */
    bool keeps_left_out;
};

enum { PLAN_REASON_BYTES = 500 };

/* An approval in force of a grant that needs one. */
struct plan_approval {
    const struct policy_grant *grant; /* of the request's partner */
    uint64_t request;
};

struct plan_request {
    struct model *model;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *sql;                 /* terminated */
    const uint32_t *parameter_types; /* as the client's Parse gave them; 0: unspecified */
    size_t parameter_type_count;
    size_t statement_bytes_limit, statement_depth_limit;
    size_t relations_limit, targets_limit; /* datasets read, columns of the result; 0: no own */
    int64_t now_ns;                        /* for grants' validity */
    const char *purpose;                   /* of the session; NULL: the partner's only one */
    const char *database; /* as the client called it, for current_database(); NULL: cofferdam */
    uint32_t statement_timeout_ms; /* SET statement_timeout must not exceed it; 0: any but none */
    struct plan_inquiry *inquiry;  /* NULL: nobody asks why */
    const struct plan_approval *approvals; /* of the agent, for the purpose */
    size_t approval_count;
    /* Where the statement is refused since a grant waits for approval, that grant; or NULL. */
    const struct policy_grant **waits_for;
};

/* Plans one statement. STATUS_DENIED (the statement is refused: SQLSTATE, reason, hint), _LIMIT
 * (too long, too deep: 54000/54001), _NOMEM. Never any other effect. Returns owned. */
MUST_USE enum status plan_make(const struct plan_request *request, struct plan **plan,
                               struct error *error);

/* Would the request's agent still get all that the plan was made on: is there, for each grant that
 * it reads or writes by, one of the same mark in force in the request's model, and no budget
 * narrower? Of the request only model, partner, agent, purpose, now_ns and approvals count. */
bool plan_stands(const struct plan *plan, const struct plan_request *request);

/* One statement of a text that holds several, as bytes of it. */
struct plan_part {
    size_t at, len;
};
/* Finds the statements of a text; errors as plan_make's. *count may exceed the capacity: then the
 * rest was left out. */
MUST_USE enum status plan_split(const char *sql, size_t bytes_limit, size_t depth_limit,
                                struct plan_part *parts, size_t capacity, size_t *count,
                                struct error *error);
struct plan *plan_retain(struct plan *plan);
void plan_release(struct plan *plan); /* NULL is fine; atomic */

/* Columns of a row of upstream behind the visible and hidden ones: see plan_write. */
size_t plan_write_columns(const struct plan *plan);
/* Does some value or row of the result follow from many people's rows? Such a statement may not
 * read what its own transaction has written. */
bool plan_aggregates(const struct plan *plan);

/* What a partner is told when upstream fails with this SQLSTATE: a text and a hint (may be "")
 * that depend on nothing but the SQLSTATE. data_error says whether the failure can depend on the
 * data, so that it counts as a probe. */
struct plan_upstream_error {
    const char *message, *hint;
    bool data_error;
};
struct plan_upstream_error plan_upstream_error(const char sqlstate[static 6]);
/* The same of a statement without datasets: what is missing is not the policy's. */
struct plan_upstream_error plan_catalogue_error(const char sqlstate[static 6]);

#endif
