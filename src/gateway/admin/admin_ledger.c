/* Answers from the ledger itself: its last entries, whom an entry told of, how far it is durable.
 */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"

enum { MAX_LEDGER_LINES = 100000 };

static void ledger_line(struct table *table, uint64_t sequence, const struct ledger_entry *entry,
                        struct ledger *ledger)
{
    char time[21], hash[17], uuid[33];
    uint64_t subjects = 0, ids;
    for (size_t i = 0; i < entry->item_count; i++)
        if (subject_set_count(entry->items[i].subjects, &ids) == STATUS_OK)
            subjects += ids;
    clock_format_utc(entry->time_ns, time);
    crypto_hex(entry->statement_hash, 8, hash);
    crypto_hex(entry->uuid, 16, uuid);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%llu", (unsigned long long)sequence);
    table_set(table, row, 1, "%s", time);
    table_set(table, row, 2, "%s", ledger_type_name(entry->type));
    table_set(table, row, 3, "%.*s", (int)entry->partner.len, (const char *)entry->partner.data);
    table_set(table, row, 4, "%.*s", (int)entry->agent.len, (const char *)entry->agent.data);
    table_set(table, row, 5, "%.*s", (int)entry->purpose.len, (const char *)entry->purpose.data);
    table_set(table, row, 6, "%llu", (unsigned long long)entry->row_count);
    table_set(table, row, 7, "%llu", (unsigned long long)subjects);
    table_set(table, row, 8, "%llu", (unsigned long long)entry->charged);
    table_set(table, row, 9, "%s", ledger_outcome_name(entry->outcome));
    table_set(table, row, 10, "%s", entry->sqlstate);
    table_set(table, row, 11, "%s", hash);
    table_set(table, row, 12, "%s", uuid);
    const char *text = entry->column_set == 0 || entry->type == LEDGER_COLUMN_SET
                           ? NULL
                           : ledger_column_set_text(ledger, entry->column_set);
    if (entry->type == LEDGER_POLICY)
        table_set(table, row, 13, "policy, %zu bytes", entry->text.len);
    else if (entry->type == LEDGER_CHANGE)
        table_set(table, row, 13, "%.*s\n%s", (int)entry->text.len, (const char *)entry->text.data,
                  text == NULL ? "" : text);
    else if (text != NULL)
        table_set(table, row, 13, "%s", text);
    else
        table_set(table, row, 13, "%.*s", (int)entry->text.len, (const char *)entry->text.data);
}

enum status admin_show_ledger(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", "time",      "type",     "partner", "agent",
                                          "purpose",  "rows",      "subjects", "charged", "outcome",
                                          "sqlstate", "statement", "uuid",     "text",    NULL};
    struct server *server = asking->server;
    const char *last = admin_option(asking, "LAST"), *after = admin_option(asking, "AFTER");
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/ledger", server->config->state_folder);
    uint64_t durable = ledger_durable(server->ledger);
    uint64_t count = last == NULL ? 20 : strtoull(last, NULL, 10);
    uint64_t from = durable > count ? durable - count : 0;
    if (after != NULL)
        from = strtoull(after, NULL, 10) + 1;
    struct ledger_reader *reader;
    TRY(ledger_reader_open(folder, from, &reader, error));
    table_init(table, ADMIN_TABLE_BYTES, columns);
    enum status status = STATUS_OK;
    for (size_t lines = 0; lines < MAX_LEDGER_LINES; lines++) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status != STATUS_OK || sequence >= durable)
            break;
        ledger_line(table, sequence, &entry, server->ledger);
    }
    ledger_reader_close(reader);
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        table_free(table);
        return status;
    }
    return STATUS_OK;
}

/* One line a subject: for staff who ask what one statement told, and for the removal oracle. */
struct disclosed {
    struct table *table;
    struct server *server;
    const struct policy *policy;
    uint64_t sequence;
    const struct ledger_entry *entry;
    const struct ledger_item *item;
};

static const char *grade_name(uint8_t grade)
{
    static const char *const names[] = {"",          "direct", "aggregate", "witness",
                                        "influence", "probe",  "changed"};
    return grade < sizeof names / sizeof names[0] ? names[grade] : "unknown";
}

static bool disclosed_line(void *context, uint32_t id)
{
    struct disclosed *told = context;
    char key[256], uuid[33];
    uint16_t kind = told->item->kind;
    if (exposure_key(told->server->exposure, id, &kind, key) != STATUS_OK)
        snprintf(key, sizeof key, "(erased)");
    crypto_hex(told->entry->uuid, 16, uuid);
    const char *columns = ledger_column_set_text(told->server->ledger, told->item->column_set);
    struct table_row *row = table_add(told->table);
    table_set(told->table, row, 0, "%llu", (unsigned long long)told->sequence);
    table_set(told->table, row, 1, "%s", uuid);
    table_set(told->table, row, 2, "%s",
              kind < told->policy->kind_count ? told->policy->kinds[kind].name : "?");
    table_set(told->table, row, 3, "%s", key);
    table_set(told->table, row, 4, "%s", grade_name(told->item->grade));
    table_set(told->table, row, 5, "%s", columns == NULL ? "" : columns);
    return !table_overflowed(told->table);
}

static enum status disclosed_entries(struct disclosed *told, struct ledger_reader *reader,
                                     uint64_t durable, struct error *error)
{
    for (;;) {
        struct ledger_entry entry;
        struct slice side;
        enum status status = ledger_reader_next(reader, &told->sequence, &entry, &side, error);
        if (status == STATUS_AGAIN || (status == STATUS_OK && told->sequence >= durable))
            return STATUS_OK;
        TRY(status);
        told->entry = &entry;
        for (size_t i = 0; i < entry.item_count; i++) {
            told->item = &entry.items[i];
            TRY(subject_set_each(told->item->subjects, disclosed_line, told));
        }
    }
}

enum status admin_show_disclosed(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", "uuid",    "kind", "subject",
                                          "grade",    "columns", NULL};
    struct server *server = asking->server;
    const char *after = admin_option(asking, "AFTER");
    char folder[4096];
    struct ledger_reader *reader;
    if (after == NULL)
        return admin_syntax(error, "SHOW DISCLOSED AFTER sequence");
    snprintf(folder, sizeof folder, "%s/ledger", server->config->state_folder);
    uint64_t durable = ledger_durable(server->ledger);
    TRY(ledger_reader_open(folder, strtoull(after, NULL, 10) + 1, &reader, error));
    struct snapshot *snapshot = server_snapshot(server);
    struct disclosed told = {.table = table, .server = server, .policy = snapshot->policy};
    table_init(table, ADMIN_TABLE_BYTES, columns);
    enum status status = disclosed_entries(&told, reader, durable, error);
    ledger_reader_close(reader);
    snapshot_release(snapshot);
    if (status != STATUS_OK)
        table_free(table);
    return status;
}

struct beginning {
    int64_t began_ns; /* the time of the ledger's first entry */
    bool is_cut;
    struct ledger_dropped dropped;
    int64_t since_ns;
};

static enum status read_beginning(const struct server *server, struct beginning *beginning,
                                  struct error *error)
{
    char folder[4096];
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    snprintf(folder, sizeof folder, "%s/ledger", server->config->state_folder);
    TRY(ledger_reader_open(folder, 0, &reader, error));
    enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
    if (status == STATUS_OK) {
        *beginning =
            (struct beginning){.began_ns = entry.time_ns, .since_ns = ledger_reader_since(reader)};
        beginning->is_cut = ledger_reader_dropped(reader, &beginning->dropped);
        if (beginning->is_cut && beginning->dropped.first_ns < entry.time_ns)
            beginning->began_ns = beginning->dropped.first_ns;
    }
    ledger_reader_close(reader);
    return status;
}

/* Since when answers speak, and what is gone. */
enum status admin_show_since(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"began", "since", "entries", "first", "last", NULL};
    struct beginning beginning;
    char text[SINCE_TEXT_ROOM];
    TRY(read_beginning(asking->server, &beginning, error));
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    clock_format_utc(beginning.began_ns, text);
    table_set(table, row, 0, "%s", text);
    table_set(table, row, 2, "%llu",
              beginning.is_cut ? (unsigned long long)beginning.dropped.entries : 0ULL);
    if (beginning.since_ns == SINCE_EVER)
        return STATUS_OK;
    since_format(beginning.since_ns, table->since);
    table_set(table, row, 1, "%s", table->since);
    clock_format_utc(beginning.dropped.first_ns, text);
    table_set(table, row, 3, "%s", text);
    clock_format_utc(beginning.dropped.last_ns, text);
    table_set(table, row, 4, "%s", text);
    return STATUS_OK;
}

/* What the ledger says now, signed and kept: whoever holds the text can tell later whether it is
 * still so. */
enum status admin_show_cutoff(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"entries", "root",  "time",       "time_ns",
                                          "node",    "since", "checkpoint", NULL};
    struct checkpoint cutoff;
    struct buffer note;
    struct error unsigned_why = {0};
    struct beginning beginning;
    int64_t now_ns;
    char root[2 * sizeof cutoff.root + 1], time[21], since[21];
    TRY(read_beginning(asking->server, &beginning, error));
    buffer_init(&note, NOTE_BYTES_MAX);
    enum status kept = ledger_checkpoint(asking->server->ledger, &cutoff, &note, &unsigned_why);
    if (kept != STATUS_OK) /* the cut-off itself must not wait for room on a disk */
        log_event(LOG_ERROR, "ledger_checkpoint_failed", "error=\"%s\"", unsigned_why.message);
    now_ns = clock_now_ns();
    crypto_hex(cutoff.root, sizeof cutoff.root, root);
    clock_format_utc(now_ns, time);
    clock_format_utc(beginning.since_ns == SINCE_EVER ? beginning.began_ns : beginning.since_ns,
                     since);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%llu", (unsigned long long)cutoff.size);
    table_set(table, row, 1, "%s", root);
    table_set(table, row, 2, "%s", time);
    table_set(table, row, 3, "%lld", (long long)now_ns);
    table_set(table, row, 4, "%s", asking->server->config->ledger.node);
    table_set(table, row, 5, "%s", since);
    if (kept == STATUS_OK && note.len > 0)
        table_set(table, row, 6, "%.*s", (int)note.len, (const char *)note.data);
    buffer_free(&note);
    return STATUS_OK;
}
