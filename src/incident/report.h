/* Report: what an authority asks about an incident, answered from the case: numbers from the scope
 * of a phase, instants from the ledger, the rest from facts that staff give. One store of facts,
 * one sheet an authority. What is missing is said, with the command that supplies it. No subject's
 * own data is in a sheet. The same case gives the same bytes, but for whether it is late. */
#ifndef COFFERDAM_INCIDENT_REPORT_H
#define COFFERDAM_INCIDENT_REPORT_H

#include "incident/brief.h"
#include "incident/sheet.h"
#include "policy/form.h"
#include "policy/jurisdiction.h"
#include "policy/words.h"

/* What a sheet is made from; all borrowed. */
struct report_case {
    const struct brief *brief;
    const struct scope *earlier; /* of the phase last filed with this authority, if another; NULL */
    const struct form *form;
    const struct jurisdiction *jurisdiction;
    const struct words *facts; /* share/reports/facts.yaml */
    const struct words *words; /* share/words/en.yaml */
    bool is_follow_up;         /* to be filed as one though no filing is recorded */
};
/* Fills the form. STATUS_INVALID where it asks for a fact or value that does not exist. */
MUST_USE enum status report_fill(const struct report_case *of, struct arena *arena,
                                 struct sheet *sheet, struct error *error);
/* The clock of the form's authority; *due_ns INT64_MAX: none. *filed_ns: when it was first filed,
 * INT64_MIN: not yet. Late: filed after it was due, or not filed and due by now. */
bool report_is_late(const struct report_case *of, int64_t *due_ns, int64_t *filed_ns);

struct report_request {
    int64_t incident, phase; /* phase 0: the newest */
    const char *authority;   /* ico, eu: share/reports/NAME.yaml */
    bool html, is_follow_up;
};
struct report {
    struct buffer bytes; /* the sheet */
    char sha256[65];
    const char *path; /* where it was saved in the evidence folder; in the arena */
    size_t missing_count;
    int64_t due_ns, filed_ns, phase;
    bool is_late;
};
/* Makes the sheet and saves it. report_free(), also after a failure. */
MUST_USE enum status report_make(struct casework *casework, const struct report_request *request,
                                 struct arena *arena, struct report *report, struct error *error);
void report_free(struct report *report);

#endif
