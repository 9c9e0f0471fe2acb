/* Charging adds to today's set and the all-time set; the entry, once recorded, adds to its quarter
 * as well. Rows are tried one by one and an overdrawn row is taken back. */
#include "exposure/accounts.h"

#include <pthread.h>
#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/name_map.h"

/* All zones' offsets are multiples of a quarter (since 1972), so every local day is a run of them.
 */
static const int64_t QUARTER_NS = 15LL * 60 * 1000000000;

enum { QUARTERS_KEPT = 26 * 4 }; /* the longest local day has 25 hours */

struct quarter {
    int64_t number; /* since 1970 */
    roaring_bitmap_t *ids;
    uint64_t probes, errors;
};

struct undo {
    uint32_t id;
    bool from_total;
};

struct account {
    pthread_mutex_t lock;
    roaring_bitmap_t *total, *today;
    uint64_t total_count, today_count;
    uint64_t probes_today, errors_today;
    int64_t day_from, day_until;            /* quarters of today, half open; equal: not known yet */
    char zone_name[64];                     /* in which today was reckoned */
    struct quarter quarters[QUARTERS_KEPT]; /* ascending */
    size_t quarter_count;
    struct undo *undo; /* what the row at hand has added */
    size_t undo_count, undo_capacity;
};

struct accounts {
    pthread_rwlock_t lock; /* of the map; accounts live as long as it */
    struct name_map map;
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
    for (size_t i = 0; i < account->quarter_count; i++)
        roaring_bitmap_free(account->quarters[i].ids);
    roaring_bitmap_free(account->total);
    roaring_bitmap_free(account->today);
    pthread_mutex_destroy(&account->lock);
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

static roaring_bitmap_t *new_set(void)
{
    roaring_bitmap_t *set = roaring_bitmap_create();
    CHECK(set != NULL);
    return set;
}

static struct account *add_account(struct accounts *accounts, struct slice name)
{
    pthread_rwlock_wrlock(&accounts->lock);
    struct account *account = name_map_get(&accounts->map, name);
    if (account == NULL) {
        account = calloc(1, sizeof *account);
        CHECK(account != NULL);
        pthread_mutex_init(&account->lock, NULL);
        account->total = new_set();
        account->today = new_set();
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

/* ---- days and quarters ---- */

static int64_t quarter_number(int64_t time_ns)
{
    int64_t number = time_ns / QUARTER_NS;
    return time_ns % QUARTER_NS < 0 ? number - 1 : number;
}

static int32_t day_of(const struct policy_budget *budget, int64_t quarter)
{
    return zone_local(budget->zone, quarter * QUARTER_NS).day_number;
}

static bool is_today(const struct account *account, int64_t quarter)
{
    return quarter >= account->day_from && quarter < account->day_until;
}

static void reckon_today(struct account *account)
{
    roaring_bitmap_clear(account->today);
    account->probes_today = account->errors_today = 0;
    for (size_t i = 0; i < account->quarter_count; i++) {
        const struct quarter *quarter = &account->quarters[i];
        if (!is_today(account, quarter->number))
            continue;
        roaring_bitmap_or_inplace(account->today, quarter->ids);
        account->probes_today += quarter->probes;
        account->errors_today += quarter->errors;
    }
    account->today_count = roaring_bitmap_get_cardinality(account->today);
}

/* Begins a new day where the partner's zone says so. */
static void turn_day(struct account *account, const struct policy_budget *budget, int64_t now_ns)
{
    char zone_name[sizeof account->zone_name];
    int64_t quarter = quarter_number(now_ns);
    snprintf(zone_name, sizeof zone_name, "%s",
             budget->zone == NULL || budget->zone_name == NULL ? "UTC" : budget->zone_name);
    if (is_today(account, quarter) && strcmp(zone_name, account->zone_name) == 0)
        return;
    int32_t day = day_of(budget, quarter);
    int64_t from = quarter, until = quarter + 1;
    while (quarter - from < QUARTERS_KEPT && day_of(budget, from - 1) == day)
        from--;
    while (until - quarter < QUARTERS_KEPT && day_of(budget, until) == day)
        until++;
    account->day_from = from;
    account->day_until = until;
    memcpy(account->zone_name, zone_name, sizeof zone_name);
    reckon_today(account);
}

static void drop_quarters(struct account *account, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roaring_bitmap_free(account->quarters[i].ids);
    account->quarter_count -= count;
    memmove(account->quarters, account->quarters + count,
            account->quarter_count * sizeof account->quarters[0]);
}

/* The quarter of that number, made where new; NULL for one too old to matter. */
static struct quarter *quarter_at(struct account *account, int64_t number)
{
    size_t at = account->quarter_count, stale = 0;
    while (at > 0 && account->quarters[at - 1].number >= number)
        at--;
    if (at < account->quarter_count && account->quarters[at].number == number)
        return &account->quarters[at];
    if (at < account->quarter_count &&
        number <= account->quarters[account->quarter_count - 1].number - QUARTERS_KEPT)
        return NULL;
    while (stale < at && account->quarters[stale].number <= number - QUARTERS_KEPT)
        stale++;
    drop_quarters(account, stale);
    at -= stale;
    CHECK(account->quarter_count < QUARTERS_KEPT);
    memmove(account->quarters + at + 1, account->quarters + at,
            (account->quarter_count - at) * sizeof account->quarters[0]);
    account->quarters[at] = (struct quarter){.number = number, .ids = new_set()};
    account->quarter_count++;
    return &account->quarters[at];
}

void accounts_take(struct accounts *accounts, struct slice partner, int64_t time_ns,
                   const uint32_t *ids, size_t count)
{
    struct account *account = lock_account(accounts, partner);
    int64_t number = quarter_number(time_ns);
    struct quarter *quarter = quarter_at(account, number);
    if (quarter != NULL)
        roaring_bitmap_add_many(quarter->ids, count, ids);
    roaring_bitmap_add_many(account->total, count, ids);
    account->total_count = roaring_bitmap_get_cardinality(account->total);
    if (is_today(account, number)) {
        roaring_bitmap_add_many(account->today, count, ids);
        account->today_count = roaring_bitmap_get_cardinality(account->today);
    }
    pthread_mutex_unlock(&account->lock);
}

/* ---- charging ---- */

static void add_undo(struct account *account, uint32_t id, bool from_total)
{
    if (account->undo_count == account->undo_capacity) {
        account->undo_capacity = account->undo_capacity == 0 ? 64 : account->undo_capacity * 2;
        account->undo = realloc(account->undo, account->undo_capacity * sizeof *account->undo);
        CHECK(account->undo != NULL);
    }
    account->undo[account->undo_count++] = (struct undo){.id = id, .from_total = from_total};
}

static void take_row_back(struct account *account)
{
    for (size_t i = 0; i < account->undo_count; i++) {
        roaring_bitmap_remove(account->today, account->undo[i].id);
        account->today_count--;
        if (account->undo[i].from_total) {
            roaring_bitmap_remove(account->total, account->undo[i].id);
            account->total_count--;
        }
    }
}

/* Adds the row's ids; false, with *charge saying why, where a limit is passed. */
static bool charge_row(struct account *account, const struct policy_budget *budget,
                       const uint32_t *ids, size_t count, struct exposure_charge *charge)
{
    account->undo_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!roaring_bitmap_add_checked(account->today, ids[i]))
            continue;
        bool new_in_total = roaring_bitmap_add_checked(account->total, ids[i]);
        account->today_count++;
        account->total_count += new_in_total;
        add_undo(account, ids[i], new_in_total);
        if (budget->subjects_per_day != 0 && account->today_count > budget->subjects_per_day) {
            charge->limit = "subjects per day";
            charge->limit_value = budget->subjects_per_day;
            return false;
        }
        if (new_in_total && budget->subjects_total != 0 &&
            account->total_count > budget->subjects_total) {
            charge->limit = "subjects in total";
            charge->limit_value = budget->subjects_total;
            return false;
        }
    }
    return true;
}

void accounts_charge(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, const uint32_t *ids, const size_t *row_ends, size_t row_count,
                     struct exposure_charge *charge)
{
    struct exposure_charge result = {0};
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn_day(account, &partner->budget, now_ns);
    size_t start = 0;
    for (; result.admitted_rows < row_count; result.admitted_rows++) {
        size_t end = row_ends[result.admitted_rows];
        CHECK(end >= start);
        if (!charge_row(account, &partner->budget, ids + start, end - start, &result)) {
            take_row_back(account);
            break;
        }
        result.charged += account->undo_count;
        start = end;
    }
    pthread_mutex_unlock(&account->lock);
    *charge = result;
}

/* ---- probes and errors ---- */

static bool is_within(uint64_t count, uint64_t bound)
{
    return bound == 0 || count <= bound;
}

static void count_in_quarter(struct account *account, int64_t time_ns, uint64_t probes,
                             uint64_t errors)
{
    int64_t number = quarter_number(time_ns);
    struct quarter *quarter = quarter_at(account, number);
    if (quarter != NULL) {
        quarter->probes += probes;
        quarter->errors += errors;
    }
    if (is_today(account, number)) {
        account->probes_today += probes;
        account->errors_today += errors;
    }
}

bool accounts_probes_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns, uint64_t count)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn_day(account, &partner->budget, now_ns);
    bool left = is_within(account->probes_today + count, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return left;
}

bool accounts_count_error(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn_day(account, &partner->budget, now_ns);
    count_in_quarter(account, now_ns, 1, 1);
    bool within = is_within(account->errors_today, partner->budget.errors_per_day) &&
                  is_within(account->probes_today, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return within;
}

bool accounts_errors_left(struct accounts *accounts, const struct policy_partner *partner,
                          int64_t now_ns)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn_day(account, &partner->budget, now_ns);
    bool left = is_within(account->errors_today + 1, partner->budget.errors_per_day) &&
                is_within(account->probes_today, partner->budget.probes_per_day);
    pthread_mutex_unlock(&account->lock);
    return left;
}

void accounts_recount(struct accounts *accounts, struct slice partner, int64_t time_ns,
                      uint64_t probes, uint64_t errors)
{
    struct account *account = lock_account(accounts, partner);
    count_in_quarter(account, time_ns, probes, errors);
    pthread_mutex_unlock(&account->lock);
}

void accounts_budget(struct accounts *accounts, const struct policy_partner *partner,
                     int64_t now_ns, struct exposure_budget *budget)
{
    struct account *account = lock_account(accounts, slice_of_text(partner->name));
    turn_day(account, &partner->budget, now_ns);
    *budget = (struct exposure_budget){.subjects_today = account->today_count,
                                       .subjects_total = account->total_count,
                                       .probes_today = account->probes_today,
                                       .errors_today = account->errors_today};
    pthread_mutex_unlock(&account->lock);
}
