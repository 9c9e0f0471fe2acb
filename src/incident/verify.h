/* Verifying a case: each decision against its act in the ledger, each file of evidence against its
 * hash. Reads the ledger whole, so that its own tree is checked on the way. */
#ifndef COFFERDAM_INCIDENT_VERIFY_H
#define COFFERDAM_INCIDENT_VERIFY_H

#include "incident/casework.h"

struct verified {
    uint64_t decisions, files, phases, entries;
};
/* STATUS_CORRUPT tells the first difference. */
MUST_USE enum status verify_case(struct casework *casework, int64_t number,
                                 struct verified *verified, struct error *error);

#endif
