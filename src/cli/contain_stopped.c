/* Containing while the gateway does not run: its registry is written here. The gateway reads it
 * when it starts, before it listens, and then writes the act into the ledger. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/admin.h"
#include "cli/contain.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "registry/registry.h"

enum { REASON_ROOM = 1001 };

/* Only these two say that nobody listens; anything else may be a gateway that is busy. */
bool contain_is_stopped(const struct cli_call *call)
{
    struct config *config = NULL;
    struct error ignored;
    if (call->admin_folder != NULL ||
        config_load(call->config_path, &config, &ignored) != STATUS_OK)
        return false;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%u", config->run_folder,
             config->admin.port);
    config_free(config);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool stopped = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                   (errno == ENOENT || errno == ECONNREFUSED);
    close(fd);
    return stopped;
}

static enum status check_names(const struct policy *policy, const struct contain_what *what,
                               struct error *error)
{
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    TRY(policy_need_partner(policy, what->partner, &partner, error));
    return what->agent[0] == '\0' ? STATUS_OK
                                  : policy_need_agent(partner, what->agent, &agent, error);
}

static enum status contain_one(struct registry *registry, const char *partner,
                               const struct contain_what *what, struct table *table,
                               struct error *error)
{
    char by[REGISTRY_BY_ROOM], reason[REASON_ROOM];
    const struct registry_target target = {
        .partner = partner,
        .agent = what->agent,
        .credential = what->credential,
    };
    snprintf(by, sizeof by, "uid %u", (unsigned)getuid());
    snprintf(reason, sizeof reason, "%s", what->reason);
    text_make_plain(reason); /* as the gateway does */
    TRY(registry_contain(registry, &target, reason, by, clock_now_ns(), error));
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    table_set(table, row, 1, "%s", what->agent[0] == '\0' ? "*" : what->agent);
    if (what->credential[0] != '\0')
        table_set(table, row, 2, "%s", what->credential);
    table_set(table, row, 3, "contained");
    table_set(table, row, 4, "stopped");
    return STATUS_OK;
}

static enum status contain_all(const struct config *config, const struct policy *policy,
                               const struct contain_what *what, struct table *table,
                               struct error *error)
{
    char path[4096];
    struct registry *registry = NULL;
    snprintf(path, sizeof path, "%s/registry.sqlite", config->state_folder);
    TRY(registry_open(path, &registry, error));
    enum status status = STATUS_OK;
    if (what->partner[0] != '\0')
        status = contain_one(registry, what->partner, what, table, error);
    for (size_t i = 0; what->partner[0] == '\0' && status == STATUS_OK && i < policy->partner_count;
         i++)
        status = contain_one(registry, policy->partners[i].name, what, table, error);
    registry_close(registry);
    return status;
}

enum status contain_stopped(struct cli_call *call, const struct contain_what *what,
                            struct error *error)
{
    static const char *const columns[] = {"partner", "agent",   "credential",
                                          "state",   "gateway", NULL};
    enum { TABLE_BYTES = 4 * 1024 * 1024 };
    const struct policy *policy = NULL;
    struct config *config = NULL;
    struct cli_result result = {0};
    char who[CONTAIN_NAME_ROOM + 8];
    contain_who(what, who);
    TRY(config_load(call->config_path, &config, error));
    table_init(&result.table, TABLE_BYTES, columns);
    enum status status = policy_load(config->policy, &policy, error);
    if (status == STATUS_OK && what->partner[0] != '\0')
        status = check_names(policy, what, error);
    if (status == STATUS_OK)
        status = contain_all(config, policy, what, &result.table, error);
    cli_result_kinds(&result);
    if (status == STATUS_OK && call->json)
        status = cli_print_result(call, &result, error);
    else if (status == STATUS_OK)
        printf("%s contained: the gateway does not run, and it is in force when it starts\n", who);
    table_free(&result.table);
    policy_release(policy);
    config_free(config);
    return status;
}
