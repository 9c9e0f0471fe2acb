/* What sets two sources apart, record by record: canary, token, time, form, column, only holder. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/forms.h"
#include "trace/judge.h"

enum { LOOKED_AT = 1000 };

struct comparing {
    const struct evidence *evidence;
    size_t best, next;      /* partners; SIZE_MAX: outside */
    uint16_t *have, *later; /* forms of the source that lacks the record, by column */
    const char *kept;       /* "" where nothing was dropped: what is missing is missing since */
};

static const char *partner_name(const struct comparing *comparing, size_t partner)
{
    return comparing->evidence->tracing->world.partners[partner].name;
}

/* The first instant at which the partner had anything of this person. */
static int64_t first_given(const struct evidence *evidence, uint32_t person, size_t partner)
{
    const struct world *world = &evidence->tracing->world;
    for (size_t i = evidence->first[person]; i < evidence->first[person + 1]; i++)
        if (world->copies[world->series[world->holdings[i].series].copy].partner == partner &&
            world->holdings[i].first_ns >= evidence->tracing->options->before_ns)
            return world->holdings[i].first_ns;
    return INT64_MIN;
}

/* Why a partner that had something of this person had not the record: the first column that is not
 * covered, by its name and form. */
static const char *missing_column(const struct comparing *comparing, const struct record *record,
                                  size_t partner)
{
    const struct tracing *tracing = comparing->evidence->tracing;
    const struct columns *columns = &tracing->report->columns;
    const uint16_t *forms = trace_forms(tracing, record->line);
    struct arena *arena = &tracing->report->arena;
    for (size_t c = 0; c < columns->count; c++) {
        if (forms[c] == 0 || (forms[c] & comparing->have[c]) != 0)
            continue;
        if (comparing->have[c] == 0)
            return arena_printf(arena, "column: %s never had %s of this person%s",
                                partner_name(comparing, partner), columns->all[c].name,
                                comparing->kept);
        return arena_printf(arena, "form: %s had %s as %s%s, here it is %s",
                            partner_name(comparing, partner), columns->all[c].name,
                            forms_name(comparing->have[c]), comparing->kept, forms_name(forms[c]));
    }
    return arena_printf(arena, "token: it was made for another partner than %s",
                        partner_name(comparing, partner));
}

/* Why the source without the record had it not; holder is the one that had it. */
static const char *why(const struct comparing *comparing, size_t t, size_t holder, size_t without)
{
    const struct evidence *evidence = comparing->evidence;
    const struct tracing *tracing = evidence->tracing;
    const struct record *record = &evidence->records[t];
    struct arena *arena = &tracing->report->arena;
    const char *name = partner_name(comparing, holder);
    if (record->canary != TRACE_NOBODY)
        return arena_printf(arena, "canary: invented for delivery %s to %s",
                            tracing->canaries[record->canary].delivery, name);
    if (record->token_of != WORLD_NO_PARTNER)
        return arena_printf(arena, "token: made for %s alone", name);
    const char *only = evidence->model[t].holders == 1
                           ? arena_printf(arena, "; no other copy had it%s", comparing->kept)
                           : "";
    if (without == SIZE_MAX)
        return evidence->model[t].holders == 1
                   ? arena_printf(arena, "only holder: no other copy had it%s", comparing->kept)
                   : arena_printf(arena, "held by %u copies%s", evidence->model[t].holders,
                                  comparing->kept);
    struct evidence_of before = {without, SIZE_MAX, tracing->options->before_ns};
    struct evidence_of ever = {without, SIZE_MAX, INT64_MAX};
    size_t had = evidence_have(evidence, record->person, ever, comparing->later);
    if (had > 0 && evidence_covers(evidence, record, without, comparing->later)) {
        char at[21];
        clock_format_utc(first_given(evidence, record->person, without), at);
        return arena_printf(arena, "time: %s had it only after the leak, on %s%s%s",
                            partner_name(comparing, without), at, comparing->kept, only);
    }
    if (evidence_have(evidence, record->person, before, comparing->have) == 0)
        return arena_printf(arena, "person: %s had nothing of this person%s%s",
                            partner_name(comparing, without), comparing->kept, only);
    const char *missing = missing_column(comparing, record, without);
    return missing == NULL || only == NULL ? NULL : arena_printf(arena, "%s%s", missing, only);
}

/* ---- choosing the records to name ---- */

/* What was made for one copy first, then what fewest copies had. */
static unsigned rank_of(const struct evidence *evidence, size_t t)
{
    return evidence_made_for(evidence, &evidence->records[t]) != SIZE_MAX
               ? 0
               : evidence->model[t].holders;
}

static void name_record(struct comparing *comparing, size_t t, bool against)
{
    struct trace_report *report = comparing->evidence->tracing->report;
    const struct record *record = &comparing->evidence->records[t];
    size_t holder = against ? comparing->next : comparing->best;
    report->deciding[report->deciding_count++] = (struct trace_deciding){
        .line = comparing->evidence->tracing->leak.lines[record->line].number,
        .lines = record->lines,
        .against = against,
        .why = why(comparing, t, holder, against ? comparing->best : comparing->next)};
}

static bool has(const struct evidence *evidence, size_t partner, size_t t)
{
    return partner != SIZE_MAX && model_bit(evidence->held[partner], t);
}

/* Most ranks are small; what many copies had stands together. */
static void name_all(struct comparing *comparing, bool against)
{
    enum { RANKS = 8 };
    const struct evidence *evidence = comparing->evidence;
    struct trace_report *report = evidence->tracing->report;
    size_t most = against ? TRACE_SHOWN : TRACE_SHOWN - TRACE_SHOWN / 4;
    for (unsigned rank = 0; rank <= RANKS; rank++)
        for (size_t t = 0; t < evidence->count && report->deciding_count < most; t++) {
            unsigned of = rank_of(evidence, t);
            if (has(evidence, comparing->best, t) != !against ||
                has(evidence, comparing->next, t) != against || (of < RANKS ? of : RANKS) != rank)
                continue;
            name_record(comparing, t, against);
        }
}

static void count_all(const struct comparing *comparing)
{
    struct trace_report *report = comparing->evidence->tracing->report;
    for (size_t t = 0; t < comparing->evidence->count; t++) {
        bool best = has(comparing->evidence, comparing->best, t);
        bool next = has(comparing->evidence, comparing->next, t);
        report->deciding_for += best && !next;
        report->deciding_against += next && !best;
    }
}

/* Of how many of the first records' people the partner ever had anything. */
static size_t count_people(const struct comparing *comparing, size_t partner)
{
    const struct evidence *evidence = comparing->evidence;
    struct evidence_of ever = {partner, SIZE_MAX, INT64_MAX};
    size_t count = 0;
    for (size_t t = 0; t < evidence->count && t < LOOKED_AT; t++)
        count += evidence->records[t].person != TRACE_NOBODY &&
                 evidence_have(evidence, evidence->records[t].person, ever, comparing->later) > 0;
    return count;
}

/* Where no other copy had any of the records, one that came near says more than one that did not.
 */
static size_t choose_next(const struct comparing *comparing)
{
    const struct tracing *tracing = comparing->evidence->tracing;
    const struct trace_report *report = tracing->report;
    size_t most = 0, chosen = SIZE_MAX;
    for (size_t i = 0; i < report->source_count; i++) {
        if (report->sources[i].partner == NULL)
            continue;
        size_t partner = world_find_partner(&tracing->world, report->sources[i].partner);
        if (partner == comparing->best)
            continue;
        if (report->sources[i].records > 0)
            return partner;
        size_t people = count_people(comparing, partner);
        if (people > most)
            chosen = partner;
        most = people > most ? people : most;
    }
    return chosen;
}

enum status judge_reasons(const struct evidence *evidence, struct error *error)
{
    struct trace_report *report = evidence->tracing->report;
    const struct world *world = &evidence->tracing->world;
    size_t columns = evidence->tracing->leak.column_count;
    struct comparing comparing = {.evidence = evidence, .best = SIZE_MAX, .next = SIZE_MAX};
    const char *best = report->sources[report->best].partner;
    if (best != NULL)
        comparing.best = world_find_partner(world, best);
    comparing.kept =
        report->since[0] == '\0'
            ? ""
            : arena_printf(&report->arena, ", in the records from %s on", report->since);
    comparing.have = calloc(columns + 1, sizeof *comparing.have);
    comparing.later = calloc(columns + 1, sizeof *comparing.later);
    report->deciding = arena_array(&report->arena, struct trace_deciding, TRACE_SHOWN);
    bool failed = comparing.have == NULL || comparing.later == NULL || comparing.kept == NULL ||
                  report->deciding == NULL;
    if (!failed) {
        comparing.next = choose_next(&comparing);
        if (comparing.next != SIZE_MAX)
            report->compared_with =
                arena_strdup(&report->arena, world->partners[comparing.next].name);
        count_all(&comparing);
        name_all(&comparing, false);
        name_all(&comparing, true);
    }
    free(comparing.have);
    free(comparing.later);
    if (failed || report->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return STATUS_OK;
}
