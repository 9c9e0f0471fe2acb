/* What a process that serves strangers gives up before it listens to anybody. Whoever takes it over
 * finds one that can read what is published, add to a queue if it has one, answer on the
 * connections it has, and nothing else. who: how errors name it, such as "the portal". */
#ifndef COFFERDAM_BASE_CONFINE_H
#define COFFERDAM_BASE_CONFINE_H

#include <stdbool.h>

#include "base/status.h"

/* Becomes that user, for good, with its own group and no other. STATUS_DENIED where root was to
 * stay root. user NULL: we stay who we are. */
MUST_USE enum status confine_user(const char *who, const char *user, struct error *error);
/* No new privileges, no core dumps, few open files; the file system but for the folder (to read)
 * and the queue (to add to; -1: none) is gone (Landlock). Before there is a second thread.
 * *has_landlock: the kernel knows how. */
MUST_USE enum status confine_files(int folder, int queue, bool *has_landlock, struct error *error);
/* The same for a client: just these files, and what is beneath these folders, can be read (those
 * that are not there are passed over); nothing can be written. The list ends with NULL. */
MUST_USE enum status confine_reading(const char *const *paths, bool *has_landlock,
                                     struct error *error);
/* What system calls are left, in all threads (seccomp); files that are open stay. What none has:
 * new programs and processes, signals to others and traces of them, the modes, owners, dates and
 * lengths of files. */
/* Of a server, once all its threads run: no new socket or connection. */
MUST_USE enum status confine_calls(struct error *error);
/* Of a client: sockets of the Internet only, so nobody on this machine is reached by a path. */
MUST_USE enum status confine_client(struct error *error);
/* Of a process that reads, computes and writes: not even a file can be opened. */
MUST_USE enum status confine_computing(struct error *error);

#endif
