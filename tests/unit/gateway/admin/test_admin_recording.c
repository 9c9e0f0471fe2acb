/* What a command of the admin database says is checked before anything of it is written; and what
 * is written holds everybody, in entries that fit. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "exposure/subject_set.h"
#include "gateway/admin/admin_recording.h"

static const struct policy_column customer_columns[] = {
    {"customer_id", NULL}, {"full_name", "name"}, {"phone", "phone"}};
static const struct policy_column price_columns[] = {{"price", NULL}};
static const struct policy_subject of_customers = {.kind = 0, .key = "customer_id"};
static const struct policy_dataset datasets[] = {
    {.name = "customer",
     .columns = customer_columns,
     .column_count = 3,
     .subjects = &of_customers,
     .subject_count = 1},
    {.name = "price", .columns = price_columns, .column_count = 1},
};
static const struct policy_kind kinds[] = {{.name = "customer", .dataset = "customer"},
                                           {.name = "enquirer", .dataset = "enquiry"}};
static const struct policy policy = {
    .kinds = kinds, .kind_count = 2, .datasets = datasets, .dataset_count = 2};

/* ---- columns ---- */

static void columns_are(const char *text, bool clear_only, const char *want)
{
    struct buffer canonical;
    struct error error = {0};
    buffer_init(&canonical, 4096);
    enum status status = recording_columns(&policy, 0, text, clear_only, &canonical, &error);
    const char *got = status == STATUS_OK ? buffer_text(&canonical) : error.sqlstate;
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\" became \"%s\" (%s), expected \"%s\"", text, got, error.message, want);
    buffer_free(&canonical);
}

static void columns_become_canonical(void **state)
{
    columns_are("customer.full_name", false, "customer.full_name:clear:name\n");
    columns_are("phone:masked, customer.full_name,customer_id:token", false,
                "customer.customer_id:token:\ncustomer.full_name:clear:name\n"
                "customer.phone:masked:phone\n");
    columns_are("phone,phone:clear,phone:masked,phone", false,
                "customer.phone:clear:phone\ncustomer.phone:masked:phone\n");
}

static void columns_that_are_none_are_refused(void **state)
{
    columns_are("", false, "42703");
    columns_are("phone,", false, "42703");
    columns_are("customer.shoe_size", false, "42703");
    columns_are("customer.", false, "42703");
    columns_are(".phone", false, "42703");
    columns_are("enquiry.phone", false, "42703");
    columns_are("price.price", false, "22023");
    columns_are("phone:loud", false, "22023");
    columns_are("phone:masked", true, "22023");
    columns_are("phone:clear", true, "customer.phone:clear:phone\n");
}

static void too_many_columns_are_refused(void **state)
{
    struct buffer names;
    buffer_init(&names, 1 << 16);
    for (int i = 0; i < RECORDING_COLUMNS; i++)
        buffer_append_text(&names, "phone,");
    buffer_append_text(&names, "phone");
    columns_are(buffer_text(&names), false, "54000");
    buffer_free(&names);
}

/* ---- ids ---- */

static void ranges_are(const char *text, const char *want)
{
    char got[256] = "";
    uint32_t first, last;
    enum status status;
    const char *at = text;
    while ((status = recording_range(&at, &first, &last, NULL)) == STATUS_OK)
        snprintf(got + strlen(got), sizeof got - strlen(got), "[%u %u]", first, last);
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s",
             status == STATUS_CLOSED ? "" : status_name(status));
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\" became \"%s\", expected \"%s\"", text, got, want);
}

static void ranges_of_ids(void **state)
{
    ranges_are("1-500 502", "[1 500][502 502]");
    ranges_are(" 0  7-7 ", "[0 0][7 7]");
    ranges_are("2147483647", "[2147483647 2147483647]");
    ranges_are("", "");
    ranges_are("1 2147483648", "[1 1]denied");
    ranges_are("99999999999999999999999999", "denied");
    ranges_are("5-4", "denied");
    ranges_are("1-", "denied");
    ranges_are("-1", "denied");
    ranges_are("1,2", "denied");
    ranges_are("1-2-3", "denied");
}

/* ---- keys ---- */

static void keys_one_a_line(void **state)
{
    struct subject_key *keys;
    size_t count;
    assert_status(recording_keys(1, "12\nab c\nit's\n", &keys, &count, NULL), STATUS_OK);
    assert_int_equal(count, 3);
    assert_int_equal(keys[1].kind, 1);
    assert_true(slice_equal(keys[1].key, slice_of_text("ab c")));
    assert_true(slice_equal(keys[2].key, slice_of_text("it's")));
    free(keys);
    assert_status(recording_keys(1, "", &keys, &count, NULL), STATUS_OK);
    assert_int_equal(count, 0);
    free(keys);
}

static void keys_that_are_none(void **state)
{
    char long_key[LIMIT_SUBJECT_KEY_BYTES + 4];
    struct subject_key *keys;
    struct error error = {0};
    size_t count;
    assert_status(recording_keys(0, "1\n\n2\n", &keys, &count, &error), STATUS_DENIED);
    assert_non_null(strstr(error.message, "line 2 "));
    memset(long_key, 'x', sizeof long_key);
    long_key[0] = '1';
    long_key[1] = '\n';
    long_key[sizeof long_key - 1] = '\0';
    assert_status(recording_keys(0, long_key, &keys, &count, &error), STATUS_DENIED);
    long_key[sizeof long_key - 2] = '\0';
    assert_status(recording_keys(0, long_key, &keys, &count, &error), STATUS_OK);
    free(keys);
}

/* ---- entries ---- */

struct seen {
    size_t entries, opening, closing;
    uint64_t people;
    uint8_t uuid[16];
    bool one_uuid;
};

static void look(struct scene *scene, struct seen *seen)
{
    char folder[128];
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    uint64_t sequence, count;
    snprintf(folder, sizeof folder, "%s/ledger", scene->root);
    *seen = (struct seen){.one_uuid = true};
    assert_status(ledger_reader_open(folder, 0, &reader, &error), STATUS_OK);
    while (ledger_reader_next(reader, &sequence, &entry, &side, &error) == STATUS_OK) {
        if (entry.type != LEDGER_DECLARED)
            continue;
        if (seen->entries++ == 0)
            memcpy(seen->uuid, entry.uuid, sizeof seen->uuid);
        seen->one_uuid = seen->one_uuid && memcmp(seen->uuid, entry.uuid, sizeof entry.uuid) == 0;
        seen->opening += (entry.flags & LEDGER_FLAG_OPENING) != 0;
        seen->closing += (entry.flags & LEDGER_FLAG_CLOSING) != 0;
        for (size_t i = 0; i < entry.item_count; i++) {
            assert_status(subject_set_count(entry.items[i].subjects, &count), STATUS_OK);
            seen->people += count;
        }
    }
    ledger_reader_close(reader);
}

static struct recording begin(struct scene *scene)
{
    static const struct snapshot snapshot = {.policy = &policy};
    struct recording recording = recording_begin(&scene->server, &snapshot, LEDGER_DECLARED);
    recording.entry.partner = slice_of_text("north-mail");
    return recording;
}

/* Ids far apart make sets that are larger than an entry. */
static void everybody_is_in_entries_that_fit(void **state)
{
    enum { COUNT = 50000, APART = 40000 };
    struct scene scene;
    struct seen seen;
    uint32_t *ids = calloc(COUNT, sizeof *ids);
    scene_open(&scene, 1);
    struct recording recording = begin(&scene);
    for (uint32_t i = 0; i < COUNT; i++)
        ids[i] = (COUNT - 1 - i) * APART;
    assert_status(recording_people(&recording, ids, COUNT, slice_of(NULL, 0), true, NULL),
                  STATUS_OK);
    recording_wait(&recording);
    look(&scene, &seen);
    assert_int_equal(seen.people, COUNT);
    assert_in_range(seen.entries, 4, 64);
    assert_int_equal(seen.opening, 1);
    assert_int_equal(seen.closing, 1);
    assert_true(seen.one_uuid);
    free(ids);
    scene_close(&scene);
}

static void nobody_is_an_empty_set(void **state)
{
    struct scene scene;
    struct seen seen;
    size_t subjects = 99;
    scene_open(&scene, 1);
    struct recording recording = begin(&scene);
    assert_status(recording_subjects(&recording, NULL, 0, &subjects, NULL), STATUS_OK);
    recording_wait(&recording);
    look(&scene, &seen);
    assert_int_equal(subjects, 0);
    assert_int_equal(seen.entries, 1);
    assert_int_equal(seen.people, 0);
    scene_close(&scene);
}

static void people_are_counted_once(void **state)
{
    enum { COUNT = 40000, DISTINCT = 30000 };
    struct scene scene;
    struct seen seen;
    size_t subjects = 0;
    struct subject_key *keys = calloc(COUNT, sizeof *keys);
    char(*texts)[16] = calloc(COUNT, sizeof *texts);
    scene_open(&scene, 1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i % DISTINCT);
        keys[i] = (struct subject_key){.key = slice_of_text(texts[i])};
    }
    struct recording recording = begin(&scene);
    assert_status(recording_subjects(&recording, keys, COUNT, &subjects, NULL), STATUS_OK);
    recording_wait(&recording);
    look(&scene, &seen);
    assert_int_equal(subjects, DISTINCT);
    assert_in_range(seen.people, DISTINCT, COUNT);
    assert_int_equal(seen.closing, 1);
    free(keys);
    free(texts);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_become_canonical),
        cmocka_unit_test(columns_that_are_none_are_refused),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(ranges_of_ids),
        cmocka_unit_test(keys_one_a_line),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(everybody_is_in_entries_that_fit),
        cmocka_unit_test(nobody_is_an_empty_set),
        cmocka_unit_test(people_are_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
