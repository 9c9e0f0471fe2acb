/* What the incident verbs share: the incident's number, the casework, printing a case file. */
#ifndef COFFERDAM_CLI_INCIDENT_H
#define COFFERDAM_CLI_INCIDENT_H

#include "cli/cli.h"
#include "incident/casefile.h"
#include "incident/scope.h"

#define CLI_INCIDENT_BY                                                                            \
    {                                                                                              \
        "by", 0, "NAME", "who acts, for the decision log; default: the login name"                 \
    }

/* The first argument: the incident's number. A usage error for anything else. */
MUST_USE enum status cli_incident_number(struct cli_call *call, int64_t *number,
                                         struct error *error);
/* Those of --grades; by default those that are notified. */
MUST_USE enum status cli_incident_grades(struct cli_call *call, scope_grades *grades,
                                         struct error *error);
/* The casework of -c, and of --by where the verb has that option. */
MUST_USE enum status cli_incident_casework(struct cli_call *call, bool has_by,
                                           struct casework **casework, struct error *error);
/* The named sections (NULL-terminated; NULL: all that have rows) of a case file; all of them as
 * JSON where that is asked for. */
MUST_USE enum status cli_incident_print(const struct cli_call *call,
                                        const struct casefile *casefile, const char *const *names,
                                        struct error *error);
/* Where the ledger has more of the partner than the incident's newest phase counts: says so on
 * standard error. phase 0 or the newest; of an earlier one nothing is said. */
MUST_USE enum status cli_incident_warn_later(struct casework *casework, int64_t number,
                                             int64_t phase, struct error *error);
/* One table, as table or JSON, numbers told by their columns' names. */
MUST_USE enum status cli_incident_print_table(const struct cli_call *call,
                                              const struct table *table, struct error *error);

#endif
