/* See verify.h. */
#include "incident/verify.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/casefile.h"
#include "incident/evidence.h"
#include "ledger/ledger.h"

enum { PATH_BYTES = 64 * 1024, FOLDER_ROOM = 4096 };

static enum status differs(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum status differs(struct error *error, const char *format, ...)
{
    char message[300];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "the case was changed after it was written: restore it from a backup", "%s",
                     message);
}

/* ---- decisions and phases, against the ledger ---- */

struct cursor {
    const struct casefile *casefile;
    const struct table_row *phase; /* the next to be met */
    struct verified verified;
};

enum {
    DECISION_NUMBER = 0,
    DECISION_BY = 2,
    DECISION_STEP = 3,
    DECISION_WHY = 4,
    DECISION_SEQ = 5
};
enum { PHASE_NUMBER = 0, PHASE_CUTOFF = 2, PHASE_ROOT = 3 };

static uint64_t number_of(const struct table_row *row, size_t column)
{
    return strtoull(row->cells[column], NULL, 10);
}

static bool begins(struct slice text, const char *with)
{
    return text.len >= strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

static bool ends(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data + text.len - len, with, len) == 0;
}

/* The gateway adds " by=<whom it saw> (<whom we named>)" to what casework_act_text() says. */
static bool is_act_of(const struct incident *incident, const struct table_row *row,
                      const struct ledger_entry *entry)
{
    char text[CASEWORK_ACT_ROOM], by[160];
    casework_act_text(incident->number, row->cells[DECISION_STEP], row->cells[DECISION_WHY], text);
    snprintf(by, sizeof by, " (%.100s)", row->cells[DECISION_BY]);
    return begins(entry->text, text) && ends(entry->text, by) &&
           (entry->partner.len == 0 ||
            slice_equal(entry->partner, slice_of_text(incident->partner)));
}

/* A program that was killed between ledger and log leaves an act without a decision. Its why is
 * lost; staff say so in a decision that names the entry. */
static enum status check_orphan(const struct cursor *cursor, uint64_t sequence, struct error *error)
{
    char step[64], hint[200];
    snprintf(step, sizeof step, "account for entry %llu", (unsigned long long)sequence);
    if (casefile_decided(cursor->casefile, step))
        return STATUS_OK;
    snprintf(hint, sizeof hint,
             "restore the case from a backup; or, where a command was killed then: cofferdam "
             "incident decide %lld --step \"%s\" --why …",
             (long long)cursor->casefile->incident.number, step);
    return error_set(error, STATUS_CORRUPT, "XX001", hint,
                     "the log lacks the decision of entry %llu of the ledger",
                     (unsigned long long)sequence);
}

/* Each decision has an act of its own, and each act of this incident a decision. */
static enum status check_act(struct cursor *cursor, uint64_t sequence,
                             const struct ledger_entry *entry, struct error *error)
{
    const struct incident *incident = &cursor->casefile->incident;
    const struct table_row *row = cursor->casefile->decisions.first;
    char ours[64];
    while (row != NULL && number_of(row, DECISION_SEQ) != sequence)
        row = row->next;
    snprintf(ours, sizeof ours, "incident %lld: ", (long long)incident->number);
    if (row == NULL)
        return begins(entry->text, ours) ? check_orphan(cursor, sequence, error) : STATUS_OK;
    if (!is_act_of(incident, row, entry))
        return differs(
            error, "decision %s of incident %lld is not what entry %s of the ledger says",
            row->cells[DECISION_NUMBER], (long long)incident->number, row->cells[DECISION_SEQ]);
    cursor->verified.decisions++;
    return STATUS_OK;
}

static enum status check_phases(struct cursor *cursor, const struct ledger_reader *reader,
                                struct error *error)
{
    uint64_t size;
    uint8_t root[CRYPTO_SHA256_BYTES];
    char hex[2 * CRYPTO_SHA256_BYTES + 1];
    ledger_reader_root(reader, &size, root);
    for (const struct table_row *row = cursor->phase;
         row != NULL && number_of(row, PHASE_CUTOFF) == size; row = row->next) {
        crypto_hex(root, sizeof root, hex);
        if (strcmp(hex, row->cells[PHASE_ROOT]) != 0)
            return differs(error, "the ledger's first %llu entries are not those of phase %s",
                           (unsigned long long)size, row->cells[PHASE_NUMBER]);
        cursor->verified.phases++;
        cursor->phase = row->next;
    }
    return STATUS_OK;
}

static enum status read_ledger(struct cursor *cursor, struct ledger_reader *reader,
                               struct error *error)
{
    enum status status = check_phases(cursor, reader, error);
    while (status == STATUS_OK) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN)
            break;
        if (status == STATUS_OK && entry.type == LEDGER_ACT)
            status = check_act(cursor, sequence, &entry, error);
        if (status == STATUS_OK)
            status = check_phases(cursor, reader, error);
        if (status == STATUS_OK)
            cursor->verified.entries = sequence + 1;
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

/* Acts stay when their segments go; the tree of a phase among what was dropped cannot be had. */
static enum status check_kept(const struct cursor *cursor, struct ledger_reader *reader,
                              struct error *error)
{
    struct ledger_dropped dropped;
    if (!ledger_reader_dropped(reader, &dropped) || cursor->phase == NULL ||
        number_of(cursor->phase, PHASE_CUTOFF) >= dropped.below)
        return STATUS_OK;
    return ledger_reader_whole(reader, "verifying an incident", error);
}

static enum status check_ledger(const struct casework *casework, struct cursor *cursor,
                                struct error *error)
{
    char folder[FOLDER_ROOM];
    struct ledger_reader *reader = NULL;
    snprintf(folder, sizeof folder, "%s/ledger", casework->config->state_folder);
    TRY(ledger_reader_open(folder, 0, &reader, error));
    enum status status = check_kept(cursor, reader, error);
    if (status == STATUS_OK)
        status = read_ledger(cursor, reader, error);
    ledger_reader_close(reader);
    TRY(status);
    uint64_t decisions = cursor->casefile->decisions.row_count;
    if (cursor->verified.decisions != decisions)
        return differs(error, "of %llu decisions only %llu have an act of their own in the ledger",
                       (unsigned long long)decisions,
                       (unsigned long long)cursor->verified.decisions);
    if (cursor->phase != NULL)
        return differs(error, "phase %s has a cut-off that the ledger does not have",
                       cursor->phase->cells[PHASE_NUMBER]);
    return STATUS_OK;
}

/* ---- evidence, against its hashes ---- */

static enum status check_file(struct casework *casework, int64_t number, const char *name,
                              const char *sha256, struct arena *arena, struct error *error)
{
    const char *path = NULL;
    char hex[EVIDENCE_HEX_ROOM];
    struct buffer bytes;
    TRY(incidents_path(casework->incidents, number, name, arena, &path, error));
    buffer_init(&bytes, EVIDENCE_BYTES);
    enum status status = evidence_read(path, &bytes, hex, error);
    buffer_free(&bytes);
    if (status == STATUS_NOT_FOUND)
        return differs(error, "evidence %s is gone", name);
    TRY(status);
    if (strcmp(hex, sha256) != 0)
        return differs(error, "evidence %s has SHA-256 %s, not %s", name, hex, sha256);
    return STATUS_OK;
}

static enum status check_evidence(struct casework *casework, struct cursor *cursor,
                                  struct error *error)
{
    enum { NAME = 0, SHA256 = 1 };
    const struct incident *incident = &cursor->casefile->incident;
    enum status status = STATUS_OK;
    struct arena arena;
    arena_init(&arena, PATH_BYTES);
    for (const struct table_row *row = cursor->casefile->evidence.first;
         row != NULL && status == STATUS_OK; row = row->next) {
        status = check_file(casework, incident->number, row->cells[NAME], row->cells[SHA256],
                            &arena, error);
        cursor->verified.files++;
        arena_reset(&arena);
    }
    arena_free(&arena);
    return status;
}

enum status verify_case(struct casework *casework, int64_t number, struct verified *verified,
                        struct error *error)
{
    struct casefile casefile;
    enum status status = casefile_open(casework, number, &casefile, error);
    struct cursor cursor = {.casefile = &casefile, .phase = casefile.phases.first};
    if (status == STATUS_OK)
        status = check_ledger(casework, &cursor, error);
    if (status == STATUS_OK)
        status = check_evidence(casework, &cursor, error);
    if (status == STATUS_OK)
        *verified = cursor.verified;
    casefile_close(&casefile);
    return status;
}
