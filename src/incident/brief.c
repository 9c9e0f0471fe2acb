/* Gathering a brief: the case file, the scope, and what the ledger says of the partner by now. */
#include "incident/brief.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "incident/scope_scan.h"
#include "ledger/ledger.h"

/* ---- the ledger ---- */

static bool begins_with(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.data, word, len) == 0;
}

/* An agent's containment is not the partner's; the return of one agent is the partner's return. */
static void take_act(struct brief_ledger *ledger, uint64_t sequence,
                     const struct ledger_entry *entry)
{
    if (begins_with(entry->text, "contain ") && entry->agent.len == 0) {
        ledger->contained_entry = sequence;
        ledger->contained_ns = entry->time_ns;
        ledger->restored_ns = INT64_MIN;
    } else if (begins_with(entry->text, "restore ")) {
        ledger->restored_entry = sequence;
        ledger->restored_ns = entry->time_ns;
    }
}

/* Told when it happened, which can be long before the entry. */
static void take_declared(struct brief_ledger *ledger, bool is_counted,
                          const struct ledger_entry *entry)
{
    int64_t at_ns;
    if (!scope_text_instant(entry->text, "at", &at_ns))
        at_ns = entry->time_ns;
    if (at_ns > ledger->declared_last_ns)
        ledger->declared_last_ns = at_ns;
    ledger->declared += is_counted;
    ledger->declared_later += !is_counted;
}

static void take_entry(struct brief_ledger *ledger, uint64_t sequence, uint64_t cutoff,
                       struct slice partner, const struct ledger_entry *entry)
{
    if (ledger->entries++ == 0 && ledger->since_ns == SINCE_EVER)
        ledger->first_ns = entry->time_ns;
    if (!slice_equal(entry->partner, partner))
        return;
    if (entry->type == LEDGER_ACT)
        take_act(ledger, sequence, entry);
    else if (entry->type == LEDGER_DECLARED)
        take_declared(ledger, sequence < cutoff, entry);
    else if (entry->type == LEDGER_DISCLOSURE && sequence >= cutoff && entry->item_count > 0)
        ledger->disclosures_later++;
}

enum status brief_read_ledger(const char *folder, const char *partner, uint64_t cutoff,
                              struct brief_ledger *ledger, struct error *error)
{
    struct ledger_reader *reader;
    struct brief_ledger found = {.first_ns = INT64_MIN,
                                 .contained_ns = INT64_MIN,
                                 .restored_ns = INT64_MIN,
                                 .declared_last_ns = INT64_MIN};
    TRY(ledger_reader_open(folder, 0, &reader, error));
    enum status status = STATUS_OK;
    found.since_ns = ledger_reader_since(reader);
    if (found.since_ns != SINCE_EVER)
        found.first_ns = since_day(found.since_ns);
    while (status == STATUS_OK) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status != STATUS_OK)
            break;
        take_entry(&found, sequence, cutoff, slice_of_text(partner), &entry);
    }
    ledger_reader_close(reader);
    if (status != STATUS_AGAIN)
        return status;
    *ledger = found;
    return STATUS_OK;
}

/* ---- the case ---- */

static enum status get_notice(struct casework *casework, int64_t number, struct arena *arena,
                              struct brief *brief, struct error *error)
{
    enum status status =
        incidents_get_notice(casework->incidents, number, 0, arena, &brief->notice, error);
    brief->has_notice = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status count_messages(struct casework *casework, int64_t number,
                                  const struct table *decisions, struct arena *arena,
                                  struct brief *brief, struct error *error)
{
    const char *path = NULL;
    struct outbox *outbox = NULL;
    struct standing *standing = NULL;
    TRY(incidents_path(casework->incidents, number, CASEWORK_OUTBOX, arena, &path, error));
    if (!brief->has_notice || !file_exists(path))
        return STATUS_OK;
    TRY(outbox_open(path, false, &outbox, error));
    enum status status = standing_open(outbox, brief->notice.number, &standing, error);
    outbox_close(outbox);
    TRY(status);
    standing_count(standing, &brief->messages);
    standing_open_ends(&brief->messages, decisions, &brief->open);
    standing_close(standing);
    return STATUS_OK;
}

static enum status read_messages(struct casework *casework, int64_t number, struct arena *arena,
                                 struct brief *brief, struct error *error)
{
    struct table decisions;
    TRY(incidents_decisions(casework->incidents, number, &decisions, error));
    enum status status = count_messages(casework, number, &decisions, arena, brief, error);
    table_free(&decisions);
    return status;
}

enum status brief_open(struct casework *casework, int64_t incident, int64_t phase,
                       struct arena *arena, struct brief *brief, struct error *error)
{
    *brief = (struct brief){.policy = casework->policy, .now_ns = clock_now_ns()};
    TRY(incidents_get(casework->incidents, incident, arena, &brief->incident, error));
    TRY(incidents_get_phase(casework->incidents, incident, phase, arena, &brief->phase, error));
    TRY(incidents_facts(casework->incidents, incident, &brief->facts, error));
    TRY(incidents_filings(casework->incidents, incident, &brief->filings, error));
    TRY(get_notice(casework, incident, arena, brief, error));
    TRY(read_messages(casework, incident, arena, brief, error));
    brief->partner = policy_find_partner(casework->policy, brief->incident.partner);
    const char *folder = arena_printf(arena, "%s/ledger", casework->config->state_folder);
    CHECK(folder != NULL);
    TRY(brief_read_ledger(folder, brief->incident.partner, brief->phase.cutoff, &brief->ledger,
                          error));
    TRY(scope_open(casework, incident, brief->phase.number, &brief->opened, error));
    brief->scope = brief->opened;
    return STATUS_OK;
}

void brief_close(struct brief *brief)
{
    scope_close(brief->opened);
    table_free(&brief->facts);
    table_free(&brief->filings);
    *brief = (struct brief){0};
}

const char *brief_cell(const struct table *table, const struct table_row *row, const char *column)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i], column) == 0)
            return row->cells[i] == NULL ? "" : row->cells[i];
    return "";
}

const char *brief_fact(const struct brief *brief, const char *name)
{
    for (const struct table_row *row = brief->facts.first; row != NULL; row = row->next)
        if (strcmp(brief_cell(&brief->facts, row, "name"), name) == 0) {
            const char *value = brief_cell(&brief->facts, row, "value");
            return value[0] == '\0' ? NULL : value;
        }
    return NULL;
}
