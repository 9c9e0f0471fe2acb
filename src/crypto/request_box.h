/* Request boxes: what somebody asked the public page, on its way to the worker through a folder
 * that the page's process can only write to. Every file has REQUEST_BOX_BYTES, whether it holds a
 * request or nothing: magic[8] ‖ sealed box over REQUEST_PLAIN_BYTES, which are
 *     kind u8 ‖ asked_s u64 big-endian ‖ brand ‖ language ‖ value ‖ postcode ‖ zeros,
 * each text terminated by a NUL. Names are 32 lower-case hex digits and ".request"; anything else
 * in the folder, or of another size, is none. No state; any thread. */
#ifndef COFFERDAM_CRYPTO_REQUEST_BOX_H
#define COFFERDAM_CRYPTO_REQUEST_BOX_H

#include "base/buffer.h"
#include "base/status.h"

enum {
    REQUEST_PLAIN_BYTES = 1024,
    REQUEST_BOX_BYTES = 8 + 48 + REQUEST_PLAIN_BYTES,
    REQUEST_NAME_ROOM = 32 + 8 + 1,
};

enum request_kind {
    REQUEST_NOTHING =
        0,             /* written all the same: the asker learns nothing, and is answered nothing */
    REQUEST_EMAIL = 1, /* value: an address; the answer goes there if it is on file */
    REQUEST_LETTER = 2, /* value: a name; the answer goes by post to the address on file */
};
struct request {
    enum request_kind kind;
    int64_t asked_ns;  /* whole seconds */
    char brand[64];    /* of the page that was asked */
    char language[16]; /* of the page */
    char value[257];   /* UTF-8 without control characters, as typed but for blanks around it */
    char postcode[33]; /* of REQUEST_LETTER; "" otherwise */
};

/* The key pair of the queue, derived from a secret of the installation (incidents_secret). The page
 * gets the public half. */
void request_box_keys(const uint8_t secret[static 32], uint8_t private_key[static 32],
                      uint8_t public_key[static 32]);
/* STATUS_INVALID where the public key is none. */
MUST_USE enum status request_box_seal(const uint8_t public_key[static 32],
                                      const struct request *request,
                                      uint8_t file[static REQUEST_BOX_BYTES]);
/* STATUS_CORRUPT where the file is none of ours or was altered. */
MUST_USE enum status request_box_open(const uint8_t private_key[static 32], struct slice file,
                                      struct request *request);
/* A name for a new file. */
void request_box_name(char name[static REQUEST_NAME_ROOM]);

#endif
