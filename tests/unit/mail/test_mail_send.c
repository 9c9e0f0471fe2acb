/* Sending to a real mail server (tests/harness/mailserver.py): outcomes, who is refused, and that
 * nothing goes out before begin(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mail/mail.h"

enum { ROOM = 8 };

struct post_office {
    int in;
    pid_t pid;
    unsigned port;
    char ca[256], folder[256];
};

static struct post_office start(const char *const *options)
{
    struct post_office office = {0};
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    office.pid = fork();
    if (office.pid == 0) {
        char *words[12] = {"/usr/bin/python3", "-m", "harness.mailserver"};
        for (size_t i = 0; options[i] != NULL && i < 8; i++)
            words[3 + i] = (char *)(uintptr_t)options[i];
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        if (chdir(getenv("COFFERDAM_TESTS")) == 0)
            execv("/usr/bin/python3", words);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    if (fscanf(lines, "%u %255s %255s", &office.port, office.ca, office.folder) != 3)
        fail_msg("the mail server did not start");
    fclose(lines);
    office.in = in[1];
    return office;
}

#define START(...) start((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void stop(struct post_office *office)
{
    close(office->in);
    waitpid(office->pid, NULL, 0);
}

/* Lines of what the server accepted. */
static size_t accepted(const struct post_office *office, const char *needle)
{
    char path[300], line[20000];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/messages.jsonl", office->folder);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, needle) != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

struct run {
    const char *const *recipients;
    const struct post_office *office;
    size_t begun, done, fail_at;
    struct mail_result results[ROOM];
    char bytes[ROOM][400], to[ROOM][100];
};

static enum status envelope(void *context, size_t at, struct mail_envelope *out,
                            struct error *error)
{
    struct run *run = context;
    snprintf(run->to[at], sizeof run->to[at], "%s@example.com", run->recipients[at]);
    int len = snprintf(
        run->bytes[at], sizeof run->bytes[at],
        "From: a@b.example\r\nTo: %s@example.com\r\nDate: Mon, 21 Sep 2026 14:13:20 +0000\r\n"
        "Message-Id: <x@y.example>\r\nSubject: s\r\nMIME-Version: 1.0\r\n\r\n"
        "one\r\n.two\r\n..\r\n.\r\nend %zu\r\n",
        run->recipients[at], at);
    assert_true(len < (int)sizeof run->bytes[at]);
    *out = (struct mail_envelope){"bounces+1@b.example", run->to[at], "env=1",
                                  slice_of_text(run->bytes[at])};
    return STATUS_OK;
}

static enum status begin(void *context, size_t at, struct error *error)
{
    struct run *run = context;
    if (at == run->fail_at)
        return error_set(error, STATUS_DENIED, "57014", NULL, "stopped by the test");
    if (accepted(run->office, run->to[at]) != 0)
        fail_msg("message %zu was there before it was begun", at);
    run->begun++;
    return STATUS_OK;
}

static enum status done(void *context, size_t at, const struct mail_result *result,
                        struct error *error)
{
    struct run *run = context;
    run->results[at] = *result;
    run->done++;
    return STATUS_OK;
}

static enum status send_to(const struct post_office *office, struct mail_server server,
                           const char *const *recipients, size_t count, struct run *run,
                           bool *offers_dsn, struct error *error)
{
    run->recipients = recipients;
    run->office = office;
    struct mail_batch batch = {count, envelope, begin, done, run};
    return mail_send(&server, &batch, offers_dsn, error);
}

static struct mail_server trusted(const struct post_office *office)
{
    return (struct mail_server){.host = "localhost",
                                .port = (uint16_t)office->port,
                                .tls = MAIL_STARTTLS,
                                .ca_file = office->ca,
                                .user = "notices",
                                .password = slice_of_text("a password for tests"),
                                .hello = "client.example",
                                .timeout_ms = 5000};
}

static void expect(const struct run *run, size_t at, enum mail_outcome outcome, int code)
{
    const struct mail_result *result = &run->results[at];
    if (result->outcome != outcome || result->code != code)
        fail_msg("message %zu: outcome %d code %d (%s), not %d %d", at, result->outcome,
                 result->code, result->reply, outcome, code);
}

static void every_answer_finds_its_message(void **state)
{
    struct post_office office = START("refuse=^gone", "defer=^later", "reject=^spam");
    static const char *const names[] = {"ann", "gone", "bob", "later", "spam", "cyd"};
    struct run run = {.fail_at = ROOM};
    struct error error = {0};
    bool offers_dsn = false;
    enum status status = send_to(&office, trusted(&office), names, 6, &run, &offers_dsn, &error);
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error.message);
    expect(&run, 0, MAIL_ACCEPTED, 250);
    expect(&run, 1, MAIL_REFUSED, 550);
    expect(&run, 2, MAIL_ACCEPTED, 250);
    expect(&run, 3, MAIL_DEFERRED, 451);
    expect(&run, 4, MAIL_REFUSED, 554);
    expect(&run, 5, MAIL_ACCEPTED, 250);
    assert_string_equal(run.results[1].reply, "5.1.1 <…> no such mailbox");
    assert_true(offers_dsn);
    assert_int_equal(run.done, 6);
    assert_int_equal(run.begun, 4);
    assert_int_equal(accepted(&office, "\"envid\": \"env=1\""), 3);
    assert_int_equal(accepted(&office, "\"notify\": \"SUCCESS,FAILURE,DELAY\""), 3);
    assert_int_equal(accepted(&office, "one\\r\\n.two\\r\\n..\\r\\n.\\r\\nend 2\\r\\n"), 1);
    stop(&office);
}

static void bytes_arrive_as_they_are(void **state)
{
    struct post_office office = START("no_dsn=yes");
    static const char *const names[] = {"ann"};
    struct run run = {.fail_at = ROOM};
    struct error error = {0};
    bool offers_dsn = true;
    struct mail_server server = trusted(&office);
    server.host = "127.0.0.1"; /* the certificate has the address as well */
    assert_int_equal(send_to(&office, server, names, 1, &run, &offers_dsn, &error), STATUS_OK);
    assert_false(offers_dsn);
    assert_int_equal(accepted(&office,
                              "\"data\": \"From: a@b.example\\r\\nTo: ann@example.com\\r\\n"
                              "Date: Mon, 21 Sep 2026 14:13:20 +0000\\r\\n"
                              "Message-Id: <x@y.example>\\r\\nSubject: s\\r\\n"
                              "MIME-Version: 1.0\\r\\n\\r\\none\\r\\n"),
                     1);
    stop(&office);
}

static void a_broken_connection_leaves_doubt(void **state)
{
    struct post_office office = START("swallow=^bob");
    static const char *const names[] = {"ann", "bob", "cyd"};
    struct run run = {.fail_at = ROOM};
    struct error error = {0};
    assert_int_equal(send_to(&office, trusted(&office), names, 3, &run, NULL, &error), STATUS_OK);
    expect(&run, 0, MAIL_ACCEPTED, 250);
    expect(&run, 1, MAIL_UNKNOWN, 0);
    expect(&run, 2, MAIL_NOT_TRIED, 0);
    assert_int_equal(accepted(&office, "bob@"), 1);
    stop(&office);
}

static void a_failing_begin_sends_nothing_more(void **state)
{
    struct post_office office = START();
    static const char *const names[] = {"ann", "bob", "cyd"};
    struct run run = {.fail_at = 1};
    struct error error = {0};
    assert_int_equal(send_to(&office, trusted(&office), names, 3, &run, NULL, &error),
                     STATUS_DENIED);
    assert_string_equal(error.message, "stopped by the test");
    expect(&run, 0, MAIL_ACCEPTED, 250);
    expect(&run, 1, MAIL_NOT_TRIED, 0);
    expect(&run, 2, MAIL_NOT_TRIED, 0);
    usleep(200000);
    assert_int_equal(accepted(&office, "@example.com"), 1);
    stop(&office);
}

/* Each server is refused, with a reason that has the word, and no recipient has an answer. */
static void refuse(const struct post_office *office, struct mail_server server, const char *word)
{
    static const char *const names[] = {"ann", "bob"};
    struct run run = {.fail_at = ROOM};
    struct error error = {0};
    enum status status = send_to(office, server, names, 2, &run, NULL, &error);
    if ((status != STATUS_IO && status != STATUS_INVALID) || strstr(error.message, word) == NULL)
        fail_msg("%s: «%s», not «%s»", status_name(status), error.message, word);
    assert_int_equal(run.begun, 0);
    for (size_t i = 0; i < run.done; i++)
        expect(&run, i, MAIL_NOT_TRIED, run.results[i].code);
    assert_int_equal(accepted(office, "@example.com"), 0);
}

static void what_is_not_trusted_is_refused(void **state)
{
    struct post_office office = START(), other = START("name=elsewhere"), plain = START("tls=no");
    struct mail_server server = trusted(&office);
    server.ca_file = other.ca;
    refuse(&office, server, "certificate is refused");
    server.ca_file = NULL; /* the system's authorities */
    refuse(&office, server, "certificate is refused");
    server.ca_file = "/nonexistent";
    refuse(&office, server, "authorities cannot be read");
    refuse(&other, trusted(&other), "ertificate is refused");
    server = trusted(&plain);
    server.ca_file = office.ca;
    refuse(&plain, server, "offers no TLS");
    server = trusted(&office);
    server.password = slice_of_text("wrong");
    refuse(&office, server, "the mail server");
    server = trusted(&office);
    server.tls = MAIL_TLS;
    refuse(&office, server, "465");
    server.tls = MAIL_PLAIN;
    static const char *const elsewhere[] = {"mail.example", "127.mail.example.com",
                                            "127.0.0.1.example", "128.0.0.1", "::2"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        server.host = elsewhere[i];
        refuse(&office, server, "this machine only");
    }
    server = trusted(&office);
    server.port = 1;
    refuse(&office, server, "does not serve us");
    stop(&office);
    stop(&other);
    stop(&plain);
}

/* A server that takes mail from anybody: a wrong password is not passed over. */
static void a_server_without_auth_is_refused_where_a_user_is_configured(void **state)
{
    struct post_office office = START("user=");
    refuse(&office, trusted(&office), "neither our user nor our password");
    struct mail_server server = trusted(&office);
    server.user = NULL;
    static const char *const names[] = {"ann"};
    struct run run = {.fail_at = ROOM};
    assert_int_equal(send_to(&office, server, names, 1, &run, NULL, NULL), STATUS_OK);
    expect(&run, 0, MAIL_ACCEPTED, 250);
    stop(&office);
}

static void what_was_said_before_tls_is_not_believed(void **state)
{
    struct post_office office = START("inject=yes");
    refuse(&office, trusted(&office), "speaks out of turn");
    stop(&office);
}

static void a_refused_sender_is_no_recipients_fault(void **state)
{
    struct post_office office = START("refuse_sender=yes");
    refuse(&office, trusted(&office), "refuses our sender: 550");
    stop(&office);
}

/* As for a service user that was started with another user's environment. */
static char home[] = "/tmp/cofferdam-home-XXXXXX";

static int remove_one(const char *path, const struct stat *unused, int kind, struct FTW *walk)
{
    return remove(path);
}

static int remove_home(void **state)
{
    return nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int spoil_home(void **state)
{
    char path[100];
    if (mkdtemp(home) == NULL || setenv("HOME", home, 1) != 0)
        return 1;
    static const char *const parts[] = {".authenticate", ".authenticate/private", ".config",
                                        ".config/libesmtp", ".config/libesmtp/private"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", home, parts[i]);
        if (mkdir(path, 0755) != 0)
            return 1;
    }
    static const char *const names[] = {"ca.pem", "private/smtp-starttls.pem"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/.config/libesmtp/%s", home, names[i]);
        FILE *file = fopen(path, "w");
        if (file == NULL || fputs("no certificate\n", file) < 0 || fclose(file) != 0)
            return 1;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_finds_its_message),
        cmocka_unit_test(bytes_arrive_as_they_are),
        cmocka_unit_test(a_broken_connection_leaves_doubt),
        cmocka_unit_test(a_failing_begin_sends_nothing_more),
        cmocka_unit_test(what_is_not_trusted_is_refused),
        cmocka_unit_test(a_server_without_auth_is_refused_where_a_user_is_configured),
        cmocka_unit_test(what_was_said_before_tls_is_not_believed),
        cmocka_unit_test(a_refused_sender_is_no_recipients_fault),
    };
    return cmocka_run_group_tests(tests, spoil_home, remove_home);
}
