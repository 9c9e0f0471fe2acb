/* Tickets: taken once, by the user who opened the delivery, and not for long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "gateway/deliveries.h"

static char folder[] = "/tmp/cofferdam-desk-XXXXXX";
static struct deliveries_desk *desk;

static int open_desk(void **state)
{
    (void)state;
    struct error error;
    return mkdtemp(folder) == NULL || deliveries_desk_open(folder, &desk, &error) != STATUS_OK;
}

static int close_desk(void **state)
{
    (void)state;
    static const char *const files[] = {"", "-wal", "-shm"};
    char path[sizeof folder + 32];
    deliveries_desk_close(desk);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/deliveries.sqlite%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static enum status expect(int number, int64_t seconds_ago)
{
    struct error error;
    struct deliveries_ticket ticket = {.login = "acme.cert", .purpose = "p", .by = "uid 7"};
    snprintf(ticket.id, sizeof ticket.id, "D-%d", number);
    ticket.opened_ns = clock_now_ns() - seconds_ago * 1000000000;
    return deliveries_expect(desk, &ticket, &error);
}

static bool claim(const char *id, uid_t uid)
{
    struct deliveries_ticket ticket = {.id = ""};
    snprintf(ticket.id, sizeof ticket.id, "%s", id);
    bool claimed = deliveries_claim(desk, uid, &ticket);
    assert_string_equal(ticket.login, claimed ? "acme.cert" : "");
    return claimed;
}

static void is_taken_once(void **state)
{
    (void)state;
    assert_int_equal(expect(1, 0), STATUS_OK);
    assert_false(claim("D-1", 8)); /* another user's */
    assert_false(claim("", 7));
    assert_true(claim("D-1", 7));
    assert_false(claim("D-1", 7));
    assert_int_equal(expect(2, 0), STATUS_OK);
    deliveries_forget(desk, "D-2");
    assert_false(claim("D-2", 7));
}

static void does_not_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(expect(1, 1000), STATUS_OK);
    assert_false(claim("D-1", 7));
    int waiting = 0;
    while (waiting < 1000 && expect(waiting, 299) == STATUS_OK)
        waiting++;
    assert_in_range(waiting, 10, 999);
    for (int i = 0; i < waiting; i++) {
        char id[16];
        snprintf(id, sizeof id, "D-%d", i);
        deliveries_forget(desk, id);
    }
    for (int i = 0; i < 3 * waiting; i++) /* of command lines that were killed */
        assert_int_equal(expect(i, 301), STATUS_OK);
    assert_int_equal(expect(5000, 0), STATUS_OK);
    assert_true(claim("D-5000", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_taken_once),
        cmocka_unit_test(does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, open_desk, close_desk);
}
