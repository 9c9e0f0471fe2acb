/* See people.h. */
#include "exposure/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/since.h"
#include "exposure/column_line.h"
#include "exposure/index.h"
#include "exposure/index_entry.h"
#include "exposure/index_key.h"
#include "exposure/reading.h"
#include "exposure/subject_set.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum {
    PAGE = 4096, /* people */
    PAGES = 1 << 20,
    LABELS = 128,
    LABEL_WORDS = LABELS / 64,
    TEXT_BYTES = 1024 * 1024 * 1024,
    MOST_SETS = 1 << 24,
    KEY_ROOM = 256,
    LINE_ROOM = LABELS * 150,
};
enum { GRADE_DIRECT = 1, GRADE_WITNESS = 3, GRADE_INFLUENCE = 4 };

struct person {
    int32_t first_hour, last_hour;
    uint16_t kind;
    bool had;          /* in the period */
    bool named, shown; /* shown: by itself, not in statistics alone */
    uint64_t labels[LABEL_WORDS];
};
struct column_set {
    const char *text; /* NULL: not in the ledger so far */
    bool known;       /* labels are filled in */
    uint64_t labels[LABEL_WORDS];
};
struct people {
    const char *partner;
    struct index_range range;
    struct names *names;
    struct ledger_reader *reader;
    struct arena arena;
    struct person **pages; /* by id / PAGE; NULL: nobody */
    struct column_set *sets;
    size_t set_count;
    const char *labels[LABELS]; /* categories in forms, as they are shown */
    size_t label_count;
    struct people_count count;
    bool confirmed;
    /* ---- while an entry is taken ---- */
    enum status status;
    struct error *error;
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "ask for a shorter time", "out of memory");
}

void people_free(struct people *people)
{
    if (people == NULL)
        return;
    ledger_reader_close(people->reader);
    names_close(people->names);
    for (size_t i = 0; people->pages != NULL && i < PAGES; i++)
        free(people->pages[i]);
    free(people->pages);
    free(people->sets);
    arena_free(&people->arena);
    free(people);
}

/* ---- what a column set shows ---- */

static enum status find_label(struct people *people, const struct column_line *line, size_t *at)
{
    bool clear = slice_equal(line->form, slice_of_text("clear"));
    const char *text =
        clear ? arena_copy(&people->arena, (const char *)line->category.data, line->category.len)
              : arena_printf(&people->arena, "%.*s (%.*s)", (int)line->category.len,
                             (const char *)line->category.data, (int)line->form.len,
                             (const char *)line->form.data);
    if (text == NULL)
        return out_of_memory(people->error);
    for (*at = 0; *at < people->label_count; ++*at)
        if (strcmp(people->labels[*at], text) == 0)
            return STATUS_OK;
    if (people->label_count == LABELS)
        return error_set(people->error, STATUS_LIMIT, "54000", "ask for a shorter time",
                         "more than %d categories and forms", LABELS);
    people->labels[people->label_count++] = text;
    return STATUS_OK;
}

/* Its labels; set 0 names no column. */
static enum status set_labels(struct people *people, uint32_t id, const uint64_t **labels)
{
    static const uint64_t none[LABEL_WORDS];
    *labels = none;
    if (id == 0)
        return STATUS_OK;
    struct column_set *set = id < people->set_count ? &people->sets[id] : NULL;
    if (set == NULL || set->text == NULL)
        return error_set(people->error, STATUS_CORRUPT, "XX001", NULL,
                         "column set %u is not in the ledger", id);
    const char *rest = set->text + strspn(set->text, "\n");
    while (!set->known && *rest != '\0') {
        struct column_line line;
        size_t at = 0;
        if (!column_line_next(&rest, &line)) /* no column may be left out of an answer */
            return error_set(people->error, STATUS_CORRUPT, "XX001", NULL,
                             "column set %u has a line that is none", id);
        if (line.category.len == 0)
            continue;
        TRY(find_label(people, &line, &at));
        set->labels[at / 64] |= UINT64_C(1) << at % 64;
    }
    set->known = true;
    *labels = set->labels;
    return STATUS_OK;
}

static void take_text(void *context, uint32_t id, struct slice text)
{
    struct people *people = context;
    if (people->status == STATUS_OK && id >= MOST_SETS)
        people->status = error_set(people->error, STATUS_LIMIT, "54000", NULL,
                                   "the ledger has more than %d column sets", MOST_SETS);
    if (people->status != STATUS_OK)
        return;
    if (id >= people->set_count) {
        size_t count = 2 * (size_t)id + 64;
        struct column_set *grown = reallocarray(people->sets, count, sizeof *grown);
        if (grown == NULL) {
            people->status = out_of_memory(people->error);
            return;
        }
        memset(grown + people->set_count, 0, (count - people->set_count) * sizeof *grown);
        people->sets = grown;
        people->set_count = count;
    }
    people->sets[id] =
        (struct column_set){.text = arena_copy(&people->arena, (const char *)text.data, text.len)};
    if (people->sets[id].text == NULL)
        people->status = out_of_memory(people->error);
}

/* ---- who ---- */

static struct person *get_person(struct people *people, uint32_t id)
{
    struct person **page = &people->pages[id / PAGE];
    if (*page == NULL && (*page = calloc(PAGE, sizeof **page)) == NULL) {
        people->status = out_of_memory(people->error);
        return NULL;
    }
    return &(*page)[id % PAGE];
}

static bool is_given(uint8_t grade)
{
    return grade == INDEX_GRADE_DECLARED || grade == INDEX_GRADE_FEW ||
           (grade >= GRADE_DIRECT && grade <= GRADE_INFLUENCE);
}

static bool shows_columns(uint8_t grade)
{
    return grade == INDEX_GRADE_DECLARED || grade == GRADE_DIRECT || grade == GRADE_WITNESS;
}

static void take_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    struct people *people = context;
    int64_t hour = index_hour_of(time_ns);
    const uint64_t *labels = NULL;
    if (people->status != STATUS_OK || !is_given(place->grade) || hour < people->range.from_hour ||
        hour >= people->range.until_hour ||
        !slice_equal(place->partner, slice_of_text(people->partner)))
        return;
    if (shows_columns(place->grade))
        people->status = set_labels(people, place->column_set, &labels);
    for (size_t i = 0; i < count && people->status == STATUS_OK; i++) {
        struct person *person = get_person(people, ids[i]);
        if (person == NULL)
            return;
        if (!person->had)
            *person = (struct person){
                .first_hour = INT32_MAX, .last_hour = INT32_MIN, .kind = place->kind, .had = true};
        person->first_hour = hour < person->first_hour ? (int32_t)hour : person->first_hour;
        person->last_hour = hour > person->last_hour ? (int32_t)hour : person->last_hour;
        person->shown = person->shown || labels != NULL;
        for (size_t w = 0; labels != NULL && w < LABEL_WORDS; w++)
            person->labels[w] |= labels[w];
    }
}

static void take_column_set(void *context, struct slice partner, uint32_t column_set)
{
}

static void take_deletion(void *context, struct slice partner, int64_t before_ns)
{
}

static enum status read_all(struct people *people, struct error *error)
{
    const struct entry_sink sink = {.context = people,
                                    .ids = take_ids,
                                    .column_set = take_column_set,
                                    .deletion = take_deletion,
                                    .text = take_text};
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status;
    people->error = error;
    while ((status = ledger_reader_next(people->reader, &sequence, &entry, &side, error)) ==
           STATUS_OK) {
        if (side.len > 0)
            TRY(names_take(people->names, sequence, side, error));
        TRY(entry_tell(&sink, sequence, &entry, error));
        TRY(people->status);
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static enum status count_all(struct people *people, struct error *error)
{
    for (size_t i = 0; i < PAGES; i++)
        for (size_t j = 0; people->pages[i] != NULL && j < PAGE; j++) {
            struct person *person = &people->pages[i][j];
            if (!person->had)
                continue;
            uint32_t id = (uint32_t)(i * PAGE + j);
            enum names_state state = names_state(people->names, id);
            if (state == NAMES_UNKNOWN) /* nobody may be left out of an answer */
                return error_set(error, STATUS_CORRUPT, "XX001",
                                 "restore subjects/keys from a backup",
                                 "nobody knows any more who subject %u is", id);
            person->named = state == NAMES_KEY;
            people->count.named += person->named;
            people->count.erased += !person->named;
        }
    return STATUS_OK;
}

static enum status open_all(struct people *people, const struct people_wish *wish,
                            struct error *error)
{
    people->partner = arena_strdup(&people->arena, wish->partner);
    people->pages = calloc(PAGES, sizeof *people->pages);
    if (people->partner == NULL || people->pages == NULL)
        return out_of_memory(error);
    TRY(names_open(wish->subjects_folder, &people->names, error));
    TRY(ledger_reader_open(wish->ledger_folder, 0, &people->reader, error));
    people->count.since_ns = ledger_reader_since(people->reader);
    TRY(since_refuse(people->count.since_ns, wish->to_ns, error));
    TRY(read_all(people, error));
    return count_all(people, error);
}

enum status people_read(const struct people_wish *wish, struct people **out, struct error *error)
{
    struct people *people = calloc(1, sizeof *people);
    if (people == NULL)
        return out_of_memory(error);
    arena_init(&people->arena, TEXT_BYTES);
    people->range = index_range(wish->from_ns, wish->to_ns);
    enum status status = open_all(people, wish, error);
    if (status == STATUS_OK)
        *out = people;
    else
        people_free(people);
    return status;
}

struct people_count people_count(const struct people *people)
{
    return people->count;
}

enum status people_ids(struct people *people, uint16_t kind, uint32_t **ids, size_t *count,
                       struct error *error)
{
    *count = 0;
    *ids = malloc((people->count.named + 1) * sizeof **ids);
    if (*ids == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < PAGES; i++)
        for (size_t j = 0; people->pages[i] != NULL && j < PAGE; j++)
            if (people->pages[i][j].named && people->pages[i][j].kind == kind)
                (*ids)[(*count)++] = (uint32_t)(i * PAGE + j);
    return STATUS_OK;
}

/* ---- the record of this reading ---- */

static bool strike_out(void *context, uint32_t id)
{
    struct people *people = context;
    struct person *page = people->pages[id / PAGE];
    if (page != NULL && page[id % PAGE].named && page[id % PAGE].had) {
        page[id % PAGE].had = false;
        people->count.named--;
    }
    return true;
}

enum status people_confirm(struct people *people, const char *purpose, struct error *error)
{
    uint64_t named = people->count.named, sequence;
    struct ledger_entry entry;
    struct slice side;
    enum status status;
    while ((status = ledger_reader_next(people->reader, &sequence, &entry, &side, error)) ==
           STATUS_OK) {
        if (entry.type != LEDGER_DISCLOSURE || entry.partner.len > 0 ||
            !slice_equal(entry.purpose, slice_of_text(purpose)))
            continue;
        for (size_t i = 0; i < entry.item_count; i++)
            if (subject_set_each(entry.items[i].subjects, strike_out, people) != STATUS_OK)
                return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                                 "a set of subjects in the ledger is malformed");
    }
    if (status != STATUS_AGAIN)
        return status;
    uint64_t left = people->count.named;
    people->count.named = named;
    people->confirmed = left == 0;
    if (left == 0)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000",
                     "Is the gateway of this ledger the one that answers?",
                     "that these people are read is not in their ledger");
}

/* ---- telling ---- */

static int compare_texts(const void *a, const void *b, void *context)
{
    const struct people *people = context;
    return strcmp(people->labels[*(const size_t *)a], people->labels[*(const size_t *)b]);
}

/* "name, phone (masked)", ascending. */
static void write_categories(const struct people *people, const size_t *order,
                             const struct person *person, char text[static LINE_ROOM])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < people->label_count && len < LINE_ROOM; i++) {
        size_t at = order[i];
        if ((person->labels[at / 64] >> at % 64 & 1) != 0)
            len += (size_t)snprintf(text + len, LINE_ROOM - len, "%s%s", len == 0 ? "" : ", ",
                                    people->labels[at]);
    }
}

enum status people_each(struct people *people,
                        enum status (*tell)(void *context, const struct people_line *line,
                                            struct error *error),
                        void *context, struct error *error)
{
    size_t order[LABELS];
    char categories[LINE_ROOM], key[KEY_ROOM];
    CHECK(people->confirmed || people->count.named == 0);
    for (size_t i = 0; i < people->label_count; i++)
        order[i] = i;
    qsort_r(order, people->label_count, sizeof order[0], compare_texts, people);
    for (size_t i = 0; i < PAGES; i++)
        for (size_t j = 0; people->pages[i] != NULL && j < PAGE; j++) {
            const struct person *person = &people->pages[i][j];
            uint16_t kind;
            if (!person->named ||
                names_key(people->names, (uint32_t)(i * PAGE + j), &kind, key) != STATUS_OK)
                continue;
            write_categories(people, order, person, categories);
            const struct people_line line = {.key = key,
                                             .kind = kind,
                                             .first_ns = person->first_hour * HOUR_NS,
                                             .last_ns = person->last_hour * HOUR_NS,
                                             .categories = categories,
                                             .statistics_only = !person->shown};
            TRY(tell(context, &line, error));
        }
    return STATUS_OK;
}
