/* See telling.h. Every line of the file is checked before the first command is sent; a list that is
 * cut by an error in between may be sent again, since what is told twice counts once. */
#include "cli/telling.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_client.h"
#include "base/check.h"
#include "base/clock.h"
#include "cli/admin.h"
#include "policy/config.h"
#include "policy/policy.h"

enum { QUOTES_ROOM = 8 };

/* ---- reading ---- */

static enum status find_kind(struct cli_call *call, const struct policy *policy,
                             const struct policy_kind **kind, struct error *error)
{
    const char *name = cli_value(call, "kind");
    *kind = NULL;
    if (name != NULL)
        *kind = policy_find_kind(policy, name);
    else if (policy->kind_count == 1)
        *kind = &policy->kinds[0];
    else
        return cli_usage(call, error, "--kind is needed: the policy has several kinds of people");
    if (*kind == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                         "\"%s\" is no kind of subject in the policy", name);
    return STATUS_OK;
}

static enum status load_policy(const struct cli_call *call, const struct policy **policy,
                               struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = policy_load(config->policy, policy, error);
    config_free(config);
    return status;
}

enum status telling_read(struct cli_call *call, struct telling *telling, struct error *error)
{
    const struct policy *policy = NULL;
    const struct policy_kind *kind;
    const char *path;
    *telling = (struct telling){0};
    TRY(cli_require(call, "keys", &path, error));
    TRY(load_policy(call, &policy, error));
    enum status status = find_kind(call, policy, &kind, error);
    if (status == STATUS_OK)
        status = key_list_read(path, kind->key, &telling->keys, error);
    if (status == STATUS_OK)
        snprintf(telling->kind_room, sizeof telling->kind_room, "%s", kind->name);
    telling->kind = telling->kind_room;
    policy_release(policy);
    return status;
}

void telling_free(struct telling *telling)
{
    key_list_free(&telling->keys);
}

enum status telling_instant(struct cli_call *call, const char *option, char text[static 21],
                            struct error *error)
{
    const char *value = cli_value(call, option);
    int64_t time_ns = clock_now_ns();
    if (value != NULL && clock_parse(value, &time_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--%s takes a date or an instant, not \"%s\"", option, value);
    clock_format_utc(time_ns, text);
    return STATUS_OK;
}

/* ---- sending ---- */

static uint64_t number(const struct table *table, const char *column)
{
    return table->first == NULL ? 0 : strtoull(cli_cell(table, table->first, column), NULL, 10);
}

static enum status ask(struct cli_admin *admin, struct buffer *command, const char *rest,
                       struct telling_answer *answer, struct error *error)
{
    struct cli_result result = {0};
    TRY(cli_admin_ask(admin, command, &result, error));
    answer->subjects += number(&result.table, "subjects");
    answer->rest += number(&result.table, rest);
    answer->sequence = number(&result.table, "sequence");
    table_free(&result.table);
    return STATUS_OK;
}

static void put_key(struct buffer *command, struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] == '\'')
            buffer_append_u8(command, '\'');
        buffer_append_u8(command, key.data[i]);
    }
    buffer_append_u8(command, '\n');
}

/* Appends keys from *at on while they fit, in the worst case with every byte doubled. */
static void put_keys(struct buffer *command, const struct key_list *list, size_t *at)
{
    buffer_append_text(command, " KEYS '");
    for (; *at < list->count; (*at)++) {
        if (command->len + 2 * list->keys[*at].len + QUOTES_ROOM > command->limit)
            break;
        put_key(command, list->keys[*at]);
    }
    buffer_append_u8(command, '\'');
}

static enum status send_all(struct cli_admin *admin, const struct buffer *head,
                            const struct telling *telling, const char *rest,
                            struct telling_answer *answer, struct error *error)
{
    size_t at = 0, before;
    enum status status = STATUS_OK;
    struct buffer command;
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    do {
        before = at;
        buffer_clear(&command);
        buffer_append(&command, head->data, head->len);
        if (telling != NULL) {
            admin_client_clause(&command, "KIND", telling->kind);
            put_keys(&command, &telling->keys, &at);
        }
        if (telling != NULL && at == before)
            status = error_set(error, STATUS_LIMIT, "54000", NULL, "the command is too long");
        else
            status = ask(admin, &command, rest, answer, error);
    } while (status == STATUS_OK && telling != NULL && at < telling->keys.count);
    buffer_free(&command);
    if (status != STATUS_OK && before > 0)
        error_prefix(error, "%zu of %zu keys were recorded, then", before, telling->keys.count);
    return status;
}

enum status telling_send(struct cli_call *call, const struct buffer *head,
                         const struct telling *telling, const char *rest,
                         struct telling_answer *answer, struct error *error)
{
    struct cli_admin *admin = NULL;
    struct telling_answer sum = {0};
    if (head->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the command is too long");
    TRY(cli_admin_open(call, &admin, error));
    enum status status = send_all(admin, head, telling, rest, &sum, error);
    cli_admin_close(admin);
    if (status == STATUS_OK)
        *answer = sum;
    return status;
}

enum status telling_print_json(const char *partner, const char *rest, bool has_subjects,
                               const struct telling_answer *answer, struct error *error)
{
    json_t *object = json_object();
    CHECK(object != NULL);
    int failure = json_object_set_new(object, "partner", cli_json_text(partner));
    if (has_subjects) {
        failure |=
            json_object_set_new(object, "subjects", json_integer((json_int_t)answer->subjects));
        failure |= json_object_set_new(object, rest, json_integer((json_int_t)answer->rest));
    }
    failure |= json_object_set_new(object, "sequence", json_integer((json_int_t)answer->sequence));
    CHECK(failure == 0);
    return cli_json_print(object, false, error);
}
