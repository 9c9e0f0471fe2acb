/* COPY's three formats, read. A line is found first and cut into columns then, as PostgreSQL does
 * it: UTF-8 keeps ASCII bytes to itself, so neither step looks at the character set. */
#include "wire/copy_read.h"

#include <string.h>

#include "wire/wire.h"

static const uint8_t signature[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', '\0'};

enum { BINARY_HEADER = sizeof signature + 8, CRITICAL_FLAGS = 0xFFFF };

void wire_copy_read_begin(struct wire_copy_reader *reader, const struct wire_copy *copy,
                          const char *const *names, size_t count)
{
    *reader = (struct wire_copy_reader){.copy = copy, .names = names, .count = count, .line = 1};
}

static enum status bad(const struct wire_copy_reader *reader, struct error *error, const char *what)
{
    return error_set(error, STATUS_DENIED, "22P04", NULL, "line %llu of the data: %s",
                     (unsigned long long)reader->line, what);
}

/* ---- lines ---- */

/* What a byte of the line at the front of the data is. */
enum seen { SEEN_BYTE, SEEN_PAIR, SEEN_LINE_END, SEEN_DATA_END, SEEN_TOO_LITTLE, SEEN_WRONG };

static bool is_csv(const struct wire_copy_reader *reader)
{
    return reader->copy->format == WIRE_COPY_CSV;
}

static enum seen see_return(struct wire_copy_reader *reader, struct slice rest, bool last)
{
    bool open = reader->line_end == WIRE_LINE_END_OPEN;
    if (reader->line_end == WIRE_LINE_END_NL)
        return SEEN_WRONG;
    if (reader->line_end == WIRE_LINE_END_CR)
        return SEEN_LINE_END;
    if (rest.len < 2 && !last)
        return SEEN_TOO_LITTLE;
    bool pair = rest.len >= 2 && rest.data[1] == '\n';
    if (!pair && !open)
        return SEEN_WRONG;
    reader->line_end = pair ? WIRE_LINE_END_CRNL : WIRE_LINE_END_CR;
    return SEEN_LINE_END;
}

static enum seen see_newline(struct wire_copy_reader *reader)
{
    if (reader->line_end != WIRE_LINE_END_OPEN && reader->line_end != WIRE_LINE_END_NL)
        return SEEN_WRONG;
    reader->line_end = WIRE_LINE_END_NL;
    return SEEN_LINE_END;
}

/* "\." ends the data where it stands alone on its line. */
static enum seen see_backslash(const struct wire_copy_reader *reader, struct slice rest, bool first,
                               bool last)
{
    enum seen other = is_csv(reader) ? SEEN_BYTE : SEEN_PAIR;
    if (is_csv(reader) && !first)
        return SEEN_BYTE;
    if (rest.len < 2)
        return last ? SEEN_BYTE : SEEN_TOO_LITTLE;
    if (rest.data[1] != '.')
        return other;
    if (rest.len < 3 && !last)
        return SEEN_TOO_LITTLE;
    bool alone = first && (rest.len < 3 || rest.data[2] == '\n' || rest.data[2] == '\r');
    return alone ? SEEN_DATA_END : is_csv(reader) ? SEEN_BYTE : SEEN_WRONG;
}

/* CSV: whether the next byte stands in quotes. */
static void follow_quotes(struct wire_copy_reader *reader, char c)
{
    const struct wire_copy *copy = reader->copy;
    bool escape = copy->escape != copy->quote && c == copy->escape;
    if (reader->quoted && escape)
        reader->escaped = !reader->escaped;
    if (c == copy->quote && !reader->escaped)
        reader->quoted = !reader->quoted;
    if (!escape)
        reader->escaped = false;
    if (reader->quoted && c == (reader->line_end == WIRE_LINE_END_NL ? '\n' : '\r'))
        reader->line++;
}

static enum seen see(struct wire_copy_reader *reader, struct slice rest, bool first, bool last)
{
    char c = (char)rest.data[0];
    enum seen seen = SEEN_BYTE;
    bool quoted = reader->quoted;
    if (c == '\r' && !quoted)
        seen = see_return(reader, rest, last);
    else if (c == '\n' && !quoted)
        seen = see_newline(reader);
    else if (c == '\\')
        seen = see_backslash(reader, rest, first, last);
    if (is_csv(reader) && (seen == SEEN_BYTE || seen == SEEN_PAIR))
        follow_quotes(reader, c);
    return seen;
}

static enum status wrong_line(const struct wire_copy_reader *reader, char c, struct error *error)
{
    if (c == '\\')
        return bad(reader, error, "the end marker \"\\.\" is not alone on its line");
    if (c == '\r')
        return bad(reader, error,
                   is_csv(reader) ? "an unquoted carriage return" : "a literal carriage return");
    return bad(reader, error, is_csv(reader) ? "an unquoted newline" : "a literal newline");
}

/* The line at the front of data, without its end; *taken with it. Statuses as wire_copy_read's. */
static enum status find_line(struct wire_copy_reader *reader, struct slice data, bool last,
                             struct slice *line, size_t *taken, struct error *error)
{
    size_t at = reader->scanned;
    while (at < data.len) {
        struct slice rest = slice_of(data.data + at, data.len - at);
        switch (see(reader, rest, at == 0, last)) {
        case SEEN_BYTE:
            at++;
            continue;
        case SEEN_PAIR:
            at += 2;
            continue;
        case SEEN_LINE_END:
            *line = slice_of(data.data, at);
            *taken = at + (reader->line_end == WIRE_LINE_END_CRNL ? 2 : 1);
            return STATUS_OK;
        case SEEN_DATA_END:
            reader->ended = true;
            return STATUS_NOT_FOUND;
        case SEEN_TOO_LITTLE:
            reader->scanned = at;
            return STATUS_AGAIN;
        case SEEN_WRONG:
            return wrong_line(reader, (char)rest.data[0], error);
        }
    }
    reader->scanned = at;
    if (!last)
        return STATUS_AGAIN;
    *line = data;
    *taken = data.len;
    return data.len == 0 ? STATUS_NOT_FOUND : STATUS_OK;
}

/* ---- columns ---- */

/* A line on its way into columns. */
struct cutting {
    const struct wire_copy_reader *reader;
    struct slice line;
    size_t at;
    bool more; /* a delimiter stood behind the last column */
    struct buffer *row;
};

static bool is_null(const struct cutting *cutting, size_t start, size_t end)
{
    const char *null = cutting->reader->copy->null;
    return end - start == strlen(null) &&
           memcmp(cutting->line.data + start, null, end - start) == 0;
}

static int digit(uint8_t c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : base;
    return value < base ? value : -1;
}

/* Up to `most` digits at the cutting's place, behind those of `value`. */
static uint8_t number(struct cutting *cutting, int value, int base, int most)
{
    for (; most > 0 && cutting->at < cutting->line.len; most--, cutting->at++) {
        int next = digit(cutting->line.data[cutting->at], base);
        if (next < 0)
            break;
        value = value * base + next;
    }
    return (uint8_t)value;
}

/* What stands behind a backslash. */
static uint8_t unescape(struct cutting *cutting)
{
    static const char letters[] = "bfnrtv", controls[] = "\b\f\n\r\t\v";
    uint8_t c = cutting->line.data[cutting->at++];
    if (digit(c, 8) >= 0)
        return number(cutting, digit(c, 8), 8, 2);
    if (c == 'x' && cutting->at < cutting->line.len &&
        digit(cutting->line.data[cutting->at], 16) >= 0)
        return number(cutting, 0, 16, 2);
    const char *letter = c == '\0' ? NULL : strchr(letters, c);
    return letter == NULL ? c : (uint8_t)controls[letter - letters];
}

/* Is it NULL? */
static bool cut_text(struct cutting *cutting)
{
    const size_t start = cutting->at;
    cutting->more = false;
    while (cutting->at < cutting->line.len) {
        uint8_t c = cutting->line.data[cutting->at++];
        if (c == (uint8_t)cutting->reader->copy->delimiter) {
            cutting->more = true;
            break;
        }
        if (c == '\\' && cutting->at == cutting->line.len)
            break;
        buffer_append_u8(cutting->row, c == '\\' ? unescape(cutting) : c);
    }
    return is_null(cutting, start, cutting->at - cutting->more);
}

/* What stands in quotes, from behind the first to behind the last. */
static bool cut_quoted(struct cutting *cutting)
{
    const uint8_t quote = (uint8_t)cutting->reader->copy->quote;
    const uint8_t escape = (uint8_t)cutting->reader->copy->escape;
    const struct slice line = cutting->line;
    while (cutting->at < line.len) {
        uint8_t c = line.data[cutting->at++];
        uint8_t next = cutting->at < line.len ? line.data[cutting->at] : 0;
        bool pair = c == escape && cutting->at < line.len && (next == escape || next == quote);
        if (!pair && c == quote)
            return true;
        buffer_append_u8(cutting->row, pair ? next : c);
        cutting->at += pair;
    }
    return false;
}

static enum status cut_csv(struct cutting *cutting, size_t column, bool *null, struct error *error)
{
    const struct wire_copy *copy = cutting->reader->copy;
    size_t start = cutting->at, value = cutting->row->len;
    bool quoted = false;
    cutting->more = false;
    while (cutting->at < cutting->line.len && !cutting->more) {
        uint8_t c = cutting->line.data[cutting->at++];
        cutting->more = c == (uint8_t)copy->delimiter;
        if (c == (uint8_t)copy->quote) {
            quoted = true;
            if (!cut_quoted(cutting))
                return bad(cutting->reader, error, "a quoted value does not end");
        } else if (!cutting->more) {
            buffer_append_u8(cutting->row, c);
        }
    }
    size_t len = cutting->row->len - value;
    bool same = !cutting->row->overflowed && len == strlen(copy->null) &&
                memcmp(cutting->row->data + value, copy->null, len) == 0;
    if (quoted)
        *null = same && copy->force_null != NULL && copy->force_null[column];
    else
        *null = is_null(cutting, start, cutting->at - cutting->more) &&
                (copy->force_not_null == NULL || !copy->force_not_null[column]);
    return STATUS_OK;
}

static enum status cut_column(struct cutting *cutting, size_t column, struct error *error)
{
    struct buffer *row = cutting->row;
    size_t start = row->len;
    bool null = false;
    buffer_append_u32be(row, 0);
    if (is_csv(cutting->reader))
        TRY(cut_csv(cutting, column, &null, error));
    else
        null = cut_text(cutting);
    if (row->overflowed)
        return STATUS_OK;
    if (null)
        row->len = start + 4;
    size_t len = row->len - start - 4;
    store_u32be(row->data + start, null ? UINT32_MAX : (uint32_t)len);
    if (memchr(row->data + start + 4, 0, len) != NULL)
        return error_set(error, STATUS_DENIED, "22021", NULL,
                         "line %llu of the data: a value holds the character NUL",
                         (unsigned long long)cutting->reader->line);
    return STATUS_OK;
}

static enum status cut_line(const struct wire_copy_reader *reader, struct slice line,
                            struct buffer *row, struct error *error)
{
    struct cutting cutting = {.reader = reader, .line = line, .more = true, .row = row};
    for (size_t i = 0; i < reader->count; i++) {
        if (!cutting.more)
            return error_set(error, STATUS_DENIED, "22P04", NULL,
                             "line %llu of the data: no value for column \"%s\"",
                             (unsigned long long)reader->line, reader->names[i]);
        TRY(cut_column(&cutting, i, error));
    }
    return cutting.more ? bad(reader, error, "more values than columns") : STATUS_OK;
}

/* ---- header ---- */

static enum status match_header(const struct wire_copy_reader *reader, struct slice line,
                                struct buffer *row, struct error *error)
{
    size_t start = row->len;
    TRY(cut_line(reader, line, row, error));
    if (row->overflowed)
        return STATUS_OK;
    struct wire_reader fields = wire_reader_of(slice_of(row->data + start, row->len - start));
    for (size_t i = 0; i < reader->count; i++) {
        uint32_t len = wire_read_u32(&fields);
        struct slice name = wire_read_bytes(&fields, len == UINT32_MAX ? 0 : len);
        if (len == UINT32_MAX || !slice_equal(name, slice_of_text(reader->names[i])))
            return error_set(error, STATUS_DENIED, "22P04", NULL,
                             "the header does not name column \"%s\" in its place",
                             reader->names[i]);
    }
    row->len = start;
    return STATUS_OK;
}

/* ---- lines to rows ---- */

static enum status next_line(struct wire_copy_reader *reader, struct slice data, bool last,
                             size_t *taken, struct buffer *row, struct error *error)
{
    struct slice line = {0};
    bool header = reader->copy->header && !reader->begun;
    enum status status = find_line(reader, data, last, &line, taken, error);
    if (status == STATUS_NOT_FOUND && header && reader->copy->header_match)
        return bad(reader, error, "there is no header");
    TRY(status);
    if (!header)
        TRY(cut_line(reader, line, row, error));
    else if (reader->copy->header_match)
        TRY(match_header(reader, line, row, error));
    reader->begun = true;
    reader->scanned = 0;
    reader->quoted = reader->escaped = false;
    reader->line++;
    return header ? STATUS_AGAIN : STATUS_OK;
}

/* ---- binary ---- */

static enum status too_short(const struct wire_copy_reader *reader, bool last, struct error *error)
{
    return last ? bad(reader, error, "the data ends in the middle of it") : STATUS_AGAIN;
}

static enum status begin_binary(struct wire_copy_reader *reader, struct slice data, bool last,
                                size_t *taken, struct error *error)
{
    size_t look = data.len < sizeof signature ? data.len : sizeof signature;
    if (look > 0 && memcmp(data.data, signature, look) != 0)
        return bad(reader, error, "the signature of binary COPY is not there");
    if (data.len < BINARY_HEADER)
        return too_short(reader, last, error);
    if (load_u32be(data.data + sizeof signature) >> 16 != 0)
        return bad(reader, error, "the header has flags that are not known");
    size_t extension = load_u32be(data.data + sizeof signature + 4);
    if (extension > LIMIT_MESSAGE_BYTES)
        return bad(reader, error, "the header is too long");
    if (data.len - BINARY_HEADER < extension)
        return too_short(reader, last, error);
    *taken = BINARY_HEADER + extension;
    reader->begun = true;
    return STATUS_OK;
}

static enum status read_values(struct wire_copy_reader *reader, struct slice data, bool last,
                               size_t *taken, struct buffer *row, struct error *error)
{
    struct wire_reader fields = wire_reader_of(data);
    int16_t count = (int16_t)wire_read_u16(&fields);
    if (fields.failed)
        return data.len == 0 && last ? STATUS_NOT_FOUND : too_short(reader, last, error);
    reader->ended = count == -1;
    if (reader->ended)
        return STATUS_NOT_FOUND;
    if (count < 0 || (size_t)count != reader->count)
        return bad(reader, error, "not as many values as columns");
    for (size_t i = 0; i < reader->count; i++) {
        uint32_t len = wire_read_u32(&fields);
        if (!fields.failed && len > INT32_MAX && len != UINT32_MAX)
            return bad(reader, error, "a value's length is negative");
        (void)wire_read_bytes(&fields, len == UINT32_MAX ? 0 : len);
    }
    if (fields.failed)
        return too_short(reader, last, error);
    buffer_append(row, data.data + 2, fields.at - 2);
    *taken += fields.at;
    reader->line++;
    return STATUS_OK;
}

static enum status next_binary(struct wire_copy_reader *reader, struct slice data, bool last,
                               size_t *taken, struct buffer *row, struct error *error)
{
    if (!reader->begun)
        TRY(begin_binary(reader, data, last, taken, error));
    struct slice rest = slice_of(data.data + *taken, data.len - *taken);
    return read_values(reader, rest, last, taken, row, error);
}

enum status wire_copy_read(struct wire_copy_reader *reader, struct slice data, bool last,
                           size_t *taken, struct buffer *row, struct error *error)
{
    enum status status;
    *taken = 0;
    if (reader->ended)
        return STATUS_NOT_FOUND;
    if (reader->copy->format == WIRE_COPY_BINARY)
        return next_binary(reader, data, last, taken, row, error);
    bool header = reader->copy->header && !reader->begun;
    status = next_line(reader, data, last, taken, row, error);
    if (!header || !reader->begun || status != STATUS_AGAIN)
        return status;
    size_t first = *taken, second = 0;
    status =
        next_line(reader, slice_of(data.data + first, data.len - first), last, &second, row, error);
    *taken = first + second;
    return status;
}

void wire_put_copy_in(struct buffer *out, const struct wire_copy *copy, size_t count)
{
    bool binary = copy->format == WIRE_COPY_BINARY;
    size_t start = wire_begin(out, 'G');
    buffer_append_u8(out, binary);
    buffer_append_u16be(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        buffer_append_u16be(out, binary);
    wire_end(out, start);
}
