/* See requests.h. */
#include "incident/requests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"

static const int64_t SECOND_NS = INT64_C(1000000000);
enum {
    HEX_CHARS = 32,
    OLD_S = 7 * 86400, /* no answer is expected any more */
    AHEAD_S = 3600,    /* clocks of one machine do not differ by more */
    BEING_WRITTEN_S = 60,
    MOST_ENTRIES = 100000 /* looked at in one reading */
};

static bool is_request_name(const char *name)
{
    return strlen(name) == REQUEST_NAME_ROOM - 1 && strspn(name, "0123456789abcdef") == HEX_CHARS &&
           strcmp(name + HEX_CHARS, ".request") == 0;
}

enum found { FOUND_REQUEST, FOUND_BROKEN, FOUND_LATER };

/* The file's bytes, if it is a plain file of the right size. */
static enum found read_file(int folder, const char *name, int64_t now_ns,
                            uint8_t file[static REQUEST_BOX_BYTES])
{
    struct stat about;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? FOUND_BROKEN : FOUND_LATER;
    enum found found = FOUND_BROKEN;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        bool is_young = now_ns / SECOND_NS - about.st_mtime < BEING_WRITTEN_S;
        if (about.st_size == REQUEST_BOX_BYTES &&
            read(fd, file, REQUEST_BOX_BYTES) == REQUEST_BOX_BYTES)
            found = FOUND_REQUEST;
        else if (about.st_size < REQUEST_BOX_BYTES && is_young)
            found = FOUND_LATER;
    }
    close(fd);
    return found;
}

/* True where the request is to be answered; otherwise it is removed, unless it is for later. */
static bool take(int folder, const char *name, const uint8_t private_key[static 32], int64_t now_ns,
                 struct request *request, struct requests_dropped *dropped)
{
    uint8_t file[REQUEST_BOX_BYTES];
    enum found found = read_file(folder, name, now_ns, file);
    if (found == FOUND_LATER)
        return false;
    if (found == FOUND_REQUEST &&
        request_box_open(private_key, slice_of(file, sizeof file), request) != STATUS_OK)
        found = FOUND_BROKEN;
    if (found == FOUND_REQUEST && request->asked_ns > now_ns + AHEAD_S * SECOND_NS)
        found = FOUND_BROKEN;
    if (found == FOUND_BROKEN)
        dropped->broken++;
    else if (request->kind == REQUEST_NOTHING)
        dropped->nothing++;
    else if (request->asked_ns < now_ns - OLD_S * SECOND_NS)
        dropped->old++;
    else
        return true;
    unlinkat(folder, name, 0);
    return false;
}

/* The first half of the digits. */
static uint64_t number_of(const char *name)
{
    char digits[HEX_CHARS / 2 + 1] = "";
    memcpy(digits, name, HEX_CHARS / 2);
    return strtoull(digits, NULL, 16);
}

static bool waits(const struct requests_waiting *waiting, const char *name)
{
    uint64_t number = number_of(name);
    size_t at = 0;
    while (at < waiting->count && waiting->names[at] != number)
        at++;
    return at < waiting->count;
}

void requests_wait(struct requests_waiting *waiting, const char *name)
{
    if (waiting->count < REQUESTS_WAITING_MOST)
        waiting->names[waiting->count++] = number_of(name);
}

enum status requests_read(const char *path, const uint8_t private_key[static 32], int64_t now_ns,
                          const struct requests_waiting *waiting, struct request_file *files,
                          size_t room, size_t *count, struct requests_dropped *dropped,
                          struct error *error)
{
    size_t entries = 0;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = folder < 0 ? NULL : fdopendir(dup(folder));
    if (list == NULL) {
        enum status status = error_set_errno(error, errno, "the portal's queue %.200s", path);
        if (folder >= 0)
            close(folder);
        return status;
    }
    *count = 0;
    for (const struct dirent *entry;
         *count < room && entries++ < MOST_ENTRIES && (entry = readdir(list)) != NULL;) {
        struct request_file *file = &files[*count];
        if (!is_request_name(entry->d_name) || waits(waiting, entry->d_name) ||
            !take(folder, entry->d_name, private_key, now_ns, &file->request, dropped))
            continue;
        memcpy(file->name, entry->d_name, REQUEST_NAME_ROOM);
        file->waits = false;
        ++*count;
    }
    closedir(list);
    close(folder);
    return STATUS_OK;
}

void requests_remove(const char *path, const char *name)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    unlinkat(folder, name, 0);
    close(folder);
}
