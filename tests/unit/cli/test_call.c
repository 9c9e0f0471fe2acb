/* From argv to a verb: sub-verbs, options anywhere, usage errors, exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cli/cli.h"

/* What the last call looked like to its verb. */
static struct {
    int runs;
    char first[64], config[64], reason[64];
    bool json, force;
    uint64_t number;
} seen;

static enum status run(struct cli_call *call, struct error *error)
{
    seen.runs++;
    snprintf(seen.first, sizeof seen.first, "%s",
             call->argument_count > 0 ? call->arguments[0] : "");
    snprintf(seen.config, sizeof seen.config, "%s", call->config_path);
    const char *reason = cli_value(call, "reason");
    snprintf(seen.reason, sizeof seen.reason, "%s", reason == NULL ? "" : reason);
    seen.json = call->json;
    seen.force = cli_value(call, "force") != NULL;
    if (strcmp(seen.first, "fail") == 0)
        return error_set(error, STATUS_IO, "XX000", "Try again.", "it failed");
    return cli_number(call, "number", 1, 10, 5, &seen.number, error);
}

static const struct cli_option options[] = {
    {"reason", 'r', "TEXT", "why"},
    {"force", 'f', NULL, "anyway"},
    {"number", 'n', "N", "how many"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_command command = {
    .arguments = "[THING]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description = "Does a thing.",
    .examples = "thing do it\n",
    .run = run,
};
static const struct cli_command strict = {
    .arguments = "ONE",
    .least = 1,
    .most = 1,
    .description = "",
    .examples = "",
    .run = run,
    .options = options,
};
static const struct cli_verb verbs[] = {
    {"alone", NULL, &command, "stands alone"},
    {"thing", "do", &command, "does"},
    {"thing", "need", &strict, "needs one"},
    {"only", "child", &command, "the only one"},
    {NULL, NULL, NULL, NULL},
};

/* Runs with the words of line, split at spaces. */
static int call(const char *line)
{
    static char text[256];
    char *words[16] = {NULL};
    int count = 0;
    memset(&seen, 0, sizeof seen);
    snprintf(text, sizeof text, "%s", line);
    for (char *rest = text, *word; (word = strsep(&rest, " ")) != NULL;)
        words[count++] = word;
    return cli_main(verbs, count, words);
}

static void test_options_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(call("cofferdam thing do -c /a it --reason=why -f --json -n 7"), CLI_DONE);
    assert_int_equal(seen.runs, 1);
    assert_string_equal(seen.first, "it");
    assert_string_equal(seen.config, "/a");
    assert_string_equal(seen.reason, "why");
    assert_true(seen.json);
    assert_true(seen.force);
    assert_int_equal(seen.number, 7);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(call("cofferdam alone"), CLI_DONE);
    assert_string_equal(seen.config, CLI_DEFAULT_CONFIG);
    assert_string_equal(seen.first, "");
    assert_false(seen.json);
    assert_int_equal(seen.number, 5);
}

static void test_two_dashes_end_options(void **state)
{
    (void)state;
    assert_int_equal(call("cofferdam alone -- --json"), CLI_DONE);
    assert_string_equal(seen.first, "--json");
    assert_false(seen.json);
}

static void test_only_subverb_is_the_default(void **state)
{
    (void)state;
    assert_int_equal(call("cofferdam only"), CLI_DONE);
    assert_int_equal(seen.runs, 1);
    assert_int_equal(call("cofferdam only --json"), CLI_DONE);
    assert_true(seen.json);
    assert_int_equal(call("cofferdam only chidl"), CLI_USAGE);
    assert_int_equal(seen.runs, 0);
}

static void test_usage_errors(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cofferdam",
        "cofferdam alnoe",
        "cofferdam thing",
        "cofferdam thing dp",
        "cofferdam thing need",
        "cofferdam thing need one two",
        "cofferdam alone --resaon x",
        "cofferdam alone -z",
        "cofferdam alone --reason",
        "cofferdam alone -r",
        "cofferdam alone --force=yes",
        "cofferdam alone -n 0",
        "cofferdam alone -n 11",
        "cofferdam alone -n 7x",
        "cofferdam alone -n -1",
        "cofferdam thing need one --json", /* that verb has no JSON */
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int code = call(lines[i]);
        if (code != CLI_USAGE)
            fail_msg("\"%s\" ended with %d, not %d", lines[i], code, CLI_USAGE);
    }
}

static void test_failure_is_one(void **state)
{
    (void)state;
    assert_int_equal(call("cofferdam alone fail"), CLI_FAILED);
    assert_int_equal(seen.runs, 1);
}

static void test_help_does_not_run(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cofferdam --help",        "cofferdam help",          "cofferdam -h",
        "cofferdam thing --help",  "cofferdam alone --help",  "cofferdam alone x y -h",
        "cofferdam thing need -h", "cofferdam help thing do", "cofferdam help alone",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int code = call(lines[i]);
        if (code != CLI_DONE || seen.runs != 0)
            fail_msg("\"%s\" ended with %d after %d runs", lines[i], code, seen.runs);
    }
}

static void test_names_of_agents(void **state)
{
    (void)state;
    struct cli_call given = {.verb = &verbs[0]};
    char partner[CLI_NAME_ROOM], agent[CLI_NAME_ROOM];
    assert_int_equal(cli_split_agent(&given, "north-mail/sync", partner, agent, NULL), STATUS_OK);
    assert_string_equal(partner, "north-mail");
    assert_string_equal(agent, "sync");
    assert_int_equal(cli_split_agent(&given, "ringway", partner, agent, NULL), STATUS_OK);
    assert_string_equal(partner, "ringway");
    assert_string_equal(agent, "");
    static const char *const wrong[] = {
        "",   "/",     "a/",
        "/b", "a/b/c", "a-name-that-is-much-longer-than-any-identifier-of-postgresql-may-be"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        given.usage_wrong = false;
        enum status status = cli_split_agent(&given, wrong[i], partner, agent, NULL);
        if (status != STATUS_INVALID || !given.usage_wrong)
            fail_msg("\"%s\" gave %s", wrong[i], status_name(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_two_dashes_end_options),
        cmocka_unit_test(test_only_subverb_is_the_default),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_failure_is_one),
        cmocka_unit_test(test_help_does_not_run),
        cmocka_unit_test(test_names_of_agents),
    };
    return cmocka_run_group_tests_name("cli/call", tests, NULL, NULL);
}
