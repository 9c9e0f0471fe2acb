/* PostgreSQL protocol 3 (manual, chapter "Frontend/Backend Protocol"): pure parsing and building.
 * No I/O, no state beyond what the caller holds. Readers borrow the caller's bytes.
 * A reader is a slice, a cursor and a sticky status: read every field, check once at the end. */
#ifndef COFFERDAM_WIRE_WIRE_H
#define COFFERDAM_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

enum {
    WIRE_PROTOCOL_3_0 = 196608,
    WIRE_SSL_REQUEST = 80877103,
    WIRE_GSSENC_REQUEST = 80877104,
    WIRE_CANCEL_REQUEST = 80877102,
    WIRE_TEXT_OID = 25,
    WIRE_BYTEA_OID = 17,
    WIRE_INT8_OID = 20,
};

/* ---- reading ---- */
struct wire_reader {
    const uint8_t *data;
    size_t len, at;
    bool failed; /* sticky: a field was not there */
};
struct wire_reader wire_reader_of(struct slice body);
uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);
const char *wire_read_text(struct wire_reader *reader); /* NUL-terminated; "" on failure */
struct slice wire_read_bytes(struct wire_reader *reader, size_t len);
bool wire_reader_done(const struct wire_reader *reader); /* no failure and nothing left over */

/* ---- framing ---- */
struct wire_message {
    uint8_t type; /* 0 for a startup packet */
    struct slice body;
    size_t size; /* bytes that the whole message takes, header included */
};
/* Next typed message at the front of bytes. STATUS_AGAIN: not complete (yet *size_needed is set
 * when the header is there, else 0). STATUS_PEER: length below 4 or above max_bytes. */
MUST_USE enum status wire_next_message(struct slice bytes, size_t max_bytes,
                                       struct wire_message *message, size_t *size_needed,
                                       struct error *error);
/* As above for untyped startup-phase packets (LIMIT_STARTUP_BYTES). */
MUST_USE enum status wire_next_startup(struct slice bytes, struct wire_message *message,
                                       struct error *error);

/* ---- frontend messages, parsed: texts and slices borrow the body ---- */
enum wire_startup_kind {
    WIRE_STARTUP_SSL,
    WIRE_STARTUP_GSSENC,
    WIRE_STARTUP_CANCEL,
    WIRE_STARTUP_SESSION
};
enum { WIRE_MAX_STARTUP_PARAMETERS = 64 };
struct wire_startup {
    enum wire_startup_kind kind;
    uint32_t protocol;                  /* SESSION */
    uint32_t cancel_pid, cancel_secret; /* CANCEL */
    struct {
        const char *name, *value;
    } parameters[WIRE_MAX_STARTUP_PARAMETERS];
    size_t parameter_count;
};
/* STATUS_PEER on any other layout; SQLSTATE 0A000 for another major version than 3. */
MUST_USE enum status wire_parse_startup(struct slice body, struct wire_startup *startup,
                                        struct error *error);
/* NULL when not given; the last one when given twice, as in PostgreSQL. */
const char *wire_startup_value(const struct wire_startup *startup, const char *name);

/* Splits libpq's "options" text ("-c name=value --name=value", backslash escapes) and calls fn
 * for each setting. STATUS_PEER with a hint on anything else. */
typedef enum status (*wire_option_fn)(void *context, const char *name, const char *value,
                                      struct error *error);
MUST_USE enum status wire_parse_options(const char *options, wire_option_fn fn, void *context,
                                        struct error *error);

/* In the messages below, bytes that are no such message are STATUS_PEER (08P01); too many
 * parameters are STATUS_LIMIT (54000), after which the session may live. */
struct wire_parse {
    const char *name, *sql;
    const uint32_t *types; /* decoded into the caller's array */
    size_t type_count;
};
MUST_USE enum status wire_parse_parse(struct slice body, uint32_t types[static LIMIT_PARAMETERS],
                                      struct wire_parse *parse, struct error *error);

struct wire_bind {
    const char *portal, *statement;
    size_t format_count, parameter_count, result_format_count;
    struct slice formats;        /* 2 bytes each */
    struct slice parameters;     /* parameter_count of (i32 length, bytes), as on the wire */
    struct slice result_formats; /* 2 bytes each */
};
/* STATUS_DENIED for a wrong number of parameter formats (08P01) or an unknown one (22023): the
 * message was whole, and PostgreSQL lives on, too. Result formats are only counted. */
MUST_USE enum status wire_parse_bind(struct slice body, struct wire_bind *bind,
                                     struct error *error);

struct wire_target { /* Describe, Close */
    uint8_t what;    /* 'S' or 'P' */
    const char *name;
};
MUST_USE enum status wire_parse_target(struct slice body, struct wire_target *target,
                                       struct error *error);
struct wire_execute {
    const char *portal;
    uint32_t max_rows; /* 0: all */
};
MUST_USE enum status wire_parse_execute(struct slice body, struct wire_execute *execute,
                                        struct error *error);

/* ---- building: each appends one whole message; check buffer->overflowed once ---- */
/* Returns where the length goes. Type 0: a startup packet, which has none. */
size_t wire_begin(struct buffer *out, uint8_t type);
void wire_end(struct buffer *out, size_t start);          /* fills in the length */
void wire_put_text(struct buffer *out, const char *text); /* with its NUL */

void wire_put_empty(struct buffer *out, uint8_t type); /* '1' '2' '3' 'n' 'I' 's' 'S' 'H' … */
void wire_put_authentication(struct buffer *out, uint32_t code, struct slice data);
void wire_put_parameter_status(struct buffer *out, const char *name, const char *value);
void wire_put_backend_key(struct buffer *out, uint32_t pid, uint32_t secret);
void wire_put_ready(struct buffer *out, char transaction_status);
void wire_put_command_complete(struct buffer *out, const char *tag);
/* severity "ERROR", "FATAL", "NOTICE" …; hint may be "" or NULL. type 'E' or 'N' follows. */
void wire_put_error(struct buffer *out, const char *severity, const char *sqlstate,
                    const char *message, const char *hint);
void wire_put_notice(struct buffer *out, const char *severity, const char *sqlstate,
                     const char *message, const char *hint);
/* minor: newest version 3.<minor> that is spoken; sent as the whole number, as libpq reads it. */
void wire_put_negotiate(struct buffer *out, uint32_t minor, const char *const *options,
                        size_t option_count);
/* A result of text columns, for answers of our own. cells[i] NULL is SQL NULL. */
void wire_put_text_row_description(struct buffer *out, const char *const *names, size_t count);
void wire_put_text_row(struct buffer *out, const char *const *cells, size_t count);

void wire_put_startup(struct buffer *out, const char *const *names_and_values, size_t pairs);
void wire_put_ssl_request(struct buffer *out);
void wire_put_cancel_request(struct buffer *out, uint32_t pid, uint32_t secret);
void wire_put_password(struct buffer *out, struct slice data); /* 'p' */
void wire_put_query(struct buffer *out, const char *sql);
void wire_put_parse(struct buffer *out, const char *name, const char *sql, const uint32_t *types,
                    size_t type_count);
void wire_put_target(struct buffer *out, uint8_t type, uint8_t what, const char *name);
void wire_put_execute(struct buffer *out, const char *portal, uint32_t max_rows);
void wire_put_sync(struct buffer *out);

/* The client's Bind, sent on under other names, with `extra` parameters behind its own (binary
 * format; data NULL is SQL NULL) and `hidden_count` result columns behind the `visible_count`
 * (always text). Formats are expanded as the protocol's 0 / 1 / n rule wants. Caller has checked
 * that bind has 0, 1 or visible_count result formats. */
void wire_put_bind(struct buffer *out, const char *portal, const char *statement,
                   const struct wire_bind *bind, const struct slice *extra, size_t extra_count,
                   size_t visible_count, size_t hidden_count);

/* ---- backend messages, rewritten on their way to the client ---- */
/* ErrorResponse / NoticeResponse: the SQLSTATE and severity fields; "" where absent. */
struct wire_fields {
    char severity[16];
    char sqlstate[6];
};
MUST_USE enum status wire_parse_fields(struct slice body, struct wire_fields *fields,
                                       struct error *error);

/* RowDescription with the first visible_count columns only, table OID and column number zeroed.
 * STATUS_PEER if there are not exactly total_count columns. */
MUST_USE enum status wire_put_visible_description(struct buffer *out, struct slice body,
                                                  size_t visible_count, size_t total_count,
                                                  struct error *error);
/* ParameterDescription with the first visible_count types only. */
MUST_USE enum status wire_put_visible_parameters(struct buffer *out, struct slice body,
                                                 size_t visible_count, struct error *error);
/* DataRow: how many bytes the visible columns take, and the hidden columns' values, which borrow
 * the body: data NULL for SQL NULL, never for an empty text. STATUS_PEER unless there are exactly
 * visible+hidden columns and nothing behind them; hidden is then undefined. */
MUST_USE enum status wire_split_row(struct slice body, size_t visible_count, size_t hidden_count,
                                    size_t *visible_bytes, struct slice *hidden,
                                    struct error *error);
/* DataRow of the visible part that wire_split_row found. */
void wire_put_visible_row(struct buffer *out, struct slice body, size_t visible_count,
                          size_t visible_bytes);

/* Iterates a one-dimensional PostgreSQL array literal ("{1,NULL,\"a,b\"}"). *at starts at 0;
 * unescapes into scratch. STATUS_OK with *is_null or *element (borrows scratch or text),
 * STATUS_NOT_FOUND at the end, STATUS_PEER when it is no such literal. */
MUST_USE enum status wire_array_next(struct slice text, size_t *at, struct buffer *scratch,
                                     bool *is_null, struct slice *element);

#endif
