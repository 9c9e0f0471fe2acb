/* Private to portal/: what the portal's process gives up before it listens to anybody. Whoever
 * takes it over finds a process that can read what is published, add to the queue, answer on the
 * connections it has, and nothing else. */
#ifndef COFFERDAM_PORTAL_CONFINE_H
#define COFFERDAM_PORTAL_CONFINE_H

#include <stdbool.h>

#include "base/status.h"

/* Becomes that user, for good, with its own group and no other. STATUS_DENIED where root was to
 * stay root. user NULL: we stay who we are. */
MUST_USE enum status confine_user(const char *user, struct error *error);
/* No new privileges, no core dumps, few open files; the file system but for the two folders is gone
 * (Landlock). Before there is a second thread. *has_landlock: the kernel knows how. */
MUST_USE enum status confine_files(int folder, int queue, bool *has_landlock, struct error *error);
/* No new socket or connection, process, program or trace, in any thread (seccomp). Once all threads
 * run. */
MUST_USE enum status confine_calls(struct error *error);

#endif
