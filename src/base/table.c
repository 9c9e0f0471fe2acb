/* Rows of text in an arena. */
#include "base/table.h"
#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>

void table_init(struct table *table, size_t limit_bytes, const char *const *columns)
{
    *table = (struct table){0};
    arena_init(&table->arena, limit_bytes);
    for (; columns[table->column_count] != NULL; table->column_count++) {
        CHECK(table->column_count < TABLE_MAX_COLUMNS);
        table->columns[table->column_count] =
            arena_strdup(&table->arena, columns[table->column_count]);
    }
}

void table_free(struct table *table)
{
    arena_free(&table->arena);
    *table = (struct table){0};
}

struct table_row *table_add(struct table *table)
{
    struct table_row *row =
        arena_alloc(&table->arena, sizeof *row + table->column_count * sizeof row->cells[0]);
    if (row == NULL)
        return NULL;
    if (table->last == NULL)
        table->first = row;
    else
        table->last->next = row;
    table->last = row;
    table->row_count++;
    return row;
}

void table_set(struct table *table, struct table_row *row, size_t column, const char *format, ...)
{
    if (row == NULL)
        return;
    CHECK(column < table->column_count);
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof small) {
        row->cells[column] = arena_copy(&table->arena, small, (size_t)len);
    } else if (len >= 0) {
        char *text = arena_alloc(&table->arena, (size_t)len + 1);
        if (text != NULL)
            vsnprintf(text, (size_t)len + 1, format, again);
        row->cells[column] = text;
    }
    va_end(again);
}

bool table_overflowed(const struct table *table)
{
    return table->arena.overflowed;
}

void table_set_instant(struct table *table, struct table_row *row, size_t column, int64_t time_ns)
{
    char text[21];
    if (time_ns == INT64_MIN || time_ns == INT64_MAX)
        return;
    clock_format_utc(time_ns, text);
    table_set(table, row, column, "%s", text);
}
