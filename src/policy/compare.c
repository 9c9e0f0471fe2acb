/* Who reaches which column, before and after. One dataset of one agent and purpose at a time: the
 * grants that count for it, in both policies, are laid side by side. See compare.h. */
#include "policy/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_SHOWN = 360 }; /* bytes of a condition; what stands behind it is to be seen, too */

static const int64_t ns_per_minute = 60LL * 1000000000;

struct comparing {
    const struct policy *policies[2]; /* before, after */
    int64_t now_ns;
    compare_fn fn;
    void *context;
    struct reach *room, *spare; /* 3 * most each */
    size_t most;                /* grants of a partner */
};

/* One agent, purpose and dataset; a partner or a dataset that is not there is NULL. */
struct corner {
    const struct policy_partner *partners[2];
    const struct policy_dataset *datasets[2];
    const char *agent, *purpose;
    bool has_agent[2];
};

struct reach {
    const struct policy *policy;
    const struct policy_grant *grant;
    const struct policy_granted_column *column;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* "": whoever acts for the partner in a delivery. */
static bool names_agent(const struct policy_partner *partner, const char *name)
{
    if (name[0] == '\0')
        return partner != NULL;
    for (size_t i = 0; partner != NULL && i < partner->agent_count; i++)
        if (strcmp(partner->agents[i].name, name) == 0)
            return true;
    return false;
}

/* ---- one column ---- */

static size_t reaches(const struct comparing *comparing, const struct corner *corner, int side,
                      const char *column, struct reach *found)
{
    const struct policy_partner *partner = corner->partners[side];
    const struct policy_dataset *dataset = corner->datasets[side];
    size_t count = 0;
    if (partner == NULL || dataset == NULL || !corner->has_agent[side])
        return 0;
    for (size_t g = 0; g < partner->grant_count; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        if (&comparing->policies[side]->datasets[grant->dataset] != dataset ||
            grant->valid_until_ns <= comparing->now_ns ||
            (grant->agent != NULL && strcmp(grant->agent, corner->agent) != 0) ||
            (grant->purpose != NULL && !same_text(grant->purpose, corner->purpose)))
            continue;
        for (size_t c = 0; c < grant->column_count; c++)
            if (strcmp(dataset->columns[grant->columns[c].column].name, column) == 0)
                found[count++] = (struct reach){.policy = comparing->policies[side],
                                                .grant = grant,
                                                .column = &grant->columns[c]};
    }
    return count;
}

static const char *mask_sql(const struct reach *reach)
{
    const struct policy_mask *mask =
        reach->column->mask == NULL ? NULL : policy_find_mask(reach->policy, reach->column->mask);
    return mask == NULL ? NULL : mask->sql;
}

static bool same_path(const struct reach *a, const struct reach *b)
{
    const struct policy_dataset *one = &a->policy->datasets[a->grant->dataset],
                                *two = &b->policy->datasets[b->grant->dataset];
    return strcmp(one->schema, two->schema) == 0 && strcmp(one->table, two->table) == 0;
}

static bool has_column(const size_t *columns, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

static bool updates(const struct reach *reach)
{
    const struct policy_write *write = &reach->grant->write;
    return has_column(write->update, write->update_count, reach->column->column);
}

static bool inserts(const struct reach *reach)
{
    const struct policy_write *write = &reach->grant->write;
    return has_column(write->insert, write->insert_count, reach->column->column);
}

static bool same_reach(const struct reach *a, const struct reach *b)
{
    return a->column->form == b->column->form && a->column->bucket == b->column->bucket &&
           same_text(a->column->mask, b->column->mask) && same_text(mask_sql(a), mask_sql(b)) &&
           same_text(a->grant->rows, b->grant->rows) && same_path(a, b) &&
           updates(a) == updates(b) && inserts(a) == inserts(b) &&
           a->grant->write.deletes == b->grant->write.deletes &&
           a->grant->approval.for_ns == b->grant->approval.for_ns &&
           a->grant->approval.needed == b->grant->approval.needed &&
           a->grant->approval.reason == b->grant->approval.reason &&
           a->grant->valid_from_ns == b->grant->valid_from_ns &&
           a->grant->valid_until_ns == b->grant->valid_until_ns;
}

/* ---- in words ---- */

static size_t put(char *text, size_t at, const char *word, const char *value)
{
    int len = snprintf(text + at, COMPARE_ACCESS_ROOM - at, "%s%s", word, value);
    size_t end = at + (len < 0 ? 0 : (size_t)len);
    return end < COMPARE_ACCESS_ROOM ? end : COMPARE_ACCESS_ROOM - 1;
}

static size_t describe_form(const struct reach *reach, const struct reach *other, char *text)
{
    static const char *const forms[] = {
        [POLICY_FORM_CLEAR] = "clear", [POLICY_FORM_MASKED] = "", [POLICY_FORM_TOKEN] = "token"};
    char bucket[32];
    size_t at = put(text, 0, forms[reach->column->form], "");
    if (reach->column->bucket > 0) {
        snprintf(bucket, sizeof bucket, "bucket(%ld)", reach->column->bucket);
        at = put(text, at, "", bucket);
    } else if (reach->column->form == POLICY_FORM_MASKED) {
        at = put(text, at, "", reach->column->mask);
    }
    if (other != NULL && !same_text(mask_sql(reach), mask_sql(other)) && mask_sql(reach) != NULL)
        at = put(text, at, " as ", mask_sql(reach));
    return at;
}

static size_t describe_approval(const struct policy_approval *approval, char *text, size_t at)
{
    char terms[48];
    if (approval->for_ns == 0)
        return at;
    snprintf(terms, sizeof terms, "%lld min by %u", (long long)(approval->for_ns / ns_per_minute),
             approval->needed);
    at = put(text, at, ", approved for ", terms);
    return approval->reason ? put(text, at, " with a reason", "") : at;
}

static size_t describe_rows(const char *rows, char *text, size_t at)
{
    char some[ROWS_SHOWN + sizeof "…"];
    if (strlen(rows) <= ROWS_SHOWN)
        return put(text, at, ", where ", rows);
    size_t len = ROWS_SHOWN; /* up to the beginning of a character */
    while (len > 0 && ((unsigned char)rows[len] & 0xC0) == 0x80)
        len--;
    snprintf(some, sizeof some, "%.*s…", (int)len, rows);
    return put(text, at, ", where ", some);
}

static void describe(const struct reach *reach, const struct reach *other, char *text)
{
    const struct policy_grant *grant = reach->grant;
    const struct policy_dataset *dataset = &reach->policy->datasets[grant->dataset];
    char when[21];
    size_t at = describe_form(reach, other, text);
    if (updates(reach))
        at = put(text, at, ", UPDATE", "");
    if (inserts(reach))
        at = put(text, at, ", INSERT", "");
    if (grant->write.deletes)
        at = put(text, at, ", DELETE of rows", "");
    if (other != NULL && !same_path(reach, other)) {
        at = put(text, at, ", of table ", dataset->schema);
        at = put(text, at, ".", dataset->table);
    }
    if (grant->rows != NULL)
        at = describe_rows(grant->rows, text, at);
    at = describe_approval(&grant->approval, text, at);
    if (grant->valid_from_ns != INT64_MIN) {
        clock_format_utc(grant->valid_from_ns, when);
        at = put(text, at, ", from ", when);
    }
    if (grant->valid_until_ns != INT64_MAX) {
        clock_format_utc(grant->valid_until_ns, when);
        put(text, at, ", until ", when);
    }
}

static enum status tell(const struct comparing *comparing, const struct corner *corner,
                        const char *column, const struct reach *was, const struct reach *now,
                        struct error *error)
{
    const struct policy_partner *partner = corner->partners[corner->partners[1] != NULL];
    const struct policy_dataset *dataset = corner->datasets[corner->datasets[1] != NULL];
    struct compare_change change = {.partner = partner->name,
                                    .agent = corner->agent,
                                    .purpose = corner->purpose,
                                    .dataset = dataset->name,
                                    .column = column,
                                    .what = was == NULL   ? COMPARE_GAINS
                                            : now == NULL ? COMPARE_LOSES
                                                          : COMPARE_OTHERWISE,
                                    .before = was == NULL ? NULL : was->grant,
                                    .after = now == NULL ? NULL : now->grant};
    if (was != NULL)
        describe(was, now, change.was);
    if (now != NULL)
        describe(now, was, change.now);
    return comparing->fn(comparing->context, &change, error);
}

/* Takes out what both have, and returns how many are left of the first. */
static size_t leave_out(struct reach *reaches, size_t count, const struct reach *others,
                        size_t other_count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        bool shared = false;
        for (size_t j = 0; j < other_count && !shared; j++)
            shared = same_reach(&reaches[i], &others[j]);
        if (!shared)
            reaches[left++] = reaches[i];
    }
    return left;
}

/* What one agent has of a column in either policy and not, or otherwise, in the other. */
struct differing {
    struct reach *was, *now;
    size_t was_count, now_count;
};

static struct differing differ(const struct comparing *comparing, const struct corner *corner,
                               const char *column, struct reach *room)
{
    struct differing differing = {.was = room, .now = room + comparing->most};
    struct reach *all = room + 2 * comparing->most;
    size_t all_count = reaches(comparing, corner, 0, column, all);
    differing.was_count = reaches(comparing, corner, 0, column, differing.was);
    differing.now_count = reaches(comparing, corner, 1, column, differing.now);
    differing.was_count =
        leave_out(differing.was, differing.was_count, differing.now, differing.now_count);
    differing.now_count = leave_out(differing.now, differing.now_count, all, all_count);
    return differing;
}

static bool is_among(const struct reach *reach, const struct reach *reaches, size_t count)
{
    for (size_t i = 0; i < count && reach != NULL; i++)
        if (reaches[i].grant == reach->grant)
            return true;
    return reach == NULL;
}

/* Who acts for the partner in a delivery has what no grant binds to an agent: most of it changes
 * for an agent as well, and is told there. */
static bool is_told_of_an_agent(const struct comparing *comparing, const struct corner *corner,
                                const char *column, const struct reach *was,
                                const struct reach *now)
{
    const struct policy_partner *partner = corner->partners[corner->partners[1] != NULL];
    for (size_t i = 0; i < partner->agent_count; i++) {
        struct corner of = *corner;
        of.agent = partner->agents[i].name;
        for (int side = 0; side < 2; side++)
            of.has_agent[side] =
                corner->has_agent[side] && names_agent(of.partners[side], of.agent);
        struct differing told = differ(comparing, &of, column, comparing->spare);
        if (of.has_agent[0] == corner->has_agent[0] && of.has_agent[1] == corner->has_agent[1] &&
            is_among(was, told.was, told.was_count) && is_among(now, told.now, told.now_count))
            return true;
    }
    return false;
}

static enum status compare_column(const struct comparing *comparing, const struct corner *corner,
                                  const char *column, struct error *error)
{
    struct differing it = differ(comparing, corner, column, comparing->room);
    for (size_t i = 0; i < it.was_count || i < it.now_count; i++) {
        const struct reach *was = i < it.was_count ? &it.was[i] : NULL;
        const struct reach *now = i < it.now_count ? &it.now[i] : NULL;
        if (corner->agent[0] != '\0' || !is_told_of_an_agent(comparing, corner, column, was, now))
            TRY(tell(comparing, corner, column, was, now, error));
    }
    return STATUS_OK;
}

/* ---- what there is to compare ---- */

static enum status compare_dataset(const struct comparing *comparing, const struct corner *corner,
                                   struct error *error)
{
    for (int side = 0; side < 2; side++) {
        const struct policy_dataset *dataset = corner->datasets[side], *old = corner->datasets[0];
        for (size_t c = 0; dataset != NULL && c < dataset->column_count; c++) {
            bool seen = false; /* with the old policy's columns */
            for (size_t o = 0; side == 1 && old != NULL && o < old->column_count && !seen; o++)
                seen = strcmp(old->columns[o].name, dataset->columns[c].name) == 0;
            if (!seen)
                TRY(compare_column(comparing, corner, dataset->columns[c].name, error));
        }
    }
    return STATUS_OK;
}

static bool by_purpose(const struct corner *corner, const struct comparing *comparing)
{
    for (int side = 0; side < 2; side++) {
        const struct policy_partner *partner = corner->partners[side];
        for (size_t g = 0; partner != NULL && g < partner->grant_count; g++)
            if (&comparing->policies[side]->datasets[partner->grants[g].dataset] ==
                    corner->datasets[side] &&
                partner->grants[g].purpose != NULL)
                return true;
    }
    return false;
}

static bool has_purpose(const struct policy_partner *partner, const char *purpose)
{
    for (size_t i = 0; partner != NULL && i < partner->purpose_count; i++)
        if (strcmp(partner->purposes[i], purpose) == 0)
            return true;
    return false;
}

/* Once for each purpose of either policy, if any grant of the dataset is for one alone. */
static enum status compare_purposes(const struct comparing *comparing, struct corner *corner,
                                    struct error *error)
{
    if (!by_purpose(corner, comparing))
        return compare_dataset(comparing, corner, error);
    for (int side = 0; side < 2; side++) {
        const struct policy_partner *partner = corner->partners[side];
        for (size_t i = 0; partner != NULL && i < partner->purpose_count; i++) {
            struct corner one = *corner;
            one.purpose = partner->purposes[i];
            if (side == 1 && has_purpose(corner->partners[0], one.purpose))
                continue;
            for (int of = 0; of < 2; of++)
                one.has_agent[of] =
                    corner->has_agent[of] && has_purpose(corner->partners[of], one.purpose);
            TRY(compare_dataset(comparing, &one, error));
        }
    }
    return STATUS_OK;
}

static enum status compare_agent(const struct comparing *comparing, struct corner *corner,
                                 struct error *error)
{
    for (int side = 0; side < 2; side++)
        corner->has_agent[side] = names_agent(corner->partners[side], corner->agent);
    for (int side = 0; side < 2; side++) {
        const struct policy *policy = comparing->policies[side];
        for (size_t d = 0; d < policy->dataset_count; d++) {
            const char *name = policy->datasets[d].name;
            corner->datasets[0] = policy_find_dataset(comparing->policies[0], name);
            corner->datasets[1] = policy_find_dataset(comparing->policies[1], name);
            if (side == 0 || corner->datasets[0] == NULL)
                TRY(compare_purposes(comparing, corner, error));
        }
    }
    return STATUS_OK;
}

static enum status compare_partner(const struct comparing *comparing, struct corner *corner,
                                   struct error *error)
{
    for (int side = 0; side < 2; side++) {
        const struct policy_partner *partner = corner->partners[side];
        for (size_t i = 0; partner != NULL && i < partner->agent_count; i++) {
            corner->agent = partner->agents[i].name;
            if (side == 0 || !names_agent(corner->partners[0], corner->agent))
                TRY(compare_agent(comparing, corner, error));
        }
    }
    corner->agent = "";
    return compare_agent(comparing, corner, error);
}

static enum status compare_partners(const struct comparing *comparing, struct error *error)
{
    for (int side = 0; side < 2; side++) {
        for (size_t p = 0; p < comparing->policies[side]->partner_count; p++) {
            const char *name = comparing->policies[side]->partners[p].name;
            struct corner corner = {
                .partners = {policy_find_partner(comparing->policies[0], name),
                             policy_find_partner(comparing->policies[1], name)}};
            if (side == 0 || corner.partners[0] == NULL)
                TRY(compare_partner(comparing, &corner, error));
        }
    }
    return STATUS_OK;
}

enum status policy_compare(const struct policy *before, const struct policy *after, int64_t now_ns,
                           compare_fn fn, void *context, struct error *error)
{
    struct comparing comparing = {
        .policies = {before, after}, .now_ns = now_ns, .fn = fn, .context = context, .most = 1};
    for (int side = 0; side < 2; side++)
        for (size_t p = 0; p < comparing.policies[side]->partner_count; p++)
            if (comparing.policies[side]->partners[p].grant_count > comparing.most)
                comparing.most = comparing.policies[side]->partners[p].grant_count;
    comparing.room = calloc(6 * comparing.most, sizeof *comparing.room);
    if (comparing.room == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    comparing.spare = comparing.room + 3 * comparing.most;
    enum status status = compare_partners(&comparing, error);
    free(comparing.room);
    return status;
}
