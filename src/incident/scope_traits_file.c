/* The file "traits.<phase>": lines of text, so that it can be read in two years with nothing but a
 * pager. A head, then a line for each person in the scope's order:
 *     cofferdam traits 1
 *     kind NAME | held CATEGORY | category CATEGORY | without REASON | brand NAME | …
 *     people COUNT
 *     ID FLAGS BRAND LANGUAGE COUNTRY
 * Brands, languages and countries are numbered from 1 as they are listed; 0 is not known. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "incident/scope_traits.h"

#define HEAD "cofferdam traits 1"
enum { FILE_MODE = 0600, NAMES_MAX = UINT16_MAX };
static const size_t FILE_BYTES = (size_t)4 << 30;

/* Of the flags, those that come from the database. */
static const unsigned KEPT_FLAGS = SCOPE_GONE | SCOPE_CHILD | SCOPE_GONE_AWAY | SCOPE_DECEASED |
                                   SCOPE_SAFE_CONTACT | SCOPE_HAS_EMAIL;

static enum status damaged(const char *path, const char *what, struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "Restore it from a backup.", "%.300s: %s",
                     path, what);
}

static void store_names(struct buffer *out, const char *word, const char *const *names, size_t from,
                        size_t count)
{
    for (size_t i = from; i < count; i++)
        buffer_printf(out, "%s %s\n", word, names[i]);
}

enum status scope_traits_store(const char *path, const struct scope_private *made,
                               struct error *error)
{
    const struct scope *scope = &made->scope;
    struct buffer out;
    buffer_init(&out, FILE_BYTES);
    buffer_append_text(&out, HEAD "\n");
    store_names(&out, "kind", made->kinds, 0, made->kind_count);
    store_names(&out, "held", made->held, 0, made->held_count);
    store_names(&out, "category", made->known, 0, made->known_count);
    if (made->without != NULL)
        buffer_printf(&out, "without %s\n", made->without);
    store_names(&out, "brand", scope->brands, 1, scope->brand_count);
    store_names(&out, "language", scope->languages, 1, scope->language_count);
    store_names(&out, "country", scope->countries, 1, scope->country_count);
    buffer_printf(&out, "people %zu\n", scope->person_count);
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        buffer_printf(&out, "%u %u %u %u %u\n", person->id, person->flags & KEPT_FLAGS,
                      person->brand, person->language, person->country);
    }
    enum status status =
        out.overflowed ? error_set(error, STATUS_LIMIT, "54000", NULL, "%.300s: too long", path)
                       : file_replace(path, buffer_slice(&out), FILE_MODE, error);
    buffer_free(&out);
    return status == STATUS_OK ? file_inherit_owner(path, error) : status;
}

/* ---- reading ---- */

struct names_list {
    const char **names;
    size_t count, capacity;
};
enum list { LIST_KIND, LIST_HELD, LIST_KNOWN, LIST_BRAND, LIST_LANGUAGE, LIST_COUNTRY, LISTS };

struct reading {
    struct scope_private *made;
    struct names_list lists[LISTS];
};

static const char *const list_words[LISTS] = {"kind",  "held",     "category",
                                              "brand", "language", "country"};

static enum status add_name(struct reading *reading, enum list which, const char *name, size_t len,
                            struct error *error)
{
    struct names_list *list = &reading->lists[which];
    TRY(scope_grow(&list->names, list->count, &list->capacity, sizeof *list->names, error));
    const char *copy = arena_copy(&reading->made->arena, name, len);
    if (copy == NULL || list->count == NAMES_MAX)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the traits of people");
    list->names[list->count++] = copy;
    return STATUS_OK;
}

/* Takes a line of the head; *known false for one that is none. */
static enum status take_head(struct reading *reading, const char *line, size_t len, bool *known,
                             struct error *error)
{
    static const char without[] = "without ";
    *known = true;
    for (unsigned i = 0; i < LISTS; i++) {
        size_t word = strlen(list_words[i]);
        if (len > word && strncmp(line, list_words[i], word) == 0 && line[word] == ' ')
            return add_name(reading, (enum list)i, line + word + 1, len - word - 1, error);
    }
    if (len >= sizeof without && strncmp(line, without, sizeof without - 1) == 0) {
        reading->made->without =
            arena_copy(&reading->made->arena, line + sizeof without - 1, len - sizeof without + 1);
        return STATUS_OK;
    }
    *known = false;
    return STATUS_OK;
}

/* Five numbers and a line's end. */
static bool take_numbers(const char **text, unsigned long numbers[static 5])
{
    for (int i = 0; i < 5; i++) {
        char *end;
        numbers[i] = strtoul(*text, &end, 10);
        if (end == *text || *end != (i < 4 ? ' ' : '\n'))
            return false;
        *text = end + 1;
    }
    return true;
}

static enum status take_people(struct reading *reading, const char *path, const char *text,
                               struct error *error)
{
    struct scope_private *made = reading->made;
    unsigned long numbers[5];
    for (size_t i = 0; i < made->scope.person_count; i++) {
        struct scope_person *person = &made->people[i];
        if (!take_numbers(&text, numbers) || numbers[0] != person->id ||
            (numbers[1] & ~(unsigned long)KEPT_FLAGS) != 0 ||
            numbers[2] >= made->scope.brand_count || numbers[3] >= made->scope.language_count ||
            numbers[4] >= made->scope.country_count)
            return damaged(path, "a line about a person is not as it was written", error);
        person->flags |= (uint16_t)numbers[1];
        person->brand = (uint16_t)numbers[2];
        person->language = (uint16_t)numbers[3];
        person->country = (uint16_t)numbers[4];
    }
    return *text == '\0' ? STATUS_OK : damaged(path, "there is more than the scope holds", error);
}

/* The lists become the scope's own: their arrays move into its arena. */
static enum status take_lists(struct reading *reading, struct error *error)
{
    struct scope_private *made = reading->made;
    const char **copies[LISTS];
    for (unsigned i = 0; i < LISTS; i++) {
        const struct names_list *list = &reading->lists[i];
        copies[i] = arena_array(&made->arena, const char *, list->count + 1);
        if (copies[i] == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the traits");
        if (list->count > 0)
            memcpy(copies[i], list->names, list->count * sizeof *list->names);
    }
    made->kinds = copies[LIST_KIND];
    made->kind_count = reading->lists[LIST_KIND].count;
    made->held = copies[LIST_HELD];
    made->held_count = reading->lists[LIST_HELD].count;
    made->known = copies[LIST_KNOWN];
    made->known_count = reading->lists[LIST_KNOWN].count;
    made->scope.brands = copies[LIST_BRAND];
    made->scope.brand_count = reading->lists[LIST_BRAND].count;
    made->scope.languages = copies[LIST_LANGUAGE];
    made->scope.language_count = reading->lists[LIST_LANGUAGE].count;
    made->scope.countries = copies[LIST_COUNTRY];
    made->scope.country_count = reading->lists[LIST_COUNTRY].count;
    return STATUS_OK;
}

static enum status take_text(struct reading *reading, const char *path, const char *text,
                             struct error *error)
{
    static const char people[] = "people ";
    if (strncmp(text, HEAD "\n", sizeof HEAD) != 0)
        return damaged(path, "does not begin with \"" HEAD "\"", error);
    text += sizeof HEAD;
    for (enum list i = LIST_BRAND; i <= LIST_COUNTRY; i++)
        TRY(add_name(reading, i, "", 0, error));
    while (strncmp(text, people, sizeof people - 1) != 0) {
        bool known;
        size_t len = strcspn(text, "\n");
        TRY(take_head(reading, text, len, &known, error));
        if (!known || text[len] == '\0')
            return damaged(path, "its head has a line that is none", error);
        text += len + 1;
    }
    char *end;
    unsigned long long count = strtoull(text + sizeof people - 1, &end, 10);
    if (count != reading->made->scope.person_count || *end != '\n')
        return damaged(path, "is about another number of people", error);
    TRY(take_lists(reading, error));
    return take_people(reading, path, end + 1, error);
}

enum status scope_traits_load(const char *path, struct scope_private *made, struct error *error)
{
    struct reading reading = {.made = made};
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status == STATUS_OK) {
        const char *text = buffer_text(&bytes);
        status = text == NULL
                     ? error_set(error, STATUS_NOMEM, "53200", NULL, "%.300s: too long", path)
                     : take_text(&reading, path, text, error);
    }
    for (unsigned i = 0; i < LISTS; i++)
        free(reading.lists[i].names);
    buffer_free(&bytes);
    return status;
}
