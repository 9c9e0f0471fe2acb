/* Requests: what the public page left in its queue folder. The page's process may be anybody's by
 * now: names, kinds of file and sizes are judged before anything is opened, and only what was
 * sealed with our key is believed. The folder belongs to the worker's user, who can remove from it.
 * One thread. */
#ifndef COFFERDAM_INCIDENT_REQUESTS_H
#define COFFERDAM_INCIDENT_REQUESTS_H

#include "crypto/request_box.h"

struct request_file {
    char name[REQUEST_NAME_ROOM];
    struct request request;
    bool waits; /* for another try: set by whoever could not deal with it */
};
/* Those that wait for another try, so that they do not stand before all others until then. */
enum { REQUESTS_WAITING_MOST = 4096 };
struct requests_waiting {
    uint64_t names[REQUESTS_WAITING_MOST]; /* what is random in a name, of it 64 bits */
    size_t count;
};
struct requests_dropped {
    uint64_t nothing; /* written to look alike */
    uint64_t old;     /* asked longer ago than anybody waits for an answer */
    uint64_t broken;  /* none of ours, or altered */
};
/* The next requests but those that wait, at most room, in no order. Removes what nobody will
 * answer. A file that may still be written is left for the next time. */
MUST_USE enum status requests_read(const char *folder, const uint8_t private_key[static 32],
                                   int64_t now_ns, const struct requests_waiting *waiting,
                                   struct request_file *files, size_t room, size_t *count,
                                   struct requests_dropped *dropped, struct error *error);
/* Where there is no room it does not wait. */
void requests_wait(struct requests_waiting *waiting, const char *name);
/* It has been answered, or never will be. */
void requests_remove(const char *folder, const char *name);

#endif
