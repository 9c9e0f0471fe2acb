/* Where questions about exposure are asked: of the gateway, or, where none is running, of the files
 * that it left. One thread. */
#ifndef COFFERDAM_CLI_EXPOSURE_SOURCE_H
#define COFFERDAM_CLI_EXPOSURE_SOURCE_H

#include "cli/admin.h"

struct exposure_source; /* owned */

enum exposure_asked {
    ASKED_SUMMARY,
    ASKED_WRITTEN, /* and not given */
    ASKED_CATEGORIES,
    ASKED_COMBINATIONS,
    ASKED_NEVER,
    ASKED_NET,
    ASKED_OVERLAP,
    ASKED_SUBJECT, /* kind and key */
    ASKED_SINCE,   /* when the ledger began, and since when it is whole */
};

struct exposure_asking {
    enum exposure_asked what;
    const char *partner, *other; /* NULL: all; other: of an overlap */
    const char *from, *to;       /* instants that clock_parse takes; NULL: for ever */
    const char *kind, *key;      /* of a subject */
};

/* Without a gateway the files are opened, and standard error says so. */
MUST_USE enum status exposure_source_open(const struct cli_call *call,
                                          struct exposure_source **source, struct error *error);
void exposure_source_close(struct exposure_source *source); /* NULL is fine */
MUST_USE enum status exposure_source_ask(struct exposure_source *source,
                                         const struct exposure_asking *asking,
                                         struct cli_result *result, struct error *error);
/* What an answer covers. */
struct exposure_coverage {
    int64_t began_ns;            /* the ledger's first entry */
    int64_t since_ns;            /* SINCE_EVER: whole */
    char since[SINCE_TEXT_ROOM]; /* the same; "" for whole */
};
/* Ask it after the questions: what was dropped meanwhile is then not claimed. */
MUST_USE enum status exposure_source_since(struct exposure_source *source,
                                           struct exposure_coverage *covered, struct error *error);
/* since: as in a coverage or a table. */
json_t *exposure_since_json(const char *since); /* null for "" */
/* Where records were dropped: as the last line of the answer; on standard error beside JSON, and
 * where `from` (may be NULL) asks for what is gone. */
void exposure_tell_since(const struct cli_call *call, const char *since, const char *from);
/* A table with that; as JSON {"since": …, "rows": […]}. */
MUST_USE enum status exposure_print_rows(const struct cli_call *call,
                                         const struct cli_result *result, const char *since,
                                         const char *from, struct error *error);
/* A usage error where an option that takes an instant holds none. */
MUST_USE enum status exposure_check_time(struct cli_call *call, const char *option,
                                         struct error *error);
/* Opens, asks once, prints. */
MUST_USE enum status exposure_ask_and_print(const struct cli_call *call,
                                            const struct exposure_asking *asking,
                                            struct error *error);

#endif
