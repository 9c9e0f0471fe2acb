/* A new phase: a new cut-off, for facts that came after the last one. */
#include <stdio.h>
#include <string.h>

#include "incident/scope.h"
#include "ledger/ledger.h"

enum { ARENA_BYTES = 256 * 1024, PATH_BYTES = 4096 };

enum status scope_confirmed_phase(struct casework *casework, int64_t incident, const char *reason,
                                  const struct incident_confirmation *confirmation, int64_t *number,
                                  struct error *error)
{
    struct admin_client *admin;
    struct admin_cutoff cutoff;
    struct incident found;
    struct arena arena;
    if (reason == NULL || reason[0] == '\0')
        return error_set(error, STATUS_INVALID, "22023", "add --reason",
                         "a new phase needs a reason: people will ask what changed");
    TRY(casework_check_open(casework, incident, error));
    arena_init(&arena, ARENA_BYTES);
    enum status status = incidents_get(casework->incidents, incident, &arena, &found, error);
    if (status == STATUS_OK)
        status = casework_admin(casework, &admin, error);
    if (status == STATUS_OK)
        status = admin_client_cutoff(admin, &cutoff, error);
    if (status == STATUS_OK) {
        struct incident_phase phase = {.at_ns = cutoff.time_ns,
                                       .cutoff = cutoff.entries,
                                       .by = casework->by,
                                       .reason = reason};
        memcpy(phase.root, cutoff.root, sizeof phase.root);
        status = casework_decide(casework, incident, found.partner, "new phase", reason, error);
        if (status == STATUS_OK)
            status = incidents_add_confirmed_phase(casework->incidents, incident, &phase,
                                                   confirmation, error);
        if (status == STATUS_OK)
            *number = phase.number;
    }
    arena_free(&arena);
    return status;
}

enum status scope_new_phase(struct casework *casework, int64_t incident, const char *reason,
                            int64_t *number, struct error *error)
{
    return scope_confirmed_phase(casework, incident, reason, NULL, number, error);
}

/* ---- what came later ---- */

static bool begins(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.data, word, len) == 0;
}

/* Whom staff serve again by their own decision is not what the incident is about. */
static void take_later(const struct ledger_entry *entry, bool *restored, struct scope_later *later)
{
    bool gives = entry->type == LEDGER_DISCLOSURE || entry->type == LEDGER_PROBE;
    if (entry->type == LEDGER_ACT && begins(entry->text, "contain "))
        *restored = false;
    else if (entry->type == LEDGER_ACT && begins(entry->text, "restore "))
        *restored = true;
    else if (entry->type == LEDGER_DECLARED)
        later->declared += (entry->flags & LEDGER_FLAG_OPENING) != 0;
    else if (gives && entry->item_count > 0 && !*restored)
        later->disclosures++;
}

enum status scope_read_later(const struct casework *casework, const char *partner,
                             const struct incident_phase *phase, struct scope_later *later,
                             struct error *error)
{
    char folder[PATH_BYTES];
    struct ledger_reader *reader;
    struct scope_later found = {0};
    struct slice name = slice_of_text(partner);
    bool restored = false;
    snprintf(folder, sizeof folder, "%s/ledger", casework->config->state_folder);
    TRY(ledger_reader_open(folder, phase->cutoff, &reader, error));
    enum status status = ledger_reader_whole(reader, "what came after an incident's phase", error);
    while (status == STATUS_OK) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_OK && slice_equal(entry.partner, name))
            take_later(&entry, &restored, &found);
    }
    ledger_reader_close(reader);
    if (status != STATUS_AGAIN)
        return status;
    *later = found;
    return STATUS_OK;
}
