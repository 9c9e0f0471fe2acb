/* The revocation lists that were seen of authorities, and having an older one accepted: an
 * authority that was restored from a backup begins to count again. That gives access, so it is
 * durable in the ledger before it is done. Admin thread. */
#include "gateway/admin/admin_recording.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/trust/trust_watch.h"
#include "identity/trust.h"
#include "registry/crls.h"

enum { AUTHORITY, ISSUER, NUMBER, THIS_UPDATE, SEEN, STATE, SHA256 };
static const char *const columns[] = {"authority", "issuer", "number", "this_update",
                                      "seen",      "state",  "sha256", NULL};

enum { NUMBER_ROOM = 2 * CRLS_NUMBER_BYTES + 3, HASH_ROOM = 2 * CRLS_KEY_BYTES + 1 };

/* As openssl crl -crlnumber prints it; "" where the list has none. */
static void print_number(const struct crl_seen *seen, char text[static NUMBER_ROOM])
{
    char digits[2 * CRLS_NUMBER_BYTES + 1];
    crypto_hex(seen->number, sizeof seen->number, digits);
    const char *from = digits + strspn(digits, "0");
    snprintf(text, NUMBER_ROOM, "%s%s", *from == '\0' ? "" : "0x", from);
}

static const char *state_of(const struct server *server, const struct crl_seen *seen)
{
    if (server->trust == NULL || server->config->listen.crl_count == 0)
        return "not looked at";
    return trust_has_list(server->trust, seen->authority) ? "in force" : "missing";
}

struct listing {
    const struct server *server;
    struct table *table;
};

static bool list_one(void *context, const struct crl_seen *seen)
{
    const struct listing *listing = context;
    char number[NUMBER_ROOM], authority[HASH_ROOM], sha256[HASH_ROOM];
    crypto_hex(seen->authority, sizeof seen->authority, authority);
    crypto_hex(seen->sha256, sizeof seen->sha256, sha256);
    print_number(seen, number);
    struct table_row *row = table_add(listing->table);
    table_set(listing->table, row, AUTHORITY, "%s", authority);
    table_set(listing->table, row, ISSUER, "%s", seen->issuer);
    if (number[0] != '\0')
        table_set(listing->table, row, NUMBER, "%s", number);
    table_set_instant(listing->table, row, THIS_UPDATE, seen->this_update_ns);
    table_set_instant(listing->table, row, SEEN, seen->seen_ns);
    table_set(listing->table, row, STATE, "%s", state_of(listing->server, seen));
    table_set(listing->table, row, SHA256, "%s", sha256);
    return !table_overflowed(listing->table);
}

enum status admin_show_crls(struct asking *asking, struct table *table, struct error *error)
{
    struct listing listing = {.server = asking->server, .table = table};
    (void)error;
    table_init(table, ADMIN_TABLE_BYTES, columns);
    crls_each(asking->server->registry, list_one, &listing);
    return STATUS_OK;
}

static enum status find_seen(struct asking *asking, struct crl_seen *seen, struct error *error)
{
    uint8_t authority[CRLS_KEY_BYTES];
    const char *id = admin_option(asking, "ID");
    if (id == NULL || !crypto_unhex(slice_of_text(id), authority, sizeof authority))
        return error_set(error, STATUS_DENIED, "22023", "SHOW CRLS lists them",
                         "ID is not 64 lower-case hexadecimal digits: SHA-256 of the authority's "
                         "key");
    if (!crls_find(asking->server->registry, authority, seen))
        return error_set(error, STATUS_NOT_FOUND, "42704", "SHOW CRLS lists them",
                         "no revocation list of this authority has been seen");
    return STATUS_OK;
}

static enum status record(struct asking *asking, const struct crl_seen *seen, const char *reason,
                          struct error *error)
{
    char text[RECORDING_TEXT_BYTES + 1000], number[NUMBER_ROOM], authority[HASH_ROOM],
        sha256[HASH_ROOM];
    crypto_hex(seen->authority, sizeof seen->authority, authority);
    crypto_hex(seen->sha256, sizeof seen->sha256, sha256);
    print_number(seen, number);
    snprintf(text, sizeof text,
             "crl-reset\nauthority=%s\nissuer=%s\nnumber=%s\nsha256=%s\nby=%s\nreason=%s\n",
             authority, seen->issuer, number, sha256, asking->by, reason);
    return server_record_act(asking->server, NULL, NULL, text, true, error);
}

enum status admin_reset_crl(struct asking *asking, struct table *table, struct error *error)
{
    struct server *server = asking->server;
    const char *reason;
    struct crl_seen seen;
    TRY(find_seen(asking, &seen, error));
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(record(asking, &seen, reason, error));
    TRY(server->trust_watch != NULL ? trust_watch_reset(server->trust_watch, seen.authority, error)
                                    : crls_forget(server->registry, seen.authority, error));
    log_event(LOG_WARNING, "crl_reset", "issuer=\"%s\" by=\"%s\"", seen.issuer, asking->by);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct listing listing = {.server = server, .table = table};
    struct crl_seen now;
    if (crls_find(server->registry, seen.authority, &now))
        list_one(&listing, &now); /* the one that counts from now on */
    return STATUS_OK;
}
