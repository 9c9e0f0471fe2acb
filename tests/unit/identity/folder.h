/* Helper of the identity tests: a folder of their own, removed at the end. */
#ifndef COFFERDAM_TESTS_IDENTITY_FOLDER_H
#define COFFERDAM_TESTS_IDENTITY_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
    char path[200];
};

static inline void folder_make(struct folder *folder)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/cofferdam-identity-XXXXXX",
             parent == NULL ? "/tmp" : parent);
    if (mkdtemp(folder->path) == NULL)
        abort();
}

static inline const char *folder_path(const struct folder *folder, const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

/* The files that the tests make are all that is in it. */
static inline void folder_remove(const struct folder *folder)
{
    static const char *const names[] = {"ca.crt", "ca.key", "issued.csv", "verifier"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(folder_path(folder, names[i]));
    rmdir(folder->path);
}

#endif
