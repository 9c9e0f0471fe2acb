/* See workshop.h. */
#include "never/workshop.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"
#include "never/spelling.h"

enum { ID_HEX = 2 * CHECKPOINT_LOG_ID_BYTES, KEY_HEX = 2 * VRF_SEED_BYTES, FILE_BYTES = 256 };

static bool put_path(char path[WORKSHOP_PATH_ROOM], const char *state, const char *name)
{
    return snprintf(path, WORKSHOP_PATH_ROOM, "%s/%s", state, name) < WORKSHOP_PATH_ROOM;
}

static enum status read_origin(struct workshop *workshop, struct error *error)
{
    char path[WORKSHOP_PATH_ROOM + 8];
    uint8_t id[CHECKPOINT_LOG_ID_BYTES];
    struct buffer text;
    snprintf(path, sizeof path, "%s/log-id", workshop->ledger);
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK && (text.len != ID_HEX + 1 || text.data[ID_HEX] != '\n' ||
                                !spelling_hex(slice_of(text.data, ID_HEX), id, sizeof id)))
        status = error_set(error, STATUS_CORRUPT, "XX001", NULL, "%.300s is malformed", path);
    if (status == STATUS_OK)
        checkpoint_origin(id, workshop->origin);
    buffer_free(&text);
    return status;
}

enum status workshop_open(const struct never_place *place, struct workshop *workshop,
                          struct error *error)
{
    const char *state = place->state_folder;
    if (!put_path(workshop->ledger, state, "ledger") ||
        !put_path(workshop->subjects, state, "subjects") ||
        !put_path(workshop->folder, state, "never") ||
        !put_path(workshop->index, state, "never/index") ||
        !put_path(workshop->seeds, state, "never/seeds") ||
        !put_path(workshop->key, state, "never.key"))
        return error_set(error, STATUS_INVALID, "58030", NULL,
                         "the state folder's name is too long");
    TRY(read_origin(workshop, error));
    return never_base_read(workshop->ledger, &workshop->base, error);
}

/* ---- the key ---- */

enum status workshop_key(const struct workshop *workshop, struct vrf_key *key, struct error *error)
{
    uint8_t seed[VRF_SEED_BYTES];
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read_secret(workshop->key, &text, error);
    if (status == STATUS_OK && !spelling_hex(buffer_slice(&text), seed, sizeof seed))
        status = error_set(error, STATUS_INVALID, "F0000", "restore it from the backup",
                           "%.300s: not a key of ours", workshop->key);
    if (status == STATUS_OK)
        vrf_key_derive(seed, key);
    crypto_wipe(seed, sizeof seed);
    if (text.len > 0)
        crypto_wipe(text.data, text.len);
    buffer_free(&text);
    return status;
}

enum status workshop_new_key(const struct workshop *workshop, struct vrf_key *key,
                             struct error *error)
{
    uint8_t seed[VRF_SEED_BYTES];
    char text[KEY_HEX + 2];
    crypto_random(seed, sizeof seed);
    crypto_hex(seed, sizeof seed, text);
    text[KEY_HEX] = '\n';
    enum status status = file_replace(workshop->key, slice_of(text, KEY_HEX + 1), 0600, error);
    if (status == STATUS_OK)
        status = file_inherit_owner(workshop->key, error);
    if (status == STATUS_OK)
        vrf_key_derive(seed, key);
    crypto_wipe(seed, sizeof seed);
    crypto_wipe(text, sizeof text);
    return status;
}

/* ---- the ledger ---- */

static enum status too_short(struct error *error, uint64_t have, uint64_t want)
{
    return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                     "the ledger has %llu acknowledged entries, and not %llu",
                     (unsigned long long)have, (unsigned long long)want);
}

static enum status read_entries(const struct workshop_reading *reading,
                                struct ledger_reader *reader, struct error *error)
{
    struct holdings *holdings = reading->holdings;
    while (holdings->entries < reading->until) {
        uint64_t sequence;
        struct ledger_entry entry;
        struct slice side;
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN && reading->until == UINT64_MAX)
            return STATUS_OK;
        if (status == STATUS_AGAIN)
            return too_short(error, holdings->entries, reading->until);
        TRY(status);
        if (sequence > holdings->entries && sequence <= reading->workshop->base.from)
            holdings->entries = sequence; /* what lies between was dropped */
        if (sequence != holdings->entries)
            return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                             "the ledger no longer has entry %llu",
                             (unsigned long long)holdings->entries);
        if (reading->names != NULL)
            TRY(names_take(reading->names, sequence, side, error));
        TRY(holdings_take(holdings, &entry, error));
        if (reading->seen != NULL && !reading->seen(reading->context, sequence, &entry))
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* The base is that of when the workshop was opened: an index counts from there. */
static enum status check_base(const struct workshop_reading *reading,
                              const struct ledger_reader *reader, struct error *error)
{
    struct ledger_dropped dropped;
    const uint64_t from = reading->workshop->base.from;
    bool is_cut = ledger_reader_dropped(reader, &dropped) && dropped.entries > 0;
    if (reading->holdings->entries > 0 && !is_cut)
        return STATUS_OK;
    if (reading->holdings->entries == 0 && (is_cut ? dropped.below : 0) == from &&
        reading->until > from)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", "Ask again.",
                     "entries were dropped from the ledger meanwhile");
}

enum status workshop_read(const struct workshop_reading *reading, struct error *error)
{
    struct ledger_reader *reader;
    if (reading->holdings->entries >= reading->until)
        return STATUS_OK;
    TRY(ledger_reader_open(reading->workshop->ledger, reading->holdings->entries, &reader, error));
    enum status status = check_base(reading, reader, error);
    if (status == STATUS_OK)
        status = read_entries(reading, reader, error);
    ledger_reader_close(reader);
    return status;
}
