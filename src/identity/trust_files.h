/* The files that trust is read from. No state, any thread. Private to identity/. */
#ifndef COFFERDAM_IDENTITY_TRUST_FILES_H
#define COFFERDAM_IDENTITY_TRUST_FILES_H

#include "base/status.h"
#include "policy/config.h"

/* Calls take for each file of listen.crls; of a folder for those that end in .crl, .pem or .der, in
 * the order of their names. Stops at its first failure; STATUS_LIMIT for more than 256. */
MUST_USE enum status trust_each_crl_file(const struct config *config,
                                         enum status (*take)(void *context, const char *path,
                                                             struct error *error),
                                         void *context, struct error *error);
/* Changes when a file comes, goes or is written. */
void trust_files_fingerprint(const struct config *config, uint8_t fingerprint[static 32]);

#endif
