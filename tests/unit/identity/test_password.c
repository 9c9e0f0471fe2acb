/* Verifiers from files; whoever has none gets a mock, the same one every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "folder.h"
#include "identity/identity.h"

#define VERIFIER                                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static struct folder folder;
static char path[300];

static int setup(void **state)
{
    folder_make(&folder);
    snprintf(path, sizeof path, "%s", folder_path(&folder, "verifier"));
    return 0;
}

static int teardown(void **state)
{
    folder_remove(&folder);
    return 0;
}

static void write_file(const char *content, size_t len, unsigned mode)
{
    struct error error;
    assert_int_equal(file_replace(path, slice_of(content, len), mode, &error), STATUS_OK);
}

/* True if the agent's own verifier was read, false if a mock came back. */
static bool is_real(void)
{
    struct policy_agent agent = {.login = "clinic.app", .scram_file = path};
    struct scram_verifier verifier, expected, mock;
    struct error error;
    struct slice secret = slice_of_text("secret");
    assert_int_equal(scram_verifier_parse(VERIFIER, &expected, &error), STATUS_OK);
    identity_scram_verifier(&agent, "clinic.app", secret, &verifier);
    scram_verifier_mock(secret, "clinic.app", &mock);
    if (memcmp(verifier.stored_key, expected.stored_key, 32) == 0)
        return true;
    assert_memory_equal(verifier.salt, mock.salt, 16);
    assert_memory_equal(verifier.stored_key, mock.stored_key, 32);
    return false;
}

static void a_file_gives_its_verifier(void **state)
{
    write_file(VERIFIER, strlen(VERIFIER), 0600);
    assert_true(is_real());
    write_file(VERIFIER "\n", strlen(VERIFIER) + 1, 0400);
    assert_true(is_real());
}

static void everything_else_gives_a_mock(void **state)
{
    static char large[2000];
    assert_false(is_real()); /* no file */
    write_file("", 0, 0600);
    assert_false(is_real());
    write_file("pencil", 6, 0600);
    assert_false(is_real());
    write_file(VERIFIER "\0x", strlen(VERIFIER) + 2, 0600);
    assert_false(is_real());
    write_file(VERIFIER, strlen(VERIFIER), 0640);
    assert_false(is_real());
    memset(large, 'x', sizeof large);
    memcpy(large, VERIFIER, strlen(VERIFIER));
    write_file(large, sizeof large, 0600);
    assert_false(is_real());
}

static void strangers_get_a_mock(void **state)
{
    struct scram_verifier first, again, other;
    struct policy_agent without = {.login = "clinic.app"};
    struct slice secret = slice_of_text("secret");
    identity_scram_verifier(NULL, "nobody", secret, &first);
    identity_scram_verifier(&without, "nobody", secret, &again);
    identity_scram_verifier(NULL, "somebody", secret, &other);
    assert_memory_equal(first.salt, again.salt, 16);
    assert_memory_not_equal(first.salt, other.salt, 16);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(a_file_gives_its_verifier),
        case_of(everything_else_gives_a_mock),
        case_of(strangers_get_a_mock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
