/* One line of `ledger export`: an item of an entry, or one of its people, as CSV or a JSON object.
 * The columns stand here and, for people, in cofferdam(1). One thread. */
#ifndef COFFERDAM_CLI_EXPORT_LINE_H
#define COFFERDAM_CLI_EXPORT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "ledger/ledger.h"

enum { EXPORT_LINE_BYTES = 16 * 1024 * 1024 };

struct export_format {
    bool json;
    bool subjects; /* a line a subject, with its id and key, instead of a count */
    bool exact;    /* CSV: no apostrophe before what a spreadsheet takes for a formula */
};

/* Texts are borrowed; NULL where there is none. */
struct export_line {
    uint64_t sequence;
    const struct ledger_entry *entry;
    const struct ledger_item *item; /* NULL: the entry has none */
    size_t item_index;
    const char *read;      /* text of the entry's column set */
    const char *columns;   /* of the item's */
    const char *kind_name; /* of the item's kind */
    uint64_t subjects;     /* how many the item names */
    uint32_t subject;      /* one of them, and its key; NULL: it was erased */
    const char *key;
};

/* CSV's first line (RFC 4180); nothing for JSON. */
void export_head(const struct export_format *format, struct buffer *out);
/* Appends one line, with its end (CRLF in CSV). */
void export_append(const struct export_format *format, const struct export_line *line,
                   struct buffer *out);

#endif
