/* What the files behind invent.h share. Private to delivery/. */
#ifndef COFFERDAM_DELIVERY_INVENT_PRIVATE_H
#define COFFERDAM_DELIVERY_INVENT_PRIVATE_H

#include "base/buffer.h"
#include "delivery/invent.h"

enum { INVENT_SAMPLE = 256, INVENT_VALUE_BYTES = 64 * 1024 };
enum { INT8_OID = 20, INT2_OID = 21, INT4_OID = 23 }; /* pg_type.h */

/* How a column's values are made. */
enum invent_how {
    INVENT_COPY,   /* as in the row that the canary begins with: about nobody */
    INVENT_SHARED, /* as several rows have it */
    INVENT_EMPTY,  /* SQL NULL, as some rows have it */
    INVENT_NEVER,  /* it cannot be: prose that each row has of its own */
    INVENT_WHOLE,  /* a whole number between the least and the greatest, or just above */
    INVENT_NUMBER, /* with decimals, between them */
    INVENT_DATE,   /* a day between the first and the last; the rest as in the row */
    INVENT_UUID,
    INVENT_SHAPE, /* each letter and digit another one of those that the column has */
    INVENT_GIVEN,
    INVENT_FAMILY,
    INVENT_FULL_NAME,
    INVENT_EMAIL,
    INVENT_PHONE,
    INVENT_ADDRESS,
    INVENT_VIN,
};

struct invent_seen {
    enum invent_how how;
    uint64_t values; /* that are not NULL */
    bool whole;      /* all are whole numbers */
    int64_t least, greatest;
    bool rising, falling, varies; /* over all rows */
    char *previous;               /* owned */
    bool letters[256];            /* bytes of the sample */
    bool raised;                  /* invent_raise() */
    int64_t floor;
    uint64_t room;
};

struct invent {
    const struct invent_column *columns;
    size_t count;
    struct invent_lists lists;
    struct invent_seen *seen;
    char **sample; /* INVENT_SAMPLE rows of count cells; owned */
    size_t sampled;
    uint64_t rows;
    size_t order;
    /* the canary at hand */
    const char *given, *family;
    char **cells; /* owned */
    bool *invented;
};

/* ---- invent_values.c: values that know nothing of people ---- */
uint32_t invent_random(uint32_t below); /* 0 for 0 */
/* Each appends a value like `like`. */
void invent_whole(const struct invent *invent, size_t column, struct buffer *out);
void invent_number(const struct invent *invent, size_t column, const char *like,
                   struct buffer *out);
void invent_date(const struct invent *invent, size_t column, const char *like, struct buffer *out);
void invent_uuid(struct buffer *out);
void invent_shape(const struct invent_seen *seen, const char *like, struct buffer *out);
bool invent_is_date(const char *value);

/* ---- invent_people.c ---- */
void invent_name(const struct invent *invent, enum invent_how how, const char *like,
                 struct buffer *out);
void invent_email(const struct invent *invent, struct buffer *out);
void invent_phone(const struct invent *invent, const char *like, struct buffer *out);
/* A line with a street, or a postcode; false where it is neither. */
bool invent_address(const struct invent *invent, const char *like, struct buffer *out);
void invent_street(const struct invent *invent, const char *like, struct buffer *out);
/* Like the first eight characters of `like`; ISO 3779 with the check digit of 49 CFR 565. */
void invent_vin(const char *like, struct buffer *out);

#endif
