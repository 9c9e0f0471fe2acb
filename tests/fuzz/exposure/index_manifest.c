/* Fuzz target: the manifest of the exposure index. What parses is formatted back to the same bytes
 * and names files in order. The last line's checksum is also made to fit, since nothing else would
 * be met. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "exposure/index_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 2 << 20 };

static void parse(struct slice text)
{
    struct index_manifest manifest;
    struct error error;
    struct buffer again;
    char path[INDEX_PATH_ROOM];
    enum status status = manifest_parse(text, &manifest, &error);
    CHECK(status == STATUS_OK || status == STATUS_CORRUPT);
    if (status != STATUS_OK)
        return;
    buffer_init(&again, TEXT_BYTES);
    manifest_format(&manifest, &again);
    CHECK(slice_equal(buffer_slice(&again), text));
    buffer_free(&again);
    CHECK(manifest.count > 0 && manifest.files[manifest.count - 1].level == INDEX_EVER);
    for (size_t i = 0; i < manifest.count; i++) {
        CHECK(i == 0 || manifest_compare(&manifest.files[i - 1], &manifest.files[i]) < 0);
        CHECK(manifest_path("/folder", &manifest.files[i], path, &error) == STATUS_OK);
        CHECK(strncmp(path, "/folder/", 8) == 0 && strchr(path + 8, '/') == NULL);
    }
    manifest_free(&manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\ncrc ";
    char line[24];
    struct buffer fitted;
    parse(slice_of(data, size));
    const uint8_t *found = size == 0 ? NULL : memmem(data, size, mark, sizeof mark - 1);
    size_t body = found == NULL ? size : (size_t)(found - data) + 1;
    snprintf(line, sizeof line, "crc %08x\n", crypto_crc32c(0, data, body));
    buffer_init(&fitted, TEXT_BYTES);
    buffer_append(&fitted, data, body);
    buffer_append_text(&fitted, line);
    parse(buffer_slice(&fitted));
    buffer_free(&fitted);
    return 0;
}
