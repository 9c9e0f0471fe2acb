/* What the command line's files share: the description of a verb, the parsed call, printing.
 * A verb is one file verb_<name>.c with one constant struct cli_command; main.c's table names them.
 * Exit codes: 0 done, 1 failed (message and hint on standard error), 2 wrong usage.
 * One thread. Results go to standard output, everything else to standard error. */
#ifndef COFFERDAM_CLI_CLI_H
#define COFFERDAM_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/table.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_BROKEN = 3 };
enum { CLI_MAX_OPTIONS = 24, CLI_RESULT_BYTES = 256 * 1024 * 1024 };

/* Options that many verbs take in the same way. */
enum {
    CLI_TAKES_CONFIG = 1, /* -c FILE */
    CLI_TAKES_ADMIN = 2,  /* --admin DIR; goes with CLI_TAKES_CONFIG */
    CLI_TAKES_JSON = 4,   /* --json */
};

#define CLI_DEFAULT_CONFIG "/etc/cofferdam/cofferdam.yaml"

struct cli_option {
    const char *name;     /* long form, without dashes */
    char letter;          /* short form; 0: none */
    const char *argument; /* as usage shows it; NULL: a flag */
    const char *help;
};

struct cli_call;

struct cli_command {
    const char *arguments;            /* as usage shows them; "" for none */
    int least, most;                  /* how many of them */
    unsigned takes;                   /* CLI_TAKES_… */
    const struct cli_option *options; /* ends with a NULL name; NULL: none */
    const char *description;
    const char *examples; /* lines after "cofferdam ", each ended by a newline */
    const char *exits;    /* what 1 means here, if not just "it failed"; or NULL */
    enum status (*run)(struct cli_call *call, struct error *error);
};

/* A row of the table of verbs. */
struct cli_verb {
    const char *verb, *subverb; /* subverb NULL: the verb stands alone */
    const struct cli_command *command;
    const char *summary;
};

struct cli_call {
    const struct cli_verb *verb;
    char **arguments;
    int argument_count;
    const char *values[CLI_MAX_OPTIONS]; /* beside command->options: NULL not given, "" a flag */
    const char *config_path;             /* CLI_DEFAULT_CONFIG if not given */
    const char *admin_folder;            /* NULL: from the config file */
    bool json;
    bool usage_wrong; /* the failure is the caller's: exit 2 */
    int exit_code;    /* of a failure, where a verb has one of its own; else 0 */
};

/* ---- call.c ---- */
/* The whole program: finds the verb, parses, runs, reports. verbs ends with a NULL verb. */
int cli_main(const struct cli_verb *verbs, int argc, char **argv);
/* Value of an option of this verb; NULL if it was not given. */
const char *cli_value(const struct cli_call *call, const char *name);
/* Number of an option; fallback if it was not given; a usage error outside [least, most]. */
MUST_USE enum status cli_number(struct cli_call *call, const char *name, uint64_t least,
                                uint64_t most, uint64_t fallback, uint64_t *value,
                                struct error *error);
/* A usage error: fills *error and marks the call. */
enum status cli_usage(struct cli_call *call, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A usage error if the option was not given. */
MUST_USE enum status cli_require(struct cli_call *call, const char *name, const char **value,
                                 struct error *error);
/* "a/b" or "a" into room for each; agent is "" for the latter. A usage error for anything else. */
enum { CLI_NAME_ROOM = 64 };
MUST_USE enum status cli_split_agent(struct cli_call *call, const char *text,
                                     char partner[static CLI_NAME_ROOM],
                                     char agent[static CLI_NAME_ROOM], struct error *error);

/* ---- help.c ---- */
void cli_help(FILE *out, const struct cli_verb *verbs);
void cli_help_group(FILE *out, const struct cli_verb *verbs, const char *verb);
void cli_help_verb(FILE *out, const struct cli_verb *verb);
void cli_usage_line(FILE *out, const struct cli_verb *verb);
extern const struct cli_option cli_common_options[]; /* help, config, admin, json */

/* ---- print.c ---- */
/* Cells are shown with control characters escaped: names and statements come from partners, and a
 * terminal obeys what it is shown. */
void cli_print_table(FILE *out, const struct table *table);
/* As cli_print_table, no wider than a page: texts that are longer than their share go on in lines
 * of their own below. What has no blank is never broken, so that it can be copied. */
enum { CLI_PAGE_COLUMNS = 120 };
void cli_print_wrapped(FILE *out, const struct table *table);
/* A text in lines of at most a page, each behind indent blanks. */
void cli_print_text(FILE *out, const char *text, size_t indent);
/* As cli_print_table; rows for which marked() is true stand out, in red where colour is set. */
void cli_print_marked(FILE *out, const struct table *table,
                      bool (*marked)(const struct table *table, const struct table_row *row),
                      bool colour);
/* "name: value"; a value of several lines is indented below its name. */
void cli_print_pair(FILE *out, const char *name, const char *value);
/* As it is, but for what a terminal would obey: errors quote what others have written. */
void cli_print_safe(FILE *out, const char *text);
void cli_print_heading(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* May standard output be coloured? (a terminal, NO_COLOR not set) */
bool cli_colour(void);
/* Index of a column; table->column_count where there is none. */
size_t cli_column(const struct table *table, const char *name);
/* Text of a cell by column name; "" for NULL and for columns that do not exist. */
const char *cli_cell(const struct table *table, const struct table_row *row, const char *name);

#endif
