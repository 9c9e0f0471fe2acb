/* The rows that an audit table would hold of the same disclosures: reads a ledger and prints one
 * line a person and item for PostgreSQL's COPY: time, partner, agent, purpose, column set, person.
 * Usage: audit_rows LEDGER-FOLDER. Standard output ends early without an error only with the log.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "exposure/subject_set.h"
#include "ledger/ledger.h"

struct printing {
    char head[512]; /* what all rows of an item begin with */
};

static bool print_row(void *context, uint32_t id)
{
    const struct printing *printing = context;
    return printf("%s%" PRIu32 "\n", printing->head, id) > 0;
}

static enum status print_entry(const struct ledger_entry *entry)
{
    struct printing printing;
    char time[21];
    clock_format_utc(entry->time_ns, time);
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct ledger_item *item = &entry->items[i];
        snprintf(printing.head, sizeof printing.head, "%s\t%.*s\t%.*s\t%.*s\t%" PRIu32 "\t", time,
                 (int)entry->partner.len, (const char *)entry->partner.data, (int)entry->agent.len,
                 (const char *)entry->agent.data, (int)entry->purpose.len,
                 (const char *)entry->purpose.data, item->column_set);
        TRY(subject_set_each(item->subjects, print_row, &printing));
    }
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static char room[1 << 20];
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    uint64_t sequence;
    if (argc != 2 || ledger_reader_open(argv[1], 0, &reader, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", argc == 2 ? error.message : "usage: audit_rows LEDGER-FOLDER");
        return 2;
    }
    setvbuf(stdout, room, _IOFBF, sizeof room);
    enum status status;
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, &error)) == STATUS_OK)
        if (entry.type == LEDGER_DISCLOSURE && (status = print_entry(&entry)) != STATUS_OK)
            break;
    ledger_reader_close(reader);
    return status == STATUS_AGAIN && fflush(stdout) == 0 ? 0 : 1;
}
