/* Every question against a naive count over a list of what was disclosed: random entries of all
 * grades, several kinds, partners and purposes, late and told afterwards, deletions; ranges that
 * begin and end at the borders of months, days and hours; some of it in files, some not. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/index.h"
#include "exposure/parts.h"

enum {
    KINDS = 2,
    PARTNERS = 3,
    SETS = 3,
    COLUMNS = 5,
    PEOPLE = 40, /* of each kind: one bit each */
    HOURS = 70 * 24,
    FACTS_MAX = 1000,
    LINES_BYTES = 1 << 20,
    GRADE_DECLARED = 0,
    GRADE_DIRECT = 1,
    GRADE_WITNESS = 3,
    GRADE_PROBE = 5,
    GRADE_CHANGED = 6,
};

static const int64_t HOUR_NS = 3600LL * 1000000000;

static const struct column {
    unsigned sets; /* a bit for each set that it is in */
    const char *name, *form, *category;
} columns[COLUMNS] = {{1 | 4, "name", "clear", "name"},
                      {2, "phone", "masked", "phone"},
                      {2 | 4, "phone2", "masked", "phone"},
                      {4, "vin", "token", "vin"},
                      {2, "number", "clear", ""}};
static const char *const partners[PARTNERS] = {"north", "north-mail", "ringway"};
static const struct policy_kind kinds[KINDS] = {{.name = "customer"}, {.name = "enquirer"}};
static const struct policy_column categories[] = {
    {"name", "name"}, {"phone", "phone"}, {"vin", "vin"}, {"mail", "email"}};
static const struct policy_dataset dataset = {
    .name = "customer", .columns = categories, .column_count = 4};
static const struct policy policy = {
    .kinds = kinds, .kind_count = KINDS, .datasets = &dataset, .dataset_count = 1};

struct fact {
    enum ledger_type type;
    unsigned partner, kind, set, purpose, statement;
    uint8_t grade;
    int64_t hour, time_ns; /* hour: of declared ones, what was told; of deletions, up to where */
    uint64_t people;       /* 0 with a deletion: everybody */
};

struct world {
    struct scene scene;
    char folder[96];
    uint32_t sets[SETS];
    struct fact facts[FACTS_MAX];
    size_t count;
    int64_t start_hour;
};

static uint64_t random_state = 23;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

/* ---- a world ---- */

static void open_world(struct world *world)
{
    struct scene *scene = &world->scene;
    struct error error = {0};
    assert_status(exposure_open(scene->subjects, &scene->exposure, &error), STATUS_OK);
    assert_status(exposure_use_index(scene->exposure, world->folder, scene->ledger_folder, &error),
                  STATUS_OK);
    struct ledger_options options = {.folder = scene->ledger_folder,
                                     .node = "test",
                                     .segment_bytes = 131072,
                                     .replay = exposure_replay,
                                     .replay_context = scene->exposure};
    assert_status(ledger_open(&options, &scene->ledger, &error), STATUS_OK);
    assert_status(exposure_attach(scene->exposure, scene->ledger, &error), STATUS_OK);
}

static void make_sets(struct world *world)
{
    for (unsigned set = 0; set < SETS; set++) {
        char text[512] = "";
        for (size_t c = 0; c < COLUMNS; c++)
            if ((columns[c].sets >> set & 1) != 0)
                snprintf(text + strlen(text), sizeof text - strlen(text), "customer.%s:%s:%s\n",
                         columns[c].name, columns[c].form, columns[c].category);
        world->sets[set] = column_set(&world->scene, text);
    }
}

static uint64_t tell(struct world *world, const struct fact *fact, const char *text)
{
    static const char *const purposes[] = {NULL, "billing", "recall"};
    char numbers[PEOPLE][8];
    const char *keys[PEOPLE];
    size_t count = 0;
    for (unsigned i = 0; i < PEOPLE; i++)
        if ((fact->people >> i & 1) != 0) {
            snprintf(numbers[count], sizeof numbers[0], "%u", i);
            keys[count] = numbers[count];
            count++;
        }
    bool deleted = fact->type == LEDGER_DELETED;
    const struct disclosure what = {.partner = partners[fact->partner],
                                    .type = fact->type,
                                    .kind = (uint16_t)fact->kind,
                                    .grade = deleted ? GRADE_DIRECT : fact->grade,
                                    .k = next_random(2) * 7,
                                    .column_set = deleted ? 0 : world->sets[fact->set],
                                    .time_ns = fact->time_ns,
                                    .keys = keys,
                                    .count = count,
                                    .purpose = deleted ? NULL : purposes[fact->purpose],
                                    .statement = (uint8_t)fact->statement,
                                    .text = text};
    return disclose(&world->scene, &what);
}

static uint64_t some_people(void)
{
    uint64_t people = 0;
    for (unsigned n = 1 + next_random(6); n > 0; n--)
        people |= 1ULL << next_random(PEOPLE);
    return people;
}

/* The instant of an entry's text, and the hour that it stands for. */
static void make_told(const struct world *world, struct fact *fact, const char *key, char text[64])
{
    char at[21];
    int64_t hour = world->start_hour + next_random(HOURS);
    clock_format_utc(hour * HOUR_NS, at);
    snprintf(text, 64, "%s=%s\n", key, at);
    fact->hour = hour;
}

static void add_fact(struct world *world)
{
    static const uint8_t grades[] = {1, 1, 1, 2, 3, 4, 5};
    struct fact *fact = &world->facts[world->count++];
    char text[64] = "";
    unsigned dice = next_random(40);
    *fact = (struct fact){.type = LEDGER_DISCLOSURE,
                          .partner = next_random(PARTNERS),
                          .kind = next_random(KINDS),
                          .set = next_random(SETS),
                          .purpose = next_random(3),
                          .statement = next_random(6),
                          .grade = grades[next_random(sizeof grades)],
                          .people = next_random(20) == 0 ? 0 : some_people()};
    fact->hour = world->start_hour + next_random(HOURS);
    fact->time_ns = fact->hour * HOUR_NS + (int64_t)next_random(3600) * 1000000000;
    if (dice < 3) {
        fact->type = LEDGER_DECLARED;
        fact->grade = GRADE_DIRECT;
        make_told(world, fact, "at", text);
    } else if (dice < 6) {
        fact->type = LEDGER_CHANGE;
        fact->grade = GRADE_CHANGED;
    } else if (dice < 9) {
        int64_t told = fact->hour;
        fact->type = LEDGER_DELETED;
        fact->people = dice == 8 && next_random(3) == 0 ? 0 : some_people();
        make_told(world, fact, "before", text);
        if (fact->hour > told) /* no further than when it was told */
            fact->hour = told;
    }
    ledger_wait(world->scene.ledger, tell(world, fact, text[0] == '\0' ? NULL : text));
    if (fact->type == LEDGER_DECLARED)
        fact->grade = GRADE_DECLARED;
}

/* ---- the naive side ---- */

struct range {
    int64_t from_ns, to_ns;
};

static int64_t floor_hour(int64_t time_ns)
{
    return time_ns / HOUR_NS; /* all of it is behind 1970 */
}

static bool is_in(const struct fact *fact, struct range range)
{
    return (range.from_ns == INT64_MIN || fact->hour >= floor_hour(range.from_ns)) &&
           (range.to_ns == INT64_MAX || fact->hour < floor_hour(range.to_ns + HOUR_NS - 1));
}

static bool gives(const struct fact *fact)
{
    return fact->type != LEDGER_DELETED &&
           (fact->grade == GRADE_DECLARED || fact->grade == GRADE_DIRECT ||
            fact->grade == GRADE_WITNESS);
}

static unsigned long long bits(uint64_t people)
{
    return (unsigned long long)__builtin_popcountll(people);
}

static bool has_label(const struct fact *fact, const char *category, const char *form)
{
    for (size_t c = 0; c < COLUMNS; c++)
        if ((columns[c].sets >> fact->set & 1) != 0 && strcmp(columns[c].category, category) == 0 &&
            strcmp(columns[c].form, form) == 0)
            return true;
    return false;
}

/* The labels that there are; each is of one form here. */
static const struct column labels[] = {
    {0, "", "clear", "name"}, {0, "", "masked", "phone"}, {0, "", "token", "vin"}};
enum { LABELS = sizeof labels / sizeof labels[0] };

/* People of whom the partner was given the label (NULL: anything) in the range. */
static uint64_t people_of(const struct world *world, unsigned partner, unsigned kind,
                          const struct column *label, struct range range)
{
    uint64_t people = 0;
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];
        if (gives(fact) && fact->partner == partner && fact->kind == kind && is_in(fact, range) &&
            (label == NULL || has_label(fact, label->category, label->form)))
            people |= fact->people;
    }
    return people;
}

static void put_instant(struct buffer *out, int64_t time_ns, const char *after)
{
    char text[21];
    clock_format_utc(time_ns, text);
    buffer_printf(out, "%s%s", text, after);
}

static void naive_summary(const struct world *world, unsigned partner, struct range range,
                          struct buffer *out)
{
    static const uint8_t shown[] = {1, 2, 3, 4, 5, 0};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint64_t everyone = 0, by_grade[7] = {0};
        int64_t first = INT64_MAX, last = INT64_MIN;
        for (size_t i = 0; i < world->count; i++) {
            const struct fact *fact = &world->facts[i];
            if (fact->type == LEDGER_DELETED || fact->grade == GRADE_CHANGED || fact->people == 0 ||
                fact->partner != partner || fact->kind != kind || !is_in(fact, range))
                continue;
            by_grade[fact->grade] |= fact->people;
            everyone |= fact->grade == GRADE_PROBE ? 0 : fact->people;
            first = fact->hour < first ? fact->hour : first;
            last = fact->hour > last ? fact->hour : last;
        }
        if (first == INT64_MAX)
            continue;
        buffer_printf(out, "%s|%s|%llu|", partners[partner], kinds[kind].name, bits(everyone));
        for (size_t i = 0; i < sizeof shown; i++)
            buffer_printf(out, "%llu|", bits(by_grade[shown[i]]));
        put_instant(out, first * HOUR_NS, "|");
        put_instant(out, last * HOUR_NS, "\n");
    }
}

static void naive_categories(const struct world *world, unsigned partner, struct range range,
                             struct buffer *out)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (size_t l = 0; l < LABELS; l++) {
            uint64_t people = people_of(world, partner, kind, &labels[l], range);
            if (people != 0)
                buffer_printf(out, "%s|%s|%s|%s|%llu\n", partners[partner], kinds[kind].name,
                              labels[l].category, labels[l].form, bits(people));
        }
}

static void naive_combinations(const struct world *world, unsigned partner, struct range range,
                               struct buffer *out)
{
    static const char *const words[] = {"name", "phone (masked)", "vin (token)"};
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned mask = 0; mask < 1U << LABELS; mask++) {
            uint64_t people = people_of(world, partner, kind, NULL, range);
            char name[64] = "";
            for (size_t l = 0; l < LABELS; l++) {
                uint64_t with = people_of(world, partner, kind, &labels[l], range);
                bool wanted = (mask >> l & 1) != 0;
                people &= wanted ? with : ~with;
                if (wanted)
                    snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s",
                             name[0] == '\0' ? "" : ", ", words[l]);
            }
            if (people != 0)
                buffer_printf(out, "%s|%s|%s|%llu\n", partners[partner], kinds[kind].name,
                              mask == 0 ? "presence only" : name, bits(people));
        }
}

static void naive_never(const struct world *world, unsigned partner, struct buffer *out)
{
    for (size_t c = 0; c < dataset.column_count; c++) {
        bool seen = false;
        for (size_t i = 0; i < world->count; i++)
            for (size_t k = 0; k < COLUMNS; k++)
                seen = seen || (world->facts[i].partner == partner &&
                                world->facts[i].type != LEDGER_DELETED &&
                                (columns[k].sets >> world->facts[i].set & 1) != 0 &&
                                strcmp(columns[k].category, categories[c].category) == 0);
        if (!seen)
            buffer_printf(out, "%s|%s\n", partners[partner], categories[c].category);
    }
}

static bool is_deleted(const struct world *world, const struct fact *fact, unsigned person)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *deletion = &world->facts[i];
        if (deletion->type == LEDGER_DELETED && deletion->partner == fact->partner &&
            fact->hour < deletion->hour &&
            (deletion->people == 0 ||
             (deletion->kind == fact->kind && (deletion->people >> person & 1) != 0)))
            return true;
    }
    return false;
}

static uint64_t net_of(const struct world *world, unsigned partner, unsigned kind,
                       const struct column *label)
{
    uint64_t people = 0;
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];
        if (!gives(fact) || fact->partner != partner || fact->kind != kind ||
            (label != NULL && !has_label(fact, label->category, label->form)))
            continue;
        for (unsigned p = 0; p < PEOPLE; p++)
            if ((fact->people >> p & 1) != 0 && !is_deleted(world, fact, p))
                people |= 1ULL << p;
    }
    return people;
}

static void naive_net(const struct world *world, unsigned partner, struct buffer *out)
{
    static const struct range ever = {INT64_MIN, INT64_MAX};
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (size_t l = 0; l <= LABELS; l++) {
            const struct column *label = l == 0 ? NULL : &labels[l - 1];
            uint64_t gross = people_of(world, partner, kind, label, ever);
            if (gross != 0)
                buffer_printf(out, "%s|%s|%s|%s|%llu|%llu\n", partners[partner], kinds[kind].name,
                              label == NULL ? "-" : label->category,
                              label == NULL ? "-" : label->form, bits(gross),
                              bits(net_of(world, partner, kind, label)));
        }
}

static void naive_overlap(const struct world *world, unsigned a, unsigned b, struct range range,
                          struct buffer *out)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (size_t l = 0; l <= LABELS; l++) {
            const struct column *label = l == 0 ? NULL : &labels[l - 1];
            uint64_t left = people_of(world, a, kind, label, range);
            uint64_t right = people_of(world, b, kind, label, range);
            if ((left | right) != 0)
                buffer_printf(out, "%s|%s|%s|%llu|%llu|%llu\n", kinds[kind].name,
                              label == NULL ? "-" : label->category,
                              label == NULL ? "-" : label->form, bits(left & right),
                              bits(left & ~right), bits(right & ~left));
        }
}

static void naive_statement(const struct world *world, unsigned partner, unsigned statement,
                            struct range range, struct buffer *out)
{
    uint64_t had[KINDS] = {0}, people[KINDS] = {0};
    unsigned long long fresh = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];
        if (fact->partner != partner || fact->type == LEDGER_DELETED)
            continue;
        bool counts = fact->grade != GRADE_PROBE && fact->grade != GRADE_CHANGED;
        if (fact->type == LEDGER_DISCLOSURE && fact->statement == statement &&
            fact->time_ns >= range.from_ns && fact->time_ns < range.to_ns) {
            first = fact->time_ns < first ? fact->time_ns : first;
            last = fact->time_ns > last ? fact->time_ns : last;
            fresh += counts ? bits(fact->people & ~had[fact->kind]) : 0;
            people[fact->kind] |= counts ? fact->people : 0;
        }
        had[fact->kind] |= counts ? fact->people : 0;
    }
    if (first == INT64_MAX)
        return;
    for (size_t i = 0; i < 32; i++)
        buffer_printf(out, "%02x", statement);
    buffer_printf(out, "|%llu|%llu|0|", fresh, bits(people[0]) + bits(people[1]));
    put_instant(out, first, "|");
    put_instant(out, last, "\n");
}

/* One column of one person in one grade and purpose. */
static void naive_cell(const struct world *world, const struct fact *like, unsigned person,
                       const struct column *column, struct buffer *out)
{
    static const char *const grades[] = {"declared",  "direct", "aggregate", "witness",
                                         "influence", "probe",  "changed"};
    static const char *const purposes[] = {"-", "billing", "recall"};
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < world->count; i++) {
        const struct fact *fact = &world->facts[i];
        if (fact->type == LEDGER_DELETED || fact->partner != like->partner ||
            fact->kind != like->kind || fact->grade != like->grade ||
            fact->purpose != like->purpose || (fact->people >> person & 1) == 0 ||
            (column->sets >> fact->set & 1) == 0)
            continue;
        first = fact->hour < first ? fact->hour : first;
        last = fact->hour > last ? fact->hour : last;
    }
    if (first == INT64_MAX)
        return;
    buffer_printf(out, "%s|customer|%s|%s|%s|%s|", partners[like->partner], column->name,
                  column->category[0] == '\0' ? "-" : column->category, column->form,
                  grades[like->grade]);
    put_instant(out, first * HOUR_NS, "|");
    put_instant(out, last * HOUR_NS, "|");
    buffer_printf(out, "%s\n", purposes[like->purpose]);
}

static void naive_subject(const struct world *world, unsigned kind, unsigned person,
                          struct buffer *out)
{
    for (unsigned partner = 0; partner < PARTNERS; partner++)
        for (uint8_t grade = 0; grade <= GRADE_CHANGED; grade++)
            for (unsigned purpose = 0; purpose < 3; purpose++)
                for (size_t c = 0; c < COLUMNS; c++) {
                    const struct fact like = {
                        .partner = partner, .kind = kind, .grade = grade, .purpose = purpose};
                    naive_cell(world, &like, person, &columns[c], out);
                }
}

/* ---- both ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Order is for other tests to look at. */
static char *sort_lines(char *text)
{
    char *lines[1024], *sorted = calloc(1, LINES_BYTES);
    size_t count = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        assert_true(count < 1024);
        *end = '\0';
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0, at = 0; i < count; i++)
        at += (size_t)snprintf(sorted + at, LINES_BYTES - at, "%s\n", lines[i]);
    return sorted;
}

/* Frees both. */
static void check(struct table *got, struct buffer *want)
{
    char *text = table_text(got);
    char *had = sort_lines(text), *wanted = sort_lines((char *)want->data);
    assert_string_equal(had, wanted);
    free(text);
    free(had);
    free(wanted);
    table_free(got);
    buffer_free(want);
}

static void begin(struct buffer *want)
{
    buffer_init(want, LINES_BYTES);
    assert_non_null(buffer_text(want));
}

static void finish(enum status status, struct error *error, struct table *got, struct buffer *want)
{
    if (status != STATUS_OK)
        fail_msg("%s", error->message);
    assert_non_null(buffer_text(want)); /* ends it */
    check(got, want);
}

static void compare_range(struct world *world, struct range range)
{
    struct exposure *exposure = world->scene.exposure;
    struct table table;
    struct buffer want;
    struct error error = {0};
    unsigned one = next_random(PARTNERS), other = next_random(PARTNERS);
    begin(&want);
    for (unsigned p = 0; p < PARTNERS; p++)
        naive_summary(world, p, range, &want);
    finish(exposure_summary(exposure, &policy, NULL, range.from_ns, range.to_ns, &table, &error),
           &error, &table, &want);
    begin(&want);
    for (unsigned p = 0; p < PARTNERS; p++)
        naive_categories(world, p, range, &want);
    finish(
        exposure_by_category(exposure, &policy, NULL, range.from_ns, range.to_ns, &table, &error),
        &error, &table, &want);
    begin(&want);
    naive_combinations(world, one, range, &want);
    finish(exposure_combinations(exposure, &policy, partners[one], range.from_ns, range.to_ns,
                                 &table, &error),
           &error, &table, &want);
    begin(&want);
    naive_overlap(world, one, other, range, &want);
    finish(exposure_overlap(exposure, &policy, partners[one], partners[other], range.from_ns,
                            range.to_ns, &table, &error),
           &error, &table, &want);
    begin(&want);
    for (unsigned statement = 0; statement < 6; statement++)
        naive_statement(world, one, statement, range, &want);
    finish(exposure_statements(world->folder, world->scene.ledger_folder, partners[one],
                               range.from_ns, range.to_ns, 100, &table, &error),
           &error, &table, &want);
}

static void compare_subjects(struct world *world)
{
    for (unsigned n = 0; n < 20; n++) {
        struct table table;
        struct buffer want;
        struct error error = {0};
        char key[8];
        unsigned kind = next_random(KINDS), person = next_random(PEOPLE);
        snprintf(key, sizeof key, "%u", person);
        enum status status = exposure_subject(world->scene.exposure, (uint16_t)kind,
                                              slice_of_text(key), &table, &error);
        begin(&want);
        naive_subject(world, kind, person, &want);
        if (status == STATUS_NOT_FOUND) {
            assert_int_equal(want.len, 0);
            buffer_free(&want);
        } else {
            finish(status, &error, &table, &want);
        }
    }
}

static struct range some_range(const struct world *world)
{
    static const char *const borders[] = {"2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z",
                                          "2026-10-01T00:00:00Z", "2026-08-31T00:00:00Z"};
    int64_t ends[2];
    for (int i = 0; i < 2; i++) {
        ends[i] = (world->start_hour + next_random(HOURS)) * HOUR_NS;
        unsigned dice = next_random(4);
        if (dice == 0)
            ends[i] = instant(borders[next_random(4)]) + ((int64_t)next_random(3) - 1) * HOUR_NS;
        else if (dice == 1)
            ends[i] -= ends[i] % (24 * HOUR_NS);
        else if (dice == 2)
            ends[i] += 1 + (int64_t)next_random(3600) * 1000000000;
    }
    bool turned = ends[0] > ends[1];
    return (struct range){.from_ns = ends[turned], .to_ns = ends[!turned]};
}

static void compare_all(struct world *world)
{
    static const struct range ever = {INT64_MIN, INT64_MAX};
    struct exposure *exposure = world->scene.exposure;
    struct table table;
    struct buffer want;
    struct error error = {0};
    compare_range(world, ever);
    for (int i = 0; i < 25; i++)
        compare_range(world, some_range(world));
    compare_subjects(world);
    for (unsigned p = 0; p < PARTNERS; p++) {
        begin(&want);
        naive_net(world, p, &want);
        finish(exposure_net(exposure, &policy, partners[p], &table, &error), &error, &table, &want);
        begin(&want);
        naive_never(world, p, &want);
        finish(exposure_never(exposure, &policy, partners[p], &table, &error), &error, &table,
               &want);
    }
}

static void every_question_agrees_with_a_naive_count(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct error error = {0};
    scene_make(&world->scene);
    snprintf(world->folder, sizeof world->folder, "%s/exposure", world->scene.root);
    world->start_hour = instant("2026-07-24T00:00:00Z") / HOUR_NS;
    open_world(world);
    make_sets(world);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < (round == 0 ? 5 : 60); i++)
            add_fact(world);
        compare_all(world);
        if (round == 3) { /* comes back with all of it on disk */
            scene_close(&world->scene);
            open_world(world);
        } else if (index_fold(world->scene.exposure->index, &error) != STATUS_OK) {
            fail_msg("fold: %s", error.message);
        }
        compare_all(world);
    }
    scene_close(&world->scene);
    scene_remove(&world->scene);
    free(world);
}

/* A seed may be given. */
int main(int argc, char **argv)
{
    if (argc > 1)
        random_state = strtoull(argv[1], NULL, 10);
    print_message("seed %llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_question_agrees_with_a_naive_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
