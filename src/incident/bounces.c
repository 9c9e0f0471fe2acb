/* See bounces.h. Files are moved once the outbox has their notices on its disk, a handful with one
 * sync: a crash before that reads them again, which changes nothing. */
#include "incident/bounces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "mail/mail.h"

enum { MAIL_BYTES = 1 << 20, FIRST_NAMES = 64, ONE_LOOK = 128 };

/* Names of mail that is none of ours, so that it is read once. */
struct bounces {
    char folder[PATH_MAX - NAME_MAX - 16];
    char **foreign; /* sorted */
    size_t count, capacity;
    struct bounces_counts counts;
};

enum status bounces_open(const char *folder, struct bounces **bounces, struct error *error)
{
    struct bounces *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (snprintf(opened->folder, sizeof opened->folder, "%s", folder) >=
        (int)sizeof opened->folder) {
        free(opened);
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the path of the folder of bounces is too long");
    }
    *bounces = opened;
    return STATUS_OK;
}

void bounces_close(struct bounces *bounces)
{
    if (bounces == NULL)
        return;
    for (size_t i = 0; i < bounces->count; i++)
        free(bounces->foreign[i]);
    free(bounces->foreign);
    free(bounces);
}

struct bounces_counts bounces_count(const struct bounces *bounces)
{
    return bounces->counts;
}

/* Where the name stands, or would. */
static size_t find_name(const struct bounces *bounces, const char *name)
{
    size_t low = 0, high = bounces->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(bounces->foreign[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_foreign(const struct bounces *bounces, const char *name)
{
    size_t at = find_name(bounces, name);
    return at < bounces->count && strcmp(bounces->foreign[at], name) == 0;
}

static enum status add_foreign(struct bounces *bounces, const char *name, struct error *error)
{
    size_t at = find_name(bounces, name);
    if (bounces->count == bounces->capacity) {
        size_t capacity = bounces->capacity == 0 ? FIRST_NAMES : 2 * bounces->capacity;
        char **grown = realloc(bounces->foreign, capacity * sizeof *grown);
        if (grown == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        bounces->foreign = grown;
        bounces->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    memmove(&bounces->foreign[at + 1], &bounces->foreign[at],
            (bounces->count - at) * sizeof *bounces->foreign);
    bounces->foreign[at] = copy;
    bounces->count++;
    bounces->counts.unknown++;
    return STATUS_OK;
}

/* The envelope id of the address that the notice came to (VERP). */
static const char *verp_of(struct mail_report *report)
{
    char *plus = strchr(report->recipient, '+');
    char *at = strchr(report->recipient, '@');
    if (plus == NULL || at == NULL || plus > at)
        return "";
    *at = '\0';
    for (char *c = plus + 1; *c != '\0'; c++) /* some servers write addresses in capitals */
        *c = (char)tolower((unsigned char)*c);
    return plus + 1;
}

/* The envelope id as the notice gives it; from its address, where a server on the way knew no DSN
 * or gave an id of its own. */
static enum status take_report(struct outbox *outbox, struct mail_report *report, int64_t now_ns,
                               struct error *error)
{
    enum status status = outbox_take_report(outbox, report->envelope_id, report->action,
                                            report->status, now_ns, error);
    if (status == STATUS_NOT_FOUND)
        status = outbox_take_report(outbox, verp_of(report), report->action, report->status, now_ns,
                                    error);
    return status;
}

static enum status take_mail(struct outbox *outbox, const char *path, int64_t now_ns,
                             struct error *error)
{
    struct buffer mail;
    struct mail_report report;
    buffer_init(&mail, MAIL_BYTES);
    enum status status = file_read(path, &mail, error);
    if (status == STATUS_LIMIT)
        status = STATUS_NOT_FOUND; /* no notice is that long */
    if (status == STATUS_OK)
        status = mail_parse_report(buffer_slice(&mail), &report, error);
    if (status == STATUS_OK)
        status = take_report(outbox, &report, now_ns, error);
    buffer_free(&mail);
    return status;
}

/* Notices that the outbox has taken, and whose files are not moved yet. */
struct taken {
    char names[ONE_LOOK][NAME_MAX + 1];
    size_t count;
};

static enum status take_one(struct bounces *bounces, struct outbox *outbox, const char *name,
                            int64_t now_ns, struct taken *taken, struct error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/new/%.*s", bounces->folder, NAME_MAX, name);
    enum status status = take_mail(outbox, path, now_ns, error);
    if (status == STATUS_NOT_FOUND)
        return file_exists(path) ? add_foreign(bounces, name, error) : STATUS_OK;
    TRY(status);
    snprintf(taken->names[taken->count++], NAME_MAX + 1, "%s", name);
    return STATUS_OK;
}

static enum status move_taken(struct bounces *bounces, struct outbox *outbox,
                              const struct taken *taken, struct error *error)
{
    if (taken->count == 0)
        return STATUS_OK;
    TRY(outbox_sync(outbox, error));
    for (size_t i = 0; i < taken->count; i++) {
        char path[PATH_MAX], kept[PATH_MAX];
        snprintf(path, sizeof path, "%s/new/%s", bounces->folder, taken->names[i]);
        snprintf(kept, sizeof kept, "%s/cur/%s:2,S", bounces->folder, taken->names[i]);
        if (rename(path, kept) != 0 && (errno != ENOENT || file_exists(path)))
            return error_set_errno(error, errno, "%s", kept);
        bounces->counts.taken++;
    }
    return STATUS_OK;
}

enum status bounces_look(struct bounces *bounces, struct outbox *outbox, int64_t now_ns, bool *more,
                         struct error *error)
{
    *more = false;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/new", bounces->folder);
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOENT)
        return STATUS_OK;
    if (folder == NULL)
        return error_set_errno(error, errno, "%s", path);
    struct taken taken = {.count = 0};
    enum status status = STATUS_OK;
    for (struct dirent *entry;
         status == STATUS_OK && taken.count < ONE_LOOK && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && !is_foreign(bounces, entry->d_name))
            status = take_one(bounces, outbox, entry->d_name, now_ns, &taken, error);
    closedir(folder);
    if (status == STATUS_OK)
        status = move_taken(bounces, outbox, &taken, error);
    *more = taken.count == ONE_LOOK;
    return status;
}

enum status bounces_read(struct bounces *bounces, struct outbox *outbox, int64_t now_ns,
                         struct error *error)
{
    bool more = true;
    while (more)
        TRY(bounces_look(bounces, outbox, now_ns, &more, error));
    return STATUS_OK;
}
