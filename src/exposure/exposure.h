/* Exposure: who has been disclosed to whom, derived from the ledger and rebuilt from it at start.
 * Three parts, none of which calls another while it holds its own lock:
 * - the dictionary: (kind, key) <-> dense subject id, append-only, in a folder with own rights;
 * - the index: per partner x column set x grade x purpose x hour a bitmap of ids, and all-time
 * sets;
 * - the accounts: distinct subjects charged to each partner in each limit's window, probes, errors.
 * Thread-safe: every function takes the locks it needs; only attach, close and erase wait for the
 * disk. Memory: about 40 bytes a subject in the dictionary; up to 68 a subject and partner in the
 * sets of the accounts and of the hour at hand, few where ids lie close; see docs/decisions/0004.
 * Invariant: an id is used in a ledger entry only together with its key, durable in the same
 * frame's side section or already in the synced key file. */
#ifndef COFFERDAM_EXPOSURE_EXPOSURE_H
#define COFFERDAM_EXPOSURE_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/table.h"
#include "ledger/ledger.h"
#include "policy/policy.h"

struct exposure; /* owned */

/* subjects_folder: key file and segment keys. Call before ledger_open and give exposure_replay as
 * its replay function. */
MUST_USE enum status exposure_open(const char *subjects_folder, struct exposure **exposure,
                                   struct error *error);
/* Gives the index its files, in a folder of their own, and brings them up to all that the ledger
 * has acknowledged; without it the index lives in memory alone. After exposure_open, before
 * ledger_open. Files that are damaged, or not of this ledger, are made anew. */
MUST_USE enum status exposure_use_index(struct exposure *exposure, const char *index_folder,
                                        const char *ledger_folder, struct error *error);
/* ledger_options.replay: context is the exposure. */
MUST_USE enum status exposure_replay(void *exposure, uint64_t sequence,
                                     const struct ledger_entry *entry, struct slice side,
                                     uint64_t segment, struct error *error);
/* After ledger_open: the ledger whose column sets and segment numbers it uses (borrowed). Starts
 * the background sync of the key file. */
MUST_USE enum status exposure_attach(struct exposure *exposure, struct ledger *ledger,
                                     struct error *error);
void exposure_close(struct exposure *exposure); /* before ledger_close */

/* ---- the index beside the gateway ---- */
/* As another process sees it: writes nothing, locks nothing. The index and its questions only: no
 * dictionary, no accounts, nothing is added. From the index's files and the ledger's entries that
 * came since. */
MUST_USE enum status exposure_open_reading(const char *index_folder, const char *ledger_folder,
                                           struct exposure **exposure, struct error *error);

struct exposure_rebuilt {
    uint64_t entries, disclosures, bytes; /* read; told (subject x item); of the files */
    size_t files;
};
/* Makes the files anew from the ledger, and puts them in the old ones' place; beside a running
 * gateway too. */
MUST_USE enum status exposure_rebuild(const char *index_folder, const char *ledger_folder,
                                      struct exposure_rebuilt *rebuilt, struct error *error);
enum exposure_differing {
    EXPOSURE_SAME,
    EXPOSURE_SUBJECT_DIFFERS,   /* is in one of both */
    EXPOSURE_HOURS_DIFFER,      /* the same people, of other hours */
    EXPOSURE_STATEMENT_DIFFERS, /* whom it told of, or how many were new */
    EXPOSURE_PARTNER_DIFFERS,   /* in its column sets, or in what it deleted */
    EXPOSURE_TEXT_DIFFERS,      /* of a column set */
    EXPOSURE_FILE_DIFFERS, /* damaged, missing, one too many, or other bytes of the same content */
};
/* The first place where the index is not what the ledger says. Of a subject and of hours the series
 * is told, and the time that its set covers; of a statement the partner and the hour; names are cut
 * to their room. */
struct exposure_difference {
    enum exposure_differing what;
    char file[64]; /* "day-20261101" */
    uint64_t byte; /* the first that differs */
    char columns[256], partner[64], agent[64], purpose[64];
    char statement[65]; /* SHA-256 of its text */
    uint32_t column_set;
    uint16_t kind;
    uint8_t grade;                 /* as index_key.h numbers them */
    bool has_hours;                /* false: of all time */
    int64_t from_hour, until_hour; /* since 1970, half open */
    uint32_t subject;
    bool index_has;                     /* the subject; otherwise the ledger alone has it */
    uint64_t index_count, ledger_count; /* of people there */
};
/* Makes the files anew elsewhere, compares, and removes them. STATUS_CORRUPT, found telling the
 * first place where what is there differs; STATUS_NOT_FOUND: there is no index. */
MUST_USE enum status exposure_check(const char *index_folder, const char *ledger_folder,
                                    struct exposure_rebuilt *rebuilt,
                                    struct exposure_difference *found, struct error *error);

/* ---- dictionary ---- */
struct subject_key {
    uint16_t kind;
    struct slice key; /* text form, at most LIMIT_SUBJECT_KEY_BYTES */
};
/* Ids for count keys, made where new (map a whole batch at once: pairs are sealed a call). New
 * (kind, key, id) triples are appended, sealed for the ledger's current segment, to *side, to be
 * given to the same ledger_append as the ids (to the first one, where an entry has several chunks);
 * a pair made by another thread whose frame is not durable yet is appended again. STATUS_LIMIT for
 * an over-long key or where *side is full. */
MUST_USE enum status exposure_map(struct exposure *exposure, const struct subject_key *keys,
                                  size_t count, uint32_t *ids, struct buffer *side,
                                  struct error *error);
/* Without making one. STATUS_NOT_FOUND. */
MUST_USE enum status exposure_find(struct exposure *exposure, uint16_t kind, struct slice key,
                                   uint32_t *id);
/* Copies the key text (terminated) into *key; STATUS_NOT_FOUND if erased or unknown. */
MUST_USE enum status exposure_key(struct exposure *exposure, uint32_t id, uint16_t *kind,
                                  char key[256]);
/* Forgets a subject's key: history keeps its id, which no one can read any more. Its next
 * disclosure makes a new id. Rewrites the key file and destroys the segment keys: waits for the
 * disk. STATUS_NOT_FOUND; STATUS_IO: forgotten in memory, and tried again on disk every two seconds
 * and at close; a process that dies before has not forgotten. */
MUST_USE enum status exposure_erase(struct exposure *exposure, uint16_t kind, struct slice key,
                                    struct error *error);

/* ---- accounts ----
 * After a restart they follow from the entries alone, so the entry must say what was counted:
 * - its time_ns is the now_ns of the charge (a day ends between two);
 * - charged are the items of grade direct and witness of DISCLOSURE and PROBE entries, whatever
 *   k (what falls short of a statistic is written as direct), and those of grade influence whose k
 *   is 0: influence of so few that it tells something of each;
 * - each id of an item of grade probe in a DISCLOSURE entry is a probe, and charged as nothing
 * else;
 * - a PROBE entry counts as an error and as a probe. */
/* Rows of subjects: row r holds ids[row_ends[r-1] .. row_ends[r]). */
struct exposure_subjects {
    const char *agent, *purpose; /* NULL: none */
    const uint32_t *ids;
    const uint16_t *classes;     /* beside ids: index into column_sets; NULL: 0 */
    const uint32_t *column_sets; /* of each class: what is recorded with its ids; NULL: none */
    size_t class_count;
    const size_t *row_ends;
    size_t row_count;
};
/* A limit that has reached the partner's warn_at, for the first time in its window. */
struct exposure_warning {
    char limit[64];
    const char *phrase; /* "subjects per day" */
    uint64_t used, of;
    int64_t from_ns; /* of the window; INT64_MIN: of ever */
};
enum { EXPOSURE_WARNINGS = 4 };

struct exposure_charge {
    size_t admitted_rows; /* rows, from the first, that fit */
    uint64_t charged;     /* subjects newly charged to the day by them */
    const char *limit;    /* NULL if all fit, else "subjects per day", "subjects in total", … */
    uint64_t limit_value;
    char limit_name[64]; /* "per_day", "total", or as in the policy */
    int64_t frees_at_ns; /* when the first place under that limit is free again; INT64_MAX: never */
    /* To be recorded (EXPOSURE_ACT_WARNING) and told; others wait for the next charge. */
    struct exposure_warning warnings[EXPOSURE_WARNINGS];
    size_t warning_count;
};
/* Charges rows in order until one does not fit into some limit. A subject already charged in a
 * limit's window is free there. All rows' ids become charged up to admitted_rows. The caller must
 * then append the entry or abort the process. */
void exposure_charge(struct exposure *exposure, const struct policy_partner *partner,
                     int64_t now_ns, const struct exposure_subjects *subjects,
                     struct exposure_charge *charge);
/* True while so many more would be within the bound. Counts none. */
bool exposure_probes_left(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns, uint64_t count);
/* Counts keys of nobody that have been asked for, whatever the bound. */
void exposure_count_missed(struct exposure *exposure, const struct policy_partner *partner,
                           int64_t now_ns, uint64_t count);
/* Counts an error that has happened, as a probe too (do not count both); false once a bound is
 * passed. */
bool exposure_count_error(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns);
/* True while one more error would be within its bound, and probes are within theirs. */
bool exposure_errors_left(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns);
struct exposure_budget {
    uint64_t subjects_today, subjects_total, probes_today, errors_today;
};
void exposure_budget(struct exposure *exposure, const struct policy_partner *partner,
                     int64_t now_ns, struct exposure_budget *budget);

struct exposure_limit {
    char name[64];           /* "per_day", "total", or as in the policy */
    const char *window;      /* "day", …, "ever" */
    uint64_t used, of;       /* of: 0 where the policy gives no bound; raises included */
    int64_t raised_until_ns; /* 0: not raised */
    bool warned;             /* in this window */
    double pace;             /* people a day: exposure/forecast.h */
    int64_t used_up_ns;      /* at that pace; INT64_MAX: not */
    int64_t frees_at_ns;     /* when somebody leaves the window; INT64_MAX: never */
};
enum { EXPOSURE_LIMITS = 2 + POLICY_LIMITS_MAX };
/* per_day and total first, then those of the policy's list; returns how many. */
size_t exposure_limits(struct exposure *exposure, const struct policy_partner *partner,
                       int64_t now_ns, struct exposure_limit limits[static EXPOSURE_LIMITS]);

/* ---- raises ----
 * They follow from acts of the partner in the ledger, whose texts are one of these lines and then
 * key=value (LEDGER-FORMAT.md): append one, wait until it is durable, then exposure_record. */
#define EXPOSURE_ACT_PROPOSED "budget-raise-proposed"
#define EXPOSURE_ACT_RAISED   "budget-raised"
#define EXPOSURE_ACT_REVOKED  "budget-raise-revoked"
#define EXPOSURE_ACT_WARNING  "budget-warning"
enum exposure_raise_state {
    EXPOSURE_RAISE_PROPOSED,
    EXPOSURE_RAISE_APPROVED, /* in force until it ends */
    EXPOSURE_RAISE_REVOKED,
};
struct exposure_raise {
    uint64_t id; /* sequence of the act that proposed it */
    char partner[64], limit[64];
    uint64_t to;
    int64_t until_ns;
    char by[64], approved_by[64]; /* "uid 0" */
    enum exposure_raise_state state;
};
/* Raises of a partner (NULL: of all) that are proposed or have not ended; visit says when to stop
 * by false. Copies: no lock is held in a visit. */
void exposure_raises(struct exposure *exposure, const char *partner, int64_t now_ns,
                     bool (*visit)(void *context, const struct exposure_raise *raise),
                     void *context);

/* ---- statistics ----
 * The sets of people behind the statistics that a partner has been given. A new one that differs by
 * few from them tells of those few by subtraction: docs/decisions/0019 says what is compared. */
enum exposure_verdict {
    EXPOSURE_STATISTIC_NEW,     /* and from now on known */
    EXPOSURE_STATISTIC_KNOWN,   /* given before: it tells nothing by being given again */
    EXPOSURE_STATISTIC_DIFFERS, /* from an earlier one, by few */
    EXPOSURE_STATISTIC_UNTOLD,  /* no room to compare: to be charged as rows are */
};
struct exposure_people {
    uint32_t *ids; /* owned by the caller; each once a call that has added it */
    size_t count;
};
struct exposure_statistics; /* those of one release; holds the partner's until its end */
/* Sets that were last given longer ago than the policy remembers are forgotten first. */
struct exposure_statistics *exposure_statistics_begin(struct exposure *exposure,
                                                      const struct policy_partner *partner,
                                                      int64_t now_ns);
/* ids: ascending, each once, not none; rows: which rows of each, row_sums.h; empty: nobody can
 * tell. Those by which it differs by fewer than `below` from an earlier one, from two together, or
 * with one from another, are added to *differing. */
enum exposure_verdict exposure_statistic(struct exposure_statistics *statistics, uint32_t below,
                                         const uint32_t *ids, size_t count, struct slice rows,
                                         struct exposure_people *differing);
/* How many of this release's were new until now, those that differ included. */
size_t exposure_statistics_count(const struct exposure_statistics *statistics);
/* Once it is known what leaves: the new ones from the kept-th on are forgotten (0: all; SIZE_MAX:
 * none), as they were not given. What is taken for given is free from then on. Frees. */
void exposure_statistics_end(struct exposure_statistics *statistics, size_t kept);

/* ---- index ---- */
/* Takes a disclosure into the index; the same code path as replay. Called once its entry has been
 * queued (the caller gates the rows on durability). Entries of other types pass without effect. */
void exposure_record(struct exposure *exposure, uint64_t sequence,
                     const struct ledger_entry *entry);

/* From when on the index's answers tell: it speaks of no entry that was dropped from the ledger.
 * Every question below answers for what is there, and its table says since when (base/since.h). */
void exposure_since(struct exposure *exposure, struct ledger_since *since);
/* Whether any entry about disclosures names this partner, be it in the policy or not. */
bool exposure_knows_partner(struct exposure *exposure, const char *partner);
/* The latest instant before which a partner attested that it had deleted everything, of everybody;
 * STATUS_NOT_FOUND. A claim. */
MUST_USE enum status exposure_deleted_before(struct exposure *exposure, const char *partner,
                                             int64_t *before_ns);

/* Questions; exact counts. A period that ends before exposure_since is refused (55000). policy
 * names kinds and, for "never disclosed", lists categories. from/to half open instants (hours),
 * INT64_MIN/MAX for ever. partner NULL: all partners. Each fills an unopened table. */

/* partner, kind, subjects (distinct, in any grade but probe, declared exports included), direct,
 * aggregate, witness, influence, probe, declared (each distinct), first, last. A probe is a key
 * that was asked about: nothing of its person was given away by that, and it may be nobody's. */
MUST_USE enum status exposure_summary(struct exposure *exposure, const struct policy *policy,
                                      const char *partner, int64_t from_ns, int64_t to_ns,
                                      struct table *table, struct error *error);
/* partner, kind, subjects: people whose rows the partner wrote and of whom no column was given to
 * it in the period: their data came from itself. What a statement did with their rows may have told
 * that they are there, and then they are in the summary too; a certificate of non-exposure counts
 * all of them (docs/decisions/0022). */
MUST_USE enum status exposure_only_written(struct exposure *exposure, const struct policy *policy,
                                           const char *partner, int64_t from_ns, int64_t to_ns,
                                           struct table *table, struct error *error);
/* partner, kind, category, form, subjects — direct, witness and declared only */
MUST_USE enum status exposure_by_category(struct exposure *exposure, const struct policy *policy,
                                          const char *partner, int64_t from_ns, int64_t to_ns,
                                          struct table *table, struct error *error);
/* partner, kind, categories (sorted, "name, phone (masked), vin (token)"; "presence only" where no
 * column has a category), subjects: how many have exactly this combination; direct, witness and
 * declared; most frequent first */
MUST_USE enum status exposure_combinations(struct exposure *exposure, const struct policy *policy,
                                           const char *partner, int64_t from_ns, int64_t to_ns,
                                           struct table *table, struct error *error);
/* partner, category: categories of the policy's datasets that no entry of this partner names, not
 * even one without rows */
MUST_USE enum status exposure_never(struct exposure *exposure, const struct policy *policy,
                                    const char *partner, struct table *table, struct error *error);
/* partner, kind, category, form, gross, net — direct, witness and declared only; the first row of a
 * kind is of all its people, category NULL. Net leaves out what the partner attested to have
 * deleted: of everybody before an instant, or of listed people; what came in the hour of that
 * instant or later counts again. A claim, so that gross is what can leak. */
MUST_USE enum status exposure_net(struct exposure *exposure, const struct policy *policy,
                                  const char *partner, struct table *table, struct error *error);
/* kind, category, form, both, only_first, only_second: people whom two partners have had, rows as
 * in exposure_net */
MUST_USE enum status exposure_overlap(struct exposure *exposure, const struct policy *policy,
                                      const char *first, const char *second, int64_t from_ns,
                                      int64_t to_ns, struct table *table, struct error *error);
/* statement (SHA-256 of its text), new, subjects, rows, first, last: a partner's statements by how
 * many people they gave it whom it had never had before (in the order of the ledger), most first,
 * at most `most` of them. From the index's files, and from the ledger what is newer; where the
 * files cannot be used, all from the ledger, at millions of disclosures a second. Where that was
 * dropped, whoever it told of is new again. */
MUST_USE enum status exposure_statements(const char *index_folder, const char *ledger_folder,
                                         const char *partner, int64_t from_ns, int64_t to_ns,
                                         size_t most, struct table *table, struct error *error);
/* partner, dataset, column, category, form, grade (declared for exports that staff told of), first,
 * last (hours), purpose (NULL: none stated): all about one subject; in grade probe, what was asked
 * about it. STATUS_NOT_FOUND. */
MUST_USE enum status exposure_subject(struct exposure *exposure, uint16_t kind, struct slice key,
                                      struct table *table, struct error *error);
/* The same where there is no dictionary: of exposure_open_reading. The key is looked for in the
 * subjects' folder, and in the whole ledger for what that did not keep. */
MUST_USE enum status exposure_subject_reading(struct exposure *exposure,
                                              const char *subjects_folder,
                                              const char *ledger_folder, uint16_t kind,
                                              struct slice key, struct table *table,
                                              struct error *error);

#endif
