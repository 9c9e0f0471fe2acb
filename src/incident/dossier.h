/* Dossier: what a closed case leaves behind (GDPR Art. 33(5)): a folder with the case for people
 * (index.html, dossier.txt), tables and lists as CSV, the proofs of dispatch, copies of the
 * evidence, and MANIFEST, a SHA-256 for each file. The same case gives the same bytes. */
#ifndef COFFERDAM_INCIDENT_DOSSIER_H
#define COFFERDAM_INCIDENT_DOSSIER_H

#include "incident/casefile.h"

enum { DOSSIER_ROOM = 4096 };

/* folder is made, 0700; files of ours in it are replaced. */
MUST_USE enum status dossier_write(struct casework *casework, const struct casefile *casefile,
                                   const char *folder, struct error *error);

/* Closes the incident: refused (STATUS_DENIED) while duties are open; otherwise decided, and its
 * dossier written to out, or to "dossier" in its own folder where that is NULL. Of a closed
 * incident the dossier is written again and why is not needed. */
MUST_USE enum status dossier_close_incident(struct casework *casework, int64_t number,
                                            const char *why, const char *out,
                                            char folder[static DOSSIER_ROOM], struct error *error);

#endif
