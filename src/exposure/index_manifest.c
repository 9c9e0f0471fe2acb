/* See index_manifest.h. One spelling only: what parses is formatted back to the same bytes, which
 * is how it is checked. */
#include "exposure/index_manifest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum { TEXT_BYTES = 16 << 20, NUMBER_ROOM = 24 };

#define TITLE "cofferdam exposure index 1\n"

static const char *const level_names[] = {"day", "month", "ever"};

static enum status malformed(struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                     "the manifest of the exposure index is malformed");
}

/* ---- parsing ---- */

/* The next word of the text, ended by the given byte. */
static bool take_word(struct slice *text, uint8_t end, struct slice *word)
{
    const uint8_t *found = text->len == 0 ? NULL : memchr(text->data, end, text->len);
    if (found == NULL)
        return false;
    *word = slice_of(text->data, (size_t)(found - text->data));
    *text = slice_of(found + 1, text->len - word->len - 1);
    return true;
}

static bool take_text(struct slice *text, const char *wanted)
{
    size_t len = strlen(wanted);
    if (text->len < len || memcmp(text->data, wanted, len) != 0)
        return false;
    *text = slice_of(text->data + len, text->len - len);
    return true;
}

static bool take_number(struct slice *text, uint8_t end, int base, uint64_t most, uint64_t *number)
{
    char digits[NUMBER_ROOM], *rest;
    struct slice word;
    if (!take_word(text, end, &word) || word.len == 0 || word.len >= sizeof digits)
        return false;
    memcpy(digits, word.data, word.len);
    digits[word.len] = '\0';
    errno = 0;
    unsigned long long value = strtoull(digits, &rest, base);
    if (errno != 0 || *rest != '\0' || value > most)
        return false;
    *number = value;
    return true;
}

static bool take_hex(struct slice *text, uint8_t *bytes, size_t count)
{
    struct slice word;
    if (!take_word(text, '\n', &word) || word.len != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned value = 0;
        for (size_t d = 0; d < 2; d++) {
            const char *digit = memchr("0123456789abcdef", word.data[2 * i + d], 16);
            if (digit == NULL)
                return false;
            value =
                value * 16 + (unsigned)(strchr("0123456789abcdef", *digit) - "0123456789abcdef");
        }
        bytes[i] = (uint8_t)value;
    }
    return true;
}

/* Instants are nanoseconds since 1970 in 64 bits: no day or month lies further away than those. */
static bool first_belongs(const struct manifest_file *file)
{
    enum { DAYS = INDEX_HOURS_MAX / 24 + 1, MONTHS = 12 * 4000 };
    if (file->level == INDEX_EVER)
        return file->first == 0;
    if (file->level == INDEX_MONTH)
        return file->first >= 0 && file->first <= MONTHS;
    return file->first >= -DAYS && file->first <= DAYS;
}

/* "day 20758 7 12300 0a1b2c3d"; days and months before 1970 are stored as 32 bits without sign. */
static bool take_file(struct slice *text, struct manifest_file *file)
{
    struct slice level;
    uint64_t first, seal;
    bool known = false;
    if (!take_word(text, ' ', &level) || !take_number(text, ' ', 10, UINT32_MAX, &first) ||
        !take_number(text, ' ', 10, UINT64_MAX, &file->generation) ||
        !take_number(text, ' ', 10, INT64_MAX, &file->size) ||
        !take_number(text, '\n', 16, UINT32_MAX, &seal))
        return false;
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (slice_equal(level, slice_of_text(level_names[i]))) {
            file->level = (enum index_level)i;
            known = true;
        }
    file->first = (int32_t)(uint32_t)first;
    file->seal = (uint32_t)seal;
    return known && first_belongs(file);
}

static bool take_files(struct slice *text, struct index_manifest *manifest)
{
    uint64_t count;
    if (!take_text(text, "files ") || !take_number(text, '\n', 10, INDEX_FILES_MAX, &count) ||
        count == 0 || count > text->len)
        return false;
    manifest->files = calloc(count, sizeof *manifest->files);
    if (manifest->files == NULL)
        return false;
    for (manifest->count = 0; manifest->count < count; manifest->count++) {
        struct manifest_file *file = &manifest->files[manifest->count];
        if (!take_file(text, file) ||
            (manifest->count > 0 && manifest_compare(file - 1, file) >= 0))
            return false;
    }
    return manifest->files[count - 1].level == INDEX_EVER;
}

/* "base 4096": only where the ledger has one. */
static bool take_base(struct slice *text, struct index_manifest *manifest)
{
    return !take_text(text, "base ") || take_number(text, '\n', 10, INT64_MAX, &manifest->base);
}

static bool is_formatted_so(const struct index_manifest *manifest, struct slice text)
{
    struct buffer again;
    buffer_init(&again, TEXT_BYTES);
    manifest_format(manifest, &again);
    bool same = !again.overflowed && slice_equal(buffer_slice(&again), text);
    buffer_free(&again);
    return same;
}

enum status manifest_parse(struct slice text, struct index_manifest *manifest, struct error *error)
{
    struct index_manifest made = {0};
    struct slice rest = text;
    bool whole = take_text(&rest, TITLE) && take_text(&rest, "log ") &&
                 take_hex(&rest, made.log_id, sizeof made.log_id) && take_base(&rest, &made) &&
                 take_text(&rest, "sequence ") &&
                 take_number(&rest, '\n', 10, UINT64_MAX, &made.sequence) &&
                 take_text(&rest, "root ") && take_hex(&rest, made.root, sizeof made.root) &&
                 take_text(&rest, "generation ") &&
                 take_number(&rest, '\n', 10, UINT64_MAX - 1, &made.generation) &&
                 take_files(&rest, &made) && is_formatted_so(&made, text);
    if (!whole) {
        manifest_free(&made);
        return malformed(error);
    }
    *manifest = made;
    return STATUS_OK;
}

void manifest_format(const struct index_manifest *manifest, struct buffer *out)
{
    char log[2 * INDEX_LOG_BYTES + 1], root[2 * INDEX_ROOT_BYTES + 1];
    size_t from = out->len;
    crypto_hex(manifest->log_id, sizeof manifest->log_id, log);
    crypto_hex(manifest->root, sizeof manifest->root, root);
    buffer_printf(out, TITLE "log %s\n", log);
    if (manifest->base > 0)
        buffer_printf(out, "base %" PRIu64 "\n", manifest->base);
    buffer_printf(out, "sequence %" PRIu64 "\nroot %s\ngeneration %" PRIu64 "\n",
                  manifest->sequence, root, manifest->generation);
    buffer_printf(out, "files %zu\n", manifest->count);
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_file *file = &manifest->files[i];
        buffer_printf(out, "%s %" PRIu32 " %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n",
                      level_names[file->level], (uint32_t)file->first, file->generation, file->size,
                      file->seal);
    }
    if (!out->overflowed)
        buffer_printf(out, "crc %08" PRIx32 "\n",
                      crypto_crc32c(0, out->data + from, out->len - from));
}

void manifest_free(struct index_manifest *manifest)
{
    free(manifest->files);
    *manifest = (struct index_manifest){0};
}

int manifest_compare(const struct manifest_file *a, const struct manifest_file *b)
{
    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

/* ---- files ---- */

enum status manifest_read(const char *folder, struct index_manifest *manifest, struct error *error)
{
    char path[INDEX_PATH_ROOM];
    struct buffer text;
    if (snprintf(path, sizeof path, "%s/manifest", folder) >= (int)sizeof path)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    buffer_init(&text, TEXT_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = manifest_parse(buffer_slice(&text), manifest, error);
    else if (status == STATUS_LIMIT)
        status = malformed(error);
    buffer_free(&text);
    return status;
}

enum status manifest_write(const char *folder, const struct index_manifest *manifest,
                           struct error *error)
{
    char path[INDEX_PATH_ROOM];
    struct buffer text;
    if (snprintf(path, sizeof path, "%s/manifest", folder) >= (int)sizeof path)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    buffer_init(&text, TEXT_BYTES);
    manifest_format(manifest, &text);
    enum status status =
        text.overflowed ? error_set(error, STATUS_NOMEM, "53200", NULL, "the manifest is too long")
                        : file_replace(path, buffer_slice(&text), 0600, error);
    buffer_free(&text);
    return status;
}

void manifest_name(const struct manifest_file *file, char name[static MANIFEST_NAME_ROOM])
{
    int32_t month = file->level == INDEX_DAY ? index_month_of_day(file->first) : file->first;
    int32_t year = month / 12 - (month % 12 < 0), of_year = month - year * 12 + 1;
    if (file->level == INDEX_EVER)
        snprintf(name, MANIFEST_NAME_ROOM, "ever");
    else if (file->level == INDEX_MONTH)
        snprintf(name, MANIFEST_NAME_ROOM, "month-%04" PRId32 "%02" PRId32, year, of_year);
    else
        snprintf(name, MANIFEST_NAME_ROOM, "day-%04" PRId32 "%02" PRId32 "%02" PRId32, year,
                 of_year, file->first - index_first_day(month) + 1);
}

enum status manifest_path(const char *folder, const struct manifest_file *file,
                          char path[static INDEX_PATH_ROOM], struct error *error)
{
    char name[MANIFEST_NAME_ROOM];
    manifest_name(file, name);
    if (snprintf(path, INDEX_PATH_ROOM, "%s/%s.%" PRIu64 ".idx", folder, name, file->generation) >=
        INDEX_PATH_ROOM)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    return STATUS_OK;
}

static bool is_named(const char *folder, const struct index_manifest *manifest, const char *name)
{
    char path[INDEX_PATH_ROOM];
    size_t skip = strlen(folder) + 1;
    for (size_t i = 0; i < manifest->count; i++)
        if (manifest_path(folder, &manifest->files[i], path, NULL) == STATUS_OK &&
            strcmp(path + skip, name) == 0)
            return true;
    return false;
}

enum status manifest_sweep(const char *folder, const struct index_manifest *manifest,
                           struct error *error)
{
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return error_set_errno(error, errno, "%s", folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        const char *ending = strrchr(entry->d_name, '.');
        if (ending == NULL || strcmp(ending, ".idx") != 0)
            continue;
        if (!is_named(folder, manifest, entry->d_name) &&
            unlinkat(dirfd(listing), entry->d_name, 0) != 0 && errno != ENOENT) {
            enum status status = error_set_errno(error, errno, "%s/%s", folder, entry->d_name);
            closedir(listing);
            return status;
        }
    }
    closedir(listing);
    return STATUS_OK;
}
