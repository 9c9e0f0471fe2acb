/* Recording that a partner has deleted what it had: what `attest` and `exposure deletion` share.
 * One thread. */
#ifndef COFFERDAM_CLI_DELETION_H
#define COFFERDAM_CLI_DELETION_H

#include "cli/cli.h"

/* Each may be NULL. */
struct deletion {
    const char *document;  /* path: its SHA-256 is kept */
    const char *signature; /* path: CMS over the document, DER or PEM; checked by the gateway */
    const char *told_by;   /* who said so, where nobody signed */
};

/* The rest is in options of both verbs: partner, before, request, method, systems, backups,
 * sub-processors, keys, kind, by. */
MUST_USE enum status deletion_record(struct cli_call *call, const struct deletion *deletion,
                                     struct error *error);

#endif
