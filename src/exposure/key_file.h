/* The key file: all pairs of the dictionary on disk, in the order of their ids; byte by byte in
 * docs/SUBJECTS-FORMAT.md. Not thread-safe: one owner (the opener, then the background thread).
 * A failed write or sync ends writing for this process: the pairs stay sealed in the ledger, since
 * no segment key is destroyed without a synced key file. */
#ifndef COFFERDAM_EXPOSURE_KEY_FILE_H
#define COFFERDAM_EXPOSURE_KEY_FILE_H

#include "exposure/dictionary.h"

struct key_file {
    char path[4096];
    int fd;                 /* -1: none yet */
    uint64_t size;          /* bytes that are valid, where the next block goes */
    uint32_t written_below; /* all known ids below are in the file */
    bool clean;             /* ended with a closing mark and nothing behind it */
    bool failed;
};

/* Reads folder/keys into the dictionary; changes nothing on disk. No file: an empty one. A torn
 * tail ends the reading; whether pairs are missing is for the ledger's side sections to say. */
MUST_USE enum status key_file_load(struct key_file *file, const char *folder,
                                   struct dictionary *dictionary, struct error *error);
/* Reads what there is, for another process than the owner: the owner may append meanwhile, or put a
 * new file in this one's place. */
MUST_USE enum status key_file_read(const char *folder, struct dictionary *dictionary,
                                   struct error *error);
/* Writes the whole dictionary to a new file and puts it in the old one's place, durably. */
MUST_USE enum status key_file_rewrite(struct key_file *file, struct dictionary *dictionary,
                                      struct error *error);
/* Appends the pairs from written_below on, and syncs. */
MUST_USE enum status key_file_append(struct key_file *file, struct dictionary *dictionary,
                                     struct error *error);
/* Writes the closing mark (if mark), closes. */
void key_file_close(struct key_file *file, bool mark);

#endif
