/* Generation: a folder of files that is built unseen and then takes the place of the one before it,
 * at once. "current" is a link to the newest; the one before stays for who is still reading it. */
#ifndef COFFERDAM_INCIDENT_GENERATION_H
#define COFFERDAM_INCIDENT_GENERATION_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

struct generation {
    const char *folder;   /* all generations are in it */
    const char *path;     /* of the one that is built */
    const char *previous; /* of the current one; NULL: there is none */
    const char *name;
    struct arena *arena;
};
/* Makes folder and path. Texts are in the arena. */
MUST_USE enum status generation_begin(const char *folder, int64_t now_ns, struct arena *arena,
                                      struct generation *generation, struct error *error);
/* Writes a new file that anybody may read; its folder is made where missing. */
MUST_USE enum status generation_put(const struct generation *generation, const char *name,
                                    struct slice content, struct error *error);
/* All of it on disk, the link points to it; all but the one before are removed. */
MUST_USE enum status generation_finish(const struct generation *generation, struct error *error);
/* Removes what was built, if it was not finished. */
void generation_abandon(const struct generation *generation);

#endif
