/* What the webhook posts, and its signature as the recipe of cofferdam(1) verifies it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alarm/courier.h"

static struct alarms_entry entry = {.id = 7,
                                    .event = "0123456789abcdef0123456789abcdef",
                                    .raised_ns = INT64_C(1790000000) * 1000000000,
                                    .rule = "canary-crossed",
                                    .partner = "acme",
                                    .agent = "job",
                                    .about = "D-1",
                                    .text = "a \"text\" with \\ and \t and é",
                                    .contained = "agent"};

static void the_body_is_one_object(void **state)
{
    struct buffer body;
    buffer_init(&body, 16 * 1024);
    webhook_body("node1", &entry, &body);
    assert_string_equal(
        buffer_text(&body),
        "{\"id\":\"0123456789abcdef0123456789abcdef\",\"alarm\":7,"
        "\"time\":\"2026-09-21T14:13:20Z\",\"node\":\"node1\",\"rule\":\"canary-crossed\","
        "\"partner\":\"acme\",\"agent\":\"job\",\"about\":\"D-1\","
        "\"text\":\"a \\\"text\\\" with \\\\ and \\u0009 and é\",\"contained\":\"agent\","
        "\"next\":[\"cofferdam export --show D-1\","
        "\"cofferdam exposure statements --partner acme\","
        "\"cofferdam partner restore acme/job --reason \\\"alarm 7\\\"\","
        "\"cofferdam alarm acknowledge 7 --note \\\"what was found\\\"\"]}\n");
    buffer_free(&body);
}

static void what_is_not_known_is_null(void **state)
{
    struct alarms_entry test = entry;
    struct buffer body;
    test.rule = "test";
    test.partner = test.agent = test.about = test.contained = "";
    buffer_init(&body, 16 * 1024);
    webhook_body("node1", &test, &body);
    assert_non_null(strstr(buffer_text(&body), "\"partner\":null,\"agent\":null,\"about\":null,"));
    assert_non_null(strstr(buffer_text(&body),
                           "\"contained\":null,\"next\":[\"cofferdam alarm acknowledge 7 "));
    buffer_free(&body);
}

/* The longest texts that a desk lets in, each byte of which takes six when it is written. */
static void the_longest_fits(void **state)
{
    char text[ALARM_TEXT_BYTES + 1], about[ALARM_ABOUT_BYTES + 1], name[LIMIT_NAME_BYTES + 1];
    struct alarms_entry longest = entry;
    struct buffer body;
    memset(text, 1, sizeof text - 1);
    memset(about, 1, sizeof about - 1);
    memset(name, 1, sizeof name - 1);
    text[sizeof text - 1] = about[sizeof about - 1] = name[sizeof name - 1] = '\0';
    longest.text = text;
    longest.about = about;
    longest.rule = longest.partner = longest.agent = name;
    buffer_init(&body, 16 * 1024);
    webhook_body(name, &longest, &body);
    assert_false(body.overflowed);
    assert_true(body.len > sizeof text * 6);
    buffer_free(&body);
}

/* printf '1790000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef */
static void the_signature_is_over_time_and_body(void **state)
{
    char header[WEBHOOK_SIGNATURE_ROOM], other[WEBHOOK_SIGNATURE_ROOM];
    const struct slice secret = slice_of_text("0123456789abcdef"),
                       body = slice_of_text("{\"a\":1}");
    webhook_sign(secret, 1790000000, body, header);
    assert_string_equal(
        header, "Cofferdam-Signature: "
                "t=1790000000,v1=d569e4518fe6f4620fd6639233427e7df5e5394d8f14c85c1063b8d90a724dcb");
    webhook_sign(secret, 1790000001, body, other);
    assert_string_not_equal(strstr(header, "v1="), strstr(other, "v1="));
    webhook_sign(slice_of_text("0123456789abcdeg"), 1790000000, body, other);
    assert_string_not_equal(strstr(header, "v1="), strstr(other, "v1="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_one_object),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(the_longest_fits),
        cmocka_unit_test(the_signature_is_over_time_and_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
