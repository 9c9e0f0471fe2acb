#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/message.h"

enum { ROOM = 1024 * 1024 };

static void a_request_is_read_as_it_was_written(void **state)
{
    static const char *const headers[] = {"Content-Type: application/json", "X: a: b", NULL};
    const struct http_request request = {.method = HTTP_POST,
                                         .url = "https://example.org/hook?a=b c",
                                         .ca = "/etc/ca of ours.pem",
                                         .headers = headers,
                                         .body = slice_of("\n\0{}\n", 5),
                                         .timeout_ms = 1500};
    struct buffer bytes;
    struct message_request read;
    buffer_init(&bytes, ROOM);
    assert_int_equal(message_put_request(&request, &bytes, NULL), STATUS_OK);
    assert_int_equal(message_read_request((char *)bytes.data, bytes.len, &read), STATUS_OK);
    assert_int_equal(read.request.method, HTTP_POST);
    assert_string_equal(read.request.url, request.url);
    assert_string_equal(read.request.ca, request.ca);
    assert_int_equal(read.request.timeout_ms, 1500);
    assert_string_equal(read.request.headers[0], headers[0]);
    assert_string_equal(read.request.headers[1], headers[1]);
    assert_null(read.request.headers[2]);
    assert_true(slice_equal(read.request.body, request.body));
    buffer_free(&bytes);
}

static void no_line_can_bring_another(void **state)
{
    static const char *const bad_headers[] = {"X: a\nca /tmp/mine.pem", NULL};
    static const char *const returns[] = {"X: a\rY: b", NULL};
    const struct http_request requests[] = {
        {.url = "https://example.org/\nheader X: y"},
        {.url = "https://example.org/", .ca = "a\nb"},
        {.url = "https://example.org/", .headers = bad_headers},
        {.url = "https://example.org/", .headers = returns},
        {.url = ""},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct buffer bytes;
        buffer_init(&bytes, ROOM);
        if (message_put_request(&requests[i], &bytes, NULL) != STATUS_INVALID)
            fail_msg("request %zu was written: %s", i, buffer_text(&bytes));
        buffer_free(&bytes);
    }
}

static void an_answer_is_read_as_it_was_written(void **state)
{
    struct buffer bytes;
    struct http_answer answer;
    buffer_init(&bytes, ROOM);
    buffer_init(&answer.body, ROOM);
    message_put_answer(200, "application/json; charset=utf-8", 300, &bytes);
    buffer_append_text(&bytes, "{\"keys\":\n\n[]}");
    assert_int_equal(message_read_answer((char *)bytes.data, bytes.len, &answer), STATUS_OK);
    assert_int_equal(answer.code, 200);
    assert_string_equal(answer.type, "application/json; charset=utf-8");
    assert_int_equal(answer.max_age_s, 300);
    assert_string_equal(buffer_text(&answer.body), "{\"keys\":\n\n[]}");
    buffer_clear(&bytes);
    buffer_clear(&answer.body);
    message_put_answer(404, NULL, -1, &bytes);
    assert_int_equal(message_read_answer((char *)bytes.data, bytes.len, &answer), STATUS_OK);
    assert_int_equal(answer.code, 404);
    assert_string_equal(answer.type, "");
    assert_int_equal(answer.max_age_s, -1);
    assert_int_equal(answer.body.len, 0);
    buffer_free(&answer.body);
    buffer_free(&bytes);
}

static void broken_answers_are_none(void **state)
{
    static const char *const texts[] = {"",
                                        "200",
                                        "200\n",
                                        "20\n\n",
                                        "2000\n\n",
                                        "abc\n\n",
                                        "200\ntype a\n",
                                        "200\nage 3\n\n",
                                        "200\nmax-age -1\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char bytes[64];
        struct http_answer answer;
        buffer_init(&answer.body, ROOM);
        memcpy(bytes, texts[i], strlen(texts[i]) + 1);
        if (message_read_answer(bytes, strlen(texts[i]), &answer) == STATUS_OK)
            fail_msg("\"%s\" was taken", texts[i]);
        buffer_free(&answer.body);
    }
}

static void reads_how_long_an_answer_may_be_kept(void **state)
{
    static const struct {
        const char *text;
        int64_t age;
    } cases[] = {
        {"", -1},
        {"public", -1},
        {"max-age=300", 300},
        {"public, Max-Age=60, must-revalidate", 60},
        {"no-store", 0},
        {"max-age=60, no-cache", 0},
        {"s-maxage=5", -1},
        {"max-age=", -1},
        {"max-age=abc", 0},
        {"max-age=99999999999999999999", 0},
        {"max-age=-5", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (message_max_age(cases[i].text) != cases[i].age)
            fail_msg("\"%s\": %lld, not %lld", cases[i].text,
                     (long long)message_max_age(cases[i].text), (long long)cases[i].age);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(no_line_can_bring_another),
        cmocka_unit_test(an_answer_is_read_as_it_was_written),
        cmocka_unit_test(broken_answers_are_none),
        cmocka_unit_test(reads_how_long_an_answer_may_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
