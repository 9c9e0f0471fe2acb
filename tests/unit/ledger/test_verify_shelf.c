/* Checkpoints and their signatures: what a verifier who trusts one key is told of a log that was
 * signed, whose key changed, which was rolled back, or which somebody else signed. */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/verify.h"

struct outcome {
    enum status status;
    struct verify_report report;
    struct verify_damage damage;
    struct error error;
};

static struct outcome verify_within(const struct test_folder *folder, const struct note_key *key,
                                    const char *checkpoint, unsigned patience_ms)
{
    struct outcome outcome = {0};
    const struct verify_options options = {.folder = folder->path,
                                           .threads = 1,
                                           .key = key,
                                           .patience_ms = patience_ms,
                                           .checkpoints = &checkpoint,
                                           .checkpoint_count = checkpoint != NULL};
    outcome.status = ledger_verify(&options, &outcome.report, &outcome.damage, &outcome.error);
    return outcome;
}

static struct outcome verify_by(const struct test_folder *folder, const struct note_key *key,
                                const char *checkpoint)
{
    return verify_within(folder, key, checkpoint, 0);
}

static void assert_whole(const struct outcome *outcome)
{
    if (outcome->status != STATUS_OK)
        fail_msg("%s: %s", status_name(outcome->status), outcome->error.message);
}

static void assert_damage(const struct outcome *outcome, const char *check)
{
    if (outcome->status != STATUS_CORRUPT || strcmp(outcome->damage.check, check) != 0)
        fail_msg("%s: %s; expected %s", status_name(outcome->status), outcome->error.message,
                 check);
}

/* ---- signed logs; the key's file stands beside the folder ---- */

struct signed_log {
    struct test_folder folder;
    char key_path[160];
};

static void make_signed(struct signed_log *log)
{
    folder_make(&log->folder);
    snprintf(log->key_path, sizeof log->key_path, "%s.key", log->folder.path);
}

static struct ledger *open_signed(const struct signed_log *log)
{
    struct ledger_options options = test_options(&log->folder);
    options.signing_key = log->key_path;
    return open_ok(&options);
}

static void append_some(struct ledger *ledger, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        ledger_wait(ledger, append_text(ledger, text));
}

static struct note_key key_of(struct ledger *ledger)
{
    static struct key_chain chain;
    ledger_keys(ledger, &chain);
    assert_true(chain.count > 0);
    return chain.links[chain.count - 1].key;
}

/* Opens, appends, closes; gives the key that signed at last. */
static struct note_key write_signed(const struct signed_log *log, int count, const char *text)
{
    struct ledger *ledger = open_signed(log);
    append_some(ledger, count, text);
    struct note_key key = key_of(ledger);
    ledger_close(ledger);
    return key;
}

static void remove_signed(struct signed_log *log)
{
    folder_remove(&log->folder);
    unlink(log->key_path);
}

/* The newest file in checkpoints/. */
static void newest_kept(const struct signed_log *log, char path[static 800])
{
    char folder[512], newest[64] = "";
    snprintf(folder, sizeof folder, "%s/checkpoints", log->folder.path);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strlen(entry->d_name) == 20 && strcmp(entry->d_name, newest) > 0)
            snprintf(newest, sizeof newest, "%.20s", entry->d_name);
    closedir(dir);
    assert_int_equal(strlen(newest), 20);
    snprintf(path, 800, "%s/%s", folder, newest);
}

static void a_signed_log_is_held_against_its_key(void **state)
{
    struct signed_log log, other;
    make_signed(&log);
    make_signed(&other);
    struct note_key key = write_signed(&log, 5, "signed");
    struct note_key foreign = write_signed(&other, 1, "another log");
    struct outcome outcome = verify_by(&log.folder, &key, NULL);
    assert_whole(&outcome);
    assert_int_equal(outcome.report.keys, 1);
    assert_int_equal(outcome.report.entries, 6); /* with the entry of the key */
    assert_int_equal(outcome.report.signed_size, 6);
    assert_true(outcome.report.signatures >= 2); /* checkpoint, and the one kept at the stop */
    outcome = verify_by(&log.folder, NULL, NULL);
    assert_whole(&outcome);
    outcome = verify_by(&log.folder, &foreign, NULL);
    assert_status(outcome.status, STATUS_DENIED);
    remove_signed(&log);
    remove_signed(&other);
}

static void each_key_of_a_run_of_hand_overs_will_do(void **state)
{
    struct signed_log log;
    struct note_key fresh;
    struct error error = {0};
    make_signed(&log);
    struct ledger *ledger = open_signed(&log);
    struct note_key first = key_of(ledger);
    append_some(ledger, 3, "by the first key");
    if (ledger_key_rotate(ledger, &fresh, &error) != STATUS_OK)
        fail_msg("ledger_key_rotate: %s", error.message);
    append_some(ledger, 3, "by the second key");
    ledger_close(ledger);
    const struct note_key *keys[] = {&first, &fresh};
    for (size_t i = 0; i < 2; i++) {
        struct outcome outcome = verify_by(&log.folder, keys[i], NULL);
        assert_whole(&outcome);
        assert_int_equal(outcome.report.keys, 2);
        assert_int_equal(outcome.report.breaks, 0);
        assert_int_equal(outcome.report.signed_size, outcome.report.entries);
    }
    remove_signed(&log);
}

/* ---- files that were changed ---- */

static void sweep(const struct signed_log *log, const char *path, const struct note_key *key)
{
    uint8_t byte;
    struct stat info;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    for (off_t at = 0; at < info.st_size; at += OF_CHANGES_ONE_IN) {
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        struct outcome outcome = verify_by(&log->folder, key, NULL);
        if (outcome.status != STATUS_CORRUPT)
            fail_msg("%s: byte %lld flipped: %s", path, (long long)at, status_name(outcome.status));
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void every_flip_in_a_signed_checkpoint_is_found(void **state)
{
    struct signed_log log;
    char kept[800];
    make_signed(&log);
    struct note_key key = write_signed(&log, 2, "signed");
    newest_kept(&log, kept);
    sweep(&log, kept, &key);
    sweep(&log, folder_file(&log.folder, "checkpoint"), &key);
    sweep(&log, folder_file(&log.folder, "log.vkey"), &key);
    struct outcome outcome = verify_by(&log.folder, &key, NULL);
    assert_whole(&outcome);
    remove_signed(&log);
}

static void copy_file(const char *from, const char *to)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    read_whole(from, &bytes);
    write_whole(to, buffer_slice(&bytes));
    buffer_free(&bytes);
}

static void a_checkpoint_without_its_signature_is_told(void **state)
{
    struct signed_log log;
    struct buffer bytes;
    make_signed(&log);
    struct note_key key = write_signed(&log, 2, "signed");
    buffer_init(&bytes, 1 << 20);
    read_whole(folder_file(&log.folder, "checkpoint"), &bytes);
    const uint8_t *end = memmem(bytes.data, bytes.len, "\n\n", 2);
    assert_non_null(end);
    write_whole(folder_file(&log.folder, "checkpoint"),
                slice_of(bytes.data, (size_t)(end + 1 - bytes.data)));
    struct outcome outcome = verify_by(&log.folder, &key, NULL);
    assert_damage(&outcome, "signature");
    assert_non_null(strstr(outcome.error.message, "it is not signed"));
    buffer_free(&bytes);
    remove_signed(&log);
}

static void a_kept_checkpoint_under_another_size_is_told(void **state)
{
    struct signed_log log;
    char kept[800], wrong[840];
    make_signed(&log);
    write_signed(&log, 2, "signed");
    newest_kept(&log, kept);
    snprintf(wrong, sizeof wrong, "%s/checkpoints/00000000000000000099", log.folder.path);
    assert_int_equal(rename(kept, wrong), 0);
    struct outcome outcome = verify_by(&log.folder, NULL, NULL);
    assert_damage(&outcome, "checkpoint");
    remove_signed(&log);
}

/* ---- the folder's owner against those who hold a checkpoint or a key ---- */

/* Everything as it was at an earlier stop, but for a checkpoint that somebody kept. */
static void a_roll_back_is_told_by_a_kept_checkpoint(void **state)
{
    struct signed_log log;
    struct test_folder old;
    char newest[800], elsewhere[160];
    make_signed(&log);
    struct note_key key = write_signed(&log, 3, "stays");
    folder_make(&old);
    folder_copy(&log.folder, &old);
    write_signed(&log, 3, "is to be forgotten");
    newest_kept(&log, newest);
    snprintf(elsewhere, sizeof elsewhere, "%s.kept", log.folder.path);
    copy_file(newest, elsewhere);
    struct outcome outcome = verify_by(&old, &key, NULL);
    assert_whole(&outcome); /* an older signed checkpoint, replayed: whole by itself */
    outcome = verify_by(&old, &key, elsewhere);
    assert_damage(&outcome, "missing");
    assert_non_null(strstr(outcome.error.message, elsewhere));
    outcome = verify_by(&log.folder, &key, elsewhere);
    assert_whole(&outcome);
    unlink(elsewhere);
    folder_remove(&old);
    remove_signed(&log);
}

/* The same log id, all of it written and signed anew: what only a pinned key or checkpoint shows.
 */
static void a_log_signed_by_somebody_else_is_told(void **state)
{
    struct signed_log log, forged;
    char kept[800], elsewhere[160];
    make_signed(&log);
    make_signed(&forged);
    struct note_key key = write_signed(&log, 3, "what was so");
    snprintf(kept, sizeof kept, "%s", folder_file(&log.folder, "log-id"));
    copy_file(kept, folder_file(&forged.folder, "log-id"));
    write_signed(&forged, 3, "what was not");
    struct outcome outcome = verify_by(&forged.folder, NULL, NULL);
    assert_whole(&outcome);
    outcome = verify_by(&forged.folder, &key, NULL);
    assert_status(outcome.status, STATUS_DENIED);
    newest_kept(&log, kept);
    snprintf(elsewhere, sizeof elsewhere, "%s.kept", log.folder.path);
    copy_file(kept, elsewhere);
    outcome = verify_by(&forged.folder, NULL, elsewhere);
    assert_damage(&outcome, "fork");
    unlink(elsewhere);
    remove_signed(&log);
    remove_signed(&forged);
}

static void remove_kept(const struct signed_log *log)
{
    char newest[800];
    newest_kept(log, newest);
    assert_int_equal(unlink(newest), 0);
}

/* Whoever can write the folder, and has no key, puts entries behind the last signed checkpoint. */
static void a_forged_end_is_told_to_who_has_the_key(void **state)
{
    struct signed_log log;
    char old[160];
    make_signed(&log);
    struct note_key key = write_signed(&log, 3, "what was so");
    snprintf(old, sizeof old, "%s.old", log.folder.path);
    copy_file(folder_file(&log.folder, "checkpoint"), old);
    write_signed(&log, 3, "what was not");
    remove_kept(&log);
    copy_file(old, folder_file(&log.folder, "checkpoint"));
    struct outcome outcome = verify_within(&log.folder, &key, NULL, 1);
    assert_damage(&outcome, "unsigned");
    outcome = verify_within(&log.folder, &key, old, 1);
    assert_damage(&outcome, "unsigned");
    outcome = verify_by(&log.folder, NULL, old);
    assert_whole(&outcome); /* no key is trusted: nothing is said of signatures */
    assert_int_equal(outcome.report.signed_size, 4);
    unlink(old);
    remove_signed(&log);
}

static struct buffer key_entry_text;

static enum status copy_key_entry(void *context, uint64_t sequence,
                                  const struct ledger_entry *entry, struct error *error)
{
    if (entry->type != LEDGER_KEY)
        return STATUS_OK;
    buffer_clear(&key_entry_text);
    buffer_append(&key_entry_text, entry->text.data, entry->text.len);
    return STATUS_OK;
}

/* The log's last entry of type LEDGER_KEY. */
static void take_key_entry(const struct signed_log *log)
{
    struct verify_report report;
    struct verify_damage damage = {0};
    const struct verify_options options = {
        .folder = log->folder.path, .threads = 1, .notable = copy_key_entry};
    buffer_init(&key_entry_text, 4096);
    assert_status(ledger_verify(&options, &report, &damage, NULL), STATUS_OK);
    assert_true(key_entry_text.len > 0);
}

static void append_key_entry(struct ledger *ledger)
{
    const struct ledger_entry entry = {
        .type = LEDGER_KEY, .chunk_count = 1, .text = buffer_slice(&key_entry_text)};
    uint64_t sequence;
    assert_status(ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, NULL), STATUS_OK);
    ledger_wait(ledger, sequence);
    buffer_free(&key_entry_text);
}

/* The entry of the first key says of itself that an empty log was before it: put last instead of
 * first, by somebody without the key, everything before it would need no signature. */
static void a_first_key_that_comes_late_vouches_for_nothing(void **state)
{
    struct signed_log log, forged;
    char path[800];
    make_signed(&log);
    make_signed(&forged);
    struct note_key key = write_signed(&log, 3, "what was so");
    take_key_entry(&log);
    snprintf(path, sizeof path, "%s", folder_file(&log.folder, "log-id"));
    copy_file(path, folder_file(&forged.folder, "log-id"));
    struct ledger_options options = test_options(&forged.folder);
    struct ledger *ledger = open_ok(&options);
    append_some(ledger, 3, "what was not");
    ledger_close(ledger);
    snprintf(path, sizeof path, "%s.old", forged.folder.path);
    copy_file(folder_file(&forged.folder, "checkpoint"), path);
    ledger = open_ok(&options);
    append_key_entry(ledger);
    ledger_close(ledger);
    copy_file(path, folder_file(&forged.folder, "checkpoint"));
    struct outcome outcome = verify_within(&forged.folder, &key, NULL, 1);
    assert_damage(&outcome, "unsigned");
    unlink(path);
    remove_signed(&forged);
    remove_signed(&log);
}

/* Who has the key that was replaced forges what it signed last, and puts the hand-over behind. */
static void a_replaced_key_cannot_end_the_log(void **state)
{
    struct signed_log log, forged;
    struct note_key fresh;
    char path[160];
    make_signed(&log);
    make_signed(&forged);
    write_signed(&log, 2, "what was so");
    folder_copy(&log.folder, &forged.folder);
    copy_file(log.key_path, forged.key_path);
    assert_int_equal(chmod(forged.key_path, 0600), 0);
    struct ledger *ledger = open_signed(&log);
    assert_status(ledger_key_rotate(ledger, &fresh, NULL), STATUS_OK);
    ledger_close(ledger);
    take_key_entry(&log);
    write_signed(&forged, 2, "what was not");
    snprintf(path, sizeof path, "%s.old", forged.folder.path);
    copy_file(folder_file(&forged.folder, "checkpoint"), path);
    ledger = open_signed(&forged);
    append_key_entry(ledger);
    ledger_close(ledger);
    struct outcome outcome = verify_by(&forged.folder, &fresh, NULL);
    assert_damage(&outcome, "signature");
    remove_kept(&forged);
    copy_file(path, folder_file(&forged.folder, "checkpoint"));
    outcome = verify_within(&forged.folder, &fresh, NULL, 1);
    assert_damage(&outcome, "unsigned");
    unlink(path);
    remove_signed(&log);
    remove_signed(&forged);
}

/* An auditor beside a gateway that writes is told of no damage, and of signatures to the end. */
static void a_log_that_is_written_is_signed_to_its_end(void **state)
{
    struct signed_log log;
    make_signed(&log);
    struct ledger *ledger = open_signed(&log);
    struct note_key key = key_of(ledger), fresh;
    for (int i = 0; i < 3; i++) {
        append_some(ledger, 20, "while it is read");
        struct outcome outcome = verify_by(&log.folder, &key, NULL);
        assert_whole(&outcome);
        assert_int_equal(outcome.report.signed_size, outcome.report.entries);
        assert_status(ledger_key_rotate(ledger, &fresh, NULL), STATUS_OK);
    }
    ledger_close(ledger);
    remove_signed(&log);
}

static void a_checkpoint_of_another_log_is_no_damage(void **state)
{
    struct signed_log log, other;
    char kept[800];
    make_signed(&log);
    make_signed(&other);
    write_signed(&log, 1, "one");
    write_signed(&other, 1, "another");
    newest_kept(&other, kept);
    struct outcome outcome = verify_by(&log.folder, NULL, kept);
    assert_status(outcome.status, STATUS_INVALID);
    assert_non_null(strstr(outcome.error.message, "another log"));
    remove_signed(&log);
    remove_signed(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_log_is_held_against_its_key),
        cmocka_unit_test(each_key_of_a_run_of_hand_overs_will_do),
        cmocka_unit_test(every_flip_in_a_signed_checkpoint_is_found),
        cmocka_unit_test(a_checkpoint_without_its_signature_is_told),
        cmocka_unit_test(a_kept_checkpoint_under_another_size_is_told),
        cmocka_unit_test(a_roll_back_is_told_by_a_kept_checkpoint),
        cmocka_unit_test(a_log_signed_by_somebody_else_is_told),
        cmocka_unit_test(a_forged_end_is_told_to_who_has_the_key),
        cmocka_unit_test(a_first_key_that_comes_late_vouches_for_nothing),
        cmocka_unit_test(a_replaced_key_cannot_end_the_log),
        cmocka_unit_test(a_log_that_is_written_is_signed_to_its_end),
        cmocka_unit_test(a_checkpoint_of_another_log_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
