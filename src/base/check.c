/* The end of a process that has caught its own bug. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "event=check_failed condition=\"%s\" at=%s:%d\n", condition, file, line);
    abort();
}
