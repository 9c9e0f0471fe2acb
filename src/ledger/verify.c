/* See verify.h. Workers take segments in order, scan them side by side, and join them one after the
 * other: `turn` is the segment whose leaves are added next. The joined state is the turn-holder's
 * alone; under the mutex are only the turn, the next segment to take, and how it ended. */
#include "ledger/verify.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "ledger/base.h"
#include "ledger/checkpoint.h"
#include "ledger/column_set.h"
#include "ledger/entry.h"
#include "ledger/merkle.h"
#include "ledger/tiles.h"
#include "ledger/verify_base.h"
#include "ledger/verify_files.h"
#include "ledger/verify_segment.h"
#include "ledger/verify_shelf.h"
#include "ledger/verify_signed.h"
#include "ledger/verify_tiles.h"
#include "ledger/writer.h"

/* How far back the tree of a key's entry may lie. Some syncs, were it not that a writer's thread
 * can be kept from its core: so many take eight seconds on the fastest disk that we know. */
enum { RECENT_FRAMES = 65536, PATIENCE_MS = 5000 };

struct verification {
    const struct verify_options *options;
    uint8_t log_id[SEGMENT_ID_BYTES];
    uint64_t first, last;         /* segments */
    bool has_base;                /* oldest segments were dropped */
    struct base base;             /* open then */
    uint64_t stated;              /* sequence of the log's entry of it; UINT64_MAX: not met */
    struct verify_proven proven;  /* how much there must be, known before the first read */
    struct checkpoint checkpoint; /* the folder's own */
    struct verify_shelf shelf;
    struct verify_claim *claims; /* of shelf and options, by size */
    size_t claim_count;
    struct key_chain *chain;   /* in the shelf's arena, as is */
    struct checkpoint *recent; /* trees at the last frames' ends, a ring of RECENT_FRAMES */
    size_t recent_next;
    /* The joined state: the turn-holder's. */
    struct merkle tree;
    struct column_sets sets;
    struct arena items;
    uint64_t epoch;
    size_t next_claim;
    struct verify_report report;
    /* The end of the segment joined last. */
    uint64_t end_segment, end_offset, end_sequence;
    enum verify_end end;
    /* Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    uint64_t next, turn;
    enum status status;
    struct verify_damage damage;
    struct error error;
};

/* ---- joining, in the order of the log ---- */

static enum status damaged(struct verification *verification, uint64_t number, uint64_t byte,
                           const char *check, const char *what, struct error *error)
{
    return verify_damaged(&verification->damage, verification->options->folder, number, byte,
                          verification->tree.size, check, what, error);
}

static bool root_is(const struct verification *verification, const uint8_t *want)
{
    uint8_t root[MERKLE_HASH_BYTES];
    merkle_root(&verification->tree, root);
    return memcmp(root, want, sizeof root) == 0;
}

/* Every claim of this size. */
static enum status meet_claims(struct verification *verification, uint64_t number, uint64_t offset,
                               struct error *error)
{
    char what[VERIFY_SOURCE_ROOM + 64];
    for (; verification->next_claim < verification->claim_count; verification->next_claim++) {
        const struct verify_claim *claim = &verification->claims[verification->next_claim];
        if (claim->size != verification->tree.size)
            break;
        snprintf(what, sizeof what, "the tree up to here is not the one of %.500s", claim->source);
        if (!root_is(verification, claim->root))
            return damaged(verification, number, offset, "fork", what, error);
        verification->report.claims_met++;
    }
    return STATUS_OK;
}

/* Why the segment joined last ended before the sequence that must follow. */
static enum status missing(struct verification *verification, const char *check, const char *proof,
                           struct error *error)
{
    char what[VERIFY_SOURCE_ROOM + 160];
    switch (verification->end) {
    case VERIFY_END_ZEROS:
        snprintf(what, sizeof what, "entries are missing: %s", proof);
        break;
    case VERIFY_END_BYTES:
        snprintf(what, sizeof what, "what stands here is no whole frame: %s", proof);
        break;
    case VERIFY_END_SEQUENCE:
        snprintf(what, sizeof what,
                 "a frame was dropped or moved: one of sequence %" PRIu64 " stands here; %s",
                 verification->end_sequence, proof);
        break;
    }
    return damaged(verification, verification->end_segment, verification->end_offset, check, what,
                   error);
}

/* The header of the segment fits to all that went before. */
static enum status link_segment(struct verification *verification,
                                const struct verify_segment *segment, struct error *error)
{
    const struct segment_header *header = &segment->header;
    uint64_t number = segment->number;
    if (memcmp(header->log_id, verification->log_id, sizeof header->log_id) != 0)
        return damaged(verification, number, 16, "header", "a segment of another log", error);
    if (header->first_sequence > verification->tree.size && number > verification->first)
        return missing(verification, "missing", "the next segment starts later", error);
    if (header->first_sequence != verification->tree.size)
        return damaged(verification, number, 40, "sequence", "the segment starts elsewhere", error);
    if (!root_is(verification, header->previous_root))
        return damaged(verification, number, 72, "previous-root",
                       "the segment continues another log than the segments before it", error);
    if (header->epoch < verification->epoch)
        return damaged(verification, number, 56, "epoch", "the epoch goes back", error);
    if (number > verification->first && verification->end != VERIFY_END_ZEROS)
        return missing(verification, "tail", "there is something behind the segment's end", error);
    if (segment->wanted > verification->sets.count) {
        verification->tree.size = segment->wanted_by; /* for the message: we end here */
        return damaged(verification, number, segment->wanted_at, "column-set",
                       "the entry uses a column set that no entry before it defines", error);
    }
    return STATUS_OK;
}

/* A new key, and the tree that its entry speaks of. */
static enum status join_key(struct verification *verification, uint64_t sequence,
                            const struct ledger_entry *entry, struct error *error)
{
    struct key_chain *chain = verification->chain;
    TRY(key_chain_add(chain, sequence, entry->time_ns, entry->text, error));
    const struct checkpoint *before = &chain->links[chain->count - 1].before;
    if (verification->has_base && before->size < verification->base.statement.tree.size)
        return STATUS_OK; /* of that tree there is nothing left to hold it against */
    const struct checkpoint *recent = verification->recent;
    for (size_t i = 0; i < RECENT_FRAMES; i++)
        if (recent[i].size == before->size &&
            memcmp(recent[i].root, before->root, sizeof before->root) == 0)
            return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the entry of a key speaks of a tree that was not this log's");
}

static enum status take_notable(struct verification *verification, uint64_t sequence,
                                const struct ledger_entry *entry, struct error *error)
{
    const struct verify_options *options = verification->options;
    if (entry->type == LEDGER_COLUMN_SET)
        TRY(column_sets_replay(&verification->sets, entry->column_set, entry->text, error));
    if (entry->type == LEDGER_KEY)
        TRY(join_key(verification, sequence, entry, error));
    if (entry->type == LEDGER_DROPPED && verification->has_base &&
        slice_equal(entry->text, verification->base.text))
        verification->stated = sequence;
    return options->notable == NULL
               ? STATUS_OK
               : options->notable(options->notable_context, sequence, entry, error);
}

static enum status join_notable(struct verification *verification,
                                const struct verify_segment *segment,
                                const struct verify_notable *notable, struct error *error)
{
    struct ledger_entry entry;
    struct error why = {0};
    arena_reset(&verification->items);
    TRY(ledger_entry_decode(slice_of(segment->notable.data + notable->at, notable->len),
                            &verification->items, &entry, error));
    enum status status = take_notable(verification, notable->sequence, &entry, &why);
    if (status == STATUS_CORRUPT)
        return damaged(verification, segment->number, notable->offset, ledger_type_name(entry.type),
                       why.message, error);
    if (status != STATUS_OK && error != NULL)
        *error = why;
    return status;
}

/* The next claim's size; what is behind all of them where there is none. */
static uint64_t next_size(const struct verification *verification)
{
    return verification->next_claim < verification->claim_count
               ? verification->claims[verification->next_claim].size
               : UINT64_MAX;
}

static enum status join_leaf(struct verification *verification,
                             const struct verify_segment *segment, size_t *notable, size_t index,
                             uint64_t offset, struct error *error)
{
    const struct verify_notable *notables = (const struct verify_notable *)segment->notables.data;
    size_t count = segment->notables.len / sizeof *notables;
    if (*notable < count && notables[*notable].sequence == verification->tree.size)
        TRY(join_notable(verification, segment, &notables[(*notable)++], error));
    merkle_add(&verification->tree, segment->leaves.data + index * MERKLE_HASH_BYTES);
    if (verification->tree.size == next_size(verification))
        return meet_claims(verification, segment->number, offset, error);
    return STATUS_OK;
}

static enum status join_frames(struct verification *verification,
                               const struct verify_segment *segment, struct error *error)
{
    const struct verify_frame *frames = (const struct verify_frame *)segment->frames.data;
    size_t count = segment->frames.len / sizeof *frames, leaf = 0, notable = 0;
    for (size_t i = 0; i < count; i++) {
        while (verification->tree.size < frames[i].tree_size)
            TRY(join_leaf(verification, segment, &notable, leaf++, frames[i].offset, error));
        if (!root_is(verification, frames[i].root))
            return damaged(verification, segment->number, frames[i].offset, "root",
                           "the frame's root is not that of the entries up to its end", error);
        struct checkpoint *recent = &verification->recent[verification->recent_next++];
        recent->size = frames[i].tree_size;
        memcpy(recent->root, frames[i].root, sizeof recent->root);
        verification->recent_next %= RECENT_FRAMES;
    }
    verification->report.frames += count;
    return STATUS_OK;
}

static enum status join(struct verification *verification, const struct verify_segment *segment,
                        struct error *error)
{
    struct verify_report *report = &verification->report;
    TRY(link_segment(verification, segment, error));
    if (segment->number == verification->first)
        TRY(meet_claims(verification, segment->number, 0, error));
    TRY(join_frames(verification, segment, error));
    verification->epoch = segment->epoch;
    verification->end = segment->end;
    verification->end_segment = segment->number;
    verification->end_offset = segment->end_offset;
    verification->end_sequence = segment->end_sequence;
    verify_proven_by(&verification->proven, segment->durable, "a later frame");
    report->segments++;
    report->bytes += segment->end_offset;
    report->closed = segment->clean && segment->end == VERIFY_END_ZEROS;
    report->first_ns = segment->first_ns < report->first_ns ? segment->first_ns : report->first_ns;
    report->last_ns = segment->last_ns > report->last_ns ? segment->last_ns : report->last_ns;
    return STATUS_OK;
}

/* ---- workers ---- */

/* The next segment to scan; 0 when there is none, or no use in it. */
static uint64_t take(struct verification *verification)
{
    pthread_mutex_lock(&verification->mutex);
    bool more = verification->status == STATUS_OK && verification->next <= verification->last;
    uint64_t number = more ? verification->next++ : 0;
    pthread_mutex_unlock(&verification->mutex);
    return number;
}

/* False if an earlier segment ended it all. */
static bool wait_turn(struct verification *verification, uint64_t number)
{
    pthread_mutex_lock(&verification->mutex);
    while (verification->turn != number && verification->status == STATUS_OK)
        pthread_cond_wait(&verification->turned, &verification->mutex);
    bool ours = verification->status == STATUS_OK;
    pthread_mutex_unlock(&verification->mutex);
    return ours;
}

static void pass_turn(struct verification *verification, enum status status,
                      const struct error *error)
{
    pthread_mutex_lock(&verification->mutex);
    verification->turn++;
    if (status != STATUS_OK) {
        verification->status = status;
        verification->error = *error;
    }
    pthread_cond_broadcast(&verification->turned);
    pthread_mutex_unlock(&verification->mutex);
}

static void *work(void *context)
{
    struct verification *verification = context;
    struct verify_segment segment;
    uint64_t number;
    verify_segment_init(&segment, verification->options->folder);
    while ((number = take(verification)) != 0) {
        struct error error = {0};
        enum status status = verify_segment_scan(&segment, number, &error);
        if (!wait_turn(verification, number))
            break;
        if (status == STATUS_CORRUPT)
            verification->damage = segment.damage;
        if (status == STATUS_OK)
            status = join(verification, &segment, &error);
        pass_turn(verification, status, &error);
    }
    verify_segment_free(&segment);
    return NULL;
}

static enum status run_workers(struct verification *verification, struct error *error)
{
    pthread_t threads[VERIFY_THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = verification->options->threads, started = 0;
    if (wanted == 0)
        wanted = cores < 1 ? 2 : (unsigned)cores + 1;
    if (wanted > VERIFY_THREADS_MAX)
        wanted = VERIFY_THREADS_MAX;
    enum status status = STATUS_OK;
    while (started < wanted && started < verification->last && status == STATUS_OK) {
        status = writer_thread(&threads[started], work, verification, error);
        started += status == STATUS_OK;
    }
    if (started > 0)
        status = STATUS_OK; /* fewer will do */
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (status == STATUS_OK && verification->status != STATUS_OK && error != NULL)
        *error = verification->error;
    return status == STATUS_OK ? verification->status : status;
}

/* ---- the end ---- */

/* What stands behind the end may be a frame that is being written: then it is whole soon, or the
 * sign of an orderly stop, or gone with a repaired tail. */
static enum status judge_tail(struct verification *verification, struct error *error)
{
    enum { TRIES = 10, PAUSE_US = 20000 };
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
    for (int i = 0; verification->end != VERIFY_END_ZEROS; i++) {
        bool settled;
        if (i == TRIES)
            return missing(verification, "tail",
                           "nothing that was acknowledged is missing; a start of the gateway "
                           "repairs what a crash left",
                           error);
        TRY(verify_tail_settled(verification->options->folder, verification->end_segment,
                                verification->end_offset, verification->tree.size, &settled,
                                error));
        if (settled) {
            verification->report.live = true;
            return STATUS_OK;
        }
        nanosleep(&pause, NULL);
    }
    return STATUS_OK;
}

static enum status judge_end(struct verification *verification, struct error *error)
{
    const struct verify_proven *proven = &verification->proven;
    char proof[VERIFY_SOURCE_ROOM + 64];
    snprintf(proof, sizeof proof, "%s proves %" PRIu64 " entries", proven->source, proven->entries);
    if (proven->entries > verification->tree.size)
        return missing(verification, "missing", proof, error);
    return judge_tail(verification, error);
}

static int by_size(const void *a, const void *b)
{
    const struct verify_claim *left = a, *right = b;
    return (left->size > right->size) - (left->size < right->size);
}

/* One list of all that the log is held against. */
static enum status list_claims(struct verification *verification, struct error *error)
{
    const struct verify_options *options = verification->options;
    struct verify_shelf *shelf = &verification->shelf;
    for (size_t i = 0; i < options->checkpoint_count; i++)
        TRY(verify_shelf_add(shelf, options->checkpoints[i], error));
    size_t count = shelf->count + options->claim_count;
    struct verify_claim *claims =
        arena_array(&shelf->arena, struct verify_claim, count > 0 ? count : 1);
    if (claims == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the checkpoints");
    for (size_t i = 0; i < shelf->count; i++) {
        const struct verify_stored *stored = &shelf->stored[i];
        claims[i].size = stored->checkpoint.size;
        claims[i].source = stored->source;
        memcpy(claims[i].root, stored->checkpoint.root, sizeof claims[i].root);
    }
    if (options->claim_count > 0)
        memcpy(claims + shelf->count, options->claims, options->claim_count * sizeof *claims);
    qsort(claims, count, sizeof *claims, by_size);
    verification->claims = claims;
    verification->claim_count = count;
    if (count > 0)
        verify_proven_by(&verification->proven, claims[count - 1].size, claims[count - 1].source);
    return STATUS_OK;
}

static enum status base_damaged(struct verification *verification, const char *what,
                                struct error *error)
{
    struct verify_damage *damage = &verification->damage;
    damage->check = "base";
    damage->byte = 0;
    damage->sequence = verification->has_base ? verification->base.statement.tree.size : 0;
    snprintf(damage->file, sizeof damage->file, "%.440s/base", verification->options->folder);
    return error_set(error, STATUS_CORRUPT, "XX001", NULL, "%.300s: base: %s", damage->file, what);
}

/* What is carried of the entries that were dropped, in the order of the log. */
static enum status take_carried(struct verification *verification, struct error *error)
{
    struct base_carried carried;
    while (base_next(&verification->base, &carried)) {
        struct ledger_entry entry;
        struct error why = {0};
        arena_reset(&verification->items);
        TRY(ledger_entry_decode(carried.bytes, &verification->items, &entry, error));
        enum status status = take_notable(verification, carried.sequence, &entry, &why);
        if (status == STATUS_CORRUPT)
            return base_damaged(verification, why.message, error);
        if (status != STATUS_OK && error != NULL)
            *error = why;
        TRY(status);
    }
    return STATUS_OK;
}

/* Where the oldest segments were dropped, all begins at the base. Checkpoints of smaller trees can
 * then be held against nothing here; their signatures still count. */
static enum status begin_at_base(struct verification *verification, struct error *error)
{
    struct error why = {0};
    struct base *base = &verification->base;
    enum status status = base_open(verification->options->folder, verification->log_id, base, &why);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_CORRUPT)
        return base_damaged(verification, why.message, error);
    if (status != STATUS_OK) {
        if (error != NULL)
            *error = why;
        return status;
    }
    verification->has_base = true;
    verification->first = verification->next = verification->turn = base->statement.segment;
    TRY(take_carried(verification, error));
    verification->tree = base->statement.tree;
    while (verification->next_claim < verification->claim_count &&
           verification->claims[verification->next_claim].size < verification->tree.size)
        verification->next_claim++;
    verification->report.claims_below = verification->next_claim;
    verification->recent[0].size = verification->tree.size;
    merkle_root(&verification->tree, verification->recent[0].root);
    return STATUS_OK;
}

/* The statement stands in the log, and is signed by the key of that time. */
static enum status check_base(struct verification *verification, size_t first, size_t stop,
                              struct error *error)
{
    const struct key_chain *chain = verification->chain;
    if (!verification->has_base)
        return STATUS_OK;
    if (verification->stated == UINT64_MAX)
        return base_damaged(verification, "the log has no entry of this dropping", error);
    const struct key_chain_link *link = key_chain_at(chain, verification->stated);
    if (link == NULL)
        return STATUS_OK; /* a log without a key */
    if (link < &chain->links[first] || link >= &chain->links[stop])
        return base_damaged(verification,
                            "the key of its time does not follow from the one that is trusted",
                            error);
    if (!base_is_signed(&verification->base, &link->key))
        return base_damaged(verification, "the log's key of its time has not signed it", error);
    return STATUS_OK;
}

/* All that tells how much there must be, and of what. */
static enum status gather(struct verification *verification, struct error *error)
{
    const char *folder = verification->options->folder;
    struct verify_shelf *shelf = &verification->shelf;
    TRY(verify_files(folder, verification->log_id, &verification->checkpoint, &verification->proven,
                     &verification->damage, error));
    verify_shelf_init(shelf, verification->log_id);
    TRY(verify_shelf_gather(shelf, folder, &verification->damage, error));
    TRY(list_claims(verification, error));
    verification->chain = arena_new(&shelf->arena, struct key_chain);
    verification->recent = arena_array(&shelf->arena, struct checkpoint, RECENT_FRAMES);
    if (verification->chain == NULL || verification->recent == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the log's keys");
    key_chain_start(verification->chain, shelf->origin);
    merkle_root(&verification->tree, verification->recent[0].root); /* of the empty log */
    verification->recent_next = 1;
    return begin_at_base(verification, error);
}

/* Who brought a key is told whether all of the log rests on it. */
static enum status check_end(struct verification *verification, struct error *error)
{
    struct verify_report *report = &verification->report;
    if (report->signed_size >= verification->tree.size)
        return STATUS_OK;
    const unsigned patience_ms = verification->options->patience_ms;
    bool beyond = false;
    struct verify_ahead ahead = {.folder = verification->options->folder,
                                 .key = verification->options->key,
                                 .chain = verification->chain,
                                 .tree = verification->tree,
                                 .segment = verification->end_segment,
                                 .offset = verification->end_offset,
                                 .patience_ms = patience_ms == 0 ? PATIENCE_MS : patience_ms};
    TRY(verify_signed(&ahead, &beyond, &verification->damage, error));
    report->signatures++;
    report->signed_size = verification->tree.size;
    report->live |= beyond;
    return STATUS_OK;
}

/* Who trusts one key trusts those that follow from it; without one, all that the log names. */
static enum status check_signatures(struct verification *verification, struct error *error)
{
    const struct key_chain *chain = verification->chain;
    const struct note_key *key = verification->options->key;
    struct verify_report *report = &verification->report;
    size_t first = 0, stop = chain->count;
    if (key != NULL && key_chain_follow(chain, key, &first, &stop, NULL) != STATUS_OK)
        return error_set(error, STATUS_DENIED, "28000",
                         "Ask whom you got the key from, or read what the log itself names: "
                         "log.vkey in its folder.",
                         "the log names no key like this one: another log's key, or a forged log");
    report->keys = chain->count;
    for (size_t i = 0; i < chain->count; i++)
        report->breaks += chain->links[i].kind == KEY_CHANGE_BREAK;
    TRY(check_base(verification, first, stop, error));
    TRY(verify_shelf_check(&verification->shelf, chain, first, stop, report, &verification->damage,
                           error));
    TRY(verify_shelf_vkey(&verification->shelf, verification->options->folder, chain,
                          &verification->damage, error));
    return key == NULL ? STATUS_OK : check_end(verification, error);
}

/* The published tiles, and by them what was dropped from the segments. */
static enum status check_tiles(struct verification *verification, struct error *error)
{
    const struct verify_options *options = verification->options;
    const struct checkpoint *published = &verification->shelf.published;
    struct verify_report *report = &verification->report;
    uint64_t cut = verification->has_base ? verification->base.statement.tree.size : 0;
    if (!verification->shelf.has_published)
        return STATUS_OK;
    TRY(verify_tiles(options->folder, published, options->bundles, cut, &verification->damage,
                     error));
    if (!verification->has_base || published->size < cut)
        return STATUS_OK;
    TRY(verify_base(options->folder, &verification->base, verification->claims,
                    report->claims_below, &verification->damage, error));
    report->claims_met += report->claims_below;
    report->claims_below = 0;
    report->carried_proven = true;
    return STATUS_OK;
}

static enum status verify(struct verification *verification, struct error *error)
{
    const char *folder = verification->options->folder;
    uint64_t spare;
    TRY(gather(verification, error));
    enum status status =
        segment_list(folder, verification->first, &verification->last, &spare, error);
    if (status == STATUS_CORRUPT)
        return verify_missing_segment(folder, verification->first, &verification->damage, error);
    TRY(status);
    if (verification->last == 0)
        return error_set(error, STATUS_NOT_FOUND, "58P01", NULL, "%.300s: no segments", folder);
    TRY(run_workers(verification, error));
    TRY(judge_end(verification, error));
    TRY(check_signatures(verification, error));
    TRY(check_tiles(verification, error));
    return verify_spare(folder, spare, &verification->damage, error);
}

static void fill_report(struct verification *verification, struct verify_report *report)
{
    *report = verification->report;
    report->entries = verification->tree.size;
    report->acknowledged = verification->proven.entries;
    report->column_sets = verification->sets.count;
    merkle_root(&verification->tree, report->root);
    if (verification->has_base) {
        const struct base_statement *statement = &verification->base.statement;
        report->dropped_below = statement->tree.size;
        report->dropped = statement->dropped;
        report->carried = statement->carried;
        report->dropped_first_ns = statement->first_ns;
        report->dropped_last_ns = statement->last_ns;
        memcpy(report->dropped_reason, statement->reason, sizeof report->dropped_reason);
    }
    crypto_hex(verification->log_id, sizeof verification->log_id, report->log_id);
}

/* A start after a power cut writes again what had been published and not synced: who verifies
 * meanwhile waits for it. True where something newer was published in time. */
static bool published_newer(const char *folder, uint64_t than, unsigned patience_ms)
{
    enum { STEP_MS = 100 };
    for (unsigned waited = 0; waited < patience_ms; waited += STEP_MS) {
        struct tiles *tiles;
        bool is_newer = false;
        if (tiles_open(folder, &tiles, NULL) == STATUS_OK) {
            is_newer = tiles_checkpoint(tiles)->size > than;
            tiles_close(tiles);
        }
        if (is_newer)
            return true;
        usleep(STEP_MS * 1000);
    }
    return false;
}

/* Segments may go while they are read: then there is a newer base, and all begins with that. */
static bool was_overtaken(const struct verification *verification)
{
    struct ledger_since since;
    struct error ignored;
    uint64_t began = verification->has_base ? verification->base.statement.tree.size : 0;
    return ledger_since(verification->options->folder, &since, &ignored) == STATUS_OK &&
           since.below > began;
}

static enum status verify_once(const struct verify_options *options, struct verify_report *report,
                               struct verify_damage *damage, bool *may_mend, struct error *error)
{
    struct verification verification = {
        .options = options,
        .first = 1,
        .next = 1,
        .turn = 1,
        .stated = UINT64_MAX,
        .report = {.first_ns = INT64_MAX, .last_ns = INT64_MIN},
    };
    if (strlen(options->folder) >= SEGMENT_FOLDER_BYTES)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "ledger: the folder's name is too long");
    pthread_mutex_init(&verification.mutex, NULL);
    pthread_cond_init(&verification.turned, NULL);
    column_sets_init(&verification.sets);
    arena_init(&verification.items, ENTRY_ARENA_BYTES);
    enum status status = verify(&verification, error);
    if (status == STATUS_OK)
        fill_report(&verification, report);
    else if (status == STATUS_CORRUPT)
        *damage = verification.damage;
    const unsigned patience_ms = options->patience_ms == 0 ? PATIENCE_MS : options->patience_ms;
    *may_mend = status == STATUS_CORRUPT && verification.damage.check != NULL &&
                strcmp(verification.damage.check, "tiles") == 0 && !verification.report.closed &&
                published_newer(options->folder, verification.shelf.published.size, patience_ms);
    *may_mend = *may_mend || (status != STATUS_OK && was_overtaken(&verification));
    verify_shelf_free(&verification.shelf);
    if (verification.has_base)
        base_close(&verification.base);
    arena_free(&verification.items);
    column_sets_free(&verification.sets);
    pthread_cond_destroy(&verification.turned);
    pthread_mutex_destroy(&verification.mutex);
    return status;
}

enum status ledger_verify(const struct verify_options *options, struct verify_report *report,
                          struct verify_damage *damage, struct error *error)
{
    bool mended, again;
    enum status status = verify_once(options, report, damage, &mended, error);
    if (!mended)
        return status;
    *damage = (struct verify_damage){0};
    return verify_once(options, report, damage, &again, error);
}
