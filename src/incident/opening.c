/* See opening.h. Order: judge the arguments, contain, then everything that may fail: the case
 * files, the cut-off, the decisions. */
#include "incident/opening.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "incident/brief.h"
#include "incident/casefile.h"
#include "incident/evidence.h"

enum { COMMAND_BYTES = 4096, WHY_ROOM = 1000, PATH_BYTES = 4096 };
static const char not_in_policy[] = "it is no longer in the policy: nobody can log in as it";

/* What the request comes to once it has been judged. */
struct opening {
    const struct opening_request *request;
    const struct policy_partner *partner;
    struct policy_partner former; /* stands for one that the policy has no longer */
    int64_t now_ns, noticed_ns, from_ns, to_ns, contained_ns;
    struct buffer report;
    char report_sha256[EVIDENCE_HEX_ROOM], report_name[EVIDENCE_NAME_ROOM];
    bool is_contained;
    struct opened opened;
};

static bool is_former(const struct opening *opening)
{
    return opening->partner == &opening->former;
}

/* ---- containing ---- */

static const char *cell(const struct table *table, const char *name)
{
    for (size_t i = 0; table->first != NULL && i < table->column_count; i++) {
        if (strcmp(table->columns[i], name) == 0 && table->first->cells[i] != NULL)
            return table->first->cells[i];
    }
    return "";
}

static enum status contain_now(struct casework *casework, struct opening *opening,
                               struct error *error)
{
    static const char unknown_name[] = "42704";
    char reason[200], noticed[21];
    struct admin_client *admin = NULL;
    struct buffer command;
    struct table table;
    TRY(casework_admin(casework, &admin, error));
    clock_format_utc(opening->noticed_ns, noticed);
    snprintf(reason, sizeof reason, "breach noticed at %s, told by %s", noticed, casework->by);
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "CONTAIN");
    admin_client_clause(&command, "PARTNER", opening->partner->name);
    admin_client_clause(&command, "REASON", reason);
    struct error refused = {0};
    enum status status = admin_client_ask(admin, &command, &table, &refused);
    buffer_free(&command);
    if (status != STATUS_OK && is_former(opening) && strcmp(refused.sqlstate, unknown_name) == 0)
        return STATUS_OK; /* the gateway's policy does not have it either */
    if (status != STATUS_OK)
        *error = refused;
    TRY(status);
    struct opened *opened = &opening->opened;
    snprintf(opened->sessions, sizeof opened->sessions, "%s", cell(&table, "sessions"));
    snprintf(opened->cut_ms, sizeof opened->cut_ms, "%s", cell(&table, "cut_ms"));
    if (strcmp(cell(&table, "stored"), "yes") != 0)
        snprintf(opened->not_stored, sizeof opened->not_stored, "%s", cell(&table, "stored"));
    table_free(&table);
    opened->contained_now = true;
    opening->is_contained = true;
    opening->contained_ns = clock_now_ns();
    return STATUS_OK;
}

/* One that is contained already keeps its time: what counts is since when nothing has left. */
static enum status contain(struct casework *casework, struct opening *opening, struct error *error)
{
    struct admin_client *admin;
    struct error away = {0};
    if (casework_admin(casework, &admin, &away) != STATUS_OK)
        return error_set(error, STATUS_IO, "08001",
                         "While it does not run it serves nobody. So that it does not serve this "
                         "partner when it starts, end the partner's valid: in the policy first",
                         "nothing is done, since the gateway does not answer (%s)", away.message);
    /* Where that cannot be told it is contained again: the gateway keeps the first time. */
    if (casefile_containment(casework, opening->partner->name, &opening->contained_ns, NULL) !=
        STATUS_OK)
        opening->contained_ns = INT64_MIN;
    opening->is_contained = opening->contained_ns != INT64_MIN;
    if (opening->is_contained || opening->request->no_contain != NULL)
        return STATUS_OK;
    return contain_now(casework, opening, error);
}

/* ---- the case ---- */

static enum status make_case(struct casework *casework, struct opening *opening,
                             struct error *error)
{
    const struct opening_request *request = opening->request;
    struct admin_client *admin = NULL;
    struct admin_cutoff cutoff;
    TRY(casework_admin(casework, &admin, error));
    TRY(admin_client_cutoff(admin, &cutoff, error));
    if (opening->to_ns == opening->now_ns) /* what left until it was contained counts */
        opening->to_ns = cutoff.time_ns;
    struct incident incident = {
        .partner = opening->partner->name,
        .suspect = request->suspect,
        .report_name = request->report == NULL ? NULL : opening->report_name,
        .report_sha256 = request->report == NULL ? NULL : opening->report_sha256,
        .opened_by = casework->by,
        .noticed_ns = opening->noticed_ns,
        .opened_ns = opening->now_ns,
        .from_ns = opening->from_ns,
        .to_ns = opening->to_ns,
        .contained_ns = opening->contained_ns,
        .closed_ns = INT64_MIN,
        .is_drill = request->is_drill,
    };
    struct incident_phase phase = {
        .at_ns = cutoff.time_ns, .cutoff = cutoff.entries, .by = casework->by, .reason = "opened"};
    memcpy(phase.root, cutoff.root, sizeof phase.root);
    return incidents_create(casework->incidents, &incident, &phase, &opening->opened.number, error);
}

/* People of two cases about one breach would be written to twice. */
static enum status find_other(struct casework *casework, struct opened *opened, const char *partner,
                              struct error *error)
{
    struct table table;
    TRY(incidents_list(casework->incidents, &table, error));
    for (const struct table_row *row = table.first; row != NULL; row = row->next) {
        int64_t number = strtoll(brief_cell(&table, row, "number"), NULL, 10);
        if (number != opened->number && brief_cell(&table, row, "closed")[0] == '\0' &&
            strcmp(brief_cell(&table, row, "partner"), partner) == 0)
            opened->other = number;
    }
    table_free(&table);
    return STATUS_OK;
}

static void describe_containment(const struct opening *opening, char why[static WHY_ROOM])
{
    char since[21];
    if (opening->opened.contained_now) {
        snprintf(why, WHY_ROOM, "on the breach notice; sessions ended: %s, in %s ms",
                 opening->opened.sessions, opening->opened.cut_ms);
    } else {
        clock_format_utc(opening->contained_ns, since);
        snprintf(why, WHY_ROOM, "it was contained already, since %s", since);
    }
}

static enum status decide(struct casework *casework, const struct opening *opening,
                          struct error *error)
{
    const struct opening_request *request = opening->request;
    int64_t number = opening->opened.number;
    const char *partner = opening->partner->name;
    char why[WHY_ROOM], noticed[21];
    clock_format_utc(opening->noticed_ns, noticed);
    snprintf(why, sizeof why, "%sbreach noticed at %s; suspect: %.200s",
             request->is_drill ? "an exercise; " : "", noticed,
             request->suspect == NULL ? "unknown" : request->suspect);
    TRY(casework_decide(casework, number, partner, "open", why, error));
    if (!opening->is_contained)
        return casework_decide(casework, number, partner, "do not contain",
                               request->no_contain == NULL ? not_in_policy : request->no_contain,
                               error);
    describe_containment(opening, why);
    return casework_decide(casework, number, partner, "contain", why, error);
}

static enum status keep_report(struct casework *casework, const struct opening *opening,
                               struct error *error)
{
    char why[WHY_ROOM];
    if (opening->request->report == NULL)
        return STATUS_OK;
    TRY(evidence_keep(casework, opening->opened.number, opening->report_name,
                      buffer_slice(&opening->report), opening->report_sha256,
                      "the provider's notice", error));
    snprintf(why, sizeof why, "%s, SHA-256 %s", opening->report_name, opening->report_sha256);
    return casework_decide(casework, opening->opened.number, opening->partner->name,
                           "receive notice", why, error);
}

static enum status open_case(const char *config_path, struct opening *opening, struct error *error)
{
    struct casework *casework = NULL;
    TRY(casework_open(config_path, opening->request->by, &casework, error));
    enum status status = make_case(casework, opening, error);
    if (status == STATUS_OK)
        status = find_other(casework, &opening->opened, opening->partner->name, error);
    if (status == STATUS_OK)
        status = decide(casework, opening, error);
    if (status == STATUS_OK)
        status = keep_report(casework, opening, error);
    if (status == STATUS_OK && opening->request->what != NULL)
        status = incidents_set_fact(casework->incidents, opening->opened.number, "what_happened",
                                    opening->request->what, casework->by, clock_now_ns(), error);
    casework_close(casework);
    return status;
}

/* ---- judging ---- */

/* Stored copies outlive contracts: a partner that the ledger knows can be breached. */
static enum status find_partner(const struct casework *casework, struct opening *opening,
                                struct error *error)
{
    char folder[PATH_BYTES];
    const char *name = opening->request->partner;
    struct brief_ledger ledger = {0};
    enum status status = policy_need_partner(casework->policy, name, &opening->partner, error);
    if (status != STATUS_NOT_FOUND || name[0] == '\0')
        return status;
    snprintf(folder, sizeof folder, "%s/ledger", casework->config->state_folder);
    if (brief_read_ledger(folder, name, 0, &ledger, NULL) != STATUS_OK ||
        ledger.disclosures_later + ledger.declared_later == 0)
        return status;
    opening->former = (struct policy_partner){.name = name};
    opening->partner = &opening->former;
    return STATUS_OK;
}

static enum status judge(const struct casework *casework, struct opening *opening,
                         struct error *error)
{
    const struct opening_request *request = opening->request;
    TRY(opening_actor(casework->by, error));
    TRY(find_partner(casework, opening, error));
    TRY(opening_noticed("--noticed", request->noticed, opening->now_ns, &opening->noticed_ns,
                        error));
    if (request->from != NULL)
        TRY(opening_instant("--from", request->from, opening->now_ns, &opening->from_ns, error));
    if (request->to != NULL)
        TRY(opening_end("--to", request->to, opening->now_ns, &opening->to_ns, error));
    opening->opened.is_long_ago = opening_is_long_ago(opening->from_ns, opening->now_ns) ||
                                  opening_is_long_ago(opening->to_ns, opening->now_ns);
    if (opening->to_ns != INT64_MIN && opening->from_ns > opening->to_ns)
        return error_set(error, STATUS_INVALID, "22023", NULL, "--from is later than --to");
    if (request->suspect != NULL && !is_former(opening))
        TRY(opening_suspect(opening->partner, request->suspect, error));
    if (request->no_contain != NULL && request->no_contain[0] == '\0')
        return error_set(error, STATUS_INVALID, "22023", "--no-contain --reason WHY",
                         "not to contain the partner needs a reason: it goes into the case");
    if (request->report == NULL)
        return STATUS_OK;
    evidence_name("notice", request->report, opening->report_name);
    return evidence_read(request->report, &opening->report, opening->report_sha256, error);
}

/* Without the case files: they may be what fails. */
static enum status judge_and_contain(const char *config_path, struct opening *opening,
                                     struct policy const **policy, struct error *error)
{
    struct casework *casework = NULL;
    TRY(casework_open_bare(config_path, opening->request->by, &casework, error));
    *policy = policy_retain(casework->policy);
    enum status status = judge(casework, opening, error);
    if (status == STATUS_OK)
        status = contain(casework, opening, error);
    casework_close(casework);
    return status;
}

enum status opening_open(const char *config_path, const struct opening_request *request,
                         struct opened *opened, struct error *error)
{
    struct opening opening = {.request = request,
                              .now_ns = clock_now_ns(),
                              .from_ns = INT64_MIN,
                              .to_ns = INT64_MIN,
                              .contained_ns = INT64_MIN};
    const struct policy *policy = NULL; /* the partner's name is in it */
    buffer_init(&opening.report, EVIDENCE_BYTES);
    enum status status = judge_and_contain(config_path, &opening, &policy, error);
    if (status != STATUS_OK)
        goto done;
    status = open_case(config_path, &opening, error);
    if (status != STATUS_OK && opening.opened.number != 0)
        error_prefix(error, "incident %lld is open but not complete",
                     (long long)opening.opened.number);
    if (status != STATUS_OK)
        error_prefix(error, "%s IS %sCONTAINED, but", opening.partner->name,
                     opening.is_contained ? "" : "NOT ");
    if (status == STATUS_OK)
        *opened = opening.opened;
done:
    buffer_free(&opening.report);
    policy_release(policy);
    return status;
}
