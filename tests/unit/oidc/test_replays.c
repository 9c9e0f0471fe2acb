#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oidc/replays.h"

static const struct in6_addr home = {.s6_addr = {1}}, away = {.s6_addr = {2}};

static void name(uint32_t number, uint8_t id[static REPLAYS_ID_BYTES])
{
    memset(id, 0, REPLAYS_ID_BYTES);
    memcpy(id + 12, &number, sizeof number); /* all begin at one slot: the worst case */
}

static void a_token_belongs_to_one_address(void **state)
{
    struct replays replays;
    uint8_t id[REPLAYS_ID_BYTES];
    replays_open(&replays);
    name(1, id);
    assert_int_equal(replays_take(&replays, id, &home, 200, 100, false), REPLAYS_FINE);
    assert_int_equal(replays_take(&replays, id, &home, 200, 100, false), REPLAYS_FINE);
    assert_int_equal(replays_take(&replays, id, &away, 200, 100, false), REPLAYS_ELSEWHERE);
    assert_int_equal(replays_take(&replays, id, &home, 200, 100, true), REPLAYS_USED);
    name(2, id);
    assert_int_equal(replays_take(&replays, id, &away, 200, 100, true), REPLAYS_FINE);
    assert_int_equal(replays_take(&replays, id, &away, 200, 100, true), REPLAYS_USED);
    replays_close(&replays);
}

static void a_full_table_takes_nobody_until_tokens_end(void **state)
{
    struct replays replays;
    uint8_t id[REPLAYS_ID_BYTES];
    replays_open(&replays);
    for (uint32_t i = 0; i < REPLAYS_SLOTS / 2; i++) {
        name(i, id);
        memcpy(id, &i, sizeof i); /* spread, or this test takes minutes */
        assert_int_equal(replays_take(&replays, id, &home, 200, 100, false), REPLAYS_FINE);
    }
    name(UINT32_MAX, id);
    assert_int_equal(replays_take(&replays, id, &home, 200, 199, false), REPLAYS_FULL);
    assert_int_equal(replays_take(&replays, id, &home, 300, 200, false), REPLAYS_FINE);
    assert_int_equal(replays.count, 1);
    replays_close(&replays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_belongs_to_one_address),
        cmocka_unit_test(a_full_table_takes_nobody_until_tokens_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
