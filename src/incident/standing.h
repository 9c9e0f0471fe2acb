/* Standing: where each person of an incident stands, over all its notices. A later notice goes to
 * some of them again; whoever is not in it stands where the earlier one left them, letters that
 * nobody has posted yet included. One thread; owned by the caller. */
#ifndef COFFERDAM_INCIDENT_STANDING_H
#define COFFERDAM_INCIDENT_STANDING_H

#include "registry/outbox.h"

struct standing;

struct standing_counts {
    uint64_t states[OUTBOX_STATES], total;
    int64_t newest_ns[OUTBOX_STATES]; /* when the last of them came into it; INT64_MIN: not known */
};

/* notices: the number of the newest. */
MUST_USE enum status standing_open(struct outbox *outbox, int64_t notices,
                                   struct standing **standing, struct error *error);
void standing_close(struct standing *standing); /* NULL is fine */
void standing_count(const struct standing *standing, struct standing_counts *counts);
/* People whose letter, or whose public notice, no decision of the log (as incidents_decisions fills
 * it) covers: neither "letters" nor "public notice", nor a waiver of it, was decided since the last
 * of them came to need it. */
struct standing_open_ends {
    uint64_t letters, public_notices;
    /* Of those that are covered, the ones for whom staff decided that nothing goes out. Which of
     * them an earlier decision had covered is not known: after_some says that there was one. */
    uint64_t letters_waived, public_waived;
    bool letters_after_some, public_after_some;
};
void standing_open_ends(const struct standing_counts *counts, const struct table *decisions,
                        struct standing_open_ends *open);
/* When a step was decided last; INT64_MIN: never. */
int64_t standing_decided_ns(const struct table *decisions, const char *step);
/* Is that the newest notice that has this person? */
bool standing_is_newest(const struct standing *standing, int64_t notice, uint32_t id);

#endif
