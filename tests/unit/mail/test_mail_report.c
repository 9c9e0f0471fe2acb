/* Delivery notices are read as mail servers write them, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mail.h"

#define HEAD                                                                                       \
    "From: MAILER-DAEMON@example.com\nTo: <bounces+e1@meridian.example>\nSubject: Undelivered\n"   \
    "MIME-Version: 1.0\n"
#define REPORT                                                                                     \
    HEAD                                                                                           \
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n"          \
        "--b\nContent-Type: text/plain\n\nsorry\n\n--b\nContent-Type: message/delivery-status\n\n"

static enum status parse(const char *text, struct mail_report *report)
{
    struct error error = {0};
    memset(report, 'x', sizeof *report);
    return mail_parse_report(slice_of_text(text), report, &error);
}

static void reads_a_failure(void **state)
{
    struct mail_report report;
    assert_int_equal(parse(REPORT "Reporting-MTA: dns; mx.example.com\nOriginal-Envelope-Id: e1\n\n"
                                  "Final-Recipient: rfc822; a@example.com\nACTION: Failed\n"
                                  "Status: 5.1.1\n\n--b--\n",
                           &report),
                     STATUS_OK);
    assert_string_equal(report.envelope_id, "e1");
    assert_string_equal(report.recipient, "bounces+e1@meridian.example");
    assert_string_equal(report.action, "failed");
    assert_string_equal(report.status, "5.1.1");
}

static void reads_crlf_and_no_envelope_id(void **state)
{
    char text[2000];
    size_t len = 0;
    for (const char *c = REPORT
         "Reporting-MTA: dns; mx\n\nAction: relayed\nStatus: 2.0.0\n\n--b--\n";
         *c != '\0'; c++) {
        if (*c == '\n')
            text[len++] = '\r';
        text[len++] = *c;
    }
    text[len] = '\0';
    struct mail_report report;
    assert_int_equal(parse(text, &report), STATUS_OK);
    assert_string_equal(report.envelope_id, "");
    assert_string_equal(report.action, "relayed");
}

static void long_and_odd_values_are_none(void **state)
{
    char text[2000];
    char id[400];
    memset(id, 'e', sizeof id);
    id[sizeof id - 1] = '\0';
    snprintf(text, sizeof text,
             REPORT "Original-Envelope-Id: %s\n\nAction: failed\nStatus: 5.1.1\n\n--b--\n", id);
    struct mail_report report;
    assert_int_equal(parse(text, &report), STATUS_OK);
    assert_string_equal(report.envelope_id, "");
}

static void other_mail_is_none(void **state)
{
    static const char *const others[] = {
        "",
        "\n",
        "not a mail at all",
        HEAD "Content-Type: text/plain\n\nAction: failed\nStatus: 5.1.1\n",
        HEAD
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n--b--\n",
        REPORT "Action: celebrated\n\n--b--\n",
        REPORT "--b--\n",
    };
    struct mail_report report;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        enum status status = parse(others[i], &report);
        if (status != STATUS_NOT_FOUND)
            fail_msg("mail %zu: %s", i, status_name(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_failure),
        cmocka_unit_test(reads_crlf_and_no_envelope_id),
        cmocka_unit_test(long_and_odd_values_are_none),
        cmocka_unit_test(other_mail_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
