/* See invent.h: what the rows are like, and what a canary has of which. */
#include "delivery/invent.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/invent_private.h"

enum { UUID_OID = 2950, VIN_CHARS = 17, ORDERED_ROWS = 5, LONG_TEXT = 60 };

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

enum status invent_open(const struct invent_column *columns, size_t count,
                        const struct invent_lists *lists, struct invent **out, struct error *error)
{
    if (lists->given.count == 0 || lists->family.count == 0 || lists->streets.count == 0 ||
        lists->phones.count == 0)
        return error_set(error, STATUS_INVALID, "F0000", "restore share/canaries",
                         "a list that canaries are made of is empty");
    struct invent *invent = calloc(1, sizeof *invent);
    if (invent == NULL)
        return no_memory(error);
    *invent = (struct invent){.columns = columns, .count = count, .lists = *lists};
    invent->seen = calloc(count + 1, sizeof *invent->seen);
    invent->sample = calloc(INVENT_SAMPLE * count + 1, sizeof *invent->sample);
    invent->cells = calloc(count + 1, sizeof *invent->cells);
    invent->invented = calloc(count + 1, sizeof *invent->invented);
    if (invent->seen == NULL || invent->sample == NULL || invent->cells == NULL ||
        invent->invented == NULL) {
        invent_close(invent);
        return no_memory(error);
    }
    for (size_t i = 0; i < count; i++)
        invent->seen[i] = (struct invent_seen){.whole = true, .rising = true, .falling = true};
    *out = invent;
    return STATUS_OK;
}

void invent_close(struct invent *invent)
{
    if (invent == NULL)
        return;
    for (size_t i = 0; i < invent->count && invent->seen != NULL; i++)
        free(invent->seen[i].previous);
    for (size_t i = 0; i < INVENT_SAMPLE * invent->count && invent->sample != NULL; i++)
        free(invent->sample[i]);
    for (size_t i = 0; i < invent->count && invent->cells != NULL; i++)
        free(invent->cells[i]);
    free(invent->seen);
    free(invent->sample);
    free(invent->cells);
    free(invent->invented);
    free(invent);
}

/* ---- seeing ---- */

static bool read_whole(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool is_whole_type(uint32_t type)
{
    return type == INT2_OID || type == INT4_OID || type == INT8_OID;
}

static int compare(const struct invent_column *column, const char *a, const char *b)
{
    int64_t left, right;
    if (is_whole_type(column->type) && read_whole(a, &left) && read_whole(b, &right))
        return (left > right) - (left < right);
    return strcmp(a, b);
}

static enum status see_order(const struct invent_column *column, struct invent_seen *seen,
                             const char *value, struct error *error)
{
    if (!seen->rising && !seen->falling && seen->varies)
        return STATUS_OK;
    if (seen->previous != NULL) {
        int order = compare(column, seen->previous, value);
        seen->rising = seen->rising && order <= 0;
        seen->falling = seen->falling && order >= 0;
        seen->varies = seen->varies || order != 0;
        if (order == 0)
            return STATUS_OK;
    }
    free(seen->previous);
    seen->previous = strdup(value);
    return seen->previous == NULL ? no_memory(error) : STATUS_OK;
}

static enum status see_value(struct invent *invent, size_t column, const char *value,
                             struct error *error)
{
    struct invent_seen *seen = &invent->seen[column];
    int64_t number;
    if (value == NULL) {
        seen->rising = seen->falling = false;
        return STATUS_OK;
    }
    if (seen->whole && read_whole(value, &number)) {
        seen->least = seen->values == 0 || number < seen->least ? number : seen->least;
        seen->greatest = seen->values == 0 || number > seen->greatest ? number : seen->greatest;
    } else {
        seen->whole = false;
    }
    seen->values++;
    return see_order(&invent->columns[column], seen, value, error);
}

/* Each row stands the same chance to be in the sample (Vitter's algorithm R). */
static enum status take_sample(struct invent *invent, const char *const *cells, struct error *error)
{
    size_t at = invent->sampled;
    if (at == INVENT_SAMPLE) {
        uint32_t rows = invent->rows < UINT32_MAX ? (uint32_t)invent->rows : UINT32_MAX;
        at = invent_random(rows);
        if (at >= INVENT_SAMPLE)
            return STATUS_OK;
    } else {
        invent->sampled++;
    }
    for (size_t i = 0; i < invent->count; i++) {
        char **cell = &invent->sample[at * invent->count + i];
        free(*cell);
        *cell = cells[i] == NULL ? NULL : strdup(cells[i]);
        if (cells[i] != NULL && *cell == NULL)
            return no_memory(error);
    }
    return STATUS_OK;
}

enum status invent_see(struct invent *invent, const char *const *cells, struct error *error)
{
    invent->rows++;
    for (size_t i = 0; i < invent->count; i++)
        TRY(see_value(invent, i, cells[i], error));
    return take_sample(invent, cells, error);
}

/* ---- what a column is ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Do the sample's values come more than once, mostly? */
static bool repeats(const struct invent *invent, size_t column)
{
    const char *values[INVENT_SAMPLE];
    size_t count = 0, distinct = 0;
    for (size_t row = 0; row < invent->sampled; row++)
        if (invent->sample[row * invent->count + column] != NULL)
            values[count++] = invent->sample[row * invent->count + column];
    qsort(values, count, sizeof values[0], compare_texts);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || strcmp(values[i], values[i - 1]) != 0;
    return count > 1 && 2 * distinct <= count;
}

static const char *sample_of(const struct invent *invent, size_t row, size_t column)
{
    return invent->sample[row * invent->count + column];
}

/* A value that several rows of the sample have: `like` itself if it is one; NULL: there is none. A
 * value that only one row has is that person's own, and not to be given to another. */
static const char *find_shared(const struct invent *invent, size_t column, const char *like)
{
    size_t start = invent_random((uint32_t)invent->sampled);
    for (size_t i = 0; i <= invent->sampled; i++) {
        const char *value =
            i == 0 ? like : sample_of(invent, (start + i) % invent->sampled, column);
        size_t count = 0;
        for (size_t row = 0; row < invent->sampled && value != NULL; row++) {
            const char *other = sample_of(invent, row, column);
            count += other != NULL && strcmp(other, value) == 0;
        }
        if (count > 1)
            return value;
    }
    return NULL;
}

static bool has_null(const struct invent *invent, size_t column)
{
    for (size_t row = 0; row < invent->sampled; row++)
        if (sample_of(invent, row, column) == NULL)
            return true;
    return false;
}

static bool names(const struct invent_column *column, const char *const *parts)
{
    for (; *parts != NULL; parts++)
        if (strcasestr(column->of != NULL ? column->of : column->name, *parts) != NULL)
            return true;
    return false;
}

static bool is_category(const struct invent_column *column, const char *category)
{
    return column->is_clear && column->category != NULL && strcmp(column->category, category) == 0;
}

static enum invent_how how_name(const struct invent_column *column)
{
    static const char *const given[] = {"given", "first", "fore", "prenom", "vorname", NULL};
    static const char *const family[] = {"family", "last", "sur", "nachname", NULL};
    return names(column, given)    ? INVENT_GIVEN
           : names(column, family) ? INVENT_FAMILY
                                   : INVENT_FULL_NAME;
}

/* By the type and the look of the values, of which `like` is one. */
static enum invent_how how_by_look(const struct invent *invent, size_t at, const char *like)
{
    const struct invent_column *column = &invent->columns[at];
    const struct invent_seen *seen = &invent->seen[at];
    char *end;
    if (column->type == UUID_OID)
        return INVENT_UUID;
    if (!column->is_key && repeats(invent, at))
        return column->category == NULL && column->is_clear ? INVENT_COPY : INVENT_SHARED;
    if (seen->whole && is_whole_type(column->type))
        return INVENT_WHOLE;
    if (invent_is_date(like))
        return INVENT_DATE;
    if (strtod(like, &end) != 0 && *end == '\0' && strchr(like, '.') != NULL)
        return INVENT_NUMBER;
    if (column->category == NULL && column->is_clear && !column->is_key)
        return INVENT_COPY;
    /* Letters in a row would stand out as prose. */
    bool is_prose = strlen(like) > LONG_TEXT || strchr(like, '\n') != NULL;
    return !is_prose                               ? INVENT_SHAPE
           : find_shared(invent, at, NULL) != NULL ? INVENT_SHARED
           : has_null(invent, at)                  ? INVENT_EMPTY
                                                   : INVENT_NEVER;
}

static enum invent_how how_of(const struct invent *invent, size_t at, const char *like)
{
    const struct invent_column *column = &invent->columns[at];
    if (column->is_key)
        return how_by_look(invent, at, like);
    if (is_category(column, "name"))
        return how_name(column);
    if (is_category(column, "email"))
        return INVENT_EMAIL;
    if (is_category(column, "phone"))
        return INVENT_PHONE;
    if (is_category(column, "address"))
        return INVENT_ADDRESS;
    if (is_category(column, "vin") && strlen(like) == VIN_CHARS)
        return INVENT_VIN;
    return how_by_look(invent, at, like);
}

static const char *first_value(const struct invent *invent, size_t column)
{
    for (size_t row = 0; row < invent->sampled; row++)
        if (invent->sample[row * invent->count + column] != NULL)
            return invent->sample[row * invent->count + column];
    return NULL;
}

static void see_letters(struct invent *invent, size_t column)
{
    for (size_t row = 0; row < invent->sampled; row++) {
        const char *text = invent->sample[row * invent->count + column];
        for (; text != NULL && *text != '\0'; text++)
            invent->seen[column].letters[(unsigned char)*text] = true;
    }
}

enum status invent_ready(struct invent *invent, struct error *error)
{
    invent->order = invent->count;
    if (invent->rows == 0)
        return error_set(error, STATUS_DENIED, "02000", "leave the canaries out",
                         "the result has no row that a canary could look like");
    for (size_t i = 0; i < invent->count; i++) {
        struct invent_seen *seen = &invent->seen[i];
        const char *like = first_value(invent, i);
        seen->how = like == NULL ? INVENT_COPY : how_of(invent, i, like);
        see_letters(invent, i);
        if (seen->how == INVENT_EMAIL && invent->lists.mailbox_domain == NULL)
            return error_set(error, STATUS_DENIED, "55000",
                             "canaries: mailbox_domain: in cofferdam.yaml, a domain whose mail is "
                             "yours",
                             "column %.60s has e-mail addresses, and no domain for invented ones "
                             "is configured",
                             invent->columns[i].name);
        if (seen->how == INVENT_NEVER)
            return error_set(error, STATUS_DENIED, "0A000",
                             "leave the column out of the statement, or leave the canaries out",
                             "column %.60s has a long text of its own for each person, and none "
                             "can be invented",
                             invent->columns[i].name);
        bool ordered = (seen->rising || seen->falling) && seen->varies;
        if (ordered && invent->rows >= ORDERED_ROWS && invent->order == invent->count)
            invent->order = i;
    }
    return STATUS_OK;
}

size_t invent_order(const struct invent *invent)
{
    return invent->order;
}

bool invent_before(const struct invent *invent, const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return false;
    int order = compare(&invent->columns[invent->order], a, b);
    return invent->seen[invent->order].rising ? order < 0 : order > 0;
}

/* ---- canaries ---- */

/* Neither a street nor a postcode: a place where many live, or a house that has a name. */
static bool put_place(const struct invent *invent, size_t at, const char *like, struct buffer *out)
{
    static const char *const places[] = {"town",    "city",  "county", "country", "state", "region",
                                         "village", "place", "stadt",  "ort",     "ville", NULL};
    const char *shared = find_shared(invent, at, like);
    if (shared == like || names(&invent->columns[at], places)) {
        buffer_append_text(out, shared == NULL ? like : shared);
        return false;
    }
    invent_street(invent, like, out);
    return true;
}

static bool put_shape(const struct invent *invent, size_t at, const char *like, struct buffer *out)
{
    invent_shape(&invent->seen[at], like, out);
    return strlen(like) >= 6; /* a shorter one may be anybody's */
}

/* Of a category, and clear. Whether the value is one that only canaries have. */
static bool put_personal(const struct invent *invent, size_t at, const char *like,
                         struct buffer *out)
{
    enum invent_how how = invent->seen[at].how;
    switch (how) {
    case INVENT_GIVEN:
    case INVENT_FAMILY:
        invent_name(invent, how, like, out);
        return false;
    case INVENT_FULL_NAME:
        invent_name(invent, how, like, out);
        return true;
    case INVENT_EMAIL:
        invent_email(invent, out);
        return true;
    case INVENT_PHONE:
        invent_phone(invent, like, out);
        return true;
    case INVENT_ADDRESS:
        if (invent_address(invent, like, out))
            return strlen(like) > 8; /* not a postcode, which others have */
        return put_place(invent, at, like, out);
    case INVENT_VIN:
        if (strlen(like) != VIN_CHARS)
            return put_shape(invent, at, like, out);
        invent_vin(like, out);
        return true;
    default:
        return false;
    }
}

/* Whether the value is one that only canaries have. */
static bool put_value(const struct invent *invent, size_t at, const char *like, struct buffer *out)
{
    const char *shared;
    switch (invent->seen[at].how) {
    case INVENT_COPY:
        buffer_append_text(out, like);
        return false;
    case INVENT_SHARED:
        shared = find_shared(invent, at, like);
        if (shared == NULL)
            return put_shape(invent, at, like, out);
        buffer_append_text(out, shared);
        return false;
    case INVENT_WHOLE:
        invent_whole(invent, at, out);
        return invent->columns[at].is_key;
    case INVENT_NUMBER:
        invent_number(invent, at, like, out);
        return false;
    case INVENT_DATE:
        if (!invent_is_date(like))
            return put_shape(invent, at, like, out);
        invent_date(invent, at, like, out);
        return false;
    case INVENT_UUID:
        invent_uuid(out);
        return true;
    case INVENT_SHAPE:
        return put_shape(invent, at, like, out);
    default:
        return put_personal(invent, at, like, out);
    }
}

static const char *a_word(const struct invent_words *words)
{
    return words->words[invent_random((uint32_t)words->count)];
}

enum status invent_row(struct invent *invent, const char *const **cells, const bool **invented,
                       struct error *error)
{
    struct buffer value;
    size_t row = invent_random((uint32_t)invent->sampled);
    enum status status = STATUS_OK;
    invent->given = a_word(&invent->lists.given);
    invent->family = a_word(&invent->lists.family);
    buffer_init(&value, INVENT_VALUE_BYTES + LONG_TEXT);
    for (size_t i = 0; i < invent->count && status == STATUS_OK; i++) {
        const char *like = invent->sample[row * invent->count + i];
        free(invent->cells[i]);
        invent->cells[i] = NULL;
        invent->invented[i] = false;
        if (like == NULL || invent->seen[i].how == INVENT_EMPTY)
            continue;
        buffer_clear(&value);
        invent->invented[i] = put_value(invent, i, like, &value);
        const char *text = buffer_text(&value);
        invent->cells[i] = text == NULL ? NULL : strdup(text);
        if (invent->cells[i] == NULL)
            status = error_set(error, STATUS_LIMIT, "54000", "leave that column out",
                               "column %.60s is too long to invent one like it",
                               invent->columns[i].name);
    }
    buffer_free(&value);
    *cells = (const char *const *)invent->cells;
    *invented = invent->invented;
    return status;
}

uint64_t invent_needed(double fraction, double probability)
{
    return (uint64_t)ceil(log(1 - probability) / log(1 - fraction) - 1e-9);
}
