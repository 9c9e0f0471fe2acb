/* Unions of bitmaps; an allocation that fails inside roaring's unions ends the process there. They
 * are gathered lazily: a container that is met twice becomes a bitset, into which a sparse set
 * costs no more than its ids, and is counted and brought into its form once, by tally_settle. */
#include "exposure/tally.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/parts.h"

enum { GRADE_DIRECT = 1, GRADE_WITNESS = 3, GRADE_PROBE = 5, GRADE_CHANGED = 6 };

enum status tally_column_set(struct exposure *exposure, uint32_t id, const char **text,
                             struct error *error)
{
    struct column_line column;
    const char *found = "";
    if (id != 0) /* without a ledger of its own, the index has read them */
        found = exposure->ledger == NULL ? index_column_text(exposure->index, id)
                                         : ledger_column_set_text(exposure->ledger, id);
    if (found == NULL)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL, "column set %u is not in the ledger",
                         id);
    for (const char *rest = found + strspn(found, "\n"); *rest != '\0';)
        if (!column_line_next(&rest, &column)) /* no column may be left out of an answer */
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "column set %u has a line that is none", id);
    *text = found;
    return STATUS_OK;
}

static void kind_free(struct tally_kind *kind)
{
    for (size_t i = 0; i < kind->label_count; i++)
        roaring_bitmap_free(kind->labels[i].ids);
    for (size_t i = 0; i < TALLY_GRADES; i++)
        if (kind->grades[i] != NULL)
            roaring_bitmap_free(kind->grades[i]);
    if (kind->everyone != NULL)
        roaring_bitmap_free(kind->everyone);
    if (kind->written != NULL)
        roaring_bitmap_free(kind->written);
    free(kind);
}

void tally_clear(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        kind_free(tally->kinds[i]);
    free(tally->kinds);
    tally->kinds = NULL;
    tally->count = 0;
}

static struct tally_kind *new_kind(uint16_t number)
{
    struct tally_kind *kind = calloc(1, sizeof *kind);
    if (kind == NULL)
        return NULL;
    kind->kind = number;
    kind->first_hour = INT64_MAX;
    kind->last_hour = INT64_MIN;
    kind->everyone = roaring_bitmap_create();
    kind->written = roaring_bitmap_create();
    bool whole = kind->everyone != NULL && kind->written != NULL;
    for (size_t i = 0; i < TALLY_GRADES; i++) {
        kind->grades[i] = roaring_bitmap_create();
        whole = whole && kind->grades[i] != NULL;
    }
    if (whole)
        return kind;
    kind_free(kind);
    return NULL;
}

static struct tally_kind *get_kind(struct tally *tally, uint16_t number)
{
    size_t at = 0;
    while (at < tally->count && tally->kinds[at]->kind < number)
        at++;
    if (at < tally->count && tally->kinds[at]->kind == number)
        return tally->kinds[at];
    struct tally_kind **kinds = realloc(tally->kinds, (tally->count + 1) * sizeof *kinds);
    if (kinds == NULL)
        return NULL;
    tally->kinds = kinds;
    struct tally_kind *kind = new_kind(number);
    if (kind == NULL)
        return NULL;
    memmove(kinds + at + 1, kinds + at, (tally->count - at) * sizeof *kinds);
    kinds[at] = kind;
    tally->count++;
    return kind;
}

static void unite(roaring_bitmap_t *all, const roaring_bitmap_t *ids)
{
    roaring_bitmap_lazy_or_inplace(all, ids, true);
}

void tally_settle(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        struct tally_kind *kind = tally->kinds[i];
        roaring_bitmap_repair_after_lazy(kind->everyone);
        roaring_bitmap_repair_after_lazy(kind->written);
        for (size_t g = 0; g < TALLY_GRADES; g++)
            roaring_bitmap_repair_after_lazy(kind->grades[g]);
        for (size_t l = 0; l < kind->label_count; l++)
            roaring_bitmap_repair_after_lazy(kind->labels[l].ids);
    }
}

static struct tally_kind *take_view(struct tally *tally, const struct index_view *view,
                                    bool by_grade)
{
    struct tally_kind *kind = get_kind(tally, view->kind);
    if (kind == NULL)
        return NULL;
    if (view->grade != GRADE_PROBE) /* asked about, and perhaps nobody */
        unite(kind->everyone, view->ids);
    if (by_grade && view->grade < TALLY_GRADES)
        unite(kind->grades[view->grade], view->ids);
    if (view->first_hour < kind->first_hour)
        kind->first_hour = view->first_hour;
    if (view->last_hour > kind->last_hour)
        kind->last_hour = view->last_hour;
    return kind;
}

enum status tally_grades(void *context, const struct index_view *view, struct error *error)
{
    if (view->grade == GRADE_CHANGED) /* what was read of them stands beside it */
        return STATUS_OK;
    return take_view(context, view, true) == NULL ? error_no_memory(error) : STATUS_OK;
}

enum status tally_written(void *context, const struct index_view *view, struct error *error)
{
    struct tally *tally = context;
    const char *text;
    struct tally_kind *kind = get_kind(tally, view->kind);
    if (kind == NULL)
        return error_no_memory(error);
    TRY(tally_column_set(tally->exposure, view->column_set, &text, error));
    bool names_columns = text[strspn(text, "\n")] != '\0';
    if (view->grade == GRADE_CHANGED)
        unite(kind->written, view->ids);
    else if (view->grade != GRADE_PROBE && names_columns)
        unite(kind->everyone, view->ids);
    return STATUS_OK;
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_label(const struct tally_label *label, const struct column_line *column)
{
    int order = compare_slices(label->category, column->category);
    return order != 0 ? order : compare_slices(label->form, column->form);
}

static enum status take_label(struct tally_kind *kind, const struct column_line *column,
                              const roaring_bitmap_t *ids, struct error *error)
{
    size_t at = 0;
    while (at < kind->label_count && compare_label(&kind->labels[at], column) < 0)
        at++;
    if (at < kind->label_count && compare_label(&kind->labels[at], column) == 0) {
        unite(kind->labels[at].ids, ids);
        return STATUS_OK;
    }
    if (kind->label_count == TALLY_LABELS_MAX)
        return error_set(error, STATUS_LIMIT, "54000", "ask for a shorter time",
                         "more than %d categories and forms", TALLY_LABELS_MAX);
    roaring_bitmap_t *copy = roaring_bitmap_copy(ids);
    if (copy == NULL)
        return error_no_memory(error);
    memmove(kind->labels + at + 1, kind->labels + at,
            (kind->label_count - at) * sizeof kind->labels[0]);
    kind->labels[at] =
        (struct tally_label){.category = column->category, .form = column->form, .ids = copy};
    kind->label_count++;
    return STATUS_OK;
}

enum status tally_labels(void *context, const struct index_view *view, struct error *error)
{
    struct tally *tally = context;
    struct column_line column;
    const char *text;
    if (view->grade != INDEX_GRADE_DECLARED && view->grade != GRADE_DIRECT &&
        view->grade != GRADE_WITNESS)
        return STATUS_OK;
    TRY(tally_column_set(tally->exposure, view->column_set, &text, error));
    struct tally_kind *kind = take_view(tally, view, false);
    if (kind == NULL)
        return error_no_memory(error);
    while (column_line_next(&text, &column))
        if (column.category.len > 0)
            TRY(take_label(kind, &column, view->ids, error));
    return STATUS_OK;
}

int64_t tally_since(struct exposure *exposure)
{
    struct ledger_since since;
    exposure_since(exposure, &since);
    return since.dropped && since.entries > 0 ? since_after(since.last_ns) : SINCE_EVER;
}

/* Asked last: what was dropped while the answer was made is then not claimed. */
static enum status say_since(struct exposure *exposure, int64_t to_ns, struct table *made,
                             struct error *error)
{
    int64_t since_ns = tally_since(exposure);
    TRY(since_refuse(since_ns, to_ns, error));
    since_format(since_ns, made->since);
    return STATUS_OK;
}

enum status tally_finish(struct exposure *exposure, int64_t to_ns, struct table *made,
                         enum status status, const char *hint, struct table *table,
                         struct error *error)
{
    if (status == STATUS_OK && table_overflowed(made))
        status = error_set(error, STATUS_LIMIT, "54000", hint, "the answer is larger than %d bytes",
                           TALLY_TABLE_BYTES);
    if (status == STATUS_OK)
        status = say_since(exposure, to_ns, made, error);
    if (status == STATUS_OK)
        *table = *made;
    else
        table_free(made);
    return status;
}
