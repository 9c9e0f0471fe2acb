/* See standing.h. Subject ids are dense, so that a place for each is small. */
#include "incident/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { FIRST_ROOM = 4096 };
static const int64_t SECOND_NS = INT64_C(1000000000);

struct place {
    int64_t settled_ns;
    int32_t notice; /* 0: nobody */
    enum outbox_state state;
};
struct standing {
    struct place *places; /* by subject id */
    size_t room;
    int32_t notice; /* that is being read */
};

static enum status make_room(struct standing *standing, uint32_t id, struct error *error)
{
    size_t room = standing->room == 0 ? FIRST_ROOM : standing->room;
    while (room <= id)
        room *= 2;
    if (room == standing->room)
        return STATUS_OK;
    struct place *grown = realloc(standing->places, room * sizeof *grown);
    if (grown == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    memset(grown + standing->room, 0, (room - standing->room) * sizeof *grown);
    standing->places = grown;
    standing->room = room;
    return STATUS_OK;
}

static enum status take(void *context, const struct outbox_proof *proof, struct error *error)
{
    struct standing *standing = context;
    TRY(make_room(standing, proof->id, error));
    standing->places[proof->id] = (struct place){
        .settled_ns = proof->settled_ns, .notice = standing->notice, .state = proof->state};
    return STATUS_OK;
}

enum status standing_open(struct outbox *outbox, int64_t notices, struct standing **standing,
                          struct error *error)
{
    struct standing *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = STATUS_OK;
    while (opened->notice < notices && status == STATUS_OK) {
        opened->notice++;
        status = outbox_each(outbox, opened->notice, take, opened, error);
    }
    if (status == STATUS_OK)
        *standing = opened;
    else
        standing_close(opened);
    return status;
}

void standing_close(struct standing *standing)
{
    if (standing != NULL)
        free(standing->places);
    free(standing);
}

void standing_count(const struct standing *standing, struct standing_counts *counts)
{
    *counts = (struct standing_counts){.total = 0};
    for (size_t state = 0; state < OUTBOX_STATES; state++)
        counts->newest_ns[state] = INT64_MIN;
    for (size_t id = 0; id < standing->room; id++) {
        const struct place *place = &standing->places[id];
        if (place->notice == 0)
            continue;
        counts->states[place->state]++;
        counts->total++;
        if (place->settled_ns > counts->newest_ns[place->state])
            counts->newest_ns[place->state] = place->settled_ns;
    }
}

bool standing_is_newest(const struct standing *standing, int64_t notice, uint32_t id)
{
    return id < standing->room && standing->places[id].notice == notice;
}

/* ---- what is left to be done on paper ---- */

int64_t standing_decided_ns(const struct table *decisions, const char *step)
{
    enum { AT = 1, STEP = 3 };
    int64_t found_ns = INT64_MIN, at_ns;
    for (const struct table_row *row = decisions->first; row != NULL; row = row->next) {
        if (row->cells[AT] != NULL && strcmp(row->cells[STEP], step) == 0 &&
            clock_parse(row->cells[AT], &at_ns, NULL) == STATUS_OK && at_ns > found_ns)
            found_ns = at_ns;
    }
    return found_ns;
}

/* Decisions are told to the second: one of the same second came after. */
static bool is_covered(int64_t at_ns, int64_t since_ns)
{
    return at_ns != INT64_MIN && at_ns >= since_ns - SECOND_NS;
}

/* What was done covers people before what was waived does; *open falls to 0 by either. */
static void cover(const struct table *decisions, const char *step, const char *waiver,
                  int64_t since_ns, uint64_t *open, uint64_t *waived, bool *after_some)
{
    int64_t done_ns = standing_decided_ns(decisions, step);
    *waived = 0;
    *after_some = false;
    if (is_covered(done_ns, since_ns)) {
        *open = 0;
    } else if (is_covered(standing_decided_ns(decisions, waiver), since_ns)) {
        *waived = *open;
        *after_some = *open > 0 && done_ns != INT64_MIN;
        *open = 0;
    }
}

static int64_t newest(const struct standing_counts *counts, const enum outbox_state *states,
                      size_t count, uint64_t *people)
{
    int64_t at_ns = 0;
    *people = 0;
    for (size_t i = 0; i < count; i++) {
        *people += counts->states[states[i]];
        if (counts->newest_ns[states[i]] > at_ns)
            at_ns = counts->newest_ns[states[i]];
    }
    return at_ns;
}

void standing_open_ends(const struct standing_counts *counts, const struct table *decisions,
                        struct standing_open_ends *open)
{
    static const enum outbox_state letters[] = {OUTBOX_LETTER, OUTBOX_REFUSED, OUTBOX_BOUNCED};
    static const enum outbox_state nowhere[] = {OUTBOX_PUBLIC};
    int64_t since_ns = newest(counts, letters, 3, &open->letters);
    int64_t doubt_ns = standing_decided_ns(decisions, "letters to those in doubt");
    if (doubt_ns > since_ns)
        since_ns = doubt_ns;
    cover(decisions, "letters", "waive letters", since_ns, &open->letters, &open->letters_waived,
          &open->letters_after_some);
    since_ns = newest(counts, nowhere, 1, &open->public_notices);
    cover(decisions, "public notice", "waive public-notice", since_ns, &open->public_notices,
          &open->public_waived, &open->public_after_some);
}
