/* Parsed from its end: the form and the category are our own words, names are not. */
#include "exposure/column_line.h"

#include <string.h>

static struct slice part(struct slice line, size_t from, size_t until)
{
    return slice_of(line.data + from, until - from);
}

/* Where the last colon of the first len bytes is; len if there is none. */
static size_t last_colon(struct slice line, size_t len)
{
    for (size_t at = len; at > 0; at--)
        if (line.data[at - 1] == ':')
            return at - 1;
    return len;
}

static bool split(struct slice line, struct column_line *parts)
{
    size_t dot = 0, last = last_colon(line, line.len), before = last_colon(line, last);
    while (dot < before && line.data[dot] != '.')
        dot++;
    if (last == line.len || before == last || dot == before)
        return false;
    *parts = (struct column_line){.dataset = part(line, 0, dot),
                                  .column = part(line, dot + 1, before),
                                  .form = part(line, before + 1, last),
                                  .category = part(line, last + 1, line.len)};
    return true;
}

bool column_line_next(const char **text, struct column_line *line)
{
    *text += strspn(*text, "\n"); /* a set without columns is an empty line */
    size_t len = strcspn(*text, "\n");
    struct slice bytes = slice_of(*text, len);
    *text += (*text)[len] == '\0' ? len : len + 1;
    return len > 0 && split(bytes, line);
}
