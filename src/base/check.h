/* CHECK: an assertion that is always on. For our own bugs only, never for a peer's input or a
 * disk's answer. A failed one logs where it stands and aborts: a gateway that has lost track of
 * itself must not go on releasing rows. */
#ifndef COFFERDAM_BASE_CHECK_H
#define COFFERDAM_BASE_CHECK_H

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            check_failed(#condition, __FILE__, __LINE__);                                          \
    } while (0)

_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
