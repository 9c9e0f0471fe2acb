/* Sheet: a form filled in, to be pasted into an authority's own one question after the other.
 * Writing only: what is in it is report.h's. Texts are borrowed. */
#ifndef COFFERDAM_INCIDENT_SHEET_H
#define COFFERDAM_INCIDENT_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum { SHEET_COLUMNS = 76 };

struct sheet_box {
    const char *label;
    bool ticked;
};
struct sheet_answer {
    const char *number; /* "2.3" */
    const char *ask, *help;
    const struct sheet_box *boxes;
    size_t box_count;
    const char *text; /* to be pasted; NULL: nothing but boxes */
    const char *const *missing;
    size_t missing_count;   /* what staff have yet to say, and with which command */
    const char *warning;    /* to be looked at before it is sent; or NULL */
    size_t most_characters; /* more than the form takes; 0: it fits */
};
struct sheet_section {
    const char *title;
    const struct sheet_answer *answers;
    size_t answer_count; /* 0: nothing is asked */
};
struct sheet {
    const char *title;
    const char *const *notes; /* what it is about and how it is filed */
    size_t note_count;
    const struct sheet_section *sections;
    size_t section_count;
    size_t missing_count; /* in all */
};

/* Lines of at most SHEET_COLUMNS characters where words allow it; answers between rulers. */
void sheet_text(const struct sheet *sheet, struct buffer *out);
/* One page: no script, nothing remote; each answer is selected whole by one click. */
void sheet_html(const struct sheet *sheet, struct buffer *out);

#endif
