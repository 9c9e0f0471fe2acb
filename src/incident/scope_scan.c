/* From entries to marks. What a person was given moves it to another class; most people of an item
 * come from the same class, so the last step is kept at hand. */
#include "incident/scope_scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/subject_set.h"

enum { FIRST_MARKS = 65536, TEXT_BYTES = 64 * 1024 * 1024 };
static const int64_t DAY_NS = INT64_C(86400000000000);

/* One run of the scan. */
struct run {
    const struct scope_query *query;
    struct slice partner;
    struct scope_scan *scan;
    struct names *names;
    struct error *error;
    /* Entries below it were given before the attacker had gone, whatever their own time says. */
    uint64_t settled_below;
    uint64_t last_within;  /* the last entry of the attacker's time or before, + 1 */
    uint64_t first_beyond; /* the first whose own time is later; UINT64_MAX: none */
    uint64_t sequence;     /* of the entry at hand */
    enum status status;    /* of the item at hand: a visitor of ids cannot return one */
    /* The item at hand. */
    uint16_t kind;
    bool in_scope, in_window, asks; /* asks: nothing of anybody was given */
    int64_t time_ns;
    uint32_t facts;    /* the class of what it gives */
    uint32_t from, to; /* the last step */
    size_t day;        /* in scan->days; where in_scope */
    size_t actor;      /* in scan->actors; SIZE_MAX: none */
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for the people of the scope");
}

void scope_scan_free(struct scope_scan *scan)
{
    for (size_t i = 0; i < scan->day_count; i++)
        scope_ids_free(&scan->days[i].people);
    for (size_t i = 0; i < scan->actor_count; i++)
        scope_ids_free(&scan->actors[i].people);
    scope_free_changes(scan);
    free(scan->days);
    free(scan->actors);
    free(scan->states);
    free(scan->deletions);
    free(scan->marks);
    free(scan->deleted_before);
    free(scan->named);
    scope_classes_free(&scan->classes);
    arena_free(&scan->arena);
    *scan = (struct scope_scan){0};
}

/* ---- people ---- */

static enum status reserve_marks(struct scope_scan *scan, uint32_t id, struct error *error)
{
    size_t count = scan->mark_count == 0 ? FIRST_MARKS : scan->mark_count;
    while (count <= id)
        count *= 2;
    struct scope_mark *marks = reallocarray(scan->marks, count, sizeof *marks);
    if (marks == NULL)
        return out_of_memory(error);
    memset(marks + scan->mark_count, 0, (count - scan->mark_count) * sizeof *marks);
    scan->marks = marks;
    scan->mark_count = count;
    return STATUS_OK;
}

static enum status mark_person(struct run *run, uint32_t id)
{
    struct scope_scan *scan = run->scan;
    bool added;
    if (id >= scan->mark_count)
        TRY(reserve_marks(scan, id, run->error));
    struct scope_mark *mark = &scan->marks[id];
    if (mark->class == 0) {
        mark->kind = run->kind;
        mark->first_ns = mark->last_ns = run->time_ns;
    } else if (mark->kind != run->kind) {
        return error_set(run->error, STATUS_CORRUPT, "XX001", NULL,
                         "the ledger names subject %u in two kinds", id);
    }
    if (mark->class != run->from) {
        TRY(scope_classes_join(&scan->classes, mark->class, run->facts, &run->to, run->error));
        run->from = mark->class;
    }
    mark->class = run->to;
    if (run->time_ns < mark->first_ns)
        mark->first_ns = run->time_ns;
    if (run->time_ns > mark->last_ns)
        mark->last_ns = run->time_ns;
    if (run->asks)
        return STATUS_OK;
    if (run->in_window)
        mark->flags |= SCOPE_IN_WINDOW;
    return scope_ids_add(&scan->days[run->day].people, id, &added, run->error);
}

static bool take_id(void *context, uint32_t id)
{
    struct run *run = context;
    bool added;
    if (run->in_scope)
        run->status = mark_person(run, id);
    if (run->status == STATUS_OK && run->actor != SIZE_MAX && !run->asks)
        run->status = scope_ids_add(&run->scan->actors[run->actor].people, id, &added, run->error);
    return run->status == STATUS_OK;
}

/* ---- days and agents ---- */

static int32_t day_of(int64_t time_ns)
{
    return (int32_t)(time_ns / DAY_NS - (time_ns % DAY_NS < 0));
}

/* Most entries belong to the newest day, so it is looked for from the end. */
static enum status find_day(struct scope_scan *scan, int32_t day, uint16_t kind, size_t *found,
                            struct error *error)
{
    size_t at = scan->day_count;
    while (at > 0 && (scan->days[at - 1].day > day ||
                      (scan->days[at - 1].day == day && scan->days[at - 1].kind > kind)))
        at--;
    if (at > 0 && scan->days[at - 1].day == day && scan->days[at - 1].kind == kind) {
        *found = at - 1;
        return STATUS_OK;
    }
    TRY(scope_grow(&scan->days, scan->day_count, &scan->day_capacity, sizeof *scan->days, error));
    memmove(scan->days + at + 1, scan->days + at, (scan->day_count - at) * sizeof *scan->days);
    scan->days[at] = (struct scope_day){.day = day, .kind = kind};
    scan->day_count++;
    *found = at;
    return STATUS_OK;
}

static enum status find_actor(struct scope_scan *scan, struct slice agent, bool after,
                              size_t *found, struct error *error)
{
    for (size_t i = 0; i < scan->actor_count; i++) {
        const struct scope_actor *actor = &scan->actors[i];
        if (actor->after == after && slice_equal(slice_of_text(actor->agent), agent)) {
            *found = i;
            return STATUS_OK;
        }
    }
    TRY(scope_grow(&scan->actors, scan->actor_count, &scan->actor_capacity, sizeof *scan->actors,
                   error));
    const char *name = arena_copy(&scan->arena, (const char *)agent.data, agent.len);
    if (name == NULL)
        return out_of_memory(error);
    scan->actors[scan->actor_count] = (struct scope_actor){
        .agent = name, .after = after, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
    *found = scan->actor_count++;
    return STATUS_OK;
}

/* ---- entries ---- */

static bool names_people(enum ledger_type type)
{
    return type == LEDGER_DISCLOSURE || type == LEDGER_PROBE || type == LEDGER_DECLARED;
}

static enum status note_set(struct scope_scan *scan, uint32_t column_set, struct error *error)
{
    if (column_set >= scan->named_count) {
        size_t count = (size_t)column_set * 2 + 1;
        bool *named = realloc(scan->named, count * sizeof *named);
        if (named == NULL)
            return out_of_memory(error);
        memset(named + scan->named_count, 0, (count - scan->named_count) * sizeof *named);
        scan->named = named;
        scan->named_count = count;
    }
    scan->named[column_set] = true;
    return STATUS_OK;
}

static enum status take_item(struct run *run, const struct ledger_entry *entry,
                             const struct ledger_item *item)
{
    enum scope_grade grade = entry->type == LEDGER_DECLARED ? SCOPE_DECLARED : item->grade;
    if ((int)grade >= SCOPE_GRADES)
        return error_set(run->error, STATUS_CORRUPT, "XX001", NULL, "the ledger has a grade %u",
                         (unsigned)grade);
    TRY(note_set(run->scan, item->column_set, run->error));
    TRY(scope_classes_of_set(&run->scan->classes, item->column_set, grade, &run->facts,
                             run->error));
    run->kind = item->kind;
    run->asks = grade == SCOPE_PROBE;
    run->from = UINT32_MAX; /* no class: the first person makes a step */
    run->status = STATUS_OK;
    if (run->in_scope)
        TRY(find_day(run->scan, day_of(run->time_ns), item->kind, &run->day, run->error));
    if (subject_set_each(item->subjects, take_id, run) != STATUS_OK)
        return error_set(run->error, STATUS_CORRUPT, "XX001", NULL,
                         "a set of subjects in the ledger is malformed");
    return run->status;
}

static void widen(int64_t *first_ns, int64_t *last_ns, int64_t time_ns)
{
    if (*first_ns == INT64_MIN || time_ns < *first_ns)
        *first_ns = time_ns;
    if (time_ns > *last_ns)
        *last_ns = time_ns;
}

/* A declared export happened when staff said it did, not when they told. */
static int64_t instant_of(const struct ledger_entry *entry)
{
    int64_t time_ns;
    bool told = entry->type == LEDGER_DECLARED && scope_text_instant(entry->text, "at", &time_ns);
    return told ? time_ns : entry->time_ns;
}

static bool is_wanted(const char *name, struct slice text)
{
    return name == NULL || slice_equal(slice_of_text(name), text);
}

/* Was this given when the attacker had gone? Clocks are set back: then entries of the attacker's
 * time stand behind entries with later times, and what stands before them was given before too. A
 * declared export has the time that staff gave. */
static bool is_after(const struct run *run, const struct ledger_entry *entry)
{
    if (run->query->to_ns == INT64_MIN || run->time_ns <= run->query->to_ns)
        return false;
    return entry->type == LEDGER_DECLARED || run->sequence >= run->settled_below;
}

/* Whose activity this entry adds to, if to anyone's. */
static enum status settle_actor(struct run *run, const struct ledger_entry *entry)
{
    const struct scope_query *query = run->query;
    bool bounded = query->from_ns != INT64_MIN || query->to_ns != INT64_MIN;
    bool suspect =
        is_wanted(query->agent, entry->agent) && is_wanted(query->delivery, entry->delivery);
    bool after = is_after(run, entry);
    run->in_scope = !after;
    run->in_window = bounded && !after && suspect && run->time_ns >= query->from_ns &&
                     entry->type != LEDGER_DECLARED;
    run->actor = SIZE_MAX;
    if (!after && !run->in_window)
        return STATUS_OK;
    TRY(find_actor(run->scan, entry->agent, after, &run->actor, run->error));
    struct scope_actor *actor = &run->scan->actors[run->actor];
    actor->statements += (entry->flags & LEDGER_FLAG_OPENING) != 0;
    actor->refused += entry->type == LEDGER_REFUSAL;
    actor->rows += entry->row_count;
    if (run->time_ns < actor->first_ns)
        actor->first_ns = run->time_ns;
    if (run->time_ns > actor->last_ns)
        actor->last_ns = run->time_ns;
    return STATUS_OK;
}

/* Keys that were asked about, and nobody came back: nothing was given. */
static bool gives(const struct ledger_entry *entry)
{
    for (size_t i = 0; i < entry->item_count; i++)
        if (entry->type == LEDGER_DECLARED || (int)entry->items[i].grade != SCOPE_PROBE)
            return true;
    return false;
}

static enum status take_disclosure(struct run *run, const struct ledger_entry *entry)
{
    struct scope_scan *scan = run->scan;
    run->time_ns = instant_of(entry);
    TRY(settle_actor(run, entry));
    if (!names_people(entry->type))
        return STATUS_OK;
    TRY(note_set(scan, entry->column_set, run->error));
    for (size_t i = 0; i < entry->item_count; i++)
        TRY(take_item(run, entry, &entry->items[i]));
    if (run->in_scope)
        scan->rows += entry->row_count;
    if (run->in_scope && gives(entry))
        widen(&scan->first_ns, &scan->last_ns, run->time_ns);
    return STATUS_OK;
}

static enum status take_entry(struct run *run, uint64_t sequence, const struct ledger_entry *entry)
{
    struct scope_scan *scan = run->scan;
    bool ours = slice_equal(entry->partner, run->partner);
    run->sequence = sequence;
    if (sequence == 0 && scan->since_ns == SINCE_EVER)
        scan->ledger_first_ns = entry->time_ns;
    if (entry->time_ns <= run->query->to_ns)
        run->last_within = sequence + 1;
    else if (run->first_beyond == UINT64_MAX)
        run->first_beyond = sequence;
    if (entry->type == LEDGER_COLUMN_SET)
        return scope_classes_define(&scan->classes, entry->column_set, entry->text, run->error);
    if (entry->partner.len > 0)
        TRY(scope_take_act(scan, entry, run->error));
    if (ours && entry->type == LEDGER_DELETED)
        return scope_take_deletion(scan, entry, run->error);
    if (ours && (entry->type == LEDGER_CHANGE || entry->type == LEDGER_CHANGE_END))
        return scope_take_change(scan, entry, run->error);
    if (ours && (names_people(entry->type) || entry->type == LEDGER_REFUSAL))
        return take_disclosure(run, entry);
    return STATUS_OK;
}

static enum status check_root(const struct run *run, struct ledger_reader *reader)
{
    uint64_t size;
    uint8_t root[32];
    ledger_reader_root(reader, &size, root);
    if (size == run->query->cutoff && memcmp(root, run->query->root, sizeof root) == 0)
        return STATUS_OK;
    return error_set(run->error, STATUS_CORRUPT, "XX001",
                     "Keep this machine's disk as it is; compare with a replica or a backup.",
                     "the first %" PRIu64 " entries of the ledger are not those of which the "
                     "incident fixed the root: recorded history was changed since",
                     run->query->cutoff);
}

static enum status read_all(struct run *run, struct ledger_reader *reader)
{
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence = 0;
    for (uint64_t read = 0; read < run->query->cutoff; read = sequence + 1) {
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, run->error);
        if (status == STATUS_AGAIN)
            return error_set(run->error, STATUS_CORRUPT, "XX001",
                             "Restore the ledger from a replica.",
                             "the ledger ends after %" PRIu64 " entries and had %" PRIu64
                             " when the incident fixed its state: entries are missing",
                             read, run->query->cutoff);
        TRY(status);
        if (run->names != NULL && side.len > 0)
            TRY(names_take(run->names, sequence, side, run->error));
        TRY(take_entry(run, sequence, &entry));
    }
    return check_root(run, reader);
}

/* What was dropped before the cut-off is missing, and the scope says so; a cut-off among what was
 * dropped has a root that nobody can compute any more. */
static enum status begin(struct run *run, struct ledger_reader *reader)
{
    struct ledger_dropped dropped;
    if (ledger_reader_dropped(reader, &dropped) && dropped.below >= run->query->cutoff)
        return ledger_reader_whole(reader, "the scope of this phase", run->error);
    run->scan->since_ns = ledger_reader_since(reader);
    if (run->scan->since_ns != SINCE_EVER)
        run->scan->ledger_first_ns = since_day(run->scan->since_ns);
    return STATUS_OK;
}

static enum status read_once(struct run *run)
{
    struct scope_scan *scan = run->scan;
    struct ledger_reader *reader = NULL;
    *scan = (struct scope_scan){.all_deleted_before = INT64_MIN,
                                .first_ns = INT64_MIN,
                                .last_ns = INT64_MIN,
                                .ledger_first_ns = INT64_MIN,
                                .since_ns = SINCE_EVER};
    arena_init(&scan->arena, TEXT_BYTES);
    run->last_within = 0;
    run->first_beyond = UINT64_MAX;
    TRY(scope_classes_init(&scan->classes, run->error));
    TRY(ledger_reader_open(run->query->ledger_folder, 0, &reader, run->error));
    enum status status = begin(run, reader);
    if (status == STATUS_OK)
        status = read_all(run, reader);
    ledger_reader_close(reader);
    return status;
}

enum status scope_scan_run(const struct scope_query *query, struct names *names,
                           struct scope_scan *scan, struct error *error)
{
    struct error unused;
    struct run run = {.query = query,
                      .partner = slice_of_text(query->partner),
                      .scan = scan,
                      .names = names,
                      .error = error == NULL ? &unused : error};
    TRY(read_once(&run));
    if (query->to_ns == INT64_MIN || run.last_within <= run.first_beyond)
        return STATUS_OK;
    run.settled_below = run.last_within; /* a clock was set back: once more, knowing since when */
    scope_scan_free(scan);
    return read_once(&run);
}
