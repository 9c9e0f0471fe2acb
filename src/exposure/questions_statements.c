/* Which statements gave a partner people whom it had never had. Whether somebody is new depends on
 * the order of all entries before, so this is read off the ledger itself, from its beginning. */
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "exposure/exposure.h"
#include "exposure/index_entry.h"

enum {
    TABLE_BYTES = 64 << 20,
    STATEMENTS_MAX = 1 << 20,
    GRADE_PROBE = 5,
    GRADE_CHANGED = 6,
    HASH_BYTES = 32,
};

struct statement {
    uint8_t hash[HASH_BYTES];
    roaring_bitmap_t *ids;
    uint64_t fresh, rows; /* fresh: people whom the partner had not had */
    int64_t first_ns, last_ns;
};

struct scan {
    const char *partner;
    int64_t from_ns, to_ns, since_ns; /* since: of the ledger */
    roaring_bitmap_t *had;            /* by the partner, up to here */
    struct statement *statements;
    uint32_t *slots; /* open addressing: place + 1; 0 empty */
    size_t count, slot_count;
    struct statement *at_hand; /* of the entry; NULL: outside of the time asked for */
};

/* ---- the statements met ---- */

static size_t slot_of(const struct scan *scan, const uint8_t *hash)
{
    size_t at = load_u64be(hash) & (scan->slot_count - 1);
    while (scan->slots[at] != 0 &&
           memcmp(scan->statements[scan->slots[at] - 1].hash, hash, HASH_BYTES) != 0)
        at = (at + 1) & (scan->slot_count - 1);
    return at;
}

static enum status grow(struct scan *scan, struct error *error)
{
    size_t slot_count = scan->slot_count == 0 ? 1024 : scan->slot_count * 2;
    struct statement *statements =
        realloc(scan->statements, slot_count / 2 * sizeof *scan->statements);
    if (statements == NULL)
        return error_no_memory(error);
    scan->statements = statements;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return error_no_memory(error);
    free(scan->slots);
    scan->slots = slots;
    scan->slot_count = slot_count;
    for (size_t i = 0; i < scan->count; i++)
        slots[slot_of(scan, statements[i].hash)] = (uint32_t)i + 1;
    return STATUS_OK;
}

static enum status find_statement(struct scan *scan, const uint8_t *hash, struct error *error)
{
    if (scan->count == STATEMENTS_MAX)
        return error_set(error, STATUS_LIMIT, "54000", "ask for a shorter time",
                         "more than %d statements", STATEMENTS_MAX);
    if (scan->count == scan->slot_count / 2)
        TRY(grow(scan, error));
    size_t slot = slot_of(scan, hash);
    if (scan->slots[slot] == 0) {
        struct statement *made = &scan->statements[scan->count];
        *made = (struct statement){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
        memcpy(made->hash, hash, HASH_BYTES);
        made->ids = roaring_bitmap_create();
        if (made->ids == NULL)
            return error_no_memory(error);
        scan->slots[slot] = (uint32_t)++scan->count;
    }
    scan->at_hand = &scan->statements[scan->slots[slot] - 1];
    return STATUS_OK;
}

/* ---- entries ---- */

static void take_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    struct scan *scan = context;
    if (place->grade == GRADE_PROBE || place->grade == GRADE_CHANGED ||
        place->grade == INDEX_GRADE_DELETED)
        return; /* gave nothing away */
    for (size_t i = 0; i < count; i++) {
        bool fresh = roaring_bitmap_add_checked(scan->had, ids[i]);
        if (scan->at_hand != NULL)
            scan->at_hand->fresh += fresh;
    }
    if (scan->at_hand != NULL)
        roaring_bitmap_add_many(scan->at_hand->ids, count, ids);
}

static void pass_column_set(void *context, struct slice partner, uint32_t column_set)
{
}

static void pass_deletion(void *context, struct slice partner, int64_t before_ns)
{
}

static enum status take_entry(struct scan *scan, uint64_t sequence,
                              const struct ledger_entry *entry, struct error *error)
{
    const struct entry_sink sink = {
        .context = scan, .ids = take_ids, .column_set = pass_column_set, .deletion = pass_deletion};
    if (!slice_equal(entry->partner, slice_of_text(scan->partner)))
        return STATUS_OK;
    scan->at_hand = NULL;
    if (entry->type == LEDGER_DISCLOSURE && entry->time_ns >= scan->from_ns &&
        entry->time_ns < scan->to_ns) {
        TRY(find_statement(scan, entry->statement_hash, error));
        struct statement *statement = scan->at_hand;
        statement->rows += entry->row_count;
        if (entry->time_ns < statement->first_ns)
            statement->first_ns = entry->time_ns;
        if (entry->time_ns > statement->last_ns)
            statement->last_ns = entry->time_ns;
    }
    return entry_tell(&sink, sequence, entry, error);
}

static enum status read_ledger(struct scan *scan, const char *folder, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    TRY(ledger_reader_open(folder, 0, &reader, error));
    scan->since_ns = ledger_reader_since(reader);
    enum status status = since_refuse(scan->since_ns, scan->to_ns, error);
    while (status == STATUS_OK) {
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_OK)
            status = take_entry(scan, sequence, &entry, error);
    }
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

/* ---- the answer ---- */

static int compare_statements(const void *a, const void *b)
{
    const struct statement *left = a, *right = b;
    if (left->fresh != right->fresh)
        return left->fresh < right->fresh ? 1 : -1;
    return memcmp(left->hash, right->hash, HASH_BYTES);
}

static void show(struct table *table, const struct statement *statement)
{
    char hash[2 * HASH_BYTES + 1], first[21], last[21];
    struct table_row *row = table_add(table);
    crypto_hex(statement->hash, HASH_BYTES, hash);
    clock_format_utc(statement->first_ns, first);
    clock_format_utc(statement->last_ns, last);
    table_set(table, row, 0, "%s", hash);
    table_set(table, row, 1, "%llu", (unsigned long long)statement->fresh);
    table_set(table, row, 2, "%llu",
              (unsigned long long)roaring_bitmap_get_cardinality(statement->ids));
    table_set(table, row, 3, "%llu", (unsigned long long)statement->rows);
    table_set(table, row, 4, "%s", first);
    table_set(table, row, 5, "%s", last);
}

enum status exposure_statements(const char *ledger_folder, const char *partner, int64_t from_ns,
                                int64_t to_ns, size_t most, struct table *table,
                                struct error *error)
{
    static const char *const columns[] = {"statement", "new",  "subjects", "rows",
                                          "first",     "last", NULL};
    struct scan scan = {
        .partner = partner, .from_ns = from_ns, .to_ns = to_ns, .had = roaring_bitmap_create()};
    struct table made;
    if (scan.had == NULL)
        return error_no_memory(error);
    enum status status = read_ledger(&scan, ledger_folder, error);
    if (status == STATUS_OK) {
        table_init(&made, TABLE_BYTES, columns);
        since_format(scan.since_ns, made.since);
        if (scan.count > 0)
            qsort(scan.statements, scan.count, sizeof *scan.statements, compare_statements);
        for (size_t i = 0; i < scan.count && i < most; i++)
            show(&made, &scan.statements[i]);
        if (table_overflowed(&made)) {
            table_free(&made);
            status = error_set(error, STATUS_LIMIT, "54000", "ask for fewer statements",
                               "the answer is larger than %d bytes", TABLE_BYTES);
        } else {
            *table = made;
        }
    }
    for (size_t i = 0; i < scan.count; i++)
        roaring_bitmap_free(scan.statements[i].ids);
    free(scan.statements);
    free(scan.slots);
    roaring_bitmap_free(scan.had);
    return status;
}
