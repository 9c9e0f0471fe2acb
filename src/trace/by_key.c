/* People by their keys, and by tokens in the place of keys. A token leads to nobody by itself:
 * those of everybody in the dictionary are made, for each partner that was ever given any, until
 * all in the file are found. A token that is found names the partner for whom it was made. */
#include <stdlib.h>
#include <string.h>

#include "base/since.h"
#include "crypto/crypto.h"
#include "crypto/token.h"
#include "trace/looks.h"
#include "trace/private.h"

enum { KEY_ROOM = 256, UUID_CHARS = 36 };

/* ---- keys ---- */

/* A uuid is in lower case in the dictionary. */
static void plain_key(const char *cell, char key[static KEY_ROOM])
{
    bool is_uuid = (looks_of(cell) & LOOKS_UUID) != 0;
    snprintf(key, KEY_ROOM, "%s", cell);
    for (size_t i = 0; is_uuid && i < UUID_CHARS; i++)
        if (key[i] >= 'A' && key[i] <= 'F')
            key[i] = (char)(key[i] - 'A' + 'a');
}

static enum status match_cell(struct tracing *tracing, size_t line, struct column *column,
                              const char *cell, struct error *error)
{
    const struct policy *policy = tracing->casework->policy;
    char key[KEY_ROOM];
    bool found = false;
    if (strlen(cell) >= KEY_ROOM)
        return STATUS_OK;
    plain_key(cell, key);
    for (size_t k = 0; k < policy->kind_count; k++) {
        uint32_t id;
        if ((column->kind != COLUMNS_ANY_KIND && column->kind != k) ||
            names_find(tracing->world.names, (uint16_t)k, slice_of_text(key), &id) != STATUS_OK)
            continue;
        found = true;
        TRY(trace_found(tracing, line, (uint16_t)k, key, BY_KEY, error));
    }
    column->matched += found;
    return STATUS_OK;
}

enum status trace_by_keys(struct tracing *tracing, struct error *error)
{
    struct columns *columns = &tracing->report->columns;
    for (size_t i = 0; i < tracing->leak.line_count; i++)
        for (size_t c = 0; c < columns->count && !tracing->matches[i].settled; c++) {
            const char *cell = leak_cell(&tracing->leak, i, c);
            if (columns->all[c].how != NULL && columns->all[c].is_key && cell != NULL &&
                (looks_of(cell) & LOOKS_TOKEN) == 0)
                TRY(match_cell(tracing, i, &columns->all[c], cell, error));
        }
    trace_settle(tracing);
    return STATUS_OK;
}

/* ---- tokens ---- */

struct wanted {
    const char *token;
    size_t line, column;
    bool found;
};
struct wanted_list {
    struct wanted *all; /* by token */
    size_t count, missing;
};

static int compare_wanted(const void *a, const void *b)
{
    return strcmp(((const struct wanted *)a)->token, ((const struct wanted *)b)->token);
}

static enum status gather(const struct tracing *tracing, struct wanted_list *list,
                          struct error *error)
{
    const struct columns *columns = &tracing->report->columns;
    size_t capacity = 0;
    for (size_t c = 0; c < columns->count; c++)
        capacity += columns->all[c].is_key ? tracing->leak.line_count : 0;
    list->all = calloc(capacity + 1, sizeof *list->all);
    if (list->all == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < tracing->leak.line_count; i++)
        for (size_t c = 0; c < columns->count && !tracing->matches[i].settled; c++) {
            const char *cell = leak_cell(&tracing->leak, i, c);
            if (columns->all[c].how != NULL && columns->all[c].is_key && cell != NULL &&
                (looks_of(cell) & LOOKS_TOKEN) != 0)
                list->all[list->count++] = (struct wanted){cell, i, c, false};
        }
    qsort(list->all, list->count, sizeof *list->all, compare_wanted);
    list->missing = list->count;
    return STATUS_OK;
}

/* All lines with this token are this person's. */
static enum status take_token(struct tracing *tracing, struct wanted_list *list, const char *token,
                              size_t partner, uint16_t kind, const char *key, struct error *error)
{
    struct wanted wanted = {.token = token};
    struct wanted *found = bsearch(&wanted, list->all, list->count, sizeof wanted, compare_wanted);
    if (found == NULL)
        return STATUS_OK;
    while (found > list->all && strcmp(found[-1].token, token) == 0)
        found--;
    for (; found < list->all + list->count && strcmp(found->token, token) == 0; found++) {
        TRY(trace_found(tracing, found->line, kind, key, BY_TOKEN, error));
        tracing->matches[found->line].token_of = (uint16_t)partner;
        if (found->found) /* forgotten once, and disclosed anew under another id */
            continue;
        tracing->report->columns.all[found->column].matched++;
        found->found = true;
        list->missing--;
    }
    return STATUS_OK;
}

/* The tokens of everybody, as one partner has them. */
static enum status try_partner(struct tracing *tracing, struct wanted_list *list, size_t partner,
                               const uint8_t secret[static TOKEN_SECRET_BYTES], uint8_t (*keys)[32],
                               struct error *error)
{
    const struct policy *policy = tracing->casework->policy;
    uint32_t count = names_next_id(tracing->world.names);
    for (size_t k = 0; k < policy->kind_count; k++) {
        char domain[80];
        snprintf(domain, sizeof domain, "kind:%s", policy->kinds[k].name);
        token_key(secret, tracing->world.partners[partner].name, domain, keys[k]);
    }
    for (uint32_t id = 0; id < count && list->missing > 0; id++) {
        char key[KEY_ROOM], tokens[TOKEN_MOST][TOKEN_ROOM];
        uint16_t kind;
        if (names_key(tracing->world.names, id, &kind, key) != STATUS_OK ||
            kind >= policy->kind_count)
            continue;
        size_t made = token_of_subject(keys[kind], key, tokens);
        for (size_t i = 0; i < made; i++)
            TRY(take_token(tracing, list, tokens[i], partner, kind, key, error));
    }
    return STATUS_OK;
}

static enum status try_all(struct tracing *tracing, struct wanted_list *list, struct error *error)
{
    char path[4096];
    uint8_t secret[TOKEN_SECRET_BYTES];
    size_t kinds = tracing->casework->policy->kind_count;
    snprintf(path, sizeof path, "%s/token.key", tracing->casework->config->state_folder);
    uint8_t(*keys)[32] = calloc(kinds + 1, sizeof *keys);
    if (keys == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = token_secret_read(path, secret, error);
    for (size_t p = 0; p < tracing->world.partner_count && status == STATUS_OK; p++)
        if ((tracing->world.partners[p].has_tokens || tracing->world.since_ns != SINCE_EVER) &&
            list->missing > 0) /* who had tokens may have been dropped from the records */
            status = try_partner(tracing, list, p, secret, keys, error);
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(keys, kinds * sizeof *keys);
    free(keys);
    return status;
}

enum status trace_by_tokens(struct tracing *tracing, struct error *error)
{
    struct wanted_list list = {0};
    enum status status = gather(tracing, &list, error);
    if (status == STATUS_OK && list.count > 0)
        status = try_all(tracing, &list, error);
    free(list.all);
    trace_settle(tracing);
    return status;
}
