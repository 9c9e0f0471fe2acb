/* See csv.h. */
#include "base/csv.h"

#include <ctype.h>
#include <glib.h>
#include <string.h>

static const char mark[] = "\xEF\xBB\xBF";
enum { MARK_BYTES = sizeof mark - 1, ROW_BYTES = 4 * 1024 * 1024 };

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* The commonest of the three in the first line, outside quotes; a comma where there is none. */
static char find_separator(struct slice text)
{
    static const char separators[] = ",;\t";
    size_t counts[sizeof separators - 1] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.data[i];
        if (c == '"')
            quoted = !quoted;
        else if (!quoted && is_line_end(c))
            break;
        const char *found = quoted || c == '\0' ? NULL : strchr(separators, c);
        if (found != NULL)
            counts[found - separators]++;
    }
    for (size_t i = 1; i < sizeof counts / sizeof counts[0]; i++)
        best = counts[i] > counts[best] ? i : best;
    return separators[best];
}

static bool is_utf16(struct slice text)
{
    return text.len >= 2 && ((text.data[0] == 0xFF && text.data[1] == 0xFE) ||
                             (text.data[0] == 0xFE && text.data[1] == 0xFF));
}

enum status csv_open(struct csv *csv, struct slice text, struct error *error)
{
    *csv = (struct csv){.text = text, .line = 1};
    buffer_init(&csv->values, ROW_BYTES);
    if (is_utf16(text))
        return error_set(error, STATUS_INVALID, "22021", "save it as CSV in UTF-8",
                         "the file is UTF-16 text");
    if (text.len >= MARK_BYTES && memcmp(text.data, mark, MARK_BYTES) == 0)
        csv->text = slice_of(text.data + MARK_BYTES, text.len - MARK_BYTES);
    const char *end = NULL;
    if (csv->text.len > 0 &&
        !g_utf8_validate_len((const char *)csv->text.data, csv->text.len, &end)) {
        size_t line = 1;
        for (const char *at = (const char *)csv->text.data; at < end; at++)
            line += *at == '\n';
        return error_set(error, STATUS_INVALID, "22021", "save it as CSV in UTF-8",
                         "line %zu: the file is not UTF-8 text", line);
    }
    csv->separator = find_separator(csv->text);
    return STATUS_OK;
}

void csv_close(struct csv *csv)
{
    buffer_free(&csv->values);
}

/* The character at a distance; '\0', which no text here holds, behind the end. */
static char peek(const struct csv *csv, size_t ahead)
{
    return csv->at + ahead < csv->text.len ? (char)csv->text.data[csv->at + ahead] : '\0';
}

static bool at_end(const struct csv *csv)
{
    return csv->at >= csv->text.len;
}

/* Passes the end of a line, whichever of the three it is. */
static void take_line_end(struct csv *csv)
{
    csv->at += peek(csv, 0) == '\r' && peek(csv, 1) == '\n' ? 2 : 1;
    csv->line++;
}

static enum status take_quoted(struct csv *csv, size_t line, struct error *error)
{
    csv->at++;
    while (!at_end(csv)) {
        char c = peek(csv, 0);
        if (c == '"' && peek(csv, 1) != '"')
            break;
        if (c == '\n' || (c == '\r' && peek(csv, 1) != '\n'))
            csv->line++;
        buffer_append_u8(&csv->values, (uint8_t)c);
        csv->at += c == '"' ? 2 : 1;
    }
    if (at_end(csv))
        return error_set(error, STATUS_INVALID, "22P04", NULL,
                         "line %zu: a quote is opened and never closed", line);
    csv->at++;
    if (!at_end(csv) && peek(csv, 0) != csv->separator && !is_line_end(peek(csv, 0)))
        return error_set(error, STATUS_INVALID, "22P04", "double a quote that is part of a field",
                         "line %zu: text behind a closing quote", csv->line);
    return STATUS_OK;
}

static void take_plain(struct csv *csv)
{
    size_t start = csv->at;
    while (!at_end(csv) && peek(csv, 0) != csv->separator && !is_line_end(peek(csv, 0)))
        csv->at++;
    buffer_append(&csv->values, csv->text.data + start, csv->at - start);
}

static enum status take_field(struct csv *csv, size_t line, size_t *count, struct error *error)
{
    if (*count == CSV_MOST_FIELDS)
        return error_set(error, STATUS_INVALID, "54000", NULL, "line %zu: more than %d fields",
                         line, CSV_MOST_FIELDS);
    size_t start = csv->values.len;
    csv->starts[(*count)++] = start;
    if (peek(csv, 0) == '"')
        TRY(take_quoted(csv, line, error));
    else
        take_plain(csv);
    if (csv->values.overflowed || csv->values.len - start > CSV_FIELD_BYTES)
        return error_set(error, STATUS_INVALID, "54000", NULL, "line %zu: a field is too long",
                         line);
    buffer_append_u8(&csv->values, 0);
    return STATUS_OK;
}

enum status csv_next(struct csv *csv, struct csv_row *row, struct error *error)
{
    while (!at_end(csv) && is_line_end(peek(csv, 0)))
        take_line_end(csv);
    if (at_end(csv))
        return STATUS_NOT_FOUND;
    size_t line = csv->line, count = 0;
    buffer_clear(&csv->values);
    for (;;) {
        TRY(take_field(csv, line, &count, error));
        if (at_end(csv) || is_line_end(peek(csv, 0)))
            break;
        csv->at++; /* the separator: another field follows, be it empty */
    }
    if (!at_end(csv))
        take_line_end(csv);
    for (size_t i = 0; i < count; i++)
        csv->fields[i] = (const char *)csv->values.data + csv->starts[i];
    *row = (struct csv_row){line, csv->fields, count};
    return STATUS_OK;
}

static bool is_filler(char c)
{
    return c == ' ' || c == '_' || c == '-' || c == '\t';
}

static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (is_filler(*a))
            a++;
        while (is_filler(*b))
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
    }
}

size_t csv_column(const struct csv_row *row, const char *const *names)
{
    for (; *names != NULL; names++)
        for (size_t i = 0; i < row->count; i++)
            if (same_name(row->fields[i], *names))
                return i;
    return row->count;
}

static bool is_formula(const char *field)
{
    size_t sign = field[0] == '-' || field[0] == '+';
    size_t digits = strspn(field + sign, "0123456789.");
    bool is_number = digits > 0 && field[sign + digits] == '\0';
    return field[0] != '\0' && strchr("=+-@\t\r", field[0]) != NULL && !is_number;
}

static void append(struct buffer *out, const char *before, const char *field)
{
    if (strpbrk(field, ",\"\r\n") == NULL) {
        buffer_append_text(out, before);
        buffer_append_text(out, field);
        return;
    }
    buffer_append_u8(out, '"');
    buffer_append_text(out, before);
    for (; *field != '\0'; field++) {
        if (*field == '"')
            buffer_append_u8(out, '"');
        buffer_append_u8(out, (uint8_t)*field);
    }
    buffer_append_u8(out, '"');
}

void csv_append(struct buffer *out, const char *field)
{
    append(out, "", field);
}

void csv_append_disarmed(struct buffer *out, const char *field)
{
    append(out, is_formula(field) ? "'" : "", field);
}
