/* Whether the file has columns is told by its first row: it names the key's, or it is a key. */
#include "cli/key_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/limits.h"

enum { FILE_BYTES = 1024 * 1024 * 1024, FIRST_KEYS = 1024 };

struct reading {
    struct csv csv;
    bool has_columns;
    size_t wanted; /* index of the key's field */
    struct key_list *list;
    size_t capacity;
    struct error *error;
};

static enum status refuse(const struct reading *reading, size_t line, const char *why)
{
    return error_set(reading->error, STATUS_INVALID, "22P04",
                     "Nothing was done. Mend the file and try again.", "line %zu: %s", line, why);
}

/* ---- keys ---- */

static bool make_room(struct reading *reading)
{
    struct key_list *list = reading->list;
    if (list->count < reading->capacity)
        return true;
    size_t capacity = reading->capacity == 0 ? FIRST_KEYS : reading->capacity * 2;
    struct slice *grown = reallocarray(list->keys, capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    list->keys = grown;
    reading->capacity = capacity;
    return true;
}

/* The text has room for the whole file, so that no key moves when another comes. */
static enum status add_key(struct reading *reading, const char *key, size_t line)
{
    struct key_list *list = reading->list;
    size_t len = strlen(key), at = list->text.len;
    if (len == 0)
        return refuse(reading, line, "there is no key");
    if (len > LIMIT_SUBJECT_KEY_BYTES)
        return refuse(reading, line, "the key is longer than 255 bytes");
    if (strpbrk(key, "\r\n") != NULL)
        return refuse(reading, line, "the key has a line end in it");
    if (isspace((unsigned char)key[0]) || isspace((unsigned char)key[len - 1]))
        return refuse(reading, line, "the key begins or ends with a blank"); /* somebody else's */
    buffer_append(&list->text, key, len);
    if (!make_room(reading) || list->text.overflowed)
        return error_set(reading->error, STATUS_NOMEM, "53200", NULL, "out of memory");
    list->keys[list->count++] = slice_of(list->text.data + at, len);
    return STATUS_OK;
}

static bool is_blank(const struct csv_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->fields[i][0] != '\0')
            return false;
    return true;
}

static enum status take_row(struct reading *reading, const struct csv_row *row)
{
    if (is_blank(row))
        return STATUS_OK;
    if (!reading->has_columns && row->count > 1)
        return error_set(reading->error, STATUS_INVALID, "22P04",
                         "Give one key a line, or a CSV whose first line names the key's column.",
                         "line %zu has several fields", row->line);
    const char *key = reading->wanted < row->count ? row->fields[reading->wanted] : "";
    return add_key(reading, key, row->line);
}

static enum status take_first_row(struct reading *reading, const struct csv_row *row,
                                  const char *column)
{
    size_t at = csv_column(row, (const char *const[]){column, NULL});
    if (at < row->count) {
        reading->has_columns = true;
        reading->wanted = at;
        return STATUS_OK;
    }
    if (row->count == 1)
        return take_row(reading, row);
    return error_set(reading->error, STATUS_INVALID, "22P04",
                     "Give one key a line, or a CSV whose first line names the key's column.",
                     "line %zu has several fields, and none is called \"%.63s\"", row->line,
                     column);
}

/* ---- the whole ---- */

static int compare_keys(const void *a, const void *b)
{
    const struct slice *left = a, *right = b;
    size_t common = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->data, right->data, common);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static void drop_duplicates(struct key_list *list)
{
    size_t kept = 1;
    qsort(list->keys, list->count, sizeof *list->keys, compare_keys);
    for (size_t i = 1; i < list->count; i++)
        if (compare_keys(&list->keys[i], &list->keys[kept - 1]) != 0)
            list->keys[kept++] = list->keys[i];
    list->duplicates = list->count - kept;
    list->count = kept;
}

static enum status read_rows(struct reading *reading, struct slice text, const char *column)
{
    struct csv_row row;
    TRY(csv_open(&reading->csv, text, reading->error));
    if (buffer_reserve(&reading->list->text, text.len + 1) == NULL)
        return error_set(reading->error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = csv_next(&reading->csv, &row, reading->error);
    if (status == STATUS_OK)
        TRY(take_first_row(reading, &row, column));
    while (status == STATUS_OK &&
           (status = csv_next(&reading->csv, &row, reading->error)) == STATUS_OK)
        TRY(take_row(reading, &row));
    if (status != STATUS_NOT_FOUND)
        return status;
    if (reading->list->count == 0)
        return error_set(reading->error, STATUS_INVALID, "22P04", NULL, "there is no key in it");
    drop_duplicates(reading->list);
    return STATUS_OK;
}

enum status key_list_parse(struct slice text, const char *column, struct key_list *list,
                           struct error *error)
{
    struct reading reading = {.list = list, .error = error};
    *list = (struct key_list){0};
    buffer_init(&list->text, FILE_BYTES + 1);
    enum status status = read_rows(&reading, text, column);
    csv_close(&reading.csv);
    if (status != STATUS_OK)
        key_list_free(list);
    return status;
}

enum status key_list_read(const char *path, const char *column, struct key_list *list,
                          struct error *error)
{
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK) {
        status = key_list_parse(buffer_slice(&text), column, list, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    buffer_free(&text);
    return status;
}

void key_list_free(struct key_list *list)
{
    free(list->keys);
    buffer_free(&list->text);
    *list = (struct key_list){0};
}
