/* Backing up a log that may be being written, and restoring it. A backup is itself a ledger's
 * folder, up to one checkpoint, with nothing behind it: whatever reads a ledger reads a backup.
 * Invariants: the source is verified, and shown to go on from what the backup holds, before the
 * first byte is copied; the copy is verified after the last; `checkpoint` is replaced last, so an
 * interrupted backup is the one before it, and the next call completes it. A restored folder gets
 * its name only once it is whole. Takes no lock of the gateway's. One thread. */
#ifndef COFFERDAM_LEDGER_BACKUP_H
#define COFFERDAM_LEDGER_BACKUP_H

#include <stdint.h>

#include "base/status.h"
#include "ledger/note.h"
#include "ledger/verify.h"

struct backup_report {
    uint64_t entries;         /* that the backup, or the restored log, holds */
    uint64_t before;          /* that it held before this call */
    uint64_t segments_copied; /* or extended */
    uint64_t bytes_copied;
    uint64_t signed_size; /* of its largest signed checkpoint */
};

/* Brings the backup in `to` (made if need be) up to the ledger's newest checkpoint. key: NULL, or
 * the log's. STATUS_CORRUPT where the ledger is damaged, or does not go on from what the backup
 * holds: the backup is then as it was. */
MUST_USE enum status ledger_backup(const char *folder, const char *to, const struct note_key *key,
                                   struct backup_report *report, struct error *error);

/* from: a backup. to: a name that does not exist, or an empty folder. checkpoint: NULL, or a file
 * with the newest checkpoint known; STATUS_DENIED 55000 where the backup holds less than it says.
 */
MUST_USE enum status ledger_restore(const char *from, const char *to, const char *checkpoint,
                                    const struct note_key *key, struct backup_report *report,
                                    struct error *error);

#endif
