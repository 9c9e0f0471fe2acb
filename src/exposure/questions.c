/* The questions whose answers are counts: summary, by category, combinations, never disclosed.
 * Combinations are found by refining a partition: everyone, then split by each label in turn, so
 * the work grows with the combinations that occur, not with those that could. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/parts.h"
#include "exposure/tally.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { MASK_WORDS = TALLY_LABELS_MAX / 64, CLASSES_MAX = 20000 };

struct question {
    struct exposure *exposure;
    const struct policy *policy;
    struct index_range range;
    int64_t to_ns;
    struct table table;
};

static void set_hour(struct table *table, struct table_row *row, size_t column, int64_t hour)
{
    char text[21];
    clock_format_utc(hour * HOUR_NS, text);
    table_set(table, row, column, "%s", text);
}

static void set_kind(struct question *question, struct table_row *row, size_t column, uint16_t kind)
{
    if (kind < question->policy->kind_count)
        table_set(&question->table, row, column, "%s", question->policy->kinds[kind].name);
    else
        table_set(&question->table, row, column, "kind %u", kind);
}

static void set_count(struct table *table, struct table_row *row, size_t column,
                      const roaring_bitmap_t *ids)
{
    table_set(table, row, column, "%llu", (unsigned long long)roaring_bitmap_get_cardinality(ids));
}

/* ---- the frame of every question ---- */

typedef enum status (*answer_kind)(struct question *question, const char *partner,
                                   const struct tally_kind *kind, struct error *error);

static enum status ask_partner(struct question *question, const char *partner, index_visit visit,
                               answer_kind answer, struct error *error)
{
    struct tally tally = {.exposure = question->exposure};
    enum status status =
        index_each(question->exposure->index, partner, question->range, visit, &tally, error);
    tally_settle(&tally);
    for (size_t i = 0; i < tally.count && status == STATUS_OK; i++)
        status = answer(question, partner, tally.kinds[i], error);
    tally_clear(&tally);
    return status;
}

static enum status finish(struct question *question, enum status status, struct table *table,
                          struct error *error)
{
    return tally_finish(question->exposure, question->to_ns, &question->table, status,
                        "ask for one partner, or a shorter time", table, error);
}

/* Every partner that has had anything, or the one named. */
static enum status ask(struct question *question, const char *partner, index_visit visit,
                       answer_kind answer, struct error *error)
{
    const char **names;
    if (partner != NULL)
        return ask_partner(question, partner, visit, answer, error);
    TRY(index_partners(question->exposure->index, &names, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; names[i] != NULL && status == STATUS_OK; i++)
        status = ask_partner(question, names[i], visit, answer, error);
    free(names);
    return status;
}

static struct question begin(struct exposure *exposure, const struct policy *policy,
                             int64_t from_ns, int64_t to_ns, const char *const *columns)
{
    struct question question = {.exposure = exposure,
                                .policy = policy,
                                .range = index_range(from_ns, to_ns),
                                .to_ns = to_ns};
    table_init(&question.table, TALLY_TABLE_BYTES, columns);
    return question;
}

/* ---- summary ---- */

static enum status answer_summary(struct question *question, const char *partner,
                                  const struct tally_kind *kind, struct error *error)
{
    static const size_t shown[] = {1, 2, 3, 4, 5, 0}; /* direct … probe, declared */
    struct table *table = &question->table;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    set_kind(question, row, 1, kind->kind);
    set_count(table, row, 2, kind->everyone);
    for (size_t i = 0; i < TALLY_GRADES; i++)
        set_count(table, row, 3 + i, kind->grades[shown[i]]);
    set_hour(table, row, 9, kind->first_hour);
    set_hour(table, row, 10, kind->last_hour);
    return STATUS_OK;
}

enum status exposure_summary(struct exposure *exposure, const struct policy *policy,
                             const char *partner, int64_t from_ns, int64_t to_ns,
                             struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner",   "kind",    "subjects",  "direct",
                                          "aggregate", "witness", "influence", "probe",
                                          "declared",  "first",   "last",      NULL};
    struct question question = begin(exposure, policy, from_ns, to_ns, columns);
    return finish(&question, ask(&question, partner, tally_grades, answer_summary, error), table,
                  error);
}

/* ---- only written ---- */

static enum status answer_written(struct question *question, const char *partner,
                                  const struct tally_kind *kind, struct error *error)
{
    struct table *table = &question->table;
    uint64_t count = roaring_bitmap_andnot_cardinality(kind->written, kind->everyone);
    if (count == 0)
        return STATUS_OK;
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    set_kind(question, row, 1, kind->kind);
    table_set(table, row, 2, "%llu", (unsigned long long)count);
    return STATUS_OK;
}

enum status exposure_only_written(struct exposure *exposure, const struct policy *policy,
                                  const char *partner, int64_t from_ns, int64_t to_ns,
                                  struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "kind", "subjects", NULL};
    struct question question = begin(exposure, policy, from_ns, to_ns, columns);
    return finish(&question, ask(&question, partner, tally_written, answer_written, error), table,
                  error);
}

/* ---- by category ---- */

static enum status answer_categories(struct question *question, const char *partner,
                                     const struct tally_kind *kind, struct error *error)
{
    struct table *table = &question->table;
    for (size_t i = 0; i < kind->label_count; i++) {
        const struct tally_label *label = &kind->labels[i];
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", partner);
        set_kind(question, row, 1, kind->kind);
        table_set(table, row, 2, "%.*s", (int)label->category.len, label->category.data);
        table_set(table, row, 3, "%.*s", (int)label->form.len, label->form.data);
        set_count(table, row, 4, label->ids);
    }
    return STATUS_OK;
}

enum status exposure_by_category(struct exposure *exposure, const struct policy *policy,
                                 const char *partner, int64_t from_ns, int64_t to_ns,
                                 struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "kind", "category", "form", "subjects", NULL};
    struct question question = begin(exposure, policy, from_ns, to_ns, columns);
    return finish(&question, ask(&question, partner, tally_labels, answer_categories, error), table,
                  error);
}

/* ---- combinations ---- */

/* Subjects that have exactly the labels in the mask, of those looked at so far. */
struct subject_class {
    roaring_bitmap_t *ids;
    uint64_t count;
    uint64_t mask[MASK_WORDS];
};

struct partition {
    struct subject_class *classes;
    size_t count, capacity;
};

static enum status add_class(struct partition *partition, roaring_bitmap_t *ids,
                             const uint64_t *mask, struct error *error)
{
    if (ids == NULL || partition->count == CLASSES_MAX) {
        if (ids != NULL)
            roaring_bitmap_free(ids);
        return error_set(error, STATUS_LIMIT, "54000", "ask for one partner, or a shorter time",
                         "more than %d combinations of categories", CLASSES_MAX);
    }
    if (partition->count == partition->capacity) {
        size_t capacity = partition->capacity == 0 ? 64 : partition->capacity * 2;
        struct subject_class *grown = realloc(partition->classes, capacity * sizeof *grown);
        if (grown == NULL) {
            roaring_bitmap_free(ids);
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        }
        partition->classes = grown;
        partition->capacity = capacity;
    }
    struct subject_class *added = &partition->classes[partition->count++];
    *added = (struct subject_class){.ids = ids, .count = roaring_bitmap_get_cardinality(ids)};
    memcpy(added->mask, mask, sizeof added->mask);
    return STATUS_OK;
}

/* Splits each class into those with the label and those without. */
static enum status refine(struct partition *partition, size_t label, const roaring_bitmap_t *ids,
                          struct error *error)
{
    size_t before = partition->count;
    for (size_t i = 0; i < before; i++) {
        struct subject_class *class = &partition->classes[i];
        uint64_t common = roaring_bitmap_and_cardinality(class->ids, ids);
        uint64_t mask[MASK_WORDS];
        memcpy(mask, class->mask, sizeof mask);
        mask[label / 64] |= 1ULL << label % 64;
        if (common == class->count) {
            memcpy(class->mask, mask, sizeof mask);
        } else if (common > 0) {
            roaring_bitmap_t *with = roaring_bitmap_and(class->ids, ids);
            roaring_bitmap_andnot_inplace(class->ids, ids);
            class->count -= common;
            TRY(add_class(partition, with, mask, error)); /* may move the classes */
        }
    }
    return STATUS_OK;
}

static int compare_classes(const void *a, const void *b)
{
    const struct subject_class *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return memcmp(left->mask, right->mask, sizeof left->mask);
}

static void append_label(struct buffer *text, const struct tally_label *label)
{
    buffer_append_text(text, text->len == 0 ? "" : ", ");
    buffer_append(text, label->category.data, label->category.len);
    if (!slice_equal(label->form, slice_of_text("clear"))) {
        buffer_append_text(text, " (");
        buffer_append(text, label->form.data, label->form.len);
        buffer_append_text(text, ")");
    }
}

static void add_combination(struct question *question, const char *partner,
                            const struct tally_kind *kind, const struct subject_class *class,
                            struct buffer *text)
{
    struct table *table = &question->table;
    buffer_clear(text);
    for (size_t i = 0; i < kind->label_count; i++)
        if ((class->mask[i / 64] >> i % 64 & 1) != 0)
            append_label(text, &kind->labels[i]);
    if (text->len == 0)
        buffer_append_text(text, "presence only");
    const char *labels = buffer_text(text);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", partner);
    set_kind(question, row, 1, kind->kind);
    table_set(table, row, 2, "%s", labels == NULL ? "" : labels);
    table_set(table, row, 3, "%llu", (unsigned long long)class->count);
}

static enum status answer_combinations(struct question *question, const char *partner,
                                       const struct tally_kind *kind, struct error *error)
{
    static const uint64_t no_labels[MASK_WORDS];
    struct partition partition = {0};
    struct buffer text;
    buffer_init(&text, TALLY_TABLE_BYTES);
    enum status status =
        add_class(&partition, roaring_bitmap_copy(kind->everyone), no_labels, error);
    for (size_t i = 0; i < kind->label_count && status == STATUS_OK; i++)
        status = refine(&partition, i, kind->labels[i].ids, error);
    if (status == STATUS_OK) {
        qsort(partition.classes, partition.count, sizeof *partition.classes, compare_classes);
        for (size_t i = 0; i < partition.count; i++)
            add_combination(question, partner, kind, &partition.classes[i], &text);
    }
    if (text.overflowed)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < partition.count; i++)
        roaring_bitmap_free(partition.classes[i].ids);
    free(partition.classes);
    buffer_free(&text);
    return status;
}

enum status exposure_combinations(struct exposure *exposure, const struct policy *policy,
                                  const char *partner, int64_t from_ns, int64_t to_ns,
                                  struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "kind", "categories", "subjects", NULL};
    struct question question = begin(exposure, policy, from_ns, to_ns, columns);
    return finish(&question, ask(&question, partner, tally_labels, answer_combinations, error),
                  table, error);
}
