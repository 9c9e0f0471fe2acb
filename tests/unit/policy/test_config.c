/* cofferdam.yaml: defaults, paths, and what must not be left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fixture.h"
#include "policy/config.h"

#define LISTEN         "listen: {certificate: server.crt, key: /etc/keys/server.key}\n"
#define UPSTREAM(more) "upstream: {database: crm, user: gate, " more "}\n"
#define SOCKET         UPSTREAM("host: /run/postgresql")

static struct config *load(const char *text)
{
    struct config *config = NULL;
    struct error error = {0};
    if (config_load(fixture_write(text), &config, &error) != STATUS_OK)
        fail_msg("refused: %s (%s)\n%s", error.message, error.hint, text);
    return config;
}

static void refuse(const char *text, const char *message)
{
    struct config *config = NULL;
    struct error error = {0};
    enum status status = config_load(fixture_write(text), &config, &error);
    if (status != STATUS_INVALID || strstr(error.message, message) == NULL)
        fail_msg("%s: says \"%s\", not \"%s\"", status_name(status), error.message, message);
    assert_null(config);
}

static void has_defaults(void **state)
{
    struct config *config = load(LISTEN SOCKET);
    assert_string_equal(config->listen.address, "0.0.0.0");
    assert_int_equal(config->listen.port, 7432);
    assert_null(config->listen.client_ca);
    assert_int_equal(config->listen.max_sessions, 1000);
    assert_int_equal(config->listen.max_unauthenticated, 2000);
    assert_int_equal(config->listen.max_unauthenticated_per_address, 500);
    assert_int_equal(config->listen.login_timeout_ms, 15000);
    assert_int_equal(config->listen.idle_timeout_ms, 0);
    assert_int_equal(config->listen.write_timeout_ms, 60000);
    assert_int_equal(config->admin.port, 5432);
    assert_int_equal(config->admin.user_count, 0);
    assert_int_equal(config->upstream.port, 5432);
    assert_false(config->upstream.tls_off);
    assert_int_equal(config->upstream.connect_timeout_ms, 5000);
    assert_int_equal(config->upstream.statement_timeout_ms, 600000);
    assert_int_equal(config->upstream.max_connections, 200);
    assert_int_equal(config->ledger.pace_us, 1000);
    assert_int_equal(config->ledger.segment_bytes, 64 * 1024 * 1024);
    assert_string_equal(config->ledger.node, "node1");
    assert_string_equal(config->ledger.signing_key, "/var/lib/cofferdam/ledger.key");
    assert_int_equal(config->ledger.checkpoint_every_s, 3600);
    assert_int_equal(config->ledger.witness_count, 0);
    assert_int_equal(config->ledger.witness_quorum, 0);
    assert_int_equal(config->limits.statement_bytes, LIMIT_STATEMENT_BYTES);
    assert_int_equal(config->limits.statement_depth, LIMIT_STATEMENT_DEPTH);
    assert_int_equal(config->limits.max_lineage_bytes, LIMIT_ROW_BYTES);
    assert_string_equal(config->state_folder, "/var/lib/cofferdam");
    assert_string_equal(config->run_folder, "/run/cofferdam");
    assert_in_range(config->workers, 1, 8);
    assert_non_null(strstr(config->data_folder, "share/cofferdam"));
    assert_string_equal(config->incidents_folder, "/var/lib/cofferdam/incidents");
    assert_null(config->contact.user);
    assert_null(config->mail.host);
    assert_int_equal(config->mail.port, 587);
    assert_int_equal(config->mail.tls, CONFIG_MAIL_STARTTLS);
    assert_int_equal(config->mail.per_minute, 0);
    assert_int_equal(config->mail.connections, 2);
    assert_int_equal(config->mail.doubt_s, 3600);
    assert_false(config->mail.sink);
    assert_null(config->portal.folder);
    config_free(config);
    config_free(NULL);
}

static void witnesses_need_tls_and_a_quorum_has_a_bound(void **state)
{
#define WITNESS(url) "{key: w+01234567+AA==, url: \"" url "\"}"
    struct config *config =
        load(LISTEN SOCKET "ledger: {signing_key: keys/log, witnesses: [" WITNESS(
            "https://a.example/x") ", " WITNESS("http://127.0.0.1:8080") "]}\n");
    assert_int_equal(config->ledger.witness_count, 2);
    assert_int_equal(config->ledger.witness_quorum, 2);
    assert_string_equal(config->ledger.witnesses[0].url, "https://a.example/x");
    assert_null(config->ledger.witnesses[0].ca);
    assert_non_null(strstr(config->ledger.signing_key, "/keys/log"));
    config_free(config);
    refuse(LISTEN SOCKET "ledger: {witnesses: [" WITNESS("http://a.example/") "]}\n",
           "TLS can be left out only");
    refuse(LISTEN SOCKET "ledger: {witnesses: [" WITNESS("http://127.0.0.1.a.example/") "]}\n",
           "TLS can be left out only");
    refuse(LISTEN SOCKET "ledger: {witnesses: [" WITNESS("ftp://a.example/") "]}\n", "https");
    refuse(LISTEN SOCKET "ledger: {witnesses: [{url: \"https://a\"}]}\n", "key");
    refuse(LISTEN SOCKET "ledger: {witness_quorum: 1}\n", "witness_quorum");
}

static void paths_are_relative_to_the_file(void **state)
{
    struct config *config =
        load("policy: p/policy.yaml\nstate_folder: state\nworkers: 3\n" LISTEN UPSTREAM(
            "host: ./pg, port: 54315, password_file: pw"));
    char folder[200];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(config->path, '/') - config->path),
             config->path);
    assert_int_equal(strncmp(config->policy, folder, strlen(folder)), 0);
    assert_string_equal(config->policy + strlen(folder), "/p/policy.yaml");
    assert_string_equal(config->state_folder + strlen(folder), "/state");
    assert_string_equal(config->listen.certificate + strlen(folder), "/server.crt");
    assert_string_equal(config->listen.key, "/etc/keys/server.key");
    assert_string_equal(config->upstream.host + strlen(folder), "/./pg");
    assert_string_equal(config->upstream.password_file + strlen(folder), "/pw");
    assert_int_equal(config->upstream.port, 54315);
    assert_int_equal(config->workers, 3);
    config_free(config);
}

static void binding_of_the_channel(void **state)
{
    static const struct {
        const char *text;
        enum config_binding binding;
    } cases[] = {{LISTEN SOCKET, CONFIG_BINDING_PREFER},
                 {LISTEN UPSTREAM("host: db, tls_ca: ca.crt, channel_binding: require"),
                  CONFIG_BINDING_REQUIRE},
                 {LISTEN UPSTREAM("host: db, tls_ca: ca.crt, channel_binding: disable"),
                  CONFIG_BINDING_DISABLE},
                 {LISTEN UPSTREAM("host: /run, channel_binding: prefer"), CONFIG_BINDING_PREFER}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = load(cases[i].text);
        assert_int_equal(config->upstream.channel_binding, cases[i].binding);
        config_free(config);
    }
    refuse(LISTEN UPSTREAM("host: /run, channel_binding: require"), "no TLS channel");
    refuse(LISTEN UPSTREAM("host: 127.0.0.1, tls_off: true, channel_binding: require"),
           "no TLS channel");
    refuse(LISTEN UPSTREAM("host: db, tls_ca: ca.crt, channel_binding: required"),
           "not a way to bind");
}

static void upstream_wants_tls_over_a_network(void **state)
{
    refuse(LISTEN UPSTREAM("host: db.example"), "key \"tls_ca\" is missing");
    refuse(LISTEN UPSTREAM("host: 127.0.0.1"), "key \"tls_ca\" is missing");
    refuse(LISTEN UPSTREAM("host: db.example, tls_off: true"), "only to this machine itself");
    refuse(LISTEN UPSTREAM("host: 127.0.0.1.example.org, tls_off: true"), "only to this machine");
    struct config *config = load(LISTEN UPSTREAM("host: 127.0.0.1, tls_off: true"));
    assert_true(config->upstream.tls_off);
    config_free(config);
    config = load(LISTEN UPSTREAM("host: db.example, tls_ca: /ca.pem"));
    assert_string_equal(config->upstream.host, "db.example");
    assert_string_equal(config->upstream.tls_ca, "/ca.pem");
    config_free(config);
}

static void admits_users_by_name_or_number(void **state)
{
    struct config *config = load(LISTEN SOCKET "admin: {port: 6000, users: [1234, root]}\n");
    assert_int_equal(config->admin.port, 6000);
    assert_int_equal(config->admin.user_count, 2);
    assert_int_equal(config->admin.users[0], 1234);
    assert_int_equal(config->admin.users[1], 0);
    config_free(config);
    refuse(LISTEN SOCKET "admin: {users: [no-such-user]}\n", "no user \"no-such-user\"");
    refuse(LISTEN SOCKET "admin: {users: [4294967295]}\n", "out of range");
}

static void reads_what_canaries_are_made_of(void **state)
{
    struct config *config =
        load(LISTEN SOCKET "canaries: {mailbox_domain: post.example, mailbox_folder: /mail,"
                           " phones: ['+44 7700 900###'],"
                           " streets: [Larkfold Lane, Otterdene Rise]}\n");
    assert_string_equal(config->canaries.mailbox_domain, "post.example");
    assert_string_equal(config->canaries.mailbox_folder, "/mail");
    assert_int_equal(config->canaries.phone_count, 1);
    assert_string_equal(config->canaries.phones[0], "+44 7700 900###");
    assert_int_equal(config->canaries.street_count, 2);
    config_free(config);
    config = load(LISTEN SOCKET);
    assert_null(config->canaries.mailbox_domain);
    assert_int_equal(config->canaries.phone_count, 0);
    config_free(config);
    refuse(LISTEN SOCKET "canaries: {mailbox_folder: /mail}\n", "not said of which domain");
    refuse(LISTEN SOCKET "canaries: {mailbox_domain: 'me@post.example'}\n", "is no domain");
    refuse(LISTEN SOCKET "canaries: {phones: ['+44 7700 900123']}\n", "one telephone number");
    refuse(LISTEN SOCKET "canaries: {streets: ['']}\n", "nothing is written here");
}

static void reads_the_breach_path(void **state)
{
    struct config *config =
        load(LISTEN SOCKET "state_folder: /s\ndata_folder: /share\nincidents_folder: /cases\n"
                           "contact: {user: reader, password_file: /pw}\n"
                           "mail: {host: smtp.example, port: 465, tls: tls, ca: /ca, user: me,"
                           " password_file: /mailpw, hello: us.example, bounces: b@us.example,"
                           " bounce_folder: /mail, per_minute: 600, connections: 4, doubt_s: 60,"
                           " sink: true}\n"
                           "portal: {folder: /pages, queue: /queue}\n");
    assert_string_equal(config->data_folder, "/share");
    assert_string_equal(config->incidents_folder, "/cases");
    assert_string_equal(config->contact.user, "reader");
    assert_string_equal(config->contact.password_file, "/pw");
    assert_string_equal(config->mail.host, "smtp.example");
    assert_int_equal(config->mail.port, 465);
    assert_int_equal(config->mail.tls, CONFIG_MAIL_TLS);
    assert_string_equal(config->mail.ca, "/ca");
    assert_string_equal(config->mail.user, "me");
    assert_string_equal(config->mail.password_file, "/mailpw");
    assert_string_equal(config->mail.hello, "us.example");
    assert_string_equal(config->mail.bounces, "b@us.example");
    assert_string_equal(config->mail.bounce_folder, "/mail");
    assert_int_equal(config->mail.per_minute, 600);
    assert_int_equal(config->mail.connections, 4);
    assert_int_equal(config->mail.doubt_s, 60);
    assert_true(config->mail.sink);
    assert_string_equal(config->portal.folder, "/pages");
    assert_string_equal(config->portal.queue, "/queue");
    config_free(config);
}

static void refuses_an_unsafe_breach_path(void **state)
{
    refuse(LISTEN SOCKET "contact: {user: gate}\n", "a role of its own");
    refuse(LISTEN SOCKET "contact: {}\n", "key \"user\" is missing");
    refuse(LISTEN SOCKET "mail: {port: 25}\n", "key \"host\" is missing");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, tls: off}\n", "only to this machine itself");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, tls: none}\n", "\"none\"");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, user: me}\n", "both a user and a password");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, bounces: '@x'}\n", "is not an address");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, connections: 0}\n", "out of range");
    refuse(LISTEN SOCKET "mail: {host: smtp.example, connections: 17}\n", "out of range");
    refuse(LISTEN SOCKET "mail: {host: localhost, sink: yes}\n", "write true or false");
    refuse(LISTEN SOCKET "portal: {folder: /pages}\n", "key \"queue\" is missing");
    struct config *config = load(LISTEN SOCKET "mail: {host: localhost, tls: off}\n");
    assert_int_equal(config->mail.tls, CONFIG_MAIL_OFF);
    config_free(config);
}

static void refuses_what_it_does_not_know(void **state)
{
    refuse(LISTEN SOCKET "state: x\n", "did you mean \"state_folder\"?");
    refuse(LISTEN SOCKET "workers: 0\n", "out of range");
    refuse(LISTEN SOCKET "workers: many\n", "is not a whole number");
    refuse(LISTEN, "key \"upstream\" is missing");
    refuse(SOCKET, "key \"listen\" is missing");
    refuse("listen: {key: k}\n" SOCKET, "key \"certificate\" is missing");
    refuse("listen: {certificate: c, key: k, port: 65536}\n" SOCKET, "out of range");
    refuse(LISTEN UPSTREAM("host: /run, tls_off: yes"), "write true or false");
    refuse(LISTEN SOCKET "ledger: {segment_bytes: 1}\n", "out of range");
    refuse(LISTEN SOCKET "ledger: {segment_bytes: 1073741825}\n", "out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(witnesses_need_tls_and_a_quorum_has_a_bound),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(upstream_wants_tls_over_a_network),
        cmocka_unit_test(binding_of_the_channel),
        cmocka_unit_test(admits_users_by_name_or_number),
        cmocka_unit_test(reads_what_canaries_are_made_of),
        cmocka_unit_test(reads_the_breach_path),
        cmocka_unit_test(refuses_an_unsafe_breach_path),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
