/* Evidence: files kept in an incident's folder, with their hashes in the case. */
#ifndef COFFERDAM_INCIDENT_EVIDENCE_H
#define COFFERDAM_INCIDENT_EVIDENCE_H

#include "incident/casework.h"

enum { EVIDENCE_BYTES = 64 * 1024 * 1024, EVIDENCE_HEX_ROOM = 65, EVIDENCE_NAME_ROOM = 160 };

/* Reads a file that somebody names, up to EVIDENCE_BYTES, and hashes it. */
MUST_USE enum status evidence_read(const char *path, struct buffer *bytes,
                                   char sha256[static EVIDENCE_HEX_ROOM], struct error *error);
/* "prefix-basename", of harmless characters only. */
void evidence_name(const char *prefix, const char *path, char name[static EVIDENCE_NAME_ROOM]);
/* Keeps a copy under that name and notes it in the case. what: "the provider's notice". */
MUST_USE enum status evidence_keep(struct casework *casework, int64_t number, const char *name,
                                   struct slice bytes, const char *sha256, const char *what,
                                   struct error *error);

#endif
