/* Allowances: so many at once, so many in time, an address by itself and all together; and a flood
 * of addresses ends nobody's allowance of those who ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/buffer.h"
#include "portal/allowance.h"

#define MS INT64_C(1000000)
static const int64_t start_ns = 1000 * 1000 * MS;

static struct in6_addr address(const char *text)
{
    struct in6_addr parsed;
    assert_int_equal(inet_pton(AF_INET6, text, &parsed), 1);
    return parsed;
}

static struct allowance *make(uint32_t one, uint32_t all)
{
    struct allowance *made = NULL;
    struct allowance_rate a = {one, 1000}, b = {all, 100};
    assert_int_equal(allowance_new(a, b, &made), STATUS_OK);
    return made;
}

/* How many of 50 the address gets now. */
static unsigned taken(struct allowance *allowance, const char *text, int64_t now_ns)
{
    struct in6_addr who = address(text);
    unsigned count = 0;
    for (int i = 0; i < 50; i++)
        count += allowance_take(allowance, &who, now_ns);
    return count;
}

static void bounds_each_address(void **state)
{
    struct allowance *allowance = make(5, 1000);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns), 5);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.2", start_ns), 5);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns), 0);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns + 999 * MS), 0);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns + 1000 * MS), 1);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns + 3500 * MS), 2);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns + 60000 * MS), 5);
    allowance_free(allowance);
}

static void takes_a_household_as_one(void **state)
{
    struct allowance *allowance = make(5, 1000);
    assert_int_equal(taken(allowance, "2001:db8:1:2::1", start_ns), 5);
    assert_int_equal(taken(allowance, "2001:db8:1:2:ffff::9", start_ns), 0);
    assert_int_equal(taken(allowance, "2001:db8:1:3::1", start_ns), 5);
    allowance_free(allowance);
}

static void bounds_all_together(void **state)
{
    struct allowance *allowance = make(5, 12);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.1", start_ns), 5);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.2", start_ns), 5);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.3", start_ns), 2);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.4", start_ns), 0);
    assert_int_equal(taken(allowance, "::ffff:192.0.2.4", start_ns + 200 * MS), 2);
    /* The two that were refused to the third cost it nothing. */
    assert_int_equal(taken(allowance, "::ffff:192.0.2.3", start_ns + 500 * MS), 3);
    allowance_free(allowance);
}

static void bears_a_flood_of_addresses(void **state)
{
    struct allowance *allowance = make(5, 2000000);
    struct in6_addr who = address("2001:db8::1");
    unsigned refused = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        store_u32be(who.s6_addr + 4, i);
        refused += !allowance_take(allowance, &who, start_ns);
    }
    assert_int_equal(refused, 0);
    allowance_free(allowance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_each_address),
        cmocka_unit_test(takes_a_household_as_one),
        cmocka_unit_test(bounds_all_together),
        cmocka_unit_test(bears_a_flood_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
