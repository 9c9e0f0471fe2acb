/* Fuzz target: entries about the signing key. What is read as one is of the origin, and a chain
 * that begins with it goes on from its key. */
#include <stdlib.h>

#include "base/check.h"
#include "ledger/key_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char origin[] = "cofferdam/log/00112233445566778899aabbccddeeff";
    struct slice text = slice_of(data, size);
    struct key_change change;
    bool good = key_change_read(text, origin, &change, NULL) == STATUS_OK;
    struct key_chain *chain = malloc(sizeof *chain);
    CHECK(chain != NULL);
    key_chain_start(chain, origin);
    bool added = key_chain_add(chain, UINT64_MAX, 0, text, NULL) == STATUS_OK;
    CHECK(added == (good && change.kind == KEY_CHANGE_FIRST));
    if (added) {
        CHECK(note_key_equal(&chain->links[0].key, &change.new_key));
        CHECK(key_chain_add(chain, UINT64_MAX, 0, text, NULL) == STATUS_CORRUPT);
    }
    free(chain);
    return 0;
}
