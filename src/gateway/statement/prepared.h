/* Prepared: a statement that upstream holds, or will once what has been sent is done. Upstream
 * skips messages after an error, so that a Parse was sent does not mean that it was done: a
 * statement may be used only while prepared_certain says so. Otherwise the rows of one statement
 * could be read with the plan of another. Reference counted in one thread. */
#ifndef COFFERDAM_GATEWAY_PREPARED_H
#define COFFERDAM_GATEWAY_PREPARED_H

#include "gateway/statement/plans.h"

struct prepared {
    struct prepared *next; /* session->prepared */
    unsigned references;
    struct planned *planned;
    char name[24];    /* "": upstream's unnamed statement */
    uint64_t segment; /* number of the Sync that follows its Parse */
    bool confirmed;   /* ParseComplete has come */
    bool gone;        /* failed, skipped, closed, or overwritten */
};

/* serial 0: the unnamed one. NULL when memory is exhausted. Retains planned. */
struct prepared *prepared_make(struct planned *planned, uint64_t serial, uint64_t segment);
struct prepared *prepared_retain(struct prepared *prepared);
void prepared_release(struct prepared *prepared); /* NULL is fine */
/* Is a message of this segment sure to find it? Either upstream has confirmed it, or both stand
 * before the same Sync: what makes upstream skip the one makes it skip the other. NULL: no. */
bool prepared_certain(const struct prepared *prepared, uint64_t segment);

#endif
