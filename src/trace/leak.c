/* See leak.h. */
#include "trace/leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "trace/looks.h"

enum { ARENA_BYTES = 1024 * 1024 * 1024, FIRST_LINES = 64 };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
}

/* ---- building ---- */

/* Without blanks around it; NULL where nothing is left, or on overflow. */
static const char *trimmed(struct arena *arena, const char *text)
{
    static const char blanks[] = " \t\r\n";
    if (text == NULL)
        return NULL;
    text += strspn(text, blanks);
    size_t len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
        len--;
    return len == 0 ? NULL : arena_copy(arena, text, len);
}

enum status leak_add_line(struct leak *leak, size_t number, const char *const *cells, size_t count,
                          struct error *error)
{
    if (leak->line_count == LEAK_LINES)
        return error_set(error, STATUS_LIMIT, "54000",
                         "a random sample of it says the same; shuf -n 10000 makes one",
                         "the file has more than %d lines of data", LEAK_LINES);
    if (leak->line_count == leak->line_capacity) {
        size_t capacity = leak->line_capacity == 0 ? FIRST_LINES : 2 * leak->line_capacity;
        struct leak_line *lines = reallocarray(leak->lines, capacity, sizeof *lines);
        if (lines == NULL)
            return out_of_memory(error);
        leak->lines = lines;
        leak->line_capacity = capacity;
    }
    const char **copies = arena_array(&leak->arena, const char *, count + 1);
    for (size_t i = 0; i < count && copies != NULL; i++)
        copies[i] = trimmed(&leak->arena, cells[i]);
    if (leak->arena.overflowed)
        return out_of_memory(error);
    leak->lines[leak->line_count++] =
        (struct leak_line){.number = number, .cell_count = count, .cells = copies};
    return STATUS_OK;
}

enum status leak_column(struct leak *leak, const char *name, size_t number, size_t *at,
                        struct error *error)
{
    for (size_t i = 0; i < leak->column_count; i++)
        if (strcmp(leak->columns[i], name) == 0) {
            *at = i;
            return STATUS_OK;
        }
    if (leak->column_count == LEAK_COLUMNS)
        return error_set(error, STATUS_LIMIT, "54000", "take the columns that tell of people",
                         "line %zu: there are more than %d columns", number, LEAK_COLUMNS);
    if (strlen(name) > LEAK_NAME_BYTES)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "line %zu: the name of a column has more than %d bytes", number,
                         LEAK_NAME_BYTES);
    if ((leak->columns[leak->column_count] = arena_strdup(&leak->arena, name)) == NULL)
        return out_of_memory(error);
    *at = leak->column_count++;
    return STATUS_OK;
}

/* ---- CSV ---- */

/* A row in which something looks like an address, a number or a token is no row of names. */
static bool is_data(const struct csv_row *row)
{
    const unsigned values = LOOKS_EMAIL | LOOKS_PHONE | LOOKS_VIN | LOOKS_DATE | LOOKS_TOKEN |
                            LOOKS_INTEGER | LOOKS_UUID | LOOKS_STARRED;
    for (size_t i = 0; i < row->count; i++)
        if ((looks_of(row->fields[i]) & values) != 0)
            return true;
    return false;
}

static enum status take_header(struct leak *leak, const struct csv_row *row, struct error *error)
{
    leak->has_header = !is_data(row);
    for (size_t i = 0; i < row->count; i++) {
        char number[24];
        size_t at;
        const char *name = leak->has_header ? trimmed(&leak->arena, row->fields[i]) : NULL;
        snprintf(number, sizeof number, "%zu", i + 1);
        TRY(leak_column(leak, name == NULL ? number : name, row->line, &at, error));
        if (at != i)
            return error_set(error, STATUS_INVALID, "22P04", "give every column a name of its own",
                             "line %zu: columns %zu and %zu have the same name", row->line, at + 1,
                             i + 1);
    }
    if (leak->has_header)
        return STATUS_OK;
    return leak_add_line(leak, row->line, row->fields, row->count, error);
}

static enum status take_row(struct leak *leak, const struct csv_row *row, struct error *error)
{
    if (row->count > leak->column_count)
        return error_set(error, STATUS_INVALID, "22P04",
                         "separate by comma, semicolon or tab; quote what holds one of them",
                         "line %zu has %zu fields, the first line %zu", row->line, row->count,
                         leak->column_count);
    return leak_add_line(leak, row->line, row->fields, row->count, error);
}

static enum status parse_csv(struct slice text, struct leak *leak, struct error *error)
{
    struct csv csv;
    struct csv_row row;
    bool first = true;
    enum status status = csv_open(&csv, text, error);
    while (status == STATUS_OK && (status = csv_next(&csv, &row, error)) == STATUS_OK) {
        status = first ? take_header(leak, &row, error) : take_row(leak, &row, error);
        first = false;
    }
    csv_close(&csv);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- the whole ---- */

static uint8_t first_byte(struct slice text)
{
    size_t at = text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < text.len && strchr(" \t\r\n", text.data[at]) != NULL && text.data[at] != '\0')
        at++;
    return at < text.len ? text.data[at] : '\0';
}

enum status leak_parse(struct slice text, enum leak_format format, struct leak *leak,
                       struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    *leak = (struct leak){.format = format};
    arena_init(&leak->arena, ARENA_BYTES);
    crypto_sha256(&text, 1, digest);
    crypto_hex(digest, sizeof digest, leak->sha256);
    if (format == LEAK_GUESS)
        leak->format = first_byte(text) == '{' ? LEAK_JSON_LINES : LEAK_CSV;
    if (first_byte(text) == '[' && format != LEAK_CSV)
        return error_set(error, STATUS_INVALID, "22P04", "jq -c '.[]' makes one object a line",
                         "the file holds a JSON array, not one object a line");
    TRY(leak->format == LEAK_CSV ? parse_csv(text, leak, error)
                                 : leak_parse_json(text, leak, error));
    if (leak->line_count == 0)
        return error_set(error, STATUS_INVALID, "22P04",
                         "CSV with a line of names, or one JSON object a line",
                         "the file has no line of data");
    return STATUS_OK;
}

enum status leak_read(const char *path, enum leak_format format, struct leak *leak,
                      struct error *error)
{
    struct buffer bytes;
    *leak = (struct leak){.format = format};
    buffer_init(&bytes, LEAK_FILE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK)
        status = leak_parse(buffer_slice(&bytes), format, leak, error);
    if (bytes.data != NULL)
        crypto_wipe(bytes.data, bytes.capacity);
    buffer_free(&bytes);
    return status;
}

void leak_free(struct leak *leak)
{
    arena_free(&leak->arena);
    free(leak->lines);
    *leak = (struct leak){0};
}

const char *leak_cell(const struct leak *leak, size_t line, size_t column)
{
    const struct leak_line *found = &leak->lines[line];
    return column < found->cell_count ? found->cells[column] : NULL;
}
