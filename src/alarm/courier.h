/* Couriers: a thread a receiver takes what waits for it, in order and one at a time, until it is
 * taken or given up. Private to alarm/. */
#ifndef COFFERDAM_ALARM_COURIER_H
#define COFFERDAM_ALARM_COURIER_H

#include "alarm/private.h"

enum { COURIER_ANSWER_ROOM = 200, WEBHOOK_SIGNATURE_ROOM = 128 };

/* One attempt; *answer a line of what the receiver said. Waits for the network. */
typedef enum courier_result courier_deliver(struct alarm_desk *desk,
                                            const struct alarms_entry *alarm,
                                            char answer[static COURIER_ANSWER_ROOM]);
courier_deliver webhook_deliver, letter_deliver;

/* How long to wait after so many failed attempts: doubles up to an hour, half of it random. */
int64_t courier_wait_ns(uint32_t retry_ms, int64_t failed, uint32_t random);

/* ---- webhook.c, for its tests, too ---- */
void webhook_body(const char *node, const struct alarms_entry *alarm, struct buffer *out);
/* "Cofferdam-Signature: t=<unix>,v1=<hex HMAC-SHA256 over "<unix>.<body>">" */
void webhook_sign(struct slice secret, int64_t now_s, struct slice body,
                  char header[static WEBHOOK_SIGNATURE_ROOM]);

#endif
