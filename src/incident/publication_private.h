/* Private to incident/: what publication.c and publication_pages.c share. */
#ifndef COFFERDAM_INCIDENT_PUBLICATION_PRIVATE_H
#define COFFERDAM_INCIDENT_PUBLICATION_PRIVATE_H

#include "base/arena.h"
#include "incident/generation.h"
#include "incident/publication.h"
#include "policy/words.h"

enum {
    PUBLICATION_FILE_BYTES = 1024 * 1024,
    BRANDS_MOST = 32, /* as the portal's */
    LANGUAGES_MOST = 8,
    ISSUES_MOST = 1024,
    INCIDENTS_MOST = 1000,
};

/* A message of which there are pages. */
struct published_issue {
    uint32_t incident, issue;
};
/* A brand as the pages show it. */
struct look {
    const char *name, *title, *host;
};
struct writing {
    const struct publication *about;
    struct arena arena;
    struct generation generation;
    struct words *words[LANGUAGES_MOST];
    struct look looks[BRANDS_MOST];
    size_t look_count;
    uint32_t incidents[INCIDENTS_MOST]; /* with parts, newest first */
    size_t incident_count;
    struct published_issue issues[ISSUES_MOST]; /* with parts, of all incidents */
    size_t published_count;
};

/* ---- publication_pages.c ---- */
/* The parts of the incident at hand, for every brand and language. */
MUST_USE enum status publication_put_parts(struct writing *writing, struct error *error);
/* Every page, from the parts of all incidents. */
MUST_USE enum status publication_put_pages(struct writing *writing, struct error *error);

#endif
