/* cofferdam drill: a breach from beginning to end in an invented world, timed. The steps are a
 * script in the data folder, so that staff can read what will be done, and change it. */
#include "cli/verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/config.h"

enum { MOST_SUBJECTS = 10000000, LEAST_SUBJECTS = 2400, DEFAULT_SUBJECTS = 24000 };

static const struct cli_option options[] = {
    {"subjects", 'n', "N", "how many invented people, default 24000"},
    {"folder", 'd', "DIR", "where the drill's world is made, default a temporary folder"},
    {"out", 'o', "DIR", "keep what was stolen, the scope's list, the sheet and the messages there"},
    {"keep", 'k', NULL, "leave everything running and on disk, to look at"},
    {"down", 0, NULL, "stop what --keep left running in --folder"},
    {"data", 0, "DIR", "the data folder, default as installed"},
    {NULL, 0, NULL, NULL},
};

static enum status run(struct cli_call *call, struct error *error)
{
    uint64_t subjects;
    char program[PATH_MAX], script[PATH_MAX], count[24];
    const char *data = cli_value(call, "data"), *folder = cli_value(call, "folder");
    if (cli_value(call, "down") != NULL && folder == NULL)
        return cli_usage(call, error, "--down needs the --folder that --keep was given");
    TRY(cli_number(call, "subjects", LEAST_SUBJECTS, MOST_SUBJECTS, DEFAULT_SUBJECTS, &subjects,
                   error));
    if (realpath("/proc/self/exe", program) == NULL)
        return error_set_errno(error, errno, "/proc/self/exe");
    snprintf(script, sizeof script, "%s/drill/drill", data == NULL ? config_installed_data : data);
    if (!file_exists(script))
        return error_set(error, STATUS_NOT_FOUND, "58P01",
                         "name the data folder with --data DIR; in a checkout it is share",
                         "there is no %s", script);
    snprintf(count, sizeof count, "%llu", (unsigned long long)subjects);
    if (setenv("COFFERDAM_BIN", program, 1) != 0)
        return error_set_errno(error, errno, "environment");
    static const char *const passed[] = {"folder", "out"};
    const char *arguments[10] = {script, "--subjects", count};
    size_t used = 3;
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if (cli_value(call, passed[i]) == NULL)
            continue;
        arguments[used++] = i == 0 ? "--folder" : "--out";
        arguments[used++] = cli_value(call, passed[i]);
    }
    static const char *const flags[] = {"keep", "down"}, *const words[] = {"--keep", "--down"};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (cli_value(call, flags[i]) != NULL)
            arguments[used++] = words[i];
    fflush(NULL);
    execv(script, (char *const *)(uintptr_t)arguments);
    return error_set_errno(error, errno, "%s", script);
}

const struct cli_command verb_drill = {
    .arguments = "",
    .least = 0,
    .most = 0,
    .options = options,
    .description =
        "Practises a breach: makes a world of its own (a PostgreSQL with invented people, a\n"
        "gateway, a mail server, all on this machine and as unprivileged users), lets an\n"
        "invented partner be robbed, and walks the whole path: open, scope, statement, notices,\n"
        "report, public page, close. Each step is timed; what the thief received is compared with\n"
        "what the scope says. Touches nothing of a real installation. Needs PostgreSQL's programs\n"
        "and python3-aiosmtpd.",
    .examples = "drill\n"
                "drill --subjects 240000\n"
                "drill --keep --folder /tmp/drill\n"
                "drill --down --folder /tmp/drill\n",
    .exits = "a step failed, or the scope was not what had been taken",
    .run = run,
};
