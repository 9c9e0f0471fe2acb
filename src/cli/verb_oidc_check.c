/* cofferdam oidc check: what would this token be here? Judged by the same program and the same
 * rules as at a login, with the provider's keys of now; nothing is logged in. */
#include "cli/offline.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/json.h"
#include "crypto/crypto.h"
#include "oidc/oidc.h"

enum { TABLE_BYTES = 4 * 1024 * 1024 };

struct looking {
    struct cli_offline offline;
    struct buffer token;
    struct table table;
    size_t good;
};

static enum status read_token(const char *path, struct buffer *token, struct error *error)
{
    uint8_t bytes[4096];
    size_t len;
    if (strcmp(path, "-") != 0) {
        TRY(file_read(path, token, error));
    } else {
        while ((len = fread(bytes, 1, sizeof bytes, stdin)) > 0)
            buffer_append(token, bytes, len);
    }
    while (token->len > 0 &&
           (token->data[token->len - 1] == '\n' || token->data[token->len - 1] == '\r'))
        token->len--;
    if (token->len == 0 || token->overflowed)
        return error_set(error, STATUS_INVALID, "22023", NULL, "a token of 1 to %d bytes is wanted",
                         OIDC_TOKEN_BYTES);
    return STATUS_OK;
}

static void add(struct looking *looking, const char *provider, const char *agent,
                const struct oidc_finding *finding, const char *why)
{
    char until[21] = "";
    struct table_row *row = table_add(&looking->table);
    bool known = finding->good || finding->of_provider;
    if (known)
        clock_format_utc(finding->expires_s * 1000000000, until);
    table_set(&looking->table, row, 0, "%s", provider);
    if (agent != NULL)
        table_set(&looking->table, row, 1, "%s", agent);
    table_set(&looking->table, row, 2, "%s", finding->good ? "true" : "false");
    if (known) {
        table_set(&looking->table, row, 3, "%s", finding->id);
        table_set(&looking->table, row, 4, "%s", until);
    }
    if (why[0] != '\0')
        table_set(&looking->table, row, 5, "%s", why);
}

/* Each agent of this provider, if the token is one of the provider's; else why not. */
static enum status ask_agents(struct looking *looking, const struct config_oidc *provider,
                              struct oidc_check *check, struct error *error)
{
    const struct policy *policy = looking->offline.policy;
    struct slice token = buffer_slice(&looking->token);
    struct oidc_finding finding;
    TRY(oidc_check_ask(check, NULL, token, &finding, error));
    if (!finding.good) {
        add(looking, provider->name, NULL, &finding, finding.why);
        return STATUS_OK;
    }
    size_t asked = 0;
    for (size_t p = 0; p < policy->partner_count; p++)
        for (size_t i = 0; i < policy->partners[p].agent_count; i++) {
            const struct policy_agent *agent = &policy->partners[p].agents[i];
            if (agent->oidc == NULL || strcmp(agent->oidc->provider, provider->name) != 0)
                continue;
            TRY(oidc_check_ask(check, agent->oidc, token, &finding, error));
            add(looking, provider->name, agent->login, &finding, finding.why);
            looking->good += finding.good;
            asked++;
        }
    if (asked == 0) {
        finding.good = false;
        finding.of_provider = true;
        add(looking, provider->name, NULL, &finding, "no agent of the policy has this provider");
    }
    return STATUS_OK;
}

static enum status ask_provider(struct looking *looking, const struct config_oidc *provider,
                                struct error *error)
{
    struct oidc_check *check;
    struct error away;
    if (oidc_check_open(provider, &check, &away) != STATUS_OK) {
        add(looking, provider->name, NULL, &(struct oidc_finding){0}, away.message);
        return STATUS_OK;
    }
    enum status status = ask_agents(looking, provider, check, error);
    oidc_check_close(check);
    return status;
}

static enum status look(struct cli_call *call, struct looking *looking, struct error *error)
{
    static const enum cli_json_kind kinds[TABLE_MAX_COLUMNS] = {[2] = CLI_JSON_BOOLEAN};
    TRY(cli_offline_open(call, &looking->offline, error));
    const struct config *config = looking->offline.config;
    if (config->oidc_count == 0)
        return error_set(error, STATUS_INVALID, "F0000",
                         "name one in cofferdam.yaml, oidc: {NAME: {issuer: …, audience: …, …}}",
                         "no identity provider is configured");
    TRY(read_token(call->arguments[0], &looking->token, error));
    for (size_t i = 0; i < config->oidc_count; i++)
        TRY(ask_provider(looking, &config->oidc[i], error));
    if (call->json)
        TRY(cli_json_print(cli_json_table(&looking->table, kinds), false, error));
    else
        cli_print_table(stdout, &looking->table);
    call->exit_code = looking->good > 0 ? CLI_DONE : CLI_FAILED;
    return looking->good > 0
               ? STATUS_OK
               : error_set(error, STATUS_DENIED, "28000", NULL, "the token is no agent's here");
}

static enum status run(struct cli_call *call, struct error *error)
{
    static const char *const columns[] = {"provider", "agent", "good", "credential",
                                          "until",    "why",   NULL};
    struct looking looking = {0};
    buffer_init(&looking.token, OIDC_TOKEN_BYTES);
    table_init(&looking.table, TABLE_BYTES, columns);
    enum status status = look(call, &looking, error);
    if (looking.token.data != NULL)
        crypto_wipe(looking.token.data, looking.token.capacity);
    buffer_free(&looking.token);
    table_free(&looking.table);
    cli_offline_free(&looking.offline);
    return status;
}

const struct cli_command verb_oidc_check = {
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .description =
        "Judges the token in FILE (-: standard input) as a login would, with the keys that its\n"
        "provider has now, and says which agent it would be, or why it would be none.\n"
        "The claims of the token are shown nowhere.",
    .examples = "oidc check token.jwt\noidc check --json - <token.jwt\n",
    .exits = "the token is no agent's",
    .run = run,
};
