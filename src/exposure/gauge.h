/* A gauge: the distinct subjects that one limit counts in its window at hand. Derived from the
 * series whenever the window turns or the policy's limits change, and kept up by charges between.
 * Which column sets a limit is about is judged by their lines and remembered; one whose text is
 * not known is counted. The owner locks. */
#ifndef COFFERDAM_EXPOSURE_GAUGE_H
#define COFFERDAM_EXPOSURE_GAUGE_H

#include "exposure/series.h"
#include "exposure/windows.h"

/* Text of a column set, NULL where unknown. */
typedef const char *(*gauge_text)(void *context, uint32_t column_set);
struct gauge_texts {
    gauge_text text; /* NULL: none is known */
    void *context;
};

struct gauge {
    char *name, *category, *agent, *purpose; /* copies; NULL: any */
    bool has_form;
    enum policy_form form;
    enum policy_window window;
    bool reckoned;
    struct window at;
    roaring_bitmap_t *ids;
    uint64_t count;
    uint8_t *judged; /* by column set: 0 not yet, 1 not counted, 2 counted */
    size_t judged_count;
};

void gauge_init(struct gauge *gauge, const struct policy_limit *limit);
void gauge_free(struct gauge *gauge);
/* Is it the gauge of this limit, whatever the bound? */
bool gauge_is_of(const struct gauge *gauge, const struct policy_limit *limit);
/* Does the limit count what this agent gets for this purpose with these columns? */
bool gauge_counts(struct gauge *gauge, const struct gauge_texts *texts,
                  const struct series_name *name);
/* Turns to the window of that quarter, if it has another one: true, and others count than before.
 */
bool gauge_turn(struct gauge *gauge, const struct gauge_texts *texts,
                const struct series_list *list, const struct zone *zone, int64_t quarter);
/* Adds what is counted in that quarter, if it is in the window. */
void gauge_add(struct gauge *gauge, int64_t quarter, const uint32_t *ids, size_t count);

#endif
