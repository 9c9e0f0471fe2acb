/* Leaves a request in a queue as the portal does; run by tests/integration/test_worker.py.
 * seal_request KEY_FILE QUEUE nothing|email|letter VALUE POSTCODE LANGUAGE AGE_S: KEY_FILE is the
 * installation's secret. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/request_box.h"

enum { KEY_FILE, QUEUE, KIND, VALUE, POSTCODE, LANGUAGE, AGE, WORDS };

static enum status seal(char **words, uint8_t file[static REQUEST_BOX_BYTES], struct error *error)
{
    uint8_t secret[64], private_key[32], public_key[32];
    size_t len;
    struct buffer text;
    struct request request = {.kind = strcmp(words[KIND], "email") == 0    ? REQUEST_EMAIL
                                      : strcmp(words[KIND], "letter") == 0 ? REQUEST_LETTER
                                                                           : REQUEST_NOTHING};
    request.asked_ns = clock_now_ns() - strtoll(words[AGE], NULL, 10) * INT64_C(1000000000);
    snprintf(request.brand, sizeof request.brand, "meridian");
    snprintf(request.value, sizeof request.value, "%s", words[VALUE]);
    snprintf(request.postcode, sizeof request.postcode, "%s", words[POSTCODE]);
    snprintf(request.language, sizeof request.language, "%s", words[LANGUAGE]);
    buffer_init(&text, 48);
    enum status status = file_read_secret(words[KEY_FILE], &text, error);
    if (status == STATUS_OK)
        status = crypto_base64_decode((const char *)text.data, text.len, secret, &len);
    buffer_free(&text);
    if (status != STATUS_OK)
        return status;
    request_box_keys(secret, private_key, public_key);
    return request_box_seal(public_key, &request, file);
}

int main(int argc, char **argv)
{
    uint8_t file[REQUEST_BOX_BYTES];
    char name[REQUEST_NAME_ROOM], path[4096];
    struct error error = {0};
    if (argc != WORDS + 1)
        return 2;
    argv++;
    if (seal(argv, file, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    request_box_name(name);
    snprintf(path, sizeof path, "%s/%s", argv[QUEUE], name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0444);
    bool written = fd >= 0 && write(fd, file, sizeof file) == (ssize_t)sizeof file;
    if (fd >= 0)
        close(fd);
    puts(name);
    return written ? 0 : 1;
}
