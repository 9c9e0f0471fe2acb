/* Overwriting a file before unlinking it does not reach every copy that a journal or a flash disk
 * may keep; where that matters, the folder belongs on an encrypted volume. */
#include "exposure/seal_keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"

enum { SECRET_BYTES = 32, HEX_BYTES = 2 * SECRET_BYTES };

struct seal_keys {
    pthread_mutex_t lock;
    char folder[3900];
    struct seal_key *keys; /* ascending by number */
    size_t count, capacity;
};

static void set_mark(struct seal_key *key)
{
    uint8_t digest[32];
    struct slice secret = slice_of(key->secret, sizeof key->secret);
    crypto_sha256(&secret, 1, digest);
    memcpy(key->mark, digest, sizeof key->mark);
}

static void path_of(const struct seal_keys *keys, uint64_t number, char path[static 4096])
{
    snprintf(path, 4096, "%s/segment-%llu.key", keys->folder, (unsigned long long)number);
}

static enum status add_key(struct seal_keys *keys, const struct seal_key *key, struct error *error)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 8 : keys->capacity * 2;
        struct seal_key *grown = calloc(capacity, sizeof *grown);
        if (grown == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        if (keys->count > 0) {
            memcpy(grown, keys->keys, keys->count * sizeof *grown);
            crypto_wipe(keys->keys, keys->count * sizeof *grown);
        }
        free(keys->keys);
        keys->keys = grown;
        keys->capacity = capacity;
    }
    size_t at = keys->count++;
    for (; at > 0 && keys->keys[at - 1].number > key->number; at--)
        keys->keys[at] = keys->keys[at - 1];
    keys->keys[at] = *key;
    return STATUS_OK;
}

static bool hex_value(uint8_t digit, uint8_t *value)
{
    if (digit >= '0' && digit <= '9')
        *value = digit - '0';
    else if (digit >= 'a' && digit <= 'f')
        *value = digit - 'a' + 10;
    else
        return false;
    return true;
}

static bool decode_secret(struct slice text, uint8_t secret[static SECRET_BYTES])
{
    if (text.len != HEX_BYTES)
        return false;
    for (size_t i = 0; i < SECRET_BYTES; i++) {
        uint8_t high, low;
        if (!hex_value(text.data[2 * i], &high) || !hex_value(text.data[2 * i + 1], &low))
            return false;
        secret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum status load_key(struct seal_keys *keys, uint64_t number, struct error *error)
{
    char path[4096];
    struct buffer text;
    struct seal_key key = {.number = number};
    path_of(keys, number, path);
    buffer_init(&text, HEX_BYTES + 2);
    enum status status = file_read_secret(path, &text, error);
    if (status == STATUS_OK && decode_secret(buffer_slice(&text), key.secret)) {
        set_mark(&key);
        status = add_key(keys, &key, error);
    }
    /* Anything else was being overwritten when the process died: that key is destroyed. So is one
     * that has gone since the folder was listed, which only a reader beside the owner meets. */
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    if (text.data != NULL)
        crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    crypto_wipe(&key, sizeof key);
    return status;
}

static enum status load_folder(struct seal_keys *keys, struct error *error)
{
    DIR *folder = opendir(keys->folder);
    if (folder == NULL)
        return error_set_errno(error, errno, "%s", keys->folder);
    enum status status = STATUS_OK;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder)) != NULL;) {
        char *end;
        if (strncmp(entry->d_name, "segment-", 8) != 0 || entry->d_name[8] < '0' ||
            entry->d_name[8] > '9')
            continue;
        unsigned long long number = strtoull(entry->d_name + 8, &end, 10);
        if (strcmp(end, ".key") == 0)
            status = load_key(keys, number, error);
    }
    closedir(folder);
    return status;
}

enum status seal_keys_open(const char *folder, struct seal_keys **out, struct error *error)
{
    struct seal_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_mutex_init(&keys->lock, NULL);
    enum status status = STATUS_OK;
    if (snprintf(keys->folder, sizeof keys->folder, "%s", folder) >= (int)sizeof keys->folder)
        status = error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    if (status == STATUS_OK)
        status = load_folder(keys, error);
    if (status != STATUS_OK)
        seal_keys_free(keys);
    else
        *out = keys;
    return status;
}

void seal_keys_free(struct seal_keys *keys)
{
    if (keys == NULL)
        return;
    if (keys->keys != NULL)
        crypto_wipe(keys->keys, keys->capacity * sizeof *keys->keys);
    free(keys->keys);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

enum status seal_keys_find(struct seal_keys *keys, uint64_t number, const uint8_t mark[static 8],
                           struct seal_key *key)
{
    enum status status = STATUS_NOT_FOUND;
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++)
        if (keys->keys[i].number == number && memcmp(keys->keys[i].mark, mark, 8) == 0) {
            *key = keys->keys[i];
            status = STATUS_OK;
        }
    pthread_mutex_unlock(&keys->lock);
    return status;
}

void seal_keys_current(struct seal_keys *keys, struct seal_key *key)
{
    pthread_mutex_lock(&keys->lock);
    CHECK(keys->count > 0);
    *key = keys->keys[keys->count - 1];
    pthread_mutex_unlock(&keys->lock);
}

/* Makes a key, durable on disk when this returns. */
static enum status make_key(const struct seal_keys *keys, uint64_t number, struct seal_key *key,
                            struct error *error)
{
    char path[4096], text[HEX_BYTES + 2];
    path_of(keys, number, path);
    key->number = number;
    crypto_random(key->secret, sizeof key->secret);
    set_mark(key);
    crypto_hex(key->secret, sizeof key->secret, text);
    text[HEX_BYTES] = '\n';
    enum status status = file_replace(path, slice_of(text, HEX_BYTES + 1), 0600, error);
    crypto_wipe(text, sizeof text);
    return status;
}

enum status seal_keys_roll(struct seal_keys *keys, uint64_t segment, bool *rolled,
                           struct error *error)
{
    struct seal_key key;
    pthread_mutex_lock(&keys->lock);
    bool fresh = keys->count == 0 || keys->keys[keys->count - 1].number < segment;
    pthread_mutex_unlock(&keys->lock);
    enum status status = STATUS_OK;
    if (fresh) {
        status =
            make_key(keys, segment, &key, error); /* the disk is not waited for under the lock */
        pthread_mutex_lock(&keys->lock);
        if (status == STATUS_OK)
            status = add_key(keys, &key, error);
        pthread_mutex_unlock(&keys->lock);
        crypto_wipe(&key, sizeof key);
    }
    if (status == STATUS_OK)
        *rolled = fresh;
    return status;
}

static enum status destroy_file(const struct seal_keys *keys, uint64_t number, struct error *error)
{
    static const char zeros[HEX_BYTES + 1];
    char path[4096];
    path_of(keys, number, path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? STATUS_OK : error_set_errno(error, errno, "%s", path);
    enum status status = file_write_at(fd, zeros, sizeof zeros, 0, error);
    if (status == STATUS_OK && fsync(fd) != 0)
        status = error_set_errno(error, errno, "fsync %s", path);
    close(fd);
    if (status == STATUS_OK && unlink(path) != 0)
        status = error_set_errno(error, errno, "unlink %s", path);
    return status == STATUS_OK ? file_sync_folder(keys->folder, error) : status;
}

enum status seal_keys_destroy_older(struct seal_keys *keys, struct error *error)
{
    for (;;) {
        pthread_mutex_lock(&keys->lock);
        bool done = keys->count <= 1;
        uint64_t number = done ? 0 : keys->keys[0].number;
        pthread_mutex_unlock(&keys->lock);
        if (done)
            return STATUS_OK;
        TRY(destroy_file(keys, number, error));
        pthread_mutex_lock(&keys->lock);
        keys->count--;
        memmove(keys->keys, keys->keys + 1, keys->count * sizeof *keys->keys);
        crypto_wipe(&keys->keys[keys->count], sizeof *keys->keys);
        pthread_mutex_unlock(&keys->lock);
    }
}
