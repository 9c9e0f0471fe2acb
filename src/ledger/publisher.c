/* A round reads the checkpoint first and the entries up to its size then, so it always has an end.
 * Between rounds the reader and the edge of the tree stay; after a failure both are made anew from
 * what is on disk, as at a start. */
#include "ledger/publisher.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "ledger/tile_writer.h"
#include "ledger/writer.h"

enum { NICENESS = 10, LOOK_ENTRIES = 4096 };

static const int64_t second_ns = 1000000000;
static const int64_t settle_ns =
    60 * second_ns; /* about what a start after a power cut does again */
static const int64_t last_round_ns = 10 * second_ns;

struct publisher {
    const char *folder;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    int64_t every_ns;
    bool is_signed;
    pthread_t thread;

    pthread_mutex_t mutex; /* of stopping */
    pthread_cond_t wake;
    bool stopping;

    /* The thread's own. */
    struct tile_writer writer;
    struct ledger_reader *reader; /* NULL: nothing taken up yet */
    struct checkpoint published;  /* what tiles/checkpoint says; size UINT64_MAX: there is none */
    int64_t next_settle_ns, until_ns;
    bool contradicted;
    bool failed; /* told once, until a round succeeds */
};

static enum status contradiction(struct publisher *publisher, struct error *error, const char *what)
{
    publisher->contradicted = true;
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "Find out why the log was changed. The tiles are evidence: move tiles and "
                     "tiles.synced elsewhere, then start again.",
                     "%.300s/tiles contradict the log: %s", publisher->folder, what);
}

static void drop(struct publisher *publisher)
{
    if (publisher->reader == NULL)
        return;
    ledger_reader_close(publisher->reader);
    publisher->reader = NULL;
    tile_writer_free(&publisher->writer);
}

/* What stands in tiles/checkpoint has been promised to whoever has read it. A file that a power cut
 * has torn promises nothing, and is replaced. */
static enum status read_published(struct publisher *publisher, uint64_t size, struct error *error)
{
    struct tiles *tiles;
    publisher->published.size = UINT64_MAX;
    enum status status = tiles_open(publisher->folder, &tiles, error);
    bool is_torn = status == STATUS_INVALID || status == STATUS_CORRUPT;
    if (is_torn)
        log_event(LOG_WARNING, "ledger_tiles_checkpoint_torn", "error=\"%s\"", error->message);
    if (status == STATUS_NOT_FOUND || is_torn)
        return STATUS_OK;
    TRY(status);
    bool is_ours = strcmp(tiles_origin(tiles), publisher->origin) == 0;
    publisher->published = *tiles_checkpoint(tiles);
    tiles_close(tiles);
    if (!is_ours)
        return contradiction(publisher, error, "they are another log's");
    if (publisher->published.size > size)
        return contradiction(publisher, error, "they hold more entries than it");
    return STATUS_OK;
}

static enum status take_up(struct publisher *publisher, uint64_t size, struct error *error)
{
    struct tile_writer *writer = &publisher->writer;
    struct error why = {0};
    TRY(read_published(publisher, size, error));
    enum status status = tile_writer_resume(writer, publisher->folder, publisher->origin, &why);
    if (status != STATUS_OK) {
        if (status != STATUS_NOT_FOUND)
            log_event(LOG_WARNING, "ledger_tiles_made_anew", "reason=\"%s\"", why.message);
        TRY(tile_writer_start(writer, publisher->folder, publisher->origin, error));
    }
    if (writer->size > size) {
        tile_writer_free(writer);
        return contradiction(publisher, error, "they hold more entries than it");
    }
    struct ledger_reader *reader;
    status = ledger_reader_open(publisher->folder, writer->bundled, &reader, error);
    if (status != STATUS_OK) {
        tile_writer_free(writer);
        return status;
    }
    ledger_reader_leave_tree(reader);
    status = ledger_reader_whole(reader, "making the tiles anew", error);
    if (status != STATUS_OK) {
        ledger_reader_close(reader);
        tile_writer_free(writer);
        return status;
    }
    publisher->reader = reader;
    publisher->next_settle_ns = clock_monotonic_ns() + settle_ns;
    return STATUS_OK;
}

/* The tree at hand has the size of this checkpoint: are they one? */
static enum status compare(struct publisher *publisher, const struct checkpoint *checkpoint,
                           struct error *error)
{
    uint8_t root[CHECKPOINT_HASH_BYTES];
    tile_writer_root(&publisher->writer, root);
    if (memcmp(root, checkpoint->root, sizeof root) == 0)
        return STATUS_OK;
    return contradiction(publisher, error, "the roots differ where a checkpoint names one");
}

static enum status settle(struct publisher *publisher, struct error *error)
{
    publisher->next_settle_ns = clock_monotonic_ns() + settle_ns;
    return tile_writer_settle(&publisher->writer, error);
}

/* Up to size entries. *reached is false where the last round's time was up before. */
static enum status catch_up(struct publisher *publisher, uint64_t size, bool *reached,
                            struct error *error)
{
    struct tile_writer *writer = &publisher->writer;
    struct slice bytes, side;
    uint64_t sequence;
    *reached = false;
    while (writer->bundled < size) {
        enum status status =
            ledger_reader_next_bytes(publisher->reader, &sequence, &bytes, &side, error);
        if (status == STATUS_AGAIN)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "%.300s: the log is shorter than its checkpoint", publisher->folder);
        TRY(status);
        TRY(tile_writer_add(writer, bytes, error));
        if (writer->bundled == publisher->published.size)
            TRY(compare(publisher, &publisher->published, error));
        if (writer->bundled % LOOK_ENTRIES != 0 || writer->bundled != writer->size)
            continue;
        int64_t now = clock_monotonic_ns();
        if (publisher->until_ns != 0 && now >= publisher->until_ns)
            return STATUS_OK;
        if (now >= publisher->next_settle_ns)
            TRY(settle(publisher, error));
    }
    *reached = true;
    return STATUS_OK;
}

/* The keeper's checkpoint: its bytes, and what they say. */
static enum status read_checkpoint(const struct publisher *publisher, struct buffer *bytes,
                                   struct checkpoint *checkpoint, bool *has_signature,
                                   struct error *error)
{
    char path[SEGMENT_PATH_BYTES + 16], origin[CHECKPOINT_ORIGIN_ROOM];
    struct note note;
    snprintf(path, sizeof path, "%s/checkpoint", publisher->folder);
    TRY(file_read(path, bytes, error));
    *has_signature = note_parse(buffer_slice(bytes), &note, NULL) == STATUS_OK;
    return checkpoint_parse(*has_signature ? note.text : buffer_slice(bytes), origin, checkpoint,
                            error);
}

static enum status publish(struct publisher *publisher, struct slice note,
                           const struct checkpoint *checkpoint, struct error *error)
{
    bool reached;
    if (publisher->reader == NULL)
        TRY(take_up(publisher, checkpoint->size, error));
    if (checkpoint->size == publisher->published.size) /* a witness may have added to it */
        return memcmp(checkpoint->root, publisher->published.root, sizeof checkpoint->root) == 0
                   ? STATUS_OK
                   : contradiction(publisher, error, "of one size, they have another root");
    TRY(catch_up(publisher, checkpoint->size, &reached, error));
    if (!reached)
        return STATUS_OK;
    TRY(compare(publisher, checkpoint, error));
    TRY(tile_writer_flush(&publisher->writer, error));
    TRY(tile_writer_checkpoint(&publisher->writer, note, error));
    publisher->published = *checkpoint;
    if (clock_monotonic_ns() >= publisher->next_settle_ns)
        return settle(publisher, error);
    return STATUS_OK;
}

static void tell(struct publisher *publisher, enum status status, const struct error *error)
{
    if (status != STATUS_OK && !publisher->failed)
        log_event(LOG_ERROR, "ledger_tiles_failed", "error=\"%s\" hint=\"%s\"", error->message,
                  error->hint);
    if (status == STATUS_OK && publisher->failed)
        log_event(LOG_INFO, "ledger_tiles", "entries=%" PRIu64, publisher->published.size);
    publisher->failed = status != STATUS_OK;
}

static void publish_round(struct publisher *publisher)
{
    struct error error = {0};
    struct buffer bytes;
    struct checkpoint checkpoint;
    bool has_signature;
    if (publisher->contradicted)
        return;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    enum status status = read_checkpoint(publisher, &bytes, &checkpoint, &has_signature, &error);
    /* A log that has just been made has a checkpoint before it has a key. */
    if (status == STATUS_OK && (has_signature || !publisher->is_signed))
        status = publish(publisher, buffer_slice(&bytes), &checkpoint, &error);
    buffer_free(&bytes);
    if (status != STATUS_OK)
        drop(publisher);
    tell(publisher, status, &error);
}

/* True once it is to stop. */
static bool rest(struct publisher *publisher)
{
    int64_t until = clock_monotonic_ns() + publisher->every_ns;
    const struct timespec deadline = {.tv_sec = until / second_ns, .tv_nsec = until % second_ns};
    int timed = 0;
    pthread_mutex_lock(&publisher->mutex);
    while (!publisher->stopping && timed == 0)
        timed = pthread_cond_timedwait(&publisher->wake, &publisher->mutex, &deadline);
    bool stopping = publisher->stopping;
    pthread_mutex_unlock(&publisher->mutex);
    return stopping;
}

/* After an orderly stop nothing has to be written again, and old entries can go. */
static void settle_last(struct publisher *publisher)
{
    struct error error = {0};
    if (publisher->reader != NULL && publisher->writer.settled != publisher->writer.size)
        tell(publisher, settle(publisher, &error), &error);
}

static void *run(void *context)
{
    struct publisher *publisher = context;
    /* Commits come first; if it cannot be had, publishing is merely less polite. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    do {
        publish_round(publisher);
    } while (!rest(publisher));
    publisher->until_ns = clock_monotonic_ns() + last_round_ns;
    publish_round(publisher);
    settle_last(publisher);
    drop(publisher);
    return NULL;
}

enum status publisher_start(const char *folder,
                            const uint8_t log_id[static CHECKPOINT_LOG_ID_BYTES], uint32_t every_ms,
                            bool is_signed, struct publisher **publisher, struct error *error)
{
    pthread_condattr_t monotonic;
    struct publisher *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to publish the ledger");
    made->folder = folder;
    made->is_signed = is_signed;
    made->every_ns = (int64_t)every_ms * 1000000;
    checkpoint_origin(log_id, made->origin);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum status status = writer_thread(&made->thread, run, made, error);
    if (status != STATUS_OK) {
        pthread_cond_destroy(&made->wake);
        pthread_mutex_destroy(&made->mutex);
        free(made);
        return status;
    }
    *publisher = made;
    return STATUS_OK;
}

void publisher_stop(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    pthread_mutex_lock(&publisher->mutex);
    publisher->stopping = true;
    pthread_cond_signal(&publisher->wake);
    pthread_mutex_unlock(&publisher->mutex);
    pthread_join(publisher->thread, NULL);
    pthread_cond_destroy(&publisher->wake);
    pthread_mutex_destroy(&publisher->mutex);
    free(publisher);
}
