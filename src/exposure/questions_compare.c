/* The questions that compare: what a partner had with what it says it still has, and one partner
 * with another. Both lay two tallies side by side, label by label. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exposure/parts.h"
#include "exposure/tally.h"

enum { DELETIONS_MAX = 10000 };

/* ---- two tallies side by side ---- */

struct pair {
    const char *partner; /* NULL: the table has no such column */
    const struct policy *policy;
    struct table *table;
    /* Fills the row's counts from `column` on; either set may be NULL: nobody. */
    void (*count)(struct table *table, struct table_row *row, size_t column,
                  const roaring_bitmap_t *first, const roaring_bitmap_t *second);
};

static void add_row(const struct pair *pair, uint16_t kind, const struct tally_label *label,
                    const roaring_bitmap_t *first, const roaring_bitmap_t *second)
{
    struct table *table = pair->table;
    struct table_row *row = table_add(table);
    size_t at = 0;
    if (pair->partner != NULL)
        table_set(table, row, at++, "%s", pair->partner);
    if (kind < pair->policy->kind_count)
        table_set(table, row, at, "%s", pair->policy->kinds[kind].name);
    else
        table_set(table, row, at, "kind %u", kind);
    if (label != NULL) {
        table_set(table, row, at + 1, "%.*s", (int)label->category.len, label->category.data);
        table_set(table, row, at + 2, "%.*s", (int)label->form.len, label->form.data);
    }
    pair->count(table, row, at + 3, first, second);
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Order of two lists' heads; a list at its end comes after everything. */
static int compare_labels(const struct tally_label *a, const struct tally_label *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? 1 : -1;
    int order = compare_slices(a->category, b->category);
    return order != 0 ? order : compare_slices(a->form, b->form);
}

static const struct tally_label *label_at(const struct tally_kind *kind, size_t at)
{
    return kind != NULL && at < kind->label_count ? &kind->labels[at] : NULL;
}

static void add_kind(const struct pair *pair, uint16_t number, const struct tally_kind *first,
                     const struct tally_kind *second)
{
    size_t i = 0, j = 0;
    add_row(pair, number, NULL, first == NULL ? NULL : first->everyone,
            second == NULL ? NULL : second->everyone);
    for (;;) {
        const struct tally_label *left = label_at(first, i), *right = label_at(second, j);
        if (left == NULL && right == NULL)
            return;
        int order = compare_labels(left, right);
        add_row(pair, number, order <= 0 ? left : right, order <= 0 ? left->ids : NULL,
                order >= 0 ? right->ids : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static void add_pair(const struct pair *pair, const struct tally *first, const struct tally *second)
{
    size_t i = 0, j = 0;
    while (i < first->count || j < second->count) {
        const struct tally_kind *left = i < first->count ? first->kinds[i] : NULL;
        const struct tally_kind *right = j < second->count ? second->kinds[j] : NULL;
        bool takes_left = left != NULL && (right == NULL || left->kind <= right->kind);
        bool takes_right = right != NULL && (left == NULL || right->kind <= left->kind);
        add_kind(pair, takes_left ? left->kind : right->kind, takes_left ? left : NULL,
                 takes_right ? right : NULL);
        i += takes_left;
        j += takes_right;
    }
}

static uint64_t count_of(const roaring_bitmap_t *ids)
{
    return ids == NULL ? 0 : roaring_bitmap_get_cardinality(ids);
}

static void set_number(struct table *table, struct table_row *row, size_t column, uint64_t number)
{
    table_set(table, row, column, "%llu", (unsigned long long)number);
}

/* ---- gross and net ---- */

struct deletion {
    uint16_t kind;
    int64_t hour;
    roaring_bitmap_t *ids; /* of whom no later deletion is listed */
};

struct netting {
    struct tally net;
    struct deletion *deletions; /* by kind, latest first */
    size_t count;
    int64_t everybody_hour; /* INT64_MIN: nothing of everybody was deleted */
    const struct deletion *at_hand;
};

/* The visit of index_each_deleted. */
static enum status take_deletion(void *context, const struct index_view *view, struct error *error)
{
    struct netting *netting = context;
    if (view->first_hour <= netting->everybody_hour) /* everybody's reaches as far */
        return STATUS_OK;
    if (netting->count == DELETIONS_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "more than %d deletions of people",
                         DELETIONS_MAX);
    struct deletion *grown =
        realloc(netting->deletions, (netting->count + 1) * sizeof *netting->deletions);
    if (grown == NULL)
        return error_no_memory(error);
    netting->deletions = grown;
    struct deletion *added = &grown[netting->count];
    *added = (struct deletion){
        .kind = view->kind, .hour = view->first_hour, .ids = roaring_bitmap_copy(view->ids)};
    if (added->ids == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < netting->count; i++)
        if (grown[i].kind == added->kind)
            roaring_bitmap_andnot_inplace(added->ids, grown[i].ids);
    netting->count++;
    return STATUS_OK;
}

static enum status tally_these(struct netting *netting, const struct index_view *view,
                               roaring_bitmap_t *ids, struct error *error)
{
    struct index_view part = *view;
    enum status status = STATUS_OK;
    part.ids = ids;
    if (ids == NULL)
        return error_no_memory(error);
    if (!roaring_bitmap_is_empty(ids))
        status = tally_labels(&netting->net, &part, error);
    roaring_bitmap_free(ids);
    return status;
}

/* Disclosed since everybody's deletion, to people of whom none was listed. */
static enum status tally_unlisted(void *context, const struct index_view *view, struct error *error)
{
    struct netting *netting = context;
    roaring_bitmap_t *ids = roaring_bitmap_copy(view->ids);
    for (size_t i = 0; ids != NULL && i < netting->count; i++)
        if (netting->deletions[i].kind == view->kind)
            roaring_bitmap_andnot_inplace(ids, netting->deletions[i].ids);
    return tally_these(netting, view, ids, error);
}

/* Disclosed again since the deletion at hand. */
static enum status tally_again(void *context, const struct index_view *view, struct error *error)
{
    struct netting *netting = context;
    if (view->kind != netting->at_hand->kind)
        return STATUS_OK;
    return tally_these(netting, view, roaring_bitmap_and(view->ids, netting->at_hand->ids), error);
}

/* A deletion cannot reach behind now, whatever was told. */
static int64_t everybodys_hour(struct index *index, const char *partner)
{
    int64_t before_ns = index_deleted_before(index, partner), now_ns = clock_now_ns();
    if (before_ns == INT64_MIN)
        return INT64_MIN;
    return index_hour_of(before_ns < now_ns ? before_ns : now_ns);
}

static enum status tally_net(struct exposure *exposure, const char *partner,
                             struct netting *netting, struct error *error)
{
    struct index *index = exposure->index;
    struct index_range range = {INT64_MIN, INT64_MAX};
    netting->net.exposure = exposure;
    netting->everybody_hour = range.from_hour = everybodys_hour(index, partner);
    TRY(index_each_deleted(index, partner, take_deletion, netting, error));
    TRY(index_each(index, partner, range, tally_unlisted, netting, error));
    for (size_t i = 0; i < netting->count; i++) {
        netting->at_hand = &netting->deletions[i];
        range.from_hour = netting->at_hand->hour;
        TRY(index_each(index, partner, range, tally_again, netting, error));
    }
    return STATUS_OK;
}

static void count_net(struct table *table, struct table_row *row, size_t column,
                      const roaring_bitmap_t *gross, const roaring_bitmap_t *net)
{
    set_number(table, row, column, count_of(gross));
    set_number(table, row, column + 1, count_of(net));
}

static enum status net_of_partner(struct exposure *exposure, const struct policy *policy,
                                  const char *partner, struct table *table, struct error *error)
{
    static const struct index_range ever = {INT64_MIN, INT64_MAX};
    const struct pair pair = {
        .partner = partner, .policy = policy, .table = table, .count = count_net};
    struct tally gross = {.exposure = exposure};
    struct netting netting = {0};
    enum status status = index_each(exposure->index, partner, ever, tally_labels, &gross, error);
    if (status == STATUS_OK)
        status = tally_net(exposure, partner, &netting, error);
    tally_settle(&gross);
    tally_settle(&netting.net);
    if (status == STATUS_OK)
        add_pair(&pair, &gross, &netting.net);
    for (size_t i = 0; i < netting.count; i++)
        roaring_bitmap_free(netting.deletions[i].ids);
    free(netting.deletions);
    tally_clear(&netting.net);
    tally_clear(&gross);
    return status;
}

enum status exposure_net(struct exposure *exposure, const struct policy *policy,
                         const char *partner, struct table *table, struct error *error)
{
    static const char *const columns[] = {"partner", "kind", "category", "form",
                                          "gross",   "net",  NULL};
    const char **names = NULL;
    struct table made;
    enum status status = STATUS_OK;
    if (partner == NULL)
        TRY(index_partners(exposure->index, &names, error));
    table_init(&made, TALLY_TABLE_BYTES, columns);
    if (partner != NULL)
        status = net_of_partner(exposure, policy, partner, &made, error);
    for (size_t i = 0; names != NULL && names[i] != NULL && status == STATUS_OK; i++)
        status = net_of_partner(exposure, policy, names[i], &made, error);
    free(names);
    return tally_finish(exposure, INT64_MAX, &made, status, NULL, table, error);
}

/* ---- overlap ---- */

static void count_overlap(struct table *table, struct table_row *row, size_t column,
                          const roaring_bitmap_t *first, const roaring_bitmap_t *second)
{
    uint64_t both =
        first == NULL || second == NULL ? 0 : roaring_bitmap_and_cardinality(first, second);
    set_number(table, row, column, both);
    set_number(table, row, column + 1, count_of(first) - both);
    set_number(table, row, column + 2, count_of(second) - both);
}

enum status exposure_overlap(struct exposure *exposure, const struct policy *policy,
                             const char *first, const char *second, int64_t from_ns, int64_t to_ns,
                             struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind",       "category",    "form", "both",
                                          "only_first", "only_second", NULL};
    struct tally left = {.exposure = exposure}, right = {.exposure = exposure};
    struct index_range range = index_range(from_ns, to_ns);
    struct table made;
    const struct pair pair = {.policy = policy, .table = &made, .count = count_overlap};
    table_init(&made, TALLY_TABLE_BYTES, columns);
    enum status status = index_each(exposure->index, first, range, tally_labels, &left, error);
    if (status == STATUS_OK)
        status = index_each(exposure->index, second, range, tally_labels, &right, error);
    tally_settle(&left);
    tally_settle(&right);
    if (status == STATUS_OK)
        add_pair(&pair, &left, &right);
    tally_clear(&left);
    tally_clear(&right);
    return tally_finish(exposure, to_ns, &made, status, NULL, table, error);
}
