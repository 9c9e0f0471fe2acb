/* Opening, adding, folding; see index_live.h. */
#include "exposure/index_live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "exposure/index_build.h"
#include "ledger/ledger.h"

enum {
    WATCH_SECONDS = 2,
    WAIT_DURABLE_US = 1000,
    WAIT_DURABLE_TIMES = 10000,
    WAIT_FOLD_US = 100000,
    WAIT_FOLD_TIMES = 600
};

/* ---- opening and closing ---- */

static int64_t today(void)
{
    return index_hour_of(clock_now_ns()) / 24;
}

enum status index_new(struct index **out, struct error *error)
{
    struct index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return error_no_memory(error);
    name_pool_init(&index->pool);
    pthread_rwlock_init(&index->swap, NULL);
    pthread_rwlockattr_t patient; /* a fold must get in between additions without end */
    pthread_rwlockattr_init(&patient);
    pthread_rwlockattr_setkind_np(&patient, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&index->gate, &patient);
    pthread_rwlockattr_destroy(&patient);
    pthread_mutex_init(&index->watch_lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&index->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    index->folded_day = today();
    index->soft = INDEX_TAIL_SOFT;
    index->most = INDEX_TAIL_MOST;
    enum status status = tail_new(&index->pool, &index->current, error);
    if (status == STATUS_OK)
        *out = index;
    else
        index_free(index);
    return status;
}

static void stop_thread(struct index *index)
{
    if (!index->runs)
        return;
    pthread_mutex_lock(&index->watch_lock);
    index->stopping = true;
    pthread_cond_signal(&index->wake);
    pthread_mutex_unlock(&index->watch_lock);
    pthread_join(index->thread, NULL);
}

void index_free(struct index *index)
{
    if (index == NULL)
        return;
    stop_thread(index);
    tail_free(index->current);
    tail_free(index->closing);
    shelf_close(index->shelf);
    for (size_t i = 0; i < index->text_count; i++)
        free(index->texts[i]);
    free(index->texts);
    pthread_cond_destroy(&index->wake);
    pthread_mutex_destroy(&index->watch_lock);
    pthread_rwlock_destroy(&index->gate);
    pthread_rwlock_destroy(&index->swap);
    name_pool_free(&index->pool);
    free(index);
}

static enum status name_folders(struct index *index, const char *folder, const char *ledger_folder,
                                struct error *error)
{
    size_t room = sizeof index->folder;
    if (snprintf(index->folder, room, "%s", folder) >= (int)room ||
        snprintf(index->ledger_folder, room, "%s", ledger_folder) >= (int)room)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    index->has_folder = true;
    return STATUS_OK;
}

/* The shelf on disk if it is whole and of this ledger; NULL, with the rest thrown away, if not. The
 * folder is locked. */
static enum status trusted_shelf(struct index *index, struct shelf **out, struct error *error)
{
    struct shelf *shelf = NULL;
    struct error why = {0};
    enum status status = shelf_open(index->folder, &index->pool, &shelf, &why);
    if (status == STATUS_OK)
        status = index_shelf_matches(shelf, index->ledger_folder, &why);
    if (status == STATUS_OK) {
        *out = shelf;
        return STATUS_OK;
    }
    shelf_close(shelf);
    *out = NULL;
    if (status != STATUS_NOT_FOUND && status != STATUS_CORRUPT) {
        if (error != NULL)
            *error = why;
        return status;
    }
    if (status == STATUS_CORRUPT)
        log_event(LOG_WARNING, "exposure_index_thrown_away", "reason=\"%s\"", why.message);
    return index_discard(index->folder, error);
}

static bool ledger_is_there(const struct index *index)
{
    uint8_t log_id[INDEX_LOG_BYTES];
    struct error ignored = {0};
    return ledger_log_id(index->ledger_folder, log_id, &ignored) != STATUS_NOT_FOUND;
}

/* Takes over what a build has come to. Locks both. */
static void take_shelf(struct index *index, struct shelf *shelf, const struct ledger_since *since,
                       bool drops_closing)
{
    pthread_rwlock_wrlock(&index->swap);
    pthread_rwlock_wrlock(&index->gate);
    struct shelf *old = index->shelf;
    struct tail *dropped = drops_closing ? index->closing : NULL;
    index->shelf = shelf;
    index->since = *since;
    if (drops_closing)
        index->closing = NULL;
    atomic_store(&index->base, shelf->manifest.sequence);
    if (atomic_load(&index->lost_end) <= shelf->manifest.sequence)
        atomic_store(&index->lost_end, 0);
    pthread_rwlock_unlock(&index->gate);
    pthread_rwlock_unlock(&index->swap);
    shelf_close(old);
    tail_free(dropped);
}

/* Opening a shelf looks at the file of all time alone: where a fold meets damage in another one,
 * all are made anew. The folder is locked. */
static enum status build_all(struct index_build *build, struct error *error)
{
    struct error why = {0};
    enum status status = index_build_run(build, UINT64_MAX, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (!build->damaged) {
        if (error != NULL)
            *error = why;
        return status;
    }
    log_event(LOG_WARNING, "exposure_index_thrown_away", "reason=\"%s\"", why.message);
    shelf_close(build->shelf);
    build->shelf = NULL;
    TRY(index_discard(build->folder, error));
    return index_build_run(build, UINT64_MAX, error);
}

static enum status catch_up(struct index *index, struct error *error)
{
    int lock = -1;
    struct ledger_since since;
    struct index_build build = {
        .folder = index->folder, .ledger_folder = index->ledger_folder, .pool = &index->pool};
    TRY(file_make_folder(index->folder, 0700, error));
    TRY(index_lock(index->folder, true, &lock, error));
    enum status status = trusted_shelf(index, &build.shelf, error);
    if (status == STATUS_OK && ledger_is_there(index))
        status = build_all(&build, error);
    if (status == STATUS_OK)
        status = ledger_since(index->ledger_folder, &since, error);
    if (status == STATUS_OK && build.shelf != NULL)
        take_shelf(index, build.shelf, &since, false);
    else
        shelf_close(build.shelf);
    close(lock);
    return status;
}

enum status index_open(const char *folder, const char *ledger_folder, struct index **out,
                       struct error *error)
{
    struct index *index = NULL;
    TRY(index_new(&index, error));
    enum status status = name_folders(index, folder, ledger_folder, error);
    if (status == STATUS_OK)
        status = catch_up(index, error);
    if (status == STATUS_OK)
        *out = index;
    else
        index_free(index);
    return status;
}

/* ---- reading beside the gateway ---- */

static enum status copy_text(struct index *index, struct slice text, struct error *error)
{
    char **grown = realloc(index->texts, (index->text_count + 1) * sizeof *grown);
    if (grown == NULL)
        return error_no_memory(error);
    index->texts = grown;
    index->texts[index->text_count] = strndup((const char *)text.data, text.len);
    return index->texts[index->text_count++] == NULL ? error_no_memory(error) : STATUS_OK;
}

static enum status copy_texts(struct index *index, struct error *error)
{
    struct shelf *shelf = index->shelf;
    uint32_t first_id;
    struct slice text;
    for (size_t i = 0; shelf != NULL && i < index_file_texts(shelf->ever); i++) {
        TRY(index_file_text(shelf->ever, i, &text, error));
        TRY(copy_text(index, text, error));
    }
    size_t count = tail_texts(index->current, &first_id);
    for (size_t i = 0; i < count; i++)
        TRY(copy_text(index, tail_text(index->current, i), error));
    return STATUS_OK;
}

static enum status read_all(struct index *index, struct error *error)
{
    struct index_end end = {0};
    uint64_t disclosures = 0;
    index->shelf = index_shelf_of(index->folder, index->ledger_folder, &index->pool);
    if (index->shelf != NULL)
        end.sequence = index->shelf->manifest.sequence;
    TRY(index_read_entries(index->ledger_folder, UINT64_MAX, INDEX_READ_MOST, index->current, NULL,
                           &end, &disclosures, error));
    if (tail_bytes(index->current) >= INDEX_READ_MOST)
        return error_set(error, STATUS_LIMIT, "54000", "cofferdam exposure rebuild",
                         "the exposure index is missing or too far behind the ledger");
    TRY(ledger_since(index->ledger_folder, &index->since, error));
    return copy_texts(index, error);
}

enum status index_open_reading(const char *folder, const char *ledger_folder, struct index **out,
                               struct error *error)
{
    struct index *index = NULL;
    TRY(index_new(&index, error));
    enum status status = name_folders(index, folder, ledger_folder, error);
    if (status == STATUS_OK)
        status = read_all(index, error);
    if (status == STATUS_OK)
        *out = index;
    else
        index_free(index);
    return status;
}

const char *index_column_text(struct index *index, uint32_t id)
{
    return id >= 1 && id <= index->text_count ? index->texts[id - 1] : NULL;
}

/* ---- adding ---- */

static void wake_thread(struct index *index)
{
    pthread_mutex_lock(&index->watch_lock);
    pthread_cond_signal(&index->wake);
    pthread_mutex_unlock(&index->watch_lock);
}

/* True while the tail takes more. The gate is held. */
static bool has_room(struct index *index, uint64_t sequence)
{
    size_t bytes = tail_bytes(index->current);
    if (!index->has_folder ||
        bytes + (index->closing == NULL ? 0 : tail_bytes(index->closing)) < index->most)
        return true;
    uint64_t end = atomic_load(&index->lost_end);
    while (end <= sequence && !atomic_compare_exchange_weak(&index->lost_end, &end, sequence + 1))
        ;
    return false;
}

void index_add(struct index *index, const struct index_place *place, int64_t time_ns,
               const uint32_t *ids, size_t count)
{
    bool large = false;
    if (count == 0)
        return;
    pthread_rwlock_rdlock(&index->gate);
    bool told = index->shelf != NULL && place->sequence < atomic_load(&index->base);
    if (!told && has_room(index, place->sequence)) {
        size_t before = tail_bytes(index->current);
        tail_add(index->current, place, (int32_t)index_hour_of(time_ns), ids, count);
        large = before < index->soft && tail_bytes(index->current) >= index->soft;
    }
    pthread_rwlock_unlock(&index->gate);
    if (large)
        wake_thread(index);
}

void index_add_column_set(struct index *index, struct slice name, uint32_t column_set,
                          uint64_t sequence)
{
    pthread_rwlock_rdlock(&index->gate);
    tail_reach(index->current, sequence);
    tail_add_column_set(index->current, name, column_set);
    pthread_rwlock_unlock(&index->gate);
}

void index_add_deletion(struct index *index, struct slice name, int64_t before_ns,
                        uint64_t sequence)
{
    pthread_rwlock_rdlock(&index->gate);
    tail_reach(index->current, sequence);
    tail_add_deletion(index->current, name, before_ns);
    pthread_rwlock_unlock(&index->gate);
}

/* ---- folding ---- */

/* From now on additions go to a new tail; one whose fold failed is folded first. */
static enum status close_tail(struct index *index, struct error *error)
{
    struct tail *fresh = NULL;
    if (index->closing != NULL)
        return STATUS_OK;
    TRY(tail_new(&index->pool, &fresh, error));
    pthread_rwlock_wrlock(&index->swap);
    pthread_rwlock_wrlock(&index->gate);
    index->closing = index->current;
    index->current = fresh;
    pthread_rwlock_unlock(&index->gate);
    pthread_rwlock_unlock(&index->swap);
    return STATUS_OK;
}

/* Reads and folds until all that the closed tail holds is in the files: it may not be durable yet.
 */
static enum status build_until(struct index_build *build, uint64_t least, struct error *error)
{
    for (int i = 0; i < WAIT_DURABLE_TIMES; i++) {
        TRY(index_build_run(build, least, error));
        if (build->shelf->manifest.sequence >= least)
            return STATUS_OK;
        usleep(WAIT_DURABLE_US);
    }
    return error_set(error, STATUS_AGAIN, "55000", NULL,
                     "the ledger has not made durable what the exposure index waits for");
}

static enum status rebuild_damaged(struct index *index, struct error *error)
{
    struct exposure_rebuilt rebuilt;
    if (!atomic_load(&index->damaged))
        return STATUS_OK;
    TRY(index_rebuild(index->folder, index->ledger_folder, &rebuilt, error));
    atomic_store(&index->damaged, false);
    return STATUS_OK;
}

enum status index_fold(struct index *index, struct error *error)
{
    int lock = -1;
    struct ledger_since since;
    struct index_build build = {
        .folder = index->folder, .ledger_folder = index->ledger_folder, .pool = &index->pool};
    CHECK(index->has_folder);
    TRY(rebuild_damaged(index, error));
    TRY(index_lock(index->folder, false, &lock, error));
    enum status status = trusted_shelf(index, &build.shelf, error);
    if (status == STATUS_OK)
        status = close_tail(index, error);
    if (status == STATUS_OK) {
        uint64_t least = tail_end(index->closing), lost = atomic_load(&index->lost_end);
        uint64_t base = atomic_load(&index->base); /* a rebuild beside us may say less */
        least = lost > least ? lost : least;
        status = build_until(&build, base > least ? base : least, error);
    }
    if (build.damaged) /* the next fold begins with a new build */
        atomic_store(&index->damaged, true);
    if (status == STATUS_OK)
        status = ledger_since(index->ledger_folder, &since, error);
    if (status == STATUS_OK) {
        take_shelf(index, build.shelf, &since, true);
        atomic_store(&index->folded_day, today());
    } else {
        shelf_close(build.shelf);
    }
    close(lock);
    return status;
}

/* A fold does not trust files of another base, and begins with nothing. */
enum status index_remake(struct index *index, struct error *error)
{
    enum status status = STATUS_DENIED;
    if (!index->has_folder)
        return STATUS_OK;
    for (int i = 0; i < WAIT_FOLD_TIMES && status == STATUS_DENIED; i++) {
        status = index_fold(index, error);
        if (status == STATUS_DENIED) /* the thread is at it, or somebody beside us */
            usleep(WAIT_FOLD_US);
    }
    if (status != STATUS_OK)
        atomic_store(&index->damaged, true); /* the thread tries again */
    return status;
}

/* Under the gate: a fold that staff asks for swaps the tails and frees one. */
static bool is_due(struct index *index)
{
    pthread_rwlock_rdlock(&index->gate);
    bool due = index->closing != NULL || tail_bytes(index->current) >= index->soft ||
               (today() != atomic_load(&index->folded_day) && tail_end(index->current) > 0) ||
               atomic_load(&index->lost_end) > 0 || atomic_load(&index->damaged);
    pthread_rwlock_unlock(&index->gate);
    return due;
}

/* A fold that fails is tried again, and told of once: nothing is lost by it. */
static void fold_and_tell(struct index *index)
{
    struct error error = {0};
    enum status status = index_fold(index, &error);
    if (status != STATUS_OK && status != STATUS_DENIED && !index->complained)
        log_event(LOG_ERROR, "exposure_index_not_written", "error=\"%s\"", error.message);
    index->complained = status != STATUS_OK;
}

static void *run_thread(void *context)
{
    struct index *index = context;
    pthread_mutex_lock(&index->watch_lock);
    while (!index->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += WATCH_SECONDS;
        pthread_cond_timedwait(&index->wake, &index->watch_lock, &until);
        if (index->stopping)
            break;
        pthread_mutex_unlock(&index->watch_lock);
        if (is_due(index))
            fold_and_tell(index);
        pthread_mutex_lock(&index->watch_lock);
    }
    pthread_mutex_unlock(&index->watch_lock);
    return NULL;
}

enum status index_start(struct index *index, struct error *error)
{
    if (!index->has_folder)
        return STATUS_OK;
    int failed = pthread_create(&index->thread, NULL, run_thread, index);
    if (failed != 0)
        return error_set_errno(error, failed, "thread for the exposure index");
    index->runs = true;
    return STATUS_OK;
}
