/* Building the index from the ledger: reading entries into a tail, folding it, again and again
 * until all is told. Also whether a shelf matches its ledger, and whether it says what a new build
 * says. */
#ifndef COFFERDAM_EXPOSURE_INDEX_BUILD_H
#define COFFERDAM_EXPOSURE_INDEX_BUILD_H

#include "exposure/exposure.h"
#include "exposure/index_fold.h"

/* Entries are read into a tail of this many bytes before it is folded. */
enum { INDEX_BUILD_BYTES = 256 << 20 };

struct index_build {
    const char *folder, *ledger_folder;
    struct name_pool *pool;
    struct shelf *shelf;  /* what there is; NULL: nothing. Replaced as folds go on; owned */
    size_t bytes;         /* 0: INDEX_BUILD_BYTES */
    uint64_t disclosures; /* ids told so far */
    bool damaged;         /* it failed over files of the shelf, and not over the ledger */
};

/* The end of a run of entries: all below it are told, but for what was dropped from the ledger, and
 * the tree's root there. */
struct index_end {
    uint64_t base; /* entries below are told only as far as the ledger's base carries them */
    uint64_t sequence;
    uint8_t root[INDEX_ROOT_BYTES];
};

/* Reads acknowledged entries into the tail, and what statements told (NULL: not wanted), from
 * end->sequence on, up to the end of a frame at or behind `least`, or where the tail has passed
 * `bytes`, or the log ends. */
MUST_USE enum status index_read_entries(const char *ledger_folder, uint64_t least, size_t bytes,
                                        struct tail *tail, struct told *told, struct index_end *end,
                                        uint64_t *disclosures, struct error *error);
/* Folds from the shelf's end on, up to the end of a frame at or behind `least` (UINT64_MAX: all
 * that is acknowledged). Afterwards there is a shelf, if only an empty one. */
MUST_USE enum status index_build_run(struct index_build *build, uint64_t least,
                                     struct error *error);

/* STATUS_CORRUPT, saying why, unless the shelf speaks of a beginning of this very log. */
MUST_USE enum status index_shelf_matches(const struct shelf *shelf, const char *ledger_folder,
                                         struct error *error);

/* What is in the folder, for reading beside others; NULL where it cannot be used: then the ledger
 * is to be read. */
struct shelf *index_shelf_of(const char *folder, const char *ledger_folder, struct name_pool *pool);

/* One process a folder folds at a time: STATUS_DENIED 55006 where another does, unless it waits. */
MUST_USE enum status index_lock(const char *folder, bool waits, int *fd, struct error *error);
/* Removes the files and the manifest. */
MUST_USE enum status index_discard(const char *folder, struct error *error);

/* A folder of this process beside the index's own files, empty; gone with all that is in it. */
MUST_USE enum status index_make_workplace(const char *folder, char path[static INDEX_PATH_ROOM],
                                          struct error *error);
void index_remove_workplace(const char *path);
/* What has been built. */
void index_tell(const struct index_build *build, struct exposure_rebuilt *rebuilt);

/* As exposure_rebuild and exposure_check. */
MUST_USE enum status index_rebuild(const char *folder, const char *ledger_folder,
                                   struct exposure_rebuilt *rebuilt, struct error *error);
MUST_USE enum status index_check(const char *folder, const char *ledger_folder,
                                 struct exposure_rebuilt *rebuilt,
                                 struct exposure_difference *found, struct error *error);

#endif
