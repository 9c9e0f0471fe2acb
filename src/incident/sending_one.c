/* One message outside of any outbox: a test of what people will get. */
#include <string.h>

#include "base/clock.h"
#include "incident/sending_private.h"

enum { MESSAGE_BYTES = 1 << 20 };

struct single {
    const struct mail_message *message;
    const char *bounces;
    struct buffer bytes;
    struct mail_result result;
};

static enum status envelope(void *context, size_t at, struct mail_envelope *out,
                            struct error *error)
{
    struct single *single = context;
    (void)at;
    (void)error;
    *out = (struct mail_envelope){.from = single->bounces,
                                  .to = single->message->to_address,
                                  .bytes = buffer_slice(&single->bytes)};
    return STATUS_OK;
}

static enum status begin(void *context, size_t at, struct error *error)
{
    (void)context;
    (void)at;
    (void)error;
    return STATUS_OK;
}

static enum status done(void *context, size_t at, const struct mail_result *result,
                        struct error *error)
{
    struct single *single = context;
    (void)at;
    (void)error;
    single->result = *result;
    return STATUS_OK;
}

static enum status send_one(struct single *single, const struct config *config, struct error *error)
{
    struct sending_server mail = {0};
    const struct mail_batch batch = {1, envelope, begin, done, single};
    enum status status = mail_build(single->message, &single->bytes, error);
    if (status == STATUS_OK)
        status = sending_server_open(config, &mail, error);
    if (status == STATUS_OK)
        status = mail_send(&mail.server, &batch, NULL, error);
    sending_server_close(&mail);
    if (status == STATUS_OK && single->result.outcome != MAIL_ACCEPTED)
        return error_set(error, STATUS_IO, "58030", NULL,
                         "the mail server did not accept it: %d %s", single->result.code,
                         single->result.reply);
    return status;
}

enum status sending_one(const struct config *config, const struct mail_message *message,
                        struct error *error)
{
    struct single single = {.message = message, .bounces = config->mail.bounces};
    buffer_init(&single.bytes, MESSAGE_BYTES);
    enum status status = send_one(&single, config, error);
    buffer_free(&single.bytes);
    return status;
}
