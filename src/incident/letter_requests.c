/* See letter_requests.h. Columns: asked, kind, key, answer, listed. */
#include "incident/letter_requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "incident/scope_csv.h"

enum { PATH_BYTES = 4096, TIME_ROOM = 21 };

/* -1 with errno; the place of the file is in path. */
static int open_list(const char *folder, int flags, char path[static PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", folder, LETTER_REQUESTS_FILE);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void write_row(FILE *out, const struct letter_request *request)
{
    char asked[TIME_ROOM], listed[TIME_ROOM];
    clock_format_utc(request->asked_ns, asked);
    clock_format_utc(clock_now_ns(), listed);
    scope_csv_cell(out, asked, false);
    scope_csv_cell(out, request->kind, false);
    scope_csv_cell(out, request->key, false);
    scope_csv_cell(out, request->answer, false);
    scope_csv_cell(out, listed, true);
}

enum status letter_requests_add(const char *folder, const struct letter_request *request,
                                struct error *error)
{
    char path[PATH_BYTES];
    struct stat about;
    int fd = open_list(folder, O_WRONLY | O_CREAT | O_APPEND, path);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "a");
    if (out == NULL) {
        enum status status = error_set_errno(error, errno, "%.300s", path);
        if (fd >= 0)
            close(fd);
        return status;
    }
    if (fstat(fd, &about) == 0 && about.st_size == 0)
        fputs("asked,kind,key,answer,listed\r\n", out);
    write_row(out, request);
    enum status status = STATUS_OK;
    if (fflush(out) != 0 || fsync(fd) != 0)
        status = error_set_errno(error, errno, "%.300s", path);
    fclose(out);
    return status != STATUS_OK ? status : file_inherit_owner(path, error);
}

/* The last cell is never quoted. A line that ends with no instant is no row, or a part of one. */
static bool is_listed_after(char *line, int64_t incident, int64_t after_ns)
{
    int64_t listed_ns;
    line[strcspn(line, "\r\n")] = '\0';
    const char *last = strrchr(line, ','), *of = NULL;
    if (last == NULL || clock_parse(last + 1, &listed_ns, NULL) != STATUS_OK ||
        listed_ns <= after_ns)
        return false;
    for (const char *at = line; (at = strstr(at, "," LETTER_REQUESTS_AFFECTED)) != NULL; at++)
        of = at + strlen("," LETTER_REQUESTS_AFFECTED);
    return of == NULL || strtoll(of, NULL, 10) == incident;
}

enum status letter_requests_count(const char *folder, int64_t incident, int64_t after_ns,
                                  uint64_t *count, struct error *error)
{
    char path[PATH_BYTES], *line = NULL;
    size_t room = 0;
    *count = 0;
    int fd = open_list(folder, O_RDONLY, path);
    if (fd < 0 && errno == ENOENT)
        return STATUS_OK;
    FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
    if (in == NULL) {
        enum status status = error_set_errno(error, errno, "%.300s", path);
        if (fd >= 0)
            close(fd);
        return status;
    }
    while (getline(&line, &room, in) >= 0)
        *count += is_listed_after(line, incident, after_ns);
    enum status status = ferror(in) ? error_set_errno(error, errno, "%.300s", path) : STATUS_OK;
    free(line);
    fclose(in);
    return status;
}
