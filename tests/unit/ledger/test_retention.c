/* Whole old segments go, and the log is still the log: it starts, verifies, is read, backed up and
 * written on; nothing that does not fit to what was dropped passes; each crash on the way is safe.
 */
#include "folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/backup.h"
#include "ledger/retention.h"
#include "ledger/segment.h"
#include "ledger/tile_writer.h"
#include "ledger/tiles.h"
#include "ledger/verify.h"

static const char reason[] = "kept for two years";

struct scene {
    struct test_folder folder;
    char key[160];
    struct ledger_options options;
    struct ledger *ledger;
};

static uint64_t append_row(struct scene *scene, const char *partner)
{
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                 .flags = LEDGER_FLAG_OPENING | LEDGER_FLAG_CLOSING,
                                 .chunk_count = 1,
                                 .outcome = LEDGER_OUTCOME_COMPLETE,
                                 .column_set = 1,
                                 .partner = slice_of_text(partner)};
    uint64_t sequence = 0;
    assert_status(ledger_append(scene->ledger, &entry, slice_of(NULL, 0), &sequence, NULL),
                  STATUS_OK);
    return sequence;
}

static unsigned segment_of(struct ledger *ledger)
{
    struct ledger_state state;
    ledger_state(ledger, &state);
    return (unsigned)state.current_segment;
}

/* Writes until this segment has been begun; one act in eight entries. */
static void fill_to(struct scene *scene, unsigned segment)
{
    for (int i = 0; segment_of(scene->ledger) < segment; i++) {
        wait_for_spare(&scene->folder, scene->ledger);
        uint64_t last = i % 8 == 0 ? append_text(scene->ledger, "an act that stays")
                                   : append_row(scene, "ringway");
        ledger_wait(scene->ledger, last);
    }
}

static void scene_open(struct scene *scene)
{
    scene->ledger = open_ok(&scene->options);
}

static void scene_close(struct scene *scene)
{
    ledger_close(scene->ledger);
    scene->ledger = NULL;
}

/* Four segments, signed, closed. */
static void scene_make(struct scene *scene)
{
    uint32_t id;
    folder_make(&scene->folder);
    snprintf(scene->key, sizeof scene->key, "%s.key", scene->folder.path);
    scene->options = test_options(&scene->folder);
    scene->options.signing_key = scene->key;
    scene_open(scene);
    assert_status(ledger_column_set(scene->ledger, "person.name:clear:name\n", &id, NULL),
                  STATUS_OK);
    fill_to(scene, 4);
    scene_close(scene);
}

static void scene_remove(struct scene *scene)
{
    folder_remove(&scene->folder);
    unlink(scene->key);
}

static void assert_verifies(const struct test_folder *folder, struct verify_report *report)
{
    const struct verify_options options = {.folder = folder->path, .bundles = true};
    struct verify_damage damage = {0};
    struct error error = {0};
    if (ledger_verify(&options, report, &damage, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void assert_damaged(const struct test_folder *folder, const char *check)
{
    const struct verify_options options = {.folder = folder->path};
    struct verify_report report;
    struct verify_damage damage = {0};
    struct error error = {0};
    enum status status = ledger_verify(&options, &report, &damage, &error);
    if (status != STATUS_CORRUPT || strcmp(damage.check, check) != 0)
        fail_msg("%s: %s, not %s", status_name(status), damage.check, check);
}

static void plan_ok(struct scene *scene, uint64_t keep, struct retention_plan *plan)
{
    struct error error = {0};
    const struct retention_wish wish = {
        .before_ns = INT64_MAX, .keep_segments = keep, .reason = reason, .vouched = UINT64_MAX};
    if (retention_plan(scene->folder.path, &wish, plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void drop(struct scene *scene, uint64_t keep, struct retention_plan *plan)
{
    struct error error = {0};
    plan_ok(scene, keep, plan);
    if (retention_drop(scene->ledger, scene->folder.path, plan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static uint64_t count_read(const struct test_folder *folder, uint64_t from, uint64_t *acts,
                           uint64_t *first_row)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error = {0};
    uint64_t sequence, count = 0;
    enum status status;
    *acts = 0;
    *first_row = UINT64_MAX;
    assert_status(ledger_reader_open(folder->path, from, &reader, &error), STATUS_OK);
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, &error)) == STATUS_OK) {
        count++;
        *acts += entry.type == LEDGER_ACT;
        if (entry.type == LEDGER_DISCLOSURE && *first_row == UINT64_MAX)
            *first_row = sequence;
    }
    if (status != STATUS_AGAIN)
        fail_msg("%s", error.message);
    ledger_reader_close(reader);
    return count;
}

static void what_goes_is_stated_and_the_rest_verifies(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct verify_report before, after;
    uint64_t acts, acts_after, first_row;
    scene_make(&scene);
    assert_verifies(&scene.folder, &before);
    count_read(&scene.folder, 0, &acts, &first_row);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    assert_int_equal(plan.segments, 2);
    assert_int_equal(plan.statement.segment, 3);
    assert_false(file_exists(folder_segment(&scene.folder, 1)));
    assert_false(file_exists(folder_segment(&scene.folder, 2)));
    assert_verifies(&scene.folder, &after);
    assert_true(after.entries > before.entries);
    assert_int_equal(after.column_sets, 1);
    assert_int_equal(after.keys, 1);
    assert_int_equal(after.dropped_below, plan.statement.tree.size);
    assert_int_equal(after.dropped, plan.newly);
    assert_string_equal(after.dropped_reason, reason);
    assert_true(after.claims_below > 0);
    uint64_t read = count_read(&scene.folder, 0, &acts_after, &first_row);
    assert_int_equal(read, after.entries - plan.newly);
    assert_int_equal(acts_after, acts);
    assert_true(first_row >= plan.statement.tree.size);
    /* It is written on, a new column set gets a new id, and it goes once more. */
    uint32_t id;
    scene_open(&scene);
    assert_status(ledger_column_set(scene.ledger, "person.name:clear:name\n", &id, NULL),
                  STATUS_OK);
    assert_int_equal(id, 1);
    fill_to(&scene, 6);
    retention_plan_free(&plan);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    assert_int_equal(plan.statement.segment, 5);
    assert_verifies(&scene.folder, &after);
    assert_int_equal(after.dropped, plan.statement.dropped);
    assert_true(plan.statement.dropped > plan.newly);
    retention_plan_free(&plan);
    scene_remove(&scene);
}

static void what_is_dropped_cannot_be_had_unsaid(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct ledger_reader *reader;
    struct ledger_dropped dropped;
    struct ledger_since since;
    struct error error = {0};
    uint8_t root[32];
    scene_make(&scene);
    assert_status(ledger_since(scene.folder.path, &since, &error), STATUS_OK);
    assert_false(since.dropped);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    uint64_t cut = plan.statement.tree.size;
    assert_status(ledger_reader_open(scene.folder.path, 0, &reader, &error), STATUS_OK);
    assert_true(ledger_reader_dropped(reader, &dropped));
    assert_int_equal(dropped.below, cut);
    assert_int_equal(dropped.entries, plan.newly);
    assert_status(ledger_since(scene.folder.path, &since, &error), STATUS_OK);
    assert_true(since.dropped && since.below == cut && since.entries == plan.newly);
    assert_true(since.last_ns == dropped.last_ns && since.since_ns == since.last_ns + 1);
    assert_true(ledger_reader_since(reader) == since_after(since.last_ns));
    assert_status(ledger_reader_whole(reader, "this", &error), STATUS_DENIED);
    ledger_reader_close(reader);
    assert_status(ledger_reader_open(scene.folder.path, cut, &reader, &error), STATUS_OK);
    assert_false(ledger_reader_dropped(reader, &dropped));
    assert_true(ledger_reader_since(reader) == SINCE_EVER);
    assert_status(ledger_reader_whole(reader, "this", &error), STATUS_OK);
    ledger_reader_close(reader);
    assert_status(ledger_root_at(scene.folder.path, cut, root, &error), STATUS_OK);
    assert_status(ledger_root_at(scene.folder.path, cut - 1, root, &error), STATUS_NOT_FOUND);
    retention_plan_free(&plan);
    scene_remove(&scene);
}

static void refusals(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct retention_wish wish = {
        .before_ns = INT64_MAX, .keep_segments = 2, .reason = reason, .vouched = UINT64_MAX};
    scene_make(&scene);
    const char *folder = scene.folder.path;
    wish.keep_segments = 4;
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_NOT_FOUND);
    wish.keep_segments = 0; /* two stay whatever is asked for */
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_OK);
    assert_int_equal(plan.statement.segment, 3);
    uint64_t cut = plan.statement.tree.size;
    retention_plan_free(&plan);
    wish.vouched = cut - 1;
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_OK);
    assert_int_equal(plan.statement.segment, 2);
    retention_plan_free(&plan);
    wish.vouched = 3;
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_NOT_FOUND);
    wish.vouched = UINT64_MAX;
    wish.before_ns = 1;
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_NOT_FOUND);
    wish.before_ns = INT64_MAX;
    wish.reason = "two\nlines";
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_INVALID);
    wish.reason = "";
    assert_status(retention_plan(folder, &wish, &plan, NULL), STATUS_INVALID);
    scene_remove(&scene);
}

/* As the folder was before, with what a crash had written by then. */
static void a_crash_between_any_two_steps_is_safe(void **state)
{
    struct scene scene = {0};
    struct test_folder old;
    struct retention_plan plan;
    struct verify_report report;
    char name[64];
    scene_make(&scene);
    folder_make(&old);
    folder_copy(&scene.folder, &old);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    snprintf(name, sizeof name, "base-%020llu.entries",
             (unsigned long long)plan.statement.tree.size);
    for (int step = 0; step < 3; step++) {
        struct scene crashed = {.options = scene.options};
        folder_make(&crashed.folder);
        folder_copy(&scene.folder, &crashed.folder);
        crashed.options.folder = crashed.folder.path;
        for (unsigned number = step == 2 ? 2 : 1; number <= 2; number++) { /* not yet unlinked */
            struct buffer bytes;
            buffer_init(&bytes, 1 << 20);
            read_whole(folder_segment(&old, number), &bytes);
            write_whole(folder_segment(&crashed.folder, number), buffer_slice(&bytes));
            buffer_free(&bytes);
        }
        if (step == 0) /* the entry, and the carried ones, but no base */
            assert_int_equal(unlink(folder_file(&crashed.folder, "base")), 0);
        assert_verifies(&crashed.folder, &report);
        assert_int_equal(report.dropped_below, step == 0 ? 0 : plan.statement.tree.size);
        scene_open(&crashed);
        scene_close(&crashed);
        assert_verifies(&crashed.folder, &report);
        assert_int_equal(file_exists(folder_segment(&crashed.folder, 1)), step == 0);
        assert_int_equal(file_exists(folder_segment(&crashed.folder, 2)), step == 0);
        folder_remove(&crashed.folder);
    }
    retention_plan_free(&plan);
    folder_remove(&old);
    scene_remove(&scene);
}

static void assert_start_refused(struct scene *scene)
{
    struct ledger *ledger;
    assert_status(ledger_open(&scene->options, &ledger, NULL), STATUS_CORRUPT);
}

static struct slice text_of(const struct buffer *bytes)
{
    struct note note;
    assert_status(note_parse(buffer_slice(bytes), &note, NULL), STATUS_OK);
    return note.text;
}

static void forged_bases_are_found(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct buffer base, carried;
    char name[64];
    scene_make(&scene);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    snprintf(name, sizeof name, "base-%020llu.entries",
             (unsigned long long)plan.statement.tree.size);
    buffer_init(&base, 1 << 20);
    buffer_init(&carried, 1 << 24);
    read_whole(folder_file(&scene.folder, "base"), &base);
    read_whole(folder_file(&scene.folder, name), &carried);
    /* Any byte of the statement, and any of the carried ones. */
    for (size_t i = 0; i < base.len; i += 7) {
        base.data[i] ^= 1;
        write_whole(folder_file(&scene.folder, "base"), buffer_slice(&base));
        assert_damaged(&scene.folder, "base");
        base.data[i] ^= 1;
    }
    write_whole(folder_file(&scene.folder, "base"), buffer_slice(&base));
    for (size_t i = 0; i < carried.len; i += carried.len / 20) {
        carried.data[i] ^= 1;
        write_whole(folder_file(&scene.folder, name), buffer_slice(&carried));
        assert_damaged(&scene.folder, "base");
        assert_start_refused(&scene);
        carried.data[i] ^= 1;
    }
    write_whole(folder_file(&scene.folder, name), buffer_slice(&carried));
    /* The statement as the log has it, but nobody has signed it. */
    write_whole(folder_file(&scene.folder, "base"), text_of(&base));
    assert_damaged(&scene.folder, "base");
    assert_start_refused(&scene);
    /* More is dropped than was stated: the log holds no such entry. */
    struct base_statement more = plan.statement;
    snprintf(more.reason, sizeof more.reason, "something else");
    buffer_clear(&base);
    base_format(&more, &base);
    write_whole(folder_file(&scene.folder, "base"), buffer_slice(&base));
    assert_damaged(&scene.folder, "base");
    assert_start_refused(&scene);
    /* The base is gone: then the segments are missing. */
    assert_int_equal(unlink(folder_file(&scene.folder, "base")), 0);
    assert_damaged(&scene.folder, "segments");
    assert_start_refused(&scene);
    buffer_free(&base);
    buffer_free(&carried);
    retention_plan_free(&plan);
    scene_remove(&scene);
}

static void backups_follow(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct test_folder parent;
    struct backup_report report;
    struct verify_report verified;
    struct error error = {0};
    char old[160], fresh[160], restored[160];
    scene_make(&scene);
    folder_make(&parent);
    snprintf(old, sizeof old, "%s/old", parent.path);
    snprintf(fresh, sizeof fresh, "%s/fresh", parent.path);
    snprintf(restored, sizeof restored, "%s/restored", parent.path);
    assert_status(ledger_backup(scene.folder.path, old, NULL, &report, &error), STATUS_OK);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    if (ledger_backup(scene.folder.path, old, NULL, &report, &error) != STATUS_OK ||
        ledger_backup(scene.folder.path, fresh, NULL, &report, &error) != STATUS_OK ||
        ledger_backup(scene.folder.path, fresh, NULL, &report, &error) != STATUS_OK ||
        ledger_restore(fresh, restored, NULL, NULL, &report, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    /* One that was interrupted when it was begun, before all that makes it one. */
    char path[200];
    snprintf(path, sizeof path, "%s/base", fresh);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/checkpoint", fresh);
    assert_int_equal(unlink(path), 0);
    if (ledger_backup(scene.folder.path, fresh, NULL, &report, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const char *const folders[] = {old, fresh, restored};
    for (size_t i = 0; i < 3; i++) {
        struct test_folder one;
        snprintf(one.path, sizeof one.path, "%.120s", folders[i]);
        assert_verifies(&one, &verified);
        assert_int_equal(verified.dropped_below, plan.statement.tree.size);
        assert_false(file_exists(folder_segment(&one, 1)));
    }
    retention_plan_free(&plan);
    folder_remove(&parent);
    scene_remove(&scene);
}

/* Publishes all that the closed log holds, as its gateway would have, and syncs it. */
static void publish_all(const struct test_folder *folder)
{
    struct tile_writer writer;
    struct ledger_reader *reader;
    struct slice bytes, side;
    struct buffer note;
    uint8_t log_id[16];
    char origin[CHECKPOINT_ORIGIN_ROOM];
    uint64_t sequence;
    assert_status(ledger_log_id(folder->path, log_id, NULL), STATUS_OK);
    checkpoint_origin(log_id, origin);
    if (tile_writer_resume(&writer, folder->path, origin, NULL) != STATUS_OK)
        assert_status(tile_writer_start(&writer, folder->path, origin, NULL), STATUS_OK);
    assert_status(ledger_reader_open(folder->path, writer.bundled, &reader, NULL), STATUS_OK);
    assert_status(ledger_reader_whole(reader, "publishing", NULL), STATUS_OK);
    while (ledger_reader_next_bytes(reader, &sequence, &bytes, &side, NULL) == STATUS_OK)
        assert_status(tile_writer_add(&writer, bytes, NULL), STATUS_OK);
    ledger_reader_close(reader);
    assert_status(tile_writer_flush(&writer, NULL), STATUS_OK);
    buffer_init(&note, NOTE_BYTES_MAX);
    read_whole(folder_file(folder, "checkpoint"), &note);
    assert_status(tile_writer_checkpoint(&writer, buffer_slice(&note), NULL), STATUS_OK);
    assert_status(tile_writer_settle(&writer, NULL), STATUS_OK);
    buffer_free(&note);
    tile_writer_free(&writer);
}

static void tiles_keep_their_hashes_and_go_on(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct verify_report report;
    struct tiles *tiles;
    struct slice entry;
    scene_make(&scene);
    publish_all(&scene.folder);
    scene_open(&scene);
    drop(&scene, 2, &plan);
    scene_close(&scene);
    uint64_t cut = plan.statement.tree.size;
    assert_true(cut > 256);
    for (int round = 0; round < 2; round++) {
        assert_verifies(&scene.folder, &report);
        assert_int_equal(report.claims_below, 0); /* held against the tiles */
        assert_true(report.carried > 0 && report.carried_proven);
        assert_status(tiles_open(scene.folder.path, &tiles, NULL), STATUS_OK);
        assert_status(tiles_entry(tiles, 0, &entry, NULL), STATUS_NOT_FOUND);
        assert_status(tiles_entry(tiles, cut, &entry, NULL), STATUS_OK);
        tiles_close(tiles);
        publish_all(&scene.folder);
    }
    /* A checkpoint of a smaller tree that was not this log's. */
    const struct verify_claim claim = {.size = cut - 1, .source = "elsewhere", .root = {1}};
    const struct verify_options options = {
        .folder = scene.folder.path, .claims = &claim, .claim_count = 1};
    struct verify_damage damage = {0};
    assert_status(ledger_verify(&options, &report, &damage, NULL), STATUS_CORRUPT);
    assert_string_equal(damage.check, "fork");
    retention_plan_free(&plan);
    scene_remove(&scene);
}

/* Who holds the key signs a statement that carries over something else than the log had. */
static void a_carried_entry_that_was_never_written_is_found(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct verify_report report;
    scene_make(&scene);
    publish_all(&scene.folder);
    scene_open(&scene);
    plan_ok(&scene, 2, &plan);
    uint8_t *act = memmem(plan.carried.data, plan.carried.len, "an act that stays", 17);
    assert_non_null(act);
    *act ^= 1;
    const struct slice carried = buffer_slice(&plan.carried);
    crypto_sha256(&carried, 1, plan.statement.carried_hash);
    assert_status(retention_drop(scene.ledger, scene.folder.path, &plan, NULL), STATUS_OK);
    scene_close(&scene);
    assert_damaged(&scene.folder, "base");
    /* Without the tiles nothing but its signature speaks for it, and the verifier says so. */
    char from[200], to[200];
    snprintf(from, sizeof from, "%.100s/tiles", scene.folder.path);
    snprintf(to, sizeof to, "%.100s/elsewhere", scene.folder.path);
    assert_int_equal(rename(from, to), 0);
    assert_verifies(&scene.folder, &report);
    assert_true(report.carried > 0 && !report.carried_proven);
    retention_plan_free(&plan);
    scene_remove(&scene);
}

/* Tiles that lag behind could not be completed any more. */
static void what_is_not_published_stays(void **state)
{
    struct scene scene = {0};
    struct retention_plan plan;
    struct retention_wish wish = {
        .before_ns = INT64_MAX, .keep_segments = 2, .reason = reason, .vouched = UINT64_MAX};
    scene_make(&scene);
    assert_int_equal(mkdir(folder_file(&scene.folder, "tiles"), 0700), 0);
    assert_status(retention_plan(scene.folder.path, &wish, &plan, NULL), STATUS_NOT_FOUND);
    publish_all(&scene.folder);
    assert_status(retention_plan(scene.folder.path, &wish, &plan, NULL), STATUS_OK);
    retention_plan_free(&plan);
    scene_remove(&scene);
}

/* Without a base: the first segment is taken away, and the second one made the first. */
static void a_renumbered_segment_is_no_beginning(void **state)
{
    struct scene scene = {0};
    struct segment_header header;
    struct ledger_reader *reader;
    struct buffer bytes;
    scene_make(&scene);
    buffer_init(&bytes, 1 << 20);
    read_whole(folder_segment(&scene.folder, 4), &bytes);
    assert_true(segment_header_decode(bytes.data, &header));
    header.number = 1;
    segment_header_encode(&header, bytes.data);
    write_whole(folder_segment(&scene.folder, 1), buffer_slice(&bytes));
    for (unsigned number = 2; number <= 4; number++)
        assert_int_equal(unlink(folder_segment(&scene.folder, number)), 0);
    assert_status(ledger_reader_open(scene.folder.path, 0, &reader, NULL), STATUS_CORRUPT);
    assert_status(ledger_reader_open(scene.folder.path, header.first_sequence, &reader, NULL),
                  STATUS_CORRUPT);
    buffer_free(&bytes);
    scene_remove(&scene);
}

struct watching {
    const struct test_folder *folder;
    _Atomic bool stop;
    unsigned verified;
};

static void *keep_verifying(void *context)
{
    struct watching *watching = context;
    const struct verify_options options = {.folder = watching->folder->path};
    do {
        struct verify_report report;
        struct verify_damage damage = {0};
        struct error error = {0};
        if (ledger_verify(&options, &report, &damage, &error) != STATUS_OK) {
            fprintf(stderr, "%s\n", error.message);
            return NULL;
        }
        watching->verified++;
    } while (!atomic_load(&watching->stop));
    return watching;
}

static void whoever_verifies_meanwhile_raises_no_alarm(void **state)
{
    enum { ROUNDS = 4 };
    for (int i = 0; i < ROUNDS; i++) {
        struct scene scene = {0};
        struct retention_plan plan;
        pthread_t thread;
        void *result;
        scene_make(&scene);
        scene_open(&scene);
        struct watching watching = {.folder = &scene.folder};
        assert_int_equal(pthread_create(&thread, NULL, keep_verifying, &watching), 0);
        usleep(1000 * (unsigned)i);
        drop(&scene, 2, &plan);
        usleep(1000);
        atomic_store(&watching.stop, true);
        pthread_join(thread, &result);
        assert_ptr_equal(result, &watching);
        assert_true(watching.verified > 0);
        scene_close(&scene);
        retention_plan_free(&plan);
        scene_remove(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_is_stated_and_the_rest_verifies),
        cmocka_unit_test(what_is_dropped_cannot_be_had_unsaid),
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_crash_between_any_two_steps_is_safe),
        cmocka_unit_test(forged_bases_are_found),
        cmocka_unit_test(backups_follow),
        cmocka_unit_test(tiles_keep_their_hashes_and_go_on),
        cmocka_unit_test(a_carried_entry_that_was_never_written_is_found),
        cmocka_unit_test(what_is_not_published_stays),
        cmocka_unit_test(a_renumbered_segment_is_no_beginning),
        cmocka_unit_test(whoever_verifies_meanwhile_raises_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
