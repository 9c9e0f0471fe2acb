/* What a value looks like, by its characters alone. No state, any thread. */
#ifndef COFFERDAM_TRACE_LOOKS_H
#define COFFERDAM_TRACE_LOOKS_H

enum looks {
    LOOKS_EMAIL = 1 << 0,
    LOOKS_PHONE = 1 << 1,    /* 9 to 15 digits, more than digits, or a leading 0 (E.164) */
    LOOKS_VIN = 1 << 2,      /* 17 letters and digits without I, O, Q, both present (ISO 3779) */
    LOOKS_VRM = 1 << 3,      /* a British registration mark of today's form: AB12 CDE */
    LOOKS_DATE = 1 << 4,     /* 2026-11-22, also 22/11/2026 */
    LOOKS_POSTCODE = 1 << 5, /* British */
    LOOKS_TOKEN = 1 << 6,    /* crypto/token.h */
    LOOKS_INTEGER = 1 << 7,  /* without leading zeros */
    LOOKS_UUID = 1 << 8,
    /* What the built-in masks leave. */
    LOOKS_STARRED = 1 << 9,  /* *** and at most four characters: redact, last4 */
    LOOKS_INITIAL = 1 << 10, /* a character and a full stop */
    LOOKS_YEAR = 1 << 11,    /* four digits from 1800 to 2199 */
    LOOKS_MONTH = 1 << 12,   /* a date that is the first of its month */
    LOOKS_AREA = 1 << 13,    /* one or two letters */
    LOOKS_DOMAIN = 1 << 14,  /* labels with full stops, without @ */
};

/* The looks that fit; 0: none. */
unsigned looks_of(const char *text);
/* "email", …: of the lowest bit; "" for 0. */
const char *looks_name(unsigned looks);

#endif
