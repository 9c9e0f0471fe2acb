/* Tables and records for people. Columns are as wide as their widest cell; columns whose cells are
 * all whole numbers are set to the right. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/check.h"

#define RED   "\033[31;1m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

bool cli_colour(void)
{
    const char *no = getenv("NO_COLOR"); /* https://no-color.org */
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

size_t cli_column(const struct table *table, const char *name)
{
    size_t column = 0;
    while (column < table->column_count && strcmp(table->columns[column], name) != 0)
        column++;
    return column;
}

const char *cli_cell(const struct table *table, const struct table_row *row, const char *name)
{
    size_t column = cli_column(table, name);
    if (column == table->column_count || row->cells[column] == NULL)
        return "";
    return row->cells[column];
}

/* Writes one character of text, escaped if a terminal would obey it, and returns its bytes.
 * *width grows by the columns it takes. out NULL: only measures. */
static size_t put_character(FILE *out, const char *text, size_t *width)
{
    mbstate_t state = {0};
    wchar_t wide = 0;
    size_t len = mbrtowc(&wide, text, strlen(text), &state);
    int columns = len == (size_t)-1 || len == (size_t)-2 ? -1 : wcwidth(wide);
    if (columns >= 0) {
        if (out != NULL)
            fwrite(text, 1, len, out);
        *width += (size_t)columns;
        return len;
    }
    if (len == (size_t)-1 || len == (size_t)-2)
        len = 1;
    for (size_t i = 0; i < len; i++) {
        if (out != NULL && text[i] == '\n')
            fputs("\\n", out);
        else if (out != NULL)
            fprintf(out, "\\x%02x", (unsigned char)text[i]);
        *width += text[i] == '\n' ? 2 : 4;
    }
    return len;
}

static size_t put_text(FILE *out, const char *text)
{
    size_t width = 0;
    while (*text != '\0')
        text += put_character(out, text, &width);
    return width;
}

static void put_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t pad = width - put_text(NULL, text);
    if (right)
        fprintf(out, "%*s", (int)pad, "");
    put_text(out, text);
    if (!right && !last)
        fprintf(out, "%*s", (int)pad, "");
    fputs(last ? "" : "  ", out);
}

static bool is_whole_number(const char *text)
{
    if (*text == '-')
        text++;
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

struct layout {
    size_t width[TABLE_MAX_COLUMNS];
    bool right[TABLE_MAX_COLUMNS];
};

static void lay_out(const struct table *table, struct layout *layout)
{
    for (size_t column = 0; column < table->column_count; column++) {
        layout->width[column] = put_text(NULL, table->columns[column]);
        layout->right[column] = table->row_count > 0;
    }
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        for (size_t column = 0; column < table->column_count; column++) {
            const char *cell = row->cells[column];
            size_t width = cell == NULL ? 0 : put_text(NULL, cell);
            if (width > layout->width[column])
                layout->width[column] = width;
            if (cell != NULL && cell[0] != '\0' && !is_whole_number(cell))
                layout->right[column] = false;
        }
    }
}

static void put_row(FILE *out, const struct table *table, const struct layout *layout,
                    const char *const *cells)
{
    size_t end = table->column_count; /* nothing is padded behind the last text */
    while (end > 0 && (cells[end - 1] == NULL || cells[end - 1][0] == '\0'))
        end--;
    for (size_t column = 0; column < end; column++)
        put_cell(out, cells[column] == NULL ? "" : cells[column], layout->width[column],
                 layout->right[column], column + 1 == end);
    fputc('\n', out);
}

void cli_print_marked(FILE *out, const struct table *table,
                      bool (*marked)(const struct table *table, const struct table_row *row),
                      bool colour)
{
    struct layout layout;
    lay_out(table, &layout);
    fputs(colour ? BOLD : "", out);
    put_row(out, table, &layout, table->columns);
    fputs(colour ? PLAIN : "", out);
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        bool red = colour && marked != NULL && marked(table, row);
        fputs(red ? RED : "", out);
        put_row(out, table, &layout, row->cells);
        fputs(red ? PLAIN : "", out);
    }
}

void cli_print_table(FILE *out, const struct table *table)
{
    if (table->row_count == 0)
        fputs("(none)\n", out);
    else
        cli_print_marked(out, table, NULL, cli_colour());
}

/* ---- within a page ---- */

enum { NARROW = 24 }; /* such a column keeps its width */

/* Bytes of the next line of text that takes at most width columns, a whole word at least. */
static size_t line_len(const char *text, size_t width)
{
    size_t columns = 0, fits = 0;
    for (size_t at = 0; text[at] != '\0';) {
        if (text[at] == ' ' || text[at] == '\n')
            fits = at;
        if (text[at] == '\n')
            return at;
        at += put_character(NULL, text + at, &columns);
        if (columns > width && fits > 0)
            return fits;
        if (text[at] == '\0')
            fits = at;
    }
    return fits;
}

static size_t widest_word(const char *text)
{
    size_t widest = 0;
    while (text != NULL && *text != '\0') {
        size_t width = 0;
        while (*text != '\0' && *text != ' ' && *text != '\n')
            text += put_character(NULL, text, &width);
        if (width > widest)
            widest = width;
        text += *text != '\0';
    }
    return widest;
}

/* Takes columns from the widest texts until the table fits, or no word gives way any more. */
static void fit(const struct table *table, struct layout *layout)
{
    size_t least[TABLE_MAX_COLUMNS], sum = 0;
    for (size_t column = 0; column < table->column_count; column++) {
        least[column] = layout->width[column] < NARROW ? layout->width[column]
                                                       : widest_word(table->columns[column]);
        for (const struct table_row *row = table->first; row != NULL; row = row->next) {
            size_t width = widest_word(row->cells[column]);
            if (width > least[column])
                least[column] = width;
        }
        sum += layout->width[column] + (column == 0 ? 0 : 2);
    }
    while (sum > CLI_PAGE_COLUMNS) {
        size_t widest = table->column_count;
        for (size_t column = 0; column < table->column_count; column++)
            if (layout->width[column] > least[column] &&
                (widest == table->column_count || layout->width[column] > layout->width[widest]))
                widest = column;
        if (widest == table->column_count)
            return;
        layout->width[widest]--;
        sum--;
    }
}

static void put_wrapped_row(FILE *out, const struct table *table, const struct layout *layout,
                            const char *const *cells)
{
    const char *rest[TABLE_MAX_COLUMNS], *lines[TABLE_MAX_COLUMNS];
    bool more = true;
    for (size_t column = 0; column < table->column_count; column++)
        rest[column] = cells[column] == NULL ? "" : cells[column];
    while (more) {
        char *copies[TABLE_MAX_COLUMNS] = {NULL};
        more = false;
        for (size_t column = 0; column < table->column_count; column++) {
            size_t len = line_len(rest[column], layout->width[column]);
            copies[column] = strndup(rest[column], len);
            lines[column] = copies[column];
            rest[column] += len;
            rest[column] += *rest[column] != '\0';
            more |= *rest[column] != '\0';
        }
        put_row(out, table, layout, lines);
        for (size_t column = 0; column < table->column_count; column++)
            free(copies[column]);
    }
}

void cli_print_wrapped(FILE *out, const struct table *table)
{
    struct layout layout;
    bool colour = cli_colour();
    if (table->row_count == 0) {
        fputs("(none)\n", out);
        return;
    }
    lay_out(table, &layout);
    fit(table, &layout);
    fputs(colour ? BOLD : "", out);
    put_row(out, table, &layout, table->columns);
    fputs(colour ? PLAIN : "", out);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        put_wrapped_row(out, table, &layout, row->cells);
}

void cli_print_text(FILE *out, const char *text, size_t indent)
{
    while (*text != '\0') {
        size_t len = line_len(text, CLI_PAGE_COLUMNS - indent), width = 0;
        fprintf(out, "%*s", (int)indent, "");
        for (const char *end = text + len; text < end;)
            text += put_character(out, text, &width);
        fputc('\n', out);
        text += *text != '\0';
    }
}

void cli_print_pair(FILE *out, const char *name, const char *value)
{
    size_t width = 0;
    fprintf(out, "%s:%s", name, strchr(value, '\n') == NULL ? " " : "\n    ");
    while (*value != '\0') {
        if (*value != '\n') {
            value += put_character(out, value, &width);
            continue;
        }
        fputs("\n    ", out);
        value++;
    }
    fputc('\n', out);
}

void cli_print_safe(FILE *out, const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        if (*text == '\n')
            fputc(*text++, out);
        else
            text += put_character(out, text, &width);
    }
}

void cli_print_heading(FILE *out, const char *format, ...)
{
    bool colour = cli_colour();
    char *text = NULL;
    va_list args;
    va_start(args, format);
    CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    fputs(colour ? BOLD : "", out);
    cli_print_safe(out, text);
    fputs(colour ? PLAIN : "", out);
    fputc('\n', out);
    free(text);
}
