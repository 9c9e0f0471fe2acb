/* cofferdam cert ca: a certificate authority of one's own. */
#include "cli/verbs.h"

#include <limits.h>

#include "base/file.h"
#include "identity/identity.h"

enum { DEFAULT_DAYS = 3650, MOST_DAYS = 36500 };

static const struct cli_option options[] = {
    {"out", 'o', "DIR", "where ca.crt and ca.key go (needed)"},
    {"name", 0, "NAME", "the authority's name, default \"Cofferdam CA\""},
    {"days", 0, "N", "how long it is valid, default 3650"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    const char *folder = NULL, *name = cli_value(call, "name");
    uint64_t days = 0;
    TRY(cli_require(call, "out", &folder, error));
    TRY(cli_number(call, "days", 1, MOST_DAYS, DEFAULT_DAYS, &days, error));
    char key[PATH_MAX];
    snprintf(key, sizeof key, "%s/ca.key", folder);
    if (file_exists(key))
        return error_set(error, STATUS_INVALID, "58P02",
                         "Every certificate it has issued would be void. Choose another folder.",
                         "%s exists already", key);
    TRY(file_make_folder(folder, 0700, error));
    TRY(identity_ca_create(folder, name == NULL ? "Cofferdam CA" : name, (int)days, error));
    fprintf(stderr, "made %s/ca.crt and %s/ca.key: keep the key off the gateway's machine\n",
            folder, folder);
    return STATUS_OK;
}

const struct cli_command verb_cert_ca = {
    .arguments = "",
    .options = options,
    .description =
        "Makes a certificate authority (P-256) that issues the gateway's and the agents'\n"
        "certificates.",
    .examples = "cert ca --out ca --name \"Meridian Motors partners\"\n",
    .run = run,
};
