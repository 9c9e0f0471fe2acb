/* Power cuts at every write boundary, on a simulated disk (after SQLite's test6.c).
 * A child appends to a signed, published ledger whose pwrite, fsync, fdatasync, rename and unlink
 * are this file's: writes go through, but what they replaced is kept until a sync. At a chosen call
 * the power fails: each 512-byte sector not yet synced is kept, lost or garbled, names not yet
 * synced are as they were, and the child is gone. The parent is the witness: it has seen what was
 * acknowledged and what was signed. It opens a copy: everything acknowledged must be there,
 * unchanged, and the log must go on from each checkpoint seen, by the key known from the start.
 * The next child, recovery included, goes on from the same wreck; some change the key.
 * Usage: test_ledger_power [rounds [seed]]. */
#include "../unit/ledger/folder.h"

#include <errno.h>
#include <libgen.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ledger/verify.h"

enum { SECTOR = 512, PENDING_MAX = 20000, NAMES_MAX = 4096, ACKNOWLEDGED_MAX = 200000 };
enum { ENTRIES_A_ROUND = 60, CALLS_A_ROUND = 400, PUBLISH_MS = 1 };
enum { CHECKPOINT_EACH = 11, ROTATE_EACH = 8, VERIFY_EACH = 5, CLAIMS = 64 };

/* ---- the disk ---- */

struct pending_write {
    int fd; /* a duplicate */
    ino_t inode;
    off_t offset;
    size_t len, old_len; /* old_len < len where the file grew */
    uint8_t *old;
};

struct pending_name {
    char from[512], to[512]; /* from "": it was removed */
    char kept[512];          /* a link to the file that `to` was, or "" */
    ino_t folder;            /* whose sync makes it last */
};

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static bool armed;
static long calls_left;
static unsigned short dice[3];
static struct pending_write writes[PENDING_MAX];
static size_t write_count;
static struct pending_name names[NAMES_MAX];
static size_t name_count;
static char attic[160]; /* on the same file system: what the names were */

static long roll(long sides)
{
    return nrand48(dice) % sides;
}

static void lose_sector(const struct pending_write *write, size_t at)
{
    size_t len = write->len - at < SECTOR ? write->len - at : SECTOR;
    uint8_t bytes[SECTOR] = {0};
    long fate = roll(8);
    if (fate < 4) /* it reached the disk */
        return;
    if (at < write->old_len)
        memcpy(bytes, write->old + at, write->old_len - at < len ? write->old_len - at : len);
    if (fate == 4)
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)roll(256);
    if (syscall(SYS_pwrite64, write->fd, bytes, len, write->offset + (off_t)at) < 0)
        _exit(2);
}

_Noreturn static void power_fails(void)
{
    for (size_t i = write_count; i-- > 0;)
        for (size_t at = 0; at < writes[i].len; at += SECTOR)
            lose_sector(&writes[i], at);
    size_t kept = name_count == 0 ? 0 : (size_t)roll((long)name_count + 1);
    for (size_t i = name_count; i-- > kept;) {
        if (names[i].from[0] != '\0')
            syscall(SYS_rename, names[i].to, names[i].from);
        if (names[i].kept[0] != '\0')
            syscall(SYS_rename, names[i].kept, names[i].to);
    }
    _exit(137);
}

/* Under the lock. The power may fail before the call or after it. */
static void count_call(void)
{
    if (armed && --calls_left <= 0)
        power_fails();
}

static void remember_write(int fd, size_t len, off_t offset)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || write_count == PENDING_MAX)
        _exit(3);
    for (size_t i = 0; i < write_count; i++)
        if (writes[i].inode == info.st_ino && writes[i].offset == offset && writes[i].len == len)
            return; /* the older content is what a loss brings back */
    struct pending_write *write = &writes[write_count++];
    *write = (struct pending_write){
        .fd = dup(fd), .inode = info.st_ino, .offset = offset, .len = len, .old = malloc(len)};
    int reading = -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    reading = (int)syscall(SYS_openat, -100, path, 0 /* O_RDONLY */, 0);
    ssize_t got = syscall(SYS_pread64, reading, write->old, len, offset);
    if (reading < 0 || got < 0)
        _exit(4);
    close(reading);
    write->old_len = (size_t)got;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    pthread_mutex_lock(&disk);
    count_call();
    if (armed)
        remember_write(fd, len, offset);
    ssize_t put = syscall(SYS_pwrite64, fd, data, len, offset);
    count_call();
    pthread_mutex_unlock(&disk);
    return put;
}

static void names_last(ino_t folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < name_count; i++) {
        if (names[i].folder != folder)
            names[kept++] = names[i];
        else if (names[i].kept[0] != '\0')
            syscall(SYS_unlink, names[i].kept);
    }
    name_count = kept;
}

static void forget_write(const struct pending_write *write)
{
    close(write->fd);
    free(write->old);
}

/* There is one file system. */
int syncfs(int fd)
{
    pthread_mutex_lock(&disk);
    count_call();
    for (size_t i = 0; i < write_count; i++)
        forget_write(&writes[i]);
    for (size_t i = 0; i < name_count; i++)
        if (names[i].kept[0] != '\0')
            syscall(SYS_unlink, names[i].kept);
    write_count = name_count = 0;
    count_call();
    pthread_mutex_unlock(&disk);
    return 0;
}

static int sync_file(int fd)
{
    struct stat info;
    pthread_mutex_lock(&disk);
    count_call();
    if (armed && fstat(fd, &info) == 0) {
        size_t kept = 0;
        for (size_t i = 0; i < write_count; i++) {
            if (writes[i].inode != info.st_ino) {
                writes[kept++] = writes[i];
                continue;
            }
            forget_write(&writes[i]);
        }
        write_count = kept;
        if (S_ISDIR(info.st_mode))
            names_last(info.st_ino);
    }
    count_call();
    pthread_mutex_unlock(&disk);
    return 0;
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

int fsync(int fd)
{
    return sync_file(fd);
}

/* Before the name `to` becomes what `from` was, or is removed. */
static void remember_name(const char *from, const char *to)
{
    static unsigned number;
    char path[512];
    struct stat info;
    struct pending_name *pending = &names[name_count++];
    if (name_count == NAMES_MAX)
        _exit(5);
    snprintf(path, sizeof path, "%s", to);
    snprintf(pending->from, sizeof pending->from, "%s", from);
    snprintf(pending->to, sizeof pending->to, "%s", to);
    snprintf(pending->kept, sizeof pending->kept, "%s/%d-%u", attic, (int)getpid(), number++);
    pending->folder = stat(dirname(path), &info) == 0 ? info.st_ino : 0;
    if (link(to, pending->kept) != 0)
        pending->kept[0] = '\0';
}

int rename(const char *from, const char *to)
{
    pthread_mutex_lock(&disk);
    count_call();
    if (armed)
        remember_name(from, to);
    int result = (int)syscall(SYS_rename, from, to);
    count_call();
    pthread_mutex_unlock(&disk);
    return result;
}

int unlink(const char *path)
{
    pthread_mutex_lock(&disk);
    count_call();
    if (armed)
        remember_name("", path);
    int result = (int)syscall(SYS_unlink, path);
    int why = errno;
    count_call();
    pthread_mutex_unlock(&disk);
    errno = why;
    return result;
}

/* ---- the child ---- */

struct acknowledgement {
    uint64_t sequence; /* or, with a root, the size of a tree that was signed */
    uint32_t round, number;
    bool is_tree;
    uint8_t root[32];
};

static size_t entry_len(uint32_t round, uint32_t number)
{
    static const size_t lens[] = {40, 700, 40, 9000, 300, 40, 30000, 2000};
    return lens[(round * 7 + number) % 8];
}

static void entry_text(uint32_t round, uint32_t number, char *text)
{
    size_t len = entry_len(round, number);
    memset(text, 'a' + (int)(number % 26), len);
    int put = snprintf(text, 32, "round %u entry %u ", round, number);
    text[put] = '.';
    text[len] = '\0';
}

static void tell(int pipe_fd, const struct acknowledgement *one)
{
    if (write(pipe_fd, one, sizeof *one) != (ssize_t)sizeof *one)
        _exit(6);
}

static void report(int pipe_fd, const struct acknowledgement *queued, size_t *first, size_t count,
                   uint64_t durable)
{
    while (*first < count && queued[*first].sequence < durable)
        tell(pipe_fd, &queued[(*first)++]);
}

/* What is signed is shown to others at once. */
static void sign(struct ledger *ledger, int pipe_fd)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    struct acknowledgement tree = {.is_tree = true};
    if (ledger_checkpoint(ledger, &checkpoint, NULL, &error) != STATUS_OK)
        _exit(8);
    tree.sequence = checkpoint.size;
    memcpy(tree.root, checkpoint.root, sizeof tree.root);
    tell(pipe_fd, &tree);
}

static const char *key_path(const struct test_folder *folder)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/ledger.key", folder->path);
    return path;
}

static struct ledger *open_armed(const struct test_folder *folder)
{
    struct error error = {0};
    struct ledger *ledger;
    struct ledger_options options = test_options(folder);
    options.pace_us = 200;
    options.signing_key = key_path(folder);
    options.publish_ms = PUBLISH_MS;
    calls_left = 1 + roll(CALLS_A_ROUND);
    armed = true;
    if (ledger_open(&options, &ledger, &error) != STATUS_OK) {
        fprintf(stderr, "child: %s\n", error.message);
        _exit(7);
    }
    return ledger;
}

_Noreturn static void child(const struct test_folder *folder, uint32_t round, int pipe_fd)
{
    static char text[40000];
    static struct acknowledgement queued[ENTRIES_A_ROUND];
    size_t count = 0, reported = 0;
    struct error error = {0};
    struct note_key fresh;
    struct ledger *ledger = open_armed(folder);
    for (uint32_t number = 0; number < ENTRIES_A_ROUND; number++) {
        struct ledger_entry entry = {.type = LEDGER_ACT};
        struct acknowledgement *next = &queued[count];
        entry_text(round, number, text);
        entry.text = slice_of_text(text);
        struct slice side = number % 3 == 0 ? slice_of(text, 100) : slice_of(NULL, 0);
        *next = (struct acknowledgement){.round = round, .number = number};
        if (ledger_append(ledger, &entry, side, &next->sequence, &error) == STATUS_OK)
            count++;
        else
            usleep(300); /* the spare is being made */
        if (number % 4 == 3 && count > 0)
            ledger_wait(ledger, queued[count - 1].sequence);
        report(pipe_fd, queued, &reported, count, ledger_durable(ledger));
        if (number % CHECKPOINT_EACH == 5)
            sign(ledger, pipe_fd);
        if (round % ROTATE_EACH == 0 && number == round / ROTATE_EACH % ENTRIES_A_ROUND &&
            ledger_key_rotate(ledger, &fresh, &error) != STATUS_OK)
            _exit(9);
    }
    ledger_close(ledger);
    report(pipe_fd, queued, &reported, count, UINT64_MAX);
    _exit(0);
}

/* ---- the parent ---- */

struct history {
    struct acknowledgement acknowledged[ACKNOWLEDGED_MAX]; /* by sequence; round 0 for none */
    uint64_t end;                                          /* behind the highest sequence */
    uint64_t seen;
    struct verify_claim claims[CLAIMS]; /* of trees that were signed: the newest, in a ring */
    size_t signed_trees;
    struct note_key key; /* the first */
};

static struct history history;

static enum status verify(void *context, uint64_t sequence, const struct ledger_entry *entry,
                          struct slice side, uint64_t segment, struct error *error)
{
    static char text[40000];
    const struct acknowledgement *known = &history.acknowledged[sequence];
    assert_true(sequence < ACKNOWLEDGED_MAX);
    history.seen++;
    if (known->round == 0)
        return STATUS_OK;
    entry_text(known->round, known->number, text);
    assert_int_equal(entry->text.len, strlen(text));
    assert_memory_equal(entry->text.data, text, entry->text.len);
    assert_int_equal(side.len, known->number % 3 == 0 ? 100 : 0);
    return STATUS_OK;
}

static void read_acknowledgements(int pipe_fd)
{
    struct acknowledgement one;
    while (read(pipe_fd, &one, sizeof one) == (ssize_t)sizeof one) {
        assert_true(one.sequence < ACKNOWLEDGED_MAX);
        if (one.is_tree) {
            struct verify_claim *claim = &history.claims[history.signed_trees++ % CLAIMS];
            *claim = (struct verify_claim){.size = one.sequence, .source = "the witness"};
            memcpy(claim->root, one.root, sizeof claim->root);
            continue;
        }
        history.acknowledged[one.sequence] = one;
        if (one.sequence + 1 > history.end)
            history.end = one.sequence + 1;
    }
}

/* By the key known from the start, and everything signed since. */
static void assert_signed(const struct test_folder *folder, uint32_t round, bool published)
{
    struct verify_report report;
    struct verify_damage damage;
    struct error error = {0};
    const struct verify_options options = {
        .folder = folder->path,
        .threads = 1,
        .bundles = published,
        .claims = history.claims,
        .claim_count = history.signed_trees < CLAIMS ? history.signed_trees : CLAIMS,
        .key = &history.key};
    if (ledger_verify(&options, &report, &damage, &error) != STATUS_OK)
        fail_msg("round %u: verify: %s", round, error.message);
    assert_int_equal(report.signed_size, report.entries);
    assert_int_equal(report.breaks, 0);
}

/* A start in peace: what the power cut has left becomes whole. */
static void recover(const struct test_folder *folder, uint32_t round, bool published)
{
    struct ledger *ledger;
    struct error error = {0};
    struct ledger_options options = test_options(folder);
    options.replay = verify;
    options.signing_key = key_path(folder);
    options.publish_ms = published ? PUBLISH_MS : 0;
    history.seen = 0;
    if (ledger_open(&options, &ledger, &error) != STATUS_OK)
        fail_msg("round %u: %s", round, error.message);
    ledger_close(ledger);
    if (history.seen < history.end)
        fail_msg("round %u: %d entries, but %d were acknowledged", round, (int)history.seen,
                 (int)history.end);
    if (round % VERIFY_EACH == 0)
        assert_signed(folder, round, published);
}

static void verify_copy(const struct test_folder *folder, uint32_t round)
{
    struct test_folder copy;
    folder_make(&copy);
    folder_copy(folder, &copy);
    recover(&copy, round, false);
    folder_remove(&copy);
}

/* The log and its first key, as installed on a disk that works. */
static void begin(struct test_folder *folder)
{
    static struct key_chain chain;
    folder_make(folder);
    snprintf(attic, sizeof attic, "%s.attic", folder->path);
    assert_int_equal(mkdir(attic, 0700), 0);
    struct ledger_options options = test_options(folder);
    options.signing_key = key_path(folder);
    struct ledger *ledger = open_ok(&options);
    ledger_keys(ledger, &chain);
    assert_int_equal(chain.count, 1);
    history.key = chain.links[0].key;
    ledger_close(ledger);
}

static void empty_attic(void)
{
    struct test_folder folder;
    snprintf(folder.path, sizeof folder.path, "%.127s", attic);
    folder_remove(&folder);
}

static long rounds = 150, seed;

static void acknowledged_entries_survive_power_cuts(void **state)
{
    struct test_folder folder;
    unsigned cut = 0;
    begin(&folder);
    for (uint32_t round = 1; round <= rounds; round++) {
        int pipes[2], result;
        assert_int_equal(pipe(pipes), 0);
        dice[0] = (unsigned short)seed;
        dice[1] = (unsigned short)(seed >> 16);
        dice[2] = (unsigned short)round;
        pid_t pid = fork();
        if (pid == 0)
            child(&folder, round, pipes[1]);
        close(pipes[1]);
        read_acknowledgements(pipes[0]);
        close(pipes[0]);
        assert_int_equal(waitpid(pid, &result, 0), pid);
        if (!WIFEXITED(result) || (WEXITSTATUS(result) != 0 && WEXITSTATUS(result) != 137))
            fail_msg("round %u: the child ended with %x", round, (unsigned)result);
        cut += WEXITSTATUS(result) == 137;
        verify_copy(&folder, round);
    }
    recover(&folder, (uint32_t)(rounds + VERIFY_EACH - rounds % VERIFY_EACH), true);
    print_message("RESULT power_cuts=%u acknowledged=%d signed=%zu seed=%ld\n", cut,
                  (int)history.end, history.signed_trees, seed);
    assert_true(cut > rounds / 2);
    assert_true(history.end > (uint64_t)rounds && history.signed_trees > (size_t)rounds);
    folder_remove(&folder);
    empty_attic();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(acknowledged_entries_survive_power_cuts)};
    rounds = argc > 1 ? strtol(argv[1], NULL, 10) : rounds;
    seed = argc > 2 ? strtol(argv[2], NULL, 10) : (long)time(NULL);
    print_message("seed %ld\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
