/* Duties: what is open in a case. Each can be done, or waived by a decision of its own. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "incident/casefile.h"

enum { TABLE_BYTES = 1024 * 1024, ACT_ROOM = 300, HINT_BYTES = 300 };

void casefile_waiver(const char *duty, char step[static CASEFILE_WAIVER_ROOM])
{
    snprintf(step, CASEFILE_WAIVER_ROOM, "waive %.80s", duty);
}

void casefile_clock_duty(const struct jurisdiction_clock *clock,
                         char duty[static CASEFILE_DUTY_ROOM])
{
    static const char *const names[] = {[JURISDICTION_STOP_NOTICES] = "notices",
                                        [JURISDICTION_STOP_DOSSIER] = "documentation",
                                        [JURISDICTION_STOP_NOTICED] = "processor"};
    if (clock->stop == JURISDICTION_STOP_FILING)
        snprintf(duty, CASEFILE_DUTY_ROOM, "file-%.64s", clock->authority);
    else
        snprintf(duty, CASEFILE_DUTY_ROOM, "%s", names[clock->stop]);
}

/* Was a step decided since its cause, and since each decision of the kind that asks it anew? Times
 * are told to the second, so that of one second the order of the log counts. */
static bool decided_since(const struct casefile *casefile, const char *step, int64_t cause_ns,
                          const char *anew)
{
    enum { AT = 1, STEP = 3 };
    static const int64_t second_ns = INT64_C(1000000000);
    int64_t at_ns;
    bool found = false;
    for (const struct table_row *row = casefile->decisions.first; row != NULL; row = row->next) {
        const char *decided = row->cells[STEP];
        if (strcmp(decided, "reopen") == 0 || (anew != NULL && strcmp(decided, anew) == 0))
            found = false;
        else if (strcmp(decided, step) == 0 &&
                 clock_parse(row->cells[AT], &at_ns, NULL) == STATUS_OK)
            found = found || cause_ns == INT64_MIN || at_ns > cause_ns - second_ns;
    }
    return found;
}

/* Duties that each phase brings up anew, with the people it has found. */
static bool is_of_phase(const char *duty)
{
    return strcmp(duty, "scope") == 0 || strcmp(duty, "notices") == 0 ||
           strcmp(duty, "public-page") == 0;
}

bool casefile_waived(const struct casefile *casefile, const char *duty)
{
    char step[CASEFILE_WAIVER_ROOM];
    casefile_waiver(duty, step);
    if (is_of_phase(duty))
        return decided_since(casefile, step, casefile->phase.at_ns, "new phase");
    return decided_since(
        casefile, step,
        strcmp(duty, "containment") == 0 ? casefile->incident.contained_ns : INT64_MIN, NULL);
}

static void write_row(struct table *table, const char *duty, const char *open, const char *act,
                      va_list args)
{
    char text[ACT_ROOM];
    vsnprintf(text, sizeof text, act, args);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", duty);
    table_set(table, row, 1, "%s", open);
    table_set(table, row, 2, "%s", text);
}

static void add(const struct casefile *casefile, struct table *table, const char *duty,
                const char *open, const char *act, ...) __attribute__((format(printf, 5, 6)));
static void add(const struct casefile *casefile, struct table *table, const char *duty,
                const char *open, const char *act, ...)
{
    va_list args;
    if (casefile_waived(casefile, duty))
        return;
    va_start(args, act);
    write_row(table, duty, open, act, args);
    va_end(args);
}

/* What has come up since it was waived is open again: the caller has looked at that. */
static void add_anew(struct table *table, const char *duty, const char *open, const char *act, ...)
    __attribute__((format(printf, 4, 5)));
static void add_anew(struct table *table, const char *duty, const char *open, const char *act, ...)
{
    va_list args;
    va_start(args, act);
    write_row(table, duty, open, act, args);
    va_end(args);
}

static long long number_of(const struct casefile *casefile)
{
    return casefile->incident.number;
}

static void judge_containment(const struct casefile *casefile, struct table *table)
{
    if (casefile->contained == CASEFILE_CONTAINED ||
        decided_since(casefile, "restore", casefile->incident.contained_ns, NULL))
        return;
    add(casefile, table, "containment",
        casefile->contained == CASEFILE_UNKNOWN ? "whether the partner is contained is not known"
        : casefile->partner == NULL
            ? "the partner is no longer in the policy: does the gateway have this policy?"
            : "the partner is being served, and no decision says that it may be",
        "cofferdam partner contain %s --reason …\nor, if it may be served: "
        "cofferdam incident decide %lld --step restore --why …",
        casefile->incident.partner, number_of(casefile));
}

static void judge_filings(const struct casefile *casefile, struct table *table)
{
    for (size_t i = 0; i < casefile->deadlines.count; i++) {
        const struct deadline *deadline = &casefile->deadlines.list[i];
        const char *authority = deadline->clock->authority;
        char duty[CASEFILE_DUTY_ROOM];
        if (deadline->clock->stop != JURISDICTION_STOP_FILING || deadline->stopped_ns != INT64_MIN)
            continue;
        casefile_clock_duty(deadline->clock, duty);
        add(casefile, table, duty, deadline->clock->duty,
            "cofferdam incident report %lld --authority %s\nfile it, then: "
            "cofferdam incident reported %lld --authority %s --reference …",
            number_of(casefile), authority, number_of(casefile), authority);
    }
}

/* What keeps the notices open, and the option of notify that goes on from there. */
static const char *notices_open(const struct casefile *casefile, const char **mode)
{
    const uint64_t *states = casefile->messages.states;
    uint64_t waiting = states[OUTBOX_READY] + states[OUTBOX_OFFERED] + states[OUTBOX_BEGUN] +
                       states[OUTBOX_DEFERRED];
    *mode = "--dry-run";
    if (!casefile->has_notice)
        return "no notice to people has been approved";
    *mode = "--resume";
    if (casefile->paused)
        return "sending is paused";
    *mode = "--status";
    if (states[OUTBOX_IN_DOUBT] > 0)
        return "of some messages it is in doubt whether they were taken";
    if (waiting > 0 || casefile->notice.finished_ns == INT64_MIN)
        return "not every message has been sent";
    *mode = "--dry-run";
    return casefile->notice.phase < casefile->phase.number
               ? "the newest phase came after the last notice: who needs one, or a corrected one?"
               : NULL;
}

static void judge_notices(const struct casefile *casefile, struct table *table)
{
    struct standing_open_ends ends;
    const char *mode, *open = notices_open(casefile, &mode);
    if (open != NULL)
        add(casefile, table, "notices", open, "cofferdam incident notify %lld %s",
            number_of(casefile), mode);
    standing_open_ends(&casefile->messages, &casefile->decisions, &ends);
    if (ends.letters > 0)
        add_anew(table, "letters", "some people can be reached by letter only",
                 "cofferdam incident notify %lld --letters FILE\npost them, then: "
                 "cofferdam incident decide %lld --step letters --why …",
                 number_of(casefile), number_of(casefile));
    if (ends.public_notices > 0)
        add_anew(table, "public-notice", "some people have no usable address at all",
                 "cofferdam incident decide %lld --step \"public notice\" --why …",
                 number_of(casefile));
}

/* They asked on the public page, and wait. */
static void judge_letter_requests(const struct casefile *casefile, struct table *table)
{
    char open[ACT_ROOM];
    if (casefile->letter_requests == 0)
        return;
    snprintf(open, sizeof open, "%" PRIu64 " %s on the public page for an answer by letter",
             casefile->letter_requests,
             casefile->letter_requests == 1 ? "person asked" : "people asked");
    add_anew(table, "letter-requests", open,
             "write to those in %.150s, then: "
             "cofferdam incident decide %lld --step \"letter requests\" --why …",
             casefile->letter_requests_file, number_of(casefile));
}

/* A page that was published says what was known then. */
static void judge_page(const struct casefile *casefile, struct table *table)
{
    enum { AT = 1, STEP = 3 };
    const char *published = NULL;
    char phase[21];
    clock_format_utc(casefile->phase.at_ns, phase);
    for (const struct table_row *row = casefile->decisions.first; row != NULL; row = row->next)
        if (strcmp(row->cells[STEP], "publish") == 0)
            published = row->cells[AT];
    if (published != NULL && strcmp(published, phase) < 0)
        add(casefile, table, "public-page", "the public page says what was known before this phase",
            "cofferdam incident publish %lld", number_of(casefile));
}

enum status casefile_duties(const struct casefile *casefile, struct table *table,
                            struct error *error)
{
    static const char *const columns[] = {"duty", "open", "do", NULL};
    table_init(table, TABLE_BYTES, columns);
    if (casefile->incident.closed_ns != INT64_MIN)
        return STATUS_OK;
    judge_containment(casefile, table);
    if (casefile->phase.scope_sha256 == NULL)
        add(casefile, table, "scope", "who is affected has not been computed for the newest phase",
            "cofferdam incident scope %lld", number_of(casefile));
    else if (casefile->later_unknown)
        add(casefile, table, "scope",
            "the ledger cannot be read: whether it has more than the newest phase is not known",
            "cofferdam incident scope %lld", number_of(casefile));
    else if (casefile->later.declared + casefile->later.disclosures > 0)
        add(casefile, table, "scope",
            "the ledger has more of the partner than the newest phase counts",
            "cofferdam incident scope %lld --new-phase --reason …", number_of(casefile));
    judge_filings(casefile, table);
    judge_notices(casefile, table);
    judge_letter_requests(casefile, table);
    judge_page(casefile, table);
    if (!decided_since(casefile, "statement", INT64_MIN, NULL))
        add(casefile, table, "statement", "whether to make a public statement is not decided",
            "cofferdam incident statement %lld\nthen: cofferdam incident decide %lld "
            "--step statement --why …",
            number_of(casefile), number_of(casefile));
    return STATUS_OK;
}

enum status casefile_check_duty(const struct casefile *casefile, const char *duty,
                                struct error *error)
{
    struct table table;
    TRY(casefile_duties(casefile, &table, error));
    char hint[HINT_BYTES] = "open are: ";
    size_t len = strlen(hint);
    bool found = false;
    for (const struct table_row *row = table.first; row != NULL; row = row->next) {
        found = found || strcmp(row->cells[0], duty) == 0;
        if (len < sizeof hint)
            len += (size_t)snprintf(hint + len, sizeof hint - len, "%s%s",
                                    row == table.first ? "" : ", ", row->cells[0]);
    }
    bool none = table.row_count == 0;
    table_free(&table);
    return found ? STATUS_OK
                 : error_set(error, STATUS_NOT_FOUND, "02000", none ? "none is open" : hint,
                             "\"%.60s\" is no open duty of this incident", duty);
}
