/* Where an alarm is written, once what it contains is contained for good: file, ledger, log, in
 * this order, so that one which is in the ledger reaches its receivers also when this process ends
 * in between. */
#include "alarm/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { ACT_BYTES = 2048, ARENA_BYTES = 16 * 1024 };

static const char *contained_word(enum alarm_contain contained)
{
    return contained == ALARM_TELL ? "" : contained == ALARM_CONTAIN_PARTNER ? "partner" : "agent";
}

/* ---- the containment ---- */

/* It is in force: now it is to outlast this process, and sessions and statements are to end. */
static void complete_containment(struct alarm_desk *desk, const struct alarm_raised *raised)
{
    struct error error;
    char reason[ALARM_RULE_BYTES + 16];
    const struct registry_target target = {
        .partner = raised->alarm.partner,
        .agent = raised->contained == ALARM_CONTAIN_PARTNER ? NULL : raised->alarm.agent};
    snprintf(reason, sizeof reason, "alarm %s", raised->alarm.rule);
    if (desk->options.contain != NULL)
        desk->options.contain(desk->options.context, &target, reason);
    else if (registry_contain(desk->options.registry, &target, reason, "alarm", raised->raised_ns,
                              &error) != STATUS_OK)
        log_event(LOG_ERROR, "containment_not_stored", "partner=%s reason=\"%s\"", target.partner,
                  error.message);
}

/* ---- the ledger ---- */

static enum status append(struct alarm_desk *desk, const struct alarms_entry *alarm,
                          const char *text, uint64_t *sequence, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_ACT,
                                 .chunk_count = 1,
                                 .partner = slice_of_text(alarm->partner),
                                 .agent = slice_of_text(alarm->agent),
                                 .text = slice_of_text(text)};
    return ledger_append(desk->options.ledger, &entry, slice_of(NULL, 0), sequence, error);
}

static enum status append_alarm(struct alarm_desk *desk, const struct alarms_entry *alarm,
                                uint64_t *sequence, struct error *error)
{
    struct buffer text;
    buffer_init(&text, ACT_BYTES);
    buffer_printf(&text, "%s\nid=%" PRId64 "\nrule=%s\n", ALARM_ACT, alarm->id, alarm->rule);
    if (alarm->about[0] != '\0')
        buffer_printf(&text, "about=%s\n", alarm->about);
    buffer_printf(&text, "text=%s\n", alarm->text);
    if (alarm->contained[0] != '\0')
        buffer_printf(&text, "contained=%s\n", alarm->contained);
    enum status status = append(desk, alarm, buffer_text(&text), sequence, error);
    buffer_free(&text);
    return status;
}

/* Its sequence once it is durable, or -1 where the ledger has no room: that is logged. */
static int64_t into_ledger(struct alarm_desk *desk, const struct alarms_entry *alarm)
{
    struct error error;
    uint64_t sequence = 0;
    enum status status = append_alarm(desk, alarm, &sequence, &error);
    if (status != STATUS_OK) {
        log_event(LOG_ERROR, "act_not_recorded", "act=%s rule=%s reason=\"%s\"", ALARM_ACT,
                  alarm->rule, error.message);
        return -1;
    }
    ledger_wait(desk->options.ledger, sequence);
    return (int64_t)sequence;
}

/* ---- the file ---- */

static void tell_lost(int64_t lost)
{
    if (lost > 0)
        log_event(LOG_ERROR, "alarm_deliveries_lost",
                  "count=%" PRId64 " reason=\"only the newest %d alarms are kept\"", lost,
                  ALARMS_MOST);
}

static void into_file(struct alarm_desk *desk, struct alarms_entry *alarm)
{
    struct error error;
    int64_t lost = 0;
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_add(desk->file, alarm, desk->receivers, desk->courier_count,
                                    &alarm->id, &lost, &error);
    pthread_mutex_unlock(&desk->file_lock);
    tell_lost(lost);
    if (status == STATUS_OK)
        return;
    alarm->id = 0;
    log_event(LOG_ERROR, "alarm_not_stored", "rule=%s reason=\"%s\"", alarm->rule, error.message);
}

static void set_sequence(struct alarm_desk *desk, const struct alarms_entry *alarm,
                         int64_t sequence)
{
    struct error error;
    if (alarm->id == 0)
        return;
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_set_sequence(desk->file, alarm->id, sequence, &error);
    pthread_mutex_unlock(&desk->file_lock);
    if (status != STATUS_OK)
        log_event(LOG_ERROR, "alarm_not_stored", "alarm=%" PRId64 " reason=\"%s\"", alarm->id,
                  error.message);
}

/* ---- the log ---- */

static void into_log(const struct alarms_entry *alarm)
{
    bool is_loud = alarm->contained[0] != '\0' || strcmp(alarm->rule, ALARM_CANARY_CROSSED) == 0 ||
                   strcmp(alarm->rule, ALARM_LOST) == 0;
    log_event(is_loud ? LOG_ERROR : LOG_WARNING, "alarm",
              "alarm=%" PRId64 " rule=%s partner=%s agent=%s about=%s contained=%s text=\"%s\"",
              alarm->id, alarm->rule, alarm->partner, alarm->agent, alarm->about,
              alarm->contained[0] == '\0' ? "no" : alarm->contained, alarm->text);
}

void alarm_record(struct alarm_desk *desk, const struct alarm_raised *raised, int64_t *id)
{
    uint8_t random[(ALARMS_EVENT_ROOM - 1) / 2];
    char event[ALARMS_EVENT_ROOM];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, event);
    struct alarms_entry alarm = {
        .event = event,
        .raised_ns = raised->raised_ns,
        .rule = raised->alarm.rule,
        .partner = raised->alarm.partner,
        .agent = raised->alarm.agent,
        .about = raised->alarm.about,
        .text = raised->alarm.text,
        .contained = contained_word(raised->contained),
    };
    if (raised->contained != ALARM_TELL)
        complete_containment(desk, raised);
    into_file(desk, &alarm);
    set_sequence(desk, &alarm, into_ledger(desk, &alarm));
    into_log(&alarm);
    alarm_couriers_wake(desk);
    *id = alarm.id;
}

enum status alarm_record_rest(struct alarm_desk *desk, struct error *error)
{
    struct alarms_entry alarm = {.id = 0};
    enum status status;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (;;) {
        arena_reset(&arena);
        pthread_mutex_lock(&desk->file_lock);
        status = alarms_unrecorded(desk->file, alarm.id, &arena, &alarm, error);
        pthread_mutex_unlock(&desk->file_lock);
        if (status != STATUS_OK)
            break;
        set_sequence(desk, &alarm, into_ledger(desk, &alarm));
    }
    arena_free(&arena);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
