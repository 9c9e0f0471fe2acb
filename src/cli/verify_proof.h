/* ledger verify PROOF: a proof that ledger prove, or another log's tool, wrote; offline, with the
 * log's key alone. */
#ifndef COFFERDAM_CLI_VERIFY_PROOF_H
#define COFFERDAM_CLI_VERIFY_PROOF_H

#include "cli/cli.h"

/* Is there a file at path that begins as such a proof? */
bool cli_is_proof(const char *path);
/* Takes --key and --chain, and --since where an older log is to be the beginning. */
MUST_USE enum status cli_verify_proof(struct cli_call *call, const char *path, struct error *error);

#endif
