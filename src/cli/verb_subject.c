/* cofferdam subject: everything that partners have had of one person; as a table, or as the letter
 * that answers somebody who asks. */
#include "cli/access_letter.h"
#include "cli/exposure_source.h"
#include "cli/verbs.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "policy/config.h"
#include "policy/policy.h"

enum { LETTER_BYTES = 4 * 1024 * 1024, PATH_ROOM = 4096, TAG_ROOM = 12 };
#define NO_DATA "02000"

static const struct cli_option options[] = {
    {"letter", 'l', NULL, "print the answer for the person who asks, as a letter"},
    {"language", 0, "TAG", "of the letter: en or fr; default en"},
    {NULL, 0, NULL, NULL},
};

/* A policy for its kinds' names, where none was given. */
static enum status load_kinds(const struct cli_call *call, const struct policy **policy,
                              struct error *error)
{
    struct config *config = NULL;
    TRY(config_load(call->config_path, &config, error));
    enum status status = policy_load(config->policy, policy, error);
    config_free(config);
    return status;
}

/* STATUS_OK without rows where nothing has been disclosed: that is an answer. */
static enum status ask_facts(struct exposure_source *source, const char *kind, const char *key,
                             struct cli_result *result, struct error *error)
{
    const struct exposure_asking asking = {.what = ASKED_SUBJECT, .kind = kind, .key = key};
    enum status status = exposure_source_ask(source, &asking, result, error);
    return status != STATUS_OK && strcmp(error->sqlstate, NO_DATA) == 0 ? STATUS_OK : status;
}

static enum status ask_kind(const struct cli_call *call, struct exposure_source *source,
                            const char *kind, const char *key, json_t *all, struct error *error)
{
    struct cli_result result = {0};
    TRY(ask_facts(source, kind, key, &result, error));
    for (const struct table_row *row = result.table.first; row != NULL; row = row->next) {
        json_t *object = cli_json_row(&result.table, row, result.kinds);
        int failure = json_object_set_new(object, "kind", cli_json_text(kind));
        CHECK(failure == 0);
        failure = json_array_append_new(all, object);
        CHECK(failure == 0);
    }
    if (!call->json) {
        cli_print_heading(stdout, "%s %s", kind, key);
        if (result.table.row_count > 0)
            cli_print_table(stdout, &result.table);
        else
            puts("nothing has been disclosed");
    }
    table_free(&result.table);
    return STATUS_OK;
}

/* "customer:123": a kind of the policy before the first colon. */
static const char *kind_prefix(const struct policy *policy, const char *word, size_t *len)
{
    for (size_t i = 0; i < policy->kind_count; i++) {
        *len = strlen(policy->kinds[i].name);
        if (strncmp(word, policy->kinds[i].name, *len) == 0 && word[*len] == ':')
            return policy->kinds[i].name;
    }
    return NULL;
}

static enum status ask_all(const struct cli_call *call, struct exposure_source *source,
                           const struct policy *policy, json_t *all, struct error *error)
{
    if (policy == NULL)
        return ask_kind(call, source, call->arguments[0], call->arguments[1], all, error);
    size_t len;
    const char *kind = kind_prefix(policy, call->arguments[0], &len);
    if (kind != NULL)
        return ask_kind(call, source, kind, call->arguments[0] + len + 1, all, error);
    for (size_t i = 0; i < policy->kind_count; i++) {
        if (i > 0 && !call->json)
            putchar('\n');
        TRY(ask_kind(call, source, policy->kinds[i].name, call->arguments[0], all, error));
    }
    return STATUS_OK;
}

/* ---- the letter ---- */

static enum status load_words(const char *folder, const char *format, const char *tag,
                              struct words **words, struct error *error)
{
    char path[PATH_ROOM];
    size_t len = (size_t)snprintf(path, sizeof path, "%s/", folder);
    if (len < sizeof path)
        snprintf(path + len, sizeof path - len, format, tag);
    return words_load(path, words, error);
}

static enum status put_letter(struct exposure_source *source, struct access_letter *letter,
                              struct error *error)
{
    struct cli_result result = {0};
    struct buffer text;
    struct exposure_coverage covered;
    TRY(ask_facts(source, letter->kind, letter->key, &result, error));
    buffer_init(&text, LETTER_BYTES);
    letter->facts = &result.table;
    enum status status = exposure_source_since(source, &covered, error);
    if (status == STATUS_OK) {
        letter->is_cut = covered.since_ns != SINCE_EVER;
        letter->since_ns = letter->is_cut ? since_day(covered.since_ns) : covered.began_ns;
        status = access_letter_write(letter, &text, error);
    }
    if (status == STATUS_OK)
        fwrite(text.data, 1, text.len, stdout);
    buffer_free(&text);
    table_free(&result.table);
    return status;
}

/* KIND KEY or KIND:KEY: a letter goes to one person. */
static enum status name_person(struct cli_call *call, const struct policy *policy,
                               struct access_letter *letter, struct error *error)
{
    size_t len;
    letter->kind = call->arguments[0];
    letter->key = call->arguments[1];
    if (call->argument_count == 2)
        return STATUS_OK;
    letter->kind = kind_prefix(policy, call->arguments[0], &len);
    if (letter->kind == NULL)
        return cli_usage(call, error, "a letter is about one person: write KIND KEY");
    letter->key = call->arguments[0] + len + 1;
    return STATUS_OK;
}

static enum status load_language(struct cli_call *call, const struct config *config,
                                 struct words **words, struct words **phrases, struct error *error)
{
    const char *tag = cli_value(call, "language") == NULL ? "en" : cli_value(call, "language");
    if (strlen(tag) >= TAG_ROOM || tag[strspn(tag, "abcdefghijklmnopqrstuvwxyz-")] != '\0')
        return cli_usage(call, error, "--language takes a tag such as en or fr");
    TRY(load_words(config->data_folder, "words/%s.yaml", tag, words, error));
    return load_words(config->data_folder, "letters/access.%s.yaml", tag, phrases, error);
}

static enum status write_letter(struct cli_call *call, struct error *error)
{
    struct config *config = NULL;
    const struct policy *policy = NULL;
    struct words *words = NULL, *phrases = NULL;
    struct exposure_source *source = NULL;
    struct access_letter letter = {0};
    if (call->json)
        return cli_usage(call, error, "--letter is text, not JSON");
    TRY(config_load(call->config_path, &config, error));
    enum status status = policy_load(config->policy, &policy, error);
    if (status == STATUS_OK)
        status = name_person(call, policy, &letter, error);
    if (status == STATUS_OK)
        status = load_language(call, config, &words, &phrases, error);
    if (status == STATUS_OK)
        status = exposure_source_open(call, &source, error);
    letter.policy = policy;
    letter.words = words;
    letter.phrases = phrases;
    if (status == STATUS_OK)
        status = put_letter(source, &letter, error);
    exposure_source_close(source);
    words_free(phrases);
    words_free(words);
    policy_release(policy);
    config_free(config);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    const struct policy *policy = NULL;
    if (cli_value(call, "letter") != NULL)
        return write_letter(call, error);
    if (cli_value(call, "language") != NULL)
        return cli_usage(call, error, "--language goes with --letter");
    if (call->argument_count == 1)
        TRY(load_kinds(call, &policy, error));
    struct exposure_source *source = NULL;
    enum status status = exposure_source_open(call, &source, error);
    json_t *all = json_array();
    CHECK(all != NULL);
    if (status == STATUS_OK)
        status = ask_all(call, source, policy, all, error);
    struct exposure_coverage covered;
    if (status == STATUS_OK)
        status = exposure_source_since(source, &covered, error);
    exposure_source_close(source);
    policy_release(policy);
    if (status == STATUS_OK)
        exposure_tell_since(call, covered.since, NULL);
    if (status != STATUS_OK || !call->json) {
        json_decref(all);
        return status;
    }
    json_t *answer =
        json_pack("{s:o, s:o}", "since", exposure_since_json(covered.since), "rows", all);
    CHECK(answer != NULL);
    return cli_json_print(answer, false, error);
}

const struct cli_command verb_subject = {
    .arguments = "[KIND] KEY",
    .least = 1,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells which partners have had which columns of one person, in which form and grade,\n"
        "first and last when, and for which purpose. --letter prints the answer for the person\n"
        "who asks (GDPR Art. 15). KEY is the subject key, as the database has it; without KIND\n"
        "every kind of the policy is looked through. KIND:KEY is the same as KIND KEY. Where the\n"
        "gateway is not running, the answer comes from its files.",
    .examples = "subject 123456\n"
                "subject customer:123456\n"
                "subject customer 123456 --json\n"
                "subject customer 123456 --letter --language fr\n",
    .run = run,
};
