/* Another time of day, preloaded (LD_PRELOAD) into a gateway by tests of what years do to a ledger,
 * and of what a clock that is moved does to trust: the real-time clock is off by
 * COFFERDAM_CLOCK_OFFSET_S seconds, and by as many more as the 8 bytes of the file
 * COFFERDAM_CLOCK_FILE say, which may change at any time. Timers run as ever. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* By calls of the kernel: a sanitizer asks for the time before its own open() and mmap() can be
 * called. */
static const volatile int64_t *map_file(const char *path)
{
    static const int64_t none;
    long file = path == NULL ? -1 : syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (file >= 0) {
        bytes = (void *)syscall(SYS_mmap, NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0L);
        syscall(SYS_close, file);
    }
    if (path != NULL && bytes == MAP_FAILED)
        abort();
    return bytes == MAP_FAILED ? &none : bytes;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    static long offset_s;
    static const volatile int64_t *more_s;
    if (more_s == NULL) {
        const char *text = getenv("COFFERDAM_CLOCK_OFFSET_S");
        offset_s = text == NULL ? 0 : strtol(text, NULL, 10);
        more_s = map_file(getenv("COFFERDAM_CLOCK_FILE"));
    }
    long failed = syscall(SYS_clock_gettime, id, now);
    if (failed == 0 && id == CLOCK_REALTIME)
        now->tv_sec += offset_s + *more_s;
    return (int)failed;
}
