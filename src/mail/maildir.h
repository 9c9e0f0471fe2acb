/* Maildir: mail that has arrived (https://cr.yp.to/proto/maildir.html), given to a reader. What the
 * reader takes moves to cur, as seen; all other mail stays where it is, and is shown to the reader
 * and counted once. At least once: a crash before the move gives the mail to the reader again. One
 * thread; several programs may read one folder. */
#ifndef COFFERDAM_MAIL_MAILDIR_H
#define COFFERDAM_MAIL_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct maildir; /* owned */

struct maildir_counts {
    uint64_t taken, unknown; /* since maildir_open */
};
struct maildir_reader {
    /* STATUS_NOT_FOUND where the mail is none of the reader's, or there no more; any other failure
     * ends the look, and the mail is shown again. */
    enum status (*take)(void *context, const char *path, struct error *error);
    /* What was taken is to be on disk. NULL: it is when take() returns. */
    enum status (*sync)(void *context, struct error *error);
    void *context;
};
/* folder: it need not exist yet. Copied. */
MUST_USE enum status maildir_open(const char *folder, struct maildir **maildir,
                                  struct error *error);
void maildir_close(struct maildir *maildir); /* NULL is fine */
/* Shows what has come since the last call, until a handful was taken; *more: there may be others.
 * For callers that hold a lock. */
MUST_USE enum status maildir_look(struct maildir *maildir, const struct maildir_reader *reader,
                                  bool *more, struct error *error);
/* All of them. */
MUST_USE enum status maildir_read(struct maildir *maildir, const struct maildir_reader *reader,
                                  struct error *error);
struct maildir_counts maildir_count(const struct maildir *maildir);

#endif
