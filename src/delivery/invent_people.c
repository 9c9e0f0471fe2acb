/* What makes a person of a row: names, streets, telephones, chassis numbers. All of it from lists
 * of what is nobody's. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/invent_private.h"

static bool all_upper(const char *text)
{
    bool any = false;
    for (; *text != '\0'; text++) {
        if (islower((unsigned char)*text))
            return false;
        any = any || isupper((unsigned char)*text);
    }
    return any;
}

static void put(struct buffer *out, const char *text, bool upper)
{
    for (; *text != '\0'; text++)
        buffer_append_u8(out, (uint8_t)(upper ? toupper((unsigned char)*text) : *text));
}

/* "Dr Ada Marsh", "MARSH, Ada", "Ada": in the order and letters of the row that it stands for. */
static void put_full_name(const struct invent *invent, const char *like, struct buffer *out)
{
    static const char *const titles[] = {"Mr ",   "Mrs ", "Ms ",   "Miss ", "Dr ",
                                         "Prof ", "Mr. ", "Mrs. ", "Ms. ",  "Dr. "};
    bool upper = all_upper(like);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        if (strncasecmp(like, titles[i], strlen(titles[i])) == 0) {
            buffer_append(out, like, strlen(titles[i]));
            like += strlen(titles[i]);
            break;
        }
    }
    const char *comma = strchr(like, ',');
    if (comma != NULL) {
        bool family_upper = isupper((unsigned char)like[0]) && isupper((unsigned char)like[1]);
        put(out, invent->family, upper || family_upper);
        buffer_append_text(out, comma[1] == ' ' ? ", " : ",");
        put(out, invent->given, upper);
    } else {
        put(out, invent->given, upper);
        if (strchr(like, ' ') != NULL) {
            buffer_append_u8(out, ' ');
            put(out, invent->family, upper);
        }
    }
}

void invent_name(const struct invent *invent, enum invent_how how, const char *like,
                 struct buffer *out)
{
    if (how == INVENT_GIVEN)
        put(out, invent->given, all_upper(like));
    else if (how == INVENT_FAMILY)
        put(out, invent->family, all_upper(like));
    else
        put_full_name(invent, like, out);
}

void invent_email(const struct invent *invent, struct buffer *out)
{
    for (const char *c = invent->given; *c != '\0'; c++)
        buffer_append_u8(out, (uint8_t)tolower((unsigned char)*c));
    buffer_append_u8(out, '.');
    for (const char *c = invent->family; *c != '\0'; c++)
        buffer_append_u8(out, (uint8_t)tolower((unsigned char)*c));
    buffer_printf(out, "%u@%s", 10 + invent_random(9990), invent->lists.mailbox_domain);
}

/* ---- telephones ---- */

enum { PHONE_DIGITS = 32 };

static size_t digits_of(const char *text, char digits[static PHONE_DIGITS])
{
    size_t count = 0;
    for (; *text != '\0' && count < PHONE_DIGITS - 1; text++)
        if (isdigit((unsigned char)*text))
            digits[count++] = *text;
    digits[count] = '\0';
    return count;
}

/* How well a pattern suits: by the leading digits that it has in common, international or not. */
static size_t common_digits(const char *pattern, const char *like)
{
    char a[PHONE_DIGITS], b[PHONE_DIGITS];
    size_t common = 0;
    size_t prefix = strspn(pattern, "+0123456789 -");
    char head[PHONE_DIGITS + 8];
    snprintf(head, sizeof head, "%.*s", (int)(prefix < sizeof head - 1 ? prefix : sizeof head - 1),
             pattern);
    digits_of(head, a);
    digits_of(like, b);
    const char *code = strchr(head, ' ');
    if (like[0] != '+' && b[0] == '0' && code != NULL) { /* 07700… is +44 7700… */
        digits_of(code, a);
        memmove(b, b + 1, strlen(b));
    }
    while (a[common] != '\0' && a[common] == b[common])
        common++;
    return common;
}

/* The layout of the row's number, if it has as many digits; otherwise that of the list. */
static void put_digits(const char *digits, const char *made, const char *like, struct buffer *out)
{
    char wanted[PHONE_DIGITS];
    if (digits_of(like, wanted) != strlen(digits)) {
        buffer_append_text(out, made);
        return;
    }
    for (; *like != '\0'; like++)
        buffer_append_u8(out, (uint8_t)(isdigit((unsigned char)*like) ? *digits++ : *like));
}

void invent_phone(const struct invent *invent, const char *like, struct buffer *out)
{
    const struct invent_words *phones = &invent->lists.phones;
    char made[64], digits[PHONE_DIGITS];
    size_t start = invent_random((uint32_t)phones->count), best = start, common = 0;
    for (size_t i = 0; i < phones->count; i++) {
        size_t at = (start + i) % phones->count, found = common_digits(phones->words[at], like);
        if (found > common) {
            common = found;
            best = at;
        }
    }
    snprintf(made, sizeof made, "%s", phones->words[best]);
    for (char *c = made; *c != '\0'; c++)
        if (*c == '#')
            *c = (char)('0' + invent_random(10));
    const char *code = strchr(made, ' ');
    if (like[0] == '0' && code != NULL) { /* +44 7700… is 07700… */
        memmove(made + 1, code + 1, strlen(code));
        made[0] = '0';
    }
    digits_of(made, digits);
    put_digits(digits, made, like, out);
}

/* ---- addresses ---- */

/* "BS1 4QT": one or two letters, a digit, perhaps one more, then a digit and two letters. */
static bool is_postcode(const char *text)
{
    size_t at = 0;
    while (at < 2 && isupper((unsigned char)text[at]))
        at++;
    if (at == 0 || !isdigit((unsigned char)text[at++]))
        return false;
    if (isalnum((unsigned char)text[at]) && text[at + 1] == ' ')
        at++;
    at += text[at] == ' ';
    return isdigit((unsigned char)text[at]) && isupper((unsigned char)text[at + 1]) &&
           isupper((unsigned char)text[at + 2]) && text[at + 3] == '\0';
}

static void put_postcode(const char *like, struct buffer *out)
{
    static const char letters[] = "ABDEFGHJLNPQRSTUWXYZ"; /* of the inward part */
    buffer_append(out, like, strlen(like) - 3);
    buffer_append_u8(out, (uint8_t)('0' + invent_random(10)));
    for (int i = 0; i < 2; i++)
        buffer_append_u8(out, (uint8_t)letters[invent_random(sizeof letters - 1)]);
}

void invent_street(const struct invent *invent, const char *like, struct buffer *out)
{
    const struct invent_words *streets = &invent->lists.streets;
    const char *street = streets->words[invent_random((uint32_t)streets->count)];
    uint32_t house = 1 + invent_random(180);
    if (isdigit((unsigned char)like[0]))
        buffer_printf(out, "%u ", house);
    put(out, street, all_upper(like));
    if (!isdigit((unsigned char)like[0]))
        buffer_printf(out, " %u", house);
}

bool invent_address(const struct invent *invent, const char *like, struct buffer *out)
{
    if (is_postcode(like)) {
        put_postcode(like, out);
        return true;
    }
    size_t line = strcspn(like, ",\n");
    bool letter = false, digit = false;
    for (size_t i = 0; i < line; i++) {
        letter = letter || isalpha((unsigned char)like[i]);
        digit = digit || isdigit((unsigned char)like[i]);
    }
    if (!letter || !digit) /* a town, a country, a number of a district */
        return false;
    invent_street(invent, like, out);
    buffer_append_text(out, like + line);
    return true;
}

/* ---- vehicles ---- */

static unsigned vin_value(char c)
{
    static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
    static const uint8_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4,
                                     5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9};
    const char *found = c == '\0' ? NULL : strchr(letters, c);
    return isdigit((unsigned char)c) ? (unsigned)(c - '0')
           : found == NULL           ? 0
                                     : values[found - letters];
}

void invent_vin(const char *like, struct buffer *out)
{
    static const uint8_t weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    char vin[18] = {0};
    unsigned sum = 0;
    snprintf(vin, sizeof vin, "%s", like);
    for (size_t i = 11; i < 17; i++)
        vin[i] = (char)('0' + invent_random(10));
    for (size_t i = 0; i < 17; i++)
        sum += weights[i] * vin_value(vin[i]);
    vin[8] = sum % 11 == 10 ? 'X' : (char)('0' + sum % 11);
    buffer_append_text(out, vin);
}
