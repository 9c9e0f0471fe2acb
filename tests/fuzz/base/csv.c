/* Fuzz target: lists that a processor sends, or a sample of what was stolen. */
#include <string.h>

#include "base/check.h"
#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv csv;
    struct csv_row row;
    struct error error;
    size_t line = 0;
    enum status status = csv_open(&csv, slice_of(data, size), &error);
    while (status == STATUS_OK && (status = csv_next(&csv, &row, &error)) == STATUS_OK) {
        size_t bytes = 0;
        CHECK(row.count > 0 && row.count <= CSV_MOST_FIELDS);
        CHECK(row.line > line && csv.line > row.line - 1 && csv.at <= csv.text.len);
        for (size_t i = 0; i < row.count; i++)
            bytes += strlen(row.fields[i]);
        CHECK(bytes <= size);
        line = row.line;
    }
    CHECK(status == STATUS_NOT_FOUND || status == STATUS_INVALID);
    csv_close(&csv);
    return 0;
}
