/* Verifiers from files; whoever has none gets a mock of the kind that real ones have, the same one
 * every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "folder.h"
#include "identity/credential.h"
#include "identity/roster.h"

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

static void write_to(const char *file, const char *content, size_t len, unsigned mode)
{
    struct error error;
    assert_int_equal(file_replace(file, slice_of(content, len), mode, &error), STATUS_OK);
}

static void write_file(const char *content, size_t len, unsigned mode)
{
    write_to(path, content, len, mode);
}

/* A roster of one partner with these agents. */
static struct roster *open_roster(const struct policy_agent *agents, size_t count,
                                  const char *secret)
{
    static struct policy_partner partner;
    static struct policy policy;
    struct roster *roster;
    struct error error;
    partner = (struct policy_partner){.name = "clinic", .agents = agents, .agent_count = count};
    policy = (struct policy){.partners = &partner, .partner_count = 1};
    assert_int_equal(roster_open(&policy, slice_of_text(secret), &roster, &error), STATUS_OK);
    return roster;
}

/* True if the agent's own verifier was read, false if a mock came back. */
static bool is_real(void)
{
    struct policy_agent agent = {.login = "clinic.app", .scram_file = path};
    struct scram_verifier expected, mock;
    struct roster_found found;
    struct error error;
    uint8_t secret[32];
    struct slice text = slice_of_text("secret");
    struct roster *roster = open_roster(&agent, 1, "secret");
    assert_int_equal(scram_verifier_parse(VERIFIER, &expected, &error), STATUS_OK);
    roster_find(roster, "clinic.app", &found);
    roster_close(roster);
    assert_true(found.known);
    assert_ptr_equal(found.agent, &agent);
    if (memcmp(found.verifier.stored_key, expected.stored_key, 32) == 0)
        return true;
    crypto_sha256(&text, 1, secret);
    scram_verifier_mock(slice_of(secret, 32), "clinic.app", 4096, 16, &mock);
    assert_memory_equal(found.verifier.salt, mock.salt, 16);
    assert_memory_equal(found.verifier.stored_key, mock.stored_key, 32);
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
    struct roster_found first, again, other;
    struct policy_agent without = {.login = "clinic.app"};
    struct roster *roster = open_roster(&without, 1, "secret");
    roster_find(roster, "nobody", &first);
    roster_find(roster, "somebody", &other);
    roster_close(roster);
    roster = open_roster(&without, 0, "secret");
    roster_find(roster, "nobody", &again);
    roster_close(roster);
    assert_false(first.known);
    assert_null(first.agent);
    assert_int_equal(first.verifier.iterations, SCRAM_DEFAULT_ITERATIONS);
    assert_int_equal(first.verifier.salt_len, 16);
    assert_memory_equal(first.verifier.salt, again.verifier.salt, 16);
    assert_memory_not_equal(first.verifier.salt, other.verifier.salt, 16);
}

/* One that logs in by certificate is found, and is asked what a stranger is asked. */
static void a_name_without_a_password_is_found_and_gets_a_mock(void **state)
{
    struct roster_found found;
    struct policy_agent agents[] = {{.login = "clinic.cert", .certificate = "spiffe://clinic/cert"},
                                    {.login = "clinic.app", .scram_file = path}};
    write_file(VERIFIER, strlen(VERIFIER), 0600);
    struct roster *roster = open_roster(agents, 2, "secret");
    roster_find(roster, "clinic.cert", &found);
    assert_ptr_equal(found.agent, &agents[0]);
    assert_non_null(found.partner);
    assert_false(found.known);
    roster_find(roster, "clinic.app", &found);
    assert_ptr_equal(found.agent, &agents[1]);
    assert_true(found.known);
    roster_find(roster, "", &found);
    assert_null(found.agent);
    roster_close(roster);
}

/* What has changed is there at once: a new file under the name, and new bytes in the old one. */
static void files_are_read_again_when_they_change(void **state)
{
    struct policy_agent agent = {.login = "clinic.app", .scram_file = path};
    struct roster_found before, after;
    struct buffer text;
    struct scram_verifier made;
    struct roster *roster = open_roster(&agent, 1, "secret");
    roster_find(roster, "clinic.app", &before); /* there is none yet: a mock */
    buffer_init(&text, 1000);
    for (int round = 0; round < 6; round++) {
        struct timespec pause = {.tv_nsec = round < 3 ? 0 : 60000000};
        scram_verifier_make(slice_of_text("pencil"), 4096, &made);
        buffer_clear(&text);
        scram_verifier_print(&made, &text);
        if (round % 2 == 0) {
            write_file((const char *)text.data, text.len, 0600);
        } else {
            FILE *file = fopen(path, "r+");
            assert_non_null(file);
            assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
            fclose(file);
        }
        roster_find(roster, "clinic.app", &after);
        assert_memory_equal(after.verifier.stored_key, made.stored_key, 32);
        nanosleep(&pause, NULL); /* settled, or not yet */
        roster_find(roster, "clinic.app", &after);
        assert_memory_equal(after.verifier.stored_key, made.stored_key, 32);
    }
    assert_int_equal(unlink(path), 0);
    roster_find(roster, "clinic.app", &after);
    assert_memory_equal(after.verifier.stored_key, before.verifier.stored_key, 32);
    buffer_free(&text);
    roster_close(roster);
}

/* A salt that stays while agents' passwords change would tell that nobody has the name. */
static void a_strangers_salt_changes_as_its_neighbours(void **state)
{
    struct policy_agent agent = {.login = "clinic.app", .scram_file = path};
    struct roster_found first, again, later;
    struct buffer text;
    struct scram_verifier made;
    write_file(VERIFIER, strlen(VERIFIER), 0600);
    struct roster *roster = open_roster(&agent, 1, "secret");
    roster_find(roster, "nobody", &first);
    roster_close(roster);
    roster = open_roster(&agent, 1, "secret");
    roster_find(roster, "nobody", &again);
    assert_memory_equal(again.verifier.salt, first.verifier.salt, 16);
    buffer_init(&text, 1000);
    scram_verifier_make(slice_of_text("pencil"), 4096, &made);
    scram_verifier_print(&made, &text);
    write_file((const char *)text.data, text.len, 0600);
    roster_find(roster, "nobody", &later);
    assert_memory_not_equal(later.verifier.salt, first.verifier.salt, 16);
    assert_memory_not_equal(later.verifier.salt, made.salt, 16);
    assert_memory_not_equal(later.verifier.stored_key, made.stored_key, 32);
    buffer_free(&text);
    roster_close(roster);
}

static void put_password(const struct scram_verifier *verifier)
{
    struct buffer text;
    buffer_init(&text, 1000);
    scram_verifier_print(verifier, &text);
    write_file((const char *)text.data, text.len, 0600);
    buffer_free(&text);
}

/* Whoever has logged in is asked whether that password still is the agent's: all of it counts, and
 * no name is another's. */
static void a_password_is_known_until_it_is_changed_or_gone(void **state)
{
    struct policy_agent agents[] = {{.login = "clinic.app", .scram_file = path},
                                    {.login = "clinic.cert", .certificate = "urn:clinic"}};
    struct roster_found found, stranger;
    struct scram_verifier made, other;
    scram_verifier_make(slice_of_text("pencil"), 4096, &made);
    put_password(&made);
    struct roster *roster = open_roster(agents, 2, "secret");
    roster_find(roster, "clinic.app", &found);
    roster_find(roster, "nobody", &stranger);
    assert_int_equal(roster_password_now(roster, "clinic.app", found.password), ROSTER_SAME);
    assert_int_equal(roster_password_now(roster, "clinic.app", stranger.password), ROSTER_CHANGED);
    assert_int_equal(roster_password_now(roster, "clinic.cert", found.password), ROSTER_GONE);
    assert_int_equal(roster_password_now(roster, "nobody", stranger.password), ROSTER_GONE);
    other = made; /* the same salt, by whoever writes the file by hand */
    other.stored_key[31] ^= 1;
    put_password(&other);
    assert_int_equal(roster_password_now(roster, "clinic.app", found.password), ROSTER_CHANGED);
    put_password(&made);
    roster_close(roster);
    roster = open_roster(agents, 2, "secret"); /* as after a reload */
    assert_int_equal(roster_password_now(roster, "clinic.app", found.password), ROSTER_SAME);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(roster_password_now(roster, "clinic.app", found.password), ROSTER_GONE);
    roster_close(roster);
}

static void a_password_is_named_by_its_salt(void **state)
{
    struct credential first, again, other;
    credential_of_password(slice_of_text("salt"), &first);
    credential_of_password(slice_of_text("salt"), &again);
    credential_of_password(slice_of_text("tlas"), &other);
    assert_int_equal(first.kind, CREDENTIAL_PASSWORD);
    assert_true(credential_is_named(&first));
    /* printf 'cofferdam password\nsalt' | sha256sum */
    assert_string_equal(first.id, "950eb8547e5212fce1735e1bfc82b06d");
    assert_string_equal(first.id, again.id);
    assert_string_not_equal(first.id, other.id);
}

enum { MANY = 40, STRANGERS = 2000 };

/* Verifiers of two kinds, a quarter of them of the second. */
static void make_many(struct policy_agent agents[MANY], char names[MANY][32], char paths[MANY][400])
{
    for (size_t i = 0; i < MANY; i++) {
        struct scram_verifier verifier = {.iterations = i % 4 == 0 ? 9000 : 4096,
                                          .salt_len = i % 4 == 0 ? 24 : 16};
        struct buffer text;
        snprintf(names[i], 32, "clinic.a%zu", i);
        snprintf(paths[i], 400, "%s%zu", path, i);
        crypto_random(verifier.salt, verifier.salt_len);
        buffer_init(&text, 1000);
        scram_verifier_print(&verifier, &text);
        write_to(paths[i], (const char *)text.data, text.len, 0600);
        buffer_free(&text);
        agents[i] = (struct policy_agent){.login = names[i], .scram_file = paths[i]};
    }
}

static uint32_t kind_of(struct roster *roster, size_t stranger)
{
    char name[32];
    struct roster_found found;
    snprintf(name, sizeof name, "stranger.%zu", stranger);
    roster_find(roster, name, &found);
    assert_false(found.known);
    assert_int_equal(found.verifier.salt_len, found.verifier.iterations == 9000 ? 24 : 16);
    return found.verifier.iterations;
}

/* Strangers come in the kinds that there are; what a stranger is shown stays, for nearly all of
 * them also when an agent is added, and for all when the gateway starts anew. */
static void mixed_kinds_are_spread_over_strangers(void **state)
{
    static struct policy_agent agents[MANY];
    static char names[MANY][32], paths[MANY][400];
    uint32_t kinds[STRANGERS];
    size_t of_second = 0, changed = 0, otherwise = 0;
    make_many(agents, names, paths);
    struct roster *roster = open_roster(agents, MANY, "secret");
    for (size_t i = 0; i < STRANGERS; i++) {
        kinds[i] = kind_of(roster, i);
        of_second += kinds[i] == 9000;
    }
    roster_close(roster);
    /* The arcs of 10 of 40: a share of 0.25 on average; these bounds are 4 deviations off. */
    if (of_second < STRANGERS / 50 || of_second > STRANGERS * 3 / 5)
        fail_msg("%zu of %d strangers are of the second kind", of_second, STRANGERS);
    roster = open_roster(agents, MANY, "secret");
    for (size_t i = 0; i < STRANGERS; i++)
        assert_int_equal(kind_of(roster, i), kinds[i]);
    roster_close(roster);
    roster = open_roster(agents + 1, MANY - 1, "secret");
    for (size_t i = 0; i < STRANGERS; i++)
        changed += kind_of(roster, i) != kinds[i];
    roster_close(roster);
    if (changed > STRANGERS / 4)
        fail_msg("%zu of %d strangers changed with one agent", changed, STRANGERS);
    roster = open_roster(agents, MANY, "another secret");
    for (size_t i = 0; i < STRANGERS; i++)
        otherwise += kind_of(roster, i) != kinds[i];
    roster_close(roster);
    assert_true(otherwise > STRANGERS / 50); /* nobody without the secret knows who is where */
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(a_file_gives_its_verifier),
        case_of(everything_else_gives_a_mock),
        case_of(strangers_get_a_mock),
        case_of(a_name_without_a_password_is_found_and_gets_a_mock),
        case_of(files_are_read_again_when_they_change),
        case_of(a_strangers_salt_changes_as_its_neighbours),
        case_of(a_password_is_known_until_it_is_changed_or_gone),
        cmocka_unit_test(a_password_is_named_by_its_salt),
        case_of(mixed_kinds_are_spread_over_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
