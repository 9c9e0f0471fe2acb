/* cofferdam policy diff: who gains or loses what, and of how many people. */
#include "cli/admin.h"
#include "cli/log_folder.h"
#include "cli/offline.h"
#include "cli/policy_history.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/gateway.h"
#include "policy/compare.h"

enum { COLUMN = 4 }; /* dataset.column */

static const struct cli_option options[] = {
    {"no-count", 0, NULL, "do not count people in the database"},
    {"ledger", 0, "DIR", "the ledger's folder, if not as configured"},
    {NULL, 0, NULL, NULL},
};

/* The same two grants are counted once. */
struct counted {
    struct counted *next;
    const struct policy_grant *before, *after;
    const char *kind;
    struct gateway_people people;
    bool failed;
};

struct comparing {
    const struct policy *before, *after;
    struct gateway_counter *counter; /* NULL: nothing is counted */
    struct counted *counted;
    struct table table;
    struct error why; /* the first count that failed */
    bool uncounted;
};

/* ---- people ---- */

static const struct counted *count(struct comparing *comparing, const struct policy_grant *before,
                                   const struct policy_grant *after, const char *kind)
{
    for (struct counted *known = comparing->counted; known != NULL; known = known->next)
        if (known->before == before && known->after == after && strcmp(known->kind, kind) == 0)
            return known;
    struct counted *made = calloc(1, sizeof *made);
    struct error error;
    if (made == NULL)
        return NULL;
    *made = (struct counted){
        .next = comparing->counted, .before = before, .after = after, .kind = kind};
    comparing->counted = made;
    struct gateway_reach was = {comparing->before, before}, now = {comparing->after, after};
    made->failed = gateway_count_people(comparing->counter, &was, &now, kind, &made->people,
                                        &error) != STATUS_OK;
    if (made->failed && !comparing->uncounted) {
        comparing->uncounted = true;
        comparing->why = error;
    }
    return made;
}

static bool about(const struct policy *policy, const struct policy_grant *grant, const char *kind)
{
    const struct policy_dataset *dataset = grant == NULL ? NULL : &policy->datasets[grant->dataset];
    for (size_t i = 0; dataset != NULL && i < dataset->subject_count; i++)
        if (strcmp(policy->kinds[dataset->subjects[i].kind].name, kind) == 0)
            return true;
    return false;
}

static void set_people(struct comparing *comparing, const struct compare_change *change,
                       const char *kind)
{
    struct table *table = &comparing->table;
    struct table_row *row = table->last;
    table_set(table, row, 7, "%s", kind);
    const struct counted *counted =
        comparing->counter == NULL ? NULL : count(comparing, change->before, change->after, kind);
    if (counted == NULL || counted->failed)
        return;
    const uint64_t numbers[] = {counted->people.before, counted->people.after,
                                counted->people.gained, counted->people.lost};
    for (size_t i = 0; i < 4; i++)
        table_set(table, row, 8 + i, "%llu", (unsigned long long)numbers[i]);
}

/* ---- rows ---- */

static void add_row(struct comparing *comparing, const struct compare_change *change)
{
    static const char *const words[] = {
        [COMPARE_GAINS] = "gains", [COMPARE_LOSES] = "loses", [COMPARE_OTHERWISE] = "otherwise"};
    struct table *table = &comparing->table;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", change->partner);
    table_set(table, row, 1, "%s", change->agent);
    if (change->purpose != NULL)
        table_set(table, row, 2, "%s", change->purpose);
    table_set(table, row, 3, "%s", words[change->what]);
    table_set(table, row, 4, "%s.%s", change->dataset, change->column);
    if (change->before != NULL)
        table_set(table, row, 5, "%s", change->was);
    if (change->after != NULL)
        table_set(table, row, 6, "%s", change->now);
}

/* A row for each kind of people that the dataset is about; one where it is about nobody. */
static enum status take(void *context, const struct compare_change *change, struct error *error)
{
    struct comparing *comparing = context;
    const struct policy *const policies[] = {comparing->before, comparing->after};
    bool any = false;
    for (int side = 0; side < 2; side++)
        for (size_t k = 0; k < policies[side]->kind_count; k++) {
            const char *kind = policies[side]->kinds[k].name;
            if ((side == 1 && policy_find_kind(comparing->before, kind) != NULL) ||
                (!about(comparing->before, change->before, kind) &&
                 !about(comparing->after, change->after, kind)))
                continue;
            add_row(comparing, change);
            if (comparing->table.last != NULL)
                set_people(comparing, change, kind);
            any = true;
        }
    if (!any)
        add_row(comparing, change);
    return STATUS_OK;
}

/* ---- what is compared ---- */

static enum status load_both(struct cli_call *call, const struct cli_offline *offline,
                             const struct policy **before, const struct policy **after,
                             struct error *error)
{
    char ledger[CLI_PATH_ROOM];
    if (call->argument_count > 0) {
        TRY(policy_load(call->arguments[0], before, error));
    } else {
        TRY(cli_log_folder(call, cli_value(call, "ledger"), ledger, NULL, error));
        TRY(policy_in_force(ledger, offline->policy->path, before, error));
    }
    if (call->argument_count > 1)
        return policy_load(call->arguments[1], after, error);
    *after = policy_retain(offline->policy);
    return STATUS_OK;
}

static enum status print_json(const struct comparing *comparing, const struct table *leaves,
                              struct error *error)
{
    static const enum cli_json_kind kinds[TABLE_MAX_COLUMNS] = {
        [8] = CLI_JSON_NUMBER, CLI_JSON_NUMBER, CLI_JSON_NUMBER, CLI_JSON_NUMBER};
    json_t *answer = json_object();
    json_object_set_new(answer, "rights", cli_json_table(&comparing->table, kinds));
    json_object_set_new(answer, "other", cli_json_table(leaves, NULL));
    return cli_json_print(answer, false, error);
}

static bool same_cell(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Does the row say of another column of the dataset what the line says of its own? */
static bool goes_with(const struct table *table, const struct table_row *line,
                      const struct table_row *row)
{
    size_t dataset = strcspn(row->cells[COLUMN], ".") + 1;
    for (size_t column = 0; column < table->column_count; column++)
        if (column != COLUMN && !same_cell(line->cells[column], row->cells[column]))
            return false;
    return line->cells[COLUMN] != NULL &&
           strncmp(line->cells[COLUMN], row->cells[COLUMN], dataset) == 0;
}

/* For people: columns of a dataset that share all the rest stand in one row. */
static void fold_columns(const struct table *table, struct table *out)
{
    table_init(out, CLI_RESULT_BYTES, table->columns);
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        const char *name = row->cells[COLUMN];
        struct table_row *line = out->last;
        if (line != NULL && goes_with(table, line, row)) {
            table_set(out, line, COLUMN, "%s, %s", line->cells[COLUMN],
                      name + strcspn(name, ".") + 1);
            continue;
        }
        line = table_add(out);
        for (size_t column = 0; column < table->column_count; column++)
            if (row->cells[column] != NULL)
                table_set(out, line, column, "%s", row->cells[column]);
    }
}

static void print_rights(const struct table *table)
{
    struct table folded;
    fold_columns(table, &folded);
    cli_print_heading(stdout, "Who gains or loses which columns, and of how many people");
    cli_print_wrapped(stdout, table_overflowed(&folded) ? table : &folded);
    table_free(&folded);
}

static enum status print(const struct cli_call *call, const struct comparing *comparing,
                         const struct table *leaves, struct error *error)
{
    if (table_overflowed(&comparing->table) || table_overflowed(leaves))
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the answer is too long");
    if (comparing->uncounted)
        fprintf(stderr, "cofferdam: %s\nHint: %s\n", comparing->why.message, comparing->why.hint);
    if (call->json)
        return print_json(comparing, leaves, error);
    if (comparing->table.row_count > 0) {
        print_rights(&comparing->table);
    } else {
        printf("Nobody gains or loses a column.\n");
    }
    if (leaves->row_count > 0) {
        putchar('\n');
        cli_print_heading(stdout, "What else is different");
        cli_print_wrapped(stdout, leaves);
    }
    return STATUS_OK;
}

static enum status compare(const struct cli_call *call, struct comparing *comparing,
                           struct error *error)
{
    static const char *const columns[] = {
        "partner", "agent",  "purpose", "change",        "column",      "was", "now",
        "people",  "before", "after",   "people_gained", "people_lost", NULL};
    struct table leaves;
    table_init(&comparing->table, CLI_RESULT_BYTES, columns);
    enum status status =
        policy_compare(comparing->before, comparing->after, clock_now_ns(), take, comparing, error);
    if (status == STATUS_OK)
        status = policy_compare_leaves(comparing->before, comparing->after, &leaves, error);
    if (status == STATUS_OK) {
        status = print(call, comparing, &leaves, error);
        table_free(&leaves);
    }
    table_free(&comparing->table);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    struct comparing comparing = {.before = NULL};
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = load_both(call, &offline, &comparing.before, &comparing.after, error);
    if (status == STATUS_OK && cli_value(call, "no-count") == NULL)
        status = gateway_counter_open(offline.config, &comparing.counter, error);
    if (status == STATUS_OK)
        status = compare(call, &comparing, error);
    gateway_counter_close(comparing.counter);
    for (struct counted *known = comparing.counted, *next; known != NULL; known = next) {
        next = known->next;
        free(known);
    }
    policy_release(comparing.before);
    policy_release(comparing.after);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_policy_diff = {
    .arguments = "[OLD [NEW]]",
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Says what a change of the policy means before it is in force: which agent gains or\n"
        "loses which column, for which purpose, in which form and of which rows, whether it may\n"
        "be written, and how many people are in the rows before and after, gained and lost, as\n"
        "the database has them now. A line without an agent is about deliveries made for the\n"
        "partner. Then what else in the files is different. NEW is the configured policy if left\n"
        "out; OLD the one in force, from the ledger.",
    .examples = "policy diff\n"
                "policy diff policy.old.yaml policy.yaml --json\n",
    .run = run,
};
