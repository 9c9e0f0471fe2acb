/* See index_diff.h. Series of both files ascend by key and their cells by span and hour, so that
 * one pass over both finds the first place at which they part. */
#include "exposure/index_diff.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "exposure/subject_set.h"

struct diff {
    struct index_file *had, *fresh, *sets;
    struct name_pool *pool;
    struct exposure_difference *found;
};

/* ---- telling ---- */

static enum status name_series(const struct diff *diff, const struct index_key *key,
                               struct error *error)
{
    struct exposure_difference *found = diff->found;
    struct slice text;
    snprintf(found->partner, sizeof found->partner, "%s", key->partner);
    snprintf(found->agent, sizeof found->agent, "%s", key->agent);
    snprintf(found->purpose, sizeof found->purpose, "%s", key->purpose);
    found->column_set = key->column_set;
    found->kind = key->kind;
    found->grade = key->grade;
    if (key->column_set == 0 || key->column_set > index_file_texts(diff->sets))
        return STATUS_OK;
    TRY(index_file_text(diff->sets, key->column_set - 1, &text, error));
    snprintf(found->columns, sizeof found->columns, "%.*s", (int)text.len, (const char *)text.data);
    return STATUS_OK;
}

/* A day's and a month's cell cover what their name says, whoever is in it. */
static void name_hours(const struct diff *diff, const struct index_cell *cell)
{
    struct exposure_difference *found = diff->found;
    int32_t first = cell->first_hour, day = index_day_of(first), month = index_month_of_day(day);
    found->has_hours = cell->span != SPAN_EVER;
    switch (cell->span) {
    case SPAN_HOUR:
    case SPAN_DELETED:
        found->from_hour = first;
        found->until_hour = (int64_t)first + 1;
        return;
    case SPAN_DAY:
        found->from_hour = (int64_t)day * 24;
        found->until_hour = found->from_hour + 24;
        return;
    case SPAN_MONTH:
        found->from_hour = (int64_t)index_first_day(month) * 24;
        found->until_hour = (int64_t)index_first_day(month + 1) * 24;
        return;
    case SPAN_EVER:
        return;
    }
}

/* ---- cells ---- */

/* The lowest id that only one of both has; false: none. */
static bool first_apart(const roaring_bitmap_t *had, const roaring_bitmap_t *fresh, uint32_t *id,
                        bool *index_has)
{
    roaring_bitmap_t *apart = roaring_bitmap_xor(had, fresh);
    bool any = apart != NULL && !roaring_bitmap_is_empty(apart);
    if (any) {
        *id = roaring_bitmap_minimum(apart);
        *index_has = roaring_bitmap_contains(had, *id);
    }
    if (apart != NULL)
        roaring_bitmap_free(apart);
    return any;
}

/* The cell's ids; NULL cell: none. */
static enum status ids_of(struct index_file *file, const struct index_cell *cell,
                          roaring_bitmap_t **ids, struct error *error)
{
    if (cell != NULL)
        return index_file_ids(file, cell, ids, error);
    *ids = roaring_bitmap_create();
    return *ids == NULL ? error_no_memory(error) : STATUS_OK;
}

/* NULL: that file has no such cell. */
static enum status compare_cell(const struct diff *diff, const struct index_key *key,
                                const struct index_cell *had, const struct index_cell *fresh,
                                struct error *error)
{
    struct exposure_difference *found = diff->found;
    roaring_bitmap_t *left = NULL, *right = NULL;
    enum status status = ids_of(diff->had, had, &left, error);
    if (status == STATUS_OK)
        status = ids_of(diff->fresh, fresh, &right, error);
    if (status == STATUS_OK) {
        if (first_apart(left, right, &found->subject, &found->index_has))
            found->what = EXPOSURE_SUBJECT_DIFFERS;
        else if (had != NULL && fresh != NULL &&
                 (had->first_hour != fresh->first_hour || had->last_hour != fresh->last_hour))
            found->what = EXPOSURE_HOURS_DIFFER;
        found->index_count = roaring_bitmap_get_cardinality(left);
        found->ledger_count = roaring_bitmap_get_cardinality(right);
    }
    if (left != NULL)
        roaring_bitmap_free(left);
    if (right != NULL)
        roaring_bitmap_free(right);
    if (status != STATUS_OK || found->what == EXPOSURE_SAME)
        return status;
    name_hours(diff, had != NULL ? had : fresh);
    return name_series(diff, key, error);
}

/* Cells stand widest first, then by hour. */
static int compare_cells(const struct index_cell *had, const struct index_cell *fresh)
{
    if (had->span != fresh->span)
        return had->span > fresh->span ? -1 : 1;
    if (had->span != SPAN_HOUR && had->span != SPAN_DELETED)
        return 0;
    return (had->first_hour > fresh->first_hour) - (had->first_hour < fresh->first_hour);
}

/* The cells [*_at, *_until) of one series in either file. */
static enum status compare_series(const struct diff *diff, const struct index_key *key,
                                  size_t had_at, size_t had_until, size_t fresh_at,
                                  size_t fresh_until, struct error *error)
{
    while (diff->found->what == EXPOSURE_SAME && (had_at < had_until || fresh_at < fresh_until)) {
        struct index_cell had, fresh;
        int order = had_at < had_until ? -1 : 1;
        if (had_at < had_until)
            index_file_cell(diff->had, had_at, &had);
        if (fresh_at < fresh_until)
            index_file_cell(diff->fresh, fresh_at, &fresh);
        if (had_at < had_until && fresh_at < fresh_until)
            order = compare_cells(&had, &fresh);
        TRY(compare_cell(diff, key, order <= 0 ? &had : NULL, order >= 0 ? &fresh : NULL, error));
        had_at += order <= 0;
        fresh_at += order >= 0;
    }
    return STATUS_OK;
}

static enum status compare_all_series(const struct diff *diff, struct error *error)
{
    size_t had = 0, fresh = 0;
    size_t had_count = index_file_series(diff->had), fresh_count = index_file_series(diff->fresh);
    while (diff->found->what == EXPOSURE_SAME && (had < had_count || fresh < fresh_count)) {
        struct index_key key, other;
        size_t had_cells = 0, fresh_cells = 0, had_first = 0, fresh_first = 0;
        int order = had < had_count ? -1 : 1;
        if (fresh < fresh_count)
            index_file_key(diff->fresh, fresh, diff->pool, &key);
        if (had < had_count && fresh < fresh_count)
            order = index_file_compare(diff->had, had, &key);
        if (order <= 0) {
            index_file_key(diff->had, had, diff->pool, &other);
            key = other;
            had_cells = index_file_cells(diff->had, had++, &had_first);
        }
        if (order >= 0)
            fresh_cells = index_file_cells(diff->fresh, fresh++, &fresh_first);
        TRY(compare_series(diff, &key, had_first, had_first + had_cells, fresh_first,
                           fresh_first + fresh_cells, error));
    }
    return STATUS_OK;
}

/* ---- statements ---- */

static bool same_row(const struct index_told *had, const struct index_told *fresh)
{
    return memcmp(had->hash, fresh->hash, sizeof had->hash) == 0 && had->hour == fresh->hour &&
           had->entries == fresh->entries && had->fresh == fresh->fresh &&
           had->rows == fresh->rows && had->first_ns == fresh->first_ns &&
           had->last_ns == fresh->last_ns;
}

static enum status compare_told(const struct diff *diff, struct error *error)
{
    struct exposure_difference *found = diff->found;
    size_t had_count = index_file_told(diff->had), fresh_count = index_file_told(diff->fresh);
    for (size_t i = 0; i < had_count || i < fresh_count; i++) {
        struct index_told had = {0}, fresh = {0};
        struct slice name = {0}, other = {0}, bytes = {0}, more = {0};
        if (i < had_count) {
            index_file_told_row(diff->had, i, &name, &had);
            TRY(index_file_told_bytes(diff->had, i, &bytes, error));
        }
        if (i < fresh_count) {
            index_file_told_row(diff->fresh, i, &other, &fresh);
            TRY(index_file_told_bytes(diff->fresh, i, &more, error));
        }
        if (slice_equal(name, other) && same_row(&had, &fresh) && slice_equal(bytes, more))
            continue;
        const struct index_told *row = i < had_count ? &had : &fresh;
        const struct slice partner = i < had_count ? name : other;
        *found = (struct exposure_difference){.what = EXPOSURE_STATEMENT_DIFFERS,
                                              .has_hours = true,
                                              .from_hour = row->hour,
                                              .until_hour = (int64_t)row->hour + 1,
                                              .index_count = had.fresh,
                                              .ledger_count = fresh.fresh};
        snprintf(found->partner, sizeof found->partner, "%.*s", (int)partner.len,
                 (const char *)partner.data);
        crypto_hex(row->hash, sizeof row->hash, found->statement);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* ---- partners and texts ---- */

static void name_partner(const struct diff *diff, struct slice name)
{
    snprintf(diff->found->partner, sizeof diff->found->partner, "%.*s", (int)name.len,
             (const char *)name.data);
    diff->found->what = EXPOSURE_PARTNER_DIFFERS;
}

static enum status compare_partners(const struct diff *diff, struct error *error)
{
    size_t had_count = index_file_partners(diff->had);
    size_t fresh_count = index_file_partners(diff->fresh);
    for (size_t i = 0; i < had_count || i < fresh_count; i++) {
        struct index_partner had = {0}, fresh = {0};
        if (i < had_count)
            TRY(index_file_partner(diff->had, i, &had, error));
        if (i < fresh_count)
            TRY(index_file_partner(diff->fresh, i, &fresh, error));
        if (i < had_count && i < fresh_count && slice_equal(had.name, fresh.name) &&
            had.deleted_before_ns == fresh.deleted_before_ns &&
            slice_equal(had.column_sets, fresh.column_sets))
            continue;
        name_partner(diff, i < had_count ? had.name : fresh.name);
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status compare_texts(const struct diff *diff, struct error *error)
{
    size_t had_count = index_file_texts(diff->had), fresh_count = index_file_texts(diff->fresh);
    for (size_t i = 0; i < had_count || i < fresh_count; i++) {
        struct slice had = {0}, fresh = {0};
        if (i < had_count)
            TRY(index_file_text(diff->had, i, &had, error));
        if (i < fresh_count)
            TRY(index_file_text(diff->fresh, i, &fresh, error));
        if (i < had_count && i < fresh_count && slice_equal(had, fresh))
            continue;
        diff->found->what = EXPOSURE_TEXT_DIFFERS;
        diff->found->column_set = (uint32_t)i + 1;
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status index_diff_files(struct index_file *had, struct index_file *fresh,
                             struct index_file *sets, struct name_pool *pool,
                             struct exposure_difference *found, struct error *error)
{
    const struct diff diff = {
        .had = had, .fresh = fresh, .sets = sets, .pool = pool, .found = found};
    TRY(compare_all_series(&diff, error));
    if (found->what == EXPOSURE_SAME)
        TRY(compare_told(&diff, error));
    if (found->what == EXPOSURE_SAME)
        TRY(compare_partners(&diff, error));
    if (found->what == EXPOSURE_SAME)
        TRY(compare_texts(&diff, error));
    return STATUS_OK;
}
