/* JSON lines: one flat object a line. What is nested inside a value is kept as its JSON text, and
 * so compares with nothing; numbers are kept as they are written. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trace/leak.h"

static enum status wrong_line(size_t number, const char *why, struct error *error)
{
    return error_set(error, STATUS_INVALID, "22P04", "one JSON object a line, in UTF-8",
                     "line %zu: %s", number, why);
}

/* The value as text in the arena; *text stays NULL for null. */
static enum status value_text(struct leak *leak, const json_t *value, size_t number,
                              const char **text, struct error *error)
{
    if (json_is_string(value)) {
        if (json_string_length(value) > LEAK_CELL_BYTES)
            return wrong_line(number, "a value is too long", error);
        *text = arena_copy(&leak->arena, json_string_value(value), json_string_length(value));
    } else if (json_is_boolean(value)) {
        *text = json_is_true(value) ? "true" : "false";
    } else if (!json_is_null(value)) {
        char *made = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (made != NULL && strlen(made) <= LEAK_CELL_BYTES)
            *text = arena_strdup(&leak->arena, made);
        bool failed = *text == NULL;
        free(made);
        if (failed && !leak->arena.overflowed)
            return wrong_line(number, "a value is too long", error);
    }
    if (leak->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
    return STATUS_OK;
}

static enum status take_object(struct leak *leak, json_t *object, size_t number,
                               struct error *error)
{
    const char *cells[LEAK_COLUMNS] = {NULL};
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        size_t at;
        TRY(leak_column(leak, name, number, &at, error));
        TRY(value_text(leak, value, number, &cells[at], error));
    }
    return leak_add_line(leak, number, cells, leak->column_count, error);
}

static enum status take_line(struct leak *leak, struct slice line, size_t number,
                             struct error *error)
{
    json_error_t why;
    json_t *object = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return wrong_line(number, "it is not one JSON object", error); /* why.text quotes values */
    }
    enum status status = take_object(leak, object, number, error);
    json_decref(object);
    return status;
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    return true;
}

enum status leak_parse_json(struct slice text, struct leak *leak, struct error *error)
{
    enum { LINE_BYTES = LEAK_COLUMNS * 4096 };
    size_t number = 0;
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = slice_of(text.data + 3, text.len - 3);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        struct slice line = slice_of(text.data, len);
        number++;
        if (len > LINE_BYTES)
            return wrong_line(number, "it is too long", error);
        if (!is_blank(line))
            TRY(take_line(leak, line, number, error));
        text = end == NULL ? slice_of(text.data, 0) : slice_of(end + 1, text.len - len - 1);
    }
    return STATUS_OK;
}
