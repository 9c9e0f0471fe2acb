/* The gateway's admin database, asked over its unix socket with libpq: one command, one table. */
#ifndef COFFERDAM_CLI_ADMIN_H
#define COFFERDAM_CLI_ADMIN_H

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/json.h"

struct cli_admin; /* a connection; owned */

struct cli_result {
    struct table table;
    enum cli_json_kind kinds[TABLE_MAX_COLUMNS];
};

/* Connects to the socket in --admin DIR, or in the configuration's run folder. */
MUST_USE enum status cli_admin_open(const struct cli_call *call, struct cli_admin **admin,
                                    struct error *error);
/* The door for what contains, which no long answer and no crowd stands before; the ordinary one
 * where there is none. */
MUST_USE enum status cli_admin_open_urgent(const struct cli_call *call, struct cli_admin **admin,
                                           struct error *error);
void cli_admin_close(struct cli_admin *admin); /* NULL is fine */

/* Appends " keyword 'value'" to a command; keyword may be "", value NULL adds nothing. Quotes are
 * doubled; that is all the quoting the admin database knows: a backslash is a backslash. */
void cli_admin_clause(struct buffer *command, const char *keyword, const char *value);
/* Sends the command. *result is to be freed with table_free(&result->table). */
MUST_USE enum status cli_admin_ask(struct cli_admin *admin, struct buffer *command,
                                   struct cli_result *result, struct error *error);

/* Fills in the kinds of a table's columns, by their names. */
void cli_result_kinds(struct cli_result *result);

/* What most verbs do: connect, send one command, print its answer as table or JSON. */
MUST_USE enum status cli_tell(const struct cli_call *call, struct buffer *command,
                              struct error *error);
/* As cli_tell, for "show" with up to one clause. */
MUST_USE enum status cli_show(const struct cli_call *call, const char *show, const char *keyword,
                              const char *value, struct error *error);
typedef enum status cli_print_function(const struct cli_call *call, const struct cli_result *result,
                                       struct error *error);
/* As cli_show, printed by another function. */
MUST_USE enum status cli_show_with(const struct cli_call *call, const char *show,
                                   const char *keyword, const char *value,
                                   cli_print_function *print, struct error *error);
/* As cli_show, for wide tables: columns without anything in them are left out, and texts go on
 * below, so that lines stay within a page where they can. */
MUST_USE enum status cli_show_wrapped(const struct cli_call *call, const char *show,
                                      const char *keyword, const char *value, struct error *error);
/* As cli_show, for a table of properties: with --json one object, whose names have '_' for ' ' and
 * whose counts are numbers. */
MUST_USE enum status cli_show_properties(const struct cli_call *call, const char *show,
                                         struct error *error);
/* An act about what the first argument numbers, for the reason that --reason gives. */
MUST_USE enum status cli_act(struct cli_call *call, const char *act, struct error *error);
/* As --json wants it, or as a table. */
MUST_USE enum status cli_print_result(const struct cli_call *call, const struct cli_result *result,
                                      struct error *error);

#endif
