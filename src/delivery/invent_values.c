/* Values that know nothing of people: numbers, days, and whatever has a shape. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/crypto.h"
#include "delivery/invent_private.h"

enum { SECONDS_A_DAY = 86400, DATE_CHARS = 10 };

uint32_t invent_random(uint32_t below)
{
    uint64_t random;
    if (below == 0)
        return 0;
    crypto_random(&random, sizeof random);
    return (uint32_t)(random %
                      below); /* of 64 bits: what is uneven is far below one in a billion */
}

static uint64_t random_up_to(uint64_t most)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    return most == UINT64_MAX ? random : random % (most + 1);
}

static int64_t greatest_of(const struct invent *invent, size_t column)
{
    const struct invent_seen *seen = &invent->seen[column];
    switch (invent->columns[column].type) {
    case INT2_OID:
        return INT16_MAX;
    case INT4_OID:
        return INT32_MAX;
    default:
        return seen->greatest < INT32_MAX && seen->floor < INT32_MAX ? INT32_MAX : INT64_MAX;
    }
}

/* Of the `room` numbers above `floor`, as far as the type has them; false where it has none. */
static bool whole_above(int64_t floor, uint64_t room, int64_t most, int64_t *value)
{
    if (floor >= most)
        return false;
    uint64_t left = (uint64_t)most - (uint64_t)floor;
    *value = (int64_t)((uint64_t)floor + 1 + random_up_to((room < left ? room : left) - 1));
    return true;
}

/* Among numbers with gaps in a gap, perhaps; where there are hardly any, just above. */
void invent_whole(const struct invent *invent, size_t column, struct buffer *out)
{
    const struct invent_seen *seen = &invent->seen[column];
    uint64_t span = (uint64_t)seen->greatest - (uint64_t)seen->least;
    bool above = seen->raised || span / 2 < seen->values || !seen->varies;
    int64_t value, most = greatest_of(invent, column);
    int64_t floor = seen->raised ? seen->floor : seen->greatest;
    uint64_t room = seen->raised ? seen->room : span / 8 + 500;
    if (!above || !whole_above(floor, room, most, &value))
        value = (int64_t)((uint64_t)seen->least + random_up_to(span));
    buffer_printf(out, "%" PRId64, value);
}

void invent_raise(struct invent *invent, size_t column, int64_t floor, uint64_t room)
{
    struct invent_seen *seen = &invent->seen[column];
    seen->raised = true;
    seen->floor = floor > seen->greatest ? floor : seen->greatest;
    seen->room = room > 0 ? room : 1;
}

/* The least and greatest of the sample as doubles. */
static void bounds(const struct invent *invent, size_t column, double *least, double *greatest)
{
    bool any = false;
    for (size_t row = 0; row < invent->sampled; row++) {
        const char *text = invent->sample[row * invent->count + column];
        double value = text == NULL ? 0 : strtod(text, NULL);
        if (text == NULL || value != value || value > 1e15 || value < -1e15)
            continue;
        *least = !any || value < *least ? value : *least;
        *greatest = !any || value > *greatest ? value : *greatest;
        any = true;
    }
}

void invent_number(const struct invent *invent, size_t column, const char *like, struct buffer *out)
{
    const char *point = strchr(like, '.');
    int decimals = point == NULL ? 0 : (int)strspn(point + 1, "0123456789");
    double least = 0, greatest = 0;
    bounds(invent, column, &least, &greatest);
    double part = (double)invent_random(UINT32_MAX) / (double)UINT32_MAX;
    buffer_printf(out, "%.*f", decimals, least + part * (greatest - least));
}

bool invent_is_date(const char *value)
{
    static const char pattern[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        if (pattern[i] == 'd' ? !isdigit((unsigned char)value[i]) : value[i] != '-')
            return false;
    return !isdigit((unsigned char)value[10]);
}

static int64_t day_of(const char *date)
{
    char *at;
    struct tm parts = {.tm_year = (int)strtol(date, &at, 10) - 1900};
    parts.tm_mon = (int)strtol(at + 1, &at, 10) - 1;
    parts.tm_mday = (int)strtol(at + 1, NULL, 10);
    return (int64_t)timegm(&parts) / SECONDS_A_DAY;
}

/* The time of day of a row, to the microsecond, would be that row's own: of one that has more than
 * hours, all behind them is another. */
static void put_time(const char *like, struct buffer *out)
{
    static const char midnight[] = " 00:00:00";
    size_t hours = strlen(" HH");
    bool is_time = strlen(like) >= sizeof midnight - 1 && like[hours] == ':' &&
                   strncmp(like, midnight, sizeof midnight - 1) != 0;
    if (!is_time) {
        buffer_append_text(out, like);
        return;
    }
    size_t zone = hours + strcspn(like + hours, "+-Z");
    for (size_t i = 0; like[i] != '\0'; i++) {
        bool changes = i > hours && i < zone && isdigit((unsigned char)like[i]);
        bool tens = changes && i < sizeof midnight - 1 && like[i - 1] == ':';
        buffer_append_u8(out, changes ? (uint8_t)('0' + invent_random(tens ? 6 : 10))
                                      : (uint8_t)like[i]);
    }
}

void invent_date(const struct invent *invent, size_t column, const char *like, struct buffer *out)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t row = 0; row < invent->sampled; row++) {
        const char *text = invent->sample[row * invent->count + column];
        if (text == NULL || !invent_is_date(text))
            continue;
        int64_t day = day_of(text);
        first = day < first ? day : first;
        last = day > last ? day : last;
    }
    time_t chosen =
        (time_t)((first + (int64_t)random_up_to((uint64_t)(last - first))) * SECONDS_A_DAY);
    struct tm parts;
    gmtime_r(&chosen, &parts);
    buffer_printf(out, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    put_time(like + DATE_CHARS, out);
}

void invent_uuid(struct buffer *out)
{
    uint8_t bytes[16];
    char hex[33];
    crypto_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0f)); /* version 4, RFC 9562 */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    crypto_hex(bytes, sizeof bytes, hex);
    buffer_printf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Another character of the same class, of those that the column has: a hexadecimal column stays
 * one. */
static char another(const struct invent_seen *seen, char c)
{
    char of_class[64];
    size_t count = 0;
    unsigned char like = (unsigned char)c;
    for (int other = 0; other < 128 && count < sizeof of_class; other++) {
        bool same = isdigit(like)   ? isdigit(other) != 0
                    : islower(like) ? islower(other) != 0
                                    : isupper(other) != 0;
        if (same && (seen->letters[other] || isdigit(like)))
            of_class[count++] = (char)other;
    }
    return count == 0 ? c : of_class[invent_random((uint32_t)count)];
}

void invent_shape(const struct invent_seen *seen, const char *like, struct buffer *out)
{
    bool first = true;
    for (const char *c = like; *c != '\0'; c++) {
        bool changes = isalnum((unsigned char)*c) != 0;
        char made = changes ? another(seen, *c) : *c;
        while (changes && first && made == '0' && *c != '0')
            made = another(seen, *c); /* a number does not begin with 0 */
        first = first && !changes;
        buffer_append_u8(out, (uint8_t)made);
    }
}
