/* See key_copy.h. */
#include "exposure/key_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "exposure/reading.h"
#include "ledger/ledger.h"

enum { TRIES = 20, PAUSE_MS = 500, COPY_BYTES = 1024 * 1024, PATH_ROOM = 4096 };

static enum status copy_bytes(int from, int to, struct error *error)
{
    struct buffer chunk;
    enum status status = STATUS_OK;
    buffer_init(&chunk, COPY_BYTES);
    uint8_t *room = buffer_reserve(&chunk, COPY_BYTES);
    if (room == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to copy the keys");
    for (uint64_t at = 0; status == STATUS_OK;) {
        ssize_t got = pread(from, room, COPY_BYTES, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = error_set_errno(error, errno, "reading the keys");
        if (got <= 0)
            break;
        status = file_write_at(to, room, (size_t)got, at, error);
        at += (uint64_t)got;
    }
    if (status == STATUS_OK && fsync(to) != 0)
        status = error_set_errno(error, errno, "writing the keys");
    crypto_wipe(room, COPY_BYTES);
    buffer_free(&chunk);
    return status;
}

/* Whoever put another file in its place meanwhile (an erasure) is met at the next try, or leaves
 * the copy as of before. */
static enum status copy_keys(const char *subjects, const char *to, struct error *error)
{
    char from[PATH_ROOM], partial[PATH_ROOM], path[PATH_ROOM];
    snprintf(from, sizeof from, "%.4000s/keys", subjects);
    snprintf(partial, sizeof partial, "%.4000s/keys.new", to);
    snprintf(path, sizeof path, "%.4000s/keys", to);
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return error_set_errno(error, errno, "%s", from);
    int copy = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum status status =
        copy < 0 ? error_set_errno(error, errno, "%s", partial) : copy_bytes(source, copy, error);
    close(source);
    if (copy >= 0)
        close(copy);
    if (status == STATUS_OK && rename(partial, path) != 0)
        status = error_set_errno(error, errno, "%s", path);
    return status == STATUS_OK ? file_sync_folder(to, error) : status;
}

/* STATUS_CORRUPT where somebody is missing. */
static enum status check_complete(const char *to, const char *ledger_copy, struct error *error)
{
    struct names *names = NULL;
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status = names_open(to, &names, error);
    if (status == STATUS_OK)
        status = ledger_reader_open(ledger_copy, 0, &reader, error);
    while (status == STATUS_OK) {
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_OK)
            status = names_take(names, sequence, side, error);
    }
    ledger_reader_close(reader);
    names_close(names);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status key_copy_make(const char *subjects, const char *to, const char *ledger_copy,
                          struct error *error)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
    TRY(file_make_folder(to, 0700, error));
    for (int i = 0; i < TRIES; i++) {
        TRY(copy_keys(subjects, to, error));
        enum status status = check_complete(to, ledger_copy, error);
        if (status != STATUS_CORRUPT)
            return status;
        nanosleep(&pause, NULL);
    }
    return error_set(error, STATUS_AGAIN, "55006",
                     "Start the gateway, which writes them, and back up again.",
                     "%.200s/keys does not have everybody whom the ledger names: some stand in the "
                     "ledger's sealed sections only",
                     subjects);
}
