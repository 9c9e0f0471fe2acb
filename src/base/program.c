/* See program.h. */
#include "base/program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, ENVIRONMENT_ROOM = 64 };

static enum status find(const char *name, const char *does, char path[static PATH_ROOM],
                        struct error *error)
{
    size_t room = strlen(name) + 1;
    ssize_t len = readlink("/proc/self/exe", path, PATH_ROOM - room);
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len > 0) {
        memcpy(path + len, name, room);
        if (access(path, X_OK) == 0)
            return STATUS_OK;
    }
    snprintf(path, PATH_ROOM, "%s/%s", COFFERDAM_LIBEXEC, name);
    if (access(path, X_OK) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58P01",
                     "it belongs beside cofferdam, or into " COFFERDAM_LIBEXEC,
                     "the program %s, %s, is missing", name, does);
}

/* Of the environment what such a program can need: the way to its libraries and through a proxy,
 * its certificates, and what tests say. Other variables may be secrets of somebody's. */
static bool is_passed_on(const char *variable)
{
    static const char *const kept[] = {
        "LD_LIBRARY_PATH=", "LD_PRELOAD=",    "COFFERDAM_",   "ASAN_OPTIONS=",
        "LSAN_OPTIONS=",    "UBSAN_OPTIONS=", "TZ=",          "SSL_CERT_DIR=",
        "SSL_CERT_FILE=",   "http_proxy=",    "https_proxy=", "HTTPS_PROXY=",
        "all_proxy=",       "ALL_PROXY=",     "no_proxy=",    "NO_PROXY=",
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
            return true;
    return false;
}

static void choose_environment(char *chosen[static ENVIRONMENT_ROOM])
{
    size_t count = 0;
    for (char **at = environ; *at != NULL && count < ENVIRONMENT_ROOM - 1; at++)
        if (is_passed_on(*at))
            chosen[count++] = *at;
    chosen[count] = NULL;
}

/* A worker's thread may block signals, and the gateway ignores some: the program inherits neither.
 */
static int spawn(const char *path, const char *name, int input, int output, pid_t *child)
{
    char *const arguments[] = {(char *)(uintptr_t)name, NULL};
    char *environment[ENVIRONMENT_ROOM];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    choose_environment(environment);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn(child, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum status program_start(const char *name, const char *does, int input, int output, pid_t *child,
                          struct error *error)
{
    char path[PATH_ROOM];
    TRY(find(name, does, path, error));
    int failed = spawn(path, name, input, output, child);
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "cannot run %s", path);
}

enum status program_wait(pid_t child, const char *name, int *ended, struct error *error)
{
    while (waitpid(child, ended, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(error, errno, "cannot wait for %s", name);
    return STATUS_OK;
}
