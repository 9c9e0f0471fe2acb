/* The file of marks: what is published of the references on messages. It says of a reference that
 * somebody already has which issue it is on, and nothing to anybody else.
 *     magic[8] "CFMARK1\n" ‖ count u64 ‖ records, ascending by mark, each
 *     mark[16] ‖ incident u32 ‖ issue u32 ‖ last_day i32 ‖ zero u32
 * All big-endian. Never changed once written, so that it can be mapped. Any thread may search. */
#ifndef COFFERDAM_CRYPTO_MARK_FILE_H
#define COFFERDAM_CRYPTO_MARK_FILE_H

#include <stdbool.h>

#include "crypto/reference.h"

enum { MARK_FILE_HEADER_BYTES = 16, MARK_FILE_RECORD_BYTES = 32 };

struct mark_record {
    uint8_t mark[REFERENCE_MARK_BYTES];
    uint32_t incident, issue; /* issue: the caller's numbering of what was sent */
    int32_t last_day;         /* days since 1970-01-01 UTC; later, it is as good as unknown */
};

/* Sorts the records and appends the file's bytes. */
void mark_file_build(struct mark_record *records, size_t count, struct buffer *out);

struct mark_file {
    const uint8_t *bytes; /* mapped; NULL: not open */
    size_t len, count;
};
/* name is looked up in the folder. STATUS_CORRUPT where it is no such file. */
MUST_USE enum status mark_file_open(int folder, const char *name, struct mark_file *file,
                                    struct error *error);
void mark_file_close(struct mark_file *file); /* fine where it was never open */
void mark_file_get(const struct mark_file *file, size_t at, struct mark_record *record);
/* The same number of comparisons whatever is looked for, found or not. */
bool mark_file_find(const struct mark_file *file, const uint8_t mark[static REFERENCE_MARK_BYTES],
                    struct mark_record *record);

#endif
