/* See certificate_file.h. */
#include "cli/certificate_file.h"

#include "base/file.h"

enum { CERTIFICATE_BYTES = 1024 * 1024 };

enum status certificate_file(const char *path, struct description *description, struct error *error)
{
    struct buffer bytes;
    struct error inner;
    buffer_init(&bytes, CERTIFICATE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK) {
        status = identity_describe(buffer_slice(&bytes), description, &inner);
        if (status != STATUS_OK)
            error_set(error, status, inner.sqlstate, inner.hint, "%s: %s", path, inner.message);
    }
    buffer_free(&bytes);
    return status;
}
