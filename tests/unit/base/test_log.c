/* Log: a value from a stranger neither ends its quotes nor begins a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_BYTES = 4096 };

static int kept = -1, ends[2];

static void catch_begin(void)
{
    assert_int_equal(pipe(ends), 0);
    kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
}

/* What was logged since, behind "event=". */
static const char *catch_end(char line[static LINE_BYTES])
{
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
    ssize_t len = read(ends[0], line, LINE_BYTES - 1);
    close(ends[0]);
    assert_true(len > 0);
    line[len] = '\0';
    const char *event = strstr(line, " event=");
    assert_non_null(event);
    return event + strlen(" event=");
}

static void check(const char *name, const char *expected)
{
    char line[LINE_BYTES], reason[200];
    snprintf(reason, sizeof reason, "no user \"%s\"", name);
    catch_begin();
    log_event(LOG_ERROR, "e", "user=\"%s\" number=%d reason=\"%s\" last=%s", name, 7, reason, "x");
    assert_string_equal(catch_end(line), expected);
}

static void values_stay_within_their_quotes(void **state)
{
    check("ann", "e user=\"ann\" number=7 reason=\"no user \\\"ann\\\"\" last=x\n");
    check("a\" event=stop b=\"", "e user=\"a\\\" event=stop b=\\\"\" number=7 "
                                 "reason=\"no user \\\"a\\\" event=stop b=\\\"\\\"\" last=x\n");
    check("a\\", "e user=\"a\\\\\" number=7 reason=\"no user \\\"a\\\\\\\"\" last=x\n");
    check("a\nb\x01\x7f\033[1m", "e user=\"a?b???[1m\" number=7 "
                                 "reason=\"no user \\\"a?b???[1m\\\"\" last=x\n");
}

static void what_is_too_long_is_cut(void **state)
{
    char line[LINE_BYTES], name[1200];
    memset(name, '"', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    catch_begin();
    log_event(LOG_ERROR, "e", "user=\"%s\"", name);
    const char *text = catch_end(line);
    assert_memory_equal(text, "e user=\"\\\"\\\"", 12);
    assert_true(strlen(text) < 1700);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_int_equal(text[strlen(text) - 2], '"');
    assert_int_equal(text[strlen(text) - 3], '\\');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stay_within_their_quotes),
        cmocka_unit_test(what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
