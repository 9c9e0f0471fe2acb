/* See export_line.h. Each column is a function that fills in a cell, so that CSV and JSON, heading
 * and line, cannot differ in what they hold. */
#include "cli/export_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/json.h"
#include "crypto/crypto.h"

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_NUMBER, CELL_TRUE, CELL_FALSE, CELL_LIST };

enum { CELL_ROOM = 80 };

struct cell {
    enum cell_kind kind;
    char room[CELL_ROOM]; /* where the text is short and made here */
    struct slice text;    /* LIST: lines */
    uint64_t number;
};

static void set_number(struct cell *cell, uint64_t number)
{
    cell->kind = CELL_NUMBER;
    cell->number = number;
}

static void set_slice(struct cell *cell, struct slice text)
{
    cell->kind = text.len > 0 ? CELL_TEXT : CELL_NONE;
    cell->text = text;
}

static void set_text(struct cell *cell, const char *text)
{
    set_slice(cell, text == NULL ? slice_of(NULL, 0) : slice_of_text(text));
}

static void set_flag(struct cell *cell, bool on)
{
    cell->kind = on ? CELL_TRUE : CELL_FALSE;
}

/* All zeros: there is none. */
static void set_hex(struct cell *cell, const uint8_t *bytes, size_t len)
{
    static const uint8_t zeros[32];
    if (memcmp(bytes, zeros, len) == 0)
        return;
    crypto_hex(bytes, len, cell->room);
    set_text(cell, cell->room);
}

static void set_list(struct cell *cell, const char *lines)
{
    set_text(cell, lines);
    if (cell->kind == CELL_TEXT)
        cell->kind = CELL_LIST;
}

/* ---- columns ---- */

#define COLUMN(name) static void name(const struct export_line *line, struct cell *cell)

COLUMN(put_sequence)
{
    set_number(cell, line->sequence);
}
COLUMN(put_time)
{
    int64_t ns = line->entry->time_ns;
    char second[21];
    clock_format_utc(ns, second);
    snprintf(cell->room, sizeof cell->room, "%.19s.%09" PRId64 "Z", second,
             (ns % 1000000000 + 1000000000) % 1000000000);
    set_text(cell, cell->room);
}
COLUMN(put_type)
{
    set_text(cell, ledger_type_name(line->entry->type));
}
COLUMN(put_statement)
{
    set_hex(cell, line->entry->uuid, sizeof line->entry->uuid);
}
COLUMN(put_opening)
{
    set_flag(cell, (line->entry->flags & LEDGER_FLAG_OPENING) != 0);
}
COLUMN(put_closing)
{
    set_flag(cell, (line->entry->flags & LEDGER_FLAG_CLOSING) != 0);
}
COLUMN(put_node)
{
    set_slice(cell, line->entry->node);
}
COLUMN(put_partner)
{
    set_slice(cell, line->entry->partner);
}
COLUMN(put_agent)
{
    set_slice(cell, line->entry->agent);
}
COLUMN(put_session)
{
    set_number(cell, line->entry->session);
}
COLUMN(put_purpose)
{
    set_slice(cell, line->entry->purpose);
}
COLUMN(put_delivery)
{
    set_slice(cell, line->entry->delivery);
}
COLUMN(put_hash)
{
    set_hex(cell, line->entry->statement_hash, 32);
}
COLUMN(put_policy)
{
    set_hex(cell, line->entry->policy_id, 32);
}
COLUMN(put_rows)
{
    set_number(cell, line->entry->row_count);
}
COLUMN(put_chunk)
{
    set_number(cell, line->entry->chunk);
}
COLUMN(put_chunks)
{
    set_number(cell, line->entry->chunk_count);
}
COLUMN(put_charged)
{
    set_number(cell, line->entry->charged);
}
COLUMN(put_outcome)
{
    if (line->entry->outcome != LEDGER_OUTCOME_NONE)
        set_text(cell, ledger_outcome_name(line->entry->outcome));
}
COLUMN(put_sqlstate)
{
    set_text(cell, line->entry->sqlstate);
}
COLUMN(put_text)
{
    set_slice(cell, line->entry->text);
}
COLUMN(put_read)
{
    set_list(cell, line->read);
}
COLUMN(put_item)
{
    if (line->item != NULL)
        set_number(cell, line->item_index + 1);
}
COLUMN(put_kind)
{
    if (line->item != NULL)
        set_number(cell, line->item->kind);
}
COLUMN(put_kind_name)
{
    set_text(cell, line->kind_name);
}
COLUMN(put_grade)
{
    static const char *const names[] = {"",          "direct", "aggregate", "witness",
                                        "influence", "probe",  "changed"};
    if (line->item != NULL && line->item->grade < sizeof names / sizeof names[0])
        set_text(cell, names[line->item->grade]);
}
COLUMN(put_k)
{
    if (line->item != NULL)
        set_number(cell, line->item->k);
}
COLUMN(put_columns)
{
    set_list(cell, line->columns);
}
COLUMN(put_subjects)
{
    if (line->item != NULL)
        set_number(cell, line->subjects);
}
COLUMN(put_subject)
{
    if (line->item != NULL && line->subjects > 0)
        set_number(cell, line->subject);
}
COLUMN(put_key)
{
    set_text(cell, line->key);
}

static const struct {
    const char *name;
    void (*put)(const struct export_line *line, struct cell *cell);
    bool of_subjects; /* only where there is a line a subject */
} columns[] = {
    {"sequence", put_sequence, false},
    {"time", put_time, false},
    {"type", put_type, false},
    {"statement", put_statement, false},
    {"opening", put_opening, false},
    {"closing", put_closing, false},
    {"node", put_node, false},
    {"partner", put_partner, false},
    {"agent", put_agent, false},
    {"session", put_session, false},
    {"purpose", put_purpose, false},
    {"delivery", put_delivery, false},
    {"statement_hash", put_hash, false},
    {"policy", put_policy, false},
    {"rows", put_rows, false},
    {"chunk", put_chunk, false},
    {"chunks", put_chunks, false},
    {"charged", put_charged, false},
    {"outcome", put_outcome, false},
    {"sqlstate", put_sqlstate, false},
    {"text", put_text, false},
    {"columns_read", put_read, false},
    {"item", put_item, false},
    {"kind", put_kind, false},
    {"kind_name", put_kind_name, false},
    {"grade", put_grade, false},
    {"k", put_k, false},
    {"columns", put_columns, false},
    {"subjects", put_subjects, false},
    {"subject", put_subject, true},
    {"key", put_key, true},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

/* ---- CSV ---- */

/* What a spreadsheet would compute instead of show (OWASP, "CSV Injection"): a blank apostrophe
 * before it makes it a text there. */
static bool is_formula(struct slice text)
{
    return text.len > 0 && memchr("=+-@\t\r", text.data[0], 6) != NULL;
}

static void put_quoted(struct buffer *out, struct slice text, bool exact, char line_end)
{
    bool guard = !exact && is_formula(text), quote = guard;
    for (size_t i = 0; i < text.len && !quote; i++)
        quote = memchr(",\"\r\n", text.data[i], 4) != NULL;
    if (quote)
        buffer_append_u8(out, '"');
    if (guard)
        buffer_append_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buffer_append_u8(out, '"');
        buffer_append_u8(out, text.data[i] == '\n' ? (uint8_t)line_end : text.data[i]);
    }
    if (quote)
        buffer_append_u8(out, '"');
}

static struct slice without_last_end(struct slice lines)
{
    bool ended = lines.len > 0 && lines.data[lines.len - 1] == '\n';
    return slice_of(lines.data, lines.len - ended);
}

static void append_csv(const struct cell *cell, bool exact, struct buffer *out)
{
    switch (cell->kind) {
    case CELL_NONE:
        break;
    case CELL_TEXT:
        put_quoted(out, cell->text, exact, '\n');
        break;
    case CELL_LIST:
        put_quoted(out, without_last_end(cell->text), exact, ';');
        break;
    case CELL_NUMBER:
        buffer_printf(out, "%" PRIu64, cell->number);
        break;
    case CELL_TRUE:
    case CELL_FALSE:
        buffer_append_text(out, cell->kind == CELL_TRUE ? "true" : "false");
        break;
    }
}

/* ---- JSON (RFC 8259) ---- */

static void put_json_text(struct buffer *out, struct slice text)
{
    struct buffer terminated;
    buffer_init(&terminated, text.len + 1);
    buffer_append(&terminated, text.data, text.len);
    const char *plain = buffer_text(&terminated);
    json_t *value = plain == NULL ? NULL : cli_json_text(plain);
    size_t len = value == NULL ? 0 : json_dumpb(value, NULL, 0, JSON_ENCODE_ANY);
    uint8_t *room = len == 0 ? NULL : buffer_reserve(out, len);
    if (room != NULL)
        out->len += json_dumpb(value, (char *)room, len, JSON_ENCODE_ANY);
    else
        out->overflowed = true;
    json_decref(value);
    buffer_free(&terminated);
}

static void put_json_list(struct buffer *out, struct slice lines)
{
    lines = without_last_end(lines);
    buffer_append_u8(out, '[');
    for (;;) {
        const uint8_t *end = memchr(lines.data, '\n', lines.len);
        size_t len = end == NULL ? lines.len : (size_t)(end - lines.data);
        put_json_text(out, slice_of(lines.data, len));
        if (end == NULL)
            break;
        buffer_append_u8(out, ',');
        lines = slice_of(end + 1, lines.len - len - 1);
    }
    buffer_append_u8(out, ']');
}

static void append_json(const struct cell *cell, struct buffer *out)
{
    switch (cell->kind) {
    case CELL_NONE:
        buffer_append_text(out, "null");
        break;
    case CELL_TEXT:
        put_json_text(out, cell->text);
        break;
    case CELL_LIST:
        put_json_list(out, cell->text);
        break;
    case CELL_NUMBER:
        buffer_printf(out, "%" PRIu64, cell->number);
        break;
    case CELL_TRUE:
    case CELL_FALSE:
        buffer_append_text(out, cell->kind == CELL_TRUE ? "true" : "false");
        break;
    }
}

/* ---- lines ---- */

void export_head(const struct export_format *format, struct buffer *out)
{
    const char *between = "";
    if (format->json)
        return;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (columns[i].of_subjects && !format->subjects)
            continue;
        buffer_printf(out, "%s%s", between, columns[i].name);
        between = ",";
    }
    buffer_append_text(out, "\r\n");
}

void export_append(const struct export_format *format, const struct export_line *line,
                   struct buffer *out)
{
    const char *between = format->json ? "{" : "";
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct cell cell = {.kind = CELL_NONE};
        if (columns[i].of_subjects && !format->subjects)
            continue;
        columns[i].put(line, &cell);
        buffer_append_text(out, between);
        if (format->json) {
            buffer_printf(out, "\"%s\":", columns[i].name);
            append_json(&cell, out);
        } else {
            append_csv(&cell, format->exact, out);
        }
        between = ",";
    }
    buffer_append_text(out, format->json ? "}\n" : "\r\n");
}
