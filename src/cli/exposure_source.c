/* See exposure_source.h. */
#include "cli/exposure_source.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "cli/offline.h"
#include "exposure/exposure.h"
#include "exposure/kinds.h"
#include "ledger/ledger.h"

enum { COMMAND_BYTES = 65536, PATH_ROOM = 4096 };

struct exposure_source {
    struct cli_admin *admin;    /* NULL: from files */
    struct cli_offline offline; /* from files */
    struct exposure *exposure;
    char subjects[PATH_ROOM], ledger[PATH_ROOM]; /* folders */
};

static const char *const commands[] = {
    [ASKED_SUMMARY] = "SHOW EXPOSURE",      [ASKED_WRITTEN] = "SHOW WRITTEN",
    [ASKED_CATEGORIES] = "SHOW CATEGORIES", [ASKED_COMBINATIONS] = "SHOW COMBINATIONS",
    [ASKED_NEVER] = "SHOW NEVER",           [ASKED_NET] = "SHOW NET",
    [ASKED_OVERLAP] = "SHOW OVERLAP",       [ASKED_SUBJECT] = "SHOW SUBJECT",
    [ASKED_SINCE] = "SHOW SINCE",
};

static enum status open_files(const struct cli_call *call, struct exposure_source *source,
                              struct error *error)
{
    char index[PATH_ROOM];
    TRY(cli_offline_open(call, &source->offline, error));
    const char *state = source->offline.config->state_folder;
    if (snprintf(index, sizeof index, "%s/exposure", state) >= PATH_ROOM ||
        snprintf(source->subjects, PATH_ROOM, "%s/subjects", state) >= PATH_ROOM ||
        snprintf(source->ledger, PATH_ROOM, "%s/ledger", state) >= PATH_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    TRY(kinds_check(state, source->offline.policy, error));
    return exposure_open_reading(index, source->ledger, &source->exposure, error);
}

enum status exposure_source_open(const struct cli_call *call, struct exposure_source **out,
                                 struct error *error)
{
    struct error why = {0}, ours = {0};
    struct exposure_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = cli_admin_open(call, &source->admin, &why);
    if (status == STATUS_IO && call->admin_folder == NULL) {
        status = open_files(call, source, &ours);
        if (status == STATUS_OK)
            fputs("The gateway does not answer: this is from its files.\n", stderr);
    }
    if (status == STATUS_OK) {
        *out = source;
        return STATUS_OK;
    }
    if (error != NULL) /* files that cannot be read say nothing about why the gateway is silent */
        *error = why;
    exposure_source_close(source);
    return status;
}

void exposure_source_close(struct exposure_source *source)
{
    if (source == NULL)
        return;
    cli_admin_close(source->admin);
    exposure_close(source->exposure);
    cli_offline_free(&source->offline);
    free(source);
}

static enum status ask_gateway(struct cli_admin *admin, const struct exposure_asking *asking,
                               struct cli_result *result, struct error *error)
{
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, commands[asking->what]);
    cli_admin_clause(&command, "", asking->kind);
    cli_admin_clause(&command, "", asking->key);
    cli_admin_clause(&command, "PARTNER", asking->partner);
    cli_admin_clause(&command, "WITH", asking->other);
    cli_admin_clause(&command, "FROM", asking->from);
    cli_admin_clause(&command, "TO", asking->to);
    enum status status = cli_admin_ask(admin, &command, result, error);
    buffer_free(&command);
    return status;
}

static enum status ask_subject(const struct exposure_source *source,
                               const struct exposure_asking *asking, struct table *table,
                               struct error *error)
{
    const struct policy *policy = source->offline.policy;
    const struct policy_kind *kind = policy_find_kind(policy, asking->kind);
    if (kind == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                         "\"%.60s\" is no kind of subject in the policy", asking->kind);
    return exposure_subject_reading(source->exposure, source->subjects, source->ledger,
                                    (uint16_t)(kind - policy->kinds), slice_of_text(asking->key),
                                    table, error);
}

/* When the ledger began, and since when it is whole. */
static enum status ask_since(const struct exposure_source *source, struct table *table,
                             struct error *error)
{
    enum { TABLE_BYTES = 4096 };
    static const char *const columns[] = {"began", "since", NULL};
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    char text[21];
    TRY(ledger_reader_open(source->ledger, 0, &reader, error));
    enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
    if (status == STATUS_OK) {
        table_init(table, TABLE_BYTES, columns);
        struct table_row *row = table_add(table);
        clock_format_utc(entry.time_ns, text);
        table_set(table, row, 0, "%s", text);
        since_format(ledger_reader_since(reader), text);
        if (text[0] != '\0')
            table_set(table, row, 1, "%s", text);
    }
    ledger_reader_close(reader);
    return status;
}

static enum status ask_files(const struct exposure_source *source,
                             const struct exposure_asking *asking, struct table *table,
                             struct error *error)
{
    struct exposure *exposure = source->exposure;
    const struct policy *policy = source->offline.policy;
    const char *partner = asking->partner;
    int64_t from = INT64_MIN, to = INT64_MAX;
    if (asking->from != NULL)
        TRY(clock_parse(asking->from, &from, error));
    if (asking->to != NULL)
        TRY(clock_parse(asking->to, &to, error));
    switch (asking->what) {
    case ASKED_SUMMARY:
        return exposure_summary(exposure, policy, partner, from, to, table, error);
    case ASKED_WRITTEN:
        return exposure_only_written(exposure, policy, partner, from, to, table, error);
    case ASKED_CATEGORIES:
        return exposure_by_category(exposure, policy, partner, from, to, table, error);
    case ASKED_COMBINATIONS:
        return exposure_combinations(exposure, policy, partner, from, to, table, error);
    case ASKED_NEVER:
        return exposure_never(exposure, policy, partner, table, error);
    case ASKED_NET:
        return exposure_net(exposure, policy, partner, table, error);
    case ASKED_OVERLAP:
        return exposure_overlap(exposure, policy, partner, asking->other, from, to, table, error);
    case ASKED_SUBJECT:
        return ask_subject(source, asking, table, error);
    case ASKED_SINCE:
        return ask_since(source, table, error);
    }
    return error_set(error, STATUS_INVALID, "F0000", NULL, "no such question");
}

enum status exposure_source_ask(struct exposure_source *source,
                                const struct exposure_asking *asking, struct cli_result *result,
                                struct error *error)
{
    if (source->admin != NULL)
        return ask_gateway(source->admin, asking, result, error);
    TRY(ask_files(source, asking, &result->table, error));
    cli_result_kinds(result);
    return STATUS_OK;
}

enum status exposure_source_since(struct exposure_source *source, struct exposure_coverage *covered,
                                  struct error *error)
{
    struct cli_result result = {0};
    const struct exposure_asking asking = {.what = ASKED_SINCE};
    TRY(exposure_source_ask(source, &asking, &result, error));
    const struct table *table = &result.table;
    const char *began = table->first == NULL ? "" : cli_cell(table, table->first, "began");
    const char *since = table->first == NULL ? "" : cli_cell(table, table->first, "since");
    snprintf(covered->since, sizeof covered->since, "%s", since);
    enum status status = clock_parse(began, &covered->began_ns, error);
    covered->since_ns = SINCE_EVER;
    if (status == STATUS_OK && since[0] != '\0')
        status = clock_parse(since, &covered->since_ns, error);
    table_free(&result.table);
    return status;
}

json_t *exposure_since_json(const char *since)
{
    return since[0] == '\0' ? json_null() : cli_json_text(since);
}

void exposure_tell_since(const struct cli_call *call, const char *since, const char *from)
{
    char sentence[SINCE_SENTENCE_ROOM];
    int64_t since_ns = SINCE_EVER, from_ns = INT64_MAX;
    since_sentence(since, sentence);
    if (sentence[0] == '\0')
        return;
    if (!call->json)
        printf("\n%s\n", sentence);
    bool is_asked = from != NULL && clock_parse(from, &from_ns, NULL) == STATUS_OK &&
                    clock_parse(since, &since_ns, NULL) == STATUS_OK && from_ns < since_ns;
    if (call->json || is_asked)
        fprintf(stderr, "%s\n", sentence);
}

enum status exposure_print_rows(const struct cli_call *call, const struct cli_result *result,
                                const char *since, const char *from, struct error *error)
{
    enum status status = STATUS_OK;
    if (call->json) {
        json_t *answer = json_pack("{s:o, s:o}", "since", exposure_since_json(since), "rows",
                                   cli_json_table(&result->table, result->kinds));
        CHECK(answer != NULL);
        status = cli_json_print(answer, false, error);
    } else {
        cli_print_table(stdout, &result->table);
    }
    if (status == STATUS_OK)
        exposure_tell_since(call, since, from);
    return status;
}

enum status exposure_check_time(struct cli_call *call, const char *option, struct error *error)
{
    int64_t time_ns;
    const char *text = cli_value(call, option);
    if (text != NULL && clock_parse(text, &time_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--%s takes a date or an instant, not \"%s\"", option, text);
    return STATUS_OK;
}

enum status exposure_ask_and_print(const struct cli_call *call,
                                   const struct exposure_asking *asking, struct error *error)
{
    struct exposure_source *source = NULL;
    struct cli_result result = {0};
    TRY(exposure_source_open(call, &source, error));
    enum status status = exposure_source_ask(source, asking, &result, error);
    struct exposure_coverage covered;
    if (status == STATUS_OK) /* after the answer: it claims no more than the answer had */
        status = exposure_source_since(source, &covered, error);
    if (status == STATUS_OK)
        status = exposure_print_rows(call, &result, covered.since, asking->from, error);
    table_free(&result.table);
    exposure_source_close(source);
    return status;
}
