/* Certificates that staff name on the command line. */
#ifndef COFFERDAM_CLI_CERTIFICATE_FILE_H
#define COFFERDAM_CLI_CERTIFICATE_FILE_H

#include "identity/describe.h"

/* Describes the certificate in a file (PEM or DER). */
MUST_USE enum status certificate_file(const char *path, struct description *description,
                                      struct error *error);

#endif
