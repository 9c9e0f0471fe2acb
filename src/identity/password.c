/* Where an agent's SCRAM verifier comes from. A missing agent and an unreadable file give a mock,
 * so that what a stranger sees does not tell who exists; the operator sees it in the log. */
#include "identity/identity.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { MAX_VERIFIER_FILE_BYTES = 1024 };

static enum status read_verifier(const char *path, struct scram_verifier *verifier,
                                 struct error *error)
{
    struct buffer text;
    buffer_init(&text, MAX_VERIFIER_FILE_BYTES);
    enum status status = file_read_secret(path, &text, error);
    if (status != STATUS_OK)
        goto done;
    /* A NUL inside would hide what stands behind it. */
    const char *terminated = buffer_text(&text);
    if (terminated == NULL || strlen(terminated) != text.len)
        status = error_set(error, STATUS_INVALID, "F0000", NULL, "not a SCRAM verifier");
    else
        status = scram_verifier_parse(terminated, verifier, error);
    if (status != STATUS_OK)
        error_prefix(error, "%s", path);
done:
    crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    return status;
}

void identity_scram_verifier(const struct policy_agent *agent, const char *user,
                             struct slice secret, struct scram_verifier *verifier)
{
    if (agent != NULL && agent->scram_file != NULL) {
        struct error error = {0};
        if (read_verifier(agent->scram_file, verifier, &error) == STATUS_OK)
            return;
        log_event(LOG_WARNING, "scram_verifier_unusable", "agent=%s reason=\"%s\"", agent->login,
                  error.message);
    }
    scram_verifier_mock(secret, user, verifier);
}
