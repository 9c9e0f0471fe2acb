/* What the files of contact/ share: the connection, and the SQL of each kind. Private. */
#ifndef COFFERDAM_CONTACT_PRIVATE_H
#define COFFERDAM_CONTACT_PRIVATE_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "contact/contact.h"

/* The texts of one kind of people; all NULL where the policy names no contact column. */
struct contact_sql {
    const char *read, *traits;                 /* $1: keys, as an array of texts */
    const char *read_columns, *traits_columns; /* for the record */
};

struct contact_reader {
    PGconn *connection;
    const struct policy *policy; /* retained */
    struct arena arena;          /* the texts below */
    struct contact_sql *kinds;   /* by the policy's number of the kind */
    const char **key_types;      /* of each kind, as the database calls them */
};

/* Connects as the contact role. */
MUST_USE enum status contact_connect(const struct config *config, PGconn **connection,
                                     struct error *error);
/* One statement; rows in *result, to be cleared by the caller. */
MUST_USE enum status contact_query(PGconn *connection, const char *sql, const char *const *values,
                                   int value_count, PGresult **result, struct error *error);

/* ---- sql.c: texts; nothing here talks to a database ---- */
void contact_sql_identifier(struct buffer *sql, const char *name);
void contact_sql_table(struct buffer *sql, const struct policy_dataset *dataset);
/* A literal of the keys' or values' array: {"a","b"}. */
void contact_sql_array(struct buffer *array, const char *const *texts, size_t count);
/* Every contact column of the kind, each once: calls fn with its name. */
void contact_each_column(const struct policy_kind *kind, bool traits,
                         void (*fn)(void *context, const char *column), void *context);
/* The kind's dataset; a policy that loads has it. */
const struct policy_dataset *contact_dataset(const struct policy *policy,
                                             const struct policy_kind *kind);
/* A statement whose rows are the fields of struct contact_person in their order, then the lines of
 * the address. */
void contact_sql_read(const struct policy *policy, const struct policy_kind *kind,
                      const char *key_type, bool traits, struct buffer *sql);
/* A statement with $1, values: rows of (number of the value from 1, key). STATUS_INVALID where the
 * policy names no column for the field. */
MUST_USE enum status contact_sql_match(const struct policy *policy, const struct policy_kind *kind,
                                       const char *field, struct buffer *sql, struct error *error);
/* Is there any contact column? */
bool contact_is_known(const struct policy_kind *kind);

#endif
