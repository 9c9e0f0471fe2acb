/* Ids of deliveries: what is made reads back, and no slip of the hand makes another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/id.h"

static const int64_t noon_ns = 1795348800LL * 1000000000; /* 2026-11-22 */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXY";

static void reads_what_it_makes(void **state)
{
    (void)state;
    struct error error;
    char id[DELIVERY_ID_ROOM], read[DELIVERY_ID_ROOM], other[DELIVERY_ID_ROOM];
    delivery_id_make(noon_ns, id);
    delivery_id_make(noon_ns, other);
    assert_memory_equal(id, "D-2026-11-22-", 13);
    assert_int_equal(strlen(id), DELIVERY_ID_ROOM - 1);
    assert_string_not_equal(id, other);
    assert_int_equal(delivery_id_parse(id, read, &error), STATUS_OK);
    assert_string_equal(id, read);
}

static void forgives_how_it_is_typed(void **state)
{
    (void)state;
    struct error error;
    char id[DELIVERY_ID_ROOM], read[DELIVERY_ID_ROOM], typed[64] = " d";
    delivery_id_make(noon_ns, id);
    for (const char *c = id + 1; *c != '\0'; c++) {
        char small = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c == '0' ? 'o' : *c;
        if (small != '-')
            typed[strlen(typed)] = small;
    }
    assert_int_equal(delivery_id_parse(typed, read, &error), STATUS_OK);
    assert_string_equal(id, read);
}

static void finds_each_slip(void **state)
{
    (void)state;
    struct error error;
    char id[DELIVERY_ID_ROOM], read[DELIVERY_ID_ROOM], wrong[DELIVERY_ID_ROOM];
    delivery_id_make(noon_ns, id);
    for (size_t at = 2; id[at] != '\0'; at++) {
        for (const char *c = alphabet; *c != '\0' && id[at] != '-'; c++) {
            memcpy(wrong, id, sizeof wrong);
            wrong[at] = *c;
            assert_int_equal(delivery_id_parse(wrong, read, &error),
                             *c == id[at] ? STATUS_OK : STATUS_INVALID);
        }
        memcpy(wrong, id, sizeof wrong);
        wrong[at] = id[at + 1];
        wrong[at + 1] = id[at];
        if (id[at] != '-' && id[at + 1] != '-' && id[at + 1] != '\0' && id[at] != id[at + 1])
            assert_int_equal(delivery_id_parse(wrong, read, &error), STATUS_INVALID);
    }
    static const char *const none[] = {"",
                                       "D",
                                       "D-",
                                       "X-2026-11-22-7F3KQ",
                                       "D-2026-11-22-7F3K",
                                       "D-2026-11-22-7F3KQQQQQQQQ",
                                       "D-20A6-11-22-7F3KQ"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(delivery_id_parse(none[i], read, &error), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_makes),
        cmocka_unit_test(forgives_how_it_is_typed),
        cmocka_unit_test(finds_each_slip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
