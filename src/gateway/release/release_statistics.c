/* Statistics whose people differ by few from those of earlier ones: Denning's trackers. Refused, or
 * charged for those few. The refusal itself depends on them, so that they are in the ledger too. */
#include "gateway/release/release_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/row_sums.h"
#include "exposure/subject_set.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static enum status keep_differing(struct release_work *work, size_t place, size_t hidden,
                                  const struct exposure_people *people, struct error *error)
{
    struct arena *arena = &work->batch->arena;
    struct differing *few = arena_array(arena, struct differing, 1);
    uint32_t *ids = arena_array(arena, uint32_t, people->count);
    if (few == NULL || ids == NULL)
        return release_no_memory(error);
    memcpy(ids, people->ids, people->count * sizeof *ids);
    *few = (struct differing){.next = work->differing,
                              .place = place,
                              .hidden = hidden,
                              .ids = ids,
                              .count = subject_ids_unique(ids, people->count)};
    work->differing = few;
    work->differing_count += few->count;
    return STATUS_OK;
}

struct slice release_rows_of(const struct release_work *work, size_t place, size_t hidden)
{
    return work->rows_of == NULL ? slice_of(NULL, 0)
                                 : work->rows_of[place * work->plan->hidden_count + hidden];
}

/* Adds up what belongs to each of the ids, which are those of the keys at that place. */
static void add_sums(const struct release_work *work, size_t place, size_t hidden,
                     const uint32_t *ids, size_t count, uint64_t *values)
{
    const struct batch *batch = work->batch;
    size_t sources = work->plan->source_count, end = release_keys_end(batch, place);
    for (size_t k = place == 0 ? 0 : release_keys_end(batch, place - 1); k < end; k++) {
        if (batch->keys[k].hidden != hidden)
            continue;
        const uint32_t *id = bsearch(&work->ids[k], ids, count, sizeof *ids, compare_ids);
        const uint64_t *sums = batch->sums + batch->keys[k].sums_at;
        CHECK(id != NULL);
        for (size_t s = 0; s < sources; s++) {
            uint64_t *value = &values[(size_t)(id - ids) * sources + s];
            *value = row_sums_add(*value, sums[s]);
        }
    }
}

/* ids: of the place, ascending, each once. */
static enum status gather_rows(struct release_work *work, size_t place, size_t hidden,
                               const uint32_t *ids, size_t count, struct error *error)
{
    const struct plan *plan = work->plan;
    if (!plan->hidden[hidden].marked)
        return STATUS_OK;
    uint64_t *values = calloc(count * plan->source_count + 1, sizeof *values);
    if (values == NULL)
        return release_no_memory(error);
    struct buffer bytes;
    buffer_init(&bytes, ROW_SUMS_BYTES);
    add_sums(work, place, hidden, ids, count, values);
    row_sums_encode(plan->sources, plan->source_count, ids, values, count, &bytes);
    struct slice encoded = buffer_slice(&bytes);
    uint8_t *kept = arena_array(&work->batch->arena, uint8_t, encoded.len + 1);
    if (kept != NULL && !bytes.overflowed)
        memcpy(kept, encoded.data, encoded.len);
    enum status status = kept == NULL || bytes.overflowed ? release_no_memory(error) : STATUS_OK;
    work->rows_of[place * plan->hidden_count + hidden] = slice_of(kept, encoded.len);
    buffer_free(&bytes);
    free(values);
    return status;
}

static enum status compare_set(struct release_work *work, struct exposure_statistics *statistics,
                               size_t place, size_t hidden, struct error *error)
{
    struct exposure_people people = {0};
    size_t count = release_gather(work, place, hidden, work->scratch);
    enum status status = STATUS_OK;
    count = subject_ids_unique(work->scratch, count);
    if (count == 0)
        return STATUS_OK;
    TRY(gather_rows(work, place, hidden, work->scratch, count, error));
    switch (exposure_statistic(statistics, work->run->partner->min_subjects, work->scratch, count,
                               release_rows_of(work, place, hidden), &people)) {
    case EXPOSURE_STATISTIC_DIFFERS:
        status = keep_differing(work, place, hidden, &people, error);
        break;
    case EXPOSURE_STATISTIC_UNTOLD:
        work->lots[place * work->plan->hidden_count + hidden] = LOT_DIRECT;
        break;
    default:
        break;
    }
    free(people.ids);
    return status;
}

static enum status compare_all(struct release_work *work, struct error *error)
{
    work->statistics_until = arena_array(&work->batch->arena, size_t, work->rows + 1);
    if (work->statistics_until == NULL)
        return release_no_memory(error);
    size_t sets = (work->rows + 1) * work->plan->hidden_count;
    work->rows_of = arena_array(&work->batch->arena, struct slice, sets + 1);
    if (work->rows_of == NULL)
        return release_no_memory(error);
    memset(work->rows_of, 0, sets * sizeof *work->rows_of);
    for (size_t place = 0; place <= work->rows; place++) {
        for (size_t hidden = 0; hidden < work->plan->hidden_count; hidden++)
            if (release_lot(work, place, hidden) == LOT_AGGREGATE)
                TRY(compare_set(work, work->statistics, place, hidden, error));
        work->statistics_until[place] = exposure_statistics_count(work->statistics);
    }
    return STATUS_OK;
}

static enum status refuse(struct release_work *work, struct error *error)
{
    for (const struct differing *few = work->differing; few != NULL; few = few->next)
        TRY(release_write_alone(work, few->hidden, few->ids, few->count, error));
    return error_set(
        error, STATUS_DENIED, "42501",
        "ask again once more of its people have changed, or for other groups; the data "
        "controller can set aggregates: {differencing: charge}",
        "a statistic would differ from earlier ones by fewer than %u people",
        work->run->partner->min_subjects);
}

static bool has_statistics(const struct release_work *work)
{
    size_t lots = (work->rows + 1) * work->plan->hidden_count;
    return lots > 0 && memchr(work->lots, LOT_AGGREGATE, lots) != NULL;
}

enum status release_compare(struct release_work *work, struct error *error)
{
    const struct policy_partner *partner = work->run->partner;
    if (!has_statistics(work))
        return STATUS_OK;
    work->statistics =
        exposure_statistics_begin(work->run->server->exposure, partner, clock_now_ns());
    TRY(compare_all(work, error));
    bool refused = work->differing != NULL && partner->differencing == POLICY_DIFFERENCING_REFUSE;
    return refused ? refuse(work, error) : STATUS_OK;
}

void release_settle_statistics(struct release_work *work, bool written)
{
    if (work->statistics != NULL)
        exposure_statistics_end(work->statistics, written ? work->statistics_until[work->rows] : 0);
    work->statistics = NULL;
}
