/* Deadlines: the clocks of the controller's jurisdictions, as they stand for one incident. They
 * count from the notice, and stop with what discharges the duty. Owned by the caller. */
#ifndef COFFERDAM_INCIDENT_DEADLINES_H
#define COFFERDAM_INCIDENT_DEADLINES_H

#include "incident/casework.h"
#include "policy/jurisdiction.h"

struct deadline {
    const struct jurisdiction *law;
    const struct jurisdiction_clock *clock;
    int64_t due_ns;     /* INT64_MAX: the law names no number */
    int64_t stopped_ns; /* INT64_MIN: it runs */
};

struct deadlines {
    struct jurisdiction **laws;
    size_t law_count;
    struct deadline *list;
    size_t count;
};

/* What stops clocks, besides filings. */
struct deadline_stops {
    const struct table *filings; /* as incidents_filings fills it */
    int64_t notices_ns;          /* the last notice was finished; INT64_MIN: not yet */
    int64_t dossier_ns;          /* the case was closed; INT64_MIN: not yet */
};

/* Loads the jurisdictions that the policy names. Free it, also after a failure; zero it before. */
MUST_USE enum status deadlines_open(const struct casework *casework,
                                    const struct incident *incident,
                                    const struct deadline_stops *stops, struct deadlines *deadlines,
                                    struct error *error);
void deadlines_free(struct deadlines *deadlines);

/* ---- arithmetic ---- */
/* An instant, limit later; INT64_MAX where there is no limit or no such instant. */
int64_t deadline_due(int64_t noticed_ns, int64_t limit_ns);
/* "2 d 4 h", "3 h 05 min", "12 min 04 s", "9 s": of a duration's size, sign aside. */
enum { DEADLINE_ROOM = 96 };
void deadline_duration(int64_t duration_ns, char text[static DEADLINE_ROOM]);
/* "58 h 12 min left", "overdue by 3 min", "done, 12 h before it was due", "done 2 d late",
 * "open for 4 h", "done after 4 h". */
void deadline_tell(const struct deadline *deadline, int64_t noticed_ns, int64_t now_ns,
                   char text[static DEADLINE_ROOM]);
/* "contained 3 min 10 s after the notice", or before it, or "NOT CONTAINED". */
void deadline_containment(const struct incident *incident, char text[static DEADLINE_ROOM]);

#endif
