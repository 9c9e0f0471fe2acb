/* Deliveries, for `cofferdam export`. The acts are durable before each is answered.
 *   DELIVERY OPEN PARTNER 'p' [AGENT 'a'] [PURPOSE 'x'] [CANARIES 'n'] FILE 'f' FORMAT 'csv'
 *            STATEMENT 'sql' [BY 'who']
 *   DELIVERY CANARIES 'id' CELLS 'a line each'
 *   DELIVERY CLOSE 'id' OUTCOME 'complete' SHA256 'hex' ROWS 'n' [BY 'who']; or OUTCOME 'why not'
 *   SHOW DELIVERIES [PARTNER 'p'] ; SHOW DELIVERY 'id' */
#include "gateway/admin/admin_recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/clock.h"
#include "base/since.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"
#include "gateway/trust/canary_watch.h"
#include "gateway/deliveries.h"

enum { ACT_BYTES = 4096, HEX_ROOM = 65, ID_TRIES = 20 };

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* Appends an act of this delivery and waits until it is durable. */
static enum status record(struct server *server, const struct delivery *delivery,
                          struct buffer *text, int64_t *sequence, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(delivery->partner),
                                 .agent = slice_of_text(delivery->agent),
                                 .purpose = slice_of_text(delivery->purpose),
                                 .delivery = slice_of_text(delivery->id),
                                 .text = buffer_slice(text)};
    uint64_t appended;
    if (text->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the texts are too long");
    TRY(ledger_append(server->ledger, &entry, slice_of(NULL, 0), &appended, error));
    ledger_wait(server->ledger, appended);
    *sequence = (int64_t)appended;
    return STATUS_OK;
}

/* ---- open ---- */

struct opening {
    struct asking *asking;
    struct snapshot *snapshot;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *purpose;
    const char *sql;
    uint64_t canaries;
    struct plan *plan;
    struct delivery delivery;
    char id[DELIVERY_ID_ROOM], hash[HEX_ROOM], who[RECORDING_WHO_ROOM];
};

/* Partners state a purpose when they connect, staff by an option. */
static void hint_at_option(struct error *error)
{
    const char *names = strstr(error->hint, "yours are: ");
    char hint[sizeof error->hint];
    snprintf(
        hint, sizeof hint, "state one with --purpose (PURPOSE in the admin database)%s%s",
        names == NULL ? "" : "; they are: ", names == NULL ? "" : names + strlen("yours are: "));
    memcpy(error->hint, hint, sizeof hint);
}

static enum status find_whose(struct opening *opening, struct error *error)
{
    const struct policy *policy = opening->snapshot->policy;
    const char *partner = admin_option(opening->asking, "PARTNER");
    const char *agent = admin_option(opening->asking, "AGENT");
    TRY(policy_need_partner(policy, partner, &opening->partner, error));
    opening->agent = &opening->partner->nobody;
    if (agent != NULL)
        TRY(policy_need_agent(opening->partner, agent, &opening->agent, error));
    enum status status =
        snapshot_purpose(opening->partner, opening->agent, admin_option(opening->asking, "PURPOSE"),
                         &opening->purpose, error);
    if (status != STATUS_OK)
        hint_at_option(error);
    return status;
}

static enum status check_canaries(struct opening *opening, struct error *error)
{
    enum { MOST = 10000 };
    const char *text = admin_option(opening->asking, "CANARIES");
    char *end;
    opening->canaries = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text != NULL && (*end != '\0' || text[0] == '-' || opening->canaries > MOST))
        return error_set(error, STATUS_DENIED, "22023", NULL, "CANARIES is no number up to %d",
                         MOST);
    return opening->canaries == 0
               ? STATUS_OK
               : deliveries_check_canaries(opening->asking->server->config, opening->plan, error);
}

/* Planned here to say at once what would be refused; the session plans again for itself. */
static enum status plan_it(struct opening *opening, struct error *error)
{
    const struct config *config = opening->asking->server->config;
    struct plan_request request = {.model = opening->snapshot->model,
                                   .partner = opening->partner,
                                   .agent = opening->agent,
                                   .sql = opening->sql,
                                   .statement_bytes_limit = config->limits.statement_bytes,
                                   .statement_depth_limit = config->limits.statement_depth,
                                   .relations_limit = config->limits.relations,
                                   .targets_limit = config->limits.targets,
                                   .now_ns = clock_now_ns(),
                                   .purpose = opening->purpose,
                                   .database = config->upstream.database,
                                   .statement_timeout_ms = config->upstream.statement_timeout_ms};
    TRY(plan_make(&request, &opening->plan, error));
    if (!deliveries_may_run(opening->plan))
        return error_set(error, STATUS_DENIED, "25006", "write one SELECT",
                         "a delivery is the result of one query that changes nothing");
    if (opening->plan->client_parameter_count > 0)
        return error_set(error, STATUS_DENIED, "42P02", "write the values into the statement",
                         "a delivery's statement has no parameters");
    return check_canaries(opening, error);
}

static enum status choose_id(struct opening *opening, struct deliveries *file, struct error *error)
{
    struct arena arena;
    struct delivery ignored;
    enum status status = STATUS_OK;
    arena_init(&arena, 64 * 1024);
    for (int i = 0; i < ID_TRIES && status == STATUS_OK; i++) {
        delivery_id_make(clock_now_ns(), opening->id);
        status = deliveries_get(file, opening->id, &arena, &ignored, error);
        arena_reset(&arena);
    }
    arena_free(&arena);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status != STATUS_OK ? status
                               : error_set(error, STATUS_LIMIT, "54000", "try again",
                                           "no free id of a delivery was found");
}

static enum status describe(struct opening *opening, struct error *error)
{
    const char *file, *format;
    struct slice sql = slice_of_text(opening->sql);
    uint8_t digest[32];
    TRY(recording_text(opening->asking, "FILE", true, &file, error));
    TRY(recording_text(opening->asking, "FORMAT", true, &format, error));
    TRY(recording_who(opening->asking, opening->who, error));
    crypto_sha256(&sql, 1, digest);
    crypto_hex(digest, sizeof digest, opening->hash);
    opening->delivery = (struct delivery){.id = opening->id,
                                          .partner = opening->partner->name,
                                          .agent = opening->agent->name,
                                          .purpose = opening->purpose,
                                          .by = opening->who,
                                          .file = file,
                                          .format = format,
                                          .statement_sha256 = opening->hash,
                                          .opened_ns = clock_now_ns()};
    return STATUS_OK;
}

static enum status write_opening(struct opening *opening, struct error *error)
{
    struct server *server = opening->asking->server;
    struct deliveries *file = deliveries_desk_file(server->deliveries);
    struct delivery *delivery = &opening->delivery;
    struct deliveries_ticket ticket;
    struct buffer text;
    buffer_init(&text, ACT_BYTES);
    buffer_printf(&text, "delivery open\nby=%s\nformat=%s\nstatement=%s\ncanaries=%llu\nfile=%s",
                  delivery->by, delivery->format, delivery->statement_sha256,
                  (unsigned long long)opening->canaries, delivery->file);
    enum status status = record(server, delivery, &text, &delivery->opened_at, error);
    buffer_free(&text);
    if (status == STATUS_OK)
        status = deliveries_add(file, delivery, error);
    TRY(status);
    snprintf(ticket.id, sizeof ticket.id, "%s", opening->id);
    snprintf(ticket.login, sizeof ticket.login, "%s", opening->agent->login);
    ticket.opened_ns = delivery->opened_ns;
    snprintf(ticket.by, sizeof ticket.by, "%s", opening->asking->by);
    if ((size_t)snprintf(ticket.purpose, sizeof ticket.purpose, "%s", opening->purpose) >=
        sizeof ticket.purpose)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the purpose's name is too long");
    return deliveries_expect(server->deliveries, &ticket, error);
}

/* The kind whose key this column is; NULL for none. */
static const char *key_of(const struct policy *policy, const struct plan_column *column)
{
    const struct policy_dataset *dataset = policy_find_dataset(policy, column->dataset);
    for (size_t i = 0; dataset != NULL && i < dataset->subject_count; i++)
        if (dataset->subjects[i].hop_count == 0 &&
            strcmp(dataset->subjects[i].key, column->column) == 0)
            return policy->kinds[dataset->subjects[i].kind].name;
    return NULL;
}

static void put_column(const struct opening *opening, const struct plan_column *column,
                       struct table *table, struct table_row *row)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    const char *key = key_of(opening->snapshot->policy, column);
    table_set(table, row, 2, "%s", column->dataset);
    table_set(table, row, 3, "%s", column->column);
    if (column->category != NULL)
        table_set(table, row, 4, "%s", column->category);
    table_set(table, row, 5, "%s", forms[column->form]);
    if (key != NULL)
        table_set(table, row, 6, "%s", key);
}

/* A row for each column of the file, in order: which column of a dataset it is; none where it is
 * computed. Where there are no columns, one row all the same. */
static void list_columns(const struct opening *opening, struct table *table)
{
    static const char *const columns[] = {"delivery", "name", "dataset", "column", "category",
                                          "form",     "key",  "purpose", NULL};
    const struct plan *plan = opening->plan;
    table_init(table, ADMIN_TABLE_BYTES, columns);
    for (size_t i = 0; i == 0 || i < plan->visible_count; i++) {
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", opening->id);
        table_set(table, row, 7, "%s", opening->purpose);
        if (plan->visible_count == 0)
            return;
        table_set(table, row, 1, "%s", plan->visible_names[i]);
        if (plan->visible != NULL && plan->visible[i].of.dataset != NULL)
            put_column(opening, &plan->visible[i].of, table, row);
    }
}

static enum status open_delivery(struct opening *opening, struct table *table, struct error *error)
{
    opening->sql = admin_option(opening->asking, "STATEMENT");
    if (opening->sql == NULL)
        return admin_syntax(error,
                            "DELIVERY OPEN PARTNER 'p' FILE 'f' FORMAT 'csv' STATEMENT 'sql'");
    TRY(find_whose(opening, error));
    TRY(plan_it(opening, error));
    TRY(describe(opening, error));
    TRY(choose_id(opening, deliveries_desk_file(opening->asking->server->deliveries), error));
    TRY(write_opening(opening, error));
    list_columns(opening, table);
    return STATUS_OK;
}

enum status admin_delivery_open(struct asking *asking, struct table *table, struct error *error)
{
    struct opening opening = {.asking = asking, .snapshot = server_snapshot(asking->server)};
    enum status status = open_delivery(&opening, table, error);
    plan_release(opening.plan);
    snapshot_release(opening.snapshot);
    return status;
}

/* ---- what the ledger says ---- */

struct released {
    uint64_t entries, rows, people, asked; /* asked about and not found */
    uint32_t *ids;                         /* of both */
    size_t count, capacity;
    bool failed;
    int64_t since_ns; /* retention dropped what there was before, and nothing is counted */
};

static bool add_id(void *context, uint32_t id)
{
    struct released *released = context;
    if (released->count == released->capacity) {
        size_t capacity = released->capacity == 0 ? 1024 : 2 * released->capacity;
        uint32_t *grown = reallocarray(released->ids, capacity, sizeof *grown);
        if (grown == NULL) {
            released->failed = true;
            return false;
        }
        released->ids = grown;
        released->capacity = capacity;
    }
    released->ids[released->count++] = id;
    return true;
}

static enum status take_entry(struct released *released, const struct ledger_entry *entry)
{
    if (entry->type != LEDGER_DISCLOSURE)
        return STATUS_OK;
    released->entries++;
    released->rows += entry->row_count;
    for (size_t i = 0; i < entry->item_count; i++) {
        uint64_t asked;
        if (entry->items[i].grade != PLAN_GRADE_PROBE)
            TRY(subject_set_each(entry->items[i].subjects, add_id, released));
        else if (subject_set_count(entry->items[i].subjects, &asked) == STATUS_OK)
            released->asked += asked;
    }
    return STATUS_OK;
}

/* Reads the ledger from the opening act to the closing one, or to its end. */
static enum status count_released(struct server *server, const struct delivery *delivery,
                                  struct released *released, struct error *error)
{
    char folder[4096];
    struct ledger_reader *reader;
    uint64_t end = delivery->closed_ns == INT64_MIN ? ledger_durable(server->ledger)
                                                    : (uint64_t)delivery->closed_at;
    snprintf(folder, sizeof folder, "%s/ledger", server->config->state_folder);
    TRY(ledger_reader_open(folder, (uint64_t)delivery->opened_at, &reader, error));
    enum status status = STATUS_OK;
    released->since_ns = ledger_reader_since(reader); /* SINCE_EVER for one that began later */
    while (status == STATUS_OK && released->since_ns == SINCE_EVER) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status != STATUS_OK || sequence >= end)
            break;
        if (slice_equal(entry.delivery, slice_of_text(delivery->id)))
            status = take_entry(released, &entry);
        if (status != STATUS_OK || released->failed)
            break;
    }
    ledger_reader_close(reader);
    released->people = subject_ids_unique(released->ids, released->count);
    free(released->ids);
    released->ids = NULL;
    if (released->failed)
        return no_memory(error);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

/* ---- close ---- */

struct closing {
    struct asking *asking;
    struct arena arena;
    struct delivery delivery;
    struct released released;
    char hex[HEX_ROOM], when[21];
};

static bool is_hash(const char *text)
{
    return strlen(text) == HEX_ROOM - 1 && strspn(text, "0123456789abcdef") == HEX_ROOM - 1;
}

/* The id behind the command's words; arguments of options are quoted too. */
static enum status find_delivery(struct closing *closing, struct error *error)
{
    struct asking *asking = closing->asking;
    struct deliveries *file = deliveries_desk_file(asking->server->deliveries);
    char id[DELIVERY_ID_ROOM];
    if (asking->at >= asking->words->count || !asking->words->quoted[asking->at])
        return admin_syntax(error, "which delivery is not said: write its id in quotes");
    TRY(delivery_id_parse(asking->words->text[asking->at], id, error));
    return deliveries_get(file, id, &closing->arena, &closing->delivery, error);
}

static enum status still_open(const struct closing *closing, struct error *error)
{
    if (closing->delivery.closed_ns == INT64_MIN)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", NULL, "delivery %s is closed already",
                     closing->delivery.id);
}

/* A complete one has a file, and as many rows as have been released to it. */
static enum status check_complete(struct closing *closing, struct error *error)
{
    const char *rows = admin_option(closing->asking, "ROWS");
    struct delivery *delivery = &closing->delivery;
    TRY(recording_text(closing->asking, "SHA256", true, &delivery->sha256, error));
    if (!is_hash(delivery->sha256) || rows == NULL)
        return error_set(error, STATUS_DENIED, "22023", "write SHA256 'hex' ROWS 'n'",
                         "a complete delivery has a file");
    delivery->rows = (int64_t)strtoull(rows, NULL, 10);
    if (closing->released.entries > 0 && (uint64_t)delivery->rows != closing->released.rows)
        return error_set(error, STATUS_DENIED, "22023", "the file is not what was released",
                         "%lld rows are in the file, and %llu in the ledger",
                         (long long)delivery->rows, (unsigned long long)closing->released.rows);
    return STATUS_OK;
}

static enum status commit_canaries(struct closing *closing, struct error *error)
{
    uint8_t digest[32];
    struct delivery *delivery = &closing->delivery;
    struct deliveries *file = deliveries_desk_file(closing->asking->server->deliveries);
    TRY(deliveries_commitment(file, delivery->id, digest, &delivery->canaries, error));
    crypto_hex(digest, sizeof digest, closing->hex);
    delivery->commitment = delivery->canaries == 0 ? NULL : closing->hex;
    return STATUS_OK;
}

/* The delivery stands whether or not its canaries can be watched: the next start tries again. */
static void watch_canaries(struct server *server, const char *delivery)
{
    struct error error;
    if (canary_watch_load(server->canaries, deliveries_desk_file(server->deliveries), delivery,
                          &error) != STATUS_OK)
        log_event(LOG_ERROR, "canaries_not_watched", "delivery=%s reason=\"%s\"", delivery,
                  error.message);
}

static enum status write_closing(struct closing *closing, struct error *error)
{
    struct server *server = closing->asking->server;
    struct delivery *delivery = &closing->delivery;
    struct buffer text;
    char who[RECORDING_WHO_ROOM];
    TRY(recording_who(closing->asking, who, error));
    buffer_init(&text, ACT_BYTES);
    buffer_printf(&text, "delivery close\nby=%s\noutcome=%s\nrows=%llu\ncanaries=%lld", who,
                  delivery->outcome, (unsigned long long)closing->released.rows,
                  (long long)delivery->canaries);
    if (delivery->commitment != NULL)
        buffer_printf(&text, "\ncommitment=%s", delivery->commitment);
    if (delivery->sha256 != NULL)
        buffer_printf(&text, "\nsha256=%s", delivery->sha256);
    enum status status = record(server, delivery, &text, &delivery->closed_at, error);
    buffer_free(&text);
    if (status == STATUS_OK)
        status = deliveries_finish(deliveries_desk_file(server->deliveries), delivery, error);
    if (status == STATUS_OK && delivery->canaries > 0)
        watch_canaries(server, delivery->id);
    return status;
}

static enum status still_there(const struct closing *closing, struct error *error)
{
    char since[SINCE_TEXT_ROOM];
    since_format(closing->released.since_ns, since);
    if (since[0] == '\0')
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000",
                     "It stays unfinished: count what it released in a backup of the ledger.",
                     "what delivery %s released is not known any more: records before %s were "
                     "dropped by retention",
                     closing->delivery.id, since);
}

static enum status close_delivery(struct closing *closing, struct error *error)
{
    struct server *server = closing->asking->server;
    struct delivery *delivery = &closing->delivery;
    TRY(find_delivery(closing, error));
    TRY(still_open(closing, error));
    deliveries_forget(server->deliveries, delivery->id);
    TRY(recording_text(closing->asking, "OUTCOME", true, &delivery->outcome, error));
    TRY(count_released(server, delivery, &closing->released, error));
    TRY(still_there(closing, error));
    delivery->rows = (int64_t)closing->released.rows;
    if (strcmp(delivery->outcome, "complete") == 0)
        TRY(check_complete(closing, error));
    TRY(commit_canaries(closing, error));
    delivery->closed_ns = clock_now_ns();
    return write_closing(closing, error);
}

enum status admin_delivery_close(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"delivery", "sequence",   "rows", "people",
                                          "canaries", "commitment", NULL};
    struct closing closing = {.asking = asking};
    arena_init(&closing.arena, 64 * 1024);
    enum status status = close_delivery(&closing, error);
    if (status == STATUS_OK) {
        const struct delivery *delivery = &closing.delivery;
        table_init(table, ADMIN_TABLE_BYTES, columns);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", delivery->id);
        table_set(table, row, 1, "%lld", (long long)delivery->closed_at);
        table_set(table, row, 2, "%llu", (unsigned long long)closing.released.rows);
        table_set(table, row, 3, "%llu", (unsigned long long)closing.released.people);
        table_set(table, row, 4, "%lld", (long long)delivery->canaries);
        if (delivery->commitment != NULL)
            table_set(table, row, 5, "%s", delivery->commitment);
    }
    arena_free(&closing.arena);
    return status;
}

/* ---- show ---- */

enum status admin_show_deliveries(struct asking *asking, struct table *table, struct error *error)
{
    return deliveries_list(deliveries_desk_file(asking->server->deliveries),
                           admin_option(asking, "PARTNER"), table, error);
}

static void put_number(struct table *table, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    admin_property(table, name, text);
}

/* What its entries in the ledger say; its acts are kept where retention dropped those. */
static void put_released(const struct closing *closing, struct table *table)
{
    static const char *const names[] = {"ledger_entries", "rows_released", "people_released",
                                        "asked_about_not_found"};
    const struct released *released = &closing->released;
    const uint64_t counts[] = {released->entries, released->rows, released->people,
                               released->asked};
    char since[SINCE_TEXT_ROOM];
    since_format(released->since_ns, since);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (since[0] == '\0')
            put_number(table, names[i], counts[i]);
        else
            admin_property(table, names[i], NULL);
    admin_property(table, "since", since[0] == '\0' ? NULL : since);
    if (since[0] != '\0')
        admin_property(table, "dropped",
                       "Retention dropped the entries that say who was in it. Its acts were kept, "
                       "so that its canaries still name it. To count its people, restore a backup "
                       "of the ledger from before.");
}

static void put_delivery(struct closing *closing, struct table *table)
{
    const struct delivery *delivery = &closing->delivery;
    bool closed = delivery->closed_ns != INT64_MIN;
    admin_property(table, "delivery", delivery->id);
    admin_property(table, "partner", delivery->partner);
    admin_property(table, "agent", delivery->agent[0] == '\0' ? NULL : delivery->agent);
    admin_property(table, "purpose", delivery->purpose);
    admin_property(table, "by", delivery->by);
    admin_property(table, "file", delivery->file);
    admin_property(table, "format", delivery->format);
    admin_property(table, "statement_sha256", delivery->statement_sha256);
    clock_format_utc(delivery->opened_ns, closing->when);
    admin_property(table, "opened", closing->when);
    put_number(table, "opened_entry", (uint64_t)delivery->opened_at);
    if (closed)
        clock_format_utc(delivery->closed_ns, closing->when);
    admin_property(table, "closed", closed ? closing->when : NULL);
    if (closed)
        put_number(table, "closed_entry", (uint64_t)delivery->closed_at);
    admin_property(table, "outcome", closed ? delivery->outcome : "unfinished");
    admin_property(table, "file_sha256", delivery->sha256);
    put_released(closing, table);
    put_number(table, "canaries", (uint64_t)delivery->canaries);
    admin_property(table, "canaries_commitment", delivery->commitment);
    if (delivery->canaries == 0)
        return;
    int64_t given = admin_canaries_given(closing->asking->server, delivery->id);
    if (given < 0)
        admin_property(table, "canary_keys_given_since", NULL);
    else
        put_number(table, "canary_keys_given_since", (uint64_t)given);
}

enum status admin_show_delivery(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"property", "value", NULL};
    struct closing closing = {.asking = asking};
    arena_init(&closing.arena, 64 * 1024);
    enum status status = find_delivery(&closing, error);
    if (status == STATUS_OK)
        status = count_released(asking->server, &closing.delivery, &closing.released, error);
    if (status == STATUS_OK) {
        table_init(table, ADMIN_TABLE_BYTES, columns);
        put_delivery(&closing, table);
    }
    arena_free(&closing.arena);
    return status;
}
