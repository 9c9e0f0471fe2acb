/* See intake.h. */
#include "watch/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "exposure/subject_set.h"

enum {
    GRADE_DIRECT = 1, /* enum plan_grade's numbers, as the ledger stores them */
    GRADE_WITNESS = 3,
    GRADE_INFLUENCE = 4,
    GRADE_PROBE = 5,
    FEW = 200, /* people: one look-up */
    IDS_MOST = 1 << 24,
};
static const int64_t HOUR_NS = 3600LL * 1000000000;

/* ---- people ---- */

/* Whose data it is: as budgets charge it. */
static bool is_told(const struct ledger_item *item)
{
    return item->grade == GRADE_DIRECT || item->grade == GRADE_WITNESS ||
           (item->grade == GRADE_INFLUENCE && item->k == 0);
}

/* Room for the ids that all items claim. */
static size_t ids_claimed(const struct ledger_entry *entry)
{
    size_t all = 0;
    for (size_t i = 0; i < entry->item_count; i++) {
        uint64_t claimed = 0;
        if (subject_set_claims(entry->items[i].subjects, &claimed) == STATUS_OK &&
            claimed <= IDS_MOST)
            all += (size_t)claimed;
    }
    return all;
}

static void make_room(struct intake *intake, const struct ledger_entry *entry, size_t ids)
{
    intake->ids = intake->few_ids;
    intake->ends = intake->few_ends;
    if (ids > INTAKE_IDS)
        CHECK((intake->ids = malloc(ids * sizeof *intake->ids)) != NULL);
    if (entry->item_count > INTAKE_ITEMS)
        CHECK((intake->ends = malloc(entry->item_count * sizeof *intake->ends)) != NULL);
}

/* ---- steps of a walk ---- */

struct walking {
    const struct watch_sources *sources;
    struct intake *intake;
    struct walk_step step; /* session, hour, reach */
};

/* ids: whose keys these are, ascending. */
static void add_step(struct walking *walking, uint64_t family, int64_t low, int64_t high,
                     const uint32_t *ids, size_t count)
{
    struct intake *intake = walking->intake;
    size_t at = intake->step_count, begin = at == 0 ? 0 : intake->asked_ends[at - 1];
    if (at == INTAKE_STEPS || count > INTAKE_ASKED - begin)
        return;
    memcpy(intake->asked + begin, ids, count * sizeof *ids);
    intake->asked_ends[at] = begin + count;
    intake->step_count++;
    struct walk_step *step = &intake->steps[at];
    *step = walking->step;
    step->family = family;
    step->low = low;
    step->high = high;
}

static bool key_of(const struct walking *walking, uint32_t id, uint64_t *family, int64_t *number)
{
    char key[256];
    uint16_t kind;
    return walking->sources->key != NULL &&
           walking->sources->key(walking->sources->context, id, &kind, key) &&
           walk_key(kind, key, family, number);
}

/* People whose keys lie close are one interval; others are so many single look-ups. */
static void add_look_up(struct walking *walking, const uint32_t *ids, size_t count)
{
    uint64_t families[FEW] = {0};
    int64_t numbers[FEW], low = INT64_MAX, high = INT64_MIN;
    uint32_t whose[FEW];
    size_t points = 0;
    bool alike = true;
    for (size_t i = 0; i < count; i++) {
        if (!key_of(walking, ids[i], &families[points], &numbers[points])) {
            alike = false;
            continue;
        }
        alike = alike && families[points] == families[0];
        low = numbers[points] < low ? numbers[points] : low;
        high = numbers[points] > high ? numbers[points] : high;
        whose[points++] = ids[i];
    }
    if (points > 0 && alike && high - low < (int64_t)(4 * count + walking->step.reach)) {
        add_step(walking, families[0], low, high, ids, count);
        return;
    }
    for (size_t i = 0; i < points; i++)
        add_step(walking, families[i], numbers[i], numbers[i], &whose[i], 1);
}

/* ---- entries ---- */

static void read_items(struct intake *intake, struct walking *walking,
                       const struct ledger_entry *entry)
{
    size_t at = 0, room = ids_claimed(entry);
    make_room(intake, entry, room);
    for (size_t i = 0; i < entry->item_count; i++) {
        const struct ledger_item *item = &entry->items[i];
        uint64_t count = 0;
        bool told = is_told(item);
        if ((!told && item->grade != GRADE_PROBE) ||
            subject_set_read(item->subjects, intake->ids + at, room - at, &count) != STATUS_OK)
            continue;
        if (count <= FEW && (entry->flags & LEDGER_FLAG_OPENING) != 0)
            add_look_up(walking, intake->ids + at, (size_t)count);
        if (!told) {
            intake->probes += count;
            continue;
        }
        at += (size_t)count;
        intake->ends[intake->run_count++] = at;
    }
}

struct in6_addr intake_network(const struct in6_addr *address)
{
    struct in6_addr network = *address;
    size_t kept = IN6_IS_ADDR_V4MAPPED(address) ? 15 : 6;
    memset(network.s6_addr + kept, 0, sizeof network.s6_addr - kept);
    return network;
}

/* The act's address is as inet_ntop writes it, IPv4 in older ledgers with ::ffff: before it; a
 * connection that has none says "-". */
static bool read_opening(struct intake *intake, const struct ledger_entry *entry)
{
    static const char first[] = WATCH_ACT_OPENED "\n";
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (entry->text.len < sizeof first - 1 ||
        memcmp(entry->text.data, first, sizeof first - 1) != 0)
        return false;
    struct slice value = ledger_text_value(entry->text, "address");
    if (value.len == 0 || value.len >= sizeof text)
        return true;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    intake->has_network = text_to_address(text, &address);
    if (intake->has_network)
        intake->network = intake_network(&address);
    return true;
}

/* An entry's time comes from a disk: what is reckoned from it must not overflow. */
static int64_t time_of(const struct ledger_entry *entry)
{
    const int64_t least = 366 * 24 * HOUR_NS, most = INT64_MAX / 2;
    int64_t time_ns = entry->time_ns != 0 ? entry->time_ns : clock_now_ns();
    return time_ns < least ? least : time_ns > most ? most : time_ns;
}

bool intake_read(struct intake *intake, const struct watch_sources *sources, uint32_t reach,
                 const struct ledger_entry *entry)
{
    intake->time_ns = time_of(entry);
    intake->rows = intake->probes = intake->errors = intake->statements = 0;
    intake->ids = NULL;
    intake->ends = NULL;
    intake->run_count = intake->step_count = 0;
    intake->has_network = false;
    if (entry->partner.len == 0 || entry->agent.len == 0 || entry->delivery.len > 0)
        return false;
    struct walking walking = {
        .sources = sources,
        .intake = intake,
        .step = {.session = entry->session, .hour = intake->time_ns / HOUR_NS, .reach = reach}};
    switch (entry->type) {
    case LEDGER_DISCLOSURE:
        read_items(intake, &walking, entry);
        intake->rows = entry->row_count;
        intake->statements = (entry->flags & LEDGER_FLAG_CLOSING) != 0;
        return true;
    case LEDGER_PROBE:
        intake->errors = 1;
        return true;
    case LEDGER_REFUSAL: /* of a login that proved nothing there is no session */
        intake->errors = intake->statements = entry->session != 0;
        return entry->session != 0;
    case LEDGER_ACT:
        return read_opening(intake, entry);
    default:
        return false;
    }
}

void intake_free(struct intake *intake)
{
    if (intake->ids != intake->few_ids)
        free(intake->ids);
    if (intake->ends != intake->few_ends)
        free(intake->ends);
}
