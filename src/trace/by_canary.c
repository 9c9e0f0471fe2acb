/* Canaries: invented people, each in one delivery alone. A line that is wrongly taken for one
 * accuses a copy, so little counts: an invented address, token, uuid or chassis number, which
 * nobody else can have; or, where nobody real fits the line, an invented key or two values, one of
 * them invented, if everything else in the line is the canary's too. Invented names and telephone
 * numbers (of the ranges kept for fiction) are not rare, and whole numbers may be given to real
 * people later. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/deliveries.h"
#include "trace/looks.h"
#include "trace/model.h"
#include "trace/private.h"

enum {
    PATH_ROOM = 4096,
    CANARIES_MAX = 100000,
    CANDIDATES = 64,
    LEAST_BYTES = 3,
    ADDRESS_ROOM = 321
};

/* What one line has of one canary. */
struct candidate {
    uint32_t canary;                /* place in tracing->canaries */
    unsigned values;                /* cells that are its */
    bool unique;                    /* one of them can be nobody else's */
    bool is_key;                    /* one of them is its invented key */
    uint8_t seen[LEAK_COLUMNS / 8]; /* cells that are counted: a row may have a value twice */
};
struct looking {
    struct tracing *tracing;
    struct deliveries *deliveries;
    struct candidate candidates[CANDIDATES];
    size_t count;
    bool overflowed; /* a value that so many canaries have tells nothing */
    /* ---- the cell at hand ---- */
    const struct column *column;
    unsigned looks;
    size_t cell;
    bool invented_only;
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Does the ledger say that this delivery's canaries went out? What it does not say accuses nobody,
 * and is told: somebody has written into the file. */
static const struct committed_delivery *committed_of(struct looking *looking,
                                                     const struct canary *canary)
{
    struct tracing *tracing = looking->tracing;
    const struct committed_delivery *found =
        committed_find(&tracing->world.deliveries, canary->delivery);
    if (found != NULL && found->stands)
        return found;
    snprintf(tracing->refused, sizeof tracing->refused, "%s", canary->delivery);
    tracing->refused_why = found == NULL      ? "the ledger has no such delivery"
                           : !found->complete ? "no file of it was ever made, by the ledger"
                                              : "they are not those that its closing act in the "
                                                "ledger has the hash of";
    return NULL;
}

/* The place of a canary of a delivery, made where it is new. */
static enum status find_canary(struct looking *looking, const struct canary *canary,
                               const struct committed_delivery *delivery, uint32_t *at,
                               struct error *error)
{
    struct tracing *tracing = looking->tracing;
    for (size_t i = 0; i < tracing->canary_count; i++)
        if (tracing->canaries[i].row == canary->row &&
            strcmp(tracing->canaries[i].delivery, canary->delivery) == 0) {
            *at = (uint32_t)i;
            return STATUS_OK;
        }
    if (tracing->canary_count == CANARIES_MAX)
        return error_set(error, STATUS_LIMIT, "54000", "take a smaller sample",
                         "more than %d canaries fit", CANARIES_MAX);
    if (tracing->canary_count == tracing->canary_capacity) {
        size_t more = tracing->canary_capacity == 0 ? 16 : 2 * tracing->canary_capacity;
        struct found_canary *grown = reallocarray(tracing->canaries, more, sizeof *grown);
        if (grown == NULL)
            return out_of_memory(error);
        tracing->canaries = grown;
        tracing->canary_capacity = more;
    }
    tracing->canaries[tracing->canary_count] =
        (struct found_canary){.delivery = delivery->id,
                              .partner = delivery->partner,
                              .agent = delivery->agent,
                              .row = canary->row,
                              .opened_ns = delivery->opened_ns};
    *at = (uint32_t)tracing->canary_count++;
    return STATUS_OK;
}

/* First what was invented, which makes candidates; then the rest, which only adds to them. */
static enum status take(void *context, const struct canary *canary, struct error *error)
{
    const unsigned unique = LOOKS_EMAIL | LOOKS_VIN | LOOKS_TOKEN | LOOKS_UUID;
    struct looking *looking = context;
    uint32_t at = 0;
    if (canary->is_invented != looking->invented_only)
        return STATUS_OK;
    const struct committed_delivery *delivery = committed_of(looking, canary);
    if (delivery == NULL)
        return STATUS_OK;
    TRY(find_canary(looking, canary, delivery, &at, error));
    size_t i = 0;
    while (i < looking->count && looking->candidates[i].canary != at)
        i++;
    if (i == looking->count && !looking->invented_only)
        return STATUS_OK;
    if (i == CANDIDATES) {
        looking->overflowed = true;
        return STATUS_OK;
    }
    struct candidate *candidate = &looking->candidates[i];
    if (i == looking->count) {
        *candidate = (struct candidate){.canary = at};
        looking->count++;
    }
    candidate->values += !model_bit(candidate->seen, looking->cell);
    model_set_bit(candidate->seen, looking->cell);
    if (looking->invented_only) {
        candidate->unique = candidate->unique || (looking->looks & unique) != 0;
        candidate->is_key = candidate->is_key || looking->column->is_key;
    }
    return STATUS_OK;
}

/* As it stands in the file; an address also in lower case, as people copy it. */
static enum status look_at_cell(struct looking *looking, const char *cell, struct error *error)
{
    char lower[ADDRESS_ROOM]; /* RFC 5321 has no longer address */
    size_t len = strlen(cell);
    TRY(deliveries_match_canary(looking->deliveries, cell, take, looking, error));
    if ((looking->looks & LOOKS_EMAIL) == 0 || len >= sizeof lower)
        return STATUS_OK;
    for (size_t i = 0; i <= len; i++)
        lower[i] = cell[i] >= 'A' && cell[i] <= 'Z' ? (char)(cell[i] - 'A' + 'a') : cell[i];
    return strcmp(lower, cell) == 0
               ? STATUS_OK
               : deliveries_match_canary(looking->deliveries, lower, take, looking, error);
}

static enum status look_at_cells(struct looking *looking, size_t line, unsigned *compared,
                                 struct error *error)
{
    struct tracing *tracing = looking->tracing;
    *compared = 0;
    for (size_t c = 0; c < tracing->leak.column_count; c++) {
        const char *cell = leak_cell(&tracing->leak, line, c);
        looking->column = &tracing->report->columns.all[c];
        if (cell == NULL || looking->column->how == NULL || strlen(cell) < LEAST_BYTES)
            continue;
        ++*compared;
        looking->looks = looks_of(cell);
        looking->cell = c;
        TRY(look_at_cell(looking, cell, error));
    }
    return STATUS_OK;
}

/* The one candidate that is sure enough; NULL: none, or several are. */
static const struct candidate *sure_one(const struct looking *looking, bool unique_only,
                                        unsigned compared)
{
    const struct candidate *best = NULL;
    bool tie = false;
    for (size_t i = 0; i < looking->count; i++) {
        const struct candidate *at = &looking->candidates[i];
        bool whole = at->values == compared && !looking->overflowed &&
                     (at->values >= 2 || (at->is_key && looking->tracing->reader != NULL));
        if (!at->unique && (unique_only || !whole))
            continue;
        tie = best != NULL && best->values == at->values && best->unique == at->unique;
        if (best == NULL || at->unique > best->unique ||
            (at->unique == best->unique && at->values > best->values))
            best = at;
    }
    return tie ? NULL : best;
}

static enum status look(struct looking *looking, size_t line, bool unique_only, struct error *error)
{
    unsigned compared = 0;
    looking->count = 0;
    looking->overflowed = false;
    looking->invented_only = true;
    TRY(look_at_cells(looking, line, &compared, error));
    looking->invented_only = false;
    if (looking->count > 0)
        TRY(look_at_cells(looking, line, &compared, error));
    const struct candidate *best = sure_one(looking, unique_only, compared);
    if (best != NULL)
        looking->tracing->matches[line] = (struct match){.settled = true,
                                                         .token_of = WORLD_NO_PARTNER,
                                                         .way = BY_CANARY,
                                                         .person = TRACE_NOBODY,
                                                         .canary = best->canary};
    return STATUS_OK;
}

enum status trace_by_canaries(struct tracing *tracing, bool unique_only, struct error *error)
{
    char path[PATH_ROOM];
    struct looking looking = {.tracing = tracing};
    snprintf(path, sizeof path, "%s/deliveries.sqlite", tracing->casework->config->state_folder);
    if (!file_exists(path)) /* nobody has ever made a delivery */
        return STATUS_OK;
    TRY(deliveries_open(path, &looking.deliveries, error));
    enum status status =
        unique_only ? committed_check(&tracing->world.deliveries, looking.deliveries, error)
                    : STATUS_OK;
    for (size_t i = 0; i < tracing->leak.line_count && status == STATUS_OK; i++)
        if (!tracing->matches[i].settled)
            status = look(&looking, i, unique_only, error);
    deliveries_close(looking.deliveries);
    return status;
}
