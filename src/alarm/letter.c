/* The letter: one message of plain text an alarm, by the mail server of cofferdam.yaml. */
#include "alarm/courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "mail/mail.h"

enum { TEXT_BYTES = 16 * 1024, BYTES_ROOM = 64 * 1024, PASSWORD_BYTES = 4096, TIMEOUT_MS = 10000 };

/* ---- the text ---- */

static void put_text(const char *node, const struct alarms_entry *alarm, struct buffer *out)
{
    char time[21];
    clock_format_utc(alarm->raised_ns, time);
    buffer_printf(out, "%s\n\n", alarm->text);
    buffer_printf(out, "Alarm:   %" PRId64 " (%s)\nAt:      %s\nNode:    %s\n", alarm->id,
                  alarm->rule, time, node);
    if (alarm->partner[0] != '\0')
        buffer_printf(out, "Partner: %s%s%s\n", alarm->partner,
                      alarm->agent[0] == '\0' ? "" : ", agent ", alarm->agent);
    if (alarm->about[0] != '\0')
        buffer_printf(out, "About:   %s\n", alarm->about);
    buffer_printf(out, "\nWhat was done: %s\n\nWhat to do next:\n",
                  strcmp(alarm->contained, "partner") == 0 ? "the whole partner is contained."
                  : alarm->contained[0] != '\0'            ? "the agent is contained."
                                                           : "nothing but telling you.");
    alarm_advise(alarm, out);
}

static enum status build(const struct config *config, const struct alarms_entry *alarm,
                         struct buffer *out, struct error *error)
{
    char subject[200], name[LIMIT_NAME_BYTES + 12], id[400];
    const char *node = config->ledger.node, *domain = strrchr(config->alarms.mail.from, '@');
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    put_text(node, alarm, &text);
    snprintf(name, sizeof name, "Cofferdam %s", node);
    snprintf(subject, sizeof subject, "[%s] alarm %" PRId64 ": %s%s%s%s%s", node, alarm->id,
             alarm->rule, alarm->partner[0] == '\0' ? "" : ", ", alarm->partner,
             alarm->agent[0] == '\0' ? "" : ".", alarm->agent);
    snprintf(id, sizeof id, "%s.alarm@%.250s", alarm->event, domain == NULL ? "" : domain + 1);
    const struct mail_message message = {.from_name = name,
                                         .from_address = config->alarms.mail.from,
                                         .to_address = config->alarms.mail.to,
                                         .subject = subject,
                                         .language = "en",
                                         .message_id = id,
                                         .date_ns = alarm->raised_ns,
                                         .text = buffer_text(&text)};
    enum status status = mail_build(&message, out, error);
    buffer_free(&text);
    return status;
}

/* ---- one attempt ---- */

struct batch {
    const struct config *config;
    struct slice bytes;
    struct mail_result result;
};

static enum status fill_envelope(void *context, size_t at, struct mail_envelope *envelope,
                                 struct error *error)
{
    const struct batch *batch = context;
    (void)at;
    (void)error;
    *envelope = (struct mail_envelope){.from = batch->config->alarms.mail.from,
                                       .to = batch->config->alarms.mail.to,
                                       .bytes = batch->bytes};
    return STATUS_OK;
}

/* Twice is better than never: nothing needs to be known before it goes. */
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
    (void)at;
    (void)error;
    ((struct batch *)context)->result = *result;
    return STATUS_OK;
}

static enum status send_by(const struct config *config, struct slice password, struct batch *batch,
                           struct error *error)
{
    static const enum mail_tls tls[] = {
        [CONFIG_MAIL_STARTTLS] = MAIL_STARTTLS,
        [CONFIG_MAIL_TLS] = MAIL_TLS,
        [CONFIG_MAIL_OFF] = MAIL_PLAIN,
    };
    const struct mail_server server = {.host = config->mail.host,
                                       .port = config->mail.port,
                                       .tls = tls[config->mail.tls],
                                       .ca_file = config->mail.ca,
                                       .user = config->mail.user,
                                       .password = password,
                                       .hello = config->mail.hello,
                                       .timeout_ms = TIMEOUT_MS};
    const struct mail_batch calls = {
        .count = 1, .envelope = fill_envelope, .begin = begin, .done = done, .context = batch};
    return mail_send(&server, &calls, NULL, error);
}

static enum status send_bytes(const struct config *config, struct batch *batch, struct error *error)
{
    struct buffer password;
    enum status status = STATUS_OK;
    buffer_init(&password, PASSWORD_BYTES);
    if (config->mail.password_file != NULL)
        status = file_read_secret(config->mail.password_file, &password, error);
    if (status == STATUS_OK)
        status = send_by(config, buffer_slice(&password), batch, error);
    if (password.data != NULL)
        crypto_wipe(password.data, password.len);
    buffer_free(&password);
    return status;
}

enum courier_result letter_deliver(struct alarm_desk *desk, const struct alarms_entry *alarm,
                                   char answer[static COURIER_ANSWER_ROOM])
{
    const struct config *config = desk->options.config;
    struct batch batch = {.config = config, .result.outcome = MAIL_NOT_TRIED};
    struct buffer bytes;
    struct error error;
    buffer_init(&bytes, BYTES_ROOM);
    enum status status = build(config, alarm, &bytes, &error);
    batch.bytes = buffer_slice(&bytes);
    if (status == STATUS_OK)
        status = send_bytes(config, &batch, &error);
    buffer_free(&bytes);
    if (status != STATUS_OK)
        snprintf(answer, COURIER_ANSWER_ROOM, "%.150s", error.message);
    else if (batch.result.code == 0)
        snprintf(answer, COURIER_ANSWER_ROOM, "the connection broke");
    else
        snprintf(answer, COURIER_ANSWER_ROOM, "SMTP %d %.100s", batch.result.code,
                 batch.result.reply);
    return status == STATUS_OK && batch.result.outcome == MAIL_ACCEPTED ? COURIER_TAKEN
                                                                        : COURIER_FAILED;
}
