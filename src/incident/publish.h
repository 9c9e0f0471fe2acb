/* Publish: from an incident to what the portal serves. References must stand in the portal before
 * the first message is sent, so that nobody who checks a genuine one is told it is unknown. */
#ifndef COFFERDAM_INCIDENT_PUBLISH_H
#define COFFERDAM_INCIDENT_PUBLISH_H

#include "incident/notice.h"

struct publish_result {
    uint64_t references; /* that the portal vouches for from now on */
    size_t messages;     /* different texts among them */
    size_t languages;
};
/* The public statement as the case bears it out, the messages of the newest phase's notice (the
 * approved one, or the planned one to people of these grades), a reference for each of its people.
 * folder NULL: the configuration's; the queue is made there as well. Recorded as a decision. */
MUST_USE enum status publish_incident(struct casework *casework, int64_t number,
                                      scope_grades grades, const char *folder,
                                      struct publish_result *result, struct error *error);
/* STATUS_DENIED 55000 where the configured portal does not vouch for every reference of the notice
 * yet, or not for long enough; fine where no portal is configured. */
MUST_USE enum status publish_check(const struct casework *casework, const struct notice *notice,
                                   const struct scope *scope, struct error *error);

#endif
