/* Pins of one execution: read at Bind, crossed off as subjects are recorded, the rest recorded at
 * the end. */
#include "gateway/release/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/subject_set.h"
#include "gateway/trust/canary_watch.h"
#include "gateway/server.h"

enum { SCRATCH_BYTES = LIMIT_MESSAGE_BYTES + 1, ARENA_BYTES = 1024 * 1024 };

enum pin_state { PIN_MISSING, PIN_SEEN, PIN_FOUND };

struct pin {
    uint32_t at, len; /* in pins->bytes */
    uint16_t pinned;  /* index of plan->pinned */
    uint8_t state;
};

struct pins {
    const struct plan *plan; /* of the run */
    struct buffer bytes;
    struct pin *pins; /* sorted, each once */
    size_t count, capacity;
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "name fewer keys at once", "out of memory");
}

/* ---- sorting and finding ---- */

static int compare_key(const struct pins *pins, const struct pin *pin, size_t pinned,
                       struct slice key)
{
    if (pin->pinned != pinned)
        return pin->pinned < pinned ? -1 : 1;
    if (pin->len != key.len)
        return pin->len < key.len ? -1 : 1;
    return key.len == 0 ? 0 : memcmp(pins->bytes.data + pin->at, key.data, key.len);
}

static struct slice key_of(const struct pins *pins, const struct pin *pin)
{
    return slice_of(pins->bytes.data + pin->at, pin->len);
}

static int compare_pins(const void *a, const void *b, void *context)
{
    const struct pin *right = b;
    return compare_key(context, a, right->pinned, key_of(context, right));
}

static void sort_pins(struct pins *pins)
{
    size_t kept = 0;
    if (pins->count > 1)
        qsort_r(pins->pins, pins->count, sizeof pins->pins[0], compare_pins, pins);
    for (size_t i = 0; i < pins->count; i++)
        if (kept == 0 || compare_pins(&pins->pins[kept - 1], &pins->pins[i], pins) != 0)
            pins->pins[kept++] = pins->pins[i];
    pins->count = kept;
}

static struct pin *find_pin(const struct pins *pins, size_t pinned, struct slice key)
{
    size_t low = 0, high = pins->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_key(pins, &pins->pins[middle], pinned, key);
        if (order == 0)
            return &pins->pins[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- reading ---- */

struct reading {
    struct pins *pins;
    const struct plan_pin *pin;
    struct slice parameters[LIMIT_PARAMETERS];
};

static enum status grow(struct pins *pins, struct error *error)
{
    if (pins->count < pins->capacity)
        return STATUS_OK;
    size_t wanted = pins->capacity == 0 ? 4 : pins->capacity * 2;
    struct pin *bigger = realloc(pins->pins, wanted * sizeof bigger[0]);
    if (bigger == NULL)
        return no_memory(error);
    pins->pins = bigger;
    pins->capacity = wanted;
    return STATUS_OK;
}

static enum status take_value(void *context, const struct probe_value *value, struct error *error)
{
    const struct reading *reading = context;
    struct pins *pins = reading->pins;
    size_t at = pins->bytes.len;
    bool is_key;
    TRY(probe_key(value, &pins->bytes, &is_key, error));
    if (!is_key)
        return STATUS_OK;
    if (pins->count == PINS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", "name fewer keys at once",
                         "a statement may name at most %d subject keys", PINS_MOST);
    TRY(grow(pins, error));
    pins->pins[pins->count++] = (struct pin){.at = (uint32_t)at,
                                             .len = (uint32_t)(pins->bytes.len - at),
                                             .pinned = (uint16_t)reading->pin->pinned};
    return STATUS_OK;
}

static bool is_binary(const struct wire_bind *bind, size_t parameter)
{
    if (bind->format_count == 0)
        return false;
    size_t at = bind->format_count == 1 ? 0 : parameter;
    return load_u16be(bind->formats.data + 2 * at) == 1;
}

static enum status take_pin(struct reading *reading, const struct planned *planned,
                            const struct wire_bind *bind, struct error *error)
{
    const struct plan_pin *pin = reading->pin;
    const struct plan *plan = reading->pins->plan;
    struct probe_value value = {.key_type = pin->type, .cast = pin->cast};
    if (pin->parameter == 0) {
        value.bytes = slice_of_text(pin->text);
    } else {
        size_t index = pin->parameter - 1;
        if (index >= plan->client_parameter_count || reading->parameters[index].data == NULL)
            return STATUS_OK; /* NULL is nobody's key */
        value.bytes = reading->parameters[index];
        value.binary = is_binary(bind, index);
        value.type = index < planned->type_count ? planned->types[index] : 0;
        if (value.type == 0 && !pin->array)
            value.type = pin->cast;
    }
    if (!pin->array)
        return take_value(reading, &value, error);
    struct buffer scratch;
    buffer_init(&scratch, SCRATCH_BYTES);
    enum status status = probe_elements(&value, &scratch, take_value, reading, error);
    buffer_free(&scratch);
    return status;
}

/* bind->parameter_count is what the plan takes: checked before. */
static void find_parameters(struct reading *reading, const struct wire_bind *bind)
{
    struct wire_reader reader = wire_reader_of(bind->parameters);
    for (size_t i = 0; i < bind->parameter_count && i < LIMIT_PARAMETERS; i++) {
        uint32_t len = wire_read_u32(&reader);
        reading->parameters[i] =
            len == UINT32_MAX ? slice_of(NULL, 0) : wire_read_bytes(&reader, len);
    }
}

static enum status take_pins(struct pins *pins, const struct planned *planned,
                             const struct wire_bind *bind, struct error *error)
{
    struct reading reading;
    reading.pins = pins;
    find_parameters(&reading, bind);
    for (reading.pin = pins->plan->pins; reading.pin != NULL; reading.pin = reading.pin->next)
        TRY(take_pin(&reading, planned, bind, error));
    sort_pins(pins);
    return STATUS_OK;
}

/* One that found nobody must still fit: where it would not, nothing is asked. */
static enum status check_left(const struct run *run, struct error *error)
{
    if (run->pins->count == 0 ||
        exposure_probes_left(run->server->exposure, run->partner, clock_now_ns(), 1))
        return STATUS_OK;
    return error_set(error, STATUS_LIMIT, "53400",
                     "SHOW cofferdam.budget tells the bounds; they are lifted at the day's end",
                     "partner %s has asked for more keys of nobody today than its budget allows",
                     run->partner->name);
}

enum status pins_take(struct run *run, const struct wire_bind *bind, struct error *error)
{
    const struct plan *plan = run->planned->plan;
    if (plan->pins == NULL || run->pins != NULL)
        return STATUS_OK;
    run->pins = calloc(1, sizeof *run->pins);
    if (run->pins == NULL)
        return no_memory(error);
    run->pins->plan = plan;
    buffer_init(&run->pins->bytes, (size_t)PINS_MOST * LIMIT_SUBJECT_KEY_BYTES);
    TRY(take_pins(run->pins, run->planned, bind, error));
    return check_left(run, error);
}

void pins_free(struct pins *pins)
{
    if (pins == NULL)
        return;
    buffer_free(&pins->bytes);
    free(pins->pins);
    free(pins);
}

/* ---- crossing off ---- */

void pins_see(struct pins *pins, size_t kind, struct slice key)
{
    for (size_t p = 0; pins != NULL && p < pins->plan->pinned_count; p++) {
        if (pins->plan->pinned[p].kind != kind)
            continue;
        struct pin *pin = find_pin(pins, p, key);
        if (pin != NULL && pin->state == PIN_MISSING)
            pin->state = PIN_SEEN;
    }
}

static void turn_seen(struct pins *pins, enum pin_state into)
{
    for (size_t i = 0; pins != NULL && i < pins->count; i++)
        if (pins->pins[i].state == PIN_SEEN)
            pins->pins[i].state = (uint8_t)into;
}

void pins_keep(struct pins *pins)
{
    turn_seen(pins, PIN_FOUND);
}

void pins_forget(struct pins *pins)
{
    turn_seen(pins, PIN_MISSING);
}

size_t pins_missing(const struct pins *pins)
{
    size_t missing = 0;
    for (size_t i = 0; pins != NULL && i < pins->count; i++)
        missing += pins->pins[i].state == PIN_MISSING;
    return missing;
}

/* ---- recording the rest ---- */

/* The keys that are missing, in the order of plan->pinned; ids for them. */
struct missing {
    struct subject_key *keys;
    uint16_t *pinned;
    uint32_t *ids;
    size_t count;
};

static bool gather(const struct pins *pins, struct arena *arena, struct missing *missing)
{
    size_t count = pins_missing(pins);
    *missing = (struct missing){.keys = arena_array(arena, struct subject_key, count),
                                .pinned = arena_array(arena, uint16_t, count),
                                .ids = arena_array(arena, uint32_t, count)};
    if (missing->keys == NULL || missing->pinned == NULL || missing->ids == NULL)
        return false;
    for (size_t i = 0; i < pins->count; i++) {
        const struct pin *pin = &pins->pins[i];
        if (pin->state != PIN_MISSING)
            continue;
        missing->pinned[missing->count] = pin->pinned;
        missing->keys[missing->count++] = (struct subject_key){
            .kind = (uint16_t)pins->plan->pinned[pin->pinned].kind, .key = key_of(pins, pin)};
    }
    return true;
}

/* One item a kind. The sets' places are known once all are there. */
static size_t build_items(const struct run *run, struct missing *missing, struct buffer *sets,
                          struct ledger_item *items)
{
    size_t count = 0, at = 0;
    for (size_t first = 0, end; first < missing->count; first = end) {
        size_t pinned = missing->pinned[first], before = sets->len;
        for (end = first; end < missing->count && missing->pinned[end] == pinned;)
            end++;
        (void)subject_set_serialize(missing->ids + first, end - first, sets);
        items[count++] = (struct ledger_item){.kind = missing->keys[first].kind,
                                              .grade = PLAN_GRADE_PROBE,
                                              .column_set = run->planned->pin_columns[pinned],
                                              .subjects = {.len = sets->len - before}};
    }
    for (size_t i = 0; i < count; i++) {
        items[i].subjects.data = sets->data + at;
        at += items[i].subjects.len;
    }
    return count;
}

static enum status record(const struct run *run, struct arena *arena, struct pins_record *out,
                          struct error *error)
{
    struct exposure *exposure = run->server->exposure;
    struct missing missing;
    if (!gather(run->pins, arena, &missing))
        return no_memory(error);
    for (size_t i = 0; i < missing.count; i++)
        canary_watch_missing(run, missing.keys[i].kind, missing.keys[i].key);
    TRY(exposure_map(exposure, missing.keys, missing.count, missing.ids, out->side, error));
    out->item_count = build_items(run, &missing, out->sets, out->items);
    if (out->sets->overflowed || out->side->overflowed)
        return no_memory(error);
    if (out->time_ns == 0)
        out->time_ns = clock_now_ns();
    exposure_count_missed(exposure, run->partner, out->time_ns, missing.count);
    return STATUS_OK;
}

enum status pins_record(const struct run *run, struct pins_record *out, struct error *error)
{
    struct arena arena;
    out->item_count = 0;
    if (pins_missing(run->pins) == 0)
        return STATUS_OK;
    arena_init(&arena, ARENA_BYTES);
    enum status status = record(run, &arena, out, error);
    arena_free(&arena);
    return status;
}
