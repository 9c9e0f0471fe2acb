/* See world.h. */
#include "trace/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/since.h"
#include "crypto/crypto.h"
#include "exposure/column_line.h"
#include "exposure/subject_set.h"

enum {
    TEXT_BYTES = 1024 * 1024 * 1024,
    PATH_ROOM = 4096,
    MOST_SERIES = 1 << 22,
    MOST_HOLDINGS = 1 << 27,
    FIRST = 16,
};
enum { GRADE_DIRECT = 1, GRADE_WITNESS = 3, GRADE_CHANGED = 6 }; /* of the ledger's items */

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for what the ledger tells");
}

static enum status grow(void *array, size_t needed, size_t *capacity, size_t size,
                        struct error *error)
{
    void **place = array;
    if (needed <= *capacity)
        return STATUS_OK;
    size_t more = *capacity == 0 ? FIRST : 2 * *capacity;
    while (more < needed)
        more *= 2;
    void *grown = reallocarray(*place, more, size);
    if (grown == NULL)
        return out_of_memory(error);
    *place = grown;
    *capacity = more;
    return STATUS_OK;
}

void world_free(struct world *world)
{
    names_close(world->names);
    free(world->partners);
    committed_free(&world->deliveries);
    free(world->sets);
    free(world->copies);
    free(world->series);
    free(world->holdings);
    pairs_free(&world->series_pairs);
    pairs_free(&world->holding_pairs);
    deleted_free(&world->deleted);
    arena_free(&world->arena);
    *world = (struct world){0};
}

/* ---- partners and column sets ---- */

size_t world_find_partner(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->partner_count; i++)
        if (strcmp(world->partners[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static const char *copy_text(struct world *world, struct slice text)
{
    return arena_copy(&world->arena, (const char *)text.data, text.len);
}

enum status world_partner(struct world *world, struct slice name, size_t *at, struct error *error)
{
    for (size_t i = 0; i < world->partner_count; i++)
        if (slice_equal(slice_of_text(world->partners[i].name), name)) {
            *at = i;
            return STATUS_OK;
        }
    TRY(grow(&world->partners, world->partner_count + 1, &world->partner_capacity,
             sizeof world->partners[0], error));
    struct world_partner added = {.deleted_before_ns = INT64_MIN, .request = ""};
    if ((added.name = copy_text(world, name)) == NULL)
        return out_of_memory(error);
    world->partners[world->partner_count] = added;
    *at = world->partner_count++;
    return STATUS_OK;
}

static enum status define_set(struct world *world, const struct ledger_entry *entry,
                              struct error *error)
{
    size_t before = world->set_capacity;
    TRY(grow(&world->sets, (size_t)entry->column_set + 1, &world->set_capacity,
             sizeof world->sets[0], error));
    for (size_t i = before; i < world->set_capacity; i++)
        world->sets[i] = NULL;
    const char *text = copy_text(world, entry->text);
    if (text == NULL)
        return out_of_memory(error);
    world->sets[entry->column_set] = text;
    return STATUS_OK;
}

static bool has_token(const struct world *world, uint32_t column_set)
{
    struct column_line line;
    const char *text = column_set < world->set_capacity ? world->sets[column_set] : NULL;
    while (text != NULL && column_line_next(&text, &line))
        if (slice_equal(line.form, slice_of_text("token")))
            return true;
    return false;
}

/* ---- the first reading ---- */

static bool text_instant(struct slice text, const char *key, int64_t *time_ns)
{
    char copy[40];
    struct slice value = ledger_text_value(text, key);
    if (value.len == 0 || value.len >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)value.len, (const char *)value.data);
    return clock_parse(copy, time_ns, NULL) == STATUS_OK;
}

static enum status take_deletion(struct world *world, size_t partner,
                                 const struct ledger_entry *entry, struct error *error)
{
    struct world_partner *of = &world->partners[partner];
    int64_t before_ns;
    if (entry->item_count > 0 || !text_instant(entry->text, "before", &before_ns) ||
        before_ns < of->deleted_before_ns)
        return STATUS_OK;
    of->deleted_before_ns = before_ns < entry->time_ns ? before_ns : entry->time_ns;
    of->attested_ns = entry->time_ns;
    of->request = copy_text(world, ledger_text_value(entry->text, "request"));
    return of->request == NULL ? out_of_memory(error) : STATUS_OK;
}

static bool gives(const struct ledger_entry *entry)
{
    return entry->type == LEDGER_DISCLOSURE || entry->type == LEDGER_DECLARED ||
           entry->type == LEDGER_CHANGE;
}

static enum status take_first(struct world *world, const struct ledger_entry *entry,
                              struct error *error)
{
    size_t partner;
    if (world->entries++ == 0)
        world->first_ns = entry->time_ns;
    world->last_ns = entry->time_ns;
    if (entry->type == LEDGER_COLUMN_SET)
        return define_set(world, entry, error);
    TRY(committed_take(&world->deliveries, &world->arena, entry, error));
    bool tells = gives(entry) || entry->type == LEDGER_DELETED;
    if (entry->partner.len == 0 || (!tells && world->since_ns == SINCE_EVER))
        return STATUS_OK; /* after a cut, acts are all that there is of some */
    TRY(world_partner(world, entry->partner, &partner, error));
    for (size_t i = 0; i < entry->item_count && !world->partners[partner].has_tokens; i++)
        world->partners[partner].has_tokens = has_token(world, entry->items[i].column_set);
    return entry->type == LEDGER_DELETED ? take_deletion(world, partner, entry, error) : STATUS_OK;
}

static enum status read_first(struct world *world, struct ledger_reader *reader,
                              struct error *error)
{
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status;
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, error)) == STATUS_OK) {
        if (side.len > 0)
            TRY(names_take(world->names, sequence, side, error));
        TRY(take_first(world, &entry, error));
        world->next = sequence + 1;
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status world_read(const struct config *config, const struct policy *policy,
                       struct world *world, struct error *error)
{
    char path[PATH_ROOM];
    struct ledger_reader *reader = NULL;
    *world = (struct world){0};
    arena_init(&world->arena, TEXT_BYTES);
    CHECK(crypto_unhex(slice_of_text(policy->id), world->policy_id, sizeof world->policy_id));
    snprintf(path, sizeof path, "%s/subjects", config->state_folder);
    TRY(names_open(path, &world->names, error));
    world->ledger_folder = arena_printf(&world->arena, "%s/ledger", config->state_folder);
    if (world->ledger_folder == NULL)
        return out_of_memory(error);
    TRY(ledger_reader_open(world->ledger_folder, 0, &reader, error));
    world->since_ns = ledger_reader_since(reader);
    enum status status = read_first(world, reader, error);
    ledger_reader_close(reader);
    return status;
}

/* ---- the second reading ---- */

struct holding {
    struct world *world;
    const uint32_t *people;
    size_t id_count;
    struct error *error;
    enum status status;
    size_t series;
    bool by_this_policy;
    int64_t time_ns, before_ns;
    uint64_t statement;
};

static enum status add_copy(struct world *world, struct world_copy copy, struct slice agent,
                            struct slice delivery, size_t *at, struct error *error)
{
    copy.agent = copy_text(world, agent);
    copy.delivery = copy_text(world, delivery);
    if (copy.agent == NULL || copy.delivery == NULL)
        return out_of_memory(error);
    TRY(grow(&world->copies, world->copy_count + 1, &world->copy_capacity, sizeof copy, error));
    world->copies[world->copy_count] = copy;
    *at = world->copy_count++;
    return STATUS_OK;
}

enum status world_delivery(struct world *world, const char *partner, const char *agent,
                           const char *delivery, struct error *error)
{
    struct world_copy copy = {0};
    size_t unused;
    for (size_t i = 0; i < world->copy_count; i++)
        if (strcmp(world->copies[i].delivery, delivery) == 0)
            return STATUS_OK;
    TRY(world_partner(world, slice_of_text(partner), &copy.partner, error));
    return add_copy(world, copy, slice_of_text(agent), slice_of_text(delivery), &unused, error);
}

static enum status find_copy(struct world *world, const struct ledger_entry *entry, size_t *at,
                             struct error *error)
{
    struct world_copy copy = {.declared = entry->type == LEDGER_DECLARED};
    TRY(world_partner(world, entry->partner, &copy.partner, error));
    for (size_t i = world->copy_count; i > 0; i--) { /* most entries belong to a late one */
        const struct world_copy *have = &world->copies[i - 1];
        if (have->partner == copy.partner && have->declared == copy.declared &&
            slice_equal(slice_of_text(have->delivery), entry->delivery) &&
            slice_equal(slice_of_text(have->agent), entry->agent)) {
            *at = i - 1;
            return STATUS_OK;
        }
    }
    return add_copy(world, copy, entry->agent, entry->delivery, at, error);
}

static bool take_person(void *context, uint32_t id)
{
    struct holding *holding = context;
    struct world *world = holding->world;
    uint32_t place = id < holding->id_count ? holding->people[id] : 0;
    size_t at;
    bool is_new;
    if (place == 0)
        return true;
    holding->status = pairs_number(&world->holding_pairs, place - 1, (uint32_t)holding->series,
                                   MOST_HOLDINGS, &at, &is_new, holding->error);
    if (holding->status == STATUS_OK)
        holding->status = grow(&world->holdings, at + 1, &world->holding_capacity,
                               sizeof world->holdings[0], holding->error);
    if (holding->status != STATUS_OK)
        return false;
    struct world_holding *of = &world->holdings[at];
    int64_t last_ns = is_new ? INT64_MIN : of->last_ns;
    if (holding->time_ns < holding->before_ns && holding->time_ns > last_ns)
        last_ns = holding->time_ns;
    if (is_new || holding->time_ns < of->first_ns)
        *of = (struct world_holding){.person = place - 1,
                                     .series = (uint32_t)holding->series,
                                     .first_ns = holding->time_ns,
                                     .statement = holding->statement};
    of->last_ns = last_ns;
    return true;
}

static bool is_given(const struct ledger_entry *entry, const struct ledger_item *item)
{
    return item->grade == GRADE_DIRECT || item->grade == GRADE_WITNESS ||
           (entry->type == LEDGER_CHANGE && item->grade == GRADE_CHANGED);
}

static enum status take_item(struct holding *holding, const struct ledger_item *item, size_t copy)
{
    struct world *world = holding->world;
    bool is_new;
    TRY(pairs_number(&world->series_pairs, (uint32_t)copy << 1 | holding->by_this_policy,
                     item->column_set, MOST_SERIES, &holding->series, &is_new, holding->error));
    TRY(grow(&world->series, holding->series + 1, &world->series_capacity, sizeof world->series[0],
             holding->error));
    world->series[holding->series] =
        (struct world_series){copy, item->column_set, holding->by_this_policy};
    holding->status = STATUS_OK;
    if (subject_set_each(item->subjects, take_person, holding) != STATUS_OK)
        return error_set(holding->error, STATUS_CORRUPT, "XX001", NULL,
                         "a set of subjects in the ledger is malformed");
    return holding->status;
}

static enum status take_deleted(struct holding *holding, const struct ledger_entry *entry)
{
    struct world *world = holding->world;
    size_t partner;
    int64_t before_ns;
    if (entry->time_ns >= holding->before_ns || !text_instant(entry->text, "before", &before_ns))
        return STATUS_OK;
    TRY(world_partner(world, entry->partner, &partner, holding->error));
    return deleted_take(&world->deleted, &world->arena, entry, (uint32_t)partner, before_ns,
                        holding->people, holding->id_count, holding->error);
}

static enum status take_second(struct holding *holding, const struct ledger_entry *entry)
{
    size_t copy = 0;
    if (entry->type == LEDGER_DELETED)
        return take_deleted(holding, entry);
    if (entry->partner.len == 0 || !gives(entry) || entry->item_count == 0)
        return STATUS_OK;
    if (entry->type != LEDGER_DECLARED || !text_instant(entry->text, "at", &holding->time_ns))
        holding->time_ns = entry->time_ns;
    holding->by_this_policy =
        entry->type != LEDGER_DECLARED &&
        memcmp(entry->policy_id, holding->world->policy_id, sizeof entry->policy_id) == 0;
    memcpy(&holding->statement, entry->uuid, sizeof holding->statement);
    TRY(find_copy(holding->world, entry, &copy, holding->error));
    for (size_t i = 0; i < entry->item_count; i++)
        if (is_given(entry, &entry->items[i]))
            TRY(take_item(holding, &entry->items[i], copy));
    return STATUS_OK;
}

/* The gateway goes on: what it wrote since the first reading is left out. */
static enum status read_second(struct holding *holding, struct ledger_reader *reader)
{
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence, next = holding->world->next;
    for (uint64_t done = 0; done < next; done = sequence + 1) { /* a retention leaves gaps */
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, holding->error);
        if (status == STATUS_AGAIN)
            return error_set(holding->error, STATUS_CORRUPT, "XX001",
                             "Keep this machine's disk as it is; compare with a backup.",
                             "the ledger became shorter while it was read");
        TRY(status);
        if (sequence < next)
            TRY(take_second(holding, &entry));
    }
    return STATUS_OK;
}

static int compare_holdings(const void *a, const void *b)
{
    const struct world_holding *left = a, *right = b;
    int order = (left->person > right->person) - (left->person < right->person);
    if (order == 0)
        order = (left->first_ns > right->first_ns) - (left->first_ns < right->first_ns);
    return order != 0 ? order : (left->series > right->series) - (left->series < right->series);
}

enum status world_hold(struct world *world, const uint32_t *people, size_t id_count,
                       int64_t before_ns, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct holding holding = {.world = world,
                              .people = people,
                              .id_count = id_count,
                              .before_ns = before_ns,
                              .error = error};
    TRY(ledger_reader_open(world->ledger_folder, 0, &reader, error));
    if (ledger_reader_since(reader) > world->since_ns)
        world->since_ns = ledger_reader_since(reader);
    enum status status = read_second(&holding, reader);
    ledger_reader_close(reader);
    TRY(status);
    if (world->holding_pairs.count > 0)
        qsort(world->holdings, world->holding_pairs.count, sizeof world->holdings[0],
              compare_holdings);
    return STATUS_OK;
}
