/* See signing.h, and docs/LEDGER-FORMAT.md, "Keys", for the order of the steps. */
#include "ledger/signing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "ledger/kept.h"

enum { KEY_FILE_MODE = 0600, VKEY_FILE_MODE = 0644, KEY_BYTES = 1024, CHAIN_SPARE = 16 };

static const char *const lost_hint =
    "Restore the file from a backup. If it is lost for good: `cofferdam ledger key replace`, after "
    "which the log says that nobody vouches for its new key.";

/* ---- files ---- */

static void next_path(const struct signing *signing, char path[static SIGNING_PATH_ROOM])
{
    snprintf(path, SIGNING_PATH_ROOM, "%.4080s.next", signing->path);
}

static void vkey_path(const struct signing *signing, char path[static SIGNING_PATH_ROOM])
{
    snprintf(path, SIGNING_PATH_ROOM, "%.4000s/log.vkey", signing->folder);
}

/* *found is false where there is no such file. */
static enum status read_key(const struct signing *signing, const char *path,
                            struct note_signer *signer, bool *found, struct error *error)
{
    enum status status = note_signer_read(path, signer, error);
    *found = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK && strcmp(signer->key.name, signing->origin) != 0)
        return error_set(error, STATUS_INVALID, "F0000", lost_hint,
                         "%.200s: this is the key of %.80s, not of %.80s", path, signer->key.name,
                         signing->origin);
    return status;
}

static enum status write_key(const char *path, const struct note_signer *signer,
                             struct error *error)
{
    struct buffer text;
    buffer_init(&text, KEY_BYTES);
    note_signer_format(signer, &text);
    buffer_append_text(&text, "\n");
    CHECK(!text.overflowed);
    enum status status = file_replace(path, buffer_slice(&text), KEY_FILE_MODE, error);
    crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    if (status == STATUS_OK)
        status = file_inherit_owner(path, error);
    return status;
}

/* log.vkey: what verifiers are given. It follows the key in force. */
static enum status write_vkey(const struct signing *signing, const struct note_key *key,
                              struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    struct buffer want, found;
    buffer_init(&want, KEY_BYTES);
    buffer_init(&found, KEY_BYTES);
    vkey_path(signing, path);
    note_key_format(key, &want);
    buffer_append_text(&want, "\n");
    enum status status = STATUS_OK;
    if (file_read(path, &found, NULL) != STATUS_OK ||
        !slice_equal(buffer_slice(&want), buffer_slice(&found)))
        status = file_replace(path, buffer_slice(&want), VKEY_FILE_MODE, error);
    if (status == STATUS_OK)
        status = file_inherit_owner(path, error);
    buffer_free(&want);
    buffer_free(&found);
    return status;
}

/* ---- what there is, and what follows from it ---- */

static const struct note_key *in_force(const struct signing *signing)
{
    const struct key_chain *chain = signing->chain;
    return chain->count == 0 ? NULL : &chain->links[chain->count - 1].key;
}

static enum status refuse(struct error *error, const char *path, const char *what)
{
    return error_set(error, STATUS_DENIED, "F0000", lost_hint,
                     "%.200s: %s; without it no checkpoint can be signed", path, what);
}

/* The key that a hand-over replaced: both sign until the change is complete. */
static bool is_replaced(const struct signing *signing, const struct note_key *key)
{
    const struct key_chain *chain = signing->chain;
    return chain->count >= 2 && chain->links[chain->count - 1].kind == KEY_CHANGE_HAND_OVER &&
           note_key_equal(&chain->links[chain->count - 2].key, key);
}

static enum status decide(struct signing *signing, struct error *error)
{
    char vkey[SIGNING_PATH_ROOM];
    const struct note_key *key = in_force(signing);
    vkey_path(signing, vkey);
    bool is_current =
        key != NULL && signing->has_current && note_key_equal(key, &signing->current.key);
    bool is_next = key != NULL && signing->has_next && note_key_equal(key, &signing->next.key);
    if (is_current)
        signing->step = SIGNING_READY;
    else if (is_next && (!signing->has_current || is_replaced(signing, &signing->current.key)))
        signing->step = SIGNING_FINISH;
    else if (signing->break_reason != NULL && !signing->has_current)
        signing->step = key == NULL ? SIGNING_FIRST : SIGNING_BREAK;
    else if (signing->has_current && key != NULL)
        return refuse(error, signing->path, "this is not the key that the log names as its own");
    else if (signing->has_current || (key == NULL && !file_exists(vkey)))
        signing->step = SIGNING_FIRST;
    else
        return refuse(error, signing->path, "the log's signing key is missing");
    if (signing->break_reason != NULL && signing->has_current)
        return error_set(error, STATUS_DENIED, "F0000",
                         "To change a key that is there: cofferdam ledger key rotate. To give one "
                         "up that must not be used any more, move its file away first.",
                         "%.200s: there is a signing key", signing->path);
    return STATUS_OK;
}

enum status signing_open(struct signing *signing, const char *folder, const char *key_path,
                         const char *break_reason, const uint8_t log_id[static SEGMENT_ID_BYTES],
                         const struct key_chain *chain, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    *signing = (struct signing){.folder = folder, .break_reason = break_reason, .chain = chain};
    pthread_mutex_init(&signing->mutex, NULL);
    checkpoint_origin(log_id, signing->origin);
    enum status stored = checkpoint_read(folder, log_id, &signing->last, error);
    if (stored != STATUS_OK && stored != STATUS_NOT_FOUND)
        return stored;
    signing->has_last = stored == STATUS_OK;
    vkey_path(signing, path);
    if (key_path == NULL && chain->count == 0 && !file_exists(path))
        return STATUS_OK;
    if (key_path == NULL)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "%.300s: this log's checkpoints are signed, and no signing key is named",
                         folder);
    if (strlen(key_path) > SIGNING_PATH_ROOM - 32)
        return error_set(error, STATUS_INVALID, "F0000", NULL,
                         "the signing key's path is too long");
    snprintf(signing->path, sizeof signing->path, "%s", key_path);
    next_path(signing, path);
    TRY(read_key(signing, signing->path, &signing->current, &signing->has_current, error));
    TRY(read_key(signing, path, &signing->next, &signing->has_next, error));
    return decide(signing, error);
}

void signing_close(struct signing *signing)
{
    note_signer_wipe(&signing->current);
    note_signer_wipe(&signing->next);
    pthread_mutex_destroy(&signing->mutex);
}

/* ---- checkpoints ---- */

static enum status compose(const struct signing *signing, const struct checkpoint *checkpoint,
                           struct buffer *out, struct error *error)
{
    struct buffer text;
    buffer_init(&text, NOTE_BYTES_MAX);
    checkpoint_format(signing->origin, checkpoint, &text);
    buffer_append(out, text.data, text.len);
    if (!text.overflowed && signing->step != SIGNING_OFF) {
        buffer_append_text(out, "\n");
        note_sign(&signing->current, buffer_slice(&text), out);
        if (signing->has_next)
            note_sign(&signing->next, buffer_slice(&text), out);
    }
    bool overflowed = text.overflowed || out->overflowed;
    buffer_free(&text);
    return overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL, "no memory") : STATUS_OK;
}

/* Stored before anybody is shown it. */
static enum status store(struct signing *signing, const struct checkpoint *checkpoint, bool keep,
                         struct slice note, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    bool same = signing->has_last && signing->last.size == checkpoint->size;
    snprintf(path, sizeof path, "%.4000s/checkpoint", signing->folder);
    if (!same || signing->has_next)
        TRY(file_replace(path, note, SEGMENT_FILE_MODE, error));
    signing->last = *checkpoint;
    signing->has_last = true;
    return keep && signing->step != SIGNING_OFF
               ? kept_store(signing->folder, checkpoint->size, note, signing->has_next, error)
               : STATUS_OK;
}

static enum status publish(struct signing *signing, const struct signing_order *order,
                           struct error *error)
{
    struct checkpoint checkpoint;
    struct buffer note;
    if (order->given != NULL)
        checkpoint = *order->given;
    else
        signing->log.progress(signing->log.context, &checkpoint);
    bool same = signing->has_last && checkpoint.size == signing->last.size;
    CHECK(!signing->has_last || checkpoint.size >= signing->last.size);
    CHECK(!same || memcmp(checkpoint.root, signing->last.root, sizeof checkpoint.root) == 0);
    if (order->checkpoint != NULL)
        *order->checkpoint = checkpoint;
    if (same && !order->keep && order->note == NULL)
        return STATUS_OK;
    buffer_init(&note, NOTE_BYTES_MAX);
    enum status status = compose(signing, &checkpoint, &note, error);
    if (status == STATUS_OK)
        status = store(signing, &checkpoint, order->keep, buffer_slice(&note), error);
    if (status == STATUS_OK && order->note != NULL && signing->step != SIGNING_OFF)
        buffer_append(order->note, note.data, note.len);
    buffer_free(&note);
    return status;
}

enum status signing_publish(struct signing *signing, const struct signing_order *order,
                            struct error *error)
{
    pthread_mutex_lock(&signing->mutex);
    enum status status = publish(signing, order, error);
    pthread_mutex_unlock(&signing->mutex);
    return status;
}

void signing_note(struct signing *signing, struct slice text, struct buffer *out)
{
    pthread_mutex_lock(&signing->mutex);
    buffer_append(out, text.data, text.len);
    if (signing->step != SIGNING_OFF) {
        buffer_append_text(out, "\n");
        note_sign(&signing->current, text, out);
        if (signing->has_next)
            note_sign(&signing->next, text, out);
    }
    pthread_mutex_unlock(&signing->mutex);
}

/* ---- changes of key ---- */

/* The entry. old: NULL unless it is a hand-over. */
static enum status tell(struct signing *signing, enum key_change_kind kind,
                        const struct note_signer *old, const struct note_signer *fresh,
                        struct error *error)
{
    struct key_change change = {.kind = kind, .new_key = fresh->key};
    struct buffer text;
    if (kind != KEY_CHANGE_FIRST)
        change.old_key = *in_force(signing);
    if (kind == KEY_CHANGE_BREAK)
        snprintf(change.reason, sizeof change.reason, "%s", signing->break_reason);
    signing->log.progress(signing->log.context, &change.before);
    buffer_init(&text, NOTE_BYTES_MAX);
    key_change_format(&change, old, fresh, &text);
    enum status status =
        text.overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL, "no memory")
                        : signing->log.append(signing->log.context, buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

/* The log names next: the files follow. A crash before the last step leaves a file that the next
 * start removes. */
static enum status finish(struct signing *signing, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    if (signing->has_current) {
        const struct signing_order order = {.keep = true};
        TRY(publish(signing, &order, error));
    }
    TRY(write_vkey(signing, &signing->next.key, error));
    TRY(write_key(signing->path, &signing->next, error));
    next_path(signing, path);
    if (unlink(path) != 0)
        return error_set_errno(error, errno, "%.200s", path);
    note_signer_wipe(&signing->current);
    signing->current = signing->next;
    signing->has_current = true;
    note_signer_wipe(&signing->next);
    signing->has_next = false;
    log_event(LOG_INFO, "ledger_key", "id=%08" PRIx32, signing->current.key.id);
    return STATUS_OK;
}

/* The first checkpoint is signed before anybody is given the key to check it with. */
static enum status settle_first(struct signing *signing, struct error *error)
{
    const struct signing_order order = {.keep = false};
    if (!signing->has_current) {
        note_signer_generate(signing->origin, &signing->current);
        TRY(write_key(signing->path, &signing->current, error));
        signing->has_current = true;
    }
    TRY(tell(signing, KEY_CHANGE_FIRST, NULL, &signing->current, error));
    TRY(publish(signing, &order, error));
    log_event(LOG_INFO, "ledger_key", "id=%08" PRIx32, signing->current.key.id);
    return write_vkey(signing, &signing->current.key, error);
}

static enum status settle_break(struct signing *signing, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    next_path(signing, path);
    note_signer_generate(signing->origin, &signing->next);
    TRY(write_key(path, &signing->next, error));
    signing->has_next = true;
    TRY(tell(signing, KEY_CHANGE_BREAK, NULL, &signing->next, error));
    return finish(signing, error);
}

/* What a rotation left that had not come into the log. */
static enum status settle_ready(struct signing *signing, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    next_path(signing, path);
    if (signing->has_next && unlink(path) != 0)
        return error_set_errno(error, errno, "%.200s", path);
    note_signer_wipe(&signing->next);
    signing->has_next = false;
    return write_vkey(signing, &signing->current.key, error);
}

enum status signing_settle(struct signing *signing, const struct signing_log *log,
                           struct error *error)
{
    enum status status = STATUS_OK;
    signing->log = *log;
    pthread_mutex_lock(&signing->mutex);
    if (signing->step == SIGNING_FIRST)
        status = settle_first(signing, error);
    else if (signing->step == SIGNING_BREAK)
        status = settle_break(signing, error);
    else if (signing->step == SIGNING_FINISH)
        status = finish(signing, error);
    else if (signing->step == SIGNING_READY)
        status = settle_ready(signing, error);
    if (status == STATUS_OK && signing->step != SIGNING_OFF)
        signing->step = SIGNING_READY;
    pthread_mutex_unlock(&signing->mutex);
    return status;
}

/* The change is told: from here on it can only go forward. */
static enum status rotate(struct signing *signing, struct error *error)
{
    char path[SIGNING_PATH_ROOM];
    struct note_signer fresh;
    if (signing->has_next)
        return finish(signing, error);
    if (signing->chain->count + CHAIN_SPARE > KEY_CHAIN_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "the log's key has been changed %zu times, and that is all there can be",
                         signing->chain->count - 1);
    next_path(signing, path);
    note_signer_generate(signing->origin, &fresh);
    enum status status = write_key(path, &fresh, error);
    if (status == STATUS_OK)
        status = tell(signing, KEY_CHANGE_HAND_OVER, &signing->current, &fresh, error);
    if (status == STATUS_OK) {
        signing->next = fresh;
        signing->has_next = true;
        status = finish(signing, error);
    } else {
        unlink(path);
    }
    note_signer_wipe(&fresh);
    return status;
}

enum status signing_rotate(struct signing *signing, struct note_key *fresh, struct error *error)
{
    if (signing->step == SIGNING_OFF)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "this log has no signing key");
    pthread_mutex_lock(&signing->mutex);
    enum status status = rotate(signing, error);
    if (status == STATUS_OK)
        *fresh = signing->current.key;
    pthread_mutex_unlock(&signing->mutex);
    return status;
}
