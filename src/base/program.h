/* Programs of ours beside ours: small ones that do what no process which guards data should do.
 * They are found beside the running program or where they are installed. Any thread. */
#ifndef COFFERDAM_BASE_PROGRAM_H
#define COFFERDAM_BASE_PROGRAM_H

#include <sys/types.h>

#include "base/status.h"

/* Starts it with these as its standard input and output (may be the same), the signals of a fresh
 * process, a few variables of our environment and no argument. does: "which speaks HTTP", for the
 * error where it is missing. The caller waits for the child. */
MUST_USE enum status program_start(const char *name, const char *does, int input, int output,
                                   pid_t *child, struct error *error);

/* Waits until it has ended; *ended as waitpid(2) gives it. */
MUST_USE enum status program_wait(pid_t child, const char *name, int *ended, struct error *error);

#endif
