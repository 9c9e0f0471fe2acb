/* Giving up rights, in the order in which each still allows the next: user, files, and then system
 * calls (confine_calls.c). None of it can be undone. landlock(7). */
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

enum { FILES_MOST = 1024 }; /* connections, and a few of our own */

enum status confine_user(const char *who, const char *user, struct error *error)
{
    if (user != NULL) {
        errno = 0;
        const struct passwd *account = getpwnam(user);
        if (account == NULL)
            return error_set(error, STATUS_INVALID, "22023", NULL, "there is no user %s", user);
        if (setgroups(0, NULL) != 0 ||
            setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0 ||
            setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0)
            return error_set_errno(error, errno, "cannot become user %s", user);
    }
    if (geteuid() == 0 || getuid() == 0)
        return error_set(error, STATUS_DENIED, "42501",
                         "start it as a user of its own, or name one: --user NAME",
                         "%s does not run as root", who);
    return STATUS_OK;
}

static enum status bound(int resource, rlim_t most, struct error *error)
{
    struct rlimit limit = {most, most}, now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
        return STATUS_OK;
    if (setrlimit(resource, &limit) != 0)
        return error_set_errno(error, errno, "cannot bound our own resources");
    return STATUS_OK;
}

static enum status allow_beneath(int rules, int folder, uint64_t access, struct error *error)
{
    const struct landlock_path_beneath_attr beneath = {.allowed_access = access,
                                                       .parent_fd = folder};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
        return error_set_errno(error, errno, "cannot confine the process to its folders");
    return STATUS_OK;
}

/* Rules of version 1 of Landlock, which every kernel that has it knows; -1 where it has none. */
static enum status make_rules(int *rules, bool *has_landlock, struct error *error)
{
    const uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* the last one of version 1 */
    const struct landlock_ruleset_attr handled = {.handled_access_fs = all};
    *rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    *has_landlock = *rules >= 0;
    if (*rules >= 0 || errno == ENOSYS || errno == EOPNOTSUPP)
        return STATUS_OK;
    return error_set_errno(error, errno, "cannot confine the process to its folders");
}

/* Puts them in force if they could be made, and closes them. */
static enum status keep_rules(int rules, enum status made, struct error *error)
{
    if (made == STATUS_OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        made = error_set_errno(error, errno, "cannot confine the process to its folders");
    close(rules);
    return made;
}

static enum status give_up_privileges(struct error *error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_set_errno(error, errno, "cannot give up privileges");
    TRY(bound(RLIMIT_CORE, 0, error));
    return bound(RLIMIT_NOFILE, FILES_MOST, error);
}

enum status confine_files(int folder, int queue, bool *has_landlock, struct error *error)
{
    int rules;
    TRY(give_up_privileges(error));
    TRY(make_rules(&rules, has_landlock, error));
    if (rules < 0)
        return STATUS_OK;
    enum status status = allow_beneath(
        rules, folder, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, error);
    if (status == STATUS_OK && queue >= 0)
        status = allow_beneath(rules, queue,
                               LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE,
                               error);
    return keep_rules(rules, status, error);
}

static enum status allow_reading(int rules, const char *path, struct error *error)
{
    struct stat found;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return STATUS_OK;
    bool is_folder = fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
    enum status status = allow_beneath(
        rules, fd, LANDLOCK_ACCESS_FS_READ_FILE | (is_folder ? LANDLOCK_ACCESS_FS_READ_DIR : 0U),
        error);
    close(fd);
    return status;
}

enum status confine_reading(const char *const *paths, bool *has_landlock, struct error *error)
{
    int rules;
    enum status status = STATUS_OK;
    TRY(give_up_privileges(error));
    TRY(make_rules(&rules, has_landlock, error));
    if (rules < 0)
        return STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && paths[i] != NULL; i++)
        status = allow_reading(rules, paths[i], error);
    return keep_rules(rules, status, error);
}
