#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oidc/judge.h"

/* A child that has been taken over: it reads one question and writes these bytes. */
static void be_asked_by(struct judge *judge, struct slice says)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    judge_open(judge);
    judge->fd = ends[0];
    judge->child = fork();
    assert_true(judge->child >= 0);
    if (judge->child == 0) {
        uint8_t room[4096];
        close(ends[0]);
        (void)!read(ends[1], room, sizeof room);
        (void)!write(ends[1], says.data, says.len);
        pause();
        _exit(0);
    }
    close(ends[1]);
}

static const struct question question = {.kind = QUESTION_TOKEN};
static const struct verdict bad = {.kind = VERDICT_BAD}, good = {.kind = VERDICT_GOOD};

static void what_was_said_unasked_is_nobodys_verdict(void **state)
{
    struct judge judge;
    struct buffer says;
    struct verdict verdict;
    struct error error;
    buffer_init(&says, 4096);
    verdict_put(&bad, &says);
    verdict_put(&good, &says); /* for whoever comes next */
    be_asked_by(&judge, buffer_slice(&says));
    pid_t first = judge.child;
    assert_int_equal(judge_ask(&judge, &question, &verdict, &error), STATUS_OK);
    assert_int_equal(verdict.kind, VERDICT_BAD);
    /* Another program is asked, or none where there is none. */
    enum status status = judge_ask(&judge, &question, &verdict, &error);
    assert_true(status != STATUS_OK || verdict.kind == VERDICT_BAD);
    assert_int_not_equal(judge.child, first);
    judge_close(&judge);
    buffer_free(&says);
}

static void half_an_answer_and_a_wrong_one_are_none(void **state)
{
    struct buffer whole;
    buffer_init(&whole, 4096);
    verdict_put(&good, &whole);
    struct slice all = buffer_slice(&whole);
    static const uint8_t huge[] = {0xFF, 0xFF, 0xFF, 0xFF, VERDICT_GOOD};
    uint8_t longer[4096], other[4096];
    memcpy(longer, all.data, all.len); /* a byte more than a verdict has */
    longer[3]++;
    longer[all.len] = 0;
    memcpy(other, all.data, all.len); /* no kind of verdict */
    other[4] = 99;
    const struct slice ways[] = {slice_of(huge, sizeof huge), slice_of(longer, all.len + 1),
                                 slice_of(other, all.len)};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct judge judge;
        struct verdict verdict = bad;
        struct error error;
        be_asked_by(&judge, ways[i]);
        enum status status = judge_ask(&judge, &question, &verdict, &error);
        assert_true(status != STATUS_OK || verdict.kind == VERDICT_BAD);
        judge_close(&judge);
    }
    buffer_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_unasked_is_nobodys_verdict),
        cmocka_unit_test(half_an_answer_and_a_wrong_one_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
