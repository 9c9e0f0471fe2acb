/* cofferdam agent passwd: the verifier of a machine account. The password itself is kept nowhere.
 */
#include "cli/offline.h"
#include "cli/verbs.h"

#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/json.h"
#include "cli/secret.h"
#include "crypto/crypto.h"
#include "wire/scram.h"

/* pgjdbc refuses servers that ask for more by default; they are the client's time, at each login.
 */
enum { VERIFIER_BYTES = 1024, MOST_ITERATIONS = 100000 };

static const struct cli_option options[] = {
    {"generate", 'g', NULL, "make a random password and print it"},
    {"iterations", 'i', "N", "rounds of the client's derivation, 4096 to 100000 (4096)"},
    {"out", 'o', "FILE", "write here, not to the policy's scram file"},
    {NULL, 0, NULL, NULL},
};

static enum status write_verifier(struct slice password, uint32_t iterations, const char *path,
                                  struct error *error)
{
    struct scram_verifier verifier;
    struct buffer text;
    buffer_init(&text, VERIFIER_BYTES);
    scram_verifier_make(password, iterations, &verifier);
    scram_verifier_print(&verifier, &text);
    buffer_append_u8(&text, '\n');
    enum status status = file_replace(path, buffer_slice(&text), 0600, error);
    crypto_wipe(&verifier, sizeof verifier);
    crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    return status;
}

static enum status get_password(const struct cli_call *call, const char *login,
                                struct buffer *password, struct error *error)
{
    if (cli_value(call, "generate") == NULL)
        return secret_read_password(login, password, error);
    char made[SECRET_MADE_ROOM];
    secret_make(made);
    buffer_append_text(password, made);
    crypto_wipe(made, sizeof made);
    return STATUS_OK;
}

static enum status tell(const struct cli_call *call, const char *login, const char *path,
                        struct buffer *password, struct error *error)
{
    const char *made = cli_value(call, "generate") == NULL ? NULL : buffer_text(password);
    if (call->json) {
        json_t *value =
            json_pack("{s:s, s:s, s:s*}", "agent", login, "file", path, "password", made);
        CHECK(value != NULL);
        return cli_json_print(value, false, error);
    }
    if (made != NULL)
        printf("%s\n", made);
    fprintf(stderr, "%s: verifier written to %s; the gateway's user must be able to read it\n",
            login, path);
    return STATUS_OK;
}

static enum status set(struct cli_call *call, const char *login, const char *path,
                       struct error *error)
{
    struct buffer password;
    uint64_t iterations;
    TRY(cli_number(call, "iterations", SCRAM_DEFAULT_ITERATIONS, MOST_ITERATIONS,
                   SCRAM_DEFAULT_ITERATIONS, &iterations, error));
    buffer_init(&password, LIMIT_PASSWORD_BYTES);
    enum status status = get_password(call, login, &password, error);
    if (status == STATUS_OK)
        status = write_verifier(buffer_slice(&password), (uint32_t)iterations, path, error);
    if (status == STATUS_OK)
        status = tell(call, login, path, &password, error);
    if (password.data != NULL)
        crypto_wipe(password.data, password.capacity);
    buffer_free(&password);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char partner[CLI_NAME_ROOM], name[CLI_NAME_ROOM];
    TRY(cli_split_agent(call, call->arguments[0], partner, name, error));
    if (name[0] == '\0')
        return cli_usage(call, error, "which agent of %s? Write %s/AGENT", partner, partner);
    struct cli_offline offline = {0};
    const struct policy_partner *found = NULL;
    const struct policy_agent *agent = NULL;
    const char *path = cli_value(call, "out");
    enum status status = cli_offline_open(call, &offline, error);
    if (status == STATUS_OK)
        status = cli_find_agent(offline.policy, call->arguments[0], &found, &agent, error);
    if (status == STATUS_OK && agent->scram_file == NULL)
        status = error_set(error, STATUS_INVALID, "F0000",
                           "Give it `identity: {scram: FILE}` in the policy.",
                           "agent %s does not log in by password", agent->login);
    if (status == STATUS_OK)
        status = set(call, agent->login, path == NULL ? agent->scram_file : path, error);
    cli_offline_free(&offline);
    return status;
}

const struct cli_command verb_agent_passwd = {
    .arguments = "PARTNER/AGENT",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Sets the password of an agent that logs in by SCRAM-SHA-256. It is read from standard\n"
        "input, or asked for without echo; the verifier goes to the file that the policy\n"
        "names (mode 0600). Sessions that were opened with the old one end within a\n"
        "second, wherever the file lies that the gateway reads; removing it ends them, too.\n"
        "A password has at least 16 characters of printable ASCII, 8 of them different; one that\n"
        "--generate makes has 160 random bits, and is shown this once.",
    .examples = "agent passwd north-mail/job\n"
                "agent passwd north-mail/job --generate > north-mail-job.password\n"
                "agent passwd north-mail/job < new-password\n"
                "agent passwd north-mail/job --iterations 20000\n",
    .run = run,
};
