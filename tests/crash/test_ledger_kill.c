/* kill -9 of a process that appends as fast as it can, at random instants: all that it had said to
 * be durable is in the log afterwards, in order, and the log goes on; where checkpoints are signed,
 * who has the key finds it whole after each stop, however many starts were cut off before.
 * Usage: test_ledger_kill [rounds [seed]]. */
#include "../unit/ledger/folder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ledger/verify.h"

enum { LONGEST_LIFE_US = 40000, VERIFY_EACH = 5, SIGNED_SHARE = 4 };

static long rounds = 100, seed;

/* Entry n says "n"; after each group the durable sequence goes into the pipe. */
_Noreturn static void child(const struct ledger_options *options, int pipe_fd)
{
    char text[32];
    struct error error = {0};
    uint64_t sequence = 0;
    struct ledger *ledger = open_ok(options);
    for (unsigned n = 0;; n++) {
        snprintf(text, sizeof text, "entry %u", n);
        struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
        if (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
            usleep(100);
        if (n % 16 == 0)
            ledger_wait(ledger, sequence);
        uint64_t durable = ledger_durable(ledger);
        if (write(pipe_fd, &durable, sizeof durable) != (ssize_t)sizeof durable)
            _exit(1);
    }
}

static enum status count(void *context, uint64_t sequence, const struct ledger_entry *entry,
                         struct slice side, uint64_t segment, struct error *error)
{
    uint64_t *seen = context;
    assert_int_equal(sequence, *seen);
    (*seen)++;
    return STATUS_OK;
}

static uint64_t run_and_kill(const struct ledger_options *options, useconds_t life_us)
{
    int pipes[2], result;
    uint64_t durable = 0, last = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        child(options, pipes[1]);
    }
    close(pipes[1]);
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += (long)life_us * 1000;
    do { /* the pipe is emptied meanwhile, or the child would stand still */
        if (read(pipes[0], &last, sizeof last) == (ssize_t)sizeof last)
            durable = last;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - end.tv_sec) * 1000000000L + now.tv_nsec - end.tv_nsec < 0);
    kill(pid, SIGKILL);
    while (read(pipes[0], &last, sizeof last) == (ssize_t)sizeof last)
        durable = last;
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
    return durable;
}

static void assert_signed(const struct test_folder *folder, const struct note_key *key)
{
    struct verify_report report;
    struct verify_damage damage;
    struct error error = {0};
    const struct verify_options options = {.folder = folder->path, .threads = 1, .key = key};
    if (ledger_verify(&options, &report, &damage, &error) != STATUS_OK)
        fail_msg("ledger_verify: %s", error.message);
    assert_int_equal(report.signed_size, report.entries);
}

/* The key in force at first. */
static void note_first_key(struct ledger *ledger, struct note_key *key)
{
    static struct key_chain chain;
    ledger_keys(ledger, &chain);
    assert_int_equal(chain.count, 1);
    *key = chain.links[0].key;
}

static void survive(long kills, const char *key_path)
{
    struct test_folder folder;
    struct note_key key;
    uint64_t seen = 0, most = 0;
    folder_make(&folder);
    struct ledger_options options = test_options(&folder);
    options.signing_key = key_path;
    options.segment_bytes = 1 << 20;
    srand48(seed);
    for (long round = 0; round < kills; round++) {
        uint64_t durable = run_and_kill(&options, (useconds_t)(lrand48() % LONGEST_LIFE_US));
        struct ledger_options reading = options;
        seen = 0;
        reading.replay = count;
        reading.replay_context = &seen;
        struct ledger *ledger = open_ok(&reading);
        if (key_path != NULL)
            note_first_key(ledger, &key);
        ledger_close(ledger);
        if (key_path != NULL && round % VERIFY_EACH == 0)
            assert_signed(&folder, &key);
        if (seen < durable)
            fail_msg("round %ld: %d entries, but %d were durable", round, (int)seen, (int)durable);
        most = durable > most ? durable : most;
    }
    print_message("RESULT kills=%ld entries=%d durable=%d signed=%d seed=%ld\n", kills, (int)seen,
                  (int)most, key_path != NULL, seed);
    assert_true(most > (uint64_t)kills);
    folder_remove(&folder);
}

static void acknowledged_entries_survive_a_kill(void **state)
{
    survive(rounds, NULL);
}

static void a_signed_log_survives_a_kill(void **state)
{
    char path[] = "/tmp/cofferdam-kill-key-XXXXXX";
    assert_non_null(mkdtemp(path));
    char key[sizeof path + 4], next[sizeof key + 5];
    snprintf(key, sizeof key, "%s/key", path);
    snprintf(next, sizeof next, "%s.next", key);
    survive((rounds + SIGNED_SHARE - 1) / SIGNED_SHARE, key);
    unlink(key);
    unlink(next);
    rmdir(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(acknowledged_entries_survive_a_kill),
                                       cmocka_unit_test(a_signed_log_survives_a_kill)};
    rounds = argc > 1 ? strtol(argv[1], NULL, 10) : rounds;
    seed = argc > 2 ? strtol(argv[2], NULL, 10) : (long)time(NULL);
    print_message("seed %ld\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
