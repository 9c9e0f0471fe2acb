/* Generations: folders swapped by a link. A crash leaves the old one current, and a folder with a
 * dot before its name, which the next call removes. One thread. */
#include "incident/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644, DEPTH = 8 };

/* Whatever the umask: the portal is another user. */
static enum status make_folder(const char *path, struct error *error)
{
    TRY(file_make_folder(path, FOLDER_MODE, error));
    if (chmod(path, FOLDER_MODE) != 0)
        return error_set_errno(error, errno, "cannot open %s to its readers", path);
    return STATUS_OK;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
}

/* Removes every generation but two, and what crashes left. */
static void prune(const struct generation *generation, const char *keep, const char *keep_too)
{
    DIR *folder = opendir(generation->folder);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *name = entry->d_name;
        bool is_ours = strncmp(name, "g-", 2) == 0 || strncmp(name, ".g-", 3) == 0;
        if (is_ours && strcmp(name, keep) != 0 && strcmp(name, keep_too) != 0)
            remove_tree(arena_printf(generation->arena, "%s/%s", generation->folder, name));
    }
    closedir(folder);
}

enum status generation_begin(const char *folder, int64_t now_ns, struct arena *arena,
                             struct generation *generation, struct error *error)
{
    char target[NAME_MAX + 1];
    TRY(make_folder(folder, error));
    const char *link = arena_printf(arena, "%s/current", folder);
    ssize_t len = readlink(link, target, sizeof target);
    bool is_any = len > 0 && len < (ssize_t)sizeof target;
    *generation = (struct generation){
        .folder = folder,
        .name = arena_printf(arena, "g-%019" PRId64, now_ns),
        .path = arena_printf(arena, "%s/.g-%019" PRId64, folder, now_ns),
        .previous = is_any ? arena_printf(arena, "%s/%.*s", folder, (int)len, target) : NULL,
        .arena = arena,
    };
    if (arena->overflowed)
        return STATUS_NOMEM;
    return make_folder(generation->path, error);
}

static enum status write_new(const char *path, struct slice content, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make %s", path);
    enum status status = file_write_at(fd, content.data, content.len, 0, error);
    if (status == STATUS_OK && fchmod(fd, FILE_MODE) != 0)
        status = error_set_errno(error, errno, "cannot open %s to its readers", path);
    close(fd);
    return status;
}

enum status generation_put(const struct generation *generation, const char *name,
                           struct slice content, struct error *error)
{
    char *path = arena_printf(generation->arena, "%s/%s", generation->path, name);
    if (path == NULL)
        return STATUS_NOMEM;
    for (char *slash = path + strlen(generation->path) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        enum status status = file_exists(path) ? STATUS_OK : make_folder(path, error);
        *slash = '/';
        TRY(status);
    }
    return write_new(path, content, error);
}

/* One for all files: each by itself takes many times as long. */
static enum status sync_all(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = fd >= 0 && syncfs(fd) == 0
                             ? STATUS_OK
                             : error_set_errno(error, errno, "cannot sync %s", path);
    if (fd >= 0)
        close(fd);
    return status;
}

enum status generation_finish(const struct generation *generation, struct error *error)
{
    struct arena *arena = generation->arena;
    const char *path = arena_printf(arena, "%s/%s", generation->folder, generation->name);
    const char *link = arena_printf(arena, "%s/current", generation->folder);
    const char *next = arena_printf(arena, "%s/.next", generation->folder);
    if (arena->overflowed)
        return STATUS_NOMEM;
    TRY(sync_all(generation->path, error));
    unlink(next);
    if (rename(generation->path, path) != 0 || symlink(generation->name, next) != 0 ||
        rename(next, link) != 0)
        return error_set_errno(error, errno, "cannot make %s current", path);
    TRY(file_sync_folder(generation->folder, error));
    const char *slash = generation->previous == NULL ? NULL : strrchr(generation->previous, '/');
    prune(generation, generation->name, slash == NULL ? "" : slash + 1);
    return STATUS_OK;
}

void generation_abandon(const struct generation *generation)
{
    if (generation->path != NULL)
        remove_tree(generation->path);
}
