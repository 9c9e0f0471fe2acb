/* A client of the gateway's admin database: one command, one table, over its unix socket. Takes
 * nothing from the environment. Used by everything that acts beside the gateway: the command line,
 * the breach path, the worker. Not thread-safe. */
#ifndef COFFERDAM_ADMIN_ADMIN_CLIENT_H
#define COFFERDAM_ADMIN_ADMIN_CLIENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "base/table.h"

enum {
    ADMIN_CLIENT_COMMAND_BYTES = 240 * 1024, /* a longer command is refused by the gateway */
    ADMIN_CLIENT_RESULT_BYTES = 256 * 1024 * 1024,
};

struct admin_client; /* a connection; owned */

/* Connects to the socket of a port in a folder; port 0: to the only one there. */
MUST_USE enum status admin_client_open(const char *folder, uint16_t port,
                                       struct admin_client **client, struct error *error);
void admin_client_close(struct admin_client *client); /* NULL is fine */

/* Appends " keyword 'value'" to a command; keyword may be "", value NULL adds nothing. Quotes are
 * doubled; that is all the quoting the admin database knows: a backslash is a backslash. */
void admin_client_clause(struct buffer *command, const char *keyword, const char *value);
/* Sends the command and fills an unopened table, to be freed with table_free(). STATUS_DENIED with
 * the gateway's SQLSTATE and hint. */
MUST_USE enum status admin_client_ask(struct admin_client *client, struct buffer *command,
                                      struct table *table, struct error *error);

/* What was said beside the last answer: since when it speaks. "" for nothing. */
const char *admin_client_notice(const struct admin_client *client);

/* ---- what the breach path asks ----
 * Each is durable in the ledger when it returns. */

struct admin_cutoff {
    uint64_t entries; /* size of the ledger's tree */
    uint8_t root[32]; /* of those entries */
    int64_t time_ns;  /* the gateway's clock */
    char node[64];
};
/* SHOW CUTOFF: the durable ledger's size and root, one consistent pair. */
MUST_USE enum status admin_client_cutoff(struct admin_client *client, struct admin_cutoff *cutoff,
                                         struct error *error);
/* RECORD ACT 'text' [PARTNER 'p'] [BY 'who']: an act of staff ("incident 3 decision 2 sha256=…");
 * *sequence may be NULL. At most 1000 bytes of text, never a value of the data. */
MUST_USE enum status admin_client_record_act(struct admin_client *client, const char *partner,
                                             const char *by, const char *text, uint64_t *sequence,
                                             struct error *error);
/* RECORD READ: we ourselves read these columns of these people (ascending ids of one kind), for a
 * purpose ("incident 3 notice"). columns: "customer.full_name,customer.email". A disclosure entry
 * without a partner: it is in the ledger and no partner's exposure. Any count: cut in as many
 * commands as it takes. */
MUST_USE enum status admin_client_record_read(struct admin_client *client, const char *kind,
                                              const char *columns, const char *purpose,
                                              const uint32_t *ids, size_t count,
                                              struct error *error);

#endif
