/* See prove_never.h. Works beside the gateway, from the files of its state folder. */
#include "cli/prove_never.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "cli/offline.h"
#include "exposure/kinds.h"
#include "never/never.h"

enum { FILE_MODE = 0640 };

static enum status copy_text(struct cli_call *call, const char *option, char *text, size_t room,
                             struct error *error)
{
    const char *value = cli_value(call, option);
    if (value == NULL)
        return STATUS_OK;
    if (value[0] == '\0')
        return cli_usage(call, error, "--%s is empty", option);
    if (snprintf(text, room, "%s", value) >= (int)room)
        return cli_usage(call, error, "--%s is too long", option);
    return STATUS_OK;
}

static enum status read_question(struct cli_call *call, const struct policy *policy,
                                 struct never_question *question, struct error *error)
{
    TRY(copy_text(call, "kind", question->kind, sizeof question->kind, error));
    TRY(copy_text(call, "subject", question->subject, sizeof question->subject, error));
    TRY(copy_text(call, "partner", question->partner, sizeof question->partner, error));
    TRY(copy_text(call, "column", question->column, sizeof question->column, error));
    if (question->subject[0] == '\0') {
        if (question->kind[0] != '\0')
            return cli_usage(call, error, "--kind goes with --subject");
        if (question->partner[0] == '\0' && question->column[0] == '\0')
            return cli_usage(call, error, "--never needs --subject, --partner or --column");
        return STATUS_OK;
    }
    if (question->kind[0] == '\0' && policy->kind_count != 1)
        return cli_usage(call, error, "the policy has several kinds of subject: add --kind");
    if (question->kind[0] == '\0')
        snprintf(question->kind, sizeof question->kind, "%s", policy->kinds[0].name);
    return STATUS_OK;
}

static enum status write_out(const char *path, struct slice text, struct error *error)
{
    if (path != NULL)
        return file_replace(path, text, FILE_MODE, error);
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        return error_set_errno(error, errno, "standard output");
    return STATUS_OK;
}

static enum status prove(struct cli_call *call, const struct cli_offline *offline,
                         struct error *error)
{
    struct never_question question = {0};
    struct buffer text;
    const struct never_place place = {.state_folder = offline->config->state_folder,
                                      .policy = offline->policy};
    TRY(kinds_check(place.state_folder, place.policy, error));
    TRY(read_question(call, place.policy, &question, error));
    buffer_init(&text, NEVER_CERTIFICATE_BYTES);
    enum status status = never_prove(&place, &question, &text, error);
    if (status == STATUS_OK)
        status = write_out(cli_value(call, "output"), buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

enum status cli_prove_never(struct cli_call *call, struct error *error)
{
    struct cli_offline offline = {0};
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = prove(call, &offline, error);
    cli_offline_free(&offline);
    return status;
}
