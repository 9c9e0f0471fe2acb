/* Answers that are counted: people, records, categories, kinds, and how they changed. */
#include "incident/report_values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/layout.h"

static const char *number(const struct answering *answering, uint64_t value)
{
    return layout_number(value, ",", answering->arena);
}

/* The words for many, "names"; the category's own name where a policy has made it up. */
static const char *word_for(const struct answering *answering, const char *section,
                            const char *name)
{
    const char *word = words_get(answering->of->words, section, name);
    return word == NULL ? name : word;
}

/* "a", "a; b": texts are appended to a list in the arena. */
static const char *append(const struct answering *answering, const char *list,
                          const char *separator, const char *item)
{
    if (list == NULL || item == NULL)
        return item == NULL ? list : item;
    return arena_printf(answering->arena, "%s%s%s", list, separator, item);
}

/* ---- how many ---- */

const char *report_records(const struct answering *answering)
{
    struct brief_count count;
    brief_count(answering->brief->scope, BRIEF_ALL, &count);
    return arena_printf(answering->arena, "%" PRIu64, count.records);
}

const char *report_records_note(const struct answering *answering)
{
    const struct scope *scope = answering->brief->scope;
    const char *text = arena_printf(
        answering->arena,
        "A record is one person's entry in one data set, counted once however often it was sent. "
        "Rows sent to the processor in all, repetitions included: %s.",
        number(answering, scope->rows));
    if (scope->first_ns != INT64_MIN)
        text = arena_printf(answering->arena, "%s Sent first on %s, last on %s.", text,
                            layout_instant(scope->first_ns, answering->arena),
                            layout_instant(scope->last_ns, answering->arena));
    return text;
}

const char *report_people(const struct answering *answering)
{
    struct brief_count count;
    brief_count(answering->brief->scope, BRIEF_ALL, &count);
    return arena_printf(answering->arena, "%" PRIu64, count.people);
}

static const char *add_count(const struct answering *answering, const char *text, uint64_t count,
                             const char *words)
{
    return count == 0
               ? text
               : append(answering, text, " ",
                        arena_printf(answering->arena, "%s %s", number(answering, count), words));
}

/* What came later is not in the scope: the attacker had gone, the phase ends, or the partner was
 * cut off before and given nothing since. */
static int64_t counted_until(const struct brief *brief)
{
    const struct incident *incident = &brief->incident;
    bool cut_off = incident->contained_ns != INT64_MIN &&
                   incident->contained_ns < brief->phase.at_ns &&
                   brief->ledger.restored_ns == INT64_MIN;
    int64_t end_ns = cut_off ? incident->contained_ns : brief->phase.at_ns;
    return incident->to_ns != INT64_MIN && incident->to_ns < end_ns ? incident->to_ns : end_ns;
}

const char *report_people_note(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    struct brief_count count;
    brief_count(brief->scope, BRIEF_ALL, &count);
    const char *text = arena_printf(
        answering->arena,
        "This is the most that it can be: every person of whom the processor had received anything "
        "from us by %s, as our disclosure ledger shows. It is what was disclosed to the processor; "
        "that all of it was taken is not proved.",
        layout_instant(counted_until(brief), answering->arena));
    text = add_count(answering, text, count.confirmed, "of them are confirmed as taken.");
    text = add_count(answering, text, count.declared_only,
                     "of them are known only from deliveries outside the ledger's gateway, as "
                     "staff declared them.");
    text = add_count(answering, text, count.children, "of them are children.");
    text = add_count(answering, text, count.deleted,
                     "of them are people whose data the processor had attested as deleted before; "
                     "that is its claim, and they are counted here all the same.");
    text = add_count(answering, text, count.statistics_only,
                     "other people were counted in statistics that the processor received; "
                     "nothing of any one of them was disclosed, and they are not counted here.");
    text = add_count(answering, text, count.asked_only,
                     "keys beside them were asked about by the processor and nothing came back; "
                     "they may be nobody's, and they are not counted here.");
    if (brief->scope->since_ns != SINCE_EVER)
        text =
            append(answering, text, " ",
                   arena_printf(answering->arena,
                                "Our records of disclosures before %s no longer exist, since the "
                                "time for which we keep them has passed: people of whom the "
                                "processor had received something only before that are not "
                                "counted here, and their number is not known.",
                                layout_instant(brief->scope->since_ns, answering->arena)));
    return text;
}

/* ---- what ---- */

const char *report_categories(const struct answering *answering)
{
    const struct brief_category *found;
    size_t count = brief_categories(answering->brief->scope, BRIEF_ALL, answering->arena, &found);
    const char *list = NULL;
    for (size_t i = 0; i < count; i++)
        if (found[i].people > 0)
            list = append(answering, list, "\n", found[i].name);
    return list;
}

const char *report_categories_said(const struct answering *answering)
{
    const struct brief_category *found;
    size_t count = brief_categories(answering->brief->scope, BRIEF_ALL, answering->arena, &found);
    const char *list = NULL;
    for (size_t i = 0; i < count; i++)
        if (found[i].people > 0)
            list = append(answering, list, "; ",
                          arena_printf(answering->arena, "%s (%s people)",
                                       word_for(answering, "public", found[i].name),
                                       number(answering, found[i].people)));
    return list == NULL ? NULL : arena_printf(answering->arena, "In detail: %s.", list);
}

const char *report_combinations(const struct answering *answering)
{
    enum { MOST_SHOWN = 8 };
    const struct brief_combination *found;
    size_t count = brief_combinations(answering->brief->scope, BRIEF_ALL, answering->arena, &found);
    const char *list = NULL;
    for (size_t i = 0; i < count && i < MOST_SHOWN; i++) {
        char *names = arena_strdup(answering->arena, found[i].categories), *rest = names;
        const char *words = NULL, *name;
        while ((name = strsep(&rest, "\n")) != NULL)
            words = append(answering, words, ", ", word_for(answering, "public", name));
        list = append(answering, list, "\n",
                      arena_printf(answering->arena, "%s people: %s",
                                   number(answering, found[i].people), words));
    }
    if (count > MOST_SHOWN)
        list = append(
            answering, list, "\n",
            arena_printf(answering->arena, "and %zu rarer combinations", count - MOST_SHOWN));
    return list == NULL
               ? NULL
               : arena_printf(answering->arena, "Which of these people had together:\n%s", list);
}

/* Categories that only ever went in this weaker form. */
static const char *only_in(const struct answering *answering, bool token)
{
    const struct brief_category *found;
    size_t count = brief_categories(answering->brief->scope, BRIEF_ALL, answering->arena, &found);
    const char *list = NULL;
    for (size_t i = 0; i < count; i++) {
        bool weak = token ? found[i].forms == BRIEF_TOKEN
                          : (found[i].forms & BRIEF_CLEAR) == 0 && found[i].people > 0;
        if (weak)
            list = append(answering, list, ", ", word_for(answering, "public", found[i].name));
    }
    return list;
}

const char *report_forms(const struct answering *answering)
{
    const char *masked = only_in(answering, false), *tokens = only_in(answering, true);
    const char *text = NULL;
    if (masked != NULL)
        text =
            arena_printf(answering->arena, "Sent only in part or in a coarser form: %s.", masked);
    if (tokens != NULL)
        text = append(answering, text, " ",
                      arena_printf(answering->arena,
                                   "Sent only as pseudonyms, which we alone can resolve: %s.",
                                   tokens));
    return text;
}

/* Is there a column of this category? What nobody has need not be denied. */
static bool is_held(const struct policy *policy, const char *category)
{
    for (size_t i = 0; i < policy->dataset_count; i++)
        for (size_t j = 0; j < policy->datasets[i].column_count; j++) {
            const char *held = policy->datasets[i].columns[j].category;
            if (held != NULL && strcmp(held, category) == 0)
                return true;
        }
    return false;
}

const char *report_never(const struct answering *answering)
{
    const struct scope *scope = answering->brief->scope;
    const char *list = NULL;
    for (size_t i = 0; i < scope->never_count; i++)
        if (is_held(answering->brief->policy, scope->never[i]))
            list = append(answering, list, ", ", word_for(answering, "public", scope->never[i]));
    if (list == NULL || scope->ledger_first_ns == INT64_MIN)
        return NULL;
    return arena_printf(
        answering->arena,
        scope->since_ns == SINCE_EVER
            ? "Not disclosed to the processor, through the gateway or in any delivery that staff "
              "declared, since the ledger's first entry on %s, though we hold it: %s."
            : "Not disclosed to the processor, through the gateway or in any delivery that staff "
              "declared, since %s, before which our records no longer exist, though we hold it: "
              "%s.",
        layout_instant(scope->ledger_first_ns, answering->arena), list);
}

/* ---- who ---- */

const char *report_kinds(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    const char *list = NULL;
    for (size_t i = 0; i < brief->policy->kind_count; i++)
        if (brief_kind(brief->scope, BRIEF_ALL, (uint16_t)i) > 0)
            list = append(answering, list, "\n", brief->policy->kinds[i].name);
    struct brief_count count;
    brief_count(brief->scope, BRIEF_ALL, &count);
    if (count.children > 0)
        list = append(answering, list, "\n", "children");
    const char *vulnerable = brief_fact(brief, "vulnerable");
    if (vulnerable != NULL && strcmp(vulnerable, "yes") == 0)
        list = append(answering, list, "\n", "vulnerable");
    return list;
}

const char *report_kinds_note(const struct answering *answering)
{
    const struct brief *brief = answering->brief;
    const char *list = NULL;
    for (size_t i = 0; i < brief->policy->kind_count; i++) {
        uint64_t people = brief_kind(brief->scope, BRIEF_ALL, (uint16_t)i);
        if (people > 0)
            list = append(
                answering, list, "; ",
                arena_printf(answering->arena, "%s: %s people",
                             word_for(answering, "kinds_public", brief->policy->kinds[i].name),
                             number(answering, people)));
    }
    return list == NULL ? NULL : arena_printf(answering->arena, "%s.", list);
}

const char *report_countries(const struct answering *answering)
{
    const struct scope *scope = answering->brief->scope;
    uint64_t *people = arena_array(answering->arena, uint64_t, scope->country_count + 1);
    const char *list = NULL;
    if (people == NULL || scope->country_count < 2)
        return NULL;
    brief_countries(scope, BRIEF_ALL, people);
    for (size_t i = 1; i < scope->country_count; i++)
        list = append(answering, list, "; ",
                      arena_printf(answering->arena, "%s: %s people", scope->countries[i],
                                   number(answering, people[i])));
    if (people[0] > 0)
        list = append(
            answering, list, "; ",
            arena_printf(answering->arena, "not known: %s people", number(answering, people[0])));
    return arena_printf(answering->arena, "By country of residence: %s.", list);
}

/* ---- what changed ---- */

static const char *changed_number(const struct answering *answering, const char *list,
                                  const char *name, uint64_t before, uint64_t now)
{
    if (before == now)
        return list;
    return append(answering, list, "\n",
                  arena_printf(answering->arena, "%s: %s, before %s (%s%s)", name,
                               number(answering, now), number(answering, before),
                               now > before ? "+" : "-",
                               number(answering, now > before ? now - before : before - now)));
}

/* Categories in `in` and not in `out`, in clear or masked. */
static const char *categories_beyond(const struct answering *answering, const struct scope *in,
                                     const struct scope *out)
{
    const struct brief_category *these, *those;
    size_t these_count = brief_categories(in, BRIEF_ALL, answering->arena, &these);
    size_t those_count = brief_categories(out, BRIEF_ALL, answering->arena, &those);
    const char *list = NULL;
    for (size_t i = 0; i < these_count; i++) {
        bool there = these[i].people == 0;
        for (size_t j = 0; j < those_count && !there; j++)
            there = those[j].people > 0 && strcmp(those[j].name, these[i].name) == 0;
        if (!there)
            list = append(answering, list, ", ", word_for(answering, "public", these[i].name));
    }
    return list;
}

static const char *changed_scope(const struct answering *answering)
{
    const struct scope *now = answering->brief->scope, *before = answering->of->earlier;
    if (before == NULL)
        return NULL;
    struct brief_count count, earlier;
    brief_count(now, BRIEF_ALL, &count);
    brief_count(before, BRIEF_ALL, &earlier);
    const char *list = NULL;
    list = changed_number(answering, list, "People", earlier.people, count.people);
    list = changed_number(answering, list, "Records", earlier.records, count.records);
    list =
        changed_number(answering, list, "Confirmed as taken", earlier.confirmed, count.confirmed);
    const char *added = categories_beyond(answering, now, before);
    const char *gone = categories_beyond(answering, before, now);
    if (added != NULL)
        list = append(answering, list, "\n",
                      arena_printf(answering->arena, "Categories added: %s", added));
    if (gone != NULL)
        list = append(answering, list, "\n",
                      arena_printf(answering->arena, "Categories no longer concerned: %s", gone));
    return list;
}

/* The questions of facts that were given or changed since the filing. */
static const char *changed_facts(const struct answering *answering, int64_t since_ns)
{
    const struct table *facts = &answering->brief->facts;
    const char *list = NULL;
    for (const struct table_row *row = facts->first; row != NULL; row = row->next) {
        int64_t at_ns;
        if (clock_parse(brief_cell(facts, row, "at"), &at_ns, NULL) != STATUS_OK ||
            at_ns <= since_ns)
            continue;
        const char *question =
            words_get(answering->of->facts, "facts", brief_cell(facts, row, "name"));
        list = append(answering, list, "\n",
                      arena_printf(answering->arena, "New or changed: %s",
                                   question == NULL ? brief_cell(facts, row, "name") : question));
    }
    return list;
}

const char *report_changes(const struct answering *answering)
{
    const struct table_row *filing = report_filing(answering->of, true);
    if (filing == NULL)
        return NULL;
    int64_t since_ns = report_filed_ns(answering->of, filing);
    const char *list =
        append(answering, changed_scope(answering), "\n", changed_facts(answering, since_ns));
    return arena_printf(answering->arena, "Since the report of %s (phase %s): %s%s",
                        layout_instant(since_ns, answering->arena),
                        brief_cell(&answering->brief->filings, filing, "phase"),
                        list == NULL ? "" : "\n",
                        list == NULL ? "the numbers and the answers are the same." : list);
}
