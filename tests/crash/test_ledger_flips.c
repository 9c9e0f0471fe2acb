/* One flipped bit, at each byte of a small log: it opens with all that was acknowledged, unchanged,
 * or it does not open and names a file of the log. Never does it open with less.
 * Every byte in use is struck; of the zeros behind them, one in a thousand.
 * Usage: test_ledger_flips [stride [seed]]: every stride-th byte only. */
#include "../unit/ledger/folder.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 24, NAMES_MAX = 16, ZEROS_STRIDE = 1009 };

static size_t stride = 1;
static long seed;

static void text_of(uint64_t number, char *text, size_t room)
{
    snprintf(text, room, "entry %llu, as it was acknowledged", (unsigned long long)number);
}

static void make_log(struct test_folder *folder)
{
    char text[64];
    folder_make(folder);
    struct ledger_options options = test_options(folder);
    for (unsigned part = 0; part < 2; part++) { /* with the mark of a clean stop in between */
        struct ledger *ledger = open_ok(&options);
        for (uint64_t i = 0; i < ENTRIES / 2; i++) {
            text_of(ledger_durable(ledger), text, sizeof text);
            ledger_wait(ledger, append_text(ledger, text));
        }
        ledger_close(ledger);
    }
}

struct replayed {
    uint64_t same, seen;
};

static enum status compare(void *context, uint64_t sequence, const struct ledger_entry *entry,
                           struct slice side, uint64_t segment, struct error *error)
{
    struct replayed *replayed = context;
    char text[64];
    text_of(sequence, text, sizeof text);
    replayed->same += sequence < ENTRIES && slice_equal(entry->text, slice_of_text(text));
    replayed->seen++;
    return STATUS_OK;
}

struct outcome {
    uint64_t opened, refused;
};

static void open_struck(const struct test_folder *folder, const char *name, size_t at,
                        struct outcome *outcome)
{
    struct replayed replayed = {0};
    struct error error = {0};
    struct ledger *ledger = NULL;
    struct ledger_options options = test_options(folder);
    options.replay = compare;
    options.replay_context = &replayed;
    enum status status = ledger_open(&options, &ledger, &error);
    if (status != STATUS_OK) {
        if (strstr(error.message, folder->path) == NULL)
            fail_msg("%s, byte %zu: \"%s\" names no file", name, at, error.message);
        outcome->refused++;
        return;
    }
    ledger_close(ledger);
    if (replayed.same != ENTRIES)
        fail_msg("%s, byte %zu: the log opened with %d of %d entries as they were", name, at,
                 (int)replayed.same, ENTRIES);
    outcome->opened++;
}

static size_t used_bytes(struct slice bytes)
{
    size_t used = bytes.len;
    while (used > 0 && bytes.data[used - 1] == 0)
        used--;
    return used;
}

static void strike_file(const struct test_folder *folder, const char *name, struct outcome *outcome)
{
    struct buffer whole;
    buffer_init(&whole, 64 << 20);
    read_whole(folder_file(folder, name), &whole);
    size_t used = used_bytes(buffer_slice(&whole));
    for (size_t at = 0; at < whole.len; at += at < used ? stride : stride * ZEROS_STRIDE) {
        struct test_folder copy;
        uint8_t bit = (uint8_t)(1U << (lrand48() % 8));
        folder_make(&copy);
        folder_copy(folder, &copy);
        whole.data[at] ^= bit;
        write_whole(folder_file(&copy, name), buffer_slice(&whole));
        whole.data[at] ^= bit;
        open_struck(&copy, name, at, outcome);
        folder_remove(&copy);
    }
    buffer_free(&whole);
}

static void a_flipped_bit_is_found_or_harmless(void **state)
{
    struct test_folder folder;
    struct outcome outcome = {0};
    make_log(&folder);
    DIR *files = opendir(folder.path);
    assert_non_null(files);
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        struct stat info;
        if (strstr(file->d_name, ".spare") == NULL &&
            stat(folder_file(&folder, file->d_name), &info) == 0 && S_ISREG(info.st_mode))
            strike_file(&folder, file->d_name, &outcome);
    }
    closedir(files);
    print_message("RESULT flips=%d opened=%d refused=%d stride=%zu seed=%ld\n",
                  (int)(outcome.opened + outcome.refused), (int)outcome.opened,
                  (int)outcome.refused, stride, seed);
    assert_true(outcome.refused > 0 && outcome.opened > 0);
    folder_remove(&folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_flipped_bit_is_found_or_harmless)};
    stride = argc > 1 ? strtoul(argv[1], NULL, 10) : stride;
    seed = argc > 2 ? strtol(argv[2], NULL, 10) : (long)time(NULL);
    print_message("seed %ld\n", seed);
    srand48(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
