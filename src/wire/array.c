/* Walks one-dimensional array literals in the one form that PostgreSQL's array_out writes
 * (manual, "Array Input and Output Syntax"). Anything with spaces, nesting or bounds was not made
 * by a statement of ours and is refused.
 * Invariant: between calls *at is 0 or stands on the ',' or '}' behind the last element. */
#include "wire/protocol.h"

#include <strings.h>

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The closing brace must end the text. */
static enum status end_of_array(struct slice text, size_t at)
{
    return at + 1 == text.len ? STATUS_NOT_FOUND : STATUS_PEER;
}

/* From behind the opening quote to behind the closing one; copies only if something is escaped. */
static enum status read_quoted(struct slice text, size_t *at, struct buffer *scratch,
                               struct slice *element)
{
    size_t start = *at, i = start;
    bool escaped = false;
    buffer_clear(scratch);
    for (; i < text.len && text.data[i] != '"'; i++) {
        if (text.data[i] == '\\') {
            if (!escaped)
                buffer_append(scratch, text.data + start, i - start);
            escaped = true;
            if (++i == text.len)
                return STATUS_PEER;
        }
        if (escaped)
            buffer_append_u8(scratch, text.data[i]);
    }
    if (i == text.len)
        return STATUS_PEER;
    if (scratch->overflowed)
        return STATUS_NOMEM;
    *at = i + 1;
    *element = escaped ? buffer_slice(scratch) : slice_of(text.data + start, i - start);
    return STATUS_OK;
}

static enum status read_bare(struct slice text, size_t *at, bool *is_null, struct slice *element)
{
    size_t start = *at, i = start;
    for (; i < text.len && text.data[i] != ',' && text.data[i] != '}'; i++) {
        uint8_t byte = text.data[i];
        if (byte == '{' || byte == '"' || byte == '\\' || is_space(byte))
            return STATUS_PEER;
    }
    if (i == start)
        return STATUS_PEER;
    *at = i;
    *element = slice_of(text.data + start, i - start);
    *is_null = element->len == 4 && strncasecmp((const char *)element->data, "NULL", 4) == 0;
    return STATUS_OK;
}

enum status wire_array_next(struct slice text, size_t *at, struct buffer *scratch, bool *is_null,
                            struct slice *element)
{
    size_t next = *at;
    if (next >= text.len || (next == 0 && text.data[0] != '{'))
        return STATUS_PEER;
    bool first = next == 0;
    if (!first && text.data[next] == '}')
        return end_of_array(text, next);
    next++;
    if (next == text.len)
        return STATUS_PEER;
    if (first && text.data[next] == '}')
        return end_of_array(text, next);

    struct slice found;
    bool null = false;
    if (text.data[next] == '"') {
        next++;
        TRY(read_quoted(text, &next, scratch, &found));
    } else {
        TRY(read_bare(text, &next, &null, &found));
    }
    if (next == text.len || (text.data[next] != ',' && text.data[next] != '}'))
        return STATUS_PEER;
    *at = next;
    *is_null = null;
    *element = null ? slice_of(NULL, 0) : found;
    return STATUS_OK;
}
