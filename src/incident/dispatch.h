/* Dispatch: what leaves the outbox on paper. Letters for the printer, read at that moment and
 * recorded; and the proof of what became of each message. CSV (RFC 4180). One thread. */
#ifndef COFFERDAM_INCIDENT_DISPATCH_H
#define COFFERDAM_INCIDENT_DISPATCH_H

#include <stdio.h>

#include "incident/notice.h"

/* Everybody whose newest message, of this notice or an earlier one, is a letter, was refused, or
 * bounced: name, address lines, text. notice: the newest. printed:
 * letters written; without: people with no usable postal address, who need a public notice. The
 * file's hash is recorded as a decision. */
struct dispatch_letters {
    uint64_t printed, without, gone;
};
MUST_USE enum status dispatch_write_letters(struct casework *casework, const struct scope *scope,
                                            const struct notice *notice, struct outbox *outbox,
                                            const char *path, struct dispatch_letters *letters,
                                            struct error *error);
/* One line a person: what happened to the message, with hash, envelope id, the server's words and
 * the delivery notice. No name and no address. */
MUST_USE enum status dispatch_write_proof(const struct scope *scope, const struct notice *notice,
                                          struct outbox *outbox, int64_t number, FILE *out,
                                          struct error *error);

#endif
