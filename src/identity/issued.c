/* issued.csv: a line a certificate, before it is handed out. Appended under a lock of the file and
 * synced, so that two who issue at once lose nothing; never written anew. Files of before renewals
 * have the first six columns only, in lines of today's behind them, too. */
#include "identity/authority_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/file.h"
#include "crypto/crypto.h"

enum {
    LINE_BYTES = 16 * 1024,
    ANSWER_BYTES = 8 * 1024,
    INDEX_BYTES = 64 * 1024 * 1024,
    OLD_FIELDS = ISSUED_RENEWS
};
static const char *const columns[] = {"serial",      "who",    "not_before", "not_after",
                                      "fingerprint", "issued", "renews",     "origin",
                                      "request",     "answer", NULL};

/* ---- the file ---- */

enum status issued_open(const char *folder, struct issued_file *file, struct error *error)
{
    TRY(authority_path(folder, "issued.csv", file->path, error));
    file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->fd >= 0 ? STATUS_OK : error_set_errno(error, errno, "%s", file->path);
}

void issued_close(struct issued_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* One that was put in its place is not written to by who has the old one open. */
static enum status check_same(const struct issued_file *file, const struct stat *open_one,
                              struct error *error)
{
    struct stat named;
    if (stat(file->path, &named) != 0)
        return error_set_errno(error, errno, "%s", file->path);
    if (named.st_dev == open_one->st_dev && named.st_ino == open_one->st_ino)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "58000", "start what has it open again",
                     "%s is another file than was opened", file->path);
}

enum status issued_lock(const struct issued_file *file, struct error *error)
{
    struct stat info;
    if (flock(file->fd, LOCK_EX) != 0 || fstat(file->fd, &info) != 0)
        return error_set_errno(error, errno, "%s", file->path);
    enum status status = check_same(file, &info, error);
    if (status != STATUS_OK)
        issued_unlock(file);
    return status;
}

void issued_unlock(const struct issued_file *file)
{
    (void)!flock(file->fd, LOCK_UN);
}

/* ---- writing ---- */

static void put_heading(struct buffer *line)
{
    for (size_t i = 0; columns[i] != NULL; i++)
        buffer_printf(line, "%s%c", columns[i], columns[i + 1] == NULL ? '\n' : ',');
}

static void put_line(struct buffer *line, const char *who, const struct description *certificate,
                     const struct issued_descent *descent)
{
    static const struct issued_descent none = {
        .renews = "", .origin = "", .request = "", .answer = ""};
    char times[3][21];
    if (descent == NULL)
        descent = &none;
    clock_format_utc(certificate->not_before_ns, times[0]);
    clock_format_utc(certificate->credential.expires_ns, times[1]);
    clock_format_utc(clock_now_ns(), times[2]);
    const char *const fields[ISSUED_FIELDS] = {certificate->credential.id,
                                               who,
                                               times[0],
                                               times[1],
                                               certificate->fingerprint,
                                               times[2],
                                               descent->renews,
                                               descent->origin,
                                               descent->request,
                                               descent->answer};
    for (size_t i = 0; i < ISSUED_FIELDS; i++) {
        csv_append(line, fields[i]);
        buffer_append_u8(line, i + 1 == ISSUED_FIELDS ? '\n' : ',');
    }
}

/* A line that a crash has cut off is ended, and stays out of what is read. */
static enum status begin_line(const struct issued_file *file, uint64_t *end, struct buffer *line,
                              struct error *error)
{
    struct stat info;
    char last = '\n';
    if (fstat(file->fd, &info) != 0 ||
        (info.st_size > 0 && pread(file->fd, &last, 1, info.st_size - 1) != 1))
        return error_set_errno(error, errno, "%s", file->path);
    *end = (uint64_t)info.st_size;
    if (*end == 0)
        put_heading(line);
    if (last != '\n')
        buffer_append_u8(line, '\n');
    return STATUS_OK;
}

enum status issued_add(const struct issued_file *file, const char *who,
                       const struct description *certificate, const struct issued_descent *descent,
                       struct error *error)
{
    struct buffer line;
    uint64_t end = 0;
    buffer_init(&line, LINE_BYTES);
    enum status status = begin_line(file, &end, &line, error);
    if (status == STATUS_OK)
        put_line(&line, who, certificate, descent);
    if (status == STATUS_OK && line.overflowed)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "a name is too long");
    bool begun = status == STATUS_OK;
    if (status == STATUS_OK)
        status = file_write_at(file->fd, line.data, line.len, end, error);
    if (status == STATUS_OK && fsync(file->fd) != 0)
        status = error_set_errno(error, errno, "%s", file->path);
    if (status != STATUS_OK && begun) /* nobody gets the certificate: it was not issued */
        (void)!ftruncate(file->fd, (off_t)end);
    buffer_free(&line);
    return status;
}

/* ---- reading ---- */

/* The end of a renewal's line is the certificate, which the fingerprint in it is of. */
static bool holds_answer(const struct csv_row *row)
{
    uint8_t der[ANSWER_BYTES], digest[CRYPTO_SHA256_BYTES];
    char fingerprint[2 * CRYPTO_SHA256_BYTES + 1];
    size_t len = strlen(row->fields[ISSUED_ANSWER]);
    if (len > sizeof der ||
        crypto_base64_decode(row->fields[ISSUED_ANSWER], len, der, &len) != STATUS_OK)
        return false;
    const struct slice bytes = slice_of(der, len);
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, fingerprint);
    return strcmp(fingerprint, row->fields[ISSUED_FINGERPRINT]) == 0;
}

/* A line that was cut off is of a certificate that nobody got. Were it read, who asks again would
 * be taken for a second holder of the key, and what was then made for him would not be found. */
static bool is_whole(const struct csv_row *row)
{
    return row->count == OLD_FIELDS ||
           (row->count == ISSUED_FIELDS &&
            (row->fields[ISSUED_RENEWS][0] == '\0' || holds_answer(row)));
}

static enum status read_rows(struct csv *csv, struct table *table, struct error *error)
{
    struct csv_row row;
    enum status status;
    while ((status = csv_next(csv, &row, error)) == STATUS_OK) {
        if (row.line == 1 || !is_whole(&row))
            continue;
        struct table_row *out = table_add(table);
        for (size_t i = 0; i < table->column_count; i++)
            table_set(table, out, i, "%s", i < row.count ? row.fields[i] : "");
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_text(struct slice text, size_t column_count, struct table *table,
                             struct error *error)
{
    const char *some[ISSUED_FIELDS + 1] = {NULL};
    struct csv csv;
    memcpy(some, columns, column_count * sizeof some[0]);
    table_init(table, INDEX_BYTES, some);
    enum status status = csv_open(&csv, text, error);
    if (status == STATUS_OK)
        status = read_rows(&csv, table, error);
    csv_close(&csv);
    if (status == STATUS_OK && table_overflowed(table))
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "issued.csv is too large");
    if (status != STATUS_OK)
        table_free(table);
    return status;
}

enum status issued_read(const struct issued_file *file, struct table *table, struct error *error)
{
    struct buffer text;
    struct stat info;
    ssize_t got = 0;
    if (fstat(file->fd, &info) != 0)
        return error_set_errno(error, errno, "%s", file->path);
    buffer_init(&text, INDEX_BYTES);
    uint8_t *room = buffer_reserve(&text, (size_t)info.st_size + 1);
    while (room != NULL && text.len < (size_t)info.st_size &&
           (got = pread(file->fd, room + text.len, (size_t)info.st_size - text.len,
                        (off_t)text.len)) > 0)
        text.len += (size_t)got;
    enum status status = STATUS_OK;
    if (room == NULL)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "%s is too large", file->path);
    else if (text.len < (size_t)info.st_size)
        status = error_set_errno(error, errno, "%s", file->path);
    if (status == STATUS_OK)
        status = read_text(buffer_slice(&text), ISSUED_FIELDS, table, error);
    buffer_free(&text);
    return status;
}

enum status identity_issued_list(const char *folder, struct table *table, struct error *error)
{
    char path[AUTHORITY_PATH_ROOM];
    struct buffer text;
    TRY(authority_path(folder, "issued.csv", path, error));
    buffer_init(&text, INDEX_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = read_text(buffer_slice(&text), ISSUED_REQUEST, table, error);
    buffer_free(&text);
    return status;
}
