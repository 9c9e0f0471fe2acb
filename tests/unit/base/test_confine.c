/* Confinement: a process that gave up its rights can read one folder, add to another, and do
 * nothing else, whatever user it is. Each test is a process of its own, since none of it can be
 * undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/confine.h"

enum { PATH_ROOM = 128 };
static char base[] = "/tmp/cofferdam-confine-XXXXXX";
static int folder, queue;

static void path_of(const char *name, char path[static PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/%s", base, name);
}

static void put(const char *name)
{
    char path[PATH_ROOM];
    path_of(name, path);
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static int make_folders(void **state)
{
    char path[PATH_ROOM];
    if (mkdtemp(base) == NULL)
        return -1;
    path_of("site", path);
    if (mkdir(path, 0755) != 0 || (folder = open(path, O_RDONLY | O_DIRECTORY)) < 0)
        return -1;
    path_of("queue", path);
    if (mkdir(path, 0733) != 0 || (queue = open(path, O_PATH | O_DIRECTORY)) < 0)
        return -1;
    put("site/page");
    put("queue/old");
    put("secret");
    return 0;
}

static int remove_folders(void **state)
{
    static const char *const names[] = {"site/page", "queue/old", "secret"};
    char path[PATH_ROOM];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(names[i], path);
        unlink(path);
    }
    path_of("site", path);
    rmdir(path);
    path_of("queue", path);
    rmdir(path);
    return rmdir(base);
}

/* Says what went otherwise than expected, and ends the child. */
static void expect(const char *what, bool holds)
{
    if (holds)
        return;
    fprintf(stderr, "confined: %s: errno %d (%s)\n", what, errno, strerror(errno));
    _exit(1);
}

static void in_a_child(void (*try)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        try();
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void expect_no_file(const char *name, int flags)
{
    char path[PATH_ROOM];
    path_of(name, path);
    errno = 0;
    expect(name, open(path, flags, 0644) < 0 && errno == EACCES);
}

static void try_files(void)
{
    bool has_landlock = false;
    struct error error;
    struct rlimit limit;
    expect("confine_files", confine_files(folder, queue, &has_landlock, &error) == STATUS_OK);
    expect("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    expect("no core dumps", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    expect("few files", getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 1024);
    if (!has_landlock) {
        fprintf(stderr, "this kernel has no Landlock: files are bounded by the user's rights\n");
        return;
    }
    expect("reads a page", openat(folder, "page", O_RDONLY) >= 0);
    expect_no_file("site/page", O_WRONLY);
    expect_no_file("site/new", O_WRONLY | O_CREAT);
    expect("adds to the queue", openat(queue, "new", O_WRONLY | O_CREAT | O_EXCL, 0444) >= 0);
    expect("takes it back", unlinkat(queue, "new", 0) == 0);
    expect_no_file("queue/old", O_RDONLY);
    expect_no_file("queue", O_RDONLY | O_DIRECTORY);
    expect_no_file("secret", O_RDONLY);
    expect_no_file("secret", O_WRONLY);
    expect_no_file("other", O_WRONLY | O_CREAT);
    expect("no /etc", open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    expect("no /proc", open("/proc/self/maps", O_RDONLY) < 0 && errno == EACCES);
}

static void try_reading(void)
{
    char site[PATH_ROOM], old[PATH_ROOM];
    const char *const paths[] = {site, "/no/such/file", old, NULL};
    bool has_landlock = false;
    struct error error;
    path_of("site", site);
    path_of("queue/old", old);
    expect("confine_reading", confine_reading(paths, &has_landlock, &error) == STATUS_OK);
    expect("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    expect("no core dumps", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    if (!has_landlock)
        return;
    expect("reads a file of its own", open(old, O_RDONLY) >= 0);
    expect("reads what is beneath", openat(folder, "page", O_RDONLY) >= 0);
    expect("lists it", open(site, O_RDONLY | O_DIRECTORY) >= 0);
    expect_no_file("site/page", O_WRONLY);
    expect_no_file("site/new", O_WRONLY | O_CREAT);
    expect_no_file("queue/old", O_WRONLY);
    expect_no_file("queue", O_RDONLY | O_DIRECTORY);
    expect_no_file("secret", O_RDONLY);
    expect("no /etc", open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    expect("connects", socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static void try_calls(void)
{
    int pair[2];
    struct error error;
    bool has_landlock = false;
    expect("socketpair before", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    expect("confine_files", confine_files(folder, queue, &has_landlock, &error) == STATUS_OK);
    expect("confine_calls", confine_calls(&error) == STATUS_OK);
    errno = 0;
    expect("no TCP socket", socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
    expect("no unix socket", socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    struct sockaddr any = {.sa_family = AF_UNSPEC};
    expect("no connection", connect(pair[0], &any, sizeof any) < 0 && errno == EPERM);
    expect("no listening", listen(pair[0], 1) < 0 && errno == EPERM);
    expect("no program", execl("/bin/true", "true", (char *)NULL) < 0 && errno == EPERM);
    expect("no signal to others", kill(getppid(), 0) < 0 && errno == EPERM);
    expect("no process", fork() < 0 && errno == EPERM);
    expect("what is open still works", write(pair[0], "x", 1) == 1);
}

/* Landlock keeps nobody from these. */
static void expect_others_are_safe(void)
{
    char secret[PATH_ROOM];
    const struct rlimit none = {0, 0};
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    cpu_set_t one = {{1}};
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
    pid_t parent = getppid();
    path_of("secret", secret);
    expect("no length", truncate(secret, 0) < 0 && errno == EPERM);
    expect("no mode", chmod(secret, 0777) < 0 && errno == EPERM);
    expect("no mode by folder", fchmodat(folder, "page", 0777, 0) < 0 && errno == EPERM);
    expect("no owner", chown(secret, getuid(), getgid()) < 0 && errno == EPERM);
    expect("no date", utimensat(AT_FDCWD, secret, times, 0) < 0 && errno == EPERM);
    expect("no attribute", setxattr(secret, "user.x", "", 0, 0) < 0 && errno == EPERM);
    expect("no signal", kill(parent, 0) < 0 && errno == EPERM);
    expect("to no thread", tgkill(parent, parent, 0) < 0 && errno == EPERM);
    expect("tkill", syscall(SYS_tkill, parent, 0) < 0 && errno == EPERM);
    expect("none in a queue",
           syscall(SYS_rt_sigqueueinfo, parent, SIGTERM, &info) < 0 && errno == EPERM);
    expect("no bounds", prlimit(parent, RLIMIT_FSIZE, &none, NULL) < 0 && errno == EPERM);
    expect("no processor", sched_setaffinity(parent, sizeof one, &one) < 0 && errno == EPERM);
    expect("no priority", setpriority(PRIO_PROCESS, (id_t)parent, 19) < 0 && errno == EPERM);
    expect("no trace", ptrace(PTRACE_ATTACH, parent, 0, 0) < 0 && errno == EPERM);
    expect("nothing shared", shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) < 0 && errno == EPERM);
    expect("no program", execl("/bin/true", "true", (char *)NULL) < 0 && errno == EPERM);
}

static void on_signal(int number)
{
    (void)number;
}

static void *end_at_once(void *context)
{
    return context;
}

static void try_server(void)
{
    struct error error;
    struct rlimit own;
    signal(SIGUSR1, on_signal);
    expect("confine_calls", confine_calls(&error) == STATUS_OK);
    expect_others_are_safe();
    expect("signals to itself", raise(SIGUSR1) == 0);
    expect("its own bounds", getrlimit(RLIMIT_NOFILE, &own) == 0);
}

/* A thread resolves names; another process is none of a client's business. */
static void try_client(void)
{
    struct error error;
    pthread_t thread;
    int pair[2];
    expect("confine_client", confine_client(&error) == STATUS_OK);
    expect_others_are_safe();
    expect("no unix socket", socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    expect("no packets", socket(AF_PACKET, SOCK_DGRAM, 0) < 0 && errno == EPERM);
    expect("no pair that could be connected anew",
           socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 && errno == EPERM);
    expect("no process", fork() < 0 && errno == EPERM);
    expect("IPv4", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
    expect("IPv6 or none here", socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT);
    expect("a pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    expect("a thread", pthread_create(&thread, NULL, end_at_once, NULL) == 0 &&
                           pthread_join(thread, NULL) == 0);
}

/* Where a kernel has no Landlock this must do. */
static void try_computing(void)
{
    struct error error;
    int ends[2];
    expect("pipe before", pipe(ends) == 0);
    expect("confine_computing", confine_computing(&error) == STATUS_OK);
    expect_others_are_safe();
    expect("no file", open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM);
    expect("no name of one", access("/etc/passwd", F_OK) < 0 && errno == EPERM);
    expect("no socket", socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
    expect("no process", fork() < 0 && errno == EPERM);
    expect("no code of its own", mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
                                     errno == EPERM);
    char *much = malloc(1 << 20);
    expect("memory", much != NULL);
    free(much);
    expect("what is open still works", write(ends[1], "x", 1) == 1);
}

static void others_are_safe(void **state)
{
    in_a_child(try_server);
    in_a_child(try_client);
    in_a_child(try_computing);
}

static void reaches_two_folders_only(void **state)
{
    in_a_child(try_files);
}

static void reads_what_is_listed_only(void **state)
{
    in_a_child(try_reading);
}

static void can_call_nobody(void **state)
{
    in_a_child(try_calls);
}

static void try_root(void)
{
    struct error error;
    if (geteuid() == 0) {
        expect("root stays nowhere", confine_user("it", NULL, &error) == STATUS_DENIED);
        expect("not even by name", confine_user("it", "root", &error) == STATUS_DENIED);
        expect("becomes another", confine_user("it", "nobody", &error) == STATUS_OK);
        expect("for good", setuid(0) != 0 && geteuid() != 0 && getegid() != 0);
        expect("with no group more", getgroups(0, NULL) == 0);
    } else {
        expect("stays who it is", confine_user("it", NULL, &error) == STATUS_OK);
    }
    expect("nobody by that name", confine_user("it", "no such user", &error) == STATUS_INVALID);
}

static void is_not_root(void **state)
{
    in_a_child(try_root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_two_folders_only),
        cmocka_unit_test(reads_what_is_listed_only),
        cmocka_unit_test(can_call_nobody),
        cmocka_unit_test(others_are_safe),
        cmocka_unit_test(is_not_root),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
