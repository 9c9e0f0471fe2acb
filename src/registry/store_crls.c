/* See store_crls.h. */
#include "registry/store_crls.h"

#include <string.h>

#include "crypto/crypto.h"
#include "registry/sqlite.h"

static bool take_bytes(sqlite3_stmt *row, int column, uint8_t *bytes, size_t len)
{
    const char *text = sqlite_text(row, column);
    return text != NULL && crypto_unhex(slice_of_text(text), bytes, len);
}

static bool read_row(sqlite3_stmt *row, struct crl_seen *seen)
{
    const char *issuer = sqlite_text(row, 5);
    *seen = (struct crl_seen){.this_update_ns = sqlite_instant(row, 3),
                              .seen_ns = sqlite_instant(row, 4)};
    if (issuer == NULL || strlen(issuer) >= sizeof seen->issuer)
        return false;
    memcpy(seen->issuer, issuer, strlen(issuer) + 1);
    return take_bytes(row, 0, seen->authority, sizeof seen->authority) &&
           take_bytes(row, 1, seen->number, sizeof seen->number) &&
           take_bytes(row, 2, seen->sha256, sizeof seen->sha256);
}

enum status store_read_crls(struct store *store,
                            enum status (*take)(void *context, const struct crl_seen *seen,
                                                struct error *error),
                            void *context, struct error *error)
{
    struct sqlite *file = store_file(store);
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare(file, &statement, error,
                       "SELECT authority, number, sha256, this_update_ns, seen_ns, issuer"
                       " FROM crl_seen ORDER BY seen_ns DESC, authority",
                       ""));
    bool row = false;
    enum status status;
    while ((status = sqlite_step(file, statement, &row, error)) == STATUS_OK && row) {
        struct crl_seen seen;
        status =
            read_row(statement, &seen)
                ? take(context, &seen, error)
                : error_set(error, STATUS_CORRUPT, "XX001", "restore the registry from a backup",
                            "registry: a revocation list's number is damaged");
        if (status != STATUS_OK)
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_put_crl(struct store *store, const struct crl_seen *seen, struct error *error)
{
    struct sqlite *file = store_file(store);
    char authority[2 * CRLS_KEY_BYTES + 1], number[2 * CRLS_NUMBER_BYTES + 1],
        sha256[2 * CRLS_KEY_BYTES + 1];
    crypto_hex(seen->authority, sizeof seen->authority, authority);
    crypto_hex(seen->number, sizeof seen->number, number);
    crypto_hex(seen->sha256, sizeof seen->sha256, sha256);
    TRY(sqlite_begin(file, error));
    enum status status = sqlite_change(
        file, NULL, error,
        "INSERT OR REPLACE INTO crl_seen (authority, number, sha256, this_update_ns,"
        " seen_ns, issuer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        "tttnnt", authority, number, sha256, seen->this_update_ns, seen->seen_ns, seen->issuer);
    return sqlite_finish(file, status, error);
}

enum status store_forget_crl(struct store *store, const uint8_t *authority, struct error *error)
{
    struct sqlite *file = store_file(store);
    char hex[2 * CRLS_KEY_BYTES + 1];
    crypto_hex(authority, CRLS_KEY_BYTES, hex);
    TRY(sqlite_begin(file, error));
    enum status status = sqlite_change(
        file, NULL, error, "DELETE FROM crl_seen WHERE authority = ?1", "t", (const char *)hex);
    return sqlite_finish(file, status, error);
}
