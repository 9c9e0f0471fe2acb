/* Acts of staff and attested deletions, as the ledger tells of them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/subject_set.h"
#include "incident/scope_scan.h"

enum { INSTANT_ROOM = 40 };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the ledger's acts");
}

struct slice scope_text_value(struct slice text, const char *key)
{
    size_t len = strlen(key), from = 0;
    while (from < text.len) {
        const uint8_t *line = text.data + from;
        const uint8_t *end = memchr(line, '\n', text.len - from);
        size_t line_len = end == NULL ? text.len - from : (size_t)(end - line);
        if (line_len > len && memcmp(line, key, len) == 0 && line[len] == '=')
            return slice_of(line + len + 1, line_len - len - 1);
        from += line_len + 1;
    }
    return slice_of(NULL, 0);
}

/* ---- states ---- */

static int compare_names(const char *name, struct slice other)
{
    size_t len = strlen(name), common = len < other.len ? len : other.len;
    int order = common == 0 ? 0 : memcmp(name, other.data, common);
    return order != 0 ? order : (len > other.len) - (len < other.len);
}

static enum status find_state(struct scope_scan *scan, struct slice partner, struct slice agent,
                              struct scope_state **found, struct error *error)
{
    size_t at = 0;
    int order = 1;
    for (; at < scan->state_count; at++) {
        order = compare_names(scan->states[at].partner, partner);
        if (order == 0)
            order = compare_names(scan->states[at].agent, agent);
        if (order >= 0)
            break;
    }
    if (at < scan->state_count && order == 0) {
        *found = &scan->states[at];
        return STATUS_OK;
    }
    TRY(scope_grow(&scan->states, scan->state_count, &scan->state_capacity, sizeof *scan->states,
                   error));
    const char *name = arena_copy(&scan->arena, (const char *)partner.data, partner.len);
    const char *who = arena_copy(&scan->arena, (const char *)agent.data, agent.len);
    if (name == NULL || who == NULL)
        return out_of_memory(error);
    memmove(scan->states + at + 1, scan->states + at,
            (scan->state_count - at) * sizeof *scan->states);
    scan->states[at] = (struct scope_state){
        .partner = name, .agent = who, .since_ns = INT64_MIN, .last_ns = INT64_MIN};
    scan->state_count++;
    *found = &scan->states[at];
    return STATUS_OK;
}

static bool begins(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len > len && memcmp(text.data, word, len) == 0 && text.data[len] == ' ';
}

enum status scope_take_act(struct scope_scan *scan, const struct ledger_entry *entry,
                           struct error *error)
{
    struct scope_state *state;
    TRY(find_state(scan, entry->partner, slice_of_text(""), &state, error));
    if (entry->type == LEDGER_DISCLOSURE && entry->time_ns > state->last_ns)
        state->last_ns = entry->time_ns;
    bool contains = begins(entry->text, "contain"), restores = begins(entry->text, "restore");
    if (entry->type != LEDGER_ACT || !(contains || restores))
        return STATUS_OK;
    if (entry->agent.len > 0)
        TRY(find_state(scan, entry->partner, entry->agent, &state, error));
    state->contained = contains;
    state->since_ns = entry->time_ns;
    return STATUS_OK;
}

/* ---- deletions ---- */

struct deleting {
    struct scope_scan *scan;
    int64_t before_ns;
    uint64_t people;
    bool failed;
};

static bool reserve_instants(struct scope_scan *scan, uint32_t id)
{
    size_t count = (size_t)id * 2 + 1;
    int64_t *instants = reallocarray(scan->deleted_before, count, sizeof *instants);
    if (instants == NULL)
        return false;
    for (size_t i = scan->deleted_count; i < count; i++)
        instants[i] = INT64_MIN;
    scan->deleted_before = instants;
    scan->deleted_count = count;
    return true;
}

static bool delete_one(void *context, uint32_t id)
{
    struct deleting *deleting = context;
    struct scope_scan *scan = deleting->scan;
    deleting->failed = id >= scan->deleted_count && !reserve_instants(scan, id);
    if (deleting->failed)
        return false;
    if (deleting->before_ns > scan->deleted_before[id])
        scan->deleted_before[id] = deleting->before_ns;
    deleting->people++;
    return true;
}

bool scope_text_instant(struct slice text, const char *key, int64_t *time_ns)
{
    char copy[INSTANT_ROOM];
    struct slice value = scope_text_value(text, key);
    if (value.len == 0 || value.len >= sizeof copy)
        return false;
    memcpy(copy, value.data, value.len);
    copy[value.len] = '\0';
    return clock_parse(copy, time_ns, NULL) == STATUS_OK;
}

enum status scope_take_deletion(struct scope_scan *scan, const struct ledger_entry *entry,
                                struct error *error)
{
    struct deleting deleting = {.scan = scan};
    struct slice request = scope_text_value(entry->text, "request");
    if (!scope_text_instant(entry->text, "before", &deleting.before_ns))
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "a deletion in the ledger does not say before which instant");
    if (deleting.before_ns > entry->time_ns) /* nobody can attest what is to come */
        deleting.before_ns = entry->time_ns;
    for (size_t i = 0; i < entry->item_count; i++)
        if (subject_set_each(entry->items[i].subjects, delete_one, &deleting) != STATUS_OK)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "a set of subjects in the ledger is malformed");
    if (entry->item_count == 0 && deleting.before_ns > scan->all_deleted_before)
        scan->all_deleted_before = deleting.before_ns;
    TRY(scope_grow(&scan->deletions, scan->deletion_count, &scan->deletion_capacity,
                   sizeof *scan->deletions, error));
    const char *name = arena_copy(&scan->arena, (const char *)request.data, request.len);
    if (name == NULL || deleting.failed)
        return out_of_memory(error);
    scan->deletions[scan->deletion_count++] =
        (struct scope_deletion){.before_ns = deleting.before_ns,
                                .at_ns = entry->time_ns,
                                .request = name,
                                .everybody = entry->item_count == 0,
                                .people = deleting.people};
    return STATUS_OK;
}

bool scope_scan_deleted(const struct scope_scan *scan, uint32_t id)
{
    int64_t before = scan->all_deleted_before;
    if (id < scan->deleted_count && scan->deleted_before[id] > before)
        before = scan->deleted_before[id];
    return scan->marks[id].last_ns < before;
}
