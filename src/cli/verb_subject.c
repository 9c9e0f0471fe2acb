/* cofferdam subject: everything that partners have had of one person. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <string.h>

#include "base/check.h"
#include "policy/config.h"
#include "policy/policy.h"

enum { COMMAND_BYTES = 65536 };
#define NO_DATA "02000"

/* A policy for its kinds' names, where none was given. */
static enum status load_kinds(const struct cli_call *call, const struct policy **policy,
                              struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = policy_load(config->policy, policy, error);
    config_free(config);
    return status;
}

static enum status ask_kind(const struct cli_call *call, struct cli_admin *admin, const char *kind,
                            const char *key, json_t *all, struct error *error)
{
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, COMMAND_BYTES);
    buffer_append_text(&command, "SHOW SUBJECT");
    cli_admin_clause(&command, "", kind);
    cli_admin_clause(&command, "", key);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status != STATUS_OK && strcmp(error->sqlstate, NO_DATA) == 0)
        status = STATUS_OK; /* never disclosed to anyone: that is an answer */
    for (const struct table_row *row = result.table.first; status == STATUS_OK && row != NULL;
         row = row->next) {
        json_t *object = cli_json_row(&result.table, row, result.kinds);
        int failure = json_object_set_new(object, "kind", cli_json_text(kind));
        CHECK(failure == 0);
        failure = json_array_append_new(all, object);
        CHECK(failure == 0);
    }
    if (status == STATUS_OK && !call->json) {
        cli_print_heading(stdout, "%s %s", kind, key);
        if (result.table.row_count > 0)
            cli_print_table(stdout, &result.table);
        else
            puts("nothing has been disclosed");
    }
    table_free(&result.table);
    buffer_free(&command);
    return status;
}

/* "customer:123": a kind of the policy before the first colon. */
static const char *kind_prefix(const struct policy *policy, const char *word, size_t *len)
{
    for (size_t i = 0; i < policy->kind_count; i++) {
        *len = strlen(policy->kinds[i].name);
        if (strncmp(word, policy->kinds[i].name, *len) == 0 && word[*len] == ':')
            return policy->kinds[i].name;
    }
    return NULL;
}

static enum status ask_all(const struct cli_call *call, struct cli_admin *admin,
                           const struct policy *policy, json_t *all, struct error *error)
{
    if (policy == NULL)
        return ask_kind(call, admin, call->arguments[0], call->arguments[1], all, error);
    size_t len;
    const char *kind = kind_prefix(policy, call->arguments[0], &len);
    if (kind != NULL)
        return ask_kind(call, admin, kind, call->arguments[0] + len + 1, all, error);
    for (size_t i = 0; i < policy->kind_count; i++) {
        if (i > 0 && !call->json)
            putchar('\n');
        TRY(ask_kind(call, admin, policy->kinds[i].name, call->arguments[0], all, error));
    }
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const struct policy *policy = NULL;
    if (call->argument_count == 1)
        TRY(load_kinds(call, &policy, error));
    struct cli_admin *admin = NULL;
    enum status status = cli_admin_open(call, &admin, error);
    json_t *all = json_array();
    CHECK(all != NULL);
    if (status == STATUS_OK)
        status = ask_all(call, admin, policy, all, error);
    cli_admin_close(admin);
    policy_release(policy);
    if (status == STATUS_OK && call->json)
        return cli_json_print(all, false, error);
    json_decref(all);
    return status;
}

const struct cli_command verb_subject = {
    .arguments = "[KIND] KEY",
    .least = 1,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .description =
        "Tells which partners have had which columns of one person, in which form and grade,\n"
        "first and last when. KEY is the subject key, as the database has it; without KIND\n"
        "every kind of the policy is looked through. KIND:KEY is the same as KIND KEY.",
    .examples = "subject 123456\n"
                "subject customer:123456\n"
                "subject customer 123456 --json\n",
    .run = run,
};
