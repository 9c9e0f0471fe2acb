/* See export.h: invented people among the rows of a delivery. The rows wait in a file without a
 * name until all have been seen; the canaries are stored by the gateway before the first of them is
 * written into the delivery's own file. */
#include "cli/export.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "delivery/invent.h"

enum {
    COMMAND_PIECE = 100 * 1024, /* of ADMIN_CLIENT_COMMAND_BYTES: quotes are doubled in it */
    ROUNDS = 50,
    SOURCE_ROOM = 140,
};

/* Where a column of the file comes from; borrows the answer of DELIVERY OPEN. */
struct origin {
    const char *kind, *form; /* kind: whose key it is, or "" */
    char source[SOURCE_ROOM];
};

struct invented {
    char **cells; /* one a column, owned; NULL is SQL NULL */
    bool *made;
    uint64_t place; /* it stands before the row of this number */
};

struct canaries {
    struct export *export;
    struct invent_column *columns;
    struct origin *origins;
    size_t count; /* of columns */
    struct invent *invent;
    struct delivery_spool *spool;
    int spool_fd;
    struct invented *rows;
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* ---- the lists ---- */

enum status export_read_lists(struct export *export, struct error *error)
{
    const struct config *config = export->config;
    struct invent_lists *lists = &export->lists;
    TRY(invent_library_open(config->data_folder, &export->library, lists, error));
    if (config->canaries.phone_count > 0)
        lists->phones =
            (struct invent_words){config->canaries.phones, config->canaries.phone_count};
    if (config->canaries.street_count > 0)
        lists->streets =
            (struct invent_words){config->canaries.streets, config->canaries.street_count};
    lists->mailbox_domain = config->canaries.mailbox_domain;
    return STATUS_OK;
}

/* ---- the columns ---- */

/* What a column of the file is was told by the gateway, by its place: names prove nothing. */
static void find_origin(const struct export *export, size_t at, const struct table_row *row,
                        struct invent_column *column, struct origin *origin)
{
    const struct delivery_column *given = &export->fetch.columns[at];
    const struct table *readable = &export->readable;
    *column = (struct invent_column){.name = given->name, .type = given->type, .is_clear = true};
    *origin = (struct origin){.kind = "", .form = "clear"};
    if (cli_cell(readable, row, "dataset")[0] == '\0') /* a constant */
        return;
    const char *category = cli_cell(readable, row, "category");
    origin->kind = cli_cell(readable, row, "key");
    origin->form = cli_cell(readable, row, "form");
    snprintf(origin->source, sizeof origin->source, "%.63s.%.63s",
             cli_cell(readable, row, "dataset"), cli_cell(readable, row, "column"));
    column->category = category[0] == '\0' ? NULL : category;
    column->of = cli_cell(readable, row, "column");
    column->is_clear = strcmp(origin->form, "clear") == 0;
    column->is_key = origin->kind[0] != '\0';
}

/* The session has planned the statement anew: by another policy perhaps. */
static enum status find_origins(struct canaries *canaries, struct error *error)
{
    const struct export *export = canaries->export;
    const struct table_row *row = export->readable.first;
    size_t at = 0;
    for (; at < canaries->count && row != NULL; at++, row = row->next) {
        if (strcmp(cli_cell(&export->readable, row, "name"), export->fetch.columns[at].name) != 0)
            break;
        find_origin(export, at, row, &canaries->columns[at], &canaries->origins[at]);
    }
    return at == canaries->count && row == NULL
               ? STATUS_OK
               : error_set(error, STATUS_DENIED, "55000", "try again",
                           "the columns are no longer those that the delivery was opened for");
}

static enum status begin(struct canaries *canaries, struct error *error)
{
    struct export *export = canaries->export;
    canaries->count = export->fetch.count;
    canaries->columns = calloc(canaries->count + 1, sizeof *canaries->columns);
    canaries->origins = calloc(canaries->count + 1, sizeof *canaries->origins);
    canaries->rows = calloc(export->canaries, sizeof *canaries->rows);
    if (canaries->columns == NULL || canaries->origins == NULL || canaries->rows == NULL)
        return no_memory(error);
    TRY(find_origins(canaries, error));
    TRY(invent_open(canaries->columns, canaries->count, &export->lists, &canaries->invent, error));
    canaries->spool_fd = export_file_aside(&export->file, error);
    if (canaries->spool_fd < 0)
        return STATUS_IO;
    return delivery_spool_open(canaries->spool_fd, canaries->count, &canaries->spool, error);
}

static enum status see_rows(struct canaries *canaries, struct error *error)
{
    struct export *export = canaries->export;
    const char *const *cells;
    enum status status;
    while ((status = export_fetch_next(&export->fetch, &cells, error)) == STATUS_OK) {
        TRY(delivery_spool_add(canaries->spool, cells, error));
        TRY(invent_see(canaries->invent, cells, error));
        export->rows++;
    }
    return status == STATUS_NOT_FOUND ? invent_ready(canaries->invent, error) : status;
}

/* ---- inventing ---- */

static void drop_row(struct invented *row, size_t count)
{
    for (size_t i = 0; i < count && row->cells != NULL; i++)
        free(row->cells[i]);
    free(row->cells);
    free(row->made);
    row->cells = NULL;
    row->made = NULL;
}

static enum status invent_one(struct canaries *canaries, struct invented *row, struct error *error)
{
    const char *const *cells;
    const bool *made;
    size_t count = canaries->count;
    TRY(invent_row(canaries->invent, &cells, &made, error));
    drop_row(row, count);
    row->cells = calloc(count + 1, sizeof *row->cells);
    row->made = calloc(count + 1, sizeof *row->made);
    if (row->cells == NULL || row->made == NULL)
        return no_memory(error);
    memcpy(row->made, made, count * sizeof *made);
    for (size_t i = 0; i < count; i++)
        if (cells[i] != NULL && (row->cells[i] = strdup(cells[i])) == NULL)
            return no_memory(error);
    return STATUS_OK;
}

static bool is_clear_key(const struct canaries *canaries, size_t column)
{
    return canaries->columns[column].is_key && canaries->columns[column].is_clear;
}

/* Nobody has a key twice, in whatever form. */
static bool key_is_new(const struct canaries *canaries, size_t at)
{
    const struct invented *row = &canaries->rows[at];
    for (size_t column = 0; column < canaries->count; column++) {
        if (!canaries->columns[column].is_key || row->cells[column] == NULL)
            continue;
        for (size_t i = 0; i < canaries->export->canaries; i++) {
            const struct invented *other = &canaries->rows[i];
            if (i != at && other->cells != NULL && other->cells[column] != NULL &&
                strcmp(other->cells[column], row->cells[column]) == 0)
                return false;
        }
    }
    return true;
}

static enum status invent_new(struct canaries *canaries, size_t at, struct error *error)
{
    for (int round = 0; round < ROUNDS; round++) {
        TRY(invent_one(canaries, &canaries->rows[at], error));
        if (key_is_new(canaries, at))
            return STATUS_OK;
    }
    return error_set(error, STATUS_LIMIT, "54000", "ask for fewer canaries",
                     "there are not enough free keys that look like those of the file");
}

/* ---- stored by the gateway ---- */

static void put_field(struct buffer *out, const char *text, char end)
{
    for (; *text != '\0'; text++) {
        if (*text == '\t' || *text == '\n' || *text == '\\') {
            buffer_append_u8(out, '\\');
            buffer_append_u8(out, *text == '\t' ? 't' : *text == '\n' ? 'n' : '\\');
        } else {
            buffer_append_u8(out, (uint8_t)*text);
        }
    }
    buffer_append_u8(out, (uint8_t)end);
}

static void put_row(const struct canaries *canaries, size_t at, struct buffer *out)
{
    const struct invented *row = &canaries->rows[at];
    size_t key = 0;
    while (key < canaries->count && (!is_clear_key(canaries, key) || row->cells[key] == NULL))
        key++;
    for (size_t i = 0; i < canaries->count; i++) {
        const struct origin *origin = &canaries->origins[i];
        if (row->cells[i] == NULL)
            continue;
        size_t own = is_clear_key(canaries, i) ? i : key;
        buffer_printf(out, "%zu\t", at + 1);
        put_field(out, canaries->columns[i].name, '\t');
        put_field(out, origin->source, '\t');
        put_field(out, own < canaries->count ? canaries->origins[own].kind : "", '\t');
        put_field(out, own < canaries->count ? row->cells[own] : "", '\t');
        put_field(out, origin->form, '\t');
        put_field(out, row->made[i] ? "1" : "0", '\t');
        put_field(out, row->cells[i], '\n');
    }
}

/* Tables mostly have no gaps between their keys. Above the greatest of all, which is not that of
 * the file, they are free; with each round in more room, since earlier canaries are there too. */
static void raise_keys(struct canaries *canaries, const struct table *taken,
                       const struct table_row *row, int round)
{
    enum { ROOM = 1000, DOUBLED = 20 };
    char *end;
    const char *kind = cli_cell(taken, row, "kind"), *text = cli_cell(taken, row, "greatest");
    int64_t greatest = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0')
        return;
    for (size_t i = 0; i < canaries->count; i++)
        if (is_clear_key(canaries, i) && strcmp(canaries->origins[i].kind, kind) == 0)
            invent_raise(canaries->invent, i, greatest,
                         (ROOM + 10 * canaries->export->canaries)
                             << (round < DOUBLED ? round : DOUBLED));
}

/* STATUS_AGAIN where some keys are somebody's: those rows have been invented anew. */
static enum status send(struct canaries *canaries, struct buffer *cells, int round,
                        struct error *error)
{
    struct buffer command;
    struct table taken;
    const char *text = buffer_text(cells);
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&command, "DELIVERY CANARIES");
    admin_client_clause(&command, "", canaries->export->id);
    admin_client_clause(&command, "CELLS", text);
    enum status status = text == NULL
                             ? no_memory(error)
                             : admin_client_ask(canaries->export->admin, &command, &taken, error);
    buffer_free(&command);
    TRY(status);
    bool again = taken.row_count > 0;
    for (const struct table_row *row = taken.first; row != NULL && status == STATUS_OK;
         row = row->next) {
        uint64_t number = strtoull(cli_cell(&taken, row, "taken"), NULL, 10);
        if (round > 0) /* the first time, another of the gaps will do */
            raise_keys(canaries, &taken, row, round);
        status = number == 0 || number > canaries->export->canaries
                     ? error_set(error, STATUS_PEER, "XX000", NULL, "not an answer of the gateway")
                     : invent_new(canaries, (size_t)number - 1, error);
    }
    table_free(&taken);
    return status != STATUS_OK ? status : again ? STATUS_AGAIN : STATUS_OK;
}

/* As many rows as one command takes, from `first` on; *end is behind the last. */
static enum status store_piece(struct canaries *canaries, size_t first, size_t *end,
                               struct error *error)
{
    struct buffer cells;
    enum status status = STATUS_AGAIN;
    for (int round = 0; round < ROUNDS && status == STATUS_AGAIN; round++) {
        size_t at = first;
        buffer_init(&cells, ADMIN_CLIENT_COMMAND_BYTES);
        while (at < canaries->export->canaries && (at == first || cells.len < COMMAND_PIECE / 2))
            put_row(canaries, at++, &cells);
        status = send(canaries, &cells, round, error);
        buffer_free(&cells);
        *end = at;
    }
    return status != STATUS_AGAIN
               ? status
               : error_set(error, STATUS_LIMIT, "54000", "leave the canaries out",
                           "no free keys were found that look like those of the file");
}

static enum status store_all(struct canaries *canaries, struct error *error)
{
    for (size_t at = 0; at < canaries->export->canaries; at++)
        TRY(invent_new(canaries, at, error));
    for (size_t at = 0; at < canaries->export->canaries;)
        TRY(store_piece(canaries, at, &at, error));
    return STATUS_OK;
}

/* ---- places ---- */

static int compare_places(const void *a, const void *b)
{
    const struct invented *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

static void place_at_random(struct canaries *canaries)
{
    for (size_t i = 0; i < canaries->export->canaries; i++) {
        uint64_t random;
        crypto_random(&random, sizeof random);
        canaries->rows[i].place = random % (canaries->export->rows + 1);
    }
    qsort(canaries->rows, canaries->export->canaries, sizeof canaries->rows[0], compare_places);
}

static int compare_values(const void *a, const void *b, void *context)
{
    const struct invented *left = a, *right = b;
    const struct invent *invent = context;
    size_t column = invent_order(invent);
    const char *mine = left->cells[column], *other = right->cells[column];
    return invent_before(invent, mine, other) ? -1 : invent_before(invent, other, mine);
}

/* Each before the first row that does not stand before it. */
static enum status place_in_order(struct canaries *canaries, struct error *error)
{
    struct export *export = canaries->export;
    size_t column = invent_order(canaries->invent), next = 0;
    const char *const *cells;
    qsort_r(canaries->rows, export->canaries, sizeof canaries->rows[0], compare_values,
            canaries->invent);
    TRY(delivery_spool_rewind(canaries->spool, error));
    for (uint64_t row = 0; row < export->rows; row++) {
        TRY(delivery_spool_next(canaries->spool, &cells, error));
        while (next < export->canaries &&
               !invent_before(canaries->invent, cells[column], canaries->rows[next].cells[column]))
            canaries->rows[next++].place = row;
    }
    while (next < export->canaries)
        canaries->rows[next++].place = export->rows;
    return STATUS_OK;
}

static enum status write_all(struct canaries *canaries, struct error *error)
{
    struct export *export = canaries->export;
    const char *const *cells;
    size_t next = 0;
    if (invent_order(canaries->invent) < canaries->count)
        TRY(place_in_order(canaries, error));
    else
        place_at_random(canaries);
    TRY(delivery_spool_rewind(canaries->spool, error));
    for (uint64_t row = 0; row <= export->rows; row++) {
        for (; next < export->canaries && canaries->rows[next].place == row; next++)
            TRY(delivery_writer_row(export->writer, (const char *const *)canaries->rows[next].cells,
                                    error));
        if (row < export->rows) {
            TRY(delivery_spool_next(canaries->spool, &cells, error));
            TRY(delivery_writer_row(export->writer, cells, error));
        }
    }
    return STATUS_OK;
}

enum status export_with_canaries(struct export *export, struct error *error)
{
    struct canaries canaries = {.export = export, .spool_fd = -1};
    enum status status = begin(&canaries, error);
    if (status == STATUS_OK)
        status = see_rows(&canaries, error);
    if (status == STATUS_OK)
        status = store_all(&canaries, error);
    if (status == STATUS_OK)
        status = write_all(&canaries, error);
    for (size_t i = 0; i < export->canaries && canaries.rows != NULL; i++)
        drop_row(&canaries.rows[i], canaries.count);
    free(canaries.rows);
    free(canaries.columns);
    free(canaries.origins);
    invent_close(canaries.invent);
    delivery_spool_close(canaries.spool);
    if (canaries.spool_fd >= 0)
        close(canaries.spool_fd);
    return status;
}

void export_tell_canaries(uint64_t canaries)
{
    static const double fractions[] = {0.01, 0.1, 0.5};
    printf("%" PRIu64
           " %s among the rows, in no count and no notice. A leak of a part of this file "
           "has one:\n",
           canaries, canaries == 1 ? "canary" : "canaries");
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++)
        printf("  %3.0f %% of it: with %.1f %%; for 99 %% it takes %" PRIu64 "\n",
               100 * fractions[i], 100 * (1 - pow(1 - fractions[i], (double)canaries)),
               invent_needed(fractions[i], 0.99));
}
