/* The one way a function says how it went, and why.
 * Every function that can fail returns a must-use enum status; its outputs come last and are
 * written only on STATUS_OK. Detail for people goes into a struct error that the caller passes
 * (it may be NULL). The status is the category and decides what happens next; SQLSTATE, message
 * and hint are what the peer or the operator reads. Messages never hold values from the data. */
#ifndef COFFERDAM_BASE_STATUS_H
#define COFFERDAM_BASE_STATUS_H

#include <stddef.h>

enum status {
    STATUS_OK = 0,
    STATUS_AGAIN,     /* nothing to do now: try again when the descriptor is ready */
    STATUS_CLOSED,    /* the peer closed the connection in an orderly way */
    STATUS_PEER,      /* the peer broke the protocol or vanished: answer and close */
    STATUS_DENIED,    /* refused: answer; the session lives */
    STATUS_LIMIT,     /* a bound was passed: answer; the session lives */
    STATUS_INVALID,   /* configuration, policy or argument is wrong */
    STATUS_NOT_FOUND, /* what was asked for does not exist */
    STATUS_IO,        /* the system or the upstream failed */
    STATUS_CORRUPT,   /* stored bytes are not what we wrote: stop writing */
    STATUS_NOMEM,     /* memory or an arena's limit is exhausted */
};

#define MUST_USE __attribute__((warn_unused_result))

/* What went wrong, in words. Strings are always terminated; too long ones are cut at a UTF-8
 * character's edge. sqlstate is five characters (PostgreSQL, appendix A). */
struct error {
    enum status status;
    char sqlstate[6];
    char message[400];
    char hint[400];
};

/* Leave the function with the status of a call that failed. Only where nothing is owned. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (call);                                                          \
        if (try_status_ != STATUS_OK)                                                              \
            return try_status_;                                                                    \
    } while (0)

/* Fills *error (if not NULL) and returns status. hint may be NULL: no hint. */
enum status error_set(struct error *error, enum status status, const char *sqlstate,
                      const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* As error_set, with strerror(errno_value) behind the message, and a hint where somebody can do
 * something about it: rights, room, a file system for reading only. */
enum status error_set_errno(struct error *error, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* STATUS_NOMEM 53200, "out of memory". */
enum status error_no_memory(struct error *error);

/* Puts "context: " before the message already in *error. */
void error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The category's name in lower case, such as "denied"; never NULL. */
const char *status_name(enum status status);

#endif
