/* Which statements gave a partner people whom it had never had. Whether somebody is new depends on
 * the order of all entries before: what that came to stands in the index's files of days, and of
 * the entries that no file speaks of yet it is found in the same way (index_told.h). */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/since.h"
#include "crypto/crypto.h"
#include "exposure/exposure.h"
#include "exposure/index.h"
#include "exposure/index_build.h"
#include "exposure/index_entry.h"

enum {
    TABLE_BYTES = 64 << 20,
    PIECES_MAX = 1 << 24, /* hours times statements, of one partner */
    BLOCK_WORDS = 1024,   /* a block of bits holds the ids of one high half */
    BLOCKS = 65536,
};

/* What a statement told in one hour: a row of a file, or one gathered from the ledger. */
struct piece {
    struct index_told row;   /* what of it lies in the time asked for */
    uint32_t entries;        /* in its bytes */
    struct index_file *file; /* NULL: bytes are at hand */
    size_t at;
    struct slice bytes;
};

struct statement {
    size_t from, until; /* pieces */
    uint64_t fresh, rows, people;
    int64_t first_ns, last_ns;
};

struct asking {
    const char *partner;
    int64_t from_ns, to_ns, since_ns; /* since: of the ledger */
    struct name_pool pool;
    struct shelf *shelf; /* NULL: none, all is read from the ledger */
    struct told *told;   /* behind the shelf's end */
    struct told_cell **cells;
    struct piece *pieces;
    size_t count, capacity;
    struct statement *statements;
    size_t statement_count;
    uint64_t **blocks; /* BLOCKS, of the ids of one statement; NULL: nobody */
    size_t block_end;
};

/* ---- pieces ---- */

static enum status piece_bytes(const struct piece *piece, struct slice *bytes, struct error *error)
{
    *bytes = piece->bytes;
    return piece->file == NULL ? STATUS_OK
                               : index_file_told_bytes(piece->file, piece->at, bytes, error);
}

struct summing {
    const struct asking *asking;
    struct index_told *row;
};

static enum status sum_entry(void *context, const struct told_entry *entry, struct error *error)
{
    const struct summing *summing = context;
    struct index_told *row = summing->row;
    if (entry->time_ns < summing->asking->from_ns || entry->time_ns >= summing->asking->to_ns)
        return STATUS_OK;
    row->entries++;
    row->fresh += entry->fresh;
    row->rows += entry->rows;
    if (entry->time_ns < row->first_ns)
        row->first_ns = entry->time_ns;
    if (entry->time_ns > row->last_ns)
        row->last_ns = entry->time_ns;
    return STATUS_OK;
}

/* The piece's row, as far as it lies in the time asked for; entries 0: nothing does. */
static enum status cut(const struct asking *asking, struct piece *piece, struct error *error)
{
    struct index_told whole = piece->row;
    struct slice bytes;
    if (whole.first_ns >= asking->from_ns && whole.last_ns < asking->to_ns)
        return STATUS_OK;
    piece->row =
        (struct index_told){.hour = whole.hour, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
    memcpy(piece->row.hash, whole.hash, sizeof whole.hash);
    if (whole.last_ns < asking->from_ns || whole.first_ns >= asking->to_ns)
        return STATUS_OK;
    struct summing summing = {.asking = asking, .row = &piece->row};
    TRY(piece_bytes(piece, &bytes, error));
    return told_each(bytes, whole.entries, whole.hour, sum_entry, &summing, error);
}

static enum status add_piece(struct asking *asking, struct piece *piece, struct error *error)
{
    piece->entries = piece->row.entries;
    TRY(cut(asking, piece, error));
    if (piece->row.entries == 0)
        return STATUS_OK;
    if (asking->count == PIECES_MAX)
        return error_set(error, STATUS_LIMIT, "54000", "ask for a shorter time",
                         "more than %d hours times statements", PIECES_MAX);
    if (asking->count == asking->capacity) {
        size_t capacity = asking->capacity == 0 ? 256 : asking->capacity * 2;
        struct piece *grown = realloc(asking->pieces, capacity * sizeof *grown);
        if (grown == NULL)
            return error_no_memory(error);
        asking->pieces = grown;
        asking->capacity = capacity;
    }
    asking->pieces[asking->count++] = *piece;
    return STATUS_OK;
}

/* ---- from files ---- */

static enum status read_day(struct asking *asking, struct index_file *file, int32_t day,
                            struct error *error)
{
    size_t at, until;
    struct slice name;
    TRY(index_file_find_told(file, day, slice_of_text(asking->partner), &at, &until, error));
    for (; at < until; at++) {
        struct piece piece = {.file = file, .at = at};
        index_file_told_row(file, at, &name, &piece.row);
        TRY(add_piece(asking, &piece, error));
    }
    return STATUS_OK;
}

static enum status read_files(struct asking *asking, struct error *error)
{
    const struct index_manifest *manifest = &asking->shelf->manifest;
    struct index_range range = index_range(asking->from_ns, asking->to_ns);
    for (size_t i = 0; i < manifest->count && manifest->files[i].level == INDEX_DAY; i++) {
        int64_t from_hour = (int64_t)manifest->files[i].first * 24;
        struct index_file *file = asking->shelf->files[i].file;
        if (from_hour + 24 <= range.from_hour || from_hour >= range.until_hour)
            continue;
        TRY(read_day(asking, file, manifest->files[i].first, error));
    }
    return STATUS_OK;
}

/* ---- from the ledger ---- */

static void take_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    told_ids(context, place->grade, ids, count);
}

static void pass_column_set(void *context, struct slice partner, uint32_t column_set)
{
}

static void pass_deletion(void *context, struct slice partner, int64_t before_ns)
{
}

/* Without them an answer would say too little; of what was dropped it says so. Retention may have
 * cut behind the shelf's end since that was opened: then the ledger alone is read (STATUS_CORRUPT).
 */
static enum status lacks(uint64_t next, struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "restore the ledger from a backup",
                     "the ledger lacks entries from %" PRIu64 " on", next);
}

static enum status read_entries(struct asking *asking, struct ledger_reader *reader, uint64_t next,
                                struct error *error)
{
    const struct entry_sink sink = {.context = asking->told,
                                    .ids = take_ids,
                                    .column_set = pass_column_set,
                                    .deletion = pass_deletion};
    struct ledger_entry entry;
    struct slice side, partner = slice_of_text(asking->partner);
    struct ledger_dropped dropped;
    bool begins_at_base = ledger_reader_dropped(reader, &dropped);
    uint64_t sequence;
    if (begins_at_base && asking->shelf != NULL)
        return lacks(next, error);
    for (;; next = sequence + 1) {
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN)
            return STATUS_OK;
        TRY(status);
        if (sequence != next && !(begins_at_base && sequence <= dropped.below))
            return lacks(next, error);
        if (!slice_equal(entry.partner, partner))
            continue;
        TRY(entry_tell(&sink, sequence, &entry, error));
        TRY(told_end(asking->told, &entry, error));
        if (told_bytes(asking->told) > INDEX_READ_MOST)
            return error_set(error, STATUS_LIMIT, "54000", "cofferdam exposure rebuild",
                             "the exposure index is missing or too far behind the ledger");
    }
}

/* The index speaks from the same instant on: it is of this ledger's base. Asked after reading: what
 * was dropped meanwhile is then not claimed. */
static enum status find_since(struct asking *asking, const char *folder, struct error *error)
{
    struct ledger_since since;
    TRY(ledger_since(folder, &since, error));
    asking->since_ns = since.dropped && since.entries > 0 ? since_after(since.last_ns) : SINCE_EVER;
    return since_refuse(asking->since_ns, asking->to_ns, error);
}

static enum status read_ledger(struct asking *asking, const char *folder, struct error *error)
{
    struct ledger_reader *reader = NULL;
    size_t count = 0;
    uint64_t from = asking->shelf == NULL ? 0 : asking->shelf->manifest.sequence;
    enum status status = ledger_reader_open(folder, from, &reader, error);
    if (status == STATUS_NOT_FOUND && asking->shelf != NULL) /* no segment yet */
        return STATUS_OK;
    TRY(status);
    status = read_entries(asking, reader, from, error);
    ledger_reader_close(reader);
    TRY(status);
    TRY(told_list(asking->told, &asking->cells, &count, error));
    for (size_t i = 0; i < count; i++) {
        struct piece piece = {.row = asking->cells[i]->row,
                              .bytes = buffer_slice(&asking->cells[i]->bytes)};
        TRY(add_piece(asking, &piece, error));
    }
    return STATUS_OK;
}

/* ---- statements ---- */

static int compare_pieces(const void *a, const void *b)
{
    const struct piece *left = a, *right = b;
    return memcmp(left->row.hash, right->row.hash, sizeof left->row.hash);
}

static enum status add_up(struct asking *asking, struct error *error)
{
    if (asking->count > 0)
        qsort(asking->pieces, asking->count, sizeof *asking->pieces, compare_pieces);
    asking->statements = calloc(asking->count + 1, sizeof *asking->statements);
    if (asking->statements == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < asking->count; i++) {
        const struct piece *piece = &asking->pieces[i];
        bool begins = i == 0 || compare_pieces(piece - 1, piece) != 0;
        asking->statement_count += begins;
        struct statement *statement = &asking->statements[asking->statement_count - 1];
        if (begins)
            *statement = (struct statement){.from = i, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
        statement->until = i + 1;
        statement->fresh += piece->row.fresh;
        statement->rows += piece->row.rows;
        if (piece->row.first_ns < statement->first_ns)
            statement->first_ns = piece->row.first_ns;
        if (piece->row.last_ns > statement->last_ns)
            statement->last_ns = piece->row.last_ns;
    }
    return STATUS_OK;
}

/* Pieces ascend by statement, and so do statements by where theirs begin. */
static int compare_statements(const void *a, const void *b)
{
    const struct statement *left = a, *right = b;
    if (left->fresh != right->fresh)
        return left->fresh < right->fresh ? 1 : -1;
    return (left->from > right->from) - (left->from < right->from);
}

struct counting {
    struct asking *asking;
    struct statement *statement;
};

/* The bits of these ids; NULL: no memory. */
static uint64_t *block_of(struct asking *asking, uint32_t high)
{
    if (asking->blocks[high] == NULL)
        asking->blocks[high] = calloc(BLOCK_WORDS, sizeof(uint64_t));
    if (high >= asking->block_end)
        asking->block_end = high + 1;
    return asking->blocks[high];
}

static enum status count_entry(void *context, const struct told_entry *entry, struct error *error)
{
    const struct counting *counting = context;
    struct asking *asking = counting->asking;
    uint64_t people = 0;
    if (entry->time_ns < asking->from_ns || entry->time_ns >= asking->to_ns)
        return STATUS_OK;
    for (size_t i = 0; i < entry->count;) {
        uint32_t high = entry->ids[i] >> 16;
        uint64_t *words = block_of(asking, high);
        if (words == NULL)
            return error_no_memory(error);
        for (; i < entry->count && entry->ids[i] >> 16 == high; i++) {
            uint64_t *word = &words[(entry->ids[i] & 0xFFFF) / 64], before = *word;
            *word = before | (uint64_t)1 << entry->ids[i] % 64;
            people += *word != before;
        }
    }
    counting->statement->people += people;
    return STATUS_OK;
}

/* All people of a statement, each once. */
static enum status count_people(struct asking *asking, struct statement *statement,
                                struct error *error)
{
    struct counting counting = {.asking = asking, .statement = statement};
    for (size_t i = 0; i < asking->block_end; i++)
        if (asking->blocks[i] != NULL)
            memset(asking->blocks[i], 0, BLOCK_WORDS * sizeof(uint64_t));
    for (size_t i = statement->from; i < statement->until; i++) {
        const struct piece *piece = &asking->pieces[i];
        struct slice bytes;
        TRY(piece_bytes(piece, &bytes, error));
        TRY(told_each(bytes, piece->entries, piece->row.hour, count_entry, &counting, error));
    }
    return STATUS_OK;
}

/* ---- the answer ---- */

static void show(const struct asking *asking, struct table *table,
                 const struct statement *statement)
{
    const struct piece *piece = &asking->pieces[statement->from];
    char hash[2 * sizeof piece->row.hash + 1], first[21], last[21];
    struct table_row *row = table_add(table);
    crypto_hex(piece->row.hash, sizeof piece->row.hash, hash);
    clock_format_utc(statement->first_ns, first);
    clock_format_utc(statement->last_ns, last);
    table_set(table, row, 0, "%s", hash);
    table_set(table, row, 1, "%llu", (unsigned long long)statement->fresh);
    table_set(table, row, 2, "%llu", (unsigned long long)statement->people);
    table_set(table, row, 3, "%llu", (unsigned long long)statement->rows);
    table_set(table, row, 4, "%s", first);
    table_set(table, row, 5, "%s", last);
}

static enum status answer(struct asking *asking, size_t most, struct table *table,
                          struct error *error)
{
    static const char *const columns[] = {"statement", "new",  "subjects", "rows",
                                          "first",     "last", NULL};
    size_t shown = asking->statement_count < most ? asking->statement_count : most;
    struct table made;
    if (asking->statement_count > 0)
        qsort(asking->statements, asking->statement_count, sizeof *asking->statements,
              compare_statements);
    for (size_t i = 0; i < shown; i++)
        TRY(count_people(asking, &asking->statements[i], error));
    table_init(&made, TABLE_BYTES, columns);
    since_format(asking->since_ns, made.since);
    for (size_t i = 0; i < shown; i++)
        show(asking, &made, &asking->statements[i]);
    if (!table_overflowed(&made)) {
        *table = made;
        return STATUS_OK;
    }
    table_free(&made);
    return error_set(error, STATUS_LIMIT, "54000", "ask for fewer statements",
                     "the answer is larger than %d bytes", TABLE_BYTES);
}

static void end(struct asking *asking)
{
    for (size_t i = 0; i < asking->block_end; i++)
        free(asking->blocks[i]);
    free(asking->blocks);
    free(asking->statements);
    free(asking->pieces);
    free(asking->cells);
    told_free(asking->told);
    shelf_close(asking->shelf);
    name_pool_free(&asking->pool);
}

static enum status find(struct asking *asking, const char *ledger_folder, struct error *error)
{
    asking->blocks = calloc(BLOCKS, sizeof *asking->blocks);
    if (asking->blocks == NULL)
        return error_no_memory(error);
    TRY(told_new(asking->shelf, &asking->pool, &asking->told, error));
    if (asking->shelf != NULL)
        TRY(read_files(asking, error));
    TRY(read_ledger(asking, ledger_folder, error));
    TRY(find_since(asking, ledger_folder, error));
    return add_up(asking, error);
}

/* index_folder NULL: from the ledger alone. */
static enum status ask(struct asking asking, const char *index_folder, const char *ledger_folder,
                       size_t most, struct table *table, struct error *error)
{
    name_pool_init(&asking.pool);
    if (index_folder != NULL)
        asking.shelf = index_shelf_of(index_folder, ledger_folder, &asking.pool);
    enum status status = find(&asking, ledger_folder, error);
    if (status == STATUS_OK)
        status = answer(&asking, most, table, error);
    end(&asking);
    return status;
}

enum status exposure_statements(const char *index_folder, const char *ledger_folder,
                                const char *partner, int64_t from_ns, int64_t to_ns, size_t most,
                                struct table *table, struct error *error)
{
    const struct asking asking = {
        .partner = partner, .from_ns = from_ns, .to_ns = to_ns, .since_ns = SINCE_EVER};
    enum status status = ask(asking, index_folder, ledger_folder, most, table, error);
    if (status == STATUS_CORRUPT) /* files can be damaged where opening does not look */
        status = ask(asking, NULL, ledger_folder, most, table, error);
    return status;
}
