/* Help texts, made from the descriptions of the verbs. */
#include "cli/cli.h"

#include <string.h>

const struct cli_option cli_common_options[] = {
    {"config", 'c', "FILE", "configuration, default " CLI_DEFAULT_CONFIG},
    {"admin", 0, "DIR", "folder of the gateway's admin socket, instead of the configuration's"},
    {"json", 0, NULL, "JSON instead of a table"},
    {"help", 'h', NULL, "this text"},
    {NULL, 0, NULL, NULL},
};

static const unsigned common_takes[] = {CLI_TAKES_CONFIG, CLI_TAKES_ADMIN, CLI_TAKES_JSON, 0};

static void print_name(FILE *out, const struct cli_verb *verb)
{
    fprintf(out, "%s%s%s", verb->verb, verb->subverb == NULL ? "" : " ",
            verb->subverb == NULL ? "" : verb->subverb);
}

static void print_row(FILE *out, const struct cli_verb *verb)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", verb->verb, verb->subverb == NULL ? "" : " ",
             verb->subverb == NULL ? "" : verb->subverb);
    fprintf(out, "  %-19s  %s\n", name, verb->summary);
}

void cli_help(FILE *out, const struct cli_verb *verbs)
{
    fputs("usage: cofferdam VERB [OPTION...] [ARGUMENT...]\n"
          "A zero-trust gateway between partners and a PostgreSQL database: every partner sees\n"
          "what it was granted, and whose data left is in a durable ledger before it leaves.\n\n",
          out);
    for (; verbs->verb != NULL; verbs++)
        print_row(out, verbs);
    fputs("\n`cofferdam VERB --help` tells more about a verb, cofferdam(1) about all of them.\n",
          out);
}

void cli_help_group(FILE *out, const struct cli_verb *verbs, const char *verb)
{
    fprintf(out, "usage: cofferdam %s VERB [OPTION...] [ARGUMENT...]\n\n", verb);
    for (; verbs->verb != NULL; verbs++) {
        if (strcmp(verbs->verb, verb) == 0)
            print_row(out, verbs);
    }
    fprintf(out, "\n`cofferdam %s VERB --help` tells more.\n", verb);
}

void cli_usage_line(FILE *out, const struct cli_verb *verb)
{
    fputs("usage: cofferdam ", out);
    print_name(out, verb);
    fprintf(out, " [OPTION...]%s%s\n", verb->command->arguments[0] == '\0' ? "" : " ",
            verb->command->arguments);
}

static void print_option(FILE *out, const struct cli_option *option)
{
    char left[48], letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
             option->argument == NULL ? "" : " ", option->argument == NULL ? "" : option->argument);
    fprintf(out, "  %-26s %s\n", left, option->help);
}

void cli_help_verb(FILE *out, const struct cli_verb *verb)
{
    const struct cli_command *command = verb->command;
    cli_usage_line(out, verb);
    fprintf(out, "%s\n\noptions:\n", command->description);
    for (const struct cli_option *option = command->options; option != NULL && option->name != NULL;
         option++)
        print_option(out, option);
    for (size_t i = 0; cli_common_options[i].name != NULL; i++) {
        if (common_takes[i] == 0 || (command->takes & common_takes[i]) != 0)
            print_option(out, &cli_common_options[i]);
    }
    fputs("\nexamples:\n", out);
    for (const char *line = command->examples; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        fprintf(out, "  %s%.*s\n", line[0] == ' ' ? "" : "cofferdam ", (int)len, line);
        line += len + (line[len] == '\n');
    }
    fprintf(out,
            "\nexit codes:\n  0  done\n  1  %s; the reason and a hint are on standard error\n"
            "  2  wrong usage\n",
            command->exits == NULL ? "failed" : command->exits);
}
