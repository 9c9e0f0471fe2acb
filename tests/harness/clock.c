/* Another time of day, preloaded (LD_PRELOAD) into a gateway by tests of what years do to a ledger:
 * the real-time clock is COFFERDAM_CLOCK_OFFSET_S seconds off. Timers run as ever. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
    static long offset_s;
    static int known;
    if (!known) {
        const char *text = getenv("COFFERDAM_CLOCK_OFFSET_S");
        offset_s = text == NULL ? 0 : strtol(text, NULL, 10);
        known = 1;
    }
    long failed = syscall(SYS_clock_gettime, id, now);
    if (failed == 0 && id == CLOCK_REALTIME)
        now->tv_sec += offset_s;
    return (int)failed;
}
