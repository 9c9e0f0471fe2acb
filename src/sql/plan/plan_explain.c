/* What a planning tells those who ask why (`cofferdam explain`): fences, hidden columns, and what
 * is missing from the policy where the statement is refused. Invariant: nothing here changes a
 * plan. */
#include "sql/plan/plan_explain.h"

#include <string.h>

#include "policy/suggest.h"

enum { INQUIRY_BYTES = 4 * 1024 * 1024, TEXT_BYTES = 64 * 1024, NEAREST_MAX = 512 };

static const char *const forms[] = {"clear", "masked", "token"};

void plan_inquire(struct plan_inquiry *inquiry)
{
    *inquiry = (struct plan_inquiry){.end = &inquiry->first};
    arena_init(&inquiry->arena, INQUIRY_BYTES);
}

void plan_inquiry_free(struct plan_inquiry *inquiry)
{
    arena_free(&inquiry->arena);
}

static struct plan_inquiry *asked(const struct build *build)
{
    return build->request == NULL ? NULL : build->request->inquiry;
}

static void tell(struct plan_inquiry *inquiry, const char *topic, const char *text)
{
    struct plan_explanation *explanation = arena_new(&inquiry->arena, struct plan_explanation);
    const char *copy = arena_strdup(&inquiry->arena, text);
    if (explanation == NULL || copy == NULL)
        return;
    explanation->topic = topic;
    explanation->text = copy;
    *inquiry->end = explanation;
    inquiry->end = &explanation->next;
}

void plan_explain(struct build *build, const char *topic, const char *format, ...)
{
    char text[400];
    va_list arguments;
    if (asked(build) == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell(asked(build), topic, text);
}

static void tell_buffer(struct build *build, const char *topic, struct buffer *text)
{
    const char *told = buffer_text(text);
    tell(asked(build), topic, told == NULL ? "(too long to tell)" : told);
    buffer_free(text);
}

/* ---- fences ---- */

static void put_reads(struct buffer *text, const struct fence *fence)
{
    const struct model_grant *grant = fence->grant;
    bool any = false;
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct model_granted *granted = &grant->columns[i];
        if (!fence->read[i])
            continue;
        buffer_printf(text, "%s%s ", any ? ", " : "\nreads: ", granted->column->policy->name);
        if (granted->policy->mask == NULL)
            buffer_append_text(text, forms[granted->form]);
        else if (granted->policy->bucket > 0)
            buffer_printf(text, "masked by %s(%ld)", granted->policy->mask,
                          granted->policy->bucket);
        else
            buffer_printf(text, "%s by %s", forms[granted->form], granted->policy->mask);
        any = true;
    }
    if (!any)
        buffer_append_text(text, "\nreads: no column, only which rows there are");
}

static void put_subject(struct buffer *text, const struct build *build, const struct fence *fence,
                        const struct model_subject *subject)
{
    static const char *const nulls[] = {
        [POLICY_NULL_HIDE] = "rows without one are hidden",
        [POLICY_NULL_NONE] = "rows without one are about nobody",
        [POLICY_NULL_REFUSE] = "a row without one ends the statement",
    };
    const char *child = fence->grant->dataset->policy->name;
    buffer_printf(text, "\nsubject: %s by ",
                  build->model->policy->kinds[subject->policy->kind].name);
    for (size_t h = 0; h < subject->hop_count; h++) {
        const struct model_hop *hop = &subject->hops[h];
        const char *parent = hop->parent->policy->name;
        buffer_printf(text, "%s.%s = %s.%s, ", child, hop->child_column->name, parent,
                      hop->parent_column->name);
        child = parent;
    }
    buffer_printf(text, "%s.%s; %s", child, subject->key->name,
                  subject->never_null ? "no row is without one"
                                      : nulls[subject->policy->when_null]);
}

static void explain_fence(struct build *build, const struct fence *fence)
{
    const struct model_dataset *dataset = fence->grant->dataset;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    buffer_printf(&text, "%s\ntable: %s.%s\ngrant: line %d of the policy", dataset->policy->name,
                  dataset->table->schema, dataset->table->name, fence->grant->policy->line);
    if (fence->grant->policy->rows != NULL)
        buffer_printf(&text, "\nrow filter: %s", fence->grant->policy->rows);
    put_reads(&text, fence);
    for (size_t s = 0; s < dataset->subject_count; s++)
        put_subject(&text, build, fence, &dataset->subjects[s]);
    if (dataset->subject_count == 0)
        buffer_append_text(&text, "\nsubject: none; rows about nobody");
    tell_buffer(build, "fence", &text);
}

void plan_explain_fences(struct build *build)
{
    if (asked(build) == NULL)
        return;
    for (size_t i = 0; i < build->fence_count; i++)
        explain_fence(build, build->fences[i]);
    if (build->guard_count > 0)
        plan_explain(build, "guard",
                     "%zu %s that may fail: evaluated on rows that the policy shows, on no others",
                     build->guard_count, build->guard_count == 1 ? "expression" : "expressions");
}

/* ---- hidden columns ---- */

static const char *reason_of(const struct carried_key *key, bool once)
{
    if (key->threshold_only)
        return "those for whom what is aggregated has a value: they must be enough people too";
    if (key->repeats)
        return "proof that the group is of one person: otherwise the statement ends";
    if (key->why != NULL)
        return key->why;
    if (once)
        return "without one of them there might be other rows";
    return key->depth == 0 ? "the row is made of a row of theirs" : "all who are in the row";
}

static const char *grade_of(const struct build *build, const struct plan_hidden *hidden)
{
    static const char *const grades[] = {[PLAN_GRADE_DIRECT] = "direct",
                                         [PLAN_GRADE_AGGREGATE] = "aggregate",
                                         [PLAN_GRADE_WITNESS] = "witness",
                                         [PLAN_GRADE_INFLUENCE] = "influence"};
    if (hidden->equals_previous)
        return "not recorded";
    if (hidden->threshold_only)
        return "aggregate, where not all have a value";
    if (hidden->grade == PLAN_GRADE_AGGREGATE)
        return "aggregate, or direct where it is small";
    if (build->plan->statistic && hidden->depth > 0 && hidden->grade == PLAN_GRADE_DIRECT)
        return "aggregate, or direct where it is small";
    return grades[hidden->grade];
}

static void put_columns(struct buffer *text, const struct plan_hidden *hidden)
{
    for (size_t i = 0; i < hidden->column_count; i++)
        buffer_printf(text, "%s %s.%s", i == 0 ? "\nrecorded with:" : ",",
                      hidden->columns[i].dataset, hidden->columns[i].column);
}

void plan_explain_hidden(struct build *build, const struct carried_key *key,
                         const struct plan_hidden *hidden)
{
    static const char *const shapes[] = {"the key", "a set of keys", "a set of sets of keys"};
    const struct policy_dataset *dataset = key->fence->grant->dataset->policy;
    struct buffer text;
    if (asked(build) == NULL)
        return;
    buffer_init(&text, TEXT_BYTES);
    buffer_printf(&text, "%s: %s%s of %s, by dataset %s\ncomes: %s%s\ngrade: %s\nwhy: %s",
                  key->name, shapes[key->depth < 2 ? key->depth : 2],
                  hidden->marked ? ", and which rows each has," : "",
                  build->model->policy->kinds[hidden->kind].name, dataset->name,
                  hidden->once ? "once, ahead of all rows" : "with each row",
                  key->extended ? "; NULL where there is no such row" : "", grade_of(build, hidden),
                  reason_of(key, hidden->once));
    if (!hidden->equals_previous)
        put_columns(&text, hidden);
    tell_buffer(build, "hidden column", &text);
}

/* ---- what is missing ---- */

static const struct model_dataset *find_dataset(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->dataset_count; i++)
        if (strcmp(model->datasets[i].policy->name, name) == 0)
            return &model->datasets[i];
    return NULL;
}

/* The flow mapping of a column in a grant, as the policy file must have it. */
static void put_column(struct buffer *text, const struct policy_column *column)
{
    if (policy_category_sensitive(column->category))
        buffer_printf(text, "%s: {form: clear, justification: \"…\"}", column->name);
    else
        buffer_printf(text, "%s: clear", column->name);
}

static void tell_other_grants(struct build *build, const struct model_dataset *dataset)
{
    const struct plan_request *request = build->request;
    const struct policy_partner *partner = request->partner;
    for (size_t i = 0; i < partner->grant_count; i++) {
        const struct policy_grant *grant = &partner->grants[i];
        if (&build->model->policy->datasets[grant->dataset] != dataset->policy)
            continue;
        const char *wrong =
            grant->agent != NULL && strcmp(grant->agent, request->agent->name) != 0
                ? "is for another agent"
            : request->now_ns < grant->valid_from_ns || request->now_ns >= grant->valid_until_ns
                ? "is not valid now"
                : "is for another purpose";
        plan_explain(build, "near miss", "the grant of \"%s\" in line %d of the policy %s",
                     dataset->policy->name, grant->line, wrong);
    }
}

static void tell_table(struct build *build, const char *name)
{
    const struct catalog *catalog = build->model->catalog;
    for (size_t i = 0; i < catalog->table_count; i++)
        if (strcmp(catalog->tables[i].name, name) == 0)
            plan_explain(build, "near miss", "the database has a table %s.%s, which is no dataset",
                         catalog->tables[i].schema, name);
}

/* Of what is granted to the partner. */
static void tell_nearest_dataset(struct build *build, const char *name)
{
    const char *names[NEAREST_MAX + 1] = {NULL};
    size_t count = 0;
    const struct policy_partner *partner = build->request->partner;
    for (size_t i = 0; i < partner->grant_count && count < NEAREST_MAX; i++)
        names[count++] = build->model->policy->datasets[partner->grants[i].dataset].name;
    const char *nearest = suggest_nearest(name, names);
    if (nearest != NULL)
        plan_explain(build, "near miss", "did they mean \"%s\"?", nearest);
}

void plan_explain_no_dataset(struct build *build, const char *name)
{
    if (asked(build) == NULL)
        return;
    const struct model_dataset *dataset = find_dataset(build->model, name);
    if (dataset == NULL) {
        tell_table(build, name);
        tell_nearest_dataset(build, name);
        return;
    }
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    tell_other_grants(build, dataset);
    buffer_printf(&text, "partners: %s: grants:\n- {dataset: %s, columns: {",
                  build->request->partner->name, name);
    for (size_t i = 0; i < dataset->column_count; i++) {
        buffer_append_text(&text, i == 0 ? "" : ", ");
        put_column(&text, dataset->columns[i].policy);
    }
    buffer_append_text(&text, "}}");
    tell_buffer(build, "change of the policy", &text);
}

static bool grants_column(const struct model_grant *grant, const struct policy_column *column)
{
    for (size_t i = 0; i < grant->column_count; i++)
        if (grant->columns[i].column->policy == column)
            return true;
    return false;
}

static const struct policy_column *find_column(const struct model_dataset *dataset,
                                               const char *name)
{
    for (size_t i = 0; i < dataset->column_count; i++)
        if (strcmp(dataset->columns[i].policy->name, name) == 0)
            return dataset->columns[i].policy;
    return NULL;
}

static void tell_ungranted(struct build *build, const struct model_grant *grant,
                           const struct policy_column *column)
{
    const char *dataset = grant->dataset->policy->name;
    struct buffer text;
    plan_explain(build, "near miss", "dataset \"%s\" has a column \"%s\"%s%s; it is not granted",
                 dataset, column->name, column->category == NULL ? "" : ", category ",
                 column->category == NULL ? "" : column->category);
    buffer_init(&text, TEXT_BYTES);
    buffer_printf(&text, "partners: %s: grants, line %d:\n- {dataset: %s, columns: {…, ",
                  build->request->partner->name, grant->policy->line, dataset);
    put_column(&text, column);
    buffer_append_text(&text, "}}\nor under a mask, or as a token");
    tell_buffer(build, "change of the policy", &text);
}

static void tell_unlisted(struct build *build, const struct model_dataset *dataset,
                          const char *name)
{
    plan_explain(build, "near miss",
                 "table %s.%s has a column \"%s\", which dataset \"%s\" does not list",
                 dataset->table->schema, dataset->table->name, name, dataset->policy->name);
    plan_explain(build, "change of the policy",
                 "datasets: %s: columns: {…, %s: {category: …}}, and then a grant of it",
                 dataset->policy->name, name);
}

static void tell_column(struct build *build, const struct model_grant *grant, const char *name)
{
    const struct policy_column *column = find_column(grant->dataset, name);
    if (column != NULL && !grants_column(grant, column))
        tell_ungranted(build, grant, column);
    else if (column == NULL && catalog_find_column(grant->dataset->table, name) != NULL)
        tell_unlisted(build, grant->dataset, name);
}

void plan_explain_no_column(const struct resolver *resolver, const char *name)
{
    const char *visible[NEAREST_MAX + 1] = {NULL};
    size_t count = 0;
    const struct names *names = resolver->names;
    struct build *build = resolver->build;
    if (asked(build) == NULL)
        return;
    for (size_t i = names->first; i < names->end; i++)
        if (resolver->level->relations[i]->fence != NULL)
            tell_column(build, resolver->level->relations[i]->fence->grant, name);
    for (size_t i = 0; i < names->count && count < NEAREST_MAX; i++)
        visible[count++] = names->entries[i].relation->columns[names->entries[i].column].name;
    const char *nearest = suggest_nearest(name, visible);
    if (nearest != NULL)
        plan_explain(build, "near miss", "did they mean \"%s\"?", nearest);
}

void plan_explain_no_write(struct build *build, const struct model_dataset *dataset,
                           enum plan_change change, const char *column)
{
    static const char *const keys[] = {
        [PLAN_CHANGE_INSERT] = "insert", [PLAN_CHANGE_UPDATE] = "update"};
    const char *partner = build->request->partner->name, *name = dataset->policy->name;
    if (change == PLAN_CHANGE_DELETE)
        plan_explain(build, "change of the policy",
                     "partners: %s: grants:\n- {dataset: %s, columns: {…}, write: {delete: true}}",
                     partner, name);
    else
        plan_explain(build, "change of the policy",
                     "partners: %s: grants:\n- {dataset: %s, columns: {…}, write: {%s: [%s%s]}}\n"
                     "where each of these columns is granted in clear",
                     partner, name, keys[change], column == NULL ? "" : "…, ",
                     column == NULL ? "columns that may be written" : column);
}
