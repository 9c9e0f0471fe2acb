/* Fuzz target: a request for a certificate, as a stranger sends it. */
#include <openssl/err.h>

#include "base/check.h"
#include "identity/authority_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    EVP_PKEY *key = NULL;
    struct error error;
    enum status status = request_key(slice_of(data, size), "spiffe://clinic/app", &key, &error);
    CHECK((status == STATUS_OK) == (key != NULL));
    CHECK(key == NULL || leaf_key_allowed(key));
    CHECK(ERR_peek_error() == 0);
    EVP_PKEY_free(key);
    return 0;
}
