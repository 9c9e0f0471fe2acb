/* A case file as tables. */
#include <string.h>

#include "base/clock.h"
#include "incident/casefile.h"

enum { TABLE_BYTES = 64 * 1024 * 1024, TEXT_ROOM = 300 };

static enum status finish(struct table *table, struct error *error)
{
    if (!table_overflowed(table))
        return STATUS_OK;
    table_free(table);
    return error_set(error, STATUS_LIMIT, "54000", NULL, "the case is too large to be shown");
}

/* ---- the case ---- */

static void put(struct table *table, const char *what, const char *value)
{
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", what);
    table_set(table, row, 1, "%s", value);
}

static void put_instant(struct table *table, const char *what, int64_t instant_ns)
{
    char text[21];
    if (instant_ns == INT64_MIN)
        return;
    clock_format_utc(instant_ns, text);
    put(table, what, text);
}

static void put_contact(struct table *table, const struct policy_partner *partner)
{
    char text[TEXT_ROOM];
    if (partner == NULL ||
        (partner->breach_contact_name == NULL && partner->breach_contact_phone == NULL)) {
        put(table, "call back", "no breach contact in the policy: use a number you knew before");
        return;
    }
    snprintf(text, sizeof text, "%s, %s",
             partner->breach_contact_name == NULL ? "" : partner->breach_contact_name,
             partner->breach_contact_phone == NULL ? "no telephone number in the policy"
                                                   : partner->breach_contact_phone);
    put(table, "call back", text);
    if (partner->agreement != NULL)
        put(table, "agreement", partner->agreement);
}

static enum status fill_case(const struct casefile *casefile, struct table *table,
                             struct error *error)
{
    static const char *const columns[] = {"what", "value", NULL};
    static const char *const states[] = {[CASEFILE_UNKNOWN] = "not known: the gateway is silent",
                                         [CASEFILE_CONTAINED] = "contained",
                                         [CASEFILE_OPEN] = "NOT contained: it is being served"};
    const struct incident *incident = &casefile->incident;
    char text[DEADLINE_ROOM];
    table_init(table, TABLE_BYTES, columns);
    snprintf(text, sizeof text, "%lld%s", (long long)incident->number,
             incident->is_drill ? " (an exercise)" : "");
    put(table, "incident", text);
    put(table, "partner", incident->partner);
    put_contact(table, casefile->partner);
    put_instant(table, "noticed", incident->noticed_ns);
    put_instant(table, "opened", incident->opened_ns);
    put(table, "opened by", incident->opened_by);
    put_instant(table, "contained", incident->contained_ns);
    deadline_containment(incident, text);
    put(table, "containment", text);
    if (incident->closed_ns == INT64_MIN)
        put(table, "partner now",
            casefile->contained == CASEFILE_OPEN && casefile->partner == NULL
                ? "NOT contained, and no longer in the policy"
                : states[casefile->contained]);
    put_instant(table, "attacker inside from", incident->from_ns);
    put_instant(table, "attacker inside to", incident->to_ns);
    if (incident->suspect != NULL)
        put(table, "suspect", incident->suspect);
    if (incident->report_name != NULL) {
        put(table, "provider's notice", incident->report_name);
        put(table, "its SHA-256", incident->report_sha256);
    }
    put_instant(table, "closed", incident->closed_ns);
    return finish(table, error);
}

/* ---- clocks, messages ---- */

static enum status fill_clocks(const struct casefile *casefile, struct table *table,
                               struct error *error)
{
    static const char *const columns[] = {"law", "duty", "due", "state", "source", NULL};
    table_init(table, TABLE_BYTES, columns);
    for (size_t i = 0; i < casefile->deadlines.count; i++) {
        const struct deadline *deadline = &casefile->deadlines.list[i];
        char due[21] = "", state[DEADLINE_ROOM], duty[CASEFILE_DUTY_ROOM];
        if (deadline->clock->stop == JURISDICTION_STOP_NOTICED)
            continue; /* the processor's duty: the notice has come */
        if (deadline->due_ns != INT64_MAX)
            clock_format_utc(deadline->due_ns, due);
        deadline_tell(deadline, casefile->incident.noticed_ns, casefile->now_ns, state);
        casefile_clock_duty(deadline->clock, duty);
        if (deadline->stopped_ns == INT64_MIN && casefile_waived(casefile, duty))
            snprintf(state, sizeof state, "waived: see the decisions");
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", deadline->law->name);
        table_set(table, row, 1, "%s", deadline->clock->duty);
        table_set(table, row, 2, "%s", due[0] == '\0' ? "without undue delay" : due);
        table_set(table, row, 3, "%s", state);
        table_set(table, row, 4, "%s", deadline->clock->source);
    }
    return finish(table, error);
}

static enum status fill_messages(const struct casefile *casefile, struct table *table,
                                 struct error *error)
{
    static const char *const columns[] = {"state", "people", NULL};
    table_init(table, TABLE_BYTES, columns);
    for (int state = OUTBOX_READY; casefile->has_outbox && state < OUTBOX_STATES; state++) {
        if (casefile->messages.states[state] == 0)
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", outbox_state_name((enum outbox_state)state));
        table_set(table, row, 1, "%llu", (unsigned long long)casefile->messages.states[state]);
    }
    return finish(table, error);
}

/* ---- what is kept as it is ---- */

static enum status copy(const struct table *from, struct table *table, struct error *error)
{
    const char *columns[TABLE_MAX_COLUMNS + 1] = {NULL};
    for (size_t i = 0; i < from->column_count; i++)
        columns[i] = from->columns[i];
    table_init(table, TABLE_BYTES, columns);
    for (const struct table_row *source = from->first; source != NULL; source = source->next) {
        struct table_row *row = table_add(table);
        for (size_t i = 0; i < from->column_count; i++) {
            if (source->cells[i] != NULL)
                table_set(table, row, i, "%s", source->cells[i]);
        }
    }
    return finish(table, error);
}

static enum status fill_phases(const struct casefile *casefile, struct table *table,
                               struct error *error)
{
    return copy(&casefile->phases, table, error);
}

static enum status fill_decisions(const struct casefile *casefile, struct table *table,
                                  struct error *error)
{
    return copy(&casefile->decisions, table, error);
}

static enum status fill_facts(const struct casefile *casefile, struct table *table,
                              struct error *error)
{
    return copy(&casefile->facts, table, error);
}

static enum status fill_filings(const struct casefile *casefile, struct table *table,
                                struct error *error)
{
    return copy(&casefile->filings, table, error);
}

static enum status fill_evidence(const struct casefile *casefile, struct table *table,
                                 struct error *error)
{
    return copy(&casefile->evidence, table, error);
}

const struct casefile_section casefile_sections[] = {
    {"case", "The case", fill_case},
    {"clocks", "Clocks", fill_clocks},
    {"phases", "Phases: which part of the ledger counts", fill_phases},
    {"facts", "Facts that people gave", fill_facts},
    {"filings", "Filings with authorities", fill_filings},
    {"messages", "Messages to people", fill_messages},
    {"evidence", "Evidence", fill_evidence},
    {"decisions", "Decisions", fill_decisions},
    {"remaining", "What remains to be done", casefile_duties},
};
const size_t casefile_section_count = sizeof casefile_sections / sizeof casefile_sections[0];
