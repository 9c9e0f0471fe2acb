/* The manifest of the exposure index: which files it consists of, and of how much of which ledger
 * they speak. Text, whole or not at all: docs/INDEX-FORMAT.md. No state, any thread. */
#ifndef COFFERDAM_EXPOSURE_INDEX_MANIFEST_H
#define COFFERDAM_EXPOSURE_INDEX_MANIFEST_H

#include "exposure/index_file.h"

enum {
    INDEX_FILES_MAX = 100000, /* days of 250 years, and their months */
    INDEX_PATH_ROOM = 4096,
    INDEX_ROOT_BYTES = 32,
    INDEX_LOG_BYTES = 16,
};

struct manifest_file {
    enum index_level level;
    int32_t first; /* day or month; 0 for all time */
    uint64_t generation, size;
    uint32_t seal;
};

struct index_manifest {
    uint8_t log_id[INDEX_LOG_BYTES];
    uint64_t base;     /* entries below it are not: they were dropped from the ledger */
    uint64_t sequence; /* entries from base on and below it are in the files, and no others */
    uint8_t root[INDEX_ROOT_BYTES];
    uint64_t generation;
    struct manifest_file *files; /* ascending by level and first; the last is that of all time */
    size_t count;
};

MUST_USE enum status manifest_parse(struct slice text, struct index_manifest *manifest,
                                    struct error *error);
void manifest_format(const struct index_manifest *manifest, struct buffer *out);
void manifest_free(struct index_manifest *manifest);

/* STATUS_NOT_FOUND where there is none. */
MUST_USE enum status manifest_read(const char *folder, struct index_manifest *manifest,
                                   struct error *error);
MUST_USE enum status manifest_write(const char *folder, const struct index_manifest *manifest,
                                    struct error *error);
int manifest_compare(const struct manifest_file *a, const struct manifest_file *b);
/* "day-20261101.7.idx" in the folder. STATUS_LIMIT where the path is too long. */
MUST_USE enum status manifest_path(const char *folder, const struct manifest_file *file,
                                   char path[static INDEX_PATH_ROOM], struct error *error);
/* The file's name without generation and ending: "day-20261101", "ever". */
enum { MANIFEST_NAME_ROOM = 48 };
void manifest_name(const struct manifest_file *file, char name[static MANIFEST_NAME_ROOM]);
/* Removes index files in the folder that the manifest does not name. */
MUST_USE enum status manifest_sweep(const char *folder, const struct index_manifest *manifest,
                                    struct error *error);

#endif
