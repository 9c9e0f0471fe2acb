/* alarms: in cofferdam.yaml: what is taken, and what is refused with words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "policy/config.h"

static const char head[] = "listen: {certificate: a.crt, key: a.key}\n"
                           "upstream: {host: /run/pg, database: d, user: u}\n";

static enum status load(const char *rest, struct config **config, struct error *error)
{
    char path[] = "/tmp/cofferdam-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s%s", head, rest) > 0);
    close(fd);
    enum status status = config_load(path, config, error);
    unlink(path);
    return status;
}

static void has_defaults(void **state)
{
    struct config *config;
    struct error error = {0};
    if (load("", &config, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(config->alarms.interval_s, 3600);
    assert_int_equal(config->alarms.retry_ms, 1000);
    assert_null(config->alarms.webhook.url);
    assert_null(config->alarms.mail.to);
    config_free(config);
}

static void takes_a_webhook_and_mail(void **state)
{
    struct config *config;
    struct error error = {0};
    if (load("mail: {host: smtp.example, bounces: b@shop.example}\n"
             "alarms: {interval_s: 60, webhook: {url: 'https://x.example/in', secret_file: s}, "
             "mail: {to: sec@shop.example}}\n",
             &config, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(config->alarms.interval_s, 60);
    assert_string_equal(config->alarms.webhook.url, "https://x.example/in");
    assert_string_equal(config->alarms.webhook.secret_file, "/tmp/s");
    assert_string_equal(config->alarms.mail.from, "b@shop.example");
    config_free(config);
}

static void refused(const char *rest, const char *words)
{
    struct config *config;
    struct error error = {0};
    assert_int_equal(load(rest, &config, &error), STATUS_INVALID);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, error.message);
}

static void says_what_is_wrong(void **state)
{
    refused("alarms: {webhook: {url: 'http://x.example/', secret_file: s}}\n", "not one of https");
    refused("alarms: {webhook: {url: 'https://x.example/'}}\n", "secret_file");
    refused("alarms: {mail: {to: a@b.example}}\n", "no mail server");
    refused("mail: {host: h}\nalarms: {mail: {to: a@b.example}}\n", "from which address");
    refused("mail: {host: h}\nalarms: {mail: {to: nobody, from: a@b.example}}\n", "not an address");
    refused("alarms: {webhok: {}}\n", "webhok");
    refused("alarms: {interval_s: 0}\n", "interval_s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(takes_a_webhook_and_mail),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
