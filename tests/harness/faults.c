/* A disk that fails where it is told to: preloaded (LD_PRELOAD) into a gateway by the crash test
 * and by the bench of syncs. COFFERDAM_FAULTS names a file of 64 bytes that both sides map: calls
 * counts the calls that write to, sync or name a regular file below COFFERDAM_FAULTS_FOLDER
 * fault_at the call that the fault strikes, 0 for none yet fault      what happens then, see enum
 * fault struck how often it has happened harness/faults.py writes fault and fault_at while the
 * gateway runs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fault {
    FAULT_KILL_BEFORE = 1, /* the process dies before the call */
    FAULT_KILL_AFTER = 2,
    FAULT_TORN = 3, /* half of the sectors are written, then it dies */
    FAULT_WRITE_EIO =
        4,              /* this one write fails; what follows succeeds, as on a real failing disk */
    FAULT_SYNC_EIO = 5, /* this one sync fails; what follows succeeds */
    FAULT_DISK_FULL = 6, /* from this call on, nothing may grow */
    FAULT_NO_SYNC = 7,   /* syncs return at once: what the ledger would cost without them */
};

enum { SECTOR = 512 };

struct faults {
    _Atomic uint64_t calls, fault_at, fault, struck;
};

static struct faults *faults;
static char folder[PATH_MAX];

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("COFFERDAM_FAULTS"), *below = getenv("COFFERDAM_FAULTS_FOLDER");
    if (path == NULL || below == NULL)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        fprintf(stderr, "faults: cannot map %s\n", path);
        _exit(99);
    }
    snprintf(folder, sizeof folder, "%s/", below);
    faults = map;
}

static bool is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    struct stat info;
    if (faults == NULL || fstat(fd, &info) != 0 ||
        !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* The fault that strikes this call, 0 for none. */
static enum fault next_fault(void)
{
    uint64_t call = atomic_fetch_add(&faults->calls, 1) + 1;
    uint64_t at = atomic_load(&faults->fault_at), fault = atomic_load(&faults->fault);
    bool lasting = fault == FAULT_DISK_FULL || fault == FAULT_NO_SYNC;
    return at != 0 && (call == at || (lasting && call > at)) ? (enum fault)fault : 0;
}

static void struck(void)
{
    atomic_fetch_add(&faults->struck, 1);
}

_Noreturn static void die(void)
{
    struck();
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static bool grows(int fd, off_t end)
{
    struct stat info;
    return fstat(fd, &info) == 0 && end > info.st_size;
}

/* offset -1: at the file's own position. */
static ssize_t put(int fd, const void *data, size_t len, off_t offset)
{
    return offset < 0 ? syscall(SYS_write, fd, data, len)
                      : syscall(SYS_pwrite64, fd, data, len, offset);
}

static void write_every_other_sector(int fd, const uint8_t *data, size_t len, off_t offset)
{
    off_t start = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    for (size_t at = 0; at < len; at += 2 * (size_t)SECTOR) {
        size_t part = len - at < SECTOR ? len - at : SECTOR;
        if (syscall(SYS_pwrite64, fd, data + at, part, start + (off_t)at) < 0)
            break;
    }
}

static ssize_t write_call(int fd, const void *data, size_t len, off_t offset)
{
    if (!is_ours(fd))
        return put(fd, data, len, offset);
    enum fault fault = next_fault();
    if (fault == FAULT_KILL_BEFORE)
        die();
    if (fault == FAULT_TORN) {
        write_every_other_sector(fd, data, len, offset);
        die();
    }
    off_t end = (offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset) + (off_t)len;
    if (fault == FAULT_WRITE_EIO || (fault == FAULT_DISK_FULL && grows(fd, end))) {
        struck();
        errno = fault == FAULT_WRITE_EIO ? EIO : ENOSPC;
        return -1;
    }
    ssize_t result = put(fd, data, len, offset);
    if (fault == FAULT_KILL_AFTER)
        die();
    return result;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    return write_call(fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
    return write_call(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
    return write_call(fd, data, len, -1);
}

static int sync_call(int fd, long number)
{
    if (!is_ours(fd))
        return (int)syscall(number, fd);
    enum fault fault = next_fault();
    if (fault == FAULT_KILL_BEFORE || fault == FAULT_TORN)
        die();
    if (fault == FAULT_NO_SYNC) {
        struck();
        return 0;
    }
    if (fault == FAULT_SYNC_EIO) {
        struck();
        errno = EIO;
        return -1;
    }
    int result = (int)syscall(number, fd);
    if (fault == FAULT_KILL_AFTER)
        die();
    return result;
}

int fsync(int fd)
{
    return sync_call(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_call(fd, SYS_fdatasync);
}

/* ---- names: they come and go, whole ---- */

static bool is_below(int folder_fd, const char *path)
{
    char link[64], base[PATH_MAX];
    if (faults == NULL || path[0] == '/' || folder_fd == AT_FDCWD)
        return faults != NULL && strncmp(path, folder, strlen(folder)) == 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder_fd);
    ssize_t len = readlink(link, base, sizeof base - 2);
    if (len < 0)
        return false;
    base[len] = '/';
    base[len + 1] = '\0';
    return strncmp(base, folder, strlen(folder)) == 0;
}

static enum fault before_name(int folder_fd, const char *path)
{
    enum fault fault = is_below(folder_fd, path) ? next_fault() : 0;
    if (fault == FAULT_KILL_BEFORE || fault == FAULT_TORN)
        die();
    return fault;
}

static int after_name(enum fault fault, long result)
{
    if (fault == FAULT_KILL_AFTER)
        die();
    return (int)result;
}

int rename(const char *from, const char *to)
{
    enum fault fault = before_name(AT_FDCWD, to);
    return after_name(fault, syscall(SYS_rename, from, to));
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    enum fault fault = before_name(to_folder, to);
    return after_name(fault, syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int link(const char *from, const char *to)
{
    enum fault fault = before_name(AT_FDCWD, to);
    return after_name(fault, syscall(SYS_link, from, to));
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    enum fault fault = before_name(to_folder, to);
    return after_name(fault, syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

int unlink(const char *path)
{
    enum fault fault = before_name(AT_FDCWD, path);
    return after_name(fault, syscall(SYS_unlink, path));
}

int unlinkat(int folder_fd, const char *path, int flags)
{
    enum fault fault = before_name(folder_fd, path);
    return after_name(fault, syscall(SYS_unlinkat, folder_fd, path, flags));
}

int rmdir(const char *path)
{
    enum fault fault = before_name(AT_FDCWD, path);
    return after_name(fault, syscall(SYS_rmdir, path));
}

int mkdir(const char *path, mode_t mode)
{
    enum fault fault = before_name(AT_FDCWD, path);
    return after_name(fault, syscall(SYS_mkdir, path, mode));
}

int ftruncate(int fd, off_t size)
{
    enum fault fault = is_ours(fd) ? next_fault() : 0;
    if (fault == FAULT_KILL_BEFORE || fault == FAULT_TORN)
        die();
    return after_name(fault, syscall(SYS_ftruncate, fd, size));
}
