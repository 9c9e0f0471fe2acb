/* The webhook: one POST of JSON an attempt, signed over "timestamp.body", by the program that
 * speaks HTTP. Shape of the signature: https://docs.stripe.com/webhooks#verify-manually */
#include "alarm/courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "http/http.h"

enum {
    BODY_BYTES = 16 * 1024,
    SECRET_BYTES = 4096,
    SECRET_LEAST = 16,
    ANSWER_BYTES = 64 * 1024,
    TIMEOUT_MS = 10000,
    GONE = 410,
};

/* ---- the body ---- */

/* RFC 8259, section 7: the text is UTF-8 without control characters. */
static void put_string(struct buffer *out, const char *text, size_t len)
{
    buffer_append_u8(out, '"');
    for (const char *end = text + len; text < end; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_u8(out, '\\');
        if ((unsigned char)*text < ' ')
            buffer_printf(out, "\\u%04x", (unsigned char)*text);
        else
            buffer_append(out, text, 1);
    }
    buffer_append_u8(out, '"');
}

static void put_member(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, ",\"%s\":", name);
    if (text[0] == '\0')
        buffer_append_text(out, "null");
    else
        put_string(out, text, strlen(text));
}

/* "next": the lines of advice, one string each. */
static void put_next(struct buffer *out, const struct alarms_entry *alarm)
{
    struct buffer advice;
    buffer_init(&advice, BODY_BYTES);
    alarm_advise(alarm, &advice);
    const char *line = buffer_text(&advice);
    buffer_append_text(out, ",\"next\":[");
    for (const char *first = line; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (line != first)
            buffer_append_u8(out, ',');
        put_string(out, line, strcspn(line, "\n"));
    }
    buffer_append_u8(out, ']');
    buffer_free(&advice);
}

void webhook_body(const char *node, const struct alarms_entry *alarm, struct buffer *out)
{
    char time[21];
    clock_format_utc(alarm->raised_ns, time);
    buffer_printf(out, "{\"id\":\"%s\",\"alarm\":%" PRId64, alarm->event, alarm->id);
    put_member(out, "time", time);
    put_member(out, "node", node);
    put_member(out, "rule", alarm->rule);
    put_member(out, "partner", alarm->partner);
    put_member(out, "agent", alarm->agent);
    put_member(out, "about", alarm->about);
    put_member(out, "text", alarm->text);
    put_member(out, "contained", alarm->contained);
    put_next(out, alarm);
    buffer_append_text(out, "}\n");
}

/* ---- the signature ---- */

void webhook_sign(struct slice secret, int64_t now_s, struct slice body,
                  char header[static WEBHOOK_SIGNATURE_ROOM])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    char time[24], hex[2 * sizeof mac + 1];
    snprintf(time, sizeof time, "%" PRId64 ".", now_s);
    const struct slice parts[] = {slice_of_text(time), body};
    crypto_hmac_sha256(secret, parts, 2, mac);
    crypto_hex(mac, sizeof mac, hex);
    snprintf(header, WEBHOOK_SIGNATURE_ROOM, "Cofferdam-Signature: t=%" PRId64 ",v1=%s", now_s,
             hex);
}

/* The file is read each time: a new secret takes no restart. */
static enum status sign(const char *secret_file, struct slice body,
                        char header[static WEBHOOK_SIGNATURE_ROOM], struct error *error)
{
    struct buffer secret;
    buffer_init(&secret, SECRET_BYTES);
    enum status status = file_read_secret(secret_file, &secret, error);
    if (status == STATUS_OK && secret.len < SECRET_LEAST)
        status = error_set(error, STATUS_INVALID, "F0000", "openssl rand -hex 32",
                           "%.200s has fewer than %d bytes: no secret", secret_file, SECRET_LEAST);
    if (status == STATUS_OK)
        webhook_sign(buffer_slice(&secret), clock_now_ns() / 1000000000, body, header);
    if (secret.data != NULL)
        crypto_wipe(secret.data, secret.len);
    buffer_free(&secret);
    return status;
}

/* ---- one attempt ---- */

static enum courier_result judge(long code, char answer[static COURIER_ANSWER_ROOM])
{
    snprintf(answer, COURIER_ANSWER_ROOM, "HTTP %ld", code);
    return code / 100 == 2 ? COURIER_TAKEN : code == GONE ? COURIER_STOPPED : COURIER_FAILED;
}

static enum status post(struct alarm_desk *desk, const struct alarms_entry *alarm,
                        struct slice body, long *code, struct error *error)
{
    char signature[WEBHOOK_SIGNATURE_ROOM], event[WEBHOOK_SIGNATURE_ROOM];
    const char *const headers[] = {"Content-Type: application/json", signature, event, NULL};
    struct http_answer answer = {.code = 0};
    TRY(sign(desk->options.config->alarms.webhook.secret_file, body, signature, error));
    snprintf(event, sizeof event, "Cofferdam-Alarm: %s", alarm->event);
    buffer_init(&answer.body, ANSWER_BYTES);
    const struct http_request request = {.method = HTTP_POST,
                                         .url = desk->options.config->alarms.webhook.url,
                                         .ca = desk->options.config->alarms.webhook.ca,
                                         .headers = headers,
                                         .body = body,
                                         .timeout_ms = TIMEOUT_MS,
                                         .stop = &desk->stop};
    enum status status = http_send(&request, &answer, error);
    buffer_free(&answer.body);
    *code = answer.code;
    return status;
}

enum courier_result webhook_deliver(struct alarm_desk *desk, const struct alarms_entry *alarm,
                                    char answer[static COURIER_ANSWER_ROOM])
{
    struct buffer body;
    struct error error;
    long code = 0;
    buffer_init(&body, BODY_BYTES);
    webhook_body(desk->options.config->ledger.node, alarm, &body);
    CHECK(!body.overflowed);
    enum status status = post(desk, alarm, buffer_slice(&body), &code, &error);
    buffer_free(&body);
    if (status == STATUS_OK)
        return judge(code, answer);
    snprintf(answer, COURIER_ANSWER_ROOM, "%.150s", error.message);
    return COURIER_FAILED;
}
