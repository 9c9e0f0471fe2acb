/* Tables of fixed size, each of sets of eight entries; a keyed hash of what an entry is about says
 * which set. In a full set the entry with the fewest failures makes way, so that many new names do
 * not wash out one that has failed often.
 * An entry's failures are forgotten one by one. A pair and an address let one verdict out after the
 * other: `next_ns` is when the next one may go, so many at once are no faster than one. */
#include "gateway/login/backoff.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

enum { WAYS = 8, PAIR_ENTRIES = 4096, ADDRESS_ENTRIES = 4096, NAME_ENTRIES = 4096 };
enum { CANCEL_ENTRIES = 1024, PASSED_ENTRIES = 4096 };
enum { PAIR_FREE = 3, ADDRESS_FREE = 20, NAME_FREE = 100, CANCEL_FREE = 10, NAME_MOST_S = 10 };

#define KINDS (BACKOFF_CANCEL + 1)

static const int64_t second_ns = 1000000000, minute_ns = 60 * second_ns, hour_ns = 60 * minute_ns;

struct entry {
    uint64_t tag; /* 0: empty */
    int64_t decayed_ns, next_ns, reported_ns, hour_began_ns;
    uint32_t failures, hour_failures;
    uint64_t unreported;
    struct in6_addr address;
    bool known, alarm_due;
    char login[BACKOFF_LOGIN_ROOM];
};

struct table {
    struct entry *entries;
    size_t count;       /* a multiple of WAYS, a power of two */
    int64_t forgets_ns; /* one failure in that time */
    uint32_t most;      /* failures that are remembered */
};

struct passed { /* a pair that has logged in */
    uint64_t tag;
    int64_t last_ns;
};

struct backoff {
    pthread_mutex_t lock;
    uint8_t key[32];
    struct table tables[KINDS];
    struct passed passed[PASSED_ENTRIES];
    uint64_t others; /* failures of entries that have made way, not reported */
    uint64_t unreported;
    size_t alarms_due;
    int64_t minute_began_ns;
    unsigned reported_this_minute;
};

/* ---- tables ---- */

enum status backoff_open(struct backoff **out, struct error *error)
{
    static const struct table kinds[KINDS] = {
        [BACKOFF_PAIR] = {.count = PAIR_ENTRIES, .most = PAIR_FREE + 12},
        [BACKOFF_ADDRESS] = {.count = ADDRESS_ENTRIES, .most = ADDRESS_FREE + 20},
        [BACKOFF_NAME] = {.count = NAME_ENTRIES, .most = NAME_FREE + 200},
        [BACKOFF_CANCEL] = {.count = CANCEL_ENTRIES, .most = CANCEL_FREE + 60},
    };
    struct backoff *backoff = calloc(1, sizeof *backoff);
    if (backoff == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    pthread_mutex_init(&backoff->lock, NULL);
    crypto_random(backoff->key, sizeof backoff->key);
    for (int i = 0; i < KINDS; i++) {
        backoff->tables[i] = kinds[i];
        backoff->tables[i].forgets_ns = i == BACKOFF_CANCEL ? second_ns : minute_ns;
        backoff->tables[i].entries = calloc(kinds[i].count, sizeof(struct entry));
        if (backoff->tables[i].entries == NULL) {
            backoff_close(backoff);
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        }
    }
    *out = backoff;
    return STATUS_OK;
}

void backoff_close(struct backoff *backoff)
{
    if (backoff == NULL)
        return;
    for (int i = 0; i < KINDS; i++)
        free(backoff->tables[i].entries);
    pthread_mutex_destroy(&backoff->lock);
    free(backoff);
}

/* Of IPv6 the network of 64 bits: a host has all of its addresses. */
static struct in6_addr place_of(const struct in6_addr *address)
{
    struct in6_addr place = *address;
    if (!IN6_IS_ADDR_V4MAPPED(&place))
        memset(place.s6_addr + 8, 0, 8);
    return place;
}

static uint64_t tag_of(const struct backoff *backoff, enum backoff_kind kind, const char *login,
                       const struct in6_addr *address)
{
    uint8_t digest[32], what = (uint8_t)kind;
    uint64_t tag;
    struct slice parts[] = {slice_of(&what, 1), slice_of(address->s6_addr, sizeof *address),
                            slice_of_text(login)};
    crypto_hmac_sha256(slice_of(backoff->key, sizeof backoff->key), parts, 3, digest);
    memcpy(&tag, digest, sizeof tag);
    return tag == 0 ? 1 : tag;
}

static void forget(const struct table *table, struct entry *entry, int64_t now_ns)
{
    int64_t steps = (now_ns - entry->decayed_ns) / table->forgets_ns;
    if (entry->failures == 0 || steps <= 0)
        return;
    entry->failures -= steps < entry->failures ? (uint32_t)steps : entry->failures;
    entry->decayed_ns += steps * table->forgets_ns;
}

/* NULL if there is none. */
static struct entry *find(struct table *table, uint64_t tag, int64_t now_ns)
{
    struct entry *set = &table->entries[tag % (table->count / WAYS) * WAYS];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag != tag)
            continue;
        forget(table, &set[i], now_ns);
        return &set[i];
    }
    return NULL;
}

/* In a full set the entry with the fewest failures makes way, of these the oldest. */
static struct entry *find_or_make(struct backoff *backoff, enum backoff_kind kind,
                                  const struct backoff_from *from, int64_t now_ns)
{
    struct table *table = &backoff->tables[kind];
    uint64_t tag = tag_of(backoff, kind, from->login, &from->address);
    struct entry *entry = find(table, tag, now_ns);
    if (entry != NULL)
        return entry;
    struct entry *set = &table->entries[tag % (table->count / WAYS) * WAYS];
    entry = set;
    for (size_t i = 0; i < WAYS; i++) {
        forget(table, &set[i], now_ns);
        if (set[i].tag == 0) {
            entry = &set[i];
            break;
        }
        if (set[i].failures < entry->failures ||
            (set[i].failures == entry->failures && set[i].decayed_ns < entry->decayed_ns))
            entry = &set[i];
    }
    backoff->others += entry->unreported;
    backoff->alarms_due -= entry->alarm_due;
    *entry = (struct entry){.tag = tag,
                            .decayed_ns = now_ns,
                            .hour_began_ns = now_ns,
                            .reported_ns = now_ns - minute_ns,
                            .address = from->address,
                            .known = from->known};
    size_t len = strnlen(from->login, sizeof entry->login - 1);
    memcpy(entry->login, from->login, len);
    return entry;
}

/* ---- those who have logged in ---- */

static struct passed *passed_set(struct backoff *backoff, uint64_t tag)
{
    return &backoff->passed[tag % (PASSED_ENTRIES / WAYS) * WAYS];
}

static bool has_passed(struct backoff *backoff, uint64_t tag)
{
    const struct passed *set = passed_set(backoff, tag);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].tag == tag)
            return true;
    return false;
}

static void remember_passed(struct backoff *backoff, uint64_t tag, int64_t now_ns)
{
    struct passed *set = passed_set(backoff, tag), *chosen = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag == tag || set[i].tag == 0) {
            chosen = &set[i];
            break;
        }
        if (set[i].last_ns < chosen->last_ns)
            chosen = &set[i];
    }
    *chosen = (struct passed){.tag = tag, .last_ns = now_ns};
}

/* ---- waits ---- */

/* Between the verdict that made it so many failures and the next: 1, 2, 4 … 60 s. */
static int64_t pause_ns(uint32_t failures, uint32_t free_of_charge)
{
    if (failures < free_of_charge)
        return 0;
    uint32_t doublings = failures - free_of_charge;
    int64_t seconds = doublings > 5 ? BACKOFF_MOST_S : (int64_t)1 << doublings;
    return seconds * second_ns;
}

static int64_t until_next_ns(const struct entry *entry, int64_t now_ns)
{
    return entry == NULL || entry->next_ns <= now_ns ? 0 : entry->next_ns - now_ns;
}

/* A name has no turns: others could keep them taken. */
static int64_t name_pause_ns(const struct entry *entry)
{
    if (entry == NULL || entry->failures <= NAME_FREE)
        return 0;
    int64_t seconds = 1 + (entry->failures - NAME_FREE) / 10;
    return (seconds > NAME_MOST_S ? NAME_MOST_S : seconds) * second_ns;
}

static void count_failure(const struct table *table, struct entry *entry, uint32_t free_of_charge,
                          int64_t now_ns)
{
    if (entry->failures == 0)
        entry->decayed_ns = now_ns;
    if (entry->failures < table->most)
        entry->failures++;
    int64_t pause = pause_ns(entry->failures, free_of_charge);
    if (pause > 0)
        entry->next_ns = (entry->next_ns > now_ns ? entry->next_ns : now_ns) + pause;
}

static void count_hour(struct backoff *backoff, struct entry *entry, int64_t now_ns)
{
    if (now_ns - entry->hour_began_ns >= hour_ns) {
        entry->hour_began_ns = now_ns;
        entry->hour_failures = 0;
    }
    if (++entry->hour_failures != BACKOFF_ALARM_FAILURES || entry->alarm_due)
        return;
    entry->alarm_due = true;
    backoff->alarms_due++;
}

/* ---- reports ---- */

static bool may_report(struct backoff *backoff, int64_t now_ns)
{
    if (now_ns - backoff->minute_began_ns >= minute_ns) {
        backoff->minute_began_ns = now_ns;
        backoff->reported_this_minute = 0;
    }
    return backoff->reported_this_minute < BACKOFF_REPORTS_A_MINUTE;
}

static bool take_report(struct backoff *backoff, struct entry *entry, bool all, int64_t now_ns,
                        struct backoff_report *report)
{
    bool due = now_ns - entry->reported_ns >= minute_ns && may_report(backoff, now_ns);
    if (entry->unreported == 0 || (!due && !all))
        return false;
    *report = (struct backoff_report){.address = entry->address, .failures = entry->unreported};
    if (entry->known)
        memcpy(report->login, entry->login, sizeof report->login);
    backoff->unreported -= entry->unreported;
    entry->unreported = 0;
    entry->reported_ns = now_ns;
    backoff->reported_this_minute++;
    return true;
}

size_t backoff_reports(struct backoff *backoff, int64_t now_ns, bool all,
                       struct backoff_report *reports, size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&backoff->lock);
    for (enum backoff_kind kind = BACKOFF_PAIR; kind <= BACKOFF_ADDRESS; kind++) {
        struct table *table = &backoff->tables[kind];
        for (size_t i = 0; i < table->count && count < capacity && backoff->unreported > 0; i++)
            count += take_report(backoff, &table->entries[i], all, now_ns, &reports[count]);
    }
    if (count < capacity && backoff->others > 0 && (all || may_report(backoff, now_ns))) {
        reports[count++] = (struct backoff_report){.failures = backoff->others};
        backoff->unreported -= backoff->others;
        backoff->others = 0;
        backoff->reported_this_minute++;
    }
    pthread_mutex_unlock(&backoff->lock);
    return count;
}

size_t backoff_alarms(struct backoff *backoff, char (*logins)[BACKOFF_LOGIN_ROOM], size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&backoff->lock);
    struct table *table = &backoff->tables[BACKOFF_NAME];
    for (size_t i = 0; i < table->count && count < capacity && backoff->alarms_due > 0; i++) {
        struct entry *entry = &table->entries[i];
        if (!entry->alarm_due)
            continue;
        entry->alarm_due = false;
        backoff->alarms_due--;
        if (entry->known)
            memcpy(logins[count++], entry->login, BACKOFF_LOGIN_ROOM);
    }
    pthread_mutex_unlock(&backoff->lock);
    return count;
}

/* ---- verdicts ---- */

/* What counts for each kind; names that are no agents' are reported by address. */
static struct backoff_from part_of(const struct backoff_from *from, enum backoff_kind kind)
{
    struct backoff_from part = {.login = from->login, .address = place_of(&from->address)};
    part.known = from->known && kind != BACKOFF_ADDRESS;
    if (kind == BACKOFF_ADDRESS || kind == BACKOFF_CANCEL)
        part.login = "";
    if (kind == BACKOFF_NAME)
        memset(&part.address, 0, sizeof part.address);
    return part;
}

static struct entry *find_part(struct backoff *backoff, const struct backoff_from *from,
                               enum backoff_kind kind, int64_t now_ns)
{
    struct backoff_from part = part_of(from, kind);
    return find(&backoff->tables[kind], tag_of(backoff, kind, part.login, &part.address), now_ns);
}

/* Of the pair, and of its address and its name. */
struct waits {
    int64_t pair_ns, all_ns;
};

static struct waits waits_of(struct backoff *backoff, const struct backoff_from *from,
                             int64_t now_ns)
{
    int64_t of_pair = until_next_ns(find_part(backoff, from, BACKOFF_PAIR, now_ns), now_ns);
    int64_t of_address = until_next_ns(find_part(backoff, from, BACKOFF_ADDRESS, now_ns), now_ns);
    int64_t of_name = name_pause_ns(find_part(backoff, from, BACKOFF_NAME, now_ns));
    int64_t most = of_address > of_pair ? of_address : of_pair;
    return (struct waits){.pair_ns = of_pair, .all_ns = of_name > most ? of_name : most};
}

static bool is_too_long(int64_t wait_ns)
{
    return wait_ns > BACKOFF_MOST_S * second_ns;
}

/* A verdict that is not told is no answer to a guess: it counts for the ledger and the alarm only,
 * or else whoever goes on asking would never be answered again. To a pair it counts as long as its
 * own wait lets it, as a right one might have been told then. */
static void count_wrong(struct backoff *backoff, const struct backoff_from *from,
                        const struct waits *waits, int64_t now_ns)
{
    static const uint32_t free_of_charge[] = {PAIR_FREE, ADDRESS_FREE, UINT32_MAX};
    for (enum backoff_kind kind = BACKOFF_PAIR; kind <= BACKOFF_NAME; kind++) {
        struct backoff_from part = part_of(from, kind);
        struct entry *entry = find_or_make(backoff, kind, &part, now_ns);
        entry->known = part.known;
        if (!is_too_long(kind == BACKOFF_PAIR ? waits->pair_ns : waits->all_ns))
            count_failure(&backoff->tables[kind], entry, free_of_charge[kind], now_ns);
        if (kind == BACKOFF_NAME)
            count_hour(backoff, entry, now_ns);
        if (kind == (from->known ? BACKOFF_PAIR : BACKOFF_ADDRESS)) {
            entry->unreported++;
            backoff->unreported++;
        }
    }
}

void backoff_judge(struct backoff *backoff, const struct backoff_from *from, bool right,
                   int64_t now_ns, struct backoff_verdict *verdict)
{
    *verdict = (struct backoff_verdict){.too_many = false};
    pthread_mutex_lock(&backoff->lock);
    struct backoff_from pair = part_of(from, BACKOFF_PAIR);
    struct waits waits = waits_of(backoff, from, now_ns);
    bool passed = has_passed(backoff, tag_of(backoff, BACKOFF_PAIR, pair.login, &pair.address));
    int64_t wait = right && passed ? waits.pair_ns : waits.all_ns;
    verdict->too_many = is_too_long(wait);
    if (!verdict->too_many)
        verdict->wait_ms = (uint32_t)((wait + 999999) / 1000000);
    if (!right)
        count_wrong(backoff, from, &waits, now_ns);
    pthread_mutex_unlock(&backoff->lock);
}

void backoff_passed(struct backoff *backoff, const struct backoff_from *from, int64_t now_ns)
{
    struct backoff_from pair = part_of(from, BACKOFF_PAIR);
    pthread_mutex_lock(&backoff->lock);
    struct entry *entry = find_part(backoff, from, BACKOFF_PAIR, now_ns);
    if (entry != NULL) {
        entry->failures = 0;
        entry->next_ns = 0;
    }
    remember_passed(backoff, tag_of(backoff, BACKOFF_PAIR, pair.login, &pair.address), now_ns);
    pthread_mutex_unlock(&backoff->lock);
}

/* ---- cancel requests ---- */

bool backoff_cancel_allowed(struct backoff *backoff, const struct in6_addr *address, int64_t now_ns)
{
    struct backoff_from from = {.login = "", .address = *address};
    pthread_mutex_lock(&backoff->lock);
    const struct entry *entry = find_part(backoff, &from, BACKOFF_CANCEL, now_ns);
    bool allowed = entry == NULL || entry->failures < CANCEL_FREE;
    pthread_mutex_unlock(&backoff->lock);
    return allowed;
}

void backoff_cancel_wrong(struct backoff *backoff, const struct in6_addr *address, int64_t now_ns)
{
    struct backoff_from from = {.login = "", .address = *address};
    struct backoff_from part = part_of(&from, BACKOFF_CANCEL);
    pthread_mutex_lock(&backoff->lock);
    count_failure(&backoff->tables[BACKOFF_CANCEL],
                  find_or_make(backoff, BACKOFF_CANCEL, &part, now_ns), UINT32_MAX, now_ns);
    pthread_mutex_unlock(&backoff->lock);
}

/* ---- for staff ---- */

static int64_t shown_wait_ns(const struct entry *entry, enum backoff_kind kind, int64_t now_ns)
{
    if (kind == BACKOFF_NAME)
        return name_pause_ns(entry);
    if (kind == BACKOFF_CANCEL)
        return entry->failures < CANCEL_FREE ? 0 : (entry->failures - CANCEL_FREE + 1) * second_ns;
    return until_next_ns(entry, now_ns);
}

size_t backoff_list(struct backoff *backoff, int64_t now_ns, struct backoff_line *lines,
                    size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&backoff->lock);
    for (enum backoff_kind kind = BACKOFF_PAIR; kind < KINDS; kind++) {
        struct table *table = &backoff->tables[kind];
        for (size_t i = 0; i < table->count; i++) {
            struct entry *entry = &table->entries[i];
            if (entry->tag == 0)
                continue;
            forget(table, entry, now_ns);
            if (entry->failures == 0)
                continue;
            int64_t wait = shown_wait_ns(entry, kind, now_ns);
            struct backoff_line line = {.kind = kind,
                                        .address = entry->address,
                                        .known = entry->known,
                                        .failures = entry->failures,
                                        .wait_ms = (uint32_t)(wait / 1000000)};
            memcpy(line.login, entry->login, sizeof line.login);
            if (count < capacity)
                lines[count] = line;
            count++;
        }
    }
    pthread_mutex_unlock(&backoff->lock);
    return count;
}
