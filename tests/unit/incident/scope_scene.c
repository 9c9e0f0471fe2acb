/* See scope_scene.h. */
#include "scope_scene.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exposure/subject_set.h"

enum { SET_BYTES = 1 << 20, SCENE_SEGMENT_BYTES = 1 << 20 };
#define FULL "53100"
#define SLOW "53000"

void scene_make(struct scope_scene *scene)
{
    folder_make(&scene->folder);
    struct ledger_options options = test_options(&scene->folder);
    options.segment_bytes = SCENE_SEGMENT_BYTES;
    scene->ledger = open_ok(&options);
}

void scene_remove(struct scope_scene *scene)
{
    if (scene->ledger != NULL)
        ledger_close(scene->ledger);
    folder_remove(&scene->folder);
}

static uint32_t column_set(struct scope_scene *scene, const char *text)
{
    struct error error = {0};
    uint32_t id = 0;
    while (text != NULL && ledger_column_set(scene->ledger, text, &id, &error) != STATUS_OK) {
        if (strcmp(error.sqlstate, FULL) != 0)
            fail_msg("column set: %s", error.message);
        usleep(1000);
    }
    return id;
}

void scene_give(struct scope_scene *scene, const struct given *given)
{
    struct error error = {0};
    struct buffer set;
    uint64_t sequence;
    uint32_t *ids = calloc(given->count + 1, sizeof *ids);
    memcpy(ids, given->ids == NULL ? ids : given->ids, given->count * sizeof *ids);
    buffer_init(&set, SET_BYTES);
    subject_set_serialize(ids, given->count, &set);
    struct ledger_item item = {.kind = given->kind,
                               .grade = given->grade == 0 ? SCOPE_DIRECT : given->grade,
                               .column_set = column_set(scene, given->columns),
                               .subjects = buffer_slice(&set)};
    struct ledger_entry entry = {
        .type = given->type == 0 ? LEDGER_DISCLOSURE : given->type,
        .flags = given->flags,
        .time_ns = given->time_ns,
        .partner = slice_of_text(given->partner == NULL ? "" : given->partner),
        .agent = slice_of_text(given->agent == NULL ? "" : given->agent),
        .delivery = slice_of_text(given->delivery == NULL ? "" : given->delivery),
        .text = slice_of_text(given->text == NULL ? "" : given->text),
        .row_count = given->rows,
        .uuid = {given->uuid},
        .outcome = given->outcome,
        .chunk_count = 1,
        .column_set = column_set(scene, given->closing),
        .items = &item,
        .item_count = given->count > 0};
    while (ledger_append(scene->ledger, &entry, slice_of(NULL, 0), &sequence, &error) !=
           STATUS_OK) {
        if (strcmp(error.sqlstate, FULL) != 0 && strcmp(error.sqlstate, SLOW) != 0)
            fail_msg("append: %s", error.message);
        usleep(1000); /* the next segment is being prepared */
    }
    ledger_wait(scene->ledger, sequence);
    buffer_free(&set);
    free(ids);
}

struct scope_query scene_cut(struct scope_scene *scene, const char *partner)
{
    struct scope_query query = {.ledger_folder = scene->folder.path,
                                .partner = partner,
                                .from_ns = INT64_MIN,
                                .to_ns = INT64_MIN};
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    struct error error = {0};
    assert_status(ledger_reader_open(scene->folder.path, 0, &reader, &error), STATUS_OK);
    while (ledger_reader_next(reader, &sequence, &entry, &side, &error) == STATUS_OK)
        continue;
    ledger_reader_root(reader, &query.cutoff, query.root);
    ledger_reader_close(reader);
    return query;
}

static enum status fill(const struct scope_query *query, struct scope_private *made,
                        struct error *error)
{
    static const char *const kinds[] = {"customer", "enquirer", "entrant"};
    static const char *const held[] = {"name", "phone", "vin", "x_own"};
    static const char *const known[] = {"date_of_birth", "financial", "name",
                                        "phone",         "vin",       "x_own"};
    static const char *const unknown[] = {""};
    struct scope *scope = &made->scope;
    TRY(scope_scan_run(query, NULL, &made->scan, error));
    TRY(scope_settle(made, error));
    made->kinds = kinds;
    made->kind_count = 3;
    made->held = held;
    made->held_count = 4;
    made->known = known;
    made->known_count = sizeof known / sizeof known[0];
    scope->brands = scope->languages = scope->countries = unknown;
    scope->brand_count = scope->language_count = scope->country_count = 1;
    scope->incident.partner = query->partner;
    scope->incident.from_ns = query->from_ns;
    scope->incident.to_ns = query->to_ns;
    scope->phase.cutoff = query->cutoff;
    TRY(scope_settle_never(made, error));
    return scope_hash(made, error);
}

enum status scene_try(const struct scope_query *query, struct scope_private **out,
                      struct error *error)
{
    struct scope_private *made = calloc(1, sizeof *made);
    assert_non_null(made);
    arena_init(&made->arena, 64 << 20);
    made->scope.private = made;
    enum status status = fill(query, made, error);
    if (status == STATUS_OK)
        *out = made;
    else
        scope_close(&made->scope);
    return status;
}

struct scope *scene_scope(const struct scope_query *query)
{
    struct scope_private *made = NULL;
    struct error error = {0};
    if (scene_try(query, &made, &error) != STATUS_OK)
        fail_msg("scope: %s: %s", status_name(error.status), error.message);
    return &made->scope;
}

const struct scope_person *scene_person(const struct scope *scope, uint32_t id)
{
    const struct scope_private *made = scope->private;
    if (id >= made->place_count || made->places[id] == 0)
        return NULL;
    return &scope->people[made->places[id] - 1];
}

char *scene_table(const struct scope *scope, const char *what)
{
    struct table table;
    struct buffer text;
    struct error error = {0};
    if (scope_table(scope, what, &table, &error) != STATUS_OK)
        fail_msg("%s: %s", what, error.message);
    buffer_init(&text, 1 << 24);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        for (size_t i = 0; i < table.column_count; i++)
            buffer_printf(&text, "%s%c", row->cells[i] == NULL ? "-" : row->cells[i],
                          i + 1 < table.column_count ? '|' : '\n');
    table_free(&table);
    assert_non_null(buffer_text(&text));
    return (char *)text.data;
}

int64_t scene_instant(const char *text)
{
    int64_t time_ns = 0;
    assert_status(clock_parse(text, &time_ns, NULL), STATUS_OK);
    return time_ns;
}
