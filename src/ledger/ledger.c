/* The public face: opening, appending, column sets, state. Holds the parts together and owns the
 * folder's lock; the work is in writer.c, keeper.c, recovery.c and column_set.c. */
#include "ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "ledger/base.h"
#include "ledger/column_set.h"
#include "ledger/durable.h"
#include "ledger/entry.h"
#include "ledger/keeper.h"
#include "ledger/publisher.h"
#include "ledger/recovery.h"
#include "ledger/signing.h"
#include "ledger/writer.h"

struct ledger {
    struct arena arena; /* holds this struct and the names */
    struct ledger_options options;
    int lock_fd;
    struct column_sets sets;
    struct key_chain keys; /* from the entries; later guarded by signing's mutex */
    struct signing signing;
    struct writer writer;
    struct keeper keeper;
    struct publisher *publisher; /* NULL: nothing is published */
};

enum {
    ARENA_BYTES = 64 * 1024 + sizeof(struct ledger),
    KEEP_EVERY_S = 3600,
    START_ROOM_BYTES = 1024 * 1024, /* for what a start itself writes: the policy, above all */
};

static enum status check_options(const struct ledger_options *options, struct error *error)
{
    uint64_t size = options->segment_bytes;
    if (strlen(options->folder) >= SEGMENT_FOLDER_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "ledger: the folder's name is too long");
    if (strlen(options->node) > LIMIT_NAME_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "ledger: the node's name is longer than %d bytes", LIMIT_NAME_BYTES);
    if (size % 4096 != 0 || size < SEGMENT_MIN_BYTES || size > SEGMENT_MAX_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "ledger: segment_bytes must be a multiple of 4096 from %d to %d",
                         SEGMENT_MIN_BYTES, SEGMENT_MAX_BYTES);
    const char *reason = options->key_lost;
    if (reason != NULL && (reason[0] == '\0' || strlen(reason) > KEY_CHANGE_REASON_BYTES ||
                           !text_is_plain(slice_of_text(reason))))
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "ledger: a reason is one line of at most %d bytes",
                         KEY_CHANGE_REASON_BYTES);
    return STATUS_OK;
}

static enum status ledger_new(const struct ledger_options *options, struct ledger **ledger,
                              struct error *error)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    struct ledger *made = arena_new(&arena, struct ledger);
    const char *folder = arena_strdup(&arena, options->folder);
    const char *node = arena_strdup(&arena, options->node == NULL ? "" : options->node);
    if (made == NULL || arena.overflowed) {
        arena_free(&arena);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the ledger");
    }
    made->arena = arena;
    made->options = *options;
    made->options.folder = folder;
    made->options.node = node;
    if (made->options.segment_bytes == 0)
        made->options.segment_bytes = SEGMENT_DEFAULT_BYTES;
    made->lock_fd = -1;
    column_sets_init(&made->sets);
    *ledger = made;
    return STATUS_OK;
}

static void ledger_free(struct ledger *ledger)
{
    struct arena arena = ledger->arena;
    column_sets_free(&ledger->sets);
    if (ledger->lock_fd >= 0)
        close(ledger->lock_fd);
    arena_free(&arena);
}

static enum status lock_folder(struct ledger *ledger, struct error *error)
{
    char path[SEGMENT_PATH_BYTES];
    const char *folder = ledger->options.folder;
    snprintf(path, sizeof path, "%.*s/lock", SEGMENT_FOLDER_BYTES, folder);
    ledger->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, SEGMENT_FILE_MODE);
    if (ledger->lock_fd < 0)
        return error_set_errno(error, errno, "%s", path);
    if (flock(ledger->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno == EWOULDBLOCK)
        return error_set(error, STATUS_DENIED, "55006", "Stop the other gateway first.",
                         "%.300s: the ledger is in use by another process", folder);
    return error_set_errno(error, errno, "%s", path);
}

static enum status visit(void *context, uint64_t sequence, const struct ledger_entry *entry,
                         struct slice side, uint64_t segment, struct error *error)
{
    struct ledger *ledger = context;
    const struct ledger_options *options = &ledger->options;
    if (entry->type == LEDGER_COLUMN_SET)
        TRY(column_sets_replay(&ledger->sets, entry->column_set, entry->text, error));
    if (entry->type == LEDGER_KEY)
        TRY(key_chain_add(&ledger->keys, sequence, entry->time_ns, entry->text, error));
    if (options->replay == NULL)
        return STATUS_OK;
    return options->replay(options->replay_context, sequence, entry, side, segment, error);
}

/* The ledger's own bytes of the entry, with what only it knows filled in. */
static enum status submit(struct ledger *ledger, const struct ledger_entry *entry,
                          struct slice side, bool reserved, uint64_t *sequence, struct error *error)
{
    struct ledger_entry full = *entry;
    struct buffer bytes;
    uint8_t leaf[MERKLE_HASH_BYTES];
    full.node = slice_of_text(ledger->options.node);
    full.epoch = ledger->options.epoch;
    if (full.time_ns == 0)
        full.time_ns = clock_now_ns();
    buffer_init(&bytes, LIMIT_LEDGER_ENTRY_BYTES);
    enum status status = ledger_entry_encode(&full, &bytes, error);
    if (status == STATUS_OK) {
        merkle_leaf(buffer_slice(&bytes), leaf);
        status = writer_submit(&ledger->writer, buffer_slice(&bytes), side, leaf, reserved,
                               sequence, error);
    }
    buffer_free(&bytes);
    return status;
}

/* Best effort on a full disk: what the entry tells also stands in the log. */
static void record_recovery(struct ledger *ledger, const struct recovered *recovered)
{
    char text[128];
    struct error error = {0};
    uint64_t sequence;
    snprintf(text, sizeof text, "segment %" PRIu64 ", byte %" PRIu64 ", dropped %" PRIu64,
             recovered->tail.number, recovered->offset, recovered->dropped_bytes);
    struct ledger_entry entry = {.type = LEDGER_RECOVERED, .text = slice_of_text(text)};
    crypto_random(entry.uuid, sizeof entry.uuid);
    if (submit(ledger, &entry, slice_of(NULL, 0), true, &sequence, &error) == STATUS_OK)
        writer_wait(&ledger->writer, sequence);
    else
        log_event(LOG_ERROR, "ledger_recovery_not_recorded", "error=\"%s\"", error.message);
}

/* The first appends must find room: where the tail is nearly full, its successor is made now and
 * not by the keeper. On a full disk they are refused, as ever. */
static void make_room(const struct ledger_options *options, struct recovered *recovered)
{
    struct error error = {0};
    if (recovered->spare_ready ||
        recovered->tail.size_bytes - recovered->offset >= START_ROOM_BYTES)
        return;
    recovered->spare_ready = segment_make_spare(options->folder, recovered->tail.number + 1,
                                                options->segment_bytes, &error) == STATUS_OK;
    if (!recovered->spare_ready)
        log_event(LOG_ERROR, "ledger_no_spare", "error=\"%s\"", error.message);
}

/* ---- what signing needs of the log ---- */

static enum status append_key(void *context, struct slice text, struct error *error)
{
    struct ledger *ledger = context;
    struct ledger_entry entry = {
        .type = LEDGER_KEY, .chunk_count = 1, .time_ns = clock_now_ns(), .text = text};
    uint64_t sequence;
    crypto_random(entry.uuid, sizeof entry.uuid);
    TRY(submit(ledger, &entry, slice_of(NULL, 0), false, &sequence, error));
    writer_wait(&ledger->writer, sequence);
    CHECK(key_chain_add(&ledger->keys, sequence, entry.time_ns, text, error) == STATUS_OK);
    return STATUS_OK;
}

static void tell_progress(void *context, struct checkpoint *progress)
{
    struct ledger *ledger = context;
    pthread_mutex_lock(&ledger->writer.mutex);
    *progress = ledger->writer.progress;
    pthread_mutex_unlock(&ledger->writer.mutex);
}

/* The name that keys of this log have; nothing yet where there is no log. */
static enum status start_keys(struct ledger *ledger, struct error *error)
{
    uint8_t log_id[SEGMENT_ID_BYTES];
    char origin[CHECKPOINT_ORIGIN_ROOM];
    enum status status = log_id_read(ledger->options.folder, log_id, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* made, or refused, by recovery: there is no entry to be read */
    TRY(status);
    checkpoint_origin(log_id, origin);
    key_chain_start(&ledger->keys, origin);
    return STATUS_OK;
}

/* ---- opening ---- */

static enum status run_writer(struct ledger *ledger, struct recovered *recovered,
                              struct error *error)
{
    const struct ledger_options *options = &ledger->options;
    const struct signing_log log = {
        .append = append_key, .progress = tell_progress, .context = ledger};
    uint32_t keep_every_s =
        options->checkpoint_every_s == 0 ? KEEP_EVERY_S : options->checkpoint_every_s;
    make_room(options, recovered);
    enum status status = writer_start(&ledger->writer, options->folder, options, recovered, error);
    if (status != STATUS_OK) {
        close(recovered->fd);
        return status;
    }
    if (recovered->unclean)
        record_recovery(ledger, recovered);
    status = signing_settle(&ledger->signing, &log, error);
    if (status == STATUS_OK)
        status =
            keeper_start(&ledger->keeper, &ledger->writer, &ledger->signing, keep_every_s, error);
    if (status != STATUS_OK) {
        writer_stop(&ledger->writer);
        return status;
    }
    if (options->publish_ms == 0)
        return STATUS_OK;
    status = publisher_start(options->folder, ledger->writer.log_id, options->publish_ms,
                             options->signing_key != NULL, &ledger->publisher, error);
    if (status != STATUS_OK) {
        keeper_stop(&ledger->keeper);
        writer_stop(&ledger->writer);
    }
    return status;
}

/* Where the oldest segments were dropped: one of the log's keys has signed it. Only then goes what
 * a crash has left of them. */
static enum status settle_base(const struct ledger *ledger, const uint8_t *log_id,
                               struct error *error)
{
    struct base base;
    const char *folder = ledger->options.folder;
    enum status status = base_open(folder, log_id, &base, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    bool is_signed = ledger->keys.count == 0;
    for (size_t i = 0; i < ledger->keys.count && !is_signed; i++)
        is_signed = base_is_signed(&base, &ledger->keys.links[i].key);
    status = is_signed ? base_sweep(folder, &base.statement, error)
                       : error_set(error, STATUS_CORRUPT, "XX001",
                                   "Restore the file from a replica or a backup.",
                                   "%.300s/base: no key of this log has signed it", folder);
    base_close(&base);
    return status;
}

static enum status start(struct ledger *ledger, struct error *error)
{
    const struct ledger_options *options = &ledger->options;
    struct recovered recovered = {.fd = -1};
    TRY(check_options(options, error));
    TRY(file_make_folder(options->folder, 0750, error));
    TRY(lock_folder(ledger, error));
    TRY(start_keys(ledger, error));
    TRY(recovery_run(options->folder, options->segment_bytes, options->epoch, visit, ledger,
                     &recovered, error));
    if (ledger->keys.count == 0)
        TRY(start_keys(ledger, error));
    enum status status = settle_base(ledger, recovered.log_id, error);
    if (status != STATUS_OK) {
        close(recovered.fd);
        return status;
    }
    status = signing_open(&ledger->signing, options->folder, options->signing_key,
                          options->key_lost, recovered.log_id, &ledger->keys, error);
    if (status != STATUS_OK)
        close(recovered.fd);
    else
        status = run_writer(ledger, &recovered, error);
    if (status != STATUS_OK)
        signing_close(&ledger->signing);
    return status;
}

enum status ledger_open(const struct ledger_options *options, struct ledger **ledger,
                        struct error *error)
{
    struct ledger *made = NULL;
    TRY(ledger_new(options, &made, error));
    enum status status = start(made, error);
    if (status != STATUS_OK) {
        ledger_free(made);
        return status;
    }
    *ledger = made;
    return STATUS_OK;
}

/* What the last checkpoint says is what a later start will insist on. */
static void write_last_checkpoint(struct ledger *ledger, const struct checkpoint *last)
{
    struct error error = {0};
    const struct signing_order order = {.given = last, .keep = true};
    if (signing_publish(&ledger->signing, &order, &error) != STATUS_OK)
        log_event(LOG_ERROR, "ledger_checkpoint_failed", "error=\"%s\"", error.message);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    keeper_stop(&ledger->keeper);
    writer_stop(&ledger->writer);
    write_last_checkpoint(ledger, &ledger->writer.progress);
    publisher_stop(ledger->publisher);
    signing_close(&ledger->signing);
    ledger_free(ledger);
}

enum status ledger_append(struct ledger *ledger, const struct ledger_entry *entry,
                          struct slice side, uint64_t *sequence, struct error *error)
{
    return submit(ledger, entry, side, false, sequence, error);
}

uint64_t ledger_durable(const struct ledger *ledger)
{
    return atomic_load_explicit(&ledger->writer.durable, memory_order_acquire);
}

void ledger_wait(struct ledger *ledger, uint64_t sequence)
{
    writer_wait(&ledger->writer, sequence);
}

void ledger_subscribe(struct ledger *ledger, void (*fn)(void *context), void *context)
{
    writer_subscribe(&ledger->writer, fn, context);
}

static enum status define(void *context, uint32_t id, const char *text, struct error *error)
{
    struct ledger *ledger = context;
    struct ledger_entry entry = {
        .type = LEDGER_COLUMN_SET, .column_set = id, .text = slice_of_text(text)};
    uint64_t sequence;
    crypto_random(entry.uuid, sizeof entry.uuid);
    return submit(ledger, &entry, slice_of(NULL, 0), false, &sequence, error);
}

enum status ledger_column_set(struct ledger *ledger, const char *canonical, uint32_t *id,
                              struct error *error)
{
    return column_sets_id(&ledger->sets, canonical, define, ledger, id, error);
}

const char *ledger_column_set_text(struct ledger *ledger, uint32_t id)
{
    return column_sets_text(&ledger->sets, id);
}

void ledger_state(struct ledger *ledger, struct ledger_state *state)
{
    struct writer *writer = &ledger->writer;
    pthread_mutex_lock(&writer->mutex);
    *state = (struct ledger_state){.entries = writer->progress.size,
                                   .segments = writer->segments,
                                   .bytes = writer->bytes,
                                   .syncs = writer->syncs,
                                   .current_segment = writer->frames[writer->open].segment,
                                   .full = writer->full};
    memcpy(state->root, writer->progress.root, sizeof state->root);
    pthread_mutex_unlock(&writer->mutex);
}

enum status ledger_checkpoint(struct ledger *ledger, struct checkpoint *checkpoint,
                              struct buffer *note, struct error *error)
{
    const struct signing_order order = {.keep = true, .note = note, .checkpoint = checkpoint};
    return signing_publish(&ledger->signing, &order, error);
}

void ledger_sign(struct ledger *ledger, struct slice text, struct buffer *note)
{
    signing_note(&ledger->signing, text, note);
}

enum status ledger_key_rotate(struct ledger *ledger, struct note_key *fresh, struct error *error)
{
    return signing_rotate(&ledger->signing, fresh, error);
}

void ledger_keys(struct ledger *ledger, struct key_chain *chain)
{
    pthread_mutex_lock(&ledger->signing.mutex);
    *chain = ledger->keys;
    pthread_mutex_unlock(&ledger->signing.mutex);
}
