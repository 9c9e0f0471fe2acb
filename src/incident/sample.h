/* Samples: an invented case and invented people, for authors of templates to look at and for the
 * documents under docs/examples/. Nobody in them exists; telephone numbers are from Ofcom's range
 * for drama. */
#ifndef COFFERDAM_INCIDENT_SAMPLE_H
#define COFFERDAM_INCIDENT_SAMPLE_H

#include "incident/letter.h"

/* The case in the words' language. */
MUST_USE enum status sample_case(const struct words *words, struct arena *arena,
                                 struct letter_case *about, struct error *error);

struct sample {
    const char *name; /* "customer-few": what it shows */
    const char *kind, *brand;
    struct letter_person person;
};
/* Static; the dates of the people are still to be set. */
size_t sample_people(const struct sample **samples);
/* The case as it is told to a sample's kind, under its brand. */
struct letter_case sample_case_for(const struct letter_case *about, const struct sample *sample);

#endif
