/* Messages: the same input gives the same bytes, lines are short, and no field smuggles in a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mail.h"

static const struct mail_message plain = {
    .from_name = "Meridian Motors",
    .from_address = "privacy@meridian.example",
    .to_name = "Zoë Quinn-Ångström",
    .to_address = "zoe@example.com",
    .reply_to = "dpo@meridian.example",
    .subject = "Vos données : ce qui s’est passé",
    .language = "fr",
    .message_id = "abc123@meridian.example",
    .date_ns = 1790000000LL * 1000000000,
    .text = "Chère Zoë,\n\nVotre adresse était là.\n.\nFrom here on = equals\n",
    .html = "<p>Chère Zoë</p>\n",
};

static const char *build(const struct mail_message *message, struct buffer *out)
{
    struct error error = {0};
    buffer_init(out, 1 << 20);
    if (mail_build(message, out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return buffer_text(out);
}

static void assert_has(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("no «%s» in:\n%s", part, text != NULL ? text : "(nothing)");
}

static void same_input_same_bytes(void **state)
{
    struct buffer first, second;
    build(&plain, &first);
    build(&plain, &second);
    assert_string_equal(buffer_text(&first), buffer_text(&second));
    buffer_free(&first);
    buffer_free(&second);
}

static void headers_are_those_of_a_notice(void **state)
{
    struct buffer out;
    const char *text = build(&plain, &out);
    assert_has(text, "From: Meridian Motors <privacy@meridian.example>\r\n");
    assert_has(text, "Reply-To: dpo@meridian.example\r\n");
    assert_has(text, "Message-Id: <abc123@meridian.example>\r\n");
    assert_has(text, "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n");
    assert_has(text, "MIME-Version: 1.0\r\n");
    assert_has(text, "Content-Language: fr\r\n");
    assert_has(text, "Auto-Submitted: auto-generated\r\n");
    assert_has(text, "<zoe@example.com>");
    assert_has(text, "Subject: Vos =?UTF-8?B?ZG9ubsOpZXMgOiBjZSBxdWkgc+KAmWVzdCBwYXNzw6k=?=\r\n");
    assert_has(text, "To: =?UTF-8?");
    assert_null(strstr(text, "List-Unsubscribe"));
    assert_has(text, "Content-Type: multipart/alternative;");
    const char *first = strstr(text, "text/plain"), *second = strstr(text, "text/html");
    assert_true(first != NULL && second != NULL && first < second);
    buffer_free(&out);
}

static void lines_are_short_ascii_and_end_in_crlf(void **state)
{
    struct buffer out;
    char text[6000];
    memset(text, 'x', sizeof text);
    memcpy(text + 3000, "é\r\né\n", 7);
    text[sizeof text - 1] = '\0';
    struct mail_message message = plain;
    message.text = text;
    const char *start = build(&message, &out);
    for (const char *line = start; *line != '\0';) {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        if (end - line > 76 + 2)
            fail_msg("a line of %td bytes: %.*s", end - line, (int)(end - line), line);
        for (const char *c = line; c < end; c++)
            if ((unsigned char)*c >= 0x80 || *c == '\n' || *c == '\r')
                fail_msg("byte %d in line: %.*s", (unsigned char)*c, (int)(end - line), line);
        line = end + 2;
    }
    buffer_free(&out);
}

static void text_alone_is_no_multipart(void **state)
{
    struct buffer out;
    struct mail_message message = plain;
    message.html = NULL;
    const char *text = build(&message, &out);
    assert_null(strstr(text, "multipart"));
    assert_has(text, "Content-Type: text/plain; charset=utf-8");
    assert_has(text, "Ch=C3=A8re Zo=C3=AB,\r\n\r\n");
    assert_has(text, "=3D equals");
    buffer_free(&out);
}

static void no_field_smuggles_a_line(void **state)
{
    static const char *const bad[] = {"a\r\nBcc: x@example.com", "a\nb", "a\rb", "a\x01", "\xff"};
    for (size_t field = 0; field < 7; field++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct mail_message message = plain;
            const char **fields[] = {&message.from_name,  &message.from_address, &message.to_name,
                                     &message.to_address, &message.reply_to,     &message.subject,
                                     &message.message_id};
            *fields[field] = bad[i];
            struct buffer out;
            struct error error = {0};
            buffer_init(&out, 1 << 20);
            enum status status = mail_build(&message, &out, &error);
            if (status != STATUS_INVALID || strcmp(error.sqlstate, "22023") != 0 || out.len != 0)
                fail_msg("field %zu, value %zu: %s %s", field, i, status_name(status),
                         error.sqlstate);
            buffer_free(&out);
        }
}

static void addresses(void **state)
{
    static const char *const good[] = {"a@b.example", "a.b+c@d-e.example", "root@localhost",
                                       "o'neil@x.example"};
    static const char *const bad[] = {
        "",       "a",         "@b.example",    "a@",           "a@b",      "a b@c.d",   "a@b@c.d",
        "a@.b.c", "a@b..c",    "a@b.c.",        ".a@b.c",       "a..b@c.d", "a@b.c\r\n", "a@b.c>",
        "<a@b.c", "\"a\"@b.c", "a@[127.0.0.1]", "\xc3\xa9@b.c", "a@b_c.d"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!mail_address_usable(good[i]))
            fail_msg("%s is not usable", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (mail_address_usable(bad[i]))
            fail_msg("%s is usable", bad[i]);
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text + 1, "@b.", 3);
    text[254] = '\0';
    assert_true(mail_address_usable(text));
    memset(text, 'a', sizeof text);
    memcpy(text + 1, "@b.", 3);
    text[255] = '\0';
    assert_false(mail_address_usable(text));
    assert_false(mail_address_usable(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(headers_are_those_of_a_notice),
        cmocka_unit_test(lines_are_short_ascii_and_end_in_crlf),
        cmocka_unit_test(text_alone_is_no_multipart),
        cmocka_unit_test(no_field_smuggles_a_line),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
