/* issued.csv: a line a certificate, before it is handed out. Appended under a lock of the file and
 * synced, so that two who issue at once lose nothing. */
#include "identity/authority_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/file.h"

enum { LINE_BYTES = 4096, INDEX_BYTES = 64 * 1024 * 1024, FIELDS = 6 };
static const char heading[] = "serial,who,not_before,not_after,fingerprint,issued\n";

static void put_line(struct buffer *line, const char *who, const struct description *certificate)
{
    char times[3][21];
    clock_format_utc(certificate->not_before_ns, times[0]);
    clock_format_utc(certificate->credential.expires_ns, times[1]);
    clock_format_utc(clock_now_ns(), times[2]);
    const char *const fields[FIELDS] = {certificate->credential.id, who,     times[0], times[1],
                                        certificate->fingerprint,   times[2]};
    for (size_t i = 0; i < FIELDS; i++) {
        csv_append(line, fields[i]);
        buffer_append_u8(line, i + 1 == FIELDS ? '\n' : ',');
    }
}

static enum status append(int fd, const char *path, struct slice line, struct error *error)
{
    struct stat info;
    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &info) != 0)
        return error_set_errno(error, errno, "%s", path);
    uint64_t end = (uint64_t)info.st_size;
    if (end == 0) {
        TRY(file_write_at(fd, heading, sizeof heading - 1, 0, error));
        end = sizeof heading - 1;
    }
    TRY(file_write_at(fd, line.data, line.len, end, error));
    return fsync(fd) == 0 ? STATUS_OK : error_set_errno(error, errno, "%s", path);
}

enum status issued_add(const char *folder, const char *who, const struct description *certificate,
                       struct error *error)
{
    char path[AUTHORITY_PATH_ROOM];
    struct buffer line;
    TRY(authority_path(folder, "issued.csv", path, error));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    buffer_init(&line, LINE_BYTES);
    put_line(&line, who, certificate);
    enum status status = line.overflowed
                             ? error_set(error, STATUS_LIMIT, "54000", NULL, "a name is too long")
                             : append(fd, path, buffer_slice(&line), error);
    buffer_free(&line);
    close(fd);
    return status;
}

static enum status read_rows(struct csv *csv, struct table *table, struct error *error)
{
    struct csv_row row;
    enum status status;
    while ((status = csv_next(csv, &row, error)) == STATUS_OK) {
        if (row.line == 1 || row.count < FIELDS)
            continue;
        struct table_row *out = table_add(table);
        for (size_t i = 0; i < FIELDS; i++)
            table_set(table, out, i, "%s", row.fields[i]);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status identity_issued_list(const char *folder, struct table *table, struct error *error)
{
    static const char *const columns[] = {"serial",      "who",    "not_before", "not_after",
                                          "fingerprint", "issued", NULL};
    char path[AUTHORITY_PATH_ROOM];
    struct csv csv;
    struct buffer text;
    TRY(authority_path(folder, "issued.csv", path, error));
    buffer_init(&text, INDEX_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK) {
        table_init(table, INDEX_BYTES, columns);
        status = csv_open(&csv, buffer_slice(&text), error);
        if (status == STATUS_OK)
            status = read_rows(&csv, table, error);
        csv_close(&csv);
        if (status != STATUS_OK)
            table_free(table);
    }
    buffer_free(&text);
    return status;
}
