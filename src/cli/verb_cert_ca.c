/* cofferdam cert ca: a certificate authority of one's own. */
#include "cli/issue.h"
#include "cli/verbs.h"

#include <limits.h>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/crypto.h"

enum { DEFAULT_DAYS = 3650, MOST_DAYS = 36500 };

static const struct cli_option options[] = {
    {"out", 'o', "DIR", "where ca.crt and ca.key go (needed)"},
    {"name", 0, "NAME", "the authority's name, default \"Cofferdam CA\""},
    {"days", 0, "N", "how long it is valid, default 3650"},
    {"key-type", 0, "KIND", "p256 (the default) or ed25519"},
    ISSUE_PASSPHRASE_OPTION,
    {"unsealed", 0, NULL, "leave ca.key readable to whoever has the file"},
    {NULL, 0, NULL, NULL},
};

static enum status read_passphrase(struct cli_call *call, struct buffer *passphrase,
                                   struct error *error)
{
    bool unsealed = cli_value(call, "unsealed") != NULL;
    if (unsealed && cli_value(call, "passphrase-file") != NULL)
        return cli_usage(call, error, "--unsealed and --passphrase-file exclude each other");
    if (unsealed)
        return STATUS_OK;
    TRY(issue_passphrase(call, passphrase, error));
    if (passphrase->len > 0)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "28P01",
                     "give --passphrase-file FILE, or --unsealed for a key that is safe otherwise",
                     "the CA's key is to be sealed, and nobody can be asked for a passphrase");
}

static enum status make(struct cli_call *call, const char *folder, struct identity_ca_plan *plan,
                        struct error *error)
{
    struct buffer passphrase;
    buffer_init(&passphrase, LIMIT_PASSWORD_BYTES);
    enum status status = read_passphrase(call, &passphrase, error);
    plan->passphrase = buffer_slice(&passphrase);
    if (status == STATUS_OK)
        status = identity_ca_create(folder, plan, error);
    if (passphrase.data != NULL)
        crypto_wipe(passphrase.data, passphrase.capacity);
    buffer_free(&passphrase);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const char *folder = NULL, *name = cli_value(call, "name");
    const char *kind = cli_value(call, "key-type");
    uint64_t days = 0;
    struct identity_ca_plan plan = {.name = name == NULL ? "Cofferdam CA" : name};
    TRY(cli_require(call, "out", &folder, error));
    TRY(cli_number(call, "days", 1, MOST_DAYS, DEFAULT_DAYS, &days, error));
    plan.days = (int)days;
    if (kind != NULL)
        TRY(identity_key_named(kind, &plan.key, error));
    char key[PATH_MAX];
    snprintf(key, sizeof key, "%s/ca.key", folder);
    if (file_exists(key))
        return error_set(error, STATUS_INVALID, "58P02",
                         "Every certificate it has issued would be void. Choose another folder.",
                         "%s exists already", key);
    TRY(make(call, folder, &plan, error));
    fprintf(stderr, "made %s/ca.crt and %s/ca.key: keep the key off the gateway's machine\n",
            folder, folder);
    return STATUS_OK;
}

const struct cli_command verb_cert_ca = {
    .arguments = "",
    .options = options,
    .description =
        "Makes a certificate authority that issues the gateway's and the agents' certificates.\n"
        "Its key is sealed with a passphrase of at least 12 characters: from the file, from the\n"
        "systemd credential ca-passphrase, or asked for on the terminal.",
    .examples = "cert ca --out ca --name \"Meridian Motors partners\"\n"
                "cert ca --out ca --key-type ed25519 --passphrase-file ca.pass\n",
    .run = run,
};
