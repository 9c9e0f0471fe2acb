/* See issue.h. */
#include "cli/issue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/secret.h"
#include "crypto/crypto.h"

enum { LEAST_SECONDS = 300, DAY_SECONDS = 86400 };
#define SKEW_NS INT64_C(300000000000) /* five minutes */

void issued_init(struct issued *issued)
{
    buffer_init(&issued->certificate, ISSUE_PEM_BYTES);
    buffer_init(&issued->key, ISSUE_PEM_BYTES);
}

void issued_free(struct issued *issued)
{
    if (issued->key.data != NULL)
        crypto_wipe(issued->key.data, issued->key.capacity);
    buffer_free(&issued->certificate);
    buffer_free(&issued->key);
}

void issue_lifetime(int64_t lifetime_ns, struct identity_leaf *leaf)
{
    int64_t now_ns = clock_now_ns();
    leaf->not_before_ns = now_ns - SKEW_NS;
    leaf->not_after_ns = now_ns + lifetime_ns;
}

enum status issue_client(const struct identity_ca *ca, const struct issue_wish *wish,
                         struct issued *issued, struct error *error)
{
    bool is_uri = strstr(wish->identity, "://") != NULL || strncmp(wish->identity, "urn:", 4) == 0;
    struct identity_leaf leaf = {
        .common_name = is_uri ? wish->login : wish->identity,
        .san_uri = is_uri ? wish->identity : NULL,
        .key = wish->key,
        .request = wish->request,
        .who = wish->login,
    };
    issue_lifetime(wish->lifetime_ns, &leaf);
    return identity_issue(ca, &leaf, &issued->certificate, &issued->key, error);
}

void issue_warn_renewal(const struct policy_agent *agent, int64_t lifetime_ns)
{
    char until[21];
    if (agent->renewal_ns == 0 || lifetime_ns < agent->renewal_ns)
        return;
    clock_format_utc(clock_now_ns() + agent->renewal_ns, until);
    fprintf(stderr,
            "warning: it can never be renewed: the policy's `renewal` ends %s, and it does not end "
            "before\nhint: issue a shorter one, such as of a third of `renewal`\n",
            until);
}

/* ---- the CA's key ---- */

/* <$CREDENTIALS_DIRECTORY>/name, where the service manager put what only we may read
 * (systemd.exec(5), "Credentials"). False where there is none. */
static bool credential_path(const char *name, char path[static PATH_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int len = folder == NULL ? -1 : snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return len > 0 && len < PATH_MAX && file_exists(path);
}

static void cut_newline(struct buffer *text)
{
    if (text->len > 0 && text->data[text->len - 1] == '\n')
        text->len--;
}

/* From a file or a credential; *found tells whether there was one. */
static enum status find_passphrase(const struct cli_call *call, struct buffer *passphrase,
                                   bool *found, struct error *error)
{
    char path[PATH_MAX];
    const char *file = cli_value(call, "passphrase-file");
    *found = true;
    buffer_reserve(passphrase, 256); /* growing would leave copies behind */
    if (file != NULL)
        return file_read_secret(file, passphrase, error);
    if (credential_path("ca-passphrase", path)) {
        TRY(file_read(path, passphrase, error));
        cut_newline(passphrase);
        return STATUS_OK;
    }
    *found = false;
    return STATUS_OK;
}

enum status issue_passphrase(const struct cli_call *call, struct buffer *passphrase,
                             struct error *error)
{
    bool found;
    TRY(find_passphrase(call, passphrase, &found, error));
    if (found)
        return secret_judge(buffer_slice(passphrase), error);
    return isatty(STDIN_FILENO) ? secret_read(passphrase, error) : STATUS_OK;
}

static enum status open_passphrase(const struct cli_call *call, struct buffer *passphrase,
                                   struct error *error)
{
    bool found;
    TRY(find_passphrase(call, passphrase, &found, error));
    if (found)
        return STATUS_OK;
    if (isatty(STDIN_FILENO))
        return secret_ask("Passphrase of the CA's key: ", passphrase, error);
    return error_set(error, STATUS_DENIED, "28P01",
                     "give --passphrase-file, or the systemd credential ca-passphrase",
                     "the CA's key is sealed, and nobody can be asked for its passphrase");
}

enum status issue_open_ca(const struct cli_call *call, const char *folder, struct identity_ca **ca,
                          struct error *error)
{
    char path[PATH_MAX];
    struct buffer key, passphrase;
    buffer_init(&key, ISSUE_PEM_BYTES);
    buffer_init(&passphrase, LIMIT_PASSWORD_BYTES);
    if (snprintf(path, sizeof path, "%s/ca.key", folder) >= (int)sizeof path)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the path %s is too long", folder);
    enum status status = STATUS_OK;
    if (file_exists(path) || !credential_path("ca.key", path))
        status = file_read_secret(path, &key, error);
    else
        status = file_read(path, &key, error);
    if (status == STATUS_OK && identity_key_sealed(buffer_slice(&key)))
        status = open_passphrase(call, &passphrase, error);
    if (status == STATUS_OK)
        status = identity_ca_open(folder, buffer_slice(&key), buffer_slice(&passphrase), ca, error);
    if (key.data != NULL)
        crypto_wipe(key.data, key.capacity);
    if (passphrase.data != NULL)
        crypto_wipe(passphrase.data, passphrase.capacity);
    buffer_free(&key);
    buffer_free(&passphrase);
    return status;
}

/* ---- times ---- */

static uint64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", DAY_SECONDS}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].seconds;
    return 0;
}

enum status issue_duration(struct cli_call *call, const char *name, unsigned most_days,
                           int64_t *duration_ns, struct error *error)
{
    const char *text = cli_value(call, name);
    uint64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    uint64_t unit = unit_seconds(text + digits);
    for (size_t i = 0; i < digits && i < 10; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    if (digits == 0 || digits > 9 || unit == 0 || number * unit < LEAST_SECONDS ||
        number * unit > (uint64_t)most_days * DAY_SECONDS)
        return cli_usage(call, error, "--%s is a time from 5m to %ud, such as 24h, not \"%.20s\"",
                         name, most_days, text);
    *duration_ns = (int64_t)(number * unit) * INT64_C(1000000000);
    return STATUS_OK;
}

/* ---- files ---- */

enum status issue_file(const char *folder, const char *name, struct slice content, unsigned mode,
                       struct error *error)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the path %s is too long", folder);
    return file_replace(path, content, mode, error);
}

enum status issued_write(const struct issued *issued, const char *folder, const char *name,
                         struct error *error)
{
    char file[64];
    TRY(file_make_folder(folder, 0700, error));
    snprintf(file, sizeof file, "%s.key", name);
    if (issued->key.len > 0) /* with a request the key is theirs */
        TRY(issue_file(folder, file, buffer_slice(&issued->key), 0600, error));
    snprintf(file, sizeof file, "%s.crt", name);
    return issue_file(folder, file, buffer_slice(&issued->certificate), 0644, error);
}
