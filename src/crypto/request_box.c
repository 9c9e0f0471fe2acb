/* Request boxes: see the header for the format. A text that does not fit its room was the caller's
 * to refuse. Any thread. */
#include "crypto/request_box.h"

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/sealed_box.h"

enum { MAGIC_BYTES = 8, FIXED_BYTES = 1 + 8, NAME_RANDOM_BYTES = 16 };
#define NANOSECONDS INT64_C(1000000000)

static const char magic[MAGIC_BYTES + 1] = "CFREQ1\r\n";
static const char info[] = "cofferdam request 1";

static_assert(REQUEST_BOX_BYTES == MAGIC_BYTES + SEALED_BOX_OVERHEAD_BYTES + REQUEST_PLAIN_BYTES,
              "format of a file");
static_assert(FIXED_BYTES + sizeof((struct request *)0)->brand +
                      sizeof((struct request *)0)->language + sizeof((struct request *)0)->value +
                      sizeof((struct request *)0)->postcode <=
                  REQUEST_PLAIN_BYTES,
              "every request fits");

void request_box_keys(const uint8_t secret[static 32], uint8_t private_key[static 32],
                      uint8_t public_key[static 32])
{
    struct slice label = slice_of_text("cofferdam queue key 1");
    crypto_hmac_sha256(slice_of(secret, 32), &label, 1, private_key);
    sealed_box_public_key(private_key, public_key);
}

static void put_text(uint8_t **at, const char *text, size_t room)
{
    size_t len = strnlen(text, room);
    CHECK(len < room);
    memcpy(*at, text, len + 1);
    *at += len + 1;
}

enum status request_box_seal(const uint8_t public_key[static 32], const struct request *request,
                             uint8_t file[static REQUEST_BOX_BYTES])
{
    uint8_t plain[REQUEST_PLAIN_BYTES] = {0}, *at = plain;
    *at++ = (uint8_t)request->kind;
    store_u64be(at, (uint64_t)(request->asked_ns / NANOSECONDS));
    at += 8;
    put_text(&at, request->brand, sizeof request->brand);
    put_text(&at, request->language, sizeof request->language);
    put_text(&at, request->value, sizeof request->value);
    put_text(&at, request->postcode, sizeof request->postcode);
    memcpy(file, magic, MAGIC_BYTES);
    enum status status =
        sealed_box_seal(public_key, slice_of(info, sizeof info - 1), slice_of(magic, MAGIC_BYTES),
                        slice_of(plain, sizeof plain), file + MAGIC_BYTES);
    crypto_wipe(plain, sizeof plain);
    return status;
}

/* Anybody can seal: what our page would not have taken was left by somebody else. */
static enum status take_text(const uint8_t **at, const uint8_t *end, char *text, size_t room)
{
    const uint8_t *zero = memchr(*at, '\0', (size_t)(end - *at));
    if (zero == NULL || (size_t)(zero - *at) >= room)
        return STATUS_CORRUPT;
    if (!text_is_plain(slice_of(*at, (size_t)(zero - *at))))
        return STATUS_CORRUPT;
    memcpy(text, *at, (size_t)(zero - *at) + 1);
    *at = zero + 1;
    return STATUS_OK;
}

static enum status read_plain(const uint8_t *plain, struct request *request)
{
    const uint8_t *at = plain + FIXED_BYTES, *end = plain + REQUEST_PLAIN_BYTES;
    uint64_t asked_s = load_u64be(plain + 1);
    if (plain[0] > REQUEST_LETTER || asked_s > (uint64_t)(INT64_MAX / NANOSECONDS))
        return STATUS_CORRUPT;
    request->kind = (enum request_kind)plain[0];
    request->asked_ns = (int64_t)asked_s * NANOSECONDS;
    TRY(take_text(&at, end, request->brand, sizeof request->brand));
    TRY(take_text(&at, end, request->language, sizeof request->language));
    TRY(take_text(&at, end, request->value, sizeof request->value));
    return take_text(&at, end, request->postcode, sizeof request->postcode);
}

enum status request_box_open(const uint8_t private_key[static 32], struct slice file,
                             struct request *request)
{
    if (file.len != REQUEST_BOX_BYTES || memcmp(file.data, magic, MAGIC_BYTES) != 0)
        return STATUS_CORRUPT;
    uint8_t plain[REQUEST_PLAIN_BYTES];
    struct slice box = slice_of(file.data + MAGIC_BYTES, file.len - MAGIC_BYTES);
    TRY(sealed_box_open(private_key, slice_of(info, sizeof info - 1), slice_of(magic, MAGIC_BYTES),
                        box, plain));
    struct request read = {0};
    enum status status = read_plain(plain, &read);
    crypto_wipe(plain, sizeof plain);
    if (status == STATUS_OK)
        *request = read;
    crypto_wipe(&read, sizeof read);
    return status;
}

void request_box_name(char name[static REQUEST_NAME_ROOM])
{
    uint8_t random[NAME_RANDOM_BYTES];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, name);
    memcpy(name + 2 * sizeof random, ".request", sizeof ".request");
}
