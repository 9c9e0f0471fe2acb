/* The registry's SQLite file. Every act is a transaction that is on disk when it returns (WAL with
 * synchronous FULL). Not thread-safe: the registry serialises its callers. Private to registry/. */
#ifndef COFFERDAM_REGISTRY_STORE_H
#define COFFERDAM_REGISTRY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct store; /* owned */
struct sqlite;

/* One containment, or one act about it. agent "" stands for the whole partner, credential "" for
 * all that its agents may prove themselves with. Of an act, since_ns is its time. */
struct store_entry {
    const char *partner, *agent, *credential, *reason, *by;
    int64_t since_ns;
    /* Who has proposed to restore it: NULL, NULL, INT64_MIN where nobody has. Of an act of
     * restoring only proposed_by. */
    const char *proposed_reason, *proposed_by;
    int64_t proposed_ns;
    bool is_recorded; /* the ledger has the act of containing */
};

/* Makes the file (mode 0600) where there is none, migrates an older one, refuses a newer one and
 * one that fails its own check (STATUS_CORRUPT). */
MUST_USE enum status store_open(const char *path, struct store **store, struct error *error);
void store_close(struct store *store); /* NULL is fine */
/* For the files store_*.c, each of which has tables of its own. Borrowed. */
struct sqlite *store_file(struct store *store);

/* Calls take for each containment in force, oldest first; stops at its first failure. The texts
 * are borrowed for the call. */
MUST_USE enum status store_read(struct store *store,
                                enum status (*take)(void *context, const struct store_entry *entry),
                                void *context, struct error *error);
/* Adds the entry, keeping one that is there already, and notes the act in the history. */
MUST_USE enum status store_contain(struct store *store, const struct store_entry *entry,
                                   struct error *error);
/* Notes at the entry, and in the history, that entry's by proposes to restore it. */
MUST_USE enum status store_propose(struct store *store, const struct store_entry *entry,
                                   struct error *error);
/* Removes the entry, if there, and notes the act with entry's reason, by and time. */
MUST_USE enum status store_restore(struct store *store, const struct store_entry *entry,
                                   struct error *error);

/* Takes the oldest act that does not stand in the ledger yet; *act_id 0: there is none. verb:
 * "contain", "propose restore" or "restore". Texts are borrowed for the call. */
MUST_USE enum status store_next_unrecorded(struct store *store, int64_t *act_id,
                                           enum status (*take)(void *context, const char *verb,
                                                               const struct store_entry *act),
                                           void *context, struct error *error);
MUST_USE enum status store_recorded(struct store *store, int64_t act_id, struct error *error);

#endif
