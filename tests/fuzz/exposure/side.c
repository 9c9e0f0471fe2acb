/* Fuzz target: the side sections of frames, read as they stand, and the pairs inside a sealed one.
 * The input is a section; and it is also what a section's sealed part holds, sealed here, because
 * whoever has the key can seal anything. */
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "exposure/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTION_BYTES = 1 << 20 };

static enum status take(void *context, const struct side_pair *pair, struct error *error)
{
    size_t *bytes = context;
    *bytes += pair->key.len;
    CHECK(pair->key.len <= UINT8_MAX);
    return STATUS_OK;
}

/* Sections never reach beyond what was given, and their walk ends. */
static void walk(struct slice rest, const struct seal_key *key)
{
    struct side_section section;
    size_t before = rest.len, bytes = 0;
    while (side_next(&rest, &section) == STATUS_OK) {
        CHECK(rest.len < before);
        before = rest.len;
        if (side_open(&section, key, take, &bytes, NULL) != STATUS_OK)
            continue;
        CHECK(bytes <= SECTION_BYTES);
    }
}

/* A section of one honest pair whose sealed part is replaced by the input, sealed under the key. */
static void walk_sealed(const uint8_t *data, size_t size, const struct seal_key *key)
{
    const struct side_pair pair = {.id = 7, .kind = 1, .key = slice_of_text("person-7")};
    struct buffer section, forged;
    struct side_section parts;
    struct error error;
    buffer_init(&section, SECTION_BYTES);
    buffer_init(&forged, SECTION_BYTES);
    CHECK(side_seal(key, &pair, 1, &section, &error) == STATUS_OK);
    struct slice rest = buffer_slice(&section);
    CHECK(side_next(&rest, &parts) == STATUS_OK);
    crypto_seal(key->secret, parts.clear, slice_of(data, size), &forged);
    if (!forged.overflowed) {
        size_t bytes = 0;
        parts.sealed = buffer_slice(&forged);
        (void)!side_open(&parts, key, take, &bytes, NULL);
    }
    buffer_free(&section);
    buffer_free(&forged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seal_key key = {.number = 1};
    memset(key.secret, 'k', sizeof key.secret);
    walk(slice_of(data, size), &key);
    walk_sealed(data, size, &key);
    return 0;
}
