/* The desk: takes alarms from any thread, counts those that repeat, and records the rest in a
 * thread of its own.
 * Invariant: what contains has contained before it is queued, counted or written. */
#include "alarm/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "mail/mail.h"
#include "policy/policy.h"

enum { PATH_ROOM = 4096, LOOK_S = 1 };

/* ---- copies ---- */

/* One line without quotes, cut at its room: it goes into logs and texts of lines. */
static void copy_line(char *out, size_t room, const char *text)
{
    size_t len = 0;
    for (; text != NULL && *text != '\0' && len + 1 < room; text++) {
        unsigned char c = (unsigned char)*text;
        out[len++] = (char)(c < ' ' || c == 0x7f ? ' ' : c == '"' ? '\'' : c);
    }
    while (len > 0 && text != NULL && ((unsigned char)*text & 0xc0) == 0x80) {
        text--; /* not within a character */
        len--;
    }
    out[len] = '\0';
}

static struct alarm_copy copy_of(const struct alarm *alarm)
{
    struct alarm_copy copy;
    copy_line(copy.rule, sizeof copy.rule, alarm->rule);
    copy_line(copy.partner, sizeof copy.partner, alarm->partner);
    copy_line(copy.agent, sizeof copy.agent, alarm->agent);
    copy_line(copy.about, sizeof copy.about, alarm->about);
    copy_line(copy.text, sizeof copy.text, alarm->text);
    return copy;
}

static bool is_same(const struct alarm_copy *a, const struct alarm_copy *b)
{
    return strcmp(a->rule, b->rule) == 0 && strcmp(a->partner, b->partner) == 0 &&
           strcmp(a->agent, b->agent) == 0 && strcmp(a->about, b->about) == 0;
}

/* ---- containing ---- */

static bool may_contain(const char *name)
{
    const struct policy_alarm_rule *rule = policy_alarm_rule_of(name);
    return rule == NULL || rule->never == NULL;
}

/* Whom the alarm contained that was not contained before. */
static enum alarm_contain contain_first(struct alarm_desk *desk, const struct alarm *alarm)
{
    struct error error;
    char reason[ALARM_RULE_BYTES + 16];
    bool whole = alarm->contain == ALARM_CONTAIN_PARTNER || alarm->agent == NULL;
    if (alarm->contain == ALARM_TELL || alarm->partner == NULL)
        return ALARM_TELL;
    CHECK(may_contain(alarm->rule));
    const char *agent = whole ? NULL : alarm->agent;
    const struct registry_target target = {.partner = alarm->partner, .agent = agent};
    if (registry_contained(desk->options.registry, alarm->partner, agent, NULL))
        return ALARM_TELL;
    snprintf(reason, sizeof reason, "alarm %.*s", ALARM_RULE_BYTES, alarm->rule);
    if (registry_enforce(desk->options.registry, &target, reason, "alarm", clock_now_ns(),
                         &error) != STATUS_OK)
        log_event(LOG_ERROR, "contain_failed", "partner=%s agent=%s reason=\"%s\"", alarm->partner,
                  agent == NULL ? "*" : agent, error.message);
    if (desk->options.wake != NULL)
        desk->options.wake(desk->options.context);
    return whole ? ALARM_CONTAIN_PARTNER : ALARM_CONTAIN_AGENT;
}

/* ---- under `lock` ---- */

/* A clock that was set back ends the interval, too. */
static bool is_over(const struct alarm_desk *desk, const struct alarm_known *known, int64_t now_ns)
{
    return now_ns < known->since_ns || now_ns - known->since_ns >= desk->interval_ns;
}

static struct alarm_known *find_known(struct alarm_desk *desk, const struct alarm_copy *alarm)
{
    for (size_t i = 0; i < desk->known_count; i++)
        if (is_same(&desk->known[i].alarm, alarm))
            return &desk->known[i];
    return NULL;
}

/* The place of one that is not known yet: a new one, or that of the oldest. */
static struct alarm_known *room_for_known(struct alarm_desk *desk)
{
    if (desk->known_count < ALARM_KNOWN_MOST)
        return &desk->known[desk->known_count++];
    struct alarm_known *oldest = &desk->known[0];
    for (size_t i = 1; i < ALARM_KNOWN_MOST; i++)
        if (desk->known[i].since_ns < oldest->since_ns)
            oldest = &desk->known[i];
    return oldest;
}

static void remember(struct alarm_desk *desk, const struct alarm_copy *alarm, int64_t now_ns)
{
    struct alarm_known *known = find_known(desk, alarm);
    if (known == NULL)
        known = room_for_known(desk);
    *known = (struct alarm_known){.alarm = *alarm, .since_ns = now_ns};
}

static void enqueue(struct alarm_desk *desk, struct alarm_raised *raised)
{
    if (desk->last == NULL)
        desk->first = raised;
    else
        desk->last->next = raised;
    desk->last = raised;
    desk->queued++;
}

static struct alarm_raised *dequeue(struct alarm_desk *desk)
{
    struct alarm_raised *raised = desk->first;
    if (raised == NULL)
        return NULL;
    desk->first = raised->next;
    if (desk->first == NULL)
        desk->last = NULL;
    desk->queued--;
    return raised;
}

/* Nobody's alarms may crowd out another's: who raises many at once loses those of its own. */
static bool has_room(const struct alarm_desk *desk, const char *partner)
{
    size_t own = 0;
    if (desk->queued >= ALARM_QUEUE_MOST)
        return false;
    for (const struct alarm_raised *at = desk->first; at != NULL; at = at->next)
        own += strcmp(at->alarm.partner, partner) == 0;
    return own < ALARM_PARTNER_MOST;
}

/* True if it is taken; false if it is counted as one of those before it, or there is no room. */
static bool take(struct alarm_desk *desk, struct alarm_raised *raised)
{
    struct alarm_known *known = find_known(desk, &raised->alarm);
    bool contains = raised->contained != ALARM_TELL;
    /* Where the interval is over and some were counted, the one that says so is about to come. */
    if (known != NULL && !contains &&
        (known->repeats > 0 || !is_over(desk, known, raised->raised_ns))) {
        known->repeats++;
        return false;
    }
    /* What has contained is told, however many wait: there are no more of these than agents. */
    if (!contains && !has_room(desk, raised->alarm.partner)) {
        desk->lost++;
        return false;
    }
    remember(desk, &raised->alarm, raised->raised_ns);
    enqueue(desk, raised);
    return true;
}

void alarm_raise(struct alarm_desk *desk, const struct alarm *alarm)
{
    if (desk == NULL)
        return;
    enum alarm_contain contained = contain_first(desk, alarm);
    struct alarm_raised *raised = calloc(1, sizeof *raised);
    if (raised == NULL) {
        log_event(LOG_ERROR, "alarm_not_stored", "rule=%s reason=\"out of memory\"", alarm->rule);
        return;
    }
    raised->alarm = copy_of(alarm);
    raised->raised_ns = clock_now_ns();
    raised->contained = contained;
    pthread_mutex_lock(&desk->lock);
    bool taken = take(desk, raised);
    if (taken)
        pthread_cond_signal(&desk->woken);
    pthread_mutex_unlock(&desk->lock);
    if (!taken)
        free(raised);
}

/* ---- writing down ---- */

/* Under `lock`, which it leaves for as long as the disk takes. */
static void record(struct alarm_desk *desk, const struct alarm_raised *raised, int64_t *id)
{
    pthread_mutex_unlock(&desk->lock);
    alarm_record(desk, raised, id);
    pthread_mutex_lock(&desk->lock);
    struct alarm_known *known = find_known(desk, &raised->alarm);
    if (known != NULL && known->since_ns == raised->raised_ns)
        known->id = *id;
}

/* Records one of the queue. As above. */
static bool record_one(struct alarm_desk *desk)
{
    struct alarm_raised *raised = dequeue(desk);
    int64_t id;
    if (raised == NULL)
        return false;
    record(desk, raised, &id);
    free(raised);
    return true;
}

/* As take(), but one that is not stored yet stands for no other. */
static bool count_again(struct alarm_desk *desk, const struct alarm_raised *raised)
{
    struct alarm_known *known = find_known(desk, &raised->alarm);
    if (known == NULL || known->id == 0 ||
        (known->repeats == 0 && is_over(desk, known, raised->raised_ns)))
        return false;
    known->repeats++;
    return true;
}

enum status alarm_raise_stored(struct alarm_desk *desk, const struct alarm *alarm, int64_t *id,
                               struct error *error)
{
    struct alarm_raised raised = {.alarm = copy_of(alarm), .raised_ns = clock_now_ns()};
    CHECK(alarm->contain == ALARM_TELL);
    *id = 0;
    pthread_mutex_lock(&desk->lock);
    bool counted = count_again(desk, &raised);
    if (!counted) {
        remember(desk, &raised.alarm, raised.raised_ns);
        record(desk, &raised, id);
        pthread_cond_signal(&desk->woken); /* it may wait for the first that is known */
    }
    pthread_mutex_unlock(&desk->lock);
    return counted || *id != 0 ? STATUS_OK
                               : error_set(error, STATUS_IO, "58030", "the log says why",
                                           "the alarm could not be stored");
}

/* ---- the desk's thread ---- */

/* As above: that some were lost. */
static bool record_lost(struct alarm_desk *desk, int64_t now_ns)
{
    struct alarm_raised raised = {.raised_ns = now_ns};
    int64_t id;
    if (desk->lost == 0)
        return false;
    snprintf(raised.alarm.rule, sizeof raised.alarm.rule, "%s", ALARM_LOST);
    snprintf(raised.alarm.text, sizeof raised.alarm.text,
             "%" PRId64 " alarms came at once for which there was no room (%d, of one partner %d); "
             "what they said is lost, what they were to contain is contained",
             desk->lost, ALARM_QUEUE_MOST, ALARM_PARTNER_MOST);
    desk->lost = 0;
    pthread_mutex_unlock(&desk->lock);
    alarm_record(desk, &raised, &id);
    pthread_mutex_lock(&desk->lock);
    return true;
}

/* The one that ends an interval: what it began with, and how often it came again. */
static struct alarm_raised *make_follow_up(const struct alarm_known *known, int64_t now_ns)
{
    enum { REST = 60 };
    char since[21];
    struct alarm_raised *raised = calloc(1, sizeof *raised);
    if (raised == NULL)
        return NULL;
    clock_format_utc(known->since_ns, since);
    raised->alarm = known->alarm;
    raised->raised_ns = now_ns;
    snprintf(raised->alarm.text, sizeof raised->alarm.text, "%.*s (and %" PRId64 " more since %s)",
             ALARM_TEXT_BYTES - REST, known->alarm.text, known->repeats, since);
    return raised;
}

/* Ends the intervals that are over. Under `lock`. */
static void end_intervals(struct alarm_desk *desk, int64_t now_ns)
{
    for (size_t i = 0; i < desk->known_count;) {
        struct alarm_known *known = &desk->known[i];
        if (!is_over(desk, known, now_ns)) {
            i++;
            continue;
        }
        struct alarm_raised *raised = known->repeats == 0 ? NULL : make_follow_up(known, now_ns);
        if (raised != NULL) {
            known->since_ns = now_ns;
            known->id = known->repeats = known->stored = 0;
            enqueue(desk, raised);
            i++;
        } else {
            *known = desk->known[--desk->known_count];
        }
    }
}

/* Stores the first count that has changed at or behind *at, and leaves *at behind it: a pass has an
 * end however fast they grow, or one that repeats without end would keep others from being
 * recorded. Under `lock`, which it leaves meanwhile. */
static bool store_count(struct alarm_desk *desk, size_t *at)
{
    struct error error;
    while (*at < desk->known_count &&
           (desk->known[*at].id == 0 || desk->known[*at].repeats == desk->known[*at].stored))
        ++*at;
    if (*at >= desk->known_count)
        return false;
    struct alarm_known *known = &desk->known[(*at)++];
    int64_t id = known->id, repeats = known->stored = known->repeats;
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_set_repeats(desk->file, id, repeats, &error);
    pthread_mutex_unlock(&desk->file_lock);
    if (status != STATUS_OK)
        log_event(LOG_ERROR, "alarm_not_stored", "alarm=%" PRId64 " reason=\"%s\"", id,
                  error.message);
    pthread_mutex_lock(&desk->lock);
    return true;
}

/* What was raised meanwhile goes first, but for the last time. */
static void store_counts(struct alarm_desk *desk)
{
    size_t at = 0;
    while ((desk->closing || desk->first == NULL) && store_count(desk, &at))
        ;
}

/* For a second at most where something is counted. Under `lock`. */
static void wait_for_more(struct alarm_desk *desk)
{
    struct timespec until;
    if (desk->known_count == 0) {
        pthread_cond_wait(&desk->woken, &desk->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_S;
    pthread_cond_timedwait(&desk->woken, &desk->lock, &until);
}

static void *desk_main(void *context)
{
    struct alarm_desk *desk = context;
    int64_t stored_ns = clock_monotonic_ns();
    pthread_mutex_lock(&desk->lock);
    for (;;) {
        end_intervals(desk, clock_now_ns());
        if (record_one(desk) || record_lost(desk, clock_now_ns()))
            continue;
        if (desk->closing || clock_monotonic_ns() - stored_ns >= LOOK_S * INT64_C(1000000000)) {
            store_counts(desk);
            stored_ns = clock_monotonic_ns();
        }
        if (desk->closing && desk->first == NULL && desk->lost == 0)
            break;
        if (desk->first == NULL && !desk->closing)
            wait_for_more(desk);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* ---- opening ---- */

static void set_up(struct alarm_desk *desk)
{
    pthread_condattr_t attributes;
    CHECK(pthread_mutex_init(&desk->lock, NULL) == 0);
    CHECK(pthread_mutex_init(&desk->file_lock, NULL) == 0);
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&desk->woken, &attributes) == 0);
    alarm_couriers_open(desk, &attributes);
    pthread_condattr_destroy(&attributes);
    desk->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* What is left for receivers that are configured no more. */
static enum status drop_others(struct alarm_desk *desk, struct error *error)
{
    static const char *const all[ALARM_COURIERS] = {"webhook", "mail"};
    for (size_t i = 0; i < ALARM_COURIERS; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < desk->courier_count; k++)
            is_kept = is_kept || strcmp(desk->receivers[k], all[i]) == 0;
        if (!is_kept)
            TRY(alarms_give_up(desk->file, all[i], clock_now_ns(), "it is configured no more",
                               error));
    }
    return STATUS_OK;
}

static enum status start(struct alarm_desk *desk, struct error *error)
{
    char path[PATH_ROOM];
    if (desk->stop < 0)
        return error_set_errno(error, errno, "cannot make an event descriptor");
    snprintf(path, sizeof path, "%s/alarms.sqlite", desk->options.config->state_folder);
    TRY(alarms_open(path, &desk->file, error));
    TRY(drop_others(desk, error));
    TRY(alarm_record_rest(desk, error));
    if (pthread_create(&desk->thread, NULL, desk_main, desk) != 0)
        return error_set(error, STATUS_IO, "58030", NULL, "the alarms' thread did not start");
    desk->started = true;
    return alarm_couriers_start(desk, error);
}

enum status alarm_desk_open(const struct alarm_options *options, struct alarm_desk **out,
                            struct error *error)
{
    struct alarm_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_no_memory(error);
    desk->options = *options;
    desk->interval_ns = options->config->alarms.interval_s * INT64_C(1000000000);
    set_up(desk);
    if (options->config->alarms.mail.to != NULL)
        mail_start();
    enum status status = start(desk, error);
    if (status == STATUS_OK)
        *out = desk;
    else
        alarm_desk_close(desk);
    return status;
}

/* The desk's thread ends last of what it wakes: its alarms are stored when the couriers end. */
void alarm_desk_close(struct alarm_desk *desk)
{
    if (desk == NULL)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->closing = true;
    pthread_cond_signal(&desk->woken);
    pthread_mutex_unlock(&desk->lock);
    if (desk->stop >= 0 && eventfd_write(desk->stop, 1) != 0)
        log_event(LOG_WARNING, "alarm_stop_slow", "reason=\"deliveries end by themselves\"");
    if (desk->started)
        pthread_join(desk->thread, NULL);
    alarm_couriers_wake(desk);
    alarm_couriers_join(desk);
    alarms_close(desk->file);
    if (desk->stop >= 0)
        close(desk->stop);
    pthread_cond_destroy(&desk->woken);
    pthread_mutex_destroy(&desk->lock);
    pthread_mutex_destroy(&desk->file_lock);
    free(desk);
}
