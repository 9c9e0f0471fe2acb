/* An invented case of Meridian Motors, made in memory: the scope, the facts, the filings. Its
 * documents are kept under docs/examples/. Names of its people are nowhere: there are only ids. */
#ifndef COFFERDAM_TESTS_INCIDENT_EXAMPLE_CASE_H
#define COFFERDAM_TESTS_INCIDENT_EXAMPLE_CASE_H

#include "incident/brief.h"

enum { EXAMPLE_CUSTOMERS = 12400, EXAMPLE_ENQUIRERS = 2600, EXAMPLE_COUNTED = 310 };

struct example_case {
    struct arena arena;
    struct brief brief;
    struct scope scope;
    const struct policy *policy;
};

/* All that staff could say has been said, one notice is approved, no filing recorded. */
void example_make(struct example_case *example);
/* The same case before anybody did anything: no facts. */
void example_make_bare(struct example_case *example);
void example_free(struct example_case *example);
void example_fact(struct example_case *example, const char *name, const char *value,
                  const char *at);
void example_filing(struct example_case *example, const char *authority, const char *reference,
                    const char *at, const char *phase);
int64_t example_instant(const char *text);

/* The file at docs/examples/NAME is these bytes. With COFFERDAM_WRITE_EXAMPLES set in the
 * environment it is written instead. */
void example_compare(const char *name, struct slice bytes);

#endif
