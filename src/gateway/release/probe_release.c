/* Pins and releases: which keys come back with a batch; what is left at the end. */
#include "gateway/release/probe.h"
#include "gateway/release/release_private.h"

#include "base/clock.h"

void release_see_pins(const struct release_work *work)
{
    const struct batch *batch = work->batch;
    size_t k = 0;
    if (work->run->pins == NULL)
        return;
    pins_forget(work->run->pins);
    for (size_t place = 0; place <= work->rows; place++)
        for (size_t end = release_keys_end(batch, place); k < end; k++) {
            const struct batch_key *key = &batch->keys[k];
            if (release_lot(work, place, key->hidden) != LOT_NONE)
                pins_see(work->run->pins, work->plan->hidden[key->hidden].kind,
                         slice_of(batch->key_bytes.data + key->at, key->len));
        }
}

/* Rows that a batch holds already would say who is missing: beyond the bound they stay here. */
void release_bound_pins(struct release_work *work, enum ledger_outcome closing)
{
    const struct run *run = work->run;
    bool answers = closing == LEDGER_OUTCOME_COMPLETE || work->limit != NULL;
    if (run->pins == NULL || !answers)
        return;
    release_see_pins(work);
    size_t missing = pins_missing(run->pins);
    if (missing == 0 ||
        exposure_probes_left(run->server->exposure, run->partner, clock_now_ns(), missing))
        return;
    release_refuse(work);
    work->limit = "look-ups in a day that find nobody";
    work->limit_value = run->partner->budget.probes_per_day;
}

enum status release_record_pins(struct release_work *work, struct error *error)
{
    size_t pinned = work->plan->pinned_count, count = work->item_count;
    if (pins_missing(work->run->pins) == 0)
        return STATUS_OK;
    struct ledger_item *items =
        arena_array(&work->batch->arena, struct ledger_item, count + pinned);
    if (items == NULL)
        return release_no_memory(error);
    for (size_t i = 0; i < count; i++)
        items[i] = work->items[i];
    struct pins_record record = {.items = items + count,
                                 .sets = &work->pin_sets,
                                 .side = &work->batch->side,
                                 .time_ns = work->charged_ns};
    TRY(pins_record(work->run, &record, error));
    work->items = items;
    work->item_count = count + record.item_count;
    work->charged_ns = record.time_ns;
    return STATUS_OK;
}
