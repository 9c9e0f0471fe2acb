/* Charging adds to the gauges that count a subject; the entry, once recorded, adds to its series,
 * from which gauges are reckoned afresh. Rows are tried one by one and an overdrawn row is taken
 * back from all gauges. */
#include "exposure/accounts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/forecast.h"
#include "exposure/gauge.h"
#include "exposure/known.h"
#include "exposure/name_map.h"
#include "exposure/raises.h"
#include "exposure/series.h"
#include "exposure/today.h"
#include "exposure/windows.h"

enum {
    GAUGE_DAY = 0,   /* subjects_per_day */
    GAUGE_TOTAL = 1, /* subjects_total */
    GAUGE_FIRST = 2, /* of the policy's list */
    GAUGES = GAUGE_FIRST + POLICY_LIMITS_MAX,
};

struct undo {
    uint32_t id, gauges; /* those to which it was new */
};

/* What counts a class of subjects. */
struct counting {
    uint32_t gauges;         /* a bit each */
    roaring_bitmap_t *known; /* to all of them; NULL: not kept */
};

struct account {
    pthread_mutex_t lock;
    struct series_list series;
    struct gauge gauges[GAUGES];
    size_t gauge_count;
    struct known_list known;
    uint64_t bounds[GAUGES]; /* of the charge at hand, raises included; 0: none */
    struct raises raises;
    struct today today;
    char zone_name[64]; /* in which windows were reckoned */
    struct undo *undo;  /* what the row at hand has added */
    size_t undo_count, undo_capacity;
    struct counting *classes; /* of the charge at hand */
    size_t class_capacity;
};

struct accounts {
    pthread_rwlock_t lock; /* of the map; accounts live as long as it */
    struct name_map map;
    struct gauge_texts texts;
};

enum status accounts_new(struct accounts **out, struct error *error)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    if (accounts == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_rwlock_init(&accounts->lock, NULL);
    *out = accounts;
    return STATUS_OK;
}

static void account_free(struct account *account)
{
    for (size_t i = 0; i < account->gauge_count; i++)
        gauge_free(&account->gauges[i]);
    series_free(&account->series);
    raises_free(&account->raises);
    pthread_mutex_destroy(&account->lock);
    known_forget(&account->known);
    free(account->classes);
    free(account->undo);
    free(account);
}

void accounts_free(struct accounts *accounts)
{
    if (accounts == NULL)
        return;
    for (size_t i = 0; i < accounts->map.count; i++)
        account_free(accounts->map.entries[i].value);
    name_map_free(&accounts->map);
    pthread_rwlock_destroy(&accounts->lock);
    free(accounts);
}

void accounts_know_texts(struct accounts *accounts, const struct gauge_texts *texts)
{
    accounts->texts = *texts;
}

static void init_gauges(struct account *account)
{
    gauge_init(&account->gauges[GAUGE_DAY],
               &(struct policy_limit){.name = "per_day", .window = POLICY_PER_DAY});
    gauge_init(&account->gauges[GAUGE_TOTAL],
               &(struct policy_limit){.name = "total", .window = POLICY_EVER});
    account->gauge_count = GAUGE_FIRST;
}

static struct account *add_account(struct accounts *accounts, struct slice name)
{
    pthread_rwlock_wrlock(&accounts->lock);
    struct account *account = name_map_get(&accounts->map, name);
    if (account == NULL) {
        account = calloc(1, sizeof *account);
        CHECK(account != NULL);
        pthread_mutex_init(&account->lock, NULL);
        init_gauges(account);
        name_map_put(&accounts->map, name, account);
    }
    pthread_rwlock_unlock(&accounts->lock);
    return account;
}

/* The account, locked. */
static struct account *lock_account(struct accounts *accounts, struct slice name)
{
    pthread_rwlock_rdlock(&accounts->lock);
    struct account *account = name_map_get(&accounts->map, name);
    pthread_rwlock_unlock(&accounts->lock);
    if (account == NULL)
        account = add_account(accounts, name);
    pthread_mutex_lock(&account->lock);
    return account;
}

/* ---- windows ---- */

/* Another zone has other days, weeks and months. */
static void take_zone(struct account *account, const struct policy_budget *budget)
{
    const char *name =
        budget->zone == NULL || budget->zone_name == NULL ? "UTC" : budget->zone_name;
    if (strncmp(name, account->zone_name, sizeof account->zone_name - 1) == 0)
        return;
    snprintf(account->zone_name, sizeof account->zone_name, "%s", name);
    account->today.from = account->today.until = 0;
    for (size_t i = 0; i < account->gauge_count; i++)
        account->gauges[i].reckoned = account->gauges[i].window == POLICY_EVER;
}

/* One gauge a limit of the policy in force. */
static void take_limits(struct account *account, const struct policy_budget *budget)
{
    size_t wanted = GAUGE_FIRST + budget->limit_count;
    CHECK(budget->limit_count <= POLICY_LIMITS_MAX);
    for (; account->gauge_count > wanted; account->gauge_count--) {
        gauge_free(&account->gauges[account->gauge_count - 1]);
        known_forget(&account->known);
    }
    for (size_t i = 0; i < budget->limit_count; i++) {
        struct gauge *gauge = &account->gauges[GAUGE_FIRST + i];
        if (GAUGE_FIRST + i < account->gauge_count) {
            if (gauge_is_of(gauge, &budget->limits[i]))
                continue;
            gauge_free(gauge);
            known_forget(&account->known);
        }
        gauge_init(gauge, &budget->limits[i]);
        if (GAUGE_FIRST + i == account->gauge_count)
            account->gauge_count++;
    }
}

/* Turns all windows to where that instant is. */
static void turn(struct accounts *accounts, struct account *account,
                 const struct policy_budget *budget, int64_t now_ns)
{
    int64_t quarter = window_quarter(now_ns);
    take_zone(account, budget);
    take_limits(account, budget);
    for (size_t i = 0; i < account->gauge_count; i++)
        if (gauge_turn(&account->gauges[i], &accounts->texts, &account->series, budget->zone,
                       quarter))
            known_forget(&account->known);
    today_turn(&account->today, account->gauges[GAUGE_DAY].at.from,
               account->gauges[GAUGE_DAY].at.until);
}

void accounts_take(struct accounts *accounts, const struct account_place *place, int64_t time_ns,
                   const uint32_t *ids, size_t count)
{
    struct account *account = lock_account(accounts, place->partner);
    int64_t quarter = window_quarter(time_ns);
    const struct series_name name = {
        .agent = place->agent, .purpose = place->purpose, .column_set = place->column_set};
    series_add(series_at(&account->series, &name), quarter, ids, count);
    for (size_t i = 0; i < account->gauge_count; i++)
        if (account->gauges[i].reckoned &&
            gauge_counts(&account->gauges[i], &accounts->texts, &name))
            gauge_add(&account->gauges[i], quarter, ids, count);
    pthread_mutex_unlock(&account->lock);
}

/* ---- charging ---- */

static void add_undo(struct account *account, uint32_t id, uint32_t gauges)
{
    if (account->undo_count == account->undo_capacity) {
        account->undo_capacity = account->undo_capacity == 0 ? 64 : account->undo_capacity * 2;
        account->undo = realloc(account->undo, account->undo_capacity * sizeof *account->undo);
        CHECK(account->undo != NULL);
    }
    account->undo[account->undo_count++] = (struct undo){.id = id, .gauges = gauges};
}

static void take_row_back(struct account *account)
{
    for (size_t i = 0; i < account->undo_count; i++) {
        known_remove(&account->known, account->undo[i].id);
        for (uint32_t left = account->undo[i].gauges; left != 0; left &= left - 1) {
            struct gauge *gauge = &account->gauges[__builtin_ctz(left)];
            roaring_bitmap_remove(gauge->ids, account->undo[i].id);
            gauge->count--;
        }
    }
}

/* What is to be charged, as the account sees it. */
struct charging {
    struct account *account;
    const struct exposure_subjects *subjects;
    const struct policy_budget *budget;
    int64_t now_ns;
    bool fresh; /* somebody was new to a gauge */
};

static void tell_limit(const struct account *account, size_t at, struct exposure_charge *charge)
{
    const struct gauge *gauge = &account->gauges[at];
    charge->limit = window_phrase(gauge->window);
    charge->limit_value = account->bounds[at];
    snprintf(charge->limit_name, sizeof charge->limit_name, "%s", gauge->name);
}

/* Adds the row's ids; false, with *charge saying why, where a limit is passed. Who is known to the
 * day is known to the total. */
static bool charge_row(struct charging *charging, size_t start, size_t end,
                       struct exposure_charge *charge, size_t *passed)
{
    struct account *account = charging->account;
    const struct exposure_subjects *subjects = charging->subjects;
    const uint32_t day = 1u << GAUGE_DAY;
    account->undo_count = 0;
    for (size_t i = start; i < end; i++) {
        const struct counting *counting =
            &account->classes[subjects->classes == NULL ? 0 : subjects->classes[i]];
        uint32_t fresh = 0, over = 0;
        if (counting->known != NULL &&
            !roaring_bitmap_add_checked(counting->known, subjects->ids[i]))
            continue;
        for (uint32_t left = counting->gauges; left != 0; left &= left - 1) {
            size_t at = (size_t)__builtin_ctz(left);
            struct gauge *gauge = &account->gauges[at];
            if (at == GAUGE_TOTAL && (fresh & day) == 0)
                continue;
            if (!roaring_bitmap_add_checked(gauge->ids, subjects->ids[i]))
                continue;
            fresh |= 1u << at;
            gauge->count++;
            if (account->bounds[at] != 0 && gauge->count > account->bounds[at])
                over |= 1u << at;
        }
        charging->fresh = charging->fresh || fresh != 0;
        if (fresh != 0)
            add_undo(account, subjects->ids[i], fresh);
        charge->charged += fresh & day;
        if (over != 0) {
            *passed = (size_t)__builtin_ctz(over);
            tell_limit(account, *passed, charge);
            return false;
        }
    }
    return true;
}

static uint64_t policy_bound(const struct policy_budget *budget, size_t at)
{
    if (at == GAUGE_DAY)
        return budget->subjects_per_day;
    return at == GAUGE_TOTAL ? budget->subjects_total : budget->limits[at - GAUGE_FIRST].subjects;
}

static struct series_name class_name(const struct exposure_subjects *subjects, size_t class)
{
    return (struct series_name){
        .agent = slice_of_text(subjects->agent == NULL ? "" : subjects->agent),
        .purpose = slice_of_text(subjects->purpose == NULL ? "" : subjects->purpose),
        .column_set = subjects->column_sets == NULL ? 0 : subjects->column_sets[class]};
}

/* Which gauges count each class. */
static void reckon_classes(struct accounts *accounts, struct charging *charging)
{
    struct account *account = charging->account;
    size_t classes = charging->subjects->column_sets == NULL ? 1 : charging->subjects->class_count;
    if (classes > account->class_capacity) {
        free(account->classes);
        account->classes = calloc(classes, sizeof *account->classes);
        CHECK(account->classes != NULL);
        account->class_capacity = classes;
    }
    for (size_t c = 0; c < classes; c++) {
        const struct series_name name = class_name(charging->subjects, c);
        uint32_t gauges = 1u << GAUGE_DAY | 1u << GAUGE_TOTAL;
        for (size_t at = GAUGE_FIRST; at < account->gauge_count; at++)
            if (gauge_counts(&account->gauges[at], &accounts->texts, &name))
                gauges |= 1u << at;
        account->classes[c] =
            (struct counting){.gauges = gauges, .known = known_at(&account->known, gauges)};
    }
}

static uint64_t bound_at(const struct account *account, const struct policy_budget *budget,
                         size_t at, int64_t now_ns, int64_t *raised_until_ns)
{
    *raised_until_ns = 0;
    return raises_bound(&account->raises, account->gauges[at].name, policy_bound(budget, at),
                        now_ns, raised_until_ns);
}

static void begin_charge(struct accounts *accounts, struct charging *charging)
{
    int64_t until_ns;
    struct account *account = charging->account;
    turn(accounts, account, charging->budget, charging->now_ns);
    for (size_t at = 0; at < account->gauge_count; at++)
        account->bounds[at] = bound_at(account, charging->budget, at, charging->now_ns, &until_ns);
    reckon_classes(accounts, charging);
}

/* Into the series at once, not only when the entry is recorded: a window that turns between the
 * two would lose them. "Today" turns at midnight, and then they were yesterday's. */
static void keep_charged(struct charging *charging, size_t end)
{
    const struct exposure_subjects *subjects = charging->subjects;
    int64_t quarter = window_quarter(charging->now_ns);
    if (!charging->fresh)
        return;
    for (size_t i = 0; i < end;) {
        size_t class = subjects->classes == NULL ? 0 : subjects->classes[i], run = i;
        const struct series_name name = class_name(subjects, class);
        struct series *series = series_at(&charging->account->series, &name);
        while (run < end && (subjects->classes == NULL || subjects->classes[run] == class))
            run++;
        series_add(series, quarter, subjects->ids + i, run - i);
        i = run;
    }
}

/* When the first of those who are counted no longer is; INT64_MAX: never. */
static int64_t frees_at(struct accounts *accounts, const struct account *account,
                        struct gauge *gauge)
{
    int64_t earliest = INT64_MAX;
    if (gauge->window == POLICY_EVER)
        return INT64_MAX;
    if (gauge->window < POLICY_PER_24H)
        return window_instant(gauge->at.until);
    for (size_t i = 0; i < account->series.count; i++) {
        const struct series *series = account->series.all[i];
        const struct series_name name = {.agent = slice_of_text(series->agent),
                                         .purpose = slice_of_text(series->purpose),
                                         .column_set = series->column_set};
        int64_t from = gauge_counts(gauge, &accounts->texts, &name)
                           ? series_earliest(series, gauge->at.from)
                           : INT64_MAX;
        earliest = from < earliest ? from : earliest;
    }
    if (earliest == INT64_MAX)
        earliest = gauge->at.until - 1;
    /* The window's begin moves with its end: by as much as the earliest is behind the begin. */
    return window_instant(gauge->at.until + (earliest - gauge->at.from));
}

static bool is_near(uint64_t count, uint64_t bound, const struct policy_budget *budget)
{
    uint64_t warn_at = budget->warn_at == 0 ? POLICY_WARN_AT : budget->warn_at;
    return bound != 0 && count >= bound / 100 * warn_at + (bound % 100 * warn_at + 99) / 100;
}

/* Once a limit and window: whoever is handed the warning has to record it. */
static void add_warnings(const struct charging *charging, struct exposure_charge *charge)
{
    struct account *account = charging->account;
    int64_t quarter = window_quarter(charging->now_ns);
    for (size_t at = 0; at < account->gauge_count; at++) {
        const struct gauge *gauge = &account->gauges[at];
        uint64_t bound = account->bounds[at];
        if (!is_near(gauge->count, bound, charging->budget) ||
            charge->warning_count == EXPOSURE_WARNINGS ||
            raises_warned(&account->raises, gauge, bound, quarter))
            continue;
        raises_warn(&account->raises, gauge, bound, quarter);
        struct exposure_warning *warning = &charge->warnings[charge->warning_count++];
        *warning = (struct exposure_warning){
            .phrase = window_phrase(gauge->window),
            .used = gauge->count,
            .of = bound,
            .from_ns = gauge->at.from == INT64_MIN ? INT64_MIN : window_instant(gauge->at.from)};
        snprintf(warning->limit, sizeof warning->limit, "%s", gauge->name);
    }
}

void accounts_charge(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, const struct exposure_subjects *subjects,
                     struct exposure_charge *charge)
{
    struct exposure_charge result = {.frees_at_ns = INT64_MAX};
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    struct charging charging = {
        .account = account, .subjects = subjects, .budget = &partner->budget, .now_ns = now_ns};
    begin_charge(accounts, &charging);
    size_t start = 0, passed = 0;
    for (; result.admitted_rows < subjects->row_count; result.admitted_rows++) {
        size_t end = subjects->row_ends[result.admitted_rows];
        uint64_t charged = result.charged;
        CHECK(end >= start);
        if (!charge_row(&charging, start, end, &result, &passed)) {
            take_row_back(account);
            result.charged = charged;
            result.frees_at_ns = frees_at(accounts, account, &account->gauges[passed]);
            break;
        }
        start = end;
    }
    keep_charged(&charging, start);
    add_warnings(&charging, &result);
    pthread_mutex_unlock(&account->lock);
    *charge = result;
}

/* ---- probes and errors ---- */

static bool is_within(uint64_t count, uint64_t bound)
{
    return bound == 0 || count <= bound;
}

bool accounts_probes_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns, uint64_t count)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn(accounts, account, &partner->budget, now_ns);
    bool left = is_within(account->today.probes + count, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return left;
}

bool accounts_count_error(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn(accounts, account, &partner->budget, now_ns);
    today_count(&account->today, window_quarter(now_ns), 1, 1);
    bool within = is_within(account->today.errors, partner->budget.errors_per_day) &&
                  is_within(account->today.probes, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return within;
}

bool accounts_errors_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn(accounts, account, &partner->budget, now_ns);
    bool left = is_within(account->today.errors + 1, partner->budget.errors_per_day) &&
                is_within(account->today.probes, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return left;
}

void accounts_recount(struct accounts *accounts, struct slice partner, int64_t time_ns,
                      uint64_t probes, uint64_t errors)
{
    struct account *account = lock_account(accounts, partner);
    today_count(&account->today, window_quarter(time_ns), probes, errors);
    pthread_mutex_unlock(&account->lock);
}

void accounts_budget(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, struct exposure_budget *budget)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn(accounts, account, &partner->budget, now_ns);
    *budget = (struct exposure_budget){.subjects_today = account->gauges[GAUGE_DAY].count,
                                       .subjects_total = account->gauges[GAUGE_TOTAL].count,
                                       .probes_today = account->today.probes,
                                       .errors_today = account->today.errors};
    pthread_mutex_unlock(&account->lock);
}

/* ---- limits and raises ---- */

static void tell_gauge(struct accounts *accounts, struct account *account,
                       const struct policy_budget *budget, size_t at, int64_t now_ns,
                       struct exposure_limit *limit)
{
    struct gauge *gauge = &account->gauges[at];
    int64_t quarter = window_quarter(now_ns);
    *limit = (struct exposure_limit){.window = policy_windows[gauge->window], .used = gauge->count};
    snprintf(limit->name, sizeof limit->name, "%s", gauge->name);
    limit->of = bound_at(account, budget, at, now_ns, &limit->raised_until_ns);
    limit->warned = limit->of != 0 && raises_warned(&account->raises, gauge, limit->of, quarter);
    limit->pace = forecast_pace(gauge, &accounts->texts, &account->series, quarter);
    limit->used_up_ns =
        limit->of == 0 ? INT64_MAX : forecast_end(gauge, limit->of, limit->pace, now_ns);
    limit->frees_at_ns = frees_at(accounts, account, gauge);
}

size_t accounts_limits(struct accounts *accounts, const struct policy_partner *partner,
                       int64_t now_ns, struct exposure_limit limits[static EXPOSURE_LIMITS])
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn(accounts, account, &partner->budget, now_ns);
    size_t count = account->gauge_count;
    for (size_t at = 0; at < count; at++)
        tell_gauge(accounts, account, &partner->budget, at, now_ns, &limits[at]);
    pthread_mutex_unlock(&account->lock);
    return count;
}

void accounts_take_act(struct accounts *accounts, uint64_t sequence, struct slice partner,
                       int64_t time_ns, struct slice text)
{
    struct account *account = lock_account(accounts, partner);
    raises_take(&account->raises, sequence, time_ns, text);
    pthread_mutex_unlock(&account->lock);
}

/* A copy of the partner's raises; NULL where it has none. */
static struct exposure_raise *copy_raises(struct account *account, size_t *count)
{
    pthread_mutex_lock(&account->lock);
    *count = account->raises.count;
    struct exposure_raise *copy = calloc(*count + 1, sizeof *copy);
    CHECK(copy != NULL);
    if (*count > 0)
        memcpy(copy, account->raises.all, *count * sizeof *copy);
    pthread_mutex_unlock(&account->lock);
    return copy;
}

static bool visit_raises(struct account *account, const char *partner, int64_t now_ns,
                         bool (*visit)(void *context, const struct exposure_raise *raise),
                         void *context)
{
    size_t count;
    bool more = true;
    struct exposure_raise *raises = copy_raises(account, &count);
    for (size_t i = 0; i < count && more; i++) {
        if (raises[i].until_ns <= now_ns || raises[i].state == EXPOSURE_RAISE_REVOKED)
            continue;
        snprintf(raises[i].partner, sizeof raises[i].partner, "%s", partner);
        more = visit(context, &raises[i]);
    }
    free(raises);
    return more;
}

void accounts_raises(struct accounts *accounts, const char *partner, int64_t now_ns,
                     bool (*visit)(void *context, const struct exposure_raise *raise),
                     void *context)
{
    bool more = true;
    pthread_rwlock_rdlock(&accounts->lock);
    for (size_t i = 0; i < accounts->map.count && more; i++)
        if (partner == NULL || strcmp(partner, accounts->map.entries[i].name) == 0)
            more = visit_raises(accounts->map.entries[i].value, accounts->map.entries[i].name,
                                now_ns, visit, context);
    pthread_rwlock_unlock(&accounts->lock);
}

/* ---- forgetting ---- */

void accounts_each(struct accounts *accounts, void (*visit)(void *context, const char *partner),
                   void *context)
{
    pthread_rwlock_rdlock(&accounts->lock);
    for (size_t i = 0; i < accounts->map.count; i++)
        visit(context, accounts->map.entries[i].name);
    pthread_rwlock_unlock(&accounts->lock);
}

static void keep_account(struct account *account, const struct account *kept, int64_t now_ns)
{
    int64_t quarter = window_quarter(now_ns);
    for (size_t i = 0; i < account->series.count; i++) {
        struct series *series = account->series.all[i];
        const struct series_name name = {.agent = slice_of_text(series->agent),
                                         .purpose = slice_of_text(series->purpose),
                                         .column_set = series->column_set};
        series_keep(series, kept == NULL ? NULL : series_find(&kept->series, &name), quarter);
    }
    for (size_t i = 0; i < account->gauge_count; i++)
        account->gauges[i].reckoned = false;
}

void accounts_keep(struct accounts *accounts, struct accounts *kept, int64_t now_ns)
{
    pthread_rwlock_rdlock(&accounts->lock);
    for (size_t i = 0; i < accounts->map.count; i++) {
        struct account *account = accounts->map.entries[i].value;
        const char *name = accounts->map.entries[i].name;
        pthread_mutex_lock(&account->lock);
        keep_account(account, name_map_get(&kept->map, slice_of_text(name)), now_ns);
        pthread_mutex_unlock(&account->lock);
    }
    pthread_rwlock_unlock(&accounts->lock);
}
