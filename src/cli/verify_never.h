/* ledger verify CERTIFICATE: a certificate of non-exposure, offline, with the log's key alone. */
#ifndef COFFERDAM_CLI_VERIFY_NEVER_H
#define COFFERDAM_CLI_VERIFY_NEVER_H

#include "cli/cli.h"
#include "ledger/note.h"
#include "never/never.h"

enum { CLI_KEYS_MAX = 64 };
/* Verifier keys: one as it stands, or a file with one a line. */
MUST_USE enum status cli_read_keys(const char *key, struct note_key keys[static CLI_KEYS_MAX],
                                   size_t *count, struct error *error);

/* The same, and those that --chain joins to them. */
MUST_USE enum status cli_trusted_keys(const struct cli_call *call, const char *key,
                                      struct note_key keys[static CLI_KEYS_MAX], size_t *count,
                                      struct error *error);

/* Is there a file at path that begins as such a certificate? */
bool cli_is_never_certificate(const char *path);
/* key: a verifier key, or a file with one a line; NULL is a usage error. Takes --chain. */
MUST_USE enum status cli_verify_never(struct cli_call *call, const char *path, const char *key,
                                      struct error *error);

/* Says of commitments that count dropped entries that nothing is left to recompute them from; a
 * line, or nothing where there are none. */
void cli_print_beyond(const struct never_check *check, const char *title);

/* never_recompute over the configuration's state folder. STATUS_NOT_FOUND where the secret that the
 * index was made with is not here. */
MUST_USE enum status cli_recompute_never(const struct cli_call *call, struct never_check *check,
                                         struct error *error);

#endif
