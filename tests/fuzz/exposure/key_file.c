/* Fuzz target: the key file, its blocks behind checksums that are put right here. Each input is a
 * number of records (4 bytes) and the payload of the only block. What is taken ascends and can be
 * looked up both ways; nothing is taken twice. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "exposure/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 16, PAYLOAD_MAX = 1 << 16, ID_MAX = 1 << 20, RECORD_HEAD_BYTES = 7 };

static char folder[64], path[80];

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    if (folder[0] != '\0')
        return;
    snprintf(folder, sizeof folder, "%s/cofferdam-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keys", folder);
    atexit(remove_folder);
}

static void write_file(const uint8_t *data, size_t size)
{
    static uint8_t file[2 * HEAD_BYTES + PAYLOAD_MAX];
    uint8_t place[8], *block = file + HEAD_BYTES;
    size_t payload = size - 4;
    memcpy(file, "COFFERDAM KEYS1", HEAD_BYTES);
    memcpy(block, "CKB1", 4);
    store_u32be(block + 4, (uint32_t)payload);
    memcpy(block + 8, data, 4);
    memcpy(block + HEAD_BYTES, data + 4, payload);
    store_u64be(place, HEAD_BYTES);
    uint32_t crc = crypto_crc32c(crypto_crc32c(0, place, sizeof place), block, 12);
    store_u32be(block + 12, crypto_crc32c(crc, block + HEAD_BYTES, payload));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, file, 2 * HEAD_BYTES + payload) > 0);
    close(fd);
}

/* Ids of a million and more are refused here: the dictionary makes room for every id below. */
static bool names_large_id(const uint8_t *data, size_t size)
{
    for (size_t at = 4; at + RECORD_HEAD_BYTES <= size; at += RECORD_HEAD_BYTES + data[at + 6])
        if (load_u32be(data + at) >= ID_MAX)
            return true;
    return false;
}

static bool look_up(void *context, uint32_t id, uint16_t kind, struct slice key)
{
    int64_t *last = context;
    CHECK((int64_t)id > *last);
    *last = id;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dictionary *dictionary;
    struct error error;
    int64_t last = -1;
    if (size < 4 || size > PAYLOAD_MAX || names_large_id(data, size))
        return 0;
    make_folder();
    write_file(data, size);
    CHECK(dictionary_new(&dictionary, &error) == STATUS_OK);
    if (key_file_read(folder, dictionary, &error) == STATUS_OK)
        dictionary_each(dictionary, 0, dictionary_next_id(dictionary), look_up, &last);
    dictionary_free(dictionary);
    return 0;
}
