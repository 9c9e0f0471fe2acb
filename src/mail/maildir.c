/* See maildir.h. Files are moved once the reader has what is in them on its disk, a handful with
 * one sync: a crash before that shows them again. */
#include "mail/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FIRST_NAMES = 64, ONE_LOOK = 128 };

/* Names of mail that is none of ours, so that it is read once. */
struct maildir {
    char folder[PATH_MAX - NAME_MAX - 16];
    char **foreign; /* sorted */
    size_t count, capacity;
    struct maildir_counts counts;
};

enum status maildir_open(const char *folder, struct maildir **maildir, struct error *error)
{
    struct maildir *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_no_memory(error);
    if (snprintf(opened->folder, sizeof opened->folder, "%s", folder) >=
        (int)sizeof opened->folder) {
        free(opened);
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the path of a folder of mail is too long");
    }
    *maildir = opened;
    return STATUS_OK;
}

void maildir_close(struct maildir *maildir)
{
    if (maildir == NULL)
        return;
    for (size_t i = 0; i < maildir->count; i++)
        free(maildir->foreign[i]);
    free(maildir->foreign);
    free(maildir);
}

struct maildir_counts maildir_count(const struct maildir *maildir)
{
    return maildir->counts;
}

/* Where the name stands, or would. */
static size_t find_name(const struct maildir *maildir, const char *name)
{
    size_t low = 0, high = maildir->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(maildir->foreign[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_foreign(const struct maildir *maildir, const char *name)
{
    size_t at = find_name(maildir, name);
    return at < maildir->count && strcmp(maildir->foreign[at], name) == 0;
}

static enum status add_foreign(struct maildir *maildir, const char *name, struct error *error)
{
    size_t at = find_name(maildir, name);
    if (maildir->count == maildir->capacity) {
        size_t capacity = maildir->capacity == 0 ? FIRST_NAMES : 2 * maildir->capacity;
        char **grown = realloc(maildir->foreign, capacity * sizeof *grown);
        if (grown == NULL)
            return error_no_memory(error);
        maildir->foreign = grown;
        maildir->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return error_no_memory(error);
    memmove(&maildir->foreign[at + 1], &maildir->foreign[at],
            (maildir->count - at) * sizeof *maildir->foreign);
    maildir->foreign[at] = copy;
    maildir->count++;
    maildir->counts.unknown++;
    return STATUS_OK;
}

/* What the reader has taken, and whose files are not moved yet. */
struct taken {
    char names[ONE_LOOK][NAME_MAX + 1];
    size_t count;
};

static enum status take_one(struct maildir *maildir, const struct maildir_reader *reader,
                            const char *name, struct taken *taken, struct error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/new/%.*s", maildir->folder, NAME_MAX, name);
    enum status status = reader->take(reader->context, path, error);
    if (status == STATUS_NOT_FOUND)
        return file_exists(path) ? add_foreign(maildir, name, error) : STATUS_OK;
    TRY(status);
    snprintf(taken->names[taken->count++], NAME_MAX + 1, "%s", name);
    return STATUS_OK;
}

static enum status move_taken(struct maildir *maildir, const struct maildir_reader *reader,
                              const struct taken *taken, struct error *error)
{
    if (taken->count == 0)
        return STATUS_OK;
    if (reader->sync != NULL)
        TRY(reader->sync(reader->context, error));
    for (size_t i = 0; i < taken->count; i++) {
        char path[PATH_MAX], kept[PATH_MAX];
        snprintf(path, sizeof path, "%s/new/%s", maildir->folder, taken->names[i]);
        snprintf(kept, sizeof kept, "%s/cur/%s:2,S", maildir->folder, taken->names[i]);
        if (rename(path, kept) != 0 && (errno != ENOENT || file_exists(path)))
            return error_set_errno(error, errno, "%s", kept);
        maildir->counts.taken++;
    }
    return STATUS_OK;
}

enum status maildir_look(struct maildir *maildir, const struct maildir_reader *reader, bool *more,
                         struct error *error)
{
    *more = false;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/new", maildir->folder);
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOENT)
        return STATUS_OK;
    if (folder == NULL)
        return error_set_errno(error, errno, "%s", path);
    struct taken taken = {.count = 0};
    enum status status = STATUS_OK;
    for (struct dirent *entry;
         status == STATUS_OK && taken.count < ONE_LOOK && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && !is_foreign(maildir, entry->d_name))
            status = take_one(maildir, reader, entry->d_name, &taken, error);
    closedir(folder);
    if (status == STATUS_OK)
        status = move_taken(maildir, reader, &taken, error);
    *more = taken.count == ONE_LOOK;
    return status;
}

enum status maildir_read(struct maildir *maildir, const struct maildir_reader *reader,
                         struct error *error)
{
    bool more = true;
    while (more)
        TRY(maildir_look(maildir, reader, &more, error));
    return STATUS_OK;
}
