/* Statements that upstream holds. */
#include "gateway/statement/prepared.h"

#include <stdio.h>
#include <stdlib.h>

struct prepared *prepared_make(struct planned *planned, uint64_t serial, uint64_t segment)
{
    struct prepared *prepared = calloc(1, sizeof *prepared);
    if (prepared == NULL)
        return NULL;
    *prepared =
        (struct prepared){.references = 1, .planned = planned_retain(planned), .segment = segment};
    if (serial != 0)
        snprintf(prepared->name, sizeof prepared->name, "c%llu", (unsigned long long)serial);
    return prepared;
}

struct prepared *prepared_retain(struct prepared *prepared)
{
    prepared->references++;
    return prepared;
}

void prepared_release(struct prepared *prepared)
{
    if (prepared == NULL || --prepared->references > 0)
        return;
    planned_release(prepared->planned);
    free(prepared);
}

bool prepared_certain(const struct prepared *prepared, uint64_t segment)
{
    return prepared != NULL && !prepared->gone &&
           (prepared->confirmed || prepared->segment == segment);
}
