/* Canonical encoding of entries, big-endian, without padding; the decoder reads bytes of a disk
 * that may have been tampered with, so each field is bounded and each value checked. */
#include "ledger/entry.h"

#include <string.h>

#include "base/limits.h"

enum { ROWS_LENGTH_BYTES = 4 };
enum {
    FLAGS_KNOWN = LEDGER_FLAG_OPENING | LEDGER_FLAG_CLOSING,
    GRADE_AGGREGATE = 2,
    GRADE_LAST = 5,
    GRADE_CHANGED = 6
};

static const char *const type_names[] = {
    [LEDGER_DISCLOSURE] = "disclosure",
    [LEDGER_COLUMN_SET] = "column-set",
    [LEDGER_POLICY] = "policy",
    [LEDGER_REFUSAL] = "refusal",
    [LEDGER_ACT] = "act",
    [LEDGER_PROBE] = "probe",
    [LEDGER_RECOVERED] = "recovered",
    [LEDGER_DECLARED] = "declared",
    [LEDGER_DELETED] = "deleted",
    [LEDGER_CHANGE] = "change",
    [LEDGER_CHANGE_END] = "change-end",
    [LEDGER_KEY] = "key",
    [LEDGER_COMMITMENT] = "commitment",
    [LEDGER_DROPPED] = "dropped",
};

static const char *const outcome_names[] = {
    [LEDGER_OUTCOME_NONE] = "none",
    [LEDGER_OUTCOME_COMPLETE] = "complete",
    [LEDGER_OUTCOME_ERROR] = "error",
    [LEDGER_OUTCOME_BUDGET] = "budget",
    [LEDGER_OUTCOME_CONTAINED] = "contained",
    [LEDGER_OUTCOME_ABANDONED] = "abandoned",
    [LEDGER_OUTCOME_REFUSED] = "refused",
    [LEDGER_OUTCOME_COMMITTED] = "committed",
    [LEDGER_OUTCOME_ROLLED_BACK] = "rolled-back",
    [LEDGER_OUTCOME_IN_DOUBT] = "in-doubt",
};

enum { TYPE_COUNT = sizeof type_names / sizeof type_names[0] };
enum { OUTCOME_COUNT = sizeof outcome_names / sizeof outcome_names[0] };

static bool type_known(enum ledger_type type)
{
    return type >= 1 && (unsigned)type < TYPE_COUNT && type_names[type] != NULL;
}

const char *ledger_type_name(enum ledger_type type)
{
    return type_known(type) ? type_names[type] : "unknown";
}

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? outcome_names[outcome] : "unknown";
}

struct slice ledger_text_value(struct slice text, const char *key)
{
    size_t len = strlen(key);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t line = end == NULL ? text.len : (size_t)(end - text.data);
        if (line > len && memcmp(text.data, key, len) == 0 && text.data[len] == '=')
            return slice_of(text.data + len + 1, line - len - 1);
        size_t taken = end == NULL ? line : line + 1;
        text = slice_of(text.data + taken, text.len - taken);
    }
    return slice_of(NULL, 0);
}

/* "" or five characters of PostgreSQL's alphabet for SQLSTATE: digits and upper-case letters. */
static bool sqlstate_valid(const char *sqlstate, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((sqlstate[i] >= '0' && sqlstate[i] <= '9') ||
              (sqlstate[i] >= 'A' && sqlstate[i] <= 'Z')))
            return false;
    return len == 0 || len == 5;
}

static bool text_valid(struct slice text)
{
    return text.len == 0 || memchr(text.data, '\0', text.len) == NULL;
}

/* Changes name whom they change, and nobody else does. */
static bool items_valid(const struct ledger_entry *entry)
{
    for (size_t i = 0; i < entry->item_count; i++) {
        uint8_t grade = entry->items[i].grade;
        if (entry->items[i].rows.len > 0 && grade != GRADE_AGGREGATE)
            return false;
        if (entry->type == LEDGER_CHANGE ? grade != GRADE_CHANGED : grade < 1 || grade > GRADE_LAST)
            return false;
    }
    return true;
}

static bool has_rows(const struct ledger_entry *entry)
{
    for (size_t i = 0; i < entry->item_count; i++)
        if (entry->items[i].rows.len > 0)
            return true;
    return false;
}

/* The name of the first field whose value is outside its range; NULL if all are fine. */
static const char *find_invalid(const struct ledger_entry *entry)
{
    if (!type_known(entry->type))
        return "type";
    if ((entry->flags & ~FLAGS_KNOWN) != 0)
        return "flags";
    if ((unsigned)entry->outcome >= OUTCOME_COUNT)
        return "outcome";
    if (!sqlstate_valid(entry->sqlstate, strnlen(entry->sqlstate, sizeof entry->sqlstate)))
        return "sqlstate";
    if (!text_valid(entry->node) || !text_valid(entry->partner) || !text_valid(entry->agent) ||
        !text_valid(entry->purpose) || !text_valid(entry->delivery) || !text_valid(entry->text))
        return "a text with NUL";
    if (!items_valid(entry))
        return "grade";
    return NULL;
}

/* Saturating, so that absurd lengths end above the limit instead of wrapping. */
static size_t encoded_size(const struct ledger_entry *entry)
{
    const struct slice texts[] = {entry->node,    entry->partner,  entry->agent,
                                  entry->purpose, entry->delivery, entry->text};
    size_t size = ENTRY_FIXED_BYTES;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].len > LIMIT_LEDGER_ENTRY_BYTES)
            return SIZE_MAX;
        size += texts[i].len;
    }
    if (entry->item_count > LIMIT_LEDGER_ENTRY_BYTES / ENTRY_ITEM_FIXED_BYTES)
        return SIZE_MAX;
    for (size_t i = 0; i < entry->item_count; i++) {
        size_t subjects = entry->items[i].subjects.len, rows = entry->items[i].rows.len;
        if (subjects > LIMIT_LEDGER_ENTRY_BYTES || rows > LIMIT_LEDGER_ENTRY_BYTES)
            return SIZE_MAX;
        size += ENTRY_ITEM_FIXED_BYTES + subjects + rows;
    }
    return size + (has_rows(entry) ? entry->item_count * ROWS_LENGTH_BYTES : 0);
}

static void put_text(struct buffer *out, struct slice text)
{
    buffer_append_u16be(out, (uint16_t)text.len);
    buffer_append(out, text.data, text.len);
}

static void put_identity(struct buffer *out, const struct ledger_entry *entry)
{
    buffer_append_u8(out, has_rows(entry) ? ENTRY_VERSION_ROWS : ENTRY_VERSION);
    buffer_append_u8(out, (uint8_t)entry->type);
    buffer_append_u16be(out, entry->flags);
    buffer_append(out, entry->uuid, sizeof entry->uuid);
    buffer_append_u64be(out, (uint64_t)entry->time_ns);
    put_text(out, entry->node);
    buffer_append_u64be(out, entry->epoch);
    put_text(out, entry->partner);
    put_text(out, entry->agent);
    buffer_append_u64be(out, entry->session);
    put_text(out, entry->purpose);
    put_text(out, entry->delivery);
}

static void put_items(struct buffer *out, const struct ledger_entry *entry)
{
    bool rows = has_rows(entry);
    buffer_append_u16be(out, (uint16_t)entry->item_count);
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct ledger_item *item = &entry->items[i];
        buffer_append_u16be(out, item->kind);
        buffer_append_u8(out, item->grade);
        buffer_append_u32be(out, item->k);
        buffer_append_u32be(out, item->column_set);
        buffer_append_u32be(out, (uint32_t)item->subjects.len);
        buffer_append(out, item->subjects.data, item->subjects.len);
        if (rows) {
            buffer_append_u32be(out, (uint32_t)item->rows.len);
            buffer_append(out, item->rows.data, item->rows.len);
        }
    }
}

static void put_sqlstate(struct buffer *out, const struct ledger_entry *entry)
{
    char state[5] = {0};
    memcpy(state, entry->sqlstate, strnlen(entry->sqlstate, sizeof state));
    buffer_append(out, state, sizeof state);
}

enum status ledger_entry_encode(const struct ledger_entry *entry, struct buffer *out,
                                struct error *error)
{
    size_t size = encoded_size(entry);
    if (size > LIMIT_LEDGER_ENTRY_BYTES)
        return error_set(error, STATUS_LIMIT, "54000", "Split the batch.",
                         "ledger entry is larger than %d bytes", LIMIT_LEDGER_ENTRY_BYTES);
    const char *invalid = find_invalid(entry);
    if (invalid != NULL)
        return error_set(error, STATUS_INVALID, "XX000", NULL, "ledger entry: %s", invalid);
    put_identity(out, entry);
    buffer_append(out, entry->statement_hash, sizeof entry->statement_hash);
    buffer_append(out, entry->policy_id, sizeof entry->policy_id);
    buffer_append_u64be(out, entry->row_count);
    buffer_append_u32be(out, entry->chunk);
    buffer_append_u32be(out, entry->chunk_count);
    buffer_append_u64be(out, entry->lease);
    buffer_append_u64be(out, entry->charged);
    buffer_append_u8(out, (uint8_t)entry->outcome);
    put_sqlstate(out, entry);
    put_text(out, entry->text);
    buffer_append_u32be(out, entry->column_set);
    put_items(out, entry);
    if (out->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a ledger entry");
    return STATUS_OK;
}

/* Reader: borrowed bytes and a sticky flag; past the end every read gives zeros. */
struct cursor {
    const uint8_t *at;
    size_t left;
    bool overrun;
};

static const uint8_t *take(struct cursor *cursor, size_t len)
{
    static const uint8_t zeros[32];
    if (cursor->overrun || cursor->left < len) {
        cursor->overrun = true;
        return zeros;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += len;
    cursor->left -= len;
    return bytes;
}

static struct slice take_bytes(struct cursor *cursor, size_t len)
{
    const uint8_t *bytes = take(cursor, len);
    return cursor->overrun || len == 0 ? slice_of(NULL, 0) : slice_of(bytes, len);
}

static uint32_t take_u32(struct cursor *cursor)
{
    return load_u32be(take(cursor, 4));
}

static uint64_t take_u64(struct cursor *cursor)
{
    return load_u64be(take(cursor, 8));
}

static struct slice take_text(struct cursor *cursor)
{
    size_t len = load_u16be(take(cursor, 2));
    return take_bytes(cursor, len);
}

static void take_identity(struct cursor *cursor, struct ledger_entry *entry)
{
    entry->type = (enum ledger_type) * take(cursor, 1);
    entry->flags = load_u16be(take(cursor, 2));
    memcpy(entry->uuid, take(cursor, sizeof entry->uuid), sizeof entry->uuid);
    entry->time_ns = (int64_t)take_u64(cursor);
    entry->node = take_text(cursor);
    entry->epoch = take_u64(cursor);
    entry->partner = take_text(cursor);
    entry->agent = take_text(cursor);
    entry->session = take_u64(cursor);
    entry->purpose = take_text(cursor);
    entry->delivery = take_text(cursor);
}

static void take_account(struct cursor *cursor, struct ledger_entry *entry)
{
    memcpy(entry->statement_hash, take(cursor, 32), 32);
    memcpy(entry->policy_id, take(cursor, 32), 32);
    entry->row_count = take_u64(cursor);
    entry->chunk = take_u32(cursor);
    entry->chunk_count = take_u32(cursor);
    entry->lease = take_u64(cursor);
    entry->charged = take_u64(cursor);
    entry->outcome = (enum ledger_outcome) * take(cursor, 1);
    memcpy(entry->sqlstate, take(cursor, 5), 5);
    entry->text = take_text(cursor);
    entry->column_set = take_u32(cursor);
}

static void take_items(struct cursor *cursor, struct ledger_item *items, size_t count, bool rows)
{
    for (size_t i = 0; i < count; i++) {
        items[i].kind = load_u16be(take(cursor, 2));
        items[i].grade = *take(cursor, 1);
        items[i].k = take_u32(cursor);
        items[i].column_set = take_u32(cursor);
        size_t len = take_u32(cursor);
        items[i].subjects = take_bytes(cursor, len);
        len = rows ? take_u32(cursor) : 0;
        items[i].rows = take_bytes(cursor, len);
    }
}

static enum status corrupt(struct error *error, const char *what)
{
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "ledger entry: %s", what);
}

/* SQLSTATE on disk is five zeros or five characters: no shorter text with zeros behind. */
static bool sqlstate_canonical(const char sqlstate[static 6])
{
    static const char none[5];
    return strnlen(sqlstate, 5) == 5 || memcmp(sqlstate, none, sizeof none) == 0;
}

enum status ledger_entry_decode(struct slice bytes, struct arena *arena, struct ledger_entry *entry,
                                struct error *error)
{
    struct cursor cursor = {.at = bytes.data, .left = bytes.len};
    struct ledger_entry read = {0};
    if (bytes.len > LIMIT_LEDGER_ENTRY_BYTES)
        return corrupt(error, "too long");
    uint8_t version = *take(&cursor, 1);
    if (version != ENTRY_VERSION && version != ENTRY_VERSION_ROWS)
        return corrupt(error, "unknown version");
    take_identity(&cursor, &read);
    take_account(&cursor, &read);
    size_t count = load_u16be(take(&cursor, 2));
    if (cursor.overrun || count > cursor.left / ENTRY_ITEM_FIXED_BYTES)
        return corrupt(error, "too short");
    struct ledger_item *items = NULL;
    if (count > 0) {
        items = arena_array(arena, struct ledger_item, count);
        if (items == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a ledger entry");
        take_items(&cursor, items, count, version == ENTRY_VERSION_ROWS);
    }
    read.items = items;
    read.item_count = count;
    if (cursor.overrun)
        return corrupt(error, "too short");
    if (cursor.left > 0)
        return corrupt(error, "bytes behind its end");
    if (has_rows(&read) != (version == ENTRY_VERSION_ROWS))
        return corrupt(error, "version");
    const char *invalid = find_invalid(&read);
    if (invalid == NULL && !sqlstate_canonical(read.sqlstate))
        invalid = "sqlstate";
    if (invalid != NULL)
        return corrupt(error, invalid);
    *entry = read;
    return STATUS_OK;
}
