/* See log_folder.h. */
#include "cli/log_folder.h"

#include <string.h>

#include "base/file.h"
#include "policy/config.h"

static enum status set(char path[static CLI_PATH_ROOM], const char *state, const char *name,
                       struct error *error)
{
    int len = snprintf(path, CLI_PATH_ROOM, "%s%s", state, name);
    return len > 0 && len < CLI_PATH_ROOM
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
}

static enum status from_config(const struct cli_call *call, char folder[static CLI_PATH_ROOM],
                               char *subjects, struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = set(folder, config->state_folder, "/ledger", error);
    if (status == STATUS_OK && subjects != NULL)
        status = set(subjects, config->state_folder, "/subjects", error);
    config_free(config);
    return status;
}

enum status cli_log_folder(const struct cli_call *call, const char *given,
                           char folder[static CLI_PATH_ROOM], char *subjects, struct error *error)
{
    char state[CLI_PATH_ROOM];
    if (given == NULL)
        return from_config(call, folder, subjects, error);
    TRY(set(folder, given, "", error));
    if (subjects == NULL)
        return STATUS_OK;
    TRY(set(state, given, "", error));
    size_t len = strlen(state);
    while (len > 1 && state[len - 1] == '/')
        state[--len] = '\0';
    char *slash = strrchr(state, '/');
    if (slash == NULL)
        return set(subjects, "subjects", "", error);
    *slash = '\0';
    return set(subjects, state, "/subjects", error);
}

enum status cli_log_key(struct cli_call *call, const char *given, struct note_key *key,
                        struct error *error)
{
    struct buffer text;
    if (note_key_parse(slice_of_text(given), key, NULL) == STATUS_OK)
        return STATUS_OK;
    if (strchr(given, '/') == NULL && !file_exists(given))
        return cli_usage(call, error, "--key takes a verifier key (name+id+key) or its file");
    buffer_init(&text, NOTE_BYTES_MAX);
    enum status status = file_read(given, &text, error);
    if (status == STATUS_OK) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        status = note_key_parse(slice_of(text.data, len), key, error);
    }
    buffer_free(&text);
    return status;
}
