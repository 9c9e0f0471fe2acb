/* Case list: every incident in a line, with the time from notice to containment and the clock that
 * runs out next. Asks neither gateway nor ledger. */
#ifndef COFFERDAM_INCIDENT_CASELIST_H
#define COFFERDAM_INCIDENT_CASELIST_H

#include "incident/casework.h"

/* number, partner, noticed, containment, next, closed, phases */
MUST_USE enum status caselist_fill(struct casework *casework, struct table *table,
                                   struct error *error);

#endif
