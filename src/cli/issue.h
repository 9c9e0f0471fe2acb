/* Certificates into files: what the cert verbs and the kit share. */
#ifndef COFFERDAM_CLI_ISSUE_H
#define COFFERDAM_CLI_ISSUE_H

#include "base/buffer.h"
#include "identity/identity.h"
#include "policy/policy.h"

enum { ISSUE_PEM_BYTES = 65536, ISSUE_DEFAULT_CLIENT_DAYS = 30 };

/* A leaf's PEM files, in memory. Free with issued_free, which wipes the key. */
struct issued {
    struct buffer certificate, key;
};
void issued_init(struct issued *issued);
void issued_free(struct issued *issued);

/* A leaf that proves `identity` (a URI goes into the SAN, anything else is the CN), valid from a
 * little before now for so many days. */
MUST_USE enum status issue_client(const char *ca_folder, const char *login, const char *identity,
                                  int days, struct issued *issued, struct error *error);
/* Writes <folder>/<name>.crt and <folder>/<name>.key (0600), making the folder (0700). */
MUST_USE enum status issued_write(const struct issued *issued, const char *folder, const char *name,
                                  struct error *error);
/* Lifetime: from shortly before now (clocks differ), for days. */
void issue_lifetime(int days, struct identity_leaf *leaf);
/* <folder>/<name> as a file with these bytes. */
MUST_USE enum status issue_file(const char *folder, const char *name, struct slice content,
                                unsigned mode, struct error *error);

#endif
