/* See reading.h. The gateway goes on meanwhile: it appends to the key file, replaces it after an
 * erasure, makes seal keys and destroys them once the key file has what they sealed. So whatever is
 * missed in memory is looked for on disk once more before it is called missing. Nothing is held
 * back from an erasure: what it replaced is read anew as soon as an entry contradicts it. */
#include "exposure/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "exposure/dictionary.h"
#include "exposure/key_file.h"
#include "exposure/seal_keys.h"
#include "exposure/side.h"

struct names {
    char folder[3900];
    struct dictionary *dictionary;
    struct seal_keys *seals;
};

static enum status read_seals(struct names *names, struct error *error)
{
    struct seal_keys *seals = NULL;
    TRY(seal_keys_open(names->folder, &seals, error));
    seal_keys_free(names->seals);
    names->seals = seals;
    return STATUS_OK;
}

/* ---- the key file, again ---- */

struct carrying {
    struct dictionary *to;
    enum status status;
    struct error *error;
};

/* Copies what only sealed sections told so far. The lock of the other dictionary is its own. */
static bool carry(void *context, uint32_t id, uint16_t kind, struct slice key)
{
    struct carrying *carrying = context;
    if (!dictionary_knows(carrying->to, id))
        carrying->status = dictionary_learn(carrying->to, id, kind, key, carrying->error);
    return carrying->status == STATUS_OK;
}

static enum status read_keys(struct names *names, struct error *error)
{
    struct dictionary *fresh = NULL;
    TRY(dictionary_new(&fresh, error));
    enum status status = key_file_read(names->folder, fresh, error);
    if (status == STATUS_OK && names->dictionary != NULL) {
        struct carrying carrying = {.to = fresh, .error = error};
        dictionary_each(names->dictionary, 0, dictionary_next_id(names->dictionary), carry,
                        &carrying);
        status = carrying.status;
    }
    if (status != STATUS_OK) {
        dictionary_free(fresh);
        return status;
    }
    dictionary_free(names->dictionary);
    names->dictionary = fresh;
    return STATUS_OK;
}

/* ---- opening and closing ---- */

enum status names_open(const char *subjects_folder, struct names **out, struct error *error)
{
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = STATUS_OK;
    if (snprintf(names->folder, sizeof names->folder, "%s", subjects_folder) >=
        (int)sizeof names->folder)
        status = error_set(error, STATUS_INVALID, "58030", NULL, "path is too long");
    /* In this order: a key that is gone by now has its pairs in the file that is read next. */
    if (status == STATUS_OK)
        status = read_seals(names, error);
    if (status == STATUS_OK)
        status = read_keys(names, error);
    if (status == STATUS_OK)
        *out = names;
    else
        names_close(names);
    return status;
}

void names_close(struct names *names)
{
    if (names == NULL)
        return;
    seal_keys_free(names->seals);
    dictionary_free(names->dictionary);
    free(names);
}

/* ---- sealed pairs ---- */

static uint32_t count_missing(const struct names *names, const struct side_section *section)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < section->count; i++)
        missing += !dictionary_knows(names->dictionary, load_u32be(section->ids + 4 * (size_t)i));
    return missing;
}

static enum status learn_pair(void *context, const struct side_pair *pair, struct error *error)
{
    struct names *names = context;
    return dictionary_learn(names->dictionary, pair->id, pair->kind, pair->key, error);
}

/* STATUS_NOT_FOUND where the section's key is not there (any more). */
static enum status open_section(struct names *names, const struct side_section *section,
                                struct error *error)
{
    struct seal_key key;
    TRY(seal_keys_find(names->seals, section->key_number, section->key_mark, &key));
    enum status status = side_open(section, &key, learn_pair, names, error);
    if (status == STATUS_CORRUPT) { /* erased and disclosed again since the file was read? */
        status = read_keys(names, error);
        if (status == STATUS_OK)
            status = side_open(section, &key, learn_pair, names, error);
    }
    crypto_wipe(&key, sizeof key);
    return status;
}

static enum status take_section(struct names *names, const struct side_section *section,
                                struct error *error)
{
    if (count_missing(names, section) == 0)
        return STATUS_OK;
    enum status status = open_section(names, section, error);
    if (status != STATUS_NOT_FOUND)
        return status;
    TRY(read_seals(names, error));
    status = open_section(names, section, error);
    if (status != STATUS_NOT_FOUND)
        return status;
    TRY(read_keys(names, error));
    uint32_t missing = count_missing(names, section);
    if (missing == 0)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001", "restore subjects/keys from a backup",
                     "subjects/keys lacks %u subjects whose sealed copies in the ledger can no "
                     "longer be opened (key of segment %llu)",
                     missing, (unsigned long long)section->key_number);
}

static enum status take_sections(struct names *names, struct slice side, struct error *error)
{
    struct side_section section;
    enum status status;
    while ((status = side_next(&side, &section)) == STATUS_OK)
        TRY(take_section(names, &section, error));
    if (status != STATUS_CLOSED)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "a side section is malformed");
    return STATUS_OK;
}

enum status names_take(struct names *names, uint64_t sequence, struct slice side,
                       struct error *error)
{
    enum status status = take_sections(names, side, error);
    if (status != STATUS_OK)
        error_prefix(error, "ledger entry %llu", (unsigned long long)sequence);
    return status;
}

/* ---- looking up ---- */

enum status names_key(struct names *names, uint32_t id, uint16_t *kind, char key[256])
{
    return dictionary_key(names->dictionary, id, kind, key);
}

enum status names_find(struct names *names, uint16_t kind, struct slice key, uint32_t *id)
{
    return dictionary_find(names->dictionary, kind, key, id);
}

uint32_t names_next_id(const struct names *names)
{
    return dictionary_next_id(names->dictionary);
}

enum names_state names_state(const struct names *names, uint32_t id)
{
    uint16_t kind;
    char key[256];
    if (!dictionary_knows(names->dictionary, id))
        return NAMES_UNKNOWN;
    enum status status = dictionary_key(names->dictionary, id, &kind, key);
    crypto_wipe(key, sizeof key);
    return status == STATUS_OK ? NAMES_KEY : NAMES_ERASED;
}
