/* Computing the index, and what must be kept beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "never/index.h"
#include "never/workshop.h"

static const size_t SECRET_FILE_BYTES = (size_t)32 << 30;

/* ---- computing ---- */

/* One process at a time in the folder, which is made if need be. */
static enum status lock_folder(const struct workshop *workshop, bool wait, int *fd,
                               struct error *error)
{
    TRY(file_make_folder(workshop->folder, 0700, error));
    TRY(file_inherit_owner(workshop->folder, error));
    int opened = open(workshop->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return error_set_errno(error, errno, "%.300s", workshop->folder);
    if (flock(opened, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        close(opened);
        return error_set(error, STATUS_DENIED, "55006", "wait until it has finished",
                         "another process computes the index");
    }
    *fd = opened;
    return STATUS_OK;
}

/* What an earlier index knows; nothing where there is none that helps. */
static enum status begin(const struct workshop *workshop, uint64_t entries, bool afresh,
                         struct never_index *index, bool *known, struct error *error)
{
    enum status status = STATUS_NOT_FOUND;
    *index = (struct never_index){0};
    *known = file_exists(workshop->index);
    if (!afresh)
        status = never_index_read(workshop->index, index, error);
    if (status == STATUS_OK &&
        (strcmp(index->origin, workshop->origin) != 0 || index->commitment.entries > entries ||
         !never_base_equal(&index->commitment.base, &workshop->base))) {
        never_index_free(index); /* of another log, or of this one before it was restored or cut */
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_NOT_FOUND)
        status = holdings_init(&index->holdings, error);
    memcpy(index->origin, workshop->origin, sizeof index->origin);
    index->commitment.base = workshop->base;
    return status;
}

static bool note_commitment(void *context, uint64_t sequence, const struct ledger_entry *entry)
{
    (void)sequence;
    bool *known = context;
    *known = *known || entry->type == LEDGER_COMMITMENT;
    return true;
}

/* A lost key must not be replaced unseen: all marks change with it. */
static enum status settle_key(const struct workshop *workshop, bool known, bool wanted,
                              struct vrf_key *key, bool *made, struct error *error)
{
    enum status status = STATUS_NOT_FOUND;
    if (!wanted)
        status = workshop_key(workshop, key, error);
    *made = status == STATUS_NOT_FOUND;
    if (!*made)
        return status;
    if (known && !wanted)
        return error_set(error, STATUS_DENIED, "F0000",
                         "Restore it from the backup. --new-key makes another: people whose keys "
                         "were erased are then in no leaf any more.",
                         "%.300s is missing, though there are commitments", workshop->key);
    return workshop_new_key(workshop, key, error);
}

static enum status keep(const struct workshop *workshop, struct never_index *index,
                        struct seeds *seeds, struct error *error)
{
    TRY(seeds_write(seeds, workshop->seeds, error));
    TRY(never_index_write(index, workshop->index, error));
    if (file_exists(workshop->seeds))
        TRY(file_inherit_owner(workshop->seeds, error));
    return file_inherit_owner(workshop->index, error);
}

/* Seeds of people of whom the ledger no longer tells anything. Somebody may have been erased since
 * the entries were counted, and their seed cannot be made again: what was acknowledged since is
 * looked through first. */
static enum status let_go(const struct workshop *workshop, struct holdings *holdings,
                          struct seeds *seeds, struct error *error)
{
    const struct workshop_reading reading = {
        .workshop = workshop, .holdings = holdings, .until = UINT64_MAX};
    if (!seeds_idle(seeds, holdings))
        return STATUS_OK;
    TRY(workshop_read(&reading, error));
    seeds_let_go(seeds, holdings);
    TRY(seeds_write(seeds, workshop->seeds, error));
    return file_inherit_owner(workshop->seeds, error);
}

static enum status sort_out(const struct never_place *place, const struct workshop *workshop,
                            const struct vrf_key *key, struct names *names,
                            struct never_index *index, struct never_work *work, struct error *error)
{
    struct seeds seeds;
    size_t made = 0;
    TRY(seeds_read(workshop->seeds, key->public_key, &seeds, error));
    enum status status =
        seeds_fill(&seeds, key, &index->holdings, names, place->policy, &made, error);
    if (status == STATUS_OK)
        status = never_index_build(index, &seeds, key, error);
    if (status == STATUS_OK)
        status = keep(workshop, index, &seeds, error);
    if (status == STATUS_OK)
        status = let_go(workshop, &index->holdings, &seeds, error);
    seeds_free(&seeds);
    work->commitment = index->commitment;
    work->computed = made;
    return status;
}

static enum status compute(const struct never_place *place, const struct workshop *workshop,
                           struct never_index *index, uint64_t entries, bool known, bool new_key,
                           struct never_work *work, struct error *error)
{
    struct names *names = NULL;
    struct vrf_key key = {0};
    struct workshop_reading reading = {.workshop = workshop,
                                       .holdings = &index->holdings,
                                       .until = entries,
                                       .seen = note_commitment,
                                       .context = &known};
    const uint64_t kept = index->holdings.entries;
    work->read = entries - (kept > 0 ? kept : workshop->base.from);
    TRY(names_open(workshop->subjects, &names, error));
    reading.names = names;
    enum status status = workshop_read(&reading, error);
    if (status == STATUS_OK)
        status = settle_key(workshop, known, new_key, &key, &work->new_key, error);
    index->commitment.entries = entries;
    if (status == STATUS_OK)
        status = sort_out(place, workshop, &key, names, index, work, error);
    names_close(names);
    crypto_wipe(&key, sizeof key);
    return status;
}

/* The kept index, where it counts entries that were dropped since. */
static bool is_cut_off(const struct workshop *workshop, struct never_index *before)
{
    if (workshop->base.from == 0 || never_index_open(workshop->index, before, NULL) != STATUS_OK)
        return false;
    if (strcmp(before->origin, workshop->origin) == 0 &&
        before->commitment.base.from < workshop->base.from)
        return true;
    never_index_free(before);
    return false;
}

/* Going on from what is kept, keys are learnt from new entries alone: where somebody has none, all
 * entries are read before that is believed. */
static enum status compute_once(const struct never_place *place, const struct workshop *workshop,
                                const struct never_work *wanted, bool afresh, bool new_key,
                                struct never_work *work, bool *doubtful, struct error *error)
{
    struct never_index index, before;
    bool known;
    *work = (struct never_work){0};
    TRY(begin(workshop, wanted->commitment.entries, afresh, &index, &known, error));
    bool cut_off = is_cut_off(workshop, &before);
    bool from_kept = index.holdings.entries > 0;
    uint64_t erased = index.commitment.erased;
    index.commitment.as_of_ns = wanted->commitment.as_of_ns;
    enum status status =
        compute(place, workshop, &index, wanted->commitment.entries, known, new_key, work, error);
    *doubtful = from_kept && (work->new_key || work->commitment.erased > erased);
    if (status == STATUS_OK && cut_off)
        work->gone = never_index_gone(&before, &index);
    if (cut_off)
        never_index_free(&before);
    never_index_free(&index);
    return status;
}

enum status never_compute(const struct never_place *place, uint64_t entries, int64_t as_of_ns,
                          bool afresh, bool new_key, struct never_work *work, struct error *error)
{
    struct workshop workshop;
    const struct never_work wanted = {.commitment = {.entries = entries, .as_of_ns = as_of_ns}};
    struct never_work done, again;
    bool doubtful;
    int fd = -1;
    TRY(workshop_open(place, &workshop, error));
    TRY(lock_folder(&workshop, false, &fd, error));
    enum status status = compute_once(place, &workshop, &wanted, afresh || new_key, new_key, &done,
                                      &doubtful, error);
    if (status == STATUS_OK && doubtful) {
        status = compute_once(place, &workshop, &wanted, true, false, &again, &doubtful, error);
        again.new_key = done.new_key;
        again.computed += done.computed;
        done = again;
    }
    close(fd);
    if (status == STATUS_OK)
        *work = done;
    return status;
}

/* ---- erasing ---- */

enum status never_seed(const struct never_place *place, const char *kind, const char *key,
                       uint8_t seed[static NEVER_SEED_BYTES], struct error *error)
{
    struct workshop workshop;
    struct vrf_key vrf = {0};
    TRY(workshop_open(place, &workshop, error));
    if (strlen(kind) > LIMIT_NAME_BYTES || strlen(key) > LIMIT_SUBJECT_KEY_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the key is too long");
    TRY(workshop_key(&workshop, &vrf, error));
    seeds_compute(&vrf, slice_of_text(kind), slice_of_text(key), seed);
    crypto_wipe(&vrf, sizeof vrf);
    return STATUS_OK;
}

static enum status keep_seed(const struct workshop *workshop, uint32_t id,
                             const uint8_t seed[SEED_BYTES], struct error *error)
{
    struct seeds seeds = {0};
    struct vrf_key key = {0};
    TRY(workshop_key(workshop, &key, error));
    enum status status = seeds_read(workshop->seeds, key.public_key, &seeds, error);
    crypto_wipe(&key, sizeof key);
    if (status == STATUS_OK)
        status = seeds_set(&seeds, id, seed, error);
    if (status == STATUS_OK)
        status = seeds_write(&seeds, workshop->seeds, error);
    if (status == STATUS_OK)
        status = file_inherit_owner(workshop->seeds, error);
    seeds_free(&seeds);
    return status;
}

enum status never_keep_seed(const struct never_place *place, uint32_t id,
                            const uint8_t seed[static NEVER_SEED_BYTES], struct error *error)
{
    struct workshop workshop;
    int fd = -1;
    TRY(workshop_open(place, &workshop, error));
    TRY(lock_folder(&workshop, true, &fd, error));
    enum status status = keep_seed(&workshop, id, seed, error);
    close(fd);
    return status;
}

/* ---- backup ---- */

static enum status copy_secret(const char *from, const char *to, const char *name,
                               struct error *error)
{
    char path[WORKSHOP_PATH_ROOM];
    struct buffer bytes;
    if (snprintf(path, sizeof path, "%s/%s", to, name) >= (int)sizeof path)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the folder's name is too long");
    buffer_init(&bytes, SECRET_FILE_BYTES);
    enum status status = file_read(from, &bytes, error);
    if (status == STATUS_OK)
        status = file_replace(path, buffer_slice(&bytes), 0600, error);
    if (bytes.len > 0)
        crypto_wipe(bytes.data, bytes.len);
    buffer_free(&bytes);
    return status;
}

static enum status copy_secrets(const struct workshop *workshop, const char *to,
                                struct error *error)
{
    char folder[WORKSHOP_PATH_ROOM];
    TRY(copy_secret(workshop->key, to, "never.key", error));
    if (!file_exists(workshop->seeds))
        return STATUS_OK;
    if (snprintf(folder, sizeof folder, "%s/never", to) >= (int)sizeof folder)
        return error_set(error, STATUS_INVALID, "58030", NULL, "the folder's name is too long");
    TRY(file_make_folder(folder, 0700, error));
    return copy_secret(workshop->seeds, to, "never/seeds", error);
}

enum status never_backup(const char *state_folder, const char *to, bool *copied,
                         struct error *error)
{
    const struct never_place place = {.state_folder = state_folder};
    struct workshop workshop;
    int fd = -1;
    TRY(workshop_open(&place, &workshop, error));
    *copied = file_exists(workshop.key);
    if (!*copied)
        return STATUS_OK;
    TRY(lock_folder(&workshop, true, &fd, error));
    enum status status = copy_secrets(&workshop, to, error);
    close(fd);
    return status;
}
