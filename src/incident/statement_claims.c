/* The claims of a statement, each with what it rests on. */
#include <inttypes.h>
#include <string.h>

#include "incident/layout.h"
#include "incident/statement_draft.h"

static const char *evidence_fact(struct drafting *drafting, const char *name)
{
    return arena_printf(drafting->arena, "fact %s, given by staff", name);
}

static const char *command(struct drafting *drafting, const char *format)
{
    return arena_printf(drafting->arena, format, drafting->brief->incident.number);
}

static bool fact_is(const struct drafting *drafting, const char *name, const char *value)
{
    const char *fact = brief_fact(drafting->brief, name);
    return fact != NULL && strcmp(fact, value) == 0;
}

/* A fact in words: in the statement's language, so that no text stands in another one. */
static const char *worded_fact(struct drafting *drafting, const char *name)
{
    const char *tag = draft_word(drafting, "language", "tag");
    return brief_fact(drafting->brief, strcmp(tag, "en") == 0
                                           ? name
                                           : arena_printf(drafting->arena, "%s_%s", name, tag));
}

/* ---- what happened ---- */

static const char *partner_words(struct drafting *drafting)
{
    const char *name = brief_fact(drafting->brief, "partner_public_name");
    return name == NULL ? draft_text(drafting, "text", "partner_unnamed")
                        : draft_fill(drafting, "text", "partner", "name", name, NULL);
}

/* Does anybody but us say that it happened? */
static enum statement_verdict happened_verdict(struct drafting *drafting, const char **evidence)
{
    const struct incident *incident = &drafting->brief->incident;
    if (incident->report_sha256 != NULL) {
        *evidence =
            arena_printf(drafting->arena, "the partner's notice %s, sha256 %s; received %s",
                         incident->report_name == NULL ? "" : incident->report_name,
                         incident->report_sha256, draft_instant(drafting, incident->noticed_ns));
        return STATEMENT_PARTNER;
    }
    *evidence = arena_printf(drafting->arena,
                             "incident %" PRId64 ", noticed %s, opened by %s; no notice "
                             "of the partner's is on file",
                             incident->number, draft_instant(drafting, incident->noticed_ns),
                             incident->opened_by == NULL ? "?" : incident->opened_by);
    return STATEMENT_COMPANY;
}

void claim_happened(struct drafting *drafting)
{
    const char *evidence;
    enum statement_verdict verdict = happened_verdict(drafting, &evidence);
    draft_heading(drafting, "happened");
    draft_say(drafting, "happened", verdict,
              draft_fill(drafting, "claims", "happened", "date",
                         draft_date(drafting, drafting->brief->incident.noticed_ns), "partner",
                         partner_words(drafting), NULL),
              evidence);
    const char *more = worded_fact(drafting, "statement_what_happened");
    if (more != NULL)
        draft_say(drafting, "what_happened", STATEMENT_COMPANY, more,
                  evidence_fact(drafting, "statement_what_happened"));
    const char *service = worded_fact(drafting, "partner_service");
    if (service != NULL)
        draft_say(drafting, "service", STATEMENT_COMPANY,
                  draft_fill(drafting, "claims", "service", "service", service, NULL),
                  evidence_fact(drafting, "partner_service"));
    draft_say(drafting, "sorry", STATEMENT_COMPANY, draft_text(drafting, "claims", "sorry"),
              "no claim of fact");
}

/* ---- whose data, and what ---- */

const char *draft_stale(struct drafting *drafting)
{
    const struct brief_ledger *ledger = &drafting->brief->ledger;
    if (ledger->disclosures_later == 0 && ledger->declared_later == 0)
        return NULL;
    return arena_printf(drafting->arena,
                        "behind the cut-off of phase %" PRId64 " the ledger has %" PRIu64
                        " disclosures to the partner and %" PRIu64
                        " declared exports that the scope does not count",
                        drafting->brief->phase.number, ledger->disclosures_later,
                        ledger->declared_later);
}

static const char *scope_evidence(struct drafting *drafting)
{
    const struct brief *brief = drafting->brief;
    const char *text = arena_printf(drafting->arena,
                                    "scope of phase %" PRId64
                                    ", sha256 %s, from the ledger's entries below %" PRIu64,
                                    brief->phase.number, brief->scope->sha256, brief->phase.cutoff);
    if (brief->incident.to_ns != INT64_MIN)
        text = arena_printf(drafting->arena, "%s, up to %s, when the attacker had gone", text,
                            draft_instant(drafting, brief->incident.to_ns));
    return brief->ledger.declared == 0
               ? text
               : arena_printf(drafting->arena,
                              "%s; %" PRIu64 " of those entries are exports that staff declared",
                              text, brief->ledger.declared);
}

/* "customers and people who asked us for information"; kinds without words are people. */
static const char *kinds_words(struct drafting *drafting)
{
    const struct policy *policy = drafting->brief->policy;
    const char **items = arena_array(drafting->arena, const char *, policy->kind_count + 1);
    size_t count = 0;
    for (size_t i = 0; items != NULL && i < policy->kind_count; i++) {
        if (brief_kind(drafting->brief->scope, drafting->brand, (uint16_t)i) == 0)
            continue;
        const char *word = words_get(drafting->of->words, "kinds_public", policy->kinds[i].name);
        if (word == NULL)
            return draft_text(drafting, "text", "people");
        items[count++] = word;
    }
    return draft_list(drafting, items, count);
}

static void claim_taken(struct drafting *drafting)
{
    const char *stale = draft_stale(drafting);
    if (stale != NULL) {
        draft_refuse(drafting, "taken", stale,
                     command(drafting, "cofferdam incident scope %" PRId64 " --new-phase"));
        return;
    }
    if (drafting->count.people == 0) {
        draft_refuse(drafting, "taken", "the scope has nobody of whom data was disclosed", NULL);
        return;
    }
    draft_say(drafting, "taken", STATEMENT_PROVED,
              draft_fill(drafting, "claims", "taken", "kinds", kinds_words(drafting), NULL),
              arena_printf(drafting->arena,
                           "%s. It proves what the partner was given, not what was stolen",
                           scope_evidence(drafting)));
    for (size_t i = 0; i < drafting->category_count; i++) {
        const struct brief_category *category = &drafting->categories[i];
        const char *word = draft_word(drafting, "public", category->name);
        if (category->people > 0)
            draft_item(drafting,
                       (category->forms & BRIEF_CLEAR) != 0
                           ? word
                           : draft_fill(drafting, "claims", "in_part", "category", word, NULL));
    }
}

/* The brands in the scope, where they are known and the statement is not about one. */
static void claim_brands(struct drafting *drafting)
{
    const struct scope *scope = drafting->brief->scope;
    const struct policy_controller *controller = &drafting->brief->policy->controller;
    const char **items = arena_array(drafting->arena, const char *, scope->brand_count + 1);
    size_t count = 0;
    if (drafting->brand != BRIEF_ALL || items == NULL || draft_stale(drafting) != NULL)
        return;
    for (size_t i = 1; i < scope->brand_count; i++) {
        struct brief_count of_brand;
        brief_count(scope, (int)i, &of_brand);
        if (of_brand.people == 0)
            continue;
        items[count] = scope->brands[i];
        for (size_t j = 0; j < controller->brand_count; j++)
            if (strcmp(controller->brands[j].name, scope->brands[i]) == 0 &&
                controller->brands[j].title != NULL)
                items[count] = controller->brands[j].title;
        count++;
    }
    if (count > 0)
        draft_say(drafting, "brands", STATEMENT_PROVED,
                  draft_fill(drafting, "claims", "brands", "brands",
                             draft_list(drafting, items, count), NULL),
                  "brand of each person, as read for the scope");
}

bool draft_is_never(const struct drafting *drafting, const char *category)
{
    const struct scope *scope = drafting->brief->scope;
    for (size_t i = 0; i < scope->never_count; i++)
        if (strcmp(scope->never[i], category) == 0)
            return true;
    return false;
}

/* One sentence for all that was never given; what was given is refused by name. */
static void claim_never(struct drafting *drafting)
{
    const struct brief *brief = drafting->brief;
    const char *items = NULL, *first = NULL, *category;
    size_t count = 0;
    for (size_t i = 0; (category = words_key(drafting->of->texts, "never", i)) != NULL; i++) {
        if (!draft_is_never(drafting, category)) {
            draft_refuse(drafting, arena_printf(drafting->arena, "never_%s", category),
                         arena_printf(drafting->arena,
                                      "entries of the partner in the ledger name the category %s",
                                      category),
                         NULL);
            continue;
        }
        first = count++ == 0 ? category : first;
        const char *item = draft_fill(drafting, "claims", "never_item", "category",
                                      draft_text(drafting, "never", category), NULL);
        items = items == NULL ? item
                              : arena_printf(drafting->arena, "%s%s%s", items,
                                             draft_text(drafting, "claims", "never_join"), item);
    }
    if (items == NULL || brief->ledger.first_ns == INT64_MIN)
        return;
    if (count == 1)
        items = draft_text(drafting, "never_alone", first);
    const char *stale = draft_stale(drafting);
    if (stale != NULL) {
        draft_refuse(drafting, "never", stale,
                     command(drafting, "cofferdam incident scope %" PRId64 " --new-phase"));
        return;
    }
    bool declared = brief->ledger.declared > 0;
    draft_say(
        drafting, "never", STATEMENT_PROVED,
        draft_fill(drafting, "claims", declared ? "never_declared" : "never", "date",
                   draft_date(drafting, brief->ledger.first_ns), "items", items, NULL),
        arena_printf(drafting->arena,
                     "no entry of the partner names it, from the ledger's first entry%s, %s, to "
                     "entry %" PRIu64 "; %s. What the partner got elsewhere and nobody "
                     "declared, or collected itself, no ledger shows",
                     brief->ledger.since_ns == SINCE_EVER ? "" : " that retention has left",
                     draft_instant(drafting, brief->ledger.first_ns), brief->phase.cutoff,
                     declared ? "exports outside the gateway have been declared, so it is said "
                                "of the gateway alone"
                              : "no export outside the gateway has been declared"));
}

static void claim_confirmed(struct drafting *drafting)
{
    if (drafting->count.people == 0 || draft_stale(drafting) != NULL)
        return;
    if (drafting->count.confirmed == 0) {
        draft_say(
            drafting, "unconfirmed", STATEMENT_COMPANY,
            draft_text(drafting, "claims", "unconfirmed"),
            "no confirmation has been recorded; that nobody knows, and that we act so, is the "
            "company's own word");
        return;
    }
    draft_say(drafting, "confirmed", STATEMENT_PROVED, draft_text(drafting, "claims", "confirmed"),
              arena_printf(drafting->arena, "%" PRIu64 " people matched, %s",
                           drafting->count.confirmed, scope_evidence(drafting)));
}

void claim_information(struct drafting *drafting)
{
    draft_heading(drafting, "information");
    claim_taken(drafting);
    claim_confirmed(drafting);
    claim_brands(drafting);
    const char *separator =
        strcmp(draft_word(drafting, "language", "tag"), "fr") == 0 ? "\u202f" : ",";
    if (drafting->of->with_numbers && draft_stale(drafting) == NULL)
        draft_say(drafting, "numbers", STATEMENT_PROVED,
                  draft_fill(drafting, "claims", "numbers", "number",
                             layout_number(drafting->count.people, separator, drafting->arena),
                             NULL),
                  scope_evidence(drafting));
    claim_never(drafting);
    draft_refuse(drafting, "no_misuse",
                 "what somebody does with data elsewhere leaves no trace here; \"no evidence of "
                 "misuse\" would be true of a company that has not looked",
                 NULL);
}

/* ---- what we are doing ---- */

const char *draft_uncontained(struct drafting *drafting, const char **evidence)
{
    const struct brief_ledger *ledger = &drafting->brief->ledger;
    if (ledger->contained_ns == INT64_MIN)
        return "the ledger has no act that contains the partner";
    if (ledger->restored_ns != INT64_MIN)
        return arena_printf(drafting->arena, "access was restored at %s, ledger entry %" PRIu64,
                            draft_instant(drafting, ledger->restored_ns), ledger->restored_entry);
    if (ledger->declared_last_ns > ledger->contained_ns)
        return arena_printf(drafting->arena,
                            "staff declared an export of %s, after the containment of %s",
                            draft_instant(drafting, ledger->declared_last_ns),
                            draft_instant(drafting, ledger->contained_ns));
    int64_t after_ns = ledger->contained_ns - drafting->brief->incident.noticed_ns;
    *evidence =
        arena_printf(drafting->arena,
                     "ledger entry %" PRIu64 ", %s, %s %s the notice; not restored in the %" PRIu64
                     " entries up to now, and no later export declared. It is the gateway that is "
                     "closed: it says nothing of other ways, nor of the partner's systems",
                     ledger->contained_entry, draft_instant(drafting, ledger->contained_ns),
                     layout_duration(after_ns < 0 ? -after_ns : after_ns, drafting->arena),
                     after_ns < 0 ? "before" : "after", ledger->entries);
    return NULL;
}

static void claim_contained(struct drafting *drafting)
{
    const char *evidence, *why = draft_uncontained(drafting, &evidence);
    if (why == NULL)
        draft_say(drafting, "contained", STATEMENT_PROVED,
                  draft_fill(drafting, "claims", "contained", "date",
                             draft_date(drafting, drafting->brief->ledger.contained_ns), NULL),
                  evidence);
    else
        draft_refuse(drafting, "contained", why,
                     arena_printf(drafting->arena, "cofferdam partner contain %s --reason WHY",
                                  drafting->brief->incident.partner));
    const char *basis = brief_fact(drafting->brief, "partner_contained_basis");
    if (fact_is(drafting, "partner_contained", "yes") && basis != NULL)
        draft_say(drafting, "partner_contained", STATEMENT_PARTNER,
                  draft_text(drafting, "claims", "partner_contained"),
                  arena_printf(drafting->arena, "as staff recorded it: %s", basis));
    else
        draft_refuse(
            drafting, "partner_contained",
            "nothing here shows the state of the partner's own systems, and no word of the "
            "partner's about it is on file",
            command(drafting, "cofferdam incident fact %" PRId64
                              " partner_contained yes, and partner_contained_basis"));
}

/* Facts that say who found it out: "partner", or somebody of ours. */
static bool says_partner(const struct drafting *drafting, const char *source)
{
    const char *public_name = brief_fact(drafting->brief, "partner_public_name");
    return strcasestr(source, "partner") != NULL || strcasestr(source, "provider") != NULL ||
           strcasestr(source, drafting->brief->incident.partner) != NULL ||
           (public_name != NULL && strcasestr(source, public_name) != NULL);
}

enum statement_verdict draft_own_systems(struct drafting *drafting, const char **evidence)
{
    const char *source = brief_fact(drafting->brief, "own_systems_source");
    const char *basis = brief_fact(drafting->brief, "own_systems_basis");
    if (!fact_is(drafting, "own_systems", "no")) {
        *evidence = fact_is(drafting, "own_systems", "yes")
                        ? "staff have recorded that they were affected"
                        : "no ledger shows it, and staff have not recorded that they were not";
        return STATEMENT_REFUSED;
    }
    if (source == NULL || basis == NULL) {
        *evidence = "staff have recorded it without saying who found it out, and how";
        return STATEMENT_REFUSED;
    }
    bool partner = says_partner(drafting, source);
    *evidence = arena_printf(drafting->arena, "%s by %s: %s",
                             partner ? "the provider's word, taken down" : "our own finding",
                             source, basis);
    return partner ? STATEMENT_PARTNER : STATEMENT_COMPANY;
}

static void claim_own_systems(struct drafting *drafting)
{
    const char *evidence;
    enum statement_verdict verdict = draft_own_systems(drafting, &evidence);
    if (verdict == STATEMENT_REFUSED)
        draft_refuse(drafting, "own_systems", evidence,
                     command(drafting,
                             "cofferdam incident fact %" PRId64
                             " own_systems no, own_systems_source and own_systems_basis"));
    else
        draft_say(drafting, "own_systems", verdict,
                  draft_text(drafting, "claims",
                             verdict == STATEMENT_PARTNER ? "own_systems_partner" : "own_systems"),
                  evidence);
}

static const struct table_row *filing_with(const struct drafting *drafting, const char *authority)
{
    const struct table *filings = &drafting->brief->filings;
    for (const struct table_row *row = filings->first; row != NULL; row = row->next)
        if (strcmp(brief_cell(filings, row, "authority"), authority) == 0)
            return row;
    return NULL;
}

static void claim_authorities(struct drafting *drafting)
{
    const struct table *filings = &drafting->brief->filings;
    const struct statement_case *of = drafting->of;
    const char **items = arena_array(drafting->arena, const char *, of->authority_count + 1);
    const char *evidence = "";
    size_t count = 0;
    for (size_t i = 0; items != NULL && i < of->authority_count; i++) {
        const struct table_row *row = filing_with(drafting, of->authorities[i]);
        if (row == NULL) {
            draft_refuse(drafting,
                         arena_printf(drafting->arena, "authorities_%s", of->authorities[i]),
                         "no filing with this authority is recorded",
                         arena_printf(drafting->arena,
                                      "cofferdam incident reported %" PRId64
                                      " --authority %s --reference REFERENCE",
                                      drafting->brief->incident.number, of->authorities[i]));
            continue;
        }
        const char *title = words_get(of->texts, "authorities", of->authorities[i]);
        items[count++] = title == NULL ? of->authorities[i] : title;
        evidence =
            arena_printf(drafting->arena, "%s%s%s: filed %s, reference %s, phase %s", evidence,
                         count > 1 ? "; " : "", of->authorities[i], brief_cell(filings, row, "at"),
                         brief_cell(filings, row, "reference"), brief_cell(filings, row, "phase"));
    }
    if (count > 0)
        draft_say(drafting, "authorities", STATEMENT_PROVED,
                  draft_fill(drafting, "claims", "authorities", "authorities",
                             draft_list(drafting, items, count), NULL),
                  evidence);
}

const char *draft_messages(struct drafting *drafting)
{
    const struct brief *brief = drafting->brief;
    const uint64_t *states = brief->messages.states;
    uint64_t letters = states[OUTBOX_LETTER] + states[OUTBOX_REFUSED] + states[OUTBOX_BOUNCED];
    if (brief->messages.total == 0)
        return brief->notice.finished_ns == INT64_MIN
                   ? "under way"
                   : arena_printf(drafting->arena, "finished at %s",
                                  draft_instant(drafting, brief->notice.finished_ns));
    return arena_printf(drafting->arena,
                        "of %" PRIu64 " people %" PRIu64 " messages were handed over, %" PRIu64
                        " need a letter%s, %" PRIu64 " have no usable address",
                        brief->messages.total, states[OUTBOX_ACCEPTED], letters,
                        letters == 0                     ? ""
                        : brief->open.letters > 0        ? " (not decided to be posted)"
                        : brief->open.letters_waived > 0 ? " (decided not to be sent)"
                                                         : " (posted, as staff decided)",
                        states[OUTBOX_PUBLIC] + states[OUTBOX_ERASED]);
}

/* How far the notice is that the people are in. */
static void claim_messages(struct drafting *drafting)
{
    const struct brief *brief = drafting->brief;
    const char *evidence = arena_printf(
        drafting->arena,
        "notice %" PRId64 " of phase %" PRId64 ", sha256 %s, approved by %s at %s; %s",
        brief->notice.number, brief->notice.phase, brief->notice.hash, brief->notice.approved_by,
        draft_instant(drafting, brief->notice.approved_ns), draft_messages(drafting));
    const char *name = brief->notice.finished_ns == INT64_MIN ? "people_sending"
                       : brief->open.letters > 0              ? "people_posting"
                                                              : "people_sent";
    const uint64_t *states = brief->messages.states;
    bool nobody = brief->messages.total > 0 && states[OUTBOX_ACCEPTED] + states[OUTBOX_LETTER] +
                                                       states[OUTBOX_REFUSED] +
                                                       states[OUTBOX_BOUNCED] ==
                                                   0;
    if (strcmp(name, "people_sent") == 0 && (brief->open.letters_waived > 0 || nobody))
        draft_refuse(drafting, name, evidence,
                     command(drafting, "cofferdam incident notify %" PRId64 " --letters FILE"));
    else
        draft_say(drafting, name, STATEMENT_PROVED, draft_text(drafting, "claims", name), evidence);
}

static void claim_people(struct drafting *drafting)
{
    const struct brief *brief = drafting->brief;
    const char *approve = "cofferdam incident notify %" PRId64 " --dry-run, then --send --approve";
    if (!brief->has_notice) {
        draft_refuse(drafting, "people", "no notice to the people affected has been approved",
                     command(drafting, approve));
        return;
    }
    if (brief->notice.phase < brief->phase.number) {
        draft_refuse(drafting, "people",
                     arena_printf(drafting->arena,
                                  "the newest notice is of phase %" PRId64 ": whom phase %" PRId64
                                  " adds is in none",
                                  brief->notice.phase, brief->phase.number),
                     command(drafting, approve));
        return;
    }
    claim_messages(drafting);
    uint64_t unreached =
        brief->messages.states[OUTBOX_PUBLIC] + brief->messages.states[OUTBOX_ERASED];
    if (unreached > 0)
        draft_say(drafting, "people_unreached", STATEMENT_PROVED,
                  draft_text(drafting, "claims", "people_unreached"),
                  arena_printf(drafting->arena,
                               "%" PRIu64 " people have neither mail nor postal address, or are no "
                               "longer in the database",
                               unreached));
}

void claim_doing(struct drafting *drafting)
{
    draft_heading(drafting, "doing");
    claim_contained(drafting);
    claim_own_systems(drafting);
    claim_authorities(drafting);
    claim_people(drafting);
    draft_refuse(drafting, "other_partners",
                 "the ledger shows what other partners were given, not what happens at theirs; "
                 "\"no other partner is affected\" cannot be proved from here",
                 NULL);
}

/* ---- what people can do, and whom they can ask ---- */

static const char *privacy_page(const struct drafting *drafting)
{
    const struct policy_controller *controller = &drafting->brief->policy->controller;
    for (size_t i = 0; drafting->of->brand != NULL && i < controller->brand_count; i++)
        if (strcmp(controller->brands[i].name, drafting->of->brand) == 0 &&
            controller->brands[i].privacy_page != NULL)
            return controller->brands[i].privacy_page;
    return controller->privacy_page;
}

static void claim_contact(struct drafting *drafting)
{
    const struct policy_controller *controller = &drafting->brief->policy->controller;
    const struct {
        const char *key, *value;
    } ways[] = {{"phone", controller->dpo_phone},
                {"email", controller->dpo_email},
                {"post", controller->dpo_post}};
    const char *items[3];
    size_t count = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (ways[i].value != NULL)
            items[count++] =
                draft_fill(drafting, "contact", ways[i].key, "value", ways[i].value, NULL);
    if (count == 0) {
        draft_refuse(drafting, "contact", "the policy has no contact of a data protection officer",
                     "controller: {dpo: …} in the policy");
        return;
    }
    draft_say(drafting, "contact", STATEMENT_COMPANY,
              controller->dpo_name == NULL
                  ? draft_text(drafting, "claims", "contact_unnamed")
                  : draft_fill(drafting, "claims", "contact", "name", controller->dpo_name, NULL),
              arena_printf(drafting->arena, "policy %.16s", drafting->brief->policy->id));
    for (size_t i = 0; i < count; i++)
        draft_item(drafting, items[i]);
}

void claim_you(struct drafting *drafting)
{
    const char *key, *promise = "advice and a promise: no claim about the past";
    draft_heading(drafting, "you");
    draft_say(drafting, "careful", STATEMENT_COMPANY, draft_text(drafting, "claims", "careful"),
              promise);
    for (size_t i = 0; (key = words_key(drafting->of->words, "never_ask", i)) != NULL; i++)
        draft_item(drafting, draft_word(drafting, "never_ask", key));
    const char *page = privacy_page(drafting);
    if (page != NULL)
        draft_say(drafting, "genuine", STATEMENT_COMPANY,
                  draft_fill(drafting, "claims", "genuine", "page", page, NULL), promise);
    draft_heading(drafting, "more");
    claim_contact(drafting);
}
