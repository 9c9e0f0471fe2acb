/* Of each authority the newest list that was seen, over restarts, until staff accept another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "registry/crls.h"

static struct crl_seen list(uint8_t authority, uint8_t number)
{
    struct crl_seen seen = {.this_update_ns = 1790000000LL * 1000000000 + number,
                            .seen_ns = 1790000001LL * 1000000000};
    memset(seen.authority, authority, sizeof seen.authority);
    memset(seen.sha256, 0xAB, sizeof seen.sha256);
    seen.number[CRLS_NUMBER_BYTES - 1] = number;
    snprintf(seen.issuer, sizeof seen.issuer, "/CN=authority %u", authority);
    return seen;
}

/* 0: none was seen. */
static unsigned number_of(struct registry *registry, uint8_t authority)
{
    struct crl_seen wanted = list(authority, 0), found;
    if (!crls_find(registry, wanted.authority, &found))
        return 0;
    wanted = list(authority, found.number[CRLS_NUMBER_BYTES - 1]);
    assert_memory_equal(found.authority, wanted.authority, sizeof found.authority);
    assert_memory_equal(found.number, wanted.number, sizeof found.number);
    assert_memory_equal(found.sha256, wanted.sha256, sizeof found.sha256);
    assert_int_equal(found.this_update_ns, wanted.this_update_ns);
    assert_int_equal(found.seen_ns, wanted.seen_ns);
    assert_string_equal(found.issuer, wanted.issuer);
    return found.number[CRLS_NUMBER_BYTES - 1];
}

static enum status note(struct registry *registry, uint8_t authority, uint8_t number)
{
    struct crl_seen seen = list(authority, number);
    struct error error = {0};
    return crls_note(registry, &seen, &error);
}

static enum status forget(struct registry *registry, uint8_t authority)
{
    struct crl_seen seen = list(authority, 0);
    struct error error = {0};
    return crls_forget(registry, seen.authority, &error);
}

static void what_was_seen_outlives_a_restart(void **state)
{
    struct registry *registry = fixture_open();
    assert_int_equal(number_of(registry, 1), 0);
    assert_int_equal(note(registry, 1, 4), STATUS_OK);
    assert_int_equal(note(registry, 2, 9), STATUS_OK);
    assert_int_equal(note(registry, 1, 5), STATUS_OK);
    assert_int_equal(number_of(registry, 1), 5);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(number_of(registry, 1), 5);
    assert_int_equal(number_of(registry, 2), 9);
    assert_int_equal(forget(registry, 1), STATUS_OK);
    assert_int_equal(forget(registry, 1), STATUS_NOT_FOUND);
    assert_int_equal(number_of(registry, 1), 0);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(number_of(registry, 1), 0);
    assert_int_equal(number_of(registry, 2), 9);
    registry_close(registry);
}

/* What refuses is in force although the disk fails, and stored later; what gives is not. */
static void the_disk_fails(void **state)
{
    struct registry *registry = fixture_open();
    struct error error = {0};
    assert_int_equal(note(registry, 1, 4), STATUS_OK);
    fixture_interfere("ALTER TABLE crl_seen RENAME TO gone");
    assert_int_not_equal(note(registry, 1, 5), STATUS_OK);
    assert_int_not_equal(forget(registry, 1), STATUS_OK);
    assert_int_equal(number_of(registry, 1), 5);
    assert_int_not_equal(crls_settle(registry, &error), STATUS_OK);
    fixture_interfere("ALTER TABLE gone RENAME TO crl_seen");
    assert_int_equal(crls_settle(registry, &error), STATUS_OK);
    registry_close(registry);
    registry = fixture_open();
    assert_int_equal(number_of(registry, 1), 5);
    registry_close(registry);
}

static void damage_is_not_passed_over(void **state)
{
    struct registry *registry = fixture_open();
    struct error error = {0};
    assert_int_equal(note(registry, 1, 4), STATUS_OK);
    registry_close(registry);
    fixture_interfere("UPDATE crl_seen SET number = '04'");
    assert_int_equal(registry_open(fixture_path, &registry, &error), STATUS_CORRUPT);
}

#define case_of(name) cmocka_unit_test_setup(name, fixture_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(what_was_seen_outlives_a_restart),
        case_of(the_disk_fails),
        case_of(damage_is_not_passed_over),
    };
    return cmocka_run_group_tests(tests, fixture_make_folder, fixture_remove_folder);
}
