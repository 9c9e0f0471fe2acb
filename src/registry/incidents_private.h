/* What the files behind incidents.h share. Private to registry/. */
#ifndef COFFERDAM_REGISTRY_INCIDENTS_PRIVATE_H
#define COFFERDAM_REGISTRY_INCIDENTS_PRIVATE_H

#include "registry/incidents.h"
#include "registry/sqlite.h"

struct incidents {
    struct sqlite file;
    char *folder;
};

extern const struct sqlite_layout incidents_layout;

/* A row for each row of sql, whose ?1 is number (0: it has no parameter). types has a letter a
 * column: t text, n number, i instant, b bytes in hex. *table is unopened. */
MUST_USE enum status incidents_fill(struct incidents *incidents, struct table *table,
                                    const char *const *columns, const char *types,
                                    struct error *error, const char *sql, int64_t number);
/* STATUS_NOMEM where the arena has overflowed. */
MUST_USE enum status incidents_copied(const struct arena *arena, struct error *error);

#endif
