/* Data files of one kind each (words, jurisdictions): read, parsed, and named by the hash of their
 * bytes. Private to policy/. */
#ifndef COFFERDAM_POLICY_DATA_FILE_H
#define COFFERDAM_POLICY_DATA_FILE_H

#include "policy/yaml.h"

/* Reads the file and calls load with a reader of it; what load makes is in the arena. *version:
 * lower-case hex SHA-256 of the file's bytes, in the arena as well. */
MUST_USE enum status data_file_load(const char *path, struct arena *arena,
                                    void (*load)(struct yaml *yaml, void *context), void *context,
                                    const char **version, struct error *error);

#endif
