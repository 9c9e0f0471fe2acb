/* Fuzz target: the parser of proof files, which come from strangers. There is one file for a proof:
 * what is accepted is what the writer makes of it. */
#include "base/check.h"
#include "ledger/proof_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t root[32];
    struct proof_file file;
    struct buffer entry, again;
    struct error error;
    enum status status = proof_file_parse(slice_of(data, size), &file, &error);
    CHECK(status == STATUS_OK || status == STATUS_INVALID);
    if (status != STATUS_OK)
        return 0;
    buffer_init(&entry, PROOF_FILE_BYTES_MAX);
    buffer_init(&again, PROOF_FILE_BYTES_MAX + 16);
    CHECK(proof_file_entry(&file, &entry, &error) ==
          (file.extra.len > 0 ? STATUS_OK : STATUS_NOT_FOUND));
    proof_file_format(&file, buffer_slice(&entry), &again);
    CHECK(slice_equal(buffer_slice(&again), slice_of(data, size)));
    CHECK(!proof_file_proves_entry(&file, buffer_slice(&entry), file.index + 1, root));
    CHECK(!proof_file_proves_beginning(&file, file.index, file.proof.hashes[0], file.index + 9,
                                       root));
    buffer_free(&entry);
    buffer_free(&again);
    return 0;
}
