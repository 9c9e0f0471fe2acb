/* DELIVERY CANARIES: invented rows of a delivery, stored before its file can appear. Their keys are
 * held against the dictionary, the database and earlier canaries: where one is taken, nothing is
 * stored, and the answer names the rows to invent again, and the greatest key that there is. */
#include "gateway/admin/admin_asking.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/deliveries.h"

enum { CELL_FIELDS = 8, KEYS_MAX = 4096 };

/* A line of CELLS: row, column, source, kind, key, form, invented (0 or 1) and value, between tabs;
 * a tab, a newline and a backslash inside are written \t, \n and \\. */
struct cells {
    struct asking *asking;
    struct arena arena;
    char id[DELIVERY_ID_ROOM];
    struct canary *canaries;
    size_t count;
};

static enum status bad_cells(struct error *error, size_t line)
{
    return error_set(error, STATUS_DENIED, "22023", "see cofferdam(1), \"ADMIN DATABASE\"",
                     "line %zu of CELLS is not eight fields between tabs", line);
}

/* The next field, unescaped in place; leaves *at behind its end. */
static char *take_field(char **at, char end)
{
    char *field = *at, *out = *at, *in = *at;
    for (; *in != '\0' && *in != end && *in != '\t' && *in != '\n'; in++) {
        if (*in == '\\') {
            in++;
            if (*in != 't' && *in != 'n' && *in != '\\')
                return NULL;
            *out++ = *in == 't' ? '\t' : *in == 'n' ? '\n' : '\\';
        } else {
            *out++ = *in;
        }
    }
    if (*in != end && !(end == '\n' && *in == '\0'))
        return NULL;
    *at = in + (*in != '\0');
    *out = '\0';
    return field;
}

static bool is_form(const char *form)
{
    return strcmp(form, "clear") == 0 || strcmp(form, "masked") == 0 || strcmp(form, "token") == 0;
}

static bool take_cell(char **at, const char *id, struct canary *canary)
{
    char *fields[CELL_FIELDS], *end;
    for (size_t i = 0; i < CELL_FIELDS; i++)
        if ((fields[i] = take_field(at, i + 1 == CELL_FIELDS ? '\n' : '\t')) == NULL)
            return false;
    *canary = (struct canary){.delivery = id,
                              .row = strtol(fields[0], &end, 10),
                              .column = fields[1],
                              .source = fields[2],
                              .kind = fields[3],
                              .key = fields[4],
                              .form = fields[5],
                              .is_invented = strcmp(fields[6], "1") == 0,
                              .value = fields[7]};
    return *end == '\0' && canary->row > 0 && canary->column[0] != '\0' && is_form(fields[5]);
}

static enum status read_cells(struct cells *cells, struct error *error)
{
    const char *given = admin_option(cells->asking, "CELLS");
    size_t lines = 1;
    if (given == NULL)
        return admin_syntax(error, "DELIVERY CANARIES 'id' CELLS 'a line each'");
    char *text = arena_strdup(&cells->arena, given);
    for (const char *c = given; *c != '\0'; c++)
        lines += *c == '\n';
    cells->canaries = arena_array(&cells->arena, struct canary, lines);
    if (text == NULL || cells->canaries == NULL)
        return error_set(error, STATUS_LIMIT, "54000", "send fewer at a time", "too many cells");
    while (*text != '\0') {
        if (!take_cell(&text, cells->id, &cells->canaries[cells->count]))
            return bad_cells(error, cells->count + 1);
        cells->count++;
    }
    return STATUS_OK;
}

/* ---- are they free? ---- */

struct taken {
    const char *keys[KEYS_MAX];
    int64_t rows[KEYS_MAX];
    bool taken[KEYS_MAX];
    size_t count;
};

/* Each key of this kind once: cells of a row stand together. */
static enum status gather(const struct cells *cells, const char *kind, struct taken *keys,
                          struct error *error)
{
    keys->count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        const struct canary *canary = &cells->canaries[i];
        if (canary->key[0] == '\0' || strcmp(canary->kind, kind) != 0)
            continue;
        if (keys->count > 0 && keys->rows[keys->count - 1] == canary->row &&
            strcmp(keys->keys[keys->count - 1], canary->key) == 0)
            continue;
        if (keys->count == KEYS_MAX)
            return error_set(error, STATUS_LIMIT, "54000", "send fewer at a time",
                             "more than %d keys", KEYS_MAX);
        keys->keys[keys->count] = canary->key;
        keys->rows[keys->count++] = canary->row;
    }
    return STATUS_OK;
}

struct earlier {
    const char *kind, *key;
    bool found;
};

static enum status see_earlier(void *context, const struct canary *canary, struct error *error)
{
    struct earlier *earlier = context;
    (void)error;
    earlier->found = earlier->found || (strcmp(canary->kind, earlier->kind) == 0 &&
                                        strcmp(canary->key, earlier->key) == 0);
    return STATUS_OK;
}

/* Of the ledger's dictionary, or a canary already: a key leads to one delivery only. */
static enum status is_known(const struct cells *cells, const struct policy *policy, size_t kind,
                            const char *key, bool *known, struct error *error)
{
    struct server *server = cells->asking->server;
    struct earlier earlier = {.kind = policy->kinds[kind].name, .key = key};
    uint32_t id;
    TRY(deliveries_match_canary(deliveries_desk_file(server->deliveries), key, see_earlier,
                                &earlier, error));
    *known = earlier.found ||
             exposure_find(server->exposure, (uint16_t)kind, slice_of_text(key), &id) == STATUS_OK;
    return STATUS_OK;
}

static enum status check_kind(const struct cells *cells, const struct snapshot *snapshot,
                              size_t kind, struct taken *keys, struct table *table,
                              struct error *error)
{
    struct server *server = cells->asking->server;
    TRY(gather(cells, snapshot->policy->kinds[kind].name, keys, error));
    if (keys->count == 0)
        return STATUS_OK;
    TRY(deliveries_keys_taken(server->config, snapshot->model, kind, keys->keys, keys->count,
                              keys->taken, error));
    bool asked = false;
    char greatest[DELIVERIES_NUMBER_ROOM];
    for (size_t i = 0; i < keys->count; i++) {
        bool known = false;
        TRY(is_known(cells, snapshot->policy, kind, keys->keys[i], &known, error));
        if (!known && !keys->taken[i])
            continue;
        if (!asked)
            TRY(deliveries_greatest_key(server->config, snapshot->model, kind, greatest, error));
        asked = true;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%lld", (long long)keys->rows[i]);
        table_set(table, row, 1, "%s", snapshot->policy->kinds[kind].name);
        table_set(table, row, 2, "%s", greatest);
    }
    return STATUS_OK;
}

static enum status check_keys(const struct cells *cells, struct table *table, struct error *error)
{
    struct snapshot *snapshot = server_snapshot(cells->asking->server);
    struct taken *keys = calloc(1, sizeof *keys);
    enum status status =
        keys == NULL ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory") : STATUS_OK;
    for (size_t kind = 0; kind < snapshot->policy->kind_count && status == STATUS_OK; kind++)
        status = check_kind(cells, snapshot, kind, keys, table, error);
    free(keys);
    snapshot_release(snapshot);
    return status;
}

/* ---- stored ---- */

static enum status store(struct cells *cells, struct table *table, struct error *error)
{
    struct asking *asking = cells->asking;
    struct deliveries *file = deliveries_desk_file(asking->server->deliveries);
    struct delivery delivery;
    if (asking->at >= asking->words->count || !asking->words->quoted[asking->at])
        return admin_syntax(error, "which delivery is not said: write its id in quotes");
    TRY(delivery_id_parse(asking->words->text[asking->at], cells->id, error));
    TRY(deliveries_get(file, cells->id, &cells->arena, &delivery, error));
    if (delivery.closed_ns != INT64_MIN)
        return error_set(error, STATUS_DENIED, "55000", NULL, "delivery %s is closed already",
                         cells->id);
    TRY(read_cells(cells, error));
    TRY(check_keys(cells, table, error));
    if (table->row_count > 0)
        return STATUS_OK;
    return deliveries_add_canaries(file, cells->canaries, cells->count, error);
}

enum status admin_delivery_canaries(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"taken", "kind", "greatest", NULL};
    struct cells cells = {.asking = asking};
    arena_init(&cells.arena, 4 * 1024 * 1024);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    enum status status = store(&cells, table, error);
    if (status != STATUS_OK)
        table_free(table);
    arena_free(&cells.arena);
    return status;
}

/* ---- given to somebody since ---- */

struct given {
    struct server *server;
    struct snapshot *snapshot;
    struct arena arena;
    struct taken keys; /* of the kind at hand */
    size_t kind;
    int64_t count;
};

static enum status count_given(struct given *given, struct error *error)
{
    struct taken *keys = &given->keys;
    if (keys->count > 0)
        TRY(deliveries_keys_taken(given->server->config, given->snapshot->model, given->kind,
                                  keys->keys, keys->count, keys->taken, error));
    for (size_t i = 0; i < keys->count; i++)
        given->count += keys->taken[i];
    keys->count = 0;
    arena_reset(&given->arena);
    return STATUS_OK;
}

/* The cell of a row that is its key. */
static enum status see_key(void *context, const struct canary *canary, struct error *error)
{
    struct given *given = context;
    if (canary->key[0] == '\0' || strcmp(canary->value, canary->key) != 0 ||
        strcmp(canary->kind, given->snapshot->policy->kinds[given->kind].name) != 0)
        return STATUS_OK;
    const char *key = arena_strdup(&given->arena, canary->key);
    if (key == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    given->keys.keys[given->keys.count++] = key;
    return given->keys.count == KEYS_MAX ? count_given(given, error) : STATUS_OK;
}

int64_t admin_canaries_given(struct server *server, const char *delivery)
{
    struct error error;
    enum status status = STATUS_OK;
    struct given *given = calloc(1, sizeof *given);
    if (given == NULL)
        return -1;
    given->server = server;
    given->snapshot = server_snapshot(server);
    arena_init(&given->arena, 4 * 1024 * 1024);
    for (; given->kind < given->snapshot->policy->kind_count && status == STATUS_OK;
         given->kind++) {
        status = deliveries_each_canary(deliveries_desk_file(server->deliveries), delivery, see_key,
                                        given, &error);
        if (status == STATUS_OK)
            status = count_given(given, &error);
    }
    int64_t count = status == STATUS_OK ? given->count : -1;
    snapshot_release(given->snapshot);
    arena_free(&given->arena);
    free(given);
    return count;
}
