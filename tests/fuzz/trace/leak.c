/* Fuzz target: a leaked sample, in whichever form it looks like, and what is told of its values. */
#include <string.h>

#include "base/check.h"
#include "trace/forms.h"
#include "trace/leak.h"
#include "trace/looks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const char *cell, const char *before)
{
    char masked[FORM_TEXT_ROOM];
    CHECK(cell[0] != '\0' && strchr(" \t\r\n", cell[0]) == NULL);
    CHECK(forms_by_looks(cell, "email") != 0 && forms_by_looks(cell, NULL) != 0);
    CHECK(strlen(cell) >= FORM_TEXT_ROOM / 2 || (forms_by_value(cell, cell) & FORM_CLEAR) != 0);
    (void)forms_by_value(cell, before);
    for (unsigned form = FORM_CLEAR; form <= FORM_OTHER; form <<= 1)
        if (forms_apply(form, cell, masked))
            CHECK(strlen(masked) < FORM_TEXT_ROOM && (forms_by_value(masked, cell) & form) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leak leak;
    struct error error;
    enum status status = leak_parse(slice_of(data, size), LEAK_GUESS, &leak, &error);
    CHECK(status == STATUS_OK || status == STATUS_INVALID || status == STATUS_LIMIT ||
          status == STATUS_NOMEM);
    CHECK(leak.column_count <= LEAK_COLUMNS && leak.line_count <= LEAK_LINES);
    const char *before = "";
    for (size_t i = 0; i < leak.line_count; i++) {
        CHECK(i == 0 || leak.lines[i].number > leak.lines[i - 1].number);
        for (size_t c = 0; c < leak.column_count; c++) {
            const char *cell = leak_cell(&leak, i, c);
            if (cell == NULL)
                continue;
            judge(cell, before);
            before = cell;
        }
    }
    leak_free(&leak);
    return 0;
}
