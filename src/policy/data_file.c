/* See data_file.h. No state. */
#include "policy/data_file.h"

#include "base/file.h"
#include "crypto/crypto.h"

static enum status parse(const char *path, struct slice text, struct arena *arena,
                         void (*load)(struct yaml *yaml, void *context), void *context,
                         struct error *error)
{
    struct yaml yaml;
    yaml_open(&yaml, path, text, arena, error);
    if (!yaml_failed(&yaml))
        load(&yaml, context);
    enum status status = yaml_finish(&yaml);
    yaml_close(&yaml);
    return status;
}

enum status data_file_load(const char *path, struct arena *arena,
                           void (*load)(struct yaml *yaml, void *context), void *context,
                           const char **version, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, YAML_FILE_BYTES);
    enum status status = file_read(path, &bytes, error);
    struct slice text = buffer_slice(&bytes);
    if (status == STATUS_OK)
        status = parse(path, text, arena, load, context, error);
    if (status == STATUS_OK) {
        uint8_t digest[CRYPTO_SHA256_BYTES];
        char hex[2 * CRYPTO_SHA256_BYTES + 1];
        crypto_sha256(&text, 1, digest);
        crypto_hex(digest, sizeof digest, hex);
        *version = arena_strdup(arena, hex);
        if (*version == NULL)
            status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    buffer_free(&bytes);
    return status;
}
