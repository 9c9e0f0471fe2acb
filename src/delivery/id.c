/* See id.h. */
#include "delivery/id.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXY";
enum { BASE = sizeof alphabet - 1, DATE_DIGITS = 8, RANDOM_CHARS = 4 };
/* Digits of the date, random characters, check character. */
enum { BARE_CHARS = DATE_DIGITS + RANDOM_CHARS + 1 };

static unsigned value_of(char c)
{
    return (unsigned)(strchr(alphabet, c) - alphabet);
}

/* Weights 1, 2, … are all different and none is 0 modulo 31. */
static char check_of(const char *bare)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < BARE_CHARS - 1; i++)
        sum += (i + 1) * value_of(bare[i]);
    return alphabet[sum % BASE];
}

static void show(const char *bare, char id[static DELIVERY_ID_ROOM])
{
    snprintf(id, DELIVERY_ID_ROOM, "D-%.4s-%.2s-%.2s-%.5s", bare, bare + 4, bare + 6, bare + 8);
}

void delivery_id_make(int64_t now_ns, char id[static DELIVERY_ID_ROOM])
{
    char when[21], bare[BARE_CHARS + 1] = {0};
    clock_format_utc(now_ns, when);
    snprintf(bare, sizeof bare, "%.4s%.2s%.2s", when, when + 5, when + 8);
    for (size_t i = 0; i < RANDOM_CHARS;) {
        uint8_t random;
        crypto_random(&random, sizeof random);
        if (random < 256 / BASE * BASE) /* otherwise the first ones would come more often */
            bare[DATE_DIGITS + i++] = alphabet[random % BASE];
    }
    bare[BARE_CHARS - 1] = check_of(bare);
    show(bare, id);
}

static char forgive(char c)
{
    c = (char)toupper((unsigned char)c);
    return c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
}

enum status delivery_id_parse(const char *typed, char id[static DELIVERY_ID_ROOM],
                              struct error *error)
{
    char bare[BARE_CHARS + 1] = {0};
    size_t count = 0;
    const char *at = typed + strspn(typed, " ");
    bool sound = toupper((unsigned char)*at) == 'D';
    for (at += sound; *at != '\0' && sound; at++) {
        char c = forgive(*at);
        if (c == '-' || c == ' ')
            continue;
        sound = count < BARE_CHARS && strchr(alphabet, c) != NULL &&
                (count >= DATE_DIGITS || isdigit((unsigned char)c));
        if (sound)
            bare[count++] = c;
    }
    if (!sound || count != BARE_CHARS || check_of(bare) != bare[BARE_CHARS - 1])
        return error_set(error, STATUS_INVALID, "22023",
                         "it looks like D-2026-11-22-7F3KQ; cofferdam export --list shows them",
                         "\"%.40s\" is no id of a delivery: it is mistyped, or too short", typed);
    show(bare, id);
    return STATUS_OK;
}
