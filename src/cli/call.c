/* From argv to a verb's function and back to an exit code. Options may stand anywhere after the
 * verb; "--" ends them. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "policy/suggest.h"

enum { MAX_WORDS = 64, COMMON_COUNT = 4, FIRST_LONG = 256 };

/* ---- what verbs ask of their call ---- */

const char *cli_value(const struct cli_call *call, const char *name)
{
    const struct cli_option *options = call->verb->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0)
            return call->values[i];
    }
    CHECK(!"the verb has this option");
    return NULL;
}

enum status cli_usage(struct cli_call *call, struct error *error, const char *format, ...)
{
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    call->usage_wrong = true;
    return error_set(error, STATUS_INVALID, "22023", NULL, "%s", message);
}

enum status cli_require(struct cli_call *call, const char *name, const char **value,
                        struct error *error)
{
    const char *given = cli_value(call, name);
    if (given == NULL || given[0] == '\0')
        return cli_usage(call, error, "--%s is needed", name);
    *value = given;
    return STATUS_OK;
}

enum status cli_number(struct cli_call *call, const char *name, uint64_t least, uint64_t most,
                       uint64_t fallback, uint64_t *value, struct error *error)
{
    const char *text = cli_value(call, name);
    if (text == NULL) {
        *value = fallback;
        return STATUS_OK;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least ||
        number > most)
        return cli_usage(call, error, "--%s takes a number from %llu to %llu, not \"%s\"", name,
                         (unsigned long long)least, (unsigned long long)most, text);
    *value = number;
    return STATUS_OK;
}

enum status cli_split_agent(struct cli_call *call, const char *text,
                            char partner[static CLI_NAME_ROOM], char agent[static CLI_NAME_ROOM],
                            struct error *error)
{
    size_t len = strcspn(text, "/");
    const char *rest = text[len] == '/' ? text + len + 1 : "";
    if (len == 0 || len >= CLI_NAME_ROOM || strlen(rest) >= CLI_NAME_ROOM ||
        strchr(rest, '/') != NULL || (text[len] == '/' && rest[0] == '\0'))
        return cli_usage(call, error, "\"%s\" is neither PARTNER nor PARTNER/AGENT", text);
    snprintf(partner, CLI_NAME_ROOM, "%.*s", (int)len, text);
    snprintf(agent, CLI_NAME_ROOM, "%s", rest);
    return STATUS_OK;
}

/* ---- finding the verb ---- */

static bool has_verb(const struct cli_verb *verbs, const char *name)
{
    for (; verbs->verb != NULL; verbs++) {
        if (strcmp(verbs->verb, name) == 0)
            return true;
    }
    return false;
}

/* The rows of a verb: their number, and the first. */
static size_t count_rows(const struct cli_verb *verbs, const char *name,
                         const struct cli_verb **first)
{
    size_t count = 0;
    for (; verbs->verb != NULL; verbs++) {
        if (strcmp(verbs->verb, name) != 0)
            continue;
        if (count++ == 0)
            *first = verbs;
    }
    return count;
}

/* verb NULL: among verbs; otherwise among its sub-verbs. */
static void complain_unknown(const struct cli_verb *verbs, const char *verb, const char *given)
{
    const char *words[MAX_WORDS + 1] = {NULL};
    size_t count = 0;
    for (; verbs->verb != NULL && count < MAX_WORDS; verbs++) {
        if (verb == NULL)
            words[count++] = verbs->verb;
        else if (strcmp(verbs->verb, verb) == 0 && verbs->subverb != NULL)
            words[count++] = verbs->subverb;
    }
    const char *nearest = suggest_nearest(given, words);
    const char *space = verb == NULL ? "" : " ";
    verb = verb == NULL ? "" : verb;
    fprintf(stderr, "cofferdam: there is no verb \"%s%s%s\"\n", verb, space, given);
    if (nearest != NULL)
        fprintf(stderr, "hint: did you mean \"cofferdam %s%s%s\"?\n", verb, space, nearest);
    else
        fprintf(stderr, "hint: `cofferdam %s%s--help` lists them.\n", verb, space);
}

/* NULL where the verb has none of that name. */
static const struct cli_verb *find_subverb(const struct cli_verb *row, const char *verb,
                                           const char *subverb)
{
    for (; row->verb != NULL; row++)
        if (row->subverb != NULL && strcmp(row->verb, verb) == 0 &&
            strcmp(row->subverb, subverb) == 0)
            return row;
    return NULL;
}

/* Finds the row for argv; *used is how many words name it. NULL: *exit_code says how it ended. */
static const struct cli_verb *find_verb(const struct cli_verb *verbs, int argc, char **argv,
                                        int *used, int *exit_code)
{
    const struct cli_verb *first = NULL;
    *exit_code = CLI_USAGE;
    if (!has_verb(verbs, argv[1])) {
        complain_unknown(verbs, NULL, argv[1]);
        return NULL;
    }
    size_t rows = count_rows(verbs, argv[1], &first);
    *used = 2;
    const char *next = argc > 2 ? argv[2] : NULL;
    if (first->subverb == NULL) {
        const struct cli_verb *row = next == NULL ? NULL : find_subverb(first, argv[1], next);
        *used = row == NULL ? 2 : 3;
        return row == NULL ? first : row; /* `cofferdam budget PARTNER` stands beside its others */
    }
    if (next == NULL || next[0] == '-') {
        bool help = next != NULL && (strcmp(next, "--help") == 0 || strcmp(next, "-h") == 0);
        bool shows = strcmp(first->subverb, "show") == 0 && !help;
        if (rows == 1 || shows) /* `cofferdam exposure` is `cofferdam exposure show` */
            return first;
        cli_help_group(help ? stdout : stderr, verbs, argv[1]);
        *exit_code = help ? CLI_DONE : CLI_USAGE;
        return NULL;
    }
    const struct cli_verb *row = find_subverb(first, argv[1], next);
    if (row != NULL) {
        *used = 3;
        return row;
    }
    complain_unknown(verbs, argv[1], next);
    return NULL;
}

/* ---- options ---- */

struct parser {
    struct option longs[CLI_MAX_OPTIONS + COMMON_COUNT + 1];
    const char *names[CLI_MAX_OPTIONS + COMMON_COUNT + 1]; /* NULL behind the last */
    char shorts[2 * (CLI_MAX_OPTIONS + COMMON_COUNT) + 3];
    size_t count, own_count;
};

static void add_option(struct parser *parser, const struct cli_option *option)
{
    parser->names[parser->count] = option->name;
    parser->longs[parser->count] = (struct option){
        .name = option->name,
        .has_arg = option->argument == NULL ? no_argument : required_argument,
        .val = FIRST_LONG + (int)parser->count,
    };
    parser->count++;
    if (option->letter == 0)
        return;
    size_t used = strlen(parser->shorts);
    parser->shorts[used++] = option->letter;
    if (option->argument != NULL)
        parser->shorts[used++] = ':';
    parser->shorts[used] = '\0';
}

static void describe_options(const struct cli_command *command, struct parser *parser)
{
    static const unsigned takes[] = {CLI_TAKES_CONFIG, CLI_TAKES_ADMIN, CLI_TAKES_JSON, 0};
    *parser = (struct parser){.shorts = ":"}; /* a missing argument is told from a wrong option */
    for (const struct cli_option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        CHECK(parser->own_count < CLI_MAX_OPTIONS);
        add_option(parser, option);
        parser->own_count++;
    }
    for (size_t i = 0; i < COMMON_COUNT; i++) {
        if (takes[i] == 0 || (command->takes & takes[i]) != 0)
            add_option(parser, &cli_common_options[i]);
    }
}

static enum status set_option(struct cli_call *call, const struct parser *parser, size_t index,
                              bool *help)
{
    const char *value = optarg == NULL ? "" : optarg;
    const char *name = parser->names[index];
    if (index < parser->own_count)
        call->values[index] = value;
    else if (strcmp(name, "config") == 0)
        call->config_path = value;
    else if (strcmp(name, "admin") == 0)
        call->admin_folder = value;
    else if (strcmp(name, "json") == 0)
        call->json = true;
    else
        *help = true;
    return STATUS_OK;
}

static size_t index_of_letter(const struct cli_command *command, const struct parser *parser,
                              int letter)
{
    for (size_t i = 0; i < parser->own_count; i++) {
        if (command->options[i].letter == letter)
            return i;
    }
    for (size_t i = parser->own_count; i < parser->count; i++) {
        if (parser->names[i][0] == letter)
            return i; /* -c and -h are the first letters of config and help */
    }
    return parser->count;
}

static enum status complain_option(struct cli_call *call, const struct parser *parser, int found,
                                   char **argv, struct error *error)
{
    const char *given = argv[optind - 1];
    if (found == ':')
        return cli_usage(call, error, "%s needs a value", given);
    if (optopt >= FIRST_LONG)
        return cli_usage(call, error, "--%s takes no value", parser->names[optopt - FIRST_LONG]);
    if (strncmp(given, "--", 2) != 0)
        return cli_usage(call, error, "there is no option -%c", optopt);
    const char *nearest = suggest_nearest(given + 2, parser->names);
    if (nearest != NULL)
        return cli_usage(call, error, "there is no option %s; did you mean --%s?", given, nearest);
    return cli_usage(call, error, "there is no option %s", given);
}

static enum status parse(struct cli_call *call, int argc, char **argv, bool *help,
                         struct error *error)
{
    const struct cli_command *command = call->verb->command;
    struct parser parser;
    describe_options(command, &parser);
    opterr = 0;
    optind = 0; /* glibc: start anew */
    int found;
    while ((found = getopt_long(argc, argv, parser.shorts, parser.longs, NULL)) != -1) {
        if (found == '?' || found == ':')
            return complain_option(call, &parser, found, argv, error);
        size_t index = found >= FIRST_LONG ? (size_t)(found - FIRST_LONG)
                                           : index_of_letter(command, &parser, found);
        CHECK(index < parser.count);
        TRY(set_option(call, &parser, index, help));
    }
    call->arguments = argv + optind;
    call->argument_count = argc - optind;
    if (*help)
        return STATUS_OK;
    if (call->argument_count < command->least)
        return cli_usage(call, error, "%s is needed", command->arguments);
    if (call->argument_count > command->most)
        return cli_usage(call, error, "unexpected argument \"%s\"", call->arguments[command->most]);
    return STATUS_OK;
}

/* ---- the whole ---- */

static bool lacks_configuration(const struct cli_call *call, const struct error *error)
{
    return (call->verb->command->takes & CLI_TAKES_CONFIG) != 0 &&
           strncmp(error->message, call->config_path, strlen(call->config_path)) == 0 &&
           !file_exists(call->config_path);
}

static int report(const struct cli_call *call, const struct error *error)
{
    fflush(stdout); /* what was printed stands above */
    fprintf(stderr, "cofferdam %s%s%s: ", call->verb->verb, call->verb->subverb == NULL ? "" : " ",
            call->verb->subverb == NULL ? "" : call->verb->subverb);
    cli_print_safe(stderr, error->message);
    fputs(error->hint[0] != '\0' ? "\nhint: " : "\n", stderr);
    if (error->hint[0] != '\0') {
        cli_print_safe(stderr, error->hint);
        fputc('\n', stderr);
    } else if (lacks_configuration(call, error)) {
        fputs("hint: -c FILE names another configuration; cofferdam.yaml(5) says what is in it\n",
              stderr);
    }
    if (!call->usage_wrong)
        return call->exit_code == 0 ? CLI_FAILED : call->exit_code;
    cli_usage_line(stderr, call->verb);
    return CLI_USAGE;
}

static int run(const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_call call = {.verb = verb, .config_path = CLI_DEFAULT_CONFIG};
    struct error error = {0};
    bool help = false;
    enum status status = parse(&call, argc, argv, &help, &error);
    if (status == STATUS_OK && help) {
        cli_help_verb(stdout, verb);
        return CLI_DONE;
    }
    if (status == STATUS_OK)
        status = verb->command->run(&call, &error);
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = error_set_errno(&error, errno, "cannot write the result");
    return status == STATUS_OK ? CLI_DONE : report(&call, &error);
}

int cli_main(const struct cli_verb *verbs, int argc, char **argv)
{
    if (argc < 2) {
        cli_help(stderr, verbs);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        if (argc == 2) {
            cli_help(stdout, verbs);
            return CLI_DONE;
        }
        /* "help VERB [SUBVERB]" is "VERB [SUBVERB] --help" */
        char *words[4] = {argv[0], argv[2], argc > 3 ? argv[3] : NULL, NULL};
        static char flag[] = "--help";
        words[argc > 3 ? 3 : 2] = flag;
        return cli_main(verbs, argc > 3 ? 4 : 3, words);
    }
    int used = 0, exit_code = CLI_USAGE;
    const struct cli_verb *verb = find_verb(verbs, argc, argv, &used, &exit_code);
    if (verb == NULL)
        return exit_code;
    return run(verb, argc - used + 1, argv + used - 1);
}
