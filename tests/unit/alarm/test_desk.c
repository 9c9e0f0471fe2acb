/* The desk: contains before anything else, counts what repeats, and whatever was raised is in the
 * ledger when it has closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "alarm/alarm.h"
#include "base/clock.h"
#include "registry/alarms.h"

struct scene {
    char root[64], ledger_folder[96];
    struct config config;
    struct ledger *ledger;
    struct registry *registry;
    struct alarm_desk *desk;
    unsigned wakes, completed;
};

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    return remove(path);
}

static void wake(void *context)
{
    ((struct scene *)context)->wakes++;
}

/* As the gateway does it, but for sessions, which there are none of. */
static void contain(void *context, const struct registry_target *target, const char *reason)
{
    struct scene *scene = context;
    struct error error = {0};
    assert_true(registry_contained(scene->registry, target->partner, target->agent, NULL));
    must(registry_contain(scene->registry, target, reason, "alarm", clock_now_ns(), &error),
         &error);
    scene->completed++;
}

static void open_desk(struct scene *scene)
{
    struct error error = {0};
    const struct alarm_options options = {.config = &scene->config,
                                          .ledger = scene->ledger,
                                          .registry = scene->registry,
                                          .wake = wake,
                                          .contain = contain,
                                          .context = scene};
    must(alarm_desk_open(&options, &scene->desk, &error), &error);
}

static void make(struct scene *scene, uint32_t interval_s)
{
    char path[128];
    struct error error = {0};
    *scene = (struct scene){.root = "/tmp/cofferdam-alarm-XXXXXX"};
    assert_non_null(mkdtemp(scene->root));
    snprintf(scene->ledger_folder, sizeof scene->ledger_folder, "%s/ledger", scene->root);
    assert_int_equal(mkdir(scene->ledger_folder, 0700), 0);
    scene->config.state_folder = scene->root;
    scene->config.alarms.interval_s = interval_s;
    const struct ledger_options options = {
        .folder = scene->ledger_folder, .node = "test", .segment_bytes = 1024 * 1024};
    must(ledger_open(&options, &scene->ledger, &error), &error);
    snprintf(path, sizeof path, "%s/registry.sqlite", scene->root);
    must(registry_open(path, &scene->registry, &error), &error);
}

static void make_open(struct scene *scene, uint32_t interval_s)
{
    make(scene, interval_s);
    open_desk(scene);
}

static void end(struct scene *scene)
{
    alarm_desk_close(scene->desk);
    ledger_close(scene->ledger);
    registry_close(scene->registry);
    nftw(scene->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Acts in the ledger whose text has all of these parts ("" for any), once the desk has closed. */
static int count_acts(const struct scene *scene, const char *first, const char *second)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    uint64_t sequence;
    int count = 0;
    must(ledger_reader_open(scene->ledger_folder, 0, &reader, &error), &error);
    while (ledger_reader_next(reader, &sequence, &entry, &side, &error) == STATUS_OK)
        count += entry.type == LEDGER_ACT &&
                 memmem(entry.text.data, entry.text.len, first, strlen(first)) != NULL &&
                 memmem(entry.text.data, entry.text.len, second, strlen(second)) != NULL;
    ledger_reader_close(reader);
    return count;
}

static void close_desk(struct scene *scene)
{
    alarm_desk_close(scene->desk);
    scene->desk = NULL;
}

/* Cell of the at-th newest alarm, in a static buffer. */
static const char *cell(struct scene *scene, size_t at, const char *column)
{
    static char text[500];
    struct table table;
    struct error error = {0};
    must(alarm_list(scene->desk, false, &table, &error), &error);
    const struct table_row *row = table.first;
    while (at-- > 0 && row != NULL)
        row = row->next;
    snprintf(text, sizeof text, "none");
    for (size_t c = 0; row != NULL && c < table.column_count; c++)
        if (strcmp(table.columns[c], column) == 0)
            snprintf(text, sizeof text, "%s", row->cells[c] == NULL ? "" : row->cells[c]);
    table_free(&table);
    return text;
}

static void until_cell(struct scene *scene, size_t at, const char *column, const char *wanted)
{
    int64_t deadline = clock_monotonic_ns() + INT64_C(10000000000);
    while (strcmp(cell(scene, at, column), wanted) != 0 && clock_monotonic_ns() < deadline)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_string_equal(cell(scene, at, column), wanted);
}

static const struct alarm canary = {.rule = ALARM_CANARY_CROSSED,
                                    .partner = "acme",
                                    .agent = "job",
                                    .about = "D-1",
                                    .text = "a canary of \"rival\"\nwas looked up",
                                    .contain = ALARM_CONTAIN_PARTNER};

static void contains_before_it_returns(void **state)
{
    struct scene scene;
    make_open(&scene, 3600);
    alarm_raise(scene.desk, &canary);
    assert_true(registry_contained(scene.registry, "acme", "other", NULL));
    assert_int_equal(scene.wakes, 1);
    close_desk(&scene);
    assert_int_equal(scene.completed, 1);
    assert_int_equal(count_acts(&scene,
                                "alarm\nid=1\nrule=canary-crossed\nabout=D-1\n"
                                "text=a canary of 'rival' was looked up\n",
                                "contained=partner\n"),
                     1);
    end(&scene);
}

static void one_agent_alone_can_be_contained(void **state)
{
    struct scene scene;
    struct alarm alarm = canary;
    alarm.contain = ALARM_CONTAIN_AGENT;
    make_open(&scene, 3600);
    alarm_raise(scene.desk, &alarm);
    assert_true(registry_contained(scene.registry, "acme", "job", NULL));
    assert_false(registry_contained(scene.registry, "acme", "other", NULL));
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "contained=agent\n", ""), 1);
    end(&scene);
}

static void only_tells_where_nothing_else_is_asked(void **state)
{
    struct scene scene;
    struct alarm alarm = canary;
    alarm.contain = ALARM_TELL;
    make_open(&scene, 3600);
    alarm_raise(scene.desk, &alarm);
    assert_false(registry_contained(scene.registry, "acme", "job", NULL));
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm\nid=1\n", "rule=canary-crossed"), 1);
    assert_int_equal(scene.completed, 0);
    end(&scene);
}

static void the_same_is_counted(void **state)
{
    struct scene scene;
    struct alarm alarm = canary;
    alarm.contain = ALARM_TELL;
    make_open(&scene, 3600);
    for (int i = 0; i < 42; i++)
        alarm_raise(scene.desk, &alarm);
    alarm.about = "D-2";
    alarm_raise(scene.desk, &alarm);
    until_cell(&scene, 1, "repeats", "41");
    assert_string_equal(cell(&scene, 0, "about"), "D-2");
    assert_string_equal(cell(&scene, 2, "rule"), "none");
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm\nid=", ""), 2);
    end(&scene);
}

/* Before it returns, and although nothing was raised that the desk's thread would wake for. */
static void is_stored_when_the_raiser_waits(void **state)
{
    struct scene scene;
    struct error error = {0};
    int64_t id = 0;
    const struct alarm mailed = {
        .rule = ALARM_CANARY_MAILED, .partner = "acme", .about = "D-1", .text = "mail came"};
    struct alarm other = mailed;
    other.about = "D-2";
    make_open(&scene, 1);
    must(alarm_raise_stored(scene.desk, &mailed, &id, &error), &error);
    assert_int_equal(id, 1);
    assert_string_equal(cell(&scene, 0, "rule"), "canary-mailed");
    must(alarm_raise_stored(scene.desk, &other, &id, &error), &error);
    assert_int_equal(id, 2);
    must(alarm_raise_stored(scene.desk, &mailed, &id, &error), &error);
    assert_int_equal(id, 0);
    until_cell(&scene, 0, "alarm", "3"); /* its follow-up */
    assert_string_equal(cell(&scene, 0, "about"), "D-1");
    assert_non_null(strstr(cell(&scene, 0, "text"), "mail came (and 1 more since 20"));
    assert_false(registry_contained(scene.registry, "acme", "job", NULL));
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "rule=canary-mailed", ""), 3);
    end(&scene);
}

static void counted_ones_are_told_when_the_interval_ends(void **state)
{
    struct scene scene;
    struct alarm alarm = canary;
    alarm.contain = ALARM_TELL;
    make_open(&scene, 1);
    for (int i = 0; i < 3; i++)
        alarm_raise(scene.desk, &alarm);
    until_cell(&scene, 0, "alarm", "2");
    assert_non_null(strstr(cell(&scene, 0, "text"), "was looked up (and 2 more since 20"));
    assert_string_equal(cell(&scene, 1, "text"), "a canary of 'rival' was looked up");
    end(&scene);
}

static void what_contains_anew_is_never_merely_counted(void **state)
{
    struct scene scene;
    struct error error = {0};
    make_open(&scene, 3600);
    alarm_raise(scene.desk, &canary);
    alarm_raise(scene.desk, &canary);
    must(registry_restore(scene.registry, &(struct registry_target){.partner = "acme"}, "checked",
                          "uid 0", clock_now_ns(), &error),
         &error);
    alarm_raise(scene.desk, &canary);
    assert_true(registry_contained(scene.registry, "acme", "job", NULL));
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm\nid=", "contained=partner"), 2);
    end(&scene);
}

/* Of more than there is room for, each is told or its loss is; and all contain. */
static void a_flood_loses_nothing_unseen(void **state)
{
    enum { FLOOD = 2000 };
    struct scene scene;
    char about[20], partner[20];
    make_open(&scene, 3600);
    for (int i = 0; i < FLOOD; i++) {
        snprintf(about, sizeof about, "%d", i);
        snprintf(partner, sizeof partner, "p%d", i % 5);
        const struct alarm alarm = {.rule = "flood",
                                    .partner = partner,
                                    .about = about,
                                    .text = "many",
                                    .contain = ALARM_CONTAIN_AGENT};
        alarm_raise(scene.desk, &alarm);
    }
    for (int i = 0; i < 5; i++) {
        snprintf(partner, sizeof partner, "p%d", i);
        assert_true(registry_contained(scene.registry, partner, "any", NULL));
    }
    close_desk(&scene);
    int told = count_acts(&scene, "alarm\nid=", "rule=flood"), lost = 0;
    assert_int_equal(count_acts(&scene, "rule=flood", "contained=partner"), 5);
    open_desk(&scene);
    for (size_t at = 0; strcmp(cell(&scene, at, "rule"), ALARM_LOST) == 0; at++)
        lost += (int)strtol(cell(&scene, at, "text"), NULL, 10);
    assert_int_equal(told + lost, FLOOD);
    end(&scene);
}

static void *raise_many(void *context)
{
    struct alarm alarm = {.rule = "many", .partner = "acme", .text = "many", .about = "x"};
    for (int i = 0; i < 500; i++)
        alarm_raise(context, &alarm);
    return NULL;
}

static void threads_raise_beside_each_other(void **state)
{
    struct scene scene;
    pthread_t threads[4];
    make_open(&scene, 3600);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, raise_many, scene.desk), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    until_cell(&scene, 0, "repeats", "1999");
    assert_string_equal(cell(&scene, 1, "rule"), "none");
    end(&scene);
}

static void only_what_is_ones_own_is_crowded_out(void **state)
{
    enum { FLOOD = 2000 };
    struct scene scene;
    char about[20];
    make_open(&scene, 3600);
    struct alarm alarm = {.rule = "flood", .partner = "acme", .about = about, .text = "many"};
    for (int i = 0; i < FLOOD; i++) {
        snprintf(about, sizeof about, "%d", i);
        alarm_raise(scene.desk, &alarm);
    }
    alarm.partner = "rival";
    alarm_raise(scene.desk, &alarm);
    close_desk(&scene);
    assert_in_range(count_acts(&scene, "alarm\nid=", "rule=flood"), 2, FLOOD);
    assert_int_equal(count_acts(&scene, "alarm\nid=", "rule=alarms-lost"), 1);
    open_desk(&scene);
    size_t at = 0;
    while (strcmp(cell(&scene, at, "partner"), "rival") != 0 &&
           strcmp(cell(&scene, at, "rule"), "none") != 0)
        at++;
    assert_string_equal(cell(&scene, at, "partner"), "rival");
    end(&scene);
}

static void what_was_stored_and_not_recorded_is_recorded(void **state)
{
    struct scene scene;
    struct alarms *file;
    struct error error = {0};
    char path[128];
    int64_t id, lost;
    make(&scene, 3600);
    snprintf(path, sizeof path, "%s/alarms.sqlite", scene.root);
    must(alarms_open(path, &file, &error), &error);
    const struct alarms_entry entry = {.event = "00",
                                       .rule = "before",
                                       .partner = "acme",
                                       .agent = "",
                                       .about = "",
                                       .text = "a crash came between",
                                       .contained = ""};
    must(alarms_add(file, &entry, NULL, 0, &id, &lost, &error), &error);
    alarms_close(file);
    open_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm\nid=1\n", "rule=before"), 1);
    close_desk(&scene);
    open_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm\nid=1\n", "rule=before"), 1);
    end(&scene);
}

static void is_acknowledged_once(void **state)
{
    struct scene scene;
    struct error error = {0};
    struct table table;
    int64_t id;
    make_open(&scene, 3600);
    must(alarm_test(scene.desk, "uid 7", &id, &error), &error);
    must(alarm_acknowledge(scene.desk, id, "uid 7", "seen", &error), &error);
    assert_int_equal(alarm_acknowledge(scene.desk, id, "uid 8", "too", &error), STATUS_DENIED);
    assert_int_equal(alarm_acknowledge(scene.desk, 99, "uid 8", "too", &error), STATUS_NOT_FOUND);
    assert_string_equal(cell(&scene, 0, "note"), "seen");
    must(alarm_list(scene.desk, true, &table, &error), &error);
    assert_int_equal(table.row_count, 0);
    table_free(&table);
    close_desk(&scene);
    assert_int_equal(count_acts(&scene, "alarm-acknowledged\nid=1\nby=uid 7\nnote=seen\n", ""), 1);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contains_before_it_returns),
        cmocka_unit_test(one_agent_alone_can_be_contained),
        cmocka_unit_test(only_tells_where_nothing_else_is_asked),
        cmocka_unit_test(the_same_is_counted),
        cmocka_unit_test(is_stored_when_the_raiser_waits),
        cmocka_unit_test(counted_ones_are_told_when_the_interval_ends),
        cmocka_unit_test(what_contains_anew_is_never_merely_counted),
        cmocka_unit_test(a_flood_loses_nothing_unseen),
        cmocka_unit_test(threads_raise_beside_each_other),
        cmocka_unit_test(only_what_is_ones_own_is_crowded_out),
        cmocka_unit_test(what_was_stored_and_not_recorded_is_recorded),
        cmocka_unit_test(is_acknowledged_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
