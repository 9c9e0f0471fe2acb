/* Whose a row is, in which grade, and whether the partner may have it: groups, thresholds, budgets.
 * Nothing is written here but the accounts. */
#include "gateway/release/release_private.h"

#include <string.h>

#include "base/clock.h"
#include "exposure/row_sums.h"
#include "exposure/subject_set.h"

size_t release_keys_end(const struct batch *batch, size_t place)
{
    return place == 0 ? batch->once_end : batch->row_ends[place - 1].keys_end;
}

static size_t keys_begin(const struct batch *batch, size_t place)
{
    return place == 0 ? 0 : release_keys_end(batch, place - 1);
}

size_t release_gather(const struct release_work *work, size_t place, size_t hidden, uint32_t *ids)
{
    const struct batch *batch = work->batch;
    size_t count = 0, end = release_keys_end(batch, place);
    for (size_t k = keys_begin(batch, place); k < end; k++)
        if (batch->keys[k].hidden == hidden)
            ids[count++] = work->ids[k];
    return count;
}

/* Members of a set: people, each once, however often the sets that it was made of name them. */
static uint32_t count_members(const struct release_work *work, size_t place, size_t hidden)
{
    size_t count = release_gather(work, place, hidden, work->scratch);
    return (uint32_t)subject_ids_unique(work->scratch, count);
}

/* Members of the row's smallest group; UINT32_MAX where it has none. */
static uint32_t smallest_set(const struct release_work *work, size_t row)
{
    uint32_t smallest = UINT32_MAX;
    for (size_t h = 0; h < work->plan->hidden_count; h++) {
        const struct plan_hidden *hidden = &work->plan->hidden[h];
        bool of_row = hidden->threshold_only || hidden->grade == PLAN_GRADE_DIRECT;
        if (hidden->depth == 0 || hidden->once || !of_row)
            continue;
        uint32_t members = count_members(work, row + 1, h);
        bool shows_nothing = members == 0 && hidden->threshold_only;
        if (members < smallest && !shows_nothing)
            smallest = members;
    }
    return smallest;
}

/* Which grade a row has, and whether it is suppressed; see plan.h on `statistic`. */
static void judge_group(struct release_work *work, size_t row)
{
    struct row_fate *fate = &work->fates[row];
    fate->grade = PLAN_GRADE_DIRECT;
    if (!work->plan->statistic || work->plan->hidden_count == 0)
        return;
    uint32_t members = fate->members = smallest_set(work, row);
    if (members >= work->plan->min_subjects) {
        fate->grade = PLAN_GRADE_AGGREGATE;
        if (members < work->smallest)
            work->smallest = members;
    } else {
        fate->suppressed = work->plan->suppress_small;
    }
}

/* OFFSET and LIMIT of ours. A row that is passed over still contributes: it decided which rows
 * were next. Its subjects are recorded as witnesses, or as influence where it is a statistic. That
 * HAVING leaves a group out is a statistic of it; and so, for partners who get nothing else, is
 * that it comes after others. */
static void judge_position(struct run *run, struct row_fate *fate, bool left_out)
{
    if (fate->suppressed)
        return;
    if (left_out) {
        if (fate->grade != PLAN_GRADE_AGGREGATE)
            fate->grade = PLAN_GRADE_INFLUENCE;
        return;
    }
    if (run->skip_left > 0)
        run->skip_left--;
    else if (run->take_left < 0)
        fate->sent = true;
    else if (run->take_left > 0) {
        fate->sent = true;
        run->take_left--;
    }
    if (fate->sent)
        return;
    if (fate->grade != PLAN_GRADE_AGGREGATE)
        fate->grade = PLAN_GRADE_WITNESS;
    else if (!run->planned->plan->suppress_small)
        fate->grade = PLAN_GRADE_INFLUENCE;
}

/* A row's grade is that of its sets; a single key beside them is always about its own person. */
static enum lot lot_of_grade(enum plan_grade grade, bool is_set)
{
    if (is_set)
        return (enum lot)grade;
    if (grade == PLAN_GRADE_AGGREGATE)
        return LOT_DIRECT;
    return grade == PLAN_GRADE_INFLUENCE ? LOT_WITNESS : (enum lot)grade;
}

static enum lot lot_of_influence(struct release_work *work, size_t place, size_t hidden)
{
    uint32_t members = count_members(work, place, hidden);
    if (members < work->run->partner->min_subjects || members == 0)
        return LOT_NARROW;
    if (members < work->smallest)
        work->smallest = members;
    return LOT_INFLUENCE;
}

/* Small groups that HAVING leaves out: what is told of them is told of all of them together, in the
 * rows at hand. */
static enum lot lot_of_left_out(struct release_work *work, size_t hidden)
{
    size_t count = 0;
    for (size_t row = 0; row < work->rows; row++)
        if (work->batch->row_ends[row].left_out && work->fates[row].grade == PLAN_GRADE_INFLUENCE)
            count += release_gather(work, row + 1, hidden, work->scratch + count);
    count = subject_ids_unique(work->scratch, count);
    if (count < work->run->partner->min_subjects)
        return LOT_NARROW;
    if (count < work->smallest)
        work->smallest = (uint32_t)count;
    return LOT_INFLUENCE;
}

/* The sum of all sums: of the same people it is another where some of their rows are not there. */
static uint64_t rows_in_all(const struct release_work *work, size_t place, size_t h)
{
    const struct batch *batch = work->batch;
    uint64_t sum = 0;
    if (!work->plan->hidden[h].marked)
        return 0;
    for (size_t k = keys_begin(batch, place); k < release_keys_end(batch, place); k++)
        for (size_t s = 0; batch->keys[k].hidden == h && s < work->plan->source_count; s++)
            sum = row_sums_add(sum, batch->sums[batch->keys[k].sums_at + s]);
    return sum;
}

/* Is the set at that place just that of another column of its kind? */
static bool is_repeated(const struct release_work *work, size_t place, size_t h)
{
    const struct plan_hidden *hidden = work->plan->hidden;
    uint32_t *ids = work->scratch;
    size_t count = subject_ids_unique(ids, release_gather(work, place, h, ids));
    uint32_t *others = ids + count;
    for (size_t other = 0; other < h; other++) {
        if (hidden[other].depth == 0 || hidden[other].once || hidden[other].kind != hidden[h].kind)
            continue;
        size_t found = subject_ids_unique(others, release_gather(work, place, other, others));
        if (found == count && memcmp(ids, others, count * sizeof *ids) == 0 &&
            rows_in_all(work, place, other) == rows_in_all(work, place, h))
            return true;
    }
    return false;
}

/* Those who have a value are a statistic of their own, where they are not the whole group: a sum
 * over the others' NULLs is theirs alone, and so is what two such sums differ by. */
static enum lot lot_of_threshold(const struct release_work *work, size_t place, size_t h)
{
    if (work->fates[place - 1].grade != PLAN_GRADE_AGGREGATE || is_repeated(work, place, h))
        return LOT_NONE;
    return LOT_AGGREGATE;
}

/* A statistic in a sub-select: large enough by itself, or direct. */
static enum lot lot_of_figure(struct release_work *work, size_t place, size_t h)
{
    if (place > 0 && !work->fates[place - 1].sent)
        return lot_of_influence(work, place, h);
    bool large = count_members(work, place, h) >= work->run->partner->min_subjects;
    return large ? LOT_AGGREGATE : LOT_DIRECT;
}

static enum lot lot_of(struct release_work *work, size_t place, size_t h)
{
    const struct plan_hidden *hidden = &work->plan->hidden[h];
    if (hidden->once != (place == 0))
        return LOT_NONE;
    if (place > 0 && work->fates[place - 1].suppressed)
        return LOT_NONE;
    if (hidden->threshold_only)
        return lot_of_threshold(work, place, h);
    switch (hidden->grade) {
    case PLAN_GRADE_AGGREGATE:
        return lot_of_figure(work, place, h);
    case PLAN_GRADE_WITNESS:
        return LOT_WITNESS;
    case PLAN_GRADE_INFLUENCE:
        return lot_of_influence(work, place, h);
    default:
        return place == 0 ? LOT_DIRECT
                          : lot_of_grade(work->fates[place - 1].grade, hidden->depth > 0);
    }
}

enum lot release_lot(const struct release_work *work, size_t place, size_t hidden)
{
    return (enum lot)work->lots[place * work->plan->hidden_count + hidden];
}

static void judge_left_out(struct release_work *work)
{
    size_t hidden_count = work->plan->hidden_count;
    for (size_t h = 0; work->plan->keeps_left_out && h < hidden_count; h++) {
        enum lot lot = lot_of_left_out(work, h);
        for (size_t row = 0; row < work->rows; row++) {
            uint8_t *of_row = &work->lots[(row + 1) * hidden_count + h];
            if (work->batch->row_ends[row].left_out && *of_row == LOT_INFLUENCE)
                *of_row = (uint8_t)lot;
        }
    }
}

enum status release_judge(struct release_work *work, struct error *error)
{
    size_t hidden_count = work->plan->hidden_count;
    work->fates = arena_array(&work->batch->arena, struct row_fate, work->rows + 1);
    work->lots = arena_array(&work->batch->arena, uint8_t, (work->rows + 1) * hidden_count + 1);
    if (work->fates == NULL || work->lots == NULL)
        return release_no_memory(error);
    uint64_t bound = work->run->partner->budget.rows_per_statement;
    uint64_t before = work->run->rows;
    for (size_t row = 0; row < work->rows; row++) {
        judge_group(work, row);
        judge_position(work->run, &work->fates[row], work->batch->row_ends[row].left_out);
        if (work->fates[row].sent && bound > 0 && ++before > bound) {
            work->rows = row;
            work->limit = "rows in one statement";
            work->limit_value = bound;
        }
    }
    for (size_t place = 0; place <= work->rows; place++)
        for (size_t h = 0; h < hidden_count; h++)
            work->lots[place * hidden_count + h] = (uint8_t)lot_of(work, place, h);
    judge_left_out(work);
    return STATUS_OK;
}

static bool is_charged(enum lot lot)
{
    return lot == LOT_DIRECT || lot == LOT_WITNESS || lot == LOT_NARROW;
}

/* Appends the subjects of a place that count against the budget, and their hidden columns; with a
 * statistic, whom it tells of by what it differs from others. */
static size_t charged_ids(const struct release_work *work, size_t place, uint32_t *ids,
                          uint16_t *hidden)
{
    const struct batch *batch = work->batch;
    size_t count = 0, end = release_keys_end(batch, place);
    for (size_t k = keys_begin(batch, place); k < end; k++)
        if (is_charged(release_lot(work, place, batch->keys[k].hidden))) {
            hidden[count] = batch->keys[k].hidden;
            ids[count++] = work->ids[k];
        }
    for (const struct differing *few = work->differing; few != NULL; few = few->next)
        for (size_t i = 0; few->place == place && i < few->count; i++) {
            hidden[count] = (uint16_t)few->hidden;
            ids[count++] = few->ids[i];
        }
    return count;
}

void release_refuse(struct release_work *work)
{
    for (size_t h = 0; h < work->plan->hidden_count; h++)
        work->lots[h] = LOT_NONE;
    work->rows = 0;
    work->differing = NULL;
    if (work->statistics_until != NULL)
        work->statistics_until[0] = 0;
}

static void take_charge(struct release_work *work, const struct exposure_charge *charge)
{
    work->charged = charge->charged;
    memcpy(work->warnings, charge->warnings, sizeof work->warnings);
    work->warning_count = charge->warning_count;
    if (charge->limit != NULL) {
        work->limit = charge->limit;
        work->limit_value = charge->limit_value;
        memcpy(work->limit_name, charge->limit_name, sizeof work->limit_name);
        work->limit_frees_ns = charge->frees_at_ns;
    }
    if (charge->admitted_rows == 0)
        release_refuse(work);
    else
        work->rows = charge->admitted_rows - 1;
}

enum status release_charge(struct release_work *work, struct error *error)
{
    struct batch *batch = work->batch;
    const struct run *run = work->run;
    size_t room = release_keys_end(batch, work->rows) + work->differing_count + 1;
    uint32_t *ids =
        work->differing_count == 0 ? work->scratch : arena_array(&batch->arena, uint32_t, room);
    size_t *ends = arena_array(&batch->arena, size_t, work->rows + 1);
    uint16_t *hidden = arena_array(&batch->arena, uint16_t, room);
    if (ids == NULL || ends == NULL || hidden == NULL)
        return release_no_memory(error);
    size_t count = 0;
    for (size_t place = 0; place <= work->rows; place++) {
        count += charged_ids(work, place, ids + count, hidden + count);
        ends[place] = count;
    }
    if (count == 0)
        return STATUS_OK;
    struct exposure_charge charge;
    if (work->charged_ns == 0)
        work->charged_ns = clock_now_ns();
    const struct exposure_subjects subjects = {.agent = run->agent->name,
                                               .purpose = run->purpose,
                                               .ids = ids,
                                               .classes = hidden,
                                               .column_sets = run->planned->column_sets,
                                               .class_count = work->plan->hidden_count,
                                               .row_ends = ends,
                                               .row_count = work->rows + 1};
    exposure_charge(run->server->exposure, run->partner, work->charged_ns, &subjects, &charge);
    take_charge(work, &charge);
    return STATUS_OK;
}
