/* Answers that the case, the policy and the ledger give; those that are counted are in
 * report_numbers.c. */
#include "incident/report_values.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "incident/layout.h"

/* ---- filings ---- */

const struct table_row *report_filing(const struct report_case *of, bool newest)
{
    const struct table *filings = &of->brief->filings;
    const struct table_row *found = NULL;
    for (const struct table_row *row = filings->first; row != NULL; row = row->next)
        if (strcmp(brief_cell(filings, row, "authority"), of->form->authority) == 0 &&
            (found == NULL || newest))
            found = row;
    return found;
}

int64_t report_filed_ns(const struct report_case *of, const struct table_row *filing)
{
    int64_t at_ns;
    if (filing == NULL ||
        clock_parse(brief_cell(&of->brief->filings, filing, "at"), &at_ns, NULL) != STATUS_OK)
        return INT64_MIN;
    return at_ns;
}

bool report_is_late(const struct report_case *of, int64_t *due_ns, int64_t *filed_ns)
{
    *due_ns = INT64_MAX;
    *filed_ns = report_filed_ns(of, report_filing(of, false));
    for (size_t i = 0; i < of->jurisdiction->clock_count; i++) {
        const struct jurisdiction_clock *clock = &of->jurisdiction->clocks[i];
        if (clock->authority != NULL && strcmp(clock->authority, of->form->authority) == 0 &&
            clock->limit_ns != INT64_MAX)
            *due_ns = of->brief->incident.noticed_ns + clock->limit_ns;
    }
    return (*filed_ns != INT64_MIN ? *filed_ns : of->brief->now_ns) > *due_ns;
}

static bool is_follow_up(const struct answering *answering)
{
    return answering->of->is_follow_up || report_filing(answering->of, false) != NULL;
}

static bool is_late(const struct answering *answering)
{
    int64_t due_ns, filed_ns;
    return report_is_late(answering->of, &due_ns, &filed_ns);
}

static bool is_cyber(const struct answering *answering)
{
    const char *cyber = brief_fact(answering->brief, "cyber");
    return cyber == NULL || strcmp(cyber, "no") != 0;
}

static bool are_people_not_told(const struct answering *answering)
{
    return !answering->brief->has_notice;
}

static const struct {
    const char *name;
    bool (*holds)(const struct answering *answering);
} conditions[] = {{"follow-up", is_follow_up},
                  {"late", is_late},
                  {"cyber", is_cyber},
                  {"people-not-told", are_people_not_told}};

bool report_applies(const struct answering *answering, const char *condition, bool *known)
{
    *known = true;
    if (condition == NULL)
        return true;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (strcmp(conditions[i].name, condition) == 0)
            return conditions[i].holds(answering);
    *known = false;
    return false;
}

/* ---- about the report ---- */

static const char *report_kind(const struct answering *answering)
{
    return is_follow_up(answering) ? "follow-up" : "initial";
}

static const char *case_reference(const struct answering *answering)
{
    const struct table_row *filing = report_filing(answering->of, true);
    const char *reference =
        filing == NULL ? "" : brief_cell(&answering->brief->filings, filing, "reference");
    return reference[0] != '\0' ? reference
                                : brief_fact(answering->brief, answering->of->form->case_reference);
}

static const char *own_reference(const struct answering *answering)
{
    return arena_printf(answering->arena, "Incident %" PRId64 ", phase %" PRId64,
                        answering->brief->incident.number, answering->brief->phase.number);
}

static const char *deadline(const struct answering *answering)
{
    int64_t due_ns, filed_ns;
    report_is_late(answering->of, &due_ns, &filed_ns);
    return due_ns == INT64_MAX ? NULL
                               : arena_printf(answering->arena, "It was due on %s.",
                                              layout_instant(due_ns, answering->arena));
}

/* ---- what happened ---- */

static const char *aware_at(const struct answering *answering)
{
    return layout_instant(answering->brief->incident.noticed_ns, answering->arena);
}

static const char *notice_received(const struct answering *answering)
{
    const struct incident *incident = &answering->brief->incident;
    if (incident->report_sha256 == NULL)
        return NULL;
    return arena_printf(answering->arena, "By the processor's own notice, which reached us on %s.",
                        layout_instant(incident->noticed_ns, answering->arena));
}

static const char *window(const struct answering *answering)
{
    const struct incident *incident = &answering->brief->incident;
    if (incident->from_ns == INT64_MIN && incident->to_ns == INT64_MIN)
        return NULL;
    return arena_printf(
        answering->arena, "From %s to %s, as far as it is known.",
        incident->from_ns == INT64_MIN ? "a time not known yet"
                                       : layout_instant(incident->from_ns, answering->arena),
        incident->to_ns == INT64_MIN ? "a time not known yet"
                                     : layout_instant(incident->to_ns, answering->arena));
}

static const char *list_texts(const struct answering *answering, const char *const *texts,
                              size_t count)
{
    const char *list = NULL;
    for (size_t i = 0; i < count; i++)
        list = list == NULL ? texts[i] : arena_printf(answering->arena, "%s, %s", list, texts[i]);
    return list;
}

static const char *processor(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    const struct policy_partner *partner = brief->partner;
    const char *public_name = brief_fact(brief, "partner_public_name");
    const char *text = arena_printf(answering->arena, "The breach is at a processor of ours: %s",
                                    public_name != NULL ? public_name : brief->incident.partner);
    if (partner == NULL)
        return arena_printf(answering->arena, "%s.", text);
    if (partner->agreement != NULL)
        text =
            arena_printf(answering->arena, "%s, under the agreement %s", text, partner->agreement);
    const char *purposes = list_texts(answering, partner->purposes, partner->purpose_count);
    text = arena_printf(answering->arena, "%s. It had data for: %s.", text, purposes);
    const char *others =
        list_texts(answering, partner->sub_processors, partner->sub_processor_count);
    return others == NULL
               ? text
               : arena_printf(answering->arena, "%s Its sub-processors: %s.", text, others);
}

/* ---- what was done ---- */

static const char *containment(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    const struct brief_ledger *ledger = &brief->ledger;
    struct arena *arena = answering->arena;
    if (ledger->contained_ns == INT64_MIN)
        return "The processor's access to our data has not been cut off.";
    int64_t after_ns = ledger->contained_ns - brief->incident.noticed_ns;
    const char *text = arena_printf(
        arena,
        "The processor's access to our data through the gateway was cut off on %s, %s %s its "
        "notice reached us.",
        layout_instant(ledger->contained_ns, arena),
        layout_duration(after_ns < 0 ? -after_ns : after_ns, arena),
        after_ns < 0 ? "before" : "after");
    if (ledger->restored_ns != INT64_MIN)
        return arena_printf(arena, "%s It was given access again on %s.", text,
                            layout_instant(ledger->restored_ns, arena));
    text = arena_printf(arena, "%s It has had none since.", text);
    return ledger->declared_last_ns <= ledger->contained_ns
               ? text
               : arena_printf(arena, "%s Staff declared a delivery to it by another way on %s.",
                              text, layout_instant(ledger->declared_last_ns, arena));
}

/* Budgets are left out: those of today need not be those of then. */
static const char *gateway_measures(const struct answering *answering)
{
    const struct brief_ledger *ledger = &answering->brief->ledger;
    bool declared = ledger->declared + ledger->declared_later > 0;
    if (answering->brief->partner == NULL)
        return NULL;
    return arena_printf(
        answering->arena,
        "%s: over TLS, as identified agents, restricted to the columns and people of its "
        "contract, with every person whose data left that way recorded before it left.",
        declared ? "The processor could reach our data through a gateway, besides deliveries that "
                   "staff declared"
                 : "The processor could reach our data only through a gateway");
}

/* text, with " name: number." where the number is not 0. */
static const char *with_number(const char *text, const char *name, uint64_t number,
                               struct arena *arena)
{
    return number == 0
               ? text
               : arena_printf(arena, "%s %s: %s.", text, name, layout_number(number, ",", arena));
}

static const char *letters_words(const struct standing_open_ends *open)
{
    if (open->letters > 0)
        return "By letter, not posted yet";
    if (open->letters_waived > 0)
        return open->letters_after_some ? "By letter, in part posted, the others decided not to be "
                                          "sent"
                                        : "By letter, decided not to be sent";
    return "By letter, posted";
}

static const char *nowhere_words(const struct standing_open_ends *open)
{
    if (open->public_notices > 0)
        return "Without a usable address, to be told by a public notice";
    if (open->public_waived > 0)
        return open->public_after_some
                   ? "Without a usable address, in part told by a public notice, for the others "
                     "decided not to be published"
                   : "Without a usable address, a public notice decided not to be published";
    return "Without a usable address, told by a public notice or not at all";
}

/* Messages that have no outcome yet. */
static uint64_t pending(const struct brief *brief)
{
    const uint64_t *states = brief->messages.states;
    return states[OUTBOX_READY] + states[OUTBOX_OFFERED] + states[OUTBOX_BEGUN] +
           states[OUTBOX_DEFERRED] + states[OUTBOX_IN_DOUBT];
}

/* How far that is, with every number that is not 0: "told" must not stand for all where some wait
 * for a letter. */
static const char *messages_words(const struct answering *answering, const char *text)
{
    const struct brief *brief = answering->brief;
    const uint64_t *states = brief->messages.states;
    struct arena *arena = answering->arena;
    uint64_t letters = states[OUTBOX_LETTER] + states[OUTBOX_REFUSED] + states[OUTBOX_BOUNCED];
    uint64_t nowhere = states[OUTBOX_PUBLIC] + states[OUTBOX_ERASED];
    text = with_number(text, "By email, handed over to our mail server", states[OUTBOX_ACCEPTED],
                       arena);
    text = with_number(text, "Still to be sent by email", pending(brief) - states[OUTBOX_IN_DOUBT],
                       arena);
    text = with_number(text, "In doubt, since nobody knows whether the mail server took it",
                       states[OUTBOX_IN_DOUBT], arena);
    text = with_number(text, letters_words(&brief->open), letters, arena);
    text = with_number(text, nowhere_words(&brief->open), nowhere, arena);
    return with_number(text, "Not written to, since they have died", states[OUTBOX_SILENT], arena);
}

/* "Yes" only once everybody has an outcome, and of those who were written to. */
static const char *told_words(const struct brief *brief)
{
    const struct standing_open_ends *open = &brief->open;
    const uint64_t *states = brief->messages.states;
    uint64_t letters = states[OUTBOX_LETTER] + states[OUTBOX_REFUSED] + states[OUTBOX_BOUNCED];
    if (brief->messages.total == 0)
        return brief->notice.finished_ns == INT64_MIN ? "They are being told, one by one."
                                                      : "Yes, one by one.";
    if (pending(brief) > 0 || open->letters > 0 || open->public_notices > 0)
        return "They are being told, one by one.";
    if (states[OUTBOX_ACCEPTED] + letters == 0)
        return "None of them could be written to.";
    if (open->letters_waived == 0)
        return "Yes, one by one.";
    return states[OUTBOX_ACCEPTED] > 0 || open->letters_after_some
               ? "Some of them, one by one; not the others."
               : "No: the letters to them were decided not to be sent.";
}

static const char *notices(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    struct arena *arena = answering->arena;
    if (!brief->has_notice)
        return NULL;
    const char *text =
        arena_printf(arena, "%s The messages to them were approved on %s.", told_words(brief),
                     layout_instant(brief->notice.approved_ns, arena));
    if (brief->messages.total == 0)
        return brief->notice.finished_ns == INT64_MIN
                   ? arena_printf(arena, "%s They are being sent.", text)
                   : arena_printf(arena, "%s Everybody had an outcome on %s.", text,
                                  layout_instant(brief->notice.finished_ns, arena));
    return messages_words(answering, text);
}

static const char *filings_elsewhere(const struct answering *answering)
{
    const struct table *filings = &answering->brief->filings;
    const char *list = NULL;
    for (const struct table_row *row = filings->first; row != NULL; row = row->next) {
        const char *authority = brief_cell(filings, row, "authority");
        if (strcmp(authority, answering->of->form->authority) == 0)
            continue;
        int64_t at_ns = report_filed_ns(answering->of, row);
        list = arena_printf(answering->arena, "%s%s%s: told on %s, reference %s.",
                            list == NULL ? "" : list, list == NULL ? "" : "\n", authority,
                            layout_instant(at_ns, answering->arena),
                            brief_cell(filings, row, "reference"));
    }
    return list;
}

/* ---- about the controller ---- */

static const char *controller(const struct answering *answering)
{
    const struct policy_controller *controller = &answering->brief->policy->controller;
    const char *brands = NULL;
    for (size_t i = 0; i < controller->brand_count; i++) {
        const char *title = controller->brands[i].title != NULL ? controller->brands[i].title
                                                                : controller->brands[i].name;
        brands = brands == NULL ? title : arena_printf(answering->arena, "%s, %s", brands, title);
    }
    if (controller->name == NULL || brands == NULL)
        return controller->name;
    return arena_printf(answering->arena, "%s (brands: %s)", controller->name, brands);
}

static const char *registration(const struct answering *answering)
{
    return answering->brief->policy->controller.registration;
}

static const char *dpo(const struct answering *answering)
{
    const struct policy_controller *controller = &answering->brief->policy->controller;
    const char *const lines[] = {controller->dpo_name, controller->dpo_email, controller->dpo_phone,
                                 controller->dpo_post};
    const char *text = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i] != NULL)
            text =
                text == NULL ? lines[i] : arena_printf(answering->arena, "%s\n%s", text, lines[i]);
    return text;
}

static const struct report_value values[] = {
    {"report-kind", report_kind, NULL},
    {"case-reference", case_reference,
     "cofferdam incident reported %" PRId64 " --authority %s --reference REFERENCE"},
    {"own-reference", own_reference, NULL},
    {"changes", report_changes, NULL},
    {"deadline", deadline, NULL},
    {"aware-at", aware_at, NULL},
    {"notice-received", notice_received, NULL},
    {"window", window, NULL},
    {"processor", processor, NULL},
    {"categories", report_categories, NULL},
    {"categories-said", report_categories_said, NULL},
    {"combinations", report_combinations, NULL},
    {"forms", report_forms, NULL},
    {"never", report_never, NULL},
    {"records", report_records, NULL},
    {"records-note", report_records_note, NULL},
    {"people", report_people, NULL},
    {"people-note", report_people_note, NULL},
    {"kinds", report_kinds, NULL},
    {"kinds-note", report_kinds_note, NULL},
    {"countries", report_countries, NULL},
    {"containment", containment, NULL},
    {"gateway-measures", gateway_measures, NULL},
    {"notices", notices, NULL},
    {"filings-elsewhere", filings_elsewhere, NULL},
    {"controller", controller, "controller: {name: …} in the policy"},
    {"registration", registration, "controller: {registration: …} in the policy"},
    {"dpo", dpo, "controller: {dpo: …} in the policy"},
};

const struct report_value *report_value_find(const char *name)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(values[i].name, name) == 0)
            return &values[i];
    return NULL;
}
