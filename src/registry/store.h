/* The registry's SQLite file. Every act is a transaction that is on disk when it returns (WAL with
 * synchronous FULL). Not thread-safe: the registry serialises its callers. Private to registry/. */
#ifndef COFFERDAM_REGISTRY_STORE_H
#define COFFERDAM_REGISTRY_STORE_H

#include <stdint.h>

#include "base/status.h"

struct store; /* owned */
struct sqlite;

/* One containment. agent "" stands for the whole partner. */
struct store_entry {
    const char *partner, *agent, *reason, *by;
    int64_t since_ns;
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
/* Removes the entry, if there, and notes the act with entry's reason, by and time. */
MUST_USE enum status store_restore(struct store *store, const struct store_entry *entry,
                                   struct error *error);

#endif
