/* Signed checkpoints through the whole ledger: the key's life, and a crash between any two steps of
 * a change of key. */
#include "folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/kept.h"

struct scene {
    struct test_folder folder;
    char key[256], next[256];
    struct ledger_options options;
    struct key_chain *chain;
};

static int open_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    folder_make(&scene->folder);
    snprintf(scene->key, sizeof scene->key, "%s", folder_file(&scene->folder, "key"));
    snprintf(scene->next, sizeof scene->next, "%.240s.next", scene->key);
    scene->options = test_options(&scene->folder);
    scene->options.signing_key = scene->key;
    scene->chain = calloc(1, sizeof *scene->chain);
    assert_non_null(scene->chain);
    *state = scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    folder_remove(&scene->folder);
    free(scene->chain);
    free(scene);
    return 0;
}

static struct note_key vkey_of(const struct scene *scene)
{
    struct note_key key = {0};
    struct buffer text;
    buffer_init(&text, 1024);
    read_whole(folder_file(&scene->folder, "log.vkey"), &text);
    assert_true(text.len > 0 && text.data[text.len - 1] == '\n');
    assert_status(note_key_parse(slice_of(text.data, text.len - 1), &key, NULL), STATUS_OK);
    buffer_free(&text);
    return key;
}

/* How a checkpoint's file is signed by this key; *checkpoint may be NULL. */
static enum note_verdict verdict(const char *path, const struct note_key *key,
                                 struct checkpoint *checkpoint)
{
    struct buffer bytes;
    struct note note;
    struct checkpoint read;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct error error = {0};
    buffer_init(&bytes, NOTE_BYTES_MAX);
    if (checkpoint_read_note(path, &bytes, &note, origin, &read, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(origin, key->name);
    enum note_verdict found = note_check(&note, key);
    buffer_free(&bytes);
    if (checkpoint != NULL)
        *checkpoint = read;
    return found;
}

static const char *kept_file(const struct scene *scene, uint64_t size)
{
    static char path[KEPT_PATH_ROOM];
    kept_path(scene->folder.path, size, path);
    return path;
}

static void refuse_start(const struct scene *scene, enum status want, const char *message)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    enum status status = ledger_open(&scene->options, &ledger, &error);
    if (status != want || strstr(error.message, message) == NULL)
        fail_msg("%s: \"%s\", not %s: \"%s\"", status_name(status), error.message,
                 status_name(want), message);
}

/* Opens, appends, closes; the last checkpoint's size. */
static uint64_t run(const struct scene *scene, const char *text)
{
    struct ledger *ledger = open_ok(&scene->options);
    uint64_t sequence = append_text(ledger, text);
    ledger_wait(ledger, sequence);
    ledger_keys(ledger, scene->chain);
    ledger_close(ledger);
    return sequence + 1;
}

static void a_first_start_makes_a_key_and_says_so(void **state)
{
    struct scene *scene = *state;
    struct stat about;
    struct checkpoint checkpoint;
    uint64_t size = run(scene, "first");
    struct note_key key = vkey_of(scene);
    assert_int_equal(size, 2); /* the key's entry comes first */
    assert_int_equal(stat(scene->key, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(scene->chain->count, 1);
    assert_true(note_key_equal(&scene->chain->links[0].key, &key));
    assert_int_equal(verdict(folder_file(&scene->folder, "checkpoint"), &key, &checkpoint),
                     NOTE_GOOD);
    assert_int_equal(checkpoint.size, 2);
    assert_int_equal(verdict(kept_file(scene, 2), &key, &checkpoint), NOTE_GOOD);
    assert_int_equal(checkpoint.size, 2);
    assert_int_equal(run(scene, "second"), 3); /* no other key, no other entry */
    assert_int_equal(scene->chain->count, 1);
    assert_int_equal(verdict(kept_file(scene, 3), &key, NULL), NOTE_GOOD);
}

static void an_older_log_gets_its_key(void **state)
{
    struct scene *scene = *state;
    struct ledger_options old = test_options(&scene->folder);
    struct ledger *ledger = open_ok(&old);
    ledger_wait(ledger, append_text(ledger, "before keys"));
    ledger_close(ledger);
    assert_false(file_exists(folder_file(&scene->folder, "checkpoints")));
    assert_int_equal(run(scene, "after"), 3);
    assert_int_equal(scene->chain->links[0].sequence, 1);
    assert_int_equal(scene->chain->links[0].before.size, 1);
    struct note_key key = vkey_of(scene);
    assert_int_equal(verdict(folder_file(&scene->folder, "checkpoint"), &key, NULL), NOTE_GOOD);
    scene->options.signing_key = NULL; /* and does not go without it any more */
    refuse_start(scene, STATUS_INVALID, "no signing key is named");
}

static void a_key_that_is_not_there_stops_the_start(void **state)
{
    struct scene *scene = *state;
    char away[300];
    run(scene, "x");
    snprintf(away, sizeof away, "%s.away", scene->key);
    assert_int_equal(rename(scene->key, away), 0);
    refuse_start(scene, STATUS_DENIED, "signing key is missing");
    assert_false(file_exists(scene->key));
    struct note_signer other;
    struct buffer text;
    note_signer_generate(vkey_of(scene).name, &other);
    buffer_init(&text, 1024);
    note_signer_format(&other, &text);
    write_whole(scene->key, buffer_slice(&text));
    refuse_start(scene, STATUS_DENIED, "not the key that the log names");
    buffer_clear(&text);
    note_signer_generate("cofferdam/log/another", &other);
    note_signer_format(&other, &text);
    write_whole(scene->key, buffer_slice(&text));
    refuse_start(scene, STATUS_INVALID, "this is the key of cofferdam/log/another");
    buffer_free(&text);
    assert_int_equal(rename(away, scene->key), 0);
    assert_int_equal(chmod(scene->key, 0644), 0);
    refuse_start(scene, STATUS_INVALID, "others can read");
    assert_int_equal(chmod(scene->key, 0600), 0);
    assert_int_equal(run(scene, "y"), 3);
}

/* The key was made, and the process died before the log told of it. */
static void a_crash_in_the_first_start_is_completed(void **state)
{
    struct scene *scene = *state;
    struct ledger_options old = test_options(&scene->folder);
    struct ledger *ledger = open_ok(&old);
    ledger_close(ledger);
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct buffer text;
    struct checkpoint checkpoint;
    struct note_signer signer;
    buffer_init(&text, NOTE_BYTES_MAX);
    read_whole(folder_file(&scene->folder, "checkpoint"), &text);
    assert_status(checkpoint_parse(buffer_slice(&text), origin, &checkpoint, NULL), STATUS_OK);
    buffer_clear(&text);
    note_signer_generate(origin, &signer);
    note_signer_format(&signer, &text);
    write_whole(scene->key, buffer_slice(&text));
    buffer_free(&text);
    run(scene, "x");
    struct note_key key = vkey_of(scene);
    assert_true(note_key_equal(&key, &signer.key));
    unlink(folder_file(&scene->folder, "log.vkey")); /* it follows the log */
    run(scene, "y");
    key = vkey_of(scene);
    assert_true(note_key_equal(&key, &signer.key));
}

static struct note_key rotate(const struct scene *scene)
{
    struct ledger *ledger = open_ok(&scene->options);
    struct note_key fresh;
    struct error error = {0};
    ledger_wait(ledger, append_text(ledger, "before"));
    if (ledger_key_rotate(ledger, &fresh, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    ledger_wait(ledger, append_text(ledger, "behind"));
    ledger_keys(ledger, scene->chain);
    ledger_close(ledger);
    return fresh;
}

static void a_hand_over_is_signed_by_both(void **state)
{
    struct scene *scene = *state;
    run(scene, "x");
    struct note_key old = vkey_of(scene), fresh = rotate(scene), now = vkey_of(scene);
    assert_false(note_key_equal(&old, &fresh));
    assert_true(note_key_equal(&now, &fresh));
    assert_false(file_exists(scene->next));
    assert_int_equal(scene->chain->count, 2);
    uint64_t size = scene->chain->links[1].sequence + 1;
    assert_int_equal(verdict(kept_file(scene, size), &old, NULL), NOTE_GOOD);
    assert_int_equal(verdict(kept_file(scene, size), &fresh, NULL), NOTE_GOOD);
    const char *last = folder_file(&scene->folder, "checkpoint");
    assert_int_equal(verdict(last, &fresh, NULL), NOTE_GOOD);
    assert_int_equal(verdict(last, &old, NULL), NOTE_ABSENT);
    run(scene, "y");
    assert_int_equal(scene->chain->count, 2);
}

static void copy(const char *from, const char *to)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    read_whole(from, &bytes);
    write_whole(to, buffer_slice(&bytes));
    buffer_free(&bytes);
}

/* Died after the entry was durable: the log names the new key, the files the old one. */
static void a_crash_behind_the_entry_is_completed(void **state)
{
    struct scene *scene = *state;
    char saved[300], vkey[300];
    run(scene, "x");
    snprintf(saved, sizeof saved, "%s.saved", scene->key);
    snprintf(vkey, sizeof vkey, "%s.vkey", scene->key);
    copy(scene->key, saved);
    copy(folder_file(&scene->folder, "log.vkey"), vkey);
    struct note_key old = vkey_of(scene), fresh = rotate(scene);
    copy(scene->key, scene->next);
    copy(saved, scene->key);
    copy(vkey, folder_file(&scene->folder, "log.vkey"));
    uint64_t size = 0;
    struct ledger *ledger = open_ok(&scene->options);
    struct ledger_state ledger_now;
    ledger_state(ledger, &ledger_now);
    size = ledger_now.entries;
    ledger_close(ledger);
    struct note_key now = vkey_of(scene);
    assert_true(note_key_equal(&now, &fresh));
    assert_false(file_exists(scene->next));
    assert_int_equal(verdict(kept_file(scene, size), &old, NULL), NOTE_GOOD);
    assert_int_equal(verdict(kept_file(scene, size), &fresh, NULL), NOTE_GOOD);
    copy(scene->key, scene->next); /* died before the last step: the file is still there */
    run(scene, "y");
    assert_false(file_exists(scene->next));
    assert_int_equal(scene->chain->count, 2);
}

/* Died before the entry: nobody was told of the new key. */
static void a_crash_before_the_entry_is_forgotten(void **state)
{
    struct scene *scene = *state;
    run(scene, "x");
    struct note_key old = vkey_of(scene);
    struct note_signer unborn;
    struct buffer text;
    buffer_init(&text, 1024);
    note_signer_generate(old.name, &unborn);
    note_signer_format(&unborn, &text);
    write_whole(scene->next, buffer_slice(&text));
    buffer_free(&text);
    run(scene, "y");
    struct note_key now = vkey_of(scene);
    assert_true(note_key_equal(&now, &old));
    assert_false(file_exists(scene->next));
    assert_int_equal(scene->chain->count, 1);
}

static void a_lost_key_is_replaced_by_word_only(void **state)
{
    struct scene *scene = *state;
    run(scene, "x");
    struct note_key old = vkey_of(scene);
    scene->options.key_lost = "the disk died";
    refuse_start(scene, STATUS_DENIED, "there is a signing key");
    unlink(scene->key);
    run(scene, "y");
    scene->options.key_lost = NULL;
    assert_int_equal(scene->chain->count, 2);
    assert_int_equal(scene->chain->links[1].kind, KEY_CHANGE_BREAK);
    size_t first, stop;
    assert_status(key_chain_follow(scene->chain, &old, &first, &stop, NULL), STATUS_OK);
    assert_int_equal(stop, 1);
    struct note_key now = vkey_of(scene);
    assert_int_equal(verdict(folder_file(&scene->folder, "checkpoint"), &now, NULL), NOTE_GOOD);
    run(scene, "z");
    assert_int_equal(scene->chain->count, 2);
}

static void an_incident_gets_a_checkpoint_of_its_own(void **state)
{
    struct scene *scene = *state;
    struct ledger *ledger = open_ok(&scene->options);
    struct checkpoint checkpoint, stored;
    struct buffer note, again;
    struct error error = {0};
    buffer_init(&note, NOTE_BYTES_MAX);
    buffer_init(&again, NOTE_BYTES_MAX);
    ledger_wait(ledger, append_text(ledger, "x"));
    assert_status(ledger_checkpoint(ledger, &checkpoint, &note, &error), STATUS_OK);
    assert_status(ledger_checkpoint(ledger, &checkpoint, &again, &error), STATUS_OK);
    assert_true(note.len > 0 && slice_equal(buffer_slice(&note), buffer_slice(&again)));
    assert_int_equal(checkpoint.size, 2);
    struct note_key key = vkey_of(scene);
    assert_int_equal(verdict(kept_file(scene, 2), &key, &stored), NOTE_GOOD);
    assert_memory_equal(stored.root, checkpoint.root, sizeof stored.root);
    buffer_clear(&again);
    read_whole(kept_file(scene, 2), &again);
    assert_true(slice_equal(buffer_slice(&note), buffer_slice(&again)));
    buffer_free(&note);
    buffer_free(&again);
    ledger_close(ledger);
}

/* Segments and `checkpoint` put back to an older state: the kept checkpoints remember. */
static void a_log_that_was_put_back_is_found_out(void **state)
{
    struct scene *scene = *state;
    struct test_folder before;
    uint64_t size = run(scene, "x");
    folder_make(&before);
    folder_copy(&scene->folder, &before);
    run(scene, "y");
    copy(kept_file(scene, size + 1), folder_file(&before, "kept"));
    char path[KEPT_PATH_ROOM];
    kept_path(before.path, size + 1, path);
    assert_int_equal(rename(folder_file(&before, "kept"), path), 0);
    struct ledger_options options = scene->options;
    options.folder = before.path;
    struct ledger *ledger = NULL;
    struct error error = {0};
    assert_status(ledger_open(&options, &ledger, &error), STATUS_CORRUPT);
    assert_non_null(strstr(error.message, "the checkpoint proves 3"));
    folder_remove(&before);
}

static void checkpoints_are_kept_at_an_interval(void **state)
{
    struct scene *scene = *state;
    scene->options.checkpoint_every_s = 1;
    struct ledger *ledger = open_ok(&scene->options);
    ledger_wait(ledger, append_text(ledger, "x"));
    uint64_t size = 0;
    for (int i = 0; i < 500 && kept_newest(scene->folder.path, &size, NULL) != STATUS_OK; i++)
        usleep(10000);
    ledger_close(ledger);
    assert_int_equal(size, 2);
}

/* ---- under load, and killed ---- */

static void *append_and_tell(void *context)
{
    struct ledger *ledger = context;
    for (int i = 0; i < 200; i++) {
        struct checkpoint checkpoint;
        struct error error = {0};
        ledger_wait(ledger, append_text(ledger, "load"));
        if (i % 20 == 0 && ledger_checkpoint(ledger, &checkpoint, NULL, &error) != STATUS_OK)
            return "a checkpoint failed";
    }
    return NULL;
}

/* Every checkpoint that was kept is signed by the key that the log names for its size. */
static void each_kept_is_well_signed(const struct scene *scene, uint64_t entries)
{
    size_t seen = 0;
    for (uint64_t size = 0; size <= entries; size++) {
        struct checkpoint checkpoint;
        if (!file_exists(kept_file(scene, size)))
            continue;
        const struct key_chain_link *link = key_chain_at(scene->chain, size);
        assert_non_null(link);
        if (verdict(kept_file(scene, size), &link->key, &checkpoint) != NOTE_GOOD)
            fail_msg("the checkpoint of %llu is not signed by its key", (unsigned long long)size);
        assert_int_equal(checkpoint.size, size);
        seen++;
    }
    assert_true(seen > 0);
}

static void keys_change_under_load(void **state)
{
    struct scene *scene = *state;
    struct ledger *ledger = open_ok(&scene->options);
    pthread_t threads[2];
    struct ledger_state now;
    void *failed;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_and_tell, ledger), 0);
    for (int i = 0; i < 10; i++) {
        struct note_key fresh;
        assert_status(ledger_key_rotate(ledger, &fresh, NULL), STATUS_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], &failed);
        if (failed != NULL)
            fail_msg("%s", (const char *)failed);
    }
    ledger_state(ledger, &now);
    ledger_keys(ledger, scene->chain);
    ledger_close(ledger);
    assert_int_equal(scene->chain->count, 11);
    each_kept_is_well_signed(scene, now.entries);
}

/* The other end of `opened` is closed when it begins to change keys. */
_Noreturn static void rotate_for_ever(const struct scene *scene, int opened)
{
    struct ledger *ledger = NULL;
    struct note_key fresh;
    if (ledger_open(&scene->options, &ledger, NULL) != STATUS_OK)
        _exit(1);
    close(opened);
    for (int i = 0; i < 15; i++) /* 25 rounds of that are less than a chain can have */
        if (ledger_key_rotate(ledger, &fresh, NULL) != STATUS_OK)
            _exit(2);
    for (;;)
        pause();
}

/* A process that changes keys; returns at once, or once its ledger is open, however slow the
 * machine. */
static pid_t start_rotating(const struct scene *scene, bool wait)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        rotate_for_ever(scene, ends[1]);
    }
    close(ends[1]);
    if (wait)
        assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    return child;
}

/* Whenever it dies, the next start has one key, and it is the one that the log names. */
static void killed_at_any_moment_a_change_is_completed(void **state)
{
    struct scene *scene = *state;
    struct ledger_state now;
    size_t changes = 0;
    for (unsigned i = 0; i < 25; i++) {
        pid_t child = start_rotating(scene, i % 2 == 0);
        usleep(i * 397);
        kill(child, SIGKILL);
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        if (!WIFSIGNALED(how))
            fail_msg("round %u ended with %d", i, WEXITSTATUS(how));
        struct ledger *ledger = open_ok(&scene->options);
        ledger_keys(ledger, scene->chain);
        ledger_state(ledger, &now);
        ledger_close(ledger);
        struct note_key key = vkey_of(scene);
        assert_true(note_key_equal(&key, &scene->chain->links[scene->chain->count - 1].key));
        assert_int_equal(verdict(folder_file(&scene->folder, "checkpoint"), &key, NULL), NOTE_GOOD);
        assert_false(file_exists(scene->next));
        changes = scene->chain->count;
    }
    printf("%zu changes of key\n", changes);
    assert_true(changes > 1);
    each_kept_is_well_signed(scene, now.entries);
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_first_start_makes_a_key_and_says_so),
        IN_SCENE(an_older_log_gets_its_key),
        IN_SCENE(a_key_that_is_not_there_stops_the_start),
        IN_SCENE(a_crash_in_the_first_start_is_completed),
        IN_SCENE(a_hand_over_is_signed_by_both),
        IN_SCENE(a_crash_behind_the_entry_is_completed),
        IN_SCENE(a_crash_before_the_entry_is_forgotten),
        IN_SCENE(a_lost_key_is_replaced_by_word_only),
        IN_SCENE(an_incident_gets_a_checkpoint_of_its_own),
        IN_SCENE(a_log_that_was_put_back_is_found_out),
        IN_SCENE(checkpoints_are_kept_at_an_interval),
        IN_SCENE(keys_change_under_load),
        IN_SCENE(killed_at_any_moment_a_change_is_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
