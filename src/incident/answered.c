/* See answered.h. */
#include "incident/answered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { KEY_BYTES = 32, MARK_BYTES = 16, HEAD_BYTES = 8 + 8 + KEY_BYTES, FILE_MODE = 0600 };
enum { FILE_BYTES = HEAD_BYTES + MARK_BYTES * ANSWERED_A_DAY };
static const char magic[8] = {'C', 'F', 'D', 'A', 'N', 'S', 'W', '1'};
static const int64_t DAY_NS = INT64_C(86400000000000);

struct answered {
    char *path;
    uint64_t day; /* since 1970, UTC */
    uint8_t key[KEY_BYTES];
    uint8_t marks[ANSWERED_A_DAY][MARK_BYTES];
    size_t count;
};

/* A file that is none, or cut within its head, ends like a new day. A mark cut short was not
 * counted. */
static enum status load(struct answered *answered, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES + MARK_BYTES);
    enum status status =
        file_exists(answered->path) ? file_read(answered->path, &bytes, error) : STATUS_OK;
    if (status == STATUS_OK && bytes.len >= HEAD_BYTES &&
        memcmp(bytes.data, magic, sizeof magic) == 0) {
        answered->day = load_u64be(bytes.data + sizeof magic);
        memcpy(answered->key, bytes.data + sizeof magic + 8, KEY_BYTES);
        answered->count = (bytes.len - HEAD_BYTES) / MARK_BYTES;
        if (answered->count > ANSWERED_A_DAY)
            answered->count = ANSWERED_A_DAY;
        memcpy(answered->marks, bytes.data + HEAD_BYTES, answered->count * MARK_BYTES);
    }
    if (bytes.data != NULL)
        crypto_wipe(bytes.data, bytes.capacity);
    buffer_free(&bytes);
    return status;
}

enum status answered_open(const char *path, struct answered **out, struct error *error)
{
    struct answered *answered = calloc(1, sizeof *answered);
    if (answered == NULL || (answered->path = strdup(path)) == NULL) {
        free(answered);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    enum status status = load(answered, error);
    if (status == STATUS_OK)
        *out = answered;
    else
        answered_close(answered);
    return status;
}

void answered_close(struct answered *answered)
{
    if (answered == NULL)
        return;
    free(answered->path);
    crypto_wipe(answered->key, sizeof answered->key);
    free(answered);
}

enum status answered_turn(struct answered *answered, int64_t now_ns, struct error *error)
{
    uint8_t head[HEAD_BYTES];
    uint64_t day = (uint64_t)(now_ns / DAY_NS);
    if (answered->day == day)
        return STATUS_OK;
    memcpy(head, magic, sizeof magic);
    store_u64be(head + sizeof magic, day);
    crypto_random(head + sizeof magic + 8, KEY_BYTES);
    enum status status =
        file_replace(answered->path, slice_of(head, sizeof head), FILE_MODE, error);
    if (status == STATUS_OK) {
        memcpy(answered->key, head + sizeof magic + 8, KEY_BYTES);
        answered->day = day;
        answered->count = 0;
    }
    crypto_wipe(head, sizeof head);
    return status;
}

bool answered_full(const struct answered *answered)
{
    return answered->count >= ANSWERED_A_DAY;
}

static void make_mark(const struct answered *answered, const char *channel, const char *kind,
                      const char *key, uint8_t mark[static CRYPTO_SHA256_BYTES])
{
    const struct slice parts[] = {slice_of_text(channel), slice_of("", 1), slice_of_text(kind),
                                  slice_of("", 1), slice_of_text(key)};
    crypto_hmac_sha256(slice_of(answered->key, KEY_BYTES), parts, sizeof parts / sizeof parts[0],
                       mark);
}

bool answered_has(const struct answered *answered, const char *channel, const char *kind,
                  const char *key)
{
    uint8_t mark[CRYPTO_SHA256_BYTES];
    make_mark(answered, channel, kind, key, mark);
    for (size_t i = 0; i < answered->count; i++)
        if (memcmp(answered->marks[i], mark, MARK_BYTES) == 0)
            return true;
    return false;
}

enum status answered_add(struct answered *answered, const char *channel, const char *kind,
                         const char *key, struct error *error)
{
    uint8_t mark[CRYPTO_SHA256_BYTES];
    if (answered_full(answered))
        return error_set(error, STATUS_LIMIT, "53400", NULL, "no more answers today");
    make_mark(answered, channel, kind, key, mark);
    int fd = open(answered->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set_errno(error, errno, "%.200s", answered->path);
    enum status status = file_write_at(fd, mark, MARK_BYTES,
                                       HEAD_BYTES + MARK_BYTES * (uint64_t)answered->count, error);
    if (status == STATUS_OK && fdatasync(fd) != 0)
        status = error_set_errno(error, errno, "%.200s", answered->path);
    close(fd);
    if (status == STATUS_OK)
        memcpy(answered->marks[answered->count++], mark, MARK_BYTES);
    return status;
}
