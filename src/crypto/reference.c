/* References in Crockford's base32. The alphabet leaves out I, L, O and U; the check character is
 * the number modulo 37 and may be one of five more, four of which are no letters. Nobody should
 * have to find a tilde on a telephone, so a derived reference never has one of those five.
 * Any thread. */
#include "crypto/reference.h"

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum {
    DIGITS = 20, /* of 5 bits each */
    GROUP = 4,
    CHECK_MODULUS = 37,
    PLAIN_SYMBOLS = 32,
    PARTS_MOST = 8,
};
static_assert(REFERENCE_ROOM == DIGITS + DIGITS / GROUP + 1 + 1, "groups, dashes, check, NUL");

static const char symbols[CHECK_MODULUS + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
static const char derive_label[] = "cofferdam reference 1";

/* Value of a typed character, the check character's five among them; -1 for any other. */
static int symbol_value(uint8_t typed)
{
    char upper = typed >= 'a' && typed <= 'z' ? (char)(typed - 'a' + 'A') : (char)typed;
    if (upper == 'O')
        return 0;
    if (upper == 'I' || upper == 'L')
        return 1;
    const char *found = upper == '\0' ? NULL : strchr(symbols, upper);
    return found == NULL ? -1 : (int)(found - symbols);
}

/* The digits' number modulo 37, most significant digit first. */
static unsigned check_of(const uint8_t digits[static DIGITS])
{
    unsigned rest = 0;
    for (size_t i = 0; i < DIGITS; i++)
        rest = (rest * PLAIN_SYMBOLS + digits[i]) % CHECK_MODULUS;
    return rest;
}

static void write_canonical(const uint8_t digits[static DIGITS],
                            char reference[static REFERENCE_ROOM])
{
    char *at = reference;
    for (size_t i = 0; i < DIGITS; i++) {
        *at++ = symbols[digits[i]];
        if (i % GROUP == GROUP - 1)
            *at++ = '-';
    }
    *at++ = symbols[check_of(digits)];
    *at = '\0';
}

/* The first 100 bits, five at a time. */
static void take_digits(const uint8_t *bits, uint8_t digits[static DIGITS])
{
    unsigned pending = 0, count = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (count < 5) {
            pending = pending << 8 | *bits++;
            count += 8;
        }
        count -= 5;
        digits[i] = pending >> count & 31;
    }
}

void reference_derive(const uint8_t key[static 32], const struct slice *parts, size_t count,
                      char reference[static REFERENCE_ROOM])
{
    CHECK(count <= PARTS_MOST);
    uint8_t lengths[PARTS_MOST][8], attempt = 0;
    struct slice message[2 + 2 * PARTS_MOST];
    size_t filled = 0;
    message[filled++] = slice_of(derive_label, sizeof derive_label);
    message[filled++] = slice_of(&attempt, 1);
    for (size_t i = 0; i < count; i++) {
        store_u64be(lengths[i], parts[i].len);
        message[filled++] = slice_of(lengths[i], sizeof lengths[i]);
        message[filled++] = parts[i];
    }
    uint8_t mac[CRYPTO_SHA256_BYTES], digits[DIGITS];
    do { /* 32 of 37 are taken: 256 passed over in a row will not be seen */
        crypto_hmac_sha256(slice_of(key, 32), message, filled, mac);
        take_digits(mac, digits);
        attempt++;
    } while (check_of(digits) >= PLAIN_SYMBOLS);
    write_canonical(digits, reference);
}

enum status reference_parse(struct slice typed, char reference[static REFERENCE_ROOM])
{
    uint8_t values[DIGITS + 1];
    size_t count = 0;
    for (size_t i = 0; i < typed.len; i++) {
        if (typed.data[i] == '-' || typed.data[i] == ' ' || typed.data[i] == '\t')
            continue;
        int value = symbol_value(typed.data[i]);
        if (value < 0 || count > DIGITS || (count < DIGITS && value >= PLAIN_SYMBOLS))
            return STATUS_INVALID;
        values[count++] = (uint8_t)value;
    }
    if (count != DIGITS + 1 || values[DIGITS] != check_of(values))
        return STATUS_INVALID;
    write_canonical(values, reference);
    return STATUS_OK;
}

void reference_mark(const uint8_t key[static 32], const char *reference,
                    uint8_t mark[static REFERENCE_MARK_BYTES])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    struct slice canonical = slice_of_text(reference);
    crypto_hmac_sha256(slice_of(key, 32), &canonical, 1, mac);
    memcpy(mark, mac, REFERENCE_MARK_BYTES);
}
