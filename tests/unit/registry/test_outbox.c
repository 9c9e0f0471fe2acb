/* The outbox: killed between any two calls, nobody is written to twice by itself and nobody is
 * forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry/outbox.h"

enum { NOTICE = 1, ROOM = 16 };

static char folder[] = "/tmp/cofferdam-outbox-XXXXXX";
static char path[sizeof folder + 32];
static const int64_t second_ns = 1000000000, now_ns = 1790000000LL * 1000000000;
static const uint8_t rendered[32] = {1, 2, 3};
static const struct outbox_person people[] = {
    {.id = 7, .kind = 1, .tier = 2, .variant = 9},
    {.id = 3, .kind = 1, .tier = 2},
    {.id = 900, .kind = 0, .tier = 1},
    {.id = 5, .kind = 1, .tier = 3},
};

static int make_folder(void **state)
{
    return mkdtemp(folder) == NULL;
}

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    char name[sizeof path + 8];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static int remove_folder(void **state)
{
    remove_files();
    return rmdir(folder);
}

static int fresh(void **state)
{
    snprintf(path, sizeof path, "%s/outbox.sqlite", folder);
    remove_files();
    return 0;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        enum status ok_ = (call);                                                                  \
        if (ok_ != STATUS_OK)                                                                      \
            fail_msg("%s: %s: %s", #call, status_name(ok_), error.message);                        \
    } while (0)

static struct outbox *open_outbox(bool for_sending)
{
    struct outbox *outbox = NULL;
    struct error error = {0};
    OK(outbox_open(path, for_sending, &outbox, &error));
    return outbox;
}

static struct outbox *open_filled(void)
{
    struct error error = {0};
    struct outbox *outbox = open_outbox(true);
    OK(outbox_fill(outbox, NOTICE, people, 4, &error));
    return outbox;
}

static size_t offer(struct outbox *outbox, int64_t at_ns, struct outbox_turn *turns, size_t room)
{
    struct error error = {0};
    size_t count = 99;
    OK(outbox_offer(outbox, NOTICE, at_ns, turns, room, &count, &error));
    return count;
}

struct found {
    struct outbox_proof proofs[ROOM];
    char envelopes[ROOM][40], replies[ROOM][40], reports[ROOM][40];
    uint8_t hashes[ROOM][32];
    size_t count;
};

static enum status take(void *context, const struct outbox_proof *proof, struct error *error)
{
    struct found *found = context;
    size_t at = found->count++;
    found->proofs[at] = *proof;
    if (proof->rendered != NULL)
        memcpy(found->hashes[at], proof->rendered, 32);
    snprintf(found->envelopes[at], 40, "%s", proof->envelope_id ? proof->envelope_id : "");
    snprintf(found->replies[at], 40, "%s", proof->reply ? proof->reply : "");
    snprintf(found->reports[at], 40, "%s", proof->report ? proof->report : "");
    return STATUS_OK;
}

static struct found all(struct outbox *outbox)
{
    struct error error = {0};
    struct found found = {0};
    OK(outbox_each(outbox, NOTICE, take, &found, &error));
    return found;
}

static void expect(struct outbox *outbox, uint32_t id, enum outbox_state state)
{
    struct found found = all(outbox);
    for (size_t i = 0; i < found.count; i++)
        if (found.proofs[i].id == id && found.proofs[i].state != state)
            fail_msg("%u is %s, not %s", id, outbox_state_name(found.proofs[i].state),
                     outbox_state_name(state));
}

static void offers_in_order_of_tier_and_once(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    OK(outbox_fill(outbox, NOTICE, people, 4, &error));
    OK(outbox_fill(outbox, NOTICE, people, 1, &error));
    assert_int_equal(offer(outbox, now_ns, turns, 3), 3);
    assert_int_equal(turns[0].person.id, 900);
    assert_int_equal(turns[1].person.id, 3);
    assert_int_equal(turns[2].person.id, 7);
    assert_int_equal(turns[2].person.kind, 1);
    assert_int_equal(turns[2].person.variant, 9);
    assert_int_equal(turns[2].attempts, 1);
    assert_int_equal(strlen(turns[2].envelope_id), OUTBOX_ENVELOPE_CHARS);
    assert_string_not_equal(turns[0].envelope_id, turns[1].envelope_id);
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 1);
    assert_int_equal(turns[0].person.id, 5);
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 0);
    outbox_close(outbox);
}

static void answers_are_kept(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 4);
    OK(outbox_begin(outbox, NOTICE, 900, rendered, now_ns + 1, &error));
    OK(outbox_settle(outbox, NOTICE, 900, OUTBOX_ACCEPTED, "250 ok", now_ns + 2, 0, &error));
    OK(outbox_settle(outbox, NOTICE, 3, OUTBOX_DEFERRED, "451 later", now_ns + 3,
                     now_ns + 60 * second_ns, &error));
    OK(outbox_settle(outbox, NOTICE, 7, OUTBOX_LETTER, "no address", now_ns + 4, 0, &error));
    OK(outbox_return(outbox, NOTICE, 5, &error));
    struct outbox_counts counts;
    OK(outbox_count(outbox, NOTICE, &counts, &error));
    assert_int_equal(counts.total, 4);
    assert_int_equal(counts.states[OUTBOX_ACCEPTED], 1);
    assert_int_equal(counts.states[OUTBOX_DEFERRED], 1);
    assert_int_equal(counts.states[OUTBOX_READY], 1);
    assert_int_equal(counts.first_accepted_ns, now_ns + 1);
    assert_int_equal(counts.next_retry_ns, now_ns + 60 * second_ns);
    struct found found = all(outbox);
    assert_int_equal(found.proofs[3].id, 900);
    assert_memory_equal(found.hashes[3], rendered, sizeof rendered);
    assert_string_equal(found.envelopes[3], turns[0].envelope_id);
    assert_string_equal(found.replies[3], "250 ok");
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 1);
    assert_int_equal(turns[0].person.id, 5);
    assert_int_equal(turns[0].attempts, 1);
    assert_int_equal(offer(outbox, now_ns + 60 * second_ns, turns, ROOM), 1);
    assert_int_equal(turns[0].person.id, 3);
    assert_int_equal(turns[0].attempts, 2);
    outbox_close(outbox);
}

static void steps_out_of_turn_are_refused(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    assert_int_equal(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error), STATUS_CORRUPT);
    assert_int_equal(outbox_return(outbox, NOTICE, 3, &error), STATUS_CORRUPT);
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 4);
    OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
    assert_int_equal(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error), STATUS_CORRUPT);
    assert_int_equal(outbox_return(outbox, NOTICE, 3, &error), STATUS_CORRUPT);
    OK(outbox_settle(outbox, NOTICE, 3, OUTBOX_ACCEPTED, NULL, now_ns, 0, &error));
    assert_int_equal(outbox_settle(outbox, NOTICE, 3, OUTBOX_REFUSED, NULL, now_ns, 0, &error),
                     STATUS_CORRUPT);
    outbox_close(outbox);
}

/* The calls of a sender, one after the other; a child makes the first `steps` and is killed. */
static void run_steps(int steps)
{
    struct error error = {0};
    struct outbox_turn turns[ROOM];
    struct outbox *outbox = open_outbox(true);
    for (int step = 0; step < steps; step++) {
        switch (step) {
        case 0:
            OK(outbox_fill(outbox, NOTICE, people, 4, &error));
            break;
        case 1:
            assert_int_equal(offer(outbox, now_ns, turns, 3), 3);
            break;
        case 2:
            OK(outbox_begin(outbox, NOTICE, 900, rendered, now_ns, &error));
            break;
        case 3:
            OK(outbox_settle(outbox, NOTICE, 900, OUTBOX_ACCEPTED, "", now_ns, 0, &error));
            break;
        case 4:
            OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
            break;
        case 5:
            OK(outbox_settle(outbox, NOTICE, 3, OUTBOX_REFUSED, "", now_ns, 0, &error));
            break;
        default:
            OK(outbox_return(outbox, NOTICE, 7, &error));
            break;
        }
    }
    kill(getpid(), SIGKILL);
}

static void killed_between_any_two_calls(void **state)
{
    static const enum outbox_state after[][3] = {
        /* 900, 3, 7 */
        {0, 0, 0},
        {OUTBOX_READY, OUTBOX_READY, OUTBOX_READY},
        {OUTBOX_READY, OUTBOX_READY, OUTBOX_READY},
        {OUTBOX_IN_DOUBT, OUTBOX_READY, OUTBOX_READY},
        {OUTBOX_ACCEPTED, OUTBOX_READY, OUTBOX_READY},
        {OUTBOX_ACCEPTED, OUTBOX_IN_DOUBT, OUTBOX_READY},
        {OUTBOX_ACCEPTED, OUTBOX_REFUSED, OUTBOX_READY},
        {OUTBOX_ACCEPTED, OUTBOX_REFUSED, OUTBOX_READY},
    };
    for (int steps = 0; steps < (int)(sizeof after / sizeof after[0]); steps++) {
        fresh(NULL);
        pid_t child = fork();
        if (child == 0)
            run_steps(steps);
        int how = 0;
        waitpid(child, &how, 0);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        struct outbox *outbox = open_outbox(true);
        assert_int_equal(all(outbox).count, steps == 0 ? 0 : 4);
        expect(outbox, 900, after[steps][0]);
        expect(outbox, 3, after[steps][1]);
        expect(outbox, 7, after[steps][2]);
        expect(outbox, 5, OUTBOX_READY);
        outbox_close(outbox);
    }
}

static void edit(const char *sql)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* The machine went down: what was offered may have gone, whatever the file says. */
static void what_was_offered_before_another_boot_is_in_doubt(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    assert_int_equal(offer(outbox, now_ns, turns, 2), 2);
    outbox_close(outbox);
    edit("UPDATE message SET boot = 'another' WHERE state = 1");
    outbox = open_outbox(false);
    expect(outbox, 900, OUTBOX_OFFERED);
    outbox_close(outbox);
    outbox = open_outbox(true);
    expect(outbox, 900, OUTBOX_IN_DOUBT);
    expect(outbox, 3, OUTBOX_IN_DOUBT);
    expect(outbox, 7, OUTBOX_READY);
    OK(outbox_take_report(outbox, turns[0].envelope_id, "relayed", "2.0.0", now_ns, &error));
    expect(outbox, 900, OUTBOX_ACCEPTED);
    outbox_close(outbox);
}

static void delivery_notices(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 4);
    for (size_t i = 0; i < 4; i++)
        OK(outbox_begin(outbox, NOTICE, turns[i].person.id, rendered, now_ns, &error));
    OK(outbox_settle(outbox, NOTICE, 900, OUTBOX_ACCEPTED, "", now_ns, 0, &error));
    OK(outbox_take_report(outbox, turns[0].envelope_id, "relayed", "2.0.0", now_ns, &error));
    expect(outbox, 900, OUTBOX_ACCEPTED);
    OK(outbox_take_report(outbox, turns[0].envelope_id, "failed", "5.1.1", now_ns, &error));
    expect(outbox, 900, OUTBOX_BOUNCED);
    OK(outbox_settle(outbox, NOTICE, 3, OUTBOX_IN_DOUBT, "", now_ns, 0, &error));
    OK(outbox_take_report(outbox, turns[1].envelope_id, "delayed", "4.0.0", now_ns, &error));
    expect(outbox, 3, OUTBOX_ACCEPTED);
    /* quicker than the answer */
    OK(outbox_take_report(outbox, turns[2].envelope_id, "failed", "5.0.0", now_ns, &error));
    expect(outbox, 7, OUTBOX_BEGUN);
    OK(outbox_settle(outbox, NOTICE, 7, OUTBOX_ACCEPTED, "", now_ns, 0, &error));
    expect(outbox, 7, OUTBOX_BOUNCED);
    OK(outbox_take_report(outbox, turns[3].envelope_id, "relayed", "2.0.0", now_ns, &error));
    OK(outbox_settle(outbox, NOTICE, 5, OUTBOX_IN_DOUBT, "", now_ns, 0, &error));
    expect(outbox, 5, OUTBOX_ACCEPTED);
    assert_int_equal(outbox_take_report(outbox, "stranger", "failed", "5.0.0", now_ns, &error),
                     STATUS_NOT_FOUND);
    assert_string_equal(all(outbox).reports[3], "failed 5.1.1");
    outbox_close(outbox);
}

static void doubt_is_resolved_by_those_who_decide(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM], again[ROOM];
    uint64_t count = 0;
    assert_int_equal(offer(outbox, now_ns, turns, 2), 2);
    for (size_t i = 0; i < 2; i++) {
        OK(outbox_begin(outbox, NOTICE, turns[i].person.id, rendered, now_ns, &error));
        OK(outbox_settle(outbox, NOTICE, turns[i].person.id, OUTBOX_IN_DOUBT, "", now_ns, 0,
                         &error));
    }
    OK(outbox_resolve_doubt(outbox, NOTICE, OUTBOX_READY, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(offer(outbox, now_ns + 2, again, 1), 1);
    assert_int_equal(again[0].person.id, 900);
    assert_int_equal(again[0].attempts, 2);
    assert_string_not_equal(again[0].envelope_id, turns[0].envelope_id);
    /* A late notice about the first attempt says nothing of the second, and is ours. */
    OK(outbox_take_report(outbox, turns[0].envelope_id, "failed", "5.1.1", now_ns, &error));
    OK(outbox_begin(outbox, NOTICE, 900, rendered, now_ns, &error));
    OK(outbox_settle(outbox, NOTICE, 900, OUTBOX_ACCEPTED, "", now_ns, 0, &error));
    expect(outbox, 900, OUTBOX_ACCEPTED);
    outbox_close(outbox);
}

/* Two attempts of which the first, in doubt, was to be sent again: it is proved while it waits. */
static void proof_of_an_attempt_keeps_the_next_one_back(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM], again[ROOM];
    uint64_t count = 0;
    assert_int_equal(offer(outbox, now_ns, turns, ROOM), 4);
    for (size_t i = 0; i < 4; i++) {
        OK(outbox_begin(outbox, NOTICE, turns[i].person.id, rendered, now_ns, &error));
        OK(outbox_settle(outbox, NOTICE, turns[i].person.id,
                         i == 3 ? OUTBOX_DEFERRED : OUTBOX_IN_DOUBT, "", now_ns, now_ns, &error));
    }
    OK(outbox_resolve_doubt(outbox, NOTICE, OUTBOX_READY, &count, &error));
    assert_int_equal(count, 3);
    OK(outbox_take_report(outbox, turns[0].envelope_id, "relayed", "2.0.0", now_ns, &error));
    expect(outbox, 900, OUTBOX_ACCEPTED);
    OK(outbox_take_report(outbox, turns[1].envelope_id, "failed", "5.1.1", now_ns, &error));
    expect(outbox, 3, OUTBOX_BOUNCED);
    OK(outbox_take_report(outbox, turns[3].envelope_id, "delayed", "4.0.0", now_ns, &error));
    expect(outbox, 5, OUTBOX_ACCEPTED);
    /* offered and given back in between: the proof names an attempt that is not the last */
    assert_int_equal(offer(outbox, now_ns, again, ROOM), 1);
    OK(outbox_return(outbox, NOTICE, 7, &error));
    OK(outbox_take_report(outbox, turns[2].envelope_id, "delivered", "2.0.0", now_ns, &error));
    expect(outbox, 7, OUTBOX_ACCEPTED);
    assert_int_equal(offer(outbox, now_ns + second_ns, again, ROOM), 0);
    OK(outbox_take_report(outbox, turns[2].envelope_id, "failed", "5.0.0", now_ns, &error));
    expect(outbox, 7, OUTBOX_BOUNCED);
    outbox_close(outbox);
}

/* Everybody's first attempt was put off, the second one is offered, and then a notice tells of the
 * first. */
static struct outbox *open_proved_while_offered(struct outbox_turn *first, const char *action)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn again[ROOM];
    assert_int_equal(offer(outbox, now_ns, first, ROOM), 4);
    for (size_t i = 0; i < 4; i++) {
        OK(outbox_begin(outbox, NOTICE, first[i].person.id, rendered, now_ns, &error));
        OK(outbox_settle(outbox, NOTICE, first[i].person.id, OUTBOX_DEFERRED, "", now_ns, now_ns,
                         &error));
    }
    assert_int_equal(offer(outbox, now_ns, again, ROOM), 4);
    OK(outbox_take_report(outbox, first[0].envelope_id, action, "2.0.0", now_ns, &error));
    expect(outbox, 900, OUTBOX_OFFERED);
    return outbox;
}

static void proof_while_offered_again_holds_on_return(void **state)
{
    struct error error = {0};
    struct outbox_turn first[ROOM], again[ROOM];
    struct outbox *outbox = open_proved_while_offered(first, "delayed");
    OK(outbox_return(outbox, NOTICE, 900, &error));
    expect(outbox, 900, OUTBOX_ACCEPTED);
    assert_int_equal(all(outbox).proofs[3].attempts, 1);
    assert_int_equal(all(outbox).proofs[3].settled_ns, now_ns);
    OK(outbox_return(outbox, NOTICE, 3, &error));
    expect(outbox, 3, OUTBOX_READY);
    assert_int_equal(offer(outbox, now_ns + second_ns, again, ROOM), 1);
    assert_int_equal(again[0].person.id, 3);
    /* what was only late, and fails in the end, is a letter still */
    OK(outbox_take_report(outbox, first[0].envelope_id, "failed", "5.4.7", now_ns, &error));
    expect(outbox, 900, OUTBOX_BOUNCED);
    outbox_close(outbox);
}

static void proof_while_offered_again_holds_at_begin(void **state)
{
    struct error error = {0};
    struct outbox_turn first[ROOM];
    struct outbox *outbox = open_proved_while_offered(first, "relayed");
    assert_int_equal(outbox_begin(outbox, NOTICE, 900, rendered, now_ns, &error), STATUS_CLOSED);
    expect(outbox, 900, OUTBOX_OFFERED);
    OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
    OK(outbox_take_report(outbox, first[0].envelope_id, "failed", "5.0.0", now_ns, &error));
    assert_int_equal(outbox_begin(outbox, NOTICE, 900, rendered, now_ns, &error), STATUS_CLOSED);
    OK(outbox_return(outbox, NOTICE, 900, &error));
    expect(outbox, 900, OUTBOX_BOUNCED);
    outbox_close(outbox);
}

static void proof_while_offered_again_holds_for_the_next_sender(void **state)
{
    struct error error = {0};
    struct outbox_turn first[ROOM];
    struct outbox *outbox = open_proved_while_offered(first, "delivered");
    OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
    OK(outbox_take_report(outbox, first[1].envelope_id, "expanded", "2.0.0", now_ns, &error));
    OK(outbox_begin(outbox, NOTICE, 7, rendered, now_ns, &error));
    outbox_close(outbox);
    outbox = open_outbox(true);
    expect(outbox, 900, OUTBOX_ACCEPTED);
    expect(outbox, 3, OUTBOX_ACCEPTED);
    expect(outbox, 7, OUTBOX_IN_DOUBT);
    expect(outbox, 5, OUTBOX_READY);
    outbox_close(outbox);
}

static void proof_while_begun_again_holds_when_it_ends(void **state)
{
    static const enum outbox_state ends[] = {OUTBOX_DEFERRED, OUTBOX_IN_DOUBT, OUTBOX_LETTER};
    struct error error = {0};
    struct outbox_turn first[ROOM];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        fresh(NULL);
        struct outbox *outbox = open_proved_while_offered(first, "relayed");
        OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
        OK(outbox_begin(outbox, NOTICE, 7, rendered, now_ns, &error));
        OK(outbox_take_report(outbox, first[1].envelope_id, "delayed", "4.0.0", now_ns, &error));
        expect(outbox, 3, OUTBOX_BEGUN);
        OK(outbox_settle(outbox, NOTICE, 900, ends[i], "", now_ns, now_ns, &error));
        OK(outbox_settle(outbox, NOTICE, 3, ends[i], "", now_ns, now_ns, &error));
        OK(outbox_settle(outbox, NOTICE, 7, ends[i], "", now_ns, now_ns, &error));
        expect(outbox, 900, OUTBOX_ACCEPTED);
        expect(outbox, 3, OUTBOX_ACCEPTED);
        expect(outbox, 7, ends[i]);
        OK(outbox_take_report(outbox, first[1].envelope_id, "failed", "5.4.7", now_ns, &error));
        expect(outbox, 3, OUTBOX_BOUNCED);
        outbox_close(outbox);
    }
}

static uint64_t expire(struct outbox *outbox, int64_t wait_ns, int64_t at_ns)
{
    struct error error = {0};
    uint64_t count = 99;
    OK(outbox_expire_doubt(outbox, NOTICE, wait_ns, at_ns, &count, &error));
    return count;
}

/* The clock of the day may be set; the server may change to one that promises something. */
static void doubt_expires_after_real_time_and_under_a_promise_only(void **state)
{
    struct error error = {0};
    struct outbox *outbox = open_filled();
    struct outbox_turn turns[ROOM];
    struct outbox_counts counts;
    assert_int_equal(offer(outbox, now_ns, turns, 2), 2);
    OK(outbox_begin(outbox, NOTICE, 900, rendered, now_ns, &error));
    OK(outbox_set_dsn(outbox, true, &error));
    OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
    for (size_t i = 0; i < 2; i++)
        OK(outbox_settle(outbox, NOTICE, turns[i].person.id, OUTBOX_IN_DOUBT, "", now_ns, 0,
                         &error));
    OK(outbox_count(outbox, NOTICE, &counts, &error));
    assert_int_equal(counts.promised, 1);
    assert_int_equal(expire(outbox, 3600 * second_ns, now_ns + 86400 * second_ns), 0);
    edit("UPDATE message SET offered_up_ns = offered_up_ns - 3600 * 1000000000");
    assert_int_equal(expire(outbox, 3600 * second_ns, now_ns - 86400 * second_ns), 1);
    expect(outbox, 3, OUTBOX_READY);
    expect(outbox, 900, OUTBOX_IN_DOUBT);
    /* the wait is from the begin, however long after the offer that was */
    assert_int_equal(offer(outbox, now_ns, turns, 1), 1);
    edit("UPDATE message SET offered_up_ns = offered_up_ns - 3600 * 1000000000 WHERE id = 3");
    OK(outbox_begin(outbox, NOTICE, 3, rendered, now_ns, &error));
    OK(outbox_settle(outbox, NOTICE, 3, OUTBOX_IN_DOUBT, "", now_ns, 0, &error));
    assert_int_equal(expire(outbox, 3600 * second_ns, now_ns), 0);
    /* begun before the machine started again */
    edit("UPDATE message SET promised = 1, boot = 'another' WHERE id = 900");
    assert_int_equal(expire(outbox, 3600 * second_ns, now_ns + 3599 * second_ns), 0);
    assert_int_equal(expire(outbox, 3600 * second_ns, now_ns + 3600 * second_ns), 1);
    outbox_close(outbox);
}

static void one_sender_at_a_time_and_pausing(void **state)
{
    struct error error = {0};
    struct outbox *sender = open_filled(), *second = NULL, *reader = open_outbox(false);
    assert_int_equal(outbox_open(path, true, &second, &error), STATUS_DENIED);
    assert_string_equal(error.sqlstate, "55006");
    bool paused = true;
    OK(outbox_paused(sender, &paused, &error));
    assert_false(paused);
    OK(outbox_set_paused(reader, true, &error));
    OK(outbox_paused(sender, &paused, &error));
    assert_true(paused);
    outbox_close(sender);
    OK(outbox_open(path, true, &second, &error));
    OK(outbox_paused(second, &paused, &error));
    assert_true(paused);
    outbox_close(second);
    outbox_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(offers_in_order_of_tier_and_once, fresh),
        cmocka_unit_test_setup(answers_are_kept, fresh),
        cmocka_unit_test_setup(steps_out_of_turn_are_refused, fresh),
        cmocka_unit_test_setup(killed_between_any_two_calls, fresh),
        cmocka_unit_test_setup(what_was_offered_before_another_boot_is_in_doubt, fresh),
        cmocka_unit_test_setup(delivery_notices, fresh),
        cmocka_unit_test_setup(doubt_is_resolved_by_those_who_decide, fresh),
        cmocka_unit_test_setup(proof_of_an_attempt_keeps_the_next_one_back, fresh),
        cmocka_unit_test_setup(proof_while_offered_again_holds_on_return, fresh),
        cmocka_unit_test_setup(proof_while_offered_again_holds_at_begin, fresh),
        cmocka_unit_test_setup(proof_while_offered_again_holds_for_the_next_sender, fresh),
        cmocka_unit_test_setup(proof_while_begun_again_holds_when_it_ends, fresh),
        cmocka_unit_test_setup(doubt_expires_after_real_time_and_under_a_promise_only, fresh),
        cmocka_unit_test_setup(one_sender_at_a_time_and_pausing, fresh),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
