/* A ledger's disclosures against a truth kept beside it; the cut-off, the window, deletions, acts;
 * and a ledger that is not the one that was fixed. */
#include "scope_scene.h"

#include "incident/brief.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/retention.h"

#define CONTACT "customers.name:clear:name\ncustomers.phone:masked:phone\n"
#define CARS    "vehicles.vin:token:vin\nvehicles.model:clear:\n"
#define DAY_NS  INT64_C(86400000000000)

static const uint32_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void assert_table(const struct scope *scope, const char *what, const char *want)
{
    char *got = scene_table(scope, what);
    if (strcmp(got, want) != 0)
        fail_msg("table %s is\n%sexpected\n%s", what, got, want);
    free(got);
}

/* ---- random ---- */

enum { SETS = 12, PEOPLE = 4000, ENTRIES = 600, GRADES = 5, DAYS = 5 };

/* What each id was given: bit (set * GRADES + grade - 1); and on which days. */
struct truth {
    uint64_t facts[PEOPLE];
    bool days[DAYS][PEOPLE];
    int64_t first_ns[PEOPLE], last_ns[PEOPLE];
    uint64_t rows;
};

static unsigned next_random(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 8) % below;
}

static const char *set_text(unsigned set)
{
    static char texts[SETS][128];
    snprintf(texts[set], sizeof texts[set], "d%u.a:clear:c%u\nd%u.b:masked:c%u\n", set % 4, set,
             set % 4, set / 2);
    return texts[set];
}

static void give_random(struct scope_scene *scene, struct truth *truth, unsigned *seed)
{
    uint32_t ids[PEOPLE];
    size_t count = 0;
    unsigned set = next_random(seed, SETS), grade = 1 + next_random(seed, GRADES);
    unsigned day = next_random(seed, DAYS), step = 1 + next_random(seed, 300);
    bool ours = next_random(seed, 3) > 0;
    int64_t time_ns = DAY_NS * (20000 + day) + next_random(seed, 1000);
    for (uint32_t id = next_random(seed, 50); id < PEOPLE; id += 1 + next_random(seed, step)) {
        ids[count++] = id;
        if (!ours)
            continue;
        if (truth->facts[id] == 0)
            truth->first_ns[id] = truth->last_ns[id] = time_ns;
        truth->facts[id] |= UINT64_C(1) << (set * GRADES + grade - 1);
        truth->days[day][id] |= grade != SCOPE_PROBE; /* nothing was given */
        if (time_ns < truth->first_ns[id])
            truth->first_ns[id] = time_ns;
        if (time_ns > truth->last_ns[id])
            truth->last_ns[id] = time_ns;
    }
    truth->rows += ours ? count : 0;
    scene_give(scene, &(struct given){.partner = ours ? "north" : "ringway",
                                      .columns = set_text(set),
                                      .grade = (uint8_t)grade,
                                      .time_ns = time_ns,
                                      .rows = count,
                                      .ids = ids,
                                      .count = count});
}

static bool truth_has(uint64_t facts, const struct scope_fact *fact)
{
    unsigned category = (unsigned)strtoul(fact->category + 1, NULL, 10);
    for (unsigned set = 0; set < SETS; set++) {
        bool given = (facts >> (set * GRADES + fact->grade - 1) & 1) != 0;
        bool first = fact->column[0] == 'a' && category == set;
        bool second = fact->column[0] == 'b' && category == set / 2;
        if (given && (first || second) && set % 4 == strtoul(fact->dataset + 1, NULL, 10))
            return true;
    }
    return false;
}

/* How many different facts the truth has: two sets may share their second column. */
static size_t truth_count(uint64_t facts)
{
    bool seen[GRADES][4][SETS] = {{{0}}};
    size_t count = 0;
    for (unsigned set = 0; set < SETS; set++)
        for (unsigned grade = 0; grade < GRADES; grade++) {
            if ((facts >> (set * GRADES + grade) & 1) == 0)
                continue;
            count += 1 + !seen[grade][set % 4][set / 2];
            seen[grade][set % 4][set / 2] = true;
        }
    return count;
}

static void check_person(const struct scope *scope, const struct truth *truth, uint32_t id)
{
    const struct scope_person *person = scene_person(scope, id);
    if ((person != NULL) != (truth->facts[id] != 0))
        fail_msg("id %u: in scope %d, given %d", id, person != NULL, truth->facts[id] != 0);
    if (person == NULL)
        return;
    const struct scope_class *class = &scope->classes[person->group];
    if (class->fact_count != truth_count(truth->facts[id]))
        fail_msg("id %u: %zu facts, given %zu", id, class->fact_count,
                 truth_count(truth->facts[id]));
    for (size_t i = 0; i < class->fact_count; i++) {
        const struct scope_fact *fact = &scope->facts[class->facts[i]];
        if (!truth_has(truth->facts[id], fact))
            fail_msg("id %u: %s.%s in grade %d was not given", id, fact->dataset, fact->column,
                     (int)fact->grade);
    }
    const struct scope_times *times = &scope->private->times[person - scope->people];
    assert_int_equal(times->first_ns, truth->first_ns[id]);
    assert_int_equal(times->last_ns, truth->last_ns[id]);
}

static void check_days(const struct scope *scope, const struct truth *truth)
{
    struct buffer want;
    buffer_init(&want, 4096);
    for (unsigned day = 0; day < DAYS; day++) {
        unsigned people = 0;
        for (size_t id = 0; id < PEOPLE; id++)
            people += truth->days[day][id];
        buffer_printf(&want, "2024-10-%02u|customer|%u\n", 4 + day, people);
    }
    assert_table(scope, "day", buffer_text(&want));
    buffer_free(&want);
}

static void every_person_has_what_was_given(void **state)
{
    static struct truth truth;
    struct scope_scene scene;
    unsigned seed = 20261122;
    scene_make(&scene);
    for (int i = 0; i < ENTRIES; i++)
        give_random(&scene, &truth, &seed);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    uint64_t people = 0;
    for (uint32_t id = 0; id < PEOPLE; id++) {
        check_person(scope, &truth, id);
        people += truth.facts[id] != 0;
    }
    assert_int_equal(scope->person_count, people);
    assert_int_equal(scope->rows, truth.rows);
    check_days(scope, &truth);
    scope_close(scope);
    scene_remove(&scene);
}

/* ---- the cut-off ---- */

static void the_same_cutoff_gives_the_same_bytes(void **state)
{
    static struct truth truth;
    struct scope_scene scene;
    unsigned seed = 7;
    scene_make(&scene);
    for (int i = 0; i < 50; i++)
        give_random(&scene, &truth, &seed);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *before = scene_scope(&query);
    for (int i = 0; i < 300; i++) /* the log grows, through several segments */
        give_random(&scene, &truth, &seed);
    struct scope *after = scene_scope(&query);
    assert_string_equal(after->sha256, before->sha256);
    struct scope_query later = scene_cut(&scene, "north");
    struct scope *more = scene_scope(&later);
    assert_string_not_equal(more->sha256, before->sha256);
    scope_close(before);
    scope_close(after);
    scope_close(more);
    scene_remove(&scene);
}

static void assert_corrupt(const struct scope_query *query, const char *words)
{
    struct scope_private *made = NULL;
    struct error error = {0};
    enum status status = scene_try(query, &made, &error);
    assert_status(status, STATUS_CORRUPT);
    if (strstr(error.message, words) == NULL)
        fail_msg("message is \"%s\", expected \"%s\" in it", error.message, words);
}

static void another_ledger_than_the_fixed_one_is_told(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    for (int i = 0; i < 20; i++)
        scene_give(&scene, &(struct given){.partner = "north",
                                           .columns = CONTACT,
                                           .time_ns = DAY_NS,
                                           .ids = numbers,
                                           .count = 10});
    struct scope_query query = scene_cut(&scene, "north");
    query.root[31] ^= 1;
    assert_corrupt(&query, "recorded history was changed");
    query.root[31] ^= 1;
    query.cutoff--;
    assert_corrupt(&query, "recorded history was changed");
    query.cutoff += 2;
    assert_corrupt(&query, "entries are missing");
    scene_remove(&scene);
}

static void a_changed_byte_in_the_log_is_told(void **state)
{
    struct scope_scene scene;
    struct buffer bytes;
    scene_make(&scene);
    for (int i = 0; i < 20; i++)
        scene_give(&scene, &(struct given){.partner = "north",
                                           .columns = CONTACT,
                                           .time_ns = DAY_NS,
                                           .ids = numbers,
                                           .count = 10});
    struct scope_query query = scene_cut(&scene, "north");
    ledger_close(scene.ledger);
    scene.ledger = NULL;
    buffer_init(&bytes, 64 << 20);
    read_whole(folder_segment(&scene.folder, 1), &bytes);
    uint8_t *found = memmem(bytes.data, bytes.len, "customers.phone", 15);
    assert_non_null(found);
    found[0] ^= 1;
    write_whole(folder_segment(&scene.folder, 1), buffer_slice(&bytes));
    assert_corrupt(&query, "");
    buffer_free(&bytes);
    scene_remove(&scene);
}

/* ---- time ---- */

static void what_comes_after_the_attacker_left_stands_apart(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north",
                          .agent = "etl",
                          .columns = CONTACT,
                          .flags = LEDGER_FLAG_OPENING,
                          .ids = numbers,
                          .rows = 2};
    given.time_ns = scene_instant("2026-11-01T10:00:00Z");
    given.count = 2; /* 1, 2: before */
    scene_give(&scene, &given);
    given.time_ns = scene_instant("2026-11-10T10:00:00Z");
    given.ids = numbers + 1;
    given.count = 3; /* 2, 3, 4: inside */
    given.rows = 3;
    scene_give(&scene, &given);
    given.agent = "web";
    given.ids = numbers + 6;
    given.count = 1; /* 7: inside, another agent */
    scene_give(&scene, &given);
    given.time_ns = scene_instant("2026-11-20T10:00:00Z");
    given.ids = numbers + 3;
    given.count = 3; /* 4, 5, 6: after */
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    query.from_ns = scene_instant("2026-11-05T00:00:00Z");
    query.to_ns = scene_instant("2026-11-15T00:00:00Z");
    query.agent = "etl";
    struct scope *scope = scene_scope(&query);
    struct scope_totals totals;
    scope_total(scope, &totals);
    assert_int_equal(totals.people, 5); /* 1, 2, 3, 4, 7 */
    assert_int_equal(totals.in_window, 3);
    assert_null(scene_person(scope, 5));
    assert_int_equal(scope->rows, 8);
    assert_table(scope, "window",
                 "inside|etl|1|0|3|3|2026-11-10T10:00:00Z|2026-11-10T10:00:00Z\n"
                 "after|web|1|0|3|3|2026-11-20T10:00:00Z|2026-11-20T10:00:00Z\n");
    scope_close(scope);
    query.to_ns = query.from_ns = INT64_MIN;
    scope = scene_scope(&query);
    assert_int_equal(scope->person_count, 7);
    assert_table(scope, "window", "");
    scope_close(scope);
    scene_remove(&scene);
}

/* The clock was ahead while 3 and 4 were given, and then set back into the attacker's time. */
static void a_clock_set_back_loses_nobody(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north", .columns = CONTACT, .count = 2, .ids = numbers + 2};
    given.time_ns = scene_instant("2026-11-16T10:00:00Z");
    scene_give(&scene, &given);
    given.ids = numbers;
    given.time_ns = scene_instant("2026-11-14T10:00:00Z");
    scene_give(&scene, &given);
    given.ids = numbers + 4; /* 5, 6: after */
    given.time_ns = scene_instant("2026-11-15T10:00:00Z");
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    query.to_ns = scene_instant("2026-11-15T00:00:00Z");
    struct scope *scope = scene_scope(&query);
    assert_non_null(scene_person(scope, 3));
    assert_int_equal(scope->person_count, 4);
    assert_null(scene_person(scope, 5));
    scope_close(scope);
    scene_remove(&scene);
}

static void one_delivery_can_be_looked_at(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north", .agent = "etl", .columns = CONTACT, .ids = numbers};
    given.time_ns = scene_instant("2026-11-10T10:00:00Z");
    given.delivery = "D-1";
    given.count = 2;
    scene_give(&scene, &given);
    given.delivery = "D-2";
    given.count = 5;
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    query.from_ns = scene_instant("2026-11-01T00:00:00Z");
    query.delivery = "D-1";
    struct scope *scope = scene_scope(&query);
    struct scope_totals totals;
    scope_total(scope, &totals);
    assert_int_equal(totals.people, 5);
    assert_int_equal(totals.in_window, 2);
    scope_close(scope);
    scene_remove(&scene);
}

static void a_declared_export_counts_when_it_happened(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    scene_give(&scene, &(struct given){.type = LEDGER_DECLARED,
                                       .partner = "north",
                                       .columns = CONTACT,
                                       .text = "at=2025-03-04T05:06:07Z\nreason=a disk",
                                       .time_ns = scene_instant("2026-11-20T10:00:00Z"),
                                       .ids = numbers,
                                       .count = 2});
    struct scope_query query = scene_cut(&scene, "north");
    query.to_ns = scene_instant("2026-01-01T00:00:00Z");
    struct scope *scope = scene_scope(&query);
    assert_table(scope, "day", "2025-03-04|customer|2\n");
    assert_table(scope, "tier", "declared|customer|2\n");
    assert_table(scope, "grade", "customer|declared|2\n");
    scope_close(scope);
    scene_remove(&scene);
}

/* ---- keys that were asked about ---- */

/* 1, 2: given; 2, 3: asked about, and 3 alone got no answer ever. */
static void who_was_only_asked_about_stands_apart(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north",
                          .columns = CONTACT,
                          .time_ns = scene_instant("2026-11-01T10:00:00Z"),
                          .ids = numbers,
                          .count = 2};
    scene_give(&scene, &given);
    given.time_ns = scene_instant("2026-11-10T10:00:00Z");
    given.grade = SCOPE_PROBE;
    given.ids = numbers + 1;
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    query.from_ns = scene_instant("2026-11-05T00:00:00Z");
    struct scope *scope = scene_scope(&query);
    struct scope_totals totals;
    scope_total(scope, &totals);
    assert_int_equal(totals.people, 2);
    assert_int_equal(totals.asked, 1);
    assert_int_equal(totals.notified, 2);
    assert_int_equal(totals.records, 2);
    assert_int_equal(totals.in_window, 0);
    assert_int_equal(totals.grades[SCOPE_PROBE], 2);
    assert_false(scope_asked_only(scope, scene_person(scope, 2)));
    assert_true(scope_asked_only(scope, scene_person(scope, 3)));
    assert_false(scope_notified(scope, scene_person(scope, 3), UINT32_MAX));
    assert_int_equal(scope->last_ns, scene_instant("2026-11-01T10:00:00Z"));
    assert_table(scope, "kind", "customer|2|2|2\n");
    assert_table(scope, "tier", "disclosed|customer|2\nasked about|customer|1\n");
    assert_table(scope, "grade", "customer|direct|2\ncustomer|probe|2\n");
    assert_table(scope, "dataset", "customer|customers|2|2\n");
    assert_table(scope, "day", "2026-11-01|customer|2\n");
    assert_table(scope, "net", "customer|2|0|2\n");
    struct brief_count count;
    brief_count(scope, BRIEF_ALL, &count);
    assert_int_equal(count.people, 2);
    assert_int_equal(count.asked_only, 1);
    assert_int_equal(count.statistics_only, 0);
    assert_int_equal(count.records, 2);
    assert_int_equal(brief_kind(scope, BRIEF_ALL, 0), 2);
    scope_close(scope);
    scene_remove(&scene);
}

/* ---- deletions and acts ---- */

static void who_was_deleted_counts_gross_and_not_net(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north", .columns = CONTACT, .ids = numbers, .count = 10};
    given.time_ns = scene_instant("2026-11-01T10:00:00Z");
    scene_give(&scene, &given);
    scene_give(&scene, &(struct given){.type = LEDGER_DELETED,
                                       .partner = "north",
                                       .text = "before=2026-11-02T00:00:00Z\nrequest=R-1",
                                       .time_ns = scene_instant("2026-11-03T00:00:00Z"),
                                       .ids = numbers,
                                       .count = 4});
    given.time_ns = scene_instant("2026-11-04T10:00:00Z");
    given.count = 1; /* 1 was given again */
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    assert_table(scope, "net", "customer|10|3|7\n");
    assert_table(scope, "deletion", "2026-11-03T00:00:00Z|2026-11-02T00:00:00Z|R-1|4\n");
    scope_close(scope);
    scene_give(&scene, &(struct given){.type = LEDGER_DELETED, /* of what is to come */
                                       .partner = "north",
                                       .text = "before=2027-01-01T00:00:00Z\nrequest=R-2",
                                       .time_ns = scene_instant("2026-11-04T00:00:00Z")});
    query = scene_cut(&scene, "north");
    scope = scene_scope(&query);
    assert_table(scope, "net", "customer|10|9|1\n");
    scope_close(scope);
    scene_remove(&scene);
}

static void partners_stand_as_acts_left_them(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    int64_t at = scene_instant("2026-11-01T10:00:00Z");
    struct given act = {.type = LEDGER_ACT, .partner = "ringway", .time_ns = at};
    act.text = "contain by=uid 0 reason=a call";
    scene_give(&scene, &act);
    act.text = "restore by=uid 0 reason=a mistake";
    act.time_ns += DAY_NS;
    scene_give(&scene, &act);
    act.text = "contain by=uid 0 reason=a call";
    act.partner = "north";
    scene_give(&scene, &act);
    act.partner = "aqua";
    act.agent = "web";
    scene_give(&scene, &act);
    act.text = "containment was looked at"; /* no such act */
    act.agent = NULL;
    act.partner = "zeta";
    scene_give(&scene, &act);
    scene_give(
        &scene,
        &(struct given){
            .partner = "zeta", .columns = CONTACT, .time_ns = at, .ids = numbers, .count = 1});
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    assert_table(scope, "partners",
                 "aqua|*|active|-|-\n"
                 "aqua|web|contained|2026-11-02T10:00:00Z|-\n"
                 "north|*|contained|2026-11-02T10:00:00Z|-\n"
                 "ringway|*|active|2026-11-02T10:00:00Z|-\n"
                 "zeta|*|active|-|2026-11-01T10:00:00Z\n");
    assert_int_equal(scope->person_count, 0);
    scope_close(scope);
    scene_remove(&scene);
}

/* ---- tables ---- */

static void tables_count_people_in_every_way(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    struct given given = {.partner = "north", .columns = CONTACT, .time_ns = DAY_NS};
    given.ids = numbers;
    given.count = 4; /* 1 … 4: name, phone */
    given.closing = "customers.birth:clear:date_of_birth\n";
    scene_give(&scene, &given);
    given.closing = NULL;
    given.columns = CARS;
    given.ids = numbers + 2;
    given.count = 4; /* 3 … 6: a token */
    scene_give(&scene, &given);
    given.columns = NULL;
    given.ids = numbers + 8;
    given.count = 1; /* 9: that they are there */
    given.kind = 1;
    scene_give(&scene, &given);
    given.columns = CONTACT;
    given.grade = SCOPE_AGGREGATE;
    given.ids = numbers + 8;
    given.count = 2; /* 9, 10: in a statistic */
    scene_give(&scene, &given);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    assert_table(scope, "kind", "customer|6|4|8\nenquirer|2|0|2\n");
    assert_table(scope, "tier", "disclosed|customer|6\ndisclosed|enquirer|2\n");
    assert_table(scope, "grade", "customer|direct|6\nenquirer|direct|1\nenquirer|aggregate|2\n");
    assert_table(scope, "dataset",
                 "customer|customers|4|4\ncustomer|vehicles|4|2\nenquirer|customers|2|0\n");
    assert_table(scope, "category",
                 "customer|name|clear|4|4|4|0|4|0|0|0|0\n"
                 "customer|phone|masked|4|4|4|0|4|0|0|0|0\n"
                 "customer|vin|token|4|4|4|0|4|0|0|0|0\n"
                 "enquirer|name|clear|2|0|2|0|0|2|0|0|0\n"
                 "enquirer|phone|masked|2|0|2|0|0|2|0|0|0\n");
    assert_table(scope, "combination",
                 "customer|name, phone (masked)|2\n"
                 "customer|name, phone (masked), vin (token)|2\n"
                 "customer|vin (token)|2\n"
                 "enquirer|presence only|1\n");
    assert_table(scope, "brand", "customer|not known|6|4\nenquirer|not known|2|0\n");
    scope_close(scope);
    scene_remove(&scene);
}

/* date_of_birth is in a closing entry, without anybody's row: it was asked for, so it is not among
 * what was never given. */
static void never_is_what_no_entry_names(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    scene_give(&scene, &(struct given){.partner = "north",
                                       .columns = "c.n:clear:name\n",
                                       .closing = "c.b:clear:date_of_birth\n",
                                       .time_ns = scene_instant("2026-11-01T10:00:00Z"),
                                       .ids = numbers,
                                       .count = 1});
    scene_give(&scene, &(struct given){.partner = "ringway",
                                       .columns = "c.i:clear:financial\n",
                                       .time_ns = DAY_NS,
                                       .ids = numbers,
                                       .count = 1});
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    char want[1000], since[21], never[200];
    clock_format_utc(scope->ledger_first_ns, since);
    snprintf(never, sizeof never,
             "never, since the ledger's first entry on %.10s, except what was declared", since);
    snprintf(want, sizeof want, "financial|no|%s\nphone|yes|%s\nvin|yes|%s\nx_own|yes|%s\n", never,
             never, never, never);
    assert_table(scope, "never", want);
    scope_close(scope);
    scene_remove(&scene);
}

static void give_change(struct scope_scene *scene, uint8_t uuid, const char *text, size_t people,
                        enum ledger_outcome outcome)
{
    scene_give(scene, &(struct given){.type = LEDGER_CHANGE,
                                      .partner = "north",
                                      .agent = "desk",
                                      .text = text,
                                      .columns = CONTACT,
                                      .closing = CONTACT,
                                      .grade = 6,
                                      .uuid = uuid,
                                      .rows = people,
                                      .time_ns = scene_instant("2026-11-01T10:00:00Z"),
                                      .ids = numbers,
                                      .count = people});
    if (outcome != LEDGER_OUTCOME_NONE)
        scene_give(scene, &(struct given){.type = LEDGER_CHANGE_END,
                                          .partner = "north",
                                          .agent = "desk",
                                          .uuid = uuid,
                                          .outcome = outcome,
                                          .time_ns = scene_instant("2026-11-01T10:00:01Z")});
}

/* They are no disclosures: whoever was changed and never read is not in scope. */
static void changes_stand_apart(void **state)
{
    static const char update[] = "change=update\ndataset=customers";
    struct scope_scene scene;
    scene_make(&scene);
    scene_give(&scene, &(struct given){.partner = "north",
                                       .columns = CARS,
                                       .time_ns = scene_instant("2026-11-01T09:00:00Z"),
                                       .ids = numbers,
                                       .count = 1});
    give_change(&scene, 1, update, 3, LEDGER_OUTCOME_COMMITTED);
    give_change(&scene, 2, update, 4, LEDGER_OUTCOME_ROLLED_BACK);
    give_change(&scene, 3, update, 2, LEDGER_OUTCOME_IN_DOUBT);
    give_change(&scene, 4, update, 1, LEDGER_OUTCOME_NONE);
    give_change(&scene, 5, "change=delete\ndataset=customers", 1, LEDGER_OUTCOME_COMMITTED);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    assert_table(scope, "change",
                 "update|customers|name, phone|desk|4|10|1|1|2|2026-11-01T10:00:00Z|"
                 "2026-11-01T10:00:00Z\n"
                 "delete|customers|name, phone|desk|1|1|1|0|0|2026-11-01T10:00:00Z|"
                 "2026-11-01T10:00:00Z\n");
    assert_non_null(scene_person(scope, 1));
    assert_null(scene_person(scope, 2));
    scope_close(scope);
    query = scene_cut(&scene, "ringway");
    scope = scene_scope(&query);
    assert_table(scope, "change", "");
    scope_close(scope);
    scene_remove(&scene);
}

/* Another partner's, a file more. */
static void fill_a_segment(struct scope_scene *scene)
{
    enum { MANY = 20000, STEP = 7 };
    static uint32_t ids[MANY];
    struct ledger_state before, now;
    for (uint32_t i = 0; i < MANY; i++)
        ids[i] = i * STEP;
    ledger_state(scene->ledger, &before);
    do {
        scene_give(scene, &(struct given){.partner = "ringway",
                                          .columns = CARS,
                                          .time_ns = scene_instant("2026-01-01T12:00:00.5Z"),
                                          .ids = ids,
                                          .count = MANY});
        ledger_state(scene->ledger, &now);
    } while (now.current_segment == before.current_segment);
}

static void drop_two_segments(struct scope_scene *scene)
{
    const struct retention_wish wish = {
        .before_ns = INT64_MAX, .keep_segments = 2, .reason = "two years", .vouched = UINT64_MAX};
    struct retention_plan plan;
    struct checkpoint checkpoint;
    struct error error = {0};
    assert_status(ledger_checkpoint(scene->ledger, &checkpoint, NULL, &error), STATUS_OK);
    if (retention_plan(scene->folder.path, &wish, &plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(plan.statement.segment, 3);
    assert_status(retention_drop(scene->ledger, scene->folder.path, &plan, &error), STATUS_OK);
    retention_plan_free(&plan);
}

/* Whom the partner had only then is not known any more; it is said, and is in the hash. */
static void what_was_dropped_is_missing_and_said(void **state)
{
    struct scope_scene scene;
    struct scope_private *made;
    struct error error = {0};
    struct brief_ledger ledger;
    scene_make(&scene);
    scene_give(&scene, &(struct given){.partner = "north",
                                       .columns = CONTACT,
                                       .time_ns = scene_instant("2026-01-01T09:00:00Z"),
                                       .ids = numbers,
                                       .count = 3});
    struct scope_query early = scene_cut(&scene, "north");
    fill_a_segment(&scene);
    fill_a_segment(&scene);
    scene_give(&scene, &(struct given){.partner = "north",
                                       .columns = CONTACT,
                                       .time_ns = scene_instant("2026-03-01T09:00:00Z"),
                                       .ids = numbers + 2,
                                       .count = 2});
    fill_a_segment(&scene);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *whole = scene_scope(&query);
    assert_int_equal(whole->person_count, 4);
    assert_true(whole->since_ns == SINCE_EVER);
    drop_two_segments(&scene);
    struct scope *scope = scene_scope(&query); /* the root is still that of the whole log */
    assert_int_equal(scope->person_count, 2);
    assert_null(scene_person(scope, 1));
    assert_non_null(scene_person(scope, 3));
    assert_true(scope->since_ns == scene_instant("2026-01-01T12:00:01Z"));
    assert_true(scope->ledger_first_ns == scene_instant("2026-01-02T00:00:00Z"));
    assert_string_not_equal(scope->sha256, whole->sha256);
    assert_status(brief_read_ledger(scene.folder.path, "north", query.cutoff, &ledger, &error),
                  STATUS_OK);
    assert_true(ledger.since_ns == scope->since_ns && ledger.first_ns == scope->ledger_first_ns);
    assert_status(scene_try(&early, &made, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "55000");
    query.root[0] ^= 1;
    assert_status(scene_try(&query, &made, &error), STATUS_CORRUPT);
    scope_close(scope);
    scope_close(whole);
    scene_remove(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_person_has_what_was_given),
        cmocka_unit_test(the_same_cutoff_gives_the_same_bytes),
        cmocka_unit_test(another_ledger_than_the_fixed_one_is_told),
        cmocka_unit_test(a_changed_byte_in_the_log_is_told),
        cmocka_unit_test(what_comes_after_the_attacker_left_stands_apart),
        cmocka_unit_test(a_clock_set_back_loses_nobody),
        cmocka_unit_test(one_delivery_can_be_looked_at),
        cmocka_unit_test(a_declared_export_counts_when_it_happened),
        cmocka_unit_test(who_was_only_asked_about_stands_apart),
        cmocka_unit_test(who_was_deleted_counts_gross_and_not_net),
        cmocka_unit_test(partners_stand_as_acts_left_them),
        cmocka_unit_test(tables_count_people_in_every_way),
        cmocka_unit_test(never_is_what_no_entry_names),
        cmocka_unit_test(changes_stand_apart),
        cmocka_unit_test(what_was_dropped_is_missing_and_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
