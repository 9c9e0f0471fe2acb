/* Sources of the virtual catalogue: what this partner, agent and purpose may see now, as SELECTs
 * over constants. Invariant: a name here is a name of the policy, never one of the database; what
 * is not granted leaves no trace.
 *
 * OIDs are hashed from names, so that they stay when the gateway restarts or the policy grows; of
 * two that collide, which is rare, the later dataset of the policy moves on by one. */
#include <string.h>

#include "sql/allow.h"
#include "sql/virtual_private.h"

enum { PRIMARY = 'p', UNIQUE = 'u', FOREIGN = 'f' };

/* A key of a dataset over one column that is shown: as the policy and the database know it. */
struct key {
    size_t dataset, column; /* of `shown`; of the grant */
    char kind;
    uint32_t oid, index; /* index: of the parent's key where kind is FOREIGN */
    size_t parent, parent_column;
    const char *name;
};

struct shown {
    const struct model_grant *grant;
    uint32_t oid;
};

struct rows {
    struct build *build;
    struct shown *shown;
    size_t shown_count;
    struct key *keys;
    size_t key_count;
    uint32_t *oids; /* taken */
    size_t oid_count;
};

/* FNV-1a, over the parts and a zero behind each. */
static uint32_t hash_parts(const char *const *parts, size_t count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (uint8_t)*at) * 16777619u;
            if (*at == '\0')
                break;
        }
    return hash;
}

static bool is_taken(const struct rows *rows, uint32_t oid)
{
    for (size_t i = 0; i < rows->oid_count; i++)
        if (rows->oids[i] == oid)
            return true;
    return false;
}

static uint32_t take_oid(struct rows *rows, const char *what, const char *dataset,
                         const char *column)
{
    const char *const parts[] = {what, dataset, column};
    uint32_t range = (uint32_t)INT32_MAX - VIRTUAL_OID_FIRST;
    uint32_t at = hash_parts(parts, lengthof(parts)) % range;
    while (is_taken(rows, VIRTUAL_OID_FIRST + at))
        at = (at + 1) % range;
    rows->oids[rows->oid_count++] = VIRTUAL_OID_FIRST + at;
    return VIRTUAL_OID_FIRST + at;
}

static const char *dataset_name(const struct rows *rows, size_t dataset)
{
    return rows->shown[dataset].grant->dataset->policy->name;
}

static const char *column_name(const struct rows *rows, size_t dataset, size_t column)
{
    return rows->shown[dataset].grant->columns[column].column->policy->name;
}

static void add_key(struct rows *rows, struct key key, const char *suffix)
{
    const char *dataset = dataset_name(rows, key.dataset);
    const char *column = column_name(rows, key.dataset, key.column);
    key.name = key.kind == PRIMARY ? psprintf("%s_%s", dataset, suffix)
                                   : psprintf("%s_%s_%s", dataset, column, suffix);
    key.oid = take_oid(rows, suffix, dataset, column);
    if (key.kind != FOREIGN)
        key.index = take_oid(rows, "index", dataset, column);
    rows->keys[rows->key_count++] = key;
}

/* A column that no two rows share, as the partner sees it; the first that is always filled is shown
 * as the primary key: the catalogue does not say which one the owner chose. */
static void add_unique_keys(struct rows *rows, size_t dataset)
{
    const struct model_grant *grant = rows->shown[dataset].grant;
    bool primary = false;
    for (size_t c = 0; c < grant->column_count; c++) {
        struct key key = {.dataset = dataset, .column = c, .kind = UNIQUE};
        if (!grant->columns[c].unique)
            continue;
        if (!primary && !grant->columns[c].nullable) {
            primary = true;
            key.kind = PRIMARY;
        }
        add_key(rows, key, key.kind == PRIMARY ? "pkey" : "key");
    }
}

static bool find_column(const struct model_grant *grant, const struct catalog_column *wanted,
                        size_t *column)
{
    for (*column = 0; *column < grant->column_count; (*column)++)
        if (grant->columns[*column].column->catalog == wanted)
            return true;
    return false;
}

static const struct key *unique_key(const struct rows *rows, size_t dataset, size_t column)
{
    for (size_t k = 0; k < rows->key_count; k++)
        if (rows->keys[k].dataset == dataset && rows->keys[k].column == column &&
            rows->keys[k].kind != FOREIGN)
            return &rows->keys[k];
    return NULL;
}

/* Do the two columns show values that can be equated: both clear, or tokens of one domain? */
static bool comparable(const struct model_granted *a, const struct model_granted *b)
{
    if (a->form != b->form || a->form == POLICY_FORM_MASKED)
        return false;
    return a->form == POLICY_FORM_CLEAR || strcmp(a->column->domain, b->column->domain) == 0;
}

static bool has_foreign_key(const struct rows *rows, size_t dataset, size_t column)
{
    for (size_t k = 0; k < rows->key_count; k++)
        if (rows->keys[k].dataset == dataset && rows->keys[k].column == column &&
            rows->keys[k].kind == FOREIGN)
            return true;
    return false;
}

/* The unique key of a shown dataset that the column refers to; NULL where it, or its end, is not
 * shown, or not in a form that could be compared. */
static const struct key *referred(const struct rows *rows, const struct model_granted *column,
                                  const struct model_dataset *parent, const char *parent_column)
{
    for (size_t p = 0; p < rows->shown_count; p++) {
        const struct model_grant *grant = rows->shown[p].grant;
        for (size_t c = 0; grant->dataset == parent && c < grant->column_count; c++)
            if (strcmp(grant->columns[c].column->policy->name, parent_column) == 0 &&
                comparable(column, &grant->columns[c]))
                return unique_key(rows, p, c);
    }
    return NULL;
}

static void add_foreign_key(struct rows *rows, size_t dataset, const struct catalog_column *child,
                            const struct model_dataset *parent, const char *parent_column)
{
    const struct model_grant *grant = rows->shown[dataset].grant;
    size_t column;
    if (grant->dataset == parent || !find_column(grant, child, &column) ||
        has_foreign_key(rows, dataset, column))
        return;
    const struct key *unique = referred(rows, &grant->columns[column], parent, parent_column);
    if (unique == NULL)
        return;
    struct key key = {.dataset = dataset,
                      .column = column,
                      .kind = FOREIGN,
                      .index = unique->index,
                      .parent = unique->dataset,
                      .parent_column = unique->column};
    add_key(rows, key, "fkey");
}

static const struct model_dataset *find_dataset(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->dataset_count; i++)
        if (strcmp(model->datasets[i].policy->name, name) == 0)
            return &model->datasets[i];
    return NULL;
}

/* What the policy says of how rows lead to people: the first step of a path, or the column that
 * holds the person's key. */
static void add_foreign_keys(struct rows *rows, size_t dataset)
{
    const struct model *model = rows->build->model;
    const struct model_dataset *bound = rows->shown[dataset].grant->dataset;
    for (size_t s = 0; s < bound->subject_count; s++) {
        const struct model_subject *subject = &bound->subjects[s];
        const struct policy_kind *kind = &model->policy->kinds[subject->policy->kind];
        if (subject->hop_count == 0)
            add_foreign_key(rows, dataset, subject->key, find_dataset(model, kind->dataset),
                            kind->key);
        else
            add_foreign_key(rows, dataset, subject->hops[0].child_column, subject->hops[0].parent,
                            subject->policy->hops[0].parent_column);
    }
}

/* Everything that is granted now. */
static struct rows *collect(struct build *build)
{
    const struct plan_request *request = build->request;
    const struct model *model = build->model;
    struct rows *rows = palloc0(sizeof *rows);
    size_t columns = 0;
    rows->build = build;
    rows->shown = palloc0((model->dataset_count + 1) * sizeof *rows->shown);
    for (size_t i = 0; i < model->dataset_count; i++) {
        const struct model_grant *grant =
            model_find_grant(model, request->partner, request->agent, request->purpose,
                             request->now_ns, model->datasets[i].policy->name);
        if (grant == NULL)
            continue;
        rows->shown[rows->shown_count++].grant = grant;
        columns += grant->column_count;
    }
    rows->keys = palloc0((2 * columns + 1) * sizeof *rows->keys);
    rows->oids = palloc0((rows->shown_count + 4 * columns + 1) * sizeof *rows->oids);
    for (size_t i = 0; i < rows->shown_count; i++)
        rows->shown[i].oid = take_oid(rows, "dataset", dataset_name(rows, i), "");
    for (size_t i = 0; i < rows->shown_count; i++)
        add_unique_keys(rows, i);
    for (size_t i = 0; i < rows->shown_count; i++)
        add_foreign_keys(rows, i);
    return rows;
}

/* What a column is called and typed in a source. */
struct source_column {
    const char *name, *type;
};

static Node *text_or_null(const char *text)
{
    return text == NULL ? rewrite_null() : rewrite_text(text);
}

static Node *number(uint32_t value)
{
    return rewrite_integer((int)value);
}

/* SELECT CAST(v.a AS t) AS a … FROM (VALUES …) AS v (a, …); of no rows, a row of NULLs and WHERE
 * false. */
static SelectStmt *select_rows(const struct source_column *columns, size_t count, List *rows)
{
    SelectStmt *select = rewrite_new(SelectStmt), *values = rewrite_new(SelectStmt);
    List *names = NIL, *nulls = NIL;
    for (size_t i = 0; i < count; i++) {
        Node *value = rewrite_cast(rewrite_column("v", columns[i].name), columns[i].type);
        select->targetList = lappend(select->targetList, rewrite_target(value, columns[i].name));
        names = lappend(names, makeString(pstrdup(columns[i].name)));
        nulls = lappend(nulls, rewrite_null());
    }
    values->valuesLists = rows == NIL ? list_make1(nulls) : rows;
    RangeSubselect *range = rewrite_subselect(values, "v");
    range->alias->colnames = names;
    select->fromClause = list_make1(range);
    if (rows == NIL)
        select->whereClause = rewrite_boolean(false);
    return select;
}

static bool is_indexed(const struct rows *rows, size_t dataset)
{
    for (size_t k = 0; k < rows->key_count; k++)
        if (rows->keys[k].dataset == dataset && rows->keys[k].kind != FOREIGN)
            return true;
    return false;
}

/* "about customer, enquirer", or that it is about nobody. */
static const char *describe_dataset(const struct rows *rows, const struct model_dataset *dataset)
{
    const struct policy *policy = rows->build->model->policy;
    const char *text = NULL;
    for (size_t s = 0; s < dataset->subject_count; s++) {
        const char *kind = policy->kinds[dataset->subjects[s].policy->kind].name;
        text = text == NULL ? psprintf("about %s", kind) : psprintf("%s, %s", text, kind);
    }
    return text == NULL ? "about nobody" : text;
}

/* "phone, masked: last4" */
static const char *describe_column(const struct model_granted *granted)
{
    const char *category = granted->column->policy->category, *form = "clear";
    if (granted->form == POLICY_FORM_TOKEN)
        form = "token";
    else if (granted->form == POLICY_FORM_MASKED && granted->policy->mask == NULL)
        form = "masked";
    else if (granted->form == POLICY_FORM_MASKED)
        form = granted->policy->bucket > 0
                   ? psprintf("masked: %s(%ld)", granted->policy->mask, granted->policy->bucket)
                   : psprintf("masked: %s", granted->policy->mask);
    return category == NULL ? form : psprintf("%s, %s", category, form);
}

/* The type as far as PostgreSQL itself knows it: an enum of the database's own is shown as text. */
static uint32_t shown_type(const struct model_granted *granted)
{
    if (granted->type != 0)
        return granted->type;
    const struct catalog_column *column = granted->column->catalog;
    return granted->form == POLICY_FORM_CLEAR && column->type_builtin ? column->type_oid
                                                                      : TYPE_TEXT;
}

static SelectStmt *relations(const struct rows *rows)
{
    static const struct source_column columns[] = {{"oid", "oid"},
                                                   {"name", "text"},
                                                   {"indexed", "bool"},
                                                   {"width", "int4"},
                                                   {"comment", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < rows->shown_count; i++) {
        const struct model_grant *grant = rows->shown[i].grant;
        List *row = list_make4(number(rows->shown[i].oid), rewrite_text(dataset_name(rows, i)),
                               rewrite_boolean(is_indexed(rows, i)),
                               rewrite_integer((int)grant->column_count));
        row = lappend(row, rewrite_text(describe_dataset(rows, grant->dataset)));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *columns_of_all(const struct rows *rows)
{
    static const struct source_column columns[] = {{"relation", "oid"}, {"number", "int4"},
                                                   {"name", "text"},    {"type", "oid"},
                                                   {"filled", "bool"},  {"comment", "text"}};
    List *list = NIL;
    for (size_t i = 0; i < rows->shown_count; i++) {
        const struct model_grant *grant = rows->shown[i].grant;
        for (size_t c = 0; c < grant->column_count; c++) {
            const struct model_granted *granted = &grant->columns[c];
            List *row = list_make4(number(rows->shown[i].oid), rewrite_integer((int)c + 1),
                                   rewrite_text(granted->column->policy->name),
                                   number(shown_type(granted)));
            row = lappend(row, rewrite_boolean(!granted->nullable));
            row = lappend(row, rewrite_text(describe_column(granted)));
            list = lappend(list, row);
        }
    }
    return select_rows(columns, lengthof(columns), list);
}

/* As pg_get_constraintdef() and pg_get_indexdef() write them. */
static const char *quoted(const char *name)
{
    bool plain = *name != '\0' &&
                 strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name) &&
                 strspn(name, "0123456789") == 0;
    if (plain)
        return name;
    char *text = palloc(2 * strlen(name) + 3), *to = text;
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return text;
}

static const char *define_key(const struct rows *rows, const struct key *key)
{
    const char *column = quoted(column_name(rows, key->dataset, key->column));
    if (key->kind != FOREIGN)
        return psprintf("%s (%s)", key->kind == PRIMARY ? "PRIMARY KEY" : "UNIQUE", column);
    return psprintf("FOREIGN KEY (%s) REFERENCES %s(%s)", column,
                    quoted(dataset_name(rows, key->parent)),
                    quoted(column_name(rows, key->parent, key->parent_column)));
}

static const char *define_index(const struct rows *rows, const struct key *key)
{
    if (key->kind == FOREIGN)
        return NULL;
    return psprintf("CREATE UNIQUE INDEX %s ON public.%s USING btree (%s)", quoted(key->name),
                    quoted(dataset_name(rows, key->dataset)),
                    quoted(column_name(rows, key->dataset, key->column)));
}

static SelectStmt *keys(const struct rows *rows)
{
    static const struct source_column columns[] = {
        {"oid", "oid"},         {"index", "oid"},
        {"relation", "oid"},    {"name", "text"},
        {"kind", "text"},       {"number", "int4"},
        {"parent", "oid"},      {"parent_number", "int4"},
        {"definition", "text"}, {"index_definition", "text"}};
    List *list = NIL;
    for (size_t k = 0; k < rows->key_count; k++) {
        const struct key *key = &rows->keys[k];
        bool foreign = key->kind == FOREIGN;
        List *row = list_make4(number(key->oid), number(key->index),
                               number(rows->shown[key->dataset].oid), rewrite_text(key->name));
        row = lappend(row, rewrite_text(psprintf("%c", key->kind)));
        row = lappend(row, rewrite_integer((int)key->column + 1));
        row = lappend(row, foreign ? number(rows->shown[key->parent].oid) : rewrite_null());
        row = lappend(row, foreign ? rewrite_integer((int)key->parent_column + 1) : rewrite_null());
        row = lappend(row, rewrite_text(define_key(rows, key)));
        row = lappend(row, text_or_null(define_index(rows, key)));
        list = lappend(list, row);
    }
    return select_rows(columns, lengthof(columns), list);
}

static SelectStmt *partner(const struct rows *rows)
{
    static const struct source_column columns[] = {
        {"login", "text"}, {"database", "text"}, {"version", "text"}};
    const struct plan_request *request = rows->build->request;
    List *row = list_make3(
        rewrite_text(request->agent->login),
        rewrite_text(request->database == NULL ? "cofferdam" : request->database),
        rewrite_text(psprintf("PostgreSQL %s", rows->build->model->catalog->server_version)));
    return select_rows(columns, lengthof(columns), list_make1(row));
}

static SelectStmt *functions(const struct rows *rows)
{
    static const struct source_column columns[] = {{"name", "text"}};
    const struct allow_signature *signature;
    const char *last = "";
    List *list = NIL;
    (void)rows;
    for (size_t i = 0; (signature = allow_function_at(i)) != NULL; i++) {
        if (strcmp(signature->name, last) != 0)
            list = lappend(list, list_make1(rewrite_text(signature->name)));
        last = signature->name;
    }
    return select_rows(columns, lengthof(columns), list);
}

SelectStmt *virtual_source(struct build *build, const char *name)
{
    static const struct {
        const char *name;
        SelectStmt *(*make)(const struct rows *rows);
    } sources[] = {{"source_relation", relations},
                   {"source_column", columns_of_all},
                   {"source_key", keys},
                   {"source_partner", partner},
                   {"source_function", functions}};
    for (size_t i = 0; i < lengthof(sources); i++)
        if (strcmp(sources[i].name, name) == 0)
            return sources[i].make(collect(build));
    return NULL;
}
