/* Fields are unquoted in place: a field never grows. Whether the file is a CSV is told by its first
 * line alone. */
#include "cli/key_list.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/file.h"
#include "base/limits.h"

enum { FILE_BYTES = 1024 * 1024 * 1024, NO_SEPARATOR = 0 };

struct reading {
    uint8_t *at, *end;
    size_t line;    /* of *at */
    char separator; /* NO_SEPARATOR: a line is a key */
    size_t wanted;  /* index of the key's field */
    struct key_list *list;
    size_t capacity;
    struct error *error;
};

/* ---- records ---- */

static bool at_record_end(const struct reading *reading)
{
    return reading->at == reading->end || *reading->at == '\n';
}

static struct slice plain_field(struct reading *reading)
{
    const uint8_t *begin = reading->at;
    while (!at_record_end(reading) &&
           (reading->separator == NO_SEPARATOR || *reading->at != (uint8_t)reading->separator))
        reading->at++;
    size_t len = (size_t)(reading->at - begin);
    if (len > 0 && at_record_end(reading) && begin[len - 1] == '\r')
        len--;
    return slice_of(begin, len);
}

static enum status bad_quotes(const struct reading *reading, size_t line)
{
    return error_set(reading->error, STATUS_INVALID, "22P04", "a quote inside quotes is doubled",
                     "line %zu: the quotes do not match", line);
}

static enum status quoted_field(struct reading *reading, struct slice *field)
{
    uint8_t *begin = ++reading->at, *put = begin;
    size_t line = reading->line;
    for (;; reading->at++) {
        if (reading->at == reading->end)
            return bad_quotes(reading, line);
        if (*reading->at == '"') {
            reading->at++;
            if (reading->at == reading->end || *reading->at != '"')
                break;
        }
        reading->line += *reading->at == '\n';
        *put++ = *reading->at;
    }
    *field = slice_of(begin, (size_t)(put - begin));
    if (reading->at < reading->end && *reading->at == '\r')
        reading->at++;
    if (!at_record_end(reading) && *reading->at != (uint8_t)reading->separator)
        return bad_quotes(reading, line);
    return STATUS_OK;
}

/* Takes the next field; *last: the record ends behind it, and the reading stands at the next. */
static enum status next_field(struct reading *reading, struct slice *field, bool *last)
{
    if (reading->separator != NO_SEPARATOR && reading->at < reading->end && *reading->at == '"')
        TRY(quoted_field(reading, field));
    else
        *field = plain_field(reading);
    *last = at_record_end(reading);
    if (reading->at < reading->end) {
        reading->line += *reading->at == '\n';
        reading->at++;
    }
    return STATUS_OK;
}

/* ---- what kind of file it is ---- */

/* Looks for the column in the first line, cut at this separator, and goes on behind that line.
 * False, and nothing done, where it is not there. The line is copied, since unquoting changes it.
 */
static bool find_column(struct reading *reading, char separator, const char *column, size_t len)
{
    uint8_t *copy = len == 0 ? NULL : malloc(len);
    struct reading header = {.at = copy, .separator = separator};
    struct slice field;
    bool last = copy == NULL, found = false;
    if (copy != NULL)
        memcpy(copy, reading->at, len);
    header.end = copy == NULL ? NULL : copy + len;
    for (size_t i = 0; !last && !found && next_field(&header, &field, &last) == STATUS_OK; i++) {
        found = slice_equal(field, slice_of_text(column));
        if (found)
            reading->wanted = i;
    }
    free(copy);
    if (!found)
        return false;
    reading->separator = separator;
    reading->at += len;
    if (reading->at < reading->end)
        reading->at++;
    reading->line++;
    return true;
}

static enum status judge_first_line(struct reading *reading, const char *column)
{
    static const char separators[] = {',', ';', '\t'};
    size_t left = (size_t)(reading->end - reading->at);
    const uint8_t *newline = left == 0 ? NULL : memchr(reading->at, '\n', left);
    size_t len = newline == NULL ? left : (size_t)(newline - reading->at);
    bool several = false;
    for (size_t i = 0; i < sizeof separators; i++) {
        if (column != NULL && find_column(reading, separators[i], column, len))
            return STATUS_OK;
        several = several || (len > 0 && memchr(reading->at, separators[i], len) != NULL);
    }
    if (!several)
        return STATUS_OK;
    return error_set(reading->error, STATUS_INVALID, "22P04",
                     "Give one key a line, or a CSV whose first line names the columns.",
                     "line %zu has several fields, and none is called \"%.63s\"", reading->line,
                     column == NULL ? "" : column);
}

/* ---- keys ---- */

static bool is_utf8(struct slice key)
{
    char text[LIMIT_SUBJECT_KEY_BYTES + 1];
    memcpy(text, key.data, key.len);
    text[key.len] = '\0';
    return mbstowcs(NULL, text, 0) != (size_t)-1;
}

static enum status check_key(const struct reading *reading, struct slice key, size_t line)
{
    const char *wrong = NULL;
    if (key.len == 0)
        wrong = "there is no key";
    else if (key.len > LIMIT_SUBJECT_KEY_BYTES)
        wrong = "the key is longer than 255 bytes";
    else if (memchr(key.data, '\0', key.len) != NULL || memchr(key.data, '\n', key.len) != NULL)
        wrong = "the key has a zero byte or a line end";
    else if (!is_utf8(key))
        wrong = "the key is not UTF-8";
    return wrong == NULL ? STATUS_OK
                         : error_set(reading->error, STATUS_INVALID, "22P04",
                                     "Nothing was done. Mend the file and try again.",
                                     "line %zu: %s", line, wrong);
}

static enum status add_key(struct reading *reading, struct slice key)
{
    struct key_list *list = reading->list;
    if (list->count == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? 1024 : reading->capacity * 2;
        struct slice *grown = reallocarray(list->keys, capacity, sizeof *grown);
        if (grown == NULL)
            return error_set(reading->error, STATUS_NOMEM, "53200", NULL, "out of memory");
        list->keys = grown;
        reading->capacity = capacity;
    }
    list->keys[list->count++] = key;
    return STATUS_OK;
}

static enum status take_record(struct reading *reading)
{
    struct slice field, key = slice_of(NULL, 0);
    size_t line = reading->line;
    bool last = false, blank = true;
    for (size_t i = 0; !last; i++) {
        TRY(next_field(reading, &field, &last));
        blank = blank && field.len == 0;
        if (i == reading->wanted)
            key = field;
    }
    if (blank)
        return STATUS_OK;
    TRY(check_key(reading, key, line));
    return add_key(reading, key);
}

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

static enum status read_records(struct reading *reading, const char *column)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    if (reading->end - reading->at >= (ptrdiff_t)sizeof mark &&
        memcmp(reading->at, mark, sizeof mark) == 0)
        reading->at += sizeof mark;
    TRY(judge_first_line(reading, column));
    while (reading->at < reading->end)
        TRY(take_record(reading));
    if (reading->list->count == 0)
        return error_set(reading->error, STATUS_INVALID, "22P04", NULL, "there is no key in it");
    drop_duplicates(reading->list);
    return STATUS_OK;
}

enum status key_list_parse(struct buffer *text, const char *column, struct key_list *list,
                           struct error *error)
{
    *list = (struct key_list){.text = *text};
    struct reading reading = {.at = text->data,
                              .end = text->data == NULL ? NULL : text->data + text->len,
                              .line = 1,
                              .list = list,
                              .error = error};
    enum status status = read_records(&reading, column);
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
    if (status != STATUS_OK) {
        buffer_free(&text);
        return status;
    }
    status = key_list_parse(&text, column, list, error);
    if (status != STATUS_OK)
        error_prefix(error, "%s", path);
    return status;
}

void key_list_free(struct key_list *list)
{
    free(list->keys);
    buffer_free(&list->text);
    *list = (struct key_list){0};
}
