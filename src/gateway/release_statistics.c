/* Statistics whose people differ by few from those of earlier ones: Denning's trackers. Refused, or
 * charged for those few. The refusal itself depends on them, so that they are in the ledger too. */
#include "gateway/release_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/subject_set.h"

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

static enum status compare_set(struct release_work *work, struct exposure_statistics *statistics,
                               size_t place, size_t hidden, struct error *error)
{
    struct exposure_people people = {0};
    size_t count = release_gather(work, place, hidden, work->scratch);
    enum status status = STATUS_OK;
    count = subject_ids_unique(work->scratch, count);
    if (count == 0)
        return STATUS_OK;
    switch (exposure_statistic(statistics, work->run->partner->min_subjects, work->scratch, count,
                               &people)) {
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
