/* The policy: who may see what of whom, why, when and how much. Immutable once loaded.
 * A policy is read whole and owns every string in it; it is shared between threads by reference
 * counting and swapped as a whole. Names are checked here; whether tables and columns exist, and
 * of what types they are, is judged when the policy is bound to a live database (sql/model.h).
 * Invariant: this module does no network or database I/O. Nothing is granted by default. */
#ifndef COFFERDAM_POLICY_POLICY_H
#define COFFERDAM_POLICY_POLICY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/status.h"

enum policy_form { POLICY_FORM_CLEAR, POLICY_FORM_MASKED, POLICY_FORM_TOKEN };
enum policy_when_null { POLICY_NULL_HIDE, POLICY_NULL_NONE, POLICY_NULL_REFUSE };
enum policy_mode { POLICY_MODE_ROWS, POLICY_MODE_AGGREGATES };

enum { POLICY_POST_LINES = 8, POLICY_APPROVALS_MOST = 16 };

/* Columns by which these people can be reached; each NULL where not given, otherwise a column of
 * the kind's dataset. */
struct policy_contact {
    const char *name, *email, *phone, *language, *brand, *country, *birth_date;
    const char *gone_away, *deceased, *safe_contact; /* boolean columns */
    const char *const *post;                         /* the lines of an address, in order */
    size_t post_count;
};

/* A person's part in the business: customer, enquirer. Index in policy->kinds is its number. */
struct policy_kind {
    const char *name;
    const char *dataset; /* where these people are listed, one row each */
    const char *key;     /* column of that dataset */
    struct policy_contact contact;
};

/* One column of a dataset. category is NULL for data about nobody. */
struct policy_column {
    const char *name;
    const char *category; /* "name", "address", "date_of_birth", "vin", "financial", … or NULL */
};

/* One step along a foreign key: this dataset's child_column equals parent dataset's column. */
struct policy_hop {
    size_t dataset; /* index of the parent */
    const char *child_column, *parent_column;
};

/* How a row of a dataset leads to a person: along hops to the dataset that holds the key. */
struct policy_subject {
    size_t kind; /* index in policy->kinds */
    const struct policy_hop *hops;
    size_t hop_count;
    const char *key; /* column of the last hop's dataset, or of this one where hop_count is 0 */
    enum policy_when_null when_null;
};

struct policy_dataset {
    const char *name; /* what partners call it */
    const char *schema, *table;
    const struct policy_column *columns;
    size_t column_count;
    const struct policy_subject *subjects; /* none: rows about nobody */
    size_t subject_count;
    int line; /* in the file, for messages */
};

/* A mask of the policy's own: an SQL expression over {column}. It may bear a built-in's name and
 * then stands in its place: look here first. */
struct policy_mask {
    const char *name;
    enum policy_form form;
    const char *sql; /* with {column} in it */
    int line;
};

struct policy_granted_column {
    size_t column; /* index in the dataset's columns */
    enum policy_form form;
    const char *mask;          /* name; NULL for clear and token */
    long bucket;               /* n of bucket(n) */
    const char *justification; /* why a sensitive column is given in clear; or NULL */
};

/* What a grant lets a partner change. Nothing where the grant has no `write`. */
struct policy_write {
    const size_t *update, *insert; /* columns of the dataset, each granted in clear */
    size_t update_count, insert_count;
    bool deletes;
};

/* A grant that waits until staff have approved a request for it. */
struct policy_approval {
    int64_t for_ns;  /* how long an approval holds at most; 0: none is needed */
    unsigned needed; /* approvals by different users: 1 or 2 */
    bool reason;     /* the partner must say why it asks */
};

struct policy_grant {
    size_t dataset;
    const char *rows; /* SQL condition over the dataset's columns; NULL for all rows */
    const struct policy_granted_column *columns;
    size_t column_count;
    struct policy_write write;
    const char *purpose; /* NULL: any of the partner's */
    const char *agent;   /* NULL: all of the partner's agents; otherwise this one alone */
    int64_t valid_from_ns, valid_until_ns; /* half open; INT64_MIN / INT64_MAX where not given */
    struct policy_approval approval;
    uint8_t mark[32]; /* SHA-256 of what it gives and how it is bound: see mark.c */
    int line;
};

struct policy_network {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned prefix_bits;    /* of the 128 */
};

/* Minutes of the local week in which an agent may work: days bit 0 is Monday. */
struct policy_hours {
    uint8_t days;
    uint16_t from_minute, until_minute; /* [from, until) within each day */
    const struct zone *zone;            /* NULL: UTC */
    const char *text;                   /* as written */
};

/* What a claim of a token must be: this text (or true, false, a whole number written so), or, for a
 * list, one with this text in it. */
struct policy_claim {
    const char *name, *value;
    bool contains;
};

/* An agent that shows a token of an identity provider. */
struct policy_oidc {
    const char *provider;              /* of cofferdam.yaml's oidc */
    const struct policy_claim *claims; /* all of them; at least one */
    size_t claim_count;
    bool single_use; /* a token opens one session, ever */
};

struct policy_agent {
    const char *name;               /* within its partner; the login name is partner.agent */
    const char *login;              /* "partner.agent" */
    const char *certificate;        /* SAN URI, or a CN, that proves it; NULL: none */
    const char *certificate_issuer; /* authority of cofferdam.yaml it is of; or NULL */
    int64_t renewal_ns; /* it may renew its certificate by itself for so long after a human issued
                           one; 0: it may not */
    const char *scram_file;         /* path of the verifier file; NULL: none */
    const struct policy_oidc *oidc; /* NULL: none; never beside scram_file */
    const struct policy_network *networks;
    size_t network_count; /* 0: any */
    const struct policy_hours *hours;
    size_t hours_count; /* 0: always; otherwise within any of them */
};

/* The time in which distinct people are counted: of the calendar in the budget's zone, or rolling
 * back from each instant. */
enum policy_window {
    POLICY_PER_DAY,
    POLICY_PER_WEEK, /* from Monday */
    POLICY_PER_MONTH,
    POLICY_PER_24H,
    POLICY_PER_7D,
    POLICY_PER_30D,
    POLICY_EVER,
};
/* "day", "week", "month", "24h", "7d", "30d", "ever"; NULL-terminated. */
extern const char *const policy_windows[];

enum { POLICY_LIMITS_MAX = 30, POLICY_WARN_AT = 80 };

/* A bound on the distinct people of a part of what the partner gets. */
struct policy_limit {
    const char *name; /* within its partner; never per_day or total */
    uint64_t subjects;
    enum policy_window window;
    const char *category, *agent, *purpose; /* NULL: any */
    bool has_form;                          /* only columns in this form */
    enum policy_form form;
};

/* Bounds; 0 means none was given. */
struct policy_budget {
    const struct policy_limit *limits; /* beside subjects_per_day and subjects_total */
    size_t limit_count;
    unsigned
        warn_at; /* per cent of a bound on people at which a warning is given; 0: the default */
    uint64_t subjects_per_day, subjects_total;
    uint64_t rows_per_statement;
    uint64_t probes_per_day, errors_per_day; /* defaults 200 and 20 */
    const struct zone *zone;                 /* in which a day begins; NULL: UTC */
    const char *zone_name;
};

/* A column that look-ups must pin to a value. */
struct policy_lookup {
    size_t dataset;
    const char *column;
};

/* What becomes of a statistic whose people differ by few from those of an earlier one. */
enum policy_differencing { POLICY_DIFFERENCING_REFUSE, POLICY_DIFFERENCING_CHARGE };

/* What an agent does in an hour, held against its own history; then what is new. */
enum policy_anomaly {
    POLICY_ANOMALY_SUBJECTS,
    POLICY_ANOMALY_ROWS,
    POLICY_ANOMALY_STATEMENTS,
    POLICY_ANOMALY_PROBES,
    POLICY_ANOMALY_ERRORS,
    POLICY_ANOMALY_WALK, /* the last one that is a rate */
    POLICY_ANOMALY_COLUMNS,
    POLICY_ANOMALY_HOURS,
    POLICY_ANOMALY_NETWORKS,
    POLICY_ANOMALIES,
};
enum { POLICY_ANOMALY_RATES = POLICY_ANOMALY_WALK + 1, POLICY_ANOMALY_DAYS_MOST = 91 };
/* "subjects_per_hour", …; NULL-terminated. */
extern const char *const policy_anomaly_names[];
bool policy_anomaly_is_rate(enum policy_anomaly anomaly);

/* The bound of a rate: the floor, or factor times the greatest hour of the last days. */
struct policy_anomaly_rule {
    uint64_t floor;
    uint32_t factor;
    bool contain, off;
};

struct policy_anomalies {
    uint32_t days;      /* of history */
    uint32_t learn;     /* days of activity before history counts, and anything is new */
    uint32_t walk_step; /* how near the next key of a walk is */
    struct policy_anomaly_rule rules[POLICY_ANOMALIES];
};

/* What an alarm about a partner does beside telling staff; in the order of enum alarm_contain. */
enum policy_alarm { POLICY_ALARM_TELL, POLICY_ALARM_CONTAIN_AGENT, POLICY_ALARM_CONTAIN };
struct policy_alarms {
    enum policy_alarm canary; /* it names an invented person of a delivery */
    enum policy_alarm budget_warning;
    enum policy_alarm revoked_credential; /* it proves what was revoked */
    enum policy_alarm token_replayed;     /* its token was used from elsewhere, or is used up */
    enum policy_alarm two_holders;        /* its certificate's key has signed two requests */
};
/* A rule of alarms that is no anomaly's, and its key in alarms:. */
struct policy_alarm_rule {
    const char *rule, *key; /* key NULL behind the last */
    const char *never;      /* why nothing can be contained by it; NULL: the policy may say so */
    const char *hint;       /* with never */
};
extern const struct policy_alarm_rule policy_alarm_rules[];
/* NULL: none of these; an anomaly may contain where its own rule says so. */
const struct policy_alarm_rule *policy_alarm_rule_of(const char *rule);

struct policy_partner {
    const char *name;
    const char *agreement, *breach_contact_name, *breach_contact_phone, *breach_contact_email;
    const char *const *sub_processors;
    size_t sub_processor_count;
    int64_t posture_attested_ns, posture_expires_ns; /* INT64_MIN / INT64_MAX: not given */
    const char *const *purposes;
    size_t purpose_count; /* at least one */
    const struct policy_agent *agents;
    size_t agent_count;
    struct policy_agent nobody; /* acts for the partner and is none of its agents: name "", login
                                   "partner."; proves nothing, and no grant is for it alone */
    int64_t valid_from_ns, valid_until_ns; /* half open */
    const struct policy_grant *grants;
    size_t grant_count;
    enum policy_mode mode;
    const struct policy_lookup *lookup_by;
    size_t lookup_count;
    uint32_t min_subjects;                 /* of a statistic; default 10 */
    enum policy_differencing differencing; /* default: refuse in mode aggregates, else charge */
    uint32_t remember_days;                /* statistics, since last given; default 400 */
    struct policy_budget budget;
    struct policy_anomalies anomalies;
    struct policy_alarms alarms;
    uint16_t restore_approvals; /* people it takes to restore it once it is contained: 1 or 2 */
    int line;
};

struct policy_brand {
    const char *name;                          /* as in the policy: meridian */
    const char *title, *sender, *privacy_page; /* as people know it; each may be NULL */
};

/* The company whose data it is. Every text may be NULL. */
struct policy_controller {
    const char *name, *dpo_name, *dpo_email, *dpo_phone, *dpo_post, *privacy_page, *registration;
    const struct policy_brand *brands;
    size_t brand_count;
    const char *const *senders; /* addresses that notices come from */
    size_t sender_count;
    const char *const *jurisdictions; /* uk-gdpr, … */
    size_t jurisdiction_count;
};

struct policy {
    struct policy_controller controller;
    const struct policy_kind *kinds;
    size_t kind_count;
    const struct policy_dataset *datasets;
    size_t dataset_count;
    const struct policy_mask *masks; /* the policy's own; built-ins are not listed */
    size_t mask_count;
    const struct policy_partner *partners;
    size_t partner_count;
    char id[65]; /* lower-case hex SHA-256 of the file's bytes */
    const char *path;
    const char *text; /* the file, whole: it goes into the ledger */
    size_t text_len;
};

/* Reads and validates the file. Errors name file, line and column and say what would be allowed.
 * Relative paths inside are relative to the file's folder. Returns owned, one reference. */
MUST_USE enum status policy_load(const char *path, const struct policy **policy,
                                 struct error *error);
/* As policy_load, of a text that is at hand; path is what its errors and relative paths go by. */
MUST_USE enum status policy_load_text(const char *path, struct slice content,
                                      const struct policy **policy, struct error *error);
const struct policy *policy_retain(const struct policy *policy);
void policy_release(const struct policy *policy); /* NULL is fine; the last one frees */

/* Look-ups by name; NULL where there is none. */
const struct policy_partner *policy_find_partner(const struct policy *policy, const char *name);
/* The same for a name that somebody has typed; STATUS_NOT_FOUND 42704 with the nearest name, or
 * all. name NULL is none. */
enum status policy_need_partner(const struct policy *policy, const char *name,
                                const struct policy_partner **partner, struct error *error);
enum status policy_need_agent(const struct policy_partner *partner, const char *name,
                              const struct policy_agent **agent, struct error *error);
const struct policy_dataset *policy_find_dataset(const struct policy *policy, const char *name);
const struct policy_kind *policy_find_kind(const struct policy *policy, const char *name);
const struct policy_agent *policy_find_agent(const struct policy *policy, const char *login,
                                             const struct policy_partner **partner);
/* Of a login "partner.": the partner's nobody. */
const struct policy_agent *policy_find_nobody(const struct policy *policy, const char *login,
                                              const struct policy_partner **partner);

/* Is every token that b asks for one that a asks for, too? False where one is NULL. */
bool policy_oidc_covers(const struct policy_oidc *a, const struct policy_oidc *b);
/* Do both ask for the same provider and claims? NULL is equal to NULL alone. */
bool policy_same_oidc(const struct policy_oidc *a, const struct policy_oidc *b);

/* The policy's own mask of this name; NULL for a built-in or unknown one. */
const struct policy_mask *policy_find_mask(const struct policy *policy, const char *name);

/* Does the grant let anything be changed? */
bool policy_writes(const struct policy_grant *grant);
/* Does any of the agent's grants, at whatever time? */
bool policy_agent_writes(const struct policy_partner *partner, const struct policy_agent *agent);

/* Does any bound of the new budget end what the old one let through? */
bool policy_budget_narrower(const struct policy_budget *was, const struct policy_budget *is);

/* True for categories that must not be granted in clear without a justification. */
bool policy_category_sensitive(const char *category);
/* NULL-terminated: the categories a policy may use, and the built-in masks (bucket takes a number:
 * bucket(10)). A category of a policy's own begins with "x_". */
extern const char *const policy_categories[];
extern const char *const policy_builtin_masks[];

/* May this agent act now from this address? Looks at validity, posture, hours and network.
 * STATUS_DENIED with a text for the agent; SQLSTATE 28000, or 57P01 where waiting is all it takes
 * (hours, a beginning to come). peer NULL: not a network connection; an agent that is bound to
 * networks is then refused. */
MUST_USE enum status policy_admit(const struct policy_partner *partner,
                                  const struct policy_agent *agent, int64_t now_ns,
                                  const struct in6_addr *peer, struct error *error);

#endif
