/* See watch.h: the agents, and what an entry adds to one of them. */
#include "watch/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "exposure/column_line.h"
#include "exposure/name_map.h"
#include "watch/agent.h"

enum { NAME_ROOM = 512, COLUMN_SETS_MOST = 1 << 24, WALK_STEP = 8 };
static const int64_t HOUR_NS = 3600LL * 1000000000;

struct watch {
    pthread_rwlock_t lock;  /* of the names and texts, not of what they lead to */
    struct name_map agents; /* "partner\nagent" */
    char **texts;           /* of column sets, by id; from entries */
    size_t text_count;
    struct watch_sources sources;
};

enum status watch_new(struct watch **out, struct error *error)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return error_no_memory(error);
    pthread_rwlock_init(&watch->lock, NULL);
    *out = watch;
    return STATUS_OK;
}

static void free_agent(struct watch_agent *state)
{
    id_seen_free(state->people);
    id_seen_free(state->asked);
    seen_free(&state->columns);
    seen_free(&state->column_sets);
    pthread_mutex_destroy(&state->lock);
    free(state);
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    for (size_t i = 0; i < watch->agents.count; i++)
        free_agent(watch->agents.entries[i].value);
    name_map_free(&watch->agents);
    for (size_t i = 0; i < watch->text_count; i++)
        free(watch->texts[i]);
    free(watch->texts);
    pthread_rwlock_destroy(&watch->lock);
    free(watch);
}

void watch_know(struct watch *watch, const struct watch_sources *sources)
{
    watch->sources = *sources;
}

const struct zone *watch_zone(const struct policy_partner *partner,
                              const struct policy_agent *agent, const char **name)
{
    const char *written = partner->budget.zone_name, *last = NULL;
    const struct zone *zone = partner->budget.zone;
    if (agent->hours_count > 0) { /* written as "Mon-Fri 07:00-19:00 Europe/London" */
        zone = agent->hours[0].zone;
        last = strrchr(agent->hours[0].text, ' ');
        written = last == NULL ? NULL : last + 1;
    }
    if (name != NULL)
        *name = zone == NULL || written == NULL ? "UTC" : written;
    return zone;
}

/* ---- names ---- */

static struct watch_agent *make_agent(void)
{
    struct watch_agent *state = calloc(1, sizeof *state);
    CHECK(state != NULL); /* an agent that cannot be watched must not be served */
    pthread_mutex_init(&state->lock, NULL);
    history_init(&state->history);
    state->hour = INT64_MIN;
    for (size_t i = 0; i < POLICY_ANOMALIES; i++)
        state->alarmed_hour[i] = INT64_MIN;
    return state;
}

/* NULL where there is none and none is to be made, or for names that no policy can have. */
static struct watch_agent *find_agent(struct watch *watch, struct slice partner, struct slice agent,
                                      bool make)
{
    char room[NAME_ROOM];
    if (partner.len + agent.len + 1 > sizeof room || partner.len == 0 || agent.len == 0)
        return NULL;
    memcpy(room, partner.data, partner.len);
    room[partner.len] = '\n';
    memcpy(room + partner.len + 1, agent.data, agent.len);
    struct slice name = slice_of(room, partner.len + 1 + agent.len);
    pthread_rwlock_rdlock(&watch->lock);
    struct watch_agent *state = name_map_get(&watch->agents, name);
    pthread_rwlock_unlock(&watch->lock);
    if (state != NULL || !make)
        return state;
    pthread_rwlock_wrlock(&watch->lock);
    state = name_map_get(&watch->agents, name);
    if (state == NULL) {
        state = make_agent();
        name_map_put(&watch->agents, name, state);
    }
    pthread_rwlock_unlock(&watch->lock);
    return state;
}

/* ---- columns ---- */

static void define_columns(struct watch *watch, uint32_t id, struct slice text)
{
    if (id == 0 || id >= COLUMN_SETS_MOST)
        return;
    char *copy = text.len == 0 ? strdup("") : strndup((const char *)text.data, text.len);
    CHECK(copy != NULL);
    pthread_rwlock_wrlock(&watch->lock);
    if (id >= watch->text_count) {
        size_t count = 2 * (size_t)id + 16;
        char **grown = realloc(watch->texts, count * sizeof *grown);
        CHECK(grown != NULL);
        memset(grown + watch->text_count, 0, (count - watch->text_count) * sizeof *grown);
        watch->texts = grown;
        watch->text_count = count;
    }
    if (watch->texts[id] == NULL) {
        watch->texts[id] = copy;
        copy = NULL;
    }
    pthread_rwlock_unlock(&watch->lock);
    free(copy);
}

static const char *text_of(struct watch *watch, uint32_t id)
{
    pthread_rwlock_rdlock(&watch->lock);
    const char *text = id < watch->text_count ? watch->texts[id] : NULL;
    pthread_rwlock_unlock(&watch->lock);
    if (text == NULL && watch->sources.columns != NULL)
        text = watch->sources.columns(watch->sources.context, id);
    return text;
}

/* FNV-1a, 64 bits, of "dataset.column:form": names come from the policy. */
static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
    return hash;
}

static void take_columns(struct watch *watch, struct watch_agent *state, uint32_t id,
                         struct watch_change *change)
{
    char *first = change->first_new[POLICY_ANOMALY_COLUMNS - POLICY_ANOMALY_RATES];
    struct column_line line;
    if (id == 0 || seen_has(&state->column_sets, id))
        return;
    const char *text = text_of(watch, id);
    if (text == NULL)
        return;
    while (column_line_next(&text, &line)) {
        const char *begin = (const char *)line.dataset.data;
        size_t len = (size_t)((const char *)line.form.data + line.form.len - begin);
        if (!seen_add(&state->columns, hash_of(begin, len)))
            continue;
        state->counts[POLICY_ANOMALY_COLUMNS]++;
        if (first[0] == '\0')
            snprintf(first, WATCH_NEW_ROOM, "%.*s", (int)len, begin);
    }
    seen_add(&state->column_sets, id);
}

/* ---- time ---- */

/* An hour that is over counts no more; one that is just over still may get an entry that was made
 * before another's. A clock that goes back takes what has been counted with it. */
static void turn_hour(struct watch_agent *state, int64_t hour)
{
    if (hour == state->hour || (state->hour != INT64_MIN && hour == state->hour - 1))
        return;
    if (hour > state->hour) {
        memset(state->counts, 0, sizeof state->counts);
        id_seen_free(state->people);
        id_seen_free(state->asked);
        state->people = state->asked = NULL;
    }
    state->hour = hour;
}

static void take_time(struct watch_agent *state, const struct policy_partner *partner,
                      const struct policy_agent *agent, int64_t time_ns,
                      struct watch_change *change)
{
    static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
    const char *name;
    if (!history_work(&state->history, time_ns) || partner == NULL)
        return;
    const struct zone *zone = watch_zone(partner, agent, &name);
    if (!history_hour_is_new(&state->history, zone, time_ns))
        return;
    struct zone_time local = zone_local(zone, time_ns);
    state->counts[POLICY_ANOMALY_HOURS]++;
    snprintf(change->first_new[POLICY_ANOMALY_HOURS - POLICY_ANOMALY_RATES], WATCH_NEW_ROOM,
             "%s %02d:00 %.100s", days[local.weekday - 1], local.hour, name);
}

/* ---- networks ---- */

static struct watch_network *find_network(struct watch_agent *state, const struct in6_addr *prefix)
{
    for (size_t i = 0; i < state->network_count; i++)
        if (memcmp(&state->networks[i].prefix, prefix, sizeof *prefix) == 0)
            return &state->networks[i];
    return NULL;
}

/* In the place of the one that it has not come from for longest, where all are taken. */
static void keep_network(struct watch_agent *state, const struct in6_addr *prefix, int64_t time_ns)
{
    struct watch_network *place = find_network(state, prefix);
    if (place == NULL && state->network_count < WATCH_NETWORKS)
        place = &state->networks[state->network_count++];
    if (place == NULL) {
        place = &state->networks[0];
        for (size_t i = 1; i < WATCH_NETWORKS; i++)
            if (state->networks[i].last_ns < place->last_ns)
                place = &state->networks[i];
    }
    place->prefix = *prefix;
    place->last_ns = time_ns;
}

static void tell_network(struct watch_agent *state, const struct in6_addr *prefix,
                         struct watch_change *change)
{
    char text[INET6_ADDRSTRLEN];
    bool v4 = IN6_IS_ADDR_V4MAPPED(prefix);
    state->counts[POLICY_ANOMALY_NETWORKS]++;
    text_of_address(prefix, text);
    snprintf(change->first_new[POLICY_ANOMALY_NETWORKS - POLICY_ANOMALY_RATES], WATCH_NEW_ROOM,
             "%s/%d", text, v4 ? 24 : 48);
}

/* ---- entries ---- */

static void take_people(struct watch_agent *state, const struct intake *intake)
{
    struct error error;
    size_t begin = 0;
    if (intake->run_count > 0 && state->people == NULL)
        CHECK((state->people = id_seen_new()) != NULL);
    for (size_t run = 0; run < intake->run_count; begin = intake->ends[run++]) {
        uint64_t fresh = 0;
        CHECK(id_seen_add(state->people, intake->ids + begin, intake->ends[run] - begin, &fresh,
                          &error) == STATUS_OK);
        state->counts[POLICY_ANOMALY_SUBJECTS] += fresh;
    }
}

/* Whoever is asked for again within the hour makes no step: the same few, asked for between the
 * steps of a walk or beside each, would otherwise take the places in which it is followed. */
static void take_steps(struct watch_agent *state, const struct intake *intake)
{
    struct error error;
    size_t begin = 0, taken = 0;
    if (intake->step_count > 0 && state->asked == NULL)
        CHECK((state->asked = id_seen_new()) != NULL);
    for (size_t i = 0; i < intake->step_count && taken < WATCH_STEPS;
         begin = intake->asked_ends[i++]) {
        uint64_t fresh = 0;
        CHECK(id_seen_add(state->asked, intake->asked + begin, intake->asked_ends[i] - begin,
                          &fresh, &error) == STATUS_OK);
        if (fresh == 0)
            continue;
        state->counts[POLICY_ANOMALY_WALK] += walk_take(&state->walk, &intake->steps[i]);
        taken++;
    }
}

static void take_counts(struct watch *watch, struct watch_agent *state,
                        const struct ledger_entry *entry, const struct intake *intake,
                        struct watch_change *change)
{
    take_people(state, intake);
    state->counts[POLICY_ANOMALY_ROWS] += intake->rows;
    state->counts[POLICY_ANOMALY_PROBES] += intake->probes;
    state->counts[POLICY_ANOMALY_ERRORS] += intake->errors;
    state->counts[POLICY_ANOMALY_STATEMENTS] += intake->statements;
    take_steps(state, intake);
    if (entry->type != LEDGER_DISCLOSURE)
        return;
    take_columns(watch, state, entry->column_set, change);
    for (size_t i = 0; i < entry->item_count; i++)
        take_columns(watch, state, entry->items[i].column_set, change);
}

/* What its sessions have under way leaves no more, once one of them is to be contained. */
static void hold(struct watch_agent *state, const struct ledger_entry *entry,
                 const struct intake *intake, struct watch_verdict *verdict)
{
    if (entry->session > state->newest_session)
        state->newest_session = entry->session;
    if (verdict->contain)
        state->cut_session = state->newest_session;
    verdict->contain =
        verdict->contain || (entry->session != 0 && entry->session <= state->cut_session);
    if (verdict->contain)
        state->counts[POLICY_ANOMALY_ROWS] -= intake->rows;
}

static void note_rates(struct watch_agent *state, const struct watch_change *change)
{
    int32_t day = history_day_of(state->hour * HOUR_NS);
    for (int rate = 0; rate < POLICY_ANOMALY_RATES; rate++)
        if (state->counts[rate] != change->before[rate])
            history_note(&state->history, day, (enum policy_anomaly)rate, state->counts[rate]);
}

/* All that one entry does to its agent. Locked by the caller. */
static void take(struct watch *watch, struct watch_agent *state,
                 const struct policy_partner *partner, const struct policy_agent *agent,
                 enum watch_mode mode, const struct ledger_entry *entry,
                 const struct intake *intake, struct watch_verdict *verdict)
{
    struct watch_change change;
    bool new_network = intake->has_network && find_network(state, &intake->network) == NULL;
    for (size_t i = 0; i < WATCH_NEW_KINDS; i++)
        change.first_new[i][0] = '\0';
    turn_hour(state, intake->time_ns / HOUR_NS);
    memcpy(change.before, state->counts, sizeof change.before);
    take_time(state, partner, agent, intake->time_ns, &change);
    take_counts(watch, state, entry, intake, &change);
    if (new_network)
        tell_network(state, &intake->network, &change);
    if (partner != NULL && mode != WATCH_REPLAY)
        watch_judge(state, partner, &change, verdict);
    if (mode == WATCH_LIVE)
        hold(state, entry, intake, verdict);
    if (intake->has_network && !verdict->contain)
        keep_network(state, &intake->network, intake->time_ns);
    note_rates(state, &change);
}

void watch_take(struct watch *watch, const struct policy_partner *partner,
                const struct policy_agent *agent, enum watch_mode mode,
                const struct ledger_entry *entry, struct watch_verdict *verdict)
{
    struct intake intake;
    verdict->contain = false;
    verdict->count = 0;
    CHECK((partner == NULL) == (agent == NULL));
    if (entry->type == LEDGER_COLUMN_SET)
        define_columns(watch, entry->column_set, entry->text);
    if (intake_read(&intake, &watch->sources,
                    partner == NULL ? WALK_STEP : partner->anomalies.walk_step, entry)) {
        struct watch_agent *state = find_agent(watch, entry->partner, entry->agent, true);
        if (state != NULL) {
            pthread_mutex_lock(&state->lock);
            take(watch, state, partner, agent, mode, entry, &intake, verdict);
            pthread_mutex_unlock(&state->lock);
        }
    }
    intake_free(&intake);
}

/* ---- how it stands ---- */

static void stand(struct watch_agent *state, const struct policy_partner *partner, int64_t now_ns,
                  struct watch_standing *standing)
{
    int64_t hour = now_ns / HOUR_NS;
    int32_t day = history_day_of(now_ns);
    bool at_hand = hour <= state->hour; /* a clock that went back, too */
    standing->known = true;
    standing->learned = watch_learned(state, &partner->anomalies, day);
    standing->worked_days = history_days_before(&state->history, day);
    standing->first_ns = state->history.first_ns;
    const struct history_greatest *past =
        history_greatest(&state->history, day, partner->anomalies.days);
    for (int at = 0; at < POLICY_ANOMALIES; at++) {
        struct watch_figure *figure = &standing->figures[at];
        figure->now = at_hand ? state->counts[at] : 0;
        figure->alarmed = at_hand && state->alarmed_hour[at] == state->hour;
        if (!policy_anomaly_is_rate((enum policy_anomaly)at))
            continue;
        figure->greatest = past->figure[at];
        figure->greatest_on = past->on[at];
        figure->bound = watch_bound(state, partner, (enum policy_anomaly)at, day);
    }
    standing->figures[POLICY_ANOMALY_COLUMNS].greatest = state->columns.count;
    standing->figures[POLICY_ANOMALY_HOURS].greatest = history_quarters(&state->history);
    standing->figures[POLICY_ANOMALY_NETWORKS].greatest = state->network_count;
}

void watch_standing(struct watch *watch, const struct policy_partner *partner,
                    const struct policy_agent *agent, int64_t now_ns,
                    struct watch_standing *standing)
{
    *standing = (struct watch_standing){.first_ns = INT64_MAX};
    for (int at = 0; at < POLICY_ANOMALY_RATES; at++)
        standing->figures[at].bound = partner->anomalies.rules[at].floor;
    struct watch_agent *state =
        find_agent(watch, slice_of_text(partner->name), slice_of_text(agent->name), false);
    if (state == NULL)
        return;
    pthread_mutex_lock(&state->lock);
    stand(state, partner, now_ns, standing);
    pthread_mutex_unlock(&state->lock);
}
