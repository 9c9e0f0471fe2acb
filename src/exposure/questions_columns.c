/* The questions whose answers are columns: which categories a partner has never had, and all that
 * is recorded about one subject. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/parts.h"
#include "exposure/reading.h"
#include "exposure/tally.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { CATEGORIES_MAX = 512, GRADE_CHANGED = 6 };

/* ---- never disclosed ---- */

struct categories {
    const char *names[CATEGORIES_MAX]; /* ascending */
    bool seen[CATEGORIES_MAX];
    size_t count;
};

static enum status add_category(struct categories *categories, const char *name,
                                struct error *error)
{
    size_t at = 0;
    while (at < categories->count && strcmp(categories->names[at], name) < 0)
        at++;
    if (at < categories->count && strcmp(categories->names[at], name) == 0)
        return STATUS_OK;
    if (categories->count == CATEGORIES_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d categories",
                         CATEGORIES_MAX);
    memmove(categories->names + at + 1, categories->names + at,
            (categories->count - at) * sizeof categories->names[0]);
    categories->names[at] = name;
    categories->count++;
    return STATUS_OK;
}

static enum status list_categories(const struct policy *policy, struct categories *categories,
                                   struct error *error)
{
    for (size_t d = 0; d < policy->dataset_count; d++)
        for (size_t c = 0; c < policy->datasets[d].column_count; c++)
            if (policy->datasets[d].columns[c].category != NULL)
                TRY(add_category(categories, policy->datasets[d].columns[c].category, error));
    return STATUS_OK;
}

static void mark_seen(struct categories *categories, struct slice category)
{
    for (size_t i = 0; i < categories->count; i++)
        if (slice_equal(slice_of_text(categories->names[i]), category))
            categories->seen[i] = true;
}

/* Marks what the partner's entries name, with or without subjects. */
static enum status mark_partner(struct exposure *exposure, const char *partner,
                                struct categories *categories, struct error *error)
{
    struct column_line column;
    const char *text;
    enum status status = STATUS_OK;
    memset(categories->seen, 0, sizeof categories->seen);
    roaring_bitmap_t *sets = NULL;
    TRY(index_column_sets(exposure->index, partner, &sets, error));
    if (sets == NULL)
        return STATUS_OK;
    size_t count = roaring_bitmap_get_cardinality(sets);
    uint32_t *ids = malloc((count + 1) * sizeof *ids);
    if (ids == NULL)
        status = error_no_memory(error);
    else
        roaring_bitmap_to_uint32_array(sets, ids);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = tally_column_set(exposure, ids[i], &text, error);
        while (status == STATUS_OK && column_line_next(&text, &column))
            mark_seen(categories, column.category);
    }
    free(ids);
    roaring_bitmap_free(sets);
    return status;
}

static enum status add_never(struct exposure *exposure, const char *partner,
                             struct categories *categories, struct table *table,
                             struct error *error)
{
    TRY(mark_partner(exposure, partner, categories, error));
    for (size_t i = 0; i < categories->count; i++) {
        if (categories->seen[i])
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", partner);
        table_set(table, row, 1, "%s", categories->names[i]);
    }
    return STATUS_OK;
}

/* All partners: the policy's, then those that only the ledger knows. */
static enum status add_never_all(struct exposure *exposure, const struct policy *policy,
                                 struct categories *categories, struct table *table,
                                 struct error *error)
{
    const char **names;
    for (size_t i = 0; i < policy->partner_count; i++)
        TRY(add_never(exposure, policy->partners[i].name, categories, table, error));
    TRY(index_partners(exposure->index, &names, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; names[i] != NULL && status == STATUS_OK; i++) {
        bool listed = false;
        for (size_t p = 0; p < policy->partner_count; p++)
            listed = listed || strcmp(policy->partners[p].name, names[i]) == 0;
        if (!listed)
            status = add_never(exposure, names[i], categories, table, error);
    }
    free(names);
    return status;
}

enum status exposure_never(struct exposure *exposure, const struct policy *policy,
                           const char *partner, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "category", NULL};
    struct categories categories = {0};
    struct table made;
    table_init(&made, TALLY_TABLE_BYTES, columns);
    enum status status = list_categories(policy, &categories, error);
    if (status == STATUS_OK)
        status = partner != NULL ? add_never(exposure, partner, &categories, &made, error)
                                 : add_never_all(exposure, policy, &categories, &made, error);
    return tally_finish(exposure, INT64_MAX, &made, status, NULL, table, error);
}

/* ---- one subject ---- */

struct fact {
    const char *partner;
    struct column_line column;
    uint8_t grade;
    const char *purpose;
    int64_t first_hour, last_hour;
};

struct facts {
    struct exposure *exposure;
    struct fact *facts;
    size_t count, capacity;
};

static enum status add_fact(struct facts *facts, const struct fact *fact, struct error *error)
{
    if (facts->count == facts->capacity) {
        size_t capacity = facts->capacity == 0 ? 64 : facts->capacity * 2;
        struct fact *grown = realloc(facts->facts, capacity * sizeof *grown);
        if (grown == NULL)
            return error_no_memory(error);
        facts->facts = grown;
        facts->capacity = capacity;
    }
    facts->facts[facts->count++] = *fact;
    return STATUS_OK;
}

static enum status gather_facts(void *context, const struct index_view *view, struct error *error)
{
    struct facts *facts = context;
    const char *text;
    struct fact fact = {.partner = view->partner,
                        .grade = view->grade,
                        .purpose = view->purpose,
                        .first_hour = view->first_hour,
                        .last_hour = view->last_hour};
    TRY(tally_column_set(facts->exposure, view->column_set, &text, error));
    bool any = false;
    for (; column_line_next(&text, &fact.column); any = true)
        TRY(add_fact(facts, &fact, error));
    if (!any) /* no column, yet it told that the subject is there */
        return add_fact(facts, &fact, error);
    return STATUS_OK;
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_facts(const void *a, const void *b)
{
    const struct fact *left = a, *right = b;
    int order = strcmp(left->partner, right->partner);
    if (order == 0)
        order = compare_slices(left->column.dataset, right->column.dataset);
    if (order == 0)
        order = compare_slices(left->column.column, right->column.column);
    if (order == 0)
        order = compare_slices(left->column.category, right->column.category);
    if (order == 0)
        order = compare_slices(left->column.form, right->column.form);
    if (order == 0)
        order = (int)left->grade - (int)right->grade;
    return order != 0 ? order : strcmp(left->purpose, right->purpose);
}

/* One fact for each column, form, grade and purpose: from its first hour to its last. */
static void merge_facts(struct facts *facts)
{
    size_t kept = 0;
    if (facts->count > 0)
        qsort(facts->facts, facts->count, sizeof *facts->facts, compare_facts);
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->facts[i];
        struct fact *last = kept > 0 ? &facts->facts[kept - 1] : NULL;
        if (last == NULL || compare_facts(last, fact) != 0) {
            facts->facts[kept++] = *fact;
            continue;
        }
        if (fact->first_hour < last->first_hour)
            last->first_hour = fact->first_hour;
        if (fact->last_hour > last->last_hour)
            last->last_hour = fact->last_hour;
    }
    facts->count = kept;
}

static void set_slice(struct table *table, struct table_row *row, size_t column, struct slice text)
{
    if (text.len > 0)
        table_set(table, row, column, "%.*s", (int)text.len, text.data);
}

static void show_fact(struct table *table, const struct fact *fact)
{
    static const char *const grades[] = {"declared",  "direct", "aggregate", "witness",
                                         "influence", "probe",  "changed"};
    char first[21], last[21];
    clock_format_utc(fact->first_hour * HOUR_NS, first);
    clock_format_utc(fact->last_hour * HOUR_NS, last);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", fact->partner);
    set_slice(table, row, 1, fact->column.dataset);
    set_slice(table, row, 2, fact->column.column);
    set_slice(table, row, 3, fact->column.category);
    set_slice(table, row, 4, fact->column.form);
    table_set(table, row, 5, "%s", fact->grade <= GRADE_CHANGED ? grades[fact->grade] : "unknown");
    table_set(table, row, 6, "%s", first);
    table_set(table, row, 7, "%s", last);
    if (fact->purpose[0] != '\0')
        table_set(table, row, 8, "%s", fact->purpose);
}

static enum status nobody(struct exposure *exposure, struct error *error)
{
    char since[SINCE_TEXT_ROOM], sentence[SINCE_SENTENCE_ROOM];
    since_format(tally_since(exposure), since);
    since_sentence(since, sentence);
    return error_set(error, STATUS_NOT_FOUND, "02000", sentence,
                     "nothing about this subject has been disclosed");
}

static enum status facts_of(struct exposure *exposure, uint32_t id, struct table *table,
                            struct error *error)
{
    static const char *const columns[] = {"partner", "dataset", "column", "category", "form",
                                          "grade",   "first",   "last",   "purpose",  NULL};
    struct facts facts = {.exposure = exposure};
    struct table made;
    const char **names;
    TRY(index_partners(exposure->index, &names, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; names[i] != NULL && status == STATUS_OK; i++)
        status = index_each_of(exposure->index, names[i], id, gather_facts, &facts, error);
    free(names);
    merge_facts(&facts);
    table_init(&made, TALLY_TABLE_BYTES, columns);
    for (size_t i = 0; i < facts.count && status == STATUS_OK; i++)
        show_fact(&made, &facts.facts[i]);
    free(facts.facts);
    return tally_finish(exposure, INT64_MAX, &made, status, NULL, table, error);
}

enum status exposure_subject(struct exposure *exposure, uint16_t kind, struct slice key,
                             struct table *table, struct error *error)
{
    uint32_t id;
    if (exposure_find(exposure, kind, key, &id) != STATUS_OK)
        return nobody(exposure, error);
    return facts_of(exposure, id, table, error);
}

/* Every pair of the ledger, so that "unknown" is an answer. */
static enum status learn_names(struct names *names, const char *ledger_folder, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status = ledger_reader_open(ledger_folder, 0, &reader, error);
    while (status == STATUS_OK) {
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_OK)
            status = names_take(names, sequence, side, error);
    }
    if (reader != NULL)
        ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status exposure_subject_reading(struct exposure *exposure, const char *subjects_folder,
                                     const char *ledger_folder, uint16_t kind, struct slice key,
                                     struct table *table, struct error *error)
{
    struct names *names = NULL;
    uint32_t id = 0;
    TRY(names_open(subjects_folder, &names, error));
    enum status status = learn_names(names, ledger_folder, error);
    if (status == STATUS_OK && names_find(names, kind, key, &id) != STATUS_OK)
        status = nobody(exposure, error);
    names_close(names);
    TRY(status);
    return facts_of(exposure, id, table, error);
}

/* ---- a partner ---- */

void exposure_since(struct exposure *exposure, struct ledger_since *since)
{
    index_since(exposure->index, since);
}

bool exposure_knows_partner(struct exposure *exposure, const char *partner)
{
    return index_has_partner(exposure->index, partner);
}

enum status exposure_deleted_before(struct exposure *exposure, const char *partner,
                                    int64_t *before_ns)
{
    int64_t found_ns = index_deleted_before(exposure->index, partner);
    if (found_ns == INT64_MIN)
        return STATUS_NOT_FOUND;
    *before_ns = found_ns;
    return STATUS_OK;
}
