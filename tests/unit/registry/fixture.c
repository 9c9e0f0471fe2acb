#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char folder[] = "/tmp/cofferdam-registry-XXXXXX";
char fixture_path[FIXTURE_PATH_ROOM];

int fixture_make_folder(void **state)
{
    return mkdtemp(folder) == NULL;
}

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[sizeof fixture_path + 8];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", fixture_path, suffixes[i]);
        unlink(name);
    }
}

int fixture_remove_folder(void **state)
{
    remove_files();
    return rmdir(folder);
}

int fixture_fresh(void **state)
{
    snprintf(fixture_path, sizeof fixture_path, "%s/registry.sqlite", folder);
    remove_files();
    return 0;
}

struct registry *fixture_open(void)
{
    struct registry *registry = NULL;
    struct error error = {0};
    if (registry_open(fixture_path, &registry, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return registry;
}

void fixture_interfere(const char *sql)
{
    sqlite3 *database = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(fixture_path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(database);
}
