/* Passwords: what is fit for a machine account, reading from a pipe, made ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/secret.h"

/* Reads text as if it were piped into the program. */
static enum status read_text(const char *text, struct buffer *out)
{
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    enum status status = secret_read(out, NULL);
    dup2(kept, STDIN_FILENO);
    close(kept);
    return status;
}

static void test_first_line_is_the_password(void **state)
{
    (void)state;
    struct buffer password;
    buffer_init(&password, LIMIT_PASSWORD_BYTES);
    assert_int_equal(read_text("correct horse battery\nsecond line\n", &password), STATUS_OK);
    assert_string_equal(buffer_text(&password), "correct horse battery");
    buffer_free(&password);
    buffer_init(&password, LIMIT_PASSWORD_BYTES);
    assert_int_equal(read_text("without a newline", &password), STATUS_OK);
    assert_string_equal(buffer_text(&password), "without a newline");
    buffer_free(&password);
}

static void test_unfit_passwords(void **state)
{
    (void)state;
    static const char *const unfit[] = {
        "", "\n", "short", "eleven char", "tab\tin the middle", "caf\xc3\xa9 au lait ole"};
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        struct buffer password;
        buffer_init(&password, LIMIT_PASSWORD_BYTES);
        enum status status = read_text(unfit[i], &password);
        if (status != STATUS_INVALID)
            fail_msg("\"%s\" gave %s", unfit[i], status_name(status));
        buffer_free(&password);
    }
}

/* Strangers guess at these over the network: longer, and not of few characters or the name. */
static void test_passwords_of_agents(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {"fifteen letters", STATUS_INVALID},
        {"sixteen letters!", STATUS_OK},
        {"abababababababababababab", STATUS_INVALID},
        {"abcdefgabcdefgabcdefg", STATUS_INVALID},
        {"abcdefghabcdefgh", STATUS_OK},
        {"north-mail.job12345678", STATUS_INVALID},
        {"north-mail.job and something else", STATUS_OK},
        {"caf\xc3\xa9 au lait, please", STATUS_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (secret_judge_password(slice_of_text(cases[i].text), "north-mail.job", NULL) !=
            cases[i].status)
            fail_msg("%s", cases[i].text);
}

static void test_made_ones_differ(void **state)
{
    (void)state;
    char one[SECRET_MADE_ROOM], two[SECRET_MADE_ROOM];
    secret_make(one);
    secret_make(two);
    assert_int_equal(strlen(one), SECRET_MADE_ROOM - 1);
    assert_string_not_equal(one, two);
    assert_int_equal(secret_judge(slice_of_text(one), NULL), STATUS_OK);
    assert_int_equal(secret_judge_password(slice_of_text(one), "a.b", NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_line_is_the_password),
        cmocka_unit_test(test_unfit_passwords),
        cmocka_unit_test(test_passwords_of_agents),
        cmocka_unit_test(test_made_ones_differ),
    };
    return cmocka_run_group_tests_name("cli/secret", tests, NULL, NULL);
}
