/* Random SQL text from a seed: queries and writes, with every form of clause and expression that
 * the emitter prints, nested. For tests. */
#ifndef COFFERDAM_TESTS_RANDOM_SQL_H
#define COFFERDAM_TESTS_RANDOM_SQL_H

#include <stdint.h>

#include "base/buffer.h"

struct random_sql {
    uint64_t state; /* seed; not 0 */
};

/* Appends one statement. */
void random_sql_statement(struct random_sql *random, struct buffer *out);

#endif
