/* See admin_recording.h. New subject keys are sealed into the entry that first names them. */
#include "gateway/admin/admin_recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"
#include "sql/plan.h"

enum {
    SIDE_BYTES = 8 * 1024 * 1024,                     /* ledger_append takes no more */
    ENTRY_OVERHEAD = 4096 + RECORDING_TEXT_BYTES * 8, /* all of an entry but its set, rounded up */
    SET_ROOM = LIMIT_LEDGER_ENTRY_BYTES - ENTRY_OVERHEAD,
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

/* ---- texts ---- */

enum status recording_text(const struct asking *asking, const char *name, bool required,
                           const char **text, struct error *error)
{
    const char *value = admin_option(asking, name);
    if (value == NULL && !required) {
        *text = NULL;
        return STATUS_OK;
    }
    if (value == NULL || value[0] == '\0')
        return error_set(error, STATUS_DENIED, "22023", "see cofferdam(1), \"ADMIN DATABASE\"",
                         "%s 'text' is required: it goes into the ledger", name);
    if (strlen(value) > RECORDING_TEXT_BYTES)
        return error_set(error, STATUS_DENIED, "54000",
                         "keep the rest elsewhere, and its hash here",
                         "the text of %s is longer than %d bytes", name, RECORDING_TEXT_BYTES);
    if (!text_is_plain(slice_of_text(value)))
        return error_set(error, STATUS_DENIED, "22023", "write it on one line",
                         "the text of %s has control characters, or is not UTF-8", name);
    *text = value;
    return STATUS_OK;
}

enum status recording_instant(const struct asking *asking, const char *name, bool required,
                              char text[static 21], struct error *error)
{
    const char *value;
    int64_t time_ns;
    TRY(recording_text(asking, name, required, &value, error));
    if (value == NULL) {
        text[0] = '\0';
        return STATUS_OK;
    }
    enum status status = clock_parse(value, &time_ns, error);
    if (status == STATUS_OK && time_ns > clock_now_ns())
        status = error_set(error, STATUS_DENIED, "22008", NULL, "it is in the future");
    if (status != STATUS_OK) {
        error_prefix(error, "%s", name);
        return status;
    }
    clock_format_utc(time_ns, text);
    return STATUS_OK;
}

enum status recording_who(const struct asking *asking, char who[static RECORDING_WHO_ROOM],
                          struct error *error)
{
    const char *by;
    TRY(recording_text(asking, "BY", false, &by, error));
    if (by != NULL && strlen(by) > RECORDING_BY_BYTES)
        return error_set(error, STATUS_DENIED, "54000", NULL,
                         "the text of BY is longer than %d bytes", RECORDING_BY_BYTES);
    snprintf(who, RECORDING_WHO_ROOM, by == NULL ? "%s%s" : "%s (%s)", asking->by,
             by == NULL ? "" : by);
    return STATUS_OK;
}

/* ---- names ---- */

enum status recording_partner(const struct asking *asking, const struct policy *policy,
                              const char **partner, struct error *error)
{
    const char *name = admin_option(asking, "PARTNER");
    if (name == NULL || name[0] == '\0')
        return error_set(error, STATUS_DENIED, "22023", "add PARTNER 'name'",
                         "which partner is not said");
    if (policy_find_partner(policy, name) == NULL &&
        !exposure_knows_partner(asking->server->exposure, name))
        return error_set(error, STATUS_NOT_FOUND, "42704", "cofferdam partner list names them",
                         "partner \"%.60s\" is not in the policy, and nothing was disclosed to it",
                         name);
    *partner = name;
    return STATUS_OK;
}

enum status recording_kind(const struct asking *asking, const struct policy *policy, uint16_t *kind,
                           struct error *error)
{
    const char *name = admin_option(asking, "KIND");
    const struct policy_kind *found = name == NULL ? NULL : policy_find_kind(policy, name);
    if (found == NULL)
        return error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                         "\"%.60s\" is no kind of subject in the policy", name == NULL ? "" : name);
    *kind = (uint16_t)(found - policy->kinds);
    return STATUS_OK;
}

/* ---- columns ---- */

struct named_column {
    const char *dataset, *column, *form, *category;
};

static bool is_about(const struct policy_dataset *dataset, uint16_t kind)
{
    for (size_t i = 0; i < dataset->subject_count; i++)
        if (dataset->subjects[i].kind == kind)
            return true;
    return false;
}

static enum status no_column(struct error *error, const char *word)
{
    return error_set(error, STATUS_NOT_FOUND, "42703", "cofferdam check lists datasets and columns",
                     "\"%.130s\" is no column of the policy: write dataset.column", word);
}

/* "dataset.column"; without a dataset, of the one that lists these people. */
static enum status find_column(const struct policy *policy, uint16_t kind, char *word,
                               struct named_column *found, struct error *error)
{
    char *dot = strchr(word, '.');
    const char *name = dot == NULL ? word : dot + 1;
    if (dot != NULL)
        *dot = '\0';
    const struct policy_dataset *dataset =
        policy_find_dataset(policy, dot == NULL ? policy->kinds[kind].dataset : word);
    size_t at = 0;
    while (dataset != NULL && at < dataset->column_count &&
           strcmp(dataset->columns[at].name, name) != 0)
        at++;
    if (dot != NULL)
        *dot = '.';
    if (dataset == NULL || at == dataset->column_count)
        return no_column(error, word);
    if (!is_about(dataset, kind))
        return error_set(error, STATUS_DENIED, "22023", "name columns of datasets about that kind",
                         "dataset %s is not about the kind %s", dataset->name,
                         policy->kinds[kind].name);
    found->dataset = dataset->name;
    found->column = dataset->columns[at].name;
    found->category = dataset->columns[at].category;
    return STATUS_OK;
}

static enum status find_form(char *word, bool clear_only, const char **form, struct error *error)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    char *colon = strchr(word, ':');
    *form = forms[POLICY_FORM_CLEAR];
    if (colon == NULL)
        return STATUS_OK;
    *colon = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(colon + 1, forms[i]) == 0 && (i == POLICY_FORM_CLEAR || !clear_only)) {
            *form = forms[i];
            return STATUS_OK;
        }
    return error_set(error, STATUS_DENIED, "22023",
                     clear_only ? "what is read is read in clear" : "clear, masked or token",
                     "\"%.60s\" is no form for column %.130s", colon + 1, word);
}

static int compare_columns(const void *a, const void *b)
{
    const struct named_column *left = a, *right = b;
    int order = strcmp(left->dataset, right->dataset);
    if (order == 0)
        order = strcmp(left->column, right->column);
    return order != 0 ? order : strcmp(left->form, right->form);
}

static void put_columns(struct named_column *columns, size_t count, struct buffer *canonical)
{
    qsort(columns, count, sizeof *columns, compare_columns);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_columns(&columns[i - 1], &columns[i]) == 0)
            continue;
        buffer_printf(canonical, "%s.%s:%s:%s\n", columns[i].dataset, columns[i].column,
                      columns[i].form, columns[i].category == NULL ? "" : columns[i].category);
    }
}

enum status recording_columns(const struct policy *policy, uint16_t kind, const char *text,
                              bool clear_only, struct buffer *canonical, struct error *error)
{
    struct named_column columns[RECORDING_COLUMNS];
    char word[3 * LIMIT_NAME_BYTES];
    size_t count = 0;
    for (const char *at = text;; at++) {
        at += strspn(at, " ");
        size_t len = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (len >= sizeof word || word[0] == '\0')
            return no_column(error, word);
        if (count == RECORDING_COLUMNS)
            return error_set(error, STATUS_DENIED, "54000", NULL, "more than %d columns",
                             RECORDING_COLUMNS);
        TRY(find_form(word, clear_only, &columns[count].form, error));
        TRY(find_column(policy, kind, word, &columns[count], error));
        count++;
        at += len;
        if (*at == '\0')
            break;
    }
    put_columns(columns, count, canonical);
    return canonical->overflowed ? error_set(error, STATUS_DENIED, "54000", "name fewer columns",
                                             "more columns than one ledger entry can name")
                                 : STATUS_OK;
}

/* ---- numbers and keys ---- */

static bool take_number(const char **text, uint32_t *number)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == *text || value > INT32_MAX)
        return false;
    *number = (uint32_t)value;
    *text = at;
    return true;
}

enum status recording_range(const char **text, uint32_t *first, uint32_t *last, struct error *error)
{
    const char *at = *text + strspn(*text, " ");
    if (*at == '\0')
        return STATUS_CLOSED;
    bool sound = take_number(&at, first);
    *last = *first;
    if (sound && *at == '-') {
        at++;
        sound = take_number(&at, last) && *last >= *first;
    }
    if (!sound || (*at != ' ' && *at != '\0'))
        return error_set(error, STATUS_DENIED, "22023", "write IDS '1-500 502'",
                         "IDS has something that is no subject id");
    *text = at;
    return STATUS_OK;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

enum status recording_keys(uint16_t kind, const char *text, struct subject_key **out, size_t *count,
                           struct error *error)
{
    struct subject_key *keys = calloc(count_lines(text), sizeof *keys);
    size_t made = 0;
    if (keys == NULL)
        return out_of_memory(error);
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len == 0 || len > LIMIT_SUBJECT_KEY_BYTES) {
            free(keys);
            return error_set(error, STATUS_DENIED, "22023", "one key a line",
                             "KEYS: line %zu is empty or longer than %d bytes", made + 1,
                             LIMIT_SUBJECT_KEY_BYTES);
        }
        keys[made++] = (struct subject_key){.kind = kind, .key = slice_of(text, len)};
        text += len + (text[len] == '\n');
    }
    *out = keys;
    *count = made;
    return STATUS_OK;
}

/* ---- entries ---- */

struct recording recording_begin(struct server *server, const struct snapshot *snapshot,
                                 enum ledger_type type)
{
    struct recording recording = {.server = server, .entry = {.type = type}};
    crypto_random(recording.entry.uuid, sizeof recording.entry.uuid);
    memcpy(recording.entry.policy_id, snapshot->policy_id, sizeof recording.entry.policy_id);
    return recording;
}

static enum status append(struct recording *recording, const struct ledger_item *item,
                          struct slice side, bool last, struct error *error)
{
    struct ledger_entry entry = recording->entry;
    entry.flags =
        (recording->chunk == 0 ? LEDGER_FLAG_OPENING : 0) | (last ? LEDGER_FLAG_CLOSING : 0);
    entry.outcome =
        last && entry.type == LEDGER_DISCLOSURE ? LEDGER_OUTCOME_COMPLETE : LEDGER_OUTCOME_NONE;
    entry.time_ns = clock_now_ns();
    entry.items = item;
    entry.item_count = item == NULL ? 0 : 1;
    entry.chunk = recording->chunk++;
    entry.chunk_count = last ? recording->chunk : 0;
    TRY(ledger_append(recording->server->ledger, &entry, side, &recording->sequence, error));
    exposure_record(recording->server->exposure, recording->sequence, &entry);
    return STATUS_OK;
}

/* As many of the ids as one entry can hold: the set is left in *set. */
static size_t fill_set(uint32_t *ids, size_t count, struct buffer *set)
{
    size_t taken = count < LIMIT_BATCH_SUBJECTS ? count : LIMIT_BATCH_SUBJECTS;
    for (;; taken /= 2) {
        buffer_clear(set);
        subject_set_serialize(ids, taken, set);
        if (!set->overflowed || taken <= 1)
            return taken;
    }
}

enum status recording_people(struct recording *recording, uint32_t *ids, size_t count,
                             struct slice side, bool last, struct error *error)
{
    struct buffer set;
    size_t done = 0;
    count = subject_ids_unique(ids, count);
    buffer_init(&set, SET_ROOM);
    enum status status = STATUS_OK;
    do {
        size_t taken = fill_set(ids + done, count - done, &set);
        const struct ledger_item item = {.kind = recording->kind,
                                         .grade = PLAN_GRADE_DIRECT,
                                         .column_set = recording->column_set,
                                         .subjects = buffer_slice(&set)};
        done += taken;
        status = append(recording, &item, side, last && done == count, error);
        side = slice_of(NULL, 0);
    } while (status == STATUS_OK && done < count);
    buffer_free(&set);
    return status;
}

static enum status append_subjects(struct recording *recording, const struct subject_key *keys,
                                   size_t count, uint32_t *ids, struct error *error)
{
    struct buffer side;
    buffer_init(&side, SIDE_BYTES);
    enum status status = STATUS_OK;
    size_t first = 0;
    do {
        size_t piece = count - first < LIMIT_BATCH_SUBJECTS ? count - first : LIMIT_BATCH_SUBJECTS;
        buffer_clear(&side);
        status = exposure_map(recording->server->exposure, keys + first, piece, ids + first, &side,
                              error);
        if (status == STATUS_OK)
            status = recording_people(recording, ids + first, piece, buffer_slice(&side),
                                      first + piece == count, error);
        first += piece;
    } while (status == STATUS_OK && first < count);
    buffer_free(&side);
    return status;
}

enum status recording_subjects(struct recording *recording, const struct subject_key *keys,
                               size_t count, size_t *subjects, struct error *error)
{
    uint32_t *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        return out_of_memory(error);
    enum status status = append_subjects(recording, keys, count, ids, error);
    if (status == STATUS_OK)
        *subjects = subject_ids_unique(ids, count);
    free(ids);
    return status;
}

enum status recording_alone(struct recording *recording, struct error *error)
{
    return append(recording, NULL, slice_of(NULL, 0), true, error);
}

void recording_wait(const struct recording *recording)
{
    ledger_wait(recording->server->ledger, recording->sequence);
}
