/* See looks.h. */
#include "trace/looks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS  "0123456789"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS UPPER "abcdefghijklmnopqrstuvwxyz"
#define HEX     DIGITS "abcdefABCDEF"

static bool is_only(const char *text, const char *set)
{
    return text[0] != '\0' && text[strspn(text, set)] == '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* 9 a digit, A a letter; anything else itself. Blanks in the text are passed over. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        while (*text == ' ' && *shape != ' ')
            text++;
        if (*shape == '9' ? !is_digit(*text) : *shape == 'A' ? !is_letter(*text) : *text != *shape)
            return false;
    }
    return *text == '\0';
}

static bool is_domain(const char *text)
{
    const char *dot = strrchr(text, '.');
    return dot != NULL && dot != text && strlen(dot) > 2 && is_only(dot + 1, LETTERS "-" DIGITS) &&
           is_letter(dot[1]) && strstr(text, "..") == NULL && text[strcspn(text, " @/:,;")] == '\0';
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && at != text && is_domain(at + 1) &&
           strcspn(text, " \t,;<>") == strlen(text);
}

static bool is_phone(const char *text)
{
    enum { LEAST = 9, MOST = 15 };
    size_t digits = 0;
    for (const char *at = text; *at != '\0'; at++)
        digits += is_digit(*at);
    if (digits < LEAST || digits > MOST || text[strspn(text, DIGITS "+-()./ ")] != '\0')
        return false;
    return text[0] == '0' || text[0] == '+' || text[0] == '(' || !is_only(text, DIGITS);
}

static bool is_vin(const char *text)
{
    enum { VIN_CHARS = 17 };
    bool has_letter = false, has_digit = false;
    for (const char *at = text; *at != '\0'; at++) {
        if (!is_digit(*at) && (*at < 'A' || *at > 'Z' || strchr("IOQ", *at) != NULL))
            return false;
        has_letter = has_letter || !is_digit(*at);
        has_digit = has_digit || is_digit(*at);
    }
    return strlen(text) == VIN_CHARS && has_letter && has_digit;
}

static bool is_date(const char *text)
{
    return has_shape(text, "9999-99-99") || has_shape(text, "99/99/9999") ||
           has_shape(text, "99.99.9999");
}

static bool is_postcode(const char *text)
{
    static const char *const shapes[] = {"A99AA",   "A999AA", "AA99AA",
                                         "AA999AA", "A9A9AA", "AA9A9AA"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (has_shape(text, shapes[i]))
            return true;
    return false;
}

static bool is_token(const char *text)
{
    enum { TOKEN_CHARS = 33 };
    return strlen(text) == TOKEN_CHARS && text[0] == 't' && is_only(text + 1, DIGITS "abcdef");
}

static bool is_integer(const char *text)
{
    const char *digits = text + (text[0] == '-');
    return is_only(digits, DIGITS) && strlen(digits) < 20 &&
           (digits[0] != '0' || digits[1] == '\0');
}

static bool is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '-' ? text[i] != '-' : strchr(HEX, text[i]) == NULL)
            return false;
    return true;
}

/* A character of UTF-8. */
static size_t character(const char *text)
{
    size_t len = text[0] == '\0' ? 0 : 1;
    while (len > 0 && (text[len] & 0xC0) == 0x80)
        len++;
    return len;
}

static bool is_starred(const char *text)
{
    enum { LAST = 4 };
    if (strncmp(text, "***", 3) != 0)
        return false;
    const char *at = text + 3;
    for (size_t i = 0; i < LAST; i++)
        at += character(at);
    return *at == '\0';
}

unsigned looks_of(const char *text)
{
    size_t first = character(text), len = strlen(text);
    long year = has_shape(text, "9999") && len == 4 ? strtol(text, NULL, 10) : 0;
    const bool fits[] = {
        is_email(text),
        is_phone(text),
        is_vin(text),
        has_shape(text, "AA99AAA"),
        is_date(text),
        is_postcode(text),
        is_token(text),
        is_integer(text),
        is_uuid(text),
        is_starred(text),
        first > 0 && strcmp(text + first, ".") == 0,
        year >= 1800 && year <= 2199,
        len == 10 && has_shape(text, "9999-99-99") && strcmp(text + 8, "01") == 0,
        len <= 2 && is_only(text, LETTERS),
        is_domain(text),
    };
    unsigned looks = 0;
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++)
        looks |= fits[i] ? 1U << i : 0;
    return looks;
}

const char *looks_name(unsigned looks)
{
    static const char *const names[] = {"email",
                                        "phone",
                                        "vin",
                                        "vrm",
                                        "date",
                                        "postcode",
                                        "token",
                                        "whole number",
                                        "uuid",
                                        "starred out",
                                        "initial",
                                        "year",
                                        "first of a month",
                                        "postcode area",
                                        "domain"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((looks & 1U << i) != 0)
            return names[i];
    return "";
}
