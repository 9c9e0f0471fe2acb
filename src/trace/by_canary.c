/* Canaries: invented people, each in one delivery alone. A line is a canary's where it holds what
 * was invented for it and can be nobody else's (an address, a number, a key, a token), or two
 * values of it, one of them invented, and nobody real fits the line: an invented name alone is
 * ordinary. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/deliveries.h"
#include "trace/looks.h"
#include "trace/private.h"

enum { PATH_ROOM = 4096, CANARIES_MAX = 100000, CANDIDATES = 64, LEAST_BYTES = 3 };

/* What one line has of one canary. */
struct candidate {
    uint32_t canary; /* place in tracing->canaries */
    unsigned values;
    bool invented, strong;
};
struct looking {
    struct tracing *tracing;
    struct deliveries *deliveries;
    struct candidate candidates[CANDIDATES];
    size_t count;
    /* ---- the cell at hand ---- */
    const struct column *column;
    unsigned looks;
    uint32_t last; /* counted already for this cell: a row may have a value twice */
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* The place of a canary of a delivery, made where it is new. */
static enum status find_canary(struct looking *looking, const struct canary *canary, uint32_t *at,
                               struct error *error)
{
    struct tracing *tracing = looking->tracing;
    struct delivery delivery;
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
    TRY(deliveries_get(looking->deliveries, canary->delivery, &tracing->arena, &delivery, error));
    tracing->canaries[tracing->canary_count] =
        (struct found_canary){.delivery = delivery.id,
                              .partner = delivery.partner,
                              .agent = delivery.agent == NULL ? "" : delivery.agent,
                              .row = canary->row,
                              .opened_ns = delivery.opened_ns};
    *at = (uint32_t)tracing->canary_count++;
    return STATUS_OK;
}

static enum status take(void *context, const struct canary *canary, struct error *error)
{
    const unsigned unique =
        LOOKS_EMAIL | LOOKS_PHONE | LOOKS_VIN | LOOKS_VRM | LOOKS_TOKEN | LOOKS_UUID;
    struct looking *looking = context;
    uint32_t at = 0;
    TRY(find_canary(looking, canary, &at, error));
    size_t i = 0;
    while (i < looking->count && looking->candidates[i].canary != at)
        i++;
    if (i == CANDIDATES)
        return STATUS_OK; /* a value that so many canaries have tells nothing */
    if (i == looking->count)
        looking->candidates[looking->count++] = (struct candidate){.canary = at};
    struct candidate *candidate = &looking->candidates[i];
    candidate->values += looking->last != at;
    looking->last = at;
    candidate->invented = candidate->invented || canary->is_invented;
    candidate->strong =
        candidate->strong ||
        (canary->is_invented && ((looking->looks & unique) != 0 ||
                                 (looking->column->is_key && strcmp(canary->key, "") != 0)));
    return STATUS_OK;
}

static const struct candidate *best_of(const struct looking *looking)
{
    const struct candidate *best = NULL;
    for (size_t i = 0; i < looking->count; i++) {
        const struct candidate *at = &looking->candidates[i];
        if (!at->strong && (!at->invented || at->values < 2))
            continue;
        if (best == NULL || at->strong > best->strong ||
            (at->strong == best->strong && at->values > best->values))
            best = at;
    }
    return best;
}

static enum status look(struct looking *looking, size_t line, bool strong_only, struct error *error)
{
    struct tracing *tracing = looking->tracing;
    struct match *match = &tracing->matches[line];
    looking->count = 0;
    for (size_t c = 0; c < tracing->leak.column_count; c++) {
        const char *cell = leak_cell(&tracing->leak, line, c);
        if (cell == NULL || strlen(cell) < LEAST_BYTES)
            continue;
        looking->column = &tracing->report->columns.all[c];
        looking->looks = looks_of(cell);
        looking->last = UINT32_MAX;
        TRY(deliveries_match_canary(looking->deliveries, cell, take, looking, error));
    }
    const struct candidate *best = best_of(looking);
    if (best == NULL || (strong_only && !best->strong))
        return STATUS_OK;
    *match = (struct match){.settled = true,
                            .token_of = WORLD_NO_PARTNER,
                            .way = BY_CANARY,
                            .person = TRACE_NOBODY,
                            .canary = best->canary};
    return STATUS_OK;
}

enum status trace_by_canaries(struct tracing *tracing, bool strong_only, struct error *error)
{
    char path[PATH_ROOM];
    struct looking looking = {.tracing = tracing};
    snprintf(path, sizeof path, "%s/deliveries.sqlite", tracing->casework->config->state_folder);
    if (!file_exists(path)) /* nobody has ever made a delivery */
        return STATUS_OK;
    TRY(deliveries_open(path, &looking.deliveries, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < tracing->leak.line_count && status == STATUS_OK; i++)
        if (!tracing->matches[i].settled)
            status = look(&looking, i, strong_only, error);
    deliveries_close(looking.deliveries);
    return status;
}
