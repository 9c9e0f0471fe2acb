/* Writes: what the mark of each row comes to, what is written down before anything can be committed
 * and what afterwards, whatever becomes of the transaction. */
#include "scene.h"

#include <string.h>

#include "gateway/session.h"

/* A session whose statement changes rows about one person each: the row's key and the mark come
 * behind one visible column. */
struct writing {
    struct scene scene;
    struct worker worker;
    struct session session;
    struct plan_write write;
    size_t kinds[1];
    enum policy_when_null when_null[1];
};

static void writing_open(struct writing *writing, enum plan_change change)
{
    struct scene *scene = &writing->scene;
    *writing = (struct writing){0};
    scene_open(scene, 0);
    writing->when_null[0] = POLICY_NULL_REFUSE;
    writing->write = (struct plan_write){.change = change,
                                         .dataset = "person",
                                         .table = 4711,
                                         .kinds = writing->kinds,
                                         .when_null = writing->when_null,
                                         .kind_count = 1};
    scene->plan.write = &writing->write;
    scene->plan.command = "UPDATE";
    writing->worker.server = &scene->server;
    writing->session = (struct session){.worker = &writing->worker,
                                        .state = SESSION_READY,
                                        .partner = &scene->partner,
                                        .agent = &scene->agent,
                                        .purpose = "delivery",
                                        .transaction = 'I'};
    outqueue_init(&writing->session.out, 1024 * 1024);
    writes_init(&writing->session.writes);
}

static void writing_close(struct writing *writing)
{
    writes_end(&writing->session);
    outqueue_free(&writing->session.out);
    scene_close(&writing->scene);
}

/* A new statement; it is known by that number. */
static void begin(struct writing *writing, uint8_t number)
{
    scene_run(&writing->scene);
    writing->scene.run->uuid[0] = number;
    writes_begin(&writing->session, writing->scene.run);
}

static enum status try_row(struct writing *writing, const char *key, const char *mark, bool *pass,
                           struct error *error)
{
    struct buffer row;
    const char *const values[] = {"seen", key, mark};
    buffer_init(&row, 4096);
    buffer_append_u16be(&row, 3);
    for (size_t i = 0; i < 3; i++) {
        buffer_append_u32be(&row, values[i] == NULL ? UINT32_MAX : (uint32_t)strlen(values[i]));
        buffer_append_text(&row, values[i] == NULL ? "" : values[i]);
    }
    enum status status =
        writes_take_row(&writing->session, writing->scene.run, buffer_slice(&row), pass, error);
    buffer_free(&row);
    return status;
}

/* Does the row go on to the batch? */
static bool row(struct writing *writing, const char *key, const char *mark)
{
    struct error error;
    bool pass;
    assert_status(try_row(writing, key, mark, &pass, &error), STATUS_OK);
    return pass;
}

static void expect_refused(struct writing *writing, const char *key, const char *mark,
                           enum status status, const char *sqlstate)
{
    struct error error;
    bool pass = false;
    assert_status(try_row(writing, key, mark, &pass, &error), status);
    assert_string_equal(error.sqlstate, sqlstate);
}

/* What the judge says: "SQLSTATE probes", "00000" where the write may stand; static. */
static const char *judged(struct writing *writing)
{
    static char text[40];
    struct error error;
    uint64_t probes;
    enum status status = writes_judge(&writing->session, writing->scene.run, &probes, &error);
    snprintf(text, sizeof text, "%s %llu", status == STATUS_OK ? "00000" : error.sqlstate,
             (unsigned long long)probes);
    return text;
}

static void intend(struct writing *writing)
{
    struct error error;
    assert_status(writes_intend(&writing->session, writing->scene.run, &error), STATUS_OK);
    writes_done(&writing->session);
}

static void expect_changes(struct writing *writing, const char *told)
{
    if (writing->session.writes.intended)
        ledger_wait(writing->scene.server.ledger, writing->session.writes.sequence);
    scene_restart(&writing->scene); /* all of it is durable then */
    assert_string_equal(scene_changes(&writing->scene), told);
}

static void test_marks(void **state)
{
    (void)state;
    struct writing writing;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    begin(&writing, 1);
    assert_true(row(&writing, "7", "w"));
    assert_true(row(&writing, NULL, "n"));
    assert_false(row(&writing, NULL, "g"));
    assert_int_equal(writing.session.writes.written, 1);
    assert_int_equal(writing.session.writes.key_count, 1);
    assert_string_equal(judged(&writing), "00000 0");
    writing.write.lineage_of_given = true; /* then what is read is of the rows that were given */
    assert_false(row(&writing, "8", "w"));
    assert_true(row(&writing, NULL, "g"));
    assert_int_equal(writing.session.writes.written, 2);
    writing_close(&writing);
}

static void test_what_upstream_must_say(void **state)
{
    (void)state;
    struct writing writing;
    struct error error;
    bool pass;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    begin(&writing, 1);
    expect_refused(&writing, "7", NULL, STATUS_PEER, "XX000");
    expect_refused(&writing, "7", "", STATUS_PEER, "XX000");
    expect_refused(&writing, "7", "ww", STATUS_PEER, "XX000");
    expect_refused(&writing, "7", "x", STATUS_PEER, "XX000");
    char key[LIMIT_SUBJECT_KEY_BYTES + 2];
    memset(key, '1', sizeof key);
    key[sizeof key - 1] = '\0';
    expect_refused(&writing, key, "w", STATUS_LIMIT, "54000");
    expect_refused(&writing, NULL, "w", STATUS_DENIED, "44000");
    writing.when_null[0] = POLICY_NULL_NONE;
    assert_true(row(&writing, NULL, "w"));
    scene_run(&writing.scene); /* a row of what is not the write under way */
    assert_status(try_row(&writing, "7", "w", &pass, &error), STATUS_PEER);
    writing_close(&writing);
}

static void test_the_worst_of_its_rows_decides(void **state)
{
    (void)state;
    static const struct {
        const char *marks, *judged;
    } cases[] = {{"o", "44000 1"},  {"s", "40001 0"},  {"a", "21000 0"},
                 {"so", "44000 1"}, {"os", "44000 1"}, {"wwoaw", "44000 1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writing writing;
        writing_open(&writing, PLAN_CHANGE_UPDATE);
        begin(&writing, 1);
        for (const char *mark = cases[i].marks; *mark != '\0'; mark++)
            assert_true(row(&writing, "7", (char[]){*mark, '\0'}));
        assert_string_equal(judged(&writing), cases[i].judged);
        begin(&writing, 2); /* nothing is left of the one before */
        assert_string_equal(judged(&writing), "00000 0");
        writing_close(&writing);
    }
}

static void test_rows_left_out_are_counted(void **state)
{
    (void)state;
    struct writing writing;
    writing_open(&writing, PLAN_CHANGE_INSERT);
    writing.write.lineage_of_given = true;
    begin(&writing, 1);
    for (int i = 0; i < 5; i++)
        assert_true(row(&writing, NULL, "g"));
    assert_false(row(&writing, "7", "w"));
    assert_false(row(&writing, "8", "w"));
    assert_string_equal(judged(&writing), "00000 0");
    writing.write.may_skip = true; /* DO NOTHING */
    assert_string_equal(judged(&writing), "00000 3");
    writing.write.skip_fails = true; /* DO UPDATE of a row that is not granted */
    assert_string_equal(judged(&writing), "23505 1");
    assert_false(row(&writing, NULL, "o")); /* of an INSERT nothing was read there */
    assert_string_equal(judged(&writing), "44000 1");
    writing_close(&writing);
}

static void test_a_transaction_changes_so_much_and_no_more(void **state)
{
    (void)state;
    struct writing writing;
    struct error error;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    begin(&writing, 1);
    row(&writing, "7", "w");
    writing.session.writes.intent_count = LIMIT_CHANGES;
    assert_status(writes_intend(&writing.session, writing.scene.run, &error), STATUS_LIMIT);
    assert_string_equal(error.sqlstate, "54000");
    assert_false(writing.session.writes.intended);
    writing.session.writes.intent_count = 0;
    writing_close(&writing);
}

static void test_a_change_is_written_before_and_after(void **state)
{
    (void)state;
    struct writing writing;
    char tag[40];
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    begin(&writing, 1);
    row(&writing, "7", "w");
    row(&writing, "8", "w");
    row(&writing, "7", "w");
    assert_true(writes_wait(&writing.session));
    writes_tag(&writing.session, &writing.scene.plan, tag, sizeof tag);
    assert_string_equal(tag, "UPDATE 3");
    intend(&writing);
    assert_int_equal(writing.session.out.gate_count, 1);
    ledger_wait(writing.scene.server.ledger, writing.session.writes.sequence);
    assert_true(writes_wait(&writing.session)); /* as the gate does, until the next turn */
    assert_int_equal(outqueue_sendable(&writing.session.out, writing.session.durable).len, 0);
    assert_int_equal(writing.session.out.gate_count, 1);
    writing.session.durable = ledger_durable(writing.scene.server.ledger);
    assert_false(writes_wait(&writing.session));
    writes_sync_sent(&writing.session);
    writes_ready(&writing.session, 'I');
    expect_changes(&writing, "1 change=update 3: changed{7 8}\nend 1 committed:\n");
    begin(&writing, 2); /* meets no row: nothing to tell */
    intend(&writing);
    writes_ready(&writing.session, 'I');
    expect_changes(&writing, "1 change=update 3: changed{7 8}\nend 1 committed:\n");
    writing_close(&writing);
}

/* How the transaction of one write ends, and what is told of it. */
static void test_outcomes(void **state)
{
    (void)state;
    enum how { ROLLBACK, FAILED, LOST, LOST_AT_COMMIT, FAILED_AND_LOST } how;
    static const char *const told[] = {"rolled-back", "rolled-back", "rolled-back", "in-doubt",
                                       "rolled-back"};
    for (how = ROLLBACK; how <= FAILED_AND_LOST; how++) {
        struct writing writing;
        char expected[100];
        writing_open(&writing, PLAN_CHANGE_DELETE);
        writing.session.transaction = 'T';
        begin(&writing, 1);
        row(&writing, "7", "w");
        intend(&writing);
        if (how == ROLLBACK)
            writes_ended(&writing.session, false);
        if (how == FAILED || how == FAILED_AND_LOST)
            writes_failed(&writing.session);
        if (how == FAILED)
            writes_ready(&writing.session, 'I');
        if (how == LOST_AT_COMMIT || how == FAILED_AND_LOST)
            writes_commit_sent(&writing.session);
        if (how >= LOST)
            writes_end(&writing.session);
        snprintf(expected, sizeof expected, "1 change=delete 1: changed{7}\nend 1 %s:\n",
                 told[how]);
        expect_changes(&writing, expected);
        writing_close(&writing);
    }
}

static void savepoint(struct writing *writing, const char *command, const char *name)
{
    struct plan plan = {.kind = PLAN_UTILITY,
                        .command = command,
                        .transaction = PLAN_TRANSACTION_SAVEPOINT,
                        .savepoint = name};
    writes_savepoint(&writing->session, &plan);
}

static void test_what_a_savepoint_undoes_is_told_at_once(void **state)
{
    (void)state;
    struct writing writing;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    writing.session.transaction = 'T';
    for (uint8_t number = 1; number <= 3; number++) {
        begin(&writing, number);
        row(&writing, "7", "w");
        intend(&writing);
        savepoint(&writing, "SAVEPOINT", number == 1 ? "a" : "b");
    }
    savepoint(&writing, "ROLLBACK", "b"); /* the newer b: nothing since */
    savepoint(&writing, "RELEASE", "b");
    savepoint(&writing, "ROLLBACK", "a");
    writes_ended(&writing.session, true);
    expect_changes(&writing, "1 change=update 1: changed{7}\n2 change=update 1: changed{7}\n"
                             "3 change=update 1: changed{7}\n"
                             "end 2 rolled-back:\nend 3 rolled-back:\nend 1 committed:\n");
    writing_close(&writing);
}

static void test_a_savepoint_that_is_not_known_leaves_doubt(void **state)
{
    (void)state;
    struct writing writing;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    writing.session.transaction = 'T';
    begin(&writing, 1);
    row(&writing, "7", "w");
    intend(&writing);
    savepoint(&writing, "ROLLBACK", "never made");
    writes_ended(&writing.session, true);
    expect_changes(&writing, "1 change=update 1: changed{7}\nend 1 in-doubt:\n");
    writing_close(&writing);
}

static void test_no_totals_over_what_was_written(void **state)
{
    (void)state;
    struct writing writing;
    struct error error;
    uint32_t own = 4711, other = 12;
    struct plan_hidden sets = {.depth = 1};
    struct plan total = {
        .kind = PLAN_QUERY, .hidden = &sets, .hidden_count = 1, .tables = &own, .table_count = 1};
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    assert_true(plan_aggregates(&total));
    assert_status(writes_check(&writing.session, &total, &error), STATUS_OK);
    begin(&writing, 1);
    row(&writing, "7", "w");
    intend(&writing);
    assert_status(writes_check(&writing.session, &total, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "25000");
    total.tables = &other;
    assert_status(writes_check(&writing.session, &total, &error), STATUS_OK);
    total.tables = &own;
    writes_ended(&writing.session, true);
    assert_status(writes_check(&writing.session, &total, &error), STATUS_OK);
    writing_close(&writing);
}

/* One statement's rows are bounded, and so is what their keys take. */
static void test_rows_are_bounded(void **state)
{
    (void)state;
    struct writing writing;
    struct error error;
    bool pass;
    writing_open(&writing, PLAN_CHANGE_UPDATE);
    begin(&writing, 1);
    for (int i = 0; i < 100000; i++)
        assert_status(try_row(&writing, "7", "w", &pass, &error), STATUS_OK);
    expect_refused(&writing, "7", "w", STATUS_LIMIT, "54000");
    begin(&writing, 2);
    char key[LIMIT_SUBJECT_KEY_BYTES + 1];
    memset(key, '1', sizeof key);
    key[sizeof key - 1] = '\0';
    enum status status = STATUS_OK;
    for (int i = 0; i < 100000 && status == STATUS_OK; i++)
        status = try_row(&writing, key, "w", &pass, &error);
    assert_status(status, STATUS_NOMEM);
    assert_in_range(writing.session.writes.key_bytes.len, 1, 16 * 1024 * 1024);
    writing_close(&writing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_what_upstream_must_say),
        cmocka_unit_test(test_the_worst_of_its_rows_decides),
        cmocka_unit_test(test_rows_left_out_are_counted),
        cmocka_unit_test(test_a_transaction_changes_so_much_and_no_more),
        cmocka_unit_test(test_a_change_is_written_before_and_after),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_what_a_savepoint_undoes_is_told_at_once),
        cmocka_unit_test(test_a_savepoint_that_is_not_known_leaves_doubt),
        cmocka_unit_test(test_no_totals_over_what_was_written),
        cmocka_unit_test(test_rows_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
