/* Judging: which bound an agent has passed, and how that is told. */
#include "watch/agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t DAY_NS = 86400LL * 1000000000, HOUR_NS = 3600LL * 1000000000;
enum { DATE_ROOM = 11 };

static const char *const rule_names[POLICY_ANOMALIES] = {
    [POLICY_ANOMALY_SUBJECTS] = "anomaly-subjects-per-hour",
    [POLICY_ANOMALY_ROWS] = "anomaly-rows-per-hour",
    [POLICY_ANOMALY_STATEMENTS] = "anomaly-statements-per-hour",
    [POLICY_ANOMALY_PROBES] = "anomaly-probes-per-hour",
    [POLICY_ANOMALY_ERRORS] = "anomaly-errors-per-hour",
    [POLICY_ANOMALY_WALK] = "anomaly-walk-per-hour",
    [POLICY_ANOMALY_COLUMNS] = "anomaly-new-columns",
    [POLICY_ANOMALY_HOURS] = "anomaly-new-hours",
    [POLICY_ANOMALY_NETWORKS] = "anomaly-new-networks",
};

static const char *const phrases[POLICY_ANOMALIES] = {
    [POLICY_ANOMALY_SUBJECTS] = "people in the hour",
    [POLICY_ANOMALY_ROWS] = "rows in the hour",
    [POLICY_ANOMALY_STATEMENTS] = "statements in the hour",
    [POLICY_ANOMALY_PROBES] = "look-ups of nobody in the hour",
    [POLICY_ANOMALY_ERRORS] = "errors in the hour",
    [POLICY_ANOMALY_WALK] = "look-ups along keys in the hour",
    [POLICY_ANOMALY_COLUMNS] = "never read before",
    [POLICY_ANOMALY_HOURS] = "hour of the week never worked in",
    [POLICY_ANOMALY_NETWORKS] = "network never come from",
};

const char *watch_rule_name(enum policy_anomaly rule)
{
    return rule_names[rule];
}

bool watch_learned(const struct watch_agent *state, const struct policy_anomalies *anomalies,
                   int32_t day)
{
    return history_days_before(&state->history, day) >= anomalies->learn;
}

static uint64_t times(uint64_t figure, uint32_t factor)
{
    return figure > UINT64_MAX / factor ? UINT64_MAX : figure * factor;
}

uint64_t watch_bound(struct watch_agent *state, const struct policy_partner *partner,
                     enum policy_anomaly rate, int32_t day)
{
    const struct policy_anomalies *anomalies = &partner->anomalies;
    const struct policy_anomaly_rule *rule = &anomalies->rules[rate];
    if (!watch_learned(state, anomalies, day))
        return rule->floor;
    const struct history_greatest *past = history_greatest(&state->history, day, anomalies->days);
    uint64_t of_history = times(past->figure[rate], rule->factor);
    return of_history > rule->floor ? of_history : rule->floor;
}

/* ---- texts ---- */

static void format_day(int32_t day, char text[static DATE_ROOM])
{
    char instant[21];
    clock_format_utc(day * DAY_NS, instant);
    snprintf(text, DATE_ROOM, "%.10s", instant);
}

static void tell_rate(struct watch_agent *state, const struct policy_partner *partner, int32_t day,
                      struct watch_alarm *alarm)
{
    const struct policy_anomalies *anomalies = &partner->anomalies;
    const struct policy_anomaly_rule *rule = &anomalies->rules[alarm->rule];
    char on[DATE_ROOM];
    int len = snprintf(alarm->text, sizeof alarm->text, "%s: %" PRIu64 ", bound %" PRIu64 " = ",
                       phrases[alarm->rule], alarm->figure, alarm->bound);
    char *rest = alarm->text + len;
    size_t room = sizeof alarm->text - (size_t)len;
    if (!watch_learned(state, anomalies, day)) {
        snprintf(rest, room, "floor (%u of %u days of work seen)",
                 history_days_before(&state->history, day), anomalies->learn);
        return;
    }
    const struct history_greatest *past = history_greatest(&state->history, day, anomalies->days);
    uint64_t greatest = past->figure[alarm->rule];
    if (greatest == 0) {
        snprintf(rest, room, "floor (none in the %u days before)", anomalies->days);
        return;
    }
    format_day(past->on[alarm->rule], on);
    snprintf(rest, room, "max(floor %" PRIu64 ", %u x %" PRIu64 ", its most in %u days, on %s)",
             rule->floor, rule->factor, greatest, anomalies->days, on);
}

static void tell_new(const struct watch_agent *state, const struct policy_partner *partner,
                     int32_t day, const char *first, struct watch_alarm *alarm)
{
    char others[40] = "";
    if (alarm->rule == POLICY_ANOMALY_COLUMNS && alarm->figure > 1)
        snprintf(others, sizeof others, " and %" PRIu64 " more", alarm->figure - 1);
    snprintf(alarm->text, sizeof alarm->text, "%s: %s%s; %u days of work seen, new from %u on",
             phrases[alarm->rule], first, others, history_days_before(&state->history, day),
             partner->anomalies.learn);
}

/* ---- judging ---- */

static bool passes(struct watch_agent *state, const struct policy_partner *partner,
                   const struct watch_change *change, struct watch_alarm *alarm, int32_t day)
{
    enum policy_anomaly rule = alarm->rule;
    uint64_t before = change->before[rule];
    alarm->figure = state->counts[rule];
    if (alarm->figure == before)
        return false;
    if (policy_anomaly_is_rate(rule)) {
        alarm->bound = watch_bound(state, partner, rule, day);
        return before <= alarm->bound && alarm->figure > alarm->bound;
    }
    alarm->figure -= before;
    return watch_learned(state, &partner->anomalies, day);
}

void watch_judge(struct watch_agent *state, const struct policy_partner *partner,
                 const struct watch_change *change, struct watch_verdict *verdict)
{
    int32_t day = history_day_of(state->hour * HOUR_NS);
    for (int at = 0; at < POLICY_ANOMALIES; at++) {
        enum policy_anomaly rule = (enum policy_anomaly)at;
        struct watch_alarm *alarm = &verdict->alarms[verdict->count];
        if (partner->anomalies.rules[rule].off || state->alarmed_hour[rule] == state->hour)
            continue;
        alarm->rule = rule;
        alarm->bound = 0;
        if (!passes(state, partner, change, alarm, day))
            continue;
        state->alarmed_hour[rule] = state->hour;
        alarm->contain = partner->anomalies.rules[rule].contain;
        if (policy_anomaly_is_rate(rule))
            tell_rate(state, partner, day, alarm);
        else
            tell_new(state, partner, day, change->first_new[rule - POLICY_ANOMALY_RATES], alarm);
        verdict->contain = verdict->contain || alarm->contain;
        verdict->count++;
    }
}
