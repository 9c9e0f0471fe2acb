#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oidc/provider.h"

static const int64_t s = 1000000000;
static const struct config_oidc config = {
    .name = "id", .refresh_s = 600, .refetch_s = 30, .keep_keys_s = 1000};

static void take(struct provider *provider, const char *keys, int64_t max_age_s, int64_t now_s)
{
    struct provider_fetched fetched = {.max_age_s = max_age_s};
    buffer_init(&fetched.keys, 64);
    buffer_append_text(&fetched.keys, keys);
    provider_begin(provider, now_s * s);
    provider_end(provider, &fetched, now_s * s);
    buffer_free(&fetched.keys);
}

static void keys_are_fetched_again_as_long_as_they_may_be_kept(void **state)
{
    struct provider provider;
    provider_open(&provider, &config);
    assert_true(provider_due(&provider, 1 * s));
    take(&provider, "k", -1, 1);
    assert_false(provider_due(&provider, 600 * s));
    assert_true(provider_due(&provider, 601 * s));
    take(&provider, "k", 100, 601);
    assert_true(provider_due(&provider, 701 * s));
    take(&provider, "k", 0, 701); /* not to be kept: soon, but not at once */
    assert_false(provider_due(&provider, 705 * s));
    assert_true(provider_due(&provider, 706 * s));
    take(&provider, "k", 1000000, 706);
    assert_true(provider_due(&provider, 1306 * s));
    provider_close(&provider);
}

static void an_unknown_key_asks_for_one_fetch_in_a_while(void **state)
{
    struct provider provider;
    provider_open(&provider, &config);
    take(&provider, "k", -1, 100);
    assert_false(provider_want(&provider, 129 * s));
    assert_false(provider_due(&provider, 129 * s));
    assert_true(provider_want(&provider, 130 * s));
    assert_true(provider_due(&provider, 130 * s));
    provider_begin(&provider, 130 * s);
    assert_true(provider_want(&provider, 131 * s)); /* one is under way */
    assert_false(provider_due(&provider, 131 * s));
    provider_end(&provider, NULL, 132 * s);
    assert_false(provider_want(&provider, 133 * s));
    provider_close(&provider);
}

static void keys_of_a_provider_that_is_away_end(void **state)
{
    struct provider provider;
    provider_open(&provider, &config);
    take(&provider, "keys", -1, 1);
    for (int64_t now = 601; now < 1001; now += 60) {
        provider_begin(&provider, now * s);
        provider_end(&provider, NULL, now * s);
        assert_true(provider_due(&provider, (now + 60) * s)); /* never rarer than that */
    }
    assert_int_equal(provider_keys(&provider, 1000 * s).len, 4);
    assert_int_equal(provider_keys(&provider, 1001 * s).len, 0);
    provider_close(&provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_fetched_again_as_long_as_they_may_be_kept),
        cmocka_unit_test(an_unknown_key_asks_for_one_fetch_in_a_while),
        cmocka_unit_test(keys_of_a_provider_that_is_away_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
