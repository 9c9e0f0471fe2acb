/* See evidence.h. */
#include "incident/evidence.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"

enum { PATH_BYTES = 16 * 1024, KEPT_MODE = 0600 };

enum status evidence_read(const char *path, struct buffer *bytes,
                          char sha256[static EVIDENCE_HEX_ROOM], struct error *error)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    TRY(file_read(path, bytes, error));
    struct slice content = buffer_slice(bytes);
    crypto_sha256(&content, 1, digest);
    crypto_hex(digest, sizeof digest, sha256);
    return STATUS_OK;
}

void evidence_name(const char *prefix, const char *path, char name[static EVIDENCE_NAME_ROOM])
{
    static const char harmless[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *slash = strrchr(path, '/');
    snprintf(name, EVIDENCE_NAME_ROOM, "%s-%s", prefix, slash == NULL ? path : slash + 1);
    for (char *c = name; *c != '\0'; c++) {
        if (strchr(harmless, *c) == NULL)
            *c = '_';
    }
}

enum status evidence_keep(struct casework *casework, int64_t number, const char *name,
                          struct slice bytes, const char *sha256, const char *what,
                          struct error *error)
{
    struct incident_evidence evidence = {
        .name = name, .sha256 = sha256, .by = casework->by, .what = what, .at_ns = clock_now_ns()};
    struct arena arena;
    const char *path = NULL;
    arena_init(&arena, PATH_BYTES);
    enum status status = incidents_path(casework->incidents, number, name, &arena, &path, error);
    if (status == STATUS_OK && file_exists(path))
        status = error_set(error, STATUS_INVALID, "42710", "rename the file, or verify the case",
                           "%s: is there already", path);
    if (status == STATUS_OK)
        status = file_replace(path, bytes, KEPT_MODE, error);
    if (status == STATUS_OK)
        status = file_inherit_owner(path, error);
    if (status == STATUS_OK)
        status = incidents_add_evidence(casework->incidents, number, &evidence, error);
    arena_free(&arena);
    return status;
}
