/* See evidence.h. */
#include "trace/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/since.h"
#include "exposure/column_line.h"
#include "trace/forms.h"

enum { ARENA_BYTES = 1024 * 1024 * 1024 };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
}

void evidence_free(struct evidence *evidence)
{
    arena_free(&evidence->arena);
    *evidence = (struct evidence){0};
}

/* ---- records ---- */

static int compare_records(const void *a, const void *b, void *context)
{
    const struct tracing *tracing = context;
    const struct record *left = a, *right = b;
    int order = (left->canary > right->canary) - (left->canary < right->canary);
    if (order == 0)
        order = (left->person > right->person) - (left->person < right->person);
    if (order == 0)
        order = (left->token_of > right->token_of) - (left->token_of < right->token_of);
    if (order == 0 && left->canary == TRACE_NOBODY)
        order = memcmp(trace_forms(tracing, left->line), trace_forms(tracing, right->line),
                       tracing->leak.column_count * sizeof(uint16_t));
    return order;
}

static int compare_by_line(const void *a, const void *b, void *context)
{
    int order = compare_records(a, b, context);
    const struct record *left = a, *right = b;
    return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

/* Does any cell of the line say anything? */
static bool says_something(const struct tracing *tracing, size_t line)
{
    const uint16_t *forms = trace_forms(tracing, line);
    for (size_t c = 0; c < tracing->leak.column_count; c++)
        if (forms[c] != 0)
            return true;
    return false;
}

static enum status make_records(struct evidence *evidence, struct error *error)
{
    struct tracing *tracing = evidence->tracing;
    size_t lines = 0;
    evidence->records = arena_array(&evidence->arena, struct record, tracing->leak.line_count + 1);
    if (evidence->records == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < tracing->leak.line_count; i++) {
        const struct match *match = &tracing->matches[i];
        bool is_canary = match->way == BY_CANARY && match->settled;
        if (!is_canary && (match->person == TRACE_NOBODY || !says_something(tracing, i)))
            continue;
        evidence->records[lines++] =
            (struct record){.line = i,
                            .lines = 1,
                            .person = match->person,
                            .canary = is_canary ? match->canary : TRACE_NOBODY,
                            .token_of = match->token_of};
    }
    qsort_r(evidence->records, lines, sizeof evidence->records[0], compare_by_line, tracing);
    for (size_t i = 0; i < lines; i++) {
        struct record *last = evidence->count == 0 ? NULL : &evidence->records[evidence->count - 1];
        if (last != NULL && compare_records(last, &evidence->records[i], tracing) == 0)
            last->lines++;
        else
            evidence->records[evidence->count++] = evidence->records[i];
    }
    return STATUS_OK;
}

/* ---- what a series has of each column ---- */

/* How a value was masked by another policy than ours is not known: by any mask, in doubt. */
static unsigned form_of_line(const struct evidence *evidence, const struct world_series *series,
                             const struct column_target *target, struct slice form)
{
    if (slice_equal(form, slice_of_text("clear")))
        return FORM_CLEAR;
    if (slice_equal(form, slice_of_text("token")))
        return FORM_TOKEN;
    if (!series->by_this_policy)
        return FORM_MASKS;
    const struct world *world = &evidence->tracing->world;
    return forms_of_grants(evidence->tracing->casework->policy,
                           world->partners[world->copies[series->copy].partner].name,
                           target->dataset, target->column);
}

static void fill_series(struct evidence *evidence, size_t at)
{
    const struct tracing *tracing = evidence->tracing;
    const struct world *world = &tracing->world;
    const struct world_series *series = &world->series[at];
    const struct columns *columns = &tracing->report->columns;
    const char *text =
        series->column_set < world->set_capacity ? world->sets[series->column_set] : NULL;
    uint16_t *forms = evidence->series + at * columns->count;
    struct column_line line;
    while (text != NULL && column_line_next(&text, &line))
        for (size_t c = 0; c < columns->count; c++)
            for (size_t t = 0; columns->all[c].how != NULL && t < columns->all[c].target_count;
                 t++) {
                const struct column_target *target = &columns->all[c].targets[t];
                if (slice_equal(line.dataset, slice_of_text(target->dataset)) &&
                    slice_equal(line.column, slice_of_text(target->column)))
                    forms[c] =
                        (uint16_t)(forms[c] | form_of_line(evidence, series, target, line.form));
            }
}

/* ---- who had what ---- */

static enum status index_holdings(struct evidence *evidence, struct error *error)
{
    const struct world *world = &evidence->tracing->world;
    size_t people = evidence->tracing->person_count, at = 0;
    evidence->first = arena_array(&evidence->arena, size_t, people + 1);
    if (evidence->first == NULL)
        return out_of_memory(error);
    for (size_t p = 0; p <= people; p++) {
        while (at < world->holding_pairs.count && world->holdings[at].person < p)
            at++;
        evidence->first[p] = at;
    }
    return STATUS_OK;
}

size_t evidence_have(const struct evidence *evidence, uint32_t person, struct evidence_of of,
                     uint16_t *have)
{
    const struct world *world = &evidence->tracing->world;
    size_t columns = evidence->tracing->leak.column_count, count = 0;
    memset(have, 0, columns * sizeof *have);
    for (size_t i = evidence->first[person]; i < evidence->first[person + 1]; i++) {
        const struct world_holding *holding = &world->holdings[i];
        size_t copy = world->series[holding->series].copy;
        if (world->copies[copy].partner != of.partner || holding->first_ns >= of.before_ns ||
            (of.copy != SIZE_MAX && copy != of.copy))
            continue;
        const uint16_t *forms = evidence->series + holding->series * columns;
        for (size_t c = 0; c < columns; c++)
            have[c] = (uint16_t)(have[c] | forms[c]);
        count++;
    }
    return count;
}

int64_t evidence_last(const struct evidence *evidence, const struct record *record, size_t partner)
{
    const struct world *world = &evidence->tracing->world;
    int64_t last_ns = INT64_MIN;
    if (record->canary != TRACE_NOBODY)
        return evidence->tracing->canaries[record->canary].opened_ns;
    for (size_t i = evidence->first[record->person]; i < evidence->first[record->person + 1]; i++) {
        const struct world_holding *holding = &world->holdings[i];
        if (world->copies[world->series[holding->series].copy].partner == partner &&
            holding->last_ns > last_ns)
            last_ns = holding->last_ns;
    }
    return last_ns == INT64_MIN ? world->since_ns : last_ns; /* only an older copy can have it */
}

bool evidence_covers(const struct evidence *evidence, const struct record *record, size_t partner,
                     const uint16_t *have)
{
    const struct tracing *tracing = evidence->tracing;
    const uint16_t *forms = trace_forms(tracing, record->line);
    if (record->token_of != WORLD_NO_PARTNER && record->token_of != partner)
        return false;
    for (size_t c = 0; c < tracing->leak.column_count; c++)
        if (forms[c] != 0 && (forms[c] & have[c]) == 0)
            return false;
    return true;
}

size_t evidence_made_for(const struct evidence *evidence, const struct record *record)
{
    if (record->canary != TRACE_NOBODY)
        return world_find_partner(&evidence->tracing->world,
                                  evidence->tracing->canaries[record->canary].partner);
    return record->token_of == WORLD_NO_PARTNER ? SIZE_MAX : record->token_of;
}

/* Room for the forms that each partner has of one person. */
struct gathering {
    uint16_t *have;  /* partner x column */
    size_t *touched; /* partners with anything of the person */
    bool *is_touched;
    size_t count;
};

static void gather_person(const struct evidence *evidence, uint32_t person,
                          struct gathering *gathering)
{
    const struct tracing *tracing = evidence->tracing;
    const struct world *world = &tracing->world;
    size_t columns = tracing->leak.column_count;
    for (size_t i = 0; i < gathering->count; i++)
        gathering->is_touched[gathering->touched[i]] = false;
    gathering->count = 0;
    for (size_t i = evidence->first[person]; i < evidence->first[person + 1]; i++) {
        const struct world_holding *holding = &world->holdings[i];
        size_t partner = world->copies[world->series[holding->series].copy].partner;
        uint16_t *have = gathering->have + partner * columns;
        const uint16_t *forms = evidence->series + holding->series * columns;
        if (holding->first_ns >= tracing->options->before_ns)
            continue;
        if (!gathering->is_touched[partner]) {
            memset(have, 0, columns * sizeof *have);
            gathering->is_touched[partner] = true;
            gathering->touched[gathering->count++] = partner;
        }
        for (size_t c = 0; c < columns; c++)
            have[c] = (uint16_t)(have[c] | forms[c]);
    }
}

/* What may have gone before the records that are kept begin. Nobody knows what older copies had, so
 * all of them together are taken for one that had everything but what was made for one copy. A
 * token is its partner's, whichever of its copies it was in. */
static void judge_older(struct evidence *evidence, size_t t)
{
    const struct record *record = &evidence->records[t];
    struct model_record *model = &evidence->model[t];
    if (evidence->tracing->world.since_ns == SINCE_EVER)
        return;
    size_t partner = evidence_made_for(evidence, record);
    if (partner == SIZE_MAX) {
        model->may_be_older = true;
        model_set_bit(evidence->older, t);
    } else if (record->canary == TRACE_NOBODY && !model_bit(evidence->held[partner], t)) {
        model_set_bit(evidence->held[partner], t);
        model->holders++;
    }
}

static void judge_record(struct evidence *evidence, size_t t, struct gathering *gathering)
{
    struct tracing *tracing = evidence->tracing;
    const struct record *record = &evidence->records[t];
    struct model_record *model = &evidence->model[t];
    bool unique = evidence_made_for(evidence, record) != SIZE_MAX;
    double elsewhere = tracing->options->elsewhere;
    model->elsewhere = unique && elsewhere > TRACE_UNIQUE ? TRACE_UNIQUE : elsewhere;
    if (record->canary != TRACE_NOBODY) {
        if (tracing->canaries[record->canary].opened_ns >= tracing->options->before_ns)
            return;
        model_set_bit(evidence->held[evidence_made_for(evidence, record)], t);
        model->holders = 1;
        return;
    }
    gather_person(evidence, record->person, gathering);
    for (size_t i = 0; i < gathering->count; i++) {
        size_t partner = gathering->touched[i];
        if (!evidence_covers(evidence, record, partner,
                             gathering->have + partner * tracing->leak.column_count))
            continue;
        model_set_bit(evidence->held[partner], t);
        model->holders++;
    }
}

static enum status judge_records(struct evidence *evidence, struct error *error)
{
    size_t partners = evidence->tracing->world.partner_count;
    struct gathering gathering = {
        .have = arena_array(&evidence->arena, uint16_t,
                            partners * evidence->tracing->leak.column_count + 1),
        .touched = arena_array(&evidence->arena, size_t, partners + 1),
        .is_touched = arena_array(&evidence->arena, bool, partners + 1)};
    if (evidence->arena.overflowed)
        return out_of_memory(error);
    for (size_t t = 0; t < evidence->count; t++) {
        judge_record(evidence, t, &gathering);
        judge_older(evidence, t);
    }
    return STATUS_OK;
}

enum status evidence_gather(struct tracing *tracing, struct evidence *evidence, struct error *error)
{
    const struct world *world = &tracing->world;
    size_t columns = tracing->leak.column_count, series = world->series_pairs.count;
    *evidence = (struct evidence){.tracing = tracing};
    arena_init(&evidence->arena, ARENA_BYTES);
    TRY(make_records(evidence, error));
    TRY(index_holdings(evidence, error));
    evidence->model = arena_array(&evidence->arena, struct model_record, evidence->count + 1);
    evidence->series = arena_array(&evidence->arena, uint16_t, series * columns + 1);
    evidence->held = arena_array(&evidence->arena, uint8_t *, world->partner_count + 1);
    for (size_t p = 0; p < world->partner_count && !evidence->arena.overflowed; p++)
        evidence->held[p] =
            arena_array(&evidence->arena, uint8_t, model_bits_bytes(evidence->count));
    evidence->older = arena_array(&evidence->arena, uint8_t, model_bits_bytes(evidence->count));
    if (evidence->arena.overflowed)
        return out_of_memory(error);
    for (size_t i = 0; i < series; i++)
        fill_series(evidence, i);
    return judge_records(evidence, error);
}
