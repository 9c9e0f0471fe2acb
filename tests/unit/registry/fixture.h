/* A registry's file of its own for each test, in a folder for all of them. */
#ifndef COFFERDAM_TESTS_REGISTRY_FIXTURE_H
#define COFFERDAM_TESTS_REGISTRY_FIXTURE_H

#include "registry/registry.h"

enum { FIXTURE_PATH_ROOM = 64 };
extern char fixture_path[FIXTURE_PATH_ROOM]; /* of the file */

/* Setup and teardown of the group; setup of a test, for which there is no file yet. */
int fixture_make_folder(void **state);
int fixture_remove_folder(void **state);
int fixture_fresh(void **state);

/* Opens the registry; fails the test if it does not open. The caller closes. */
struct registry *fixture_open(void);
/* Runs SQL in the file, beside whoever has it open. */
void fixture_interfere(const char *sql);

#endif
