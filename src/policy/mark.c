/* Marks of grants: a digest of all that decides what a grant gives and how it is bound, so that two
 * policies can be asked whether a grant is still the same. Names of agents and purposes, validity
 * and budgets are no part of it: whether a grant is in force is another question. */
#include "policy/loader.h"

#include <string.h>

#include "base/buffer.h"
#include "base/check.h"
#include "crypto/crypto.h"

enum { TEXT_BYTES = 16 * 1024 * 1024 };

/* Each text with its length, so that no two lists of texts are alike. */
static void put(struct buffer *text, const char *value)
{
    if (value == NULL) {
        buffer_append_u32be(text, UINT32_MAX);
        return;
    }
    buffer_append_u32be(text, (uint32_t)strlen(value));
    buffer_append_text(text, value);
}

static void put_table(struct buffer *text, const struct policy_dataset *dataset)
{
    put(text, dataset->name);
    put(text, dataset->schema);
    put(text, dataset->table);
}

static void put_subject(struct buffer *text, const struct policy *policy,
                        const struct policy_subject *subject)
{
    put(text, policy->kinds[subject->kind].name);
    put(text, subject->key);
    buffer_append_u32be(text, subject->when_null);
    buffer_append_u32be(text, (uint32_t)subject->hop_count);
    for (size_t h = 0; h < subject->hop_count; h++) {
        put_table(text, &policy->datasets[subject->hops[h].dataset]);
        put(text, subject->hops[h].child_column);
        put(text, subject->hops[h].parent_column);
    }
}

static void put_columns(struct buffer *text, const struct policy *policy,
                        const struct policy_dataset *dataset, const struct policy_grant *grant)
{
    buffer_append_u32be(text, (uint32_t)grant->column_count);
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct policy_granted_column *column = &grant->columns[i];
        const struct policy_mask *own =
            column->mask == NULL ? NULL : policy_find_mask(policy, column->mask);
        put(text, dataset->columns[column->column].name);
        put(text, dataset->columns[column->column].category);
        buffer_append_u32be(text, column->form);
        put(text, column->mask);
        put(text, own == NULL ? NULL : own->sql);
        buffer_append_u64be(text, (uint64_t)column->bucket);
    }
}

static void put_written(struct buffer *text, const struct policy_dataset *dataset,
                        const struct policy_write *write)
{
    buffer_append_u32be(text, (uint32_t)write->update_count);
    for (size_t i = 0; i < write->update_count; i++)
        put(text, dataset->columns[write->update[i]].name);
    buffer_append_u32be(text, (uint32_t)write->insert_count);
    for (size_t i = 0; i < write->insert_count; i++)
        put(text, dataset->columns[write->insert[i]].name);
    buffer_append_u32be(text, write->deletes);
}

static void put_bounds(struct buffer *text, const struct policy *policy,
                       const struct policy_partner *partner)
{
    put(text, partner->name);
    buffer_append_u32be(text, partner->mode);
    buffer_append_u32be(text, partner->min_subjects);
    buffer_append_u32be(text, partner->differencing);
    buffer_append_u32be(text, partner->remember_days);
    buffer_append_u32be(text, (uint32_t)partner->lookup_count);
    for (size_t i = 0; i < partner->lookup_count; i++) {
        put(text, policy->datasets[partner->lookup_by[i].dataset].name);
        put(text, partner->lookup_by[i].column);
    }
}

static void load_mark(struct loader *loader, const struct policy_partner *partner,
                      struct policy_grant *grant)
{
    const struct policy *policy = loader->policy;
    const struct policy_dataset *dataset = &policy->datasets[grant->dataset];
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    put_bounds(&text, policy, partner);
    put_table(&text, dataset);
    buffer_append_u32be(&text, (uint32_t)dataset->subject_count);
    for (size_t i = 0; i < dataset->subject_count; i++)
        put_subject(&text, policy, &dataset->subjects[i]);
    put(&text, grant->rows);
    put_columns(&text, policy, dataset, grant);
    put_written(&text, dataset, &grant->write);
    struct slice bytes = buffer_slice(&text);
    crypto_sha256(&bytes, 1, grant->mark);
    CHECK(!text.overflowed); /* it is shorter than the file that it was read from, or little more */
    buffer_free(&text);
}

void load_marks(struct loader *loader, const struct policy_partner *partner,
                struct policy_grant *grants)
{
    for (size_t g = 0; g < partner->grant_count && !yaml_failed(&loader->yaml); g++)
        load_mark(loader, partner, &grants[g]);
}

/* ---- budgets ---- */

static bool lower(uint64_t was, uint64_t is)
{
    return is != 0 && (was == 0 || is < was);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool had_limit(const struct policy_budget *was, const struct policy_limit *limit)
{
    for (size_t i = 0; i < was->limit_count; i++) {
        const struct policy_limit *old = &was->limits[i];
        if (strcmp(old->name, limit->name) == 0 && old->window == limit->window &&
            same(old->category, limit->category) && same(old->agent, limit->agent) &&
            same(old->purpose, limit->purpose) && old->has_form == limit->has_form &&
            old->form == limit->form)
            return old->subjects <= limit->subjects;
    }
    return false;
}

bool policy_budget_narrower(const struct policy_budget *was, const struct policy_budget *is)
{
    for (size_t i = 0; i < is->limit_count; i++)
        if (!had_limit(was, &is->limits[i]))
            return true;
    return lower(was->subjects_per_day, is->subjects_per_day) ||
           lower(was->subjects_total, is->subjects_total) ||
           lower(was->rows_per_statement, is->rows_per_statement) ||
           lower(was->probes_per_day, is->probes_per_day) ||
           lower(was->errors_per_day, is->errors_per_day);
}
