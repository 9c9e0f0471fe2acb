/* What a form can ask of the case itself. Private to the report. */
#ifndef COFFERDAM_INCIDENT_REPORT_VALUES_H
#define COFFERDAM_INCIDENT_REPORT_VALUES_H

#include "incident/report.h"

/* Everything a value is told from; texts go into the arena. */
struct answering {
    const struct report_case *of;
    const struct brief *brief;
    struct arena *arena;
};
struct report_value {
    const char *name; /* in a form, under say, also or tick */
    /* NULL: there is nothing to say. Under tick: the words, a line each. */
    const char *(*tell)(const struct answering *answering);
    const char *supply; /* how staff supply it where it is missing; NULL: it need not be there */
};
/* NULL where there is none. */
const struct report_value *report_value_find(const char *name);
/* Does a question apply? *known false: there is no such condition. */
bool report_applies(const struct answering *answering, const char *condition, bool *known);
/* The first or newest filing with the form's authority; NULL: none. */
const struct table_row *report_filing(const struct report_case *of, bool newest);
int64_t report_filed_ns(const struct report_case *of, const struct table_row *filing);

/* ---- report_numbers.c ---- */
const char *report_records(const struct answering *answering);
const char *report_records_note(const struct answering *answering);
const char *report_people(const struct answering *answering);
const char *report_people_note(const struct answering *answering);
const char *report_categories(const struct answering *answering);
const char *report_categories_said(const struct answering *answering);
const char *report_combinations(const struct answering *answering);
const char *report_forms(const struct answering *answering);
const char *report_kinds(const struct answering *answering);
const char *report_kinds_note(const struct answering *answering);
const char *report_countries(const struct answering *answering);
const char *report_never(const struct answering *answering);
const char *report_changes(const struct answering *answering);

#endif
