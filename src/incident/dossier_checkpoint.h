/* The signed checkpoint of a phase, for the dossier. Private to incident/. */
#ifndef COFFERDAM_INCIDENT_DOSSIER_CHECKPOINT_H
#define COFFERDAM_INCIDENT_DOSSIER_CHECKPOINT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* Appends the note that the ledger in this folder has kept of so many entries, with the log's own
 * signatures. STATUS_NOT_FOUND where it keeps none: the phase is older than its keys.
 * STATUS_CORRUPT where it has another root than the phase. */
MUST_USE enum status dossier_checkpoint(const char *ledger_folder, uint64_t cutoff,
                                        const char *root_hex, struct buffer *out,
                                        struct error *error);

#endif
