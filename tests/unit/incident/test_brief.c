/* What the ledger says of a partner by now: contained or restored, and what came behind the
 * cut-off. */
#include "../ledger/folder.h"

#include "incident/brief.h"

/* An entry of the ledger; what is asked for is partner "north". */
struct line {
    enum ledger_type type;
    const char *partner, *agent, *text;
    int64_t time_ns;
};

static struct brief_ledger read_back(const struct line *lines, size_t count, uint64_t cutoff)
{
    struct test_folder folder;
    struct error error = {0};
    struct brief_ledger found;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    struct ledger *ledger = open_ok(&options);
    for (size_t i = 0; i < count; i++) {
        struct ledger_item item = {.kind = 0, .grade = 1, .column_set = 1};
        bool has_item = lines[i].type == LEDGER_DISCLOSURE || lines[i].type == LEDGER_DECLARED;
        struct ledger_entry entry = {.type = lines[i].type,
                                     .time_ns = lines[i].time_ns,
                                     .chunk_count = 1,
                                     .partner = slice_of_text(lines[i].partner),
                                     .agent = slice_of_text(lines[i].agent),
                                     .text = slice_of_text(lines[i].text),
                                     .items = &item,
                                     .item_count = has_item};
        uint64_t sequence;
        if (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    ledger_close(ledger);
    if (brief_read_ledger(folder.path, "north", cutoff, &found, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    folder_remove(&folder);
    return found;
}
#define READ(lines, cutoff) read_back((lines), sizeof(lines) / sizeof(lines)[0], (cutoff))

static void containment_is_of_the_whole_partner(void **state)
{
    static const struct line lines[] = {{LEDGER_ACT, "", "", "start", 100},
                                        {LEDGER_ACT, "north", "job", "contain by=a reason=b", 200},
                                        {LEDGER_ACT, "south", "", "contain by=a reason=b", 300}};
    struct brief_ledger found = READ(lines, 99);
    assert_int_equal(found.entries, 3);
    assert_int_equal(found.first_ns, 100);
    assert_int_equal(found.contained_ns, INT64_MIN);
}

static void the_newest_containment_counts(void **state)
{
    static const struct line lines[] = {{LEDGER_ACT, "north", "", "contain by=a reason=b", 100},
                                        {LEDGER_ACT, "north", "", "restore by=a reason=b", 200},
                                        {LEDGER_ACT, "north", "", "contain by=a reason=c", 300}};
    struct brief_ledger found = READ(lines, 99);
    assert_int_equal(found.contained_entry, 2);
    assert_int_equal(found.contained_ns, 300);
    assert_int_equal(found.restored_ns, INT64_MIN);
}

static void one_agents_return_is_a_return(void **state)
{
    static const struct line lines[] = {{LEDGER_ACT, "north", "", "contain by=a reason=b", 100},
                                        {LEDGER_ACT, "north", "job", "restore by=a reason=b", 200}};
    struct brief_ledger found = READ(lines, 99);
    assert_int_equal(found.restored_entry, 1);
    assert_int_equal(found.restored_ns, 200);
}

static void the_cut_off_parts_entries(void **state)
{
    static const struct line lines[] = {{LEDGER_DECLARED, "north", "", "", 100},
                                        {LEDGER_DISCLOSURE, "north", "job", "", 200},
                                        {LEDGER_DISCLOSURE, "south", "job", "", 300},
                                        {LEDGER_DISCLOSURE, "north", "job", "", 400},
                                        {LEDGER_DECLARED, "north", "", "", 500}};
    struct brief_ledger found = READ(lines, 2);
    assert_int_equal(found.declared, 1);
    assert_int_equal(found.declared_later, 1);
    assert_int_equal(found.disclosures_later, 1);
    found = READ(lines, 5);
    assert_int_equal(found.declared, 2);
    assert_int_equal(found.declared_later, 0);
    assert_int_equal(found.disclosures_later, 0);
    assert_int_equal(found.declared_last_ns, 500);
}

/* An export is of the time that staff told, and of the entry where they told none. */
static void the_newest_export_is_by_its_own_time(void **state)
{
    static const struct line told[] = {
        {LEDGER_DECLARED, "north", "", "declare\nat=1970-01-01T00:00:09Z\nreason=b", 100},
        {LEDGER_DECLARED, "north", "", "declare\nat=1970-01-01T00:00:07Z\nreason=b", 200}};
    static const struct line others[] = {{LEDGER_DECLARED, "south", "", "", 100}};
    assert_int_equal(READ(told, 9).declared_last_ns, INT64_C(9000000000));
    assert_int_equal(READ(others, 9).declared_last_ns, INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containment_is_of_the_whole_partner),
        cmocka_unit_test(the_newest_containment_counts),
        cmocka_unit_test(one_agents_return_is_a_return),
        cmocka_unit_test(the_cut_off_parts_entries),
        cmocka_unit_test(the_newest_export_is_by_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
