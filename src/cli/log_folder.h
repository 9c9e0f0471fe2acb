/* Where the ledger is: as given, or by the configuration. For verbs that read it from its files. */
#ifndef COFFERDAM_CLI_LOG_FOLDER_H
#define COFFERDAM_CLI_LOG_FOLDER_H

#include "cli/cli.h"
#include "ledger/note.h"

enum { CLI_PATH_ROOM = 4096 };

/* given may be NULL. subjects (may be NULL): the folder of keys, beside the ledger where given. */
MUST_USE enum status cli_log_folder(const struct cli_call *call, const char *given,
                                    char folder[static CLI_PATH_ROOM], char *subjects,
                                    struct error *error);
/* given: a verifier key, or the file that holds one on its first line. */
MUST_USE enum status cli_log_key(struct cli_call *call, const char *given, struct note_key *key,
                                 struct error *error);

#endif
