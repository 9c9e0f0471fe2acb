/* Letter requests: who asked on the public page, by name and postcode, for an answer by letter. A
 * file in the incidents' folder that the worker adds to and staff work through: keys only, so that
 * it is no list of addresses. One process adds; any may count. */
#ifndef COFFERDAM_INCIDENT_LETTER_REQUESTS_H
#define COFFERDAM_INCIDENT_LETTER_REQUESTS_H

#include <stdint.h>

#include "base/status.h"

#define LETTER_REQUESTS_FILE "letter-requests.csv"
/* An answer about one incident alone: its number follows. */
#define LETTER_REQUESTS_AFFECTED "affected by incident "

struct letter_request {
    int64_t asked_ns;
    const char *kind, *key, *answer;
};
/* On disk when it returns. */
MUST_USE enum status letter_requests_add(const char *folder, const struct letter_request *request,
                                         struct error *error);
/* How many were listed after that instant (told to the second) and are not of another incident
 * alone. No file: none. */
MUST_USE enum status letter_requests_count(const char *folder, int64_t incident, int64_t after_ns,
                                           uint64_t *count, struct error *error);

#endif
