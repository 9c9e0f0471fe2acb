/* Names: the dictionary of subject ids as another process than the gateway reads it: from the key
 * file and the sealed pairs beside the ledger's entries. Takes no lock and writes nothing. One
 * thread. What was erased has no key any more: STATUS_NOT_FOUND. */
#ifndef COFFERDAM_EXPOSURE_READING_H
#define COFFERDAM_EXPOSURE_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "ledger/ledger.h"

struct names; /* owned */

MUST_USE enum status names_open(const char *subjects_folder, struct names **names,
                                struct error *error);
void names_close(struct names *names); /* NULL is fine */
/* For each entry read from the ledger, in order: learns the pairs sealed in its side section that
 * the key file did not have when it was read. */
MUST_USE enum status names_take(struct names *names, uint64_t sequence, struct slice side,
                                struct error *error);
/* Copies the key text (terminated); STATUS_NOT_FOUND if erased or unknown. */
MUST_USE enum status names_key(struct names *names, uint32_t id, uint16_t *kind, char key[256]);
/* STATUS_NOT_FOUND where nothing of this subject has ever been disclosed. */
MUST_USE enum status names_find(struct names *names, uint16_t kind, struct slice key, uint32_t *id);

enum names_state { NAMES_UNKNOWN, NAMES_KEY, NAMES_ERASED };
enum names_state names_state(const struct names *names, uint32_t id);

/* All ids are below this. */
uint32_t names_next_id(const struct names *names);

#endif
