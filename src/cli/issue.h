/* Certificates into files: what the cert verbs and the kit share. */
#ifndef COFFERDAM_CLI_ISSUE_H
#define COFFERDAM_CLI_ISSUE_H

#include "base/buffer.h"
#include "cli/cli.h"
#include "identity/authority.h"
#include "policy/policy.h"

enum { ISSUE_PEM_BYTES = 65536, ISSUE_DEFAULT_CLIENT_DAYS = 30 };
#define ISSUE_DAY_NS INT64_C(86400000000000)

/* A leaf's PEM files, in memory. Free with issued_free, which wipes the key. */
struct issued {
    struct buffer certificate, key;
};
void issued_init(struct issued *issued);
void issued_free(struct issued *issued);

/* A leaf that proves `identity` (a URI goes into the SAN, anything else is the CN), valid from a
 * little before now. */
struct issue_wish {
    const char *login, *identity;
    int64_t lifetime_ns;
    enum identity_key key;
    struct slice request; /* CSR; len 0: a key is made */
};
MUST_USE enum status issue_client(const struct identity_ca *ca, const struct issue_wish *wish,
                                  struct issued *issued, struct error *error);
/* Opens the CA in a folder. A sealed key's passphrase comes from --passphrase-file, the systemd
 * credential ca-passphrase or the terminal; the key itself may be the credential ca.key. */
MUST_USE enum status issue_open_ca(const struct cli_call *call, const char *folder,
                                   struct identity_ca **ca, struct error *error);
/* For a CA that is being made: from the same places, on the terminal twice. *passphrase stays empty
 * where none is given and nobody can be asked. The caller wipes it. */
MUST_USE enum status issue_passphrase(const struct cli_call *call, struct buffer *passphrase,
                                      struct error *error);
#define ISSUE_PASSPHRASE_OPTION                                                                    \
    {                                                                                              \
        "passphrase-file", 0, "FILE", "what the CA's key is sealed with (mode 0600)"               \
    }
/* Says on stderr that a certificate which is issued now, for so long, can never be renewed although
 * the policy lets its agent: a renewal must end later, and by `renewal` after now (0024). */
void issue_warn_renewal(const struct policy_agent *agent, int64_t lifetime_ns);
/* Writes <folder>/<name>.crt and <folder>/<name>.key (0600), making the folder (0700). */
MUST_USE enum status issued_write(const struct issued *issued, const char *folder, const char *name,
                                  struct error *error);
/* The option's value, which was given: "30m", "24h", "14d", from 5m. A usage error otherwise. */
MUST_USE enum status issue_duration(struct cli_call *call, const char *name, unsigned most_days,
                                    int64_t *duration_ns, struct error *error);
/* Lifetime: from shortly before now (clocks differ), for so long. */
void issue_lifetime(int64_t lifetime_ns, struct identity_leaf *leaf);
/* <folder>/<name> as a file with these bytes. */
MUST_USE enum status issue_file(const char *folder, const char *name, struct slice content,
                                unsigned mode, struct error *error);

#endif
