/* Opening, attaching, closing; the keeper thread that syncs the key file every two seconds and
 * rolls and destroys seal keys; mapping of keys to ids with the sealing of new pairs.
 * No session waits for the disk here: a seal key exists before a pair needs it, because the keeper
 * makes the next one and until then the last one serves. */
#include "exposure/exposure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "exposure/parts.h"
#include "exposure/side.h"

enum { KEEPER_SECONDS = 2, SMALL_COUNT = 64 };

/* ---- opening and closing ---- */

static enum status lock_folder(struct exposure *exposure, const char *folder, struct error *error)
{
    if (snprintf(exposure->folder, sizeof exposure->folder, "%s", folder) >=
        (int)sizeof exposure->folder)
        return error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    TRY(file_make_folder(folder, 0700, error));
    exposure->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (exposure->folder_fd < 0)
        return error_set_errno(error, errno, "%s", folder);
    if (flock(exposure->folder_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(error, STATUS_INVALID, "55006", "is another gateway running?",
                               "%s: in use by another process", folder)
                   : error_set_errno(error, errno, "flock %s", folder);
    return STATUS_OK;
}

static enum status open_parts(struct exposure *exposure, const char *folder, struct error *error)
{
    TRY(lock_folder(exposure, folder, error));
    TRY(dictionary_new(&exposure->dictionary, error));
    TRY(accounts_new(&exposure->accounts, error));
    TRY(trackers_new(&exposure->trackers, error));
    TRY(index_new(&exposure->index, error));
    TRY(seal_keys_open(folder, &exposure->seals, error));
    return key_file_load(&exposure->key_file, folder, exposure->dictionary, error);
}

enum status exposure_open(const char *subjects_folder, struct exposure **out, struct error *error)
{
    struct exposure *exposure = calloc(1, sizeof *exposure);
    if (exposure == NULL)
        return error_no_memory(error);
    exposure->folder_fd = exposure->key_file.fd = -1;
    pthread_mutex_init(&exposure->file_lock, NULL);
    pthread_mutex_init(&exposure->keeper_lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&exposure->keeper_wake, &attributes);
    pthread_condattr_destroy(&attributes);
    enum status status = open_parts(exposure, subjects_folder, error);
    if (status != STATUS_OK)
        exposure_close(exposure);
    else
        *out = exposure;
    return status;
}

enum status exposure_use_index(struct exposure *exposure, const char *index_folder,
                               const char *ledger_folder, struct error *error)
{
    struct index *index = NULL;
    CHECK(exposure->ledger == NULL);
    TRY(index_open(index_folder, ledger_folder, &index, error));
    index_free(exposure->index);
    exposure->index = index;
    return STATUS_OK;
}

/* A new seal key, a new key file, and the old seal keys destroyed: then no copy of the pair that
 * we wrote can be read any more. */
static enum status forget_on_disk(struct exposure *exposure, struct error *error)
{
    struct seal_key newest;
    bool rolled;
    seal_keys_current(exposure->seals, &newest);
    uint64_t number = newest.number;
    crypto_wipe(&newest, sizeof newest);
    TRY(seal_keys_roll(exposure->seals, number + 1, &rolled, error));
    TRY(key_file_rewrite(&exposure->key_file, exposure->dictionary, error));
    TRY(seal_keys_destroy_older(exposure->seals, error));
    exposure->must_forget = false;
    return STATUS_OK;
}

/* Rolls the seal key first: what was sealed under an older one has its id by then, so that the
 * append covers it, and the older keys have served. */
enum status exposure_keep_keys(struct exposure *exposure, struct error *error)
{
    struct ledger_state state;
    bool rolled;
    ledger_state(exposure->ledger, &state);
    pthread_mutex_lock(&exposure->file_lock);
    enum status status = seal_keys_roll(exposure->seals, state.current_segment, &rolled, error);
    if (status == STATUS_OK)
        status = key_file_append(&exposure->key_file, exposure->dictionary, error);
    if (status == STATUS_OK)
        status = seal_keys_destroy_older(exposure->seals, error);
    if (status == STATUS_OK && exposure->must_forget)
        status = forget_on_disk(exposure, error);
    pthread_mutex_unlock(&exposure->file_lock);
    return status;
}

/* A failure here endangers nothing yet: the pairs stay sealed in the ledger. Told once. */
static void keep_and_tell(struct exposure *exposure)
{
    struct error error;
    enum status status = exposure_keep_keys(exposure, &error);
    if (status != STATUS_OK && !exposure->complained)
        log_event(LOG_ERROR, "subject_keys_not_synced", "error=\"%s\"", error.message);
    exposure->complained = status != STATUS_OK;
}

static void *run_keeper(void *context)
{
    struct exposure *exposure = context;
    pthread_mutex_lock(&exposure->keeper_lock);
    while (!exposure->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += KEEPER_SECONDS;
        while (!exposure->stopping &&
               pthread_cond_timedwait(&exposure->keeper_wake, &exposure->keeper_lock, &until) == 0)
            ;
        if (exposure->stopping)
            break;
        pthread_mutex_unlock(&exposure->keeper_lock);
        keep_and_tell(exposure);
        pthread_mutex_lock(&exposure->keeper_lock);
    }
    pthread_mutex_unlock(&exposure->keeper_lock);
    return NULL;
}

/* After an unclean stop the page cache may hold what the disk does not: write the file afresh. */
static enum status settle_key_file(struct exposure *exposure, struct error *error)
{
    const struct key_file *file = &exposure->key_file;
    if (file->fd < 0 || !file->clean || exposure->must_rewrite)
        return key_file_rewrite(&exposure->key_file, exposure->dictionary, error);
    return key_file_append(&exposure->key_file, exposure->dictionary, error);
}

const char *exposure_column_text(void *context, uint32_t column_set)
{
    return ledger_column_set_text(context, column_set);
}

enum status exposure_attach(struct exposure *exposure, struct ledger *ledger, struct error *error)
{
    struct ledger_state state;
    bool rolled;
    CHECK(exposure->ledger == NULL);
    ledger_state(ledger, &state);
    TRY(settle_key_file(exposure, error));
    TRY(seal_keys_roll(exposure->seals, state.current_segment, &rolled, error));
    exposure->ledger = ledger;
    statistics_forget(&exposure->open); /* what was not written whole was not released */
    accounts_know_texts(exposure->accounts,
                        &(struct gauge_texts){.text = exposure_column_text, .context = ledger});
    TRY(index_start(exposure->index, error));
    int failed = pthread_create(&exposure->keeper, NULL, run_keeper, exposure);
    if (failed != 0)
        return error_set_errno(error, failed, "thread for subject keys");
    exposure->keeper_runs = true;
    return STATUS_OK;
}

static void stop_keeper(struct exposure *exposure)
{
    if (!exposure->keeper_runs)
        return;
    pthread_mutex_lock(&exposure->keeper_lock);
    exposure->stopping = true;
    pthread_cond_signal(&exposure->keeper_wake);
    pthread_mutex_unlock(&exposure->keeper_lock);
    pthread_join(exposure->keeper, NULL);
}

void exposure_close(struct exposure *exposure)
{
    if (exposure == NULL)
        return;
    stop_keeper(exposure);
    if (exposure->ledger != NULL)
        keep_and_tell(exposure);
    key_file_close(&exposure->key_file, exposure->ledger != NULL);
    seal_keys_free(exposure->seals);
    index_free(exposure->index);
    accounts_free(exposure->accounts);
    trackers_free(exposure->trackers);
    statistics_forget(&exposure->open);
    dictionary_free(exposure->dictionary);
    if (exposure->folder_fd >= 0)
        close(exposure->folder_fd);
    pthread_cond_destroy(&exposure->keeper_wake);
    pthread_mutex_destroy(&exposure->keeper_lock);
    pthread_mutex_destroy(&exposure->file_lock);
    free(exposure);
}

/* ---- dictionary ---- */

static int compare_pairs(const void *a, const void *b)
{
    uint32_t left = ((const struct side_pair *)a)->id, right = ((const struct side_pair *)b)->id;
    return (left > right) - (left < right);
}

/* Seals the pairs at these positions, each id once. */
static enum status seal_unsettled(struct exposure *exposure, const struct subject_key *keys,
                                  const uint32_t *ids, const size_t *positions, size_t count,
                                  struct buffer *side, struct error *error)
{
    struct side_pair small[SMALL_COUNT], *pairs = small;
    struct seal_key key;
    if (count > SMALL_COUNT && (pairs = malloc(count * sizeof *pairs)) == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct side_pair){.id = ids[positions[i]],
                                      .kind = keys[positions[i]].kind,
                                      .key = keys[positions[i]].key};
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (pairs[i].id != pairs[kept - 1].id)
            pairs[kept++] = pairs[i];
    seal_keys_current(exposure->seals, &key);
    enum status status = side_seal(&key, pairs, kept, side, error);
    crypto_wipe(&key, sizeof key);
    if (pairs != small)
        free(pairs);
    return status;
}

enum status exposure_map(struct exposure *exposure, const struct subject_key *keys, size_t count,
                         uint32_t *ids, struct buffer *side, struct error *error)
{
    size_t small[SMALL_COUNT], *unsettled = small, unsettled_count = 0;
    CHECK(exposure->ledger != NULL);
    if (count > SMALL_COUNT && (unsettled = malloc(count * sizeof *unsettled)) == NULL)
        return error_no_memory(error);
    enum status status =
        dictionary_map(exposure->dictionary, keys, count, ledger_durable(exposure->ledger), ids,
                       unsettled, &unsettled_count, error);
    if (status == STATUS_OK && unsettled_count > 0)
        status = seal_unsettled(exposure, keys, ids, unsettled, unsettled_count, side, error);
    if (unsettled != small)
        free(unsettled);
    return status;
}

enum status exposure_find(struct exposure *exposure, uint16_t kind, struct slice key, uint32_t *id)
{
    return dictionary_find(exposure->dictionary, kind, key, id);
}

enum status exposure_key(struct exposure *exposure, uint32_t id, uint16_t *kind, char key[256])
{
    return dictionary_key(exposure->dictionary, id, kind, key);
}

enum status exposure_erase(struct exposure *exposure, uint16_t kind, struct slice key,
                           struct error *error)
{
    uint32_t id;
    CHECK(exposure->ledger != NULL);
    pthread_mutex_lock(&exposure->file_lock);
    enum status status = dictionary_erase(exposure->dictionary, kind, key, &id);
    if (status == STATUS_OK) {
        exposure->must_forget = true;
        status = forget_on_disk(exposure, error);
    } else {
        error_set(error, status, "02000", NULL, "no such subject is known");
    }
    pthread_mutex_unlock(&exposure->file_lock);
    return status;
}

/* ---- accounts ---- */

void exposure_charge(struct exposure *exposure, const struct policy_partner *partner,
                     int64_t now_ns, const struct exposure_subjects *subjects,
                     struct exposure_charge *charge)
{
    accounts_charge(exposure->accounts, partner, now_ns, subjects, charge);
}

bool exposure_probes_left(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns, uint64_t count)
{
    return accounts_probes_left(exposure->accounts, partner, now_ns, count);
}

void exposure_count_missed(struct exposure *exposure, const struct policy_partner *partner,
                           int64_t now_ns, uint64_t count)
{
    accounts_recount(exposure->accounts, slice_of_text(partner->name), now_ns, count, 0);
}

bool exposure_count_error(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns)
{
    return accounts_count_error(exposure->accounts, partner, now_ns);
}

bool exposure_errors_left(struct exposure *exposure, const struct policy_partner *partner,
                          int64_t now_ns)
{
    return accounts_errors_left(exposure->accounts, partner, now_ns);
}

void exposure_budget(struct exposure *exposure, const struct policy_partner *partner,
                     int64_t now_ns, struct exposure_budget *budget)
{
    accounts_budget(exposure->accounts, partner, now_ns, budget);
}

struct exposure_statistics *exposure_statistics_begin(struct exposure *exposure,
                                                      const struct policy_partner *partner,
                                                      int64_t now_ns)
{
    return trackers_begin(exposure->trackers, partner->name, now_ns, partner->remember_days);
}

size_t exposure_limits(struct exposure *exposure, const struct policy_partner *partner,
                       int64_t now_ns, struct exposure_limit limits[static EXPOSURE_LIMITS])
{
    return accounts_limits(exposure->accounts, partner, now_ns, limits);
}

void exposure_raises(struct exposure *exposure, const char *partner, int64_t now_ns,
                     bool (*visit)(void *context, const struct exposure_raise *raise),
                     void *context)
{
    accounts_raises(exposure->accounts, partner, now_ns, visit, context);
}
