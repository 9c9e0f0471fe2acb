/* What the files of sending share: the run, and one batch of it. Private to incident/. */
#ifndef COFFERDAM_INCIDENT_SENDING_PRIVATE_H
#define COFFERDAM_INCIDENT_SENDING_PRIVATE_H

#include <pthread.h>

#include "incident/sending.h"

enum { SENDING_BATCH = 100 };

/* The mail server as the configuration has it. Owns the password. */
struct sending_server {
    struct mail_server server;
    struct buffer password;
};
MUST_USE enum status sending_server_open(const struct config *config, struct sending_server *opened,
                                         struct error *error);
void sending_server_close(struct sending_server *server);

/* A run. Everything but what never changes is used under the lock: outbox, ledger and database are
 * one thread's at a time; only the talk with the mail server is not. */
struct sending {
    struct casework *casework;
    const struct scope *scope;
    const struct notice *notice;
    const struct sending_order *order;
    struct sending_server mail;
    /* ---- under the lock ---- */
    pthread_mutex_t lock;
    struct outbox *outbox;
    struct contact_reader *reader;
    struct admin_client *admin;
    int64_t next_slot_ns; /* when the next message may begin: mail.per_minute */
    unsigned refused_in_a_row, missing_in_a_row, put_off_in_a_row;
    uint64_t handed_over;
    bool offers_dsn;
    unsigned failures;      /* of the mail server, one after the other */
    int64_t quiet_until_ns; /* it is left alone until then (monotonic) */
    struct error trouble;   /* its last failure */
    bool is_over;           /* workers end */
    enum status status;     /* why, if not well */
    struct error error;
};

/* The run ends, with the first failure that is told. Under the lock. */
void sending_fail(struct sending *sending, enum status status, const struct error *error);
/* True once nothing more may begin. Takes no lock. */
bool sending_is_stopped(const struct sending *sending);
/* Sleeps, but for stops. */
void sending_sleep_until(const struct sending *sending, int64_t monotonic_ns);

struct sending_batch; /* memory that a worker uses again and again; owned */
MUST_USE enum status sending_batch_open(struct sending *sending, struct sending_batch **batch,
                                        struct error *error);
void sending_batch_close(struct sending_batch *batch); /* NULL is fine */
/* Offers, records, reads and renders the next messages. *count: people who were offered; 0: nobody
 * is due. Under the lock. */
MUST_USE enum status sending_batch_prepare(struct sending_batch *batch, size_t *count,
                                           struct error *error);
/* Sends what was prepared. Not under the lock. STATUS_IO where the mail server serves us not. */
MUST_USE enum status sending_batch_send(struct sending_batch *batch, struct error *error);

#endif
