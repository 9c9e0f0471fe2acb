/* Whole files, and writes that survive a crash. Paths are NUL-terminated. */
#ifndef COFFERDAM_BASE_FILE_H
#define COFFERDAM_BASE_FILE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

/* Appends the file's bytes to *out; STATUS_NOT_FOUND, _IO; STATUS_LIMIT when it does not fit: then
 * *out is full of its first bytes. */
MUST_USE enum status file_read(const char *path, struct buffer *out, struct error *error);

/* As file_read, for secrets: refuses (STATUS_INVALID) a file that group or others can read or
 * write, and cuts one trailing newline. */
MUST_USE enum status file_read_secret(const char *path, struct buffer *out, struct error *error);

/* Writes path by a temporary beside it, fsync, rename, fsync of the folder: after a crash the
 * path holds the old bytes or the new ones, whole. */
MUST_USE enum status file_replace(const char *path, struct slice content, unsigned mode,
                                  struct error *error);

/* Makes the folder and its missing parents with mode; fine if it exists. */
MUST_USE enum status file_make_folder(const char *path, unsigned mode, struct error *error);

/* What root makes beside a service's files must be that service's: root gives path to the owner of
 * its folder. Does nothing for anybody else; follows no link. */
MUST_USE enum status file_inherit_owner(const char *path, struct error *error);

/* fsync of a folder, so that names made in it survive a crash. */
MUST_USE enum status file_sync_folder(const char *path, struct error *error);

/* All of len bytes at offset, retrying short writes. A failure may be followed by lies of the
 * page cache: callers stop. */
MUST_USE enum status file_write_at(int fd, const void *data, size_t len, uint64_t offset,
                                   struct error *error);
bool file_exists(const char *path);

#endif
