/* Contact: how to reach the people a notice is for, read from the customer database at the moment
 * of need, through a role of its own (cofferdam_contact) that can read contact columns and nothing
 * else. The caller records what it reads (admin_client_record_read) before it uses it. One thread.
 * Values live as long as the call they are handed to. */
#ifndef COFFERDAM_CONTACT_CONTACT_H
#define COFFERDAM_CONTACT_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "base/table.h"
#include "policy/config.h"
#include "policy/policy.h"

#define CONTACT_DEFAULT_ROLE "cofferdam_contact"

struct contact_reader; /* a connection; owned */

enum { CONTACT_POST_LINES = POLICY_POST_LINES };

/* What a row says of a person. Texts are NULL where the column is NULL or the policy names none. */
struct contact_person {
    size_t at; /* position in the keys asked for */
    const char *name, *email, *phone, *language, *brand, *country;
    const char *post[CONTACT_POST_LINES];
    size_t post_count; /* lines that are not NULL or blank; 0: no postal address */
    int32_t birth_day; /* days since 1970-01-01; INT32_MIN: unknown */
    bool gone_away, deceased, safe_contact;
};
typedef enum status (*contact_take)(void *context, const struct contact_person *person,
                                    struct error *error);

/* STATUS_INVALID with what to add to cofferdam.yaml where no contact role is configured. */
MUST_USE enum status contact_open(const struct config *config, const struct policy *policy,
                                  struct contact_reader **reader, struct error *error);
void contact_close(struct contact_reader *reader); /* NULL is fine */

/* One call of take for each key that has a row, in the order of the keys; keys without one are gone
 * from the database. At most 10,000 keys a call. */
MUST_USE enum status contact_read(struct contact_reader *reader, size_t kind,
                                  const char *const *keys, size_t count, contact_take take,
                                  void *context, struct error *error);
/* As contact_read, but only language, brand, country, birth date, the flags and, of the e-mail
 * address, whether there is one (then it is ""): for counting. The rest is NULL. */
MUST_USE enum status contact_read_traits(struct contact_reader *reader, size_t kind,
                                         const char *const *keys, size_t count, contact_take take,
                                         void *context, struct error *error);
/* "customer.full_name,customer.email,…": what contact_read (traits: contact_read_traits) reads of a
 * kind, for the record. Borrowed from the reader. */
const char *contact_columns(struct contact_reader *reader, size_t kind, bool traits);

/* Keys of the people of a kind to whom a value belongs, at most room, in key order; *count may be
 * more than room. field: "key", "email" (compared without case), "phone" (digits only), "name", or
 * "name and postcode" with value "name\npostcode". */
MUST_USE enum status contact_find(struct contact_reader *reader, size_t kind, const char *field,
                                  const char *value, char (*keys)[256], size_t room, size_t *count,
                                  struct error *error);
/* As contact_find for many values at once, at most 10,000: one pass over the table. fn is called
 * with the position of the value and a key, in order of both. */
typedef enum status (*contact_matched)(void *context, size_t at, const char *key,
                                       struct error *error);
MUST_USE enum status contact_match(struct contact_reader *reader, size_t kind, const char *field,
                                   const char *const *values, size_t count, contact_matched fn,
                                   void *context, struct error *error);
/* Appends the columns that such a match reads, "customer.email", for the record; nothing where the
 * policy names none for the field: then there is nothing to match. */
void contact_match_columns(const struct policy_kind *kind, const char *field, struct buffer *out);
/* Appends the SQL that makes the role's rights: GRANT SELECT on exactly these columns. */
MUST_USE enum status contact_grants(const struct config *config, const struct policy *policy,
                                    struct buffer *sql, struct error *error);
/* Adds to a table (partner, finding) what is wrong with the role: it cannot log in, a column is
 * missing or of an unfit type, it may read too little or too much, brands that the policy does not
 * know. Says nothing where no role is configured and no kind has contact columns. */
MUST_USE enum status contact_check(const struct config *config, const struct policy *policy,
                                   struct table *findings, struct error *error);

#endif
