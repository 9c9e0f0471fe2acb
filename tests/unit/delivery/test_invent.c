/* Invented rows: they look like those of the file, keep its order, and are nobody of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ctype.h>

#include "delivery/invent.h"

static struct error error;
#define must(call)                                                                                 \
    do {                                                                                           \
        if ((call) != STATUS_OK)                                                                   \
            fail_msg("%s", error.message);                                                         \
    } while (0)

static const char *const given[] = {"Ada"}, *const family[] = {"Marsh"},
                         *const streets[] = {"Larkfold Lane"},
                         *const phones[] = {"+44 7700 900###", "+49 171 39200##"};
static const struct invent_lists lists = {
    {given, 1}, {family, 1}, {streets, 1}, {phones, 2}, "post.example"};

enum { INT8 = 20, TEXT = 25, DATE = 1082, UUID = 2950 };

struct made {
    char text[8][80];
    bool invented[8], null[8];
};

/* Shows rows of `count` columns and takes one canary. */
static struct made make(const struct invent_column *columns, size_t count, const char *const *cells,
                        size_t rows)
{
    struct invent *invent;
    struct made made = {0};
    const char *const *got;
    const bool *invented;
    must(invent_open(columns, count, &lists, &invent, &error));
    for (size_t row = 0; row < rows; row++)
        must(invent_see(invent, cells + row * count, &error));
    must(invent_ready(invent, &error));
    must(invent_row(invent, &got, &invented, &error));
    for (size_t i = 0; i < count; i++) {
        made.null[i] = got[i] == NULL;
        snprintf(made.text[i], sizeof made.text[i], "%s", got[i] == NULL ? "" : got[i]);
        made.invented[i] = invented[i];
    }
    invent_close(invent);
    return made;
}

static struct invent_column column(const char *name, uint32_t type, const char *category)
{
    return (struct invent_column){
        .name = name, .type = type, .category = category, .is_clear = true};
}

static void makes_a_person(void **state)
{
    (void)state;
    const struct invent_column columns[] = {
        column("full_name", TEXT, "name"),    column("email", TEXT, "email"),
        column("phone", TEXT, "phone"),       column("street", TEXT, "address"),
        column("postcode", TEXT, "address"),  column("town", TEXT, "address"),
        column("born", DATE, "date_of_birth")};
    const char *const cells[] = {"Mr JOHN SMITH",  "js@real.example", "07123 456789",
                                 "12 Real Street", "BS1 4QT",         "Bristol",
                                 "1980-05-05"};
    struct made made = make(columns, 7, cells, 1);
    assert_string_equal(made.text[0], "Mr Ada Marsh");
    assert_memory_equal(made.text[1], "ada.marsh", 9);
    assert_non_null(strstr(made.text[1], "@post.example"));
    assert_memory_equal(made.text[2], "07700 900", 9);
    assert_int_equal(strlen(made.text[2]), strlen("07123 456789"));
    assert_non_null(strstr(made.text[3], " Larkfold Lane"));
    assert_memory_equal(made.text[4], "BS1 ", 4);
    assert_int_equal(strlen(made.text[4]), 7);
    assert_string_equal(made.text[5], "Bristol");
    assert_string_equal(made.text[6], "1980-05-05");
    static const bool invented[] = {true, true, true, true, false, false, false};
    assert_memory_equal(made.invented, invented, sizeof invented);
}

static void follows_the_look(void **state)
{
    (void)state;
    const struct invent_column columns[] = {
        column("first_name", TEXT, "name"), column("surname", TEXT, "name"),
        column("name", TEXT, "name"), column("phone", TEXT, "phone"),
        column("line", TEXT, "address")};
    const char *const cells[] = {"JO", "Smith", "SMITH, Jo", "+49 (171) 3333333",
                                 "Hauptstr. 5, Bonn"};
    struct made made = make(columns, 5, cells, 1);
    assert_string_equal(made.text[0], "ADA");
    assert_string_equal(made.text[1], "Marsh");
    assert_string_equal(made.text[2], "MARSH, Ada");
    assert_memory_equal(made.text[3], "+49 (171) 39200", 15);
    assert_memory_equal(made.text[4], "Larkfold Lane ", 14);
    assert_non_null(strstr(made.text[4], ", Bonn"));
}

static unsigned vin_digit(const char *vin)
{
    static const char *const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ";
    static const unsigned weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    unsigned sum = 0;
    for (size_t i = 0; i < 17; i++)
        sum += weights[i] * ((unsigned)(strchr(values, vin[i]) - values) % 10);
    return sum % 11;
}

static void checks_chassis_numbers(void **state)
{
    (void)state;
    assert_int_equal(vin_digit("1M8GDM9AXKP042788"), 10); /* the textbook's */
    const struct invent_column columns[] = {column("vin", TEXT, "vin")};
    const char *const cells[] = {"1M8GDM9AXKP042788"};
    for (int i = 0; i < 100; i++) {
        struct made made = make(columns, 1, cells, 1);
        unsigned digit = vin_digit(made.text[0]);
        assert_memory_equal(made.text[0], "1M8GDM9A", 8);
        assert_int_equal(made.text[0][8], digit == 10 ? 'X' : '0' + (int)digit);
        assert_true(made.invented[0]);
    }
}

static void keeps_forms(void **state)
{
    (void)state;
    struct invent_column columns[] = {column("phone", TEXT, "phone"),
                                      column("person_id", TEXT, NULL), column("id", UUID, NULL)};
    columns[0].is_clear = columns[1].is_clear = false;
    columns[1].is_key = true;
    const char *const cells[] = {
        "***6789", "0a1b2c3d4e5f0a1b", "7b0cbf8e-0000-4000-8000-1234567890ab",
        "***1234", "ffee00112233ddcc", NULL};
    for (int i = 0; i < 50; i++) {
        struct made made = make(columns, 3, cells, 2);
        assert_memory_equal(made.text[0], "***", 3);
        assert_int_equal(strspn(made.text[0] + 3, "0123456789"), 4);
        assert_int_equal(strlen(made.text[1]), 16);
        assert_int_equal(strspn(made.text[1], "0123456789abcdef"), 16);
        assert_true(made.invented[1]);
        if (!made.null[2])
            assert_int_equal(made.text[2][14], '4');
    }
}

/* Dense keys go on above the greatest; sparse ones fall between. */
static void numbers_people(void **state)
{
    (void)state;
    struct invent_column columns[] = {column("id", INT8, NULL), column("town", TEXT, "address"),
                                      column("pence", INT8, "purchase")};
    columns[0].is_key = true;
    char texts[100][3][16];
    const char *cells[300];
    for (int sparse = 0; sparse < 2; sparse++) {
        for (int i = 0; i < 100; i++) {
            snprintf(texts[i][0], 16, "%d", sparse ? 1000 + i * 977 : 1 + i);
            snprintf(texts[i][1], 16, "%s", i % 2 ? "Bath" : "York");
            snprintf(texts[i][2], 16, "%d", 10 * i);
            for (int j = 0; j < 3; j++)
                cells[3 * i + j] = texts[i][j];
        }
        for (int i = 0; i < 20; i++) {
            struct made made = make(columns, 3, cells, 100);
            long id = strtol(made.text[0], NULL, 10), pence = strtol(made.text[2], NULL, 10);
            assert_true(sparse ? id >= 1000 && id <= 1000 + 99 * 977 : id > 100 && id < 700);
            assert_true(strcmp(made.text[1], "Bath") == 0 || strcmp(made.text[1], "York") == 0);
            assert_true(pence >= 0 && pence <= 990);
            assert_false(made.invented[1]);
        }
    }
}

/* What one row alone has is that person's own, and in no canary. */
static void copies_nobody(void **state)
{
    (void)state;
    enum { TIMESTAMP = 1114 };
    const struct invent_column columns[] = {
        column("line", TEXT, "address"),     column("town", TEXT, "address"),
        column("job", TEXT, "employment"),   column("note", TEXT, "health"),
        column("seen", TIMESTAMP, "online"), column("vin", TEXT, "vin")};
    char texts[20][6][120];
    const char *cells[120];
    for (int i = 0; i < 20; i++) {
        snprintf(texts[i][0], 120, "Cottage %c, The Green", 'A' + i);
        snprintf(texts[i][1], 120, "%s", i % 4 ? "Bath" : "York");
        snprintf(texts[i][2], 120, "%s%c", i == 7 ? "astronaut" : "clerk", i == 7 ? '!' : '.');
        snprintf(texts[i][3], 120, "%s %c %s", "a text of its own about one person, number",
                 'a' + i, "which is long enough to be taken for prose");
        snprintf(texts[i][4], 120, "2024-05-05 10:%02d:%02d.123456", i, 59 - i);
        snprintf(texts[i][5], 120, "%s", i == 0 ? "1M8GDM9AXKP042788" : "1M8GDM9A");
        for (int j = 0; j < 6; j++)
            cells[6 * i + j] = texts[i][j];
    }
    cells[6 * 3 + 3] = NULL;
    for (int turn = 0; turn < 60; turn++) {
        struct made made = make(columns, 6, cells, 20);
        assert_non_null(strstr(made.text[0], "Larkfold Lane"));
        assert_null(strstr(made.text[0], "Cottage"));
        assert_true(strcmp(made.text[1], "Bath") == 0 || strcmp(made.text[1], "York") == 0);
        assert_string_equal(made.text[2], "clerk.");
        assert_true(made.null[3]);
        assert_memory_equal(made.text[4], "2024-05-05 10:", 14);
        assert_string_not_equal(made.text[4] + 19, ".123456");
        assert_true(strlen(made.text[5]) == 17 || strlen(made.text[5]) == 8);
    }
}

static void refuses_prose(void **state)
{
    (void)state;
    const struct invent_column columns[] = {column("note", TEXT, "health"),
                                            column("title", TEXT, NULL)};
    const char *const cells[] = {"first line\nsecond", "a"};
    struct invent *invent;
    must(invent_open(columns, 1, &lists, &invent, &error));
    must(invent_see(invent, cells, &error));
    assert_int_equal(invent_ready(invent, &error), STATUS_DENIED);
    assert_non_null(strstr(error.message, "note"));
    invent_close(invent);
    struct made made = make(columns + 1, 1, cells, 1); /* about nobody */
    assert_string_equal(made.text[0], cells[0]);
}

/* Where all keys are taken, the caller says from where on they are free. */
static void goes_above_all(void **state)
{
    (void)state;
    enum { INT2 = 21 };
    struct invent_column columns[] = {column("id", INT8, NULL), column("small", INT2, NULL)};
    columns[0].is_key = columns[1].is_key = true;
    const char *const cells[] = {"1", "1", "2", "32767", "3", "3"};
    struct invent *invent;
    const char *const *got;
    const bool *invented;
    must(invent_open(columns, 2, &lists, &invent, &error));
    for (size_t row = 0; row < 3; row++)
        must(invent_see(invent, cells + 2 * row, &error));
    must(invent_ready(invent, &error));
    invent_raise(invent, 0, 5000000000, 10);
    invent_raise(invent, 1, 40000, 10);
    for (int i = 0; i < 50; i++) {
        must(invent_row(invent, &got, &invented, &error));
        long long id = strtoll(got[0], NULL, 10), small = strtoll(got[1], NULL, 10);
        assert_true(id > 5000000000 && id <= 5000000010);
        assert_true(small >= 1 && small <= 32767);
    }
    invent_close(invent);
}

static void knows_the_order(void **state)
{
    (void)state;
    struct invent_column columns[] = {column("town", TEXT, NULL), column("id", INT8, NULL)};
    const char *const cells[] = {"b", "9", "a", "10", "c", "100", "c", "101", "a", "102"};
    struct invent *invent;
    must(invent_open(columns, 2, &lists, &invent, &error));
    for (size_t row = 0; row < 5; row++)
        must(invent_see(invent, cells + 2 * row, &error));
    must(invent_ready(invent, &error));
    assert_int_equal(invent_order(invent), 1);
    assert_true(invent_before(invent, "9", "10"));
    assert_false(invent_before(invent, "10", "9"));
    invent_close(invent);
}

static void refuses_what_it_cannot_invent(void **state)
{
    (void)state;
    struct invent_lists without = lists;
    struct invent_column columns[] = {column("email", TEXT, "email")};
    const char *const cells[] = {"a@b.example"};
    struct invent *invent;
    without.mailbox_domain = NULL;
    must(invent_open(columns, 1, &without, &invent, &error));
    assert_int_equal(invent_ready(invent, &error), STATUS_DENIED); /* no rows */
    must(invent_see(invent, cells, &error));
    assert_int_equal(invent_ready(invent, &error), STATUS_DENIED);
    assert_non_null(strstr(error.hint, "mailbox_domain"));
    invent_close(invent);
}

static void says_how_many_it_takes(void **state)
{
    (void)state;
    assert_int_equal(invent_needed(0.01, 0.99), 459);
    assert_int_equal(invent_needed(0.1, 0.99), 44);
    assert_int_equal(invent_needed(0.5, 0.99), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_person),         cmocka_unit_test(follows_the_look),
        cmocka_unit_test(checks_chassis_numbers), cmocka_unit_test(keeps_forms),
        cmocka_unit_test(numbers_people),         cmocka_unit_test(copies_nobody),
        cmocka_unit_test(refuses_prose),          cmocka_unit_test(goes_above_all),
        cmocka_unit_test(knows_the_order),        cmocka_unit_test(refuses_what_it_cannot_invent),
        cmocka_unit_test(says_how_many_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
