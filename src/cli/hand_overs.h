/* The hand-overs of a log's keys as a file: the notes of its key entries, base64, one a line. Each
 * is signed by the key that was replaced and by the one that came, so it needs no log to be
 * believed, and whoever knows one key can check what an older or a newer one has signed. */
#ifndef COFFERDAM_CLI_HAND_OVERS_H
#define COFFERDAM_CLI_HAND_OVERS_H

#include "base/status.h"
#include "ledger/note.h"

/* Prints the file of the log in this folder. */
MUST_USE enum status cli_hand_overs_print(const char *folder, struct error *error);
/* Adds to keys all that are joined to them by hand-overs in the file: [*count, room).
 * STATUS_INVALID where the file is none, or of another log; STATUS_CORRUPT where a note is not
 * signed. */
MUST_USE enum status cli_hand_overs_follow(const char *path, struct note_key *keys, size_t room,
                                           size_t *count, struct error *error);

#endif
