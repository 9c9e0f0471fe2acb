/* The verdict: every partner's copy, and the outside, ranked by the single-source posterior; and
 * when that does not suffice to tell. A copy and the same copy passed on to a sub-processor have
 * the same likelihood whatever is found, so they are computed as one and its posterior is shared as
 * the prior was: evenly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/since.h"
#include "trace/judge.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
}

/* ---- priors ---- */

static const double *given_prior(const struct trace_options *options,
                                 const struct trace_source *source)
{
    const char *name = source->partner != NULL ? source->partner
                       : source->older         ? "older"
                                               : "outside";
    for (size_t i = 0; i < options->prior_count; i++)
        if (strcmp(options->priors[i].partner, name) == 0)
            return &options->priors[i].prior;
    return NULL;
}

static enum status check_priors(const struct tracing *tracing, struct error *error)
{
    const struct trace_options *options = tracing->options;
    double sum = 0;
    for (size_t i = 0; i < options->prior_count; i++) {
        const char *name = options->priors[i].partner;
        sum += options->priors[i].prior;
        bool is_cut = tracing->world.since_ns != SINCE_EVER;
        if (strcmp(name, "outside") != 0 && (!is_cut || strcmp(name, "older") != 0) &&
            world_find_partner(&tracing->world, name) == SIZE_MAX)
            return error_set(error, STATUS_INVALID, "42704",
                             is_cut ? "partners are those of the policy and of the ledger, or "
                                      "outside, or older"
                                    : "partners are those of the policy and of the ledger, or "
                                      "outside",
                             "there is no partner \"%.63s\" to have a prior", name);
    }
    if (sum > 1 + 1e-9)
        return error_set(error, STATUS_INVALID, "22023",
                         "those that are not given share what is left",
                         "the priors given sum to %g, which is more than 1", sum);
    return STATUS_OK;
}

static void fill_priors(const struct trace_options *options, struct trace_source *sources,
                        size_t count)
{
    double left = 1;
    size_t others = 0;
    for (size_t i = 0; i < count; i++) {
        const double *given = given_prior(options, &sources[i]);
        others += given == NULL;
        left -= given == NULL ? 0 : *given;
    }
    for (size_t i = 0; i < count; i++) {
        const double *given = given_prior(options, &sources[i]);
        sources[i].prior = given != NULL ? *given : fmax(left, 0) / (double)others;
    }
}

/* ---- sources ---- */

static int compare_sources(const void *a, const void *b)
{
    const struct trace_source *left = a, *right = b;
    int order = (left->posterior < right->posterior) - (left->posterior > right->posterior);
    if (order == 0) /* what is known before what is not */
        order = left->older - right->older;
    if (order == 0)
        order = (left->records < right->records) - (left->records > right->records);
    if (order != 0)
        return order;
    return strcmp(left->partner == NULL ? "" : left->partner,
                  right->partner == NULL ? "" : right->partner);
}

static uint64_t count_bits(const uint8_t *bits, size_t count)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < count; t++)
        sum += model_bit(bits, t);
    return sum;
}

/* What the copy's owner attested to have deleted. */
static void count_deleted(const struct evidence *evidence, size_t partner,
                          struct trace_source *source)
{
    const struct tracing *tracing = evidence->tracing;
    for (size_t t = 0; t < evidence->count; t++) {
        const struct record *record = &evidence->records[t];
        if (!model_bit(evidence->held[partner], t))
            continue;
        const struct deleted_claim *claim =
            deleted_find(&tracing->world.deleted, record->person, (uint32_t)partner,
                         evidence_last(evidence, record, partner));
        if (claim == NULL)
            continue;
        source->deleted++;
        if (source->request == NULL || claim->attested_ns > source->attested_ns) {
            source->attested_ns = claim->attested_ns;
            source->request = claim->request;
        }
    }
    if (source->request != NULL)
        source->request = arena_strdup(&tracing->report->arena, source->request);
}

static void take_best(struct trace_report *report)
{
    while (report->sources[report->best].older)
        report->best++;
}

static enum status rank_sources(const struct evidence *evidence, struct error *error)
{
    const struct tracing *tracing = evidence->tracing;
    struct trace_report *report = tracing->report;
    bool is_cut = tracing->world.since_ns != SINCE_EVER;
    size_t partners = tracing->world.partner_count, count = partners + 1 + is_cut;
    double *numbers = calloc(3 * count, sizeof *numbers);
    struct trace_source *sources = arena_array(&report->arena, struct trace_source, count);
    if (numbers == NULL || sources == NULL) {
        free(numbers);
        return out_of_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *held = i == partners  ? NULL
                              : i > partners ? evidence->older
                                             : evidence->held[i];
        sources[i].older = i > partners;
        numbers[i] = model_log_likelihood(evidence->model, held, evidence->count, TRACE_ERROR);
        if (held == NULL)
            continue;
        sources[i].records = count_bits(held, evidence->count);
        if (sources[i].older)
            continue;
        sources[i].partner = arena_strdup(&report->arena, tracing->world.partners[i].name);
        sources[i].guilt = model_guilt(evidence->model, held, evidence->count);
        count_deleted(evidence, i, &sources[i]);
    }
    fill_priors(tracing->options, sources, count);
    for (size_t i = 0; i < count; i++)
        numbers[count + i] = sources[i].prior;
    model_posterior(numbers + count, numbers, count, numbers + 2 * count);
    for (size_t i = 0; i < count; i++) {
        const struct policy_partner *partner =
            i >= partners ? NULL
                          : policy_find_partner(tracing->casework->policy, sources[i].partner);
        sources[i].posterior = numbers[2 * count + i];
        if (partner != NULL && partner->sub_processor_count > 0)
            sources[i].passed_on = sources[i].posterior / 2;
    }
    free(numbers);
    qsort(sources, count, sizeof *sources, compare_sources);
    report->sources = sources;
    report->source_count = count;
    take_best(report);
    return STATUS_OK;
}

/* ---- the verdict ---- */

static const char *name_of(const struct trace_source *source)
{
    return source->older             ? "an older copy, dropped from the records"
           : source->partner == NULL ? "another source"
                                     : source->partner;
}

/* Where the oldest records are gone: a copy of theirs that nobody knows of explains the file about
 * as well as the best that is known, or better. */
static const char *why_older(struct trace_report *report)
{
    const struct trace_source *best = &report->sources[report->best], *older = report->sources;
    while (!older->older)
        older++;
    if (best->partner == NULL || best->records == 0 ||
        older->posterior >= report->ratio * best->posterior)
        return arena_printf(&report->arena,
                            "a copy that was given before %s can have had these records, and which "
                            "copies those were was dropped by retention; none that is known "
                            "explains them as well",
                            report->since);
    return arena_printf(&report->arena,
                        "one cannot tell between the copy given to %s and copies that were given "
                        "before %s, to it or to others: their records were dropped by retention, "
                        "and they can have had all of this too",
                        best->partner, report->since);
}

/* Does the copy have a record that was made for it alone? */
static bool has_unique(const struct evidence *evidence, size_t partner)
{
    for (size_t t = 0; t < evidence->count; t++)
        if (model_bit(evidence->held[partner], t) &&
            evidence_made_for(evidence, &evidence->records[t]) == partner)
            return true;
    return false;
}

static const char *times(struct arena *arena, double best, double next)
{
    if (next <= 0 || best / next > 1e9)
        return "more than 1,000,000,000";
    return arena_printf(arena, best / next < 100 ? "%.1f" : "%.0f", best / next);
}

static void judge(const struct evidence *evidence)
{
    struct trace_report *report = evidence->tracing->report;
    const struct trace_source *best = &report->sources[0], *next = &report->sources[1];
    struct arena *arena = &report->arena;
    report->verdict = TRACE_CANNOT_TELL;
    if (report->records == 0) {
        report->why = "nobody was recognised in the file of whom any partner had anything";
    } else if (best->posterior <= 0) {
        report->why = "no source can have given these records by the priors and p that were given";
    } else if (best->older || (next->older && best->posterior < report->ratio * next->posterior)) {
        report->why = why_older(report);
    } else if (best->posterior < report->ratio * next->posterior) {
        report->why = arena_printf(
            arena, "%s is only %s times as probable as %s; %g times is asked for", name_of(best),
            times(arena, best->posterior, next->posterior), name_of(next), report->ratio);
    } else if (best->partner == NULL) {
        report->verdict = TRACE_OUTSIDE;
        report->why = "another source explains these records better than any copy does";
    } else if (best->records == 0) {
        report->why = report->since[0] == '\0'
                          ? "no copy had any of these records before the leak"
                          : "no copy that is still in the records had any of these before the leak";
    } else if (report->records < TRACE_LEAST_RECORDS &&
               !has_unique(evidence,
                           world_find_partner(&evidence->tracing->world, best->partner))) {
        report->why = arena_printf(arena,
                                   "the sample is too small: fewer than %d records, and no token "
                                   "or canary among them",
                                   TRACE_LEAST_RECORDS);
    } else {
        report->verdict = TRACE_THIS_COPY;
        report->why = arena_printf(
            arena, "the copy given to %s is %s times as probable a source of these records as %s",
            best->partner, times(arena, best->posterior, next->posterior), name_of(next));
    }
}

/* ---- parts of the best copy ---- */

static int compare_parts(const void *a, const void *b)
{
    const struct trace_part *left = a, *right = b;
    int order = (left->posterior < right->posterior) - (left->posterior > right->posterior);
    return order != 0 ? order : strcmp(left->delivery, right->delivery);
}

/* The records that one copy of the world had by itself. */
static void hold_part(const struct evidence *evidence, size_t partner, size_t copy, uint16_t *have,
                      uint8_t *held)
{
    const struct tracing *tracing = evidence->tracing;
    struct evidence_of of = {partner, copy, tracing->options->before_ns};
    memset(held, 0, model_bits_bytes(evidence->count));
    for (size_t t = 0; t < evidence->count; t++) {
        const struct record *record = &evidence->records[t];
        if (!model_bit(evidence->held[partner], t))
            continue;
        bool has = record->canary != TRACE_NOBODY
                       ? strcmp(tracing->canaries[record->canary].delivery,
                                tracing->world.copies[copy].delivery) == 0
                       : evidence_have(evidence, record->person, of, have) > 0 &&
                             evidence_covers(evidence, record, partner, have);
        if (has)
            model_set_bit(held, t);
    }
}

static enum status rank_parts(const struct evidence *evidence, size_t partner, struct error *error)
{
    const struct world *world = &evidence->tracing->world;
    struct trace_report *report = evidence->tracing->report;
    double *numbers = calloc(3 * world->copy_count + 1, sizeof *numbers);
    uint8_t *held = malloc(model_bits_bytes(evidence->count));
    uint16_t *have = calloc(evidence->tracing->leak.column_count + 1, sizeof *have);
    report->parts = arena_array(&report->arena, struct trace_part, world->copy_count + 1);
    bool failed = numbers == NULL || held == NULL || have == NULL || report->parts == NULL;
    for (size_t i = 0; !failed && i < world->copy_count; i++) {
        const struct world_copy *copy = &world->copies[i];
        if (copy->partner != partner)
            continue;
        hold_part(evidence, partner, i, have, held);
        struct trace_part part = {.agent = arena_strdup(&report->arena, copy->agent),
                                  .delivery = arena_strdup(&report->arena, copy->delivery),
                                  .declared = copy->declared,
                                  .records = count_bits(held, evidence->count)};
        if (part.records == 0)
            continue;
        numbers[report->part_count] =
            model_log_likelihood(evidence->model, held, evidence->count, TRACE_ERROR);
        numbers[world->copy_count + report->part_count] = 1;
        report->parts[report->part_count++] = part;
    }
    if (!failed) {
        double *posteriors = numbers + 2 * world->copy_count;
        model_posterior(numbers + world->copy_count, numbers, report->part_count, posteriors);
        for (size_t i = 0; i < report->part_count; i++)
            report->parts[i].posterior = posteriors[i];
        qsort(report->parts, report->part_count, sizeof report->parts[0], compare_parts);
    }
    free(numbers);
    free(held);
    free(have);
    return failed || report->arena.overflowed ? out_of_memory(error) : STATUS_OK;
}

/* ---- the whole ---- */

static enum status conclude(struct evidence *evidence, struct error *error)
{
    struct trace_report *report = evidence->tracing->report;
    report->records = evidence->count;
    for (size_t t = 0; t < evidence->count; t++)
        report->unheld += evidence->model[t].holders == 0;
    TRY(rank_sources(evidence, error));
    judge(evidence);
    const struct trace_source *best = &report->sources[report->best];
    if (best->partner != NULL && best->records > 0)
        TRY(rank_parts(evidence, world_find_partner(&evidence->tracing->world, best->partner),
                       error));
    TRY(judge_reasons(evidence, error));
    TRY(judge_notes(evidence, error));
    return report->arena.overflowed ? out_of_memory(error) : STATUS_OK;
}

enum status trace_sources(struct tracing *tracing, struct error *error)
{
    const struct policy *policy = tracing->casework->policy;
    size_t unused;
    for (size_t i = 0; i < policy->partner_count; i++)
        TRY(world_partner(&tracing->world, slice_of_text(policy->partners[i].name), &unused,
                          error));
    return check_priors(tracing, error);
}

enum status trace_judge(struct tracing *tracing, struct error *error)
{
    struct evidence evidence = {0};
    size_t unused;
    for (size_t i = 0; i < tracing->canary_count; i++) {
        const struct found_canary *canary = &tracing->canaries[i];
        TRY(world_partner(&tracing->world, slice_of_text(canary->partner), &unused, error));
        if (tracing->world.since_ns != SINCE_EVER) /* its acts are all that is left of some */
            TRY(world_delivery(&tracing->world, canary->partner, canary->agent, canary->delivery,
                               error));
    }
    enum status status = evidence_gather(tracing, &evidence, error);
    if (status == STATUS_OK)
        status = conclude(&evidence, error);
    evidence_free(&evidence);
    return status;
}
