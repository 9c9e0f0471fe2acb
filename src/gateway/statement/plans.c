/* Plan cache: a fixed table of buckets; when it is full it is emptied, which costs a planning
 * each (tens of microseconds) and needs no bookkeeping on the hot path. */
#include "gateway/statement/plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "crypto/crypto.h"

enum { BUCKETS = 1024, MAX_ENTRIES = 2048 };

struct entry {
    struct entry *next;
    uint64_t hash;
    const struct policy_agent *agent;
    const char *purpose;
    struct planned *planned;
};

struct plans {
    struct entry *buckets[BUCKETS];
    size_t count;
};

struct plans *plans_open(void)
{
    return calloc(1, sizeof(struct plans));
}

void plans_clear(struct plans *plans)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (plans->buckets[i] != NULL) {
            struct entry *entry = plans->buckets[i];
            plans->buckets[i] = entry->next;
            planned_release(entry->planned);
            free(entry);
        }
    }
    plans->count = 0;
}

void plans_close(struct plans *plans)
{
    if (plans == NULL)
        return;
    plans_clear(plans);
    free(plans);
}

bool planned_stale(const struct planned *planned, uint64_t plan_epoch)
{
    return planned->plan_epoch != plan_epoch ||
           clock_by_line_ns(planned->clock_line) >= planned->plan->valid_until_ns;
}

struct planned *planned_retain(struct planned *planned)
{
    planned->references++;
    return planned;
}

void planned_release(struct planned *planned)
{
    if (planned == NULL || --planned->references > 0)
        return;
    plan_release(planned->plan);
    free(planned->column_sets);
    free(planned->pin_columns);
    free(planned->counted);
    free(planned->types);
    free(planned->sql);
    free(planned->database);
    free(planned);
}

/* FNV-1a: the table is ours alone and emptied when full, so a flood of collisions costs its own
 * session a list walk of at most MAX_ENTRIES. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    return hash;
}

static uint64_t request_hash(const struct plans_request *request, size_t sql_len)
{
    uint64_t hash = hash_bytes(0xcbf29ce484222325ULL, request->sql, sql_len);
    hash = hash_bytes(hash, &request->agent, sizeof request->agent);
    return hash_bytes(hash, request->types, request->type_count * sizeof request->types[0]);
}

static bool entry_matches(const struct entry *entry, uint64_t hash,
                          const struct plans_request *request)
{
    const struct planned *planned = entry->planned;
    return entry->hash == hash && entry->agent == request->agent &&
           entry->purpose == request->purpose && !planned_stale(planned, request->plan_epoch) &&
           planned->approvals == request->approvals_mark &&
           planned->type_count == request->type_count &&
           (request->type_count == 0 ||
            memcmp(planned->types, request->types,
                   request->type_count * sizeof request->types[0]) == 0) &&
           strcmp(planned->sql, request->sql) == 0 &&
           strcmp(planned->database, request->database) == 0;
}

/* Appends "dataset.column:form:category\n" (category empty: about nobody). */
static void append_column(struct buffer *text, const struct plan_column *column)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    buffer_printf(text, "%s.%s:%s:%s\n", column->dataset, column->column, forms[column->form],
                  column->category == NULL ? "" : column->category);
}

static enum status column_set_id(struct ledger *ledger, const struct plan_column *columns,
                                 size_t count, uint32_t *id, struct error *error)
{
    if (count == 0) {
        *id = 0;
        return STATUS_OK;
    }
    struct buffer text;
    buffer_init(&text, LIMIT_LEDGER_ENTRY_BYTES - 1024);
    for (size_t i = 0; i < count; i++)
        append_column(&text, &columns[i]);
    const char *canonical = buffer_text(&text);
    enum status status =
        canonical == NULL
            ? error_set(error, STATUS_LIMIT, "54000", "name fewer columns",
                        "the statement reads more columns than one ledger entry can name")
            : ledger_column_set(ledger, canonical, id, error);
    buffer_free(&text);
    return status;
}

/* A fence that discloses no column still discloses that the row is there: the ledger's column set
 * for that has no lines, and id of the text "\n". */
static enum status row_set_id(struct ledger *ledger, const struct plan_column *columns,
                              size_t count, uint32_t *id, struct error *error)
{
    if (count == 0)
        return ledger_column_set(ledger, "\n", id, error);
    return column_set_id(ledger, columns, count, id, error);
}

static enum status name_pins(struct planned *planned, struct ledger *ledger, struct error *error)
{
    const struct plan *plan = planned->plan;
    if (plan->pinned_count == 0)
        return STATUS_OK;
    planned->pin_columns = calloc(plan->pinned_count, sizeof planned->pin_columns[0]);
    if (planned->pin_columns == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < plan->pinned_count; i++)
        TRY(row_set_id(ledger, plan->pinned[i].columns, plan->pinned[i].column_count,
                       &planned->pin_columns[i], error));
    return STATUS_OK;
}

/* Column sets do not say which dataset it is whose rows were counted. */
static enum status name_counted(struct planned *planned, struct error *error)
{
    static const char format[] = "counted=%s\n";
    const char *counted = planned->plan->counted == NULL ? "" : planned->plan->counted;
    size_t room = sizeof format + strlen(counted);
    planned->counted = calloc(1, room);
    if (planned->counted == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (counted[0] != '\0')
        snprintf(planned->counted, room, format, counted);
    return STATUS_OK;
}

static enum status name_columns(struct planned *planned, struct ledger *ledger, struct error *error)
{
    const struct plan *plan = planned->plan;
    TRY(column_set_id(ledger, plan->columns, plan->column_count, &planned->all_columns, error));
    if (plan->write != NULL)
        TRY(row_set_id(ledger, plan->write->columns, plan->write->column_count,
                       &planned->written_columns, error));
    TRY(name_pins(planned, ledger, error));
    TRY(name_counted(planned, error));
    if (plan->hidden_count == 0)
        return STATUS_OK;
    planned->column_sets = calloc(plan->hidden_count, sizeof planned->column_sets[0]);
    if (planned->column_sets == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < plan->hidden_count; i++)
        TRY(row_set_id(ledger, plan->hidden[i].columns, plan->hidden[i].column_count,
                       &planned->column_sets[i], error));
    return STATUS_OK;
}

static enum status plan_text(struct planned *planned, const struct plans_request *request,
                             struct error *error)
{
    const struct config *config = request->server->config;
    struct plan_request wanted = {
        .model = request->snapshot->model,
        .partner = request->partner,
        .agent = request->agent,
        .sql = request->sql,
        .parameter_types = request->types,
        .parameter_type_count = request->type_count,
        .statement_bytes_limit = config->limits.statement_bytes,
        .statement_depth_limit = config->limits.statement_depth,
        .relations_limit = config->limits.relations,
        .targets_limit = config->limits.targets,
        .now_ns = clock_by_line_ns(request->server->clock_line),
        .purpose = request->purpose,
        .database = request->database,
        .statement_timeout_ms = config->upstream.statement_timeout_ms,
        .approvals = request->approvals,
        .approval_count = request->approval_count,
        .waits_for = request->waits_for,
    };
    TRY(plan_make(&wanted, &planned->plan, error));
    struct slice text = slice_of_text(request->sql);
    crypto_sha256(&text, 1, planned->statement_hash);
    memcpy(planned->policy_id, request->snapshot->policy_id, sizeof planned->policy_id);
    return name_columns(planned, request->server->ledger, error);
}

static enum status planned_make(const struct plans_request *request, struct planned **out,
                                struct error *error)
{
    struct planned *planned = calloc(1, sizeof *planned);
    if (planned == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    planned->references = 1;
    planned->plan_epoch = request->plan_epoch;
    planned->approvals = request->approvals_mark;
    planned->clock_line = request->server->clock_line;
    planned->sql = strdup(request->sql);
    planned->database = strdup(request->database);
    planned->type_count = request->type_count;
    planned->types = calloc(request->type_count + 1, sizeof planned->types[0]);
    enum status status = STATUS_NOMEM;
    if (planned->sql == NULL || planned->database == NULL || planned->types == NULL) {
        error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    } else {
        if (request->type_count > 0)
            memcpy(planned->types, request->types, request->type_count * sizeof planned->types[0]);
        status = plan_text(planned, request, error);
    }
    if (status != STATUS_OK) {
        planned_release(planned);
        return status;
    }
    *out = planned;
    return STATUS_OK;
}

static void remember(struct plans *plans, uint64_t hash, const struct plans_request *request,
                     struct planned *planned)
{
    if (plans->count >= MAX_ENTRIES)
        plans_clear(plans);
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return; /* a cache may forget */
    struct entry **bucket = &plans->buckets[hash % BUCKETS];
    *entry = (struct entry){.next = *bucket,
                            .hash = hash,
                            .agent = request->agent,
                            .purpose = request->purpose,
                            .planned = planned_retain(planned)};
    *bucket = entry;
    plans->count++;
}

enum status plans_get(struct plans *plans, const struct plans_request *request,
                      struct planned **planned, struct error *error)
{
    uint64_t hash = request_hash(request, strlen(request->sql));
    for (struct entry *entry = plans->buckets[hash % BUCKETS]; entry != NULL; entry = entry->next) {
        if (entry_matches(entry, hash, request)) {
            entry->planned->uses++;
            *planned = planned_retain(entry->planned);
            return STATUS_OK;
        }
    }
    TRY(planned_make(request, planned, error));
    (*planned)->uses = 1;
    remember(plans, hash, request, *planned);
    return STATUS_OK;
}
