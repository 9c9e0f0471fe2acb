/* The figures of the published examples, digit by digit, and what happens at 0 and 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/model.h"

enum { MOST = 512 };

/* Copies' holdings as texts: "xx." is a copy that had the first two records. */
static void fill(const char *const *copies, size_t copy_count, double elsewhere,
                 struct model_record *records, uint8_t held[][MOST])
{
    size_t count = strlen(copies[0]);
    for (size_t t = 0; t < count; t++)
        records[t] = (struct model_record){.elsewhere = elsewhere};
    for (size_t i = 0; i < copy_count; i++) {
        memset(held[i], 0, MOST);
        for (size_t t = 0; t < count; t++) {
            if (copies[i][t] != 'x')
                continue;
            model_set_bit(held[i], t);
            records[t].holders++;
        }
    }
}

/* The guilt of each copy, in as many digits as the source prints. */
static void assert_guilts(const char *const *copies, size_t copy_count, double elsewhere,
                          int digits, const char *const *expected)
{
    struct model_record records[MOST];
    static uint8_t held[128][MOST];
    char shown[32];
    fill(copies, copy_count, elsewhere, records, held);
    for (size_t i = 0; i < copy_count; i++) {
        snprintf(shown, sizeof shown, "%.*f", digits,
                 model_guilt(records, held[i], strlen(copies[0])));
        if (expected[i] != NULL)
            assert_string_equal(shown, expected[i]);
    }
}

static void three_objects(void **state)
{
    static const char *const copies[] = {"xx.", "x.x"};
    assert_guilts(copies, 2, 0.2, 2, (const char *const[]){"0.88", "0.88"});
    assert_guilts(copies, 2, 0.5, 3, (const char *const[]){"0.625", "0.625"});
}

static void sixteen_objects_two_copies(void **state)
{
    static const char *const copies[] = {"xxxxxxxxxxxxxxxx", "xxxxxxxx........"};
    static const struct {
        double elsewhere;
        int digits;
        const char *guilts[2];
    } table[] = {
        {0.2, 4, {NULL, "0.9832"}},     {0.5, 4, {"0.9996", "0.8999"}},
        {0.8, 4, {"0.9278", "0.5695"}}, {0.9, 4, {"0.7144", "0.3366"}},
        {0.2, 3, {"1.000", NULL}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_guilts(copies, 2, table[i].elsewhere, table[i].digits, table[i].guilts);
}

static void many_copies_of_the_same(void **state)
{
    static const struct {
        size_t copies;
        const char *guilt;
    } table[] = {{2, "0.9997"},  {3, "0.9930"},  {5, "0.9386"},
                 {10, "0.7366"}, {20, "0.4796"}, {100, "0.1206"}};
    const char *copies[100], *expected[100];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t c = 0; c < table[i].copies; c++) {
            copies[c] = "xxxxxxxxxxxxxxxx";
            expected[c] = table[i].guilt;
        }
        assert_guilts(copies, table[i].copies, 0.2, 4, expected);
    }
}

static void guilt_at_the_ends(void **state)
{
    static const char *const copies[] = {"xx", ".."};
    assert_guilts(copies, 2, 0, 3, (const char *const[]){"1.000", "0.000"});
    assert_guilts(copies, 2, 1, 3, (const char *const[]){"0.000", "0.000"});
}

/* Posteriors of outside and two copies, all with the same prior. */
static void posteriors(const char *first, const char *second, double elsewhere, double error,
                       double out[3])
{
    const char *const copies[] = {first, second};
    struct model_record records[MOST];
    static uint8_t held[2][MOST];
    double likelihoods[3];
    size_t count = strlen(first);
    fill(copies, 2, elsewhere, records, held);
    likelihoods[0] = model_log_likelihood(records, NULL, count, error);
    likelihoods[1] = model_log_likelihood(records, held[0], count, error);
    likelihoods[2] = model_log_likelihood(records, held[1], count, error);
    model_posterior((const double[]){1.0 / 3, 1.0 / 3, 1.0 / 3}, likelihoods, 3, out);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12)) /* NaN is not near */
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void a_posterior_by_hand(void **state)
{
    double out[3];
    /* likelihoods .2^3, .95^3, .95*.2^2 */
    double outside = 0.008, first = 0.857375, second = 0.038, sum = outside + first + second;
    posteriors("xxx", "x..", 0.2, 0.05, out);
    assert_near(out[0], outside / sum);
    assert_near(out[1], first / sum);
    assert_near(out[2], second / sum);
    posteriors("xx", "xx", 0.2, 0.05, out);
    assert_near(out[1], out[2]);
    assert_near(out[0] + out[1] + out[2], 1);
}

static void posteriors_at_the_ends(void **state)
{
    double out[3];
    posteriors("xx", "x.", 0, 0.05, out); /* nobody else can have had them */
    assert_near(out[0], 0);
    assert_near(out[1], 1);
    assert_near(out[2], 0);
    posteriors("..", "..", 0, 0, out); /* nothing explains it */
    assert_near(out[0] + out[1] + out[2], 0);
    posteriors("xx", "..", 1, 1, out); /* what i had cannot leak */
    assert_near(out[0], 0.5);
    assert_near(out[1], 0);
    assert_near(out[2], 0.5);
    static const double zeros[3] = {0, 0, 0}, likelihoods[3] = {-1, -2, -3};
    model_posterior(zeros, likelihoods, 3, out);
    assert_near(out[0] + out[1] + out[2], 0);
}

/* Each record that an older copy may have had has one holder more. */
static void an_older_copy_takes_its_share(void **state)
{
    struct model_record records[MOST];
    static uint8_t held[2][MOST];
    fill((const char *const[]){"xx.", "x.x"}, 2, 0.2, records, held);
    assert_near(model_guilt(records, held[0], 3), 1 - (1 - 0.4) * (1 - 0.8));
    records[0].may_be_older = records[1].may_be_older = true;
    assert_near(model_guilt(records, held[0], 3), 1 - (1 - 0.8 / 3) * (1 - 0.4));
}

/* .2 to the 400th power is far below the smallest double. */
static void large_leaks_do_not_vanish(void **state)
{
    char all[401], most[401];
    double out[3];
    memset(all, 'x', 400);
    memset(most, 'x', 400);
    all[400] = most[400] = '\0';
    memset(most, '.', 2);
    posteriors(all, most, 0.2, 0.05, out);
    double ratio = 0.95 * 0.95 / (0.2 * 0.2);
    assert_near(out[1], ratio / (1 + ratio));
    assert_near(out[2], 1 / (1 + ratio));
    assert_near(out[0], 0);
    memset(most, '.', 400);
    posteriors(most, most, 0.2, 0.05, out);
    assert_near(out[0], 1.0 / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_objects),
        cmocka_unit_test(sixteen_objects_two_copies),
        cmocka_unit_test(many_copies_of_the_same),
        cmocka_unit_test(guilt_at_the_ends),
        cmocka_unit_test(a_posterior_by_hand),
        cmocka_unit_test(posteriors_at_the_ends),
        cmocka_unit_test(an_older_copy_takes_its_share),
        cmocka_unit_test(large_leaks_do_not_vanish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
