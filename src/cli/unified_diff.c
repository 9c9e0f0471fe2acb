/* The two texts are handed over as files without a name; no shell is in between. See
 * unified_diff.h. */
#include "cli/unified_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BEFORE = 10, AFTER = 11, READ_BYTES = 16 * 1024 }; /* descriptors of the program */

/* A file in memory that holds the text; -1 with errno. */
static int hold(struct slice text)
{
    int fd = memfd_create("policy", MFD_CLOEXEC);
    size_t at = 0;
    while (fd >= 0 && at < text.len) {
        ssize_t put = write(fd, text.data + at, text.len - at);
        if (put < 0) {
            close(fd);
            return -1;
        }
        at += (size_t)put;
    }
    return fd;
}

static int start(const char *name, int before, int after, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    char head[256], head_after[256], old[32], fresh[32];
    snprintf(head, sizeof head, "--label=a/%.200s", name);
    snprintf(head_after, sizeof head_after, "--label=b/%.200s", name);
    snprintf(old, sizeof old, "/dev/fd/%d", BEFORE);
    snprintf(fresh, sizeof fresh, "/dev/fd/%d", AFTER);
    char program[] = "diff", unified[] = "-u";
    char *const arguments[] = {program, unified, head, head_after, old, fresh, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, before, BEFORE);
    posix_spawn_file_actions_adddup2(&actions, after, AFTER);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int failure = posix_spawnp(pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static void read_all(int fd, struct buffer *out)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, READ_BYTES);
        ssize_t got = room == NULL ? 0 : read(fd, room, READ_BYTES);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return;
        out->len += got > 0 ? (size_t)got : 0;
    }
}

static enum status run(const char *name, int before, int after, struct buffer *out,
                       struct error *error)
{
    int ends[2], state = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(error, errno, "cannot make a pipe");
    int failure = start(name, before, after, ends[1], &pid);
    close(ends[1]);
    if (failure == 0)
        read_all(ends[0], out);
    close(ends[0]);
    if (failure != 0)
        return error_set_errno(error, failure, "cannot run diff");
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(state) || WEXITSTATUS(state) > 1 || out->overflowed)
        return error_set(error, STATUS_IO, "58030", NULL, "diff could not compare the texts");
    return STATUS_OK;
}

enum status unified_diff(const char *name, struct slice before, struct slice after,
                         struct buffer *out, struct error *error)
{
    int old = hold(before), fresh = old < 0 ? -1 : hold(after);
    enum status status = fresh < 0 ? error_set_errno(error, errno, "cannot hold the texts")
                                   : run(name, old, fresh, out, error);
    if (old >= 0)
        close(old);
    if (fresh >= 0)
        close(fresh);
    return status;
}
