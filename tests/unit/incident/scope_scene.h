/* A ledger in a temporary folder whose entries a test writes, and scopes of it made without
 * database, case file or names. Each function that can fail fails the running test. */
#ifndef TESTS_INCIDENT_SCOPE_SCENE_H
#define TESTS_INCIDENT_SCOPE_SCENE_H

#include "../ledger/folder.h"
#include "incident/scope_private.h"

struct scope_scene {
    struct test_folder folder;
    struct ledger *ledger;
};

/* An entry; zeros where nothing is said. column_set is the item's and, with closing_set, another
 * the entry's own. */
struct given {
    enum ledger_type type; /* 0: a disclosure */
    const char *partner, *agent, *delivery, *text;
    const char *columns; /* canonical text of the item's column set; NULL: 0 */
    const char *closing; /* of the entry's */
    uint8_t grade;       /* 0: direct */
    uint8_t uuid;        /* first byte of it */
    enum ledger_outcome outcome;
    uint16_t kind, flags;
    int64_t time_ns;
    uint64_t rows;
    const uint32_t *ids; /* ascending */
    size_t count;
};

void scene_make(struct scope_scene *scene);
void scene_remove(struct scope_scene *scene);
void scene_give(struct scope_scene *scene, const struct given *given);
/* A cut-off of what is there now, of a partner. */
struct scope_query scene_cut(struct scope_scene *scene, const char *partner);
enum status scene_try(const struct scope_query *query, struct scope_private **made,
                      struct error *error);
struct scope *scene_scope(const struct scope_query *query);
/* The person with the id; NULL: not in scope. */
const struct scope_person *scene_person(const struct scope *scope, uint32_t id);
/* Cells of a table, "a|b\nc|d\n"; the caller frees. */
char *scene_table(const struct scope *scope, const char *what);
int64_t scene_instant(const char *text);

#endif
