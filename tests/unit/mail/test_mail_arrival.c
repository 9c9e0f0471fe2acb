/* Where mail has come to: recipients of our domain alone, however they are written, and nothing of
 * what the sender wrote that is not plain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mail.h"

static struct mail_arrival arrival;

static enum status parse(const char *text)
{
    struct error error = {0};
    memset(&arrival, 'x', sizeof arrival);
    return mail_parse_arrival(slice_of_text(text), "post.example", &arrival, &error);
}

static void what_the_server_wrote_comes_first(void **state)
{
    assert_int_equal(parse("To: b@post.example, \"C, D\" <c@POST.example>, x@other.example\r\n"
                           "Delivered-To: A@post.example\r\nFrom: N <News@Shop.Example>\r\n"
                           "Message-ID: <1@shop.example>\r\nCc: a@post.example\r\n\r\nhello\r\n"),
                     STATUS_OK);
    assert_int_equal(arrival.count, 3);
    assert_string_equal(arrival.recipients[0], "a@post.example");
    assert_string_equal(arrival.recipients[1], "b@post.example");
    assert_string_equal(arrival.recipients[2], "c@post.example");
    assert_string_equal(arrival.sender_domain, "shop.example");
    /* printf %s 1@shop.example | sha256sum | cut -c1-32 */
    assert_string_equal(arrival.id_hash, "6d56b9038d5e60c54471b08b026b584d");
}

static void fields_may_be_many_folded_and_in_groups(void **state)
{
    assert_int_equal(parse("Delivered-To: a@post.example\nDelivered-To: b@post.example\n"
                           "to: friends:\n c@post.example,\n D <d@post.example>;\n\n"),
                     STATUS_OK);
    assert_int_equal(arrival.count, 4);
    assert_string_equal(arrival.recipients[3], "d@post.example");
    assert_string_equal(arrival.sender_domain, "");
    assert_string_equal(arrival.id_hash, "");
}

static void a_body_is_no_header(void **state)
{
    static const char *const others[] = {
        "",
        "\n",
        "To: x@other.example\n\nTo: a@post.example\n",
        "To: x@other.example\r\n\r\nTo: a@post.example\r\n",
        "Subject: a@post.example\n\n",
        "To: a@post.example.evil.example\n\n",
        "To: a@evil-post.example\n\n",
        "To: post.example\n\n",
        "Content-Type: message/rfc822\n\nTo: a@post.example\n\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (parse(others[i]) != STATUS_NOT_FOUND)
            fail_msg("mail %zu", i);
}

static void more_recipients_than_there_is_room_for_are_left_out(void **state)
{
    char text[8000] = "To: z@other.example";
    size_t len = strlen(text);
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",\n a%d@post.example", i);
    snprintf(text + len, sizeof text - len, "\nDelivered-To: last@post.example\n\n");
    assert_int_equal(parse(text), STATUS_OK);
    assert_int_equal(arrival.count, MAIL_RECIPIENTS);
    assert_string_equal(arrival.recipients[0], "last@post.example");
}

static void an_odd_sender_is_none(void **state)
{
    static const char *const senders[] = {
        "", "x", "x@", "x@a b.example", "x@a\"b", "g: x@y.example;"};
    char text[300];
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        snprintf(text, sizeof text, "To: a@post.example\nFrom: %s\n\n", senders[i]);
        assert_int_equal(parse(text), STATUS_OK);
        assert_null(strpbrk(arrival.sender_domain, " \"@;"));
    }
    snprintf(text, sizeof text, "To: a@post.example\nFrom: x@%0150d.example\n\n", 0);
    assert_int_equal(parse(text), STATUS_OK);
    assert_string_equal(arrival.sender_domain, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_server_wrote_comes_first),
        cmocka_unit_test(fields_may_be_many_folded_and_in_groups),
        cmocka_unit_test(a_body_is_no_header),
        cmocka_unit_test(more_recipients_than_there_is_room_for_are_left_out),
        cmocka_unit_test(an_odd_sender_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
