/* Delivery notices in a Maildir: ours are taken and moved, all other mail stays and is counted
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ctype.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "incident/bounces.h"

static char folder[] = "/tmp/cofferdam-bounces-XXXXXX";
static const int64_t now_ns = 1790000000LL * 1000000000;

static const char *at(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    return mkdtemp(folder) == NULL || mkdir(at("mail"), 0700) != 0 ||
           mkdir(at("mail/new"), 0700) != 0 || mkdir(at("mail/cur"), 0700) != 0;
}

static int remove_one(const char *path, const struct stat *unused, int kind, struct FTW *walk)
{
    return remove(path);
}

static int remove_folder(void **state)
{
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *envelope_id, const char *to, const char *action)
{
    char text[1000], path[100];
    struct error error = {0};
    snprintf(text, sizeof text,
             "From: x@y.example\nTo: %s\nMIME-Version: 1.0\n"
             "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
             "--b\nContent-Type: message/delivery-status\n\n%s%s\n\nAction: %s\nStatus: 5.1.1\n\n"
             "--b--\n",
             to, envelope_id[0] != '\0' ? "Original-Envelope-Id: " : "X: ", envelope_id, action);
    snprintf(path, sizeof path, "mail/new/%s", name);
    if (file_replace(at(path), slice_of_text(text), 0600, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        enum status ok_ = (call);                                                                  \
        if (ok_ != STATUS_OK)                                                                      \
            fail_msg("%s: %s: %s", #call, status_name(ok_), error.message);                        \
    } while (0)

static uint64_t count_state(struct outbox *outbox, enum outbox_state state)
{
    struct error error = {0};
    struct outbox_counts counts;
    OK(outbox_count(outbox, 1, &counts, &error));
    return counts.states[state];
}

static void ours_are_taken_others_stay(void **state)
{
    static const struct outbox_person people[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    static const uint8_t digest[32];
    struct outbox_turn turns[3];
    struct outbox *outbox = NULL;
    struct maildir *bounces = NULL;
    struct error error = {0};
    size_t count = 0;
    char verp[100];
    OK(outbox_open(at("outbox.sqlite"), true, &outbox, &error));
    OK(outbox_fill(outbox, 1, people, 3, &error));
    OK(outbox_offer(outbox, 1, now_ns, turns, 3, &count, &error));
    for (size_t i = 0; i < 3; i++) {
        OK(outbox_begin(outbox, 1, turns[i].person.id, digest, now_ns, &error));
        OK(outbox_settle(outbox, 1, turns[i].person.id, i == 2 ? OUTBOX_IN_DOUBT : OUTBOX_ACCEPTED,
                         NULL, now_ns, 0, &error));
    }
    OK(maildir_open(at("mail"), &bounces, &error));
    OK(bounces_read(bounces, outbox, now_ns, &error));
    snprintf(verp, sizeof verp, "bounces+%s@b.example", turns[1].envelope_id);
    put("1", turns[0].envelope_id, "bounces@b.example", "failed");
    put("2", "", verp, "failed");
    for (char *c = verp; *c != '@'; c++) /* servers that have ids of their own, and like capitals */
        *c = (char)toupper((unsigned char)*c);
    put("6", "<20261122.7@mx.example>", verp, "failed");
    put("3", turns[2].envelope_id, "bounces@b.example", "relayed");
    put("4", "stranger", "bounces+stranger@b.example", "failed");
    put("5", "", "nobody@b.example", "failed");
    for (int again = 0; again < 2; again++) {
        OK(bounces_read(bounces, outbox, now_ns, &error));
        assert_int_equal(maildir_count(bounces).taken, 4);
        assert_int_equal(maildir_count(bounces).unknown, 2);
    }
    assert_int_equal(count_state(outbox, OUTBOX_BOUNCED), 2);
    assert_int_equal(count_state(outbox, OUTBOX_ACCEPTED), 1);
    assert_true(file_exists(at("mail/cur/1:2,S")) && !file_exists(at("mail/new/1")));
    assert_true(file_exists(at("mail/cur/2:2,S")) && file_exists(at("mail/cur/3:2,S")));
    assert_true(file_exists(at("mail/new/4")) && file_exists(at("mail/new/5")));
    maildir_close(bounces);
    outbox_close(outbox);
}

/* The sender looks while it holds what its workers wait for. */
static void one_look_takes_a_handful(void **state)
{
    enum { MANY = 300 };
    struct maildir *bounces = NULL;
    struct outbox *outbox = NULL;
    struct error error = {0};
    const struct outbox_person person = {.id = 7};
    struct outbox_turn turn;
    size_t count = 0;
    bool more = false;
    char name[16];
    OK(outbox_open(at("many.sqlite"), true, &outbox, &error));
    OK(outbox_fill(outbox, 1, &person, 1, &error));
    OK(outbox_offer(outbox, 1, now_ns, &turn, 1, &count, &error));
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many%d", i);
        put(name, turn.envelope_id, "bounces@b.example", "relayed");
    }
    OK(maildir_open(at("mail"), &bounces, &error));
    OK(bounces_look(bounces, outbox, now_ns, &more, &error));
    uint64_t first = maildir_count(bounces).taken;
    assert_true(more);
    assert_in_range(first, 1, MANY / 2);
    OK(bounces_read(bounces, outbox, now_ns, &error));
    assert_int_equal(maildir_count(bounces).taken, MANY);
    assert_false(file_exists(at("mail/new/many0")));
    maildir_close(bounces);
    outbox_close(outbox);
}

static void a_notice_that_cannot_be_moved_is_no_endless_work(void **state)
{
    struct maildir *bounces = NULL;
    struct outbox *outbox = NULL;
    struct error error = {0};
    const struct outbox_person person = {.id = 9};
    struct outbox_turn turn;
    size_t count = 0;
    OK(outbox_open(at("stuck.sqlite"), true, &outbox, &error));
    OK(outbox_fill(outbox, 1, &person, 1, &error));
    OK(outbox_offer(outbox, 1, now_ns, &turn, 1, &count, &error));
    put("stuck", turn.envelope_id, "bounces@b.example", "relayed");
    assert_int_equal(rename(at("mail/cur"), at("mail/away")), 0);
    OK(maildir_open(at("mail"), &bounces, &error));
    enum status status = bounces_read(bounces, outbox, now_ns, &error);
    assert_int_equal(rename(at("mail/away"), at("mail/cur")), 0);
    assert_int_equal(status, STATUS_IO);
    OK(bounces_read(bounces, outbox, now_ns, &error));
    assert_int_equal(maildir_count(bounces).taken, 1);
    maildir_close(bounces);
    outbox_close(outbox);
}

static void a_missing_folder_is_an_empty_one(void **state)
{
    struct maildir *bounces = NULL;
    struct outbox *outbox = NULL;
    struct error error = {0};
    OK(outbox_open(at("other.sqlite"), true, &outbox, &error));
    OK(maildir_open(at("nowhere"), &bounces, &error));
    OK(bounces_read(bounces, outbox, now_ns, &error));
    assert_int_equal(maildir_count(bounces).taken + maildir_count(bounces).unknown, 0);
    maildir_close(bounces);
    outbox_close(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_are_taken_others_stay),
        cmocka_unit_test(one_look_takes_a_handful),
        cmocka_unit_test(a_notice_that_cannot_be_moved_is_no_endless_work),
        cmocka_unit_test(a_missing_folder_is_an_empty_one),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
